/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intake and groups of intakes; see body_intake.h.
 *
 * (1) A member hashes when its piece is full; what the others hold by then is hashed with it, as one
 *     batch. So with many uploads at a time most bytes are hashed many streams at once.
 * (2) Where there is a second processor, the group has a partner, a thread that hashes the batch
 *     while the group's own writes the piece and receives the next one. One batch is under way at a
 *     time; who needs it done, or wants to send the next, waits. The partner touches the digests and
 *     checksums of the batch, and reads bytes that nobody changes; everything else is the thread's.
 */
#include "storage/body_intake.h"

#include <assert.h>
#include <sched.h>

#include "base/checksum.h"

/* Streams hashed in one go; more members wait for the next. */
#define JOBS_MAX 32
/* Buffers kept for the next bodies. */
#define SPARES_MAX 16

static void checksums_update(struct intake *intake, const void *bytes, size_t len)
{
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        if (intake->checksums[i] != NULL)
            checksum_update(intake->checksums[i], bytes, len);
    }
}

struct batch_of_jobs {
    struct intake *intakes[JOBS_MAX];
    struct hash_job jobs[JOBS_MAX];
    size_t count;
};

struct body_group {
    struct intake *first;
    char *spares[SPARES_MAX]; /* of PIECE_BYTES each */
    size_t spare_count;
    struct batch_of_jobs batch;
    char *sent; /* a buffer that its intake has left to the batch */

    bool alone; /* no partner: one processor, or no thread to be had */
    bool started;
    pthread_t partner;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool working; /* the batch is the partner's */
    bool stop;
};

static void batch_run(struct batch_of_jobs *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        checksums_update(batch->intakes[i], batch->jobs[i].bytes, batch->jobs[i].len);
    hash_lanes_run(batch->jobs, batch->count);
}

/* ---- the partner -------------------------------------------------------------------------- */

static void *partner_run(void *argument)
{
    struct body_group *group = argument;

    (void)pthread_mutex_lock(&group->lock);
    for (;;) {
        while (!group->working && !group->stop)
            (void)pthread_cond_wait(&group->changed, &group->lock);
        if (group->stop)
            break;
        (void)pthread_mutex_unlock(&group->lock);
        batch_run(&group->batch);
        (void)pthread_mutex_lock(&group->lock);
        group->working = false;
        (void)pthread_cond_signal(&group->changed);
    }
    (void)pthread_mutex_unlock(&group->lock);
    return NULL;
}

static void partner_tell(struct body_group *group, bool *what)
{
    (void)pthread_mutex_lock(&group->lock);
    *what = true;
    (void)pthread_cond_signal(&group->changed);
    (void)pthread_mutex_unlock(&group->lock);
}

static bool has_partner(struct body_group *group)
{
    if (!group->started && !group->alone) {
        group->started = thread_start(&group->partner, partner_run, group) == 0;
        group->alone = !group->started;
    }
    return group->started;
}

static void keep_or_free(struct body_group *group, char *piece)
{
    if (piece != NULL && group->spare_count < SPARES_MAX)
        group->spares[group->spare_count++] = piece;
    else
        mem_free(piece);
}

/* The batch is done. */
static void batch_wait(struct body_group *group)
{
    (void)pthread_mutex_lock(&group->lock);
    while (group->working)
        (void)pthread_cond_wait(&group->changed, &group->lock);
    (void)pthread_mutex_unlock(&group->lock);

    for (size_t i = 0; i < group->batch.count; i++)
        group->batch.intakes[i]->in_batch = false;
    group->batch.count = 0;
    keep_or_free(group, group->sent);
    group->sent = NULL;
}

/* ---- the group ---------------------------------------------------------------------------- */

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

void body_group_close(struct body_group *group)
{
    if (group == NULL)
        return;

    assert(group->first == NULL);
    if (group->started) {
        batch_wait(group);
        partner_tell(group, &group->stop);
        (void)pthread_join(group->partner, NULL);
    }
    for (size_t i = 0; i < group->spare_count; i++)
        mem_free(group->spares[i]);
    (void)pthread_cond_destroy(&group->changed);
    (void)pthread_mutex_destroy(&group->lock);
    mem_free(group);
}

/* ---- membership and buffers --------------------------------------------------------------- */

static void take_spare(struct intake *intake, struct body_group *group)
{
    if (group->spare_count == 0)
        return;
    intake->held.p = group->spares[--group->spare_count];
    intake->held.capacity = PIECE_BYTES;
}

static void join(struct intake *intake, struct body_group *group)
{
    intake->group = group;
    intake->next = group->first;
    intake->link = &group->first;
    if (intake->next != NULL)
        intake->next->link = &intake->next;
    group->first = intake;
    take_spare(intake, group);
}

static void leave(struct intake *intake)
{
    struct body_group *group = intake->group;

    if (group == NULL)
        return;
    *intake->link = intake->next;
    if (intake->next != NULL)
        intake->next->link = intake->link;
    intake->group = NULL;
}

