/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an operation to its record; see record.h.
 *
 * Operations are numbered: 0 is none, then come the rows of routes.def, then those of foreign.h.
 */
#include "server/s3/record.h"

#include "server/s3/delivery/log_facts.h"
#include "server/s3/foreign.h"
#include "server/s3/names.h"

size_t s3_operation_count(void)
{
    return s3_route_count + FOREIGN_KINDS;
}

struct str s3_operation_name(size_t number)
{
    if (number == 0 || number >= s3_operation_count())
        return STR("-");
    return number <= s3_route_count ? s3_routes[number - 1].name
                                    : foreign_routes[number - s3_route_count].name;
}

static unsigned number_of(const struct op *op)
{
    if (op->foreign != FOREIGN_NOT)
        return (unsigned)s3_route_count + op->foreign;
    if (op->route == NULL || op->route == route_unknown(RESOURCE_SERVICE) ||
        op->route == route_unknown(RESOURCE_BUCKET))
        return 0;
    return (unsigned)(op->route - s3_routes) + 1;
}

static struct str replied(const struct http_reply *reply, struct str name)
{
    for (size_t i = 0; i < reply->field_count; i++)
        if (str_eq_nocase(reply->fields[i].name, name))
            return reply->fields[i].value;
    return STR_NONE;
}

/* What the answer names, which a write that makes one does; else what was asked for. */
static struct str version_of(const struct op *op)
{
    struct str named = replied(op->reply, STR("x-amz-version-id"));

    return str_present(named) || !op->asked_version ? named : op_param(op, "versionId");
}

static struct str hint_of(const struct op *op)
{
    bool lost = op->error == S3_NoSuchBucket && name_looks_virtual(op->host) &&
                !str_present(op->virtual_bucket);

    return lost ? STR("this Host is under no --domain: the path was read as /BUCKET/KEY")
                : STR_NONE;
}

static void take_request(struct request_record *record, const struct http_request *request)
{
    record->method = request->method;
    record->target = request->target;
    record->host = request->host;
    record->remote = request->peer;
    record->user_agent = http_header(request, STR("User-Agent"));
}

void record_tell(struct op *op, bool completed, uint64_t bytes_in, uint64_t bytes_out)
{
    struct request_record *record = &op->record;

    take_request(record, op->request);
    record->operation = number_of(op);
    if (!str_present(record->name))
        record->name = op->route != NULL ? op->route->name : STR("-");
    record->bucket = op->bucket_name;
    record->bucket_named = str_present(op->bucket_name) &&
                           s3_bucket_name_fault(op->bucket_name) == NULL;
    record->key = op->key;
    record->version = version_of(op);
    if (op->auth.user != NULL) {
        record->principal = op->auth.user->canonical_id;
        record->access_key = op->auth.user->access_key;
    }
    record->request_id = str_make(op->request_id, 16);
    record->status = op->reply->status;
    if (op->error != S3_OK) {
        record->code = s3_error_row(op->error)->code;
        if (op->fault.text[0] != '\0')
            record->why = str_from_cstr(op->fault.text);
    }
    record->hint = hint_of(op);
    record->aborted = !completed;
    record->bytes_in = bytes_in;
    record->bytes_out = bytes_out;
    record->done_us = clock_monotonic_us(op->options->auth.clock);
    record->log = log_facts_of(op);
    observers_tell_request(op->options->observers, record);
}

void record_tell_unseen(const struct s3_options *options, unsigned loop,
                        const struct http_exchange_view *exchange, bool completed,
                        uint64_t bytes_in, uint64_t bytes_out)
{
    struct request_record record = {
        .loop = loop,
        .unseen = true,
        .name = STR("-"),
        .request_id = replied(exchange->reply, STR("x-amz-request-id")),
        .status = exchange->reply->status,
        .aborted = !completed,
        .bytes_in = bytes_in,
        .bytes_out = bytes_out,
        .started_us = clock_monotonic_us(options->auth.clock),
    };

    record.answered_us = record.done_us = record.started_us;
    take_request(&record, exchange->request);
    observers_tell_request(options->observers, &record);
}
