/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep: rows of dead bodies and expired uploads, then the files nobody names any more.
 *
 * A file goes only after the commit that removed its row, under the pin lock, and only if no
 * writer has pinned its name since (it will make a new row for it then).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "storage/internal.h"
#include "storage/io_status.h"

/* A file without a row may belong to a write that is still under way. */
#define ORPHAN_AGE_S 3600

static bool pinned(void *context, uint64_t scope, const uint8_t *hash)
{
    struct store *store = context;
    struct blob_name name = { .scope = scope };

    memcpy(name.hash, hash, SHA256_BYTES);
    return blob_pins_held(&store->pins, &name);
}

static bool being_read(void *context, int64_t id)
{
    struct store *store = context;

    return read_pins_held(&store->read_pins, id);
}

void sweep_prepare(struct store *store, struct sweep *sweep)
{
    int64_t now_us = clock_now_us(&store->clock);
    int64_t expiry_us = store->options.upload_expiry_us;

    sweep->safe_seq = snapshots_safe_seq(&store->snapshots);
    sweep->upload_before_us = expiry_us > 0 ? now_us - expiry_us : INT64_MIN;
    sweep->done_before_us = now_us - DONE_UPLOAD_KEPT_US;
    sweep->pinned = pinned;
    sweep->being_read = being_read;
    sweep->context = store;
}

static void remove_file(struct store *store, const struct swept_blob *blob)
{
    struct blob_name name = { .scope = blob->scope };

    memcpy(name.hash, blob->hash, SHA256_BYTES);
    blob_pins_lock(&store->pins);
    if (blob_pins_count(&store->pins, &name) == 0 && blob_unlink(&store->dir.blobs, &name) == 0)
        atomic_fetch_add(&store->blobs_removed, 1);
    blob_pins_unlock(&store->pins);
}

static bool stop_at_first(void *context, uint64_t at, uint64_t stored_bytes)
{
    (void)context;
    (void)at;
    (void)stored_bytes;
    return false;
}

/* False for one that is appended to; any other never gets another row. */
static bool remove_if_empty(struct store *store, struct catalog *cat, uint32_t pack)
{
    return catalog_pack_extents(cat, pack, stop_at_first, NULL, NULL) == STORE_OK &&
           pack_remove(&store->dir.packs, pack);
}

void sweep_finish(struct store *store, const struct sweep *sweep)
{
    uint32_t asked = 0;

    for (size_t i = 0; i < sweep->blob_count; i++) {
        const struct swept_blob *blob = &sweep->blobs[i];

        if (blob->pack == 0) {
            remove_file(store, blob);
            continue;
        }
        pack_punch(&store->dir.packs, blob->pack, blob->pack_at, blob->stored_bytes);
        atomic_fetch_add(&store->blobs_removed, 1);
    }
    for (size_t i = 0; i < sweep->blob_count; i++) {
        if (sweep->blobs[i].pack != 0 && sweep->blobs[i].pack != asked) {
            asked = sweep->blobs[i].pack;
            (void)remove_if_empty(store, store->cat, asked);
        }
    }
}

enum store_status sweep_once(struct store *store, struct swept *total, struct fault *fault)
{
    struct sweep *sweep = mem_zalloc(sizeof(*sweep));
    struct intent intent = { .kind = INTENT_SWEEP, .sweep = sweep };
    enum store_status status;

    total->more = total->waiting = false;
    if (sweep == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "sweep");

    status = store_submit_wait(store, &intent);
    if (status == STORE_OK) {
        total->more = sweep->more;
        total->waiting = sweep->waiting;
        total->bodies += sweep->blob_count + sweep->inline_count;
        total->uploads += sweep->upload_count;
        for (size_t i = 0; i < sweep->blob_count; i++)
            total->bytes += sweep->blobs[i].stored_bytes;
    } else if (fault != NULL) {
        *fault = intent.fault;
    }
    mem_free(sweep);
    return status;
}

enum store_status store_sweep_now(struct store *store, struct fault *fault)
{
    struct swept total = { .more = true };
    enum store_status status = STORE_OK;

    while (total.more && status == STORE_OK)
        status = sweep_once(store, &total, fault);
    return status;
}

