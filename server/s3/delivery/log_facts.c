/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an access log tells of a request; see log_facts.h.
 */
#include "server/s3/delivery/log_facts.h"

#include "server/auth/identity.h"
#include "server/s3/bucket_config.h"
#include "server/s3/delivery/logging.h"
#include "server/s3/foreign.h"
#include "server/s3/loop_stores.h"
#include "server/s3/names.h"
#include "server/s3/render.h"
#include "server/s3/request/selector.h"

/* ---- operations -------------------------------------------------------------------------------- */

/* What S3 calls the thing: that of a sub-resource, else the object or the bucket. */
static struct str type_of(const struct op *op, bool *ret_part)
{
    enum resource resource = str_present(op->key) ? RESOURCE_OBJECT : RESOURCE_BUCKET;
    const struct selector *named = selector_named(op->request, resource);

    *ret_part = named != NULL && str_eq(named->name, STR("uploadId")) &&
                str_eq(op->request->method, STR("PUT"));
    if (*ret_part)
        return STR("PART");
    return named != NULL ? named->type : resource_type(resource);
}

/* REST.GET.OBJECT, REST.COPY.PART, WEBSITE.GET.OBJECT. */
static struct str operation_of(const struct op *op)
{
    bool part;
    struct str type = type_of(op, &part);
    bool copies = str_eq(op->request->method, STR("PUT")) && str_present(op->key) &&
                  (part || str_eq(type, STR("OBJECT"))) &&
                  str_present(op_header(op, "x-amz-copy-source"));

    if (op->foreign == FOREIGN_PREFLIGHT)
        return STR("REST.OPTIONS.PREFLIGHT");
    return arena_printf(op->arena, "%s.%.*s.%.*s",
                        op->foreign == FOREIGN_WEBSITE ? "WEBSITE" : "REST",
                        STR_ARG(copies ? STR("COPY") : op->request->method), STR_ARG(type));
}

/* ---- who --------------------------------------------------------------------------------------- */

static struct str requester_of(const struct op *op)
{
    CLEANUP(buf_free) struct buf arn = BUF_WITH_MAX(IDENTITY_ARN_BYTES_MAX);
    const struct user *user = op->auth.user;

    if (user == NULL || user->kind == USER_ROOT)
        return user != NULL ? user->canonical_id : STR_NONE;
    identity_arn(&arn, user);
    return arena_dup(op->arena, buf_view(&arn));
}

static void take_auth(enum auth_scheme scheme, struct log_facts *facts)
{
    switch (scheme) {
    case AUTH_V4_HEADER:
    case AUTH_V4_QUERY:
    case AUTH_V4_POST:
        facts->signature_version = STR("SigV4");
        break;
    case AUTH_V2_HEADER:
    case AUTH_V2_QUERY:
    case AUTH_V2_POST:
        facts->signature_version = STR("SigV2");
        break;
    case AUTH_ANONYMOUS:
        break;
    }
    if (scheme == AUTH_V4_HEADER || scheme == AUTH_V2_HEADER)
        facts->auth_type = STR("AuthHeader");
    else if (scheme == AUTH_V4_QUERY || scheme == AUTH_V2_QUERY)
        facts->auth_type = STR("QueryString");
}

/* ---- what -------------------------------------------------------------------------------------- */

/* The object that was read, or the one that was written. */
static void take_object(const struct op *op, struct log_facts *facts)
{
    const struct intent *intent = op->intent;

    facts->has_object = true;
    if (op->error == S3_OK && intent != NULL &&
        (intent->kind == INTENT_OBJECT_PUT || intent->kind == INTENT_PART_PUT ||
         intent->kind == INTENT_UPLOAD_COMPLETE))
        facts->object_bytes = intent->result.size_bytes;
    else if (op->has_version && !op->version.delete_marker)
        facts->object_bytes = op->version.size_bytes;
    else
        facts->has_object = false;
}

static void take_source(struct op *op, struct log_facts *facts)
{
    facts->source = (struct logged_bucket){ .target = &op->source_config->logging->target,
                                            .name = op->source_bucket.name,
                                            .owner = op->source_bucket.owner };
    facts->source_key = op->source.key;
    facts->source_bytes = op->source.size_bytes;
    if (op->source_bucket.versioning != VERSIONING_NEVER)
        facts->source_version = version_id_text(&op->source, op->arena);
}

static void take_connection(struct op *op, struct log_facts *facts)
{
    struct http_tls_facts tls;

    facts->protocol = op->request->http_1_0 ? STR("HTTP/1.0") : STR("HTTP/1.1");
    facts->host_id = render_host_id(op->reply);
    facts->referer = op_header(op, "referer");
    if (http_tls_facts(op->exchange, &tls)) {
        facts->tls_version = arena_dup(op->arena, str_from_cstr(tls.version));
        facts->cipher = arena_dup(op->arena, str_from_cstr(tls.cipher));
    }
}

/* ---- whose ------------------------------------------------------------------------------------- */

/* Who it is was not known, or it was refused for its form: the bucket is there all the same. */
static void load_bucket(struct op *op)
{
    struct bucket bucket;

    if (op->error == S3_OK || op->bucket.id != 0 || op->config != &bucket_config_none ||
        op->reader == NULL || !str_present(op->bucket_name) ||
        s3_bucket_name_fault(op->bucket_name) != NULL)
        return;
    reader_begin(op->reader);
    if (bucket_get(op->reader, op->bucket_name, op->arena, &bucket, NULL) == STORE_OK &&
        bucket.has_documents &&
        bucket_config_use(op->at->configs, op->reader, &bucket, &op->config, NULL) == STORE_OK)
        op->bucket = bucket;
    reader_end(op->reader);
}

const struct log_facts *log_facts_of(struct op *op)
{
    struct log_facts *facts;

    load_bucket(op);
    if (op->config->logging == NULL && op->source_config->logging == NULL)
        return NULL;
    facts = ARENA_NEW(op->arena, struct log_facts);
    if (facts == NULL)
        return NULL;
    if (op->config->logging != NULL)
        facts->bucket = (struct logged_bucket){ .target = &op->config->logging->target,
                                                .name = op->bucket.name,
                                                .owner = op->bucket.owner };
    if (op->source_config->logging != NULL && str_present(op->source.key))
        take_source(op, facts);
    facts->received_us = clock_now_us(op->options->auth.clock) -
                         (op->record.done_us - op->record.started_us);
    facts->operation = operation_of(op);
    facts->requester = requester_of(op);
    facts->items = op->logged_items;
    facts->item_count = op->logged_item_count;
    take_auth(op->auth.scheme, facts);
    take_object(op, facts);
    take_connection(op, facts);
    return facts;
}
