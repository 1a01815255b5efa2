/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replicator; see run.h.
 *
 * A round: list what is due, plan it, submit its replicas together, then one intent that says how it all
 * went. Killed in between, the replicas that were written are written again, and so nothing changes.
 */
#include "server/s3/replication/run.h"

#include <stdio.h>

#include "base/log.h"
#include "server/duties/duty.h"
#include "server/s3/loop_stores.h"
#include "server/s3/replication/plan.h"

#define ROUND_FIRST_BYTES (16u * 1024u)
#define ROUND_BYTES_MAX (64u * 1024u * 1024u)
#define RETRY_US US_PER_S
#define RETRY_US_MAX (3600 * US_PER_S)
#define RETRIES_AT_ONCE 8 /* of what has changed while it was planned */
#define ARN_BYTES_MAX 160
#define LOG_WHERE_BYTES_MAX 8192

struct replicator {
    const struct s3_options *options;
    struct loop_store at; /* reader NULL: nothing waits */
    char arn[ARN_BYTES_MAX];
    struct credentials *credentials;
    struct clock *clock; /* the store's */
    struct event_listener listener;
    struct duty *duty;
    pthread_mutex_t lock;
    pthread_cond_t ended; /* pending went down */
    size_t pending;       /* intents that are out */
};

/* What a round has in hand. */
struct round {
    struct replicator *self;
    struct op op; /* nobody's request */
    struct http_request request;
    struct backlog_item items[REPLICATION_ROUND_ITEMS];
    struct replication_plan plans[REPLICATION_ROUND_ITEMS];
    size_t count;
    bool lacking; /* memory */
};

/* ---- intents ----------------------------------------------------------------------------------- */

static void intent_done(struct intent *intent)
{
    struct replicator *self = intent->owner;

    (void)pthread_mutex_lock(&self->lock);
    self->pending--;
    (void)pthread_cond_signal(&self->ended);
    (void)pthread_mutex_unlock(&self->lock);
}

static void submit(struct replicator *self, struct intent *intent)
{
    intent->done = intent_done;
    intent->owner = self;
    (void)pthread_mutex_lock(&self->lock);
    self->pending++;
    (void)pthread_mutex_unlock(&self->lock);
    store_submit_later(self->at.held->store, intent);
}

static void wait_for_all(struct replicator *self)
{
    store_submit_flush(self->at.held->store);
    (void)pthread_mutex_lock(&self->lock);
    while (self->pending > 0)
        (void)pthread_cond_wait(&self->ended, &self->lock);
    (void)pthread_mutex_unlock(&self->lock);
}

/* ---- a round ----------------------------------------------------------------------------------- */

static bool take_item(void *context, const struct backlog_item *item)
{
    struct round *round = context;
    struct backlog_item *kept = &round->items[round->count];

    *kept = *item;
    kept->state = REPLICATION_COMPLETED;
    kept->key = arena_dup(round->op.arena, item->key);
    if (str_present(item->bucket))
        kept->bucket = arena_dup(round->op.arena, item->bucket);
    round->lacking = !str_present(kept->key) ||
                     (str_present(item->bucket) && !str_present(kept->bucket));
    if (!round->lacking)
        round->count++;
    return !round->lacking;
}

static void say_failed(const struct backlog_item *item, const char *why)
{
    CLEANUP(buf_free) struct buf where = BUF_WITH_MAX(LOG_WHERE_BYTES_MAX);

    buf_lit(&where, "bucket=");
    log_value(&where, item->bucket);
    buf_lit(&where, " key=");
    log_value(&where, item->key);
    log_warn("replication failed %.*s: %s", where.failed ? 0 : (int)where.len,
             where.p != NULL ? where.p : "", why);
}

static int64_t back_off_us(uint32_t tries)
{
    int64_t us = tries < 12 ? RETRY_US << tries : RETRY_US_MAX;

    return us < RETRY_US_MAX ? us : RETRY_US_MAX;
}

static void try_again(struct replicator *self, struct backlog_item *item, enum store_status status)
{
    bool at_once = status == STORE_RETRY && item->tries < RETRIES_AT_ONCE;

    item->due_us = clock_now_us(self->clock) + (at_once ? 0 : back_off_us(item->tries));
    item->tries++;
    item->state = REPLICATION_PENDING;
    if (item->tries < REPLICATION_TRIES_MAX)
        return;
    item->state = REPLICATION_FAILED;
    say_failed(item, store_status_name(status));
}

static void plan_item(struct round *round, size_t i)
{
    struct backlog_item *item = &round->items[i];
    enum store_status status;

    reader_begin(round->op.reader);
    status = replication_plan(&round->op, round->self->credentials, item, &round->plans[i]);
    reader_end(round->op.reader);
    if (status != STORE_OK) {
        round->plans[i].jobs = NULL;
        try_again(round->self, item, status);
        return;
    }
    if (round->plans[i].gone)
        item->state = REPLICATION_NONE;
    for (struct replication_job *job = round->plans[i].jobs; job != NULL; job = job->next)
        submit(round->self, &job->intent);
}

