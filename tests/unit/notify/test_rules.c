/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of notification documents, types of events, ARNs, and dead letters.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "server/notify/dead.h"
#include "server/notify/message.h"
#include "server/notify/rules.h"
#include "server/notify/target.h"
#include "server/xml/xml.h"

static struct arena *arena;

static int setup(void **state UNUSED)
{
    xml_init();
    arena = arena_open(16384, 64 * 1024 * 1024);
    return arena == NULL || !digest_init();
}

static int teardown(void **state UNUSED)
{
    arena_close(arena);
    return 0;
}

#define Q "<Queue>arn:aws:sqs:r:1:q</Queue>"
#define FILTER(NAME, VALUE) "<FilterRule><Name>" NAME "</Name><Value>" VALUE "</Value></FilterRule>"

static struct notify_rules rules_of(const char *content)
{
    struct str text =
        arena_printf(arena, "<NotificationConfiguration>%s</NotificationConfiguration>", content);
    struct notify_rules rules = { 0 };

    assert_true(notify_rules_read(text, arena, &rules));
    return rules;
}

static void test_notify_rules__are_read_as_they_stand(void **state UNUSED)
{
    struct notify_rules rules = rules_of(
        "<QueueConfiguration><Id>one</Id>" Q "<Event>s3:ObjectCreated:*</Event>"
        "<Event> s3:ObjectRemoved:Delete </Event><Filter><S3Key>" FILTER("Prefix", " a")
            FILTER("suffix", ".b ") "</S3Key></Filter></QueueConfiguration>"
                                    "<EventBridgeConfiguration/>"
                                    "<CloudFunctionConfiguration><CloudFunction>f</CloudFunction>"
                                    "<Event>s3:ObjectAcl:Put</Event></CloudFunctionConfiguration>");

    assert_int_equal(rules.count, 2);
    assert_true(rules.event_bridge);
    assert_true(str_eq(rules.rules[0].id, STR("one")));
    assert_true(str_eq(rules.rules[0].arn, STR("arn:aws:sqs:r:1:q")));
    assert_int_equal(rules.rules[0].event_count, 2);
    assert_true(str_eq(rules.rules[0].prefix, STR(" a")));
    assert_true(str_eq(rules.rules[0].suffix, STR(".b ")));
    assert_true(str_eq(rules.rules[1].id, STR("")));
    assert_true(str_eq(rules.rules[1].arn, STR("f")));
    assert_false(notify_rules_read(STR("<Other/>"), arena, &rules));
}

static void test_notify_rules__match_event_prefix_and_suffix(void **state UNUSED)
{
    struct notify_rules rules =
        rules_of("<QueueConfiguration>" Q
                 "<Event>s3:ObjectCreated:*</Event><Filter><S3Key>" FILTER("prefix", "in/")
                     FILTER("suffix", ".jpg") "</S3Key></Filter></QueueConfiguration>");
    struct str arn = STR("arn:aws:sqs:r:1:q");
    struct str put = STR("ObjectCreated:Put");

    assert_non_null(notify_rules_match(&rules, arn, put, STR("in/a.jpg")));
    assert_non_null(notify_rules_match(&rules, arn, STR("ObjectCreated:Copy"), STR("in/.jpg")));
    assert_null(notify_rules_match(&rules, arn, put, STR("in/a.png")));
    assert_null(notify_rules_match(&rules, arn, put, STR("out/a.jpg")));
    assert_null(notify_rules_match(&rules, arn, STR("ObjectRemoved:Delete"), STR("in/a.jpg")));
    assert_null(notify_rules_match(&rules, STR("other"), put, STR("in/a.jpg")));
}

static void test_notify_events__known_names_and_groups(void **state UNUSED)
{
    static const char *const known[] = { "s3:ObjectCreated:*",
                                         "s3:ObjectCreated:Put",
                                         "s3:ObjectRemoved:DeleteMarkerCreated",
                                         "s3:ObjectRestore:*",
                                         "s3:Replication:*",
                                         "s3:LifecycleExpiration:*",
                                         "s3:LifecycleTransition",
                                         "s3:IntelligentTiering",
                                         "s3:ObjectTagging:*",
                                         "s3:ObjectAcl:Put",
                                         "s3:ReducedRedundancyLostObject" };
    static const char *const unknown[] = { "",
                                           "s3:",
                                           "s3:*",
                                           "s3::*",
                                           "s3:Object",
                                           "s3:Object:*",
                                           "s3:ObjectCreated",
                                           "s3:ObjectCreated:",
                                           "s3:ObjectCreated:Pu",
                                           "ObjectCreated:Put",
                                           "s3:ObjectAcl:*",
                                           "s3:LifecycleTransition:*",
                                           "s3:TestEvent" };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (!notify_event_is_known(str_from_cstr(known[i])))
            fail_msg("%s is not known", known[i]);
    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        if (notify_event_is_known(str_from_cstr(unknown[i])))
            fail_msg("%s is known", unknown[i]);
    assert_null(notify_type(STR("s3:TestEvent")));
    assert_true(str_eq(notify_type(STR("ObjectAcl:Put"))->version, STR("2.3")));
}

