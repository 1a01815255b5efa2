/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests, HMAC and AES-256-GCM over OpenSSL 3; the only file that includes it.
 *
 * (1) Algorithms are fetched once; contexts of one-call functions are made once per thread and
 *     freed when the thread ends.
 * (2) OpenSSL can fail here only for lack of memory. Where the interface has no way to say so the
 *     process aborts: a wrong digest must never be handed out.
 * (3) Key material in our own buffers is wiped before return.
 */
#include "base/digest/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/digest/reserve.h"
#include "base/memory.h"

#define HMAC_BLOCK_BYTES 64                 /* of MD5, SHA-1 and SHA-256; SHA-512 would need 128 */
#define CIPHER_STEP_BYTES ((size_t)1 << 30) /* EVP counts in int */

struct digest {
    enum digest_kind kind;
    EVP_MD_CTX *context;
};

/* What one thread keeps for the one-call functions. */
struct thread_contexts {
    bool registered;
    EVP_MD_CTX *digest[DIGEST_KINDS];
    EVP_CIPHER_CTX *cipher;
};

static const struct {
    const char *name;
    size_t bytes;
} algorithms[DIGEST_KINDS] = {
    [DIGEST_MD5] = { "MD5", MD5_BYTES },
    [DIGEST_SHA1] = { "SHA1", SHA1_BYTES },
    [DIGEST_SHA256] = { "SHA256", SHA256_BYTES },
    [DIGEST_SHA512] = { "SHA512", SHA512_BYTES },
};

/* Written once by fetch_all, read-only afterwards. */
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *fetched[DIGEST_KINDS];
static EVP_CIPHER *fetched_aes_gcm;
static pthread_key_t thread_key;
static bool fetched_all;

static _Thread_local struct thread_contexts contexts;

static void contexts_free(void *memory)
{
    struct thread_contexts *owned = memory;

    for (size_t i = 0; i < DIGEST_KINDS; i++)
        EVP_MD_CTX_free(owned->digest[i]);
    EVP_CIPHER_CTX_free(owned->cipher);
    *owned = (struct thread_contexts){ 0 };
}

static void fetch_all(void)
{
    bool complete = reserve_stand_behind_openssl() &&
                    pthread_key_create(&thread_key, contexts_free) == 0;

    /* The tables of older interfaces, which the first fetch fills, are half the cost of the rest. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
                              NULL);
    for (size_t i = 0; i < DIGEST_KINDS; i++) {
        fetched[i] = EVP_MD_fetch(NULL, algorithms[i].name, NULL);
        complete = complete && fetched[i] != NULL;
    }
    fetched_aes_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    fetched_all = complete && fetched_aes_gcm != NULL;
}

bool digest_init(void)
{
    (void)pthread_once(&fetch_once, fetch_all);
    return fetched_all;
}

static void must(bool done)
{
    if (!done)
        abort();
}

static const uint8_t no_key[AES_KEY_BYTES];
static const uint8_t no_nonce[AES_GCM_NONCE_BYTES];

static bool thread_digest_make(enum digest_kind kind)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (context == NULL || EVP_DigestInit_ex2(context, fetched[kind], NULL) != 1) {
        EVP_MD_CTX_free(context);
        return false;
    }
    contexts.digest[kind] = context;
    return true;
}

static bool thread_cipher_make(void)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    if (context == NULL ||
        EVP_CipherInit_ex2(context, fetched_aes_gcm, no_key, no_nonce, 1, NULL) != 1) {
        EVP_CIPHER_CTX_free(context);
        return false;
    }
    contexts.cipher = context;
    return true;
}

bool digest_thread_prepare(void)
{
    bool good = true;

    if (contexts.cipher != NULL)
        return true;
    if (!digest_init())
        return false;
    if (!contexts.registered && pthread_setspecific(thread_key, &contexts) != 0)
        return false;
    contexts.registered = true; /* freed at the thread's end */
    for (enum digest_kind kind = 0; kind < DIGEST_KINDS && good; kind++)
        good = contexts.digest[kind] != NULL || thread_digest_make(kind);
    return good && thread_cipher_make();
}

/* This thread's context of a kind, ready for bytes. */
static EVP_MD_CTX *thread_digest(enum digest_kind kind)
{
    must(digest_thread_prepare());
    must(EVP_DigestInit_ex2(contexts.digest[kind], NULL, NULL) == 1);
    return contexts.digest[kind];
}

struct digest *digest_open(enum digest_kind kind)
{
    struct digest *digest;

    assert(kind < DIGEST_KINDS);
    if (!digest_init())
        return NULL;

    digest = mem_zalloc(sizeof(*digest));
    if (digest == NULL)
        return NULL;

    digest->kind = kind;
    digest->context = EVP_MD_CTX_new();
    if (digest->context == NULL || EVP_DigestInit_ex2(digest->context, fetched[kind], NULL) != 1) {
        digest_close(digest);
        return NULL;
    }

    return digest;
}

void digest_close(struct digest *digest)
{
    if (digest == NULL)
        return;

    EVP_MD_CTX_free(digest->context);
    mem_free(digest);
}

void digest_closep(struct digest **digest)
{
    digest_close(*digest);
    *digest = NULL;
}

void digest_reset(struct digest *digest)
{
    must(EVP_DigestInit_ex2(digest->context, NULL, NULL) == 1);
}

void digest_update(struct digest *digest, const void *bytes, size_t len)
{
    must(EVP_DigestUpdate(digest->context, bytes, len) == 1);
}

