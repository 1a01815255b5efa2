/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Destinations of notifications; see target.h.
 */
#include "server/notify/target.h"

#include "base/text/codec.h"

#define ARN_FIELDS 6
#define SUBSCRIBER_PREFIX "notify:"

struct str notify_arn_field(struct str arn, unsigned field)
{
    struct str rest = arn;
    struct str head = STR_NONE;

    for (unsigned i = 0; i < ARN_FIELDS - 1; i++) {
        if (!str_cut(rest, ':', &head, &rest))
            return STR_NONE;
        if (i == field)
            return head;
    }
    return rest;
}

bool notify_arn_is_good(struct str arn)
{
    return str_eq(notify_arn_field(arn, 0), STR("arn")) && notify_arn_field(arn, 2).len > 0 &&
           notify_arn_field(arn, 5).len > 0 && str_is_printable(arn);
}

enum notify_protocol notify_protocol_of(struct str name)
{
    static const struct {
        struct str name;
        enum notify_protocol protocol;
    } names[] = {
        { STR_INIT("sqs"), NOTIFY_SQS },         { STR_INIT("sns"), NOTIFY_SNS },
        { STR_INIT("lambda"), NOTIFY_LAMBDA },   { STR_INIT("events"), NOTIFY_EVENTS },
        { STR_INIT("webhook"), NOTIFY_WEBHOOK },
    };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq(names[i].name, name))
            return names[i].protocol;
    return NOTIFY_NONE;
}

const struct notify_target *notify_target_of(const struct notify_targets *targets, struct str arn)
{
    for (size_t i = 0; i < targets->count; i++)
        if (str_eq(targets->items[i].arn, arn))
            return &targets->items[i];
    return NULL;
}

const struct notify_target *notify_bus_of(const struct notify_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        if (str_eq(notify_arn_field(targets->items[i].arn, 2), STR("events")))
            return &targets->items[i];
    return NULL;
}

void notify_subscriber(struct str arn, char out[NOTIFY_SUBSCRIBER_LEN])
{
    uint8_t hash[SHA256_BYTES];
    size_t prefix = STR(SUBSCRIBER_PREFIX).len;

    digest_once(DIGEST_SHA256, arn, hash);
    memcpy(out, SUBSCRIBER_PREFIX, prefix);
    hex_encode(hash, (NOTIFY_SUBSCRIBER_LEN - prefix) / 2, out + prefix);
}
