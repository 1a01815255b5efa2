/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blob files; rules in blob_file.h.
 */
#include "storage/blobs/blob_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text/codec.h"
#include "storage/io_status.h"

#define DIR_MODE 0700
#define SCOPE_TEXT_LEN 16
#define NAME_TEXT_LEN (2 * SHA256_BYTES + 1 + SCOPE_TEXT_LEN)

uint64_t blob_scope(struct str canonical)
{
    uint8_t hash[SHA256_BYTES];
    uint64_t scope = 0;

    digest_once(DIGEST_SHA256, canonical, hash);
    for (size_t i = 0; i < 8; i++)
        scope = scope << 8 | hash[i];
    return scope;
}

void blob_path(const struct blob_name *name, char out[BLOB_PATH_MAX])
{
    char hex[2 * SHA256_BYTES];

    hex_encode(name->hash, SHA256_BYTES, hex);
    (void)snprintf(out, BLOB_PATH_MAX, "%.2s/%.2s/%.64s.%016llx", hex, hex + 2, hex,
                   (unsigned long long)name->scope);
}

bool blob_name_parse(struct str file_name, struct blob_name *ret_name)
{
    struct blob_name name;

    if (file_name.len != NAME_TEXT_LEN || file_name.p[2 * SHA256_BYTES] != '.' ||
        !hex_decode(str_slice(file_name, 0, 2 * SHA256_BYTES), name.hash, SHA256_BYTES) ||
        !str_to_u64_hex(str_skip(file_name, 2 * SHA256_BYTES + 1), &name.scope))
        return false;

    *ret_name = name;
    return true;
}

enum store_status blob_dir_open(struct blob_dir *dir, int store_fd, struct fault *fault)
{
    int made = file_mkdir(store_fd, "blobs", DIR_MODE);
    int fd;

    if (made < 0)
        return store_fault_io(fault, made, "make directory '%s'", "blobs");
    fd = file_open_own(store_fd, "blobs", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return store_fault_io(fault, fd, "open directory '%s'", "blobs");

    dir->root_fd = fd;
    (void)pthread_mutex_init(&dir->lock, NULL);
    return STORE_OK;
}

void blob_dir_close(struct blob_dir *dir)
{
    if (dir->root_fd < 0)
        return;

    fd_close(&dir->root_fd);
    (void)pthread_mutex_destroy(&dir->lock);
}

/* ---- directories ------------------------------------------------------------------------- */

static enum store_status sync_dir(struct blob_dir *dir, const char *path, struct fault *fault)
{
    CLEANUP(fd_close) int fd = -1;
    int error;

    if (!dir->sync)
        return STORE_OK;

    fd = file_open(dir->root_fd, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return store_fault_io(fault, fd, "open directory '%s'", path);
    error = file_sync_dir(fd);
    if (error < 0) {
        health_poison(dir->health, error, "sync a directory of bodies");
        return store_fault_io(fault, error, "sync directory '%s'", path);
    }
    return STORE_OK;
}

/* Make a directory and sync its parent, once per process: who made it may not have synced it. */
static enum store_status ensure_dir(struct blob_dir *dir, uint8_t *durable, size_t bit,
                                    const char *path, const char *parent, struct fault *fault)
{
    enum store_status status;
    int made;

    if ((durable[bit / 8] & (1u << (bit % 8))) != 0)
        return STORE_OK;

    made = file_mkdir(dir->root_fd, path, DIR_MODE);
    if (made < 0)
        return store_fault_io(fault, made, "make directory '%s'", path);
    status = sync_dir(dir, parent, fault);
    if (status == STORE_OK)
        durable[bit / 8] = (uint8_t)(durable[bit / 8] | 1u << (bit % 8));
    return status;
}

static enum store_status ensure_leaf(struct blob_dir *dir, const struct blob_name *name,
                                     char leaf[6], struct fault *fault)
{
    char top[3];
    enum store_status status;

    (void)snprintf(top, sizeof(top), "%02x", name->hash[0]);
    (void)snprintf(leaf, 6, "%02x/%02x", name->hash[0], name->hash[1]);

    (void)pthread_mutex_lock(&dir->lock);
    status = ensure_dir(dir, dir->top_durable, name->hash[0], top, ".", fault);
    if (status == STORE_OK)
        status = ensure_dir(dir, dir->leaf_durable, (size_t)name->hash[0] << 8 | name->hash[1],
                            leaf, top, fault);
    (void)pthread_mutex_unlock(&dir->lock);
    return status;
}

/* ---- files ------------------------------------------------------------------------------- */

enum store_status blob_quarantine(const struct blob_dir *dir, const struct blob_name *name,
                                  struct fault *fault)
{
    char path[BLOB_PATH_MAX];
    char kept[BLOB_PATH_MAX];
    int error;

