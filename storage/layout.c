/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a store; rules in layout.h.
 */
#include "storage/layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text/codec.h"
#include "storage/io_status.h"

#define FORMAT_BYTES_MAX 256

static const char format_line[] = "pail store, format 1";

static enum store_status open_subdir(struct store_dir *dir, const char *name, int *ret_fd,
                                     struct fault *fault)
{
    int made = file_mkdir(dir->fd, name, 0700);
    int fd;

    if (made < 0)
        return store_fault_io(fault, made, "make directory '%s'", name);
    fd = file_open_own(dir->fd, name, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return store_fault_io(fault, fd, "open directory '%s'", name);

    *ret_fd = fd;
    return STORE_OK;
}

/* ---- is it ours -------------------------------------------------------------------------- */

static bool is_known_name(const char *name)
{
    static const char *const known[] = { ".",
                                         "..",
                                         "lost+found",
                                         "format",
                                         "lock",
                                         "keyring",
                                         "keys",
                                         "reserve",
                                         "catalog.db",
                                         "blobs",
                                         "packs",
                                         "tmp",
                                         "quarantine",
                                         "catalog.db-wal",
                                         "credentials",
                                         "catalog.db-shm",
                                         "catalog.db-journal" };

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strcmp(name, known[i]) == 0)
            return true;
    }
    /* A temporary name of file_place, or hidden files of whoever made the directory. */
    return name[0] == '.' || strncmp(name, "format.", 7) == 0 ||
           strncmp(name, "keyring.", 8) == 0 || strncmp(name, "keys.", 5) == 0 ||
           strncmp(name, "catalog.db.", 11) == 0;
}

/*
 * Names that are ours alone. What another could have put there instead, a link to somewhere else or
 * a pipe that blocks whoever opens it, is refused before anything is opened, emptied or extended.
 */
static enum store_status check_own_names(struct store_dir *dir, struct fault *fault)
{
    static const struct {
        const char *name;
        mode_t kind;
    } own[] = {
        { "format", S_IFREG },     { "lock", S_IFREG },           { "keyring", S_IFREG },
        { "keys", S_IFREG },       { "reserve", S_IFREG },        { "credentials", S_IFREG },
        { "catalog.db", S_IFREG }, { "catalog.db-wal", S_IFREG }, { "catalog.db-shm", S_IFREG },
        { "blobs", S_IFDIR },      { "packs", S_IFDIR },          { "tmp", S_IFDIR },
        { "quarantine", S_IFDIR },
    };

    for (size_t i = 0; i < COUNT_OF(own); i++) {
        struct stat st;

        if (fstatat(dir->fd, own[i].name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            (st.st_mode & S_IFMT) == own[i].kind)
            continue;
        return store_fault(fault, STORE_FORMAT, "'%s' in the store is %s, not a %s", own[i].name,
                           S_ISLNK(st.st_mode) ? "a symbolic link" : "something else",
                           own[i].kind == S_IFDIR ? "directory" : "file");
    }
    return STORE_OK;
}

static void warn_if_open_to_all(struct store_dir *dir)
{
    struct stat st;

    if (fstat(dir->fd, &st) == 0 && (st.st_mode & S_IWOTH) != 0)
        health_tell(dir->health, STORE_NOTICE_WARNING,
                    "everybody on this machine may write to the directory: chmod 700 it");
}

static enum store_status only_known_names(struct store_dir *dir, struct fault *fault)
{
    int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    enum store_status status = STORE_OK;
    const struct dirent *entry;
    int error = 0;

    if (listing == NULL) {
        fd_close(&fd);
        return store_fault_errno(fault, STORE_IO, "read the directory");
    }
    while (status == STORE_OK && (entry = file_next_name(listing, &error)) != NULL) {
        if (!is_known_name(entry->d_name))
            status = store_fault(fault, STORE_FORMAT,
                                 "'%.100s' is in the way: not an empty directory and not a store",
                                 entry->d_name);
    }
    if (status == STORE_OK && error != 0)
        status = store_fault_io(fault, error, "list the directory");
    (void)closedir(listing);
    return status;
}

static enum store_status check_format(struct store_dir *dir, bool *ret_fresh, struct fault *fault)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(FORMAT_BYTES_MAX);
    int error = file_read_own(dir->fd, "format", &text);
    struct str line;
    struct str rest;

