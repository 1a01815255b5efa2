/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of server/auth share: one user, requests and forms written as text, a stopped
 * clock.
 */
#ifndef TESTS_UNIT_AUTH_HARNESS_H
#define TESTS_UNIT_AUTH_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth/call.h"
#include "server/auth/users.h"

/* The user of AWS's published examples. */
#define AWS_KEY "AKIAIOSFODNN7EXAMPLE"
#define AWS_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

struct harness {
    struct arena *arena;
    struct auth_cache *cache;
    struct users *users; /* in force, and added to all the same: there is one thread */
    struct users_in_force *in_force;
    struct clock clock; /* stands, at the time of the test until clock_at says another */
    struct auth_config config;
    struct http_request request;
    struct http_field fields[HTTP_HEADERS_MAX];
    struct form_field form[FORM_FIELDS_MAX + 1];
    size_t form_count;
    struct str virtual_bucket;
    /* results */
    struct auth auth;
    struct s3_refusal refusal;
    uint64_t min_bytes, max_bytes;
};

extern struct harness h;

int harness_setup(void **state);
int harness_teardown(void **state);
#define AUTH_TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

/* Without the users that were there. */
void forget_users(void);
void add_user(const char *access_key, const char *secret, const char *token, int64_t expires_us);
void clock_at(int64_t seconds);
/* 20130524T000000Z */
void clock_at_amz(const char *date);

/* headers: "Name: value\n"...; Host is added from host. Virtual bucket is forgotten. */
void request(const char *method, const char *target, const char *host, const char *headers);
/* One more header, or another value of a header that is there. */
void header_add(const char *name, const char *value);
void header_set(const char *name, const char *value);
struct str header(const char *name);
/* Change the target of the request. */
void retarget(const char *target);

enum s3_error verify(void);

/* fields: "name: value\n"... */
void form(const char *fields);
void form_add(const char *name, const char *value);
enum s3_error verify_form(const char *bucket);
/* A V2 form: policy is JSON and gets encoded and signed with AWS_KEY; then verified for "b". */
enum s3_error post_policy(const char *policy, const char *fields);

/* Sign the request in h with V4 over these headers; sets Authorization. */
void sign_v4(const char *signed_headers);

/* Value number `fact` of the refusal. */
struct str fact_value(enum fact fact);
#define assert_text(actual, expected)                                                              \
    do {                                                                                           \
        struct str actual_ = (actual);                                                             \
        struct str expected_ = str_from_cstr(expected);                                            \
        if (!str_eq(actual_, expected_))                                                           \
            fail_msg("'%.*s' is not '%.*s'", STR_ARG(actual_), STR_ARG(expected_));                \
    } while (0)
#define assert_message(expected) assert_text(h.refusal.message, expected)

#endif
