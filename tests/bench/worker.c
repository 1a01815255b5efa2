/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread of a run: its event loop, which request comes next, and its counts.
 */
#include <assert.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "tests/bench/connection.h"

#define EVENTS 256
#define TICK_NS UINT64_C(100000000)
#define DRAIN_NS UINT64_C(10000000000)
#define SAID_MAX 5 /* errors printed of a run */

static uint64_t random_next(struct worker *worker)
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return worker->random;
}

static size_t lane_draw(struct worker *worker)
{
    const struct plan *plan = worker->run->plan;
    unsigned total = 0;
    unsigned draw;

    if (plan->lane_count == 1)
        return 0;
    for (size_t i = 0; i < plan->lane_count; i++)
        total += plan->lanes[i].weight;
    assert(total > 0);
    draw = (unsigned)(random_next(worker) >> 32) % total;
    for (size_t i = 0; i < plan->lane_count; i++) {
        if (draw < plan->lanes[i].weight)
            return i;
        draw -= plan->lanes[i].weight;
    }
    return 0;
}

struct request *worker_pick(struct worker *worker, size_t *ret_lane)
{
    struct plan *plan = worker->run->plan;
    size_t index = lane_draw(worker);
    struct lane *lane = &plan->lanes[index];
    uint64_t at = 0;

    /* Nothing to delete yet: read instead. */
    if (lane->order == ORDER_AFTER_ACK &&
        worker->acked_taken[index - 1] == worker->acked_requests[index - 1].count) {
        index = 0;
        lane = &plan->lanes[0];
    }

    switch (lane->order) {
    case ORDER_RANDOM:
        at = random_next(worker) % lane->count;
        break;
    case ORDER_CYCLE:
        at = atomic_fetch_add_explicit(&lane->next, 1, memory_order_relaxed) % lane->count;
        break;
    case ORDER_ONCE:
        at = atomic_fetch_add_explicit(&lane->next, 1, memory_order_relaxed);
        if (at >= lane->count) {
            worker->ran_out = true;
            worker->stopping = true;
            return NULL;
        }
        break;
    case ORDER_AFTER_ACK:
        at = worker->acked_requests[index - 1].item[worker->acked_taken[index - 1]++];
        break;
    }

    *ret_lane = index;
    return &plan->requests[lane->first + at];
}

void worker_sample(struct worker *worker, struct request *request, size_t lane, uint64_t start_ns,
                   uint64_t now_ns)
{
    const struct run *run = worker->run;
    const struct plan *plan = run->plan;
    const struct shape *shape = &plan->shapes[request->shape];
    bool kept = true;

    if (lane + 1 < plan->lane_count && plan->lanes[lane + 1].order == ORDER_AFTER_ACK)
        kept =
            numbers_add(&worker->acked_requests[lane],
                        (uint32_t)((uint64_t)(request - plan->requests) - plan->lanes[lane].first));
    if (str_present(run->options->acked) && shape->expect == EXPECT_STORED)
        kept = numbers_add(&worker->acked, request->number) && kept;
    if (!kept)
        worker_error(worker, request, "the client has no memory");
    if (now_ns < run->warm_ns || now_ns >= run->end_ns)
        return;

    histogram_add(&worker->latency[lane], now_ns - start_ns);
    worker->payload_bytes += shape->payload_bytes;
    worker->last_ns = now_ns;
}

void worker_error(struct worker *worker, const struct request *request, const char *format, ...)
{
    const struct plan *plan = worker->run->plan;
    struct str target;
    struct str rest;
    char text[256];
    va_list arguments;

    worker->errors++;
    if (worker->errors >= RUN_ERRORS_MAX)
        worker->stopping = true;
    if (atomic_fetch_add_explicit(&worker->run->said, 1, memory_order_relaxed) >= SAID_MAX)
        return;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    /* A presigned target holds a signature: what stands before the query is enough. */
    target = str_make(plan->text + request->text_at, request->head_len);
    (void)str_cut(target, '\r', &target, &rest);
    (void)str_cut(target, '?', &target, &rest);
    if (str_ends(target, STR(" HTTP/1.1")))
        target.len -= 9;
    (void)fprintf(stderr, "pail-bench: %.*s: %s\n", STR_ARG(target), text);
}

static void pin(const struct worker *worker)
{
    const struct options *options = worker->run->options;
    cpu_set_t set;

    if (options->cpu_count == 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((int)options->cpus[worker->index % options->cpu_count], &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

/* The two edges of the measured time. */
static void mark(struct worker *worker, uint64_t now_ns)
{
    struct run *run = worker->run;

    if (worker->cpu_warm_s < 0 && now_ns >= run->warm_ns) {
        worker->cpu_warm_s = usage_thread_cpu_s();
        if (!atomic_exchange(&run->warm_marked, true))
            run->server_start = usage_mark(run->options);
    }
    if (worker->cpu_end_s < 0 &&
        (now_ns >= run->end_ns || (worker->ran_out && worker->busy == 0))) {
        worker->cpu_end_s = usage_thread_cpu_s();
        if (!atomic_exchange(&run->end_marked, true))
            run->server_end = usage_mark(run->options);
    }
}

static int wait_ms(const struct worker *worker, uint64_t now_ns)
{
    const struct run *run = worker->run;
    uint64_t until = now_ns + TICK_NS;

    if (run->warm_ns > now_ns)
        until = u64_min(until, run->warm_ns);
    else if (run->end_ns > now_ns)
        until = u64_min(until, run->end_ns);
    /* Below a millisecond the open loop polls: it has a core of its own. */
    if (worker->due_step_ns > 0 && worker->busy < worker->connection_count && !worker->stopping) {
        if (worker->due_ns <= (double)now_ns)
            return 0;
        return (int)((u64_min(until, (uint64_t)worker->due_ns) - now_ns) / 1000000);
    }
    return (int)((until - now_ns) / 1000000 + 1);
}

void *worker_main(void *memory)
{
    struct worker *worker = memory;
    const struct run *run = worker->run;
    struct epoll_event events[EVENTS];
    uint64_t now_ns = net_now_ns();
    uint64_t tick_ns = now_ns;

    pin(worker);
    mark(worker, now_ns);
    connections_start(worker, now_ns);
    while (worker->busy > 0 || !worker->stopping) {
        int count = epoll_wait(worker->epoll_fd, events, EVENTS, wait_ms(worker, now_ns));

        for (int i = 0; i < count; i++)
            connection_event(events[i].data.ptr, events[i].events);
        now_ns = net_now_ns();
        mark(worker, now_ns);
        if (now_ns >= run->end_ns)
            worker->stopping = true;
        connections_start(worker, now_ns);
        if (now_ns - tick_ns >= TICK_NS) {
            connections_overdue(worker, now_ns);
            tick_ns = now_ns;
        }
        if (now_ns > run->end_ns && now_ns - run->end_ns > DRAIN_NS)
            break;
    }
    worker->ran_out = worker->ran_out && now_ns < run->end_ns;
    if (worker->cpu_end_s < 0)
        mark(worker, run->end_ns);
    return NULL;
}
