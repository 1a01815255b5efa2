/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the body of a PUT travels; see payload.h.
 *
 * (1) All bodies of a payload have the same segments: only digits in them differ.
 * (2) The stamp of a body lies in its last chunk, so that the digests of all others are made once.
 */
#include "tests/bench/payload.h"

#include <assert.h>
#include <stdio.h>

#include "base/text/codec.h"
#include "tests/bench/midstate.h"

#define HASH_LEN (2 * SHA256_BYTES)
#define TRAILER_NAME "x-amz-checksum-crc32"

struct payload {
    enum payload_form form;
    const struct content *content;
    const struct signer *signer;
    uint64_t chunk_bytes; /* 0: not chunked */
    uint64_t chunk_count; /* with data */
    char *chunk_hashes;   /* HASH_LEN each, of all chunks but the last */
    struct midstate *last_chunk;
    uint64_t wire_bytes;
    char hash[HASH_LEN];
    char decoded_length[24];
};

static bool is_signed(const struct payload *payload)
{
    return payload->form == PAYLOAD_FORM_CHUNKS || payload->form == PAYLOAD_FORM_CHUNKS_TRAILER;
}

static bool has_trailer(const struct payload *payload)
{
    return payload->form == PAYLOAD_FORM_TRAILER || payload->form == PAYLOAD_FORM_CHUNKS_TRAILER;
}

unsigned payload_digests(const struct options *options)
{
    unsigned digests = options->etag == ETAG_MD5 ? CONTENT_MD5 : CONTENT_PLAIN;

    if (options->auth != AUTH_FORM_HEADER)
        return digests;
    if (options->payload == PAYLOAD_FORM_SIGNED)
        return digests | CONTENT_SHA256;
    if (options->payload == PAYLOAD_FORM_TRAILER || options->payload == PAYLOAD_FORM_CHUNKS_TRAILER)
        return digests | CONTENT_CRC32;
    return digests;
}

void payload_close(struct payload *payload)
{
    if (payload == NULL)
        return;
    midstate_close(payload->last_chunk);
    mem_free(payload->chunk_hashes);
    mem_free(payload);
}

void payload_closep(struct payload **payload)
{
    payload_close(*payload);
}

static bool chunks_hash(struct payload *payload)
{
    struct str block = content_block(payload->content);
    uint64_t last = payload->chunk_count - 1;

    if (payload->chunk_count == 0)
        return true;
    payload->chunk_hashes = mem_zalloc((size_t)(last + 1) * HASH_LEN);
    payload->last_chunk = midstate_open(DIGEST_SHA256, block.p + last * payload->chunk_bytes,
                                        block.len - last * payload->chunk_bytes);
    if (payload->chunk_hashes == NULL || payload->last_chunk == NULL)
        return false;

    for (uint64_t i = 0; i < last; i++) {
        uint8_t digest[SHA256_BYTES];

        digest_once(DIGEST_SHA256, str_slice(block, i * payload->chunk_bytes, payload->chunk_bytes),
                    digest);
        hex_encode(digest, sizeof(digest), payload->chunk_hashes + i * HASH_LEN);
    }
    return true;
}

