/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that bring messages, in the protocols of those who take them; see message.h.
 */
#include "base/text/codec.h"
#include "base/text/text.h"
#include "server/notify/message.h"

#define BODY_BYTES_MAX (4 * NOTIFY_MESSAGE_BYTES_MAX)

static void add_field(struct notify_request *request, const char *name, struct str value)
{
    request->fields[request->request.field_count++] =
        (struct http_field){ .name = str_from_cstr(name), .value = value };
}

static void add_parameter(struct buf *body, const char *name, struct str value)
{
    if (body->len > 0)
        buf_char(body, '&');
    buf_str(body, str_from_cstr(name));
    buf_char(body, '=');
    uri_encode(body, value, URI_KEEP_NONE);
}

/* https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
static void ask_queue(struct notify_request *request, struct buf *body, struct str message)
{
    add_field(request, "Content-Type", STR("application/x-www-form-urlencoded; charset=utf-8"));
    add_parameter(body, "Action", STR("SendMessage"));
    add_parameter(body, "Version", STR("2012-11-05"));
    add_parameter(body, "QueueUrl", request->request.url);
    add_parameter(body, "MessageBody", message);
}

/* https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
static void ask_topic(struct notify_request *request, struct buf *body, struct str arn,
                      struct str message)
{
    add_field(request, "Content-Type", STR("application/x-www-form-urlencoded; charset=utf-8"));
    add_parameter(body, "Action", STR("Publish"));
    add_parameter(body, "Version", STR("2010-03-31"));
    add_parameter(body, "TopicArn", arn);
    add_parameter(body, "Subject", STR("Amazon S3 Notification"));
    add_parameter(body, "Message", message);
}

/* Resource "function:NAME" or "function:NAME:QUALIFIER".
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
static bool ask_function(struct notify_request *request, struct buf *body, struct str arn,
                         struct str message, struct arena *arena)
{
    struct str resource = notify_arn_field(arn, 5);
    struct str base = request->request.url;
    struct str name;
    struct str qualifier;

    if (str_starts(resource, STR("function:")))
        resource = str_skip(resource, STR("function:").len);
    (void)str_cut(resource, ':', &name, &qualifier);
    while (str_ends(base, STR("/")))
        base.len--;
    request->request.url = arena_printf(arena, "%.*s/2015-03-31/functions/%.*s/invocations%s%.*s",
                                        STR_ARG(base), STR_ARG(name),
                                        qualifier.len > 0 ? "?Qualifier=" : "", STR_ARG(qualifier));
    add_field(request, "Content-Type", STR("application/json"));
    add_field(request, "X-Amz-Invocation-Type", STR("Event"));
    buf_str(body, message);
    return str_present(request->request.url);
}

/* https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
static void ask_bus(struct notify_request *request, struct buf *body, struct str arn,
                    const struct notify_about *about, struct str message)
{
    struct str detail_type = about->type != NULL ? about->type->detail_type : STR("Test Event");

    add_field(request, "Content-Type", STR("application/x-amz-json-1.1"));
    add_field(request, "X-Amz-Target", STR("AWSEvents.PutEvents"));
    buf_lit(body, "{\"Entries\":[{\"Source\":\"aws.s3\",\"DetailType\":");
    text_json(body, detail_type);
    buf_printf(body, ",\"Time\":%lld,\"Resources\":[\"arn:aws:s3:::%.*s\"],\"EventBusName\":",
               (long long)(about->event->time_us / US_PER_S), STR_ARG(about->event->bucket));
    text_json(body, arn);
    buf_lit(body, ",\"Detail\":");
    text_json(body, message);
    buf_lit(body, "}]}");
}

/* X-Pail-Signature: the receiver makes it of the body as it came, with the same secret. */
static bool ask_hook(struct notify_request *request, struct buf *body, struct str secret,
                     struct str message, struct arena *arena)
{
    uint8_t mac[SHA256_BYTES];
    char hex[2 * SHA256_BYTES];
    struct str value;

    add_field(request, "Content-Type", STR("application/json"));
    buf_str(body, message);
    if (!str_present(secret))
        return true;
    hmac_sha256(secret, message, mac);
    hex_encode(mac, sizeof(mac), hex);
    value = arena_printf(arena, "sha256=%.*s", (int)sizeof(hex), hex);
    add_field(request, "X-Pail-Signature", value);
    return str_present(value);
}

/* The service that a signature names; STR_NONE: a webhook has none. */
static struct str service_of(enum notify_protocol protocol)
{
    static const char *const names[] = { [NOTIFY_SQS] = "sqs",
                                         [NOTIFY_SNS] = "sns",
                                         [NOTIFY_LAMBDA] = "lambda",
                                         [NOTIFY_EVENTS] = "events",
                                         [NOTIFY_WEBHOOK] = NULL };

    return str_from_cstr(names[protocol]);
}

static bool fill(const struct notify_target *target, const struct notify_about *about,
                 struct str message, struct arena *arena, struct buf *body,
                 struct notify_request *request)
{
    switch (target->protocol) {
    case NOTIFY_SQS:
        ask_queue(request, body, message);
        return true;
    case NOTIFY_SNS:
        ask_topic(request, body, target->arn, message);
        return true;
    case NOTIFY_LAMBDA:
        return ask_function(request, body, target->arn, message, arena);
    case NOTIFY_EVENTS:
        ask_bus(request, body, target->arn, about, message);
        return true;
    default:
        return ask_hook(request, body, target->secret, message, arena);
    }
}

bool notify_request_make(const struct notify_target *target, const struct notify_about *about,
                         struct str message, struct arena *arena,
                         struct notify_request *ret_request)
{
    CLEANUP(buf_free) struct buf body = BUF_WITH_MAX(BODY_BYTES_MAX);
    struct client_request *request = &ret_request->request;

    *ret_request = (struct notify_request){
        .request = { .method = STR("POST"), .url = target->url, .fields = ret_request->fields }
    };
    if (!fill(target, about, message, arena, &body, ret_request) || body.failed)
        return false;
    request->body = arena_dup(arena, buf_view(&body));
    if (str_present(target->access_key) && target->protocol != NOTIFY_WEBHOOK) {
        ret_request->signer = (struct auth_signer){ .access_key = target->access_key,
                                                    .secret_key = target->secret_key,
                                                    .session_token = target->session_token,
                                                    .region = target->region,
                                                    .service = service_of(target->protocol) };
        request->signer = &ret_request->signer;
    }
    return str_present(request->body);
}

/* A bus answers 200 and says inside how many entries it did not take. */
bool notify_taken(const struct notify_target *target, const struct client_answer *answer)
{
    struct str body = buf_view(&answer->body);
    size_t at;

    if (answer->status < 200 || answer->status > 299)
        return false;
    if (target->protocol != NOTIFY_EVENTS)
        return true;
    at = str_find(body, STR("\"FailedEntryCount\""));
    if (at == SIZE_MAX)
        return true;
    body = str_trim(str_skip(body, at + STR("\"FailedEntryCount\"").len));
    body = str_trim(str_skip(body, 1));
    return str_starts(body, STR("0"));
}
