/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Body sink; see sink.h.
 */
#include "server/s3/sink.h"

#include "base/text/codec.h"
#include "server/s3/encryption/method.h"
#include "server/s3/refuse.h"
#include "server/s3/request/attrs.h"
#include "server/s3/routes.h"
#include "server/s3/store_map.h"

struct sink {
    bool streaming; /* aws-chunked */
    bool signed_chunks;
    uint64_t max_bytes;
    uint64_t received; /* decoded bytes */
    bool has_decoded_length;
    uint64_t decoded_length;
    struct aws_chunked *decoder; /* when streaming; large */

    struct buf memory;     /* TAKES_BUFFER */
    struct digest *sha256; /* payload hash when no body writer computes it */
    struct digest *chunk_sha256;
    struct str chunk_signature;
    char chunk_signature_text[64];

    bool has_md5;
    uint8_t md5[MD5_BYTES];
    uint8_t checksum[CHECKSUM_BYTES_MAX]; /* expected, when has_checksum */
    bool has_checksum;
    enum checksum_kind trailer_kind; /* announced by x-amz-trailer */
    struct str trailer_checksum;     /* its value: the last of that name, STR_NONE before it came */
    struct buf trailer_lines;        /* what a trailer signature covers */
    struct str trailer_signature;
};

/* ---- what the headers claim ------------------------------------------------------------------- */

static enum s3_error read_content_md5(struct op *op, struct sink *sink)
{
    struct str text = op_header(op, "content-md5");
    size_t len;

    if (!str_present(text))
        return S3_OK;
    if (!base64_decode(text, sink->md5, sizeof(sink->md5), &len) || len != MD5_BYTES)
        return op_fail(op, S3_InvalidDigest, text);
    sink->has_md5 = true;
    return S3_OK;
}

static bool is_checksum_control(struct str suffix)
{
    return str_eq_nocase(suffix, STR("algorithm")) || str_eq_nocase(suffix, STR("type")) ||
           str_eq_nocase(suffix, STR("mode"));
}

/* Names stand in messages as S3 writes them, whatever the client's case was. */
static enum s3_error set_expected(struct op *op, struct sink *sink, enum checksum_kind kind,
                                  struct str text, const char *where)
{
    size_t len;

    if (!base64_decode(text, sink->checksum, sizeof(sink->checksum), &len) ||
        len != checksum_bytes(kind))
        return op_fail_text(op, S3_InvalidRequest,
                            arena_printf(op->arena, "Value for x-amz-checksum-%.*s %s is invalid.",
                                         STR_ARG(checksum_header_suffix(kind)), where));
    sink->has_checksum = true;
    return S3_OK;
}

static enum s3_error read_checksum_headers(struct op *op, struct sink *sink)
{
    struct str prefix = STR("x-amz-checksum-");
    struct str value = STR_NONE;
    size_t count = 0;

    for (size_t i = 0; i < op->request->field_count; i++) {
        const struct http_field *field = &op->request->fields[i];
        struct str suffix = str_skip(field->name, prefix.len);

        if (!str_starts_nocase(field->name, prefix) || is_checksum_control(suffix))
            continue;
        op->checksum_kind = checksum_from_header_suffix(suffix);
        if (op->checksum_kind == CHECKSUM_NONE)
            return op_fail_text(op, S3_InvalidRequest,
                                STR("The algorithm type you specified in x-amz-checksum- header is "
                                    "invalid."));
        value = field->value;
        count++;
    }
    if (count > 1)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Expecting a single x-amz-checksum- header. Multiple checksum "
                                "Types are not allowed."));
    if (count == 0)
        return S3_OK;
    op->checksum_given = true;
    return set_expected(op, sink, op->checksum_kind, value, "header");
}

static enum s3_error announce_trailer(struct op *op, struct sink *sink, struct str name)
{
    struct str prefix = STR("x-amz-checksum-");
    enum checksum_kind kind = checksum_from_header_suffix(str_skip(name, prefix.len));

    if (!str_starts_nocase(name, prefix) || kind == CHECKSUM_NONE)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The value specified in the x-amz-trailer header is not "
                                "supported"));
    if (sink->has_checksum || sink->trailer_kind != CHECKSUM_NONE)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Expecting a single x-amz-checksum- header"));
    sink->trailer_kind = kind;
    op->checksum_kind = kind;
    op->checksum_given = true;
    return S3_OK;
}

