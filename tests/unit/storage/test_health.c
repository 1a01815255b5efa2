/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health: a store that takes no writes says so, and work that nobody waits for never ends or fails
 * in silence.
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/care/health.h"

#define POLLS_MAX 30000
#define OPENS_MAX 500

struct heard {
    pthread_mutex_t lock;
    unsigned errors;
    unsigned others;
    const char *about; /* what else is told is not counted; NULL: all is */
    char last[FAULT_TEXT_MAX];
};

static void hear(void *context, enum store_notice_kind kind, const char *text)
{
    struct heard *heard = context;

    (void)pthread_mutex_lock(&heard->lock);
    if (heard->about == NULL || strstr(text, heard->about) != NULL) {
        if (kind == STORE_NOTICE_ERROR)
            heard->errors++;
        else
            heard->others++;
        (void)snprintf(heard->last, sizeof(heard->last), "%s", text);
    }
    (void)pthread_mutex_unlock(&heard->lock);
}

static struct heard new_heard(void)
{
    return (struct heard){ .lock = PTHREAD_MUTEX_INITIALIZER };
}

static struct store_options options_heard_by(struct heard *heard)
{
    return (struct store_options){
        .inline_max_bytes = 1024, .reserve_bytes = 1, .notice = hear, .notice_context = heard
    };
}

static void test_storage_health__new_store_is_good(void **state)
{
    struct heard heard = new_heard();
    struct store_options options = options_heard_by(&heard);
    struct fixture *f = fx_open(&options);
    struct fault why = { .text = "untouched" };

    (void)state;
    assert_int_equal(store_health(f->store, &why), STORE_HEALTH_GOOD);
    assert_string_equal(why.text, "");
    assert_true(store_healthy(f->store));
    fx_close(f);
    assert_int_equal(heard.errors, 0);
}

static void failed_sync_of(const char *what, struct str bytes, bool announced)
{
    struct heard heard = new_heard();
    struct store_options options = options_heard_by(&heard);
    struct fixture *f = fx_open(&options);
    struct fx_put put = { .key = STR("k"), .bytes = bytes, .announced = announced };
    struct fault why = { 0 };

    file_fault_set(FILE_CALL_SYNC, 1, EIO, /* forever= */ false);
    assert_int_equal(fx_put_with(f, &put), STORE_IO);
    assert_true(file_fault_fired());
    assert_int_equal(fx_put(f, "later", STR("x")), STORE_IO);
    assert_int_equal(store_health(f->store, &why), STORE_HEALTH_POISONED);
    assert_false(store_healthy(f->store));
    assert_non_null(strstr(why.text, "takes no writes"));
    if (what != NULL)
        assert_non_null(strstr(why.text, what));
    fx_stop(f);
    assert_int_equal(heard.errors, 1); /* told once, however many writes are refused */
    assert_string_equal(heard.last, why.text);
    fx_start(f);
    assert_int_equal(store_health(f->store, &why), STORE_HEALTH_GOOD);
    fx_close(f);
}

static void test_storage_health__failed_sync_is_told_with_what_failed(void **state)
{
    static char large[9000];

    (void)state;
    fx_fill(large, sizeof(large), 1);
    failed_sync_of(NULL, STR("inline"), false);
    failed_sync_of("sync a body: Input/output error", str_make(large, sizeof(large)), false);
    failed_sync_of("sync a pack: Input/output error", str_make(large, sizeof(large)), true);
}

static void test_storage_health__full_disk_is_not_ready_but_healthy(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct fault why = { 0 };

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    fx_stop(f);
    f->options.reserve_bytes = UINT64_MAX / 8; /* more than any disk has */
    fx_start(f);
    assert_int_equal(fx_put(f, "new", STR("x")), STORE_FULL);
    assert_int_equal(store_health(f->store, &why), STORE_HEALTH_FULL);
    assert_non_null(strstr(why.text, "disk is full"));
    assert_true(store_healthy(f->store)); /* a restart would not help */
    FX_OK(f, fx_delete(f, "k"));
    fx_close(f);
}

static void test_storage_health__interrupted_sync_is_made_again(void **state)
{
    static char large[9000];
    struct fx_put put = { .key = STR("k"), .bytes = str_make(large, sizeof(large)) };
    struct store_options options = { .inline_max_bytes = 1024, .reserve_bytes = 1 };
    struct fixture *f = fx_open(&options);

    (void)state;
    for (int call = 1; call <= 4; call++) { /* the file's, the log's header's, its frames' */
        file_fault_set(FILE_CALL_SYNC, (uint64_t)call, EINTR, /* forever= */ false);
        for (int i = 0; i < 2; i++) {
            put.announced = i == 1;
            large[0] = (char)(2 * call + i);
            FX_OK(f, fx_put_with(f, &put));
        }
        assert_true(file_fault_fired());
    }
    file_fault_set(FILE_CALL_SYNC_DIR, 1, EINTR, /* forever= */ false);
    put.announced = false;
    large[0] = 100;
    FX_OK(f, fx_put_with(f, &put));
    assert_true(file_fault_fired());
    assert_true(store_healthy(f->store));
    fx_close(f);
}

