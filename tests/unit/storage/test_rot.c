/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored bytes that decay: they are not given out for good ones, and an upload of the same bytes
 * mends every object that shares them.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATTERN_BYTES 64

static char content[2 << 20];
static char found_in[200];
static off_t found_at;

/* ---- a bit turned over ------------------------------------------------------------------- */

static int search_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    static const char *wanted = content + 500;
    CLEANUP(buf_free) struct buf bytes = BUF_WITH_MAX(SIZE_MAX / 2);
    int fd;
    char *at;

    (void)ftw;
    if (flag != FTW_F || strstr(path, "catalog.db-") != NULL || strstr(path, "quarantine") != NULL)
        return 0;
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && buf_reserve(&bytes, (size_t)st->st_size + 1));
    assert_int_equal(read(fd, bytes.p, (size_t)st->st_size), st->st_size);
    (void)close(fd);
    at = memmem(bytes.p, (size_t)st->st_size, wanted, PATTERN_BYTES);
    if (at == NULL)
        return 0;
    (void)snprintf(found_in, sizeof(found_in), "%s", path);
    found_at = at - bytes.p;
    return 1;
}

static void turn_over(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    char byte;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

/* One bit of the stored copy of `content`, wherever it is. */
static void decay(struct fixture *f)
{
    assert_int_equal(nftw(f->dir, search_file, 16, FTW_PHYS), 1);
    turn_over(found_in, found_at);
}

/* ---- placements -------------------------------------------------------------------------- */

static const struct placement {
    const char *name;
    size_t bytes;
    bool announced;
} placements[] = {
    { "inline", 1000, true },
    { "pack", 300 * 1024, true },
    { "file", 300 * 1024, false },
};

static struct str fill(const struct placement *placement)
{
    fx_fill(content, placement->bytes, (uint32_t)placement->bytes);
    return str_make(content, placement->bytes);
}

static void put(struct fixture *f, const char *key, struct str bytes, bool announced)
{
    struct fx_put put = { .key = str_from_cstr(key), .bytes = bytes, .announced = announced };

    FX_OK(f, fx_put_with(f, &put));
}

/* What a whole read of a key comes to. */
static enum store_status whole_read(struct fixture *f, const char *key, struct str expected)
{
    struct version version;
    struct str bytes;
    struct body *body = NULL;
    char *out = arena_alloc(f->arena, expected.len);
    enum store_status status;
    int64_t got;

    reader_begin(f->reader);
    FX_OK(f, fx_head(f, key, &version));
    status = body_load(f->reader, &version, 0, version.size_bytes, f->arena, &bytes, &f->fault);
    if (status == STORE_OK && str_present(bytes))
        assert_true(str_eq(bytes, expected));
    if (status == STORE_OK && !str_present(bytes))
        status = body_open(f->reader, &version, 0, version.size_bytes, &body, &f->fault);
    reader_end(f->reader);
    if (body == NULL)
        return status;

    got = body_read(body, out, expected.len, &f->fault);
    body_close(body);
    if (got < 0)
        return (enum store_status) - got;
    assert_true(str_eq(str_make(out, (size_t)got), expected));
    return STORE_OK;
}

static void a_whole_read_of_decayed_bytes_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(placements); i++) {
        struct fixture *f = fx_open(NULL);
        struct str bytes = fill(&placements[i]);

        put(f, "a", bytes, placements[i].announced);
        fx_stop(f);
        fx_start(f);
        assert_int_equal(whole_read(f, "a", bytes), STORE_OK);
        fx_stop(f);
        decay(f);
        fx_start(f);
        assert_int_equal(whole_read(f, "a", bytes), STORE_DAMAGED);
        fx_stop(f);
        f->quiet_fsck = true;
        assert_true(fx_fsck(f).errors > 0);
        fx_remove(f);
    }
}

static void every_upload_of_the_same_bytes_mends_all_that_share_them(void **state)
{
    (void)state;
    for (size_t from = 1; from < COUNT_OF(placements); from++) {
        for (size_t to = 1; to < COUNT_OF(placements); to++) {
            struct fixture *f = fx_open(NULL);
            struct str bytes = fill(&placements[from]);

            put(f, "a", bytes, placements[from].announced);
            FX_OK(f, fx_copy(f, "a", "b", COPY_REFER));
            decay(f);
            put(f, "c", bytes, placements[to].announced);
            assert_int_equal(whole_read(f, "a", bytes), STORE_OK);
            assert_int_equal(whole_read(f, "b", bytes), STORE_OK);
            assert_int_equal(whole_read(f, "c", bytes), STORE_OK);
            /* A file over a file is replaced without being looked at. */
            assert_int_equal(store_counters(f->store).blobs_mended, from == 1 || to == 1);

            /* A good copy stays where it is. */
            put(f, "d", bytes, placements[from].announced);
            assert_int_equal(store_counters(f->store).blobs_mended, from == 1 || to == 1);
            FX_OK(f, fx_delete(f, "a"));
            FX_OK(f, fx_delete(f, "b"));
            FX_OK(f, fx_delete(f, "c"));
            FX_OK(f, store_sweep_now(f->store, &f->fault));
            assert_int_equal(whole_read(f, "d", bytes), STORE_OK);
            fx_close(f);
        }
    }
}

