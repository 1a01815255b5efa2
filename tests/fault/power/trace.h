/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace: what a disk held at first, each call that changed it since, in order, and when the writes
 * that caused them were submitted and acknowledged.
 *
 * (1) A file or directory is a node, known by a number that is never used again. Node 0 is the folder
 *     in which the store lies. A name is (directory, text) -> node.
 * (2) What is written through memory that is mapped (the index of SQLite's log) is not in it.
 * (3) views[k] is what a client sees once k writes are acknowledged, in the order of the ACTs ACK.
 * (4) It can be kept in a file: whoever replays a state needs exactly these calls again.
 */
#ifndef TESTS_FAULT_POWER_TRACE_H
#define TESTS_FAULT_POWER_TRACE_H

#include "base/text/buf.h"

#define TRACE_NAME_BYTES 104
#define NODE_NONE UINT32_MAX

enum act {
    ACT_WRITE, /* at, len, data */
    ACT_SIZE,  /* at: the new size */
    ACT_PUNCH, /* at, len */
    ACT_SYNC,  /* the node, or the names in it */
    ACT_NAME,  /* a name made, removed or moved */
    ACT_BEGIN, /* op is submitted */
    ACT_ACK,   /* op is acknowledged */
};

/* What a sync was of: planted faults are told by these. */
enum target {
    TARGET_OTHER,
    TARGET_LOG,       /* catalog.db-wal */
    TARGET_CATALOG,   /* catalog.db */
    TARGET_PACK,      /* packs/... */
    TARGET_BODY,      /* tmp/... */
    TARGET_SMALL,     /* a file on its way to be placed: keyring, format, the first catalog.db */
    TARGET_ABOVE,     /* the folder of the store */
    TARGET_STORE,     /* the store's own directory */
    TARGET_PACKS,     /* packs */
    TARGET_BLOBS,     /* blobs */
    TARGET_BLOBS_TOP, /* blobs/ab */
    TARGET_LEAF,      /* blobs/ab/cd */
    TARGETS,
};

struct event {
    enum act act;
    enum target target; /* ACT_SYNC */
    uint32_t node;
    uint32_t dir;      /* ACT_NAME: where the name was made; NODE_NONE: nowhere */
    uint32_t from_dir; /* ACT_NAME: where one was removed; NODE_NONE: nowhere */
    uint32_t op;       /* BEGIN, ACK */
    uint64_t at, len;
    uint64_t data; /* where the bytes are in trace->data */
    char name[TRACE_NAME_BYTES], from[TRACE_NAME_BYTES];
};

struct node {
    uint64_t data, len; /* what it held at first, in trace->data */
    bool dir;
};

struct name {
    uint32_t dir, node;
    char text[TRACE_NAME_BYTES];
};

struct view {
    uint64_t at, len; /* in trace->texts */
};

struct trace {
    struct buf scene;  /* its name */
    struct buf events; /* struct event */
    struct buf nodes;  /* struct node */
    struct buf names;  /* struct name: those at first */
    struct buf views;  /* struct view */
    struct buf data;
    struct buf texts;
    struct buf ops; /* their names, 32 bytes each */
};

#define TRACE_OP_BYTES 32

void trace_init(struct trace *trace);
void trace_free(struct trace *trace);

size_t trace_events(const struct trace *trace);
struct event *trace_event(const struct trace *trace, size_t i);
uint32_t trace_nodes(const struct trace *trace);
struct node *trace_node(const struct trace *trace, uint32_t node);
size_t trace_views(const struct trace *trace);
struct str trace_view(const struct trace *trace, size_t k);
void trace_add_view(struct trace *trace, struct str text);
const char *trace_op(const struct trace *trace, uint32_t op);

/* Which views a cut after the first `count` events may leave: first to last. */
void trace_expected(const struct trace *trace, size_t count, size_t *ret_first, size_t *ret_last);

/* Both end the program when they fail. */
void trace_save(const struct trace *trace, const char *path);
void trace_load(struct trace *trace, const char *path);

/* A line for each event. */
void trace_print(const struct trace *trace);

/* Says what and ends the program: the machinery, not the store, has failed. */
void give_up(const char *what, const char *why);

#endif
