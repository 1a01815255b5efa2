/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which events of a bucket go where: what its notification document says, and the types of events.
 * Pure; any thread.
 */
#ifndef SERVER_NOTIFY_RULES_H
#define SERVER_NOTIFY_RULES_H

#include "base/arena.h"

#define NOTIFY_RULES_MAX 100
#define NOTIFY_ID_CHARS_MAX 255
#define NOTIFY_FILTER_BYTES_MAX 1024

struct notify_type {
    struct str name; /* "ObjectCreated:Put" */
    struct str version;
    struct str detail_type, reason, deletion; /* EventBridge's; "": none */
};

/* NULL: there is none of that name. */
const struct notify_type *notify_type(struct str name);
/* "s3:ObjectCreated:Put" or "s3:ObjectCreated:*", as documents name events. */
bool notify_event_is_known(struct str event);
/* Does the name in a document mean an event of that type? */
bool notify_event_means(struct str event, struct str type_name);

struct notify_rule {
    struct str id, arn;
    struct str *events; /* as the document names them */
    size_t event_count;
    struct str prefix, suffix; /* "": any */
};

/* In their arena. */
struct notify_rules {
    struct notify_rule *rules;
    size_t count;
    bool event_bridge; /* all events, to the bus */
};

/* Of a stored document. False: no memory. */
MUST_CHECK bool notify_rules_read(struct str stored, struct arena *arena,
                                  struct notify_rules *ret_rules);
/* The rule that sends an event of a key to that ARN; NULL: none. There is one at most. */
const struct notify_rule *notify_rules_match(const struct notify_rules *rules, struct str arn,
                                             struct str type_name, struct str key);
/* Do two rules want the same event of the same key? Which names: *ret_a, *ret_b. */
bool notify_rules_overlap(const struct notify_rule *a, const struct notify_rule *b,
                          struct str *ret_a, struct str *ret_b);

#endif
