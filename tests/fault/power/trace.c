/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces in memory and in files; rules in trace.h.
 */
#include "tests/fault/power/trace.h"

#include <stdio.h>
#include <stdlib.h>

#define PARTS 8
#define TRACE_BYTES_MAX (UINT64_C(1) << 30)

void give_up(const char *what, const char *why)
{
    printf("power: %s: %s\n", what, why);
    (void)fflush(stdout);
    _Exit(2);
}

static void parts_of(struct trace *trace, struct buf *parts[PARTS])
{
    parts[0] = &trace->scene;
    parts[1] = &trace->events;
    parts[2] = &trace->nodes;
    parts[3] = &trace->names;
    parts[4] = &trace->views;
    parts[5] = &trace->data;
    parts[6] = &trace->texts;
    parts[7] = &trace->ops;
}

void trace_init(struct trace *trace)
{
    struct buf *parts[PARTS];

    parts_of(trace, parts);
    for (size_t i = 0; i < PARTS; i++)
        *parts[i] = BUF_WITH_MAX(TRACE_BYTES_MAX);
}

void trace_free(struct trace *trace)
{
    struct buf *parts[PARTS];

    parts_of(trace, parts);
    for (size_t i = 0; i < PARTS; i++)
        buf_free(parts[i]);
}

size_t trace_events(const struct trace *trace)
{
    return trace->events.len / sizeof(struct event);
}

struct event *trace_event(const struct trace *trace, size_t i)
{
    return (struct event *)(void *)trace->events.p + i;
}

uint32_t trace_nodes(const struct trace *trace)
{
    return (uint32_t)(trace->nodes.len / sizeof(struct node));
}

struct node *trace_node(const struct trace *trace, uint32_t node)
{
    return (struct node *)(void *)trace->nodes.p + node;
}

size_t trace_views(const struct trace *trace)
{
    return trace->views.len / sizeof(struct view);
}

struct str trace_view(const struct trace *trace, size_t k)
{
    const struct view *view = (const struct view *)(void *)trace->views.p + k;

    return str_make(trace->texts.p + view->at, view->len);
}

void trace_add_view(struct trace *trace, struct str text)
{
    struct view view = { .at = trace->texts.len, .len = text.len };

    buf_append(&trace->views, &view, sizeof(view));
    buf_str(&trace->texts, text);
}

const char *trace_op(const struct trace *trace, uint32_t op)
{
    return trace->ops.p + (size_t)op * TRACE_OP_BYTES;
}

static bool begun(const struct trace *trace, size_t count, uint32_t op)
{
    for (size_t i = 0; i < count; i++) {
        const struct event *event = trace_event(trace, i);

        if (event->act == ACT_BEGIN && event->op == op)
            return true;
    }
    return false;
}

void trace_expected(const struct trace *trace, size_t count, size_t *ret_first, size_t *ret_last)
{
    size_t acknowledged = 0;
    size_t all = 0;
    bool more = true;

    for (size_t i = 0; i < trace_events(trace) && more; i++) {
        const struct event *event = trace_event(trace, i);

        if (event->act != ACT_ACK)
            continue;
        acknowledged += i < count;
        more = i < count || begun(trace, count, event->op);
        all += more;
    }
    *ret_first = acknowledged;
    *ret_last = all;
}

void trace_print(const struct trace *trace)
{
    static const char *const acts[] = {
        [ACT_WRITE] = "write", [ACT_SIZE] = "size",   [ACT_PUNCH] = "punch", [ACT_SYNC] = "sync",
        [ACT_NAME] = "name",   [ACT_BEGIN] = "BEGIN", [ACT_ACK] = "ACK"
    };

    for (size_t i = 0; i < trace_events(trace); i++) {
        const struct event *event = trace_event(trace, i);

        printf("%4zu %-5s ", i, acts[event->act]);
        if (event->act == ACT_BEGIN || event->act == ACT_ACK)
            printf("%s\n", trace_op(trace, event->op));
        else if (event->act == ACT_NAME)
            printf("node %u, made '%s', removed '%s'\n", event->node, event->name, event->from);
        else if (event->act == ACT_SYNC)
            printf("node %u, target %d\n", event->node, (int)event->target);
        else
            printf("node %u, %llu bytes at %llu\n", event->node, (unsigned long long)event->len,
                   (unsigned long long)event->at);
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

static const char magic[16] = "pail power 1";

void trace_save(const struct trace *trace, const char *path)
{
    FILE *file = fopen(path, "we");
    struct trace whole = *trace;
    struct buf *parts[PARTS];

    if (file == NULL || fwrite(magic, sizeof(magic), 1, file) != 1)
        give_up("write a trace", path);
    parts_of(&whole, parts);
    for (size_t i = 0; i < PARTS; i++) {
        uint64_t len = parts[i]->len;

        if (fwrite(&len, sizeof(len), 1, file) != 1 ||
            fwrite(len > 0 ? parts[i]->p : "", 1, len, file) != len)
            give_up("write a trace", path);
    }
    if (fclose(file) != 0)
        give_up("write a trace", path);
}

void trace_load(struct trace *trace, const char *path)
{
    FILE *file = fopen(path, "re");
    char found[sizeof(magic)];
    struct buf *parts[PARTS];

    if (file == NULL || fread(found, sizeof(found), 1, file) != 1 ||
        memcmp(found, magic, sizeof(magic)) != 0)
        give_up("not a trace", path);
    trace_init(trace);
    parts_of(trace, parts);
    for (size_t i = 0; i < PARTS; i++) {
        uint64_t len;

        if (fread(&len, sizeof(len), 1, file) != 1 || len > TRACE_BYTES_MAX ||
            !buf_reserve(parts[i], len) || fread(parts[i]->p, 1, len, file) != len)
            give_up("not a whole trace", path);
        parts[i]->len = len;
    }
    (void)fclose(file);
}
