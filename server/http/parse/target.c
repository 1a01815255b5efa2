/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request-target: split and decoded exactly once.
 *
 * (1) Nothing is normalised: "//" and "/./" stay as they came. "+" is a blank: S3 reads the whole
 *     target as if it were a form.
 * (2) The raw text of every part is kept beside the decoded one: signatures cover the raw text.
 * (3) A target in absolute form names the host itself, and Host is not asked (RFC 9112 §3.2.2).
 */
#include "base/text/codec.h"
#include "server/http/parse/guard.h"

/* Bytes that may stand in a target, and whole escapes other than %00. */
static bool target_bytes_ok(struct str s, struct fault *fault)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= 0x20 || c >= 0x7f) {
            fault_note(fault, "The request target has a byte that must be encoded.");
            return false;
        }
        if (c != '%')
            continue;
        if (i + 2 >= s.len || hex_value(s.p[i + 1]) < 0 || hex_value(s.p[i + 2]) < 0) {
            fault_note(fault, "The request target has a malformed percent-encoding.");
            return false;
        }
        if (s.p[i + 1] == '0' && s.p[i + 2] == '0') {
            fault_note(fault, "The request target contains a NUL character.");
            return false;
        }
        i += 2;
    }
    return true;
}

static bool decode(struct arena *arena, struct str raw, struct str *ret_text)
{
    if (memchr(raw.p, '%', raw.len) == NULL && memchr(raw.p, '+', raw.len) == NULL) {
        *ret_text = raw;
        return true;
    }
    return uri_decode(arena, raw, ret_text);
}

static bool param_parse(struct str item, struct arena *arena, struct http_param *param)
{
    param->has_equals = str_cut(item, '=', &param->raw_name, &param->raw_value);
    if (!param->has_equals)
        param->raw_value = str_make(item.p + item.len, 0);
    return decode(arena, param->raw_name, &param->name) &&
           decode(arena, param->raw_value, &param->value);
}

static bool query_parse(struct arena *arena, struct http_request *request, struct fault *fault)
{
    struct str rest = request->raw_query;
    struct str item;
    size_t count = 0;

    while (str_next(&rest, '&', &item))
        count += item.len > 0;
    if (count == 0)
        return true;
    if (count > HTTP_QUERY_PARAMS_MAX) {
        fault_note(fault, "The request target has too many query parameters.");
        return false;
    }

    request->params = arena_array(arena, count, sizeof(*request->params));
    if (request->params == NULL) {
        fault_note(fault, "Out of memory.");
        return false;
    }
    rest = request->raw_query;
    while (str_next(&rest, '&', &item)) {
        if (item.len == 0)
            continue;
        if (!param_parse(item, arena, &request->params[request->param_count])) {
            fault_note(fault, "Out of memory.");
            return false;
        }
        request->param_count++;
    }
    return true;
}

/* Length of "http://", or of "https://" where the connection is what that asks for; 0: neither. */
static size_t scheme_len(struct str target, bool tls)
{
    if (str_starts_nocase(target, STR("http://")))
        return STR("http://").len;
    return tls && str_starts_nocase(target, STR("https://")) ? STR("https://").len : 0;
}

/* Take scheme and authority off an absolute form; *path is what follows. False: it is none. */
static bool absolute_form(struct http_request *request, struct str *path)
{
    size_t skip = scheme_len(*path, request->tls);
    struct str rest = str_skip(*path, skip);
    size_t end = 0;

    while (end < rest.len && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    if (skip == 0 || !http_is_host(str_slice(rest, 0, end)))
        return false;
    request->host = str_slice(rest, 0, end);
    *path = str_skip(rest, end);
    return true;
}

bool http_target_parse(struct str target, struct arena *arena, struct http_request *request,
                       struct fault *fault)
{
    bool asterisk = str_eq(target, STR("*")) && str_eq(request->method, STR("OPTIONS"));
    struct str path = target;
    size_t mark;

    request->target = target;
    request->raw_path = STR_NONE;
    request->raw_query = STR_NONE;
    request->params = NULL;
    request->param_count = 0;

    if (!asterisk && (target.len == 0 || target.p[0] != '/') && !absolute_form(request, &path)) {
        fault_note(fault, "The request target is neither a path nor a URL of this server.");
        return false;
    }
    if (!target_bytes_ok(path, fault))
        return false;

    mark = str_find_char(path, '?');
    request->raw_path = str_slice(path, 0, mark);
    if (request->raw_path.len == 0)
        request->raw_path = STR("/");
    if (mark == SIZE_MAX)
        return true;
    request->raw_query = str_make(path.p + mark + 1, path.len - mark - 1);
    return query_parse(arena, request, fault);
}
