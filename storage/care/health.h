/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health: what stopped the store's writes, and which of its background duties fail.
 *
 * (1) Poison is for good: the first cause is kept until the store is opened anew.
 * (2) A duty that fails is tried again by whoever has it; its first failure and its recovery are
 *     told to the store's owner, once each, so that nothing ends in silence and no log fills up.
 *
 * Any thread; the lock is a leaf.
 */
#ifndef STORAGE_CARE_HEALTH_H
#define STORAGE_CARE_HEALTH_H

#include <pthread.h>
#include <stdatomic.h>

#include "storage/store.h"

/* Work that no request waits for. */
enum duty {
    DUTY_CATALOG, /* the janitor's connection */
    DUTY_LOG,     /* copying the log back */
    DUTY_SWEEP,   /* dead bodies, expired uploads */
    DUTY_WALK,    /* files and extents that no row names */
    DUTY_SCRUB,   /* reading all that is stored */
    DUTIES,
};

struct health {
    store_notice *notice; /* NULL: nobody listens */
    void *notice_context;
    atomic_bool poisoned;
    pthread_mutex_t lock;
    struct fault poison;
    bool failing[DUTIES];
    struct fault faults[DUTIES];
};

void health_init(struct health *health, store_notice *notice, void *context);
void health_free(struct health *health);

/* To the store's owner. */
void health_tell(const struct health *health, enum store_notice_kind kind, const char *text);
/* The disk's state is unknown: no write is taken from now on. error: a negative errno, or 0. */
void health_poison(struct health *health, int error, const char *what);
static inline bool health_poisoned(const struct health *health)
{
    return atomic_load(&health->poisoned);
}
/* What a write is answered with that comes too late. */
MUST_CHECK enum store_status health_refuse(struct fault *fault);

/* How a duty went. why: NULL or empty, then the status stands for it. */
void health_duty(struct health *health, enum duty duty, enum store_status status,
                 const struct fault *why);

/* GOOD, UNTENDED or POISONED, the worst of them; ret_why may be NULL. */
enum store_health health_of(struct health *health, struct fault *ret_why);

#endif