struct payload *payload_open(const struct options *options, const struct content *content,
                             const struct signer *signer, struct fault *fault)
{
    CLEANUP(payload_closep) struct payload *payload = mem_zalloc(sizeof(*payload));
    struct payload *taken = payload;
    uint64_t bytes = content_bytes(content);

    if (payload == NULL)
        return NULL;
    payload->form = (enum payload_form)options->payload;
    if (options->auth != AUTH_FORM_HEADER)
        payload->form = PAYLOAD_FORM_UNSIGNED;
    payload->content = content;
    payload->signer = signer;

    if (is_signed(payload))
        payload->chunk_bytes = PAYLOAD_SIGNED_CHUNK_BYTES;
    else if (has_trailer(payload))
        payload->chunk_bytes = PAYLOAD_UNSIGNED_CHUNK_BYTES;
    if (payload->chunk_bytes > 0) {
        uint64_t rest = bytes % payload->chunk_bytes;

        payload->chunk_count = (bytes + payload->chunk_bytes - 1) / payload->chunk_bytes;
        if (payload->chunk_count > 1 && rest > 0 && rest < CONTENT_STAMP_BYTES) {
            (void)fault_set(fault, 0, "--size leaves less than %d bytes in the last chunk",
                            CONTENT_STAMP_BYTES);
            return NULL;
        }
        if (!chunks_hash(payload))
            return NULL;
    }

    (void)snprintf(payload->decoded_length, sizeof(payload->decoded_length), "%llu",
                   (unsigned long long)bytes);
    payload = NULL;
    return taken;
}

/* A signature of the chain; `previous` is replaced by it. hash: of the data, as digits. */
static void chain(const struct payload *payload, char previous[SIGN_SIGNATURE_LEN],
                  const char *hash)
{
    char rest[3 * HASH_LEN + 2];

    memcpy(rest, previous, HASH_LEN);
    rest[HASH_LEN] = '\n';
    memcpy(rest + HASH_LEN + 1, sign_empty_sha256().p, HASH_LEN);
    rest[2 * HASH_LEN + 1] = '\n';
    memcpy(rest + 2 * HASH_LEN + 2, hash, HASH_LEN);
    sign_text(payload->signer, "AWS4-HMAC-SHA256-PAYLOAD", str_make(rest, sizeof(rest)), previous);
}

static void chunk_head(const struct payload *payload, uint32_t number, uint64_t index, uint64_t len,
                       char previous[SIGN_SIGNATURE_LEN], struct buf *out)
{
    char stamp[CONTENT_STAMP_BYTES];
    uint8_t digest[SHA256_BYTES];
    char hash[HASH_LEN];

    buf_printf(out, "%llx", (unsigned long long)len);
    if (is_signed(payload)) {
        if (len == 0) {
            memcpy(hash, sign_empty_sha256().p, HASH_LEN);
        } else if (index + 1 < payload->chunk_count) {
            memcpy(hash, payload->chunk_hashes + index * HASH_LEN, HASH_LEN);
        } else {
            midstate_final(payload->last_chunk,
                           str_make(stamp, content_stamp(payload->content, number, stamp)), digest);
            hex_encode(digest, sizeof(digest), hash);
        }
        chain(payload, previous, hash);
        buf_lit(out, ";chunk-signature=");
        buf_append(out, previous, SIGN_SIGNATURE_LEN);
    }
    buf_lit(out, "\r\n");
}

static void trailer(const struct payload *payload, uint32_t number, const char *previous,
                    struct buf *out)
{
    uint8_t crc[4];
    char text[BASE64_LEN(4)];
    char line[64];
    uint8_t digest[SHA256_BYTES];
    char rest[2 * HASH_LEN + 1];
    char signature[SIGN_SIGNATURE_LEN];
    int len;

    content_crc32(payload->content, number, crc);
    base64_encode(crc, sizeof(crc), text);
    len = snprintf(line, sizeof(line), TRAILER_NAME ":%.*s\n", (int)sizeof(text), text);
    assert(len > 0 && (size_t)len < sizeof(line));
    buf_append(out, line, (size_t)len - 1);
    buf_lit(out, "\r\n");
    if (!is_signed(payload))
        return;

    digest_once(DIGEST_SHA256, str_make(line, (size_t)len), digest);
    memcpy(rest, previous, HASH_LEN);
    rest[HASH_LEN] = '\n';
    hex_encode(digest, sizeof(digest), rest + HASH_LEN + 1);
    sign_text(payload->signer, "AWS4-HMAC-SHA256-TRAILER", str_make(rest, sizeof(rest)), signature);
    buf_printf(out, "x-amz-trailer-signature:%.*s\r\n", SIGN_SIGNATURE_LEN, signature);
}

