/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encrypted bodies: AES-256-GCM in frames, so that any range can be read and checked alone.
 *
 * (1) The data key belongs to one body only, so a frame's number is a sufficient nonce.
 * (2) The nonce also says whether a frame is the last: a body cut at a frame border, or one that
 *     goes on behind its end, does not open.
 * (3) A body of n plain bytes is ceil(n / 64 KiB) frames, each with a tag of 16 bytes; no frame is
 *     empty, and an empty body has none.
 */
#ifndef STORAGE_BLOBS_FRAMES_H
#define STORAGE_BLOBS_FRAMES_H

#include "base/digest/digest.h"

#define FRAME_PLAIN_BYTES 65536u
#define FRAME_STORED_BYTES (FRAME_PLAIN_BYTES + AES_GCM_TAG_BYTES)

uint64_t frames_stored_size(uint64_t plain_bytes);
/* False for a size that no plain size gives. */
MUST_CHECK bool frames_plain_size(uint64_t stored_bytes, uint64_t *ret_plain);

/* out holds len + AES_GCM_TAG_BYTES; len is 1..FRAME_PLAIN_BYTES. */
void frame_seal(const uint8_t key[AES_KEY_BYTES], uint64_t number, bool last, const void *plain,
                size_t len, void *out);
/* stored_len includes the tag; out holds the rest. False: not what was sealed. */
MUST_CHECK bool frame_open(const uint8_t key[AES_KEY_BYTES], uint64_t number, bool last,
                           const void *stored, size_t stored_len, void *out);

#endif
