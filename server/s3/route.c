/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a request to its row in routes.def.
 *
 * (1) A request names at most one sub-resource (selectors.def). The first row whose method, resource
 *     and selector match is the answer; a method that a sub-resource has not is never the plain
 *     operation's.
 * (2) A parameter that neither the selector nor the row nor signing knows makes a write 501, and
 *     so does one without a value on a read: it may be a sub-resource of a later S3, and treating
 *     PUT ?newthing as PutObject would destroy data.
 */
#include "server/s3/request/selector.h"

#include "server/s3/limits.h"
#include "server/s3/ops/document.h"
#include "server/s3/routes.h"

const struct route s3_routes[] = {
#define R(NAME, METHOD, RESOURCE, SELECTOR, PARAMS, ACTION, VERSION_ACTION, TAKES, MAX, PAYLOADS,  \
          PREPARE, STATUS, FLAGS)                                                                  \
    { .name = STR_INIT(#NAME),                                                                     \
      .method = STR_INIT(METHOD),                                                                  \
      .resource = (RESOURCE),                                                                      \
      .selector = STR_INIT(SELECTOR),                                                              \
      .params = STR_INIT(PARAMS),                                                                  \
      .action = ACTION_##ACTION,                                                                   \
      .version_action = ACTION_##VERSION_ACTION,                                                   \
      .body = (TAKES),                                                                             \
      .body_max = (MAX),                                                                           \
      .payloads = (PAYLOADS),                                                                      \
      .prepare = (PREPARE),                                                                        \
      .status = (STATUS),                                                                          \
      .flags = (FLAGS),                                                                            \
      .run = op_##NAME },
#define RD(NAME, METHOD, RESOURCE, SELECTOR, PARAMS, ACTION)                                       \
    { .name = STR_INIT(#NAME),                                                                     \
      .method = STR_INIT(METHOD),                                                                  \
      .resource = (RESOURCE),                                                                      \
      .selector = STR_INIT(SELECTOR),                                                              \
      .params = STR_INIT(PARAMS),                                                                  \
      .action = ACTION_##ACTION,                                                                   \
      .payloads = PAYLOAD_PLAIN,                                                                   \
      .status = 200,                                                                               \
      .run = op_document_get },
#define RP(NAME, METHOD, RESOURCE, SELECTOR, PARAMS, ACTION, STATUS, FLAGS)                        \
    { .name = STR_INIT(#NAME),                                                                     \
      .method = STR_INIT(METHOD),                                                                  \
      .resource = (RESOURCE),                                                                      \
      .selector = STR_INIT(SELECTOR),                                                              \
      .params = STR_INIT(PARAMS),                                                                  \
      .action = ACTION_##ACTION,                                                                   \
      .body = TAKES_BUFFER,                                                                        \
      .body_max = ((FLAGS)&ROUTE_RULES) != 0 ? S3_RULES_BYTES_MAX : S3_XML_BYTES_MAX,              \
      .payloads = PAYLOAD_DOCUMENT,                                                                \
      .status = (STATUS),                                                                          \
      .flags = (FLAGS) | ROUTE_DOCUMENT,                                                           \
      .run = op_document_put },
#define RX(NAME, METHOD, RESOURCE, SELECTOR, PARAMS, ACTION)                                       \
    { .name = STR_INIT(#NAME),                                                                     \
      .method = STR_INIT(METHOD),                                                                  \
      .resource = (RESOURCE),                                                                      \
      .selector = STR_INIT(SELECTOR),                                                              \
      .params = STR_INIT(PARAMS),                                                                  \
      .action = ACTION_##ACTION,                                                                   \
      .payloads = PAYLOAD_PLAIN,                                                                   \
      .status = 204,                                                                               \
      .flags = ROUTE_DOCUMENT,                                                                     \
      .run = op_document_delete },
/* That pail can not do it is only for the owner to know, whatever the row's own action would ask. */
#define RN(NAME, METHOD, RESOURCE, SELECTOR, ACTION)                                               \
    { .name = STR_INIT(#NAME),                                                                     \
      .method = STR_INIT(METHOD),                                                                  \
      .resource = (RESOURCE),                                                                      \
      .selector = STR_INIT(SELECTOR),                                                              \
      .params = STR_INIT(""),                                                                      \
      .action = ACTION_AskForTheAbsent,                                                            \
      .payloads = PAYLOAD_ANY,                                                                     \
      .flags = ROUTE_ABSENT },
#include "server/s3/routes.def"
#undef R
#undef RD
#undef RP
#undef RX
#undef RN
};
const size_t s3_route_count = COUNT_OF(s3_routes);

static const struct route unknown_of_service = { .name = STR_INIT("-"),
                                                 .action = ACTION_ListAllMyBuckets,
                                                 .payloads = PAYLOAD_ANY,
                                                 .flags = ROUTE_ABSENT };
static const struct route unknown_of_bucket = { .name = STR_INIT("-"),
                                                .resource = RESOURCE_BUCKET,
                                                .action = ACTION_AskForTheAbsent,
                                                .payloads = PAYLOAD_ANY,
                                                .flags = ROUTE_ABSENT };

const struct route *route_unknown(enum resource resource)
{
    return resource == RESOURCE_SERVICE || resource == RESOURCE_CONTROL ? &unknown_of_service
                                                                        : &unknown_of_bucket;
}

bool route_absent(const struct route *route)
{
    return (route->flags & ROUTE_ABSENT) ||
           ((route->flags & ROUTE_DOCUMENT) && !document_is_kept(route->selector));
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

static const struct route *find_row(const struct http_request *request, enum resource resource,
                                    struct s3_refusal *refusal);

/* Parameters of signing and of SDKs' bookkeeping; for headers in the query see settle.h. */
static bool is_envelope_param(struct str name)
{
    return str_starts_nocase(name, STR("x-amz-")) || str_eq(name, STR("x-id")) ||
           str_eq(name, STR("AWSAccessKeyId")) || str_eq(name, STR("Signature")) ||
           str_eq(name, STR("Expires"));
}

static bool is_read(const struct http_request *request)
{
    return str_eq(request->method, STR("GET")) || str_eq(request->method, STR("HEAD"));
}

bool route_method_known(struct str method)
{
    static const char *const methods[] = { "GET",    "HEAD",  "POST",   "PUT",
                                           "DELETE", "PATCH", "OPTIONS" };

    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (str_eq(method, str_from_cstr(methods[i])))
            return true;
    return false;
}

static const struct route *refuse_method(const struct http_request *request, struct str type,
                                         struct s3_refusal *refusal)
{
    if (!route_method_known(request->method)) {
        *refusal = (struct s3_refusal){
            .error = S3_BadRequest,
            .message = STR("An error occurred when parsing the HTTP request."),
        };
        return NULL;
    }
    *refusal =
        (struct s3_refusal){ .error = S3_MethodNotAllowed, .values = { request->method, type } };
    return NULL;
}

static const struct route *refuse_argument(struct str message, const struct http_param *param,
                                           struct s3_refusal *refusal)
{
    *refusal = (struct s3_refusal){ .error = S3_InvalidArgument,
                                    .message = message,
                                    .values = { param->name, param->value } };
    return NULL;
}

/* A bucket's selector at a key's path: read as the bucket's, but nothing is written by mistake. */
static const struct route *at_key(const struct http_request *request, struct s3_refusal *refusal)
{
    const struct route *route = find_row(request, RESOURCE_BUCKET, refusal);

    if (route == NULL || str_eq(request->method, STR("GET")))
        return route;
    *refusal = (struct s3_refusal){ .error = S3_NotImplemented };
    return NULL;
}

/*
 * A row matches but for this parameter: the row that is to run instead (the bucket's own at a key,
 * one that refuses), NULL with *refusal, or the row itself when S3 looks away.
 */
static const struct route *unexpected(const struct http_request *request, const struct route *route,
                                      const struct http_param *param, struct s3_refusal *refusal)
{
    const struct refused_param *refused = refused_param_find(route->name, param->name);
    const struct selector *selector = selector_find(route->resource, param->name);

    if (refused != NULL && refused->after_bucket)
        return &refused->route;
    if (refused != NULL) {
        *refusal = refused->refusal;
        return NULL;
    }
    if (selector != NULL && selector->of == OF_BUCKET)
        return at_key(request, refusal);
    if (selector != NULL)
        return refuse_method(request, selector->type, refusal);
    if (route_absent(route) && str_eq(param->name, STR("versionId")))
        return route;
    if (str_eq(param->name, STR("versionId")))
        return refuse_argument(str_eq(route->selector, STR("acl"))
                                   ? STR("Invalid version id specified")
                                   : STR("This operation does not accept a version-id."),
                               param, refusal);
    if (route->resource == RESOURCE_BUCKET && str_eq(param->name, STR("partNumber"))) {
        *refusal = (struct s3_refusal){ .error = S3_InvalidRequest,
                                        .message = STR("Object must have a valid key name.") };
        return NULL;
    }
    if (is_read(request) && param->value.len > 0)
        return route;
    *refusal = (struct s3_refusal){ .error = S3_NotImplemented };
    return NULL;
}

static const struct route *with_params(const struct http_request *request,
                                       const struct route *route, struct s3_refusal *refusal)
{
    for (size_t i = 0; i < request->param_count; i++) {
        const struct http_param *param = &request->params[i];
        const struct route *instead;

        if (is_envelope_param(param->name) || list_has(route->selector, '&', param->name) ||
            list_has(route->params, ' ', param->name))
            continue;
        instead = unexpected(request, route, param, refusal);
        if (instead != route)
            return instead;
    }
    return route;
}

static const struct route *find_row(const struct http_request *request, enum resource resource,
                                    struct s3_refusal *refusal)
{
    const struct selector *selector;

    for (size_t i = 0; i < s3_route_count; i++) {
        const struct route *route = &s3_routes[i];

        if (route->resource == resource && str_eq(route->method, request->method) &&
            selector_matches(route->selector, request))
            return with_params(request, route, refusal);
    }
    selector = selector_named(request, resource);
    return refuse_method(request, selector != NULL ? selector->type : resource_type(resource),
                         refusal);
}

struct str resource_type(enum resource resource)
{
    return resource == RESOURCE_SERVICE  ? STR("SERVICE")
           : resource == RESOURCE_BUCKET ? STR("BUCKET")
           : resource == RESOURCE_OBJECT ? STR("OBJECT")
                                         : STR("RESOURCE");
}

const struct route *route_find(const struct http_request *request, enum resource resource,
                               struct arena *arena, struct s3_refusal *ret_refusal)
{
    if (resource == RESOURCE_CONTROL) {
        *ret_refusal = (struct s3_refusal){ .error = S3_NotImplemented };
        return NULL;
    }
    if (selector_conflict(request, resource, arena, ret_refusal))
        return NULL;
    return find_row(request, resource, ret_refusal);
}

struct str route_methods(const struct http_request *request, enum resource resource,
                         struct arena *arena)
{
    const struct selector *selector = selector_named(request, resource);
    struct str methods = STR_NONE;

    for (size_t i = 0; i < s3_route_count; i++) {
        const struct route *route = &s3_routes[i];
        bool fits = selector != NULL ? list_has(route->selector, '&', selector->name)
                                     : route->selector.len == 0;

        if (route->resource != resource || !fits || str_find(methods, route->method) != SIZE_MAX)
            continue;
        methods = str_present(methods)
                      ? arena_printf(arena, "%.*s, %.*s", STR_ARG(methods), STR_ARG(route->method))
                      : route->method;
    }
    return methods;
}
