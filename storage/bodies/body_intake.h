/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intake: the plain bytes of a body that are held in memory, and the digests of all that passed.
 *
 * The intakes of large bodies of one thread form a group (body_group.h): when one of them has to
 * hash, all of them do, side by side.
 */
#ifndef STORAGE_BODIES_BODY_INTAKE_H
#define STORAGE_BODIES_BODY_INTAKE_H

#include "storage/bodies/body_group.h"

struct intake {
    struct body_group *group; /* NULL: not a member */
    struct intake *next;
    struct intake **link;
    struct buf held;
    size_t hashed; /* of held, or on its way; a multiple of HASH_BLOCK_BYTES until final */
    uint64_t total_bytes;
    bool started;
    uint64_t batch;        /* the newest that has bytes of it; 0: none */
    uint64_t sha256_batch; /* the newest that does its SHA-256; 0: none */
    struct hash_lane hash;
    struct checksum *checksums[CHECKSUM_KINDS];
};

/*
 * max_bytes: what may be held. large: at least a piece will come, so the intake joins the group and
 * takes a buffer of a piece. False: no memory; intake_close is still to be called.
 */
MUST_CHECK bool intake_open(struct intake *intake, const struct body_options *options,
                            size_t max_bytes, bool large);
/* Leaves the group and frees all; a closed intake may be closed again. */
void intake_close(struct intake *intake);
/* Decides, once, whether SHA-256 is computed; before anything is hashed. Later calls do nothing. */
void intake_start(struct intake *intake, bool with_sha256);
/* Copy bytes. False: no memory, or more than max_bytes. */
MUST_CHECK bool intake_add(struct intake *intake, struct str bytes);
struct str intake_held(const struct intake *intake);
/* Hash the whole blocks that are held, and those of the group. They may be read meanwhile. */
void intake_hash(struct intake *intake);
/* Forget what is held; all of it was hashed. */
void intake_clear(struct intake *intake);
/* Hash the rest and tell MD5, checksums, and SHA-256 if it is computed. Once. */
void intake_final(struct intake *intake, struct body_digests *ret_digests);

#endif
