/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency histogram: nanoseconds in buckets whose width grows with the value.
 *
 * (1) A value is found again within 1/64 of itself; the greatest one is kept exactly.
 * (2) Recording allocates nothing and costs a few instructions; one thread writes.
 */
#ifndef TESTS_BENCH_HISTOGRAM_H
#define TESTS_BENCH_HISTOGRAM_H

#include "base/scope.h"

#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
    uint64_t count;
    uint64_t sum_ns;
    uint64_t max_ns;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value_ns);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* The value that `share` (0..1) of all are not above; 0 when there are none. */
uint64_t histogram_quantile_ns(const struct histogram *histogram, double share);

#endif