/* Never returns. The log has the commit, and nobody knows whether the disk has; then the end. */
static void upload_without_an_answer(struct fixture *f, struct str bytes, bool announced)
{
    struct fx_put put = { .key = STR("b"), .bytes = bytes, .announced = announced };
    bool as_meant;

    fx_start(f);
    if (fx_put(f, "first of the log", STR("x")) != STORE_OK)
        _exit(2);
    /* The first sync is that of the bytes. */
    file_fault_set(FILE_CALL_SYNC, 2, EIO, /* forever= */ false);
    as_meant = fx_put_with(f, &put) == STORE_IO && file_fault_fired() && !store_healthy(f->store);
    _exit(as_meant ? 0 : 1);
}

static void new_bytes_stay_when_nobody_knows_whether_a_row_names_them(void **state)
{
    static const struct store_options strict = { .durability = STORE_STRICT,
                                                 .inline_max_bytes = 1024,
                                                 .reserve_bytes = 1 };

    (void)state;
    for (size_t from = 1; from < COUNT_OF(placements); from++) {
        for (size_t to = 1; to < COUNT_OF(placements); to++) {
            struct fixture *f = fx_open(&strict);
            struct str bytes = fill(&placements[from]);
            pid_t child;
            int status;

            put(f, "a", bytes, placements[from].announced);
            decay(f);
            fx_stop(f);
            child = fork();
            if (child == 0)
                upload_without_an_answer(f, bytes, placements[to].announced);
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_int_equal(status, 0);
            fx_start(f);
            assert_int_equal(whole_read(f, "b", bytes), STORE_OK);
            assert_int_equal(whole_read(f, "a", bytes), STORE_OK);
            fx_close(f);
        }
    }
}

static void a_pack_that_can_not_be_opened_keeps_no_upload_away(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct str bytes = fill(&placements[1]);

    (void)state;
    put(f, "a", bytes, /* announced= */ true);
    file_fault_set(FILE_CALL_OPEN, 1, EIO, /* forever= */ false);
    put(f, "b", bytes, /* announced= */ true);
    assert_true(file_fault_fired());
    file_fault_set(FILE_CALL_OPEN, 0, 0, false);
    assert_int_equal(store_counters(f->store).blobs_mended, 1);
    assert_int_equal(whole_read(f, "a", bytes), STORE_OK);
    fx_close(f);
}

static void a_missing_file_is_mended_by_an_upload(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct str bytes = fill(&placements[2]);

    (void)state;
    put(f, "a", bytes, /* announced= */ false);
    assert_int_equal(nftw(f->dir, search_file, 16, FTW_PHYS), 1);
    assert_int_equal(unlink(found_in), 0);
    assert_int_equal(whole_read(f, "a", bytes), STORE_DAMAGED);
    put(f, "b", bytes, /* announced= */ true);
    assert_int_equal(whole_read(f, "a", bytes), STORE_OK);
    fx_close(f);
}

/* Both sides of the size up to which a file that goes out as it is is read first. */
static void whole_files_are_verified_up_to_a_bound(void **state)
{
    static const size_t sizes[] = { 512 * 1024, 512 * 1024 + 1 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct fixture *f = fx_open(NULL);
        struct placement placement = { "file", sizes[i], false };
        struct str bytes = fill(&placement);
        struct version version;
        struct body *body;
        char *out = arena_alloc(f->arena, sizes[i]);

        put(f, "a", bytes, placement.announced);
        decay(f);
        FX_OK(f, fx_head(f, "a", &version));
        assert_int_equal(body_open(f->reader, &version, 0, sizes[i], &body, &f->fault),
                         i == 0 ? STORE_DAMAGED : STORE_OK);
        if (i == 1) {
            /* Through memory: the last bytes are held back. */
            assert_int_equal(body_read(body, out, 300000, &f->fault), 300000);
            assert_int_equal(body_read(body, out, sizes[i] - 300000, &f->fault), -STORE_DAMAGED);
            body_close(body);
        }
        fx_stop(f);
        fx_remove(f);
    }
}

