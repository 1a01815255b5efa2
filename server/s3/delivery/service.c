/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that services of S3 store; see service.h.
 */
#include "server/s3/delivery/service.h"

#include "server/s3/admit.h"
#include "server/s3/bucket_config.h"
#include "server/s3/encryption/method.h"
#include "server/s3/may.h"
#include "server/s3/ops/reply_put.h"
#include "server/s3/refuse.h"
#include "server/s3/render.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/checksums.h"
#include "server/s3/store_map.h"

#define COMMIT_TRIES_MAX 16

static const struct route put_route = { .name = STR_INIT("Deliver"),
                                        .method = STR_INIT("PUT"),
                                        .resource = RESOURCE_OBJECT,
                                        .action = ACTION_PutObject,
                                        .body = TAKES_STREAM,
                                        .status = 200 };

/*
 * As they are named by policies, and own what they write: log delivery under the id that it has on AWS, S3
 * under the SHA-256 of its name, as users are given theirs.
 */
static const struct user services[] = {
    [SERVICE_LOGGING] = { .kind = USER_SERVICE,
                          .name = STR_INIT("logging.s3.amazonaws.com"),
                          .display_name = STR_INIT("s3-log-service"),
                          .canonical_id = STR_INIT(ACL_LOG_DELIVERY_HEX) },
    [SERVICE_S3] = { .kind = USER_SERVICE,
                     .name = STR_INIT("s3.amazonaws.com"),
                     .display_name = STR_INIT("s3-service"),
                     .canonical_id = STR_INIT("65e7d15852c752806af5aacc24a4cc62"
                                              "5ff4521a867a986bc15d8332332feff4") },
};

/* What lies together with the op. */
struct service_call {
    struct op op;
    struct http_request request;
    struct http_reply reply;
    struct http_field fields[SERVICE_FIELDS_MAX + 1];
};

struct op *service_op(const struct service_request *request, struct arena *arena)
{
    struct service_call *call = ARENA_NEW(arena, struct service_call);
    struct op *op = call != NULL ? &call->op : NULL;

    if (op == NULL)
        return NULL;
    call->fields[0] = (struct http_field){ STR("x-amz-acl"), STR("bucket-owner-full-control") };
    for (size_t i = 0; i < request->field_count; i++)
        call->fields[i + 1] = request->fields[i];
    call->request = (struct http_request){ .method = put_route.method,
                                           .fields = call->fields,
                                           .field_count = request->field_count + 1,
                                           .tls = true,
                                           .peer = STR("unix") };
    op->arena = arena;
    op->request = &call->request;
    op->reply = &call->reply;
    op->options = request->options;
    op->at = request->at;
    op->store = request->at->held->store;
    op->reader = request->at->reader;
    op->route = &put_route;
    op->auth = (struct auth){ .scheme = AUTH_V4_HEADER, .user = &services[request->service] };
    op->bucket_name = request->bucket;
    op->key = request->key;
    op->config = op->source_config = &bucket_config_none;
    op->source_bucket_name = request->source;
    op->source_account = request->account;
    op->lacked_before = mem_lacked();
    render_request_id(op->request_id);
    return op;
}

void service_close(struct op *op)
{
    if (op == NULL)
        return;
    body_writer_close(op->writer);
    op->writer = NULL;
    op_drop_configs(op);
}

enum s3_error service_admit(struct op *op)
{
    enum s3_error err = op_load_bucket(op);
    struct op_subject subject = op_subject(op);

    return err == S3_OK ? op_require(op, ACTION_PutObject, &subject) : err;
}

/* ---- the object -------------------------------------------------------------------------------- */

static enum s3_error open_writer(struct op *op, uint64_t expected_bytes)
{
    struct body_options options = {
        .account = op->bucket.owner,
        .encrypt = op->attrs.sse != SSE_NONE,
        .expected_bytes = expected_bytes,
        .checksum_kinds = 1u << CHECKSUM_CRC64NVME,
    };

    op->checksum_kind = CHECKSUM_CRC64NVME;
    encryption_options(op, &options);
    return s3_from_store(op, body_writer_open(op->store, &options, &op->writer, &op->fault));
}

enum s3_error service_begin(struct op *op, uint64_t expected_bytes)
{
    enum s3_error err;

