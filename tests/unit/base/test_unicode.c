/* SPDX-License-Identifier: Apache-2.0 */
/* base/unicode: characters of UTF-8 and the classes tags are made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text/unicode.h"

static void test_base_unicode__characters_come_one_by_one(void **state UNUSED)
{
    static const uint32_t wanted[] = {
        'a', 0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff
    };
    struct str rest = STR("a\0\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80"
                          "\xf4\x8f\xbf\xbf");
    uint32_t c;

    assert_true(str_is_utf8(rest));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_true(unicode_next(&rest, &c));
        assert_int_equal(c, wanted[i]);
    }
    assert_false(unicode_next(&rest, &c));
    assert_false(unicode_next(&(struct str){ NULL, 0 }, &c));
}

static void test_base_unicode__words_are_letters_numbers_and_separators(void **state UNUSED)
{
    static const uint32_t words[] = { ' ',    '0',    '9',    'A',    'Z',     'a',    'z',
                                      0xa0,   0xaa,   0xbd,   0xe4,   0x391,   0x5d0,  0x661,
                                      0x2028, 0x3000, 0x4e2d, 0xac00, 0x10330, 0x2ebe0 };
    static const uint32_t others[] = { 0,      0x1f,   '!',     '/',     ':',      '@',
                                       '[',    '`',    '{',     0x7f,    0x9f,     0xa1,
                                       0x300,  0x200b, 0x20ac,  0x2603,  0xd800,   0xe000,
                                       0xfeff, 0xffff, 0x1f600, 0xe0001, 0x10ffff, 0x110000 };

    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_true(unicode_is_word(words[i]));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(unicode_is_word(others[i]));
}

static void test_base_unicode__letters_are_of_any_language(void **state UNUSED)
{
    static const uint32_t letters[] = { 'A',   'Z',   'a',    'z',    0xaa,    0xe4,
                                        0x391, 0x5d0, 0x4e2d, 0xac00, 0x10330, 0x2ebe0 };
    static const uint32_t others[] = { 0,      ' ',     '0',      '9',     '@',   '[',
                                       '`',    '{',     0xbd,     0x300,   0x661, 0x903,
                                       0x2028, 0x1f600, 0x10ffff, 0x110000 };

    for (size_t i = 0; i < COUNT_OF(letters); i++)
        assert_true(unicode_is_letter(letters[i]) && unicode_is_word(letters[i]));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(unicode_is_letter(others[i]));
}

static void test_base_unicode__utf16_takes_two_units_beyond_the_basic_plane(void **state UNUSED)
{
    assert_int_equal(unicode_utf16_units(0), 1);
    assert_int_equal(unicode_utf16_units(0xffff), 1);
    assert_int_equal(unicode_utf16_units(0x10000), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_unicode__characters_come_one_by_one),
        cmocka_unit_test(test_base_unicode__words_are_letters_numbers_and_separators),
        cmocka_unit_test(test_base_unicode__letters_are_of_any_language),
        cmocka_unit_test(test_base_unicode__utf16_takes_two_units_beyond_the_basic_plane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
