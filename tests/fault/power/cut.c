/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States of a disk; what is possible stands in cut.h, which of it is chosen in choice.h.
 *
 * For each file there are the bytes that are safe and the numbers of the events since; for names the
 * same. To make a state the events are run again over a copy, as the page cache had it, and of each the
 * sectors that are chosen are carried over to the disk.
 */
#include "tests/fault/power/cut.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest/hash.h"

#define SECTOR 512u
#define BLOCK 4096u
#define FILE_BYTES_MAX (UINT64_C(256) << 20)
#define LIST_BYTES_MAX (UINT64_C(64) << 20)
#define PATH_BYTES_MAX 4096

struct file {
    bool dir;
    struct buf safe;
    struct buf pending; /* uint32_t: events */
    struct buf disk;    /* in the state made last, when there are pending ones */
    uint64_t sum;       /* of safe, when summed */
    bool summed;
};

/* A change of names: its parts become safe with the directory each is in. */
struct renaming {
    uint32_t event;
    bool makes, removes; /* what is not safe yet */
};

struct cut {
    const struct trace *trace;
    enum target planted;
    size_t position;
    struct buf files;     /* struct file, as many as nodes */
    struct buf names;     /* struct name: those that are safe */
    struct buf renamings; /* struct renaming */
    struct buf unsafe;    /* uint32_t, for cut_unsafe */
    struct buf cache;     /* a file as the page cache had it */
    struct buf found;     /* struct name: of the state made last */
};

static struct file *file_of(const struct cut *cut, uint32_t node)
{
    return (struct file *)(void *)cut->files.p + node;
}

static const uint32_t *pending_of(const struct file *file, size_t *ret_count)
{
    *ret_count = file->pending.len / sizeof(uint32_t);
    return (const uint32_t *)(void *)file->pending.p;
}

static struct renaming *renamings_of(const struct cut *cut, size_t *ret_count)
{
    *ret_count = cut->renamings.len / sizeof(struct renaming);
    return (struct renaming *)(void *)cut->renamings.p;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void resize(struct buf *bytes, uint64_t size)
{
    if (size > bytes->len) {
        if (!buf_reserve(bytes, (size_t)(size - bytes->len)))
            give_up("a file", "memory");
        memset(bytes->p + bytes->len, 0, (size_t)(size - bytes->len));
    }
    bytes->len = (size_t)size;
}

static void copy_bytes(struct buf *to, const struct buf *from)
{
    buf_clear(to);
    buf_append(to, from->p, from->len);
    if (to->failed)
        give_up("a file", "memory");
}

static void zero(struct buf *bytes, uint64_t at, uint64_t len)
{
    if (at < bytes->len)
        memset(bytes->p + at, 0, (size_t)u64_min(len, bytes->len - at));
}

/* As the call did it. */
static void apply(const struct cut *cut, struct buf *bytes, const struct event *event)
{
    if (event->act == ACT_SIZE)
        resize(bytes, event->at);
    else if (event->act == ACT_PUNCH)
        zero(bytes, event->at, event->len);
    if (event->act != ACT_WRITE)
        return;
    if (event->at + event->len > bytes->len)
        resize(bytes, event->at + event->len);
    memcpy(bytes->p + event->at, cut->trace->data.p + event->data, (size_t)event->len);
}

/* ---- names ----------------------------------------------------------------------------------- */

static void names_set(struct buf *list, uint32_t dir, const char *text, uint32_t node)
{
    struct name *names = (struct name *)(void *)list->p;
    struct name name = { .dir = dir, .node = node };

    for (size_t i = 0; i < list->len / sizeof(*names); i++) {
        if (names[i].dir == dir && strcmp(names[i].text, text) == 0) {
            names[i].node = node;
            return;
        }
    }
    memcpy(name.text, text, TRACE_NAME_BYTES);
    buf_append(list, &name, sizeof(name));
}

/* Only if it is still that node's. */
static void names_drop(struct buf *list, uint32_t dir, const char *text, uint32_t node)
{
    struct name *names = (struct name *)(void *)list->p;
    size_t count = list->len / sizeof(*names);

    for (size_t i = 0; i < count; i++) {
        if (names[i].dir == dir && names[i].node == node && strcmp(names[i].text, text) == 0) {
            names[i] = names[count - 1];
            list->len -= sizeof(*names);
            return;
        }
    }
}

static void make_part(struct buf *list, const struct event *event)
{
    names_set(list, event->dir, event->name, event->node);
}

static void remove_part(struct buf *list, const struct event *event)
{
    names_drop(list, event->from_dir, event->from, event->node);
}

static void sync_names(struct cut *cut, uint32_t dir)
{
    size_t count;
    struct renaming *renamings = renamings_of(cut, &count);
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct renaming *renaming = &renamings[i];
        const struct event *event = trace_event(cut->trace, renaming->event);
        bool both = event->dir == event->from_dir;
        bool here = renaming->removes && event->from_dir == dir;

        /* Never neither: with the old name goes that the new one is there. */
        if (renaming->makes && (event->dir == dir || here)) {
            make_part(&cut->names, event);
            renaming->makes = false;
        }
        if (here || (both && renaming->removes && event->dir == dir)) {
            remove_part(&cut->names, event);
            renaming->removes = false;
        }
        if (renaming->makes || renaming->removes)
            renamings[kept++] = *renaming;
    }
    cut->renamings.len = kept * sizeof(*renamings);
}

