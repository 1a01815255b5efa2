/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scrub: a thread that reads all stored bodies now and then, slowly, and marks the damaged.
 *
 * (1) A pass begins scrub_interval after the last one ended and reads scrub_bytes_per_s. How far it
 *     has come is in the catalog, so a restart goes on. Between passes the thread sleeps.
 * (2) What a read found to be wrong (scrub_suspect) is looked at in between, pass or not.
 * (3) A body is marked damaged by the writer, and only if it is still where it was found to be so:
 *     an upload of the same bytes may have mended it meanwhile. A marked body is not given out. The
 *     mark goes when the bytes are good again: mended by an upload, or found so by a later pass.
 * (4) Each version that needs the body is told, by bucket and key: when the mark is made, and again
 *     by every pass that still finds it damaged, so that nothing is lost with a log.
 */
#ifndef STORAGE_CARE_SCRUB_H
#define STORAGE_CARE_SCRUB_H

#include <pthread.h>

#include "storage/catalog/catalog.h"

/* More than that at once is left to the next pass. */
#define SCRUB_SUSPECTS_MAX 64

struct scrub {
    struct clock *clock; /* the store's */
    struct clock_watcher watcher;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool started;
    bool stop;
    bool clock_moved;
    int64_t suspects[SCRUB_SUSPECTS_MAX]; /* blobs */
    size_t suspect_count;
};

void scrub_init(struct scrub *scrub, struct clock *clock);
void scrub_free(struct scrub *scrub);
void *scrub_run(void *argument);
/* Before the writer stops: what it knows it still writes. */
void scrub_stop(struct scrub *scrub);
/* A read of that blob met other bytes. Any thread. */
void scrub_suspect(struct scrub *scrub, int64_t blob);

/* What the scrub writes, decided by the writer: what no longer holds is taken out of the note. */
MUST_CHECK enum store_status scrub_apply(struct store *store, struct scrub_note *note,
                                         struct fault *fault);

#endif
