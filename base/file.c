/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files made durable, one call at a time; rules in file.h.
 *
 * A fault that hits a write lets the first half of the bytes through, so that sweeps also meet
 * torn files. Any other fault happens instead of its call.
 *
 * A call that a signal interrupted is made again, whatever it is: local file systems do not answer
 * EINTR, those over a network and in user space do.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text/codec.h"

#define REPLACE_PATH_MAX 4096
#define READ_STEP_BYTES 4096
#define TEMP_RANDOM_BYTES 8

static _Atomic uint64_t counters[FILE_CALLS];

static struct {
    pthread_mutex_t lock;
    atomic_bool armed; /* read without the lock: the usual case must cost nothing */
    bool fired;
    bool forever;
    enum file_call kind; /* FILE_CALLS: any */
    uint64_t calls_left; /* until the one that fails */
    int error;
} injected = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct file_counters file_counters(void)
{
    struct file_counters now;

    for (size_t i = 0; i < FILE_CALLS; i++)
        now.calls[i] = atomic_load_explicit(&counters[i], memory_order_relaxed);

    return now;
}

void file_fault_set(enum file_call kind, uint64_t n, int error, bool forever)
{
    (void)pthread_mutex_lock(&injected.lock);
    injected.kind = kind;
    injected.calls_left = n;
    injected.error = error;
    injected.forever = forever;
    injected.fired = false;
    atomic_store(&injected.armed, n != 0);
    (void)pthread_mutex_unlock(&injected.lock);
}

bool file_fault_fired(void)
{
    bool fired;

    (void)pthread_mutex_lock(&injected.lock);
    fired = injected.fired;
    (void)pthread_mutex_unlock(&injected.lock);
    return fired;
}

/* Caller holds the lock. 0 or the negative errno to fail with. */
static int injected_error(enum file_call kind)
{
    if (!atomic_load(&injected.armed) || (injected.kind != FILE_CALLS && injected.kind != kind))
        return 0;

    if (injected.calls_left > 1) {
        injected.calls_left--;
        return 0;
    }

    injected.fired = true;
    atomic_store(&injected.armed, injected.forever);
    return -injected.error;
}

int file_fault_point(enum file_call kind)
{
    int error;

    atomic_fetch_add_explicit(&counters[kind], 1, memory_order_relaxed);
    if (!atomic_load_explicit(&injected.armed, memory_order_relaxed))
        return 0;

    (void)pthread_mutex_lock(&injected.lock);
    error = injected_error(kind);
    (void)pthread_mutex_unlock(&injected.lock);
    return error;
}

static int result_of(int answer)
{
    return answer < 0 ? -errno : answer;
}

void fd_close(int *fd)
{
    int saved_errno = errno;

    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    errno = saved_errno;
}

/* The value of call, a negative errno when it fails; with its fault point, and again after EINTR. */
#define UNINTERRUPTED(kind, call)                                                                  \
    ({                                                                                             \
        int result_;                                                                               \
        do {                                                                                       \
            result_ = file_fault_point(kind);                                                      \
            if (result_ == 0)                                                                      \
                result_ = result_of(call);                                                         \
        } while (result_ == -EINTR);                                                               \
        result_;                                                                                   \
    })

int file_open(int dir_fd, const char *path, int flags, unsigned mode)
{
    return UNINTERRUPTED(FILE_CALL_OPEN, openat(dir_fd, path, flags | O_CLOEXEC, (mode_t)mode));
}

/* What its own name stands for: a directory where one is asked for, else a file. */
static int check_kind(int fd, int flags)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return -errno;
    if ((flags & O_DIRECTORY) != 0)
        return 0; /* open has seen to it */
    return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

int file_open_own(int dir_fd, const char *path, int flags, unsigned mode)
{
    CLEANUP(fd_close)
    int fd = file_open(dir_fd, path, flags | O_NOFOLLOW | O_NONBLOCK, mode);
    int error = fd < 0 ? fd : check_kind(fd, flags);

    return error < 0 ? error : fd_take(&fd);
}

