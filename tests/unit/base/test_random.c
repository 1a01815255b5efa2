/* SPDX-License-Identifier: Apache-2.0 */
/* base/random: seeded sequences and kernel bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "base/random.h"

static bool all_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0)
            return false;
    }

    return true;
}

static int unseed(void **state)
{
    (void)state;
    random_set_seed(0);
    return 0;
}

static void test_base_random__unseeded_bytes_fill_any_length_and_differ(void **state)
{
    static uint8_t a[10000];
    static uint8_t b[10000];

    (void)state;
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    /* 16 zero bytes in a row happen once in 2^128. */
    for (size_t at = 0; at + 16 <= sizeof(a); at += 16)
        assert_false(all_zero(a + at, 16));
    random_bytes(a, 0);
}

static void test_base_random__no_byte_of_the_pool_is_served_twice(void **state)
{
    uint64_t seen[2000];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(seen); i++) {
        seen[i] = random_u64();
        for (size_t j = 0; j < i; j++)
            assert_true(seen[i] != seen[j]);
    }
}

static void test_base_random__one_seed_gives_one_sequence(void **state)
{
    uint8_t first[100];
    uint8_t again[100];

    (void)state;
    random_set_seed(42);
    random_bytes(first, sizeof(first));
    random_set_seed(42);
    random_bytes(again, sizeof(again));
    assert_memory_equal(first, again, sizeof(first));
    random_set_seed(43);
    random_bytes(again, sizeof(again));
    assert_memory_not_equal(first, again, sizeof(first));
}

/* Ids in recorded tests depend on it. First value of splitmix64-seeded xoshiro256**, seed 1. */
static void test_base_random__the_sequence_never_changes(void **state)
{
    (void)state;
    random_set_seed(1);
    assert_true(random_u64() == UINT64_C(0xb3f2af6d0fc710c5));
}

static void test_base_random__seed_zero_restores_the_kernel(void **state)
{
    uint64_t seeded;

    (void)state;
    random_set_seed(42);
    seeded = random_u64();
    random_set_seed(0);
    assert_true(random_u64() != seeded);
}

static void test_base_random__keys_ignore_the_seed(void **state)
{
    uint8_t a[32];
    uint8_t b[32];

    (void)state;
    random_set_seed(42);
    random_key_bytes(a, sizeof(a));
    random_set_seed(42);
    random_key_bytes(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_false(all_zero(a, sizeof(a)));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_base_random__unseeded_bytes_fill_any_length_and_differ,
                                  unseed),
        cmocka_unit_test_teardown(test_base_random__no_byte_of_the_pool_is_served_twice, unseed),
        cmocka_unit_test_teardown(test_base_random__one_seed_gives_one_sequence, unseed),
        cmocka_unit_test_teardown(test_base_random__the_sequence_never_changes, unseed),
        cmocka_unit_test_teardown(test_base_random__seed_zero_restores_the_kernel, unseed),
        cmocka_unit_test_teardown(test_base_random__keys_ignore_the_seed, unseed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
