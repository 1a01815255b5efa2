/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers from the query and from several lines; see settle.h.
 */
#include "server/s3/request/settle.h"

#include "base/text/mailword.h"
#include "server/http/parse/guard.h"
#include "server/s3/refuse.h"

static bool is_amz(struct str name)
{
    return str_starts_nocase(name, STR("x-amz-"));
}

static bool is_listed(const struct str *list, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(list[i], name))
            return true;
    return false;
}

/*
 * Of signing, or of a body that whoever made the URL did not know: SDKs put the checksum of an empty
 * body there.
 */
static bool is_of_the_url(struct str name)
{
    static const struct str names[] = {
        STR_INIT("x-amz-algorithm"),      STR_INIT("x-amz-credential"),
        STR_INIT("x-amz-date"),           STR_INIT("x-amz-expires"),
        STR_INIT("x-amz-signedheaders"),  STR_INIT("x-amz-signature"),
        STR_INIT("x-amz-security-token"), STR_INIT("x-amz-s3session-token"),
        STR_INIT("x-amz-content-sha256"), STR_INIT("x-amz-decoded-content-length"),
        STR_INIT("x-amz-trailer"),        STR_INIT("x-amz-sdk-checksum-algorithm"),
    };
    static const struct str of_objects[] = {
        STR_INIT("x-amz-checksum-algorithm"),
        STR_INIT("x-amz-checksum-mode"),
        STR_INIT("x-amz-checksum-type"),
    };

    if (str_starts_nocase(name, STR("x-amz-checksum-")))
        return !is_listed(of_objects, COUNT_OF(of_objects), name);
    return is_listed(names, COUNT_OF(names), name);
}

static bool stands_for_header(enum auth_scheme scheme, struct str name)
{
    /* Both forms sign the first two. A V2 URL's Expires is its own end. */
    static const struct str plain[] = {
        STR_INIT("content-type"),
        STR_INIT("content-md5"),
        STR_INIT("cache-control"),
        STR_INIT("content-disposition"),
        STR_INIT("content-encoding"),
        STR_INIT("content-language"),
        STR_INIT("expires"),
        STR_INIT("if-match"),
        STR_INIT("if-none-match"),
        STR_INIT("if-modified-since"),
        STR_INIT("if-unmodified-since"),
    };

    if (is_amz(name))
        return !is_of_the_url(name);
    return is_listed(plain, scheme == AUTH_V4_QUERY ? COUNT_OF(plain) : 2, name);
}

static bool is_presigned(enum auth_scheme scheme)
{
    return scheme == AUTH_V4_QUERY || scheme == AUTH_V2_QUERY;
}

static struct http_field *find(struct http_field *fields, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(fields[i].name, name))
            return &fields[i];
    return NULL;
}

/* A header that is not signed gives way to the parameter that is. */
static bool gives_way(const struct op *op, struct str name)
{
    const struct http_request *request = op->request;

    if (op->auth.scheme != AUTH_V4_QUERY || !stands_for_header(AUTH_V4_QUERY, name) ||
        auth_signs_header(&op->auth, name))
        return false;
    for (size_t i = 0; i < request->param_count; i++)
        if (str_eq_nocase(request->params[i].name, name))
            return true;
    return false;
}

static bool has_work(const struct op *op)
{
    const struct http_request *request = op->request;

    for (size_t i = 1; i < request->field_count; i++)
        if (is_amz(request->fields[i].name) &&
            find(request->fields, i, request->fields[i].name) != NULL)
            return true;
    for (size_t i = 0; is_presigned(op->auth.scheme) && i < request->param_count; i++)
        if (stands_for_header(op->auth.scheme, request->params[i].name))
            return true;
    return false;
}

/* False: no memory. */
static bool add(struct op *op, struct http_field *fields, size_t *count, struct str name,
                struct str value)
{
    struct http_field *earlier = is_amz(name) ? find(fields, *count, name) : NULL;

    if (earlier == NULL) {
        fields[(*count)++] = (struct http_field){ name, value };
        return true;
    }
    earlier->value = arena_printf(op->arena, "%.*s,%.*s", STR_ARG(earlier->value), STR_ARG(value));
    return str_present(earlier->value);
}

/* As a header would have carried it; x-amz-* stays UTF-8. */
static struct str value_of(struct op *op, const struct http_param *param)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(HTTP_TARGET_BYTES_MAX);

    if (is_amz(param->name) || str_is_printable(param->value))
        return str_trim(param->value);
    latin1_from_utf8(&text, str_trim(param->value));
    return text.failed ? STR_NONE : arena_dup(op->arena, buf_view(&text));
}

/* Parameters to fields; what stays a parameter is moved up. */
static enum s3_error take_params(struct op *op, struct http_field *fields, size_t *count)
{
    struct http_request *request = op->request;
    size_t sent = *count;
    size_t kept = 0;

    for (size_t i = 0; i < request->param_count; i++) {
        struct http_param *param = &request->params[i];
        struct str value;

        if (!stands_for_header(op->auth.scheme, param->name)) {
            request->params[kept++] = *param;
            continue;
        }
        if (!http_is_token(param->name) || !http_is_field_value(param->value))
            return op_fail_argument(op,
                                    STR("The parameter stands for no header that could be sent."),
                                    param->name, param->value);
        /* Of several that are no x-amz-* the first one counts, as in the text that V2 signs. */
        if (find(fields, is_amz(param->name) ? sent : *count, param->name) != NULL)
            continue;
        value = value_of(op, param);
        if (!str_present(value) || !add(op, fields, count, param->name, value))
            return op_fail(op, S3_SlowDown);
    }
    request->param_count = kept;
    return S3_OK;
}

enum s3_error headers_settle(struct op *op, bool *ret_changed)
{
    struct http_request *request = op->request;
    size_t params_before = request->param_count;
    struct http_field *fields;
    size_t count = 0;
    enum s3_error err = S3_OK;

    *ret_changed = false;
    op->fields_sent = request->field_count;
    if (!has_work(op))
        return S3_OK;

    fields = arena_array(op->arena, request->field_count + request->param_count, sizeof(*fields));
    if (fields == NULL)
        return op_fail(op, S3_SlowDown);
    for (size_t i = 0; i < request->field_count; i++)
        if (!gives_way(op, request->fields[i].name) &&
            !add(op, fields, &count, request->fields[i].name, request->fields[i].value))
            return op_fail(op, S3_SlowDown);
    op->fields_sent = count;
    if (is_presigned(op->auth.scheme))
        err = take_params(op, fields, &count);
    if (err != S3_OK)
        return err;

    request->fields = fields;
    request->field_count = count;
    *ret_changed = request->param_count != params_before;
    return S3_OK;
}
