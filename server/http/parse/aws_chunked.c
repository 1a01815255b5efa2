/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoder of aws-chunked; see aws_chunked.h.
 *
 *   SIZE --CRLF--> DATA --CR--> DATA_LF --LF--> SIZE …      final chunk: SIZE --CRLF--> TRAILER
 *   TRAILER --line--> TRAILER --empty line, or the end of the body--> END
 *
 * minio-go ends each trailer header with LF and the group with CRLF ("k:v\n\r\n"), as the example
 * in Amazon's page does; AWS' own clients send "k:v\r\n". Both are read: a group ends in CRLF and
 * its lines are separated by LF.
 */
#include "server/http/parse/aws_chunked.h"

enum chunk_state {
    CHUNK_SIZE,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER,
    CHUNK_END,
    CHUNK_FAILED
};

static const struct str chunk_extension = { "chunk-signature=", 16 };

void aws_chunked_init(struct aws_chunked *decoder, const struct aws_chunked_events *events,
                      bool signed_chunks, bool trailers)
{
    memset(decoder, 0, offsetof(struct aws_chunked, line));
    decoder->events = *events;
    decoder->signed_chunks = signed_chunks;
    decoder->trailers = trailers;
    decoder->state = CHUNK_SIZE;
}

/* ---- chunk header ------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "1000 ; chunk-signature=…": blanks may stand around the semicolon and nowhere else. */
static bool split_header(const struct aws_chunked *decoder, struct str line, uint64_t *ret_size,
                         struct str *ret_signature)
{
    struct str size_text;
    struct str extension;
    bool extended = str_cut(line, ';', &size_text, &extension);

    *ret_signature = STR_NONE;
    if (extended != decoder->signed_chunks)
        return false;
    if (extended) {
        while (size_text.len > 0 && is_blank(size_text.p[size_text.len - 1]))
            size_text.len--;
        while (extension.len > 0 && is_blank(extension.p[0]))
            extension = str_skip(extension, 1);
        if (!str_starts(extension, chunk_extension) || extension.len == chunk_extension.len)
            return false;
        *ret_signature = str_skip(extension, chunk_extension.len);
    }
    return str_to_u64_hex(size_text, ret_size);
}

static enum aws_chunked_result chunk_header(struct aws_chunked *decoder, struct str line)
{
    struct str signature;
    uint64_t size;

    if (!split_header(decoder, line, &size, &signature))
        return AWS_CHUNKED_MALFORMED;
    if (size > UINT64_MAX - decoder->decoded_bytes)
        return AWS_CHUNKED_TOO_LONG;
    if (size > 0) {
        decoder->chunk_count++;
        if (decoder->chunk_count > 1 && decoder->chunk_bytes < AWS_CHUNK_BYTES_MIN)
            return AWS_CHUNKED_SMALL_CHUNK;
        decoder->chunk_bytes = size;
    }

    decoder->left = size;
    decoder->final_chunk = size == 0;
    if (!decoder->events.chunk_begin(decoder->events.context, size, signature))
        return AWS_CHUNKED_REFUSED;
    decoder->state = decoder->final_chunk ? CHUNK_TRAILER : CHUNK_DATA;
    if (decoder->final_chunk && !decoder->events.chunk_end(decoder->events.context))
        return AWS_CHUNKED_REFUSED;
    return AWS_CHUNKED_OK;
}

/* ---- trailers ----------------------------------------------------------------------------- */

static bool trailer_name_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return name.len > 0;
}

static enum aws_chunked_result trailer_line(struct aws_chunked *decoder, struct str line)
{
    struct str name;
    struct str value;
    char *bytes = (char *)(uintptr_t)line.p; /* the decoder's own line */

    for (size_t i = 0; i < line.len && bytes[i] != ':'; i++)
        bytes[i] = str_lower(bytes[i]);
    if (!str_cut(line, ':', &name, &value) || !trailer_name_ok(name))
        return AWS_CHUNKED_BAD_TRAILER;
    value = str_trim(value);
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
            return AWS_CHUNKED_BAD_TRAILER;
    }
    if (++decoder->trailer_count > AWS_CHUNK_TRAILERS_MAX)
        return AWS_CHUNKED_BAD_TRAILER;
    return decoder->events.trailer(decoder->events.context, name, value) ? AWS_CHUNKED_OK
                                                                         : AWS_CHUNKED_REFUSED;
}

static enum aws_chunked_result trailer_group(struct aws_chunked *decoder, struct str group)
{
    struct str line;

