/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growable byte buffer with a maximum, made for writing text.
 *
 * Failure is sticky: once an append does not fit (maximum or memory) `failed` is set and later
 * appends do nothing, so a writer checks once at the end. The maximum is part of construction.
 */
#ifndef BASE_TEXT_BUF_H
#define BASE_TEXT_BUF_H

#include "base/memory.h"
#include "base/text/str.h"

struct buf {
    char *p;
    size_t len;
    size_t capacity;
    size_t max;
    bool failed;
};

#define BUF_WITH_MAX(max_bytes) ((struct buf){ .max = (max_bytes) })

void buf_free(struct buf *buf);  /* also the CLEANUP helper */
void buf_clear(struct buf *buf); /* keeps the memory, forgets content and failure */
/* What buf_reserve would make of the capacity; 0: it would fail. */
size_t buf_capacity_for(const struct buf *buf, size_t more);
/* Make room for `more` bytes ahead of time. */
bool buf_reserve(struct buf *buf, size_t more);
/* As buf_append; for what needs more room than there is. */
void buf_append_growing(struct buf *buf, const void *bytes, size_t len);
/* Put text in front of what is there: it moves everything. */
void buf_prepend(struct buf *buf, struct str s);
void buf_u64(struct buf *buf, uint64_t value);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
#define buf_lit(buf, literal) buf_append((buf), "" literal, sizeof(literal) - 1)

/* In the header because documents are written in pieces of a few bytes whose length is known. */
static inline void buf_append(struct buf *buf, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    if (buf->failed || len > buf->capacity - buf->len) {
        buf_append_growing(buf, bytes, len);
        return;
    }

    memcpy(buf->p + buf->len, bytes, len);
    buf->len += len;
}

static inline void buf_str(struct buf *buf, struct str s)
{
    buf_append(buf, s.p, s.len);
}

static inline void buf_char(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

static inline struct str buf_view(const struct buf *buf)
{
    return (struct str){ buf->p != NULL ? buf->p : "", buf->len };
}

#endif
