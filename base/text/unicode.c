/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unicode; see unicode.h.
 */
#include "base/text/unicode.h"

/* Ascending, not touching. */
static const struct {
    uint32_t first;
    uint32_t last;
} words[] = {
#include "base/text/unicode_ranges.inc"
};

bool unicode_next(struct str *rest, uint32_t *ret_char)
{
    const unsigned char *p = (const unsigned char *)rest->p;
    size_t len;
    uint32_t c;

    if (rest->len == 0)
        return false;
    len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    len = size_min(len, rest->len);
    c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[i] & 0x3f);
    *rest = str_skip(*rest, len);
    *ret_char = c;
    return true;
}

bool unicode_is_word(uint32_t c)
{
    size_t low = 0;
    size_t high = COUNT_OF(words);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (words[middle].last < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < COUNT_OF(words) && words[low].first <= c;
}
