/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetObject and HeadObject: one path, HEAD only leaves the body out.
 *
 * A 206 never carries a whole-object checksum; one that is exactly a part carries the part's.
 */
#include "server/s3/ops/get.h"

#include "server/http/parse/range.h"
#include "server/s3/answer.h"
#include "server/s3/encryption/method.h"
#include "server/s3/lifecycle/archive.h"
#include "server/s3/lifecycle/tell.h"
#include "server/s3/op.h"
#include "server/s3/refuse.h"
#include "server/s3/replication/mark.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/checksums.h"
#include "server/s3/request/lock.h"
#include "server/s3/request/overrides.h"
#include "server/s3/store_map.h"

struct selection {
    bool partial; /* 206 */
    uint64_t offset;
    uint64_t len;
    uint32_t part_number; /* 0: not asked */
    struct stored_checksum part_checksum;
};

/* ---- which bytes --------------------------------------------------------------------------------- */

struct part_search {
    uint32_t wanted;
    uint32_t seen;
    uint64_t offset;
    bool found;
    struct part part;
    struct stored_checksum checksum;
};

static bool visit_part(void *context, const struct part *part)
{
    struct part_search *search = context;

    if (++search->seen < search->wanted) {
        search->offset += part->size_bytes;
        return true;
    }
    search->found = true;
    search->part = *part;
    if (!stored_checksum_unpack(part->checksum, &search->checksum))
        search->checksum.kind = CHECKSUM_NONE;
    return false;
}

/* Parts of the finished object count 1..N in order, whatever numbers they were uploaded under. */
static enum s3_error select_part(struct op *op, struct str text, struct selection *selection)
{
    const struct version *version = &op->version;
    uint32_t count = version->part_count > 0 ? version->part_count : 1;
    struct part_search search = { 0 };
    uint64_t number;

    if (!str_to_u64(text, &number) || number < 1 || number > STORE_PARTS_MAX)
        return op_fail_argument(op,
                                STR("Part number must be an integer between 1 and 10000, "
                                    "inclusive"),
                                STR("partNumber"), text);
    if (str_present(op_header(op, "range")))
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Cannot specify both Range header and partNumber query "
                                "parameter"));
    selection->part_number = (uint32_t)number;
    selection->len = version->size_bytes;
    if (version->part_count == 0 && number == 1) {
        selection->partial = version->size_bytes > 0;
        return S3_OK;
    }
    search.wanted = (uint32_t)number;
    if (version->part_count > 0) {
        enum store_status status = object_part_list(op->reader, version, 0, STORE_PARTS_MAX,
                                                    visit_part, &search, &op->fault);

        if (status != STORE_OK && status != STORE_STOPPED)
            return s3_from_store(op, status);
    }
    if (!search.found)
        return op_fail(op, S3_InvalidPartNumber, text, arena_printf(op->arena, "%u", count));
    selection->partial = true;
    selection->offset = search.offset;
    selection->len = search.part.size_bytes;
    selection->part_checksum = search.checksum;
    return S3_OK;
}

static enum s3_error select_bytes(struct op *op, struct str part, struct selection *selection)
{
    const struct version *version = &op->version;
    struct str range = op_header(op, "range");

    *selection = (struct selection){ .len = version->size_bytes };
    if (str_present(part))
        return select_part(op, part, selection);
    if (!str_present(range) ||
        !http_if_range_holds(op_header(op, "if-range"), version->attrs.etag, version->modified_us))
        return S3_OK;
    switch (http_range_parse(range, version->size_bytes, &selection->offset, &selection->len)) {
    case RANGE_NONE:
        selection->offset = 0;
        selection->len = version->size_bytes;
        return S3_OK;
    case RANGE_PARTIAL:
        selection->partial = true;
        return S3_OK;
    case RANGE_UNSATISFIABLE:
        break;
    }
    return op_fail(op, S3_InvalidRange, range,
                   arena_printf(op->arena, "%llu", (unsigned long long)version->size_bytes));
}

/* ---- headers ------------------------------------------------------------------------------------- */

static void set_checksums(struct op *op, const struct selection *selection)
{
    struct stored_checksum checksum;

    if (!str_eq_nocase(op_header(op, "x-amz-checksum-mode"), STR("ENABLED")))
        return;
    if (!stored_checksum_unpack(op->version.attrs.checksum, &checksum))
        return;
    if (!selection->partial) {
        checksum.parts = op->version.part_count;
        op_set_checksum(op, &checksum, /* with_type= */ true);
    } else if (selection->part_checksum.kind != CHECKSUM_NONE) {
        /* The part's own value, with the type of the object it belongs to. */
        op_set_checksum(op, &selection->part_checksum, /* with_type= */ false);
        op_set(op, "x-amz-checksum-type", checksum_type_name(checksum.type));
    }
}

static void set_identity(struct op *op)
{
    op_set_quoted(op, "ETag", op->version.attrs.etag);
    op_set_http_date(op, "Last-Modified", op->version.modified_us);
    if (op->bucket.versioning != VERSIONING_NEVER)
        op_set_version_id(op, &op->version);
}

static void set_headers(struct op *op, const struct selection *selection)
{
    set_identity(op);
    op_set(op, "Accept-Ranges", STR("bytes"));
    op_set_attrs(op, &op->version.attrs);
    lock_tell(op, &op->version.attrs);
    archive_tell(op, &op->version);
    if (op->version.latest)
        lifecycle_tell_expiration(op, op->version.modified_us, op->version.size_bytes,
                                  op->version.attrs.tags);
    replication_tell(op, &op->version);
    set_checksums(op, selection);
    if (selection->part_number != 0 && op->version.part_count > 0)
        op_set_u64(op, "x-amz-mp-parts-count", op->version.part_count);
    if (selection->partial && selection->len > 0)
        op_set(op, "Content-Range",
               arena_printf(op->arena, "bytes %llu-%llu/%llu",
                            (unsigned long long)selection->offset,
                            (unsigned long long)(selection->offset + selection->len - 1),
                            (unsigned long long)op->version.size_bytes));
}