    reader_begin(op->reader);
    err = service_admit(op);
    if (err == S3_OK)
        err = attrs_from_request(op, &op->attrs);
    if (err == S3_OK)
        err = open_writer(op, expected_bytes);
    reader_end(op->reader);
    return err;
}

/* Into the ACL that it has. */
static enum s3_error add_grants(struct op *op, struct version_attrs *attrs,
                                const struct acl_grant *grants, size_t count)
{
    struct acl acl;
    struct acl_grant *all;

    if (count == 0 || op->config->access.ownership == OWNERSHIP_OWNER_ENFORCED)
        return S3_OK;
    if (!acl_unpack(attrs->acl, attrs->owner, op->arena, &acl))
        return op_fail(op, S3_SlowDown);
    all = arena_array(op->arena, acl.count + count, sizeof(*all));
    if (all == NULL)
        return op_fail(op, S3_SlowDown);
    memcpy(all, acl.grants, acl.count * sizeof(*all));
    memcpy(all + acl.count, grants, count * sizeof(*all));
    acl = (struct acl){ all, acl.count + count };
    return acl_pack(&acl, attrs->owner, op->arena, &attrs->acl) ? S3_OK : op_fail(op, S3_SlowDown);
}

static enum s3_error fill_intent(struct op *op, struct intent *intent,
                                 const struct acl_grant *grants, size_t count)
{
    struct intent_put *put = &intent->put;
    struct stored_checksum checksum = checksum_of_digests(op);
    enum s3_error err;

    put->attrs = op->attrs;
    err = attrs_settle(op, &put->attrs);
    if (err == S3_OK)
        err = add_grants(op, &put->attrs, grants, count);
    if (err != S3_OK)
        return err;
    put->attrs.etag = etag_of_digests(op, &op->digests);
    put->attrs.checksum = stored_checksum_pack(op, &checksum);
    put->bytes.body = op->writer;
    intent->origin.event = STR("ObjectCreated:Put");
    return str_present(put->attrs.etag) ? S3_OK : op_fail(op, S3_SlowDown);
}

/* One try, admitted by what the bucket says now. */
static enum s3_error submit(struct op *op, const struct acl_grant *grants, size_t count,
                            enum store_status *ret_status)
{
    struct intent *intent = NULL;
    enum s3_error err;

    reader_begin(op->reader);
    err = service_admit(op);
    if (err == S3_OK) {
        intent = op_intent(op, INTENT_OBJECT_PUT);
        err = intent != NULL ? fill_intent(op, intent, grants, count) : op_fail(op, S3_SlowDown);
    }
    reader_end(op->reader);
    if (err != S3_OK || intent == NULL)
        return err;
    reader_let_go(op->reader);
    *ret_status = store_submit_wait(op->store, intent);
    if (*ret_status != STORE_OK && op->fault.text[0] == '\0')
        op->fault = intent->fault;
    return *ret_status == STORE_RETRY ? S3_OK : s3_from_store(op, *ret_status);
}

enum s3_error service_commit(struct op *op, const struct acl_grant *grants, size_t grant_count,
                             struct body_digests *ret_digests)
{
    enum store_status status = body_writer_finish(op->writer, &op->digests, &op->fault);
    enum s3_error err = s3_from_store(op, status);

    status = STORE_RETRY;
    for (unsigned i = 0; err == S3_OK && status == STORE_RETRY && i < COMMIT_TRIES_MAX; i++)
        err = submit(op, grants, grant_count, &status);
    if (err == S3_OK)
        err = s3_from_store(op, status);
    if (err == S3_OK)
        *ret_digests = op->digests;
    return err;
}

/* ---- words ------------------------------------------------------------------------------------- */

struct str service_problem(const struct op *op, enum s3_error error)
{
    if (op->fault.text[0] != '\0')
        return str_from_cstr(op->fault.text);
    return str_present(op->refusal.message) ? op->refusal.message : s3_error_row(error)->message;
}

struct str service_account(struct credentials *credentials, struct str canonical_id,
                           struct arena *arena)
{
    struct user user;
    char made[AUTH_ACCOUNT_DIGITS];

    if (credentials_know(credentials, CREDENTIALS_BY_CANONICAL_ID, canonical_id, &user) ==
        CREDENTIALS_FOUND)
        return arena_dup(arena, user.account);
    users_account_id(canonical_id, made);
    return arena_dup(arena, str_make(made, sizeof(made)));
}
