/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyring: master keys that wrap the data keys of encrypted bodies.
 *
 * DIR/keyring, mode 0600:
 *
 *     pail keyring 1
 *     <key id, 8 hex digits> <key, 64 hex digits>
 *     ...
 *
 * The first key wraps; all of them unwrap, so a new first line is a rotation.
 * A wrapped key is: key id (4) | nonce (12) | AES-256-GCM of the data key (32) | tag (16).
 *
 * A customer may bring a key of his own instead: it wraps the data key, is forgotten, and has no id, so
 * that the wrapped key is shorter by it. Without it nobody can read the body.
 */
#ifndef STORAGE_BODIES_KEYRING_H
#define STORAGE_BODIES_KEYRING_H

#include "storage/catalog/catalog.h"

#define KEYRING_KEYS_MAX 16

struct keyring {
    size_t count;
    struct {
        uint32_t id;
        uint8_t key[AES_KEY_BYTES];
    } keys[KEYRING_KEYS_MAX];
};

/* create: the store is new, its names are yet to be synced; else a missing file is STORE_FORMAT: it
 * may be needed and can be put back, a new one would hide that. */
MUST_CHECK enum store_status keyring_open(int store_fd, bool create, struct keyring *ret_keyring,
                                          struct fault *fault);
/* customer_key: wraps in place of the keyring's; NULL: none. Returns the length of what is in out. */
size_t keyring_wrap(const struct keyring *keyring, const uint8_t *customer_key,
                    const uint8_t data_key[AES_KEY_BYTES], uint8_t out[WRAPPED_KEY_BYTES]);
/* customer_key: unwraps what such a key has wrapped, nothing else; NULL: none.
 * STORE_DAMAGED: no such master key, or not what was wrapped. */
MUST_CHECK enum store_status keyring_unwrap(const struct keyring *keyring,
                                            const uint8_t *customer_key, struct str wrapped,
                                            uint8_t out[AES_KEY_BYTES], struct fault *fault);
/* Is it a wrapped key that only its customer can unwrap? */
bool key_is_customers(size_t wrapped_bytes);

/*
 * What a service of keys would call the oldest one: a UUID in text that tells nothing of the key and
 * outlives rotations.
 */
void keyring_uuid(const struct keyring *keyring, char out[STORE_KEY_UUID_LEN + 1]);

#endif
