/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one source of random bytes, replaceable so that a test gets repeatable ids.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/scope.h"

/* Unpredictable bytes; never fails (aborts if the kernel has none). Any thread. */
void random_bytes(void *out, size_t len);
uint64_t random_u64(void);
/* seed != 0 makes ids a repeatable sequence (never keys: see random_key_bytes); 0 restores. */
void random_set_seed(uint64_t seed);
/* Key material: always from the kernel, whatever the seed. */
void random_key_bytes(void *out, size_t len);

#endif
