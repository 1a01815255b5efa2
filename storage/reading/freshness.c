/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Freshness; see freshness.h for why it holds.
 */
#include "storage/reading/freshness.h"

#include "base/digest/hash.h"
#include "base/random.h"

void freshness_init(struct freshness *freshness)
{
    random_key_bytes(&freshness->seed, sizeof(freshness->seed));
}

uint64_t freshness_begin(struct freshness *freshness)
{
    uint64_t number = atomic_load_explicit(&freshness->begun, memory_order_relaxed) + 1;

    atomic_store(&freshness->begun, number);
    return number;
}

void freshness_stamp(struct freshness *freshness, uint64_t hash, uint64_t number)
{
    atomic_store(&freshness->slots[hash % FRESHNESS_SLOTS], number);
}

void freshness_end(struct freshness *freshness, uint64_t number)
{
    atomic_store_explicit(&freshness->published, number, memory_order_release);
}

uint64_t freshness_begun(const struct freshness *freshness)
{
    return atomic_load_explicit(&freshness->begun, memory_order_acquire);
}

uint64_t freshness_published(const struct freshness *freshness)
{
    return atomic_load_explicit(&freshness->published, memory_order_acquire);
}

uint64_t freshness_slot(const struct freshness *freshness, uint64_t hash)
{
    return atomic_load_explicit(&freshness->slots[hash % FRESHNESS_SLOTS], memory_order_acquire);
}

uint64_t freshness_of_key(const struct freshness *freshness, struct str key)
{
    return hash_quick(key, freshness->seed);
}

uint64_t freshness_of_bucket(const struct freshness *freshness, struct str name)
{
    return hash_quick(name, ~freshness->seed);
}
