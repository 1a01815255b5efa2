/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of a loop that has no thread, by a clock that stands until it is moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "server/http/internal.h"

#define MANY 3000
#define SPAN_MS 500 /* so that many are due at one moment */

struct scene;

struct waits {
    struct http_timer timer;
    struct scene *scene;
    unsigned number;
    uint64_t ms;
    bool waits;
};

struct scene {
    struct http_server server;
    struct http_loop loop;
    struct waits all[MANY];
    unsigned called[2 * MANY];
    unsigned count;
};

static struct scene *begin(void)
{
    struct scene *scene = mem_zalloc(sizeof(*scene));

    assert_non_null(scene);
    clock_init(&scene->server.own_clock);
    clock_move(&scene->server.own_clock, CLOCK_FREEZE, 0);
    scene->server.clock = &scene->server.own_clock;
    scene->loop.server = &scene->server;
    for (unsigned i = 0; i < MANY; i++) {
        scene->all[i].scene = scene;
        scene->all[i].number = i;
    }
    return scene;
}

static void end(struct scene *scene)
{
    clock_free(&scene->server.own_clock);
    mem_free(scene);
}

static void called(void *context)
{
    struct waits *one = context;

    assert_null(one->timer.loop);
    one->waits = false;
    one->scene->called[one->scene->count++] = one->number;
}

static void set(struct scene *scene, unsigned number, uint64_t ms)
{
    struct waits *one = &scene->all[number];

    one->ms = ms;
    one->waits = true;
    http_after(&scene->loop, &one->timer, ms, called, one);
}

static void pass(struct scene *scene, int64_t ms)
{
    clock_move(scene->server.clock, CLOCK_ADVANCE, ms * 1000);
    timers_run(&scene->loop, http_loop_now_us(&scene->loop));
}

static void test_http_timers__are_called_when_due_and_not_before(void **state)
{
    struct scene *scene = begin();

    (void)state;
    assert_true(timers_next_us(&scene->loop) == HTTP_NEVER);
    set(scene, 0, 20);
    assert_true(timers_next_us(&scene->loop) == http_loop_now_us(&scene->loop) + 20000);
    pass(scene, 19);
    assert_int_equal(scene->count, 0);
    pass(scene, 1);
    assert_int_equal(scene->count, 1);
    assert_true(timers_next_us(&scene->loop) == HTTP_NEVER);
    pass(scene, 1000);
    assert_int_equal(scene->count, 1);
    end(scene);
}

static void test_http_timers__of_one_moment_keep_the_order_in_which_they_were_set(void **state)
{
    struct scene *scene = begin();

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        set(scene, i, 7);
    pass(scene, 7);
    assert_int_equal(scene->count, 100);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(scene->called[i], i);
    end(scene);
}

static void test_http_timers__set_anew_is_due_at_the_new_moment_alone(void **state)
{
    struct scene *scene = begin();

    (void)state;
    set(scene, 0, 10);
    set(scene, 1, 20);
    set(scene, 0, 30);
    pass(scene, 10);
    assert_int_equal(scene->count, 0);
    pass(scene, 20);
    assert_int_equal(scene->count, 2);
    assert_int_equal(scene->called[0], 1);
    assert_int_equal(scene->called[1], 0);
    end(scene);
}

static void test_http_timers__waits_longer_than_the_limit_end_there(void **state)
{
    struct scene *scene = begin();
    int64_t now_us = http_loop_now_us(&scene->loop);

    (void)state;
    set(scene, 0, HTTP_TIMER_MS_MAX);
    assert_true(timers_next_us(&scene->loop) - now_us == (int64_t)HTTP_TIMER_MS_MAX * 1000);
    set(scene, 0, HTTP_TIMER_MS_MAX + 1);
    assert_true(timers_next_us(&scene->loop) - now_us == (int64_t)HTTP_TIMER_MS_MAX * 1000);
    set(scene, 0, UINT64_MAX);
    assert_true(timers_next_us(&scene->loop) - now_us == (int64_t)HTTP_TIMER_MS_MAX * 1000);
    http_timer_cancel(&scene->all[0].timer);
    end(scene);
}

