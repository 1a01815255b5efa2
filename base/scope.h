/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope cleanup and the few compiler attributes every file uses.
 *
 * CLEANUP(fn) calls fn(&variable) when the variable leaves its scope; the helper for an owning
 * type is named TYPE_close or TYPE_free and accepts the empty value, so early returns need no goto.
 */
#ifndef BASE_SCOPE_H
#define BASE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define UNUSED __attribute__((unused))

/* The struct of TYPE whose MEMBER is at POINTER. */
#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline uint64_t u64_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

#endif
