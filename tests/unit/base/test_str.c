/* SPDX-License-Identifier: Apache-2.0 */
/* base/str: cutting, searching and strict number reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text/str.h"

static void assert_text(struct str got, const char *wanted)
{
    assert_true(str_present(got));
    assert_int_equal(got.len, strlen(wanted));
    assert_memory_equal(got.p, wanted, got.len);
}

static void test_base_str__case_is_ignored_for_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(str_eq_nocase(STR("Content-MD5"), STR("content-md5")));
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_false(str_eq_nocase(STR("["), STR("{")));
    assert_false(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4")));
    assert_false(str_eq_nocase(STR("ab"), STR("abc")));
}

static void test_base_str__absent_and_empty_compare_equal_but_differ_in_presence(void **state)
{
    (void)state;
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_present(STR("")));
    assert_false(str_present(STR_NONE));
    assert_false(str_present(str_from_cstr(NULL)));
    assert_false(str_present(str_slice(STR_NONE, 0, 5)));
    assert_true(str_present(str_skip(STR("abc"), 3)));
}

static void test_base_str__prefix_and_suffix(void **state)
{
    (void)state;
    assert_true(str_starts(STR("x-amz-meta-a"), STR("x-amz-meta-")));
    assert_false(str_starts(STR("x-amz"), STR("x-amz-")));
    assert_true(str_starts(STR("a"), STR_NONE));
    assert_true(str_starts_nocase(STR("X-Amz-Date"), STR("x-amz-")));
    assert_true(str_ends(STR("a.txt"), STR(".txt")));
    assert_false(str_ends(STR("txt"), STR(".txt")));
    assert_true(str_ends(STR_NONE, STR_NONE));
}

/* S3 lists keys in UTF-8 binary order. */
static void test_base_str__order_is_of_unsigned_bytes(void **state)
{
    (void)state;
    assert_true(str_compare(STR("a"), STR("\xff")) < 0);
    assert_true(str_compare(STR("a"), STR("a\0")) < 0);
    assert_true(str_compare(STR("ab"), STR("aa")) > 0);
    assert_int_equal(str_compare(STR(""), STR_NONE), 0);
}

static void test_base_str__slices_are_clipped(void **state)
{
    (void)state;
    assert_text(str_slice(STR("hello"), 1, 3), "ell");
    assert_text(str_slice(STR("hello"), 3, SIZE_MAX), "lo");
    assert_text(str_slice(STR("hello"), 9, 2), "");
    assert_text(str_skip(STR("hello"), SIZE_MAX), "");
}

static void test_base_str__trim_takes_blanks_at_both_ends_only(void **state)
{
    (void)state;
    assert_text(str_trim(STR(" \t a b\t ")), "a b");
    assert_text(str_trim(STR(" \t ")), "");
    assert_text(str_trim(STR("\na\r")), "\na\r");
}

static void test_base_str__find_answers_first_and_last_place_or_size_max(void **state)
{
    (void)state;
    assert_true(str_find_char(STR("a/b/c"), '/') == 1);
    assert_true(str_rfind_char(STR("a/b/c"), '/') == 3);
    assert_true(str_find_char(STR_NONE, '/') == SIZE_MAX);
    assert_true(str_rfind_char(STR("abc"), '/') == SIZE_MAX);
    assert_true(str_find(STR("abcabd"), STR("abd")) == 3);
    assert_true(str_find(STR("abc"), STR("abcd")) == SIZE_MAX);
    assert_true(str_find(STR("abc"), STR("")) == 0);
    assert_true(str_find(STR("a\0b"), STR("\0b")) == 1);
}

static void test_base_str__cut_splits_at_the_first_separator(void **state)
{
    struct str head;
    struct str tail;

    (void)state;
    assert_true(str_cut(STR("k=v=w"), '=', &head, &tail));
    assert_text(head, "k");
    assert_text(tail, "v=w");

    assert_true(str_cut(STR("k="), '=', &head, &tail));
    assert_text(tail, "");

    assert_false(str_cut(STR("k"), '=', &head, &tail));
    assert_text(head, "k");
    assert_false(str_present(tail));
}

static void test_base_str__next_gives_every_field_of_a_list(void **state)
{
    static const char *const wanted[] = { "a", "", "b", "" };
    struct str rest = STR("a,,b,");
    struct str field;
    size_t count = 0;

    (void)state;
    while (str_next(&rest, ',', &field)) {
        assert_true(count < COUNT_OF(wanted));
        assert_text(field, wanted[count++]);
    }
    assert_int_equal(count, COUNT_OF(wanted));
}

static void test_base_str__next_gives_one_field_of_the_empty_list_and_none_of_none(void **state)
{
    struct str empty = STR("");
    struct str none = STR_NONE;
    struct str field;

    (void)state;
    assert_true(str_next(&empty, ',', &field));
    assert_text(field, "");
    assert_false(str_next(&empty, ',', &field));
    assert_false(str_next(&none, ',', &field));
}