/* ---- going through the trace ----------------------------------------------------------------- */

struct cut *cut_open(const struct trace *trace, enum target planted)
{
    struct cut *cut = mem_zalloc(sizeof(*cut));
    size_t files_bytes = trace_nodes(trace) * sizeof(struct file);

    if (cut == NULL)
        give_up("a disk", "memory");
    *cut = (struct cut){ .trace = trace, .planted = planted };
    cut->files = cut->names = cut->renamings = cut->unsafe = cut->found =
        BUF_WITH_MAX(LIST_BYTES_MAX);
    cut->cache = BUF_WITH_MAX(FILE_BYTES_MAX);
    if (!buf_reserve(&cut->files, files_bytes))
        give_up("a disk", "memory");
    memset(cut->files.p, 0, files_bytes);
    cut->files.len = files_bytes;
    buf_str(&cut->names, buf_view(&trace->names));
    for (uint32_t i = 0; i < trace_nodes(trace); i++) {
        const struct node *node = trace_node(trace, i);
        struct file *file = file_of(cut, i);

        file->dir = node->dir;
        file->safe = file->disk = BUF_WITH_MAX(FILE_BYTES_MAX);
        file->pending = BUF_WITH_MAX(LIST_BYTES_MAX);
        buf_append(&file->safe, trace->data.p + node->data, (size_t)node->len);
    }
    return cut;
}

void cut_close(struct cut *cut)
{
    for (uint32_t i = 0; i < trace_nodes(cut->trace); i++) {
        buf_free(&file_of(cut, i)->safe);
        buf_free(&file_of(cut, i)->disk);
        buf_free(&file_of(cut, i)->pending);
    }
    buf_free(&cut->files);
    buf_free(&cut->names);
    buf_free(&cut->renamings);
    buf_free(&cut->unsafe);
    buf_free(&cut->cache);
    buf_free(&cut->found);
    mem_free(cut);
}

static void sync_file(struct cut *cut, struct file *file)
{
    size_t count;
    const uint32_t *pending = pending_of(file, &count);

    for (size_t i = 0; i < count; i++)
        apply(cut, &file->safe, trace_event(cut->trace, pending[i]));
    buf_clear(&file->pending);
    file->summed = file->summed && count == 0;
}

bool cut_advance(struct cut *cut)
{
    uint32_t number = (uint32_t)cut->position;
    const struct event *event;
    struct renaming renaming = { .event = number };

    if (cut->position == trace_events(cut->trace))
        return false;
    event = trace_event(cut->trace, cut->position++);
    switch (event->act) {
    case ACT_WRITE:
    case ACT_SIZE:
    case ACT_PUNCH:
        buf_append(&file_of(cut, event->node)->pending, &number, sizeof(number));
        break;
    case ACT_SYNC:
        if (event->target == cut->planted)
            break;
        if (file_of(cut, event->node)->dir)
            sync_names(cut, event->node);
        else
            sync_file(cut, file_of(cut, event->node));
        break;
    case ACT_NAME:
        renaming.makes = event->dir != NODE_NONE;
        renaming.removes = event->from_dir != NODE_NONE;
        buf_append(&cut->renamings, &renaming, sizeof(renaming));
        break;
    case ACT_BEGIN:
    case ACT_ACK:
        break;
    }
    return true;
}