/* ---- body ---------------------------------------------------------------------------------------- */

/* A body that is read while it is sent; in the request's arena. */
struct sending {
    const struct op *op;
    struct body *body;
};

/* What can not be read ends the connection: the status has been sent. */
static int64_t stream_read(void *context, void *out, size_t max)
{
    struct sending *sending = context;
    struct fault fault = { 0 };
    int64_t got = body_read(sending->body, out, max, &fault);

    if (got < 0)
        op_log_failure(sending->op, &fault);
    return got;
}

static void stream_close(void *context)
{
    struct sending *sending = context;

    body_close(sending->body);
}

static enum s3_error attach_stream(struct op *op, struct body *body)
{
    struct sending *sending = ARENA_NEW(op->arena, struct sending);

    if (sending == NULL) {
        body_close(body);
        return op_fail(op, S3_SlowDown);
    }
    *sending = (struct sending){ .op = op, .body = body };
    op->reply->body_kind = HTTP_BODY_STREAM;
    op->reply->stream = sending;
    op->reply->read = stream_read;
    op->reply->close_stream = stream_close;
    return S3_OK;
}

enum s3_error object_attach(struct op *op, const struct version *version, uint64_t offset,
                            uint64_t len)
{
    struct http_reply *reply = op->reply;
    struct body *body;
    struct str bytes;
    enum s3_error err;

    reply->length = len;
    if (op->request->head || len == 0) {
        reply->body_kind = HTTP_BODY_EMPTY;
        reply->length_only = op->request->head;
        return S3_OK;
    }
    err = s3_from_store(op, body_load(op->reader, version, offset, len, op->arena, &reply->memory,
                                      &op->fault));
    if (err != S3_OK)
        return err;
    if (str_present(reply->memory)) {
        reply->body_kind = HTTP_BODY_MEMORY;
        return S3_OK;
    }
    err = s3_from_store(op, body_open(op->reader, version, offset, len, &body, &op->fault));
    if (err != S3_OK)
        return err;
    if (body_take_file(body, &reply->fd, &reply->fd_offset)) {
        body_close(body);
        reply->body_kind = HTTP_BODY_FILE;
        return S3_OK;
    }
    if (body_is_memory(body, &bytes)) {
        /* Small: a copy in the arena is cheaper than keeping the body open. */
        reply->memory = arena_dup(op->arena, bytes);
        body_close(body);
        reply->body_kind = HTTP_BODY_MEMORY;
        return str_present(reply->memory) ? S3_OK : op_fail(op, S3_SlowDown);
    }
    return attach_stream(op, body);
}

/* 304 carries what identifies the version, nothing of its content. */
static enum s3_error reply_not_modified(struct op *op)
{
    set_identity(op);
    return op_reply_status(op, 304);
}

enum s3_error object_reply(struct op *op, struct str part, const struct overrides *overrides)
{
    struct preconditions conditions = {
        .if_match = op_header(op, "if-match"),
        .if_none_match = op_header(op, "if-none-match"),
        .if_modified_since = op_header(op, "if-modified-since"),
        .if_unmodified_since = op_header(op, "if-unmodified-since"),
    };
    struct selection selection;
    enum s3_error err = encryption_for_reading(op);

    if (err != S3_OK)
        return err;
    switch (http_preconditions_check(&conditions, op->version.attrs.etag, op->version.modified_us,
                                     clock_now_us(store_clock(op->store)))) {
    case PRECONDITION_NONE:
        break;
    case PRECONDITION_IF_NONE_MATCH:
    case PRECONDITION_IF_MODIFIED_SINCE:
        return reply_not_modified(op);
    case PRECONDITION_IF_MATCH:
        return op_fail(op, S3_PreconditionFailed, STR("If-Match"));
    case PRECONDITION_IF_UNMODIFIED_SINCE:
        return op_fail(op, S3_PreconditionFailed, STR("If-Unmodified-Since"));
    }
    if (!op->request->head)
        err = archive_for_reading(op);
    if (err == S3_OK)
        err = select_bytes(op, part, &selection);
    if (err != S3_OK)
        return err;
    set_headers(op, &selection);
    if (overrides != NULL)
        overrides_set(op, overrides);
    err = object_attach(op, &op->version, selection.offset, selection.len);
    if (err != S3_OK)
        return err;
    op->reply->status = selection.partial ? 206 : op->route->status;
    return S3_OK;
}

enum s3_error object_reply_whole(struct op *op, int status)
{
    const struct selection whole = { .len = op->version.size_bytes };
    enum s3_error err = encryption_for_reading(op);

    if (err == S3_OK)
        err = archive_for_reading(op);
    if (err != S3_OK)
        return err;
    set_headers(op, &whole);
    err = object_attach(op, &op->version, whole.offset, whole.len);
    if (err == S3_OK)
        op->reply->status = status;
    return err;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
enum s3_error op_GetObject(struct op *op)
{
    struct overrides overrides;
    enum s3_error err = overrides_read(op, &overrides);

    if (err == S3_OK)
        err = encryption_refuse_method(op);
    return err == S3_OK ? object_reply(op, op_param(op, "partNumber"), &overrides) : err;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
enum s3_error op_HeadObject(struct op *op)
{
    return op_GetObject(op);
}
