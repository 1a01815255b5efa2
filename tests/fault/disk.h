/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fails when told to: the program that includes this stands between all its libraries
 * and libc, so that SQLite's own file layer meets the failure as well as base/file.c.
 *
 * (1) Only calls that change the disk, or open a file on it, are counted, in all threads together,
 *     and only while armed.
 * (2) To be included by one file of a program, before anything else: it wants open and open64 to be
 *     two names.
 * (3) Who listens is told of each call that has changed the disk, one at a time, in the order in which
 *     the disk was changed.
 */
#ifndef TESTS_FAULT_DISK_H
#define TESTS_FAULT_DISK_H

#undef _FILE_OFFSET_BITS
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum trouble {
    TROUBLE_EIO_ONCE,
    TROUBLE_EIO_FOREVER,
    TROUBLE_ENOSPC_ONCE,
    TROUBLE_ENOSPC_FOREVER,
    TROUBLE_SHORT, /* half of a write */
    TROUBLE_EINTR,
    TROUBLES,
};

static const struct {
    const char *name;
    int error;
    bool forever;
    bool harmless; /* rule 3 */
} troubles[TROUBLES] = {
    [TROUBLE_EIO_ONCE] = { "EIO once", EIO, false, false },
    [TROUBLE_EIO_FOREVER] = { "EIO forever", EIO, true, false },
    [TROUBLE_ENOSPC_ONCE] = { "ENOSPC once", ENOSPC, false, false },
    [TROUBLE_ENOSPC_FOREVER] = { "ENOSPC forever", ENOSPC, true, false },
    [TROUBLE_SHORT] = { "short write", 0, false, true },
    [TROUBLE_EINTR] = { "EINTR", EINTR, false, true },
};

#define DISK_DIRECTORY_OF_SQLITE "SQLite's directory"

enum call { CALL_OPEN, CALL_WRITE, CALL_SYNC, CALL_NAME };

static struct {
    atomic_bool armed;
    _Atomic uint64_t left; /* calls until the one that fails */
    atomic_bool fired;
    enum trouble trouble;
    _Atomic(const char *) name; /* of the call that failed */
} disk;

static inline void disk_arm(enum trouble trouble, uint64_t n)
{
    disk.trouble = trouble;
    atomic_store(&disk.left, n);
    atomic_store(&disk.fired, false);
    atomic_store(&disk.name, "none");
    atomic_store(&disk.armed, true);
}

static inline void disk_heal(void)
{
    atomic_store(&disk.armed, false);
}

/* True: this call fails. Calls that a harmless trouble cannot meet are not counted. */
static bool disk_hit(enum call call, const char *name)
{
    if (!atomic_load(&disk.armed))
        return false;
    if (disk.trouble == TROUBLE_SHORT && call != CALL_WRITE)
        return false;
    if (disk.trouble == TROUBLE_EINTR && call != CALL_WRITE && call != CALL_OPEN)
        return false;

    if (atomic_load(&disk.fired)) {
        if (!troubles[disk.trouble].forever)
            return false;
    } else if (atomic_fetch_sub(&disk.left, 1) != 1) {
        return false;
    } else {
        atomic_store(&disk.fired, true);
        atomic_store(&disk.name, name);
    }
    errno = troubles[disk.trouble].error;
    return true;
}

/* Sockets, event descriptors, standard error and files without a name are not the disk. */
static bool on_disk(int fd)
{
    struct stat about;

    return atomic_load(&disk.armed) && fd > 2 && syscall(SYS_fstat, fd, &about) == 0 &&
           about.st_nlink > 0 && (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode));
}

static bool path_on_disk(const char *path)
{
    return strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/dev/", 5) != 0 &&
           strncmp(path, "/etc/", 5) != 0 && strncmp(path, "/sys/", 5) != 0;
}

/* ---- listening ------------------------------------------------------------------------------- */

enum disk_act {
    DISK_OPEN, /* that may make the file or empty it */
    DISK_WRITE,
    DISK_SIZE, /* len is the new one */
    DISK_ROOM, /* the file has at least len bytes now */
    DISK_PUNCH,
    DISK_SYNC,
    DISK_LINK,
    DISK_RENAME,
    DISK_UNLINK,
    DISK_MKDIR,
};

