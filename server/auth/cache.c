/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per loop thread: whom it asks for credentials, the signing keys it has derived, and the two
 * buffers verification writes into.
 *
 * (1) A signing key is good for a day, a region and a secret: four HMACs saved per request. The
 *     secret is part of what is compared, so that another one never meets an old key; and all keys
 *     go as soon as the generation of the credentials is another one, so that none outlives its
 *     secret.
 * (2) The table is direct mapped: a collision costs a derivation, nothing else.
 * (3) The buffers keep their memory, so a steady verification allocates nothing.
 */
#include "server/auth/call.h"

#include "base/digest/hash.h"
#include "base/secret.h"

#define SLOTS 64
#define KEPT_BYTES (64 * 1024) /* of each buffer, between requests */

/* "secret", "date/region/service" joined: what one derived key depends on. */
#define SCOPE_BYTES_MAX (8 + 1 + AUTH_REGION_BYTES_MAX + 1 + 16)

struct slot {
    size_t secret_len, scope_len;
    char secret[AUTH_SECRET_BYTES_MAX];
    char scope[SCOPE_BYTES_MAX];
    uint8_t key[SHA256_BYTES];
};

struct auth_cache {
    struct credentials *credentials;
    uint64_t generation; /* of the credentials that the keys were derived from */
    struct buf text;
    struct buf scratch;
    struct slot slots[SLOTS];
};

struct auth_cache *auth_cache_open(struct users_in_force *users)
{
    struct auth_cache *cache = mem_zalloc(sizeof(*cache));

    if (cache == NULL)
        return NULL;

    cache->credentials = credentials_open(users);
    if (cache->credentials == NULL) {
        mem_free(cache);
        return NULL;
    }

    cache->text = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    cache->scratch = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    return cache;
}

void auth_cache_close(struct auth_cache *cache)
{
    if (cache == NULL)
        return;

    credentials_close(cache->credentials);
    buf_free(&cache->text);
    buf_free(&cache->scratch);
    explicit_bzero(cache, sizeof(*cache));
    mem_free(cache);
}

struct credentials *auth_credentials(struct auth_cache *cache)
{
    return cache->credentials;
}

struct buf *auth_cache_text(struct auth_cache *cache)
{
    buf_clear(&cache->text);
    return &cache->text;
}

struct buf *auth_cache_scratch(struct auth_cache *cache)
{
    buf_clear(&cache->scratch);
    return &cache->scratch;
}

void auth_cache_trim(struct auth_cache *cache)
{
    if (cache->text.capacity > KEPT_BYTES) {
        buf_free(&cache->text);
        cache->text = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    }
    if (cache->scratch.capacity > KEPT_BYTES) {
        buf_free(&cache->scratch);
        cache->scratch = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);
    }
}

void auth_signing_key(struct str secret, struct str date, struct str region, struct str service,
                      uint8_t out[SHA256_BYTES])
{
    char first[4 + AUTH_SECRET_BYTES_MAX] = "AWS4";
    struct str first_key = { first, 4 + size_min(secret.len, AUTH_SECRET_BYTES_MAX) };
    struct str key = { (const char *)out, SHA256_BYTES };
    CLEANUP(secret_key_wipe) struct secret_key next;

    memcpy(first + 4, secret.p, first_key.len - 4);
    hmac_sha256(first_key, date, out);
    explicit_bzero(first, sizeof(first));

    hmac_sha256(key, region, next.bytes);
    memcpy(out, next.bytes, sizeof(next.bytes));
    hmac_sha256(key, service, next.bytes);
    memcpy(out, next.bytes, sizeof(next.bytes));
    hmac_sha256(key, STR("aws4_request"), next.bytes);
    memcpy(out, next.bytes, sizeof(next.bytes));
}

static void forget_older(struct auth_cache *cache, uint64_t generation)
{
    if (cache->generation == generation)
        return;

    explicit_bzero(cache->slots, sizeof(cache->slots));
    cache->generation = generation;
}

void auth_cache_key(struct auth_cache *cache, const struct credential *credential,
                    const struct scope *scope, uint8_t out[SHA256_BYTES])
{
    const struct user *user = &credential->user;
    struct str terminator = STR("/aws4_request");
    struct str text = str_slice(scope->text, 0, scope->text.len - terminator.len);
    uint64_t hash = hash_quick(text, hash_quick(user->access_key, 0));
    struct slot *slot;

    forget_older(cache, credential->generation);
    slot = &cache->slots[hash % SLOTS];

    if (slot->scope_len > 0 && str_eq(str_make(slot->scope, slot->scope_len), text) &&
        str_eq_secret(str_make(slot->secret, slot->secret_len), user->secret_key)) {
        memcpy(out, slot->key, SHA256_BYTES);
        return;
    }

    auth_signing_key(user->secret_key, scope->date, scope->region, scope->service, out);
    if (text.len > sizeof(slot->scope) || user->secret_key.len > sizeof(slot->secret))
        return;

    memcpy(slot->secret, user->secret_key.p, user->secret_key.len);
    slot->secret_len = user->secret_key.len;
    memcpy(slot->scope, text.p, text.len);
    slot->scope_len = text.len;
    memcpy(slot->key, out, SHA256_BYTES);
}
