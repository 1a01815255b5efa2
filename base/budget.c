/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The budget of what is buffered; rules in budget.h.
 */
#include "base/budget.h"

#include <assert.h>

#include "base/digest/hash.h"
#include "base/random.h"

void budget_init(struct budget *budget, uint64_t limit)
{
    *budget = (struct budget){ .limit = limit, .seed = random_u64() };
    (void)pthread_mutex_init(&budget->lock, NULL);
}

void budget_free(struct budget *budget)
{
    (void)pthread_mutex_destroy(&budget->lock);
}

uint32_t budget_share(const struct budget *budget, struct str user, struct str address)
{
    return (uint32_t)(hash_quick(address, hash_quick(user, budget->seed)) % BUDGET_SLOTS);
}

/* Caller holds the lock. */
static void add(struct budget *budget, uint32_t share, uint64_t bytes)
{
    budget->used += bytes;
    budget->shares[share] += bytes;
}

bool budget_take(struct budget *budget, uint32_t share, uint64_t bytes)
{
    uint64_t left;
    bool taken;

    (void)pthread_mutex_lock(&budget->lock);
    left = budget->used < budget->limit ? budget->limit - budget->used : 0;
    taken = bytes <= left && budget->shares[share] + bytes <= left - bytes;
    if (taken)
        add(budget, share, bytes);
    (void)pthread_mutex_unlock(&budget->lock);
    return taken;
}

void budget_charge(struct budget *budget, uint32_t share, uint64_t bytes)
{
    (void)pthread_mutex_lock(&budget->lock);
    add(budget, share, bytes);
    (void)pthread_mutex_unlock(&budget->lock);
}

void budget_give(struct budget *budget, uint32_t share, uint64_t bytes)
{
    (void)pthread_mutex_lock(&budget->lock);
    assert(bytes <= budget->shares[share] && bytes <= budget->used);
    budget->used -= bytes;
    budget->shares[share] -= bytes;
    (void)pthread_mutex_unlock(&budget->lock);
}
