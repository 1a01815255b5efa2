/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server does by itself for a store: a thread that sleeps by the store's clock until its next
 * round is due.
 *
 * (1) A round is run when the wall hand shows the time that the last one named, and when it was woken.
 *     While nothing is due the thread sleeps: an idle server does not wake up.
 * (2) A move of the clock counts: what is due by then is done at once. Where the wall hand goes back a
 *     round is run, too, so that it names another time.
 * (3) duty_stop waits for the round under way, which asks duty_stopping now and then.
 */
#ifndef SERVER_DUTIES_DUTY_H
#define SERVER_DUTIES_DUTY_H

#include "storage/store.h"

struct duty;

/*
 * Do what is due. On the duty's thread.
 *
 * now_us  by the store's wall hand.
 * Returns when the next round is due, by the wall hand; INT64_MAX: only when it is woken.
 */
typedef int64_t duty_round(void *context, struct duty *duty, int64_t now_us);

/* Start; the first round is run at once. The store outlives it. NULL: no memory, or no thread. */
MUST_CHECK struct duty *duty_start(struct store *store, duty_round *round, void *context);
/* Run a round soon. Any thread; never blocks for long. */
void duty_wake(struct duty *duty);
/* Whether duty_stop was called. Any thread. */
bool duty_stopping(const struct duty *duty);
/* Sleep for so long, by the system's clock, or until it is to stop. The duty's thread. */
void duty_rest(struct duty *duty, int64_t us);
/* End it. NULL is fine. */
void duty_stop(struct duty *duty);

#endif