/* A list, as in RFC 9110 §5.6.1: empty elements, a comma at its end, say nothing. */
static enum s3_error read_trailer_headers(struct op *op, struct sink *sink)
{
    enum s3_error err = S3_OK;

    for (size_t i = 0; i < op->request->field_count && err == S3_OK; i++) {
        struct str rest = op->request->fields[i].value;
        struct str name;

        if (!str_eq_nocase(op->request->fields[i].name, STR("x-amz-trailer")))
            continue;
        while (err == S3_OK && str_next(&rest, ',', &name)) {
            name = str_trim(name);
            if (name.len > 0)
                err = announce_trailer(op, sink, name);
        }
    }
    return err;
}

static enum s3_error read_sdk_algorithm(struct op *op)
{
    struct str name = op_header(op, "x-amz-sdk-checksum-algorithm");
    enum checksum_kind kind;

    if (!str_present(name))
        return S3_OK;
    kind = checksum_from_name(name);
    if (kind == CHECKSUM_NONE || (op->checksum_given && op->checksum_kind != kind))
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Value for x-amz-sdk-checksum-algorithm header is invalid."));
    if (op->checksum_given)
        return S3_OK;
    return op_fail_text(op, S3_InvalidRequest,
                        STR("x-amz-sdk-checksum-algorithm specified, but no corresponding "
                            "x-amz-checksum-* or x-amz-trailer headers were found."));
}

/* What is no length S3 could count with is none. */
static enum s3_error read_decoded_length(struct op *op, struct sink *sink)
{
    struct str text = op_header(op, "x-amz-decoded-content-length");

    if (!sink->streaming)
        return S3_OK;
    if (!str_to_u64(text, &sink->decoded_length) || sink->decoded_length > INT64_MAX)
        return op_fail(op, S3_MissingContentLength);
    sink->has_decoded_length = true;
    return S3_OK;
}

static enum s3_error read_claims(struct op *op, struct sink *sink)
{
    enum s3_error err = read_content_md5(op, sink);

    if (err == S3_OK && (op->route->flags & ROUTE_OF_OBJECT) == 0)
        err = read_checksum_headers(op, sink);
    if (err == S3_OK)
        err = read_trailer_headers(op, sink);
    if (err == S3_OK && (op->route->flags & ROUTE_OF_OBJECT) == 0)
        err = read_sdk_algorithm(op);
    if (err == S3_OK)
        err = read_decoded_length(op, sink);
    if (err != S3_OK)
        return err;
    if ((op->route->flags & ROUTE_CHECKSUM) != 0 && !sink->has_md5 && !op->checksum_given)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Missing required header for this request: Content-MD5 OR "
                                "x-amz-checksum-*"));
    return S3_OK;
}

/* ---- aws-chunked events ------------------------------------------------------------------------ */

static enum s3_error take(struct op *op, const void *bytes, size_t len);

/* The framing ends before the body does, or the body before the framing. */
static enum s3_error fail_terminated(struct op *op)
{
    return op_fail_text(op, S3_IncompleteBody, STR("The request body terminated unexpectedly"));
}

static struct str decimal(struct op *op, uint64_t value)
{
    return arena_printf(op->arena, "%llu", (unsigned long long)value);
}

static enum s3_error fail_length(struct op *op, uint64_t provided)
{
    return op_fail(op, S3_IncompleteBody, decimal(op, op->sink->decoded_length),
                   decimal(op, provided));
}

static bool on_chunk_begin(void *context, uint64_t size, struct str signature)
{
    struct op *op = context;
    struct sink *sink = op->sink;

    if (size > sink->decoded_length - sink->received) {
        (void)fail_length(op, sink->received + size);
        return false;
    }
    if (!sink->signed_chunks)
        return true;
    if (signature.len != sizeof(sink->chunk_signature_text)) {
        (void)op_fail(op, S3_SignatureDoesNotMatch);
        return false;
    }
    memcpy(sink->chunk_signature_text, signature.p, signature.len);
    sink->chunk_signature = str_make(sink->chunk_signature_text, signature.len);
    digest_reset(sink->chunk_sha256);
    return true;
}

static bool on_chunk_data(void *context, const void *bytes, size_t len)
{
    struct op *op = context;

    if (op->sink->signed_chunks)
        digest_update(op->sink->chunk_sha256, bytes, len);
    return take(op, bytes, len) == S3_OK;
}

