/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers that serve: what they remember is never older than what the catalog would say.
 */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "storage/internal.h"
#include "storage/reading/hot.h"

#define KEYS 4
#define PUTS 400
#define READERS 2

static char big[HOT_BODY_BYTES_MAX + 1];

static struct fixture *open_serving(const struct store_options *options)
{
    struct fixture *f = fx_open(options);

    FX_OK(f, reader_warm(f->reader, &f->fault));
    return f;
}

static uint64_t asked(const struct fixture *f)
{
    return catalog_statement_runs(f->reader->cat);
}

static enum store_status look(struct fixture *f, const char *key, struct version *ret_version)
{
    reader_begin(f->reader);

    enum store_status status = version_get(f->reader, fx_bucket_id(f), str_from_cstr(key),
                                           (struct version_id){ 0 }, f->arena, ret_version,
                                           &f->fault);

    reader_end(f->reader);
    return status;
}

static struct str load(struct fixture *f, const char *key)
{
    struct version version;
    struct str bytes = STR_NONE;

    reader_begin(f->reader);
    FX_OK(f, version_get(f->reader, fx_bucket_id(f), str_from_cstr(key), (struct version_id){ 0 },
                         f->arena, &version, &f->fault));
    FX_OK(f, body_load(f->reader, &version, 0, version.size_bytes, f->arena, &bytes, &f->fault));
    reader_end(f->reader);
    return bytes;
}

/* ---- what is remembered ---------------------------------------------------------------------- */

static void what_was_read_is_not_asked_again(void **state)
{
    struct fixture *f = open_serving(NULL);
    uint64_t before;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("small body")));
    assert_true(str_eq(load(f, "k"), STR("small body")));
    before = asked(f);
    assert_true(str_eq(load(f, "k"), STR("small body")));
    reader_let_go(f->reader);
    assert_true(str_eq(load(f, "k"), STR("small body")));
    assert_int_equal(asked(f) - before, 1); /* reader_let_go's */
    fx_close(f);
}

static void bodies_up_to_the_limit_are_remembered_and_larger_ones_are_not(void **state)
{
    struct store_options options = { .durability = STORE_RELAXED, .inline_max_bytes = 65536 };
    struct fixture *f = open_serving(&options);
    uint64_t before;

    (void)state;
    fx_fill(big, sizeof(big), 1);
    FX_OK(f, fx_put(f, "max", str_make(big, HOT_BODY_BYTES_MAX)));
    FX_OK(f, fx_put(f, "more", str_make(big, HOT_BODY_BYTES_MAX + 1)));
    assert_int_equal(load(f, "max").len, HOT_BODY_BYTES_MAX);
    assert_int_equal(load(f, "more").len, HOT_BODY_BYTES_MAX + 1);

    before = asked(f);
    assert_true(str_eq(load(f, "max"), str_make(big, HOT_BODY_BYTES_MAX)));
    assert_int_equal(asked(f), before);
    assert_true(str_eq(load(f, "more"), str_make(big, HOT_BODY_BYTES_MAX + 1)));
    assert_true(asked(f) > before);
    fx_close(f);
}

static void memory_stays_below_its_limit_and_answers_stay_right(void **state)
{
    struct store_options options = { .durability = STORE_RELAXED, .hot_bytes = 64 * 1024 };
    struct fixture *f = open_serving(&options);
    char key[16];

    (void)state;
    reader_let_go(f->reader);
    fx_fill(big, sizeof(big), 1);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        FX_OK(f, fx_put(f, key, str_make(big + i, 900)));
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++) {
            (void)snprintf(key, sizeof(key), "k%d", i);
            assert_true(str_eq(load(f, key), str_make(big + i, 900)));
            assert_true(hot_bytes(f->reader->hot) <= options.hot_bytes);
        }
    }
    assert_true(hot_bytes(f->reader->hot) > options.hot_bytes / 2);
    fx_close(f);
}

static void serving_readers_share_the_limit(void **state)
{
    struct store_options options = { .durability = STORE_RELAXED, .hot_bytes = 4096 };
    struct fixture *f = open_serving(&options);
    struct reader *other;

    (void)state;
    FX_OK(f, fx_put(f, "k", str_make(big, 1000)));
    reader_let_go(f->reader);
    assert_int_equal(load(f, "k").len, 1000);
    assert_true(hot_bytes(f->reader->hot) > 1000);

    FX_OK(f, reader_open(f->store, &other, &f->fault));
    FX_OK(f, reader_warm(other, &f->fault));
    reader_let_go(f->reader);
    FX_OK(f, fx_put(f, "l", str_make(big, 1000)));
    (void)load(f, "l");
    assert_true(hot_bytes(f->reader->hot) <= options.hot_bytes / 2);
    reader_close(other);
    fx_close(f);
}

