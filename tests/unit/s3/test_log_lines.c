/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of access logs: what they say, what they are sorted by, and how many wait.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/s3/delivery/log_line.h"
#include "server/s3/delivery/log_lines.h"

#define MOMENT_US (INT64_C(1549411238) * US_PER_S) /* 2019-02-06 00:00:38 */
#define DAY_US (24 * 3600 * US_PER_S)

static struct log_lines lines;

static int setup(void **state UNUSED)
{
    log_lines_init(&lines);
    return 0;
}

static int teardown(void **state UNUSED)
{
    log_lines_free(&lines);
    return 0;
}

/* A request to `bucket`, and where it is logged. */
struct sample {
    struct log_target target;
    struct log_facts facts;
    struct request_record record;
};

static void make(struct sample *sample, const char *bucket)
{
    *sample = (struct sample){
        .target = { .bucket = STR("logs"), .prefix = STR("p/") },
        .facts = { .bucket = { &sample->target, str_from_cstr(bucket), STR("owner") },
                   .operation = STR("REST.GET.OBJECT"),
                   .protocol = STR("HTTP/1.1"),
                   .received_us = MOMENT_US },
        .record = { .method = STR("GET"), .target = STR("/x"), .store = STR("") },
    };
    sample->record.log = &sample->facts;
}

static void add(const char *bucket, const char *key)
{
    struct sample sample;

    make(&sample, bucket);
    sample.record.key = str_from_cstr(key);
    log_lines_add(&lines, &sample.record);
}

static void assert_line(struct str line, const char *key)
{
    char text[64];

    (void)snprintf(text, sizeof(text), " REST.GET.OBJECT %s \"GET /x HTTP/1.1\" ", key);
    assert_true(str_find(line, str_from_cstr(text)) != SIZE_MAX);
}

/* ---- what they say --------------------------------------------------------------------------- */

static void test_s3_log_lines__a_request_with_all_that_can_be_known(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);
    struct sample sample;

    make(&sample, "bucket");
    sample.facts.requester = STR("arn:aws:iam::111122223333:user/a");
    sample.facts.host_id = STR("host+id=");
    sample.facts.referer = STR("http://r/");
    sample.facts.signature_version = STR("SigV4");
    sample.facts.auth_type = STR("QueryString");
    sample.facts.tls_version = STR("TLSv1.2");
    sample.facts.cipher = STR("ECDHE-RSA-AES128-GCM-SHA256");
    sample.facts.has_object = true;
    sample.facts.object_bytes = 0;
    sample.record.remote = STR("[2001:db8::1]:4711");
    sample.record.request_id = STR("3E57427F3EXAMPLE");
    sample.record.key = STR("a b/\xc3\xa9~");
    sample.record.target = STR("/bucket/a%20b?X-Amz-Security-Token=secret&x=1");
    sample.record.status = 206;
    sample.record.bytes_out = 3;
    sample.record.started_us = 1000;
    sample.record.taken_us = 3000;
    sample.record.answered_us = 8000;
    sample.record.done_us = 21000;
    sample.record.user_agent = STR("agent");
    sample.record.version = STR("v1");
    sample.record.host = STR("bucket.host");
    sample.record.allowed = sample.record.by_acl = true;
    log_line_of_request(&out, &sample.record);
    assert_true(str_find(buf_view(&out), STR("secret")) == SIZE_MAX);
    assert_true(str_starts(buf_view(&out),
                           STR("owner bucket [06/Feb/2019:00:00:38 +0000] 2001:db8::1 "
                               "arn:aws:iam::111122223333:user/a 3E57427F3EXAMPLE REST.GET.OBJECT "
                               "a%2520b/%25C3%25A9~ \"GET /bucket/a%20b?X-Amz-Security-Token=")));
    assert_true(str_ends(buf_view(&out),
                         STR("&x=1 HTTP/1.1\" 206 - 3 0 20 5 \"http://r/\" \"agent\" v1 host+id= "
                             "SigV4 ECDHE-RSA-AES128-GCM-SHA256 QueryString bucket.host TLSv1.2 - "
                             "Yes\n")));
}

