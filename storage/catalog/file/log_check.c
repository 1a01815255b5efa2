/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Was the log cut? Asked before SQLite opens it: SQLite reads a log up to the first frame that does
 * not hold and takes the rest for a transaction that was never finished. Mostly it is; when it is
 * not, commits that were acknowledged are gone, and somebody has to say so.
 * https://www.sqlite.org/fileformat2.html#walformat
 *
 * (1) Each commit is synced before the next one is written. So a commit with more of the same log
 *     behind it was acknowledged; if it lies behind a frame that does not hold, it is lost.
 *     Only of a frame that holds is it known that it commits: of one that was torn while it was
 *     written, one sector may be of this log and its neighbour what lay there before.
 * (2) From the first commit of a run until its end in order there is a log with a header, as the
 *     mark in `lock` says.
 * (3) What only reaches into the last transaction, or cuts the file behind a commit, can not be told
 *     from a crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text/buf.h"
#include "storage/catalog/catalog.h"
#include "storage/catalog/file/wal.h"

#define HEADER_BYTES 32
#define FRAME_BYTES (WAL_FRAME_HEADER_BYTES + CATALOG_PAGE_BYTES)
#define MAGIC 0x377f0682u /* its last bit says that sums are of big-endian words */
#define STEP_FRAMES 64u

struct log_sum {
    bool big_endian;
    uint32_t a, b;
};

static uint32_t word(const char *bytes, bool big_endian)
{
    const uint8_t *p = (const uint8_t *)bytes;

    if (big_endian)
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* len is a multiple of 8. */
static void log_sum_add(struct log_sum *sum, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        sum->a += word(bytes + i, sum->big_endian) + sum->b;
        sum->b += word(bytes + i + 4, sum->big_endian) + sum->a;
    }
}

static bool log_sum_is(const struct log_sum *sum, const char *bytes)
{
    return sum->a == word(bytes, true) && sum->b == word(bytes + 4, true);
}

static bool header_holds(const char *header, struct log_sum *ret_sum)
{
    struct log_sum sum = { .big_endian = (word(header, true) & 1) != 0 };

    log_sum_add(&sum, header, 24);
    *ret_sum = sum;
    return (word(header, true) & ~1u) == MAGIC && word(header + 8, true) == CATALOG_PAGE_BYTES &&
           log_sum_is(&sum, header + 24);
}

struct log_walk {
    char header[HEADER_BYTES];
    struct log_sum sum;
    uint64_t frame;
    uint64_t broken; /* number of the first frame that does not hold; 0: none */
    bool commit_behind;
    bool cut;
};

static void walk_frame(struct log_walk *walk, const char *frame)
{
    bool same_log = memcmp(frame + 8, walk->header + 16, 8) == 0;
    struct log_sum sum = walk->sum;
    bool holds;

    log_sum_add(&sum, frame, 8);
    log_sum_add(&sum, frame + WAL_FRAME_HEADER_BYTES, CATALOG_PAGE_BYTES);
    holds = same_log && log_sum_is(&sum, frame + 16);
    /* Behind a break a frame is judged from the sum that the one before it says it has. */
    walk->sum.a = word(frame + 16, true);
    walk->sum.b = word(frame + 20, true);

    walk->frame++;
    if (!holds && walk->broken == 0)
        walk->broken = walk->frame;
    if (walk->broken == 0 || !same_log)
        return;
    walk->cut = walk->cut || walk->commit_behind;
    walk->commit_behind = walk->commit_behind || (holds && word(frame + 4, true) != 0);
}

static enum store_status walk_frames(struct log_walk *walk, int fd, uint64_t size,
                                     struct fault *fault)
{
    CLEANUP(buf_free) struct buf room = BUF_WITH_MAX(STEP_FRAMES * FRAME_BYTES);
    uint64_t frames = (size - HEADER_BYTES) / FRAME_BYTES;

    if (!buf_reserve(&room, STEP_FRAMES * FRAME_BYTES))
        return store_fault(fault, STORE_NO_MEMORY, "look at the log");
    while (walk->frame < frames && !walk->cut) {
        size_t count = (size_t)u64_min(STEP_FRAMES, frames - walk->frame);
        int error =
            file_read_at(fd, HEADER_BYTES + walk->frame * FRAME_BYTES, room.p, count * FRAME_BYTES);

        if (error < 0) {
            errno = -error;
            return store_fault_errno(fault, STORE_IO, "read the log");
        }
        for (size_t i = 0; i < count; i++)
            walk_frame(walk, room.p + i * FRAME_BYTES);
    }
    return STORE_OK;
}

enum store_status catalog_log_check(int dir_fd, bool in_use, struct fault *ret_cut,
                                    struct fault *fault)
{
    CLEANUP(fd_close) int fd = file_open(dir_fd, "catalog.db-wal", O_RDONLY | O_NOFOLLOW, 0);
    struct log_walk walk = { .frame = 0 };
    struct stat st;
    enum store_status status;
    int error;

    if (fd < 0 && fd != -ENOENT) {
        errno = -fd;
        return store_fault_errno(fault, STORE_IO, "open the log");
    }
    if (fd >= 0 && fstat(fd, &st) < 0)
        return store_fault_errno(fault, STORE_IO, "look at the log");
    if (fd < 0 || st.st_size < HEADER_BYTES) {
        if (in_use)
            fault_note(ret_cut,
                       "the catalog's log is gone although the last run did not end in order: "
                       "what was acknowledged last may be lost");
        return STORE_OK;
    }
    error = file_read_at(fd, 0, walk.header, HEADER_BYTES);
    if (error < 0) {
        errno = -error;
        return store_fault_errno(fault, STORE_IO, "read the log");
    }
    if (!header_holds(walk.header, &walk.sum)) {
        if (in_use)
            fault_note(ret_cut,
                       "the catalog's log has no header although the last run did not end in "
                       "order: what was acknowledged last may be lost");
        return STORE_OK;
    }
    status = walk_frames(&walk, fd, (uint64_t)st.st_size, fault);
    if (status == STORE_OK && walk.cut)
        fault_note(ret_cut,
                   "the catalog's log is damaged in frame %llu, with commits behind it: what "
                   "they had acknowledged is lost; check the store with pail fsck",
                   (unsigned long long)walk.broken);
    return status;
}
