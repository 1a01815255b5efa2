/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON by hand: numbers keep their text, and memory is the record's alone. See json.h.
 */
#include "server/select/json.h"

struct reading {
    struct str rest;
    struct arena *arena;
    unsigned depth;
};

static enum s3_error read_value(struct reading *in, struct value *ret_value);

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reading *in)
{
    while (in->rest.len > 0 && is_blank(in->rest.p[0]))
        in->rest = str_skip(in->rest, 1);
}

static bool take(struct reading *in, char c)
{
    skip_blanks(in);
    if (in->rest.len == 0 || in->rest.p[0] != c)
        return false;
    in->rest = str_skip(in->rest, 1);
    return true;
}

/* ---- strings ------------------------------------------------------------------------------------ */

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | (c >> 6));
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | (c >> 12));
        out[1] = (char)(0x80 | ((c >> 6) & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (c >> 18));
    out[1] = (char)(0x80 | ((c >> 12) & 0x3f));
    out[2] = (char)(0x80 | ((c >> 6) & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static bool read_unit(struct str text, size_t at, uint32_t *ret_unit)
{
    uint64_t unit;

    if (at + 6 > text.len || text.p[at] != '\\' || text.p[at + 1] != 'u' ||
        !str_to_u64_hex(str_slice(text, at + 2, 4), &unit))
        return false;
    *ret_unit = (uint32_t)unit;
    return true;
}

/* \uXXXX at `at`, with its second half where there is one; half of a pair alone is U+FFFD. */
static bool read_escape(struct str text, size_t *at, uint32_t *ret_char)
{
    uint32_t low;

    if (!read_unit(text, *at, ret_char))
        return false;
    *at += 6;
    if (*ret_char < 0xd800 || *ret_char > 0xdfff)
        return true;
    if (*ret_char < 0xdc00 && read_unit(text, *at, &low) && low >= 0xdc00 && low <= 0xdfff) {
        *ret_char = 0x10000 + ((*ret_char - 0xd800) << 10) + (low - 0xdc00);
        *at += 6;
    } else {
        *ret_char = STR_CHAR_BAD;
    }
    return true;
}

/* The inside of a string with its escapes resolved; it never gets longer. */
static enum s3_error unescape(struct reading *in, struct str raw, struct str *ret_text)
{
    static const char names[] = "\"\\/bfnrt";
    static const char means[] = "\"\\/\b\f\n\r\t";
    char *out = arena_alloc(in->arena, raw.len + 1);
    size_t len = 0;

    if (out == NULL)
        return S3_OverMaxRecordSize;
    for (size_t at = 0; at < raw.len;) {
        const char *name;
        uint32_t c;

        if (raw.p[at] != '\\') {
            out[len++] = raw.p[at++];
            continue;
        }
        if (at + 1 < raw.len && raw.p[at + 1] != '\0' &&
            (name = strchr(names, raw.p[at + 1])) != NULL) {
            out[len++] = means[name - names];
            at += 2;
        } else if (read_escape(raw, &at, &c)) {
            len += put_utf8(out + len, c);
        } else {
            return S3_JSONParsingError;
        }
    }
    *ret_text = str_make(out, len);
    return S3_OK;
}

/* Behind the opening quote. */
static enum s3_error read_string(struct reading *in, struct str *ret_text)
{
    struct str rest = in->rest;
    bool escapes = false;
    size_t end = 0;

    while (end < rest.len && rest.p[end] != '"') {
        if ((unsigned char)rest.p[end] < 0x20)
            return S3_JSONParsingError;
        if (rest.p[end] == '\\') {
            escapes = true;
            end++;
        }
        end++;
    }
    if (end >= rest.len)
        return S3_JSONParsingError;
    in->rest = str_skip(rest, end + 1);
    *ret_text = str_make(rest.p, end);
    if (!str_is_utf8(*ret_text))
        return S3_InvalidTextEncoding;
    return escapes ? unescape(in, *ret_text, ret_text) : S3_OK;
}

/* ---- lists and objects -------------------------------------------------------------------------- */

/* Items as they come, in arrays that double. */
static bool grow(struct reading *in, struct value *value, size_t *capacity)
{
    size_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    struct value *items;
    struct str *names = NULL;

    if (value->count < *capacity)
        return true;
    items = arena_array(in->arena, wanted, sizeof(*items));
    if (value->type == VALUE_STRUCT)
        names = arena_array(in->arena, wanted, sizeof(*names));
    if (items == NULL || (value->type == VALUE_STRUCT && names == NULL))
        return false;
    if (value->count > 0) {
        memcpy(items, value->items, value->count * sizeof(*items));
        if (names != NULL)
            memcpy(names, value->names, value->count * sizeof(*names));
    }
    value->items = items;
    value->names = names;
    *capacity = wanted;
    return true;
}

static enum s3_error read_item(struct reading *in, struct value *value)
{
    enum s3_error err;

    if (value->type == VALUE_STRUCT) {
        if (!take(in, '"'))
            return S3_JSONParsingError;
        err = read_string(in, &value->names[value->count]);
        if (err != S3_OK)
            return err;
        if (!take(in, ':'))
            return S3_JSONParsingError;
    }
    err = read_value(in, &value->items[value->count]);
    if (err == S3_OK)
        value->count++;
    return err;
}

/* Behind the opening bracket. */
static enum s3_error read_items(struct reading *in, enum value_type type, struct value *ret_value)
{
    const char close = type == VALUE_LIST ? ']' : '}';
    struct value value = { .type = type };
    size_t capacity = 0;

    if (!grow(in, &value, &capacity))
        return S3_OverMaxRecordSize;
    if (!take(in, close)) {
        do {
            enum s3_error err;

            if (!grow(in, &value, &capacity))
                return S3_OverMaxRecordSize;
            err = read_item(in, &value);
            if (err != S3_OK)
                return err;
        } while (take(in, ','));
        if (!take(in, close))
            return S3_JSONParsingError;
    }
    *ret_value = value;
    return S3_OK;
}

/* ---- values ------------------------------------------------------------------------------------- */

static enum s3_error read_word(struct reading *in, struct value *ret_value)
{
    struct str word = in->rest;
    size_t len = 0;

    while (len < word.len && !is_blank(word.p[len]) && strchr(",]}:[{\"", word.p[len]) == NULL)
        len++;
    word.len = len;
    in->rest = str_skip(in->rest, len);
    if (str_eq(word, STR("null")))
        *ret_value = value_null();
    else if (str_eq(word, STR("true")) || str_eq(word, STR("false")))
        *ret_value = value_bool(word.len == 4);
    else if (len == 0 || word.p[0] == '+' || word.p[0] == '.' ||
             !value_read_number(word, ret_value))
        return S3_JSONParsingError;
    return S3_OK;
}

/* As deep as the text's brackets, which is VALUE_DEPTH_MAX at most. */
static enum s3_error read_value(struct reading *in, struct value *ret_value)
{
    enum s3_error err;

    skip_blanks(in);
    if (take(in, '"')) {
        *ret_value = (struct value){ .type = VALUE_TEXT };
        return read_string(in, &ret_value->text);
    }
    if (in->rest.len == 0 || (in->rest.p[0] != '[' && in->rest.p[0] != '{'))
        return read_word(in, ret_value);
    if (++in->depth > VALUE_DEPTH_MAX)
        return S3_JSONParsingError;
    if (take(in, '['))
        err = read_items(in, VALUE_LIST, ret_value);
    else
        err = take(in, '{') ? read_items(in, VALUE_STRUCT, ret_value) : S3_JSONParsingError;
    in->depth--;
    return err;
}

enum s3_error json_read(struct str text, struct arena *arena, struct value *ret_value)
{
    struct reading in = { .rest = text, .arena = arena };
    enum s3_error err = read_value(&in, ret_value);

    if (err != S3_OK)
        return err;
    skip_blanks(&in);
    return in.rest.len == 0 ? S3_OK : S3_JSONParsingError;
}

/* ---- where a value ends ------------------------------------------------------------------------- */

/* True: the character at scan->at belongs to what comes after the value. */
static bool ends_before(struct json_scan *scan, char c)
{
    if (!scan->begun || scan->depth > 0 || scan->in_string)
        return false;
    return is_blank(c) || c == '{' || c == '[' || c == '"';
}

static void look_at(struct json_scan *scan, char c)
{
    if (scan->in_string) {
        if (scan->escaped)
            scan->escaped = false;
        else if (c == '\\')
            scan->escaped = true;
        else if (c == '"')
            scan->in_string = false;
        return;
    }
    if (c == '"')
        scan->in_string = true;
    else if (c == '{' || c == '[')
        scan->depth++;
    else if ((c == '}' || c == ']') && scan->depth > 0)
        scan->depth--;
    if (!is_blank(c))
        scan->begun = true;
}

bool json_scan(struct json_scan *scan, struct str text)
{
    for (; scan->at < text.len; scan->at++) {
        char c = text.p[scan->at];

        if (ends_before(scan, c))
            return true;
        look_at(scan, c);
        if (scan->begun && scan->depth == 0 && !scan->in_string &&
            (c == '}' || c == ']' || c == '"')) {
            scan->at++;
            return true;
        }
    }
    return false;
}