static void test_s3_log_lines__a_request_of_which_nothing_is_known(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);
    struct sample sample;

    make(&sample, "bucket");
    sample.record.method = STR_NONE;
    sample.record.remote = STR("unix");
    sample.record.by_acl = true; /* of one that was denied */
    log_line_of_request(&out, &sample.record);
    assert_true(str_eq(buf_view(&out),
                       STR("owner bucket [06/Feb/2019:00:00:38 +0000] - - - REST.GET.OBJECT - - - "
                           "- - - 0 - \"-\" \"-\" - - - - - - - - -\n")));
}

static void assert_key(enum log_partition partition, const char *wanted)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(1024);
    const struct log_target target = { .prefix = STR("p/"), .partition = partition };

    log_key(&out, &target, STR("bucket"), STR("111122223333"), STR("us-east-1"), MOMENT_US + 1,
            MOMENT_US - DAY_US, UINT64_C(0xfedcba9876543210));
    assert_true(str_eq(buf_view(&out), str_from_cstr(wanted)));
}

static void test_s3_log_lines__keys_in_their_three_forms(void **state UNUSED)
{
    assert_key(LOG_SIMPLE, "p/2019-02-06-00-00-38-00001FEDCBA98765");
    assert_key(LOG_BY_DELIVERY, "p/111122223333/us-east-1/bucket/2019/02/06/"
                                "2019-02-06-00-00-38-00001FEDCBA98765");
    assert_key(LOG_BY_EVENT, "p/111122223333/us-east-1/bucket/2019/02/05/"
                             "2019-02-05-00-00-00-00001FEDCBA98765");
}

/* ---- what they are sorted by ----------------------------------------------------------------- */

static void test_s3_log_lines__are_taken_out_group_by_group(void **state UNUSED)
{
    static const struct {
        const char *bucket;
        const char *keys[2];
    } wanted[] = { { "one", { "a", "c" } }, { "two", { "b", "d" } } };
    struct log_group group;
    size_t first = 0;

    add("one", "a");
    add("two", "b");
    add("one", "c");
    add("two", "d");
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        size_t at;

        assert_true(log_lines_group(&lines, &first, &group));
        assert_true(str_eq(group.source, str_from_cstr(wanted[i].bucket)));
        assert_true(str_eq(group.owner, STR("owner")));
        assert_true(str_eq(group.target.bucket, STR("logs")));
        assert_true(str_eq(group.target.prefix, STR("p/")));
        assert_true(str_eq(group.store, STR("")));
        at = first;
        assert_line(log_lines_next(&lines, first, &at), wanted[i].keys[0]);
        assert_line(log_lines_next(&lines, first, &at), wanted[i].keys[1]);
        assert_false(str_present(log_lines_next(&lines, first, &at)));
    }
    assert_false(log_lines_group(&lines, &first, &group));
}

static size_t groups(void)
{
    struct log_group group;
    size_t first = 0;
    size_t count = 0;

    while (log_lines_group(&lines, &first, &group)) {
        size_t at = first;

        while (str_present(log_lines_next(&lines, first, &at)))
            ;
        count++;
    }
    return count;
}

static void test_s3_log_lines__are_of_one_day_where_that_counts(void **state UNUSED)
{
    static const enum log_partition partitions[] = { LOG_SIMPLE, LOG_BY_DELIVERY, LOG_BY_EVENT };

    for (size_t i = 0; i < COUNT_OF(partitions); i++) {
        struct sample sample;

        make(&sample, "one");
        sample.target.partition = partitions[i];
        log_lines_clear(&lines);
        log_lines_add(&lines, &sample.record);
        sample.facts.received_us += DAY_US;
        log_lines_add(&lines, &sample.record);
        assert_int_equal(groups(), partitions[i] == LOG_BY_EVENT ? 2 : 1);
    }
}

