/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep against writers of the same bytes and against open downloads.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 150
#define CONTENTS 3

static char content[CONTENTS][20000];
static char big[2][150000];

struct racer {
    struct fixture *f;
    int number;
    atomic_bool *stop;
    pthread_t thread;
};

/* announced: into a pack; else into a file of its own. */
static void put_bytes(struct racer *racer, struct arena *arena, struct str key, struct str bytes,
                      bool announced)
{
    struct body_options options = { .account = OWNER, .expected_bytes = announced ? bytes.len : 0 };
    struct body_writer *writer;
    struct body_digests digests;
    struct fault fault = { 0 };
    struct intent intent = { .kind = INTENT_OBJECT_PUT,
                             .bucket = BUCKET,
                             .key = key,
                             .arena = arena,
                             .put.attrs = { .etag = STR("e"), .owner = OWNER } };

    assert_int_equal(body_writer_open(racer->f->store, &options, &writer, &fault), STORE_OK);
    assert_int_equal(body_writer_append(writer, bytes.p, bytes.len, &fault), STORE_OK);
    assert_int_equal(body_writer_finish(writer, &digests, &fault), STORE_OK);
    intent.put.bytes.body = writer;
    assert_int_equal(store_submit_wait(racer->f->store, &intent), STORE_OK);
    body_writer_close(writer);
}

static void check_bytes(struct reader *reader, struct arena *arena, struct str key,
                        struct str bytes)
{
    struct fault fault = { 0 };
    struct bucket bucket;
    struct version version;
    struct body *body;
    char out[20001];

    reader_begin(reader);
    assert_int_equal(bucket_get(reader, BUCKET, arena, &bucket, &fault), STORE_OK);
    assert_int_equal(version_get(reader, bucket.id, key, (struct version_id){ 0 }, arena, &version,
                                 &fault),
                     STORE_OK);
    assert_int_equal(body_open(reader, &version, 0, version.size_bytes, &body, &fault), STORE_OK);
    reader_end(reader);
    assert_int_equal(body_read(body, out, sizeof(out), &fault), bytes.len);
    assert_memory_equal(out, bytes.p, bytes.len);
    body_close(body);
}

/* Puts, reads and deletes a few equal contents under keys of its own. */
static void *race(void *argument)
{
    struct racer *racer = argument;
    struct arena *arena = arena_open(4096, 1 << 20);
    struct reader *reader;
    struct fault fault = { 0 };
    char key[16];

    assert_int_equal(reader_open(racer->f->store, &reader, &fault), STORE_OK);
    (void)snprintf(key, sizeof(key), "k%d", racer->number);
    for (int i = 0; i < ROUNDS; i++) {
        struct str bytes = str_make(content[(i + racer->number) % CONTENTS], 20000);
        struct delete_item item = { .key = str_from_cstr(key) };
        struct intent remove = { .kind = INTENT_OBJECT_DELETE,
                                 .bucket = BUCKET,
                                 .arena = arena,
                                 .remove = { .items = &item, .count = 1 } };

        put_bytes(racer, arena, str_from_cstr(key), bytes, /* announced= */ i % 2 == 0);
        check_bytes(reader, arena, str_from_cstr(key), bytes);
        assert_int_equal(store_submit_wait(racer->f->store, &remove), STORE_OK);
        arena_reset(arena);
    }
    reader_close(reader);
    arena_close(arena);
    return NULL;
}

static void *sweep(void *argument)
{
    struct racer *racer = argument;
    struct fault fault = { 0 };

    while (!atomic_load(racer->stop))
        assert_int_equal(store_sweep_now(racer->f->store, &fault), STORE_OK);
    return NULL;
}

static void a_put_of_bytes_being_swept_never_loses_them(void **state)
{
    struct fixture *f = fx_open(NULL);
    atomic_bool stop = false;
    struct racer racers[4];
    uint64_t occupied;

    (void)state;
    for (size_t i = 0; i < CONTENTS; i++)
        fx_fill(content[i], sizeof(content[i]), (uint32_t)i);
    for (int i = 0; i < 4; i++) {
        racers[i] = (struct racer){ .f = f, .number = i, .stop = &stop };
        assert_int_equal(pthread_create(&racers[i].thread, NULL, i < 3 ? race : sweep, &racers[i]),
                         0);
    }
    for (int i = 0; i < 3; i++)
        (void)pthread_join(racers[i].thread, NULL);
    atomic_store(&stop, true);
    (void)pthread_join(racers[3].thread, NULL);
    assert_true(store_counters(f->store).blobs_removed > 0);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 0);
    assert_int_equal(fx_packs(f, &occupied), 1);
    assert_int_equal(occupied, 0);
    fx_close(f);
}

