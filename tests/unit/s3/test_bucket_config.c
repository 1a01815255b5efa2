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

static struct {
    char dir[64];
    struct store *store;
    struct reader *reader;
    struct arena *arena;
    struct bucket_configs *configs;
    struct fault fault;
} f;

static void submit(struct intent *intent)
{
    intent->bucket = STR("bucket");
    intent->arena = f.arena;
    if (store_submit_wait(f.store, intent) != STORE_OK)
        fail_msg("%s %s", store_status_name(intent->status), intent->fault.text);
}

static int setup(void **state UNUSED)
{
    struct store_options options = { .reserve_bytes = 1 };
    struct intent create = { .kind = INTENT_BUCKET_CREATE,
                             .bucket_create = { .owner = OWNER, .region = STR("") } };

    memset(&f, 0, sizeof(f));
    (void)snprintf(f.dir, sizeof(f.dir), "/tmp/pail-config-XXXXXX");
    assert_non_null(mkdtemp(f.dir));
    assert_int_equal(store_open(f.dir, &options, &f.store, &f.fault), STORE_OK);
    assert_int_equal(reader_open(f.store, &f.reader, &f.fault), STORE_OK);
    assert_int_equal(reader_warm(f.reader, &f.fault), STORE_OK);
    f.arena = arena_open(4096, 1 << 20);
    f.configs = bucket_configs_open();
    assert_non_null(f.arena);
    assert_non_null(f.configs);
    submit(&create);
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
static void set(const char *kind, struct str body)
{
    struct intent intent = { .kind = INTENT_DOCUMENT_SET,
                             .document = { str_from_cstr(kind), STR(""), body } };

    submit(&intent);
}

static struct bucket bucket_now(void)
{
    struct bucket bucket;

    assert_int_equal(bucket_get(f.reader, STR("bucket"), f.arena, &bucket, &f.fault), STORE_OK);
    return bucket;
}

static const struct bucket_config *use(void)
{
    const struct bucket_config *config = NULL;
    struct bucket bucket;

    reader_begin(f.reader);
    bucket = bucket_now();
    assert_int_equal(bucket_config_use(f.configs, f.reader, &bucket, &config, &f.fault), STORE_OK);
    reader_end(f.reader);
    return config;
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
    set("cors", STR("c"));
    later = use();
    assert_ptr_not_equal(first, later);

    /* Whoever began with the old one goes on with it. */
    assert_true(str_eq(first->tags, STR("old")));
    assert_int_equal(first->document_count, 1);
    assert_true(str_eq(later->tags, STR("new")));
    assert_int_equal(later->document_count, 2);
    assert_true(str_eq(bucket_config_document(later, STR("cors"), STR(""))->body, STR("c")));
    assert_null(bucket_config_document(later, STR("cors"), STR("id")));
    assert_null(bucket_config_document(first, STR("cors"), STR("")));
    bucket_config_leave(first);
    bucket_config_leave(again);
    bucket_config_leave(later);
}

static void test_bucket_config__of_a_state_that_is_gone_is_not_made(void **state UNUSED)
{
    const struct bucket_config *config = NULL;
    struct bucket bucket;

    set("tagging", STR("old"));
    bucket = bucket_now();
    set("tagging", STR("new"));
    reader_begin(f.reader);
    assert_int_equal(bucket_config_use(f.configs, f.reader, &bucket, &config, &f.fault),
                     STORE_RETRY);
    reader_end(f.reader);
    assert_null(config);
}

static void test_bucket_config__too_large_to_be_kept_is_made_each_time(void **state UNUSED)
{
    char *text = calloc(1, BUCKET_CONFIG_KEPT_BYTES_MAX + 1);
    size_t kept = BUCKET_CONFIG_KEPT_BYTES_MAX - strlen("tagging");

    assert_non_null(text);
    memset(text, 'x', BUCKET_CONFIG_KEPT_BYTES_MAX + 1);
    for (size_t more = 0; more < 2; more++) {
        const struct bucket_config *first;
        const struct bucket_config *again;

        set("tagging", str_make(text, kept + more));
        first = use();
        again = use();
        assert_int_equal(first == again, more == 0);
        bucket_config_leave(first);
        bucket_config_leave(again);
    }
    free(text);
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
        cmocka_unit_test_setup_teardown(test_bucket_config__too_large_to_be_kept_is_made_each_time,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
