/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The janitor: copies the log back into the database, sweeps, expires uploads, looks for orphans.
 *
 * It sleeps without a timeout when nothing is due: an idle store causes no wake-ups and no writes.
 * Its rounds: one second after the last commit a final checkpoint; janitor_interval after a body
 * died a sweep, at once where space is short; at their age uploads; once after the start, slowly, a
 * walk over blobs/. What fails is told (health.h) and tried again.
 *
 *   asleep --due, or a note (notes.c)--> rounds: copy log, sweep, expire, walk --all well--> asleep
 *     \--stop--> ended                     \--one failed--> told, asleep for a second, again
 */
#include <errno.h>
#include <unistd.h>

#include "storage/internal.h"

#define QUIET_US US_PER_S
#define RETRY_US US_PER_S
#define COPY_PASSES 3
#define COPY_LITTLE_BYTES (UINT64_C(1) * 1024 * 1024)
#define WALK_LEAVES 4096 /* directories read per second; a small store is walked in one go */
#define LEAVES_PER_TOP 256
#define FAR_US (INT64_C(24) * 3600 * US_PER_S)

static void clock_moved(void *context)
{
    struct janitor *janitor = context;

    janitor_wake(janitor, &janitor->clock_moved);
}

void janitor_init(struct janitor *janitor, struct clock *clock)
{
    (void)pthread_mutex_init(&janitor->lock, NULL);
    (void)pthread_mutex_init(&janitor->copying, NULL);
    clock_condition_init(&janitor->wake);
    janitor->clock = clock;
    janitor->watcher = (struct clock_watcher){ .moved = clock_moved, .context = janitor };
    clock_watch(clock, &janitor->watcher);
    janitor->sweep_at_us = INT64_MAX;
    janitor->quiet_at_us = INT64_MAX;
    janitor->walk_at_us = INT64_MAX;
}

void janitor_free(struct janitor *janitor)
{
    clock_unwatch(janitor->clock, &janitor->watcher);
    (void)pthread_cond_destroy(&janitor->wake);
    (void)pthread_mutex_destroy(&janitor->copying);
    (void)pthread_mutex_destroy(&janitor->lock);
}

void janitor_stop(struct store *store)
{
    struct janitor *janitor = &store->janitor;

    if (!janitor->started)
        return;

    janitor_wake(janitor, &janitor->stop);
    (void)pthread_join(janitor->thread, NULL);
    janitor->started = false;
}

/* ---- sleeping ---------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_due(const struct janitor *janitor)
{
    return earlier(janitor->quiet_at_us, earlier(janitor->sweep_at_us, janitor->walk_at_us));
}

/* What others asked for. */
struct calls {
    bool log_is_long;
    bool space_is_low;
    bool clock_moved;
};

/* Caller holds the lock. 0, or ETIMEDOUT once it is due. */
static int wait_until(struct janitor *janitor, int64_t due)
{
    return clock_wait(janitor->clock, &janitor->wake, &janitor->lock, due);
}

/* False: time to stop. */
static bool sleep_until_due(struct janitor *janitor, struct calls *ret_calls)
{
    int64_t due = next_due(janitor);
    bool stop;
    int error = 0;

    (void)pthread_mutex_lock(&janitor->lock);
    while (!janitor->stop && !janitor->log_is_long && !janitor->space_is_low &&
           !janitor->clock_moved && error != ETIMEDOUT &&
           !(atomic_load(&janitor->dirty) && janitor->quiet_at_us == INT64_MAX))
        error = wait_until(janitor, due);
    ret_calls->log_is_long = janitor->log_is_long;
    ret_calls->space_is_low = janitor->space_is_low;
    ret_calls->clock_moved = janitor->clock_moved;
    janitor->log_is_long = janitor->space_is_low = janitor->clock_moved = false;
    stop = janitor->stop;
    (void)pthread_mutex_unlock(&janitor->lock);
    return !stop;
}

/* Whatever is asked for meanwhile. False: time to stop. */
static bool sleep_before_retry(struct janitor *janitor)
{
    int64_t due = clock_monotonic_us(janitor->clock) + RETRY_US;
    bool stop;

    (void)pthread_mutex_lock(&janitor->lock);
    while (!janitor->stop && wait_until(janitor, due) != ETIMEDOUT)
        ;
    stop = janitor->stop;
    (void)pthread_mutex_unlock(&janitor->lock);
    return !stop;
}

/* ---- rounds ------------------------------------------------------------------------------ */

/* A round that began then is over. */
static void tell(struct store *store, struct work_record *record, int64_t began_us)
{
    record->took_us = clock_monotonic_us(&store->clock) - began_us;
    health_work(&store->health, record);
}