struct disk_event {
    enum disk_act act;
    int fd;    /* the file, or the directory of a sync */
    int flags; /* of an open */
    int dir;   /* with path: the name made, or removed */
    const char *path;
    int from_dir; /* of a link or a rename */
    const char *from;
    const void *bytes;
    uint64_t at, len;
};

/* NULL: nobody listens. Set before there are threads. */
static void (*disk_listener)(const struct disk_event *event);
static pthread_mutex_t disk_order = PTHREAD_MUTEX_INITIALIZER;

static void disk_before(void)
{
    if (disk_listener != NULL)
        (void)pthread_mutex_lock(&disk_order);
}

/* After disk_before and the call: tells of one that did something. Its result. */
static long disk_after(const struct disk_event *event, long result)
{
    int error = errno;

    if (disk_listener == NULL)
        return result;
    if (result >= 0)
        disk_listener(event);
    (void)pthread_mutex_unlock(&disk_order);
    errno = error;
    return result;
}

/* ---- the calls ------------------------------------------------------------------------------- */

#define SEEN __attribute__((visibility("default")))

static int disk_open(int dir, const char *path, int flags, unsigned mode)
{
    struct disk_event event = { .act = DISK_OPEN, .flags = flags, .dir = dir, .path = path };

    if (path_on_disk(path) && disk_hit(CALL_OPEN, "open"))
        return -1;
    if ((flags & (O_CREAT | O_TRUNC)) == 0)
        return (int)syscall(SYS_openat, dir, path, flags, mode);

    disk_before();
    event.fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    return (int)disk_after(&event, event.fd);
}

#define OPEN_MODE(flags, mode)                                                                     \
    do {                                                                                           \
        if (((flags) & (O_CREAT | __O_TMPFILE)) != 0) {                                            \
            va_list args;                                                                          \
                                                                                                   \
            va_start(args, flags);                                                                 \
            (mode) = va_arg(args, unsigned);                                                       \
            va_end(args);                                                                          \
        }                                                                                          \
    } while (0)

SEEN int open(const char *path, int flags, ...)
{
    unsigned mode = 0;

    OPEN_MODE(flags, mode);
    return disk_open(AT_FDCWD, path, flags, mode);
}

SEEN int open64(const char *path, int flags, ...)
{
    unsigned mode = 0;

    OPEN_MODE(flags, mode);
    return disk_open(AT_FDCWD, path, flags, mode);
}

SEEN int openat(int dir, const char *path, int flags, ...)
{
    unsigned mode = 0;

    OPEN_MODE(flags, mode);
    return disk_open(dir, path, flags, mode);
}

SEEN int openat64(int dir, const char *path, int flags, ...)
{
    unsigned mode = 0;

    OPEN_MODE(flags, mode);
    return disk_open(dir, path, flags, mode);
}

/* How much of a write goes through; 0: none, errno is set. */
static size_t disk_write_len(int fd, size_t len, const char *name)
{
    if (len == 0 || !on_disk(fd) || !disk_hit(CALL_WRITE, name))
        return len;
    return disk.trouble == TROUBLE_SHORT ? (len + 1) / 2 : 0;
}

SEEN ssize_t write(int fd, const void *bytes, size_t len)
{
    struct disk_event event = { .act = DISK_WRITE, .fd = fd, .bytes = bytes };
    size_t take = disk_write_len(fd, len, "write");
    long written;

    if (take == 0 && len > 0)
        return -1;
    disk_before();
    written = syscall(SYS_write, fd, bytes, take);
    if (written > 0 && disk_listener != NULL) {
        event.len = (uint64_t)written;
        event.at = (uint64_t)(syscall(SYS_lseek, fd, 0, SEEK_CUR) - written);
    }
    return disk_after(&event, written);
}

static ssize_t disk_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    struct disk_event event = {
        .act = DISK_WRITE, .fd = fd, .bytes = bytes, .at = (uint64_t)offset
    };
    size_t take = disk_write_len(fd, len, "pwrite");
    long written;

    if (take == 0 && len > 0)
        return -1;
    disk_before();
    written = syscall(SYS_pwrite64, fd, bytes, take, offset);
    event.len = written > 0 ? (uint64_t)written : 0;
    return disk_after(&event, written);
}

SEEN ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    return disk_pwrite(fd, bytes, len, offset);
}

SEEN ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
    return disk_pwrite(fd, bytes, len, offset);
}

