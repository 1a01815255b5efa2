/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intake and groups of intakes; see body_intake.h.
 *
 * A member hashes when its piece is full; what the others hold by then is hashed with it. So with
 * many uploads at a time most bytes are hashed many streams at once, and a lone upload never waits.
 */
#include "storage/body_intake.h"

#include <assert.h>

#include "base/checksum.h"

/* Streams hashed in one go; more members wait for the next. */
#define JOBS_MAX 32
/* Buffers kept for the next bodies. */
#define SPARES_MAX 16

struct body_group {
    struct intake *first;
    char *spares[SPARES_MAX]; /* of PIECE_BYTES each */
    size_t spare_count;
};

struct body_group *body_group_open(void)
{
    return mem_zalloc(sizeof(struct body_group));
}

void body_group_close(struct body_group *group)
{
    if (group == NULL)
        return;

    assert(group->first == NULL);
    for (size_t i = 0; i < group->spare_count; i++)
        mem_free(group->spares[i]);
    mem_free(group);
}

/* ---- membership and buffers --------------------------------------------------------------- */

static void join(struct intake *intake, struct body_group *group)
{
    intake->group = group;
    intake->next = group->first;
    intake->link = &group->first;
    if (intake->next != NULL)
        intake->next->link = &intake->next;
    group->first = intake;
    if (group->spare_count > 0) {
        intake->held.p = group->spares[--group->spare_count];
        intake->held.capacity = PIECE_BYTES;
    }
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
    if (group == NULL || intake->held.capacity != PIECE_BYTES || group->spare_count == SPARES_MAX)
        return;
    group->spares[group->spare_count++] = intake->held.p;
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
    buf_append(&intake->held, bytes.p, bytes.len);
    return !intake->held.failed;
}

struct str intake_held(const struct intake *intake)
{
    return buf_view(&intake->held);
}

static void checksums_update(struct intake *intake, const char *bytes, size_t len)
{
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        if (intake->checksums[i] != NULL)
            checksum_update(intake->checksums[i], bytes, len);
    }
}

static struct hash_job take_job(struct intake *intake)
{
    const char *from = intake->held.p + intake->hashed;
    size_t len = (intake->held.len - intake->hashed) / HASH_BLOCK_BYTES * HASH_BLOCK_BYTES;

    assert(intake->started);
    checksums_update(intake, from, len);
    intake->hashed += len;
    return (struct hash_job){ &intake->hash, from, len };
}

void intake_hash(struct intake *intake)
{
    struct hash_job jobs[JOBS_MAX];
    size_t count = 0;

    jobs[count++] = take_job(intake);
    if (intake->group != NULL) {
        for (struct intake *other = intake->group->first; other != NULL && count < JOBS_MAX;
             other = other->next) {
            if (other != intake && other->held.len - other->hashed >= HASH_BLOCK_BYTES)
                jobs[count++] = take_job(other);
        }
    }
    hash_lanes_run(jobs, count);
}

void intake_clear(struct intake *intake)
{
    assert(intake->hashed == intake->held.len);
    intake->hashed = 0;
    buf_clear(&intake->held);
}

void intake_final(struct intake *intake, struct body_digests *ret_digests)
{
    struct str rest = str_skip(intake_held(intake), intake->hashed);

    checksums_update(intake, rest.p, rest.len);
    hash_lane_final(&intake->hash, rest.p, rest.len, ret_digests->md5, ret_digests->sha256);
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        if (intake->checksums[i] != NULL)
            checksum_final(intake->checksums[i], ret_digests->checksum[i]);
    }
}