/* Copies what the log holds now; ret_left: what has come since, or a reader still needs. */
static bool checkpoint(struct store *store, uint64_t *ret_left)
{
    struct janitor *janitor = &store->janitor;
    struct work_record record = { .kind = WORK_CHECKPOINT };
    int64_t began_us = clock_monotonic_us(&store->clock);

    *ret_left = 0;
    (void)pthread_mutex_lock(&janitor->copying);
    record.status = catalog_checkpoint(janitor->cat, CHECKPOINT_PASSIVE, ret_left, &record.fault);
    (void)pthread_mutex_unlock(&janitor->copying);

    if (record.status != STORE_OK && catalog_device_failed(janitor->cat))
        health_poison(&store->health, 0, record.fault.text);
    record.bytes = *ret_left;
    record.unfinished = record.status != STORE_OK || *ret_left > 0;
    tell(store, &record, began_us);
    return record.status == STORE_OK;
}

/* Commits go on meanwhile, so a second pass copies what the first one let come. */
static void copy_long_log(struct store *store)
{
    uint64_t left = UINT64_MAX;

    for (int pass = 0; pass < COPY_PASSES && left > COPY_LITTLE_BYTES; pass++) {
        if (!checkpoint(store, &left))
            return;
    }
    atomic_store(&store->janitor.log_copied, true);
}

/* When the next upload reaches its age, at most a day away; soon, when that can not be known. */
static int64_t uploads_due(struct store *store)
{
    int64_t expiry_us = store->options.upload_expiry_us;
    int64_t now_us = clock_now_us(&store->clock);
    int64_t open_us;
    int64_t done_us;
    int64_t due_us = INT64_MAX;
    struct work_record record = { .kind = WORK_EXPIRY, .unfinished = true };

    record.status = catalog_upload_oldest(store->janitor.cat, &open_us, &done_us, &record.fault);
    if (record.status != STORE_OK) {
        health_work(&store->health, &record);
        return clock_monotonic_us(&store->clock) + store->options.janitor_interval_us;
    }
    health_duty(&store->health, WORK_EXPIRY, STORE_OK, NULL);
    if (expiry_us > 0 && open_us != INT64_MAX)
        due_us = earlier(due_us, open_us + expiry_us);
    if (done_us != INT64_MAX)
        due_us = earlier(due_us, done_us + DONE_UPLOAD_KEPT_US);
    if (due_us == INT64_MAX)
        return INT64_MAX;

    /* A little late, so that the sweep finds it over age. */
    int64_t wait_us = due_us > now_us ? due_us - now_us + US_PER_S : US_PER_S;

    return clock_monotonic_us(&store->clock) + earlier(wait_us, FAR_US);
}

/* Where space is short it is given back at once. */
static int64_t sweep_wait_us(struct store *store)
{
    return space_is_low(store) ? 0 : store->options.janitor_interval_us;
}

static void plan_sweep(struct store *store, int64_t now_us)
{
    struct janitor *janitor = &store->janitor;

    if (atomic_exchange(&janitor->dead, false))
        janitor->sweep_at_us = earlier(janitor->sweep_at_us, now_us + sweep_wait_us(store));
}

/* A second without commits: one last checkpoint, then silence. */
static void quiet_round(struct store *store, int64_t now_us)
{
    struct janitor *janitor = &store->janitor;
    uint64_t commits = atomic_load(&store->commit_count);
    uint64_t left;

    if (janitor->quiet_at_us == INT64_MAX || commits != janitor->seen_commits) {
        janitor->seen_commits = commits;
        janitor->quiet_at_us = now_us + QUIET_US;
        plan_sweep(store, now_us);
        return;
    }

    atomic_store(&janitor->dirty, false);
    janitor->quiet_at_us = INT64_MAX;
    plan_sweep(store, now_us);
    janitor->sweep_at_us = earlier(janitor->sweep_at_us, uploads_due(store));
    if ((!checkpoint(store, &left) || left > 0) && !health_poisoned(&store->health)) {
        /* A reader holds the log: look again. */
        atomic_store(&janitor->dirty, true);
        janitor->quiet_at_us = now_us + QUIET_US;
    }
}

static void tell_swept(struct store *store, const struct swept *total, struct work_record *record,
                       int64_t began_us)
{
    struct work_record expiry = { .kind = WORK_EXPIRY, .count = total->uploads };

    record->count = total->bodies;
    record->bytes = total->bytes;
    record->unfinished = record->status != STORE_OK || total->waiting;
    tell(store, record, began_us);
    if (total->uploads > 0)
        tell(store, &expiry, began_us);
}

static void sweep_round(struct store *store, int64_t now_us)
{
    struct work_record record = { .kind = WORK_SWEEP };
    struct swept total = { .more = true };

    while (total.more && record.status == STORE_OK)
        record.status = sweep_once(store, &total, &record.fault);
    tell_swept(store, &total, &record, now_us);
    if (record.unfinished)
        store->janitor.sweep_at_us =
            now_us + (sweep_wait_us(store) == 0 ? RETRY_US : store->options.janitor_interval_us);
    else
        store->janitor.sweep_at_us = uploads_due(store);
}

