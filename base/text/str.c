/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Borrowed text: searching, cutting and strict number reading. Allocates nothing, knows no locale.
 */
#include "base/text/str.h"

bool str_eq_nocase(struct str a, struct str b)
{
    return a.len == b.len && str_starts_nocase(a, b);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    if (s.len < prefix.len)
        return false;

    for (size_t i = 0; i < prefix.len; i++) {
        if (str_lower(s.p[i]) != str_lower(prefix.p[i]))
            return false;
    }

    return true;
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0);
}

int str_compare(struct str a, struct str b)
{
    size_t common = size_min(a.len, b.len);
    int order = common == 0 ? 0 : memcmp(a.p, b.p, common);

    if (order != 0)
        return order;

    return (a.len > b.len) - (a.len < b.len);
}

struct str str_slice(struct str s, size_t from, size_t len)
{
    struct str rest = str_skip(s, from);

    rest.len = size_min(rest.len, len);
    return rest;
}

struct str str_skip(struct str s, size_t from)
{
    size_t skipped = size_min(from, s.len);

    /* NULL + 0 is undefined before C2y; absent stays absent. */
    if (s.p == NULL)
        return STR_NONE;

    return (struct str){ s.p + skipped, s.len - skipped };
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
        s.len--;

    return s;
}

size_t str_find_char(struct str s, char c)
{
    const char *found = s.len == 0 ? NULL : memchr(s.p, c, s.len);

    return found == NULL ? SIZE_MAX : (size_t)(found - s.p);
}

size_t str_find(struct str s, struct str needle)
{
    const char *found;

    if (needle.len == 0)
        return 0;
    if (s.len < needle.len)
        return SIZE_MAX;

    found = memmem(s.p, s.len, needle.p, needle.len);
    return found == NULL ? SIZE_MAX : (size_t)(found - s.p);
}

size_t str_rfind_char(struct str s, char c)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.p[i - 1] == c)
            return i - 1;
    }

    return SIZE_MAX;
}

bool str_cut(struct str s, char c, struct str *ret_head, struct str *ret_tail)
{
    size_t at = str_find_char(s, c);

    if (at == SIZE_MAX) {
        *ret_head = s;
        *ret_tail = STR_NONE;
        return false;
    }

    *ret_head = str_slice(s, 0, at);
    *ret_tail = str_skip(s, at + 1);
    return true;
}

bool str_next(struct str *rest, char c, struct str *ret_field)
{
    struct str tail;

    /* A list that ends in a separator leaves a present, empty rest: it holds one last field. */
    if (!str_present(*rest))
        return false;

    (void)str_cut(*rest, c, ret_field, &tail);
    *rest = tail;
    return true;
}

bool str_to_u64(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (s.len == 0)
        return false;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value))
            return false;
    }

    *ret_value = value;
    return true;
}

bool str_to_u64_hex(struct str s, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (s.len == 0 || s.len > 16)
        return false;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = str_lower(s.p[i]);
        unsigned digit;

        if (c >= '0' && c <= '9')
            digit = c - (unsigned)'0';
        else if (c >= 'a' && c <= 'f')
            digit = c - (unsigned)'a' + 10;
        else
            return false;
        value = value << 4 | digit;
    }

    *ret_value = value;
    return true;
}

/* Length of the well-formed sequence at p, or 0 (Unicode, table 3-7). */
static size_t utf8_sequence(const unsigned char *p, size_t room)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t len;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;

    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (room < len)
        return 0;

    if (p[0] == 0xe0)
        low = 0xa0; /* overlong below U+0800 */
    else if (p[0] == 0xed)
        high = 0x9f; /* surrogates */
    else if (p[0] == 0xf0)
        low = 0x90; /* overlong below U+10000 */
    else if (p[0] == 0xf4)
        high = 0x8f; /* above U+10FFFF */

    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    }

    return len;
}

bool str_is_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;

    for (size_t i = 0; i < s.len;) {
        size_t len = utf8_sequence(p + i, s.len - i);

        if (len == 0)
            return false;
        i += len;
    }

    return true;
}

uint32_t str_next_char(struct str *rest)
{
    static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    const unsigned char *p = (const unsigned char *)rest->p;
    size_t len = utf8_sequence(p, rest->len);
    uint32_t character = len == 0 ? STR_CHAR_BAD : p[0] & first_bits[len];

    for (size_t i = 1; i < len; i++)
        character = character << 6 | (p[i] & 0x3f);
    *rest = str_skip(*rest, len == 0 ? 1 : len);
    return character;
}

bool str_is_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return false;
    }

    return true;
}

bool str_eq_secret(struct str a, struct str b)
{
    unsigned char differs = 0;

    if (a.len != b.len)
        return false;

    for (size_t i = 0; i < a.len; i++) {
        differs = (unsigned char)(differs | ((unsigned char)a.p[i] ^ (unsigned char)b.p[i]));
        /* The compiler must not find an early exit. */
        __asm__ volatile("" : "+r"(differs));
    }

    return differs == 0;
}
