/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Body group; see body_group.h.
 */
#include "storage/bodies/body_group.h"

#include <assert.h>
#include <sched.h>

#include "base/digest/checksum.h"
#include "storage/bodies/body_intake.h"

void group_checksums(struct checksum *const checksums[CHECKSUM_KINDS], const void *bytes,
                     size_t len)
{
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        if (checksums[i] != NULL)
            checksum_update(checksums[i], bytes, len);
    }
}

void batch_run(struct hash_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        group_checksums(batch->intakes[i]->checksums, batch->jobs[i].bytes, batch->jobs[i].len);
    hash_lanes_run(batch->jobs, batch->count);
}

/* ---- the partner -------------------------------------------------------------------------- */

static void *partner_run(void *argument)
{
    struct body_group *group = argument;

    (void)pthread_mutex_lock(&group->lock);
    for (;;) {
        while (group->done == group->sent && !group->stop)
            (void)pthread_cond_wait(&group->changed, &group->lock);
        if (group->done == group->sent)
            break;
        (void)pthread_mutex_unlock(&group->lock);
        batch_run(&group->ring[(group->done + 1) % BATCHES]);
        (void)pthread_mutex_lock(&group->lock);
        group->done++;
        (void)pthread_cond_signal(&group->changed);
    }
    (void)pthread_mutex_unlock(&group->lock);
    return NULL;
}

static bool has_partner(struct body_group *group)
{
    if (!group->started && !group->alone) {
        group->started = thread_start(&group->partner, partner_run, group) == 0;
        group->alone = !group->started;
    }
    return group->started;
}

struct hash_batch *group_batch(struct body_group *group)
{
    struct hash_batch *batch = &group->ring[(group->sent + 1) % BATCHES];

    if (!has_partner(group))
        return NULL;
    if (group->sent + 1 > BATCHES)
        group_wait(group, group->sent + 1 - BATCHES);
    batch->count = 0;
    return batch;
}

struct hash_batch *group_last(struct body_group *group)
{
    return &group->ring[group->sent % BATCHES];
}

uint64_t group_send(struct body_group *group)
{
    (void)pthread_mutex_lock(&group->lock);
    group->sent++;
    (void)pthread_cond_signal(&group->changed);
    (void)pthread_mutex_unlock(&group->lock);
    return group->sent;
}

void group_wait(struct body_group *group, uint64_t number)
{
    uint64_t done;

    if (number <= group->reaped)
        return;
    (void)pthread_mutex_lock(&group->lock);
    while (group->done < number)
        (void)pthread_cond_wait(&group->changed, &group->lock);
    done = group->done;
    (void)pthread_mutex_unlock(&group->lock);

    while (group->reaped < done) {
        struct hash_batch *batch = &group->ring[++group->reaped % BATCHES];

        group_keep(group, batch->piece);
        batch->piece = NULL;
    }
}

/* ---- buffers ------------------------------------------------------------------------------ */

char *group_spare(struct body_group *group)
{
    return group->spare_count > 0 ? group->spares[--group->spare_count] : NULL;
}

void group_keep(struct body_group *group, char *piece)
{
    if (piece != NULL && group->spare_count < COUNT_OF(group->spares))
        group->spares[group->spare_count++] = piece;
    else
        mem_free(piece);
}

/* ---- open and close ----------------------------------------------------------------------- */

struct body_group *body_group_open(void)
{
    struct body_group *group = mem_zalloc(sizeof(*group));
    cpu_set_t cpus;

    if (group == NULL)
        return NULL;
    (void)pthread_mutex_init(&group->lock, NULL);
    (void)pthread_cond_init(&group->changed, NULL);
    group->alone = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) < 2;
    return group;
}

static void partner_stop(struct body_group *group)
{
    group_wait(group, group->sent);
    (void)pthread_mutex_lock(&group->lock);
    group->stop = true;
    (void)pthread_cond_signal(&group->changed);
    (void)pthread_mutex_unlock(&group->lock);
    (void)pthread_join(group->partner, NULL);
}

void body_group_close(struct body_group *group)
{
    if (group == NULL)
        return;

    assert(group->first == NULL);
    if (group->started)
        partner_stop(group);
    for (size_t i = 0; i < group->spare_count; i++)
        mem_free(group->spares[i]);
    (void)pthread_cond_destroy(&group->changed);
    (void)pthread_mutex_destroy(&group->lock);
    mem_free(group);
}
