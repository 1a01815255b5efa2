/* SPDX-License-Identifier: Apache-2.0 */
/* base/codec: hexadecimal, base64, percent-encoding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text/codec.h"

static void assert_encoded(const struct buf *buf, const char *wanted)
{
    assert_false(buf->failed);
    assert_int_equal(buf->len, strlen(wanted));
    assert_memory_equal(buf_view(buf).p, wanted, buf->len);
}

static void test_base_codec__hex_is_written_in_lower_case(void **state)
{
    char text[8];

    (void)state;
    hex_encode("\x00\x9f\xab\xff", 4, text);
    assert_memory_equal(text, "009fabff", 8);
}

static void test_base_codec__hex_is_read_in_both_cases(void **state)
{
    uint8_t bytes[4];

    (void)state;
    assert_true(hex_decode(STR("009fABfF"), bytes, 4));
    assert_memory_equal(bytes, "\x00\x9f\xab\xff", 4);
    assert_true(hex_decode(STR(""), bytes, 0));
}

static void test_base_codec__hex_of_another_length_or_alphabet_is_refused(void **state)
{
    uint8_t bytes[4];

    (void)state;
    assert_false(hex_decode(STR("009fab"), bytes, 4));
    assert_false(hex_decode(STR("009fabffff"), bytes, 4));
    assert_false(hex_decode(STR("009fabf"), bytes, 4));
    assert_false(hex_decode(STR("009fabfg"), bytes, 4));
    assert_false(hex_decode(STR("00 9fabf"), bytes, 4));
}

/* RFC 4648, 10 */
static const struct {
    struct str plain;
    struct str text;
} base64_vectors[] = {
    { { "", 0 }, { "", 0 } },
    { { "f", 1 }, { "Zg==", 4 } },
    { { "fo", 2 }, { "Zm8=", 4 } },
    { { "foo", 3 }, { "Zm9v", 4 } },
    { { "foob", 4 }, { "Zm9vYg==", 8 } },
    { { "fooba", 5 }, { "Zm9vYmE=", 8 } },
    { { "foobar", 6 }, { "Zm9vYmFy", 8 } },
    { { "\xfb\xff\xfe", 3 }, { "+//+", 4 } },
};

static void test_base_codec__base64_writes_the_published_vectors(void **state)
{
    char text[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(base64_vectors); i++) {
        struct str plain = base64_vectors[i].plain;

        assert_int_equal(BASE64_LEN(plain.len), base64_vectors[i].text.len);
        base64_encode(plain.p, plain.len, text);
        assert_memory_equal(text, base64_vectors[i].text.p, base64_vectors[i].text.len);
    }
}

static void test_base_codec__base64_reads_the_published_vectors_into_just_enough_room(void **state)
{
    uint8_t bytes[6];
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(base64_vectors); i++) {
        struct str plain = base64_vectors[i].plain;

        assert_true(base64_decode(base64_vectors[i].text, bytes, plain.len, &len));
        assert_int_equal(len, plain.len);
        assert_memory_equal(bytes, plain.p, len);
        if (plain.len > 0)
            assert_false(base64_decode(base64_vectors[i].text, bytes, plain.len - 1, &len));
    }
}

static void test_base_codec__loose_base64_is_refused(void **state)
{
    static const char *const bad[] = {
        "Zg",       "Zg=",    "Zg===",    "Z===", "====", "=",     "Zm9v=",
        "Zg==Zg==", "Zm=v",   "Zm9-",     "Zm9_", "Zm9 ", " Zm9v", "Zm9v\n",
        "Zm\n9v",   "Z m9v=", "Zm9v====", "Zh==", "Zm9=", /* bits that no byte carries */
    };
    uint8_t bytes[16];
    size_t len = 77;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(base64_decode(str_from_cstr(bad[i]), bytes, sizeof(bytes), &len));
    assert_int_equal(len, 77);
}

static void test_base_codec__base64_comes_back_for_every_length(void **state)
{
    uint8_t bytes[100];
    uint8_t back[100];
    char text[BASE64_LEN(100)];
    size_t len;

    (void)state;
    random_bytes(bytes, sizeof(bytes));
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        base64_encode(bytes, n, text);
        assert_true(base64_decode(str_make(text, BASE64_LEN(n)), back, n, &len));
        assert_int_equal(len, n);
        assert_memory_equal(back, bytes, n);
    }
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, UriEncode */
static void test_base_codec__uri_encode_leaves_only_unreserved_bytes(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(100);

    (void)state;
    uri_encode(&out, STR("AZaz09-._~ /+%*=&\xc3\xa4\x7f\0!"), URI_KEEP_NONE);
    assert_encoded(&out, "AZaz09-._~%20%2F%2B%25%2A%3D%26%C3%A4%7F%00%21");
}

static void test_base_codec__uri_encode_keeps_slashes_on_request(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(100);

    (void)state;
    uri_encode(&out, STR("/photos/my pic.jpg"), URI_KEEP_SLASH);
    assert_encoded(&out, "/photos/my%20pic.jpg");
}

