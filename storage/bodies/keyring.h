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
 * that the wrapped key is shorter by it. Without it nobody can read the body. Named keys: named_keys.h.
 */
#ifndef STORAGE_BODIES_KEYRING_H
#define STORAGE_BODIES_KEYRING_H

#include "storage/bodies/named_keys.h"
#include "storage/body.h"
#include "storage/catalog/catalog.h"

#define KEYRING_KEYS_MAX 16

struct keyring {
    struct named_keys *named;
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
/* Wipe the keys. A keyring that was never opened, all zeros, is fine. */
void keyring_close(struct keyring *keyring);
/* By the key that the options name, else the keyring's first. */
MUST_CHECK enum store_status keyring_wrap(const struct keyring *keyring,
                                          const struct body_options *options,
                                          const uint8_t data_key[AES_KEY_BYTES],
                                          uint8_t out[WRAPPED_KEY_BYTES_MAX], size_t *ret_len,
                                          struct fault *fault);
/* customer_key: unwraps what such a key has wrapped, nothing else; NULL: none.
 * STORE_DAMAGED: no such master key, or not what was wrapped. */
MUST_CHECK enum store_status keyring_unwrap(const struct keyring *keyring,
                                            const uint8_t *customer_key, struct str wrapped,
                                            uint8_t out[AES_KEY_BYTES], struct fault *fault);
/* Unwrap, and wrap by the key that options name. */
MUST_CHECK enum store_status keyring_rewrap(const struct keyring *keyring,
                                            const struct body_options *options, struct str wrapped,
                                            uint8_t out[WRAPPED_KEY_BYTES_MAX], size_t *ret_len,
                                            struct fault *fault);
/* Is nobody but a customer to unwrap it, or nobody any more, as its named key was deleted? */
bool keyring_can_not(const struct keyring *keyring, const uint8_t *wrapped, size_t len);

/*
 * What a service of keys would call the oldest one: a UUID in text that tells nothing of the key and
 * outlives rotations.
 */
void keyring_uuid(const struct keyring *keyring, char out[STORE_KEY_UUID_LEN + 1]);

/* A key for a purpose, of the oldest one. */
void keyring_derive(const struct keyring *keyring, struct str purpose, uint8_t out[AES_KEY_BYTES]);

#endif