static void a_long_download_is_not_cut_by_delete_and_sweep(void **state)
{
    static const uint32_t numbers[] = { 1, 2, 3 };
    struct fixture *f = fx_open(NULL);
    struct str upload = fx_upload(f, "m");
    struct version version;
    struct body *body;
    char out[300100];
    size_t at = 0;
    int64_t got = 1;

    (void)state;
    fx_fill(big[0], 150000, 1);
    fx_fill(big[1], 150000, 2);
    FX_OK(f, fx_part(f, "m", upload, 1, str_make(big[0], 150000), NULL));
    FX_OK(f, fx_part(f, "m", upload, 2, str_make(big[1], 150000), NULL));
    FX_OK(f, fx_part(f, "m", upload, 3, str_make(big[0], 100), NULL));
    FX_OK(f, fx_complete(f, "m", upload, numbers, 3));

    reader_begin(f->reader);
    FX_OK(f, fx_head(f, "m", &version));
    FX_OK(f, body_open(f->reader, &version, 0, version.size_bytes, &body, &f->fault));
    reader_end(f->reader);
    FX_OK(f, fx_delete(f, "m"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 2);
    while (got > 0) {
        got = body_read(body, out + at, size_min(sizeof(out) - at, 10000), &f->fault);
        assert_true(got >= 0);
        at += (size_t)got;
    }
    assert_int_equal(at, 300100);
    assert_memory_equal(out, big[0], 150000);
    assert_memory_equal(out + 150000, big[1], 150000);
    assert_memory_equal(out + 300000, big[0], 100);
    body_close(body);

    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 0);
    fx_close(f);
}

/* ---- one slow reader ---------------------------------------------------------------------- */

#define SLOW_BYTES 150000
#define OTHERS 20
#define EXTENT_ROUND 4096

static void put_slow(struct fixture *f, const char *key, const char *bytes, bool announced,
                     bool encrypt)
{
    struct fx_put put = { .key = str_from_cstr(key),
                          .bytes = str_make(bytes, SLOW_BYTES),
                          .announced = announced,
                          .encrypt = encrypt };

    FX_OK(f, fx_put_with(f, &put));
}

/* A pack's extent, a file and an inline body, in this order. */
static void make_mixed(struct fixture *f, const char *key)
{
    static const uint32_t numbers[] = { 1, 2, 3 };
    struct copy_source source = { .bucket_id = fx_bucket_id(f), .key = STR("packed") };
    struct str upload = fx_upload(f, key);
    struct version version;

    put_slow(f, "packed", big[0], /* announced= */ true, /* encrypt= */ false);
    FX_OK(f, fx_head(f, "packed", &version));
    source.seq = version.seq;
    FX_OK(f, fx_part(f, key, upload, 1, STR_NONE, &source));
    FX_OK(f, fx_part(f, key, upload, 2, str_make(big[1], SLOW_BYTES), NULL));
    FX_OK(f, fx_part(f, key, upload, 3, STR("the end"), NULL));
    FX_OK(f, fx_complete(f, key, upload, numbers, 3));
    FX_OK(f, fx_delete(f, "packed"));
}

static struct body *open_whole(struct fixture *f, const char *key)
{
    struct version version;
    struct body *body;

    reader_begin(f->reader);
    FX_OK(f, fx_head(f, key, &version));
    FX_OK(f, body_open(f->reader, &version, 0, version.size_bytes, &body, &f->fault));
    reader_end(f->reader);
    return body;
}

static void read_exactly(struct fixture *f, struct body *body, const char *expected, size_t len)
{
    static char out[SLOW_BYTES];
    size_t at = 0;

    while (at < len) {
        int64_t got = body_read(body, out + at, size_min(len - at, 10000), &f->fault);

        assert_true(got > 0);
        at += (size_t)got;
    }
    assert_memory_equal(out, expected, len);
}

static uint64_t pack_bytes(struct fixture *f)
{
    uint64_t occupied;

    (void)fx_packs(f, &occupied);
    return occupied;
}

static void put_and_delete_others(struct fixture *f)
{
    char key[24];

    for (int i = 0; i < OTHERS; i++) {
        (void)snprintf(key, sizeof(key), "other-%d", i);
        fx_fill(content[0], sizeof(content[0]), (uint32_t)(100 + i));
        FX_OK(f, fx_put(f, key, str_make(content[0], sizeof(content[0])))); /* a file */
        FX_OK(f, fx_delete(f, key));
        put_slow(f, key, big[0] + i, /* announced= */ true, /* encrypt= */ i % 2 == 0);
        FX_OK(f, fx_delete(f, key));
    }
}

