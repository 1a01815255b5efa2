/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU time and memory of the server's processes, from their clocks and /proc.
 */
#ifndef TESTS_BENCH_USAGE_H
#define TESTS_BENCH_USAGE_H

#include "tests/bench/options.h"

struct usage_mark {
    double cpu_s; /* of all processes together */
    bool known;
};

struct usage {
    bool known; /* --pids was given and all of them were there */
    double cpu_s;
    uint64_t rss_kib; /* now */
    uint64_t hwm_kib; /* the greatest since each process began */
};

struct usage_mark usage_mark(const struct options *options);
struct usage usage_since(const struct options *options, struct usage_mark start,
                         struct usage_mark end);
/* CPU time of a process so far, of all its threads; false when it is gone. */
MUST_CHECK bool usage_process_cpu_s(uint64_t pid, double *ret_cpu_s);
/* The same of all processes of a group together; false when its leader is gone. */
MUST_CHECK bool usage_group_cpu_s(uint64_t group, double *ret_cpu_s);
/* Whether a process of the group is there that is no zombie. */
bool usage_group_lives(uint64_t group);
/* CPU time of the calling thread. */
double usage_thread_cpu_s(void);

#endif
