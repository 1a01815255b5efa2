/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the objects of a run: number n to key and nothing else, so that any process of a run
 * knows which keys exist.
 *
 * Keys are eight hex digits of a scrambled number: consecutive numbers land far apart, as the keys
 * of a real bucket do, and all have one length. With prefixes, "p0000042/" stands in front.
 */
#ifndef TESTS_BENCH_KEY_H
#define TESTS_BENCH_KEY_H

#include "base/text/buf.h"

/* prefixes: 0 for flat keys. Only bytes that need no percent-encoding are written. */
static inline void key_write(struct buf *out, uint32_t number, uint64_t prefixes)
{
    if (prefixes > 0)
        buf_printf(out, "p%07llu/", (unsigned long long)(number % prefixes));
    /* An odd factor: a bijection of the 32-bit numbers. */
    buf_printf(out, "%08x", number * UINT32_C(2654435761));
}

#endif
