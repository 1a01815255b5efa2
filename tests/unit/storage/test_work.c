/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of background work: every round of every duty has one, also when it fails, and again when it
 * fails again.
 */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define POLLS_MAX 30000
#define OPENS_MAX 500
#define BIG_BYTES 150000

static char big[BIG_BYTES];

/* What was told, by kind. */
struct told {
    unsigned rounds, ended, failures;
    uint64_t count, bytes;
    struct work_record last;
};

static struct {
    pthread_mutex_t lock;
    struct told kinds[WORK_KINDS];
    unsigned notices;
} heard = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void hear(void *context, const struct work_record *record)
{
    struct told *told = &heard.kinds[record->kind];

    (void)context;
    (void)pthread_mutex_lock(&heard.lock);
    told->rounds++;
    told->ended += !record->unfinished;
    told->failures += record->status != STORE_OK && record->status != STORE_STOPPED;
    told->count += record->count;
    told->bytes += record->bytes;
    told->last = *record;
    (void)pthread_mutex_unlock(&heard.lock);
}

static void hear_notice(void *context, enum store_notice_kind kind, const char *text)
{
    (void)context;
    (void)text;
    (void)pthread_mutex_lock(&heard.lock);
    heard.notices += kind == STORE_NOTICE_ERROR;
    (void)pthread_mutex_unlock(&heard.lock);
}

static struct told told_of(enum work_kind kind)
{
    struct told told;

    (void)pthread_mutex_lock(&heard.lock);
    told = heard.kinds[kind];
    (void)pthread_mutex_unlock(&heard.lock);
    return told;
}

static unsigned notices(void)
{
    unsigned count;

    (void)pthread_mutex_lock(&heard.lock);
    count = heard.notices;
    (void)pthread_mutex_unlock(&heard.lock);
    return count;
}

static struct store_options options(void)
{
    memset(heard.kinds, 0, sizeof(heard.kinds));
    heard.notices = 0;
    return (struct store_options){ .inline_max_bytes = 1024,
                                   .reserve_bytes = 1,
                                   .upload_expiry_us = 3600 * US_PER_S,
                                   .janitor_interval_us = US_PER_S,
                                   .scrub_bytes_per_s = 1000 * 1000 * 1000,
                                   .scrub_interval_us = 3600 * US_PER_S,
                                   .notice = hear_notice,
                                   .work = hear };
}

/* Time passes in the store until it holds. */
static bool in_time(struct store *store, bool (*holds)(void))
{
    for (int i = 0; i < POLLS_MAX; i++) {
        if (holds())
            return true;
        clock_move(store_clock(store), CLOCK_ADVANCE, 2 * US_PER_S);
        fx_pause();
    }
    return false;
}

static bool all_was_done(void)
{
    struct told sweep = told_of(WORK_SWEEP);

    return sweep.count == 1 && sweep.bytes >= BIG_BYTES && sweep.ended > 0 &&
           told_of(WORK_CATALOG).ended > 0 && told_of(WORK_CHECKPOINT).ended > 0 &&
           told_of(WORK_EXPIRY).count == 1 && told_of(WORK_WALK).ended > 0 &&
           told_of(WORK_SCRUB).ended > 0;
}

static void test_storage_work__every_duty_has_records(void **state)
{
    struct store_options wanted = options();
    struct fixture *f = fx_open(&wanted);
    struct str upload;

    (void)state;
    FX_OK(f, fx_put(f, "dead", str_make(big, sizeof(big))));
    upload = fx_upload(f, "late");
    assert_true(str_present(upload));
    FX_OK(f, fx_delete(f, "dead"));
    clock_move(store_clock(f->store), CLOCK_ADVANCE, 2 * 3600 * US_PER_S);
    assert_true(in_time(f->store, all_was_done));
    for (int kind = 0; kind < WORK_KINDS; kind++) {
        assert_int_equal(told_of(kind).failures, 0);
        assert_string_equal(told_of(kind).last.fault.text, "");
        assert_true(told_of(kind).last.took_us >= 0);
    }
    fx_close(f);
    assert_int_equal(notices(), 0);
}

static bool scrubbed_two(void)
{
    return told_of(WORK_SCRUB).count >= 2 && told_of(WORK_SCRUB).ended > 0;
}

static void test_storage_work__a_pass_of_the_scrub_tells_what_it_read(void **state)
{
    struct store_options wanted = options();
    struct fixture *f;

    (void)state;
    wanted.scrub_bytes_per_s = 0;
    f = fx_open(&wanted);
    FX_OK(f, fx_put(f, "large", str_make(big, sizeof(big))));
    FX_OK(f, fx_put(f, "small", str_make(big, 100)));
    fx_stop(f);
    f->options = options();
    fx_start(f);
    assert_true(in_time(f->store, scrubbed_two));
    assert_int_equal(told_of(WORK_SCRUB).count, 2);
    assert_true(told_of(WORK_SCRUB).bytes >= BIG_BYTES + 100);
    fx_close(f);
}

