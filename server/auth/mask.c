/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets left out of what is logged; see mask.h.
 */
#include "server/auth/mask.h"

#include "base/text/codec.h"

#define DECODINGS_MAX 4 /* a URL inside a URL inside a URL */
#define ITEM_BYTES_MAX (512u * 1024u)

/* Whole escapes decoded, letters in lower case. Returns whether there was an escape. */
static bool decode(struct buf *out, struct str text)
{
    bool found = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        if (c == '%' && i + 2 < text.len && hex_value(text.p[i + 1]) >= 0 &&
            hex_value(text.p[i + 2]) >= 0) {
            c = (char)(hex_value(text.p[i + 1]) << 4 | hex_value(text.p[i + 2]));
            found = true;
            i += 2;
        }
        buf_char(out, str_lower(c));
    }
    return found;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* A secret's name, then '=', ':' or, in JSON, a quote; '+' is a blank in URLs. text: decoded. */
static bool names_secret(struct str text)
{
    static const struct str words[] = {
        { "token", 5 },  { "customer-key", 12 }, { "signature", 9 }, { "authorization", 13 },
        { "cookie", 6 }, { "secret", 6 },        { "password", 8 },
    };

    for (size_t w = 0; w < COUNT_OF(words); w++) {
        struct str rest = text;
        size_t at;

        while ((at = str_find(rest, words[w])) != SIZE_MAX) {
            size_t end = at + words[w].len;

            while (end < rest.len && is_name_char(rest.p[end]))
                end++;
            while (end < rest.len &&
                   (rest.p[end] == ' ' || rest.p[end] == '\t' || rest.p[end] == '+'))
                end++;
            if (end < rest.len && (rest.p[end] == '=' || rest.p[end] == ':' || rest.p[end] == '"'))
                return true;
            rest = str_skip(rest, at + words[w].len);
        }
    }
    return false;
}

static bool is_secret(struct str item)
{
    CLEANUP(buf_free) struct buf a = BUF_WITH_MAX(ITEM_BYTES_MAX);
    CLEANUP(buf_free) struct buf b = BUF_WITH_MAX(ITEM_BYTES_MAX);
    struct buf *now = &a;
    struct buf *next = &b;
    bool more = decode(now, item);

    for (int i = 0; i < DECODINGS_MAX; i++) {
        struct buf *swap = now;

        if (now->failed || names_secret(buf_view(now)))
            return true;
        if (!more)
            return false;
        buf_clear(next);
        more = decode(next, buf_view(now));
        now = next;
        next = swap;
    }
    return true; /* nobody encodes so often in earnest */
}

/* Name and separator of "name=value" or "name: value"; "" when there is none. */
static struct str name_of(struct str item)
{
    for (size_t i = 0; i < item.len; i++)
        if (item.p[i] == '=' || item.p[i] == ':')
            return str_slice(item, 0, i + 1);
    return str_slice(item, 0, 0);
}

void mask_text(struct buf *out, struct str text)
{
    if (!is_secret(text)) {
        buf_str(out, text);
        return;
    }
    buf_str(out, name_of(text));
    buf_lit(out, "...");
}

void mask_line(struct buf *out, struct str line)
{
    struct str name = name_of(line);
    size_t from = 0;

    /* A secret header: its value may hold whatever bytes. */
    if (name.len > 0 && name.p[name.len - 1] == ':' && is_secret(name)) {
        mask_text(out, line);
        return;
    }
    for (size_t i = 0; i <= line.len; i++) {
        if (i < line.len && line.p[i] != '&' && line.p[i] != '?')
            continue;
        mask_text(out, str_slice(line, from, i - from));
        if (i < line.len)
            buf_char(out, line.p[i]);
        from = i + 1;
    }
}
