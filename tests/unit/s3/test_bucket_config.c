/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations of buckets: shared while nothing changes, new after every change, kept for whoever
 * uses one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/s3/bucket_config.h"

#define OWNER STR("0123456789abcdef")
#define MANY 600u /* ids of which some lie in one chain */

static struct {
    char dir[64];
    struct store *store;
    struct reader *reader;
    struct arena *arena;
    struct bucket_configs *configs;
    struct fault fault;
} f;

static void submit(struct str bucket, struct intent *intent)
{
    intent->bucket = bucket;
    intent->arena = f.arena;
    if (store_submit_wait(f.store, intent) != STORE_OK)
        fail_msg("%s %s", store_status_name(intent->status), intent->fault.text);
}

static void create(struct str bucket)
{
    struct intent intent = { .kind = INTENT_BUCKET_CREATE,
                             .bucket_create = { .owner = OWNER, .region = STR("") } };

    submit(bucket, &intent);
}

static int setup(void **state UNUSED)
{
    struct store_options options = { .durability = STORE_RELAXED, .reserve_bytes = 1 };

    memset(&f, 0, sizeof(f));
    (void)snprintf(f.dir, sizeof(f.dir), "/tmp/pail-config-XXXXXX");
    assert_non_null(mkdtemp(f.dir));
    assert_int_equal(store_open(f.dir, &options, &f.store, &f.fault), STORE_OK);
    assert_int_equal(reader_open(f.store, &f.reader, &f.fault), STORE_OK);
    assert_int_equal(reader_warm(f.reader, &f.fault), STORE_OK);
    f.arena = arena_open(4096, 16 << 20);
    f.configs = bucket_configs_open();
    assert_non_null(f.arena);
    assert_non_null(f.configs);
    create(STR("bucket"));
    return 0;
}

static int teardown(void **state UNUSED)
{
    char command[128];

    bucket_configs_close(f.configs);
    arena_close(f.arena);
    reader_close(f.reader);
    store_close(f.store);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", f.dir);
    return system(command);
}

/* STR_NONE: remove. */
static void set_in(struct str bucket, struct str kind, struct str body)
{
    struct intent intent = { .kind = INTENT_DOCUMENT_SET, .document = { kind, STR(""), body } };

    submit(bucket, &intent);
}

static void set(const char *kind, struct str body)
{
    set_in(STR("bucket"), str_from_cstr(kind), body);
}

static struct bucket bucket_now(struct str name)
{
    struct bucket bucket;

    assert_int_equal(bucket_get(f.reader, name, f.arena, &bucket, &f.fault), STORE_OK);
    return bucket;
}

static const struct bucket_config *use_of(struct str name)
{
    const struct bucket_config *config = NULL;
    struct bucket bucket;

    reader_begin(f.reader);
    bucket = bucket_now(name);
    assert_int_equal(bucket_config_use(f.configs, f.reader, &bucket, &config, &f.fault), STORE_OK);
    reader_end(f.reader);
    return config;
}

static const struct bucket_config *use(void)
{
    return use_of(STR("bucket"));
}

static void test_bucket_config__without_documents_is_the_one_of_all(void **state UNUSED)
{
    assert_ptr_equal(use(), &bucket_config_none);
    set("tagging", STR("t"));
    set("tagging", STR_NONE);
    assert_ptr_equal(use(), &bucket_config_none);
    bucket_config_leave(&bucket_config_none);
}

static void test_bucket_config__is_shared_until_a_document_changes(void **state UNUSED)
{
    const struct bucket_config *first;
    const struct bucket_config *again;
    const struct bucket_config *later;

    set("tagging", STR("old"));
    first = use();
    again = use();
    assert_ptr_equal(first, again);
    set("tagging", STR("new"));
    set("metadataConfiguration", STR("c"));
    later = use();
    assert_ptr_not_equal(first, later);

    /* Whoever began with the old one goes on with it. */
    assert_true(str_eq(first->tags, STR("old")));
    assert_int_equal(first->document_count, 1);
    assert_true(str_eq(later->tags, STR("new")));
    assert_int_equal(later->document_count, 2);
    assert_true(str_eq(bucket_config_document(later, STR("metadataConfiguration"), STR(""))->body,
                       STR("c")));
    assert_null(bucket_config_document(later, STR("metadataConfiguration"), STR("id")));
    assert_null(bucket_config_document(first, STR("metadataConfiguration"), STR("")));
    bucket_config_leave(first);
    bucket_config_leave(again);
    bucket_config_leave(later);
}

