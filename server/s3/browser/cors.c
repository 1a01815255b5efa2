/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cross-origin requests; see cors.h.
 */
#include "server/s3/browser/cors.h"

#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/foreign.h"
#include "server/s3/loop_stores.h"
#include "server/s3/names.h"
#include "server/s3/refuse.h"
#include "server/s3/routes.h"
#include "server/s3/store_map.h"

/* A bucket whose documents change as often as that while it is looked up has none. */
#define CONFIG_TRIES_MAX 16

/* ---- matching ---------------------------------------------------------------------------------- */

bool s3_cors_pattern_is_good(struct str pattern)
{
    size_t star = str_find_char(pattern, '*');

    return pattern.len > 0 && str_is_printable(pattern) &&
           str_find_char(pattern, ' ') == SIZE_MAX &&
           (star == SIZE_MAX || str_find_char(str_skip(pattern, star + 1), '*') == SIZE_MAX);
}

static bool equal(struct str a, struct str b, bool nocase)
{
    return nocase ? str_eq_nocase(a, b) : str_eq(a, b);
}

static bool matches(struct str pattern, struct str text, bool nocase)
{
    struct str before;
    struct str after;

    if (!str_cut(pattern, '*', &before, &after))
        return equal(pattern, text, nocase);
    return text.len >= before.len + after.len &&
           equal(before, str_slice(text, 0, before.len), nocase) &&
           equal(after, str_skip(text, text.len - after.len), nocase);
}

/* The pattern that does; NULL: none. */
static const struct str *find_match(const struct cors_list *list, struct str text, bool nocase)
{
    for (size_t i = 0; i < list->count; i++)
        if (matches(list->items[i], text, nocase))
            return &list->items[i];
    return NULL;
}

/* All that are named, separated by commas. */
static bool allows_headers(const struct cors_rule *rule, struct str names)
{
    struct str name;

    while (str_next(&names, ',', &name)) {
        name = str_trim(name);
        if (name.len > 0 && find_match(&rule->headers, name, true) == NULL)
            return false;
    }
    return true;
}

/* headers: STR_NONE when none are asked for. */
static const struct cors_rule *find_rule(const struct cors *cors, struct str origin,
                                         struct str method, struct str headers)
{
    for (size_t i = 0; cors != NULL && i < cors->count; i++) {
        const struct cors_rule *rule = &cors->rules[i];

        if (find_match(&rule->origins, origin, false) != NULL &&
            find_match(&rule->methods, method, false) != NULL && allows_headers(rule, headers))
            return rule;
    }
    return NULL;
}

/* ---- whose rules ------------------------------------------------------------------------------- */

/* Of --cors: from there all may be done, and seen. */
static struct cors_rule rule_of_options(const struct s3_options *options)
{
    static const struct str methods[] = { STR_INIT("GET"), STR_INIT("PUT"), STR_INIT("POST"),
                                          STR_INIT("DELETE"), STR_INIT("HEAD") };
    static const struct str any = STR_INIT("*");

    return (struct cors_rule){
        .origins = { options->cors_origins, options->cors_origin_count },
        .methods = { methods, COUNT_OF(methods) },
        .headers = { &any, 1 },
        .methods_text = STR("GET, PUT, POST, DELETE, HEAD"),
        /* "*" is not for requests with credentials, which name what they read. */
        .exposed_text = STR("*, ETag, Location, Content-Range, x-amz-version-id, "
                            "x-amz-request-id, x-amz-id-2"),
        .max_age = STR("600"),
    };
}

/* The bucket and its configuration into op, whoever asks. */
static enum store_status find_config(struct op *op)
{
    enum store_status status = STORE_RETRY;

    reader_begin(op->reader);
    for (unsigned tries = 0; status == STORE_RETRY && tries < CONFIG_TRIES_MAX; tries++) {
        status = bucket_get(op->reader, op->bucket_name, op->arena, &op->bucket, &op->fault);
        if (status == STORE_OK)
            status = bucket_config_use(op->at->configs, op->reader, &op->bucket, &op->config,
                                       &op->fault);
    }
    reader_end(op->reader);
    return status;
}

/* Of the bucket, or into *ret_default's place that of --cors. */
static const struct cors *rules_of(const struct op *op, const struct cors_rule *of_options,
                                   struct cors *place)
{
    if (op->config->cors != NULL || op->options->cors_origin_count == 0)
        return op->config->cors;
    *place = (struct cors){ of_options, 1 };
    return place;
}

/* ---- answers ----------------------------------------------------------------------------------- */

static void tell(struct op *op, const struct cors_rule *rule)
{
    const struct str *pattern = find_match(&rule->origins, op->origin, false);
    bool any = pattern != NULL && str_eq(*pattern, STR("*"));

    op_set(op, "Access-Control-Allow-Origin", any ? *pattern : op->origin);
    op_set(op, "Access-Control-Allow-Methods", rule->methods_text);
    if (str_present(rule->exposed_text))
        op_set(op, "Access-Control-Expose-Headers", rule->exposed_text);
    if (str_present(rule->max_age))
        op_set(op, "Access-Control-Max-Age", rule->max_age);
    if (!any)
        op_set(op, "Access-Control-Allow-Credentials", STR("true"));
    op_set(op, "Vary",
           STR("Origin, Access-Control-Request-Headers, Access-Control-Request-Method"));
}