size_t cut_position(const struct cut *cut)
{
    return cut->position;
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

size_t cut_unsafe(struct cut *cut, const uint32_t **ret_events)
{
    size_t count;
    const struct renaming *renamings = renamings_of(cut, &count);

    buf_clear(&cut->unsafe);
    for (size_t i = 0; i < count; i++)
        buf_append(&cut->unsafe, &renamings[i].event, sizeof(renamings[i].event));
    for (uint32_t i = 0; i < trace_nodes(cut->trace); i++)
        buf_str(&cut->unsafe, buf_view(&file_of(cut, i)->pending));
    count = cut->unsafe.len / sizeof(uint32_t);
    if (count > 0)
        qsort(cut->unsafe.p, count, sizeof(uint32_t), by_number);
    *ret_events = (const uint32_t *)(void *)cut->unsafe.p;
    return count;
}

bool cut_last_write(struct cut *cut, uint32_t *ret_event)
{
    const uint32_t *events;

    for (size_t i = cut_unsafe(cut, &events); i-- > 0;) {
        if (trace_event(cut->trace, events[i])->act != ACT_WRITE)
            continue;
        *ret_event = events[i];
        return true;
    }
    return false;
}

/* ---- states ---------------------------------------------------------------------------------- */

/* What may lie in a block that a file has got and nothing was written to: anything. */
static void leave_leftovers(struct buf *disk, uint64_t at, uint64_t len, uint64_t safe_size)
{
    for (uint64_t i = 0; i < len && at + i < disk->len; i++) {
        if (at + i >= safe_size && disk->p[at + i] == 0)
            disk->p[at + i] = (char)choice_mix(at + i, 1);
    }
}

static void carry_write(struct file *file, const struct buf *cache, const struct event *event,
                        uint32_t number, const struct chooser *chooser)
{
    uint64_t first = event->at / SECTOR;
    uint64_t count = (event->at + event->len + SECTOR - 1) / SECTOR - first;

    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = (first + i) * SECTOR;
        uint64_t len = u64_min(SECTOR, cache->len - at);

        if (choose_sector(chooser, number, i, count)) {
            if (at + len > file->disk.len)
                resize(&file->disk, at + len);
            memcpy(file->disk.p + at, cache->p + at, (size_t)len);
        } else if (choose_leftovers(chooser)) {
            leave_leftovers(&file->disk, at, len, file->safe.len);
        }
    }
}

static void carry_punch(struct file *file, const struct event *event, uint32_t number,
                        const struct chooser *chooser)
{
    uint64_t count = (event->len + BLOCK - 1) / BLOCK;

    for (uint64_t i = 0; i < count; i++) {
        if (choose_sector(chooser, number, i, count))
            zero(&file->disk, event->at + i * BLOCK, u64_min(BLOCK, event->len - i * BLOCK));
    }
}

/* The bytes of a file in this state. Bytes behind its size are kept until the end: a size may come. */
static void make_file(struct cut *cut, struct file *file, const struct chooser *chooser)
{
    uint64_t size = file->safe.len;
    size_t count;
    const uint32_t *pending = pending_of(file, &count);

    copy_bytes(&cut->cache, &file->safe);
    copy_bytes(&file->disk, &file->safe);
    for (size_t i = 0; i < count; i++) {
        const struct event *event = trace_event(cut->trace, pending[i]);
        uint64_t before = cut->cache.len;
        bool resized = false;

        apply(cut, &cut->cache, event);
        if (cut->cache.len != before)
            resized = choose_size(chooser, pending[i]);
        if (resized) {
            size = cut->cache.len;
            if (size > file->disk.len)
                resize(&file->disk, size);
        }
        if (event->act == ACT_WRITE)
            carry_write(file, &cut->cache, event, pending[i], chooser);
        else if (event->act == ACT_PUNCH)
            carry_punch(file, event, pending[i], chooser);
        else if (resized)
            zero(&file->disk, size, UINT64_MAX - size);
    }
    resize(&file->disk, size);
}

