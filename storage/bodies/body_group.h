/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Body group: what the large bodies of one thread share (store.h, struct body_group): buffers of a
 * piece, and, where there is a second processor, a partner: a thread that hashes batches in the
 * order in which they were sent, while the group's own thread writes the pieces and receives more.
 *
 * (1) Batches are numbered from 1. At most BATCHES are under way; whoever wants to fill one more
 *     waits, so a fast client is held back by its own hashing.
 * (2) The partner touches the digests and checksums that a batch names, and reads its bytes, which
 *     nobody may change before group_wait. Everything else is the group's thread's.
 */
#ifndef STORAGE_BODIES_BODY_GROUP_H
#define STORAGE_BODIES_BODY_GROUP_H

#include "base/digest/hash_lanes.h"
#include "storage/internal.h"

/* Large bodies are hashed, sealed and written in pieces of that size. */
#define PIECE_BYTES (128u * 1024u)
/* Streams of one batch. */
#define BATCH_JOBS 32
#define BATCHES 2u

struct intake;

struct hash_batch {
    struct intake *intakes[BATCH_JOBS];
    struct hash_job jobs[BATCH_JOBS];
    size_t count;
    char *piece; /* a buffer that its intake has left to the batch; the group's afterwards */
};

struct body_group {
    struct intake *first; /* members */
    char *spares[16];     /* pieces that no member uses */
    size_t spare_count;

    bool alone; /* no partner: one processor, or no thread to be had */
    bool started;
    pthread_t partner;
    struct hash_batch ring[BATCHES]; /* batch n is ring[n % BATCHES] */
    uint64_t reaped;                 /* known to be done, its piece taken back */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* of the three below */
    uint64_t sent;          /* written by the group's thread, which reads it without the lock */
    uint64_t done;
    bool stop;
};

/* Of each kind that is asked for. */
void group_checksums(struct checksum *const checksums[CHECKSUM_KINDS], const void *bytes,
                     size_t len);
/* Checksums and digests of a batch. Any thread, one at a time. */
void batch_run(struct hash_batch *batch);

/* An empty batch to be filled and sent. NULL: there is no partner. */
struct hash_batch *group_batch(struct body_group *group);
/* Send the batch that group_batch gave. Its number. */
uint64_t group_send(struct body_group *group);
/* The last batch sent, to leave a piece to it; only while its number is above group->reaped. */
struct hash_batch *group_last(struct body_group *group);
/* Until the batch of that number is done; 0: none. */
void group_wait(struct body_group *group, uint64_t number);

/* A buffer of PIECE_BYTES that is free, or NULL. */
char *group_spare(struct body_group *group);
/* It is the group's to use or to free. NULL is fine. */
void group_keep(struct body_group *group, char *piece);

#endif
