/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lifecycle rules of a store's buckets, carried out; see run.h.
 */
#include "server/s3/lifecycle/run.h"

#include "base/memory.h"
#include "server/s3/lifecycle/pass.h"

#define NAME_BYTES_MAX 256
#define RETRY_US (60 * US_PER_S)

struct lifecycle_run {
    struct open_store *held;
    const struct observers *observers;
    int64_t day_us;
    struct duty *duty;
    /* its thread's */
    int64_t last_us; /* of the last pass */
    int64_t next_us; /* when the next is due */
    bool idle;       /* no bucket had rules */
};

/* The next bucket by name that has rules. */
struct next_bucket {
    char bytes[NAME_BYTES_MAX];
    size_t len;
    bool found;
};

static bool take_first(void *context, struct str name)
{
    struct next_bucket *next = context;

    if (name.len > sizeof(next->bytes))
        return true; /* there is none */
    memcpy(next->bytes, name.p, name.len);
    next->len = name.len;
    next->found = true;
    return false;
}

static enum store_status find_next(struct lifecycle_pass *pass, struct next_bucket *next)
{
    const struct next_bucket last = *next;
    enum store_status status;

    next->found = false;
    status = bucket_list_with_document(pass->reader, STR("lifecycle"),
                                       str_make(last.bytes, last.len), take_first, next,
                                       &pass->fault);
    return status == STORE_STOPPED ? STORE_OK : status;
}

static enum store_status pass_buckets(struct lifecycle_pass *pass, bool *ret_any)
{
    struct next_bucket next = { .found = false };
    enum store_status status = find_next(pass, &next);

    *ret_any = next.found;
    while (status == STORE_OK && next.found) {
        status = lifecycle_pass_bucket(pass, str_make(next.bytes, next.len));
        if (status == STORE_OK)
            status = find_next(pass, &next);
    }
    return status;
}

static enum store_status pass_store(struct lifecycle_run *run, struct lifecycle_pass *pass,
                                    bool *ret_any)
{
    enum store_status status = reader_open(run->held->store, &pass->reader, &pass->fault);

    if (status != STORE_OK)
        return status;
    pass->configs = bucket_configs_open();
    status = pass->configs != NULL
                 ? pass_buckets(pass, ret_any)
                 : store_fault(&pass->fault, STORE_NO_MEMORY, "a lifecycle's pass");
    bucket_configs_close(pass->configs);
    reader_close(pass->reader);
    return status;
}

static int64_t next_midnight(const struct lifecycle_run *run, int64_t now_us)
{
    return (now_us / run->day_us + 1) * run->day_us;
}

static void pass_once(struct lifecycle_run *run, struct duty *duty, int64_t now_us)
{
    struct lifecycle_pass pass = { .store = run->held->store,
                                   .store_name = run->held->name,
                                   .observers = run->observers,
                                   .duty = duty,
                                   .day_us = run->day_us };
    int64_t began_us = clock_monotonic_us(&clock_of_system);
    struct work_record record = { .kind = WORK_LIFECYCLE };
    bool any = true;

    record.status = pass_store(run, &pass, &any);
    record.count = pass.done;
    record.fault = pass.fault;
    record.unfinished = record.status != STORE_OK;
    record.took_us = clock_monotonic_us(&clock_of_system) - began_us;
    if (record.count > 0 || record.status != STORE_OK)
        observers_tell_work(run->observers, run->held->name, &record);
    run->last_us = now_us;
    run->idle = record.status == STORE_OK && !any;
    run->next_us = record.status != STORE_OK ? now_us + RETRY_US : next_midnight(run, now_us);
}

/* Rules that are put wake it: they are carried out at the next midnight, not at once. */
static int64_t look(void *context, struct duty *duty, int64_t now_us)
{
    struct lifecycle_run *run = context;

    if (run->idle) {
        run->idle = false;
        run->last_us = now_us;
        run->next_us = next_midnight(run, now_us);
    } else if (now_us < run->last_us || now_us >= run->next_us) {
        pass_once(run, duty, now_us);
    }
    return run->idle ? INT64_MAX : run->next_us;
}

void lifecycle_look(struct lifecycle_run *run)
{
    duty_wake(run->duty);
}

struct lifecycle_run *lifecycle_start(const struct s3_options *options, struct open_store *held)
{
    struct lifecycle_run *run = mem_zalloc(sizeof(*run));

    if (run == NULL)
        return NULL;
    *run = (struct lifecycle_run){ .held = held,
                                   .observers = options->observers,
                                   .day_us = options->lifecycle_day_us };
    run->duty = duty_start(held->store, look, run);
    if (run->duty != NULL)
        return run;
    mem_free(run);
    return NULL;
}

void lifecycle_stop(struct lifecycle_run *run)
{
    if (run == NULL)
        return;
    duty_stop(run->duty);
    mem_free(run);
}
