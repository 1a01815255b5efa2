/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock: clocks that are moved, and who waits for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <cmocka.h>

#include "base/clock.h"

#define HOUR_US (3600 * US_PER_S)
#define FAR_US (1000 * 24 * HOUR_US)

static int setup(void **state)
{
    static struct clock clock;

    clock_init(&clock);
    *state = &clock;
    return 0;
}

static int teardown(void **state)
{
    clock_free(*state);
    return 0;
}

/* As long as a test can take and no longer. */
static void assert_about(int64_t us, int64_t expected_us)
{
    assert_in_range(us - expected_us + HOUR_US, 0, 2 * HOUR_US);
}

static void test_base_clock__nobody_moved_shows_the_system_s_time(void **state)
{
    struct clock *clock = *state;
    int64_t before_us = clock_now_us(&clock_of_system);
    int64_t now_us = clock_now_us(clock);

    assert_true(before_us <= now_us && now_us <= clock_now_us(&clock_of_system));
    before_us = clock_monotonic_us(&clock_of_system);
    now_us = clock_monotonic_us(clock);
    assert_true(before_us <= now_us && now_us <= clock_monotonic_us(&clock_of_system));
}

static void test_base_clock__time_that_passes_moves_both_hands(void **state)
{
    struct clock *clock = *state;
    int64_t wall_us = clock_now_us(clock);
    int64_t monotonic_us = clock_monotonic_us(clock);

    clock_move(clock, CLOCK_ADVANCE, FAR_US);
    assert_about(clock_now_us(clock) - wall_us, FAR_US);
    assert_about(clock_monotonic_us(clock) - monotonic_us, FAR_US);
}

static void test_base_clock__set_moves_the_wall_hand_alone(void **state)
{
    struct clock *clock = *state;
    int64_t monotonic_us = clock_monotonic_us(clock);

    clock_move(clock, CLOCK_SET, 5 * US_PER_S);
    assert_about(clock_now_us(clock), 5 * US_PER_S);
    assert_true(clock_monotonic_us(clock) >= monotonic_us);
    assert_about(clock_monotonic_us(clock), monotonic_us);
}

static void test_base_clock__frozen_stands_to_the_microsecond(void **state)
{
    struct clock *clock = *state;
    int64_t wall_us;
    int64_t monotonic_us;

    clock_move(clock, CLOCK_FREEZE, 0);
    wall_us = clock_now_us(clock);
    monotonic_us = clock_monotonic_us(clock);
    for (int64_t end_us = clock_monotonic_us(&clock_of_system) + 100;
         clock_monotonic_us(&clock_of_system) < end_us;) {
        assert_true(clock_now_us(clock) == wall_us);
        assert_true(clock_monotonic_us(clock) == monotonic_us);
    }
    clock_move(clock, CLOCK_FREEZE, 0);
    clock_move(clock, CLOCK_ADVANCE, 7);
    assert_true(clock_now_us(clock) == wall_us + 7);
    assert_true(clock_monotonic_us(clock) == monotonic_us + 7);
    clock_move(clock, CLOCK_SET, 3);
    assert_true(clock_now_us(clock) == 3);
    assert_true(clock_monotonic_us(clock) == monotonic_us + 7);
}

static void test_base_clock__goes_on_from_where_it_stood(void **state)
{
    struct clock *clock = *state;
    int64_t monotonic_us;

    clock_move(clock, CLOCK_FREEZE, 0);
    clock_move(clock, CLOCK_SET, FAR_US);
    clock_move(clock, CLOCK_ADVANCE, FAR_US);
    monotonic_us = clock_monotonic_us(clock);
    clock_move(clock, CLOCK_RUN, 0);
    assert_true(clock_now_us(clock) >= 2 * FAR_US);
    assert_about(clock_now_us(clock), 2 * FAR_US);
    assert_true(clock_monotonic_us(clock) >= monotonic_us);
    assert_about(clock_monotonic_us(clock), monotonic_us);
    clock_move(clock, CLOCK_RUN, 0);
    assert_about(clock_now_us(clock), 2 * FAR_US);
}

static void test_base_clock__two_of_them_show_two_times(void **state)
{
    struct clock *clock = *state;
    struct clock other;

    clock_init(&other);
    clock_move(&other, CLOCK_ADVANCE, FAR_US);
    assert_about(clock_now_us(&other) - clock_now_us(clock), FAR_US);
    assert_about(clock_now_us(clock), clock_now_us(&clock_of_system));
    clock_free(&other);
}

