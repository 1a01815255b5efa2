/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share: taking an input apart, and saying that something is wrong.
 *
 * (1) A target aborts (FUZZ_CHECK) only for a broken promise of the code under test; an input that
 *     is refused is a good answer.
 * (2) Nothing is kept from one input to the next, so that every finding replays alone.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest/digest.h"
#include "base/random.h"
#include "base/text/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition, ...)                                                                 \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                  \
            (void)fprintf(stderr, __VA_ARGS__);                                                    \
            (void)fputc('\n', stderr);                                                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* 2026-11-21T05:25:23Z: the time at which every target that looks at dates runs. */
#define FUZZ_NOW_US (INT64_C(1795238723) * US_PER_S)
#define FUZZ_NOW_AMZ "20261121T052523Z"
#define FUZZ_TODAY "20261121"

/* Stands at the moment that was set last. */
static inline struct clock *fuzz_clock(void)
{
    static struct clock clock = { .lock = PTHREAD_MUTEX_INITIALIZER };

    return &clock;
}

static inline void fuzz_set_now(int64_t us)
{
    clock_move(fuzz_clock(), CLOCK_FREEZE, 0);
    clock_move(fuzz_clock(), CLOCK_SET, us);
}

/* 40 digits nobody can have put into an input. */
static inline struct str fuzz_secret(void)
{
    static char text[40];
    static const char digits[] = "0123456789abcdef";

    if (text[0] == '\0') {
        random_key_bytes(text, sizeof(text));
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = digits[(unsigned char)text[i] & 15];
    }
    return str_make(text, sizeof(text));
}

/* ---- taking an input apart ------------------------------------------------------------------ */

struct input {
    const uint8_t *p;
    size_t len;
};

static inline uint8_t input_byte(struct input *input)
{
    if (input->len == 0)
        return 0;
    input->len--;
    return *input->p++;
}

static inline size_t input_number(struct input *input, size_t below)
{
    size_t number = input_byte(input);

    number |= (size_t)input_byte(input) << 8;
    return below == 0 ? 0 : number % below;
}

/* Up to a byte, which is taken and dropped; else everything. Never absent. */
static inline struct str input_until(struct input *input, char end)
{
    const uint8_t *at = input->len > 0 ? memchr(input->p, end, input->len) : NULL;
    size_t len = at != NULL ? (size_t)(at - input->p) : input->len;
    struct str text = str_make(len > 0 ? (const char *)input->p : "", len);
    size_t used = at != NULL ? len + 1 : len;

    input->p += used;
    input->len -= used;
    return text;
}

static inline struct str input_rest(struct input *input)
{
    struct str text = str_make(input->len > 0 ? (const char *)input->p : "", input->len);

    input->p += input->len;
    input->len = 0;
    return text;
}

/* Read every byte, so that a sanitizer sees one that is not ours. */
static inline void fuzz_touch(struct str text)
{
    unsigned sum = 0;

    for (size_t i = 0; i < text.len; i++)
        sum = sum * 31 + (unsigned char)text.p[i];
    /* No sum of 32 bits is greater; the compiler has to make it all the same. */
    FUZZ_CHECK(*(volatile unsigned *)&sum <= UINT32_MAX, "%u", sum);
}

/* The bytes of part are bytes of whole. */
static inline bool fuzz_inside(struct str part, struct str whole)
{
    return part.len == 0 || ((uintptr_t)part.p >= (uintptr_t)whole.p &&
                             (uintptr_t)part.p + part.len <= (uintptr_t)whole.p + whole.len);
}

#endif
