/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder; rules in record.h. The functions that disk.h calls hold its lock.
 */
#include "tests/fault/disk.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/scope.h"
#include "tests/fault/power/record.h"

#define PATH_BYTES_MAX 4096
#define FREE_DEFAULT (UINT64_C(8) << 30)

static struct {
    struct trace *trace; /* NULL: not recording */
    dev_t device;
    struct buf inodes; /* uint64_t of each node; 0: gone */
    struct buf names;  /* struct name: those of now */
    _Atomic uint64_t syncs[TARGETS];
    _Atomic uint64_t log_starts;
    _Atomic uint64_t free_bytes;
} recorder = { .free_bytes = FREE_DEFAULT };

/* ---- nodes and names ------------------------------------------------------------------------- */

static uint64_t *inode_of(uint32_t node)
{
    return (uint64_t *)(void *)recorder.inodes.p + node;
}

static uint32_t find_inode(uint64_t inode)
{
    for (uint32_t node = trace_nodes(recorder.trace); node-- > 0;) {
        if (*inode_of(node) == inode)
            return node;
    }
    return NODE_NONE;
}

static uint32_t find(const struct stat *about)
{
    return about->st_dev == recorder.device ? find_inode(about->st_ino) : NODE_NONE;
}

static uint32_t find_fd(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 ? find(&about) : NODE_NONE;
}

static uint32_t add_node(uint64_t inode, bool dir, uint64_t data, uint64_t len)
{
    uint32_t before = find_inode(inode);
    struct node node = { .data = data, .len = len, .dir = dir };

    /* The number of a file that is gone is given to another. */
    if (before != NODE_NONE)
        *inode_of(before) = 0;
    buf_append(&recorder.trace->nodes, &node, sizeof(node));
    buf_append(&recorder.inodes, &inode, sizeof(inode));
    return trace_nodes(recorder.trace) - 1;
}

static struct name *find_name(uint32_t dir, const char *text)
{
    struct name *names = (struct name *)(void *)recorder.names.p;

    for (size_t i = 0; i < recorder.names.len / sizeof(*names); i++) {
        if (names[i].dir == dir && strcmp(names[i].text, text) == 0)
            return &names[i];
    }
    return NULL;
}

static const struct name *name_of(uint32_t node)
{
    const struct name *names = (const struct name *)(void *)recorder.names.p;

    for (size_t i = 0; i < recorder.names.len / sizeof(*names); i++) {
        if (names[i].node == node)
            return &names[i];
    }
    return NULL;
}

static void put_text(char out[TRACE_NAME_BYTES], const char *text)
{
    if (strlen(text) >= TRACE_NAME_BYTES)
        give_up("a name is too long", text);
    (void)snprintf(out, TRACE_NAME_BYTES, "%s", text);
}

static void set_name(uint32_t dir, const char *text, uint32_t node)
{
    struct name *known = find_name(dir, text);
    struct name name = { .dir = dir, .node = node };

    if (known != NULL) {
        known->node = node;
        return;
    }
    put_text(name.text, text);
    buf_append(&recorder.names, &name, sizeof(name));
}

/* Leaves a name that nothing can have. */
static void drop_name(struct name *name)
{
    name->dir = name->node = NODE_NONE;
}

/* ---- what a sync is of ----------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static enum target target_in(const char *dir, const char *text)
{
    if (strcmp(dir, "packs") == 0)
        return TARGET_PACK;
    if (strcmp(dir, "tmp") == 0)
        return TARGET_BODY;
    if (strcmp(dir, "blobs") == 0)
        return TARGET_BLOBS_TOP;
    return strlen(dir) == 2 && strlen(text) == 2 ? TARGET_LEAF : TARGET_OTHER;
}

static enum target target_of(uint32_t node)
{
    const struct name *name = name_of(node);
    const struct name *above = name != NULL ? name_of(name->dir) : NULL;

    if (node == 0)
        return TARGET_ABOVE;
    if (name == NULL)
        return TARGET_OTHER;
    if (name->dir == 0)
        return TARGET_STORE;
    if (above != NULL && above->dir != 0)
        return target_in(above->text, name->text);
    if (strcmp(name->text, "catalog.db-wal") == 0)
        return TARGET_LOG;
    if (strcmp(name->text, "catalog.db") == 0)
        return TARGET_CATALOG;
    if (strcmp(name->text, "packs") == 0)
        return TARGET_PACKS;
    if (strcmp(name->text, "blobs") == 0)
        return TARGET_BLOBS;
    return ends_with(name->text, ".tmp") ? TARGET_SMALL : TARGET_OTHER;
}

/* ---- what is told ---------------------------------------------------------------------------- */

