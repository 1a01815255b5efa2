/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A duty runs its first round at once, then when the store's wall hand says so, when it goes back, and
 * when it is woken; it stops in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/duties/duty.h"

#define HOUR_US (3600 * US_PER_S)

struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned rounds;
    int64_t last_us;
    int64_t next_us; /* after a round; INT64_MAX: none */
    bool stopping;
};

static struct seen seen = { .lock = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER };
static struct store *store;
static struct clock *hands;
static char dir[] = "/tmp/pail-duty-XXXXXX";

static int64_t note_round(void *context, struct duty *duty, int64_t now_us)
{
    int64_t next_us;

    assert_ptr_equal(context, &seen);
    (void)pthread_mutex_lock(&seen.lock);
    seen.rounds++;
    seen.last_us = now_us;
    seen.stopping = duty_stopping(duty);
    next_us = seen.next_us == INT64_MAX ? INT64_MAX : now_us + seen.next_us;
    (void)pthread_cond_broadcast(&seen.changed);
    (void)pthread_mutex_unlock(&seen.lock);
    return next_us;
}

static int64_t rest_and_note(void *context, struct duty *duty, int64_t now_us)
{
    duty_rest(duty, 1000 * HOUR_US);
    return note_round(context, duty, now_us);
}

static unsigned await_rounds(unsigned count)
{
    unsigned rounds;

    (void)pthread_mutex_lock(&seen.lock);
    while (seen.rounds < count)
        (void)pthread_cond_wait(&seen.changed, &seen.lock);
    rounds = seen.rounds;
    (void)pthread_mutex_unlock(&seen.lock);
    return rounds;
}

static int open_store(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/pail-duty-XXXXXX");
    seen.rounds = 0;
    seen.stopping = false;
    if (mkdtemp(dir) == NULL || store_open(dir, NULL, &store, NULL) != STORE_OK)
        return -1;
    hands = store_clock(store);
    clock_move(hands, CLOCK_FREEZE, 0);
    return 0;
}

static int close_store(void **state)
{
    char command[64];

    (void)state;
    store_close(store);
    (void)snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

static void test_duties_duty__a_round_is_run_when_it_is_due(void **state)
{
    struct duty *duty;
    int64_t began_us = clock_now_us(hands);

    (void)state;
    seen.next_us = HOUR_US;
    duty = duty_start(store, note_round, &seen);
    assert_non_null(duty);
    assert_int_equal(await_rounds(1), 1);
    assert_int_equal(seen.last_us, began_us);
    clock_move(hands, CLOCK_ADVANCE, HOUR_US - 1);
    clock_move(hands, CLOCK_ADVANCE, 1);
    assert_int_equal(await_rounds(2), 2);
    assert_int_equal(seen.last_us, began_us + HOUR_US);
    /* Two that have passed at once are one. */
    clock_move(hands, CLOCK_ADVANCE, 2 * HOUR_US);
    assert_int_equal(await_rounds(3), 3);
    duty_stop(duty);
    assert_int_equal(seen.rounds, 3);
}

static void test_duties_duty__a_round_is_run_when_the_hand_goes_back(void **state)
{
    struct duty *duty;
    int64_t began_us = clock_now_us(hands);

    (void)state;
    seen.next_us = HOUR_US;
    duty = duty_start(store, note_round, &seen);
    assert_non_null(duty);
    (void)await_rounds(1);
    clock_move(hands, CLOCK_SET, began_us - 10 * HOUR_US);
    assert_int_equal(await_rounds(2), 2);
    clock_move(hands, CLOCK_SET, began_us - 9 * HOUR_US);
    assert_int_equal(await_rounds(3), 3);
    duty_stop(duty);
}

static void test_duties_duty__that_plans_nothing_runs_when_it_is_woken(void **state)
{
    struct duty *duty;

    (void)state;
    seen.next_us = INT64_MAX;
    duty = duty_start(store, note_round, &seen);
    assert_non_null(duty);
    (void)await_rounds(1);
    clock_move(hands, CLOCK_ADVANCE, 1000 * HOUR_US);
    duty_wake(duty);
    assert_int_equal(await_rounds(2), 2);
    duty_stop(duty);
    duty_stop(NULL);
    assert_int_equal(seen.rounds, 2);
}

static void test_duties_duty__that_rests_is_stopped(void **state)
{
    struct duty *duty;

    (void)state;
    seen.next_us = INT64_MAX;
    duty = duty_start(store, rest_and_note, &seen);
    assert_non_null(duty);
    duty_stop(duty);
    /* Either it had not begun, or its rest ended and it was told. */
    assert_true(seen.rounds == 0 || seen.stopping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_duties_duty__a_round_is_run_when_it_is_due, open_store,
                                        close_store),
        cmocka_unit_test_setup_teardown(test_duties_duty__a_round_is_run_when_the_hand_goes_back,
                                        open_store, close_store),
        cmocka_unit_test_setup_teardown(test_duties_duty__that_plans_nothing_runs_when_it_is_woken,
                                        open_store, close_store),
        cmocka_unit_test_setup_teardown(test_duties_duty__that_rests_is_stopped, open_store,
                                        close_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
