/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inventories: when their days and weeks begin, and how a report is parted into files.
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
#include "server/s3/delivery/inventory.h"
#include "server/s3/delivery/inventory_report.h"

#define OWNER "00000000000000000000000000000000000000000000000000000000000000aa"
#define POLICY                                                                                     \
    STR("{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},"   \
        "\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::reports/*\"}}")

static struct {
    char dir[64];
    struct stores *stores;
    struct open_store *held;
    struct users_in_force *users;
    struct s3_options options;
    struct errands errands;
    struct loop_store *at;
    struct arena *arena;
    size_t asked; /* go_on */
    size_t asks;  /* that are answered so */
} f;

static bool go_on(void *context UNUSED, const struct errands *errands UNUSED)
{
    return f.asked++ < f.asks;
}

static void submit(struct str bucket, struct intent *intent)
{
    intent->bucket = bucket;
    intent->arena = f.arena;
    if (store_submit_wait(f.held->store, intent) != STORE_OK)
        fail_msg("%s %s", store_status_name(intent->status), intent->fault.text);
}

static void create(struct str bucket)
{
    struct intent intent = { .kind = INTENT_BUCKET_CREATE,
                             .bucket_create = { .owner = STR(OWNER), .region = STR("") } };

    submit(bucket, &intent);
}

static int setup(void **state UNUSED)
{
    const struct store_options options = { .durability = STORE_RELAXED, .reserve_bytes = 1 };
    const struct user user = { .access_key = STR("A"),
                               .secret_key = STR("secret-a"),
                               .canonical_id = STR(OWNER),
                               .display_name = STR("owner") };
    struct users *table = users_open();
    struct intent policy = { .kind = INTENT_DOCUMENT_SET,
                             .document = { STR("policy"), STR(""), POLICY } };
    struct fault fault = { 0 };

    memset(&f, 0, sizeof(f));
    xml_init();
    f.asks = SIZE_MAX;
    (void)snprintf(f.dir, sizeof(f.dir), "/tmp/pail-inventory-XXXXXX");
    assert_non_null(mkdtemp(f.dir));
    assert_true(users_add(table, &user, &fault));
    f.users = users_put_in_force(table);
    f.stores = stores_new(0);
    assert_int_equal(stores_open(f.stores, STR(""), f.dir, &options, &fault), STORE_OK);
    f.held = stores_take(f.stores, STR(""));
    f.arena = arena_open(4096, 16 << 20);
    create(STR("source"));
    create(STR("reports"));
    submit(STR("reports"), &policy);
    f.options = (struct s3_options){ .stores = f.stores,
                                     .auth = { .users = f.users,
                                               .region = STR("us-east-1"),
                                               .account_id = STR("000000000000"),
                                               .clock = &clock_of_system } };
    f.errands = (struct errands){ .options = &f.options,
                                  .stores = loop_stores_open(f.stores, STR("us-east-1"),
                                                             STR("000000000000"), &fault),
                                  .credentials = credentials_open(f.users),
                                  .go_on = go_on };
    assert_int_equal(loop_stores_use(f.errands.stores, STR(""), &f.at, &fault), STORE_OK);
    return 0;
}

static int teardown(void **state UNUSED)
{
    char command[128];

    loop_stores_leave(f.at);
    loop_stores_close(f.errands.stores);
    credentials_close(f.errands.credentials);
    arena_close(f.arena);
    stores_give_back(f.held);
    stores_free(f.stores);
    users_in_force_close(f.users);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", f.dir);
    return system(command);
}

static void put_keys(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct intent intent = { .kind = INTENT_OBJECT_PUT,
                                 .key = arena_printf(f.arena, "key-%05u", i),
                                 .put = { .attrs = { .owner = STR(OWNER), .etag = STR("e") } } };

        submit(STR("source"), &intent);
    }
}