    if (group.len == 0) {
        decoder->state = CHUNK_END;
        return AWS_CHUNKED_OK;
    }
    if (!decoder->trailers)
        return AWS_CHUNKED_BAD_TRAILER;
    if (group.p[group.len - 1] == '\n')
        group.len--;
    do {
        enum aws_chunked_result result;

        if (!str_cut(group, '\n', &line, &group))
            group = STR_NONE;
        else if (group.len == 0)
            return AWS_CHUNKED_BAD_TRAILER;
        result = trailer_line(decoder, line);
        if (result != AWS_CHUNKED_OK)
            return result;
    } while (group.len > 0);
    return AWS_CHUNKED_OK;
}

/* ---- bytes -------------------------------------------------------------------------------- */

/* Collect a line up to CRLF; CR stands nowhere else. */
static enum aws_chunked_result feed_line(struct aws_chunked *decoder, const char *bytes, size_t len,
                                         size_t *ret_used)
{
    bool header = decoder->state == CHUNK_SIZE;
    size_t max = header ? AWS_CHUNK_HEADER_BYTES_MAX : AWS_CHUNK_TRAILER_BYTES_MAX;
    size_t i = 0;

    while (i < len) {
        char c = bytes[i++];
        bool after_cr = decoder->line_len > 0 && decoder->line[decoder->line_len - 1] == '\r';

        *ret_used = i;
        if (after_cr) {
            struct str line = str_make(decoder->line, decoder->line_len - 1);

            if (c != '\n')
                return AWS_CHUNKED_MALFORMED;
            decoder->line_len = 0;
            return header ? chunk_header(decoder, line) : trailer_group(decoder, line);
        }
        if (header && c == '\n')
            return AWS_CHUNKED_MALFORMED;
        /* One byte is left for the LF of this line. */
        if (decoder->line_len + 1 >= max)
            return header ? AWS_CHUNKED_TOO_LONG : AWS_CHUNKED_BAD_TRAILER;
        if (!header && ++decoder->trailer_bytes > AWS_CHUNK_TRAILER_BYTES_MAX)
            return AWS_CHUNKED_BAD_TRAILER;
        decoder->line[decoder->line_len++] = c;
    }
    return AWS_CHUNKED_OK;
}

static enum aws_chunked_result feed_data(struct aws_chunked *decoder, const char *bytes, size_t len,
                                         size_t *ret_used)
{
    size_t take = (size_t)u64_min(decoder->left, len);

    *ret_used = take;
    decoder->left -= take;
    decoder->decoded_bytes += take;
    if (!decoder->events.chunk_data(decoder->events.context, bytes, take))
        return AWS_CHUNKED_REFUSED;
    if (decoder->left > 0)
        return AWS_CHUNKED_OK;
    decoder->state = CHUNK_DATA_CR;
    return decoder->events.chunk_end(decoder->events.context) ? AWS_CHUNKED_OK
                                                              : AWS_CHUNKED_REFUSED;
}

static enum aws_chunked_result feed_some(struct aws_chunked *decoder, const char *bytes, size_t len,
                                         size_t *ret_used)
{
    *ret_used = 1;
    switch ((enum chunk_state)decoder->state) {
    case CHUNK_SIZE:
    case CHUNK_TRAILER:
        return feed_line(decoder, bytes, len, ret_used);
    case CHUNK_DATA:
        return feed_data(decoder, bytes, len, ret_used);
    case CHUNK_DATA_CR:
        decoder->state = CHUNK_DATA_LF;
        return bytes[0] == '\r' ? AWS_CHUNKED_OK : AWS_CHUNKED_MALFORMED;
    case CHUNK_DATA_LF:
        decoder->state = CHUNK_SIZE;
        return bytes[0] == '\n' ? AWS_CHUNKED_OK : AWS_CHUNKED_MALFORMED;
    case CHUNK_END:
    case CHUNK_FAILED:
        break;
    }
    return AWS_CHUNKED_MALFORMED;
}

enum aws_chunked_result aws_chunked_feed(struct aws_chunked *decoder, const void *input, size_t len)
{
    const char *bytes = input;

    while (len > 0) {
        size_t used = 0;
        enum aws_chunked_result result = feed_some(decoder, bytes, len, &used);

        if (result != AWS_CHUNKED_OK) {
            decoder->state = CHUNK_FAILED;
            return result;
        }
        bytes += used;
        len -= used;
    }
    return AWS_CHUNKED_OK;
}

enum aws_chunked_result aws_chunked_finish(struct aws_chunked *decoder)
{
    bool whole = decoder->state == CHUNK_END ||
                 (decoder->state == CHUNK_TRAILER && decoder->line_len == 0);

    return whole ? AWS_CHUNKED_OK : AWS_CHUNKED_MALFORMED;
}