static struct event new_event(enum act act, uint32_t node)
{
    return (struct event){ .act = act, .node = node, .dir = NODE_NONE, .from_dir = NODE_NONE };
}

static void add_event(const struct event *event)
{
    buf_append(&recorder.trace->events, event, sizeof(*event));
}

/* The directory of a path, and its last part. NODE_NONE: elsewhere. */
static uint32_t split(int dir, const char *path, const char **ret_text)
{
    const char *slash = strrchr(path, '/');
    char above[PATH_BYTES_MAX];
    struct stat about;

    *ret_text = slash != NULL ? slash + 1 : path;
    (void)snprintf(above, sizeof(above), "%.*s", slash != NULL ? (int)(slash - path) : 1,
                   slash != NULL ? path : ".");
    return fstatat(dir, above[0] != '\0' ? above : "/", &about, 0) == 0 ? find(&about) : NODE_NONE;
}

static void make_name(uint32_t dir, const char *text, uint32_t node)
{
    struct event event = new_event(ACT_NAME, node);

    event.dir = dir;
    put_text(event.name, text);
    add_event(&event);
    set_name(dir, text, node);
}

static void told_open(const struct disk_event *told)
{
    const char *text;
    uint32_t dir = split(told->dir, told->path, &text);
    struct event event;
    struct stat about;

    if (dir == NODE_NONE)
        return;
    if (find_name(dir, text) == NULL) {
        if (fstat(told->fd, &about) != 0)
            give_up("look at a new file", text);
        make_name(dir, text, add_node(about.st_ino, false, 0, 0));
    } else if ((told->flags & O_TRUNC) != 0) {
        event = new_event(ACT_SIZE, find_fd(told->fd));
        add_event(&event);
    }
}

static void told_mkdir(const struct disk_event *told)
{
    const char *text;
    uint32_t dir = split(told->dir, told->path, &text);
    struct stat about;

    if (dir == NODE_NONE)
        return;
    if (fstatat(told->dir, told->path, &about, 0) != 0)
        give_up("look at a new directory", text);
    make_name(dir, text, add_node(about.st_ino, true, 0, 0));
}

static void told_move(const struct disk_event *told)
{
    const char *text = "";
    const char *from_text = "";
    uint32_t dir = told->act != DISK_UNLINK ? split(told->dir, told->path, &text) : NODE_NONE;
    uint32_t from_dir = told->act != DISK_UNLINK ? split(told->from_dir, told->from, &from_text)
                                                 : split(told->dir, told->path, &from_text);
    struct name *known = from_dir != NODE_NONE ? find_name(from_dir, from_text) : NULL;
    struct event event;

    if (known == NULL)
        return;
    event = new_event(ACT_NAME, known->node);
    event.dir = dir;
    put_text(event.name, text);
    if (told->act != DISK_LINK) {
        event.from_dir = from_dir;
        put_text(event.from, from_text);
        drop_name(known);
    }
    add_event(&event);
    if (dir != NODE_NONE)
        set_name(dir, text, event.node);
}

static void told_file(const struct disk_event *told)
{
    static const enum act acts[] = { [DISK_WRITE] = ACT_WRITE,
                                     [DISK_SIZE] = ACT_SIZE,
                                     [DISK_ROOM] = ACT_SIZE,
                                     [DISK_PUNCH] = ACT_PUNCH,
                                     [DISK_SYNC] = ACT_SYNC };
    uint32_t node = find_fd(told->fd);
    struct event event = new_event(acts[told->act], node);
    struct stat about;

    if (node == NODE_NONE || fstat(told->fd, &about) != 0)
        return;
    event.at = event.act == ACT_SIZE ? (uint64_t)about.st_size : told->at;
    event.len = event.act == ACT_SIZE ? 0 : told->len;
    if (event.act == ACT_WRITE) {
        event.data = recorder.trace->data.len;
        buf_append(&recorder.trace->data, told->bytes, told->len);
        if (told->at == 0 && target_of(node) == TARGET_LOG)
            atomic_fetch_add(&recorder.log_starts, 1);
    } else if (event.act == ACT_SYNC) {
        event.target = target_of(node);
        atomic_fetch_add(&recorder.syncs[event.target], 1);
    }
    add_event(&event);
}