/* ---- orphans ----------------------------------------------------------------------------- */

static enum store_status orphan_check(struct store *store, struct catalog *cat, int leaf_fd,
                                      const char *file_name, struct fault *fault)
{
    struct blob_name name;
    struct piece blob = { 0 };
    struct stat st;
    bool found = true;
    enum store_status status = STORE_OK;

    if (!blob_name_parse(str_from_cstr(file_name), &name) ||
        fstatat(leaf_fd, file_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
        st.st_mtime + ORPHAN_AGE_S > clock_now_us(&store->clock) / US_PER_S)
        return STORE_OK;

    /* Nobody can pin, find and commit the file between the question and the unlink. */
    blob_pins_lock(&store->pins);
    if (blob_pins_count(&store->pins, &name) == 0)
        status = catalog_blob_find(cat, name.scope, name.hash, &blob, &found, fault);
    if (status == STORE_OK && (!found || blob.pack != 0) && file_unlink(leaf_fd, file_name) == 0)
        atomic_fetch_add(&store->blobs_removed, 1);
    blob_pins_unlock(&store->pins);
    return status;
}

bool orphans_top_exists(const struct store *store, uint32_t top)
{
    char path[3];

    (void)snprintf(path, sizeof(path), "%02x", top & 0xff);
    return faccessat(store->dir.blobs.root_fd, path, F_OK, 0) == 0;
}

enum store_status orphans_sweep_leaf(struct store *store, struct catalog *cat, uint32_t leaf,
                                     bool *ret_found, struct fault *fault)
{
    char path[6];
    enum store_status status = STORE_OK;
    const struct dirent *entry;
    DIR *dir;
    int error = 0;
    int fd;

    (void)snprintf(path, sizeof(path), "%02x/%02x", leaf >> 8 & 0xff, leaf & 0xff);
    *ret_found = false;
    fd = openat(store->dir.blobs.root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return STORE_OK;
    dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        fd_close(&fd);
        return store_fault_errno(fault, STORE_IO, "read the directory '%s' of blobs", path);
    }
    *ret_found = true;

    while (status == STORE_OK && (entry = file_next_name(dir, &error)) != NULL)
        status = orphan_check(store, cat, dirfd(dir), entry->d_name, fault);
    if (status == STORE_OK && error != 0)
        status = store_fault_io(fault, error, "list the directory '%s' of blobs", path);
    (void)closedir(dir);
    return status;
}

/* ---- gaps --------------------------------------------------------------------------------- */

struct gap_walk {
    struct store *store;
    struct catalog *cat;
    uint32_t pack;
    uint64_t at;              /* behind the last extent */
    uint64_t end;             /* of what may be punched */
    enum store_status status; /* what it met so far: one pack does not keep it from the others */
    struct fault *fault;
};

static void punch_gap(const struct gap_walk *walk, uint64_t until)
{
    if (until > walk->at)
        pack_punch(&walk->store->dir.packs, walk->pack, walk->at, until - walk->at);
}

static bool walk_extent(void *context, uint64_t at, uint64_t stored_bytes)
{
    struct gap_walk *walk = context;

    if (at >= walk->end)
        return false;
    punch_gap(walk, at);
    walk->at = extent_end(at, stored_bytes);
    return true;
}

static bool walk_pack(void *context, uint32_t number)
{
    struct gap_walk *walk = context;
    enum store_status status;

    walk->pack = number;
    walk->at = 0;
    walk->end = pack_settled_end(&walk->store->dir.packs, number);
    if (walk->end == 0 || remove_if_empty(walk->store, walk->cat, number))
        return true;
    status = catalog_pack_extents(walk->cat, number, walk_extent, walk, walk->fault);
    if (status == STORE_OK || status == STORE_STOPPED)
        punch_gap(walk, walk->end);
    else
        walk->status = status;
    return true;
}

enum store_status orphans_sweep_packs(struct store *store, struct catalog *cat, struct fault *fault)
{
    struct gap_walk walk = { .store = store, .cat = cat, .fault = fault };
    enum store_status status = packs_each(&store->dir.packs, walk_pack, &walk, fault);

    return status != STORE_OK ? status : walk.status;
}
