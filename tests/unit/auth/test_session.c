/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Envelopes and the sessions in them: what was sealed opens, and nothing else does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "server/auth/session/envelope.h"
#include "server/auth/session/session.h"

static const uint8_t key[AES_KEY_BYTES] = { 1, 2, 3 };
static const uint8_t other_key[AES_KEY_BYTES] = { 1, 2, 4 };
#define PURPOSE STR("test")

static struct arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(65536, 64u << 20);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

static void test_auth_session__an_envelope_opens_as_it_was_sealed(void **state)
{
    static char content[ENVELOPE_CONTENT_BYTES_MAX + 1];
    struct str opened;

    (void)state;
    for (size_t len = 0; len <= 70; len++) {
        struct str sealed = envelope_seal(key, PURPOSE, str_make(content, len), arena);

        assert_true(str_present(sealed) && sealed.p[sealed.len - 1] != '=');
        assert_true(envelope_open(key, PURPOSE, sealed, arena, &opened));
        assert_true(str_eq(opened, str_make(content, len)));
    }
    assert_true(str_present(
        envelope_seal(key, PURPOSE, str_make(content, ENVELOPE_CONTENT_BYTES_MAX), arena)));
    assert_false(str_present(
        envelope_seal(key, PURPOSE, str_make(content, ENVELOPE_CONTENT_BYTES_MAX + 1), arena)));
}

static void test_auth_session__two_envelopes_of_one_content_differ(void **state)
{
    (void)state;
    assert_false(str_eq(envelope_seal(key, PURPOSE, STR("a"), arena),
                        envelope_seal(key, PURPOSE, STR("a"), arena)));
}

/* Of the text as it is sent, so that no other spelling of the same bytes opens either. */
static void test_auth_session__no_bit_of_an_envelope_can_be_another(void **state)
{
    struct str sealed = envelope_seal(key, PURPOSE, STR("who, where, until when"), arena);
    char text[256];
    struct str opened;

    (void)state;
    assert_true(sealed.len <= sizeof(text));
    for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
        memcpy(text, sealed.p, sealed.len);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        assert_false(envelope_open(key, PURPOSE, str_make(text, sealed.len), arena, &opened));
    }
    for (size_t len = 0; len < sealed.len; len++)
        assert_false(envelope_open(key, PURPOSE, str_slice(sealed, 0, len), arena, &opened));
    memcpy(text, sealed.p, sealed.len);
    memcpy(text + sealed.len, "AAAA", 4);
    assert_false(envelope_open(key, PURPOSE, str_make(text, sealed.len + 4), arena, &opened));
}

static void test_auth_session__another_key_or_purpose_opens_nothing(void **state)
{
    struct str sealed = envelope_seal(key, PURPOSE, STR("content"), arena);
    struct str opened;

    (void)state;
    assert_false(envelope_open(other_key, PURPOSE, sealed, arena, &opened));
    assert_false(envelope_open(key, STR("tests"), sealed, arena, &opened));
    assert_false(envelope_open(key, STR(""), sealed, arena, &opened));
}

static void test_auth_session__a_token_says_all_of_a_session(void **state)
{
    const struct session asked = { .parent = STR("AK"),
                                   .bucket = STR("b--az1--x-s3"),
                                   .mode = SESSION_READ_ONLY,
                                   .expires_us = 1234567,
                                   .sse = STR("aws:kms"),
                                   .key_id = STR("key"),
                                   .context = STR("e30=") };
    struct session plain = { .parent = STR("AK"), .bucket = STR("b"), .expires_us = 1 };
    struct session said;
    struct str token = session_seal(key, &asked, arena);

    (void)state;
    assert_true(session_open(key, token, arena, &said));
    assert_true(str_eq(said.parent, asked.parent) && str_eq(said.bucket, asked.bucket));
    assert_true(said.mode == SESSION_READ_ONLY && said.expires_us == 1234567);
    assert_true(str_eq(said.sse, asked.sse) && str_eq(said.key_id, asked.key_id) &&
                str_eq(said.context, asked.context));
    assert_false(session_open(other_key, token, arena, &said));
    assert_true(session_open(key, session_seal(key, &plain, arena), arena, &said));
    assert_true(said.mode == SESSION_READ_WRITE && !str_present(said.sse));
    plain.bucket = STR_NONE;
    assert_false(session_open(key, session_seal(key, &plain, arena), arena, &said));
}

static void test_auth_session__its_keys_are_of_the_token_and_of_the_pairs_secret(void **state)
{
    char a[SESSION_SECRET_LEN];
    char b[SESSION_SECRET_LEN];
    char access_key[SESSION_ACCESS_KEY_LEN];

    (void)state;
    session_secret(STR("token"), STR("secret"), a);
    session_secret(STR("token"), STR("secret"), b);
    assert_memory_equal(a, b, sizeof(a));
    session_secret(STR("token"), STR("another"), b);
    assert_memory_not_equal(a, b, sizeof(a));
    session_secret(STR("other"), STR("secret"), b);
    assert_memory_not_equal(a, b, sizeof(a));
    session_access_key(STR("token"), access_key);
    assert_memory_equal(access_key, "ASIA", 4);
    for (size_t i = 4; i < sizeof(access_key); i++)
        assert_true((access_key[i] >= '0' && access_key[i] <= '9') ||
                    (access_key[i] >= 'A' && access_key[i] <= 'F'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auth_session__an_envelope_opens_as_it_was_sealed),
        cmocka_unit_test(test_auth_session__two_envelopes_of_one_content_differ),
        cmocka_unit_test(test_auth_session__no_bit_of_an_envelope_can_be_another),
        cmocka_unit_test(test_auth_session__another_key_or_purpose_opens_nothing),
        cmocka_unit_test(test_auth_session__a_token_says_all_of_a_session),
        cmocka_unit_test(test_auth_session__its_keys_are_of_the_token_and_of_the_pairs_secret),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
