/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Borrowed text: a pointer and a length, never assumed to end in NUL, never owned.
 *
 * Text from outside travels as struct str so that NUL bytes and embedded garbage stay visible.
 * The empty value is { NULL, 0 }; STR_NONE. A str with p == NULL means "absent", one with
 * p != NULL and len 0 means "present and empty".
 */
#ifndef BASE_TEXT_STR_H
#define BASE_TEXT_STR_H

#include <string.h>

#include "base/scope.h"

struct str {
    const char *p;
    size_t len;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
/* The same where C wants a constant: in the initializer of a table. */
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
#define STR_NONE ((struct str){ NULL, 0 })
/* For printf's "%.*s". */
#define STR_ARG(s) ((int)(s).len), ((s).p != NULL ? (s).p : "")

static inline struct str str_make(const void *p, size_t len)
{
    return (struct str){ p, len };
}

/* NULL gives STR_NONE. */
static inline struct str str_from_cstr(const char *text)
{
    return (struct str){ text, text != NULL ? strlen(text) : 0 };
}

static inline bool str_present(struct str s)
{
    return s.p != NULL;
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* A letter of ASCII in lower case; any other byte as it is. */
static inline char str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
int str_compare(struct str a, struct str b); /* byte order, as memcmp */

/* Bytes [from, from+len) clipped to s. */
struct str str_slice(struct str s, size_t from, size_t len);
/* Everything from `from` on; empty when past the end. */
struct str str_skip(struct str s, size_t from);
/* Without blanks (SP, HT) at both ends. */
struct str str_trim(struct str s);

/* Position of the first byte / text, or SIZE_MAX. */
size_t str_find_char(struct str s, char c);
size_t str_find(struct str s, struct str needle);
size_t str_rfind_char(struct str s, char c);

/*
 * Split at the first `c`: head gets what is before, tail what is after.
 * Returns false when there is no `c` (head = s, tail = STR_NONE).
 */
bool str_cut(struct str s, char c, struct str *ret_head, struct str *ret_tail);

/*
 * Take the next field of a list separated by `c`. `rest` starts as the whole text and is advanced;
 * returns false when nothing is left. "a,,b" gives "a", "", "b"; "a," gives "a", ""; a present and
 * empty text gives one empty field, STR_NONE none.
 */
bool str_next(struct str *rest, char c, struct str *ret_field);

/* Digits only, at least one, no sign, no blanks, no overflow; else false. */
MUST_CHECK bool str_to_u64(struct str s, uint64_t *ret_value);
/* Hexadecimal digits only (1..16 of them). */
MUST_CHECK bool str_to_u64_hex(struct str s, uint64_t *ret_value);

/* Valid UTF-8 without overlong forms and surrogates. */
bool str_is_utf8(struct str s);
/*
 * Take the next character of UTF-8 text, which is not empty; STR_CHAR_BAD for a byte that begins
 * none.
 */
uint32_t str_next_char(struct str *rest);
#define STR_CHAR_BAD 0xfffdu
/* True when every byte is printable ASCII 0x20..0x7e. */
bool str_is_printable(struct str s);

/* Constant time in the content; lengths are public. */
bool str_eq_secret(struct str a, struct str b);

#endif
