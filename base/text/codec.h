/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text encodings of bytes: hexadecimal, base64 and percent-encoding.
 *
 * Decoders are strict and say so by false; nothing is guessed.
 */
#ifndef BASE_TEXT_CODEC_H
#define BASE_TEXT_CODEC_H

#include "base/arena.h"
#include "base/text/buf.h"

/* Of a digit in either case; -1: it is none. */
int hex_value(char c);
/* Lower-case; out holds 2 * len bytes, no NUL is added. */
void hex_encode(const void *bytes, size_t len, char *out);
/* Both cases; false unless s.len == 2 * out_len and all are digits. */
MUST_CHECK bool hex_decode(struct str s, void *out, size_t out_len);

#define BASE64_LEN(bytes) ((((bytes) + 2) / 3) * 4)
/* Standard alphabet with padding; out holds BASE64_LEN(len) bytes, no NUL. */
void base64_encode(const void *bytes, size_t len, char *out);
/*
 * Strict: length a multiple of 4, padding only at the end, no blanks.
 * out_max: room in out. ret_len: bytes written.
 */
MUST_CHECK bool base64_decode(struct str s, void *out, size_t out_max, size_t *ret_len);

enum uri_keep {
    URI_KEEP_NONE = 0,  /* encode all but A-Z a-z 0-9 - . _ ~ */
    URI_KEEP_SLASH = 1, /* also leave / */
    URI_LISTED = 2,     /* as S3's listings have it: all but A-Z a-z 0-9 - . _ * /, a blank is + */
};

/* Percent-encode with upper-case digits, as SigV4's UriEncode does. */
void uri_encode(struct buf *out, struct str s, enum uri_keep keep);

/*
 * Percent-decode into the arena; '+' is a blank, as S3 reads every URL and form-encoded header.
 * False for a bad escape ("%", "%2", "%zz") or lack of memory. Bytes are not interpreted: %00
 * gives a NUL that the caller must judge.
 */
MUST_CHECK bool uri_decode(struct arena *arena, struct str s, struct str *ret_text);
/* What uri_decode makes of s, encoded again. False: a bad escape; then out has the text before it. */
MUST_CHECK bool uri_recode(struct buf *out, struct str s, enum uri_keep keep);

#endif
