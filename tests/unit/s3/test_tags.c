/* SPDX-License-Identifier: Apache-2.0 */
/* server/s3/tags: how many, how long, of which characters; header and document. */
#include <stdio.h>

#include "base/text/pairs.h"
#include "server/s3/request/tags.h"
#include "server/xml/xml.h"

#include "bare_op.h"

static enum s3_error tags(size_t count, enum tags_of of)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);
    char key[24];

    bare_request("/b/k", "");
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(key, sizeof(key), "k%zu", i);
        assert_true(pairs_add(&out, str_from_cstr(key), STR("v")));
    }
    return tags_check(&op, buf_view(&out), of);
}

static void test_s3_tags__ten_of_an_object_and_fifty_of_a_bucket(void **state UNUSED)
{
    assert_int_equal(tags(10, TAGS_OF_OBJECT), S3_OK);
    assert_int_equal(tags(11, TAGS_OF_OBJECT), S3_BadRequest);
    assert_int_equal(tags(50, TAGS_OF_BUCKET), S3_OK);
    assert_int_equal(tags(51, TAGS_OF_BUCKET), S3_BadRequest);
    assert_int_equal(tags(50, TAGS_OF_NEW_BUCKET), S3_OK);
    assert_int_equal(tags(51, TAGS_OF_NEW_BUCKET), S3_BadRequest);
}

static enum s3_error tag(struct str key, struct str value)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);

    bare_request("/b/k", "");
    assert_true(pairs_add(&out, key, value));
    return tags_check(&op, buf_view(&out), TAGS_OF_OBJECT);
}

static void test_s3_tags__lengths_are_counted_in_characters(void **state UNUSED)
{
    static char text[2 * 257];

    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    assert_int_equal(tag(str_make(text, 2 * 128), STR("")), S3_OK);
    assert_int_equal(tag(str_make(text, 2 * 129), STR("")), S3_InvalidTag);
    assert_int_equal(tag(STR("k"), str_make(text, 2 * 256)), S3_OK);
    assert_int_equal(tag(STR("k"), str_make(text, 2 * 257)), S3_InvalidTag);
    assert_int_equal(tag(STR(""), STR("v")), S3_InvalidTag);
    assert_int_equal(tag(STR("k"), STR("")), S3_OK);
}

static void test_s3_tags__a_character_beyond_the_basic_plane_counts_twice(void **state UNUSED)
{
    static char text[4 * 129];

    for (size_t i = 0; i < sizeof(text); i += 4)
        memcpy(text + i, "\xf0\x90\x8c\xb0", 4); /* GOTHIC LETTER AHSA */
    assert_int_equal(tag(str_make(text, 4 * 64), STR("")), S3_OK);
    assert_int_equal(tag(str_make(text, 4 * 65), STR("")), S3_InvalidTag);
    assert_int_equal(tag(STR("k"), str_make(text, 4 * 128)), S3_OK);
    assert_int_equal(tag(STR("k"), str_make(text, 4 * 129)), S3_InvalidTag);
}

static void test_s3_tags__letters_numbers_and_blanks_of_any_script(void **state UNUSED)
{
    static const char *const good[] = {
        "a b+c-d=e.f_g:h/i@j",
        "gr\xc3\xb6\xc3\x9f"
        "e",
        "\xd0\xbc\xd0\xb8\xd1\x80", /* Cyrillic */
        "\xe6\x97\xa5\xe6\x9c\xac", /* Han */
        "\xd9\xa1\xd9\xa2",         /* Arabic digits */
        "a\xc2\xa0"                 /* no-break space */
        "b\xe3\x80\x80"             /* ideographic space */
        "c",
        "\xc2\xbd",         /* one half: a number */
        "\xf0\x9d\x94\xb8", /* a letter beyond the basic plane */
    };
    static const char *const bad[] = {
        "a&b",
        "<",
        "a,b",
        "a\tb",
        "a\nb",
        "a\rb",
        "\x7f",
        "a!",
        "#",
        "(a)",
        "\"",
        "a\\b",
        "\xf0\x9f\x98\x80", /* emoji */
        "\xe2\x98\x83",     /* snowman */
        "\xe2\x82\xac",     /* euro: a symbol */
        "\xc2\x85",         /* C1 control */
        "\xe2\x80\x94",     /* em dash */
        "\xe2\x80\x8b",     /* zero width space: a format character */
        "a\xff",
    };

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(tag(str_from_cstr(good[i]), STR("")), S3_OK);
        assert_int_equal(tag(STR("k"), str_from_cstr(good[i])), S3_OK);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(tag(str_from_cstr(bad[i]), STR("")), S3_InvalidTag);
        assert_int_equal(tag(STR("k"), str_from_cstr(bad[i])), S3_InvalidTag);
    }
    assert_int_equal(tag(STR("a\0b"), STR("")), S3_InvalidTag);
}

