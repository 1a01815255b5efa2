/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request to its row in routes.def.
 *
 * (1) The first row whose method, resource and selector match is the answer.
 * (2) A parameter that neither the selector nor the row nor signing knows makes a write 501, and
 *     so does one without a value on a read: it may be a sub-resource of a later S3, and treating
 *     PUT ?newthing as PutObject would destroy data.
 */
#include "server/s3/op.h"

#define T(text)                                                                                    \
    {                                                                                              \
        "" text, sizeof(text) - 1                                                                  \
    }
const struct route s3_routes[] = {
#define R(NAME, METHOD, RESOURCE, SELECTOR, PARAMS, ACTION, NEED, TAKES, MAX, PAYLOADS, FLAGS)     \
    { T(#NAME), T(METHOD), RESOURCE, T(SELECTOR), T(PARAMS), T(ACTION),                            \
      NEED,     TAKES,     MAX,      PAYLOADS,    FLAGS,     op_##NAME },
#define RD(NAME, METHOD, RESOURCE, SELECTOR, PARAMS, ACTION, NEED)                                 \
    { T(#NAME), T(METHOD),     RESOURCE, T(SELECTOR),   T(PARAMS), T(ACTION),                      \
      NEED,     TAKES_NOTHING, 0,        PAYLOAD_PLAIN, 0,         op_document_unset },
/* That pail can not do it is only for those to know who might ask for it. */
#define RN(NAME, METHOD, RESOURCE, SELECTOR, ACTION)                                               \
    { T(#NAME),          T(METHOD),     RESOURCE, T(SELECTOR), T(""), T(ACTION),                   \
      NEED_BUCKET_OWNER, TAKES_NOTHING, 0,        PAYLOAD_ANY, 0,     NULL },
#include "server/s3/routes.def"
#undef R
#undef RD
#undef RN
};
const size_t s3_route_count = COUNT_OF(s3_routes);

static const struct route unknown_of_service = { .name = T("-"),
                                                 .need = NEED_USER,
                                                 .payloads = PAYLOAD_ANY };
static const struct route unknown_of_bucket = { .name = T("-"),
                                                .resource = RESOURCE_BUCKET,
                                                .need = NEED_BUCKET_OWNER,
                                                .payloads = PAYLOAD_ANY };

const struct route *route_unknown(enum resource resource)
{
    return resource == RESOURCE_SERVICE ? &unknown_of_service : &unknown_of_bucket;
}

static bool condition_holds(struct str condition, const struct http_request *request)
{
    struct str name;
    struct str value;
    const struct http_param *param;

    if (condition.p[0] == '@')
        return str_present(http_header(request, str_skip(condition, 1)));
    (void)str_cut(condition, '=', &name, &value);
    param = http_param(request, name);
    if (param == NULL)
        return false;
    return !str_present(value) || str_eq(param->value, value);
}

static bool selector_matches(struct str selector, const struct http_request *request)
{
    struct str rest = selector;
    struct str condition;

    while (str_next(&rest, '&', &condition))
        if (condition.len > 0 && !condition_holds(condition, request))
            return false;
    return true;
}

static bool list_has(struct str list, char separator, struct str name)
{
    struct str rest = list;
    struct str item;

    while (str_next(&rest, separator, &item)) {
        struct str head;
        struct str tail;

        (void)str_cut(item, '=', &head, &tail);
        if (str_eq(head, name) ||
            (str_ends(head, STR("*")) && str_starts(name, str_slice(head, 0, head.len - 1))))
            return true;
    }
    return false;
}

/* Parameters of signing and of SDKs' bookkeeping; for headers in the query see settle.h. */
static bool is_envelope_param(struct str name)
{
    return str_starts_nocase(name, STR("x-amz-")) || str_eq(name, STR("x-id")) ||
           str_eq(name, STR("AWSAccessKeyId")) || str_eq(name, STR("Signature")) ||
           str_eq(name, STR("Expires"));
}

static bool params_known(const struct route *route, const struct http_request *request)
{
    bool read = str_eq(request->method, STR("GET")) || str_eq(request->method, STR("HEAD"));

    for (size_t i = 0; i < request->param_count; i++) {
        const struct http_param *param = &request->params[i];

        if (is_envelope_param(param->name) || list_has(route->selector, '&', param->name) ||
            list_has(route->params, ' ', param->name))
            continue;
        if (!read || param->value.len == 0)
            return false;
    }
    return true;
}

const struct route *route_find(const struct http_request *request, enum resource resource,
                               enum s3_error *ret_error)
{
    *ret_error = S3_MethodNotAllowed;
    for (size_t i = 0; i < s3_route_count; i++) {
        const struct route *route = &s3_routes[i];

        if (route->resource != resource || !str_eq(route->method, request->method) ||
            !selector_matches(route->selector, request))
            continue;
        if (params_known(route, request))
            return route;
        *ret_error = S3_NotImplemented;
        return NULL;
    }
    return NULL;
}
