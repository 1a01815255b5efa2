/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processes of one run have in common: which states were met, and what was found in them.
 */
#ifndef TESTS_FAULT_POWER_SHARED_H
#define TESTS_FAULT_POWER_SHARED_H

#include <stdatomic.h>

#include "base/scope.h"

#define SCENES_MAX 32
#define JOBS_MAX 64
#define SHARED_TEXT_BYTES 256

struct shared {
    _Atomic uint64_t states; /* different ones, looked at */
    _Atomic uint64_t tried;  /* with those that were met before */
    _Atomic uint64_t deeper; /* of the states: cuts while a store is opened after a cut */
    _Atomic uint64_t scene_states[SCENES_MAX];
    _Atomic uint64_t rounds; /* that a process has ended */
    atomic_uint failures;
    atomic_bool stopped;                  /* by a signal: no further states */
    char at[JOBS_MAX][SHARED_TEXT_BYTES]; /* the state that each process looks at */
    char why[SHARED_TEXT_BYTES];          /* of the first failure, one line */
    uint64_t slots;                       /* a power of two */
    _Atomic uint64_t *keys;               /* 0: free */
    _Atomic uint32_t *found;              /* 0: not yet; 1 + view */
};

/* For that many states. Ends the program when there is no memory. Before the processes are made. */
struct shared *shared_open(uint64_t states);
void shared_close(struct shared *shared);

enum met { MET_NEW, MET_BEFORE, MET_UNDER_WAY };
/* sum: of a state. BEFORE: ret_view is what was found in it. NEW: shared_found is to follow. */
enum met shared_meet(struct shared *shared, uint64_t sum, size_t *ret_view);
void shared_found(struct shared *shared, uint64_t sum, size_t view);

#endif
