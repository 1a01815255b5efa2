/* SPDX-License-Identifier: Apache-2.0 */
/* base/arena: limits, alignment, reuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

static void test_base_arena__memory_is_aligned_and_distinct(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(1024, 1 << 20);
    unsigned char *before = NULL;

    (void)state;
    for (size_t bytes = 1; bytes < 200; bytes++) {
        unsigned char *memory = arena_alloc(arena, bytes);

        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        memset(memory, (int)bytes, bytes);
        if (before != NULL)
            assert_int_equal(before[bytes - 2], bytes - 1);
        before = memory;
    }
}

static void test_base_arena__zalloc_and_array_are_zeroed_after_reuse(void **state)
{
    static const uint8_t zeros[512];
    CLEANUP(arena_closep) struct arena *arena = arena_open(4096, 4096);
    void *memory = arena_alloc(arena, 2048);

    (void)state;
    memset(memory, 0xff, 2048);
    arena_reset(arena);
    assert_memory_equal(arena_zalloc(arena, 512), zeros, 512);
    assert_memory_equal(arena_array(arena, 64, 8), zeros, 512);
}

static void test_base_arena__the_limit_can_be_reached_and_not_passed(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(1024, 10240);

    (void)state;
    assert_non_null(arena_alloc(arena, 1024));
    assert_non_null(arena_alloc(arena, 10240 - 1024));
    assert_int_equal(arena_used(arena), 10240);
    assert_null(arena_alloc(arena, 1));
}

static void test_base_arena__a_refused_allocation_leaves_room_for_a_smaller_one(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(0, 8192);

    (void)state;
    assert_null(arena_alloc(arena, 8193));
    assert_non_null(arena_alloc(arena, 8192));
}

static void test_base_arena__sizes_that_wrap_are_refused(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(1024, SIZE_MAX);

    (void)state;
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIZE_MAX - 14));
    assert_null(arena_array(arena, SIZE_MAX / 2, 3));
    assert_null(arena_cstr(arena, (struct str){ "", SIZE_MAX }));
    assert_int_equal(arena_used(arena), 0);
}

static void test_base_arena__reset_starts_over_within_the_same_limit(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(256, 8192);

    (void)state;
    for (int round = 0; round < 100; round++) {
        assert_non_null(arena_alloc(arena, 200));
        assert_non_null(arena_alloc(arena, 7000));
        assert_null(arena_alloc(arena, 4096));
        arena_reset(arena);
        assert_int_equal(arena_used(arena), 0);
    }
}

/* ARENA_DEBUG gives every allocation a block of its own. */
#ifndef ARENA_DEBUG

static void test_base_arena__a_request_within_the_first_block_asks_malloc_nothing(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(4096, 1 << 20);
    uint64_t before = arena_blocks_total();

    (void)state;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 64; i++)
            assert_non_null(arena_alloc(arena, 64));
        arena_reset(arena);
    }
    assert_true(arena_blocks_total() == before);
}

static void test_base_arena__many_small_pieces_need_few_blocks(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(4096, 16 << 20);
    uint64_t before = arena_blocks_total();

    (void)state;
    for (int i = 0; i < 100000; i++)
        assert_non_null(arena_alloc(arena, 64));
    assert_true(arena_blocks_total() - before <= 12);
}

#endif

static void test_base_arena__copies_end_in_nul_and_empty_is_present(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(1024, 1024);
    struct str copy = arena_dup(arena, STR("a\0b"));

    (void)state;
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.p, "a\0b", 4);
    assert_true(str_present(arena_dup(arena, STR_NONE)));
    assert_string_equal(arena_cstr(arena, str_slice(STR("abcdef"), 1, 2)), "bc");
}

static void test_base_arena__copy_that_does_not_fit_is_none(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(16, 16);

    (void)state;
    assert_false(str_present(arena_dup(arena, STR("0123456789abcdef"))));
    assert_null(arena_cstr(arena, STR("0123456789abcdef")));
    assert_false(str_present(arena_printf(arena, "%s", "0123456789abcdef")));
    assert_string_equal(arena_cstr(arena, STR("0123456789abcde")), "0123456789abcde");
}

static void test_base_arena__printf_measures_its_text(void **state)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(64, 4096);
    struct str text = arena_printf(arena, "%0*d|%.*s", 500, 7, STR_ARG(STR("end")));

    (void)state;
    assert_int_equal(text.len, 504);
    assert_string_equal(text.p + 499, "7|end");
}

static void test_base_arena__close_accepts_null(void **state)
{
    (void)state;
    arena_close(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_arena__memory_is_aligned_and_distinct),
        cmocka_unit_test(test_base_arena__zalloc_and_array_are_zeroed_after_reuse),
        cmocka_unit_test(test_base_arena__the_limit_can_be_reached_and_not_passed),
        cmocka_unit_test(test_base_arena__a_refused_allocation_leaves_room_for_a_smaller_one),
        cmocka_unit_test(test_base_arena__sizes_that_wrap_are_refused),
        cmocka_unit_test(test_base_arena__reset_starts_over_within_the_same_limit),
#ifndef ARENA_DEBUG
        cmocka_unit_test(test_base_arena__a_request_within_the_first_block_asks_malloc_nothing),
        cmocka_unit_test(test_base_arena__many_small_pieces_need_few_blocks),
#endif
        cmocka_unit_test(test_base_arena__copies_end_in_nul_and_empty_is_present),
        cmocka_unit_test(test_base_arena__copy_that_does_not_fit_is_none),
        cmocka_unit_test(test_base_arena__printf_measures_its_text),
        cmocka_unit_test(test_base_arena__close_accepts_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
