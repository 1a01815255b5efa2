/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests, HMAC and AES-256-GCM: the only file that sees OpenSSL's EVP.
 *
 * Algorithms are fetched once (digest_init); contexts are reusable and thread-bound.
 * Nothing here returns an error for input: lack of memory at open answers NULL.
 */
#ifndef BASE_DIGEST_DIGEST_H
#define BASE_DIGEST_DIGEST_H

#include "base/text/str.h"

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512, DIGEST_KINDS };

#define MD5_BYTES 16
#define SHA1_BYTES 20
#define SHA256_BYTES 32
#define SHA512_BYTES 64
#define DIGEST_BYTES_MAX 64

/* Once, before threads. False when the crypto library lacks an algorithm. */
MUST_CHECK bool digest_init(void);
/*
 * What the calling thread needs for the functions below that can not fail. A thread that uses them calls
 * it first: without, they end the process where there is no memory. Again: nothing happens.
 */
MUST_CHECK bool digest_thread_prepare(void);

struct digest;

MUST_CHECK struct digest *digest_open(enum digest_kind kind);
void digest_close(struct digest *digest);
void digest_closep(struct digest **digest);
void digest_reset(struct digest *digest);
void digest_update(struct digest *digest, const void *bytes, size_t len);
/* Writes digest_bytes(kind); the context must be reset before it is used again. */
void digest_final(struct digest *digest, uint8_t *out);
size_t digest_bytes(enum digest_kind kind);
/* One call; uses a per-thread context. */
void digest_once(enum digest_kind kind, struct str bytes, uint8_t *out);

/* HMAC, one call, per-thread context. */
void hmac_sha256(struct str key, struct str message, uint8_t out[SHA256_BYTES]);
void hmac_sha1(struct str key, struct str message, uint8_t out[SHA1_BYTES]);

/*
 * AES-256-GCM. nonce is 12 bytes and must never repeat under one key.
 * aes_gcm_seal writes len bytes to out and 16 to tag; aes_gcm_open returns false when the tag does
 * not match (out is then undefined). aad may be STR_NONE. Any thread.
 */
#define AES_KEY_BYTES 32
#define AES_GCM_NONCE_BYTES 12
#define AES_GCM_TAG_BYTES 16
void aes_gcm_seal(const uint8_t key[AES_KEY_BYTES], const uint8_t nonce[AES_GCM_NONCE_BYTES],
                  struct str aad, const void *in, size_t len, void *out,
                  uint8_t tag[AES_GCM_TAG_BYTES]);
MUST_CHECK bool aes_gcm_open(const uint8_t key[AES_KEY_BYTES],
                             const uint8_t nonce[AES_GCM_NONCE_BYTES], struct str aad,
                             const void *in, size_t len, void *out,
                             const uint8_t tag[AES_GCM_TAG_BYTES]);

/* "OpenSSL 3.0.19 ..." for --version. */
const char *digest_library_version(void);

#endif
