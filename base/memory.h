/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the process: the one way to it, so that running out of it can be tested.
 *
 * Every function answers NULL when there is none, which callers turn into 503 or a refused start.
 * Any thread.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/scope.h"
#include "base/text/str.h"

MUST_CHECK void *mem_alloc(size_t bytes);
MUST_CHECK void *mem_zalloc(size_t bytes);
MUST_CHECK void *mem_resize(void *memory, size_t bytes); /* NULL leaves the old block valid */
MUST_CHECK char *mem_cstr(struct str s);                 /* with a NUL behind it */
void mem_free(void *memory);                             /* NULL is fine */

/* How often the calling thread has asked in vain. Libraries ask here too (OpenSSL, libxml2, jansson). */
uint64_t mem_lacked(void);

/*
 * For tests, process-wide: the n-th allocation from now on answers NULL, or all from there. 0: none.
 * mem_fault_point is for allocators of libraries that a test puts itself behind: true, this one fails.
 */
void mem_fault_set(uint64_t n, bool forever);
/* What the calling thread asks for is not counted and does not fail. */
void mem_fault_spare(bool spare);
bool mem_fault_fired(void);
bool mem_fault_point(void);

#endif
