/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A courier: the thread that brings a store's events to one target. Its rules: notifier.h.
 */
#ifndef SERVER_NOTIFY_COURIER_H
#define SERVER_NOTIFY_COURIER_H

#include "server/notify/notifier.h"

struct courier;

/*
 * target, region: borrowed. held: it is given back by courier_close (and here on failure).
 * NULL: no memory, no thread; fault says.
 */
MUST_CHECK struct courier *courier_open(const struct notify_target *target, bool is_bus,
                                        struct open_store *held, struct str region,
                                        struct fault *fault);
/* Tell all to stop before one is closed, so that none waits for another. */
void courier_stop(struct courier *courier);
void courier_close(struct courier *courier);
bool courier_is_of(const struct courier *courier, const struct notify_target *target,
                   const struct store *store);

#endif
