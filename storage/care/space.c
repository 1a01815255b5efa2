/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Free space: a margin for the catalog, and a reserve so that deletes work on a full disk.
 *
 * (1) Bodies are refused while less than reserve_bytes are free; asked ten times a second, and for
 *     every body once free space comes near.
 *     Pages that deletes have freed inside the catalog count as free: its file does not shrink.
 * (2) DIR/reserve occupies 1 MiB. When the catalog itself meets a full disk the writer removes it
 *     and goes on with what frees space; everything else is refused until the file can be made
 *     again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/file.h"
#include "storage/internal.h"

#define CHECK_INTERVAL_US (US_PER_S / 10)
#define RETRY_INTERVAL_US US_PER_S
#define FILE_FLOOR_PART 4
#define NEAR_RESERVES 4
#define RESERVE_FILE_BYTES (UINT64_C(1) << 20)

static uint64_t free_bytes(const struct store *store)
{
    struct statvfs st;

    /* A file system that cannot tell must not stop the store. */
    if (fstatvfs(store->dir.fd, &st) < 0)
        return UINT64_MAX;
    return (uint64_t)st.f_bavail * st.f_frsize;
}

bool space_is_low(struct store *store)
{
    int64_t now_us = clock_monotonic_us(&store->clock);
    uint64_t bytes;
    bool low;

    if (now_us - atomic_load(&store->space_checked_us) < CHECK_INTERVAL_US &&
        atomic_load(&store->space_bytes) / NEAR_RESERVES >= store->options.reserve_bytes)
        return atomic_load(&store->space_low);

    bytes = free_bytes(store);
    atomic_store(&store->space_checked_us, now_us);
    atomic_store(&store->space_bytes, bytes);
    low = bytes < store->options.reserve_bytes;
    /* While there is still room the log is copied back: deletes then write into it in place. */
    if (low && !atomic_exchange(&store->space_low, true))
        janitor_note_low_space(store);
    if (!low)
        atomic_store(&store->space_low, false);
    return low;
}

bool space_left(struct store *store, enum space_use use)
{
    uint64_t bytes;

    if (!space_is_low(store))
        return true;
    /* What the reserve is for, the catalog has inside; a file needs real room besides. */
    bytes = atomic_load(&store->space_bytes);
    if (use == SPACE_FILE && bytes < store->options.reserve_bytes / FILE_FLOOR_PART)
        return false;
    return bytes + atomic_load(&store->catalog_free_bytes) >= store->options.reserve_bytes;
}

void space_note_commit(struct store *store)
{
    if (atomic_load(&store->space_low))
        atomic_store(&store->catalog_free_bytes, catalog_free_bytes(store->cat));
}

static int occupy(int fd)
{
    int error;

    do {
        error = posix_fallocate(fd, 0, (off_t)RESERVE_FILE_BYTES);
    } while (error == EINTR);
    return error;
}

void reserve_keep(struct store *store)
{
    CLEANUP(fd_close) int fd = -1;
    struct stat st;
    uint64_t bytes;

    if (fstatat(store->dir.fd, "reserve", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        (uint64_t)st.st_size == RESERVE_FILE_BYTES) {
        atomic_store(&store->reserve_gone, false);
        return;
    }
    bytes = free_bytes(store);
    if (bytes < 2 * RESERVE_FILE_BYTES || bytes + atomic_load(&store->catalog_free_bytes) <
                                              store->options.reserve_bytes + RESERVE_FILE_BYTES)
        return;

    fd = file_open_own(store->dir.fd, "reserve", O_WRONLY | O_CREAT, 0600);
    if (fd >= 0 && occupy(fd) == 0)
        atomic_store(&store->reserve_gone, false);
    else if (fd >= 0)
        file_discard(store->dir.fd, "reserve");
}

bool reserve_retry(struct store *store)
{
    int64_t now_us = clock_monotonic_us(&store->clock);

    if (now_us - store->reserve_tried_us >= RETRY_INTERVAL_US) {
        store->reserve_tried_us = now_us;
        reserve_keep(store);
    }
    return !atomic_load(&store->reserve_gone);
}

bool reserve_drop(struct store *store)
{
    if (atomic_exchange(&store->reserve_gone, true))
        return false;

    store->reserve_tried_us = clock_monotonic_us(&store->clock);
    atomic_store(&store->space_low, true);
    return file_unlink(store->dir.fd, "reserve") == 0;
}
