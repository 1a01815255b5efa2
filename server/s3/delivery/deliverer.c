/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that delivers; see deliverer.h.
 */
#include "server/s3/delivery/deliverer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/digest/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/s3/delivery/inventory.h"
#include "server/s3/delivery/log_delivery.h"

#define NEVER INT64_MAX
#define US_PER_DAY (24 * 3600 * US_PER_S)
/* What could not be delivered is tried again: after the first, twice as late each time, until the last. */
#define RETRY_FIRST_US (60 * US_PER_S)
#define RETRY_LAST_US (3600 * US_PER_S)

struct deliverer {
    int64_t log_interval_us;
    const struct s3_options *options;
    struct clock *clock;
    struct clock_watcher watcher;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    bool stopping;
    struct log_lines *lines; /* that come in; the others are the thread's */
    int64_t logs_due_us;     /* monotonic; NEVER: there are none */
    struct log_lines both[2];
    int64_t inventory_due_us; /* monotonic; NEVER: there is none */
    atomic_bool
        inventory_failed; /* of the last round some; or one is under way. Read without the lock, too */
    int64_t retry_us;     /* the thread's: how long to wait after the next failure */
};

struct deliverer *deliverer_open(int64_t log_interval_us)
{
    struct deliverer *self = mem_zalloc(sizeof(*self));

    if (self == NULL)
        return NULL;
    self->log_interval_us = log_interval_us;
    self->logs_due_us = NEVER;
    self->retry_us = RETRY_FIRST_US;
    self->lines = &self->both[0];
    log_lines_init(&self->both[0]);
    log_lines_init(&self->both[1]);
    (void)pthread_mutex_init(&self->lock, NULL);
    clock_condition_init(&self->wake);
    return self;
}

/* ---- told of requests -------------------------------------------------------------------------- */

/* Due at once: a new configuration; what may let in one that failed. */
static bool changes_inventories(const struct deliverer *self, const struct request_record *record)
{
    if (record->status >= 300)
        return false;
    return str_eq(record->name, STR("PutBucketInventoryConfiguration")) ||
           (self->inventory_failed && (str_eq(record->name, STR("PutBucketPolicy")) ||
                                       str_eq(record->name, STR("CreateBucket"))));
}

/* Lines were added. The lock is held. */
static void note_lines(struct deliverer *self, int64_t now_us)
{
    if (self->logs_due_us == NEVER) {
        self->logs_due_us = now_us + self->log_interval_us;
        (void)pthread_cond_signal(&self->wake);
    }
    if (self->lines->bytes.len >= LOG_LINES_BYTES_URGENT && self->logs_due_us > now_us) {
        self->logs_due_us = now_us;
        (void)pthread_cond_signal(&self->wake);
    }
}

static void on_request(void *context, const struct request_record *record)
{
    struct deliverer *self = context;
    bool changes = changes_inventories(self, record);

    if (record->log == NULL && !changes)
        return;
    (void)pthread_mutex_lock(&self->lock);
    if (record->log != NULL) {
        log_lines_add(self->lines, record);
        note_lines(self, record->done_us);
    }
    if (changes) {
        self->inventory_due_us = record->done_us;
        (void)pthread_cond_signal(&self->wake);
    }
    (void)pthread_mutex_unlock(&self->lock);
}

static void on_deed(void *context, const struct deed_record *record)
{
    struct deliverer *self = context;

    (void)pthread_mutex_lock(&self->lock);
    log_lines_add_deed(self->lines, record);
    note_lines(self, clock_monotonic_us(self->clock));
    (void)pthread_mutex_unlock(&self->lock);
}

struct observer deliverer_observer(struct deliverer *self)
{
    return (struct observer){ .request = on_request, .deed = on_deed, .context = self };
}

/* ---- the thread -------------------------------------------------------------------------------- */

/* The lines that have come so far; new ones go to the others. */
static struct log_lines *swap_lines(struct deliverer *self)
{
    struct log_lines *full = self->lines;

    self->lines = full == &self->both[0] ? &self->both[1] : &self->both[0];
    self->logs_due_us = NEVER;
    return full;
}

static int64_t due_us(const struct deliverer *self)
{
    return self->logs_due_us < self->inventory_due_us ? self->logs_due_us : self->inventory_due_us;
}

static void put_off(struct deliverer *self)
{
    int64_t later_us = clock_monotonic_us(self->clock) + RETRY_FIRST_US;

    if (self->logs_due_us < later_us)
        self->logs_due_us = later_us;
    if (self->inventory_due_us < later_us)
        self->inventory_due_us = later_us;
}

/* The lock is held, and let go of meanwhile. */
static void deliver_logs(struct deliverer *self, const struct errands *errands)
{
    struct log_lines *lines = swap_lines(self);

    (void)pthread_mutex_unlock(&self->lock);
    log_delivery_run(errands, lines);
    (void)pthread_mutex_lock(&self->lock);
}

static bool logs_are_due(const struct deliverer *self)
{
    return clock_monotonic_us(self->clock) >= self->logs_due_us;
}

