/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 2: HMAC-SHA1 over method, a few headers and the resource, header or query.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
 *
 * boto3 still presigns with it by default. Its presigned form puts content-type, content-md5 and
 * x-amz-* into the query and signs them as the headers they stand for.
 *
 * (1) Everything that changes what a request does is signed: x-amz-* headers, and every
 *     sub-resource pail routes on, also those younger than V2 (a presigned PUT must not become
 *     PUT ?retention). The rest of a query (prefix, max-keys) is unsigned: V2 is made so.
 * (2) A header counts before the parameter that stands for it, in the text as in the operation.
 * (3) The text joins decoded names and values. What could be cut in another way is refused: a
 *     value that reads as a further sub-resource, a name that is no token, a control byte.
 */
#include "server/auth/call.h"
#include "server/http/parse/guard.h"

#define PATHS_MAX 3
#define AMZ_MAX (HTTP_HEADERS_MAX + HTTP_QUERY_PARAMS_MAX)

struct claim {
    struct str signature;
    struct str date; /* the string to sign's fourth line */
    bool query;
};

/* Byte order. botocore's list, then what pail routes on and V2 never heard of. */
static const char *const sub_resources[] = {
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "annotation",
    "annotationName",
    "attributes",
    "cors",
    "defaultObjectAcl",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataAnnotationTable",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "select",
    "select-type",
    "session",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
};

static bool is_sub_resource(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(sub_resources); i++) {
        if (str_eq(name, str_from_cstr(sub_resources[i])))
            return true;
    }

    return false;
}

/* Query parameters that stand for headers in a presigned request. */
static bool is_hoisted(struct str name)
{
    return auth_is_amz_name(name) || str_eq_nocase(name, STR("content-type")) ||
           str_eq_nocase(name, STR("content-md5"));
}

/* "x&acl", "x&versionId=y&z": the text of this value is also that of several parameters. */
static bool reads_as_another(struct str value)
{
    struct str item;
    size_t count = 0;

    while (str_next(&value, '&', &item)) {
        struct str name;
        struct str rest;

        (void)str_cut(item, '=', &name, &rest);
        if (count++ > 0 && is_sub_resource(name))
            return true;
    }

    return false;
}

static enum s3_error check_parameters(struct auth_call *call, bool query)
{
    for (size_t i = 0; i < call->request->param_count; i++) {
        const struct http_param *param = &call->request->params[i];

        if (is_sub_resource(param->name) && reads_as_another(param->value))
            return auth_refuse_argument(
                call, STR("The value reads as a further parameter of the request."), param->name,
                param->value);
        if (query && is_hoisted(param->name) &&
            (!http_is_token(param->name) || !http_is_field_value(param->value)))
            return auth_refuse_argument(
                call, STR("The parameter stands for no header that could be sent."), param->name,
                param->value);
    }

    return S3_OK;
}

/* The header, or in a presigned request the parameter of that name; "" when there is none. */
static struct str header_or_param(const struct auth_call *call, bool query, struct str name)
{
    struct str value = http_header(call->request, name);

    for (size_t i = 0; query && !str_present(value) && i < call->request->param_count; i++) {
        if (str_eq_nocase(call->request->params[i].name, name))
            value = call->request->params[i].value;
    }

    return str_trim(value);
}

static int compare_nocase(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        char x = str_lower(a.p[i]);
        char y = str_lower(b.p[i]);

        if (x != y)
            return x < y ? -1 : 1;
    }

    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

/* Insert by lower-cased name, behind its equals. */
static void insert(struct http_field *list, size_t *count, struct str name, struct str value)
{
    size_t place = (*count)++;

    for (; place > 0 && compare_nocase(name, list[place - 1].name) < 0; place--)
        list[place] = list[place - 1];
    list[place] = (struct http_field){ name, str_trim(value) };
}

