/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault sweep: the same day's work, with the first, second, ... call that changes the disk failing,
 * until a run meets no fault. After each: what was acknowledged is there, everything else is as it
 * was or as it should have become, and fsck finds nothing.
 */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STEPS 7
#define RUNS_MAX 2000

static const struct store_options strict = { .inline_max_bytes = 1024, .reserve_bytes = 1 };
static char old_large[9000];
static char new_large[9000];

static const char *const keys[STEPS] = { "k0", "k1", "k2", "k3", "k4", "k5", "k6" };

static struct str old_bytes(int step)
{
    return step % 2 == 0 ? STR("old") : str_make(old_large, sizeof(old_large));
}

/* STR_NONE: the key is to be gone. */
static struct str new_bytes(int step)
{
    switch (step) {
    case 0:
        return STR("new");
    case 2:
        return STR_NONE;
    case 4:
        return STR("base");
    case 6:
        return old_bytes(6);
    default:
        return str_make(new_large, sizeof(new_large));
    }
}

static enum store_status act(struct fixture *f, int step, struct str upload)
{
    static const uint32_t numbers[] = { 1, 2 };
    struct fx_put put = { .key = str_from_cstr(keys[step]),
                          .bytes = new_bytes(step),
                          .encrypt = step == 3 };

    switch (step) {
    case 2:
        return fx_delete(f, keys[step]);
    case 4:
        return fx_copy(f, "base", keys[step], COPY_REWRITE);
    case 5:
        return fx_complete(f, keys[step], upload, numbers, 2);
    case 6:
        return store_sweep_now(f->store, &f->fault);
    default:
        return fx_put_with(f, &put);
    }
}

static struct fixture *prepare(struct str *ret_upload)
{
    struct fixture *f = fx_open(&strict);

    for (int step = 0; step < STEPS; step++)
        FX_OK(f, fx_put(f, keys[step], old_bytes(step)));
    FX_OK(f, fx_put(f, "base", STR("base")));
    *ret_upload = fx_upload(f, keys[5]);
    FX_OK(f, fx_part(f, keys[5], *ret_upload, 1, str_make(new_large, 5000), NULL));
    FX_OK(f, fx_part(f, keys[5], *ret_upload, 2, str_make(new_large + 5000, 4000), NULL));
    return f;
}

static bool has_content(struct fixture *f, const char *key, struct str expected)
{
    struct version version;
    enum store_status status = fx_head(f, key, &version);

    if (!str_present(expected))
        return status == STORE_NO_KEY;
    return status == STORE_OK && str_eq(fx_read(f, &version), expected);
}

static void check(struct fixture *f, const enum store_status *results, uint64_t n, int error)
{
    for (int step = 0; step < STEPS; step++) {
        bool is_new = has_content(f, keys[step], new_bytes(step));
        bool is_old = has_content(f, keys[step], old_bytes(step));

        if (results[step] == STORE_OK && !is_new)
            fail_msg("call %d of error %d: step %d was acknowledged and is lost", (int)n, error,
                     step);
        if (!is_new && !is_old)
            fail_msg("call %d of error %d: step %d is neither old nor new", (int)n, error, step);
    }
    assert_true(has_content(f, "base", STR("base")));
}

/* One run; true when the fault was met. */
static bool run(enum file_call kind, uint64_t n, int error, bool forever)
{
    enum store_status results[STEPS];
    struct str upload;
    struct fixture *f = prepare(&upload);
    bool fired;

    file_fault_set(kind, n, error, forever);
    for (int step = 0; step < STEPS; step++) {
        results[step] = act(f, step, upload);
        /* Only failures of the device may show, and a full device never poisons by itself. */
        if (results[step] != STORE_OK && results[step] != STORE_IO && results[step] != STORE_FULL)
            fail_msg("step %d: %s (%s)", step, store_status_name(results[step]), f->fault.text);
    }
    fired = file_fault_fired();
    file_fault_set(FILE_CALLS, 0, 0, false);

    check(f, results, n, error); /* reads go on, poisoned or not */
    if (store_health(f->store, NULL) == STORE_HEALTH_POISONED)
        assert_int_equal(fx_put(f, "late", STR("x")), STORE_IO);
    fx_stop(f);
    fx_start(f);
    check(f, results, n, error);
    FX_OK(f, fx_put(f, "after", STR("x")));
    fx_close(f);
    return fired;
}

static void sweep(enum file_call kind, int error, bool forever)
{
    uint64_t n = 1;

    while (run(kind, n, error, forever)) {
        n++;
        assert_true(n < RUNS_MAX);
    }
    print_message("%d calls failed one by one (kind %d, error %d%s)\n", (int)n - 1, kind, error,
                  forever ? ", for good" : "");
    assert_true(n > 3);
}

static void every_call_may_fail_once_with_eio(void **state)
{
    (void)state;
    sweep(FILE_CALLS, EIO, /* forever= */ false);
}