static void test_notify_rules__overlap_where_a_key_could_have_both(void **state UNUSED)
{
    static const struct {
        const char *prefix[2], *suffix[2], *event[2];
        bool overlap;
    } cases[] = {
        { { "", "" }, { "", "" }, { "s3:ObjectCreated:*", "s3:ObjectCreated:Put" }, true },
        { { "", "" }, { "", "" }, { "s3:ObjectCreated:*", "s3:ObjectRemoved:*" }, false },
        { { "a", "ab" }, { "", "" }, { "s3:ObjectAcl:Put", "s3:ObjectAcl:Put" }, true },
        { { "ab", "ac" }, { "", "" }, { "s3:ObjectAcl:Put", "s3:ObjectAcl:Put" }, false },
        { { "", "" }, { "g", "jpg" }, { "s3:ObjectAcl:Put", "s3:ObjectAcl:Put" }, true },
        { { "", "" }, { "jpg", "png" }, { "s3:ObjectAcl:Put", "s3:ObjectAcl:Put" }, false },
        { { "a", "b" }, { "jpg", "jpg" }, { "s3:ObjectAcl:Put", "s3:ObjectAcl:Put" }, false },
        { { "a", "" }, { "", "jpg" }, { "s3:ObjectAcl:Put", "s3:ObjectAcl:Put" }, true },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str events[2] = { str_from_cstr(cases[i].event[0]),
                                 str_from_cstr(cases[i].event[1]) };
        struct notify_rule pair[2];
        struct str names[2];

        for (size_t j = 0; j < 2; j++)
            pair[j] = (struct notify_rule){ .events = &events[j],
                                            .event_count = 1,
                                            .prefix = str_from_cstr(cases[i].prefix[j]),
                                            .suffix = str_from_cstr(cases[i].suffix[j]) };
        assert_int_equal(notify_rules_overlap(&pair[0], &pair[1], &names[0], &names[1]),
                         cases[i].overlap);
        assert_int_equal(notify_rules_overlap(&pair[1], &pair[0], &names[0], &names[1]),
                         cases[i].overlap);
    }
}

static void test_notify_arn__fields_and_protocols(void **state UNUSED)
{
    static const char *const bad[] = { "",
                                       "arn",
                                       "arn:aws:sqs:r:1",
                                       "arn:aws:sqs:r:1:",
                                       "arn:aws::r:1:q",
                                       "x:aws:sqs:r:1:q",
                                       "arn:aws:sqs:r:1:q\n" };
    struct notify_target targets_room[] = {
        { .arn = STR("arn:aws:sqs:r:1:q") },
        { .arn = STR("arn:aws:events:r:1:event-bus/default") },
    };
    struct notify_targets targets = { targets_room, 2 };

    assert_true(notify_arn_is_good(STR("arn:aws:sqs:us-east-1:000000000000:a")));
    assert_true(notify_arn_is_good(STR("arn:minio:sqs::1:webhook")));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(notify_arn_is_good(str_from_cstr(bad[i])));
    assert_true(
        str_eq(notify_arn_field(STR("arn:aws:lambda:r:1:function:f:v"), 5), STR("function:f:v")));
    assert_true(str_eq(notify_arn_field(STR("arn:aws:lambda:r:1:function:f:v"), 3), STR("r")));
    assert_ptr_equal(notify_target_of(&targets, STR("arn:aws:sqs:r:1:q")), &targets_room[0]);
    assert_null(notify_target_of(&targets, STR("arn:aws:sqs:r:1:p")));
    assert_ptr_equal(notify_bus_of(&targets), &targets_room[1]);
    assert_int_equal(notify_protocol_of(STR("webhook")), NOTIFY_WEBHOOK);
    assert_int_equal(notify_protocol_of(STR("s3")), NOTIFY_NONE);
}