/* ---- every write is seen ----------------------------------------------------------------------- */

static void a_put_is_seen_where_there_was_nothing_and_where_there_was_something(void **state)
{
    struct fixture *f = open_serving(NULL);
    struct version version;

    (void)state;
    assert_int_equal(look(f, "k", &version), STORE_NO_KEY);
    assert_int_equal(look(f, "k", &version), STORE_NO_KEY);
    FX_OK(f, fx_put(f, "k", STR("one")));
    assert_true(str_eq(load(f, "k"), STR("one")));
    FX_OK(f, fx_put(f, "k", STR("two and more")));
    assert_true(str_eq(load(f, "k"), STR("two and more")));
    FX_OK(f, fx_put(f, "from", STR("three")));
    FX_OK(f, fx_copy(f, "from", "k", false));
    assert_true(str_eq(load(f, "k"), STR("three")));
    fx_close(f);
}

static void deletes_are_seen(void **state)
{
    struct fixture *f = open_serving(NULL);
    struct delete_item items[2] = { { .key = STR("a") }, { .key = STR("b") } };
    struct intent both = { .kind = INTENT_OBJECT_DELETE,
                           .bucket = BUCKET,
                           .arena = f->arena,
                           .remove = { .items = items, .count = 2 } };
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "a", STR("a")));
    FX_OK(f, fx_put(f, "b", STR("b")));
    FX_OK(f, look(f, "a", &version));
    FX_OK(f, look(f, "b", &version));
    FX_OK(f, store_submit_wait(f->store, &both));
    assert_int_equal(look(f, "a", &version), STORE_NO_KEY);
    assert_int_equal(look(f, "b", &version), STORE_NO_KEY);
    fx_close(f);
}

static void a_version_that_becomes_current_again_is_seen(void **state)
{
    struct fixture *f = open_serving(NULL);
    struct fx_put put = { .key = STR("k"), .bytes = STR("second") };
    struct version version;
    struct delete_item item;

    (void)state;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put(f, "k", STR("first")));
    FX_OK(f, fx_put_with(f, &put));
    assert_true(str_eq(load(f, "k"), STR("second")));
    FX_OK(f, fx_delete(f, "k"));
    FX_OK(f, look(f, "k", &version));
    assert_true(version.delete_marker);
    FX_OK(f, fx_put_with(f, &put));
    assert_true(str_eq(load(f, "k"), STR("second")));
    FX_OK(f, fx_delete_version(f, "k", put.version, &item));
    FX_OK(f, look(f, "k", &version));
    assert_true(version.delete_marker);
    fx_close(f);
}

static void new_attributes_are_seen(void **state)
{
    struct fixture *f = open_serving(NULL);
    struct intent set = { .kind = INTENT_OBJECT_SET,
                          .bucket = BUCKET,
                          .key = STR("k"),
                          .arena = f->arena,
                          .object_set.set_tags = true,
                          .object_set.set_acl = true,
                          .object_set.tags = STR("tags"),
                          .object_set.acl = STR("acl") };
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("body")));
    FX_OK(f, look(f, "k", &version));
    assert_false(str_present(version.attrs.acl));
    FX_OK(f, store_submit_wait(f->store, &set));
    FX_OK(f, look(f, "k", &version));
    assert_true(str_eq(version.attrs.tags, STR("tags")));
    assert_true(str_eq(version.attrs.acl, STR("acl")));
    fx_close(f);
}

static void a_completed_upload_is_seen(void **state)
{
    struct fixture *f = open_serving(NULL);
    struct str upload = fx_upload(f, "k");
    const uint32_t numbers[] = { 1 };
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("before")));
    assert_true(str_eq(load(f, "k"), STR("before")));
    FX_OK(f, fx_part(f, "k", upload, 1, str_make(big, 5000), NULL));
    assert_true(str_eq(load(f, "k"), STR("before")));
    FX_OK(f, fx_complete(f, "k", upload, numbers, 1));
    FX_OK(f, look(f, "k", &version));
    assert_int_equal(version.size_bytes, 5000);
    fx_close(f);
}

static enum store_status bucket_intent(struct fixture *f, enum intent_kind kind, struct str acl)
{
    struct intent intent = { .kind = kind, .bucket = STR("other"), .arena = f->arena };