    blob_path(name, path);
    (void)snprintf(kept, sizeof(kept), "%02x%02x%02x%02x-%016llx", name->hash[0], name->hash[1],
                   name->hash[2], name->hash[3], (unsigned long long)random_u64());
    error = file_rename(dir->root_fd, path, dir->quarantine_fd, kept);
    return error < 0 ? store_fault_io(fault, error, "quarantine '%s'", path) : STORE_OK;
}

static bool size_is(int dir_fd, const char *path, uint64_t stored_bytes)
{
    struct stat st;

    return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           (uint64_t)st.st_size == stored_bytes;
}

static enum store_status link_once(struct blob_dir *dir, const char *tmp_name, const char *path,
                                   const struct blob_name *name, uint64_t stored_bytes,
                                   enum blob_linked *ret_linked, struct fault *fault)
{
    int error = file_link(dir->tmp_fd, tmp_name, dir->root_fd, path);
    enum store_status status;

    /* Cheaper than to read whether the one that is there is still good; who has it open keeps it. */
    if (error == -EEXIST && size_is(dir->root_fd, path, stored_bytes)) {
        error = file_rename(dir->tmp_fd, tmp_name, dir->root_fd, path);
        *ret_linked = BLOB_SHARED;
        return error < 0 ? store_fault_io(fault, error, "replace blob '%s'", path) : STORE_OK;
    }
    if (error == -EEXIST) {
        status = blob_quarantine(dir, name, fault);
        if (status != STORE_OK)
            return status;
        error = file_link(dir->tmp_fd, tmp_name, dir->root_fd, path);
    }
    if (error < 0)
        return store_fault_io(fault, error, "link blob '%s'", path);

    *ret_linked = BLOB_LINKED;
    return STORE_OK;
}

enum store_status blob_link(struct blob_dir *dir, const char *tmp_name,
                            const struct blob_name *name, uint64_t stored_bytes,
                            enum blob_linked *ret_linked, struct fault *fault)
{
    char path[BLOB_PATH_MAX];
    char leaf[6];
    enum blob_linked linked = BLOB_LINKED;
    enum store_status status = ensure_leaf(dir, name, leaf, fault);

    blob_path(name, path);
    if (status == STORE_OK)
        status = link_once(dir, tmp_name, path, name, stored_bytes, &linked, fault);
    if (status == STORE_OK)
        status = sync_dir(dir, leaf, fault);
    if (status != STORE_OK)
        return status;

    /* A name left in tmp/ is only untidy: the next start removes it. */
    if (linked == BLOB_LINKED)
        file_discard(dir->tmp_fd, tmp_name);
    *ret_linked = linked;
    return STORE_OK;
}

enum store_status blob_open(const struct blob_dir *dir, const struct blob_name *name,
                            uint64_t stored_bytes, int *ret_fd, struct fault *fault)
{
    char path[BLOB_PATH_MAX];
    CLEANUP(fd_close) int fd = -1;
    struct stat st;

    blob_path(name, path);
    fd = file_open_own(dir->root_fd, path, O_RDONLY, 0);
    if (fd == -ENOENT)
        return store_fault(fault, STORE_DAMAGED, "blob '%s' is missing", path);
    if (file_is_other(fd))
        return store_fault(fault, STORE_DAMAGED, "blob '%s' is not a file", path);
    if (fd < 0)
        return store_fault_io(fault, fd, "open blob '%s'", path);
    if (fstat(fd, &st) < 0)
        return store_fault_errno(fault, STORE_IO, "stat blob '%s'", path);
    if ((uint64_t)st.st_size != stored_bytes)
        return store_fault(fault, STORE_DAMAGED, "blob '%s' has %lld bytes, not %llu", path,
                           (long long)st.st_size, (unsigned long long)stored_bytes);

    *ret_fd = fd_take(&fd);
    return STORE_OK;
}

int blob_unlink(const struct blob_dir *dir, const struct blob_name *name)
{
    char path[BLOB_PATH_MAX];

    blob_path(name, path);
    return file_unlink(dir->root_fd, path);
}

void file_discard(int dir_fd, const char *path)
{
    int error = file_unlink(dir_fd, path);

    (void)error;
}