static void test_s3_tags__the_system_prefix_has_a_refusal_of_each_kind(void **state UNUSED)
{
    static const struct {
        enum tags_of of;
        const char *message;
        bool named;
    } kinds[] = {
        { TAGS_OF_OBJECT, "Your TagKey cannot be prefixed with aws:", true },
        { TAGS_OF_BUCKET, "System tags cannot be added/updated by requester", true },
        { TAGS_OF_NEW_BUCKET,
          "User-defined tag keys can't start with \"aws:\". This prefix is reserved for system "
          "tags. Remove \"aws:\" from your tag keys and try again.",
          false },
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);

        bare_request("/b/k", "");
        assert_true(pairs_add(&out, STR("AWS:a"), STR("b")));
        assert_int_equal(tags_check(&op, buf_view(&out), kinds[i].of), S3_InvalidTag);
        assert_str(op.refusal.message, kinds[i].message);
        assert_true(str_present(op.refusal.values[0]) == kinds[i].named);
    }
    assert_int_equal(tag(STR("aws"), STR("aws:")), S3_OK);
}

static enum s3_error header(const char *text, struct str *ret_packed)
{
    bare_request("/b/k", "");
    return tags_from_header(&op, str_from_cstr(text), ret_packed);
}

static void test_s3_tags__the_header_is_a_query_string(void **state UNUSED)
{
    static const char *const malformed[] = {
        "=",
        "=v",
        "a=1&=2",
        "a=%zz",
        "a=%f",
        "a=%ff",
        "%c3=1",
        "a=1&a=2",
        "a&a",
        "%61=1&a=1",
        "key1=val1,key2=val2",
        "a=b=c",
        "a==",
    };
    struct str packed;

    assert_int_equal(header("&a&&b=&c+d=%2B%20&", &packed), S3_OK);
    assert_int_equal(pairs_count(packed), 3);
    assert_str(pairs_get(packed, STR("a")), "");
    assert_str(pairs_get(packed, STR("c d")), "+ ");
    assert_int_equal(header("&&", &packed), S3_OK);
    assert_false(str_present(packed));
    for (size_t i = 0; i < COUNT_OF(malformed); i++) {
        assert_int_equal(header(malformed[i], &packed), S3_InvalidArgument);
        assert_str(op.refusal.values[0], "x-amz-tagging");
        assert_str(op.refusal.values[1], malformed[i]);
    }
    assert_int_equal(header("a=b,c", &packed), S3_InvalidTag);
    assert_int_equal(header("a%26b=c", &packed), S3_InvalidTag);
    assert_int_equal(header("a=%09", &packed), S3_InvalidTag);
    assert_int_equal(header("a=%F0%9F%98%80", &packed), S3_InvalidTag);
    assert_int_equal(header("a&b&c&d&e&f&g&h&i&j", &packed), S3_OK);
    assert_int_equal(header("a&b&c&d&e&f&g&h&i&j&k", &packed), S3_BadRequest);
}

static enum s3_error document(const char *set, struct str *ret_packed)
{
    struct fault fault = { 0 };
    const struct xml_node *node;

    bare_request("/b/k", "");
    node = xml_parse(str_from_cstr(set), STR("TagSet"), op.arena, &fault);
    assert_non_null(node);
    return tags_from_xml(&op, node, TAGS_OF_OBJECT, ret_packed);
}

static void test_s3_tags__documents_need_one_key_and_one_value_each(void **state UNUSED)
{
    struct str packed;

    assert_int_equal(document("<TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet>", &packed),
                     S3_OK);
    assert_str(pairs_get(packed, STR("a")), "1");
    assert_int_equal(document("<TagSet/>", &packed), S3_OK);
    assert_false(str_present(packed));
    assert_int_equal(document("<TagSet><Tag><Key>a</Key></Tag></TagSet>", &packed),
                     S3_MalformedXML);
    assert_int_equal(document("<TagSet><Foo/></TagSet>", &packed), S3_MalformedXML);
    assert_int_equal(document("<TagSet><Tag><Key>a</Key><Value/></Tag>"
                              "<Tag><Key>a</Key><Value/></Tag></TagSet>",
                              &packed),
                     S3_InvalidTag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_tags__ten_of_an_object_and_fifty_of_a_bucket),
        cmocka_unit_test(test_s3_tags__lengths_are_counted_in_characters),
        cmocka_unit_test(test_s3_tags__a_character_beyond_the_basic_plane_counts_twice),
        cmocka_unit_test(test_s3_tags__letters_numbers_and_blanks_of_any_script),
        cmocka_unit_test(test_s3_tags__the_system_prefix_has_a_refusal_of_each_kind),
        cmocka_unit_test(test_s3_tags__the_header_is_a_query_string),
        cmocka_unit_test(test_s3_tags__documents_need_one_key_and_one_value_each),
    };

    return cmocka_run_group_tests(tests, bare_group_setup, bare_group_teardown);
}