static void test_http_timers__cancelled_are_not_called(void **state)
{
    struct scene *scene = begin();

    (void)state;
    http_timer_cancel(&scene->all[0].timer); /* never set */
    for (unsigned i = 0; i < 5; i++)
        set(scene, i, i);
    http_timer_cancel(&scene->all[0].timer); /* the first that is due */
    http_timer_cancel(&scene->all[3].timer);
    http_timer_cancel(&scene->all[3].timer);
    pass(scene, 10);
    assert_int_equal(scene->count, 3);
    assert_int_equal(scene->called[0], 1);
    assert_int_equal(scene->called[1], 2);
    assert_int_equal(scene->called[2], 4);
    end(scene);
}

/* Both are due in the round that calls the first. */
static void cancels_the_other(void *context)
{
    struct waits *one = context;

    called(one);
    http_timer_cancel(&one->scene->all[1].timer);
}

static void test_http_timers__call_may_cancel_another_of_its_round(void **state)
{
    struct scene *scene = begin();

    (void)state;
    http_after(&scene->loop, &scene->all[0].timer, 1, cancels_the_other, &scene->all[0]);
    set(scene, 1, 1);
    set(scene, 2, 1);
    pass(scene, 1);
    assert_int_equal(scene->count, 2);
    assert_int_equal(scene->called[1], 2);
    end(scene);
}

static void sets_itself_anew(void *context)
{
    struct waits *one = context;

    called(one);
    http_after(&one->scene->loop, &one->timer, 0, sets_itself_anew, one);
}

static void test_http_timers__set_anew_by_its_own_call_waits_for_the_next_round(void **state)
{
    struct scene *scene = begin();

    (void)state;
    http_after(&scene->loop, &scene->all[0].timer, 0, sets_itself_anew, &scene->all[0]);
    set(scene, 1, 0);
    for (unsigned round = 1; round <= 3; round++) {
        pass(scene, 0);
        assert_int_equal(scene->count, round + 1);
    }
    http_timer_cancel(&scene->all[0].timer);
    end(scene);
}

/* In any order of setting, setting anew and cancelling: each once, none early, all in order. */
static void test_http_timers__many_come_in_order_whatever_was_set_and_cancelled(void **state)
{
    struct scene *scene = begin();
    unsigned left = 0;
    struct waits *last = NULL;

    (void)state;
    for (unsigned step = 0; step < 4 * MANY; step++) {
        unsigned number = (unsigned)(random_u64() % MANY);

        if (random_u64() % 3 == 0) {
            http_timer_cancel(&scene->all[number].timer);
            scene->all[number].waits = false;
        } else {
            set(scene, number, random_u64() % SPAN_MS);
        }
    }
    for (unsigned i = 0; i < MANY; i++)
        left += scene->all[i].waits;
    for (unsigned ms = 0; ms < SPAN_MS; ms++) {
        unsigned before = scene->count;

        pass(scene, ms == 0 ? 0 : 1);
        for (unsigned i = before; i < scene->count; i++) {
            struct waits *one = &scene->all[scene->called[i]];

            assert_int_equal(one->ms, ms);
            if (last != NULL && last->ms == one->ms)
                assert_true(last->timer.turn < one->timer.turn);
            last = one;
        }
    }
    assert_int_equal(scene->count, left);
    for (unsigned i = 0; i < MANY; i++)
        assert_false(scene->all[i].waits);
    end(scene);
}

#define TEST(name) cmocka_unit_test(test_http_timers__##name)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(are_called_when_due_and_not_before),
        TEST(of_one_moment_keep_the_order_in_which_they_were_set),
        TEST(set_anew_is_due_at_the_new_moment_alone),
        TEST(waits_longer_than_the_limit_end_there),
        TEST(cancelled_are_not_called),
        TEST(call_may_cancel_another_of_its_round),
        TEST(set_anew_by_its_own_call_waits_for_the_next_round),
        TEST(many_come_in_order_whatever_was_set_and_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
