/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files made durable, one call at a time: the only place that syncs, links and renames.
 *
 * (1) Every call that changes the disk, opens or lists is counted (file_counters), so a test can say how many
 *     fsyncs an operation costs.
 * (2) Every such call passes a fault point: file_fault_set makes the n-th one fail with an errno,
 *     once or from then on, so that sweeps can visit each.
 * (3) Results: 0 or a negative errno; short writes are completed or reported, never ignored.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <dirent.h>
#include <errno.h>

#include "base/fault.h"
#include "base/text/buf.h"

enum file_call {
    FILE_CALL_OPEN,
    FILE_CALL_WRITE,
    FILE_CALL_SYNC,     /* fdatasync / fsync of a file */
    FILE_CALL_SYNC_DIR, /* fsync of a directory */
    FILE_CALL_LINK,
    FILE_CALL_RENAME,
    FILE_CALL_UNLINK,
    FILE_CALL_MKDIR,
    FILE_CALL_LIST, /* readdir */
    FILE_CALLS,
};

struct file_counters {
    uint64_t calls[FILE_CALLS];
};

struct file_counters file_counters(void);

/*
 * Make the n-th (1-based, counted from now) call of a kind fail with error; forever: all after it
 * too. n = 0 switches it off. Test-only; process wide. kind == FILE_CALLS counts all kinds together.
 */
void file_fault_set(enum file_call kind, uint64_t n, int error, bool forever);
/*
 * Every changing call starts here: counts it and says whether it must fail. 0 or a negative errno.
 * To be called only for calls that a library makes by itself.
 */
MUST_CHECK int file_fault_point(enum file_call kind);
/* True once the armed fault has fired. */
bool file_fault_fired(void);

void fd_close(int *fd); /* CLEANUP helper; -1 is empty */
static inline int fd_take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/*
 * The next name in a directory. NULL: there are no more (*ret_error 0), or they can not be read
 * (*ret_error a negative errno): what was not listed may be there then.
 */
MUST_CHECK const struct dirent *file_next_name(DIR *dir, int *ret_error);

/* All return a value >= 0 or a negative errno. Paths are relative to dir_fd; O_CLOEXEC always. */
MUST_CHECK int file_open(int dir_fd, const char *path, int flags, unsigned mode);
/*
 * As file_open, of what the path itself names: -ELOOP or -ENOTDIR for a symbolic link, -EINVAL (or
 * -ENXIO) for what is no file, as a FIFO, at which it never waits. With O_DIRECTORY a directory.
 */
MUST_CHECK int file_open_own(int dir_fd, const char *path, int flags, unsigned mode);
/* Whether that is how file_open_own says that something else bears the name. */
static inline bool file_is_other(int error)
{
    return error == -ELOOP || error == -ENOTDIR || error == -EINVAL || error == -ENXIO;
}
MUST_CHECK int file_write_all(int fd, const void *bytes, size_t len);
MUST_CHECK int file_write_at(int fd, uint64_t offset, const void *bytes, size_t len);
/* Give the blocks of a range back; it reads as zeros then. -EOPNOTSUPP where that can't be. Not counted. */
MUST_CHECK int file_punch(int fd, uint64_t offset, uint64_t len);
/* Exactly len bytes at offset; -EIO for a short file. Not counted. */
MUST_CHECK int file_read_at(int fd, uint64_t offset, void *out, size_t len);
MUST_CHECK int file_sync(int fd);     /* fdatasync */
MUST_CHECK int file_sync_dir(int fd); /* fsync */
MUST_CHECK int file_link(int from_dir, const char *from, int to_dir, const char *to);
MUST_CHECK int file_rename(int from_dir, const char *from, int to_dir, const char *to);
MUST_CHECK int file_unlink(int dir_fd, const char *path);
/* 1: made, 0: was there. */
MUST_CHECK int file_mkdir(int dir_fd, const char *path, unsigned mode);

/* Whole small file, at most max bytes; -EFBIG past it. */
MUST_CHECK int file_read_all(int dir_fd, const char *path, struct buf *ret_content);
MUST_CHECK int file_read_own(int dir_fd, const char *path,
                             struct buf *ret_content); /* file_open_own */
/*
 * Create or replace a small file: temp file (path, random digits, ".tmp"), write, sync, rename. What
 * bears the name is whole whenever a crash comes; the name itself is only safe once the caller has
 * synced the directory. mode: permission bits of the final file.
 */
MUST_CHECK int file_place(int dir_fd, const char *path, unsigned mode, struct str content);
/* file_place, then sync the directory. */
MUST_CHECK int file_replace(int dir_fd, const char *path, unsigned mode, struct str content);

#endif
