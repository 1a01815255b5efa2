/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: going through the traces of the scenes and judging states, in several processes.
 */
#ifndef TESTS_FAULT_POWER_RUN_H
#define TESTS_FAULT_POWER_RUN_H

#include "tests/fault/power/cut.h"
#include "tests/fault/power/play.h"
#include "tests/fault/power/shared.h"

struct run {
    const struct scene *scenes[SCENES_MAX];
    struct trace traces[SCENES_MAX];
    size_t scene_count;
    char folder[256];    /* for stores, best in memory */
    const char *program; /* for the command that shows a failure again */
    const char *kept;    /* folder for traces of what fails */
    uint64_t states;     /* to be reached */
    uint64_t seed;
    unsigned jobs;
    enum target planted;   /* TARGETS: none */
    unsigned failures_max; /* then it ends */
    bool quiet;            /* failures are wanted, and not printed */
    bool ended_badly;      /* a process did not come back */
};

/* All states. ret_shared: what came of it, to be closed. */
void run_all(struct run *run, struct shared **ret_shared);
/* One state of one trace. keep: a folder in which it is left, or NULL. False: it fails. */
bool run_one(struct run *run, const struct scene *scene, const struct trace *trace, size_t place,
             const struct choice *choice, const char *keep);

#endif
