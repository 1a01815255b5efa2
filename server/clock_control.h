/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests from outside: a descriptor over which they move the clocks of a serving process.
 *
 * Only in a program that was built to be tested (PAIL_CLOCK_CONTROL): in any other, nothing of it is
 * there. A message is one of "advance MICROSECONDS", "set MICROSECONDS" (since 1970), "freeze" and
 * "run"; the answer, "ok" or "refused", comes when all clocks were moved.
 */
#ifndef SERVER_CLOCK_CONTROL_H
#define SERVER_CLOCK_CONTROL_H

#include "server/s3/s3.h"

struct clock_control;

#ifdef PAIL_CLOCK_CONTROL

/* Serve the SOCK_SEQPACKET socket whose number PAIL_CLOCK_FD names; NULL: it names none. */
struct clock_control *clock_control_open(struct s3_app *app);
/* Before the app goes. NULL is fine. */
void clock_control_close(struct clock_control *control);

#else

static inline struct clock_control *clock_control_open(struct s3_app *app)
{
    (void)app;
    return NULL;
}

static inline void clock_control_close(struct clock_control *control)
{
    (void)control;
}

#endif
#endif