static void a_decayed_part_ends_the_read_of_its_object(void **state)
{
    static const uint32_t numbers[] = { 1, 3 };
    struct fixture *f = fx_open(NULL);
    struct str first = fill(&placements[1]);
    static char second[200000];
    static char whole[600000];
    struct str upload = fx_upload(f, "m");

    (void)state;
    fx_fill(second, sizeof(second), 77);
    memcpy(whole, first.p, first.len);
    memcpy(whole + first.len, second, sizeof(second));
    FX_OK(f, fx_part(f, "m", upload, 1, first, NULL));
    FX_OK(f, fx_part(f, "m", upload, 3, str_make(second, sizeof(second)), NULL));
    FX_OK(f, fx_complete(f, "m", upload, numbers, 2));
    assert_int_equal(whole_read(f, "m", str_make(whole, first.len + sizeof(second))), STORE_OK);
    decay(f);
    assert_int_equal(whole_read(f, "m", str_make(whole, first.len + sizeof(second))),
                     STORE_DAMAGED);
    /* A copy that writes the bytes anew does not make good bytes of them. */
    assert_int_equal(fx_copy(f, "m", "sealed", COPY_REWRITE), STORE_DAMAGED);
    put(f, "other", first, true);
    assert_int_equal(whole_read(f, "m", str_make(whole, first.len + sizeof(second))), STORE_OK);
    fx_close(f);
}

/* ---- the scrub --------------------------------------------------------------------------- */

static char notices[4000];
static pthread_mutex_t notices_lock = PTHREAD_MUTEX_INITIALIZER;

static void note(void *context, enum store_notice_kind kind, const char *text)
{
    size_t at;

    (void)context;
    (void)kind;
    (void)pthread_mutex_lock(&notices_lock);
    at = strlen(notices);
    (void)snprintf(notices + at, sizeof(notices) - at, "%s\n", text);
    (void)pthread_mutex_unlock(&notices_lock);
}

static bool noticed(const char *words)
{
    bool found;

    (void)pthread_mutex_lock(&notices_lock);
    found = strstr(notices, words) != NULL;
    (void)pthread_mutex_unlock(&notices_lock);
    return found;
}

/* On the catalog; the first value of the first row, or 0. */
static int64_t run_sql(struct fixture *f, const char *text)
{
    char path[100];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t value = 0;
    int rc;

    (void)snprintf(path, sizeof(path), "%s/catalog.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
    rc = sqlite3_step(stmt);
    assert_true(rc == SQLITE_ROW || rc == SQLITE_DONE);
    if (rc == SQLITE_ROW)
        value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

/* Until as many bodies were looked at. */
static void await_scrubbed(struct fixture *f, uint64_t bodies)
{
    FX_AWAIT(store_counters(f->store).bodies_scrubbed >= bodies);
}

static void await_damaged(struct fixture *f, uint64_t bodies)
{
    FX_AWAIT(store_counters(f->store).bodies_damaged >= bodies);
}

static void note_line(void *context, const char *line)
{
    (void)context;
    (void)line;
}

static const struct store_options scrubbing = { .durability = STORE_RELAXED,
                                                .inline_max_bytes = 1024,
                                                .reserve_bytes = 1,
                                                .notice = note,
                                                .scrub_bytes_per_s = 1 << 30,
                                                .scrub_interval_us = 1 };
static const struct store_options not_scrubbing = { .durability = STORE_RELAXED,
                                                    .inline_max_bytes = 1024,
                                                    .reserve_bytes = 1,
                                                    .notice = note };

static void restart(struct fixture *f, const struct store_options *options)
{
    fx_stop(f);
    f->options = *options;
    fx_start(f);
}

static void the_scrub_finds_what_nobody_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(placements); i++) {
        struct fixture *f = fx_open(&not_scrubbing);
        struct str bytes = fill(&placements[i]);
        struct version version;
        struct body *body;
        struct fsck_report report = { 0 };

        put(f, "a", bytes, placements[i].announced);
        FX_OK(f, fx_put(f, "good", STR("good")));
        fx_stop(f);
        decay(f);
        notices[0] = '\0';
        f->options = scrubbing;
        fx_start(f);
        await_damaged(f, 1);
        restart(f, &not_scrubbing);
        assert_true(noticed("bucket=bucket key=a version=null: "));
        assert_false(noticed("key=good"));

        /* Marked: no part of it is given out, and fsck knows without reading. */
        FX_OK(f, fx_head(f, "a", &version));
        assert_int_equal(body_open(f->reader, &version, 7, 20, &body, &f->fault), STORE_DAMAGED);
        fx_stop(f);
        f->quiet_fsck = true;
        FX_OK(f,
              store_fsck(f->dir, &(struct fsck_options){ 0 }, note_line, NULL, &report, &f->fault));
        assert_int_equal(report.errors, 1);

        fx_start(f);
        put(f, "a", bytes, placements[i].announced);
        assert_int_equal(whole_read(f, "a", bytes), STORE_OK);
        f->quiet_fsck = false;
        fx_close(f);
    }
}

