/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Observers, and the counters among them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "server/records/counters.h"

#define OPERATIONS 3
#define EACH 100000

static struct counters *counters;
static struct observers observers;

static int setup(void **state UNUSED)
{
    struct observer counting;

    counters = counters_open(OPERATIONS);
    observers = (struct observers){ 0 };
    if (counters == NULL)
        return 1;
    counting = counters_observer(counters);
    return !observers_add(&observers, &counting);
}

static int teardown(void **state UNUSED)
{
    counters_close(counters);
    return 0;
}

static struct request_record record(unsigned operation, int status, int64_t took_us)
{
    return (struct request_record){
        .operation = operation, .status = status, .started_us = 1000, .done_us = 1000 + took_us
    };
}

static void tell(struct request_record one)
{
    observers_tell_request(&observers, &one);
}

static void test_records_counters__each_outcome_counts_once_in_its_operation(void **state UNUSED)
{
    static const int statuses[] = { 200, 304, 399, 400, 499, 500, 503 };
    struct request_record cut = record(1, 200, 1);
    struct request_counts counts;

    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        tell(record(1, statuses[i], 1));
    cut.aborted = true;
    tell(cut);

    counts = counters_of(counters, 1);
    assert_int_equal(counts.outcomes[OUTCOME_DONE], 3);
    assert_int_equal(counts.outcomes[OUTCOME_REFUSED], 2);
    assert_int_equal(counts.outcomes[OUTCOME_FAILED], 2);
    assert_int_equal(counts.outcomes[OUTCOME_ABORTED], 1);
    assert_int_equal(counters_requests(&counts), 8);
    for (unsigned other = 0; other < OPERATIONS; other += 2) {
        counts = counters_of(counters, other);
        assert_int_equal(counters_requests(&counts), 0);
    }
}

static void test_records_counters__a_time_falls_into_the_step_that_holds_it(void **state UNUSED)
{
    struct request_counts counts;
    uint64_t sum_us = 0;

    for (size_t i = 0; i < COUNTERS_TIMES - 1; i++) {
        assert_true(i == 0 || counters_time_us[i] > counters_time_us[i - 1]);
        tell(record(2, 200, counters_time_us[i]));
        tell(record(2, 200, counters_time_us[i] + 1));
        sum_us += 2 * (uint64_t)counters_time_us[i] + 1;
    }

    counts = counters_of(counters, 2);
    assert_int_equal(counts.times[0], 1);
    for (size_t i = 1; i < COUNTERS_TIMES - 1; i++)
        assert_int_equal(counts.times[i], 2);
    assert_int_equal(counts.times[COUNTERS_TIMES - 1], 1);
    assert_int_equal(counts.time_us, sum_us);
}

static void test_records_counters__numbers_past_the_last_are_left_out(void **state UNUSED)
{
    struct request_record far = record(0, 200, 1);
    struct request_counts counts;

    tell(record(OPERATIONS, 200, 1));
    far.loop = COUNTERS_LOOPS_MAX;
    tell(far);
    far.loop = COUNTERS_LOOPS_MAX - 1;
    tell(far);

    counts = counters_of(counters, 0);
    assert_int_equal(counters_requests(&counts), 1);
    counts = counters_of(counters, OPERATIONS);
    assert_int_equal(counters_requests(&counts), 0);
}

static void test_records_counters__rounds_of_work_count_in_their_kind(void **state UNUSED)
{
    struct work_record round = { .kind = WORK_SWEEP, .count = 3, .bytes = 50, .took_us = 7 };
    struct work_record copied = { .kind = WORK_CHECKPOINT, .bytes = 1000, .unfinished = true };
    struct work_counts counts;

    observers_tell_work(&observers, STR(""), &round);
    round.status = STORE_IO;
    observers_tell_work(&observers, STR("other"), &round);
    round.status = STORE_STOPPED;
    observers_tell_work(&observers, STR(""), &round);
    observers_tell_work(&observers, STR(""), &copied);
    observers_tell_work(NULL, STR(""), &copied);

    counts = counters_of_work(counters, WORK_SWEEP);
    assert_int_equal(counts.rounds, 3);
    assert_int_equal(counts.failures, 1);
    assert_int_equal(counts.unfinished, 0);
    assert_int_equal(counts.count, 9);
    assert_int_equal(counts.bytes, 150);
    assert_int_equal(counts.time_us, 21);
    counts = counters_of_work(counters, WORK_CHECKPOINT);
    assert_int_equal(counts.rounds, 1);
    assert_int_equal(counts.unfinished, 1);
    assert_int_equal(counts.bytes, 0);
    counts = counters_of_work(counters, WORK_SCRUB);
    assert_int_equal(counts.rounds, 0);
}

static void *count_many(void *argument)
{
    struct request_record one = record(1, 200, 1);

    one.loop = *(const unsigned *)argument;
    one.bytes_in = 3;
    one.bytes_out = 5;
    for (size_t i = 0; i < EACH; i++)
        tell(one);
    return NULL;
}

static void test_records_counters__loops_add_up_while_somebody_asks(void **state UNUSED)
{
    unsigned numbers[] = { 0, 1, 7 };
    pthread_t threads[COUNT_OF(numbers)];
    struct request_counts counts;
    uint64_t seen = 0;

    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, &numbers[i]), 0);
    for (size_t i = 0; i < 1000; i++) {
        counts = counters_of(counters, 1);
        assert_true(counters_requests(&counts) >= seen);
        seen = counters_requests(&counts);
    }
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    counts = counters_of(counters, 1);
    assert_int_equal(counters_requests(&counts), COUNT_OF(numbers) * EACH);
    assert_int_equal(counts.bytes_in, 3 * COUNT_OF(numbers) * EACH);
    assert_int_equal(counts.bytes_out, 5 * COUNT_OF(numbers) * EACH);
}

static void test_records_observers__are_told_in_order_and_are_no_more_than_the_maximum(
    void **state UNUSED)
{
    struct observer one = { 0 };

    while (observers.count < OBSERVERS_MAX)
        assert_true(observers_add(&observers, &one));
    assert_false(observers_add(&observers, &one));
    assert_int_equal(observers.count, OBSERVERS_MAX);
    tell(record(1, 200, 1)); /* one without a function is passed over */
    observers_tell_request(NULL, &(struct request_record){ 0 });
}

#define COUNTERS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTERS_TEST(test_records_counters__each_outcome_counts_once_in_its_operation),
        COUNTERS_TEST(test_records_counters__a_time_falls_into_the_step_that_holds_it),
        COUNTERS_TEST(test_records_counters__numbers_past_the_last_are_left_out),
        COUNTERS_TEST(test_records_counters__rounds_of_work_count_in_their_kind),
        COUNTERS_TEST(test_records_counters__loops_add_up_while_somebody_asks),
        COUNTERS_TEST(test_records_observers__are_told_in_order_and_are_no_more_than_the_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
