/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a misspelt word was probably meant to be: the nearest of the words that exist.
 *
 *   struct nearest nearest = NEAREST(word);
 *   for each candidate: nearest_offer(&nearest, candidate);
 *   fault_set(fault, false, "unknown option '%.*s'%s", STR_ARG(word), nearest_hint(&nearest));
 */
#ifndef SERVER_SETTINGS_NEAREST_H
#define SERVER_SETTINGS_NEAREST_H

#include "base/text/str.h"

#define NEAREST_WORD_BYTES_MAX 64

struct nearest {
    struct str word;
    struct str best; /* STR_NONE: nothing is near enough */
    size_t distance;
    char hint[NEAREST_WORD_BYTES_MAX + 32];
};

#define NEAREST(text) ((struct nearest){ .word = (text), .distance = SIZE_MAX })

void nearest_offer(struct nearest *nearest, struct str candidate);

/* ": did you mean 'X'?", or "". Lives in *nearest. */
const char *nearest_hint(struct nearest *nearest);

#endif
