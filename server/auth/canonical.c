/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The V4 canonical request: pure, from the request as it came over the wire.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * (1) Path: decoded and encoded once, whatever the wire's spelling: "/b/pl+us" is "/b/pl%20us" and
 *     "/%2Fb" is "//b".
 * (2) Query: every parameter, decoded once and encoded again, sorted by encoded name, then value;
 *     "k" counts as "k="; X-Amz-Signature itself is left out.
 * (3) Headers: those of the list, in its order, all values of a name joined by ',', blanks at the
 *     ends dropped, inner runs of them made one space.
 */
#include <assert.h>

#include "server/auth/call.h"

/* A parameter in the scratch buffer: encoded name, then encoded value. */
struct pair {
    size_t at, name_len, value_len;
};

static int pair_compare(const struct buf *scratch, const struct pair *a, const struct pair *b)
{
    struct str text = buf_view(scratch);
    int order =
        str_compare(str_slice(text, a->at, a->name_len), str_slice(text, b->at, b->name_len));

    if (order != 0)
        return order;

    return str_compare(str_slice(text, a->at + a->name_len, a->value_len),
                       str_slice(text, b->at + b->name_len, b->value_len));
}

void canonical_query(struct buf *out, struct buf *scratch, const struct http_param *params,
                     size_t count)
{
    struct pair pairs[CANONICAL_PARAMS_MAX];
    size_t used = 0;

    assert(count <= CANONICAL_PARAMS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct pair pair = { .at = scratch->len };
        size_t place;

        if (str_eq(params[i].name, STR("X-Amz-Signature")))
            continue;

        uri_encode(scratch, params[i].name, URI_KEEP_NONE);
        pair.name_len = scratch->len - pair.at;
        uri_encode(scratch, params[i].value, URI_KEEP_NONE);
        pair.value_len = scratch->len - pair.at - pair.name_len;

        /* Few and nearly sorted: insertion from the end. */
        for (place = used++; place > 0 && pair_compare(scratch, &pair, &pairs[place - 1]) < 0;
             place--)
            pairs[place] = pairs[place - 1];
        pairs[place] = pair;
    }

    for (size_t i = 0; i < used; i++) {
        struct str text =
            str_slice(buf_view(scratch), pairs[i].at, pairs[i].name_len + pairs[i].value_len);

        if (i > 0)
            buf_char(out, '&');
        buf_str(out, str_slice(text, 0, pairs[i].name_len));
        buf_char(out, '=');
        buf_str(out, str_skip(text, pairs[i].name_len));
    }
    if (scratch->failed)
        out->failed = true;
}

struct str canonical_path(struct arena *arena, struct str raw_path)
{
    CLEANUP(buf_free) struct buf encoded = BUF_WITH_MAX(3 * HTTP_TARGET_BYTES_MAX);

    if (!uri_recode(&encoded, raw_path, URI_KEEP_SLASH) || encoded.failed)
        return STR_NONE;
    return arena_dup(arena, buf_view(&encoded));
}

bool canonical_list_has(struct str signed_headers, struct str name)
{
    struct str listed;

    while (str_next(&signed_headers, ';', &listed)) {
        if (str_eq_nocase(listed, name))
            return true;
    }

    return false;
}

bool auth_signs_header(const struct auth *auth, struct str name)
{
    return canonical_list_has(auth->signed_headers, name);
}

void auth_append_lower(struct buf *out, struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        buf_char(out, str_lower(name.p[i]));
}

/* Trimmed already; inner runs of blanks become one space. */
static void append_value(struct buf *out, struct str value)
{
    size_t from = 0;

    for (size_t i = 0; i < value.len; i++) {
        size_t end = i;

        while (end < value.len && (value.p[end] == ' ' || value.p[end] == '\t'))
            end++;
        if (end == i || (end == i + 1 && value.p[i] == ' '))
            continue;

        buf_append(out, value.p + from, i - from);
        buf_char(out, ' ');
        from = end;
        i = end - 1;
    }

    if (from < value.len)
        buf_append(out, value.p + from, value.len - from);
}

static void append_header(struct buf *out, const struct http_request *request, struct str name)
{
    size_t found = 0;

    auth_append_lower(out, name);
    buf_char(out, ':');

    if (str_eq_nocase(name, STR("host"))) {
        append_value(out, str_trim(request->host));
    } else {
        for (size_t i = 0; i < request->field_count; i++) {
            if (!str_eq_nocase(request->fields[i].name, name))
                continue;
            if (found++ > 0)
                buf_char(out, ',');
            append_value(out, str_trim(request->fields[i].value));
        }
    }
    buf_char(out, '\n');
}

void canonical_request(struct buf *out, struct buf *scratch, const struct http_request *request,
                       struct str signed_headers, struct str payload)
{
    struct str rest = signed_headers;
    struct str name;

    buf_str(out, request->method);
    buf_char(out, '\n');
    if (!uri_recode(out, request->raw_path, URI_KEEP_SLASH))
        out->failed = true;
    buf_char(out, '\n');
    canonical_query(out, scratch, request->params, request->param_count);
    buf_char(out, '\n');
    while (str_next(&rest, ';', &name))
        append_header(out, request, name);
    buf_char(out, '\n');
    buf_str(out, signed_headers);
    buf_char(out, '\n');
    buf_str(out, payload);
}
