/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions; see session.h. Claims are packed pairs, one letter each.
 */
#include "server/auth/session/session.h"

#include <string.h>

#include "base/secret.h"
#include "base/text/codec.h"
#include "base/text/pairs.h"
#include "server/auth/session/envelope.h"

#define PURPOSE STR("pail session 1")
#define SECRET_BYTES 30

static void add(struct buf *claims, const char *name, struct str value)
{
    if (str_present(value))
        (void)pairs_add(claims, str_from_cstr(name), value);
}

struct str session_seal(const uint8_t key[AES_KEY_BYTES], const struct session *session,
                        struct arena *arena)
{
    CLEANUP(buf_free) struct buf claims = BUF_WITH_MAX(ENVELOPE_CONTENT_BYTES_MAX);
    struct str expires = arena_printf(arena, "%lld", (long long)session->expires_us);

    if (!str_present(expires))
        return STR_NONE;
    add(&claims, "p", session->parent);
    add(&claims, "b", session->bucket);
    add(&claims, "m", session->mode == SESSION_READ_ONLY ? STR("r") : STR("w"));
    add(&claims, "x", expires);
    add(&claims, "e", session->sse);
    add(&claims, "k", session->key_id);
    add(&claims, "c", session->context);
    return claims.failed ? STR_NONE : envelope_seal(key, PURPOSE, buf_view(&claims), arena);
}

bool session_open(const uint8_t key[AES_KEY_BYTES], struct str token, struct arena *arena,
                  struct session *ret_session)
{
    struct str claims;
    uint64_t expires_us;

    if (!envelope_open(key, PURPOSE, token, arena, &claims) ||
        !str_to_u64(pairs_get(claims, STR("x")), &expires_us) || expires_us > INT64_MAX)
        return false;
    *ret_session = (struct session){
        .parent = pairs_get(claims, STR("p")),
        .bucket = pairs_get(claims, STR("b")),
        .mode = str_eq(pairs_get(claims, STR("m")), STR("w")) ? SESSION_READ_WRITE
                                                              : SESSION_READ_ONLY,
        .expires_us = (int64_t)expires_us,
        .sse = pairs_get(claims, STR("e")),
        .key_id = pairs_get(claims, STR("k")),
        .context = pairs_get(claims, STR("c")),
    };
    return str_present(ret_session->parent) && str_present(ret_session->bucket);
}

void session_access_key(struct str token, char out[SESSION_ACCESS_KEY_LEN])
{
    static const char prefix[4] = { 'A', 'S', 'I', 'A' };
    uint8_t digest[SHA256_BYTES];

    digest_once(DIGEST_SHA256, token, digest);
    memcpy(out, prefix, sizeof(prefix));
    hex_encode(digest, (SESSION_ACCESS_KEY_LEN - sizeof(prefix)) / 2, out + sizeof(prefix));
    for (size_t i = sizeof(prefix); i < SESSION_ACCESS_KEY_LEN; i++)
        if (out[i] >= 'a')
            out[i] = (char)(out[i] - 'a' + 'A');
}

void session_secret(struct str token, struct str parent_secret, char out[SESSION_SECRET_LEN])
{
    CLEANUP(secret_key_wipe) struct secret_key mac;

    hmac_sha256(parent_secret, token, mac.bytes);
    base64_encode(mac.bytes, SECRET_BYTES, out);
}
