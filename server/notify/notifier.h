/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery of event notifications: for each store and each target that a bucket of it has named, a
 * thread that reads the store's events in their order and brings them to the target.
 *
 * (1) At least once, in the order of commits: an event is forgotten after its target has taken it. Of
 *     a key and to one target no event overtakes another.
 * (2) A target that does not take an event is asked again, after a second, two, four, up to
 *     NOTIFY_PAUSE_MAX_S, by the store's clock; the others go on. What it refuses (4xx) is given up
 *     after NOTIFY_REFUSALS_MAX tries, everything after NOTIFY_AGE_MAX_S: it becomes a dead letter.
 * (3) Writes never wait for it. Of the events that wait, the oldest give way (STORE_EVENTS_MAX); how many
 *     is a dead letter, too.
 * (4) A store none of whose buckets names a target has no thread, and libcurl is not loaded.
 */
#ifndef SERVER_NOTIFY_NOTIFIER_H
#define SERVER_NOTIFY_NOTIFIER_H

#include "server/notify/target.h"
#include "storage/stores.h"

#define NOTIFY_PAUSE_MAX_S 60
#define NOTIFY_REFUSALS_MAX 5
#define NOTIFY_AGE_MAX_S (24 * 3600)
#define NOTIFY_SEND_MAX_S 30 /* one try */

struct notifier;

/*
 * targets, stores, region: borrowed, outlive it. NULL: no memory.
 */
MUST_CHECK struct notifier *notifier_open(const struct notify_targets *targets,
                                          struct stores *stores, struct str region);
/* Nothing is under way when it returns; what was not taken waits in its store. NULL is fine. */
void notifier_close(struct notifier *notifier);
/* NULL has none. */
const struct notify_targets *notifier_targets(const struct notifier *notifier);

/*
 * Look which targets subscribe to a store's events, and see that each has its thread. At the start
 * and after a configuration was committed. Any thread; reads the catalog.
 * False: a thread could not be started, and fault says why; the next call tries again.
 */
MUST_CHECK bool notifier_look(struct notifier *notifier, struct str store, struct fault *fault);

#endif
