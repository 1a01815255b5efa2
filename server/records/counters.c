/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of requests and of work; see counters.h.
 */
#include "server/records/counters.h"

#include <stdatomic.h>

#include "base/log.h"

const int64_t counters_time_us[COUNTERS_TIMES - 1] = {
    100,   250,    500,    1000,   2500,    5000,    10000,   25000,
    50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};

/* struct request_counts, of one loop. */
struct row {
    _Atomic uint64_t outcomes[OUTCOMES];
    _Atomic uint64_t bytes_in, bytes_out;
    _Atomic uint64_t time_us;
    _Atomic uint64_t times[COUNTERS_TIMES];
};

/* struct work_counts. */
struct work_row {
    _Atomic uint64_t rounds, failures, unfinished;
    _Atomic uint64_t count, bytes;
    _Atomic uint64_t time_us;
};

typedef _Atomic(struct row *) row_place; /* NULL: not counted yet */

struct counters {
    size_t operations;
    struct work_row work[WORK_KINDS];
    _Atomic(row_place *) loops[COUNTERS_LOOPS_MAX]; /* of each operation; NULL: no request yet */
};

struct counters *counters_open(size_t operations)
{
    struct counters *counters = mem_zalloc(sizeof(*counters));

    if (counters != NULL)
        counters->operations = operations;
    return counters;
}

void counters_close(struct counters *counters)
{
    if (counters == NULL)
        return;

    for (size_t i = 0; i < COUNTERS_LOOPS_MAX; i++) {
        row_place *rows = atomic_load(&counters->loops[i]);

        for (size_t k = 0; rows != NULL && k < counters->operations; k++)
            mem_free(atomic_load(&rows[k]));
        mem_free(rows);
    }
    mem_free(counters);
}

/* ---- counting ---------------------------------------------------------------------------------- */

/* One thread writes, so nothing can come between the two. */
static void add(_Atomic uint64_t *count, uint64_t value)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + value,
                          memory_order_relaxed);
}

static struct row *row_of(struct counters *counters, const struct request_record *record)
{
    row_place *rows;
    struct row *row;

    if (record->loop >= COUNTERS_LOOPS_MAX || record->operation >= counters->operations)
        return NULL;

    rows = atomic_load_explicit(&counters->loops[record->loop], memory_order_relaxed);
    if (rows == NULL) {
        rows = mem_zalloc(counters->operations * sizeof(*rows));
        if (rows == NULL)
            return NULL;
        atomic_store_explicit(&counters->loops[record->loop], rows, memory_order_release);
    }
    row = atomic_load_explicit(&rows[record->operation], memory_order_relaxed);
    if (row == NULL) {
        row = mem_zalloc(sizeof(*row));
        atomic_store_explicit(&rows[record->operation], row, memory_order_release);
    }
    return row;
}

static enum outcome outcome_of(const struct request_record *record)
{
    if (record->aborted)
        return OUTCOME_ABORTED;
    if (record->status >= 500)
        return OUTCOME_FAILED;
    return record->status >= 400 ? OUTCOME_REFUSED : OUTCOME_DONE;
}

static void on_request(void *context, const struct request_record *record)
{
    struct row *row = row_of(context, record);
    int64_t took_us = record->done_us - record->started_us;
    size_t step = 0;

    if (row == NULL)
        return;

    while (step < COUNTERS_TIMES - 1 && took_us > counters_time_us[step])
        step++;
    add(&row->outcomes[outcome_of(record)], 1);
    add(&row->bytes_in, record->bytes_in);
    add(&row->bytes_out, record->bytes_out);
    add(&row->time_us, (uint64_t)took_us);
    add(&row->times[step], 1);
}