static void a_slow_reader_keeps_its_own_body_and_nothing_else(void **state)
{
    struct fixture *f = fx_open(NULL);
    uint64_t one = (SLOW_BYTES + EXTENT_ROUND - 1) / EXTENT_ROUND * EXTENT_ROUND;
    struct body *slow;

    (void)state;
    fx_fill(big[0], SLOW_BYTES, 1);
    fx_fill(big[1], SLOW_BYTES, 2);
    make_mixed(f, "slow");
    slow = open_whole(f, "slow");
    FX_OK(f, fx_delete(f, "slow"));
    read_exactly(f, slow, big[0], 1000);

    put_and_delete_others(f);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(pack_bytes(f), one);
    assert_int_equal(fx_blob_files(f), 1);

    read_exactly(f, slow, big[0] + 1000, SLOW_BYTES - 1000);
    FX_OK(f, store_sweep_now(f->store, &f->fault)); /* what it has behind it may go */
    assert_int_equal(pack_bytes(f), 0);
    assert_int_equal(fx_blob_files(f), 1);
    read_exactly(f, slow, big[1], SLOW_BYTES);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 0);
    read_exactly(f, slow, "the end", 7);
    body_close(slow);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    fx_stop(f);
    assert_int_equal(fx_fsck(f).inline_bodies, 0);
    fx_start(f);
    fx_close(f);
}

static void every_reader_of_a_body_has_to_leave_before_it_goes(void **state)
{
    static const bool kinds[][2] = { { true, false }, { true, true } }; /* announced, encrypt */
    struct fixture *f = fx_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct body *first;
        struct body *second;

        put_slow(f, "k", big[0], kinds[i][0], kinds[i][1]);
        first = open_whole(f, "k");
        second = open_whole(f, "k");
        FX_OK(f, fx_delete(f, "k"));
        body_close(first);
        FX_OK(f, store_sweep_now(f->store, &f->fault));
        read_exactly(f, second, big[0], SLOW_BYTES);
        body_close(second);
        FX_OK(f, store_sweep_now(f->store, &f->fault));
        assert_int_equal(pack_bytes(f), 0);
    }
    fx_close(f);
}

