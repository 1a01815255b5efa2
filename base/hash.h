/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A quick hash for tables in memory. Not for disks and not for secrets.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

/* seed: unpredictable where clients choose the text, so that they can not make it collide. */
uint64_t hash_quick(struct str text, uint64_t seed);

#endif
