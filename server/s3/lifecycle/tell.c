/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers say of the lifecycle ahead; see tell.h.
 */
#include "server/s3/lifecycle/tell.h"

#include "base/text/codec.h"
#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/lifecycle/rules.h"

/* An ID may be any text: as it may stand in a header. */
static struct str encoded_id(struct op *op, struct str id)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(3 * LIFECYCLE_ID_BYTES_MAX);

    uri_encode(&out, id, URI_KEEP_NONE);
    return out.failed ? STR_NONE : arena_dup(op->arena, buf_view(&out));
}

void lifecycle_tell_expiration(struct op *op, int64_t made_us, uint64_t size_bytes, struct str tags)
{
    const struct lifecycle_version version = {
        .key = op->key, .tags = tags, .size_bytes = size_bytes, .since_us = made_us
    };
    char date[CLOCK_HTTP_LEN + 1];
    struct lifecycle_due due;

    if (op->config->lifecycle == NULL ||
        !lifecycle_expiration(op->config->lifecycle, &version, op->options->lifecycle_day_us, &due))
        return;
    clock_format_http(due.at_us, date);
    op_set(op, "x-amz-expiration",
           arena_printf(op->arena, "expiry-date=\"%s\", rule-id=\"%.*s\"", date,
                        STR_ARG(encoded_id(op, due.rule_id))));
}

void lifecycle_tell_abort(struct op *op, int64_t initiated_us)
{
    struct lifecycle_due due;

    if (op->config->lifecycle == NULL ||
        !lifecycle_abort(op->config->lifecycle, op->key, initiated_us,
                         op->options->lifecycle_day_us, &due))
        return;
    op_set_http_date(op, "x-amz-abort-date", due.at_us);
    op_set(op, "x-amz-abort-rule-id", encoded_id(op, due.rule_id));
}
