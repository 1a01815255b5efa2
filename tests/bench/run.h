/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: threads with their connections replay a plan for a while; and what came of it.
 *
 * (1) A sample is one answer that was checked and right, completed inside the measured time. A
 *     wrong answer is an error and never a sample.
 * (2) Closed loop: a connection sends its next request when it has the answer to the last. Open
 *     loop: requests are due at fixed times, and a latency counts from when its request was due,
 *     so that a stall is seen by every request it delayed.
 * (3) The clock starts after all connections are open and all requests are signed. Requests in
 *     flight at the end are finished, not counted.
 */
#ifndef TESTS_BENCH_RUN_H
#define TESTS_BENCH_RUN_H

#include <pthread.h>

#include "tests/bench/histogram.h"
#include "tests/bench/net.h"
#include "tests/bench/numbers.h"
#include "tests/bench/plan.h"
#include "tests/bench/usage.h"

#define RUN_ERRORS_MAX 1000 /* of a thread: then it stops */

struct result {
    struct histogram latency[PLAN_LANES_MAX];
    uint64_t payload_bytes;
    uint64_t errors;
    uint64_t reconnects; /* a kept connection the server had closed; the request was sent again */
    double elapsed_s;
    double client_busy; /* CPU time of the client's threads over elapsed time and threads */
    bool exhausted;     /* the requests ended before the time */
    struct usage server;
    struct numbers acked; /* with --acked */
};

/* False: the run could not be made at all. errors in *ret_result do not make it false. */
MUST_CHECK bool run_plan(struct plan *plan, const struct options *options,
                         const struct address *address, struct result *ret_result,
                         struct fault *fault);
void result_free(struct result *result);

/* ---- between run.c, worker.c and connection.c ------------------------------------------------ */

struct connection;

struct run {
    struct plan *plan;
    const struct options *options;
    const struct address *address;
    uint64_t warm_ns; /* the measured time, [warm, end) */
    uint64_t end_ns;
    _Atomic bool warm_marked;
    _Atomic bool end_marked;
    _Atomic unsigned said; /* errors printed so far */
    struct usage_mark server_start;
    struct usage_mark server_end;
};

struct worker {
    struct run *run;
    unsigned index;
    int epoll_fd;
    struct connection *connections;
    size_t connection_count;
    size_t busy;
    bool stopping; /* send nothing new */
    bool ran_out;
    uint64_t random;
    struct histogram latency[PLAN_LANES_MAX];
    uint64_t answers;
    uint64_t payload_bytes;
    uint64_t errors;
    uint64_t reconnects;
    uint64_t last_ns; /* when its last sample was complete */
    /* open loop */
    double due_step_ns; /* 0: closed loop */
    double due_ns;
    uint64_t due_index;
    /* requests acknowledged and not yet taken by the lane after theirs, by lane */
    struct numbers acked_requests[PLAN_LANES_MAX];
    size_t acked_taken[PLAN_LANES_MAX];
    struct numbers acked;
    double cpu_warm_s;
    double cpu_end_s;
    pthread_t thread;
};

/* Thread body. */
void *worker_main(void *memory);
/* Next request for a connection, or NULL. lane: which it came from. */
struct request *worker_pick(struct worker *worker, size_t *ret_lane);
/* One answer was right (a sample when inside the measured time). */
void worker_sample(struct worker *worker, struct request *request, size_t lane, uint64_t start_ns,
                   uint64_t now_ns);
void worker_error(struct worker *worker, const struct request *request, const char *format, ...)
    PRINTF_LIKE(3, 4);

MUST_CHECK bool connections_open(struct worker *worker, struct fault *fault);
void connections_close(struct worker *worker);
/* Give idle connections work: as much as is due. */
void connections_start(struct worker *worker, uint64_t now_ns);
void connection_event(struct connection *connection, uint32_t events);
/* Requests older than the timeout become errors. */
void connections_overdue(struct worker *worker, uint64_t now_ns);

#endif
