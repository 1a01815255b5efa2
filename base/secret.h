/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys on the stack: wiped on whatever path their scope is left.
 *
 *     CLEANUP(secret_key_wipe) struct secret_key key;
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <string.h>

#include "base/digest/digest.h"

/* Of AES-256 and of HMAC-SHA-256. */
struct secret_key {
    uint8_t bytes[SHA256_BYTES];
};
_Static_assert(AES_KEY_BYTES == SHA256_BYTES, "one type for both");

static inline void secret_key_wipe(struct secret_key *key)
{
    explicit_bzero(key, sizeof(*key));
}

#endif
