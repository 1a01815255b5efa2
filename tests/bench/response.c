/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads of HTTP/1.1 answers; see response.h.
 */
#include "tests/bench/response.h"

/* "HTTP/1.1 200 " */
#define STATUS_AT 9
#define STATUS_LINE_MIN 12

static bool header(struct response *response, struct str name, struct str value)
{
    /* By length first: most headers are of no interest. */
    switch (name.len) {
    case 4:
        if (!str_eq_nocase(name, STR("etag")))
            return true;
        if (str_starts(value, STR("W/")))
            value = str_skip(value, 2);
        if (value.len >= 2 && value.p[0] == '"' && value.p[value.len - 1] == '"')
            value = str_slice(value, 1, value.len - 2);
        response->etag = value;
        return true;
    case 10:
        if (str_eq_nocase(name, STR("connection")) && str_eq_nocase(value, STR("close")))
            response->close = true;
        return true;
    case 14:
        if (!str_eq_nocase(name, STR("content-length")))
            return true;
        response->has_length = true;
        return str_to_u64(value, &response->length);
    case 17:
        if (str_eq_nocase(name, STR("transfer-encoding")))
            response->chunked = str_eq_nocase(value, STR("chunked"));
        return true;
    default:
        return true;
    }
}

enum response_state response_parse(struct str in, struct response *ret_response)
{
    struct response response = { 0 };
    size_t head = str_find(in, STR("\r\n\r\n"));
    struct str rest;
    struct str line;
    uint64_t status;

    if (head == SIZE_MAX)
        return RESPONSE_MORE;
    response.head_len = head + 4;
    rest = str_slice(in, 0, head);

    if (!str_starts(rest, STR("HTTP/1.")) || rest.len < STATUS_LINE_MIN ||
        !str_to_u64(str_slice(rest, STATUS_AT, 3), &status))
        return RESPONSE_BAD;
    response.status = (unsigned)status;
    response.close = rest.p[7] == '0';

    (void)str_next(&rest, '\n', &line);
    while (str_next(&rest, '\n', &line)) {
        size_t colon = str_find_char(line, ':');
        struct str value;

        if (colon == SIZE_MAX)
            return RESPONSE_BAD;
        value = str_skip(line, colon + 1);
        if (str_ends(value, STR("\r")))
            value.len--;
        if (!header(&response, str_slice(line, 0, colon), str_trim(value)))
            return RESPONSE_BAD;
    }

    *ret_response = response;
    return RESPONSE_READY;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool size_end(struct chunked *chunked)
{
    if (chunked->digits == 0)
        return false;
    chunked->state = chunked->left > 0 ? CHUNKED_DATA : CHUNKED_TRAILER;
    chunked->digits = 0;
    chunked->line_len = 0;
    return true;
}

/* One byte that is not data. */
static bool frame(struct chunked *chunked, char c)
{
    switch (chunked->state) {
    case CHUNKED_SIZE:
        if (c == '\n')
            return size_end(chunked);
        if (digit(c) >= 0 && chunked->digits < 15) {
            chunked->left = chunked->left << 4 | (uint64_t)digit(c);
            chunked->digits++;
            return true;
        }
        chunked->state = CHUNKED_EXTENSION;
        return c == '\r' || c == ';' || c == ' ';
    case CHUNKED_EXTENSION:
        return c != '\n' || size_end(chunked);
    case CHUNKED_DATA_END:
        if (c == '\n')
            chunked->state = CHUNKED_SIZE;
        return c == '\r' || c == '\n';
    case CHUNKED_TRAILER:
        if (c == '\n') {
            chunked->done = chunked->line_len == 0;
            chunked->line_len = 0;
        } else if (c != '\r') {
            chunked->line_len++;
        }
        return true;
    case CHUNKED_DATA:
        break;
    }
    return false;
}

bool chunked_next(struct chunked *chunked, struct str *in, struct str *ret_data)
{
    *ret_data = STR("");
    while (in->len > 0 && !chunked->done) {
        if (chunked->state == CHUNKED_DATA) {
            *ret_data = str_slice(*in, 0, (size_t)u64_min(in->len, chunked->left));
            *in = str_skip(*in, ret_data->len);
            chunked->left -= ret_data->len;
            if (chunked->left == 0)
                chunked->state = CHUNKED_DATA_END;
            return true;
        }
        if (!frame(chunked, in->p[0]))
            return false;
        *in = str_skip(*in, 1);
    }
    return true;
}
