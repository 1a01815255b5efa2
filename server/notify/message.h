/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of an event, and the request that says it in a target's protocol. Pure; any thread.
 */
#ifndef SERVER_NOTIFY_MESSAGE_H
#define SERVER_NOTIFY_MESSAGE_H

#include "server/client/client.h"
#include "server/notify/rules.h"
#include "server/notify/target.h"
#include "storage/store.h"

#define NOTIFY_TEST_EVENT STR("s3:TestEvent")
#define NOTIFY_MESSAGE_BYTES_MAX 65536 /* a key of 1,024 bytes, escaped twice, and the rest */

struct notify_about {
    const struct store_event *event;
    const struct notify_type *type; /* NULL: the test event */
    struct str configuration_id;
    struct str region;
    struct str owner; /* the bucket's, canonical id */
};

/*
 * {"Records":[{...}]}, the test event or, for a bus, what its entry's Detail is. Nothing of it lives
 * elsewhere.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
void notify_message(struct buf *out, const struct notify_about *about,
                    enum notify_protocol protocol);

/* A request that brings a message; all in the arena. */
struct notify_request {
    struct client_request request;
    struct http_field fields[4];
    struct auth_signer signer;
};

/* False: no memory. */
MUST_CHECK bool notify_request_make(const struct notify_target *target,
                                    const struct notify_about *about, struct str message,
                                    struct arena *arena, struct notify_request *ret_request);

/* Has the target taken it? */
bool notify_taken(const struct notify_target *target, const struct client_answer *answer);

#define NOTIFY_HOST_ID_LEN 44 /* base64 of 32 bytes */
/* x-amz-id-2 of a request: whoever knows the one id knows the other, as records of events do. */
void notify_host_id(struct str request_id, char out[NOTIFY_HOST_ID_LEN]);

#endif