static void append_amz_headers(struct buf *out, const struct auth_call *call, bool query)
{
    const struct http_request *request = call->request;
    struct http_field list[AMZ_MAX];
    size_t count = 0;

    for (size_t i = 0; i < request->field_count && count < AMZ_MAX; i++) {
        if (auth_is_amz_name(request->fields[i].name))
            insert(list, &count, request->fields[i].name, request->fields[i].value);
    }
    for (size_t i = 0; query && i < request->param_count && count < AMZ_MAX; i++) {
        const struct http_param *param = &request->params[i];

        if (auth_is_amz_name(param->name) && !str_present(http_header(request, param->name)))
            insert(list, &count, param->name, param->value);
    }

    for (size_t i = 0; i < count; i++) {
        if (i > 0 && str_eq_nocase(list[i].name, list[i - 1].name)) {
            buf_char(out, ',');
        } else {
            if (i > 0)
                buf_char(out, '\n');
            auth_append_lower(out, list[i].name);
            buf_char(out, ':');
        }
        buf_str(out, list[i].value);
    }
    if (count > 0)
        buf_char(out, '\n');
}

/* bare: "uploads=" is signed as "uploads". */
static void append_sub_resources(struct buf *out, const struct http_request *request, bool bare)
{
    const struct http_param *list[HTTP_QUERY_PARAMS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < request->param_count && count < COUNT_OF(list); i++) {
        const struct http_param *param = &request->params[i];
        size_t place;

        if (!is_sub_resource(param->name))
            continue;
        for (place = count++; place > 0 && str_compare(param->name, list[place - 1]->name) < 0;
             place--)
            list[place] = list[place - 1];
        list[place] = param;
    }

    for (size_t i = 0; i < count; i++) {
        buf_char(out, i == 0 ? '?' : '&');
        buf_str(out, list[i]->name);
        if (list[i]->has_equals && !(bare && list[i]->value.len == 0)) {
            buf_char(out, '=');
            buf_str(out, list[i]->value);
        }
    }
}

static bool build(struct auth_call *call, const struct claim *claim, struct str path, bool bare,
                  struct str *ret_text)
{
    struct buf *out = auth_cache_text(call->cache);

    buf_str(out, call->request->method);
    buf_char(out, '\n');
    buf_str(out, header_or_param(call, claim->query, STR("content-md5")));
    buf_char(out, '\n');
    buf_str(out, header_or_param(call, claim->query, STR("content-type")));
    buf_char(out, '\n');
    buf_str(out, claim->date);
    buf_char(out, '\n');
    append_amz_headers(out, call, claim->query);
    if (str_present(call->virtual_bucket)) {
        buf_char(out, '/');
        buf_str(out, call->virtual_bucket);
    }
    buf_str(out, path);
    append_sub_resources(out, call->request, bare);
    if (out->failed)
        return false;

    *ret_text = buf_view(out);
    return true;
}

void v2_sign(struct str secret, struct str text, char out[V2_SIGNATURE_BYTES])
{
    uint8_t mac[SHA1_BYTES];

    hmac_sha1(secret, text, mac);
    base64_encode(mac, sizeof(mac), out);
}

/*
 * How clients spell the path they sign: as sent; a bucket with the slash it was sent without
 * (botocore); escaped S3's way. All name the same resource. paths[0] is given; returns how many
 * there are then.
 */
static size_t other_spellings(struct auth_call *call, struct str paths[PATHS_MAX])
{
    struct str raw = call->request->raw_path;
    struct str escaped = canonical_path(call->arena, raw);
    size_t count = 1;

    if (!str_present(call->virtual_bucket) && raw.len > 1 &&
        str_find_char(str_skip(raw, 1), '/') == SIZE_MAX)
        paths[count++] = arena_printf(call->arena, "%.*s/", STR_ARG(raw));
    if (str_present(escaped) && !str_eq(escaped, raw))
        paths[count++] = escaped;

    return count;
}

static enum s3_error verify(struct auth_call *call, const struct claim *claim)
{
    struct str paths[PATHS_MAX] = { call->request->raw_path };
    size_t path_count = 1;
    CLEANUP(credential_wipe) struct credential credential;
    char expected[V2_SIGNATURE_BYTES];
    struct str text;
    bool matches = false;
    bool known;
    enum s3_error err = auth_claimed(call, &credential, &known);

    if (err != S3_OK)
        return err;
    for (size_t i = 0; i < 2 * path_count && !matches; i++) {
        if (!build(call, claim, paths[i / 2], /* bare= */ i % 2 == 1, &text))
            return auth_refuse(call, S3_SlowDown, STR_NONE);
        v2_sign(credential.user.secret_key, text, expected);
        matches = str_eq_secret(str_make(expected, sizeof(expected)), claim->signature);
        if (i == 1 && !matches)
            path_count = other_spellings(call, paths);
    }