static void on_work(void *context, struct str store, const struct work_record *record)
{
    struct counters *counters = context;
    struct work_row *row = &counters->work[record->kind];

    (void)store;
    atomic_fetch_add(&row->rounds, 1);
    if (record->status != STORE_OK && record->status != STORE_STOPPED)
        atomic_fetch_add(&row->failures, 1);
    if (record->unfinished)
        atomic_fetch_add(&row->unfinished, 1);
    atomic_fetch_add(&row->count, record->count);
    if (record->kind != WORK_CHECKPOINT)
        atomic_fetch_add(&row->bytes, record->bytes);
    atomic_fetch_add(&row->time_us, (uint64_t)record->took_us);
}

struct observer counters_observer(struct counters *counters)
{
    return (struct observer){ .request = on_request, .work = on_work, .context = counters };
}

/* ---- adding up --------------------------------------------------------------------------------- */

static uint64_t now(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

struct request_counts counters_of(const struct counters *counters, unsigned operation)
{
    struct request_counts sum = { 0 };

    for (size_t i = 0; i < COUNTERS_LOOPS_MAX && operation < counters->operations; i++) {
        row_place *rows = atomic_load_explicit(&counters->loops[i], memory_order_acquire);
        const struct row *row =
            rows == NULL ? NULL : atomic_load_explicit(&rows[operation], memory_order_acquire);

        if (row == NULL)
            continue;
        for (size_t k = 0; k < OUTCOMES; k++)
            sum.outcomes[k] += now(&row->outcomes[k]);
        for (size_t k = 0; k < COUNTERS_TIMES; k++)
            sum.times[k] += now(&row->times[k]);
        sum.bytes_in += now(&row->bytes_in);
        sum.bytes_out += now(&row->bytes_out);
        sum.time_us += now(&row->time_us);
    }

    return sum;
}

uint64_t counters_requests(const struct request_counts *counts)
{
    uint64_t requests = 0;

    for (size_t i = 0; i < OUTCOMES; i++)
        requests += counts->outcomes[i];
    return requests;
}

struct work_counts counters_of_work(const struct counters *counters, enum work_kind kind)
{
    const struct work_row *row = &counters->work[kind];

    return (struct work_counts){ .rounds = now(&row->rounds),
                                 .failures = now(&row->failures),
                                 .unfinished = now(&row->unfinished),
                                 .count = now(&row->count),
                                 .bytes = now(&row->bytes),
                                 .time_us = now(&row->time_us) };
}

static void log_work(const struct counters *counters, enum work_kind kind)
{
    struct work_counts counts = counters_of_work(counters, kind);

    if (counts.rounds == 0)
        return;
    log_debug("counted work=%s rounds=%llu failures=%llu unfinished=%llu count=%llu bytes=%llu "
              "ms=%.3f",
              store_work_name(kind), (unsigned long long)counts.rounds,
              (unsigned long long)counts.failures, (unsigned long long)counts.unfinished,
              (unsigned long long)counts.count, (unsigned long long)counts.bytes,
              (double)counts.time_us / 1000.0);
}

void counters_log(const struct counters *counters, struct str (*name)(size_t operation))
{
    for (unsigned i = 0; log_wants(LOG_LEVEL_DEBUG) && i < counters->operations; i++) {
        struct request_counts counts = counters_of(counters, i);

        if (counters_requests(&counts) == 0)
            continue;
        log_debug("counted op=%.*s done=%llu refused=%llu failed=%llu aborted=%llu ms=%.3f in=%llu "
                  "out=%llu",
                  STR_ARG(name(i)), (unsigned long long)counts.outcomes[OUTCOME_DONE],
                  (unsigned long long)counts.outcomes[OUTCOME_REFUSED],
                  (unsigned long long)counts.outcomes[OUTCOME_FAILED],
                  (unsigned long long)counts.outcomes[OUTCOME_ABORTED],
                  (double)counts.time_us / 1000.0, (unsigned long long)counts.bytes_in,
                  (unsigned long long)counts.bytes_out);
    }
    for (enum work_kind kind = 0; log_wants(LOG_LEVEL_DEBUG) && kind < WORK_KINDS; kind++)
        log_work(counters, kind);
}