static bool on_chunk_end(void *context)
{
    struct op *op = context;
    uint8_t sha256[SHA256_BYTES];

    if (!op->sink->signed_chunks)
        return true;
    digest_final(op->sink->chunk_sha256, sha256);
    if (op->auth.audited || auth_chunk_verify(&op->auth, sha256, op->sink->chunk_signature))
        return true;
    (void)op_fail(op, S3_SignatureDoesNotMatch);
    return false;
}

static bool on_trailer(void *context, struct str name, struct str value)
{
    struct op *op = context;
    struct sink *sink = op->sink;
    struct str prefix = STR("x-amz-checksum-");

    if (str_eq(name, STR("x-amz-trailer-signature"))) {
        sink->trailer_signature = arena_dup(op->arena, value);
        return true;
    }
    buf_str(&sink->trailer_lines, name);
    buf_char(&sink->trailer_lines, ':');
    buf_str(&sink->trailer_lines, value);
    buf_char(&sink->trailer_lines, '\n');
    if (sink->trailer_kind == CHECKSUM_NONE || !str_starts(name, prefix) ||
        checksum_from_header_suffix(str_skip(name, prefix.len)) != sink->trailer_kind) {
        (void)op_fail(op, S3_MalformedTrailerError);
        return false;
    }
    sink->trailer_checksum = arena_dup(op->arena, value);
    return true;
}

/* ---- open, feed, finish ------------------------------------------------------------------------ */

enum s3_error sink_open_writer(struct op *op)
{
    const struct sink *sink = op->sink;
    struct body_options options = {
        .group = op->bodies,
        .account = op->bucket.owner,
        .encrypt = op->attrs.sse != SSE_NONE,
        .want_sha256 = op->auth.payload == PAYLOAD_HEX,
        .expected_bytes = sink != NULL && sink->has_decoded_length ? sink->decoded_length
                                                                   : op->request->content_length,
    };

    encryption_options(op, &options);
    if (op->checksum_kind == CHECKSUM_NONE)
        op->checksum_kind = CHECKSUM_CRC64NVME;
    options.checksum_kinds = 1u << op->checksum_kind | 1u << op->kept_kind;
    return s3_from_store(op, body_writer_open(op->store, &options, &op->writer, &op->fault));
}

static uint64_t claimed_bytes(const struct op *op, const struct sink *sink)
{
    if (sink->has_decoded_length)
        return sink->decoded_length;
    return op->request->has_content_length ? op->request->content_length : 0;
}

static enum s3_error too_large(struct op *op, struct sink *sink, uint64_t bytes)
{
    if (op->route->body == TAKES_BUFFER && (op->route->flags & ROUTE_WHOLE) == 0)
        return op_fail(op, S3_MaxMessageLengthExceeded, decimal(op, sink->max_bytes));
    return op_fail(op, S3_EntityTooLarge, decimal(op, bytes), decimal(op, sink->max_bytes));
}

enum s3_error sink_open(struct op *op, uint64_t max_bytes)
{
    struct sink *sink = ARENA_NEW(op->arena, struct sink);
    enum s3_error err = S3_OK;

    if (sink == NULL)
        return op_fail(op, S3_SlowDown);
    op->sink = sink;
    /* Who takes no body does not look at what is said of one either. */
    if (op->route->body == TAKES_NOTHING)
        op->auth.payload = PAYLOAD_ABSENT;
    sink->max_bytes = max_bytes;
    sink->trailer_lines = BUF_WITH_MAX(AWS_CHUNK_TRAILER_BYTES_MAX);
    sink->streaming = ((unsigned)op->auth.payload & PAYLOAD_STREAMING) != 0;
    sink->signed_chunks = op->auth.payload == PAYLOAD_SIGNED_CHUNKS ||
                          op->auth.payload == PAYLOAD_SIGNED_TRAILER;

