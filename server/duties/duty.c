/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that sleeps until its next round is due; see duty.h.
 */
#include "server/duties/duty.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/memory.h"

/* The system's own may be set without a word: nobody sleeps longer than this without a look. */
#define LOOK_US (INT64_C(24) * 3600 * US_PER_S)

struct duty {
    struct clock *clock; /* the store's */
    struct clock_watcher watcher;
    duty_round *round;
    void *context;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken; /* under the lock */
    bool moved; /* the clock was; the same */
    atomic_bool stop;
};

static void note(struct duty *duty, bool *what)
{
    (void)pthread_mutex_lock(&duty->lock);
    *what = true;
    (void)pthread_cond_signal(&duty->wake);
    (void)pthread_mutex_unlock(&duty->lock);
}

static void clock_moved(void *context)
{
    struct duty *duty = context;

    note(duty, &duty->moved);
}

void duty_wake(struct duty *duty)
{
    note(duty, &duty->woken);
}

bool duty_stopping(const struct duty *duty)
{
    return atomic_load(&duty->stop);
}

/*
 * Until the wall hand shows due_us, or less than it did at since_us, when that was planned; or it is woken.
 * False: time to stop.
 */
static bool sleep_until(struct duty *duty, int64_t due_us, int64_t since_us)
{
    (void)pthread_mutex_lock(&duty->lock);
    while (!atomic_load(&duty->stop) && !duty->woken) {
        int64_t now_us = clock_now_us(duty->clock);
        int64_t wait_us = due_us == INT64_MAX ? INT64_MAX : due_us - now_us;
        int64_t until_us = INT64_MAX;

        if (wait_us <= 0 || now_us < since_us)
            break;
        if (wait_us != INT64_MAX)
            until_us = clock_monotonic_us(duty->clock) + (wait_us < LOOK_US ? wait_us : LOOK_US);
        duty->moved = false;
        while (!atomic_load(&duty->stop) && !duty->woken && !duty->moved &&
               clock_wait(duty->clock, &duty->wake, &duty->lock, until_us) != ETIMEDOUT)
            ;
    }
    duty->woken = false;
    (void)pthread_mutex_unlock(&duty->lock);
    return !atomic_load(&duty->stop);
}

void duty_rest(struct duty *duty, int64_t us)
{
    int64_t until_us = clock_monotonic_us(&clock_of_system) + us;

    (void)pthread_mutex_lock(&duty->lock);
    while (!atomic_load(&duty->stop) &&
           clock_wait(&clock_of_system, &duty->wake, &duty->lock, until_us) != ETIMEDOUT)
        ;
    (void)pthread_mutex_unlock(&duty->lock);
}

static void *run(void *argument)
{
    struct duty *duty = argument;
    int64_t since_us = 0;
    int64_t due_us = 0;

    while (sleep_until(duty, due_us, since_us)) {
        since_us = clock_now_us(duty->clock);
        due_us = duty->round(duty->context, duty, since_us);
    }
    return NULL;
}

static void dispose(struct duty *duty)
{
    clock_unwatch(duty->clock, &duty->watcher);
    (void)pthread_cond_destroy(&duty->wake);
    (void)pthread_mutex_destroy(&duty->lock);
    mem_free(duty);
}

/* Signals are the main thread's business. */
static int start_thread(struct duty *duty)
{
    sigset_t all;
    sigset_t before;
    int error;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&duty->thread, NULL, run, duty);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct duty *duty_start(struct store *store, duty_round *round, void *context)
{
    struct duty *duty = mem_zalloc(sizeof(*duty));

    if (duty == NULL)
        return NULL;
    duty->clock = store_clock(store);
    duty->round = round;
    duty->context = context;
    (void)pthread_mutex_init(&duty->lock, NULL);
    clock_condition_init(&duty->wake);
    duty->watcher = (struct clock_watcher){ .moved = clock_moved, .context = duty };
    clock_watch(duty->clock, &duty->watcher);
    if (start_thread(duty) != 0) {
        dispose(duty);
        return NULL;
    }
    return duty;
}

void duty_stop(struct duty *duty)
{
    if (duty == NULL)
        return;
    (void)pthread_mutex_lock(&duty->lock);
    atomic_store(&duty->stop, true);
    (void)pthread_cond_signal(&duty->wake);
    (void)pthread_mutex_unlock(&duty->lock);
    (void)pthread_join(duty->thread, NULL);
    dispose(duty);
}
