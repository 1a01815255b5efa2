/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What listings share: counts, encoding, tokens; and the documents nobody has set.
 */
#include "bare_op.h"

#include <stdio.h>

#include "server/s3/elements.h"
#include "server/s3/ops/document.h"
#include "server/s3/ops/list.h"
#include "server/s3/ops/list_form.h"
#include "server/s3/routes.h"
#include "server/xml/xml.h"

static enum s3_error form_of(const char *target, struct list_form *form)
{
    bare_request(target, "");
    return list_form_from_request(&op, "max-keys", STR("maxKeys"), form);
}

/* PROVES: ListObjects, max-keys, clamped to 1000 */
static void test_s3_list__counts_are_clamped_or_refused(void **state UNUSED)
{
    struct list_form form;

    assert_int_equal(form_of("/b", &form), S3_OK);
    assert_int_equal(form.max, 1000);
    assert_int_equal(form_of("/b?max-keys=", &form), S3_OK);
    assert_int_equal(form.max, 1000);
    assert_int_equal(form_of("/b?max-keys=0", &form), S3_OK);
    assert_int_equal(form.max, 0);
    assert_int_equal(form_of("/b?max-keys=1000", &form), S3_OK);
    assert_int_equal(form.max, 1000);
    assert_int_equal(form_of("/b?max-keys=1001", &form), S3_OK);
    assert_int_equal(form.max, 1000);
    assert_int_equal(form_of("/b?max-keys=2147483647", &form), S3_OK);
    assert_int_equal(form_of("/b?max-keys=-0", &form), S3_OK);
    assert_int_equal(form.max, 0);
    assert_int_equal(form_of("/b?max-keys=0000000000000000000000007", &form), S3_OK);
    assert_int_equal(form.max, 7);
}

/* What is no 32-bit integer goes by the parameter's name, what is one below 0 by another. */
static void test_s3_list__a_count_that_is_none_is_named(void **state UNUSED)
{
    static const char *const no_integers[] = { "ten", "2147483648", "-2147483649", "1.5", "%205",
                                               "+5",  "0x10",       "1e3",         "-",   "--1" };
    struct list_form form;
    uint32_t count = 3;

    for (size_t i = 0; i < COUNT_OF(no_integers); i++) {
        char target[64];

        (void)snprintf(target, sizeof(target), "/b?max-keys=%s", no_integers[i]);
        assert_int_equal(form_of(target, &form), S3_InvalidArgument);
        assert_str(op.refusal.message, "Provided max-keys not an integer or within integer range");
        assert_str(op.refusal.values[0], "max-keys");
    }
    assert_int_equal(form_of("/b?max-keys=-01", &form), S3_InvalidArgument);
    assert_str(op.refusal.message, "Argument maxKeys must be an integer between 0 and 2147483647");
    assert_str(op.refusal.values[0], "maxKeys");
    assert_str(op.refusal.values[1], "-1");
    assert_int_equal(form_of("/b?max-keys=-2147483648", &form), S3_InvalidArgument);
    assert_str(op.refusal.values[1], "-2147483648");

    assert_int_equal(op_count(&op, STR("-1"), STR("n"), STR(""), 9, &count), S3_InvalidArgument);
    assert_str(op.refusal.message, "Provided n not an integer or within integer range");
    assert_int_equal(op_count(&op, STR(""), STR("n"), STR(""), 9, &count), S3_OK);
    assert_int_equal(op_count(&op, STR_NONE, STR("n"), STR(""), 9, &count), S3_OK);
    assert_int_equal(count, 3);
}

static void test_s3_list__only_the_url_encoding_is_known(void **state UNUSED)
{
    struct list_form form;

    assert_int_equal(form_of("/b?encoding-type=url", &form), S3_OK);
    assert_true(form.url);
    assert_int_equal(form_of("/b?encoding-type=URL", &form), S3_OK);
    assert_true(form.url);
    assert_str(form.encoding, "URL");
    assert_int_equal(form_of("/b", &form), S3_OK);
    assert_false(form.url);
    assert_int_equal(form_of("/b?encoding-type=", &form), S3_InvalidArgument);
    assert_int_equal(form_of("/b?encoding-type", &form), S3_InvalidArgument);
    assert_int_equal(form_of("/b?encoding-type=utf-16", &form), S3_InvalidArgument);
    assert_str(op.refusal.values[0], "encoding-type");
    assert_str(op.refusal.values[1], "utf-16");
}

static void test_s3_list__texts_follow_the_encoding(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);
    struct list_form form = { .url = true };

    list_text(&form, &out, STR("Key"), STR("a b/&+"));
    form.url = false;
    list_text(&form, &out, STR("Key"), STR("a b/&+"));
    assert_str(buf_view(&out), "<Key>a+b/%26%2B</Key><Key>a b/&amp;+</Key>");
}

