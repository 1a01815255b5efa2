/* SPDX-License-Identifier: Apache-2.0 */
/* base/buf: growth to a maximum, sticky failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text/buf.h"

static void assert_content(const struct buf *buf, const char *wanted)
{
    assert_false(buf->failed);
    assert_int_equal(buf->len, strlen(wanted));
    assert_memory_equal(buf_view(buf).p, wanted, buf->len);
}

static void test_base_buf__appends_follow_each_other(void **state)
{
    CLEANUP(buf_free) struct buf buf = BUF_WITH_MAX(1000);

    (void)state;
    buf_lit(&buf, "<A>");
    buf_str(&buf, STR("b"));
    buf_str(&buf, STR_NONE);
    buf_char(&buf, ':');
    buf_u64(&buf, 0);
    buf_u64(&buf, UINT64_MAX);
    buf_printf(&buf, "%s-%d", "x", 5);
    assert_content(&buf, "<A>b:018446744073709551615x-5");
}

static void test_base_buf__the_maximum_can_be_filled(void **state)
{
    CLEANUP(buf_free) struct buf buf = BUF_WITH_MAX(1000);

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_char(&buf, 'x');
    assert_false(buf.failed);
    assert_int_equal(buf.len, 1000);
    assert_true(buf.capacity <= 1000);

    buf_char(&buf, 'x');
    assert_true(buf.failed);
}

static void test_base_buf__failure_sticks_and_keeps_what_was_there(void **state)
{
    CLEANUP(buf_free) struct buf buf = BUF_WITH_MAX(4);

    (void)state;
    buf_lit(&buf, "abc");
    buf_lit(&buf, "de");
    assert_true(buf.failed);
    buf_lit(&buf, "f");
    assert_false(buf_reserve(&buf, 0));
    assert_int_equal(buf.len, 3);
    assert_memory_equal(buf.p, "abc", 3);

    buf_clear(&buf);
    buf_lit(&buf, "defg");
    assert_content(&buf, "defg");
}

static void test_base_buf__a_length_that_wraps_is_refused(void **state)
{
    CLEANUP(buf_free) struct buf buf = BUF_WITH_MAX(SIZE_MAX);

    (void)state;
    buf_lit(&buf, "abc");
    assert_false(buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
}

static void test_base_buf__long_printf_fills_the_maximum_exactly(void **state)
{
    CLEANUP(buf_free) struct buf buf = BUF_WITH_MAX(2000);

    (void)state;
    buf_printf(&buf, "%*s", 2000, "x");
    assert_false(buf.failed);
    assert_int_equal(buf.len, 2000);
    buf_clear(&buf);
    buf_printf(&buf, "%*s", 2001, "x");
    assert_true(buf.failed);
    assert_int_equal(buf.len, 0);
}

static void test_base_buf__reserved_room_is_not_allocated_again(void **state)
{
    CLEANUP(buf_free) struct buf buf = BUF_WITH_MAX(100000);
    const char *p;

    (void)state;
    assert_true(buf_reserve(&buf, 50000));
    p = buf.p;
    for (int i = 0; i < 50000; i++)
        buf_char(&buf, 'x');
    assert_ptr_equal(buf.p, p);
}

static void test_base_buf__prepending_moves_what_is_there(void **state)
{
    CLEANUP(buf_free) struct buf buf = BUF_WITH_MAX(600);

    (void)state;
    buf_prepend(&buf, STR(""));
    assert_int_equal(buf.len, 0);
    buf_prepend(&buf, STR("body"));
    buf_prepend(&buf, STR("a longer head, "));
    assert_content(&buf, "a longer head, body");
    buf_append(&buf, STR(" and tail").p, 9);
    assert_content(&buf, "a longer head, body and tail");
}

static void test_base_buf__prepending_past_the_maximum_keeps_what_was_there(void **state)
{
    CLEANUP(buf_free) struct buf buf = BUF_WITH_MAX(6);

    (void)state;
    buf_lit(&buf, "abc");
    buf_prepend(&buf, STR("xyz"));
    assert_content(&buf, "xyzabc");
    buf_prepend(&buf, STR("1"));
    assert_true(buf.failed);
    assert_memory_equal(buf.p, "xyzabc", 6);
    assert_int_equal(buf.len, 6);
    buf_lit(&buf, "");
    buf_prepend(&buf, STR("2"));
    assert_int_equal(buf.len, 6);
}

static void test_base_buf__empty_view_is_present(void **state)
{
    struct buf buf = BUF_WITH_MAX(10);

    (void)state;
    assert_true(str_present(buf_view(&buf)));
    buf_free(&buf);
}

static void test_base_buf__heap_helpers_zero_copy_and_accept_null(void **state)
{
    static const uint8_t zeros[100];
    void *memory = mem_zalloc(100);
    void *nothing = mem_zalloc(0);
    char *text = mem_cstr(STR_NONE);

    (void)state;
    assert_memory_equal(memory, zeros, 100);
    memory = mem_resize(memory, 200);
    assert_memory_equal(memory, zeros, 100);
    assert_non_null(nothing);
    assert_string_equal(text, "");
    assert_null(mem_cstr((struct str){ "", SIZE_MAX }));
    mem_free(memory);
    mem_free(nothing);
    mem_free(text);
    mem_free(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_buf__appends_follow_each_other),
        cmocka_unit_test(test_base_buf__the_maximum_can_be_filled),
        cmocka_unit_test(test_base_buf__failure_sticks_and_keeps_what_was_there),
        cmocka_unit_test(test_base_buf__a_length_that_wraps_is_refused),
        cmocka_unit_test(test_base_buf__long_printf_fills_the_maximum_exactly),
        cmocka_unit_test(test_base_buf__reserved_room_is_not_allocated_again),
        cmocka_unit_test(test_base_buf__prepending_moves_what_is_there),
        cmocka_unit_test(test_base_buf__prepending_past_the_maximum_keeps_what_was_there),
        cmocka_unit_test(test_base_buf__empty_view_is_present),
        cmocka_unit_test(test_base_buf__heap_helpers_zero_copy_and_accept_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
