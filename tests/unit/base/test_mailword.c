/* SPDX-License-Identifier: Apache-2.0 */
/* base/mailword: ISO-8859-1 and the words of RFC 2047. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text/mailword.h"

#define BYTES_MAX 65536

static void becomes(void (*convert)(struct buf *, struct str), struct str text, struct str wanted)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(BYTES_MAX);

    convert(&out, text);
    assert_false(out.failed);
    if (!str_eq(buf_view(&out), wanted))
        fail_msg("'%.*s' instead of '%.*s'", STR_ARG(buf_view(&out)), STR_ARG(wanted));
}

static void encodes(const char *text, const char *wanted)
{
    becomes(mailword_encode, str_from_cstr(text), str_from_cstr(wanted));
}

static void decodes(const char *text, const char *wanted)
{
    becomes(mailword_decode, str_from_cstr(text), str_from_cstr(wanted));
}

/* ---- encoding ---------------------------------------------------------------------------------- */

static void test_base_mailword__ascii_stays_as_it_is(void **state UNUSED)
{
    encodes("", "");
    encodes("AMAZONS3 =_?~!", "AMAZONS3 =_?~!");
    encodes("=?UTF-8?Q?a?=", "=?UTF-8?Q?a?=");
    encodes("a\tb", "a\tb");
    encodes("a\r\nb", "a  b");
}

