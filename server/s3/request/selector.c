/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selectors; see selector.h.
 */
#include "server/s3/request/selector.h"

#include "server/s3/refuse.h"
#include "server/s3/routes.h"

#define CONFLICT_BYTES_MAX 2048
#define PART_NUMBER STR("partNumber")

static const struct selector selectors[] = {
#define S(RESOURCE, NAME, TYPE, OF) { RESOURCE, STR_INIT(NAME), STR_INIT(TYPE), OF },
#define X(...)
#include "server/s3/request/selectors.def"
#undef S
#undef X
};

static enum s3_error op_refused_param(struct op *op);

/* "" in the table is no element at all. */
#define FACT(text)                                                                                 \
    {                                                                                              \
        sizeof(text) > 1 ? "" text : NULL, sizeof(text) - 1                                        \
    }
#define BEFORE false
#define AFTER true
static const struct refused_param refused_params[] = {
#define S(...)
#define X(OPERATION, NAME, ERROR, MESSAGE, ARGUMENT, VALUE, WHEN)                                  \
    { STR_INIT(#OPERATION),                                                                        \
      STR_INIT(NAME),                                                                              \
      { ERROR, STR_INIT(MESSAGE), { FACT(ARGUMENT), FACT(VALUE) } },                               \
      WHEN,                                                                                        \
      { .name = STR_INIT(#OPERATION),                                                              \
        .resource = RESOURCE_BUCKET,                                                               \
        .action = ACTION_ListBucket,                                                               \
        .payloads = PAYLOAD_ANY,                                                                   \
        .run = op_refused_param } },
#include "server/s3/request/selectors.def"
#undef S
#undef X
};

const struct selector *selector_find(enum resource resource, struct str name)
{
    for (size_t i = 0; i < COUNT_OF(selectors); i++)
        if (selectors[i].resource == resource && str_eq(selectors[i].name, name))
            return &selectors[i];
    return NULL;
}

const struct selector *selector_named(const struct http_request *request, enum resource resource)
{
    for (size_t i = 0; i < request->param_count; i++) {
        const struct selector *selector = selector_find(resource, request->params[i].name);

        if (selector != NULL)
            return selector;
    }
    return NULL;
}

/* Part numbers select an upload's part: beside uploadId they are one selector, alone none. */
static bool part_number_selects(const struct http_request *request)
{
    return http_param(request, PART_NUMBER) != NULL && http_param(request, STR("uploadId")) == NULL;
}

static void add_name(struct buf *names, struct str name, size_t *count, struct str *ret_first)
{
    if ((*count)++ == 0)
        *ret_first = name;
    else
        buf_lit(names, ", ");
    buf_str(names, name);
}

bool selector_conflict(const struct http_request *request, enum resource resource,
                       struct arena *arena, struct s3_refusal *ret_refusal)
{
    CLEANUP(buf_free) struct buf names = BUF_WITH_MAX(CONFLICT_BYTES_MAX);
    bool part_number = request->param_count > 1 && part_number_selects(request);
    struct str first = STR_NONE;
    size_t count = 0;

    if (request->param_count < 2)
        return false;
    for (size_t i = 0; i < COUNT_OF(selectors); i++) {
        if (selectors[i].resource != resource || http_param(request, selectors[i].name) == NULL)
            continue;
        if (part_number && str_compare(PART_NUMBER, selectors[i].name) < 0) {
            add_name(&names, PART_NUMBER, &count, &first);
            part_number = false;
        }
        add_name(&names, selectors[i].name, &count, &first);
    }
    if (part_number && count > 0)
        add_name(&names, PART_NUMBER, &count, &first);
    if (count < 2)
        return false;

    *ret_refusal = (struct s3_refusal){
        .error = S3_InvalidArgument,
        .message = arena_printf(arena, "Conflicting query string parameters: %.*s",
                                STR_ARG(buf_view(&names))),
        .values = { STR("ResourceType"), first },
    };
    return true;
}

const struct refused_param *refused_param_find(struct str operation, struct str name)
{
    for (size_t i = 0; i < COUNT_OF(refused_params); i++)
        if (str_eq(refused_params[i].operation, operation) && str_eq(refused_params[i].name, name))
            return &refused_params[i];
    return NULL;
}

static enum s3_error op_refused_param(struct op *op)
{
    for (size_t i = 0; i < COUNT_OF(refused_params); i++)
        if (op->route == &refused_params[i].route) {
            op->refusal = refused_params[i].refusal;
            return op->refusal.error;
        }
    return op_fail(op, S3_InvalidRequest);
}
