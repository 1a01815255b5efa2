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

/* Where a bucket's access log goes, as its configuration says. */
enum log_partition { LOG_SIMPLE = 0, LOG_BY_DELIVERY, LOG_BY_EVENT };

struct log_target {
    struct str bucket;
    struct str prefix;
    enum log_partition partition;
};

/* A bucket that is logged. */
struct logged_bucket {
    const struct log_target *target; /* NULL: it is not */
    struct str name, owner;          /* canonical id */
};

/* An object that a request names in its body, and what became of it. */
struct logged_item {
    struct str key;
    struct str version; /* STR_NONE: none */
    int status;
    struct str code; /* of the error; STR_NONE */
};

/*
 * What access logs tell besides. In the record of a request to a bucket that is logged, or that copies from
 * one.
 */
struct log_facts {
    struct logged_bucket bucket;
    struct logged_bucket source; /* of a copy */
    struct str source_key, source_version;
    uint64_t source_bytes;
    int64_t received_us;  /* by the clock: when its head was read */
    struct str operation; /* "REST.GET.OBJECT" */
    struct str requester; /* canonical id or ARN; STR_NONE: nobody who is known */
    struct str protocol;  /* "HTTP/1.1" */
    struct str host_id;
    struct str referer;
    struct str signature_version, auth_type; /* "SigV4", "AuthHeader"; STR_NONE */
    struct str tls_version, cipher;          /* STR_NONE: no TLS */
    bool has_object;
    uint64_t object_bytes; /* of the object as a whole */
    const struct logged_item *items;
    size_t item_count;
};

/* What the server has done by itself to an object of a bucket that is logged. Texts as above. */
struct deed_record {
    struct str store; /* its name */
    struct logged_bucket bucket;
    struct str operation; /* "S3.EXPIRE.OBJECT" */
    struct str key;
    struct str version; /* STR_NONE: none */
    int64_t done_us;    /* by the store's clock */
};

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
    bool by_acl;       /* allowed by a grant of an ACL alone, to who is not the owner */

    /* what was answered */
    struct str request_id;
    bool unseen; /* refused by the HTTP layer, or for lack of memory, before it had an operation */
    int status;
    struct str code; /* of the error; STR_NONE */
    struct str why;  /* what the client's message leaves open; STR_NONE */
    struct str hint; /* for whoever runs the server, where a setting may be wrong; STR_NONE */
    bool aborted;    /* the answer was not sent whole */
    uint64_t bytes_in, bytes_out; /* of bodies */

    const struct log_facts *log; /* NULL: nobody logs it */

    /* monotonic; 0: not reached */
    int64_t started_us;  /* its head was read */
    int64_t taken_us;    /* ... and all of its body; of one that has none: 0 */
    int64_t answered_us; /* the answer was handed over: its first byte goes out */
    int64_t done_us;
};

/* One who is told, from many threads at once. */
struct observer {
    /* Each may be NULL. */
    void (*request)(void *context, const struct request_record *record);
    /* store: its name; "" is the one that has none. */
    void (*work)(void *context, struct str store, const struct work_record *record);
    /* On whatever thread has done it. */
    void (*deed)(void *context, const struct deed_record *record);
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
void observers_tell_deed(const struct observers *observers, const struct deed_record *record);
void observers_tell_work(const struct observers *observers, struct str store,
                         const struct work_record *record);

#endif