    if (!matches || !known) {
        if (!build(call, claim, paths[0], /* bare= */ false, &text))
            return auth_refuse(call, S3_SlowDown, STR_NONE);
        return auth_refuse_signature(call, known, text, claim->signature, STR_NONE);
    }

    return auth_accept(call, &credential);
}

/* The header form leaves them unsigned, and an operation would take them for headers. */
static struct str unsigned_parameters(struct auth_call *call)
{
    CLEANUP(buf_free) struct buf names = BUF_WITH_MAX(AUTH_TEXT_BYTES_MAX);

    for (size_t i = 0; i < call->request->param_count; i++) {
        if (auth_is_amz_name(call->request->params[i].name))
            auth_add_name(&names, call->request->params[i].name);
    }

    return auth_names(call, &names);
}

enum s3_error v2_verify_header(struct auth_call *call, struct str authorization)
{
    struct str credential = str_trim(str_skip(authorization, 3));
    size_t colon = str_rfind_char(credential, ':');
    struct str date = http_header(call->request, STR("x-amz-date"));
    struct claim claim = { .query = false };
    struct str unsigned_names;
    int64_t date_us;
    enum s3_error err;

    call->auth->scheme = AUTH_V2_HEADER;
    if (colon == SIZE_MAX || colon == 0 || colon + 1 == credential.len)
        return auth_refuse_argument(call,
                                    STR("AWS authorization header is invalid.  Expected "
                                        "AwsAccessKeyId:signature"),
                                    STR("Authorization"), authorization);
    call->access_key = str_slice(credential, 0, colon);
    claim.signature = str_skip(credential, colon + 1);

    /* With x-amz-date the Date line is empty: the date is signed as an x-amz-* header. */
    claim.date = str_present(date) ? STR("") : http_header(call->request, STR("Date"));
    if (!str_present(date))
        date = claim.date;
    if ((!clock_parse_http(date, &date_us) && !clock_parse_amz(date, &date_us)) || date_us < 0)
        return auth_refuse(call, S3_AccessDenied,
                           STR("AWS authentication requires a valid Date or x-amz-date header"));
    err = auth_check_skew(call, date_us, date);
    if (err != S3_OK)
        return err;

    unsigned_names = unsigned_parameters(call);
    if (str_present(unsigned_names))
        return auth_refuse_unsigned(call, unsigned_names);
    err = check_parameters(call, /* query= */ false);
    if (err != S3_OK)
        return err;

    call->token = http_header(call->request, STR("x-amz-security-token"));
    return verify(call, &claim);
}

/* Value of a parameter that may be given once; false when it is given twice. */
static bool take_once(const struct http_request *request, struct str name, struct str *ret_value)
{
    *ret_value = STR_NONE;
    for (size_t i = 0; i < request->param_count; i++) {
        if (!str_eq(request->params[i].name, name))
            continue;
        if (str_present(*ret_value))
            return false;
        *ret_value = request->params[i].value.p != NULL ? request->params[i].value : STR("");
    }

    return str_present(*ret_value);
}

enum s3_error v2_verify_query(struct auth_call *call)
{
    struct claim claim = { .query = true };
    struct str token;
    uint64_t expires_s;
    enum s3_error err;

    call->auth->scheme = AUTH_V2_QUERY;
    if (!take_once(call->request, STR("AWSAccessKeyId"), &call->access_key) ||
        !take_once(call->request, STR("Signature"), &claim.signature) ||
        !take_once(call->request, STR("Expires"), &claim.date))
        return auth_refuse(call, S3_AccessDenied,
                           STR("Query-string authentication requires the Signature, Expires and "
                               "AWSAccessKeyId parameters"));
    if (!str_to_u64(claim.date, &expires_s))
        return auth_refuse(call, S3_AccessDenied,
                           STR("Invalid date (should be seconds since epoch)"));
    if (expires_s > INT64_MAX / US_PER_S)
        expires_s = INT64_MAX / US_PER_S;
    if ((int64_t)expires_s * US_PER_S < call->now_us)
        return auth_refuse_expired(call, STR_NONE, (int64_t)expires_s * US_PER_S);
    err = check_parameters(call, /* query= */ true);
    if (err != S3_OK)
        return err;

    token = header_or_param(call, /* query= */ true, STR("x-amz-security-token"));
    call->token = token.len > 0 ? token : STR_NONE;
    return verify(call, &claim);
}
