/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that delivers; see deliverer.h.
 */
#include "server/s3/delivery/deliverer.h"

#include <pthread.h>
#include <signal.h>

#include "base/digest/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/s3/delivery/log_delivery.h"

#define NEVER INT64_MAX

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
};

struct deliverer *deliverer_open(int64_t log_interval_us)
{
    struct deliverer *self = mem_zalloc(sizeof(*self));

    if (self == NULL)
        return NULL;
    self->log_interval_us = log_interval_us;
    self->logs_due_us = NEVER;
    self->lines = &self->both[0];
    log_lines_init(&self->both[0]);
    log_lines_init(&self->both[1]);
    (void)pthread_mutex_init(&self->lock, NULL);
    clock_condition_init(&self->wake);
    return self;
}

/* ---- told of requests -------------------------------------------------------------------------- */

static void on_request(void *context, const struct request_record *record)
{
    struct deliverer *self = context;
    bool wake = false;

    if (record->log == NULL)
        return;
    (void)pthread_mutex_lock(&self->lock);
    log_lines_add(self->lines, record);
    if (self->logs_due_us == NEVER) {
        self->logs_due_us = record->done_us + self->log_interval_us;
        wake = true;
    }
    if (self->lines->bytes.len >= LOG_LINES_BYTES_URGENT && self->logs_due_us > record->done_us) {
        self->logs_due_us = record->done_us;
        wake = true;
    }
    if (wake)
        (void)pthread_cond_signal(&self->wake);
    (void)pthread_mutex_unlock(&self->lock);
}

struct observer deliverer_observer(struct deliverer *self)
{
    return (struct observer){ .request = on_request, .context = self };
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

static void deliver_logs(struct deliverer *self, struct log_lines *lines)
{
    const struct auth_config *auth = &self->options->auth;
    struct fault fault = { 0 };
    struct errands errands = {
        .options = self->options,
        .stores = loop_stores_open(self->options->stores, auth->region, auth->account_id, &fault),
        .credentials = credentials_open(auth->users),
    };

    if (errands.stores != NULL && errands.credentials != NULL) {
        log_delivery_run(&errands, lines);
    } else {
        log_warn("access log: what waited is lost: %s",
                 fault.text[0] != '\0' ? fault.text : "no memory");
        log_lines_clear(lines);
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
        struct log_lines *lines = NULL;

        while (!self->stopping && clock_monotonic_us(self->clock) < self->logs_due_us)
            (void)clock_wait(self->clock, &self->wake, &self->lock, self->logs_due_us);
        last = self->stopping;
        if (self->lines->bytes.len > 0 || self->lines->lost > 0)
            lines = swap_lines(self);
        (void)pthread_mutex_unlock(&self->lock);
        if (lines != NULL)
            deliver_logs(self, lines);
        (void)pthread_mutex_lock(&self->lock);
    }
    (void)pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* On the mover's thread. */
static void clock_moved(void *context)
{
    struct deliverer *self = context;

    (void)pthread_mutex_lock(&self->lock);
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