static void make_names(struct cut *cut, const struct chooser *chooser)
{
    size_t count;
    const struct renaming *renamings = renamings_of(cut, &count);

    buf_clear(&cut->found);
    buf_str(&cut->found, buf_view(&cut->names));
    for (size_t i = 0; i < count; i++) {
        const struct event *event = trace_event(cut->trace, renamings[i].event);
        bool both = event->dir == event->from_dir;
        bool made = renamings[i].makes && choose_name(chooser, renamings[i].event, false);

        if (made)
            make_part(&cut->found, event);
        if (!renamings[i].removes)
            continue;
        if (renamings[i].makes ? made && (both || choose_name(chooser, renamings[i].event, true))
                               : choose_name(chooser, renamings[i].event, false))
            remove_part(&cut->found, event);
    }
}

static const struct buf *bytes_of(const struct file *file)
{
    return file->pending.len > 0 ? &file->disk : &file->safe;
}

static uint64_t sum_of(struct file *file)
{
    const struct buf *bytes = bytes_of(file);

    if (file->pending.len > 0)
        return hash_quick(buf_view(bytes), bytes->len);
    if (!file->summed)
        file->sum = hash_quick(buf_view(bytes), bytes->len);
    file->summed = true;
    return file->sum;
}

typedef void visit_entry(void *context, const char *path, struct file *file);

static void walk(const struct cut *cut, uint32_t dir, const char *above, visit_entry *visit,
                 void *context)
{
    const struct name *names = (const struct name *)(void *)cut->found.p;
    char path[PATH_BYTES_MAX];

    for (size_t i = 0; i < cut->found.len / sizeof(*names); i++) {
        struct file *file;

        if (names[i].dir != dir)
            continue;
        file = file_of(cut, names[i].node);
        (void)snprintf(path, sizeof(path), "%.3900s/%s", above, names[i].text);
        visit(context, path, file);
        if (file->dir)
            walk(cut, names[i].node, path, visit, context);
    }
}

struct summing {
    struct cut *cut;
    const struct chooser *chooser;
    uint64_t sum;
};

static void sum_entry(void *context, const char *path, struct file *file)
{
    struct summing *summing = context;
    uint64_t sum = 1;

    if (!file->dir && file->pending.len > 0)
        make_file(summing->cut, file, summing->chooser);
    if (!file->dir)
        sum = sum_of(file);
    /* A sum of sums: no order among the names. */
    summing->sum += hash_quick(str_from_cstr(path), sum);
}

uint64_t cut_state(struct cut *cut, const struct choice *choice)
{
    const uint32_t *events;
    size_t count = cut_unsafe(cut, &events);
    struct chooser chooser = { .choice = *choice };
    struct summing summing = { .cut = cut, .chooser = &chooser };

    if (count > 0) {
        chooser.first = events[0];
        chooser.last = events[count - 1];
    }
    make_names(cut, &chooser);
    walk(cut, 0, "", sum_entry, &summing);
    return choice_mix(summing.sum, 1);
}

/* ---- writing a state ------------------------------------------------------------------------- */

static bool all_zero(const char *bytes, size_t len)
{
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Zeros stay holes. */
static bool write_bytes(int fd, const struct buf *bytes)
{
    size_t from = 0;

    while (from < bytes->len) {
        size_t to = from;

        while (to < bytes->len && !all_zero(bytes->p + to, size_min(BLOCK, bytes->len - to)))
            to = size_min(to + BLOCK, bytes->len);
        if (to > from &&
            pwrite(fd, bytes->p + from, to - from, (off_t)from) != (ssize_t)(to - from))
            return false;
        from = size_min(size_min(to + BLOCK, bytes->len), bytes->len);
    }
    return ftruncate(fd, (off_t)bytes->len) == 0;
}

static void write_entry(void *context, const char *inner, struct file *file)
{
    char path[PATH_BYTES_MAX];
    bool written;
    int fd;

    (void)snprintf(path, sizeof(path), "%s%.3900s", (const char *)context, inner);
    if (file->dir) {
        if (mkdir(path, 0700) != 0)
            give_up("make a state's directory", path);
        return;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    written = fd >= 0 && write_bytes(fd, bytes_of(file));
    if (!written || close(fd) != 0)
        give_up("write a state's file", path);
}

void cut_write(const struct cut *cut, const char *folder)
{
    char base[256];

    (void)snprintf(base, sizeof(base), "%s", folder);
    walk(cut, 0, "", write_entry, base);
}
