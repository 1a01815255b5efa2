/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing list of object numbers, and its file: one number a line. What a server acknowledged
 * before it was killed is asked for again afterwards.
 */
#ifndef TESTS_BENCH_NUMBERS_H
#define TESTS_BENCH_NUMBERS_H

#include "base/fault.h"
#include "base/scope.h"

struct numbers {
    uint32_t *item;
    size_t count;
    size_t room;
};

void numbers_free(struct numbers *numbers);                            /* also the CLEANUP helper */
MUST_CHECK bool numbers_add(struct numbers *numbers, uint32_t number); /* false: no memory */
MUST_CHECK bool numbers_read(struct numbers *numbers, const char *path, struct fault *fault);
/* Appends to the file, made when missing. */
MUST_CHECK bool numbers_write(const struct numbers *numbers, const char *path, struct fault *fault);

#endif