    if (kind == INTENT_BUCKET_CREATE)
        intent.bucket_create = (struct intent_bucket_create){ .owner = OWNER, .acl = acl };
    if (kind == INTENT_BUCKET_SET)
        intent.bucket_set = (struct intent_bucket_set){ .set_acl = true, .acl = acl };
    return store_submit_wait(f->store, &intent);
}

static void buckets_come_change_and_go(void **state)
{
    struct fixture *f = open_serving(NULL);
    struct bucket bucket;
    int64_t first_id;

    (void)state;
    assert_int_equal(bucket_get(f->reader, STR("other"), f->arena, &bucket, &f->fault),
                     STORE_NO_BUCKET);
    FX_OK(f, bucket_intent(f, INTENT_BUCKET_CREATE, STR_NONE));
    FX_OK(f, bucket_get(f->reader, STR("other"), f->arena, &bucket, &f->fault));
    first_id = bucket.id;
    FX_OK(f, bucket_intent(f, INTENT_BUCKET_SET, STR("acl")));
    FX_OK(f, bucket_get(f->reader, STR("other"), f->arena, &bucket, &f->fault));
    assert_true(str_eq(bucket.acl, STR("acl")));
    FX_OK(f, bucket_intent(f, INTENT_BUCKET_DELETE, STR_NONE));
    assert_int_equal(bucket_get(f->reader, STR("other"), f->arena, &bucket, &f->fault),
                     STORE_NO_BUCKET);
    FX_OK(f, bucket_intent(f, INTENT_BUCKET_CREATE, STR_NONE));
    FX_OK(f, bucket_get(f->reader, STR("other"), f->arena, &bucket, &f->fault));
    assert_int_not_equal(bucket.id, first_id);
    fx_close(f);
}

static void what_is_found_while_its_commit_is_under_way_is_not_remembered(void **state)
{
    struct fixture *f = open_serving(NULL);
    struct freshness *freshness = &f->store->freshness;
    struct version version;
    uint64_t number;
    uint64_t before;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("body")));
    FX_OK(f, look(f, "k", &version));
    before = asked(f);
    FX_OK(f, look(f, "k", &version));
    assert_int_equal(asked(f), before);

    /* The writer sleeps: this is what it does around a commit. */
    number = freshness_begin(freshness);
    freshness_stamp(freshness, freshness_of_key(freshness, STR("k")), number);
    for (int i = 0; i < 2; i++) {
        before = asked(f);
        FX_OK(f, look(f, "k", &version));
        assert_true(asked(f) > before + 1); /* more than the end of the snapshot before */
    }
    freshness_end(freshness, number);

    FX_OK(f, look(f, "k", &version));
    before = asked(f);
    FX_OK(f, look(f, "k", &version));
    assert_int_equal(asked(f), before);
    fx_close(f);
}

static void a_version_replaced_before_its_body_was_read_asks_for_another_try(void **state)
{
    struct fixture *f = open_serving(NULL);
    int64_t bucket_id = fx_bucket_id(f);
    struct version version;
    struct str bytes;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("old")));
    FX_OK(f, look(f, "k", &version));
    reader_let_go(f->reader);

    reader_begin(f->reader);
    FX_OK(f, version_get(f->reader, bucket_id, STR("k"), (struct version_id){ 0 }, f->arena,
                         &version, &f->fault));
    FX_OK(f, fx_put(f, "k", STR("new")));
    assert_int_equal(body_load(f->reader, &version, 0, 3, f->arena, &bytes, &f->fault),
                     STORE_RETRY);
    reader_end(f->reader);
    memset(&f->fault, 0, sizeof(f->fault));
    assert_true(str_eq(load(f, "k"), STR("new")));
    fx_close(f);
}