void cors_tell(struct op *op)
{
    const struct cors_rule of_options = rule_of_options(op->options);
    struct cors place;
    const struct cors_rule *rule;
    struct str method;

    if (op->origin.len == 0 || op->store == NULL || op->foreign == FOREIGN_PREFLIGHT)
        return;
    if (op->bucket.id == 0 && str_present(op->bucket_name))
        (void)find_config(op);
    method = op_header(op, "Access-Control-Request-Method");
    if (!str_present(method))
        method = op->request->method;
    rule = find_rule(rules_of(op, &of_options, &place), op->origin, method, STR_NONE);
    if (rule != NULL)
        tell(op, rule);
}

/* ---- preflight --------------------------------------------------------------------------------- */

static enum s3_error permit(struct op *op, const struct cors_rule *rule, struct str headers)
{
    tell(op, rule);
    if (headers.len > 0)
        op_set(op, "Access-Control-Allow-Headers", headers);
    return op_reply_status(op, 200);
}

static enum s3_error refuse(struct op *op, struct str message, struct str method,
                            enum resource resource)
{
    return op_fail_text(op, S3_AccessForbidden, message, method, resource_type(resource));
}

/* In lower case, separated by ", ". */
static struct str asked_headers(const struct op *op)
{
    struct str names = op_header(op, "Access-Control-Request-Headers");
    struct buf out = BUF_WITH_MAX(HTTP_HEADER_BYTES_MAX);
    struct str name;
    struct str kept;

    while (str_next(&names, ',', &name)) {
        name = str_trim(name);
        if (name.len > 0 && out.len > 0)
            buf_str(&out, STR(", "));
        for (size_t i = 0; i < name.len; i++)
            buf_char(&out, str_lower(name.p[i]));
    }
    kept = out.len > 0 && !out.failed ? arena_dup(op->arena, buf_view(&out)) : STR_NONE;
    buf_free(&out);
    return kept;
}

static enum s3_error judge(struct op *op, struct str method, enum resource resource)
{
    const struct cors_rule of_options = rule_of_options(op->options);
    struct str headers = asked_headers(op);
    struct cors place;
    const struct cors *cors = rules_of(op, &of_options, &place);
    const struct cors_rule *rule;

    if (cors == NULL)
        return op_fail(op, S3_AccessForbidden, method.len > 0 ? method : STR("OPTIONS"),
                       resource_type(RESOURCE_BUCKET));
    if (method.len == 0)
        return op_fail_text(op, S3_BadRequest, STR("Invalid Access-Control-Request-Method: null"));
    rule = find_rule(cors, op->origin, method, headers);
    if (rule != NULL)
        return permit(op, rule, headers);
    return refuse(op,
                  STR("CORSResponse: This CORS request is not allowed. This is usually because the "
                      "evalution of Origin, request method / Access-Control-Request-Method or "
                      "Access-Control-Request-Headers are not whitelisted by the resource's CORS "
                      "spec."),
                  method, resource);
}

/* What the preflight is of; at a website's host the bucket is known. */
static bool name_asked(struct op *op, enum resource *ret_resource)
{
    struct resource_name name;

    *ret_resource = op->request->raw_path.len > 1 ? RESOURCE_OBJECT : RESOURCE_BUCKET;
    if (str_present(op->bucket_name))
        return true;
    if (!name_resolve(op->request, op->host, op->options->domains, op->options->domain_count,
                      op->arena, &name))
        return false;
    op->bucket_name = name.bucket;
    op->key = name.key;
    *ret_resource = name.resource;
    return true;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html */
enum s3_error cors_preflight(struct op *op)
{
    struct str method = op_header(op, "Access-Control-Request-Method");
    enum resource resource;
    enum store_status status = STORE_NO_BUCKET;

    if (!name_asked(op, &resource))
        return op_fail(op, S3_InvalidURI, op->request->raw_path);
    if (op->origin.len == 0)
        return op_fail_text(op, S3_BadRequest,
                            STR("Insufficient information. Origin request header needed."));
    if (method.len > 0 && !route_method_known(method))
        return op_fail_text(op, S3_BadRequest,
                            arena_printf(op->arena, "Invalid Access-Control-Request-Method: %.*s",
                                         STR_ARG(method)));
    if (str_present(op->bucket_name))
        status = find_config(op);
    if (status == STORE_NO_BUCKET && op->options->cors_origin_count == 0)
        return refuse(op, STR("CORSResponse: Bucket not found"),
                      method.len > 0 ? method : STR("OPTIONS"), RESOURCE_BUCKET);
    if (status != STORE_OK && status != STORE_NO_BUCKET)
        return s3_from_store(op, status);
    return judge(op, method, resource);
}