static void syncs_may_fail_for_good_from_any_on(void **state)
{
    (void)state;
    sweep(FILE_CALL_SYNC, EIO, /* forever= */ true);
}

static void the_disk_may_fill_up_at_any_call(void **state)
{
    (void)state;
    sweep(FILE_CALLS, ENOSPC, /* forever= */ false);
}

static void the_disk_may_stay_full_for_writes_from_any_call_on(void **state)
{
    (void)state;
    sweep(FILE_CALL_WRITE, ENOSPC, /* forever= */ true);
}

/* ---- opening ----------------------------------------------------------------------------- */

/* A creation that fails anywhere is finished by the next. */
static void creation_may_fail_at_any_call(void **state)
{
    bool fired = true;

    (void)state;
    for (uint64_t n = 1; fired; n++) {
        struct fixture *f = mem_zalloc(sizeof(*f));
        enum store_status status;
        struct fault fault = { 0 };

        assert_non_null(f);
        f->options = strict;
        f->arena = arena_open(4096, 1 << 20);
        (void)snprintf(f->dir, sizeof(f->dir), "%s/pail-test-XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        assert_non_null(mkdtemp(f->dir));
        file_fault_set(FILE_CALLS, n, EIO, false);
        status = store_open(f->dir, &f->options, &f->store, &fault);
        fired = file_fault_fired();
        file_fault_set(FILE_CALLS, 0, 0, false);
        assert_true(status == STORE_OK || fired);
        if (status == STORE_OK)
            store_close(f->store);
        fx_start(f);
        fx_close(f);
        assert_true(n < 500);
    }
}

/* ---- listing ----------------------------------------------------------------------------- */

/* What is not listed may be there: neither a check nor a start goes on without. */
static void a_directory_that_can_not_be_listed_is_not_an_empty_one(void **state)
{
    static char large[200 * 1024];
    struct fx_put packed = { .key = STR("packed"),
                             .bytes = str_make(large, sizeof(large) / 2),
                             .announced = true };
    struct fixture *f = fx_open(&strict);
    uint64_t n = 0;
    bool fired;

    (void)state;
    FX_OK(f, fx_put(f, "file", str_make(large, sizeof(large))));
    FX_OK(f, fx_put_with(f, &packed));
    fx_stop(f);
    do {
        struct fsck_report report;
        enum store_status status;

        file_fault_set(FILE_CALL_LIST, ++n, EIO, /* forever= */ false);
        status = store_fsck(f->dir, &(struct fsck_options){ 0 }, NULL, NULL, &report, &f->fault);
        fired = file_fault_fired();
        file_fault_set(FILE_CALLS, 0, 0, false);
        assert_int_equal(status, fired ? STORE_IO : STORE_OK);
        assert_true(fired || report.orphans == 0);
    } while (fired);
    assert_true(n > 5); /* the store, its packs, and each of three levels of blobs to the end */

    file_fault_set(FILE_CALL_LIST, 1, EIO, /* forever= */ true);
    assert_int_equal(store_open(f->dir, &f->options, &f->store, &f->fault), STORE_IO);
    file_fault_set(FILE_CALLS, 0, 0, false);
    fx_start(f);
    fx_close(f);
}

/* ---- deletes on a full disk -------------------------------------------------------------- */

static void a_full_disk_refuses_puts_and_takes_deletes(void **state)
{
    struct fixture *f = fx_open(&strict);
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    file_fault_set(FILE_CALL_WRITE, 1, ENOSPC, /* forever= */ false);
    assert_int_equal(fx_put(f, "new", STR("x")), STORE_FULL);
    file_fault_set(FILE_CALL_WRITE, 1, ENOSPC, /* forever= */ false);
    FX_OK(f, fx_delete(f, "k")); /* the first try meets the full disk, the second has the reserve */
    assert_true(file_fault_fired());
    file_fault_set(FILE_CALLS, 0, 0, false);
    assert_int_equal(fx_head(f, "k", &version), STORE_NO_KEY);
    assert_int_equal(fx_put(f, "new", STR("x")), STORE_FULL); /* until the reserve is back */
    assert_true(store_healthy(f->store));
    clock_move(store_clock(f->store), CLOCK_ADVANCE, 1100000);
    FX_OK(f, fx_put(f, "new", STR("x"))); /* room was found for a new one */
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_may_fail_once_with_eio),
        cmocka_unit_test(syncs_may_fail_for_good_from_any_on),
        cmocka_unit_test(the_disk_may_fill_up_at_any_call),
        cmocka_unit_test(the_disk_may_stay_full_for_writes_from_any_call_on),
        cmocka_unit_test(creation_may_fail_at_any_call),
        cmocka_unit_test(a_directory_that_can_not_be_listed_is_not_an_empty_one),
        cmocka_unit_test(a_full_disk_refuses_puts_and_takes_deletes),
    };

    fx_fill(old_large, sizeof(old_large), 1);
    fx_fill(new_large, sizeof(new_large), 2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
