/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters of UTF-8 text, and what Unicode says of them. Pure.
 */
#ifndef BASE_TEXT_UNICODE_H
#define BASE_TEXT_UNICODE_H

#include "base/text/str.h"

/*
 * Take the next character off text that str_is_utf8 has accepted; false at its end.
 */
bool unicode_next(struct str *rest, uint32_t *ret_char);

/* How many 16-bit units the character takes in UTF-16: 1, or 2 beyond the basic plane. */
static inline size_t unicode_utf16_units(uint32_t c)
{
    return c >= 0x10000 ? 2 : 1;
}

/* A letter, number or separator (categories L, N, Z): no control, mark, punctuation or symbol. */
bool unicode_is_word(uint32_t c);
/* A letter of any language (category L). */
bool unicode_is_letter(uint32_t c);

#endif
