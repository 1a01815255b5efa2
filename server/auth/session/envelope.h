/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Envelopes: text that a client carries, and that only who has the key can have written or can read.
 *
 * (1) One that opens is as it was sealed, bit for bit: AES-256-GCM over all of it, under a nonce of its own.
 * (2) A purpose opens what was sealed for it alone.
 * (3) Nothing of it is kept: it opens after a restart, for as long as the key is the same. What is in it
 *     ends when it says so itself.
 */
#ifndef SERVER_AUTH_SESSION_ENVELOPE_H
#define SERVER_AUTH_SESSION_ENVELOPE_H

#include "base/arena.h"
#include "base/digest/digest.h"

#define ENVELOPE_CONTENT_BYTES_MAX 4096

/* base64 in the arena; STR_NONE: no memory, or more content than there may be. Any thread. */
struct str envelope_seal(const uint8_t key[AES_KEY_BYTES], struct str purpose, struct str content,
                         struct arena *arena);
/* The content in the arena. False: not sealed by that key for that purpose, or no memory. */
MUST_CHECK bool envelope_open(const uint8_t key[AES_KEY_BYTES], struct str purpose, struct str text,
                              struct arena *arena, struct str *ret_content);

#endif