    if (op->route->body != TAKES_NOTHING)
        err = read_claims(op, sink);
    if (err != S3_OK)
        return err;
    if (claimed_bytes(op, sink) > max_bytes)
        return too_large(op, sink, claimed_bytes(op, sink));
    /* Of plain bytes no more than Content-Length can come: none of the budget is taken for nothing. */
    if (op->route->body == TAKES_BUFFER)
        sink->memory = BUF_WITH_MAX(!sink->streaming && op->request->has_content_length
                                        ? op->request->content_length
                                        : max_bytes);
    if (sink->streaming) {
        struct aws_chunked_events events = { op, on_chunk_begin, on_chunk_data, on_chunk_end,
                                             on_trailer };

        sink->decoder = ARENA_NEW(op->arena, struct aws_chunked);
        if (sink->decoder == NULL)
            return op_fail(op, S3_SlowDown);
        aws_chunked_init(sink->decoder, &events, sink->signed_chunks,
                         op->auth.payload != PAYLOAD_SIGNED_CHUNKS);
    }
    if (sink->signed_chunks && (sink->chunk_sha256 = digest_open(DIGEST_SHA256)) == NULL)
        return op_fail(op, S3_SlowDown);
    if (op->route->body != TAKES_STREAM && op->auth.payload == PAYLOAD_HEX &&
        (sink->sha256 = digest_open(DIGEST_SHA256)) == NULL)
        return op_fail(op, S3_SlowDown);
    return S3_OK;
}

/*
 * How large a form's file is is known when it has come. What would be drained anyway is counted,
 * so that the refusal can say it.
 */
static bool counts_on(const struct op *op)
{
    return op->route->body == TAKES_FORM &&
           op->exchange->request->content_length <= HTTP_SWALLOW_BYTES_MAX;
}

/* Room for more bytes in memory, paid for before it is taken. */
static bool take_memory(struct op *op, struct buf *memory, size_t more)
{
    size_t before = memory->capacity;
    size_t after = buf_capacity_for(memory, more);

    if (after == before)
        return true;
    return after > before && op_hold(op, after - before) && buf_reserve(memory, more);
}

/* Decoded bytes, in order. */
static enum s3_error take(struct op *op, const void *bytes, size_t len)
{
    struct sink *sink = op->sink;

    sink->received += len;
    if (sink->received > sink->max_bytes)
        return counts_on(op) ? S3_OK : too_large(op, sink, sink->received);
    if (op->writer != NULL)
        return s3_from_store(op, body_writer_append(op->writer, bytes, len, &op->fault));
    if (sink->sha256 != NULL)
        digest_update(sink->sha256, bytes, len);
    if (op->route->body != TAKES_BUFFER)
        return S3_OK;
    if (!take_memory(op, &sink->memory, len))
        return op_fail(op, S3_SlowDown);
    buf_append(&sink->memory, bytes, len);
    return S3_OK;
}

static enum s3_error from_chunked(struct op *op, enum aws_chunked_result result)
{
    switch (result) {
    case AWS_CHUNKED_OK:
        return S3_OK;
    case AWS_CHUNKED_REFUSED:
        return op->refusal.error;
    case AWS_CHUNKED_SMALL_CHUNK:
        return op_fail(op, S3_InvalidChunkSizeError, decimal(op, op->sink->decoder->chunk_count),
                       decimal(op, op->sink->decoder->chunk_bytes));
    case AWS_CHUNKED_BAD_TRAILER:
        return op_fail(op, S3_MalformedTrailerError);
    case AWS_CHUNKED_MALFORMED:
    case AWS_CHUNKED_TOO_LONG:
        break;
    }
    return fail_terminated(op);
}

enum s3_error sink_feed(struct op *op, const void *bytes, size_t len)
{
    if (op->sink->streaming)
        return from_chunked(op, aws_chunked_feed(op->sink->decoder, bytes, len));
    return take(op, bytes, len);
}

static struct str base64_text(struct op *op, const uint8_t *bytes, size_t len)
{
    char *text = arena_alloc(op->arena, BASE64_LEN(len));

    if (text == NULL)
        return STR_NONE;
    base64_encode(bytes, len, text);
    return str_make(text, BASE64_LEN(len));
}

static struct str hex_text(struct op *op, const uint8_t *bytes, size_t len)
{
    char *text = arena_alloc(op->arena, 2 * len);

    if (text == NULL)
        return STR_NONE;
    hex_encode(bytes, len, text);
    return str_make(text, 2 * len);
}