static void test_s3_log_lines__differ_by_all_that_names_their_object(void **state UNUSED)
{
    struct sample sample;

    make(&sample, "one");
    log_lines_add(&lines, &sample.record);
    sample.record.store = STR("other");
    log_lines_add(&lines, &sample.record);
    sample.facts.bucket.owner = STR("heir");
    log_lines_add(&lines, &sample.record);
    sample.target.bucket = STR("archive");
    log_lines_add(&lines, &sample.record);
    sample.target.prefix = STR("q/");
    log_lines_add(&lines, &sample.record);
    sample.target.partition = LOG_BY_DELIVERY;
    log_lines_add(&lines, &sample.record);
    assert_int_equal(groups(), 6);
}

/* ---- how many wait --------------------------------------------------------------------------- */

static void test_s3_log_lines__beyond_the_maximum_are_counted_and_lost(void **state UNUSED)
{
    size_t each;
    size_t fit;

    add("one", "a");
    each = lines.bytes.len;
    fit = LOG_LINES_BYTES_MAX / each;
    for (size_t i = 1; i < fit; i++)
        add("one", "a");
    assert_int_equal(lines.bytes.len, fit * each);
    assert_int_equal(lines.lost, 0);
    add("one", "a");
    add("one", "a");
    assert_int_equal(lines.bytes.len, fit * each);
    assert_int_equal(lines.lost, 2);
    assert_int_equal(groups(), 1);

    log_lines_clear(&lines);
    assert_int_equal(lines.lost, 0);
    add("one", "a");
    assert_int_equal(lines.bytes.len, each);
}

static void test_s3_log_lines__of_a_copy_go_to_both_buckets(void **state UNUSED)
{
    const struct log_target other = { .bucket = STR("other"), .prefix = STR("") };
    struct sample sample;
    struct log_group group;
    size_t first = 0;
    size_t at = 0;

    make(&sample, "one");
    sample.facts.source = (struct logged_bucket){ &other, STR("two"), STR("heir") };
    sample.facts.source_key = STR("from");
    sample.facts.source_bytes = 7;
    sample.facts.bucket.target = NULL;
    log_lines_add(&lines, &sample.record);
    assert_true(log_lines_group(&lines, &first, &group));
    assert_true(str_eq(group.source, STR("two")));
    assert_true(str_find(log_lines_next(&lines, first, &at),
                         STR(" REST.COPY.OBJECT_GET from \"GET /x HTTP/1.1\" - - - 7 0 - ")) !=
                SIZE_MAX);
    assert_false(str_present(log_lines_next(&lines, first, &at)));
}

static void test_s3_log_lines__of_what_s3_does_itself(void **state UNUSED)
{
    const struct log_target target = { .bucket = STR("logs"), .prefix = STR("p/") };
    const struct deed_record deed = { .store = STR(""),
                                      .bucket = { &target, STR("bucket"), STR("owner") },
                                      .operation = STR("S3.EXPIRE.OBJECT"),
                                      .key = STR("a b"),
                                      .version = STR("v1"),
                                      .done_us = MOMENT_US };
    struct log_group group;
    size_t first = 0;
    size_t at = 0;

    log_lines_add_deed(&lines, &deed);
    add("bucket", "c");
    assert_true(log_lines_group(&lines, &first, &group));
    assert_true(str_eq(log_lines_next(&lines, first, &at),
                       STR("owner bucket [06/Feb/2019:00:00:38 +0000] - AmazonS3 - "
                           "S3.EXPIRE.OBJECT a%2520b \"-\" - - - - - - \"-\" \"-\" v1 - - - - - "
                           "- - -\n")));
    assert_line(log_lines_next(&lines, first, &at), "c"); /* of one object */
}

int main(void)
{
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_s3_log_lines__a_request_with_all_that_can_be_known),
        T(test_s3_log_lines__a_request_of_which_nothing_is_known),
        T(test_s3_log_lines__keys_in_their_three_forms),
        T(test_s3_log_lines__are_taken_out_group_by_group),
        T(test_s3_log_lines__are_of_one_day_where_that_counts),
        T(test_s3_log_lines__differ_by_all_that_names_their_object),
        T(test_s3_log_lines__beyond_the_maximum_are_counted_and_lost),
        T(test_s3_log_lines__of_a_copy_go_to_both_buckets),
        T(test_s3_log_lines__of_what_s3_does_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