/* java.net.URLEncoder, and '/' as it is: what S3's listings give with encoding-type=url. */
static void test_base_codec__uri_encode_of_a_listing(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(200);

    (void)state;
    uri_encode(&out, STR("AZaz09-._*/ +~!'()%,;:@=\"<>|\xc3\xa4\x7f\0"), URI_LISTED);
    assert_encoded(&out,
                   "AZaz09-._*/+%2B%7E%21%27%28%29%25%2C%3B%3A%40%3D%22%3C%3E%7C%C3%A4%7F%00");
}

static void test_base_codec__uri_encode_stops_at_the_buffer_maximum(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(5);

    (void)state;
    uri_encode(&out, STR("ab/"), URI_KEEP_NONE);
    assert_encoded(&out, "ab%2F");
    buf_clear(&out);
    uri_encode(&out, STR("ab//"), URI_KEEP_NONE);
    assert_true(out.failed);
}

static void test_base_codec__escapes_of_both_cases_are_decoded(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(1024, 1024);
    struct str text;

    (void)state;
    assert_true(uri_decode(arena, STR("a%2fb%2Fc%2B%00%ff"), &text));
    assert_true(str_eq(text, STR("a/b/c+\0\xff")));
    assert_true(uri_decode(arena, STR(""), &text));
    assert_true(str_present(text));
    assert_int_equal(text.len, 0);
}

static void test_base_codec__a_plus_is_decoded_to_a_blank(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(1024, 1024);
    struct str text;

    (void)state;
    assert_true(uri_decode(arena, STR("a+b%2B"), &text));
    assert_true(str_eq(text, STR("a b+")));
}

static void test_base_codec__recoding_is_decoding_and_encoding(void **state)
{
    static const char *const texts[] = {
        "", "abc", "a+b%2B", "%2Fb/k", "a%2fb%2Fc%00%ff", "(a)!~%7e", "+", "%25%32%46",
    };
    CLEANUP(arena_closep) struct arena *arena = arena_open(1024, 4096);
    CLEANUP(buf_free) struct buf once = BUF_WITH_MAX(1024);
    CLEANUP(buf_free) struct buf twice = BUF_WITH_MAX(1024);
    struct str text;

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(texts); i++) {
        enum uri_keep keep = i % 2 == 0 ? URI_KEEP_NONE : URI_KEEP_SLASH;

        buf_clear(&once);
        buf_clear(&twice);
        assert_true(uri_recode(&once, str_from_cstr(texts[i / 2]), keep));
        assert_true(uri_decode(arena, str_from_cstr(texts[i / 2]), &text));
        uri_encode(&twice, text, keep);
        assert_true(str_eq(buf_view(&once), buf_view(&twice)));
    }
    assert_false(uri_recode(&once, STR("a%2"), URI_KEEP_NONE));
}

static void test_base_codec__bad_percent_escape_is_refused(void **state)
{
    static const char *const bad[] = { "%", "%2", "%zz", "a%", "a%f", "%2g", "%g2", "%%20", "% 2" };
    CLEANUP(arena_closep) struct arena *arena = arena_open(1024, 1024);
    struct str text = STR("untouched");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(uri_decode(arena, str_from_cstr(bad[i]), &text));
    assert_true(str_eq(text, STR("untouched")));
}

static void test_base_codec__decoding_past_the_arena_limit_is_refused(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(16, 16);
    struct str text;

    (void)state;
    assert_false(uri_decode(arena, STR("0123456789abcdef"), &text));
}

static void test_base_codec__every_byte_comes_back(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(1024, 4096);
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(1024);
    char all[256];
    struct str text;

    (void)state;
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (char)i;
    uri_encode(&out, str_make(all, sizeof(all)), URI_KEEP_NONE);
    assert_true(uri_decode(arena, buf_view(&out), &text));
    assert_true(str_eq(text, str_make(all, sizeof(all))));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_codec__hex_is_written_in_lower_case),
        cmocka_unit_test(test_base_codec__hex_is_read_in_both_cases),
        cmocka_unit_test(test_base_codec__hex_of_another_length_or_alphabet_is_refused),
        cmocka_unit_test(test_base_codec__base64_writes_the_published_vectors),
        cmocka_unit_test(test_base_codec__base64_reads_the_published_vectors_into_just_enough_room),
        cmocka_unit_test(test_base_codec__loose_base64_is_refused),
        cmocka_unit_test(test_base_codec__base64_comes_back_for_every_length),
        cmocka_unit_test(test_base_codec__uri_encode_leaves_only_unreserved_bytes),
        cmocka_unit_test(test_base_codec__uri_encode_keeps_slashes_on_request),
        cmocka_unit_test(test_base_codec__uri_encode_of_a_listing),
        cmocka_unit_test(test_base_codec__uri_encode_stops_at_the_buffer_maximum),
        cmocka_unit_test(test_base_codec__escapes_of_both_cases_are_decoded),
        cmocka_unit_test(test_base_codec__a_plus_is_decoded_to_a_blank),
        cmocka_unit_test(test_base_codec__recoding_is_decoding_and_encoding),
        cmocka_unit_test(test_base_codec__bad_percent_escape_is_refused),
        cmocka_unit_test(test_base_codec__decoding_past_the_arena_limit_is_refused),
        cmocka_unit_test(test_base_codec__every_byte_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