/* A text segment up to here, then one of the block. cuts may be NULL: only the text is wanted. */
struct cuts {
    struct segment *segments;
    size_t count;
    uint64_t text_at;
};

static void cut(struct cuts *cuts, const struct buf *text, uint64_t block_len)
{
    if (cuts == NULL)
        return;
    cuts->segments[cuts->count++] = (struct segment){ false, text->len - cuts->text_at };
    cuts->text_at = text->len;
    cuts->segments[cuts->count++] = (struct segment){ true, block_len };
}

static void body_write(struct payload *payload, uint32_t number, const char *signature,
                       struct buf *out, struct cuts *cuts)
{
    char previous[SIGN_SIGNATURE_LEN];
    char stamp[CONTENT_STAMP_BYTES];
    size_t stamp_len = content_stamp(payload->content, number, stamp);
    uint64_t bytes = content_bytes(payload->content);

    memcpy(previous, signature, sizeof(previous));
    if (payload->chunk_bytes == 0) {
        cut(cuts, out, bytes - stamp_len);
        buf_append(out, stamp, stamp_len);
        cut(cuts, out, 0);
        return;
    }

    for (uint64_t i = 0; i < payload->chunk_count; i++) {
        bool last = i + 1 == payload->chunk_count;
        uint64_t len = u64_min(payload->chunk_bytes, bytes - i * payload->chunk_bytes);

        chunk_head(payload, number, i, len, previous, out);
        cut(cuts, out, last ? len - stamp_len : len);
        if (last)
            buf_append(out, stamp, stamp_len);
        buf_lit(out, "\r\n");
    }
    chunk_head(payload, number, payload->chunk_count, 0, previous, out);
    if (has_trailer(payload))
        trailer(payload, number, previous, out);
    buf_lit(out, "\r\n");
    cut(cuts, out, 0);
}

bool payload_shape(struct payload *payload, struct shape *shape)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(PLAN_ONE_BYTES_MAX);
    struct cuts cuts = { 0 };

    cuts.segments = mem_zalloc((size_t)(2 * payload->chunk_count + 4) * sizeof(struct segment));
    if (cuts.segments == NULL)
        return false;
    shape->segments = cuts.segments;
    body_write(payload, 0, sign_empty_sha256().p, &text, &cuts);
    shape->segment_count = cuts.count;

    payload->wire_bytes = 0;
    for (size_t i = 0; i < cuts.count; i++)
        payload->wire_bytes += cuts.segments[i].len;
    return !text.failed;
}

void payload_call(struct payload *payload, uint32_t number, struct sign_call *call)
{
    uint8_t digest[SHA256_BYTES];

    call->content_length = payload->wire_bytes;
    switch (payload->form) {
    case PAYLOAD_FORM_SIGNED:
        content_sha256(payload->content, number, digest);
        hex_encode(digest, sizeof(digest), payload->hash);
        call->payload = str_make(payload->hash, HASH_LEN);
        return;
    case PAYLOAD_FORM_UNSIGNED:
        call->payload = STR("UNSIGNED-PAYLOAD");
        return;
    case PAYLOAD_FORM_TRAILER:
        call->payload = STR("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        break;
    case PAYLOAD_FORM_CHUNKS:
        call->payload = STR("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
        break;
    case PAYLOAD_FORM_CHUNKS_TRAILER:
        call->payload = STR("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
        break;
    }

    sign_call_add(call, STR("content-encoding"), STR("aws-chunked"));
    sign_call_add(call, STR("x-amz-decoded-content-length"),
                  str_from_cstr(payload->decoded_length));
    if (has_trailer(payload))
        sign_call_add(call, STR("x-amz-trailer"), STR(TRAILER_NAME));
}

void payload_text(struct payload *payload, uint32_t number, const char *signature, struct buf *out)
{
    body_write(payload, number, signature, out, NULL);
}
