/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SelectObjectContent: a query's first step decides whether it is refused; the rest of it runs while
 * the answer is sent, a step whenever the client has taken what there was.
 */
#include "server/select/select.h"

#include "server/s3/encryption/method.h"
#include "server/s3/lifecycle/archive.h"
#include "server/s3/op.h"
#include "server/s3/refuse.h"
#include "server/s3/select/settings.h"
#include "server/s3/store_map.h"

/* In the request's arena. */
struct selecting {
    struct op *op;
    struct select_query *query;
    struct body *body;
    uint64_t held; /* of what the query holds, counted so far */
};

static int64_t source_read(void *context, void *out, size_t max)
{
    struct selecting *selecting = context;
    struct fault fault = { 0 };
    int64_t got;

    if (selecting->body == NULL)
        return 0;
    got = body_read(selecting->body, out, max, &fault);
    if (got < 0)
        op_log_failure(selecting->op, &fault);
    return got;
}

static void count_memory(struct selecting *selecting)
{
    uint64_t now = select_memory(selecting->query);

    if (now > selecting->held) {
        op_charge(selecting->op, now - selecting->held);
        selecting->held = now;
    }
}

/* What can not be read ends the connection: the status has been sent. */
static int64_t stream_read(void *context, void *out, size_t max)
{
    struct selecting *selecting = context;
    int64_t got = select_read(selecting->query, out, max);

    count_memory(selecting);
    return got;
}

static void stream_close(void *context)
{
    struct selecting *selecting = context;

    select_close(selecting->query);
    body_close(selecting->body);
}

/* An object without bytes has no body. */
static enum s3_error open_source(struct op *op, const struct select_settings *settings,
                                 struct selecting *selecting)
{
    uint64_t first = select_first_byte(settings);
    uint64_t size = op->version.size_bytes;

    if (size == 0)
        return S3_OK;
    return s3_from_store(op, body_open(op->reader, &op->version, first, size - first,
                                       &selecting->body, &op->fault));
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_SelectObjectContent.html */
enum s3_error op_SelectObjectContent(struct op *op)
{
    struct selecting *selecting = ARENA_NEW(op->arena, struct selecting);
    struct select_settings settings;
    enum s3_error err;

    if (selecting == NULL)
        return op_fail(op, S3_SlowDown);
    err = encryption_for_reading(op);
    if (err == S3_OK)
        err = archive_for_reading(op);
    if (err == S3_OK)
        err = select_settings_read(op, &settings);
    if (err != S3_OK)
        return err;
    selecting->op = op;
    err = select_open(&settings, &selecting->query);
    if (err == S3_OK && !op_hold(op, select_memory(selecting->query)))
        err = S3_SlowDown;
    if (err == S3_OK) {
        selecting->held = select_memory(selecting->query);
        err = open_source(op, &settings, selecting);
    }
    if (err == S3_OK) {
        select_start(selecting->query, &(struct select_source){ source_read, selecting });
        err = select_step(selecting->query);
        count_memory(selecting);
    }
    if (err != S3_OK) {
        stream_close(selecting);
        return op->refusal.error == err ? err : op_fail(op, err);
    }
    op->reply->status = op->route->status;
    op->reply->body_kind = HTTP_BODY_STREAM;
    op->reply->length = HTTP_LENGTH_UNKNOWN;
    op->reply->stream = selecting;
    op->reply->read = stream_read;
    op->reply->close_stream = stream_close;
    return S3_OK;
}