/* Replicas are written, or are not. */
static void judge_item(struct round *round, size_t i)
{
    struct backlog_item *item = &round->items[i];
    const struct replication_plan *plan = &round->plans[i];

    if (item->state != REPLICATION_COMPLETED)
        return;
    for (const struct replication_job *job = plan->jobs; job != NULL; job = job->next)
        if (job->intent.status != STORE_OK) {
            try_again(round->self, item, job->intent.status);
            return;
        }
    if (plan->failed == NULL)
        return;
    item->state = REPLICATION_FAILED;
    say_failed(item, plan->failed);
}

static enum store_status end_round(struct round *round)
{
    struct intent end = { .kind = INTENT_REPLICATION_END,
                          .arena = round->op.arena,
                          .replication_end = { .items = round->items, .count = round->count } };

    for (size_t i = 0; i < round->count; i++)
        judge_item(round, i);
    return store_submit_wait(round->self->at.held->store, &end);
}

/* ret_next_us: by the wall hand, when the next is due; INT64_MAX: nothing waits. */
static enum store_status run_round(struct round *round, int64_t *ret_next_us)
{
    struct replicator *self = round->self;
    enum store_status status = backlog_list(self->at.reader, clock_now_us(self->clock),
                                            REPLICATION_ROUND_ITEMS, take_item, round, ret_next_us,
                                            &round->op.fault);

    if (status != STORE_OK)
        return round->lacking ? STORE_NO_MEMORY : status;
    if (round->count == 0)
        return STORE_OK;
    for (size_t i = 0; i < round->count; i++)
        plan_item(round, i);
    wait_for_all(self);
    status = end_round(round);
    *ret_next_us = 0; /* look again: some may be due by now */
    return status;
}

/* ---- rounds ------------------------------------------------------------------------------------ */

static bool open_store(struct replicator *self, struct fault *fault)
{
    struct store *store = self->at.held->store;
    char uuid[STORE_KEY_UUID_LEN + 1];

    if (self->at.reader != NULL)
        return true;
    if (self->at.configs == NULL)
        self->at.configs = bucket_configs_open();
    if (self->credentials == NULL)
        self->credentials = credentials_open(self->options->auth.users);
    if (self->at.configs == NULL || self->credentials == NULL ||
        reader_open(store, &self->at.reader, fault) != STORE_OK)
        return false;
    store_key_uuid(store, uuid);
    (void)snprintf(self->arn, sizeof(self->arn), "arn:aws:kms:%.*s:%.*s:key/%s",
                   STR_ARG(self->options->auth.region), STR_ARG(self->options->auth.account_id),
                   uuid);
    self->at.kms_key_arn = str_from_cstr(self->arn);
    return true;
}

static void let_go(struct replicator *self)
{
    bucket_configs_close(self->at.configs);
    credentials_close(self->credentials);
    if (self->at.reader != NULL)
        reader_close(self->at.reader);
    self->at.configs = NULL;
    self->credentials = NULL;
    self->at.reader = NULL;
}

/* A duty_round. */
static int64_t replicate(void *context, struct duty *duty UNUSED, int64_t now_us)
{
    struct replicator *self = context;
    struct arena *arena = arena_open(ROUND_FIRST_BYTES, ROUND_BYTES_MAX);
    struct round *round = arena != NULL ? ARENA_NEW(arena, struct round) : NULL;
    enum store_status status = STORE_NO_MEMORY;
    int64_t next_us = INT64_MAX;

    if (round != NULL && open_store(self, &round->op.fault)) {
        round->self = self;
        round->op.arena = arena;
        round->op.at = &self->at;
        round->op.store = self->at.held->store;
        round->op.reader = self->at.reader;
        round->op.options = self->options;
        round->op.request = &round->request;
        round->op.config = &bucket_config_none;
        status = run_round(round, &next_us);
    }
    arena_close(arena);
    if (status != STORE_OK)
        return now_us + RETRY_US;
    if (next_us == INT64_MAX)
        let_go(self);
    return next_us;
}

/* ---- started and stopped ----------------------------------------------------------------------- */

static void backlog_grew(struct event_listener *listener)
{
    const struct replicator *self = listener->owner;

    duty_wake(self->duty);
}

struct replicator *replication_start(const struct s3_options *options, struct open_store *held)
{
    struct replicator *self = mem_zalloc(sizeof(*self));

    if (self == NULL)
        return NULL;
    self->options = options;
    self->at.held = held;
    self->clock = store_clock(held->store);
    (void)pthread_mutex_init(&self->lock, NULL);
    (void)pthread_cond_init(&self->ended, NULL);
    self->listener =
        (struct event_listener){ .wake = backlog_grew, .owner = self, .hears = HEARS_BACKLOG };
    self->duty = duty_start(held->store, replicate, self);
    if (self->duty == NULL) {
        mem_free(self);
        return NULL;
    }
    store_listen(held->store, &self->listener);
    duty_wake(self->duty); /* for what came before it listened */
    return self;
}

void replication_stop(struct replicator *replicator)
{
    if (replicator == NULL)
        return;
    store_unlisten(replicator->at.held->store, &replicator->listener);
    duty_stop(replicator->duty);
    let_go(replicator);
    (void)pthread_cond_destroy(&replicator->ended);
    (void)pthread_mutex_destroy(&replicator->lock);
    mem_free(replicator);
}
