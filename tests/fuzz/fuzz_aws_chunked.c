/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws-chunked bodies: a byte of form (bit 0 signed chunks, bit 1 trailers, bit 2 refuse early), a
 * byte that seeds the splits, then the body.
 *
 * (1) What is decoded does not depend on how the body was split: the log of events and the result
 *     of one whole feed, of single bytes and of odd pieces are equal.
 * (2) Data handed out are exactly the sizes announced; a body is good only with its final chunk.
 */
#include "server/http/parse/aws_chunked.h"
#include "tests/fuzz/fuzz.h"

#define LOG_BYTES_MAX (8u << 20)

struct log {
    struct buf text;
    uint64_t announced, data, chunk;
    unsigned begun, ended, trailers;
    unsigned refuse_at; /* chunk that the callback refuses; 0: none */
    bool ended_final;
    bool last_was_data;
};

static bool on_begin(void *context, uint64_t size, struct str signature)
{
    struct log *log = context;

    FUZZ_CHECK(!log->ended_final, "a chunk after the final one");
    FUZZ_CHECK(log->begun == log->ended, "a chunk inside a chunk");
    FUZZ_CHECK(log->data == log->announced, "the chunk before was not whole");
    FUZZ_CHECK(!str_present(signature) || signature.len > 0, "an empty signature");
    FUZZ_CHECK(log->begun == 0 || size == 0 || log->chunk >= AWS_CHUNK_BYTES_MIN,
               "%llu bytes before another chunk", (unsigned long long)log->chunk);
    log->chunk = size;
    fuzz_touch(signature);
    log->begun++;
    log->announced += size;
    log->last_was_data = false;
    buf_printf(&log->text, "[%llu %.*s]", (unsigned long long)size, STR_ARG(signature));
    return log->begun != log->refuse_at;
}

static bool on_data(void *context, const void *bytes, size_t len)
{
    struct log *log = context;

    FUZZ_CHECK(len > 0, "no data");
    FUZZ_CHECK(log->begun == log->ended + 1, "data outside a chunk");
    log->data += len;
    FUZZ_CHECK(log->data <= log->announced, "more data than announced");
    buf_append(&log->text, bytes, len);
    return true;
}

static bool on_end(void *context)
{
    struct log *log = context;

    FUZZ_CHECK(log->data == log->announced, "an end before all data");
    log->ended++;
    FUZZ_CHECK(log->begun == log->ended, "an end without a chunk");
    buf_lit(&log->text, "|");
    return true;
}

static bool on_trailer(void *context, struct str name, struct str value)
{
    struct log *log = context;

    FUZZ_CHECK(++log->trailers <= AWS_CHUNK_TRAILERS_MAX, "%u trailers", log->trailers);
    for (size_t i = 0; i < name.len; i++)
        FUZZ_CHECK(name.p[i] < 'A' || name.p[i] > 'Z', "name not lower-cased");
    FUZZ_CHECK(str_trim(value).len == value.len, "value not trimmed");
    for (size_t i = 0; i < value.len; i++)
        FUZZ_CHECK(value.p[i] != '\r' && value.p[i] != '\n' && value.p[i] != '\0', "line end");
    buf_printf(&log->text, "{%.*s:%.*s}", STR_ARG(name), STR_ARG(value));
    return true;
}

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* piece_max 0: all at once. Every piece is a block of its own, so that reading past it is seen. */
static enum aws_chunked_result decode(struct str body, unsigned form, size_t piece_max,
                                      uint64_t seed, struct log *log)
{
    struct aws_chunked_events events = { log, on_begin, on_data, on_end, on_trailer };
    struct aws_chunked decoder;
    enum aws_chunked_result result = AWS_CHUNKED_OK;

    *log = (struct log){ .text = BUF_WITH_MAX(LOG_BYTES_MAX), .refuse_at = (form & 4) ? 2 : 0 };
    aws_chunked_init(&decoder, &events, (form & 1) != 0, (form & 2) != 0);
    while (body.len > 0 && result == AWS_CHUNKED_OK) {
        size_t len = piece_max == 0 ? body.len
                                    : size_min(body.len, 1 + (size_t)(next(&seed) % piece_max));
        char *piece = malloc(len);

        FUZZ_CHECK(piece != NULL, "memory");
        memcpy(piece, body.p, len);
        result = aws_chunked_feed(&decoder, piece, len);
        free(piece);
        body = str_skip(body, len);
    }
    if (result == AWS_CHUNKED_OK)
        result = aws_chunked_finish(&decoder);
    FUZZ_CHECK(result != AWS_CHUNKED_OK || (log->begun > 0 && log->begun == log->ended),
               "good without an end");
    FUZZ_CHECK(decoder.decoded_bytes == log->data, "%llu bytes counted, %llu given",
               (unsigned long long)decoder.decoded_bytes, (unsigned long long)log->data);
    return result;
}

static void compare(struct str body, unsigned form, size_t piece_max, uint64_t seed,
                    enum aws_chunked_result expected, const struct log *whole)
{
    struct log log;
    enum aws_chunked_result result = decode(body, form, piece_max, seed, &log);

    FUZZ_CHECK(result == expected, "split: %d, whole: %d", (int)result, (int)expected);
    FUZZ_CHECK(str_eq(buf_view(&log.text), buf_view(&whole->text)), "split:\n%.*s\nwhole:\n%.*s",
               STR_ARG(buf_view(&log.text)), STR_ARG(buf_view(&whole->text)));
    buf_free(&log.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, size };
    unsigned form = input_byte(&input);
    uint64_t seed = input_byte(&input);
    struct str body = input_rest(&input);
    struct log whole;
    enum aws_chunked_result expected = decode(body, form, 0, 0, &whole);

    compare(body, form, body.len <= 2048 ? 1 : 61, seed, expected, &whole);
    compare(body, form, body.len <= 8192 ? 7 : 499, seed, expected, &whole);
    compare(body, form, 300, seed + 1, expected, &whole);
    buf_free(&whole.text);
    return 0;
}
