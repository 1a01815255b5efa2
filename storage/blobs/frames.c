/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of encrypted bodies; see frames.h.
 *
 *   nonce = last (1 byte) | zero (3 bytes) | number (8 bytes, big-endian)
 */
#include "storage/blobs/frames.h"

uint64_t frames_stored_size(uint64_t plain_bytes)
{
    uint64_t frames = plain_bytes / FRAME_PLAIN_BYTES + (plain_bytes % FRAME_PLAIN_BYTES != 0);

    return plain_bytes + frames * AES_GCM_TAG_BYTES;
}

bool frames_plain_size(uint64_t stored_bytes, uint64_t *ret_plain)
{
    uint64_t rest = stored_bytes % FRAME_STORED_BYTES;

    if (rest != 0 && rest <= AES_GCM_TAG_BYTES)
        return false;

    *ret_plain = stored_bytes / FRAME_STORED_BYTES * FRAME_PLAIN_BYTES +
                 (rest != 0 ? rest - AES_GCM_TAG_BYTES : 0);
    return true;
}

static void make_nonce(uint64_t number, bool last, uint8_t nonce[AES_GCM_NONCE_BYTES])
{
    memset(nonce, 0, AES_GCM_NONCE_BYTES);
    nonce[0] = last ? 1 : 0;
    for (int i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(number >> (56 - 8 * i));
}

void frame_seal(const uint8_t key[AES_KEY_BYTES], uint64_t number, bool last, const void *plain,
                size_t len, void *out)
{
    uint8_t nonce[AES_GCM_NONCE_BYTES];

    make_nonce(number, last, nonce);
    aes_gcm_seal(key, nonce, STR_NONE, plain, len, out, (uint8_t *)out + len);
}

bool frame_open(const uint8_t key[AES_KEY_BYTES], uint64_t number, bool last, const void *stored,
                size_t stored_len, void *out)
{
    uint8_t nonce[AES_GCM_NONCE_BYTES];
    size_t len = stored_len - AES_GCM_TAG_BYTES;

    if (stored_len <= AES_GCM_TAG_BYTES)
        return false;

    make_nonce(number, last, nonce);
    return aes_gcm_open(key, nonce, STR_NONE, stored, len, out, (const uint8_t *)stored + len);
}
