/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The budget of what is buffered: its limit, and that nobody can take it all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/budget.h"

#define LIMIT 1000

static struct budget budget;

static int open_budget(void **state)
{
    (void)state;
    budget_init(&budget, LIMIT);
    return 0;
}

static int close_budget(void **state)
{
    (void)state;
    budget_free(&budget);
    return 0;
}

void test_budget__one_client_gets_half(void **state)
{
    (void)state;
    assert_false(budget_take(&budget, 1, LIMIT / 2 + 1));
    assert_true(budget_take(&budget, 1, LIMIT / 2));
    assert_false(budget_take(&budget, 1, 1));
    assert_int_equal(budget.used, LIMIT / 2);
}

void test_budget__in_pieces_one_client_gets_half_as_well(void **state)
{
    unsigned taken = 0;

    (void)state;
    while (budget_take(&budget, 1, 10))
        taken += 10;
    assert_int_equal(taken, LIMIT / 2);
}

void test_budget__next_client_gets_half_of_the_rest(void **state)
{
    (void)state;
    for (uint32_t client = 1; client <= 3; client++) {
        uint64_t rest = LIMIT - budget.used;

        while (budget_take(&budget, client, 1))
            ;
        assert_int_equal(budget.shares[client], rest / 2);
    }
    assert_true(budget_take(&budget, 4, 1)); /* there is always something left */
}

void test_budget__what_is_given_back_can_be_taken_again(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_true(budget_take(&budget, 1, LIMIT / 2));
        budget_give(&budget, 1, LIMIT / 2);
    }
    assert_int_equal(budget.used, 0);
    assert_int_equal(budget.shares[1], 0);
}

void test_budget__charges_pass_the_limit_and_keep_others_from_taking(void **state)
{
    (void)state;
    budget_charge(&budget, 1, 2 * LIMIT);
    assert_false(budget_take(&budget, 2, 1));
    budget_give(&budget, 1, 2 * LIMIT);
    assert_true(budget_take(&budget, 2, 1));
}

void test_budget__huge_sizes_do_not_wrap(void **state)
{
    (void)state;
    assert_true(budget_take(&budget, 1, 1));
    assert_false(budget_take(&budget, 1, UINT64_MAX));
    assert_false(budget_take(&budget, 2, UINT64_MAX));
    assert_int_equal(budget.used, 1);
}

void test_budget__users_and_addresses_have_shares_of_their_own(void **state)
{
    uint32_t alice = budget_share(&budget, STR("alice"), STR("127.0.0.1"));

    (void)state;
    assert_int_equal(budget_share(&budget, STR("alice"), STR("127.0.0.1")), alice);
    budget.seed = 1; /* with these no two of them meet */
    alice = budget_share(&budget, STR("alice"), STR("127.0.0.1"));
    assert_int_not_equal(budget_share(&budget, STR("bob"), STR("127.0.0.1")), alice);
    assert_int_not_equal(budget_share(&budget, STR("alice"), STR("127.0.0.2")), alice);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_budget__##name, open_budget, close_budget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_client_gets_half),
        TEST(in_pieces_one_client_gets_half_as_well),
        TEST(next_client_gets_half_of_the_rest),
        TEST(what_is_given_back_can_be_taken_again),
        TEST(charges_pass_the_limit_and_keep_others_from_taking),
        TEST(huge_sizes_do_not_wrap),
        TEST(users_and_addresses_have_shares_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