static void a_file_named_by_a_remembered_version_is_not_swept_under_it(void **state)
{
    struct fixture *f = open_serving(NULL);
    int64_t bucket_id = fx_bucket_id(f);
    struct version version;
    struct body *body;

    (void)state;
    FX_OK(f, fx_put(f, "k", str_make(big, 5000)));
    FX_OK(f, look(f, "k", &version));
    reader_let_go(f->reader);

    reader_begin(f->reader);
    FX_OK(f, version_get(f->reader, bucket_id, STR("k"), (struct version_id){ 0 }, f->arena,
                         &version, &f->fault));
    FX_OK(f, fx_delete(f, "k"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    FX_OK(f, body_open(f->reader, &version, 0, 5000, &body, &f->fault));
    body_close(body);
    reader_end(f->reader);
    reader_let_go(f->reader);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 0);
    fx_close(f);
}

/* ---- readers against each other ------------------------------------------------------------------ */

struct race {
    struct fixture *f;
    int64_t bucket_id;
    atomic_bool stop;
    _Atomic uint64_t acknowledged[KEYS]; /* or seen by a reader */
    atomic_uint older, failed;
    _Atomic uint64_t reads;
};

static void note(struct race *race, size_t key, uint64_t value)
{
    uint64_t known = atomic_load(&race->acknowledged[key]);

    while (known < value && !atomic_compare_exchange_weak(&race->acknowledged[key], &known, value))
        ;
}

static void *put_numbers(void *argument)
{
    struct race *race = argument;
    struct arena *arena = arena_open(4096, 1 << 20);

    for (uint64_t i = 1; i <= PUTS; i++) {
        char key = (char)('a' + i % KEYS);
        struct intent put = { .kind = INTENT_OBJECT_PUT,
                              .bucket = BUCKET,
                              .key = str_make(&key, 1),
                              .arena = arena,
                              .put.attrs = {
                                  .etag = arena_printf(arena, "%llu", (unsigned long long)i),
                                  .owner = OWNER } };

        if (store_submit_wait(race->f->store, &put) != STORE_OK)
            atomic_fetch_add(&race->failed, 1);
        note(race, i % KEYS, i);
        arena_reset(arena);
        /* However busy the machine is, a reader comes between two puts. */
        while (atomic_load(&race->reads) <= i && atomic_load(&race->failed) == 0)
            (void)sched_yield();
    }
    atomic_store(&race->stop, true);
    arena_close(arena);
    return NULL;
}

static void *get_numbers(void *argument)
{
    struct race *race = argument;
    struct arena *arena = arena_open(4096, 1 << 20);
    struct reader *reader = NULL;

    if (reader_open(race->f->store, &reader, NULL) != STORE_OK ||
        reader_warm(reader, NULL) != STORE_OK)
        atomic_fetch_add(&race->failed, 1);
    for (size_t i = 0; !atomic_load(&race->stop); i++) {
        char key = (char)('a' + i % KEYS);
        uint64_t known = atomic_load(&race->acknowledged[i % KEYS]);
        struct version version;
        uint64_t value = 0;
        enum store_status status;

        reader_begin(reader);
        status = version_get(reader, race->bucket_id, str_make(&key, 1), (struct version_id){ 0 },
                             arena, &version, NULL);
        reader_end(reader);
        if (status == STORE_OK && !str_to_u64(version.attrs.etag, &value))
            atomic_fetch_add(&race->failed, 1);
        if (value < known)
            atomic_fetch_add(&race->older, 1);
        note(race, i % KEYS, value);
        atomic_fetch_add_explicit(&race->reads, 1, memory_order_relaxed);
        if (i % 64 == 0)
            reader_let_go(reader);
        arena_reset(arena);
    }
    reader_close(reader);
    arena_close(arena);
    return NULL;
}

static void readers_never_go_back_behind_each_other_or_the_writer(void **state)
{
    static struct race race;
    pthread_t readers[READERS];
    pthread_t writer;

    (void)state;
    race.f = fx_open(NULL);
    race.bucket_id = fx_bucket_id(race.f);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, get_numbers, &race), 0);
    assert_int_equal(pthread_create(&writer, NULL, put_numbers, &race), 0);
    (void)pthread_join(writer, NULL);
    for (size_t i = 0; i < READERS; i++)
        (void)pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&race.failed), 0);
    assert_int_equal(atomic_load(&race.older), 0);
    assert_true(atomic_load(&race.reads) > PUTS);
    fx_close(race.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_is_not_asked_again),
        cmocka_unit_test(bodies_up_to_the_limit_are_remembered_and_larger_ones_are_not),
        cmocka_unit_test(memory_stays_below_its_limit_and_answers_stay_right),
        cmocka_unit_test(serving_readers_share_the_limit),
        cmocka_unit_test(a_put_is_seen_where_there_was_nothing_and_where_there_was_something),
        cmocka_unit_test(deletes_are_seen),
        cmocka_unit_test(a_version_that_becomes_current_again_is_seen),
        cmocka_unit_test(new_attributes_are_seen),
        cmocka_unit_test(a_completed_upload_is_seen),
        cmocka_unit_test(buckets_come_change_and_go),
        cmocka_unit_test(what_is_found_while_its_commit_is_under_way_is_not_remembered),
        cmocka_unit_test(a_version_replaced_before_its_body_was_read_asks_for_another_try),
        cmocka_unit_test(a_file_named_by_a_remembered_version_is_not_swept_under_it),
        cmocka_unit_test(readers_never_go_back_behind_each_other_or_the_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