static void test_storage_health__directory_open_to_all_is_warned_about(void **state)
{
    struct heard heard = new_heard();
    struct store_options options = options_heard_by(&heard);
    struct fixture *f = fx_open(&options);

    (void)state;
    assert_int_equal(heard.others, 0);
    fx_stop(f);
    assert_int_equal(chmod(f->dir, 0777), 0);
    fx_start(f);
    assert_int_equal(heard.others, 1);
    assert_non_null(strstr(heard.last, "chmod 700"));
    fx_close(f);
}

static bool becomes(struct store *store, enum store_health wanted, struct fault *ret_why)
{
    for (int i = 0; i < POLLS_MAX; i++) {
        if (store_health(store, ret_why) == wanted)
            return true;
        clock_move(store_clock(store), CLOCK_ADVANCE, US_PER_S); /* what failed is tried again */
        fx_pause();
    }
    return false;
}

static bool hears_errors(struct store *store, struct heard *heard, unsigned wanted)
{
    for (int i = 0; i < POLLS_MAX; i++) {
        unsigned errors;

        (void)pthread_mutex_lock(&heard->lock);
        errors = heard->errors;
        (void)pthread_mutex_unlock(&heard->lock);
        if (errors >= wanted)
            return true;
        clock_move(store_clock(store), CLOCK_ADVANCE, US_PER_S);
        fx_pause();
    }
    return false;
}

/*
 * Every open after the store's own fails: the janitor's is the first of them.
 */
static void test_storage_health__janitor_without_catalog_is_told_and_tries_again(void **state)
{
    struct heard heard = new_heard();
    struct store_options options = options_heard_by(&heard);
    struct fixture *f = fx_open(&options);
    enum store_status status = STORE_IO;
    struct fault why = { 0 };

    (void)state;
    fx_stop(f);
    heard.about = "open the catalog for background work"; /* the scrub's connection may fail too */
    for (uint64_t n = 1; status != STORE_OK; n++) {
        assert_true(n < OPENS_MAX);
        file_fault_set(FILE_CALL_OPEN, n, EMFILE, /* forever= */ true);
        status = store_open(f->dir, &f->options, &f->store, &f->fault);
    }
    assert_true(becomes(f->store, STORE_HEALTH_UNTENDED, &why));
    assert_non_null(strstr(why.text, "open the catalog for background work"));
    assert_true(hears_errors(f->store, &heard, 1));
    file_fault_set(FILE_CALLS, 0, 0, false);
    assert_true(becomes(f->store, STORE_HEALTH_GOOD, NULL));
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(heard.errors, 1);
    assert_int_equal(heard.others, 1);
    assert_non_null(strstr(heard.last, "works again"));
    fx_start(f);
    fx_close(f);
}

static void test_storage_health__duty_that_keeps_failing_is_told_once(void **state)
{
    struct heard heard = new_heard();
    struct store_options options = options_heard_by(&heard);
    struct fault cause = { .text = "no such table" };
    struct health health;
    struct fault why = { 0 };

    (void)state;
    health_init(&health, &options);
    for (int i = 0; i < 1000; i++)
        health_duty(&health, WORK_SWEEP, STORE_IO, &cause);
    assert_int_equal(heard.errors, 1);
    assert_int_equal(health_of(&health, &why), STORE_HEALTH_UNTENDED);
    assert_non_null(strstr(why.text, "no such table"));
    health_duty(&health, WORK_CHECKPOINT, STORE_OK,
                NULL); /* another duty's success is not its own */
    assert_int_equal(health_of(&health, NULL), STORE_HEALTH_UNTENDED);
    health_duty(&health, WORK_SWEEP, STORE_OK, NULL);
    assert_int_equal(health_of(&health, NULL), STORE_HEALTH_GOOD);
    assert_int_equal(heard.others, 1);
    health_duty(&health, WORK_SWEEP, STORE_STOPPED, NULL); /* the store is closing */
    assert_int_equal(health_of(&health, NULL), STORE_HEALTH_GOOD);
    health_duty(&health, WORK_SWEEP, STORE_IO, NULL);
    assert_int_equal(heard.errors, 2);
    assert_non_null(strstr(heard.last, "device failure"));
    health_free(&health);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storage_health__new_store_is_good),
        cmocka_unit_test(test_storage_health__failed_sync_is_told_with_what_failed),
        cmocka_unit_test(test_storage_health__full_disk_is_not_ready_but_healthy),
        cmocka_unit_test(test_storage_health__janitor_without_catalog_is_told_and_tries_again),
        cmocka_unit_test(test_storage_health__interrupted_sync_is_made_again),
        cmocka_unit_test(test_storage_health__directory_open_to_all_is_warned_about),
        cmocka_unit_test(test_storage_health__duty_that_keeps_failing_is_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