/* A buffer that the next body can use stays with the group. */
static void give_back(struct intake *intake, struct body_group *group)
{
    if (group == NULL || intake->held.capacity != PIECE_BYTES)
        return;
    keep_or_free(group, intake->held.p);
    intake->held = BUF_WITH_MAX(0);
}

/* ---- open and close ----------------------------------------------------------------------- */

bool intake_open(struct intake *intake, const struct body_options *options, size_t max_bytes,
                 bool large)
{
    uint64_t first = large ? PIECE_BYTES : options->expected_bytes;

    intake->held = BUF_WITH_MAX(max_bytes);
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        if ((options->checksum_kinds & 1u << i) == 0 || i == CHECKSUM_NONE)
            continue;
        intake->checksums[i] = checksum_open((enum checksum_kind)i);
        if (intake->checksums[i] == NULL)
            return false;
    }
    if (large && options->group != NULL)
        join(intake, options->group);
    return first == 0 || intake->held.capacity >= first ||
           buf_reserve(&intake->held, (size_t)first);
}

void intake_close(struct intake *intake)
{
    struct body_group *group = intake->group;

    if (intake->in_batch)
        batch_wait(group);
    leave(intake);
    give_back(intake, group);
    buf_free(&intake->held);
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        checksum_close(intake->checksums[i]);
        intake->checksums[i] = NULL;
    }
}

void intake_start(struct intake *intake, bool with_sha256)
{
    if (intake->started)
        return;
    intake->started = true;
    hash_lane_init(&intake->hash, with_sha256);
}

/* ---- bytes -------------------------------------------------------------------------------- */

bool intake_add(struct intake *intake, struct str bytes)
{
    /* The buffer would move from under the partner. */
    if (intake->in_batch && bytes.len > intake->held.capacity - intake->held.len)
        batch_wait(intake->group);
    buf_append(&intake->held, bytes.p, bytes.len);
    return !intake->held.failed;
}

struct str intake_held(const struct intake *intake)
{
    return buf_view(&intake->held);
}

static void batch_add(struct batch_of_jobs *batch, struct intake *intake)
{
    const char *from = intake->held.p + intake->hashed;
    size_t len = (intake->held.len - intake->hashed) / HASH_BLOCK_BYTES * HASH_BLOCK_BYTES;

    assert(intake->started);
    if (len == 0)
        return;
    intake->hashed += len;
    batch->intakes[batch->count] = intake;
    batch->jobs[batch->count++] = (struct hash_job){ &intake->hash, from, len };
}

/* What `intake` and its group hold. */
static void batch_fill(struct batch_of_jobs *batch, struct intake *intake)
{
    batch->count = 0;
    batch_add(batch, intake);
    for (struct intake *other = intake->group != NULL ? intake->group->first : NULL;
         other != NULL && batch->count < JOBS_MAX; other = other->next)
        batch_add(batch, other);
}

void intake_hash(struct intake *intake)
{
    struct body_group *group = intake->group;
    struct batch_of_jobs alone;

    if (group == NULL || !has_partner(group)) {
        batch_fill(&alone, intake);
        batch_run(&alone);
        return;
    }

    batch_wait(group);
    batch_fill(&group->batch, intake);
    for (size_t i = 0; i < group->batch.count; i++)
        group->batch.intakes[i]->in_batch = true;
    partner_tell(group, &group->working);
}

/* The partner still reads the piece: go on in another one. */
static bool leave_to_batch(struct intake *intake)
{
    struct body_group *group = intake->group;
    char *piece = intake->held.p;
    size_t max = intake->held.max;

    if (!intake->in_batch || group->sent != NULL || intake->held.capacity != PIECE_BYTES)
        return false;
    intake->held = BUF_WITH_MAX(max);
    take_spare(intake, group);
    if (!buf_reserve(&intake->held, PIECE_BYTES)) {
        intake->held = (struct buf){ .p = piece, .capacity = PIECE_BYTES, .max = max };
        return false;
    }
    group->sent = piece;
    return true;
}

void intake_clear(struct intake *intake)
{
    assert(intake->hashed == intake->held.len);
    intake->hashed = 0;
    if (leave_to_batch(intake))
        return;
    if (intake->in_batch)
        batch_wait(intake->group);
    buf_clear(&intake->held);
}

void intake_final(struct intake *intake, struct body_digests *ret_digests)
{
    struct str rest = str_skip(intake_held(intake), intake->hashed);

    if (intake->in_batch)
        batch_wait(intake->group);
    checksums_update(intake, rest.p, rest.len);
    hash_lane_final(&intake->hash, rest.p, rest.len, ret_digests->md5, ret_digests->sha256);
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        if (intake->checksums[i] != NULL)
            checksum_final(intake->checksums[i], ret_digests->checksum[i]);
    }
}
