/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ISO-8859-1 and RFC 2047 words; see mailword.h.
 *
 * Lengths are counted in UTF-16 units where S3 counts them so: a text too long for one word is
 * halved until its parts fit, and a half is one of units.
 */
#include "base/text/mailword.h"

#include "base/text/codec.h"

#define WORD_BYTES_MAX 75
#define WORD_HEAD_Q STR("=?UTF-8?Q?")
#define WORD_HEAD_B STR("=?UTF-8?B?")
#define WORD_END STR("?=")
#define ENCODED_BYTES_MAX (WORD_BYTES_MAX - 10 - 2) /* between head and end */

static size_t units_of(uint32_t character)
{
    return character > 0xffff ? 2 : 1;
}

static void put_char(struct buf *out, uint32_t c)
{
    char bytes[4];

    if (c < 0x80) {
        buf_char(out, (char)c);
    } else if (c < 0x800) {
        bytes[0] = (char)(0xc0 | c >> 6);
        bytes[1] = (char)(0x80 | (c & 0x3f));
        buf_append(out, bytes, 2);
    } else {
        /* Only U+FFFD is written anew; what else is that long is copied. */
        bytes[0] = (char)(0xe0 | c >> 12);
        bytes[1] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[2] = (char)(0x80 | (c & 0x3f));
        buf_append(out, bytes, 3);
    }
}

/* ---- ISO-8859-1 --------------------------------------------------------------------------- */

void latin1_to_utf8(struct buf *out, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        put_char(out, (unsigned char)bytes.p[i]);
}

void latin1_from_utf8(struct buf *out, struct str text)
{
    while (text.len > 0) {
        uint32_t c = str_next_char(&text);

        if (c > 0xff || (c < 0x20 && c != '\t') || c == 0x7f)
            buf_append(out, "  ", units_of(c));
        else
            buf_char(out, (char)c);
    }
}

void utf8_repair(struct buf *out, struct str text)
{
    while (text.len > 0) {
        const char *from = text.p;
        uint32_t c = str_next_char(&text);

        if (c == STR_CHAR_BAD)
            put_char(out, c);
        else
            buf_append(out, from, (size_t)(text.p - from));
    }
}

/* ---- encoding ----------------------------------------------------------------------------- */

static bool is_line_end(uint32_t c)
{
    return c == '\r' || c == '\n';
}

struct shape {
    size_t units;   /* all of them, in UTF-16 */
    size_t ascii;   /* those that a header field may hold */
    size_t q_bytes; /* encoded as Q */
    size_t utf8_bytes;
};

static bool stays_in_q(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '=' && byte != '_' && byte != '?';
}

static struct shape shape_of(struct str text)
{
    struct shape shape = { .utf8_bytes = text.len };

    for (size_t i = 0; i < text.len; i++)
        shape.q_bytes += stays_in_q((unsigned char)text.p[i]) ? 1 : 3;
    while (text.len > 0) {
        uint32_t c = str_next_char(&text);

        shape.units += units_of(c);
        shape.ascii += c < 0x7f && (c >= 0x20 || c == '\t' || is_line_end(c));
    }
    return shape;
}

static void put_q(struct buf *out, struct str text)
{
    buf_str(out, WORD_HEAD_Q);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.p[i];

        if (byte == ' ')
            buf_char(out, '_');
        else if (stays_in_q(byte))
            buf_char(out, (char)byte);
        else
            buf_printf(out, "=%02X", byte);
    }
    buf_str(out, WORD_END);
}

static void put_b(struct buf *out, struct str text)
{
    char encoded[BASE64_LEN(ENCODED_BYTES_MAX)];

    buf_str(out, WORD_HEAD_B);
    base64_encode(text.p, text.len, encoded);
    buf_append(out, encoded, BASE64_LEN(text.len));
    buf_str(out, WORD_END);
}

/* The first half of its units, never between the two units of a character. */
static size_t half_of(struct str text, size_t units)
{
    struct str rest = text;
    size_t left = units / 2;

    while (rest.len > 0) {
        struct str next = rest;
        size_t taken = units_of(str_next_char(&next));

        if (taken > left)
            break;
        left -= taken;
        rest = next;
    }
    return text.len - rest.len;
}

/* Halves of halves: as deep as the text is long in bits. */
static void put_words(struct buf *out, struct str text, bool q, bool first)
{
    struct shape shape = shape_of(text);
    size_t len = q ? shape.q_bytes : BASE64_LEN(shape.utf8_bytes);

    if (len > ENCODED_BYTES_MAX && shape.units > 1) {
        size_t half = half_of(text, shape.units);

        put_words(out, str_slice(text, 0, half), q, first);
        put_words(out, str_skip(text, half), q, /* first= */ false);
        return;
    }
    if (!first)
        buf_char(out, ' ');
    if (q)
        put_q(out, text);
    else
        put_b(out, text);
}

void mailword_encode(struct buf *out, struct str text)
{
    struct shape shape = shape_of(text);

    if (shape.ascii != shape.units) {
        put_words(out, text, /* q= */ shape.ascii > shape.units - shape.ascii, /* first= */ true);
        return;
    }
    for (size_t i = 0; i < text.len; i++)
        buf_char(out, is_line_end((unsigned char)text.p[i]) ? ' ' : text.p[i]);
}

