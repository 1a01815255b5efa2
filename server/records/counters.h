/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of requests, by operation, and of background work, by kind: the observer that counts, and
 * the sums for who asks.
 *
 * (1) Each loop counts in a table of its own, which no other thread writes: a count is a plain
 *     addition, without a lock and without a locked instruction. Who asks adds the tables up.
 * (2) A sum taken while requests are served may be behind by those that end just then, and of them
 *     hold one number without the other. Once they are over it is exact.
 * (3) A loop's row of an operation is made at its first request there; what there is no memory for
 *     is not counted.
 * (4) Work is rare, and each of its kinds has one row for all stores, which any thread adds to.
 */
#ifndef SERVER_RECORDS_COUNTERS_H
#define SERVER_RECORDS_COUNTERS_H

#include "server/records/record.h"

#define COUNTERS_LOOPS_MAX 64

enum outcome {
    OUTCOME_DONE = 0, /* below 400 */
    OUTCOME_REFUSED,  /* 4xx */
    OUTCOME_FAILED,   /* 5xx */
    OUTCOME_ABORTED,  /* whatever its status: the answer was not sent whole */
    OUTCOMES,
};

/* How long requests took, in steps of about the same ratio; the last has no bound. */
#define COUNTERS_TIMES 17
extern const int64_t counters_time_us[COUNTERS_TIMES - 1]; /* at most so long */

struct request_counts {
    uint64_t outcomes[OUTCOMES]; /* together: the requests */
    uint64_t bytes_in, bytes_out;
    uint64_t time_us;
    uint64_t times[COUNTERS_TIMES];
};

struct work_counts {
    uint64_t rounds, failures, unfinished;
    uint64_t count, bytes; /* as the records tell them; CHECKPOINT: no bytes */
    uint64_t time_us;
};

struct counters;

/* operations: how many there are; their numbers are below it. NULL: no memory. */
MUST_CHECK struct counters *counters_open(size_t operations);
void counters_close(struct counters *counters); /* NULL is fine; once no loop runs */

/* What observes for them. */
struct observer counters_observer(struct counters *counters);

/* What all loops have counted of an operation since the start. Any thread. */
struct request_counts counters_of(const struct counters *counters, unsigned operation);
uint64_t counters_requests(const struct request_counts *counts);

/* What all stores have done of a kind. Any thread. */
struct work_counts counters_of_work(const struct counters *counters, enum work_kind kind);

/* A line of the log, at level debug, for each operation that was asked for and each kind of work
 * that was done. Any thread. */
void counters_log(const struct counters *counters, struct str (*name)(size_t operation));

#endif