void digest_final(struct digest *digest, uint8_t *out)
{
    must(EVP_DigestFinal_ex(digest->context, out, NULL) == 1);
}

size_t digest_bytes(enum digest_kind kind)
{
    assert(kind < DIGEST_KINDS);
    return algorithms[kind].bytes;
}

void digest_once(enum digest_kind kind, struct str bytes, uint8_t *out)
{
    EVP_MD_CTX *context;

    assert(kind < DIGEST_KINDS);
    context = thread_digest(kind);
    must(EVP_DigestUpdate(context, bytes.p, bytes.len) == 1 &&
         EVP_DigestFinal_ex(context, out, NULL) == 1);
}

/* One of HMAC's two passes: H((key ^ pad) || text). */
static void hmac_pass(enum digest_kind kind, const uint8_t key[HMAC_BLOCK_BYTES], uint8_t pad,
                      struct str text, uint8_t *out)
{
    uint8_t padded[HMAC_BLOCK_BYTES];
    EVP_MD_CTX *context = thread_digest(kind);

    for (size_t i = 0; i < sizeof(padded); i++)
        padded[i] = key[i] ^ pad;
    must(EVP_DigestUpdate(context, padded, sizeof(padded)) == 1 &&
         EVP_DigestUpdate(context, text.p, text.len) == 1 &&
         EVP_DigestFinal_ex(context, out, NULL) == 1);
    OPENSSL_cleanse(padded, sizeof(padded));
}

/* RFC 2104. By hand over a reused context: EVP_MAC allocates anew for every key. */
static void hmac(enum digest_kind kind, struct str key, struct str message, uint8_t *out)
{
    uint8_t block[HMAC_BLOCK_BYTES] = { 0 };
    uint8_t inner[DIGEST_BYTES_MAX];

    if (key.len > sizeof(block))
        digest_once(kind, key, block);
    else if (key.len > 0)
        memcpy(block, key.p, key.len);

    hmac_pass(kind, block, 0x36, message, inner);
    hmac_pass(kind, block, 0x5c, str_make(inner, digest_bytes(kind)), out);
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(inner, sizeof(inner));
}

void hmac_sha256(struct str key, struct str message, uint8_t out[SHA256_BYTES])
{
    hmac(DIGEST_SHA256, key, message, out);
}

void hmac_sha1(struct str key, struct str message, uint8_t out[SHA1_BYTES])
{
    hmac(DIGEST_SHA1, key, message, out);
}

enum direction { DIRECTION_OPEN = 0, DIRECTION_SEAL = 1 };

/* out NULL: additional data. */
static void cipher_update(EVP_CIPHER_CTX *context, const uint8_t *in, size_t len, uint8_t *out)
{
    while (len > 0) {
        size_t step = size_min(len, CIPHER_STEP_BYTES);
        int written = 0;

        must(EVP_CipherUpdate(context, out, &written, in, (int)step) == 1);
        in += step;
        len -= step;
        if (out != NULL)
            out += step;
    }
}

/* This thread's cipher context, keyed, with all bytes passed through it. */
static EVP_CIPHER_CTX *gcm_run(enum direction direction, const uint8_t *key, const uint8_t *nonce,
                               struct str aad, const void *in, size_t len, void *out)
{
    must(digest_thread_prepare());
    must(EVP_CipherInit_ex2(contexts.cipher, NULL, key, nonce, direction, NULL) == 1);

    cipher_update(contexts.cipher, (const uint8_t *)aad.p, aad.len, NULL);
    cipher_update(contexts.cipher, in, len, out);
    return contexts.cipher;
}

/* Leave no key schedule behind: that of no key takes its place, and its memory stays. */
static void gcm_wipe(EVP_CIPHER_CTX *context)
{
    must(EVP_CipherInit_ex2(context, NULL, no_key, no_nonce, DIRECTION_SEAL, NULL) == 1);
}

void aes_gcm_seal(const uint8_t key[AES_KEY_BYTES], const uint8_t nonce[AES_GCM_NONCE_BYTES],
                  struct str aad, const void *in, size_t len, void *out,
                  uint8_t tag[AES_GCM_TAG_BYTES])
{
    EVP_CIPHER_CTX *context = gcm_run(DIRECTION_SEAL, key, nonce, aad, in, len, out);
    uint8_t nothing[16];
    int written = 0;

    must(EVP_CipherFinal_ex(context, nothing, &written) == 1 && written == 0);
    must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, AES_GCM_TAG_BYTES, tag) == 1);
    gcm_wipe(context);
}

bool aes_gcm_open(const uint8_t key[AES_KEY_BYTES], const uint8_t nonce[AES_GCM_NONCE_BYTES],
                  struct str aad, const void *in, size_t len, void *out,
                  const uint8_t tag[AES_GCM_TAG_BYTES])
{
    EVP_CIPHER_CTX *context = gcm_run(DIRECTION_OPEN, key, nonce, aad, in, len, out);
    uint8_t expected[AES_GCM_TAG_BYTES]; /* EVP wants a writable pointer */
    uint8_t nothing[16];
    int written = 0;
    bool authentic;

    memcpy(expected, tag, sizeof(expected));
    must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, AES_GCM_TAG_BYTES, expected) == 1);
    authentic = EVP_CipherFinal_ex(context, nothing, &written) == 1;
    gcm_wipe(context);
    return authentic;
}

const char *digest_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