static void test_base_str__numbers_are_digits_up_to_the_maximum(void **state)
{
    uint64_t value = 7;

    (void)state;
    assert_true(str_to_u64(STR("0"), &value));
    assert_true(value == 0);
    assert_true(str_to_u64(STR("000000000000000000000000000012"), &value));
    assert_true(value == 12);
    assert_true(str_to_u64(STR("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
}

static void test_base_str__number_past_the_maximum_or_with_other_bytes_is_refused(void **state)
{
    static const char *const bad[] = {
        "",   "18446744073709551616",   "18446744073709551620", "-1", "+1", " 1", "1 ", "0x1",
        "1.", "99999999999999999999999"
    };
    uint64_t value = 7;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(str_to_u64(str_from_cstr(bad[i]), &value));
    assert_false(str_to_u64(STR("1\0"), &value));
    assert_true(value == 7);
}

static void test_base_str__hex_numbers_have_one_to_sixteen_digits(void **state)
{
    uint64_t value = 7;

    (void)state;
    assert_true(str_to_u64_hex(STR("fFfFffffffffffff"), &value));
    assert_true(value == UINT64_MAX);
    assert_true(str_to_u64_hex(STR("10000"), &value));
    assert_true(value == 65536);
    assert_false(str_to_u64_hex(STR(""), &value));
    assert_false(str_to_u64_hex(STR("00000000000000001"), &value));
    assert_false(str_to_u64_hex(STR("0x10"), &value));
    assert_false(str_to_u64_hex(STR("g"), &value));
}

static void test_base_str__utf8_of_every_length_is_accepted(void **state)
{
    (void)state;
    assert_true(str_is_utf8(STR_NONE));
    assert_true(str_is_utf8(STR("a\0\x7f")));
    assert_true(str_is_utf8(STR("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xef\xbf\xbf")));
    assert_true(str_is_utf8(STR("\xed\x9f\xbf \xee\x80\x80")));
    assert_true(str_is_utf8(STR("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf")));
}

static void test_base_str__characters_are_taken_one_by_one(void **state)
{
    static const uint32_t wanted[] = { 'a',     0,           0x7f,         0x80,
                                       0x7ff,   0x800,       0xd7ff,       0xffff,
                                       0x10000, 0x10ffff,    STR_CHAR_BAD, STR_CHAR_BAD,
                                       'b',     STR_CHAR_BAD };
    struct str rest =
        STR("a\0\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf\xf0\x90\x80\x80"
            "\xf4\x8f\xbf\xbf\xc0\x80"
            "b\xe2");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_true(rest.len > 0);
        assert_int_equal(str_next_char(&rest), wanted[i]);
    }
    assert_int_equal(rest.len, 0);
}

static void test_base_str__ill_formed_utf8_is_refused(void **state)
{
    static const char *const bad[] = {
        "\x80",             /* continuation alone */
        "\xc0\x80",         /* overlong NUL */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* surrogate */
        "\xed\xbf\xbf",     /* surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc2",
        "\xe1\x80",
        "\xf1\x80\x80",
        "\xc2z",
        "\xe1\x80z",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(str_is_utf8(str_from_cstr(bad[i])));
}

static void test_base_str__printable_is_space_to_tilde(void **state)
{
    (void)state;
    assert_true(str_is_printable(STR(" ~az")));
    assert_false(str_is_printable(STR("a\x1f")));
    assert_false(str_is_printable(STR("\x7f")));
    assert_false(str_is_printable(STR("\xc3\xa4")));
}

static void test_base_str__secrets_are_equal_only_in_every_byte(void **state)
{
    (void)state;
    assert_true(str_eq_secret(STR("abcd"), STR("abcd")));
    assert_true(str_eq_secret(STR_NONE, STR("")));
    assert_false(str_eq_secret(STR("abcd"), STR("abce")));
    assert_false(str_eq_secret(STR("bbcd"), STR("abcd")));
    assert_false(str_eq_secret(STR("abc"), STR("abcd")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_str__case_is_ignored_for_ascii_letters_only),
        cmocka_unit_test(test_base_str__absent_and_empty_compare_equal_but_differ_in_presence),
        cmocka_unit_test(test_base_str__prefix_and_suffix),
        cmocka_unit_test(test_base_str__order_is_of_unsigned_bytes),
        cmocka_unit_test(test_base_str__slices_are_clipped),
        cmocka_unit_test(test_base_str__trim_takes_blanks_at_both_ends_only),
        cmocka_unit_test(test_base_str__find_answers_first_and_last_place_or_size_max),
        cmocka_unit_test(test_base_str__cut_splits_at_the_first_separator),
        cmocka_unit_test(test_base_str__next_gives_every_field_of_a_list),
        cmocka_unit_test(test_base_str__next_gives_one_field_of_the_empty_list_and_none_of_none),
        cmocka_unit_test(test_base_str__numbers_are_digits_up_to_the_maximum),
        cmocka_unit_test(test_base_str__number_past_the_maximum_or_with_other_bytes_is_refused),
        cmocka_unit_test(test_base_str__hex_numbers_have_one_to_sixteen_digits),
        cmocka_unit_test(test_base_str__utf8_of_every_length_is_accepted),
        cmocka_unit_test(test_base_str__ill_formed_utf8_is_refused),
        cmocka_unit_test(test_base_str__characters_are_taken_one_by_one),
        cmocka_unit_test(test_base_str__printable_is_space_to_tilde),
        cmocka_unit_test(test_base_str__secrets_are_equal_only_in_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
