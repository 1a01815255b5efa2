/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store's named keys while it is open: read again whenever their file has changed. Any thread.
 *
 * A key that one of them wrapped is: uuid (16) | version (4) | context (16) | nonce (12) | sealed key (32)
 * | tag (16). What comes before the nonce is authenticated with it: another context does not open it.
 */
#ifndef STORAGE_BODIES_NAMED_KEYS_H
#define STORAGE_BODIES_NAMED_KEYS_H

#include "storage/keys.h"

#define NAMED_HEAD_BYTES (16 + 4 + KEY_CONTEXT_BYTES)
#define NAMED_WRAPPED_BYTES                                                                        \
    (NAMED_HEAD_BYTES + AES_GCM_NONCE_BYTES + AES_KEY_BYTES + AES_GCM_TAG_BYTES)

struct named_keys;

/* Nothing is read yet. store_fd is borrowed. NULL: no memory. */
MUST_CHECK struct named_keys *named_keys_open(int store_fd);
void named_keys_close(struct named_keys *named); /* NULL is fine */

MUST_CHECK enum store_status named_keys_find(struct named_keys *named, struct str name,
                                             int64_t now_us, struct key_found *ret_found,
                                             struct fault *fault);
/* By its newest version. STORE_DAMAGED: there is no such key any more. */
MUST_CHECK enum store_status named_keys_wrap(struct named_keys *named, struct str uuid,
                                             const uint8_t context[KEY_CONTEXT_BYTES],
                                             const uint8_t data_key[AES_KEY_BYTES],
                                             uint8_t out[NAMED_WRAPPED_BYTES], struct fault *fault);
/* STORE_DAMAGED: its bytes are gone, or it is not what was wrapped. */
MUST_CHECK enum store_status named_keys_unwrap(struct named_keys *named,
                                               const uint8_t in[NAMED_WRAPPED_BYTES],
                                               uint8_t out[AES_KEY_BYTES], struct fault *fault);
/* Was the key that wrapped it deleted, so that nobody is to unwrap it any more? */
MUST_CHECK bool named_keys_let_go(struct named_keys *named, const uint8_t in[NAMED_WRAPPED_BYTES]);

#endif
