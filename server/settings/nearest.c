/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nearest word; see nearest.h.
 *
 * Nearness is the number of letters to put in, take out, change or swap with their neighbour.
 */
#include "server/settings/nearest.h"

#include <stdint.h>
#include <stdio.h>

/* Optimal string alignment; three rows of the table are enough. */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][NEAREST_WORD_BYTES_MAX + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *now = rows[2];

    for (size_t j = 0; j <= b.len; j++)
        last[j] = j;

    for (size_t i = 1; i <= a.len; i++) {
        size_t *spare = before;

        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = a.p[i - 1] == b.p[j - 1];

            now[j] = size_min(size_min(last[j], now[j - 1]) + 1, last[j - 1] + !same);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = size_min(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
        now = spare;
    }

    return last[b.len];
}

void nearest_offer(struct nearest *nearest, struct str candidate)
{
    struct str word = nearest->word;
    size_t allowed = size_min(word.len, candidate.len) / 3;
    size_t steps;

    if (word.len == 0 || word.len > NEAREST_WORD_BYTES_MAX || candidate.len == 0 ||
        candidate.len > NEAREST_WORD_BYTES_MAX)
        return;

    /* A third of the letters may be wrong; in a short word one. */
    steps = distance(word, candidate);
    if (steps > (allowed > 0 ? allowed : 1) || steps >= nearest->distance)
        return;

    nearest->best = candidate;
    nearest->distance = steps;
}

const char *nearest_hint(struct nearest *nearest)
{
    nearest->hint[0] = '\0';
    if (str_present(nearest->best))
        (void)snprintf(nearest->hint, sizeof(nearest->hint), ": did you mean '%.*s'?",
                       STR_ARG(nearest->best));
    return nearest->hint;
}
