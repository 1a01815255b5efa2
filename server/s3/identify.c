/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identify; see identify.h.
 *
 * (1) The signature is verified before anything is said of the route.
 * (2) Headers that a URL carries in its query count only once the URL is verified (settle.h).
 */
#include "server/s3/identify.h"

#include "server/s3/answer.h"
#include "server/s3/names.h"
#include "server/s3/refuse.h"
#include "server/s3/region.h"
#include "server/s3/request/settle.h"
#include "server/s3/request/source.h"
#include "server/s3/routes.h"
#include "server/s3/session/session.h"
#include "server/s3/store_map.h"

static enum s3_error op_name(struct op *op, enum resource *ret_resource)
{
    struct resource_name name;

    if (!name_resolve(op->request, op->host, op->options->domains, op->options->domain_count,
                      op->arena, &name))
        return op_fail(op, S3_InvalidURI, op->request->raw_path);
    op->bucket_name = name.bucket;
    op->key = name.key;
    op->virtual_bucket = name.virtual_bucket;
    op->accelerated = name.accelerated;
    *ret_resource = name.resource;
    return S3_OK;
}

static enum s3_error op_check_names(struct op *op)
{
    const char *wrong = str_present(op->bucket_name) ? s3_bucket_name_fault(op->bucket_name) : NULL;
    enum s3_error err;

    if (wrong != NULL) {
        fault_note(&op->fault, "bucket name: %s", wrong);
        return op_fail(op, S3_InvalidBucketName, op->bucket_name);
    }
    if (!str_present(op->key))
        return S3_OK;
    err = name_check_key(op->key);
    if (err == S3_KeyTooLongError)
        return op_fail(op, err, arena_printf(op->arena, "%zu", op->key.len),
                       arena_printf(op->arena, "%d", STORE_KEY_BYTES_MAX));
    if (err != S3_OK)
        return op_fail(op, err, op->request->raw_path);
    return S3_OK;
}

static enum s3_error refuse_route(struct op *op, enum resource resource,
                                  const struct s3_refusal *refusal)
{
    struct str methods;

    op->refusal = *refusal;
    if (refusal->error != S3_MethodNotAllowed)
        return refusal->error;
    methods = route_methods(op->request, resource, op->arena);
    if (str_present(methods)) {
        op->keep_headers = true;
        op_set(op, "Allow", methods);
    }
    return S3_MethodNotAllowed;
}

/* Route, then who: the only call of auth_verify. */
enum s3_error op_identify(struct op *op)
{
    enum resource resource = RESOURCE_SERVICE;
    struct s3_refusal routed = { .error = S3_OK };
    bool settled_anew = false;
    enum s3_error err = op_name(op, &resource);

    if (err != S3_OK)
        return err;
    op->route = route_find(op->request, resource, op->arena, &routed);
    err = auth_verify(&op->options->auth, op->auth_cache, op->request, op->virtual_bucket,
                      op->arena, &op->auth, &op->refusal);
    if (err == S3_OK)
        err = headers_settle(op, &settled_anew);
    if (err != S3_OK)
        return err;
    op->agrees_to_pay = str_eq(op_header(op, "x-amz-request-payer"), STR("requester"));
    if (settled_anew)
        op->route = route_find(op->request, resource, op->arena, &routed);
    if (op->route == NULL && routed.error == S3_NotImplemented)
        op->route = route_unknown(resource);
    err = source_check_method(op);
    if (err != S3_OK)
        return err;
    if (op->route == NULL)
        return refuse_route(op, resource, &routed);
    err = session_check(op);
    if (err != S3_OK)
        return err;
    op->form_unread = op->route->body == TAKES_FORM;
    if (!route_absent(op->route) && ((unsigned)op->auth.payload & op->route->payloads) == 0)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The value of x-amz-content-sha256 header is invalid."));
    return op_check_names(op);
}
