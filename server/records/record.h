/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened: a record for each request and each round of background work, and who is told.
 *
 * (1) A request has one record, told once, when it is over, on the thread of its loop, however it
 *     ended: also when it was refused before any operation saw it.
 * (2) A record is plain texts and numbers, so that an observer knows nothing of how requests are
 *     served. The texts live until the observer returns; what is to stay is copied.
 * (3) Its texts are the client's, as they were sent: who writes them down masks them (mask.h).
 * (4) A round of background work is told on the store's thread that did it (storage/work.h).
 * (5) An observer never blocks, and in its steady state allocates nothing.
 */
#ifndef SERVER_RECORDS_RECORD_H
#define SERVER_RECORDS_RECORD_H

#include "base/text/str.h"
#include "storage/store.h"

struct request_record {
    unsigned loop; /* its number, from 0; one thread each */

    /* what was asked for; STR_NONE: it does not say */
    unsigned operation; /* its number, below the count of operations; 0: none was found */
    struct str name;    /* of the operation; "-" */
    struct str method;
    struct str target;
    struct str host;
    struct str store;  /* its name; "" is the one that has none; STR_NONE: none was found */
    struct str remote; /* "127.0.0.1:1234" */
    struct str user_agent;
    struct str bucket;
    bool bucket_named; /* the bucket's name could be one; otherwise it may be any text */
    struct str key;
    struct str version; /* that the answer names, else the one that was asked for */

    /* who asked; STR_NONE: nobody who is known */
    struct str principal; /* canonical id */
    struct str access_key;

    /* what was decided of it last; action STR_NONE: it did not come so far */
    struct str action; /* "s3:GetObject" */
    bool allowed;
    struct str reason; /* no client is told it */

    /* what was answered */
    struct str request_id;
    bool unseen; /* refused by the HTTP layer, or for lack of memory, before it had an operation */
    int status;
    struct str code; /* of the error; STR_NONE */
    struct str why;  /* what the client's message leaves open; STR_NONE */
    struct str hint; /* for whoever runs the server, where a setting may be wrong; STR_NONE */
    bool aborted;    /* the answer was not sent whole */
    uint64_t bytes_in, bytes_out; /* of bodies */

    /* monotonic; 0: not reached */
    int64_t started_us;  /* its head was read */
    int64_t answered_us; /* the answer was handed over: its first byte goes out */
    int64_t done_us;
};

/* One who is told, from many threads at once. */
struct observer {
    /* Each may be NULL. */
    void (*request)(void *context, const struct request_record *record);
    /* store: its name; "" is the one that has none. */
    void (*work)(void *context, struct str store, const struct work_record *record);
    void *context; /* borrowed, outlives the server */
};

#define OBSERVERS_MAX 8

/* All who are told, in the order in which they were added; does not change once the first store is open. */
struct observers {
    struct observer list[OBSERVERS_MAX];
    size_t count;
};

/* False: there are OBSERVERS_MAX already. */
MUST_CHECK bool observers_add(struct observers *observers, const struct observer *observer);
/* Tell all of them. observers may be NULL. Any thread. */
void observers_tell_request(const struct observers *observers, const struct request_record *record);
void observers_tell_work(const struct observers *observers, struct str store,
                         const struct work_record *record);

#endif
