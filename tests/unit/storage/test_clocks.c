/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's own clock: what it notes and what it lets expire, for itself alone.
 */
#include "fixture.h"

#define DAY_US (24 * 3600 * US_PER_S)

static const struct store_options expiring = { .durability = STORE_RELAXED,
                                               .inline_max_bytes = 1024,
                                               .reserve_bytes = 1,
                                               .upload_expiry_us = DAY_US };

static void test_storage_clocks__two_stores_of_one_process_live_at_two_times(void **state)
{
    struct fixture *now = fx_open(NULL);
    struct fixture *later = fx_open(NULL);
    struct version version[2];
    int64_t apart_us;

    (void)state;
    clock_move(store_clock(later->store), CLOCK_ADVANCE, 1000 * DAY_US);
    FX_OK(now, fx_put(now, "k", STR("x")));
    FX_OK(later, fx_put(later, "k", STR("x")));
    FX_OK(now, fx_head(now, "k", &version[0]));
    FX_OK(later, fx_head(later, "k", &version[1]));
    apart_us = version[1].modified_us - version[0].modified_us;
    assert_in_range(apart_us, 1000 * DAY_US, 1001 * DAY_US);
    fx_close(now);
    fx_close(later);
}

static void test_storage_clocks__what_is_noted_steps_with_the_clock(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version first;
    struct version second;

    (void)state;
    clock_move(store_clock(f->store), CLOCK_FREEZE, 0);
    FX_OK(f, fx_put(f, "k", STR("1")));
    FX_OK(f, fx_head(f, "k", &first));
    assert_true(first.modified_us == clock_now_us(store_clock(f->store)));
    clock_move(store_clock(f->store), CLOCK_ADVANCE, US_PER_S);
    FX_OK(f, fx_put(f, "k", STR("2")));
    FX_OK(f, fx_head(f, "k", &second));
    assert_true(second.modified_us == first.modified_us + US_PER_S);
    fx_close(f);
}

static enum store_status find_upload(struct fixture *f, struct str id)
{
    struct upload upload;

    return upload_get(f->reader, fx_bucket_id(f), STR("m"), id, f->arena, &upload, &f->fault);
}

/* Nobody calls the sweep: the janitor has planned it by the age that the upload will have. */
static void test_storage_clocks__uploads_expire_by_themselves_as_time_passes(void **state)
{
    struct fixture *f = fx_open(&expiring);
    struct str id;

    (void)state;
    clock_move(store_clock(f->store), CLOCK_FREEZE, 0);
    id = fx_upload(f, "m");
    fx_pass(f, 2 * US_PER_S);
    fx_pass(f, DAY_US - 3 * US_PER_S);
    FX_OK(f, find_upload(f, id));
    fx_pass(f, 3 * US_PER_S);
    assert_int_equal(find_upload(f, id), STORE_NO_UPLOAD);
    fx_close(f);
}

/* No time passed: somebody put the wall hand forward. */
static void test_storage_clocks__uploads_expire_when_the_clock_is_set(void **state)
{
    struct fixture *f = fx_open(&expiring);
    struct clock *clock = store_clock(f->store);
    struct str id = fx_upload(f, "m");

    (void)state;
    fx_pass(f, 2 * US_PER_S);
    clock_move(clock, CLOCK_SET, clock_now_us(clock) + 2 * DAY_US);
    fx_pass(f, 0); /* it has planned anew */
    fx_pass(f, 2 * US_PER_S);
    assert_int_equal(find_upload(f, id), STORE_NO_UPLOAD);
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storage_clocks__two_stores_of_one_process_live_at_two_times),
        cmocka_unit_test(test_storage_clocks__what_is_noted_steps_with_the_clock),
        cmocka_unit_test(test_storage_clocks__uploads_expire_by_themselves_as_time_passes),
        cmocka_unit_test(test_storage_clocks__uploads_expire_when_the_clock_is_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
