/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of condition keys: what a policy may ask of a request, its caller and what it is about.
 *
 * Computed when asked for, without allocation. A key that is not known here is one that the request
 * has not. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
#ifndef SERVER_AUTH_CONDITION_KEYS_H
#define SERVER_AUTH_CONDITION_KEYS_H

#include "server/auth/access.h"
#include "server/auth/identity.h"
#include "server/policy/policy.h"

#define CONDITION_TEXT_BYTES_MAX 8192 /* the keys of as many tags as an object may have, in UTF-8 */
#define CONDITION_VALUES_MAX 16       /* more tags than an object may have */
_Static_assert(CONDITION_TEXT_BYTES_MAX >= IDENTITY_ARN_BYTES_MAX, "an ARN fits");

/* Room for the values of the key that was asked for last. */
struct condition_values {
    const struct access_request *request;
    struct str values[CONDITION_VALUES_MAX];
    char text[CONDITION_TEXT_BYTES_MAX];
};

/* context: struct condition_values. A policy_look_up. */
policy_look_up condition_look_up;

#endif