static int write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, p, len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        if (written == 0)
            return -EIO;
        p += written;
        len -= (size_t)written;
    }

    return 0;
}

int file_write_all(int fd, const void *bytes, size_t len)
{
    int error = file_fault_point(FILE_CALL_WRITE);

    if (error != 0) {
        (void)write_all(fd, bytes, len / 2);
        return error;
    }

    return write_all(fd, bytes, len);
}

static int write_all_at(int fd, uint64_t offset, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t written = pwrite(fd, p, len, (off_t)offset);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        if (written == 0)
            return -EIO;
        p += written;
        offset += (uint64_t)written;
        len -= (size_t)written;
    }

    return 0;
}

int file_write_at(int fd, uint64_t offset, const void *bytes, size_t len)
{
    int error = file_fault_point(FILE_CALL_WRITE);

    if (offset > INT64_MAX || len > INT64_MAX - offset)
        return -EOVERFLOW;
    if (error != 0) {
        (void)write_all_at(fd, offset, bytes, len / 2);
        return error;
    }

    return write_all_at(fd, offset, bytes, len);
}

int file_punch(int fd, uint64_t offset, uint64_t len)
{
    int error;

    if (offset > INT64_MAX || len > INT64_MAX - offset)
        return -EOVERFLOW;
    do {
        error =
            fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len);
    } while (error < 0 && errno == EINTR);

    return result_of(error);
}

int file_read_at(int fd, uint64_t offset, void *out, size_t len)
{
    char *to = out;

    if (offset > INT64_MAX || len > INT64_MAX - offset)
        return -EOVERFLOW;

    while (len > 0) {
        ssize_t got = pread(fd, to, len, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return -EIO;
        to += got;
        offset += (uint64_t)got;
        len -= (size_t)got;
    }

    return 0;
}

static int sync_data(int fd)
{
#ifdef __APPLE__
    return fcntl(fd, F_FULLFSYNC) < 0 ? -1 : 0;
#else
    return fdatasync(fd);
#endif
}

/* Never repeated on a failure of the disk: a second sync may succeed although pages were dropped. */
int file_sync(int fd)
{
    return UNINTERRUPTED(FILE_CALL_SYNC, sync_data(fd));
}

int file_sync_dir(int fd)
{
    return UNINTERRUPTED(FILE_CALL_SYNC_DIR, fsync(fd));
}

int file_link(int from_dir, const char *from, int to_dir, const char *to)
{
    return UNINTERRUPTED(FILE_CALL_LINK, linkat(from_dir, from, to_dir, to, 0));
}

int file_rename(int from_dir, const char *from, int to_dir, const char *to)
{
    return UNINTERRUPTED(FILE_CALL_RENAME, renameat(from_dir, from, to_dir, to));
}

int file_unlink(int dir_fd, const char *path)
{
    return UNINTERRUPTED(FILE_CALL_UNLINK, unlinkat(dir_fd, path, 0));
}

const struct dirent *file_next_name(DIR *dir, int *ret_error)
{
    const struct dirent *entry;

    *ret_error = file_fault_point(FILE_CALL_LIST);
    if (*ret_error != 0)
        return NULL;
    errno = 0;
    entry = readdir(dir);
    if (entry == NULL)
        *ret_error = -errno;
    return entry;
}

int file_mkdir(int dir_fd, const char *path, unsigned mode)
{
    int error = UNINTERRUPTED(FILE_CALL_MKDIR, mkdirat(dir_fd, path, (mode_t)mode));
    struct stat there;

    if (error == 0)
        return 1;
    if (error != -EEXIST)
        return error;

    if (fstatat(dir_fd, path, &there, 0) != 0)
        return -errno;
    return S_ISDIR(there.st_mode) ? 0 : -ENOTDIR;
}

struct read_step {
    char bytes[READ_STEP_BYTES];
};

static void read_step_wipe(struct read_step *step)
{
    explicit_bzero(step, sizeof(*step));
}

/*
 * What is read may be a key: no copy stays behind on the stack, nor, while the file does not grow,
 * where a buffer was before it grew.
 */
static int read_rest(int fd, struct buf *ret_content)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(ret_content->max);
    CLEANUP(read_step_wipe) struct read_step step;
    struct stat there;

    if (fstat(fd, &there) == 0 && there.st_size > 0 && (uint64_t)there.st_size <= content.max &&
        !buf_reserve(&content, (size_t)there.st_size))
        return -ENOMEM;
    for (;;) {
        ssize_t got = read(fd, step.bytes, sizeof(step.bytes));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        if ((size_t)got > content.max - content.len)
            return -EFBIG;
        buf_append(&content, step.bytes, (size_t)got);
        if (content.failed)
            return -ENOMEM;
    }

    buf_free(ret_content);
    *ret_content = content;
    content = BUF_WITH_MAX(0);
    return 0;
}

