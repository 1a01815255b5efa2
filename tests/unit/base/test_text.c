/* SPDX-License-Identifier: Apache-2.0 */
/* base/text: JSON strings and shell words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text/text.h"

static void assert_written(void (*write)(struct buf *, struct str), struct str in,
                           const char *wanted)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(1000);

    write(&out, in);
    buf_char(&out, '\0');
    assert_false(out.failed);
    assert_string_equal(out.p, wanted);
}

static void test_base_text__json_escapes_what_json_forbids(void **state)
{
    (void)state;
    assert_written(text_json, STR(""), "\"\"");
    assert_written(text_json, STR("a/b \xc3\xa9"), "\"a/b \xc3\xa9\"");
    assert_written(text_json, STR("\"\\\n\x01\x7f"), "\"\\\"\\\\\\u000a\\u0001\\u007f\"");
    assert_written(text_json, STR("a\0b"), "\"a\\u0000b\"");
}

static void test_base_text__json_replaces_what_is_no_utf8(void **state)
{
    (void)state;
    assert_written(text_json, STR("a\xff\xc3"), "\"a\\ufffd\\ufffd\"");
    assert_written(text_json, STR("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"");
}

static void test_base_text__shell_quotes_only_where_needed(void **state)
{
    (void)state;
    assert_written(text_shell, STR("http://127.0.0.1:9000"), "http://127.0.0.1:9000");
    assert_written(text_shell, STR(""), "''");
    assert_written(text_shell, STR("a b"), "'a b'");
    assert_written(text_shell, STR("it's"), "'it'\\''s'");
    assert_written(text_shell, STR("$(x)`y`\"z\""), "'$(x)`y`\"z\"'");
    assert_written(text_shell, STR("~"), "'~'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_text__json_escapes_what_json_forbids),
        cmocka_unit_test(test_base_text__json_replaces_what_is_no_utf8),
        cmocka_unit_test(test_base_text__shell_quotes_only_where_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