/* True: there is such a directory. What can not be read does not keep the walk from the others. */
static bool walk_leaf(struct store *store, uint32_t leaf)
{
    struct janitor *janitor = &store->janitor;
    bool found = false;
    enum store_status status =
        orphans_sweep_leaf(store, janitor->cat, leaf, &found, &janitor->walk_fault);

    if (status != STORE_OK)
        janitor->walk_status = status;
    return found;
}

static void walk_end(struct store *store, struct work_record *record, int64_t now_us)
{
    struct janitor *janitor = &store->janitor;

    record->status = orphans_sweep_packs(store, janitor->cat, &janitor->walk_fault);
    if (record->status == STORE_OK)
        record->status = janitor->walk_status;
    record->fault = janitor->walk_fault;
    record->unfinished = record->status != STORE_OK;
    tell(store, record, now_us);
    janitor->walk_at_us = record->unfinished ? now_us + store->options.janitor_interval_us
                                             : INT64_MAX;
    janitor->walk_position = 0;
    janitor->walk_status = STORE_OK;
    janitor->walk_fault = (struct fault){ 0 };
}

static void walk_round(struct store *store, int64_t now_us)
{
    struct janitor *janitor = &store->janitor;
    struct work_record record = { .kind = WORK_WALK, .unfinished = true };

    while (janitor->walk_position < BLOB_LEAVES && record.count < WALK_LEAVES) {
        if (janitor->walk_position % LEAVES_PER_TOP == 0 &&
            !orphans_top_exists(store, janitor->walk_position / LEAVES_PER_TOP))
            janitor->walk_position += LEAVES_PER_TOP;
        else
            record.count += walk_leaf(store, janitor->walk_position++);
    }
    janitor->walk_at_us = now_us + US_PER_S;
    if (janitor->walk_position == BLOB_LEAVES)
        walk_end(store, &record, now_us);
    else
        health_note_round(&store->health, &record);
}

static void round_of(struct store *store, const struct calls *calls)
{
    struct janitor *janitor = &store->janitor;
    int64_t now_us = clock_monotonic_us(&store->clock);

    if (calls->log_is_long || calls->space_is_low)
        copy_long_log(store);
    if (calls->space_is_low)
        janitor->sweep_at_us = now_us;
    /* How old an upload is, the wall hand says. */
    if (calls->clock_moved)
        janitor->sweep_at_us = earlier(janitor->sweep_at_us, uploads_due(store));
    if (janitor->quiet_at_us == INT64_MAX ? atomic_load(&janitor->dirty)
                                          : janitor->quiet_at_us <= now_us)
        quiet_round(store, now_us);
    if (janitor->sweep_at_us <= now_us)
        sweep_round(store, now_us);
    if (janitor->walk_at_us <= now_us)
        walk_round(store, now_us);
}

static void first_plan(struct store *store)
{
    struct janitor *janitor = &store->janitor;
    int64_t now_us = clock_monotonic_us(&store->clock);
    struct work_record record = { .kind = WORK_SWEEP, .unfinished = true };
    bool dead = false;

    janitor->sweep_at_us = uploads_due(store);
    record.status = catalog_has_dead(janitor->cat, &dead, &record.fault);
    if (record.status != STORE_OK)
        health_work(&store->health, &record);
    /* When it can not be known the sweep finds out. */
    if (record.status != STORE_OK || dead)
        janitor->sweep_at_us = earlier(janitor->sweep_at_us, now_us + sweep_wait_us(store));
    janitor->walk_at_us = now_us + store->options.janitor_interval_us;
}

static bool open_catalog(struct store *store)
{
    struct work_record record = { .kind = WORK_CATALOG };
    int64_t began_us = clock_monotonic_us(&store->clock);

    record.status = catalog_open(store->dir.path, CATALOG_READER, store->options.durability,
                                 &store->janitor.cat, &record.fault);
    record.unfinished = record.status != STORE_OK;
    tell(store, &record, began_us);
    return record.status == STORE_OK;
}

void *janitor_run(void *argument)
{
    struct store *store = argument;
    struct janitor *janitor = &store->janitor;
    struct calls calls;

    while (!open_catalog(store)) {
        if (!sleep_before_retry(janitor))
            return NULL;
    }
    first_plan(store);
    while (sleep_until_due(janitor, &calls)) {
        if (health_poisoned(&store->health)) {
            /* Nothing more to do but wait for the end. */
            janitor->sweep_at_us = janitor->walk_at_us = INT64_MAX;
            janitor->quiet_at_us = INT64_MAX - 1;
            continue;
        }
        round_of(store, &calls);
    }

    catalog_close(janitor->cat);
    return NULL;
}
