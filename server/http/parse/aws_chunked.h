/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoder of the aws-chunked body framing, all four variants, streaming.
 *
 * The decoder knows framing only: sizes, chunk-signature text and trailer lines are handed to
 * callbacks; who signs what is auth's business. Output does not depend on how input is split.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
#ifndef SERVER_HTTP_PARSE_AWS_CHUNKED_H
#define SERVER_HTTP_PARSE_AWS_CHUNKED_H

#include "base/text/str.h"

#define AWS_CHUNK_HEADER_BYTES_MAX 256   /* size, extension and CRLF of one chunk */
#define AWS_CHUNK_TRAILER_BYTES_MAX 8192 /* all trailer lines together */
#define AWS_CHUNK_TRAILERS_MAX 16
#define AWS_CHUNK_BYTES_MIN 8192 /* of every chunk but the last one with data */

enum aws_chunked_result {
    AWS_CHUNKED_OK = 0,
    AWS_CHUNKED_MALFORMED,   /* the framing */
    AWS_CHUNKED_TOO_LONG,    /* a limit above */
    AWS_CHUNKED_SMALL_CHUNK, /* number chunk_count came after one of chunk_bytes, below the minimum */
    AWS_CHUNKED_BAD_TRAILER, /* the framing is right, a trailer line is not */
    AWS_CHUNKED_REFUSED,     /* a callback said no: its own error stands */
};

struct aws_chunked_events {
    void *context;
    /*
     * Start of a chunk: its size and the text after "chunk-signature=", as it stands and never
     * empty (STR_NONE when unsigned).
     */
    bool (*chunk_begin)(void *context, uint64_t size, struct str signature);
    bool (*chunk_data)(void *context, const void *bytes, size_t len);
    /* The chunk's data is complete (also for the final, empty chunk). */
    bool (*chunk_end)(void *context);
    /* One trailer line, name lower-cased, value trimmed. x-amz-trailer-signature included. */
    bool (*trailer)(void *context, struct str name, struct str value);
    /* The raw trailer bytes (without x-amz-trailer-signature's line and the last CRLF) are what
     * the signature covers: each header line followed by '\n'. Auth rebuilds it from trailer(). */
};

struct aws_chunked {
    struct aws_chunked_events events;
    bool signed_chunks; /* a chunk without chunk-signature is malformed */
    bool trailers;      /* trailer lines may follow the final chunk */
    int state;
    uint64_t left;
    uint64_t decoded_bytes;
    uint64_t chunk_bytes; /* announced by the newest chunk but the final one */
    uint64_t chunk_count; /* chunks begun, the final one not counted */
    size_t line_len;
    size_t trailer_bytes;
    unsigned trailer_count;
    bool final_chunk;
    char line[AWS_CHUNK_TRAILER_BYTES_MAX];
};

void aws_chunked_init(struct aws_chunked *decoder, const struct aws_chunked_events *events,
                      bool signed_chunks, bool trailers);
enum aws_chunked_result aws_chunked_feed(struct aws_chunked *decoder, const void *input,
                                         size_t len);
/*
 * At the end of the body: AWS_CHUNKED_OK only when the final chunk was seen and no line is cut off.
 * The empty line that ends the trailers may be missing, as for S3.
 */
enum aws_chunked_result aws_chunked_finish(struct aws_chunked *decoder);

#endif