static void listen_to(const struct disk_event *told)
{
    if (recorder.trace == NULL)
        return;
    switch (told->act) {
    case DISK_OPEN:
        told_open(told);
        return;
    case DISK_MKDIR:
        told_mkdir(told);
        return;
    case DISK_LINK:
    case DISK_RENAME:
    case DISK_UNLINK:
        told_move(told);
        return;
    case DISK_WRITE:
    case DISK_SIZE:
    case DISK_ROOM:
    case DISK_PUNCH:
    case DISK_SYNC:
        told_file(told);
        return;
    }
}

void record_install(void)
{
    disk_listener = listen_to;
}

/* ---- what is there at first ------------------------------------------------------------------ */

static void scan(uint32_t dir, const char *path);

static void scan_one(uint32_t dir, const char *above, const char *text)
{
    struct buf *data = &recorder.trace->data;
    uint64_t at = data->len;
    char path[PATH_BYTES_MAX];
    struct stat about;
    uint32_t node;
    int fd;

    (void)snprintf(path, sizeof(path), "%.3900s/%.150s", above, text);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0 ||
        (!S_ISDIR(about.st_mode) && !buf_reserve(data, (size_t)about.st_size)))
        give_up("read at first", path);
    if (!S_ISDIR(about.st_mode)) {
        if (read(fd, data->p + at, (size_t)about.st_size) != about.st_size)
            give_up("read at first", path);
        data->len += (size_t)about.st_size;
    }
    node = add_node(about.st_ino, S_ISDIR(about.st_mode), at, data->len - at);
    set_name(dir, text, node);
    if (S_ISDIR(about.st_mode))
        scan(node, path);
    (void)close(fd);
}

static void scan(uint32_t dir, const char *path)
{
    DIR *open_dir = opendir(path);
    const struct dirent *entry;

    if (open_dir == NULL)
        give_up("read the folder", path);
    while ((entry = readdir(open_dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            scan_one(dir, path, entry->d_name);
    }
    (void)closedir(open_dir);
}

void record_start(struct trace *trace, const char *scene, const char *folder)
{
    struct stat about;

    (void)pthread_mutex_lock(&disk_order);
    trace_init(trace);
    buf_append(&trace->scene, scene, strlen(scene) + 1);
    recorder.trace = trace;
    recorder.inodes = BUF_WITH_MAX(1u << 24);
    recorder.names = BUF_WITH_MAX(1u << 24);
    for (size_t i = 0; i < TARGETS; i++)
        atomic_store(&recorder.syncs[i], 0);
    atomic_store(&recorder.log_starts, 0);
    if (stat(folder, &about) != 0)
        give_up("look at the folder", folder);
    recorder.device = about.st_dev;
    (void)add_node(about.st_ino, true, 0, 0);
    scan(0, folder);
    buf_str(&trace->names, buf_view(&recorder.names));
    (void)pthread_mutex_unlock(&disk_order);
}

void record_stop(void)
{
    (void)pthread_mutex_lock(&disk_order);
    if (recorder.trace->events.failed || recorder.trace->data.failed)
        give_up("record", "memory");
    recorder.trace = NULL;
    buf_free(&recorder.inodes);
    buf_free(&recorder.names);
    (void)pthread_mutex_unlock(&disk_order);
}

void record_mark(enum act act, uint32_t op)
{
    struct event event = new_event(act, NODE_NONE);

    event.op = op;
    (void)pthread_mutex_lock(&disk_order);
    if (recorder.trace != NULL)
        add_event(&event);
    (void)pthread_mutex_unlock(&disk_order);
}

uint64_t record_syncs(enum target target)
{
    return atomic_load(&recorder.syncs[target]);
}

uint64_t record_log_starts(void)
{
    return atomic_load(&recorder.log_starts);
}

/* ---- free space ------------------------------------------------------------------------------ */

void record_set_free(uint64_t bytes)
{
    atomic_store(&recorder.free_bytes, bytes);
}

static int say_free(struct statvfs *out)
{
    memset(out, 0, sizeof(*out));
    out->f_bsize = out->f_frsize = 4096;
    out->f_bavail = out->f_bfree = atomic_load(&recorder.free_bytes) / 4096;
    return 0;
}

SEEN int statvfs(const char *path, struct statvfs *out)
{
    (void)path;
    return say_free(out);
}

SEEN int fstatvfs(int fd, struct statvfs *out)
{
    (void)fd;
    return say_free(out);
}

SEEN int statvfs64(const char *path, struct statvfs64 *out)
{
    (void)path;
    return say_free((struct statvfs *)(void *)out);
}

SEEN int fstatvfs64(int fd, struct statvfs64 *out)
{
    (void)fd;
    return say_free((struct statvfs *)(void *)out);
}
