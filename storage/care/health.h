/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health: what stopped the store's writes, and which of its background duties fail.
 *
 * (1) Poison is for good: the first cause is kept until the store is opened anew.
 * (2) A duty that fails is tried again by whoever has it; its first failure and its recovery are
 *     told to the store's owner, once each, so that nothing ends in silence and no log fills up.
 * (3) Every round of a duty has a record, told to whoever counts them, failed or not.
 *
 * Any thread; the lock is a leaf.
 */
#ifndef STORAGE_CARE_HEALTH_H
#define STORAGE_CARE_HEALTH_H

#include <pthread.h>
#include <stdatomic.h>

#include "storage/store.h"

struct health {
    store_notice *notice; /* NULL: nobody listens */
    void *notice_context;
    store_work *work; /* the same */
    void *work_context;
    atomic_bool poisoned;
    pthread_mutex_t lock;
    struct fault poison;
    bool failing[WORK_KINDS];
    struct fault faults[WORK_KINDS];
};

/* options: who is told; NULL: nobody. */
void health_init(struct health *health, const struct store_options *options);
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
void health_duty(struct health *health, enum work_kind duty, enum store_status status,
                 const struct fault *why);
/* A round of a duty is over: its record is told, and how it went. */
void health_work(struct health *health, const struct work_record *record);
/* One that says nothing yet of how the duty goes: its record alone. */
void health_note_round(const struct health *health, const struct work_record *record);

/* GOOD, UNTENDED or POISONED, the worst of them; ret_why may be NULL. */
enum store_health health_of(struct health *health, struct fault *ret_why);

#endif