SEEN int fsync(int fd)
{
    if (on_disk(fd) && disk_hit(CALL_SYNC, "fsync"))
        return -1;
    disk_before();
    return (int)disk_after(&(struct disk_event){ .act = DISK_SYNC, .fd = fd },
                           syscall(SYS_fsync, fd));
}

SEEN int fdatasync(int fd)
{
    struct stat about;

    /* SQLite itself passes over a failed sync of the directory: named so that it can be told. */
    if (on_disk(fd) &&
        disk_hit(CALL_SYNC, syscall(SYS_fstat, fd, &about) == 0 && S_ISDIR(about.st_mode)
                                ? DISK_DIRECTORY_OF_SQLITE
                                : "fdatasync"))
        return -1;
    disk_before();
    return (int)disk_after(&(struct disk_event){ .act = DISK_SYNC, .fd = fd },
                           syscall(SYS_fdatasync, fd));
}

static int disk_truncate(int fd, off_t len)
{
    if (on_disk(fd) && disk_hit(CALL_NAME, "ftruncate"))
        return -1;
    disk_before();
    return (int)disk_after(&(struct disk_event){ .act = DISK_SIZE, .fd = fd, .len = (uint64_t)len },
                           syscall(SYS_ftruncate, fd, len));
}

SEEN int ftruncate(int fd, off_t len)
{
    return disk_truncate(fd, len);
}

SEEN int ftruncate64(int fd, off64_t len)
{
    return disk_truncate(fd, len);
}

/* Answers an errno, not -1. */
static int disk_fallocate(int fd, off_t offset, off_t len)
{
    if (on_disk(fd) && disk_hit(CALL_NAME, "fallocate"))
        return errno;
    disk_before();
    return disk_after(&(struct disk_event){ .act = DISK_ROOM,
                                            .fd = fd,
                                            .len = (uint64_t)offset + (uint64_t)len },
                      syscall(SYS_fallocate, fd, 0, offset, len)) == 0
               ? 0
               : errno;
}

/* Only told of: what fails here is done without. */
static int disk_punch(int fd, int mode, off_t offset, off_t len)
{
    disk_before();
    return (int)disk_after(&(struct disk_event){ .act = DISK_PUNCH,
                                                 .fd = fd,
                                                 .at = (uint64_t)offset,
                                                 .len = (uint64_t)len },
                           syscall(SYS_fallocate, fd, mode, offset, len));
}

SEEN int fallocate(int fd, int mode, off_t offset, off_t len)
{
    return disk_punch(fd, mode, offset, len);
}

SEEN int fallocate64(int fd, int mode, off64_t offset, off64_t len)
{
    return disk_punch(fd, mode, offset, len);
}

SEEN int posix_fallocate(int fd, off_t offset, off_t len)
{
    return disk_fallocate(fd, offset, len);
}

SEEN int posix_fallocate64(int fd, off64_t offset, off64_t len)
{
    return disk_fallocate(fd, offset, len);
}

SEEN int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    if (disk_hit(CALL_NAME, "link"))
        return -1;
    disk_before();
    return (int)disk_after(&(struct disk_event){ .act = DISK_LINK,
                                                 .dir = to_dir,
                                                 .path = to,
                                                 .from_dir = from_dir,
                                                 .from = from },
                           syscall(SYS_linkat, from_dir, from, to_dir, to, flags));
}

SEEN int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    if (disk_hit(CALL_NAME, "rename"))
        return -1;
    disk_before();
    return (int)disk_after(&(struct disk_event){ .act = DISK_RENAME,
                                                 .dir = to_dir,
                                                 .path = to,
                                                 .from_dir = from_dir,
                                                 .from = from },
                           syscall(SYS_renameat2, from_dir, from, to_dir, to, 0));
}

SEEN int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

SEEN int unlinkat(int dir, const char *path, int flags)
{
    if (disk_hit(CALL_NAME, "unlink"))
        return -1;
    disk_before();
    return (int)disk_after(&(struct disk_event){ .act = DISK_UNLINK, .dir = dir, .path = path },
                           syscall(SYS_unlinkat, dir, path, flags));
}

SEEN int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

SEEN int mkdirat(int dir, const char *path, mode_t mode)
{
    if (disk_hit(CALL_NAME, "mkdir"))
        return -1;
    disk_before();
    return (int)disk_after(&(struct disk_event){ .act = DISK_MKDIR, .dir = dir, .path = path },
                           syscall(SYS_mkdirat, dir, path, mode));
}

SEEN int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

SEEN int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

#endif