    if (error == -ENOENT) {
        *ret_fresh = true;
        return only_known_names(dir, fault);
    }
    if (error < 0)
        return store_fault_io(fault, error, "read '%s'", "format");

    (void)str_cut(buf_view(&text), '\n', &line, &rest);
    if (!str_eq(line, str_from_cstr(format_line)))
        return store_fault(fault, STORE_FORMAT, "the store has the format '%.*s', not '%s'",
                           (int)size_min(line.len, 80), line.p, format_line);
    /* A new empty catalog would make every blob an orphan. */
    if (faccessat(dir->fd, "catalog.db", F_OK, 0) < 0)
        return store_fault(fault, STORE_FORMAT, "the file 'catalog.db' of the store is missing");

    *ret_fresh = false;
    return STORE_OK;
}

static int unlink_if_there(struct store_dir *dir, const char *name)
{
    int error = file_unlink(dir->fd, name);

    return error == -ENOENT ? 0 : error;
}

enum store_status layout_make_catalog(struct store_dir *dir, const struct clock *clock,
                                      struct fault *fault)
{
    CLEANUP(buf_free) struct buf image = BUF_WITH_MAX(0);
    struct stat st;
    enum store_status status;
    int error;

    /* An empty one is the start of a creation, as earlier programs made it. */
    if (fstatat(dir->fd, "catalog.db", &st, 0) == 0 && st.st_size > 0)
        return STORE_OK;
    status = catalog_image(clock, &image, fault);
    if (status != STORE_OK)
        return status;

    /* A log or a journal without its database would be played into the new one. */
    error = unlink_if_there(dir, "catalog.db-journal");
    if (error == 0)
        error = unlink_if_there(dir, "catalog.db-wal");
    if (error == 0)
        error = file_place(dir->fd, "catalog.db", 0600, buf_view(&image));
    return error < 0 ? store_fault_io(fault, error, "create '%s'", "catalog.db") : STORE_OK;
}

enum store_status layout_seal(struct store_dir *dir, struct fault *fault)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(FORMAT_BYTES_MAX);
    uint8_t id[16];
    char hex[2 * sizeof(id)];
    int error;

    random_key_bytes(id, sizeof(id));
    hex_encode(id, sizeof(id), hex);
    buf_printf(&text, "%s\n%.*s\n", format_line, (int)sizeof(hex), hex);
    if (text.failed)
        return store_fault(fault, STORE_NO_MEMORY, "format");

    /* Names made so far first: whoever sees `format` may rely on them. */
    error = file_sync_dir(dir->fd);
    if (error == 0)
        error = file_replace(dir->fd, "format", 0600, buf_view(&text));
    return error < 0 ? store_fault_io(fault, error, "write '%s'", "format") : STORE_OK;
}

/* ---- open and close ---------------------------------------------------------------------- */

void layout_init(struct store_dir *dir, enum store_durability durability, struct health *health)
{
    *dir = (struct store_dir){
        .fd = -1,
        .lock_fd = -1,
        .tmp_fd = -1,
        .quarantine_fd = -1,
        .sync = durability == STORE_STRICT,
        .health = health,
        .blobs.root_fd = -1,
    };
    packs_init(&dir->packs, health);
}

static enum store_status take_lock(struct store_dir *dir, struct fault *fault)
{
    int fd = file_open_own(dir->fd, "lock", O_RDWR | O_CREAT, 0600);

    if (fd < 0)
        return store_fault_io(fault, fd, "open '%s'", "lock");
    dir->lock_fd = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return STORE_OK;
    if (errno == EWOULDBLOCK)
        return store_fault(fault, STORE_LOCKED, "another process has the store open");
    return store_fault_errno(fault, STORE_IO, "lock the store");
}