static void test_base_clock__sleep_is_what_is_left_by_the_system_s_time(void **state)
{
    struct clock *clock = *state;
    int64_t until_us = clock_monotonic_us(clock) + FAR_US;

    assert_in_range(clock_sleep_us(clock, clock_monotonic_us(clock), until_us), FAR_US - HOUR_US,
                    FAR_US);
    assert_true(clock_sleep_us(clock, clock_monotonic_us(clock), INT64_MAX) == INT64_MAX);
    clock_move(clock, CLOCK_FREEZE, 0);
    assert_true(clock_sleep_us(clock, clock_monotonic_us(clock), until_us) == INT64_MAX);
    clock_move(clock, CLOCK_ADVANCE, FAR_US);
    assert_true(clock_sleep_us(clock, clock_monotonic_us(clock), until_us) == 0);
}

/* ---- who waits ---------------------------------------------------------------------------- */

struct sleeper {
    struct clock *clock;
    struct clock_watcher watcher;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, sleeps_now;
    int64_t until_us;
    unsigned sleeps;
    bool woke;
};

static void sleeper_moved(void *context)
{
    struct sleeper *sleeper = context;

    (void)pthread_mutex_lock(&sleeper->lock);
    (void)pthread_cond_signal(&sleeper->wake);
    (void)pthread_mutex_unlock(&sleeper->lock);
}

static void *sleeper_main(void *context)
{
    struct sleeper *sleeper = context;
    int error = 0;

    (void)pthread_mutex_lock(&sleeper->lock);
    while (error != ETIMEDOUT) {
        sleeper->sleeps++;
        (void)pthread_cond_signal(&sleeper->sleeps_now);
        error = clock_wait(sleeper->clock, &sleeper->wake, &sleeper->lock, sleeper->until_us);
    }
    sleeper->woke = true;
    (void)pthread_mutex_unlock(&sleeper->lock);
    return NULL;
}

/* Until it has begun to sleep for so many times. */
static bool sleeps(struct sleeper *sleeper, unsigned times)
{
    bool woke;

    (void)pthread_mutex_lock(&sleeper->lock);
    while (!sleeper->woke && sleeper->sleeps < times)
        (void)pthread_cond_wait(&sleeper->sleeps_now, &sleeper->lock);
    woke = sleeper->woke;
    (void)pthread_mutex_unlock(&sleeper->lock);
    return !woke;
}

static void test_base_clock__move_wakes_who_waits_for_the_moment_and_only_then(void **state)
{
    struct clock *clock = *state;
    struct sleeper sleeper = { .clock = clock,
                               .watcher = { .moved = sleeper_moved, .context = &sleeper },
                               .until_us = clock_monotonic_us(clock) + FAR_US };

    (void)pthread_mutex_init(&sleeper.lock, NULL);
    clock_condition_init(&sleeper.wake);
    (void)pthread_cond_init(&sleeper.sleeps_now, NULL);
    clock_watch(clock, &sleeper.watcher);
    (void)pthread_create(&sleeper.thread, NULL, sleeper_main, &sleeper);
    assert_true(sleeps(&sleeper, 1));
    clock_move(clock, CLOCK_FREEZE, 0);
    assert_true(sleeps(&sleeper, 2));
    clock_move(clock, CLOCK_ADVANCE, sleeper.until_us - clock_monotonic_us(clock) - 1);
    assert_true(sleeps(&sleeper, 3));
    clock_move(clock, CLOCK_ADVANCE, 1);
    (void)pthread_join(sleeper.thread, NULL);
    assert_true(sleeper.woke);
    clock_unwatch(clock, &sleeper.watcher);
}

static void count_move(void *context)
{
    unsigned *moves = context;

    (*moves)++;
}

static void test_base_clock__each_watcher_hears_of_each_move_until_it_leaves(void **state)
{
    struct clock *clock = *state;
    unsigned moves[3] = { 0 };
    struct clock_watcher watchers[3];

    for (size_t i = 0; i < COUNT_OF(watchers); i++) {
        watchers[i] = (struct clock_watcher){ .moved = count_move, .context = &moves[i] };
        clock_watch(clock, &watchers[i]);
    }
    clock_move(clock, CLOCK_ADVANCE, 1);
    clock_unwatch(clock, &watchers[1]);
    clock_move(clock, CLOCK_FREEZE, 0);
    clock_unwatch(clock, &watchers[2]);
    clock_move(clock, CLOCK_RUN, 0);
    clock_unwatch(clock, &watchers[0]);
    clock_move(clock, CLOCK_SET, 0);
    assert_int_equal(moves[0], 3);
    assert_int_equal(moves[1], 1);
    assert_int_equal(moves[2], 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_base_clock__##name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(nobody_moved_shows_the_system_s_time),
        TEST(time_that_passes_moves_both_hands),
        TEST(set_moves_the_wall_hand_alone),
        TEST(frozen_stands_to_the_microsecond),
        TEST(goes_on_from_where_it_stood),
        TEST(two_of_them_show_two_times),
        TEST(sleep_is_what_is_left_by_the_system_s_time),
        TEST(move_wakes_who_waits_for_the_moment_and_only_then),
        TEST(each_watcher_hears_of_each_move_until_it_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
