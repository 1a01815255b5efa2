/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: copies of what sources know, sources that change, and one more source.
 */
#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define CHANGES 2000
#define ASKERS 3

static enum credentials_answer find(const char *access_key, struct credential *ret_credential)
{
    return credentials_find(auth_credentials(h.cache), CREDENTIALS_BY_ACCESS_KEY,
                            str_from_cstr(access_key), h.arena, ret_credential);
}

static void test_auth_credentials__what_was_found_outlives_its_table(void **state UNUSED)
{
    CLEANUP(credential_wipe) struct credential before;
    CLEANUP(credential_wipe) struct credential after;

    add_user("A", "secret", "token", 77);
    assert_int_equal(find("A", &before), CREDENTIALS_FOUND);

    forget_users();
    add_user("A", "another", NULL, 0);
    assert_int_equal(find("A", &after), CREDENTIALS_FOUND);
    assert_text(after.user.secret_key, "another");
    assert_false(str_present(after.user.session_token));
    assert_true(after.generation > before.generation);

    /* The table it was in is gone: address sanitizers would say so. */
    assert_text(before.user.access_key, "A");
    assert_text(before.user.secret_key, "secret");
    assert_text(before.user.session_token, "token");
    assert_text(before.user.display_name, "test");
    assert_text(before.user.email, "test@example.com");
    assert_int_equal(before.user.canonical_id.len, 64);
    assert_int_equal(before.user.expires_us, 77);
}

static void test_auth_credentials__a_disabled_key_is_unknown_and_its_user_is_not(
    void **state UNUSED)
{
    struct user user = { .access_key = STR("A"),
                         .secret_key = STR("secret"),
                         .canonical_id = STR("ffffffffffffffffffffffffffffffff"
                                             "ffffffffffffffffffffffffffffffff"),
                         .display_name = STR("off"),
                         .email = STR("off@example.com"),
                         .disabled = true };
    struct credentials *credentials = auth_credentials(h.cache);
    struct credential credential;
    struct user known;

    assert_true(users_add(h.users, &user, NULL));
    assert_false(users_add(h.users, &user, NULL)); /* its access key is taken */
    assert_int_equal(find("A", &credential), CREDENTIALS_UNKNOWN);
    assert_int_equal(credentials_know(credentials, CREDENTIALS_BY_CANONICAL_ID, user.canonical_id,
                                      &known),
                     CREDENTIALS_FOUND);
    assert_text(known.display_name, "off");
    assert_false(str_present(known.secret_key));
    assert_int_equal(credentials_know(credentials, CREDENTIALS_BY_EMAIL, user.email, &known),
                     CREDENTIALS_FOUND);
}

static void test_auth_credentials__without_memory_nothing_is_said_of_the_key(void **state UNUSED)
{
    CLEANUP(arena_closep) struct arena *small = arena_open(64, 64);
    struct credential credential;

    assert_non_null(small);
    add_user("A", "secret", NULL, 0);
    assert_int_equal(credentials_find(auth_credentials(h.cache), CREDENTIALS_BY_ACCESS_KEY,
                                      STR("A"), small, &credential),
                     CREDENTIALS_LACKING);
}

/* ---- a second source ------------------------------------------------------------------------ */

/* Keys that are given out for a while: the shape of a token service's. */
struct given {
    uint64_t generation;
    const char *access_key;
    bool lacking;
    unsigned closed;
};

static enum credentials_answer given_find(void *context, enum credentials_by by, struct str text,
                                          struct user *ret_user)
{
    const struct given *given = context;

    if (given->lacking)
        return CREDENTIALS_LACKING;
    if (by != CREDENTIALS_BY_ACCESS_KEY || given->access_key == NULL ||
        !str_eq(text, str_from_cstr(given->access_key)))
        return CREDENTIALS_UNKNOWN;
    *ret_user = (struct user){ .access_key = text,
                               .secret_key = STR("given"),
                               .session_token = STR("for a while"),
                               .canonical_id = STR("0000000000000000000000000000000000000000000000"
                                                   "000000000000000000"),
                               .display_name = STR("role"),
                               .email = STR("") };
    return CREDENTIALS_FOUND;
}

static uint64_t given_generation(void *context)
{
    return ((const struct given *)context)->generation;
}

static void given_close(void *context)
{
    ((struct given *)context)->closed++;
}

static struct credentials_source source_of(struct given *given)
{
    return (struct credentials_source){ given_find, given_generation, given_close, given };
}

static void test_auth_credentials__sources_are_asked_in_their_order(void **state UNUSED)
{
    struct given given = { .access_key = "B" };
    struct credentials_source source = source_of(&given);
    struct credentials *credentials = credentials_open(h.in_force);
    CLEANUP(credential_wipe) struct credential found;
    uint64_t generation;

    add_user("A", "secret", NULL, 0);
    assert_true(credentials_add(credentials, &source));
    generation = credentials_generation(credentials);
    assert_int_equal(credentials_find(credentials, CREDENTIALS_BY_ACCESS_KEY, STR("B"), h.arena,
                                      &found),
                     CREDENTIALS_FOUND);
    assert_text(found.user.secret_key, "given");

    given.access_key = "A"; /* the first source knows it */
    given.generation++;
    assert_int_equal(credentials_generation(credentials), generation + 1);
    assert_int_equal(credentials_find(credentials, CREDENTIALS_BY_ACCESS_KEY, STR("A"), h.arena,
                                      &found),
                     CREDENTIALS_FOUND);
    assert_text(found.user.secret_key, "secret");

    given.lacking = true;
    assert_int_equal(credentials_find(credentials, CREDENTIALS_BY_ACCESS_KEY, STR("C"), h.arena,
                                      &found),
                     CREDENTIALS_LACKING);
    credentials_close(credentials);
    assert_int_equal(given.closed, 1);
}