int file_read_all(int dir_fd, const char *path, struct buf *ret_content)
{
    CLEANUP(fd_close) int fd = file_open(dir_fd, path, O_RDONLY, 0);

    return fd < 0 ? fd : read_rest(fd, ret_content);
}

int file_read_own(int dir_fd, const char *path, struct buf *ret_content)
{
    CLEANUP(fd_close) int fd = file_open_own(dir_fd, path, O_RDONLY, 0);

    return fd < 0 ? fd : read_rest(fd, ret_content);
}

/* The directory that holds path, opened. */
static int open_parent(int dir_fd, const char *path)
{
    char parent[REPLACE_PATH_MAX];
    size_t slash = str_rfind_char(str_from_cstr(path), '/');

    if (slash == SIZE_MAX)
        return file_open(dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (slash >= sizeof(parent))
        return -ENAMETOOLONG;

    /* "/name" has the root as parent. */
    memcpy(parent, path, slash + 1);
    parent[slash == 0 ? 1 : slash] = '\0';
    return file_open(dir_fd, parent, O_RDONLY | O_DIRECTORY, 0);
}

/* What cannot be removed stays as a .tmp file; the first error is the one to report. */
static void drop_temp(int dir_fd, const char *temp)
{
    int error UNUSED = file_unlink(dir_fd, temp);
}

static int write_new(int dir_fd, const char *path, unsigned mode, struct str content)
{
    CLEANUP(fd_close) int fd = file_open(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    int error;

    if (fd < 0)
        return fd;

    error = file_write_all(fd, content.p, content.len);
    /* After open: the umask has no say in what the caller asked for. */
    if (error == 0)
        error = result_of(fchmod(fd, (mode_t)mode));
    if (error == 0)
        error = file_sync(fd);
    if (error != 0)
        drop_temp(dir_fd, path);
    return error;
}

int file_place(int dir_fd, const char *path, unsigned mode, struct str content)
{
    char temp[REPLACE_PATH_MAX];
    char suffix[2 * TEMP_RANDOM_BYTES];
    uint8_t random[TEMP_RANDOM_BYTES];
    int len;
    int error;

    random_bytes(random, sizeof(random));
    hex_encode(random, sizeof(random), suffix);
    len = snprintf(temp, sizeof(temp), "%s.%.*s.tmp", path, (int)sizeof(suffix), suffix);
    if (len < 0 || (size_t)len >= sizeof(temp))
        return -ENAMETOOLONG;

    error = write_new(dir_fd, temp, mode, content);
    if (error != 0)
        return error;

    error = file_rename(dir_fd, temp, dir_fd, path);
    if (error != 0)
        drop_temp(dir_fd, temp);
    return error;
}

int file_replace(int dir_fd, const char *path, unsigned mode, struct str content)
{
    CLEANUP(fd_close) int parent_fd = open_parent(dir_fd, path);
    int error;

    if (parent_fd < 0)
        return parent_fd;

    error = file_place(dir_fd, path, mode, content);
    return error != 0 ? error : file_sync_dir(parent_fd);
}