/* The longest key, of characters that are longest when they are escaped. */
static void test_notify_message__the_longest_key_fits(void **state UNUSED)
{
    char key[1024] = { 0 };
    struct store_event event = { .id = 1,
                                 .name = STR("ObjectCreated:Put"),
                                 .bucket = STR("b"),
                                 .key = str_make(key, sizeof(key)),
                                 .etag = STR("e"),
                                 .version_id = STR("null") };
    struct notify_about about = { .event = &event,
                                  .type = notify_type(STR("ObjectCreated:Put")),
                                  .configuration_id = STR("i"),
                                  .region = STR("r"),
                                  .owner = STR("o") };

    memset(key, 1, sizeof(key));
    for (enum notify_protocol protocol = NOTIFY_SQS; protocol <= NOTIFY_WEBHOOK; protocol++) {
        CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(NOTIFY_MESSAGE_BYTES_MAX);
        const struct notify_target target = { .arn = STR("arn:aws:lambda:r:1:function:f:7"),
                                              .url = STR("http://h/"),
                                              .protocol = protocol };
        struct notify_request request;

        notify_message(&out, &about, protocol);
        assert_false(out.failed);
        assert_true(notify_request_make(&target, &about, buf_view(&out), arena, &request));
        assert_null(request.request.signer);
        if (protocol == NOTIFY_LAMBDA)
            assert_true(str_eq(request.request.url,
                               STR("http://h/2015-03-31/functions/f/invocations?Qualifier=7")));
    }
}

/* ---- dead letters -------------------------------------------------------------------------- */

static size_t file_bytes(int dir_fd, const char *name)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(2 * (size_t)NOTIFY_DEAD_BYTES_MAX);

    return file_read_all(dir_fd, name, &content) < 0 ? 0 : content.len;
}

static void test_notify_dead__the_file_grows_to_its_limit_and_one_older_is_kept(void **state UNUSED)
{
    char path[] = "/tmp/pail-dead-XXXXXX";
    CLEANUP(fd_close) int dir_fd = open(mkdtemp(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct notify_target target = { .name = STR("t"), .arn = STR("a") };
    struct notify_dead dead = { .target = &target, .why = STR("no"), .message = STR("{}") };
    struct fault fault = { 0 };
    size_t line;
    size_t older;

    assert_true(notify_dead_add(dir_fd, &dead, &fault));
    line = file_bytes(dir_fd, NOTIFY_DEAD_FILE);
    /* What a line leaves free, to the byte. */
    assert_int_equal(truncate(arena_cstr(arena,
                                         arena_printf(arena, "%s/%s", path, NOTIFY_DEAD_FILE)),
                              (off_t)(NOTIFY_DEAD_BYTES_MAX - line)),
                     0);
    assert_true(notify_dead_add(dir_fd, &dead, &fault));
    assert_int_equal(file_bytes(dir_fd, NOTIFY_DEAD_FILE), NOTIFY_DEAD_BYTES_MAX);
    assert_int_equal(file_bytes(dir_fd, NOTIFY_DEAD_FILE_OLDER), 0);
    assert_true(notify_dead_add(dir_fd, &dead, &fault));
    assert_int_equal(file_bytes(dir_fd, NOTIFY_DEAD_FILE), line);
    older = file_bytes(dir_fd, NOTIFY_DEAD_FILE_OLDER);
    assert_int_equal(older, NOTIFY_DEAD_BYTES_MAX);

    file_fault_set(FILE_CALL_SYNC, 1, EIO, false);
    assert_false(notify_dead_add(dir_fd, &dead, &fault));
    file_fault_set(FILE_CALL_SYNC, 0, 0, false);
    assert_non_null(strstr(fault.text, "dead letter"));
    (void)unlinkat(dir_fd, NOTIFY_DEAD_FILE, 0);
    (void)unlinkat(dir_fd, NOTIFY_DEAD_FILE_OLDER, 0);
    (void)rmdir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notify_rules__are_read_as_they_stand),
        cmocka_unit_test(test_notify_rules__match_event_prefix_and_suffix),
        cmocka_unit_test(test_notify_events__known_names_and_groups),
        cmocka_unit_test(test_notify_rules__overlap_where_a_key_could_have_both),
        cmocka_unit_test(test_notify_arn__fields_and_protocols),
        cmocka_unit_test(test_notify_message__the_longest_key_fits),
        cmocka_unit_test(test_notify_dead__the_file_grows_to_its_limit_and_one_older_is_kept),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
