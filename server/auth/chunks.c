/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of chunks and trailers: each covers the one before it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 *
 * When the request itself was let through unverified (audited) there is no chain to hold chunks
 * to: they pass.
 */
#include <stdio.h>

#include "server/auth/call.h"

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define TEXT_BYTES_MAX 512

static bool verify(struct auth *auth, const char *algorithm, const char *middle,
                   const uint8_t sha256[SHA256_BYTES], struct str signature)
{
    char text[TEXT_BYTES_MAX];
    char hex[2 * SHA256_BYTES];
    uint8_t mac[SHA256_BYTES];
    int len;

    if (auth->audited)
        return true;

    hex_encode(sha256, SHA256_BYTES, hex);
    len = snprintf(text, sizeof(text), "%s\n%.*s\n%.*s\n%.64s\n%s%.64s", algorithm,
                   STR_ARG(auth->amz_date), STR_ARG(auth->scope), auth->previous_signature, middle,
                   hex);
    if (len < 0 || (size_t)len >= sizeof(text))
        return false;

    hmac_sha256(str_make(auth->signing_key, SHA256_BYTES), str_make(text, (size_t)len), mac);
    hex_encode(mac, sizeof(mac), hex);
    if (!str_eq_secret(str_make(hex, sizeof(hex)), signature))
        return false;

    memcpy(auth->previous_signature, hex, sizeof(hex));
    return true;
}

bool auth_chunk_verify(struct auth *auth, const uint8_t sha256[SHA256_BYTES], struct str signature)
{
    return verify(auth, "AWS4-HMAC-SHA256-PAYLOAD", EMPTY_SHA256 "\n", sha256, signature);
}

bool auth_trailer_verify(struct auth *auth, struct str canonical, struct str signature)
{
    uint8_t sha256[SHA256_BYTES];

    digest_once(DIGEST_SHA256, canonical, sha256);
    return verify(auth, "AWS4-HMAC-SHA256-TRAILER", "", sha256, signature);
}
