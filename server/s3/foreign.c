/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that are not S3's; see foreign.h.
 */
#include "server/s3/foreign.h"

#include "base/text/text.h"
#include "server/s3/answer.h"
#include "server/s3/names.h"
#include "server/s3/routes.h"
#include "server/xml/xml.h"

#define DOCUMENT_BYTES_MAX 4096
#define SERVICE_BYTES_MAX 64

#define ROUTE(NAME, METHOD, TAKES)                                                                 \
    {                                                                                              \
        .name = STR_INIT(NAME), .method = STR_INIT(METHOD), .body = (TAKES),                       \
        .body_max = FOREIGN_BODY_BYTES_MAX, .payloads = PAYLOAD_ANY, .status = 200                 \
    }
const struct route foreign_routes[] = {
    [FOREIGN_PREFLIGHT] = ROUTE("Preflight", "OPTIONS", TAKES_NOTHING),
    [FOREIGN_HEALTH] = ROUTE("Health", "GET", TAKES_NOTHING),
    [FOREIGN_STS] = ROUTE("STS", "POST", TAKES_BUFFER),
    [FOREIGN_OTHER] = ROUTE("OtherService", "POST", TAKES_BUFFER),
    [FOREIGN_WEBSITE] = ROUTE("Website", "GET", TAKES_NOTHING),
};
#undef ROUTE

/* ---- which ----------------------------------------------------------------------------------- */

/* What people's health checks ask: of MinIO, of LocalStack, of Kubernetes' examples. */
static const struct {
    struct str path;
    bool json;
} health_paths[] = {
    { STR_INIT("/healthz"), false },
    { STR_INIT("/health"), false },
    { STR_INIT("/livez"), false },
    { STR_INIT("/readyz"), false },
    { STR_INIT("/minio/health/live"), false },
    { STR_INIT("/minio/health/ready"), false },
    { STR_INIT("/minio/health/cluster"), false },
    { STR_INIT("/minio/health/cluster/read"), false },
    { STR_INIT("/_localstack/health"), true },
};

#define HEALTH_PATH_BYTES_MIN 6
#define HEALTH_PATH_BYTES_MAX 26

/* Position in health_paths, or COUNT_OF(health_paths). */
static size_t health_path(struct str path)
{
    size_t i = 0;

    while (i < COUNT_OF(health_paths) && !str_eq(health_paths[i].path, path))
        i++;
    return i;
}

static bool path_style(const struct op *op)
{
    return !str_present(
        name_virtual_bucket(op->host, op->options->domains, op->options->domain_count, op->arena));
}

static bool asks_health(const struct op *op)
{
    const struct http_request *request = op->request;
    struct str path = request->raw_path;

    return path.len >= HEALTH_PATH_BYTES_MIN && path.len <= HEALTH_PATH_BYTES_MAX &&
           health_path(path) < COUNT_OF(health_paths) && !request->has_body &&
           (request->head || str_eq(request->method, STR("GET"))) &&
           !str_present(request->raw_query) &&
           !str_present(http_header(request, STR("Authorization"))) && path_style(op);
}

/* "sts" of "AK/20261121/us-east-1/sts/aws4_request"; STR_NONE when it is not of that form. */
static struct str service_of(struct str credential)
{
    struct str tail = STR("/aws4_request");
    size_t slash;
    struct str service;

    if (!str_ends(credential, tail))
        return STR_NONE;

    credential.len -= tail.len;
    slash = str_rfind_char(credential, '/');
    if (slash == SIZE_MAX)
        return STR_NONE;

    service = str_skip(credential, slash + 1);
    return service.len > 0 && service.len <= SERVICE_BYTES_MAX && str_is_printable(service)
               ? service
               : STR_NONE;
}

/* The service a V4 signature is for, wherever it stands. Nothing is verified here. */
static struct str claimed_service(const struct http_request *request)
{
    struct str authorization = http_header(request, STR("Authorization"));
    const struct http_param *param = http_param(request, STR("X-Amz-Credential"));
    struct str mark = STR("Credential=");
    size_t at = str_find(authorization, mark);

    if (str_starts(authorization, STR("AWS4-")) && at != SIZE_MAX) {
        struct str credential = str_skip(authorization, at + mark.len);

        return service_of(str_trim(str_slice(credential, 0, str_find_char(credential, ','))));
    }

