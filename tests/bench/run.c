/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: its threads, from opening their connections to adding up what they saw; see run.h.
 */
#include "tests/bench/run.h"

#include <sys/epoll.h>

#include "base/file.h"
#include "base/random.h"

#define NS_PER_S 1e9

static bool worker_open(struct worker *worker, struct run *run, unsigned index, struct fault *fault)
{
    const struct options *options = run->options;
    uint64_t share = options->connections / options->threads;

    worker->run = run;
    worker->index = index;
    worker->random = random_u64() | 1;
    worker->cpu_warm_s = -1;
    worker->cpu_end_s = -1;
    worker->connection_count =
        (size_t)(share + (index < options->connections % options->threads ? 1 : 0));
    worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (worker->epoll_fd < 0)
        return fault_errno(fault, false, "epoll");
    return connections_open(worker, fault);
}

static void clock_start(struct run *run, struct worker *workers)
{
    const struct options *options = run->options;
    uint64_t now_ns = net_now_ns();

    run->warm_ns = now_ns + (uint64_t)(options->warmup_s * NS_PER_S);
    run->end_ns = options->seconds > 0 ? run->warm_ns + (uint64_t)(options->seconds * NS_PER_S)
                                       : UINT64_MAX;
    if (options->rate <= 0)
        return;
    for (uint64_t i = 0; i < options->threads; i++) {
        workers[i].due_step_ns = NS_PER_S * (double)options->threads / options->rate;
        workers[i].due_ns = (double)now_ns + NS_PER_S * (double)i / options->rate;
    }
}

static void add_up(const struct run *run, struct worker *workers, struct result *result)
{
    const struct options *options = run->options;
    uint64_t last_ns = run->warm_ns;
    double cpu_s = 0;

    for (uint64_t i = 0; i < options->threads; i++) {
        const struct worker *worker = &workers[i];

        for (size_t lane = 0; lane < PLAN_LANES_MAX; lane++)
            histogram_merge(&result->latency[lane], &worker->latency[lane]);
        result->payload_bytes += worker->payload_bytes;
        result->errors += worker->errors;
        result->reconnects += worker->reconnects;
        result->exhausted = result->exhausted || worker->ran_out;
        if (worker->last_ns > last_ns)
            last_ns = worker->last_ns;
        if (worker->cpu_warm_s >= 0 && worker->cpu_end_s >= 0)
            cpu_s += worker->cpu_end_s - worker->cpu_warm_s;
        for (size_t n = 0; n < worker->acked.count; n++)
            if (!numbers_add(&result->acked, worker->acked.item[n]))
                result->errors++;
    }

    if (!result->exhausted && run->end_ns != UINT64_MAX)
        last_ns = run->end_ns;
    result->elapsed_s = (double)(last_ns - run->warm_ns) / NS_PER_S;
    if (result->elapsed_s > 0)
        result->client_busy = cpu_s / result->elapsed_s / (double)options->threads;
    result->server = usage_since(options, run->server_start, run->server_end);
}

static bool run_threads(struct run *run, struct worker *workers, struct fault *fault)
{
    const struct options *options = run->options;
    uint64_t started = 0;

    for (unsigned i = 0; i < options->threads; i++)
        if (!worker_open(&workers[i], run, i, fault))
            return false;
    clock_start(run, workers);
    while (started < options->threads &&
           pthread_create(&workers[started].thread, NULL, worker_main, &workers[started]) == 0)
        started++;
    for (uint64_t i = 0; i < started; i++)
        (void)pthread_join(workers[i].thread, NULL);
    return started == options->threads || fault_set(fault, false, "cannot start a thread");
}

bool run_plan(struct plan *plan, const struct options *options, const struct address *address,
              struct result *ret_result, struct fault *fault)
{
    struct run run = { .plan = plan, .options = options, .address = address };
    struct worker *workers = mem_zalloc((size_t)options->threads * sizeof(*workers));
    bool ran;

    if (workers == NULL)
        return fault_set(fault, false, "no memory");
    for (uint64_t i = 0; i < options->threads; i++)
        workers[i].epoll_fd = -1;

    ran = run_threads(&run, workers, fault);
    if (ran)
        add_up(&run, workers, ret_result);
    for (uint64_t i = 0; i < options->threads; i++) {
        connections_close(&workers[i]);
        fd_close(&workers[i].epoll_fd);
        numbers_free(&workers[i].acked);
        for (size_t lane = 0; lane < PLAN_LANES_MAX; lane++)
            numbers_free(&workers[i].acked_requests[lane]);
    }
    mem_free(workers);
    return ran;
}

void result_free(struct result *result)
{
    numbers_free(&result->acked);
}
