/* SPDX-License-Identifier: Apache-2.0 */
/* server/nearest: which word was meant, and when none was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/settings/nearest.h"

static void assert_nearest(const char *word, const char *expected)
{
    static const struct str known[] = { STR("serve"), STR("config"), STR("credentials"),
                                        STR("fsck"), STR("--listen") };
    struct nearest nearest = NEAREST(str_from_cstr(word));

    for (size_t i = 0; i < COUNT_OF(known); i++)
        nearest_offer(&nearest, known[i]);
    if (expected == NULL) {
        assert_false(str_present(nearest.best));
        assert_string_equal(nearest_hint(&nearest), "");
        return;
    }

    assert_true(str_present(nearest.best));
    assert_true(str_eq(nearest.best, str_from_cstr(expected)));
    assert_non_null(strstr(nearest_hint(&nearest), expected));
}

static void test_server_nearest__one_wrong_letter_in_a_short_word_and_a_third_of_a_long_one(
    void **state)
{
    (void)state;
    assert_nearest("serve", "serve");
    assert_nearest("sevre", "serve");
    assert_nearest("serv", "serve");
    assert_nearest("server", "serve");
    assert_nearest("fsk", "fsck");
    assert_nearest("fs", NULL);
    assert_nearest("credntals", "credentials");
    assert_nearest("xredxntxals", "credentials");
    assert_nearest("xrxdxntxals", NULL);
    assert_nearest("--lsten", "--listen");
}

static void test_server_nearest__words_that_are_empty_or_too_long_are_near_nothing(void **state)
{
    static const char full[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct str at_max = str_make(full, NEAREST_WORD_BYTES_MAX);
    struct str too_long = str_make(full, NEAREST_WORD_BYTES_MAX + 1);
    struct nearest nearest = NEAREST(at_max);

    (void)state;
    assert_nearest("", NULL);
    nearest_offer(&nearest, too_long);
    assert_false(str_present(nearest.best));
    nearest_offer(&nearest, at_max);
    assert_true(str_eq(nearest.best, at_max));
    nearest = NEAREST(too_long);
    nearest_offer(&nearest, at_max);
    assert_false(str_present(nearest.best));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_server_nearest__one_wrong_letter_in_a_short_word_and_a_third_of_a_long_one),
        cmocka_unit_test(test_server_nearest__words_that_are_empty_or_too_long_are_near_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
