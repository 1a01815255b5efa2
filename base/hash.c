/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quick hash: XXH3, whose header is big; so it has a file of its own.
 */
#include "base/hash.h"

#include <xxhash.h>

uint64_t hash_quick(struct str text, uint64_t seed)
{
    return XXH3_64bits_withSeed(text.p, text.len, seed);
}