static enum inventory_outcome report(uint64_t file_rows)
{
    static const struct inventory_rule rule = {
        .id = { "id", 2 },
        .enabled = true,
        .prefix = { "", 0 },
        .destination = { "reports", 7 },
        .destination_prefix = { "", 0 },
    };
    struct bucket source;
    struct fault fault = { 0 };
    const struct inventory_task task = {
        .errands = &f.errands, .at = f.at, .source = &source, .rule = &rule, .file_rows = file_rows
    };

    assert_int_equal(bucket_get(f.at->reader, STR("source"), f.arena, &source, &fault), STORE_OK);
    return inventory_report(&task);
}

static bool count_data(void *context, struct str common_prefix UNUSED,
                       const struct listed_version *listed)
{
    size_t *count = context;

    *count += str_starts(listed->key, STR("source/id/data/")) ? 1 : 0;
    return true;
}

static size_t files(void)
{
    const struct list_query query = {
        .prefix = STR(""), .delimiter = STR(""), .after = STR_NONE, .max = STORE_LIST_MAX
    };
    struct bucket bucket;
    struct list_end end;
    struct fault fault = { 0 };
    size_t count = 0;

    assert_int_equal(bucket_get(f.at->reader, STR("reports"), f.arena, &bucket, &fault), STORE_OK);
    assert_int_equal(object_list(f.at->reader, bucket.id, &query, count_data, &count, f.arena, &end,
                                 &fault),
                     STORE_OK);
    return count;
}

/* ---- when ------------------------------------------------------------------------------------ */

#define DAY_US (24 * 3600 * US_PER_S)
#define SUNDAY_US (INT64_C(1795910400) * US_PER_S) /* 2026-11-29 */

static void test_s3_inventory__days_and_weeks_begin_at_midnight(void **state UNUSED)
{
    for (int day = 0; day < 7; day++) {
        int64_t begin_us = SUNDAY_US + day * DAY_US;

        assert_int_equal(inventory_period_us(begin_us, false), begin_us);
        assert_int_equal(inventory_period_us(begin_us + DAY_US - 1, false), begin_us);
        assert_int_equal(inventory_period_us(begin_us, true), SUNDAY_US);
        assert_int_equal(inventory_period_us(begin_us + DAY_US - 1, true), SUNDAY_US);
    }
    assert_int_equal(inventory_period_us(SUNDAY_US - 1, true), SUNDAY_US - 7 * DAY_US);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void test_s3_inventory__a_file_has_so_many_rows_and_no_more(void **state UNUSED)
{
    put_keys(6);
    assert_int_equal(report(3), INVENTORY_DELIVERED);
    assert_int_equal(files(), 2);
    assert_int_equal(report(3), INVENTORY_THERE);
}

static void test_s3_inventory__a_row_more_is_a_file_more(void **state UNUSED)
{
    put_keys(7);
    assert_int_equal(report(3), INVENTORY_DELIVERED);
    assert_int_equal(files(), 3);
}

static void test_s3_inventory__stops_between_pages_and_begins_again(void **state UNUSED)
{
    put_keys(1001);
    f.asks = 0;
    assert_int_equal(report(100), INVENTORY_STOPPED);
    assert_int_equal(f.asked, 1);
    assert_int_equal(files(), 10); /* of before; they are written again */
    f.asks = SIZE_MAX;
    assert_int_equal(report(100), INVENTORY_DELIVERED);
    assert_int_equal(files(), 11);
}

static void test_s3_inventory__without_a_policy_it_fails(void **state UNUSED)
{
    struct intent none = { .kind = INTENT_DOCUMENT_SET,
                           .document = { STR("policy"), STR(""), STR_NONE } };

    submit(STR("reports"), &none);
    put_keys(1);
    assert_int_equal(report(1), INVENTORY_FAILED);
    assert_int_equal(files(), 0);
}

int main(void)
{
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_inventory__days_and_weeks_begin_at_midnight),
        T(test_s3_inventory__a_file_has_so_many_rows_and_no_more),
        T(test_s3_inventory__a_row_more_is_a_file_more),
        T(test_s3_inventory__stops_between_pages_and_begins_again),
        T(test_s3_inventory__without_a_policy_it_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
