/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unicode; see unicode.h.
 */
#include "base/text/unicode.h"

struct range {
    uint32_t first;
    uint32_t last;
};

/* Ascending, not touching. */
static const struct range words[] = {
#include "base/text/unicode_ranges.inc"
};
static const struct range letters[] = {
#include "base/text/unicode_letters.inc"
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

static bool is_in(const struct range *ranges, size_t count, uint32_t c)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ranges[middle].last < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && ranges[low].first <= c;
}

bool unicode_is_word(uint32_t c)
{
    return is_in(words, COUNT_OF(words), c);
}

bool unicode_is_letter(uint32_t c)
{
    return is_in(letters, COUNT_OF(letters), c);
}