    return param != NULL ? service_of(param->value) : STR_NONE;
}

static bool names_website(struct op *op)
{
    struct str bucket = name_website(op->host, op->options, op->arena);

    if (!str_present(bucket))
        return false;
    op->bucket_name = op->virtual_bucket = bucket;
    return true;
}

enum foreign foreign_kind(struct op *op, struct str *ret_service)
{
    const struct http_request *request = op->request;
    struct str service;
    bool website = names_website(op);
    bool post;

    *ret_service = STR_NONE;
    if (str_eq(request->method, STR("OPTIONS")))
        return FOREIGN_PREFLIGHT;
    if (website)
        return FOREIGN_WEBSITE;
    if (asks_health(op))
        return FOREIGN_HEALTH;
    if (request->raw_path.len != 1)
        return FOREIGN_NOT;

    post = str_eq(request->method, STR("POST"));
    if (!post &&
        (!str_eq(request->method, STR("GET")) || http_param(request, STR("Action")) == NULL))
        return FOREIGN_NOT;
    service = claimed_service(request);
    if (!str_present(service) || str_starts(service, STR("s3")) || !path_style(op))
        return FOREIGN_NOT;

    *ret_service = service;
    return str_eq(service, STR("sts")) ? FOREIGN_STS : FOREIGN_OTHER;
}

/* ---- answers ----------------------------------------------------------------------------------- */

static void reply_with(struct op *op, int status, struct str type, struct buf *document)
{
    op->reply->status = status;
    op_set(op, "Content-Type", type);
    op->reply->body_kind = HTTP_BODY_BUFFER;
    op->reply->buffer = *document;
    *document = (struct buf){ 0 };
}

static void write_health_json(struct buf *out, bool good, struct str why)
{
    buf_printf(out,
               "{\"services\":{\"s3\":\"%s\"},\"edition\":\"pail\",\"version\":\"" PAIL_VERSION
               "\"",
               good ? "running" : "error");
    if (!good) {
        buf_lit(out, ",\"reason\":");
        text_json(out, why);
    }
    buf_lit(out, "}\n");
}

void foreign_answer_health(struct op *op)
{
    struct buf document = BUF_WITH_MAX(DOCUMENT_BYTES_MAX);
    struct fault why = { 0 };
    bool good = store_health(op->store, &why) == STORE_HEALTH_GOOD;
    bool json = health_paths[health_path(op->request->raw_path)].json;
    struct str reason = str_from_cstr(why.text);

    if (json)
        write_health_json(&document, good, reason);
    else if (good)
        buf_lit(&document, "ok\n");
    else
        buf_printf(&document, "not healthy: %.*s\n", STR_ARG(reason));

    op_set(op, "Cache-Control", STR("no-store"));
    reply_with(op, good ? 200 : 503, json ? STR("application/json") : STR("text/plain"), &document);
}

void foreign_answer_other(struct op *op, struct str service)
{
    struct buf document = BUF_WITH_MAX(DOCUMENT_BYTES_MAX);
    struct str message = arena_printf(
        op->arena,
        "This endpoint serves S3, not '%.*s'. AWS_ENDPOINT_URL sends the requests of every service "
        "here; set AWS_ENDPOINT_URL_S3 instead.",
        STR_ARG(service));
    struct str type = op_header(op, "content-type");
    bool json = str_starts_nocase(type, STR("application/x-amz-json-"));

    if (!str_present(message))
        message = STR("This endpoint serves S3.");
    if (json) {
        buf_lit(&document, "{\"__type\":\"UnknownOperationException\",\"message\":");
        text_json(&document, message);
        buf_lit(&document, "}");
    } else {
        buf_lit(&document, "<ErrorResponse>");
        xml_open(&document, STR("Error"));
        xml_text(&document, STR("Type"), STR("Sender"));
        xml_text(&document, STR("Code"), STR("InvalidAction"));
        xml_text(&document, STR("Message"), message);
        xml_close(&document, STR("Error"));
        xml_text(&document, STR("RequestId"), str_make(op->request_id, 16));
        xml_close(&document, STR("ErrorResponse"));
    }
    reply_with(op, 400, json ? STR("application/x-amz-json-1.0") : STR("text/xml"), &document);
}
