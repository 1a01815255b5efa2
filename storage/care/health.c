/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health of a store; rules in health.h.
 */
#include "storage/care/health.h"

#include <errno.h>
#include <stdio.h>

static const char *const duty_names[WORK_KINDS] = {
    [WORK_CATALOG] = "open the catalog for background work",
    [WORK_CHECKPOINT] = "copy the log back into the database",
    [WORK_SWEEP] = "give back the space of removed bodies",
    [WORK_EXPIRY] = "remove uploads that are over their age",
    [WORK_SCRUB] = "read what is stored for damage",
    [WORK_WALK] = "look for files that nothing names",
    [WORK_LIFECYCLE] = "do what lifecycle rules say",
};

static const char *const work_names[WORK_KINDS] = {
    [WORK_CATALOG] = "catalog",     [WORK_CHECKPOINT] = "checkpoint",
    [WORK_SWEEP] = "sweep",         [WORK_EXPIRY] = "expiry",
    [WORK_WALK] = "walk",           [WORK_SCRUB] = "scrub",
    [WORK_LIFECYCLE] = "lifecycle",
};

const char *store_work_name(enum work_kind kind)
{
    return work_names[kind];
}

void health_init(struct health *health, const struct store_options *options)
{
    *health = (struct health){ 0 };
    if (options != NULL) {
        health->notice = options->notice;
        health->notice_context = options->notice_context;
        health->work = options->work;
        health->work_context = options->work_context;
    }
    (void)pthread_mutex_init(&health->lock, NULL);
}

void health_free(struct health *health)
{
    (void)pthread_mutex_destroy(&health->lock);
}

void health_tell(const struct health *health, enum store_notice_kind kind, const char *text)
{
    if (health->notice != NULL)
        health->notice(health->notice_context, kind, text);
}

void health_poison(struct health *health, int error, const char *what)
{
    struct fault fault = { 0 };
    bool first;

    errno = -error;
    if (error != 0)
        fault_errno_note(&fault, "the store takes no writes until it is started again: %s", what);
    else
        fault_note(&fault, "the store takes no writes until it is started again: %s", what);

    (void)pthread_mutex_lock(&health->lock);
    first = !atomic_load(&health->poisoned);
    if (first)
        health->poison = fault;
    atomic_store(&health->poisoned, true);
    (void)pthread_mutex_unlock(&health->lock);
    if (first)
        health_tell(health, STORE_NOTICE_ERROR, fault.text);
}

enum store_status health_refuse(struct fault *fault)
{
    return store_fault(fault, STORE_IO, "the store takes no writes: a sync has failed");
}

void health_duty(struct health *health, enum work_kind duty, enum store_status status,
                 const struct fault *why)
{
    bool failed = status != STORE_OK && status != STORE_STOPPED;
    struct fault fault = { 0 };
    bool changed;

    if (failed)
        fault_note(&fault, "can not %s, trying again: %s", duty_names[duty],
                   why != NULL && why->text[0] != '\0' ? why->text : store_status_name(status));
    (void)pthread_mutex_lock(&health->lock);
    changed = health->failing[duty] != failed;
    health->failing[duty] = failed;
    health->faults[duty] = fault;
    (void)pthread_mutex_unlock(&health->lock);

    if (!changed)
        return;
    if (!failed)
        fault_note(&fault, "%s: works again", duty_names[duty]);
    health_tell(health, failed ? STORE_NOTICE_ERROR : STORE_NOTICE_INFO, fault.text);
}

void health_note_round(const struct health *health, const struct work_record *record)
{
    if (health->work != NULL)
        health->work(health->work_context, record);
}

void health_work(struct health *health, const struct work_record *record)
{
    health_note_round(health, record);
    health_duty(health, record->kind, record->status, &record->fault);
}

enum store_health health_of(struct health *health, struct fault *ret_why)
{
    enum store_health found = STORE_HEALTH_GOOD;
    struct fault why = { 0 };

    (void)pthread_mutex_lock(&health->lock);
    if (atomic_load(&health->poisoned)) {
        found = STORE_HEALTH_POISONED;
        why = health->poison;
    }
    for (size_t i = 0; i < WORK_KINDS && found == STORE_HEALTH_GOOD; i++) {
        if (!health->failing[i])
            continue;
        found = STORE_HEALTH_UNTENDED;
        why = health->faults[i];
    }
    (void)pthread_mutex_unlock(&health->lock);

    if (ret_why != NULL)
        *ret_why = why;
    return found;
}
