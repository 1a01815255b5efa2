/* SPDX-License-Identifier: Apache-2.0 */
/* base/log and base/fault: what is said about an event or a failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fault.h"
#include "base/log.h"

static char captured[20000];

static void log_long(void)
{
    static char text[10000];

    memset(text, 'x', sizeof(text) - 1);
    log_error("%s", text);
}

static void log_plain(void)
{
    errno = ENOENT;
    log_warn("disk %d%% full", 91);
    assert_int_equal(errno, ENOENT);
}

static void log_two_lines(void)
{
    log_info("a\nb\r\nc");
}

static void log_below_level(void)
{
    log_debug("not shown");
}

/* What `event` writes to stderr. */
static const char *stderr_of(void (*event)(void))
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    size_t len;

    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    event();
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    rewind(file);
    len = fread(captured, 1, sizeof(captured) - 1, file);
    captured[len] = '\0';
    (void)fclose(file);
    return captured;
}

static void test_base_log__a_line_has_time_level_and_message(void **state)
{
    const char *line = stderr_of(log_plain);

    (void)state;
    assert_int_equal(line[10], 'T');
    assert_int_equal(line[23], 'Z');
    assert_string_equal(line + 24, " warn disk 91% full\n");
}

static void test_base_log__line_feeds_in_a_message_become_blanks(void **state)
{
    (void)state;
    assert_string_equal(stderr_of(log_two_lines) + 24, " info a b  c\n");
}

static void test_base_log__a_long_line_is_cut_and_says_so(void **state)
{
    const char *line = stderr_of(log_long);
    size_t len = strlen(line);

    (void)state;
    assert_true(len <= 8192);
    assert_true(len > 8000);
    assert_string_equal(line + len - 5, "x...\n");
}

static void test_base_log__nothing_below_the_level_is_written(void **state)
{
    (void)state;
    assert_string_equal(stderr_of(log_below_level), "");
    assert_false(log_wants(LOG_LEVEL_DEBUG));
    log_set_level(LOG_LEVEL_DEBUG);
    assert_true(log_wants(LOG_LEVEL_DEBUG));
    log_set_level(LOG_LEVEL_ERROR);
    assert_true(log_wants(LOG_LEVEL_ERROR));
    assert_false(log_wants(LOG_LEVEL_WARN));
    log_set_level(LOG_LEVEL_INFO);
}

static void assert_value(struct str s, const char *wanted)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(1000);

    log_value(&out, s);
    assert_true(str_eq(buf_view(&out), str_from_cstr(wanted)));
}

static void test_base_log__plain_values_stay_bare(void **state)
{
    (void)state;
    assert_value(STR("bucket-1/key.txt"), "bucket-1/key.txt");
    assert_value(STR("100%"), "100%");
}

static void test_base_log__values_that_could_mislead_are_quoted_and_escaped(void **state)
{
    (void)state;
    assert_value(STR(""), "\"\"");
    assert_value(STR_NONE, "\"\"");
    assert_value(STR("a b"), "\"a b\"");
    assert_value(STR("a=b"), "\"a=b\"");
    assert_value(STR("say \"hi\" \\"), "\"say \\\"hi\\\" \\\\\"");
    assert_value(STR("a\nb\0\x7f\xc3\xa4"), "\"a\\x0ab\\x00\\x7f\\xc3\\xa4\"");
}

static void test_base_fault__set_keeps_the_first_cause_and_the_status(void **state)
{
    struct fault fault = { 0 };

    (void)state;
    assert_int_equal(fault_set(&fault, 7, "part %d", 3), 7);
    assert_int_equal(fault_set(&fault, 8, "later"), 8);
    errno = EIO;
    assert_int_equal(fault_errno(&fault, 9, "later"), 9);
    assert_string_equal(fault.text, "part 3");
    assert_int_equal(fault.os_errno, 0);
}

static void test_base_fault__errno_is_named_kept_and_preserved(void **state)
{
    struct fault fault = { 0 };

    (void)state;
    errno = ENOENT;
    assert_int_equal(fault_errno(&fault, 2, "open blob '%s'", "ab"), 2);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(fault.os_errno, ENOENT);
    assert_string_equal(fault.text, "open blob 'ab': No such file or directory");
}

static void test_base_fault__a_long_subject_gives_way_to_the_reason(void **state)
{
    static const char reason[] = ": No such file or directory";
    struct fault fault = { 0 };
    size_t len;

    (void)state;
    errno = ENOENT;
    (void)fault_errno(&fault, 2, "%0*d", 1000, 1);
    len = strlen(fault.text);
    assert_int_equal(len, FAULT_TEXT_MAX - 1);
    assert_string_equal(fault.text + len - strlen(reason), reason);
}

static void test_base_fault__null_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(fault_set(NULL, 4, "x"), 4);
    assert_int_equal(fault_errno(NULL, 5, "x"), 5);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_log__a_line_has_time_level_and_message),
        cmocka_unit_test(test_base_log__line_feeds_in_a_message_become_blanks),
        cmocka_unit_test(test_base_log__a_long_line_is_cut_and_says_so),
        cmocka_unit_test(test_base_log__nothing_below_the_level_is_written),
        cmocka_unit_test(test_base_log__plain_values_stay_bare),
        cmocka_unit_test(test_base_log__values_that_could_mislead_are_quoted_and_escaped),
        cmocka_unit_test(test_base_fault__set_keeps_the_first_cause_and_the_status),
        cmocka_unit_test(test_base_fault__errno_is_named_kept_and_preserved),
        cmocka_unit_test(test_base_fault__a_long_subject_gives_way_to_the_reason),
        cmocka_unit_test(test_base_fault__null_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
