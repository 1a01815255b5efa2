/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hexadecimal, base64 and percent-encoding; see codec.h. Decoders refuse what an encoder here
 * would never write, apart from hexadecimal case.
 */
#include "base/text/codec.h"

#define DIGIT_BAD 0xff

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";
static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void hex_encode(const void *bytes, size_t len, char *out)
{
    const uint8_t *in = bytes;

    for (size_t i = 0; i < len; i++) {
        *out++ = hex_lower[in[i] >> 4];
        *out++ = hex_lower[in[i] & 15];
    }
}

bool hex_decode(struct str s, void *out, size_t out_len)
{
    uint8_t *to = out;

    if (s.len % 2 != 0 || s.len / 2 != out_len)
        return false;

    for (size_t i = 0; i < out_len; i++) {
        int high = hex_value(s.p[2 * i]);
        int low = hex_value(s.p[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }

    return true;
}

void base64_encode(const void *bytes, size_t len, char *out)
{
    const uint8_t *in = bytes;
    size_t i = 0;

    for (; len - i >= 3; i += 3) {
        uint32_t group = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];

        *out++ = base64_alphabet[group >> 18];
        *out++ = base64_alphabet[group >> 12 & 63];
        *out++ = base64_alphabet[group >> 6 & 63];
        *out++ = base64_alphabet[group & 63];
    }

    if (len - i == 1) {
        *out++ = base64_alphabet[in[i] >> 2];
        *out++ = base64_alphabet[(in[i] & 3) << 4];
        *out++ = '=';
        *out++ = '=';
    } else if (len - i == 2) {
        *out++ = base64_alphabet[in[i] >> 2];
        *out++ = base64_alphabet[(in[i] & 3) << 4 | in[i + 1] >> 4];
        *out++ = base64_alphabet[(in[i + 1] & 15) << 2];
        *out++ = '=';
    }
}

static unsigned base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    if (c == '+')
        return 62;
    if (c == '/')
        return 63;

    return DIGIT_BAD;
}

bool base64_decode(struct str s, void *out, size_t out_max, size_t *ret_len)
{
    uint8_t *to = out;
    size_t padding = 0;
    size_t digits;
    size_t out_len;
    size_t written = 0;
    uint32_t bits = 0;

    if (s.len % 4 != 0)
        return false;
    if (s.len > 0 && s.p[s.len - 1] == '=')
        padding = s.p[s.len - 2] == '=' ? 2 : 1;

    digits = s.len - padding;
    out_len = s.len / 4 * 3 - padding;
    if (out_len > out_max)
        return false;

    for (size_t i = 0; i < digits; i++) {
        unsigned digit = base64_digit(s.p[i]);

        if (digit == DIGIT_BAD)
            return false;
        bits = bits << 6 | digit;
        if (i % 4 == 3) {
            to[written++] = (uint8_t)(bits >> 16);
            to[written++] = (uint8_t)(bits >> 8);
            to[written++] = (uint8_t)bits;
            bits = 0;
        }
    }

    /* Bits that no byte carries must be zero: one value has one text. */
    if (padding == 1) {
        if ((bits & 3) != 0)
            return false;
        to[written++] = (uint8_t)(bits >> 10);
        to[written++] = (uint8_t)(bits >> 2);
    } else if (padding == 2) {
        if ((bits & 15) != 0)
            return false;
        to[written++] = (uint8_t)(bits >> 4);
    }

    *ret_len = written;
    return true;
}

/* Bytes that stay as they are; '/' only where it is kept. */
static const bool uri_plain[256] = {
    ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['-'] = true,
    ['.'] = true,         ['_'] = true,         ['~'] = true,
};

/* What java.net.URLEncoder leaves, and '/'. */
static const bool listed_plain[256] = {
    ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['-'] = true,
    ['.'] = true,         ['_'] = true,         ['*'] = true,         ['/'] = true,
};

static bool uri_stays(char c, enum uri_keep keep)
{
    if (keep == URI_LISTED)
        return listed_plain[(uint8_t)c];
    return uri_plain[(uint8_t)c] || (c == '/' && keep == URI_KEEP_SLASH);
}

static void uri_escape(struct buf *out, char c)
{
    uint8_t byte = (uint8_t)c;
    char escape[3] = { '%', hex_upper[byte >> 4], hex_upper[byte & 15] };

    buf_append(out, escape, sizeof(escape));
}

void uri_encode(struct buf *out, struct str s, enum uri_keep keep)
{
    size_t plain_from = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (uri_stays(c, keep))
            continue;

        buf_append(out, s.p + plain_from, i - plain_from);
        plain_from = i + 1;
        if (c == ' ' && keep == URI_LISTED)
            buf_char(out, '+');
        else
            uri_escape(out, c);
    }

    if (plain_from < s.len)
        buf_append(out, s.p + plain_from, s.len - plain_from);
}

/* One decoded byte off the front of s; false at a bad escape. */
static bool uri_next(struct str *s, char *ret_byte)
{
    char c = s->p[0];
    size_t used = 1;

    if (c == '%') {
        int high = s->len > 2 ? hex_value(s->p[1]) : -1;
        int low = s->len > 2 ? hex_value(s->p[2]) : -1;

        if (high < 0 || low < 0)
            return false;
        c = (char)(high << 4 | low);
        used = 3;
    } else if (c == '+') {
        c = ' ';
    }
    *s = (struct str){ s->p + used, s->len - used };
    *ret_byte = c;
    return true;
}

bool uri_decode(struct arena *arena, struct str s, struct str *ret_text)
{
    char *text = s.len == SIZE_MAX ? NULL : arena_alloc(arena, s.len + 1);
    size_t len = 0;

    if (text == NULL)
        return false;

    while (s.len > 0)
        if (!uri_next(&s, &text[len++]))
            return false;

    text[len] = '\0';
    *ret_text = (struct str){ text, len };
    return true;
}

bool uri_recode(struct buf *out, struct str s, enum uri_keep keep)
{
    while (s.len > 0) {
        size_t plain = 0;
        char c;

        while (plain < s.len && uri_stays(s.p[plain], keep))
            plain++;
        if (plain > 0) {
            buf_append(out, s.p, plain);
            s = (struct str){ s.p + plain, s.len - plain };
            continue;
        }
        if (!uri_next(&s, &c))
            return false;
        uri_encode(out, str_make(&c, 1), keep);
    }

    return true;
}
