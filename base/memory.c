/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the process; see memory.h.
 */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- faults -------------------------------------------------------------------------------- */

static _Atomic uint64_t fault_left; /* allocations until one fails; 0: none will */
static atomic_bool fault_forever;
static atomic_bool fault_fired;
static _Thread_local bool spared;

void mem_fault_set(uint64_t n, bool forever)
{
    atomic_store(&fault_left, 0);
    atomic_store(&fault_forever, forever);
    atomic_store(&fault_fired, false);
    atomic_store(&fault_left, n);
}

void mem_fault_spare(bool spare)
{
    spared = spare;
}

bool mem_fault_fired(void)
{
    return atomic_load(&fault_fired);
}

bool mem_fault_point(void)
{
    uint64_t left = atomic_load_explicit(&fault_left, memory_order_relaxed);

    if (left == 0 || spared)
        return false;
    do {
        if (left == 0)
            return false;
        if (left == 1 && atomic_load(&fault_forever))
            break;
    } while (!atomic_compare_exchange_weak(&fault_left, &left, left - 1));
    if (left != 1)
        return false;
    atomic_store(&fault_fired, true);
    return true;
}

/* ---- memory -------------------------------------------------------------------------------- */

static _Thread_local uint64_t lacked;

uint64_t mem_lacked(void)
{
    return lacked;
}

static void *counted(void *memory)
{
    lacked += memory == NULL;
    return memory;
}

void *mem_alloc(size_t bytes)
{
    /* malloc(0) may answer NULL, which here means "out of memory". */
    return counted(mem_fault_point() ? NULL : malloc(bytes == 0 ? 1 : bytes));
}

void *mem_zalloc(size_t bytes)
{
    return counted(mem_fault_point() ? NULL : calloc(1, bytes == 0 ? 1 : bytes));
}

void *mem_resize(void *memory, size_t bytes)
{
    return counted(mem_fault_point() ? NULL : realloc(memory, bytes == 0 ? 1 : bytes));
}

char *mem_cstr(struct str s)
{
    char *copy = s.len == SIZE_MAX ? NULL : mem_alloc(s.len + 1);

    if (copy == NULL)
        return NULL;
    if (s.len > 0)
        memcpy(copy, s.p, s.len);
    copy[s.len] = '\0';
    return copy;
}

void mem_free(void *memory)
{
    free(memory);
}