static void test_s3_list__owners_are_ids_and_only_for_users(void **state UNUSED)
{
    struct list_form form = { 0 };

    bare_request("/b", "");

    CLEANUP(list_body_free) struct list_body body = list_body_make(&op, &form);

    list_body_owner(&body, STR(ALICE_ID));
    list_body_owner(&body, STR("x&y"));
    assert_str(buf_view(&body.entries),
               "<Owner><ID>" ALICE_ID "</ID></Owner><Owner><ID>x&amp;y</ID></Owner>");

    op.auth.user = NULL;

    CLEANUP(list_body_free) struct list_body untold = list_body_make(&op, &form);

    list_body_owner(&untold, STR(ALICE_ID));
    assert_int_equal(untold.entries.len, 0);
}

static void test_s3_list__an_initiator_has_a_name(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);

    bare_request("/b", "");
    xml_initiator(&op, &out, STR(ALICE_ID));
    xml_initiator(&op, &out, STR("nobody"));
    assert_str(buf_view(&out), "<Initiator><ID>" ALICE_ID "</ID><DisplayName>alice</DisplayName>"
                               "</Initiator><Initiator><ID>nobody</ID></Initiator>");
}

static void test_s3_list__the_head_goes_before_entries_and_prefixes(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf head = BUF_WITH_MAX(4096);
    struct list_form form = { .url = true };

    bare_request("/b", "");

    CLEANUP(list_body_free) struct list_body body = list_body_make(&op, &form);

    list_body_prefix(&body, STR("a b/"));
    buf_lit(&body.entries, "<T>");
    list_body_time(&body, INT64_C(1795238723045678));
    buf_lit(&body.entries, "</T>");
    xml_open(&head, STR("R"));
    assert_int_equal(list_body_reply(&body, &head, STR("R")), S3_OK);
    assert_str(buf_view(&op.reply->buffer),
               "<R><T>2026-11-21T05:25:23.000Z</T>"
               "<CommonPrefixes><Prefix>a+b/</Prefix></CommonPrefixes></R>");
    buf_free(&op.reply->buffer);
}

static void test_s3_list__a_part_that_failed_fails_the_page(void **state UNUSED)
{
    struct list_form form = { 0 };

    bare_request("/b", "");
    for (int i = 0; i < 2; i++) {
        CLEANUP(list_body_free) struct list_body body = list_body_make(&op, &form);
        struct buf head = BUF_WITH_MAX(10);

        buf_lit(&body.entries, "x");
        assert_false(list_body_failed(&body));
        body.prefixes.failed = i == 0;
        head.failed = i == 1;
        assert_int_equal(list_body_reply(&body, &head, STR("R")), S3_SlowDown);
    }
}

static void test_s3_list__a_token_is_the_marker_again(void **state UNUSED)
{
    static char key[STORE_KEY_BYTES_MAX + 1];
    struct str marker;

    bare_request("/b", "");
    memset(key, 0xc3, sizeof(key));
    for (size_t len = 0; len <= STORE_KEY_BYTES_MAX; len += 64) {
        struct str token = list_token(&op, str_make(key, len));

        assert_true(list_token_parse(&op, token, &marker));
        assert_true(str_eq(marker, str_make(key, len)));
    }
    assert_false(str_present(list_token(&op, str_make(key, sizeof(key)))));
}

static void test_s3_list__a_foreign_token_is_refused(void **state UNUSED)
{
    struct str marker;

    bare_request("/b", "");
    assert_false(list_token_parse(&op, STR(""), &marker));
    assert_false(list_token_parse(&op, STR("abc"), &marker));
    assert_false(list_token_parse(&op, STR("AmE="), &marker)); /* version 2 */
    assert_true(list_token_parse(&op, STR("AWE="), &marker));
    assert_str(marker, "a");
}

static void test_s3_documents__every_unset_document_has_its_answer(void **state UNUSED)
{
    size_t seen = 0;

    for (size_t i = 0; i < s3_route_count; i++) {
        enum s3_error err;

        if (s3_routes[i].run != op_document_get)
            continue;
        bare_request("/b", "");
        op.route = &s3_routes[i];
        err = op_document_get(&op);
        assert_int_not_equal(err, S3_NotImplemented);
        if (err == S3_OK)
            assert_int_equal(op.reply->status, 200);
        else
            assert_int_equal(s3_error_row(err)->status, 404);
        seen++;
    }
    assert_true(seen > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_list__counts_are_clamped_or_refused),
        cmocka_unit_test(test_s3_list__only_the_url_encoding_is_known),
        cmocka_unit_test(test_s3_list__texts_follow_the_encoding),
        cmocka_unit_test(test_s3_list__a_count_that_is_none_is_named),
        cmocka_unit_test(test_s3_list__owners_are_ids_and_only_for_users),
        cmocka_unit_test(test_s3_list__an_initiator_has_a_name),
        cmocka_unit_test(test_s3_list__the_head_goes_before_entries_and_prefixes),
        cmocka_unit_test(test_s3_list__a_part_that_failed_fails_the_page),
        cmocka_unit_test(test_s3_list__a_token_is_the_marker_again),
        cmocka_unit_test(test_s3_list__a_foreign_token_is_refused),
        cmocka_unit_test(test_s3_documents__every_unset_document_has_its_answer),
    };

    return cmocka_run_group_tests(tests, bare_group_setup, bare_group_teardown);
}