static void test_auth_credentials__sources_stop_at_their_maximum(void **state UNUSED)
{
    struct given given = { 0 };
    struct credentials_source source = source_of(&given);
    struct credentials *credentials = credentials_open(h.in_force);

    for (size_t i = 1; i < CREDENTIALS_SOURCES_MAX; i++)
        assert_true(credentials_add(credentials, &source));
    assert_false(credentials_add(credentials, &source));
    credentials_close(credentials);
    assert_int_equal(given.closed, CREDENTIALS_SOURCES_MAX - 1);
}

static void test_auth_credentials__that_can_not_be_asked_slow_the_request_down(void **state UNUSED)
{
    static struct given given = { .lacking = true }; /* as long as the cache that closes it */
    struct credentials_source source = source_of(&given);

    clock_at_amz("20130524T000000Z");
    request("GET", "/", "h",
            "x-amz-date: 20130524T000000Z\nx-amz-content-sha256: UNSIGNED-PAYLOAD\n");
    sign_v4("host;x-amz-content-sha256;x-amz-date");
    assert_int_equal(verify(), S3_InvalidAccessKeyId);
    assert_true(credentials_add(auth_credentials(h.cache), &source));
    assert_int_equal(verify(), S3_SlowDown);
    h.config.mode = AUTH_OPEN;
    assert_int_equal(verify(), S3_SlowDown);
}

static void test_auth_credentials__the_user_of_a_request_has_no_secrets(void **state UNUSED)
{
    clock_at_amz("20130524T000000Z");
    add_user(AWS_KEY, AWS_SECRET, "token", 0);
    request("GET", "/", "h",
            "x-amz-date: 20130524T000000Z\nx-amz-content-sha256: UNSIGNED-PAYLOAD\n"
            "x-amz-security-token: token\n");
    sign_v4("host;x-amz-content-sha256;x-amz-date;x-amz-security-token");
    assert_int_equal(verify(), S3_OK);
    assert_text(h.auth.user->access_key, AWS_KEY);
    assert_false(str_present(h.auth.user->secret_key));
    assert_false(str_present(h.auth.user->session_token));
}

/* ---- many threads --------------------------------------------------------------------------- */

static atomic_bool over;

/* Whole tables only: key and secret are of the same one, and none comes back that was replaced. */
static bool ask_once(struct auth_cache *cache, struct arena *arena, uint64_t *newest)
{
    CLEANUP(credential_wipe) struct credential found;
    uint64_t number;

    arena_reset(arena);
    if (credentials_find(auth_credentials(cache), CREDENTIALS_ROOT, STR_NONE, arena, &found) !=
            CREDENTIALS_FOUND ||
        !str_eq(found.user.access_key, found.user.secret_key) ||
        !str_to_u64(found.user.access_key, &number) || number < *newest)
        return false;

    *newest = number;
    return true;
}

struct asker {
    pthread_t thread;
    struct users_in_force *in_force;
    bool torn;
};

static void *ask_for_ever(void *argument)
{
    struct asker *asker = argument;
    CLEANUP(arena_closep) struct arena *arena = arena_open(4096, 65536);
    struct auth_cache *cache = auth_cache_open(asker->in_force);
    uint64_t newest = 0;

    assert_true(arena != NULL && cache != NULL);
    do {
        asker->torn = asker->torn || !ask_once(cache, arena, &newest);
    } while (!atomic_load(&over));
    /* All replacing has returned before it was over. */
    asker->torn = asker->torn || !ask_once(cache, arena, &newest) || newest != CHANGES;
    auth_cache_close(cache);
    return NULL;
}

static struct users *table_number(unsigned number)
{
    struct users *users = users_open();
    struct user user = { .canonical_id = STR("0123456789abcdef0123456789abcdef"
                                             "0123456789abcdef0123456789abcdef"),
                         .display_name = STR("test"),
                         .email = STR("") };
    char text[16];

    assert_non_null(users);
    (void)snprintf(text, sizeof(text), "%u", number);
    user.access_key = user.secret_key = str_from_cstr(text);
    assert_true(users_add(users, &user, NULL));
    return users;
}

static void test_auth_credentials__threads_find_whole_tables_and_never_an_older_one(
    void **state UNUSED)
{
    struct users_in_force *in_force = users_put_in_force(table_number(0));
    struct asker askers[ASKERS];

    assert_non_null(in_force);
    atomic_store(&over, false);
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){ .in_force = in_force };
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_for_ever, &askers[i]), 0);
    }
    for (unsigned i = 1; i <= CHANGES; i++)
        users_replace(in_force, table_number(i));
    atomic_store(&over, true);
    for (size_t i = 0; i < ASKERS; i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        assert_false(askers[i].torn);
    }
    users_in_force_close(in_force);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH_TEST(test_auth_credentials__what_was_found_outlives_its_table),
        AUTH_TEST(test_auth_credentials__a_disabled_key_is_unknown_and_its_user_is_not),
        AUTH_TEST(test_auth_credentials__without_memory_nothing_is_said_of_the_key),
        AUTH_TEST(test_auth_credentials__sources_are_asked_in_their_order),
        AUTH_TEST(test_auth_credentials__sources_stop_at_their_maximum),
        AUTH_TEST(test_auth_credentials__that_can_not_be_asked_slow_the_request_down),
        AUTH_TEST(test_auth_credentials__the_user_of_a_request_has_no_secrets),
        AUTH_TEST(test_auth_credentials__threads_find_whole_tables_and_never_an_older_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
