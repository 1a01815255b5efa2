/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing guard; see guard.h. libmicrohttpd at discipline level 1 refuses much of this before us;
 * the guard does not rely on it.
 */
#include "server/http/parse/guard.h"

static const char refused_head[] = "The request's header section is too large.";

/* RFC 9110 §5.6.2; every byte of every field's name is looked up here. */
static const bool token_chars[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['!'] = true,  ['#'] = true,
    ['$'] = true,         ['%'] = true,         ['&'] = true,         ['\''] = true, ['*'] = true,
    ['+'] = true,         ['-'] = true,         ['.'] = true,         ['^'] = true,  ['_'] = true,
    ['`'] = true,         ['|'] = true,         ['~'] = true,
};

bool http_is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!token_chars[(unsigned char)s.p[i]])
            return false;
    }
    return s.len > 0;
}

/* RFC 3986 §3.2.2: what a name may hold; percent-encodings are not looked into. */
static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           str_find_char(STR("-._~%!$&'()*+,;="), c) != SIZE_MAX;
}

static bool is_port(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

bool http_is_host(struct str s)
{
    bool bracketed = s.len > 0 && s.p[0] == '[';
    size_t end = bracketed ? str_find_char(s, ']') : str_find_char(s, ':');
    struct str name = bracketed && end != SIZE_MAX ? str_slice(s, 1, end - 1)
                                                   : str_slice(s, 0, end);
    struct str rest = bracketed && end != SIZE_MAX ? str_skip(s, end + 1) : str_skip(s, name.len);

    if (name.len == 0 || (bracketed && end == SIZE_MAX))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_host_char(name.p[i]) && !(bracketed && name.p[i] == ':'))
            return false;
    return rest.len == 0 || (rest.p[0] == ':' && is_port(str_skip(rest, 1)));
}

bool http_is_field_value(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static const char *refuse(int *ret_status, int status, const char *why)
{
    *ret_status = status;
    return why;
}

/* Each field on its own, and the sum of them. */
static const char *judge_fields(const struct http_request *request, int *ret_status)
{
    size_t head_bytes = request->target.len;

    if (request->field_count > HTTP_HEADERS_MAX)
        return refuse(ret_status, 431, "The request has too many header fields.");

    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];

        if (field->name.len + field->value.len > HTTP_HEADER_BYTES_MAX)
            return refuse(ret_status, 431, "A header field is too long.");
        head_bytes += field->name.len + field->value.len;
        if (head_bytes > HTTP_HEAD_BYTES_MAX)
            return refuse(ret_status, 431, refused_head);
        if (!http_is_token(field->name))
            return refuse(ret_status, 400, "A header field's name is not a token.");
        if (!http_is_field_value(field->value))
            return refuse(ret_status, 400, "A header field's value has a control character.");
    }
    return NULL;
}

static const char *judge_host(struct http_request *request, int *ret_status)
{
    size_t count = http_header_count(request, STR("host"));

    if (count > 1)
        return refuse(ret_status, 400, "The request has more than one Host header.");
    request->host = http_header(request, STR("host"));
    if (count == 0 || request->host.len == 0)
        return refuse(ret_status, 400, "The request has no Host header.");
    if (!http_is_host(request->host))
        return refuse(ret_status, 400, "The Host header is not a host name.");
    return NULL;
}

static const char *judge_length(struct http_request *request, int *ret_status)
{
    size_t lengths = http_header_count(request, STR("content-length"));
    size_t encodings = http_header_count(request, STR("transfer-encoding"));

    if (lengths > 1)
        return refuse(ret_status, 400, "The request has more than one Content-Length header.");
    if (lengths > 0 && encodings > 0)
        return refuse(ret_status, 400,
                      "The request has both Content-Length and Transfer-Encoding.");
    if (encodings > 1)
        return refuse(ret_status, 400, "The request has more than one Transfer-Encoding header.");

    if (encodings == 1) {
        if (request->http_1_0)
            return refuse(ret_status, 400, "HTTP/1.0 has no Transfer-Encoding.");
        if (!str_eq_nocase(http_header(request, STR("transfer-encoding")), STR("chunked")))
            return refuse(ret_status, 501, "The Transfer-Encoding is not chunked.");
        request->chunked = true;
        request->has_body = true;
    }
    if (lengths == 1) {
        if (!str_to_u64(http_header(request, STR("content-length")), &request->content_length))
            return refuse(ret_status, 400, "The Content-Length is not a number.");
        request->has_content_length = true;
        request->has_body = request->content_length > 0;
    }
    return NULL;
}

/*
 * An HTTP/1.0 client cannot mean it (RFC 9110 §10.1.1); other expectations may be ignored, and S3
 * does.
 */
static void note_expect(struct http_request *request)
{
    bool expects = !request->http_1_0 &&
                   str_eq_nocase(http_header(request, STR("expect")), STR("100-continue"));

    request->expects_continue = expects && request->has_body;
    request->expects_in_vain = expects && !request->has_body;
}

const char *http_guard(struct http_request *request, int *ret_status)
{
    const char *why;

    if (request->target.len > HTTP_TARGET_BYTES_MAX)
        return refuse(ret_status, 414, "The request target is too long.");
    why = judge_fields(request, ret_status);
    if (why == NULL)
        why = judge_host(request, ret_status);
    if (why == NULL)
        why = judge_length(request, ret_status);
    if (why == NULL && !http_is_token(request->method))
        why = refuse(ret_status, 400, "The method is not a token.");
    if (why == NULL)
        note_expect(request);
    return why;
}