/* The row that a reader has pinned is the one that a new upload of the same bytes revives. */
static void bytes_that_are_read_may_be_stored_again_and_die_again(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct body *body;

    (void)state;
    put_slow(f, "k", big[0], /* announced= */ true, /* encrypt= */ false);
    body = open_whole(f, "k");
    FX_OK(f, fx_delete(f, "k"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    put_slow(f, "again", big[0], /* announced= */ true, /* encrypt= */ false);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    fx_assert_content(f, "again", str_make(big[0], SLOW_BYTES));
    FX_OK(f, fx_delete(f, "again"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    read_exactly(f, body, big[0], SLOW_BYTES);
    body_close(body);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(pack_bytes(f), 0);
    fx_close(f);
}

static void a_snapshot_keeps_what_it_can_see(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version version;
    struct body *body;

    (void)state;
    FX_OK(f, fx_put(f, "k", str_make(big[0], 150000)));
    reader_begin(f->reader);
    FX_OK(f, fx_head(f, "k", &version));
    FX_OK(f, fx_delete(f, "k"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    FX_OK(f, body_open(f->reader, &version, 0, version.size_bytes, &body, &f->fault));
    body_close(body);
    reader_end(f->reader);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 0);
    fx_close(f);
}

/* A link without a commit: what a crash between the two leaves. */
static void an_orphan_is_removed_when_it_is_old_and_the_walk_comes_by(void **state)
{
    struct store_options options = { .durability = STORE_RELAXED,
                                     .inline_max_bytes = 1024,
                                     .reserve_bytes = 1,
                                     .janitor_interval_us = 60 * US_PER_S };
    struct fixture *f = fx_open(&options);
    struct fsck_report report;
    char leaf[100];
    char path[200];
    FILE *file;

    (void)state;
    FX_OK(f, fx_put(f, "k", str_make(big[0], 150000)));
    (void)snprintf(leaf, sizeof(leaf), "%s/blobs/00", f->dir);
    (void)mkdir(leaf, 0700);
    (void)snprintf(leaf, sizeof(leaf), "%s/blobs/00/01", f->dir);
    (void)mkdir(leaf, 0700);
    (void)snprintf(path, sizeof(path), "%s/0001%060d.%016d", leaf, 7, 8);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fclose(file);
    fx_stop(f);
    report = fx_fsck(f);
    assert_int_equal(report.orphans, 1);
    assert_int_equal(report.errors, 0);

    fx_start(f);
    fx_pass(f, 0);
    fx_pass(f, 60 * US_PER_S);
    assert_int_equal(fx_blob_files(f), 2); /* too young */
    fx_stop(f);
    fx_start(f);
    fx_pass(f, 0);
    fx_pass(f, 2 * 3600 * US_PER_S);
    assert_int_equal(fx_blob_files(f), 1);
    fx_assert_content(f, "k", str_make(big[0], 150000));
    fx_close(f);
}

static void the_janitor_sweeps_by_itself(void **state)
{
    struct store_options options = { .durability = STORE_RELAXED,
                                     .inline_max_bytes = 1024,
                                     .reserve_bytes = 1,
                                     .janitor_interval_us = 60 * US_PER_S };
    struct fixture *f = fx_open(&options);

    (void)state;
    clock_move(store_clock(f->store), CLOCK_FREEZE, 0);
    FX_OK(f, fx_put(f, "k", str_make(big[0], 150000)));
    FX_OK(f, fx_delete(f, "k"));
    fx_pass(f, 2 * US_PER_S); /* it is quiet: the sweep is planned */
    fx_pass(f, 50 * US_PER_S);
    assert_int_equal(fx_blob_files(f), 1);
    fx_pass(f, 11 * US_PER_S);
    assert_int_equal(fx_blob_files(f), 0);
    fx_close(f);
}

/* Without a body on its way that would have asked how much is free; the interval is a minute. */
static void deletes_on_a_full_disk_give_their_space_back_at_once(void **state)
{
    struct fixture *f = fx_open(NULL);

    (void)state;
    FX_OK(f, fx_put(f, "file", str_make(big[0], 150000)));
    put_slow(f, "packed", big[1], /* announced= */ true, /* encrypt= */ false);
    fx_stop(f);
    f->options.janitor_interval_us = 0;
    f->options.reserve_bytes = UINT64_MAX / 8; /* more than any disk has */
    fx_start(f);
    clock_move(store_clock(f->store), CLOCK_FREEZE, 0);
    FX_OK(f, fx_delete(f, "file"));
    FX_OK(f, fx_delete(f, "packed"));
    fx_pass(f, US_PER_S); /* between the commits of a burst it does not sweep */
    fx_pass(f, US_PER_S);
    assert_int_equal(fx_blob_files(f), 0);
    assert_int_equal(pack_bytes(f), 0);
    fx_close(f);
}

/* What died before the disk was found full does not wait for its minute either. */
static void what_died_before_goes_when_space_runs_out(void **state)
{
    struct fixture *f = fx_open(NULL);

    (void)state;
    fx_stop(f);
    f->options.janitor_interval_us = 0;
    fx_start(f);
    FX_OK(f, fx_put(f, "file", str_make(big[0], 150000)));
    FX_OK(f, fx_delete(f, "file"));
    fx_stop(f);
    assert_int_equal(fx_blob_files(f), 1);
    f->options.reserve_bytes = UINT64_MAX / 8;
    fx_start(f);
    clock_move(store_clock(f->store), CLOCK_FREEZE, 0);
    fx_pass(f, 0);
    assert_int_equal(fx_put(f, "new", str_make(big[0], 150000)), STORE_FULL);
    fx_pass(f, 0);
    assert_int_equal(fx_blob_files(f), 0);
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_of_bytes_being_swept_never_loses_them),
        cmocka_unit_test(a_long_download_is_not_cut_by_delete_and_sweep),
        cmocka_unit_test(a_slow_reader_keeps_its_own_body_and_nothing_else),
        cmocka_unit_test(every_reader_of_a_body_has_to_leave_before_it_goes),
        cmocka_unit_test(bytes_that_are_read_may_be_stored_again_and_die_again),
        cmocka_unit_test(a_snapshot_keeps_what_it_can_see),
        cmocka_unit_test(an_orphan_is_removed_when_it_is_old_and_the_walk_comes_by),
        cmocka_unit_test(the_janitor_sweeps_by_itself),
        cmocka_unit_test(deletes_on_a_full_disk_give_their_space_back_at_once),
        cmocka_unit_test(what_died_before_goes_when_space_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
