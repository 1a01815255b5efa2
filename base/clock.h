/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks, and the date formats S3 uses.
 *
 * A clock is a value that belongs to somebody: a store has one, a server's application has one.
 * Whatever they note, let expire or wait for is read from it, so that time can be moved for its
 * owner and for nobody else.
 *
 * It has two hands: the wall hand in microseconds since 1970 UTC, and the monotonic hand for
 * deadlines, which is never set.
 *
 * (1) A clock that nobody moved shows the system's time. To read it costs no lock.
 * (2) Whoever sleeps until a moment of a clock watches it: every move wakes them.
 * (3) While a clock stands still nothing becomes due by itself, and nobody wakes up to look.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/text/str.h"

#define US_PER_S INT64_C(1000000)
#define US_PER_MS (US_PER_S / 1000)
#define US_PER_DAY (24 * 3600 * US_PER_S)

/* Lies with its owner from clock_watch to clock_unwatch. */
struct clock_watcher {
    /* On the mover's thread. It may take locks, but neither move nor watch this clock. */
    void (*moved)(void *context);
    void *context;
    struct clock_watcher *next;
};

struct clock {
    atomic_bool stands;
    _Atomic int64_t wall_offset_us, monotonic_offset_us; /* to the system's, while it runs */
    _Atomic int64_t wall_us, monotonic_us;               /* where the hands stand */
    pthread_mutex_t lock;                                /* of movers and watchers */
    struct clock_watcher *watchers;
};

/* Nobody moves this one. For what belongs to no store and no server: lines of the log, commands. */
extern const struct clock clock_of_system;

/* It runs with the system's time. */
void clock_init(struct clock *clock);
void clock_free(struct clock *clock);

/* The two hands. Any thread. */
int64_t clock_now_us(const struct clock *clock);
int64_t clock_monotonic_us(const struct clock *clock);

enum clock_move {
    CLOCK_ADVANCE, /* us pass at once, by both hands; not less than none */
    CLOCK_SET,     /* the wall hand is put to us, as somebody sets a clock that goes wrong */
    CLOCK_FREEZE,  /* it stands */
    CLOCK_RUN,     /* it goes on from where it stands */
};

/*
 * Move the clock, then tell those who watch it. Any thread.
 *
 * us  of ADVANCE and SET; else 0.
 */
void clock_move(struct clock *clock, enum clock_move move, int64_t us);

/* From now on every move calls the watcher; after clock_unwatch has returned none does. */
void clock_watch(struct clock *clock, struct clock_watcher *watcher);
void clock_unwatch(struct clock *clock, struct clock_watcher *watcher);

/*
 * How long to sleep by the system's time until the monotonic hand, which showed now_us just now,
 * shows until_us: 0 if it does, INT64_MAX when that is never (until_us INT64_MAX) or the clock stands.
 */
int64_t clock_sleep_us(const struct clock *clock, int64_t now_us, int64_t until_us);

/*
 * Wait for the condition until the monotonic hand shows until_us (INT64_MAX: never).
 *
 * wake  made by clock_condition_init.
 * lock  held by the caller; a watcher of the clock takes it and then signals wake.
 * Returns 0 when it was woken, ETIMEDOUT once the moment is there.
 */
int clock_wait(const struct clock *clock, pthread_cond_t *wake, pthread_mutex_t *lock,
               int64_t until_us);
void clock_condition_init(pthread_cond_t *wake);

#define CLOCK_ISO8601_LEN 24 /* 2026-11-21T05:25:23.000Z */
#define CLOCK_HTTP_LEN 29    /* Sat, 21 Nov 2026 05:25:23 GMT */
#define CLOCK_AMZ_LEN 16     /* 20261121T052523Z */

/* out gets exactly the length named plus a NUL. */
void clock_format_iso8601(int64_t us, char out[CLOCK_ISO8601_LEN + 1]);
void clock_format_http(int64_t us, char out[CLOCK_HTTP_LEN + 1]);
void clock_format_amz(int64_t us, char out[CLOCK_AMZ_LEN + 1]);

/* A day that was written before. Starts as { 0 }; one thread at a time. */
struct clock_day {
    int64_t number; /* days since year 1, and 1: 0 is none */
    char text[10];
};

/*
 * A time as S3's documents show it: the whole second, as in the header Last-Modified. The calendar
 * is asked only when the day is another than the last.
 */
void clock_format_s3(int64_t us, struct clock_day *day, char out[CLOCK_ISO8601_LEN + 1]);

/* RFC 1123, RFC 850 and asctime forms. */
MUST_CHECK bool clock_parse_http(struct str s, int64_t *ret_us);
/* Basic form 20261121T052523Z only, digits ASCII, fields in range. */
MUST_CHECK bool clock_parse_amz(struct str s, int64_t *ret_us);
/* 2026-11-21T05:25:23[.fraction]Z */
MUST_CHECK bool clock_parse_iso8601(struct str s, int64_t *ret_us);

#endif
