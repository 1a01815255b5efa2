/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One budget for what requests hold in memory because they have to have it whole: documents being
 * received, forms' fields, documents being sent. Streams are not counted: each holds a few blocks,
 * whatever its size.
 *
 * (1) What is held is counted as it grows, not as it is announced: an announcement costs a client
 *     nothing.
 * (2) A client may hold as much as is left over by all. So one alone gets half, two a third each, and
 *     there is room for whoever comes next.
 * (3) What was taken for a request is given back at its end, on every path.
 *
 * Any thread.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <pthread.h>

#include "base/text/str.h"

#define BUDGET_SLOTS 1024 /* clients that share one count as one */

struct budget {
    pthread_mutex_t lock;
    uint64_t limit;
    uint64_t used;
    uint64_t seed;
    uint64_t shares[BUDGET_SLOTS];
};

void budget_init(struct budget *budget, uint64_t limit);
void budget_free(struct budget *budget);

/* Who pays: a user at an address. */
uint32_t budget_share(const struct budget *budget, struct str user, struct str address);
/* False: nothing was taken. */
MUST_CHECK bool budget_take(struct budget *budget, uint32_t share, uint64_t bytes);
/* For what can not be refused any more. */
void budget_charge(struct budget *budget, uint32_t share, uint64_t bytes);
void budget_give(struct budget *budget, uint32_t share, uint64_t bytes);

#endif
