/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks; rules in clock.h.
 *
 * (4) Readers look at `stands` first and then at one number only. A mover changes the numbers of
 *     the other state before it changes the state, so a reader sees a time from before or from
 *     after the move, and none between.
 */
#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

const struct clock clock_of_system = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t read_system_us(clockid_t id)
{
    struct timespec now = { 0 };

    /* Cannot fail for the two clocks every system has. */
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

void clock_init(struct clock *clock)
{
    *clock = (struct clock){ 0 };
    (void)pthread_mutex_init(&clock->lock, NULL);
}

void clock_free(struct clock *clock)
{
    assert(clock->watchers == NULL);
    (void)pthread_mutex_destroy(&clock->lock);
}

int64_t clock_now_us(const struct clock *clock)
{
    if (atomic_load_explicit(&clock->stands, memory_order_acquire))
        return atomic_load_explicit(&clock->wall_us, memory_order_relaxed);
    return read_system_us(CLOCK_REALTIME) +
           atomic_load_explicit(&clock->wall_offset_us, memory_order_relaxed);
}

int64_t clock_monotonic_us(const struct clock *clock)
{
    if (atomic_load_explicit(&clock->stands, memory_order_acquire))
        return atomic_load_explicit(&clock->monotonic_us, memory_order_relaxed);
    return read_system_us(CLOCK_MONOTONIC) +
           atomic_load_explicit(&clock->monotonic_offset_us, memory_order_relaxed);
}

/* ---- moving -------------------------------------------------------------------------------- */

static void advance(struct clock *clock, int64_t us)
{
    assert(us >= 0);
    atomic_fetch_add(&clock->wall_us, us);
    atomic_fetch_add(&clock->monotonic_us, us);
    atomic_fetch_add(&clock->wall_offset_us, us);
    atomic_fetch_add(&clock->monotonic_offset_us, us);
}

static void set(struct clock *clock, int64_t us)
{
    atomic_store(&clock->wall_us, us);
    atomic_store(&clock->wall_offset_us, us - read_system_us(CLOCK_REALTIME));
}

static void freeze(struct clock *clock)
{
    if (atomic_load(&clock->stands))
        return;
    atomic_store(&clock->wall_us, clock_now_us(clock));
    atomic_store(&clock->monotonic_us, clock_monotonic_us(clock));
    atomic_store(&clock->stands, true);
}

static void run(struct clock *clock)
{
    if (!atomic_load(&clock->stands))
        return;
    atomic_store(&clock->wall_offset_us,
                 atomic_load(&clock->wall_us) - read_system_us(CLOCK_REALTIME));
    atomic_store(&clock->monotonic_offset_us,
                 atomic_load(&clock->monotonic_us) - read_system_us(CLOCK_MONOTONIC));
    atomic_store(&clock->stands, false);
}

void clock_move(struct clock *clock, enum clock_move move, int64_t us)
{
    (void)pthread_mutex_lock(&clock->lock);
    switch (move) {
    case CLOCK_ADVANCE:
        advance(clock, us);
        break;
    case CLOCK_SET:
        set(clock, us);
        break;
    case CLOCK_FREEZE:
        freeze(clock);
        break;
    case CLOCK_RUN:
        run(clock);
        break;
    }
    for (const struct clock_watcher *each = clock->watchers; each != NULL; each = each->next)
        each->moved(each->context);
    (void)pthread_mutex_unlock(&clock->lock);
}

void clock_watch(struct clock *clock, struct clock_watcher *watcher)
{
    (void)pthread_mutex_lock(&clock->lock);
    watcher->next = clock->watchers;
    clock->watchers = watcher;
    (void)pthread_mutex_unlock(&clock->lock);
}

void clock_unwatch(struct clock *clock, struct clock_watcher *watcher)
{
    struct clock_watcher **link = &clock->watchers;

    (void)pthread_mutex_lock(&clock->lock);
    while (*link != watcher)
        link = &(*link)->next;
    *link = watcher->next;
    (void)pthread_mutex_unlock(&clock->lock);
}

/* ---- sleeping ------------------------------------------------------------------------------- */

int64_t clock_sleep_us(const struct clock *clock, int64_t now_us, int64_t until_us)
{
    if (until_us <= now_us)
        return 0;
    if (until_us == INT64_MAX || atomic_load_explicit(&clock->stands, memory_order_relaxed))
        return INT64_MAX;
    return until_us - now_us;
}

void clock_condition_init(pthread_cond_t *wake)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

int clock_wait(const struct clock *clock, pthread_cond_t *wake, pthread_mutex_t *lock,
               int64_t until_us)
{
    int64_t sleep_us = clock_sleep_us(clock, clock_monotonic_us(clock), until_us);
    struct timespec at;

    if (sleep_us == 0)
        return ETIMEDOUT;
    if (sleep_us == INT64_MAX)
        return pthread_cond_wait(wake, lock);
    sleep_us += read_system_us(CLOCK_MONOTONIC);
    at.tv_sec = (time_t)(sleep_us / US_PER_S);
    at.tv_nsec = (long)(sleep_us % US_PER_S) * 1000;
    return pthread_cond_timedwait(wake, lock, &at);
}
