/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nonce | sealed | tag, in base64. What is sealed is a byte that counts the blanks behind the content, the
 * content, and so many blanks that no character of the text has a bit to spare.
 */
#include "server/auth/session/envelope.h"

#include <string.h>

#include "base/random.h"
#include "base/text/codec.h"

#define FRAME_BYTES (AES_GCM_NONCE_BYTES + 1 + AES_GCM_TAG_BYTES)
#define BASE64_BYTES 3

struct str envelope_seal(const uint8_t key[AES_KEY_BYTES], struct str purpose, struct str content,
                         struct arena *arena)
{
    size_t spare = (FRAME_BYTES + content.len) % BASE64_BYTES;
    size_t blanks = spare == 0 ? 0 : BASE64_BYTES - spare;
    size_t len = 1 + content.len + blanks;
    size_t all = AES_GCM_NONCE_BYTES + len + AES_GCM_TAG_BYTES;
    uint8_t *plain;
    uint8_t *bytes;
    char *text;

    if (content.len > ENVELOPE_CONTENT_BYTES_MAX)
        return STR_NONE;
    plain = arena_alloc(arena, len);
    bytes = arena_alloc(arena, all);
    text = arena_alloc(arena, BASE64_LEN(all));
    if (plain == NULL || bytes == NULL || text == NULL)
        return STR_NONE;

    memset(plain, 0, len);
    plain[0] = (uint8_t)blanks;
    if (content.len > 0)
        memcpy(plain + 1, content.p, content.len);
    random_key_bytes(bytes, AES_GCM_NONCE_BYTES);
    aes_gcm_seal(key, bytes, purpose, plain, len, bytes + AES_GCM_NONCE_BYTES,
                 bytes + AES_GCM_NONCE_BYTES + len);
    base64_encode(bytes, all, text);
    return str_make(text, BASE64_LEN(all));
}

bool envelope_open(const uint8_t key[AES_KEY_BYTES], struct str purpose, struct str text,
                   struct arena *arena, struct str *ret_content)
{
    size_t all = 0;
    size_t len;
    uint8_t *bytes;
    uint8_t *plain;

    if (text.len > BASE64_LEN(FRAME_BYTES + ENVELOPE_CONTENT_BYTES_MAX + BASE64_BYTES))
        return false;
    bytes = arena_alloc(arena, text.len + 1);
    if (bytes == NULL || !base64_decode(text, bytes, text.len, &all) || all < FRAME_BYTES ||
        all % BASE64_BYTES != 0)
        return false;

    len = all - AES_GCM_NONCE_BYTES - AES_GCM_TAG_BYTES;
    plain = arena_alloc(arena, len);
    if (plain == NULL ||
        !aes_gcm_open(key, bytes, purpose, bytes + AES_GCM_NONCE_BYTES, len, plain,
                      bytes + AES_GCM_NONCE_BYTES + len) ||
        plain[0] >= BASE64_BYTES || len < 1u + plain[0])
        return false;
    *ret_content = str_make(plain + 1, len - 1 - plain[0]);
    return true;
}
