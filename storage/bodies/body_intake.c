/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intake; see body_intake.h.
 *
 * (1) A member hashes when its piece is full; what the others hold by then is hashed with it, as one
 *     batch. So with many uploads at a time most bytes are hashed many streams at once.
 * (2) A lone upload divides the work: the partner has MD5 and checksums, the thread itself SHA-256.
 */
#include "storage/bodies/body_intake.h"

#include <assert.h>

#include "base/digest/checksum.h"

/* ---- membership and buffers --------------------------------------------------------------- */

static void take_spare(struct intake *intake, struct body_group *group)
{
    char *piece = group_spare(group);

    if (piece == NULL)
        return;
    intake->held.p = piece;
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
    group_keep(group, intake->held.p);
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

    if (group != NULL)
        group_wait(group, intake->batch);
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
    if (intake->group != NULL && bytes.len > intake->held.capacity - intake->held.len)
        group_wait(intake->group, intake->batch);
    buf_append(&intake->held, bytes.p, bytes.len);
    intake->total_bytes += bytes.len;
    return !intake->held.failed;
}

struct str intake_held(const struct intake *intake)
{
    return buf_view(&intake->held);
}

/* ---- hashing ------------------------------------------------------------------------------ */

static void batch_add(struct hash_batch *batch, struct intake *intake)
{
    const char *from = intake->held.p + intake->hashed;
    size_t len = (intake->held.len - intake->hashed) / HASH_BLOCK_BYTES * HASH_BLOCK_BYTES;

    assert(intake->started);
    if (len == 0)
        return;
    intake->hashed += len;
    batch->intakes[batch->count] = intake;
    batch->jobs[batch->count++] =
        (struct hash_job){ .lane = &intake->hash, .bytes = from, .len = len };
}

/* What `intake` and its group hold. */
static void batch_fill(struct hash_batch *batch, struct intake *intake)
{
    batch_add(batch, intake);
    for (struct intake *other = intake->group != NULL ? intake->group->first : NULL;
         other != NULL && batch->count < BATCH_JOBS; other = other->next)
        batch_add(batch, other);
}

static void hash_in_place(struct intake *intake)
{
    struct hash_batch batch = { .count = 0 };

    batch_fill(&batch, intake);
    batch_run(&batch);
}

/* MD5 goes to the partner; the SHA-256 of older bytes must be done before that of these. */
static void hash_divided(struct body_group *group, struct hash_batch *batch)
{
    struct intake *intake = batch->intakes[0];
    struct hash_job job = batch->jobs[0];

    batch->jobs[0].md5_only = true;
    intake->batch = group_send(group);
    group_wait(group, intake->sha256_batch);
    hash_lane_sha256(job.lane, job.bytes, job.len);
}

void intake_hash(struct intake *intake)
{
    struct body_group *group = intake->group;
    struct hash_batch *batch = group != NULL ? group_batch(group) : NULL;
    uint64_t number;

    if (batch == NULL) {
        hash_in_place(intake);
        return;
    }
    batch_fill(batch, intake);
    if (batch->count == 1) {
        hash_divided(group, batch);
        return;
    }
    number = group_send(group);
    for (size_t i = 0; i < batch->count; i++)
        batch->intakes[i]->batch = batch->intakes[i]->sha256_batch = number;
}

/* The partner may still read the piece: go on in another one. */
static bool leave_to_batch(struct intake *intake)
{
    struct body_group *group = intake->group;
    char *piece = intake->held.p;
    size_t max = intake->held.max;

    if (group == NULL || intake->batch <= group->reaped || intake->batch != group->sent ||
        group_last(group)->piece != NULL || intake->held.capacity != PIECE_BYTES)
        return false;
    intake->held = BUF_WITH_MAX(max);
    take_spare(intake, group);
    if (!buf_reserve(&intake->held, PIECE_BYTES)) {
        intake->held = (struct buf){ .p = piece, .capacity = PIECE_BYTES, .max = max };
        return false;
    }
    group_last(group)->piece = piece;
    return true;
}

void intake_clear(struct intake *intake)
{
    assert(intake->hashed == intake->held.len);
    intake->hashed = 0;
    if (leave_to_batch(intake))
        return;
    if (intake->group != NULL)
        group_wait(intake->group, intake->batch);
    buf_clear(&intake->held);
}

void intake_final(struct intake *intake, struct body_digests *ret_digests)
{
    struct str rest = str_skip(intake_held(intake), intake->hashed);

    if (intake->group != NULL)
        group_wait(intake->group, intake->batch);
    group_checksums(intake->checksums, rest.p, rest.len);
    hash_lane_final(&intake->hash, rest.p, rest.len, intake->total_bytes, ret_digests->md5,
                    ret_digests->sha256);
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        if (intake->checksums[i] != NULL)
            checksum_final(intake->checksums[i], ret_digests->checksum[i]);
    }
}
