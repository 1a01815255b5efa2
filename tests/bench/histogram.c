/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency histogram; see histogram.h.
 */
#include "tests/bench/histogram.h"

#define SUB (UINT64_C(1) << HISTOGRAM_SUB_BITS)

/* Below SUB a bucket per value; above, SUB buckets for every power of two. */
static size_t bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < SUB)
        return (size_t)value;

    shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_SUB_BITS;
    return (size_t)(((shift + 1) << HISTOGRAM_SUB_BITS) + ((value >> shift) & (SUB - 1)));
}

static uint64_t bucket_top(size_t bucket)
{
    uint64_t shift = bucket >> HISTOGRAM_SUB_BITS;
    uint64_t sub = bucket & (SUB - 1);

    return shift == 0 ? sub : ((SUB + sub + 1) << (shift - 1)) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value_ns)
{
    histogram->count++;
    histogram->sum_ns += value_ns;
    if (value_ns > histogram->max_ns)
        histogram->max_ns = value_ns;
    histogram->buckets[bucket_of(value_ns)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    into->sum_ns += from->sum_ns;
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

uint64_t histogram_quantile_ns(const struct histogram *histogram, double share)
{
    uint64_t rank = (uint64_t)(share * (double)histogram->count + 0.5);
    uint64_t seen = 0;

    if (histogram->count == 0)
        return 0;
    if (rank == 0)
        rank = 1;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= rank)
            return u64_min(bucket_top(i), histogram->max_ns);
    }
    return histogram->max_ns;
}
