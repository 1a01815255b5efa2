/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operation without a server around it: a request made of text, users, an empty reply.
 *
 * For functions that read the request and write the reply; there is no store behind it.
 */
#ifndef TESTS_UNIT_S3_BARE_OP_H
#define TESTS_UNIT_S3_BARE_OP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/s3/op.h"

#define ALICE_ID "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BOB_ID "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

extern struct op op; /* alice calls, on her bucket "b" */

int bare_group_setup(void **state);
int bare_group_teardown(void **state);

/* Start anew. target: "/b/k?x=y"; headers: "Name: value\n" lines. */
void bare_request(const char *target, const char *headers);
/* The buffered body of the request. */
void bare_body(const char *body);
/* First value of a reply header, STR_NONE when absent. */
struct str bare_reply(const char *name);

#define assert_str(actual, expected)                                                               \
    do {                                                                                           \
        struct str actual_ = (actual);                                                             \
        assert_non_null(actual_.p);                                                                \
        assert_int_equal(actual_.len, strlen(expected));                                           \
        assert_memory_equal(actual_.p, expected, actual_.len);                                     \
    } while (0)

#endif
