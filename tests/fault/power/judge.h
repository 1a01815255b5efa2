/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a state of a disk a store in which nothing that was acknowledged is lost?
 *
 * (1) It opens, and says of no error, nor of damage, even if it has mended it. A client sees what one
 *     of the expected views says: all that was acknowledged is there, what was under way is there
 *     entirely or not at all, nothing else is.
 * (2) Closed in order, the checker reads every byte and finds nothing.
 * (3) Of some states more is asked: the checker is run first, or the store takes further writes, is
 *     closed, opened again, and is what it was.
 */
#ifndef TESTS_FAULT_POWER_JUDGE_H
#define TESTS_FAULT_POWER_JUDGE_H

#include "tests/fault/power/cut.h"
#include "tests/fault/power/play.h"

struct judge {
    const struct scene *scene;
    const struct trace *trace;
    char folder[256]; /* an own one, for states */
    struct buf why;   /* what is wrong with the state looked at last */
};

void judge_init(struct judge *judge, const char *folder);
void judge_free(struct judge *judge);
/*
 * Write the state that cut_state made last into the folder and look at it. first to last: the views that
 * are expected; ret_view: the one that was found. False: why says what is wrong.
 */
bool judge_state(struct judge *judge, const struct cut *cut, uint64_t sum, size_t first,
                 size_t last, size_t *ret_view);

#endif