/* ---- decoding ----------------------------------------------------------------------------- */

enum charset { CHARSET_UTF8, CHARSET_ASCII, CHARSET_LATIN1 };

enum word_result {
    WORD_OK,
    WORD_NONE,    /* it only looks like one */
    WORD_UNKNOWN, /* a character set or encoding nobody here knows */
};

static bool charset_named(struct str name, enum charset *ret_charset)
{
    static const struct {
        struct str name;
        enum charset charset;
    } known[] = {
        { { "utf-8", 5 }, CHARSET_UTF8 },         { { "utf8", 4 }, CHARSET_UTF8 },
        { { "us-ascii", 8 }, CHARSET_ASCII },     { { "ascii", 5 }, CHARSET_ASCII },
        { { "iso-8859-1", 10 }, CHARSET_LATIN1 }, { { "iso8859-1", 9 }, CHARSET_LATIN1 },
        { { "iso_8859-1", 10 }, CHARSET_LATIN1 }, { { "latin1", 6 }, CHARSET_LATIN1 },
    };
    struct str language;

    (void)str_cut(name, '*', &name, &language); /* RFC 2231 */
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (str_eq_nocase(name, known[i].name)) {
            *ret_charset = known[i].charset;
            return true;
        }
    }
    return false;
}

static bool decode_q(struct buf *bytes, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte;

        if (text.p[i] == '_') {
            buf_char(bytes, ' ');
        } else if (text.p[i] != '=') {
            buf_char(bytes, text.p[i]);
        } else {
            if (text.len - i < 3 || !hex_decode(str_slice(text, i + 1, 2), &byte, 1))
                return false;
            buf_char(bytes, byte);
            i += 2;
        }
    }
    return true;
}

static bool decode_b(struct buf *bytes, struct str text)
{
    size_t len = 0;

    if (!buf_reserve(bytes, text.len))
        return false;
    if (!base64_decode(text, bytes->p, bytes->capacity, &len))
        return false;
    bytes->len = len;
    return true;
}

static void put_charset(struct buf *out, struct str bytes, enum charset charset)
{
    switch (charset) {
    case CHARSET_UTF8:
        utf8_repair(out, bytes);
        return;
    case CHARSET_LATIN1:
        latin1_to_utf8(out, bytes);
        return;
    case CHARSET_ASCII:
        for (size_t i = 0; i < bytes.len; i++)
            put_char(out, (unsigned char)bytes.p[i] < 0x80 ? (uint32_t)bytes.p[i] : STR_CHAR_BAD);
        return;
    }
}

/* =?charset?encoding?text?= and what stands right behind it. */
static enum word_result decode_word(struct buf *out, struct str token)
{
    CLEANUP(buf_free) struct buf bytes = BUF_WITH_MAX(token.len + 1);
    struct str name;
    struct str encoding;
    struct str rest;
    enum charset charset;
    size_t end;
    bool good;

    if (!str_starts(token, STR("=?")) || !str_cut(str_skip(token, 2), '?', &name, &rest) ||
        !str_cut(rest, '?', &encoding, &rest))
        return WORD_NONE;
    end = str_find(rest, WORD_END);
    if (end == SIZE_MAX)
        return WORD_NONE;
    if (!charset_named(name, &charset))
        return WORD_UNKNOWN;
    if (str_eq_nocase(encoding, STR("Q")))
        good = decode_q(&bytes, str_slice(rest, 0, end));
    else if (str_eq_nocase(encoding, STR("B")))
        good = decode_b(&bytes, str_slice(rest, 0, end));
    else
        return WORD_UNKNOWN;
    out->failed = out->failed || bytes.failed;
    if (!good)
        return WORD_NONE;
    put_charset(out, buf_view(&bytes), charset);
    buf_str(out, str_skip(rest, end + WORD_END.len));
    return WORD_OK;
}

static size_t blanks_at(struct str text)
{
    size_t len = 0;

    while (len < text.len &&
           (text.p[len] == ' ' || text.p[len] == '\t' || is_line_end((unsigned char)text.p[len])))
        len++;
    return len;
}

static size_t token_at(struct str text)
{
    size_t len = 0;

    while (len < text.len && blanks_at(str_skip(text, len)) == 0)
        len++;
    return len;
}

void mailword_decode(struct buf *out, struct str text)
{
    CLEANUP(buf_free) struct buf word = BUF_WITH_MAX(3 * text.len + 1);
    bool has_words = str_find(text, STR("=?")) != SIZE_MAX;
    size_t from = out->len;
    struct str rest = text;
    bool after_word = false;

    while (rest.len > 0 && has_words) {
        struct str blanks = str_slice(rest, 0, blanks_at(rest));
        struct str token = str_skip(rest, blanks.len);
        enum word_result result;

        token = str_slice(token, 0, token_at(token));
        rest = str_skip(rest, blanks.len + token.len);
        buf_clear(&word);
        result = decode_word(&word, token);
        if (result == WORD_UNKNOWN) {
            out->len = from;
            rest = text;
            break;
        }
        if (result == WORD_NONE || !after_word)
            buf_str(out, blanks);
        buf_str(out, result == WORD_OK ? buf_view(&word) : token);
        out->failed = out->failed || word.failed;
        after_word = result == WORD_OK;
    }
    buf_str(out, rest);
}
