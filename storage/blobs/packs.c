/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pack files; rules in packs.h.
 */
#include "storage/blobs/packs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text/buf.h"
#include "storage/io_status.h"

#define DIR_NAME "packs"
#define NAME_LEN 8 /* hex digits of a number */
#define NAME_BYTES (NAME_LEN + 1)

struct pack {
    struct pack *next;
    uint32_t number;
    int fd;
    unsigned users;    /* extents that are not released, and one for being active */
    atomic_bool named; /* the directory was synced since the file was made */
};

static uint64_t align_up(uint64_t value)
{
    return (value + EXTENT_ALIGN - 1) / EXTENT_ALIGN * EXTENT_ALIGN;
}

uint64_t extent_end(uint64_t at, uint64_t stored_bytes)
{
    return at + align_up(stored_bytes);
}

static void name_of(uint32_t number, char out[NAME_BYTES])
{
    (void)snprintf(out, NAME_BYTES, "%08x", number);
}

static bool number_of(const char *name, uint32_t *ret_number)
{
    uint64_t number;

    if (strlen(name) != NAME_LEN || !str_to_u64_hex(str_from_cstr(name), &number) || number == 0)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

/* ---- open and close ----------------------------------------------------------------------- */

enum store_status packs_each(const struct packs *packs, pack_visit *visit, void *context,
                             struct fault *fault)
{
    enum store_status status = STORE_OK;
    const struct dirent *entry;
    DIR *dir;
    int error = 0;
    int fd;

    if (packs->dir_fd < 0)
        return STORE_OK;
    fd = file_open(packs->dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return store_fault_io(fault, fd, "read the directory '" DIR_NAME "'");
    dir = fdopendir(fd);
    if (dir == NULL) {
        fd_close(&fd);
        return store_fault(fault, STORE_NO_MEMORY, "read the directory '" DIR_NAME "'");
    }
    while (status == STORE_OK && (entry = file_next_name(dir, &error)) != NULL) {
        uint32_t number;

        if (number_of(entry->d_name, &number) && !visit(context, number))
            status = STORE_STOPPED;
    }
    if (status == STORE_OK && error != 0)
        status = store_fault_io(fault, error, "list the directory '" DIR_NAME "'");
    (void)closedir(dir);
    return status;
}

static bool note_newest(void *context, uint32_t number)
{
    struct packs *packs = context;

    if (number > packs->newest)
        packs->newest = number;
    return true;
}

/* Append behind the end of the newest pack, whatever lies there. */
static enum store_status find_end(struct packs *packs, struct fault *fault)
{
    char name[NAME_BYTES];
    struct stat st;

    packs->found = packs->newest;
    if (packs->newest == 0)
        return STORE_OK;
    name_of(packs->newest, name);
    if (fstatat(packs->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return store_fault_errno(fault, STORE_IO, "look at a pack");
    packs->found_end = align_up((uint64_t)st.st_size);
    if (packs->found_end < packs->bytes_max)
        packs->append_at = packs->found_end;
    return STORE_OK;
}

void packs_init(struct packs *packs, struct health *health)
{
    *packs =
        (struct packs){ .store_fd = -1, .health = health, .dir_fd = -1, .append_at = UINT64_MAX };
    (void)pthread_mutex_init(&packs->lock, NULL);
}

enum store_status packs_open(struct packs *packs, int store_fd, bool sync, uint64_t bytes_max,
                             struct fault *fault)
{
    enum store_status status;
    int fd;

    packs->store_fd = store_fd;
    packs->sync = sync;
    packs->bytes_max = bytes_max;
    fd = file_open_own(store_fd, DIR_NAME, O_RDONLY | O_DIRECTORY, 0);
    if (fd == -ENOENT)
        return STORE_OK;
    if (fd < 0)
        return store_fault_io(fault, fd, "open the directory '" DIR_NAME "'");
    packs->dir_fd = fd;
    status = packs_each(packs, note_newest, packs, fault);
    return status != STORE_OK ? status : find_end(packs, fault);
}

/* Caller holds the lock. */
static void unuse(struct packs *packs, struct pack *pack)
{
    struct pack **link = &packs->live;

    if (--pack->users > 0)
        return;
    while (*link != pack)
        link = &(*link)->next;
    *link = pack->next;
    fd_close(&pack->fd);
    mem_free(pack);
}

/* The active pack is the first; there may be none yet. */
static bool is_active(const struct packs *packs, const struct pack *pack)
{
    return pack != NULL && pack->number == packs->newest && packs->append_at != UINT64_MAX;
}

void packs_close(struct packs *packs)
{
    int dir_fd = atomic_exchange(&packs->dir_fd, -1);

    if (is_active(packs, packs->live))
        unuse(packs, packs->live);
    fd_close(&dir_fd);
    (void)pthread_mutex_destroy(&packs->lock);
}

/* ---- appending ---------------------------------------------------------------------------- */

/* The first body of middle size makes the directory, so that an empty store starts without it. */
static int make_dir(struct packs *packs)
{
    int error;

    if (packs->dir_fd >= 0)
        return 0;
    error = file_mkdir(packs->store_fd, DIR_NAME, 0700);
    if (error < 0)
        return error;
    error = packs->sync ? file_sync_dir(packs->store_fd) : 0;
    if (error < 0) {
        health_poison(packs->health, error, "sync the store's directory");
        return error;
    }
    error = file_open_own(packs->store_fd, DIR_NAME, O_RDONLY | O_DIRECTORY, 0);
    if (error < 0)
        return error;
    packs->dir_fd = error;
    return 0;
}

/* Make the newest pack the active one, or a new one when it is full. Caller holds the lock. */
static enum store_status activate(struct packs *packs, struct fault *fault)
{
    bool fresh = packs->append_at == UINT64_MAX;
    uint32_t number = packs->newest + fresh;
    struct pack *pack;
    char name[NAME_BYTES];
    int error = make_dir(packs);

    if (error < 0)
        return store_fault_io(fault, error, "make the directory '" DIR_NAME "'");
    if (number == 0)
        return store_fault(fault, STORE_IO, "no number is left for a pack");
    pack = mem_zalloc(sizeof(*pack));
    if (pack == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "pack");

    name_of(number, name);
    pack->fd = file_open_own(packs->dir_fd, name, O_RDWR | (fresh ? O_CREAT | O_EXCL : 0), 0600);
    if (pack->fd < 0) {
        error = pack->fd;
        mem_free(pack);
        return store_fault_io(fault, error, "open a pack");
    }
    pack->number = number;
    pack->users = 1;
    pack->next = packs->live;
    packs->live = pack;
    packs->newest = number;
    packs->append_at = fresh ? 0 : packs->append_at;
    return STORE_OK;
}

enum store_status packs_reserve(struct packs *packs, uint64_t len, struct extent *ret_extent,
                                struct fault *fault)
{
    enum store_status status = STORE_OK;

    (void)pthread_mutex_lock(&packs->lock);
    if (packs->append_at != UINT64_MAX && packs->append_at >= packs->bytes_max) {
        bool active = is_active(packs, packs->live);

        packs->append_at = UINT64_MAX;
        if (active)
            unuse(packs, packs->live);
    }
    if (!is_active(packs, packs->live))
        status = activate(packs, fault);
    if (status == STORE_OK) {
        *ret_extent =
            (struct extent){ .pack = packs->live, .at = packs->append_at, .len = align_up(len) };
        packs->append_at += ret_extent->len;
        packs->live->users++;
    }
    (void)pthread_mutex_unlock(&packs->lock);
    return status;
}

int extent_write(const struct extent *extent, uint64_t at, const void *bytes, size_t len)
{
    if (at > extent->len || len > extent->len - at)
        return -EFBIG;
    return file_write_at(extent->pack->fd, extent->at + at, bytes, len);
}

uint32_t extent_pack_number(const struct extent *extent)
{
    return extent->pack->number;
}

int extent_sync(struct packs *packs, const struct extent *extent)
{
    struct pack *pack = extent->pack;
    int error;

    if (!packs->sync)
        return 0;
    error = file_sync(pack->fd);
    if (error == 0 && !atomic_load(&pack->named)) {
        error = file_sync_dir(packs->dir_fd);
        if (error == 0)
            atomic_store(&pack->named, true);
    }
    if (error < 0)
        health_poison(packs->health, error, "sync a pack");
    return error;
}

void extent_release(struct packs *packs, struct extent *extent, bool kept)
{
    int error = 0;

    if (extent->pack == NULL)
        return;
    if (!kept)
        error = file_punch(extent->pack->fd, extent->at, extent->len);
    (void)error; /* a gap; the next run tries again */
    (void)pthread_mutex_lock(&packs->lock);
    unuse(packs, extent->pack);
    (void)pthread_mutex_unlock(&packs->lock);
    extent->pack = NULL;
}

/* ---- reading and removing ----------------------------------------------------------------- */

enum store_status pack_open(const struct packs *packs, uint32_t number, uint64_t end, int *ret_fd,
                            struct fault *fault)
{
    char name[NAME_BYTES];
    CLEANUP(fd_close) int fd = -1;
    struct stat st;

    name_of(number, name);
    fd = packs->dir_fd < 0 ? -ENOENT : file_open_own(packs->dir_fd, name, O_RDONLY, 0);
    if (fd == -ENOENT || file_is_other(fd))
        return store_fault(fault, STORE_DAMAGED, "pack '%s' is %s", name,
                           fd == -ENOENT ? "missing" : "not a file");
    if (fd < 0)
        return store_fault_io(fault, fd, "open a pack");
    if (fstat(fd, &st) < 0)
        return store_fault_errno(fault, STORE_IO, "stat pack '%s'", name);
    if ((uint64_t)st.st_size < end)
        return store_fault(fault, STORE_DAMAGED, "pack '%s' has %lld bytes, not %llu", name,
                           (long long)st.st_size, (unsigned long long)end);

    *ret_fd = fd_take(&fd);
    return STORE_OK;
}

void pack_punch(const struct packs *packs, uint32_t number, uint64_t at, uint64_t len)
{
    char name[NAME_BYTES];
    CLEANUP(fd_close) int fd = -1;
    int error;

    name_of(number, name);
    fd = packs->dir_fd < 0 ? -1 : file_open_own(packs->dir_fd, name, O_WRONLY, 0);
    if (fd < 0)
        return;
    error = file_punch(fd, at, align_up(len));
    (void)error; /* as in extent_release */
}

/* Caller holds the lock. */
static bool is_live(const struct packs *packs, uint32_t number)
{
    if (number == packs->newest)
        return true;
    for (const struct pack *pack = packs->live; pack != NULL; pack = pack->next) {
        if (pack->number == number)
            return true;
    }
    return false;
}

bool pack_remove(struct packs *packs, uint32_t number)
{
    char name[NAME_BYTES];
    bool live;

    (void)pthread_mutex_lock(&packs->lock);
    live = is_live(packs, number);
    (void)pthread_mutex_unlock(&packs->lock);
    if (live || packs->dir_fd < 0)
        return false;

    name_of(number, name);
    return file_unlink(packs->dir_fd, name) == 0;
}

uint64_t pack_settled_end(const struct packs *packs, uint32_t number)
{
    char name[NAME_BYTES];
    struct stat st;

    if (number == packs->found)
        return packs->found_end;
    name_of(number, name);
    if (number > packs->found || fstatat(packs->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return align_up((uint64_t)st.st_size);
}