static void test_bucket_config__of_a_state_that_is_gone_is_not_made(void **state UNUSED)
{
    const struct bucket_config *config = NULL;
    struct bucket bucket;

    set("tagging", STR("old"));
    bucket = bucket_now(STR("bucket"));
    set("tagging", STR("new"));
    reader_begin(f.reader);
    assert_int_equal(bucket_config_use(f.configs, f.reader, &bucket, &config, &f.fault),
                     STORE_RETRY);
    reader_end(f.reader);
    assert_null(config);
}

static void test_bucket_config__of_many_buckets_each_is_made_once(void **state UNUSED)
{
    const struct bucket_config *first[MANY];
    char name[16];

    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof(name), "many-%u", i);
        create(str_from_cstr(name));
        set_in(str_from_cstr(name), STR("tagging"), STR("t"));
    }
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            const struct bucket_config *config;

            (void)snprintf(name, sizeof(name), "many-%u", i);
            config = use_of(str_from_cstr(name));
            if (round == 0)
                first[i] = config;
            else
                assert_ptr_equal(config, first[i]);
            bucket_config_leave(config);
        }
    }
}

/* Documents of so many bytes in all, of kinds that nothing is compiled of. */
static void set_bytes(struct str bucket, size_t bytes)
{
    char *text = calloc(1, bytes);

    assert_non_null(text);
    set_in(bucket, STR("other"), str_make(text, bytes));
    free(text);
}

static void test_bucket_config__memory_is_bounded_and_what_was_used_last_stays(void **state UNUSED)
{
    const size_t bytes = BUCKET_CONFIGS_BYTES_MAX / 4;
    const struct bucket_config *configs[6];
    char name[16];

    for (unsigned i = 0; i < COUNT_OF(configs); i++) {
        (void)snprintf(name, sizeof(name), "big-%u", i);
        create(str_from_cstr(name));
        set_bytes(str_from_cstr(name), bytes);
        configs[i] = use_of(str_from_cstr(name));
        assert_true(bucket_configs_bytes(f.configs) <= BUCKET_CONFIGS_BYTES_MAX);
    }
    assert_true(bucket_configs_bytes(f.configs) > BUCKET_CONFIGS_BYTES_MAX / 2);
    for (unsigned i = COUNT_OF(configs); i-- > 0;) {
        const struct bucket_config *again;

        (void)snprintf(name, sizeof(name), "big-%u", i);
        again = use_of(str_from_cstr(name));
        assert_int_equal(again == configs[i], i >= 3);
        assert_int_equal(configs[i]->document_count, 1); /* given way to or not, it is usable */
        bucket_config_leave(again);
        bucket_config_leave(configs[i]);
    }
}

static void test_bucket_config__more_than_half_of_the_room_is_made_each_time(void **state UNUSED)
{
    for (unsigned more = 0; more < 2; more++) {
        const struct bucket_config *first;
        const struct bucket_config *again;

        set_bytes(STR("bucket"), BUCKET_CONFIGS_BYTES_MAX / 2 - (more ? 0 : 4096));
        first = use();
        again = use();
        assert_int_equal(first == again, more == 0);
        assert_true(bucket_configs_bytes(f.configs) <= BUCKET_CONFIGS_BYTES_MAX / 2);
        bucket_config_leave(first);
        bucket_config_leave(again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bucket_config__without_documents_is_the_one_of_all,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_bucket_config__is_shared_until_a_document_changes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_bucket_config__of_a_state_that_is_gone_is_not_made,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_bucket_config__of_many_buckets_each_is_made_once,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_bucket_config__memory_is_bounded_and_what_was_used_last_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_bucket_config__more_than_half_of_the_room_is_made_each_time, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
