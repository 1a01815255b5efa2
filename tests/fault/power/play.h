/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenes and their steps, and how they are played.
 *
 * (1) An operation is a step that a client sees. It submits one intent. It begins when that is
 *     submitted and is acknowledged when the store calls done(), both marked in the trace.
 * (2) Operations that are submitted together are prepared one after the other, so the order of what
 *     they do to the disk before is always the same; then all intents are handed over at once.
 */
#ifndef TESTS_FAULT_POWER_PLAY_H
#define TESTS_FAULT_POWER_PLAY_H

#include "storage/store.h"

typedef enum store_status run_step(struct store *store, struct arena *arena);

enum step_flags {
    STEP_WITH_NEXT = 1, /* submitted together with the next: one commit */
    STEP_UNSEEN = 2,    /* no client sees what it does: no operation */
    STEP_REOPEN = 4,    /* the store is closed and opened again */
    STEP_COPIED = 8,    /* wait until the log was copied back */
    STEP_SCRUBBED = 16, /* wait until a scrub has looked at all */
    STEP_WATCHED = 32,  /* an operation of the store's own: over when run returns */
};

struct step {
    const char *name;
    run_step *run;
    unsigned flags;
};

struct scene {
    const char *name;
    run_step *prepare;                     /* on a new store, before; NULL: the scene makes it */
    void (*spoil)(const char *store_path); /* what happens to the closed store then; or NULL */
    const struct step *steps;
    size_t step_count;
    struct store_options options;
    uint64_t free_bytes; /* that the disk says it has; 0: plenty */
    bool rotten;         /* bodies are damaged until the last operation has mended them */
};

/* scenes.c. NULL behind the last; NULL when there is none of that name. */
const struct scene *scene_at(size_t i);
const struct scene *scene_named(const char *name);
/* What the steps hand their intents to. */
void scenes_submit_with(enum store_status (*submit)(struct store *store, struct intent *intent));
/* All that a client sees in an open store, as text, into the arena. */
struct str scene_view(struct store *store, struct arena *arena);
/* Some more of every kind, in a bucket of its own. False: refused. */
bool scene_write_on(struct store *store, struct arena *arena);

struct trace;

#define PLAY_INLINE_BYTES 2048u /* of all stores: small bodies, small states */
/* Where the store lies in a scene's folder. */
#define SCENE_STORE "store"

/*
 * Play the scene twice: once recorded, then one operation after the other in the order in which they
 * were acknowledged, for the views. folder: a place for both, made and removed.
 */
void play_record(const struct scene *scene, const char *folder, struct trace *ret_trace);

/*
 * Record how the store in a folder is opened and, in order, closed. view: what a client sees meanwhile,
 * whatever is lost: nothing is written. False: it does not open.
 */
bool play_record_opening(const struct scene *scene, const char *folder, struct str view,
                         struct trace *ret_trace);
/* Two hours pass, and the janitor has swept and looked for what no row names. False: it does not end. */
bool play_walk(struct store *store);

void folder_remove(const char *path);

#endif
