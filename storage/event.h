/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: what writes have changed, in the order of their commits. One list, for whoever has to know:
 * notifications, replication, a journal, somebody who watches.
 *
 * (1) An event is written in the transaction of the change that it tells: never one without the other.
 * (2) Nothing is written while nobody subscribes. A subscription is in the store: what changes while
 *     the subscriber, or the process, is away waits for it.
 * (3) Ids rise by one, in the order of commits, and none is used twice.
 * (4) An event stays until every subscriber has said that it is done with it, so each is given to a
 *     subscriber at least once. Whoever subscribes sees what comes after.
 * (5) At most STORE_EVENTS_MAX wait. Writes do not wait for a subscriber: beyond that the oldest
 *     events give way, and whoever had not read them is told how many it has lost.
 *
 * A subscriber's round: subscriber_done, event_list after that, tell, store_events_forget.
 */
#ifndef STORAGE_EVENT_H
#define STORAGE_EVENT_H

#include "storage/model.h"

struct store;
struct reader;

#define STORE_EVENTS_MAX 1000000
#define STORE_SUBSCRIBERS_MAX 64
#define STORE_SUBSCRIBER_NAME_MAX 64 /* bytes */

struct store_event {
    int64_t id;
    struct str name; /* intent_origin.event, or what it says of delete markers */
    int64_t bucket_id;
    struct str bucket;
    struct str key;
    int64_t seq;           /* of the version made, changed or removed */
    struct str version_id; /* its id as text ("null", too); STR_NONE: there is no versioning */
    uint64_t size_bytes;
    struct str etag; /* without quotes; "" of a delete marker */
    int64_t time_us;
    struct str request_id; /* these three as intent_origin has them */
    struct str principal;
    struct str address;
};

/*
 * From now on events are kept for the subscriber of that name, until store_unsubscribe. One that is
 * known already keeps its place. These wait for a commit: not for an event loop.
 *
 * name     1 to STORE_SUBSCRIBER_NAME_MAX bytes, borrowed.
 * Returns STORE_OK, STORE_SUBSCRIBER_LIMIT, or a failure of the store. Any thread.
 */
MUST_CHECK enum store_status store_subscribe(struct store *store, struct str name,
                                             struct fault *fault);
/* It wants no more events, and forgets those that wait. STORE_NO_SUBSCRIBER: there was none. */
MUST_CHECK enum store_status store_unsubscribe(struct store *store, struct str name,
                                               struct fault *fault);
/*
 * The subscriber is done with the event of that id and all before it: once all are, they go.
 * STORE_NO_SUBSCRIBER as above. An id that is not there yet, or less than before, is no mistake.
 */
MUST_CHECK enum store_status store_events_forget(struct store *store, struct str name, int64_t id,
                                                 struct fault *fault);

/* The id of the last event that a subscriber is done with. STORE_NO_SUBSCRIBER. */
MUST_CHECK enum store_status subscriber_done(struct reader *reader, struct str name,
                                             int64_t *ret_id, struct fault *fault);

/* True: go on. What it is given lives until it returns. */
typedef bool event_visit(void *context, const struct store_event *event);

/*
 * Events with ids > after, ascending, at most max.
 *
 * ret_lost  events after `after` that gave way before they could be read.
 * Returns STORE_OK, STORE_STOPPED when visit has said so, or a failure.
 */
MUST_CHECK enum store_status event_list(struct reader *reader, int64_t after, uint32_t max,
                                        event_visit *visit, void *context, uint64_t *ret_lost,
                                        struct fault *fault);

/*
 * Somebody who wants to hear that there are new events, or that more waits to be replicated
 * (replication.h). Its own memory, untouched between store_listen and store_unlisten. wake runs on the
 * store's writer, after a commit that has such, and must neither block nor call the store: it wakes a
 * thread, or posts to a loop. What was there before store_listen is not told of: look once after it.
 */
struct event_listener {
    void (*wake)(struct event_listener *listener);
    void *owner; /* the listener's */
    enum { HEARS_EVENTS = 0, HEARS_BACKLOG } hears;
    struct event_listener *next;
};
void store_listen(struct store *store, struct event_listener *listener);
/* No wake is under way when it returns. */
void store_unlisten(struct store *store, struct event_listener *listener);

#endif