static void test_base_mailword__mostly_ascii_is_q(void **state UNUSED)
{
    encodes("test_\xe2\x80\x94_file%E2%80%94_\xc3\xa9_2?.pdf",
            "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?=");
    encodes("\xc3\x84M\xc3\x84Z\xc3\x95\xc3\x91 S3", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=");
    encodes("a\x7f"
            "b\tc=",
            "=?UTF-8?Q?a=7Fb=09c=3D?=");
    encodes("\"(),.:;<>@[]\\ \xc3\xa9", "=?UTF-8?Q?\"(),.:;<>@[]\\_=C3=A9?=");
}

static void test_base_mailword__half_or_more_of_the_rest_is_b(void **state UNUSED)
{
    becomes(mailword_encode, STR("\0\1\2\3"), STR("=?UTF-8?B?AAECAw==?="));
    becomes(mailword_encode, STR("\0"), STR("=?UTF-8?B?AA==?="));
    encodes("a\xc3\xa9", "=?UTF-8?B?YcOp?=");
    encodes("ab\xc3\xa9", "=?UTF-8?Q?ab=C3=A9?=");
    /* An emoji counts as the two units it is in UTF-16. */
    encodes("ab\xf0\x9f\x98\x80", "=?UTF-8?B?YWLwn5iA?=");
    encodes("abc\xf0\x9f\x98\x80", "=?UTF-8?Q?abc=F0=9F=98=80?=");
    /* Amazon's own example: the bytes of UTF-8, read as ISO-8859-1. */
    encodes("\xc3\x83\xc2\x84M\xc3\x83\xc2\x84Z\xc3\x83\xc2\x95\xc3\x83\xc2\x91 S3",
            "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=");
}

static void test_base_mailword__a_long_text_is_halved_until_its_words_fit(void **state UNUSED)
{
    /* 58 + 6 and 57 + 6 encoded bytes: one more than fit into a word, and as many. */
    encodes("0123456789012345678901234567890123456789012345678901234567\xc3\xa9",
            "=?UTF-8?Q?01234567890123456789012345678?= "
            "=?UTF-8?Q?90123456789012345678901234567=C3=A9?=");
    encodes("012345678901234567890123456789012345678901234567890123456\xc3\xa9",
            "=?UTF-8?Q?012345678901234567890123456789012345678901234567890123456=C3=A9?=");
    /* 11 pairs of units are halved between pairs. */
    encodes("\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
            "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
            "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
            "=?UTF-8?B?8J+YgPCfmIDwn5iA8J+YgPCfmIDwn5iA?= "
            "=?UTF-8?B?8J+YgPCfmIDwn5iA8J+YgPCfmIDwn5iA8J+YgA==?=");
}

/* ---- decoding ---------------------------------------------------------------------------------- */

static void test_base_mailword__words_of_both_encodings_are_decoded(void **state UNUSED)
{
    decodes("=?UTF-8?Q?actually-ascii?=", "actually-ascii");
    decodes("=?UTF-8?B?YWJj?=", "abc");
    decodes("=?utf-8?q?=c3=a9_=5F?=", "\xc3\xa9 _");
    decodes("=?utf-8?b?w6k=?=", "\xc3\xa9");
    decodes("=?ISO-8859-1?Q?=E9?=", "\xc3\xa9");
    decodes("=?US-ASCII*en?Q?a?=", "a");
    decodes("=?UTF-8?Q?"
            "?=",
            "");
    becomes(mailword_decode, STR("=?UTF-8?B?AAECAw==?="), STR("\0\1\2\3"));
}

static void test_base_mailword__blanks_between_two_words_go_and_others_stay(void **state UNUSED)
{
    decodes("=?UTF-8?Q?a?= =?UTF-8?Q?b?=", "ab");
    decodes("=?UTF-8?Q?a?=  \t =?UTF-8?B?Yg==?=", "ab");
    decodes("x =?UTF-8?Q?a?= y =?UTF-8?Q?b?= ", "x a y b ");
    decodes(" =?UTF-8?Q?a?=", " a");
    decodes("=?UTF-8?Q?a?=rest", "arest");
}

static void test_base_mailword__what_is_no_word_stays(void **state UNUSED)
{
    static const char *const plain[] = {
        "",
        "a  b\t",
        "=?",
        "=?UTF-8",
        "=?UTF-8?Q",
        "=?UTF-8?Q?a",
        "=?UTF-8?Q?a?",
        "x=?UTF-8?Q?a?=",
        "=?UTF-8?Q?a b?=",
        "=?UTF-8?Q?=ZZ?=",
        "=?UTF-8?Q?=4?=",
        "=?UTF-8?B?YWJ?=",
        "=?UTF-8?B?*?=",
        "=?UTF-8?Q?=4?= =?UTF-8?Q?=?=",
    };

    for (size_t i = 0; i < COUNT_OF(plain); i++)
        decodes(plain[i], plain[i]);
    decodes("=?UTF-8?Q?=ZZ?= =?UTF-8?Q?a?=", "=?UTF-8?Q?=ZZ?= a");
}

static void test_base_mailword__an_unknown_word_leaves_the_whole_text(void **state UNUSED)
{
    decodes("=?UTF-8?Q?a?= =?klingon?Q?b?=", "=?UTF-8?Q?a?= =?klingon?Q?b?=");
    decodes("=?UTF-8?Q?a?= =?UTF-8?X?b?=", "=?UTF-8?Q?a?= =?UTF-8?X?b?=");
}

static void test_base_mailword__bytes_that_are_no_character_become_one(void **state UNUSED)
{
    decodes("=?UTF-8?Q?=FFa?=", "\xef\xbf\xbd"
                                "a");
    decodes("=?US-ASCII?Q?=E9?=", "\xef\xbf\xbd");
    becomes(utf8_repair,
            STR("a\xc3"
                "b\xed\xa0\x80\xe2\x82\xac"),
            STR("a\xef\xbf\xbd"
                "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac"));
}

/* ---- ISO-8859-1 -------------------------------------------------------------------------------- */

static void test_base_mailword__latin1_has_blanks_for_what_it_has_not(void **state UNUSED)
{
    becomes(latin1_from_utf8, STR("non-ascii-%E2%80%94_\xe2\x80\x94_\xc3\xa9_"),
            STR("non-ascii-%E2%80%94_ _\xe9_"));
    becomes(latin1_from_utf8,
            STR("a\xf0\x9f\x98\x80"
                "b\r\nc\td\x7f"),
            STR("a  b  c\td "));
    becomes(latin1_from_utf8, STR("\xc2\x80\xc3\xbf\xc4\x80"), STR("\x80\xff "));
    becomes(latin1_to_utf8, STR("a\xe9\x80\xff"), STR("a\xc3\xa9\xc2\x80\xc3\xbf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_mailword__ascii_stays_as_it_is),
        cmocka_unit_test(test_base_mailword__mostly_ascii_is_q),
        cmocka_unit_test(test_base_mailword__half_or_more_of_the_rest_is_b),
        cmocka_unit_test(test_base_mailword__a_long_text_is_halved_until_its_words_fit),
        cmocka_unit_test(test_base_mailword__words_of_both_encodings_are_decoded),
        cmocka_unit_test(test_base_mailword__blanks_between_two_words_go_and_others_stay),
        cmocka_unit_test(test_base_mailword__what_is_no_word_stays),
        cmocka_unit_test(test_base_mailword__an_unknown_word_leaves_the_whole_text),
        cmocka_unit_test(test_base_mailword__bytes_that_are_no_character_become_one),
        cmocka_unit_test(test_base_mailword__latin1_has_blanks_for_what_it_has_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
