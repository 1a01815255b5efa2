/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed lists of pairs: [u16 name length][u16 value length][name][value]..., big-endian.
 */
#include "base/text/pairs.h"

#define PAIR_HEAD_BYTES 4

static void put_u16(struct buf *out, size_t value)
{
    uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };

    buf_append(out, bytes, sizeof(bytes));
}

bool pairs_add(struct buf *out, struct str name, struct str value)
{
    if (name.len > UINT16_MAX || value.len > UINT16_MAX)
        return false;
    put_u16(out, name.len);
    put_u16(out, value.len);
    buf_str(out, name);
    buf_str(out, value);
    return !out->failed;
}

bool pairs_next(struct str *cursor, struct str *ret_name, struct str *ret_value)
{
    const uint8_t *head = (const uint8_t *)cursor->p;
    size_t name_len;
    size_t value_len;

    if (cursor->len < PAIR_HEAD_BYTES)
        return false;
    name_len = (size_t)head[0] << 8 | head[1];
    value_len = (size_t)head[2] << 8 | head[3];
    if (cursor->len < PAIR_HEAD_BYTES + name_len + value_len)
        return false;
    *ret_name = str_make(cursor->p + PAIR_HEAD_BYTES, name_len);
    *ret_value = str_make(cursor->p + PAIR_HEAD_BYTES + name_len, value_len);
    *cursor = str_skip(*cursor, PAIR_HEAD_BYTES + name_len + value_len);
    return true;
}

size_t pairs_count(struct str packed)
{
    struct str name;
    struct str value;
    size_t count = 0;

    while (pairs_next(&packed, &name, &value))
        count++;
    return count;
}

struct str pairs_get(struct str packed, struct str name)
{
    struct str each;
    struct str value;

    while (pairs_next(&packed, &each, &value))
        if (str_eq_nocase(each, name))
            return value;
    return STR_NONE;
}