static bool go_on(void *context, const struct errands *errands)
{
    struct deliverer *self = context;
    bool stopping;

    (void)pthread_mutex_lock(&self->lock);
    if (logs_are_due(self))
        deliver_logs(self, errands);
    stopping = self->stopping;
    (void)pthread_mutex_unlock(&self->lock);
    return !stopping;
}

/* When a day begins, by the monotonic hand; sooner, where something has failed. */
static int64_t next_round_us(struct deliverer *self, const struct inventory_round *round)
{
    int64_t now_us = clock_now_us(self->clock);
    int64_t wait_us = US_PER_DAY - now_us % US_PER_DAY;

    if (round->failed == 0) {
        self->retry_us = RETRY_FIRST_US;
    } else {
        wait_us = wait_us < self->retry_us ? wait_us : self->retry_us;
        self->retry_us = self->retry_us < RETRY_LAST_US / 2 ? 2 * self->retry_us : RETRY_LAST_US;
    }
    return clock_monotonic_us(self->clock) + wait_us;
}

/* The lock is held, and let go of meanwhile. What is put while a round is under way begins another. */
static void deliver_inventories(struct deliverer *self, const struct errands *errands)
{
    struct inventory_round round;

    self->inventory_due_us = NEVER;
    self->inventory_failed = true; /* what is put meanwhile may come too late for this one */
    (void)pthread_mutex_unlock(&self->lock);
    round = inventory_run(errands);
    (void)pthread_mutex_lock(&self->lock);
    self->inventory_failed = round.failed > 0;
    if ((round.enabled > 0 || round.failed > 0) && self->inventory_due_us == NEVER)
        self->inventory_due_us = next_round_us(self, &round);
}

/* What is due, or all there is where the server stops. The lock is held, and let go of meanwhile. */
static void work(struct deliverer *self)
{
    const struct auth_config *auth = &self->options->auth;
    bool inventories = clock_monotonic_us(self->clock) >= self->inventory_due_us && !self->stopping;
    struct fault fault = { 0 };
    struct errands errands = { .options = self->options, .go_on = go_on, .context = self };

    (void)pthread_mutex_unlock(&self->lock);
    errands.stores =
        loop_stores_open(self->options->stores, auth->region, auth->account_id, &fault);
    errands.credentials = credentials_open(auth->users);
    (void)pthread_mutex_lock(&self->lock);
    if (errands.stores != NULL && errands.credentials != NULL) {
        deliver_logs(self, &errands);
        if (inventories)
            deliver_inventories(self, &errands);
    } else {
        log_warn("what is to be delivered waits: %s",
                 fault.text[0] != '\0' ? fault.text : "there is no memory");
        put_off(self);
    }
    credentials_close(errands.credentials);
    loop_stores_close(errands.stores);
}

static void *run(void *context)
{
    struct deliverer *self = context;
    bool last = false;

    if (!digest_thread_prepare()) {
        log_error("access logs are not delivered: there is no memory");
        return NULL;
    }
    (void)pthread_mutex_lock(&self->lock);
    while (!last) {
        while (!self->stopping && clock_monotonic_us(self->clock) < due_us(self))
            (void)clock_wait(self->clock, &self->wake, &self->lock, due_us(self));
        last = self->stopping;
        if (!last || self->lines->bytes.len > 0 || self->lines->lost > 0)
            work(self);
    }
    (void)pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* On the mover's thread. */
static void clock_moved(void *context)
{
    struct deliverer *self = context;

    (void)pthread_mutex_lock(&self->lock);
    if (self->inventory_due_us != NEVER)
        self->inventory_due_us = clock_monotonic_us(self->clock);
    (void)pthread_cond_signal(&self->wake);
    (void)pthread_mutex_unlock(&self->lock);
}

bool deliverer_start(struct deliverer *self, const struct s3_options *options, struct clock *clock,
                     struct fault *fault)
{
    sigset_t all;
    sigset_t before;
    int error;

    self->options = options;
    self->clock = clock;
    (void)sigfillset(&all);
    self->watcher = (struct clock_watcher){ .moved = clock_moved, .context = self };
    clock_watch(clock, &self->watcher);
    /* Signals are the main thread's business. */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&self->thread, NULL, run, self);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        clock_unwatch(clock, &self->watcher);
        return fault_false(fault, "there can be no thread that delivers");
    }
    self->started = true;
    return true;
}

void deliverer_close(struct deliverer *self)
{
    if (self == NULL)
        return;
    if (self->started) {
        (void)pthread_mutex_lock(&self->lock);
        self->stopping = true;
        (void)pthread_cond_signal(&self->wake);
        (void)pthread_mutex_unlock(&self->lock);
        (void)pthread_join(self->thread, NULL);
        clock_unwatch(self->clock, &self->watcher);
    }
    log_lines_free(&self->both[0]);
    log_lines_free(&self->both[1]);
    (void)pthread_cond_destroy(&self->wake);
    (void)pthread_mutex_destroy(&self->lock);
    mem_free(self);
}