static enum store_status open_root(struct store_dir *dir, const char *path, bool create,
                                   struct fault *fault)
{
    char resolved[PATH_MAX];
    int made = create ? file_mkdir(AT_FDCWD, path, 0700) : 0;
    int fd;

    if (made < 0)
        return store_fault_io(fault, made, "make directory '%s'", path);
    fd = file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return store_fault_io(fault, fd, "open directory '%s'", path);
    dir->fd = fd;

    if (realpath(path, resolved) == NULL)
        return store_fault_errno(fault, STORE_IO, "resolve '%s'", path);
    dir->path = mem_cstr(str_from_cstr(resolved));
    if (dir->path == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "path");
    if (made != 1)
        return STORE_OK;

    CLEANUP(fd_close) int parent = file_open(fd, "..", O_RDONLY | O_DIRECTORY, 0);
    int error = parent < 0 ? parent : file_sync_dir(parent);

    return error < 0 ? store_fault_io(fault, error, "sync the directory above '%s'", path)
                     : STORE_OK;
}

enum store_status layout_open(struct store_dir *dir, const char *path, bool create, bool *ret_fresh,
                              struct fault *fault)
{
    enum store_status status = open_root(dir, path, create, fault);

    if (status == STORE_OK)
        status = check_own_names(dir, fault);
    if (status == STORE_OK)
        status = take_lock(dir, fault);
    if (status == STORE_OK)
        status = check_format(dir, ret_fresh, fault);
    if (status == STORE_OK && *ret_fresh && !create)
        status = store_fault(fault, STORE_FORMAT, "'%s' is not a store", path);
    if (status == STORE_OK)
        status = open_subdir(dir, "tmp", &dir->tmp_fd, fault);
    if (status == STORE_OK)
        status = open_subdir(dir, "quarantine", &dir->quarantine_fd, fault);
    if (status == STORE_OK)
        status = blob_dir_open(&dir->blobs, dir->fd, fault);
    if (status == STORE_OK)
        warn_if_open_to_all(dir);
    dir->blobs.tmp_fd = dir->tmp_fd;
    dir->blobs.quarantine_fd = dir->quarantine_fd;
    dir->blobs.sync = dir->sync;
    dir->blobs.health = dir->health;
    return status;
}

static const char mark_in_use[] = "log in use\n";

bool layout_log_in_use(const struct store_dir *dir)
{
    char found[sizeof(mark_in_use) - 1];

    return file_read_at(dir->lock_fd, 0, found, sizeof(found)) == 0 &&
           memcmp(found, mark_in_use, sizeof(found)) == 0;
}

void layout_mark_log(struct store_dir *dir, bool in_use)
{
    static const char blank[sizeof(mark_in_use) - 1] = "          \n";
    int error = file_write_at(dir->lock_fd, 0, in_use ? mark_in_use : blank, sizeof(blank));

    if (error == 0 && !in_use && dir->sync)
        error = file_sync(dir->lock_fd);
    (void)error;
}

void layout_clear_tmp(struct store_dir *dir)
{
    int fd = openat(dir->tmp_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (listing == NULL) {
        fd_close(&fd);
        return;
    }
    while ((entry = readdir(listing)) != NULL) { /* what stays is for the next start */
        if (entry->d_name[0] != '.')
            file_discard(dir->tmp_fd, entry->d_name);
    }
    (void)closedir(listing);
}

void layout_close(struct store_dir *dir)
{
    packs_close(&dir->packs);
    blob_dir_close(&dir->blobs);
    keyring_close(&dir->keyring);
    fd_close(&dir->tmp_fd);
    fd_close(&dir->quarantine_fd);
    fd_close(&dir->lock_fd); /* gives up the lock */
    fd_close(&dir->fd);
    mem_free(dir->path);
    dir->path = NULL;
}
