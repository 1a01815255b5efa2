/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Destinations of notifications, as the settings name them. Immutable once the server runs.
 */
#ifndef SERVER_NOTIFY_TARGET_H
#define SERVER_NOTIFY_TARGET_H

#include "base/digest/digest.h"

#define NOTIFY_TARGETS_MAX 16
#define NOTIFY_ARN_BYTES_MAX 512

enum notify_protocol {
    NOTIFY_NONE = 0,
    NOTIFY_SQS,
    NOTIFY_SNS,
    NOTIFY_LAMBDA,
    NOTIFY_EVENTS, /* EventBridge */
    NOTIFY_WEBHOOK,
};

/* Texts are borrowed from the settings, for the life of the server. */
struct notify_target {
    struct str name;
    struct str arn;
    struct str url;
    enum notify_protocol protocol;
    struct str region;                                /* of signatures */
    struct str access_key, secret_key, session_token; /* STR_NONE: not signed */
    struct str secret;                                /* a webhook's; STR_NONE: not signed */
};

struct notify_targets {
    struct notify_target *items;
    size_t count;
};

/* A field of an ARN, from 0 ("arn") to 5 (all that follows the fifth colon); STR_NONE: it has fewer. */
struct str notify_arn_field(struct str arn, unsigned field);
/* Six fields, of which the first is "arn" and the service and the resource are there. */
bool notify_arn_is_good(struct str arn);
/* "sqs", "webhook"; NOTIFY_NONE: there is none of that name. */
enum notify_protocol notify_protocol_of(struct str name);

/* NULL: no setting names it. */
const struct notify_target *notify_target_of(const struct notify_targets *targets, struct str arn);
/* Where EventBridgeConfiguration sends to: the first bus. NULL: there is none. */
const struct notify_target *notify_bus_of(const struct notify_targets *targets);

/* The name under which a target subscribes to the events of a store (storage/event.h). */
#define NOTIFY_SUBSCRIBER_LEN (7 + 2 * 16) /* "notify:" and half a SHA-256 of the ARN */
void notify_subscriber(struct str arn, char out[NOTIFY_SUBSCRIBER_LEN]);

#endif