/* Digests of a body that no body writer saw. */
static void digest_memory(struct op *op, struct sink *sink)
{
    struct str bytes = buf_view(&sink->memory);

    op->digests.size_bytes = sink->received;
    if (sink->has_md5)
        digest_once(DIGEST_MD5, bytes, op->digests.md5);
    if (sink->sha256 != NULL)
        digest_final(sink->sha256, op->digests.sha256);
    if (sink->has_checksum)
        checksum_once(op->checksum_kind, bytes, op->digests.checksum[op->checksum_kind]);
}

static enum s3_error check_sha256(struct op *op)
{
    char computed[2 * SHA256_BYTES];

    if (op->auth.payload != PAYLOAD_HEX)
        return S3_OK;
    hex_encode(op->digests.sha256, SHA256_BYTES, computed);
    if (str_eq_nocase(op->auth.payload_claim, str_make(computed, sizeof(computed))))
        return S3_OK;
    return op_fail(op, S3_XAmzContentSHA256Mismatch, op->auth.payload_claim,
                   hex_text(op, op->digests.sha256, SHA256_BYTES));
}

/* S3 shows what a whole object's upload claimed in hexadecimal, what others claimed in base64. */
static enum s3_error check_md5(struct op *op, const struct sink *sink)
{
    bool whole = op->route->flags & ROUTE_WHOLE;

    if (!sink->has_md5 || memcmp(sink->md5, op->digests.md5, MD5_BYTES) == 0)
        return S3_OK;
    return op_fail_text(op, S3_BadDigest,
                        STR("The Content-MD5 you specified did not match what we received."),
                        whole ? hex_text(op, sink->md5, MD5_BYTES)
                              : base64_text(op, sink->md5, MD5_BYTES),
                        base64_text(op, op->digests.md5, MD5_BYTES));
}

static enum s3_error check_claims(struct op *op, struct sink *sink)
{
    enum s3_error err = check_sha256(op);

    if (err == S3_OK)
        err = check_md5(op, sink);
    if (err != S3_OK || !sink->has_checksum ||
        memcmp(sink->checksum, op->digests.checksum[op->checksum_kind],
               checksum_bytes(op->checksum_kind)) == 0)
        return err;
    return op_fail_text(op, S3_BadDigest,
                        arena_printf(op->arena,
                                     "The %.*s you specified did not match the calculated "
                                     "checksum.",
                                     STR_ARG(checksum_name(op->checksum_kind))));
}

static enum s3_error check_trailers(struct op *op, struct sink *sink)
{
    bool sign = op->auth.payload == PAYLOAD_SIGNED_TRAILER;

    /* Where trailers are signed S3 waits for one; where they are not it looks at what there is. */
    if (sink->trailer_kind != CHECKSUM_NONE && !str_present(sink->trailer_checksum))
        return sign ? fail_terminated(op) : op_fail(op, S3_MalformedTrailerError);
    if (sign && !op->auth.audited &&
        !auth_trailer_verify(&op->auth, buf_view(&sink->trailer_lines), sink->trailer_signature))
        return op_fail(op, S3_SignatureDoesNotMatch);
    if (sink->trailer_kind == CHECKSUM_NONE)
        return S3_OK;
    return set_expected(op, sink, sink->trailer_kind, sink->trailer_checksum, "trailing header");
}

static enum s3_error check_framing(struct op *op, struct sink *sink)
{
    enum s3_error err;

    if (!sink->streaming)
        return S3_OK;
    err = from_chunked(op, aws_chunked_finish(sink->decoder));
    if (err != S3_OK)
        return err;
    if (sink->received != sink->decoded_length)
        return fail_length(op, sink->received);
    return check_trailers(op, sink);
}

enum s3_error sink_finish(struct op *op)
{
    struct sink *sink = op->sink;
    enum s3_error err = check_framing(op, sink);

    if (err != S3_OK)
        return err;
    if (sink->received > sink->max_bytes)
        return too_large(op, sink, sink->received);
    if (op->writer != NULL) {
        err = s3_from_store(op, body_writer_finish(op->writer, &op->digests, &op->fault));
        if (err != S3_OK)
            return err;
    } else {
        digest_memory(op, sink);
    }
    op->body = buf_view(&sink->memory);
    return check_claims(op, sink);
}

void sink_close(struct op *op)
{
    struct sink *sink = op->sink;

    if (sink == NULL)
        return;
    buf_free(&sink->memory);
    buf_free(&sink->trailer_lines);
    digest_close(sink->sha256);
    digest_close(sink->chunk_sha256);
    op->sink = NULL;
}
