/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replication documents, compiled, and which of their rules a version is replicated by.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text/pairs.h"
#include "server/s3/documents.h"
#include "server/s3/encryption/method.h"
#include "server/s3/replication/rules.h"

#define RULE(REST, BUCKET, MORE)                                                                   \
    "<Rule>" REST "<Destination><Bucket>arn:aws:s3:::" BUCKET "</Bucket>" MORE                     \
    "</Destination></Rule>"
#define ON "<Status>Enabled</Status>"
#define PREFIX(TEXT) "<Filter><Prefix>" TEXT "</Prefix></Filter>"
#define TAGGED                                                                                     \
    "<Filter><And><Prefix>a/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>"
#define MARKERS(STATUS)                                                                            \
    "<DeleteMarkerReplication><Status>" STATUS "</Status></DeleteMarkerReplication>"
#define KMS                                                                                        \
    "<SourceSelectionCriteria><SseKmsEncryptedObjects>" ON                                         \
    "</SseKmsEncryptedObjects><ReplicaModifications>" ON                                           \
    "</ReplicaModifications></SourceSelectionCriteria>"

static struct arena *arena;

static int setup(void **state UNUSED)
{
    arena = arena_open(4096, 1 << 20);
    return arena != NULL ? 0 : -1;
}

static int teardown(void **state UNUSED)
{
    arena_close(arena);
    return 0;
}

static const struct replication *compiled(const char *rules)
{
    struct bucket_config config = { .document_count = 0 };
    struct str text =
        arena_printf(arena, "<ReplicationConfiguration><Role>r</Role>%s</ReplicationConfiguration>",
                     rules);

    assert_true(replication_compile(text, arena, &config));
    assert_non_null(config.replication);
    return config.replication;
}

/* The destinations, in order, with a blank behind each. */
static struct str goes_to(const struct replication *replication, struct replication_subject subject)
{
    const struct replication_rule *rule;
    struct str text = STR("");
    size_t at = 0;

    if (!str_present(subject.tags))
        subject.tags = STR("");
    while ((rule = replication_next(replication, &subject, &at)) != NULL)
        text = arena_printf(arena, "%.*s%.*s ", STR_ARG(text), STR_ARG(rule->bucket));
    return text;
}

static struct str tags_of(const char *name, const char *value)
{
    struct buf out = BUF_WITH_MAX(1024);
    struct str kept;

    assert_true(pairs_add(&out, STR("other"), STR("x")));
    assert_true(pairs_add(&out, str_from_cstr(name), str_from_cstr(value)));
    kept = arena_dup(arena, buf_view(&out));
    buf_free(&out);
    return kept;
}

#define ASSERT_GOES(replication, wanted, ...)                                                      \
    assert_true(                                                                                   \
        str_eq(goes_to((replication), (struct replication_subject){ __VA_ARGS__ }), STR(wanted)))

static void test_s3_replication__the_greatest_priority_goes_first_once_for_each_bucket(
    void **state UNUSED)
{
    const struct replication *all = compiled(
        RULE("<Priority>1</Priority>" ON "<Filter/>" MARKERS("Disabled"), "one", "")
            RULE("<Priority>3</Priority>" ON PREFIX("a/") MARKERS("Disabled"), "one",
                 "<StorageClass>GLACIER</StorageClass>")
                RULE("<Priority>2</Priority>" ON "<Filter/>" MARKERS("Enabled"), "two", ""));

    ASSERT_GOES(all, "one two ", .key = STR("a/x"));
    ASSERT_GOES(all, "two one ", .key = STR("b"));
    ASSERT_GOES(all, "two ", .key = STR("b"), .delete_marker = true);
    assert_true(all->rules[0].set_class);
    assert_false(all->rules[1].set_class);
}

static void test_s3_replication__prefix_tags_and_status_all_count(void **state UNUSED)
{
    const struct replication *tagged = compiled(
        RULE("<Priority>1</Priority>" ON TAGGED MARKERS("Disabled"), "one", "")
            RULE("<Priority>2</Priority><Status>Disabled</Status><Filter/>" MARKERS("Disabled"),
                 "two", ""));

    ASSERT_GOES(tagged, "one ", .key = STR("a/x"), .tags = tags_of("k", "v"));
    ASSERT_GOES(tagged, "", .key = STR("a/x"), .tags = tags_of("k", "w"));
    ASSERT_GOES(tagged, "", .key = STR("a/x"), .tags = tags_of("K", "v"));
    ASSERT_GOES(tagged, "", .key = STR("a/x"));
    ASSERT_GOES(tagged, "", .key = STR("b"), .tags = tags_of("k", "v"));
}

static void test_s3_replication__keys_of_kms_and_replicas_only_where_it_is_said(void **state UNUSED)
{
    const struct replication *plain =
        compiled(RULE("<Priority>1</Priority>" ON "<Filter/>" MARKERS("Disabled"), "one", ""));
    const struct replication *wide =
        compiled(RULE("<Priority>1</Priority>" ON "<Filter/>" KMS MARKERS("Disabled"), "one",
                      "<EncryptionConfiguration><ReplicaKmsKeyID>k</ReplicaKmsKeyID>"
                      "</EncryptionConfiguration>"));
    static const uint8_t of_kms[] = { SSE_KMS, SSE_KMS_DSSE };
    static const uint8_t others[] = { SSE_NONE, SSE_AES256, SSE_CUSTOMER };

    for (size_t i = 0; i < COUNT_OF(of_kms); i++) {
        ASSERT_GOES(plain, "", .key = STR("k"), .sse = of_kms[i]);
        ASSERT_GOES(wide, "one ", .key = STR("k"), .sse = of_kms[i]);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++)
        ASSERT_GOES(plain, "one ", .key = STR("k"), .sse = others[i]);
    ASSERT_GOES(plain, "", .key = STR("k"), .replica = true);
    ASSERT_GOES(wide, "one ", .key = STR("k"), .replica = true);
    assert_true(str_eq(wide->rules[0].kms_key_id, STR("k")));
}

static void test_s3_replication__the_first_version_has_a_prefix_and_replicates_markers(
    void **state UNUSED)
{
    const struct replication *first = compiled(RULE("<Prefix>a</Prefix>" ON, "one", ""));

    ASSERT_GOES(first, "one ", .key = STR("ab"));
    ASSERT_GOES(first, "one ", .key = STR("ab"), .delete_marker = true);
    ASSERT_GOES(first, "", .key = STR("b"));
}

static void test_s3_replication__an_arn_names_a_bucket_or_none(void **state UNUSED)
{
    static const char *const wrong[] = {
        "", "one", "arn:aws:s3:::", "arn:aws:s3:::A", "arn:aws:s3:::one/key", "arn:aws:sqs:::one"
    };

    assert_true(str_eq(replication_bucket_of(STR("arn:aws:s3:::one")), STR("one")));
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(str_present(replication_bucket_of(str_from_cstr(wrong[i]))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_s3_replication__the_greatest_priority_goes_first_once_for_each_bucket),
        cmocka_unit_test(test_s3_replication__prefix_tags_and_status_all_count),
        cmocka_unit_test(test_s3_replication__keys_of_kms_and_replicas_only_where_it_is_said),
        cmocka_unit_test(
            test_s3_replication__the_first_version_has_a_prefix_and_replicates_markers),
        cmocka_unit_test(test_s3_replication__an_arn_names_a_bucket_or_none),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
