/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of all processes; rules in shared.h. A table with open addressing, written without locks: a key
 * is put once and never changes.
 */
#include "tests/fault/power/shared.h"

#include <sys/mman.h>

#include "tests/fault/power/trace.h"

#define SLOTS_MIN 65536u

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        give_up("shared memory", "there is none");
    return memory;
}

struct shared *shared_open(uint64_t states)
{
    struct shared *shared = map(sizeof(*shared));
    uint64_t slots = SLOTS_MIN;

    /* Never more than half full: the processes may go a little past the count. */
    while (slots < 4 * states)
        slots *= 2;
    shared->slots = slots;
    shared->keys = map(slots * sizeof(shared->keys[0]));
    shared->found = map(slots * sizeof(shared->found[0]));
    return shared;
}

void shared_close(struct shared *shared)
{
    (void)munmap(shared->keys, shared->slots * sizeof(shared->keys[0]));
    (void)munmap(shared->found, shared->slots * sizeof(shared->found[0]));
    (void)munmap(shared, sizeof(*shared));
}

static uint64_t slot_of(struct shared *shared, uint64_t key, bool *ret_new)
{
    for (uint64_t i = key;; i++) {
        _Atomic uint64_t *slot = &shared->keys[i & (shared->slots - 1)];
        uint64_t there = 0;

        *ret_new = atomic_compare_exchange_strong(slot, &there, key);
        if (*ret_new || there == key)
            return i & (shared->slots - 1);
        if (i - key >= shared->slots / 2)
            give_up("the table of states", "it is full");
    }
}

enum met shared_meet(struct shared *shared, uint64_t sum, size_t *ret_view)
{
    bool fresh;
    uint64_t slot = slot_of(shared, sum != 0 ? sum : 1, &fresh);
    uint32_t found = atomic_load(&shared->found[slot]);

    if (fresh)
        return MET_NEW;
    if (found == 0)
        return MET_UNDER_WAY;
    *ret_view = found - 1;
    return MET_BEFORE;
}

void shared_found(struct shared *shared, uint64_t sum, size_t view)
{
    bool fresh;
    uint64_t slot = slot_of(shared, sum != 0 ? sum : 1, &fresh);

    atomic_store(&shared->found[slot], (uint32_t)view + 1);
}
