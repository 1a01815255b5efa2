/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growable byte buffer with a maximum, and the heap for long-lived structs.
 *
 * (1) capacity never exceeds max.
 * (2) A failed buffer keeps what it had; nothing half-written is ever visible: an append happens
 *     whole or not at all.
 */
#include "base/text/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPACITY_FIRST 256

void buf_free(struct buf *buf)
{
    mem_free(buf->p);
    *buf = BUF_WITH_MAX(buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

size_t buf_capacity_for(const struct buf *buf, size_t more)
{
    size_t capacity = buf->capacity < CAPACITY_FIRST ? CAPACITY_FIRST : buf->capacity;

    if (buf->failed || more > buf->max - buf->len)
        return 0;
    if (more <= buf->capacity - buf->len)
        return buf->capacity;
    if (__builtin_mul_overflow(capacity, (size_t)2, &capacity))
        capacity = SIZE_MAX;
    if (capacity < buf->len + more)
        capacity = buf->len + more;
    return size_min(capacity, buf->max);
}

bool buf_reserve(struct buf *buf, size_t more)
{
    size_t capacity;
    char *p;

    if (buf->failed)
        return false;
    if (more <= buf->capacity - buf->len)
        return true;
    capacity = buf_capacity_for(buf, more);
    p = capacity > 0 ? mem_resize(buf->p, capacity) : NULL;
    if (p == NULL) {
        buf->failed = true;
        return false;
    }

    buf->p = p;
    buf->capacity = capacity;
    return true;
}

void buf_append_growing(struct buf *buf, const void *bytes, size_t len)
{
    if (!buf_reserve(buf, len))
        return;

    memcpy(buf->p + buf->len, bytes, len);
    buf->len += len;
}

void buf_prepend(struct buf *buf, struct str s)
{
    if (s.len == 0 || !buf_reserve(buf, s.len))
        return;

    memmove(buf->p + s.len, buf->p, buf->len);
    memcpy(buf->p, s.p, s.len);
    buf->len += s.len;
}

void buf_u64(struct buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);

    buf_append(buf, digits + at, sizeof(digits) - at);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    char small[512];
    char *large;
    va_list args;
    int len;

    if (buf->failed)
        return;

    va_start(args, format);
    len = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (len < 0) {
        buf->failed = true;
        return;
    }
    if ((size_t)len < sizeof(small)) {
        buf_append(buf, small, (size_t)len);
        return;
    }
    if (!buf_reserve(buf, (size_t)len))
        return;

    /* vsnprintf wants room for a NUL that the buffer's maximum need not have. */
    large = mem_alloc((size_t)len + 1);
    if (large == NULL) {
        buf->failed = true;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(large, (size_t)len + 1, format, args);
    va_end(args);
    buf_append(buf, large, (size_t)len);
    mem_free(large);
}