/* ---- failures -------------------------------------------------------------------------------- */

static bool opens_failed_often(void)
{
    return told_of(WORK_CATALOG).failures >= 5 && told_of(WORK_SCRUB).failures >= 5;
}

static bool opened(void)
{
    return told_of(WORK_CATALOG).last.status == STORE_OK;
}

/* As test_health has it: every open after the store's own fails. */
static void test_storage_work__each_failure_has_a_record_and_the_first_a_notice(void **state)
{
    struct store_options wanted = options();
    struct fixture *f;
    enum store_status status = STORE_IO;

    (void)state;
    wanted.scrub_bytes_per_s = 0;
    f = fx_open(&wanted);
    fx_stop(f);
    (void)options();
    for (uint64_t n = 1; status != STORE_OK; n++) {
        assert_true(n < OPENS_MAX);
        file_fault_set(FILE_CALL_OPEN, n, EMFILE, /* forever= */ true);
        f->fault = (struct fault){ 0 };
        status = store_open(f->dir, &f->options, &f->store, &f->fault);
    }
    assert_true(in_time(f->store, opens_failed_often));
    assert_true(told_of(WORK_CATALOG).last.unfinished);
    assert_string_not_equal(told_of(WORK_CATALOG).last.fault.text, "");
    assert_int_equal(notices(), 2); /* the janitor's, the scrub's */
    file_fault_set(FILE_CALLS, 0, 0, false);
    assert_true(in_time(f->store, opened));
    store_close(f->store);
    f->store = NULL;
    fx_start(f);
    fx_close(f);
}

/* From outside, as damage would: the store's own connections meet it at their next statement. */
static void run_sql(struct fixture *f, const char *text)
{
    char path[4096];
    sqlite3 *db;

    (void)snprintf(path, sizeof(path), "%s/catalog.db", f->dir);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static bool uploads_failed(void)
{
    return told_of(WORK_EXPIRY).failures >= 2 && told_of(WORK_SWEEP).failures >= 1;
}

static bool uploads_mended(void)
{
    return told_of(WORK_SWEEP).last.status == STORE_OK;
}

static void test_storage_work__uploads_that_can_not_be_looked_at_are_told(void **state)
{
    struct store_options wanted = options();
    struct fixture *f = fx_open(&wanted);
    struct fault why = { 0 };

    (void)state;
    run_sql(f, "ALTER TABLE upload RENAME TO lost");
    FX_OK(f, fx_put(f, "some", str_make(big, 100))); /* a commit, and after it silence */
    assert_true(in_time(f->store, uploads_failed));
    assert_non_null(strstr(told_of(WORK_EXPIRY).last.fault.text, "no such table"));
    assert_int_equal(store_health(f->store, &why), STORE_HEALTH_UNTENDED);
    run_sql(f, "ALTER TABLE lost RENAME TO upload");
    assert_true(in_time(f->store, uploads_mended));
    fx_close(f);
}

static bool walk_failed(void)
{
    return told_of(WORK_WALK).failures >= 1;
}

static bool walk_mended(void)
{
    return told_of(WORK_WALK).last.status == STORE_OK;
}

static void test_storage_work__files_whose_rows_can_not_be_looked_at_are_told(void **state)
{
    struct store_options wanted = options();
    struct fixture *f;
    struct fault why = { 0 };

    (void)state;
    wanted.janitor_interval_us = 600 * US_PER_S; /* the walk comes later */
    f = fx_open(&wanted);
    FX_OK(f, fx_put(f, "file", str_make(big, sizeof(big))));
    run_sql(f, "ALTER TABLE blob RENAME TO lost");
    clock_move(store_clock(f->store), CLOCK_ADVANCE, 2 * 3600 * US_PER_S);
    assert_true(in_time(f->store, walk_failed));
    assert_non_null(strstr(told_of(WORK_WALK).last.fault.text, "no such table"));
    assert_int_equal(store_health(f->store, &why), STORE_HEALTH_UNTENDED);
    run_sql(f, "ALTER TABLE lost RENAME TO blob");
    assert_true(in_time(f->store, walk_mended));
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storage_work__every_duty_has_records),
        cmocka_unit_test(test_storage_work__a_pass_of_the_scrub_tells_what_it_read),
        cmocka_unit_test(test_storage_work__each_failure_has_a_record_and_the_first_a_notice),
        cmocka_unit_test(test_storage_work__uploads_that_can_not_be_looked_at_are_told),
        cmocka_unit_test(test_storage_work__files_whose_rows_can_not_be_looked_at_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