static void what_a_read_finds_is_marked_without_a_pass(void **state)
{
    struct fixture *f = fx_open(&not_scrubbing);
    struct str bytes = fill(&placements[1]);
    struct version version;
    struct body *body;

    (void)state;
    put(f, "a", bytes, true);
    decay(f);
    FX_OK(f, fx_head(f, "a", &version));
    FX_OK(f, body_open(f->reader, &version, 7, 20, &body, &f->fault)); /* nobody knows yet */
    body_close(body);
    assert_int_equal(whole_read(f, "a", bytes), STORE_DAMAGED);
    await_damaged(f, 1);
    assert_int_equal(body_open(f->reader, &version, 7, 20, &body, &f->fault), STORE_DAMAGED);

    /* The disk has thought better of it: the next pass takes the mark away. */
    turn_over(found_in, found_at);
    restart(f, &scrubbing);
    await_scrubbed(f, 2);
    restart(f, &not_scrubbing);
    assert_int_equal(whole_read(f, "a", bytes), STORE_OK);
    fx_close(f);
}

static void a_pass_goes_on_where_the_last_run_was_and_then_rests(void **state)
{
    struct store_options slow = scrubbing;
    struct store_options seldom = scrubbing;
    struct fixture *f = fx_open(&not_scrubbing);
    int64_t left;
    int64_t begins_us;

    (void)state;
    for (int i = 0; i < 20; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "k%d", i);
        fx_fill(content, 30000, (uint32_t)i);
        put(f, key, str_make(content, 30000), true);
    }
    slow.scrub_bytes_per_s = 300000; /* ten bodies a second */
    seldom.scrub_interval_us = 3600 * US_PER_S;
    restart(f, &slow);
    await_scrubbed(f, 2);
    fx_stop(f);
    left = run_sql(f, "SELECT count(*) FROM blob"
                      " WHERE id > (SELECT value FROM meta WHERE name = 'scrub_at')");
    assert_true(left > 0 && left <= 18);

    f->options = seldom;
    fx_start(f);
    await_scrubbed(f, (uint64_t)left);
    restart(f, &seldom);
    begins_us = clock_now_us(store_clock(f->store)) + seldom.scrub_interval_us;
    assert_int_equal(store_counters(f->store).bodies_scrubbed, 0);
    clock_move(store_clock(f->store), CLOCK_ADVANCE, seldom.scrub_interval_us);
    FX_AWAIT(run_sql(f, "SELECT value FROM meta WHERE name = 'scrub_us'") >= begins_us);
    assert_int_equal(store_counters(f->store).bodies_scrubbed, 20); /* one that began at once: 40 */
    fx_stop(f);
    assert_int_equal(run_sql(f, "SELECT value FROM meta WHERE name = 'scrub_stage'"), 0);
    fx_start(f);
    fx_close(f);
}

static void bodies_from_before_there_were_sums_get_them(void **state)
{
    struct fixture *f = fx_open(&not_scrubbing);
    struct str bytes = fill(&placements[1]);

    (void)state;
    put(f, "a", bytes, true);
    FX_OK(f, fx_put(f, "small", STR("small")));
    fx_stop(f);
    run_sql(f, "UPDATE blob SET sum = NULL");
    run_sql(f, "UPDATE inline_body SET sum = NULL");
    f->options = scrubbing;
    fx_start(f);
    await_scrubbed(f, 4);
    fx_stop(f);
    assert_int_equal(run_sql(f, "SELECT count(*) FROM blob WHERE sum IS NULL"), 0);
    assert_int_equal(run_sql(f, "SELECT count(*) FROM inline_body WHERE sum IS NULL"), 0);

    /* Without a sum the name says what the bytes are. */
    run_sql(f, "UPDATE blob SET sum = NULL");
    decay(f);
    fx_start(f);
    await_damaged(f, 1);
    restart(f, &not_scrubbing);
    put(f, "b", bytes, true);
    assert_int_equal(whole_read(f, "a", bytes), STORE_OK);
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_read_of_decayed_bytes_fails),
        cmocka_unit_test(every_upload_of_the_same_bytes_mends_all_that_share_them),
        cmocka_unit_test(new_bytes_stay_when_nobody_knows_whether_a_row_names_them),
        cmocka_unit_test(a_pack_that_can_not_be_opened_keeps_no_upload_away),
        cmocka_unit_test(a_missing_file_is_mended_by_an_upload),
        cmocka_unit_test(whole_files_are_verified_up_to_a_bound),
        cmocka_unit_test(the_scrub_finds_what_nobody_reads),
        cmocka_unit_test(what_a_read_finds_is_marked_without_a_pass),
        cmocka_unit_test(a_pass_goes_on_where_the_last_run_was_and_then_rests),
        cmocka_unit_test(bodies_from_before_there_were_sums_get_them),
        cmocka_unit_test(a_decayed_part_ends_the_read_of_its_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
