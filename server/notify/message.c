/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of events; see message.h.
 */
#include "server/notify/message.h"

#include <stdio.h>

#include "base/text/codec.h"
#include "base/text/text.h"

void notify_host_id(struct str request_id, char out[NOTIFY_HOST_ID_LEN])
{
    uint8_t hash[SHA256_BYTES];

    digest_once(DIGEST_SHA256, request_id, hash);
    base64_encode(hash, sizeof(hash), out);
}

/* ---- members ------------------------------------------------------------------------------- */

/* ,"name":"value" or, first, without the comma. */
static void member(struct buf *out, const char *name, struct str value)
{
    if (out->len > 0 && out->p[out->len - 1] != '{')
        buf_char(out, ',');
    text_json(out, str_from_cstr(name));
    buf_char(out, ':');
    text_json(out, value);
}

static void open_member(struct buf *out, const char *name)
{
    if (out->len > 0 && out->p[out->len - 1] != '{')
        buf_char(out, ',');
    text_json(out, str_from_cstr(name));
    buf_lit(out, ":{");
}

static void number_member(struct buf *out, const char *name, uint64_t value)
{
    if (out->len > 0 && out->p[out->len - 1] != '{')
        buf_char(out, ',');
    text_json(out, str_from_cstr(name));
    buf_char(out, ':');
    buf_u64(out, value);
}

static void time_member(struct buf *out, const char *name, int64_t us)
{
    char text[CLOCK_ISO8601_LEN + 1];

    clock_format_iso8601(us, text);
    member(out, name, str_make(text, CLOCK_ISO8601_LEN));
}

static bool is_removal(const struct notify_type *type)
{
    return type->deletion.len > 0;
}

/* Later events of a key compare greater, as texts. */
static void sequencer(struct buf *out, const struct store_event *event)
{
    char text[17];

    (void)snprintf(text, sizeof(text), "%016llX", (unsigned long long)event->id);
    member(out, "sequencer", str_make(text, 16));
}

static struct str request_id_of(const struct store_event *event)
{
    return str_present(event->request_id) ? event->request_id : STR("");
}

/* ---- records ------------------------------------------------------------------------------- */

static void write_object(struct buf *out, const struct notify_about *about)
{
    const struct store_event *event = about->event;
    CLEANUP(buf_free) struct buf key = BUF_WITH_MAX(NOTIFY_MESSAGE_BYTES_MAX);

    uri_encode(&key, event->key, URI_LISTED);
    out->failed = out->failed || key.failed;
    open_member(out, "object");
    member(out, "key", buf_view(&key));
    if (!is_removal(about->type))
        number_member(out, "size", event->size_bytes);
    if (event->etag.len > 0 && !is_removal(about->type))
        member(out, "eTag", event->etag);
    if (str_present(event->version_id))
        member(out, "versionId", event->version_id);
    sequencer(out, event);
    buf_char(out, '}');
}

static void write_request(struct buf *out, const struct store_event *event)
{
    char host_id[NOTIFY_HOST_ID_LEN];

    notify_host_id(request_id_of(event), host_id);
    open_member(out, "userIdentity");
    member(out, "principalId", str_present(event->principal) ? event->principal : STR(""));
    buf_char(out, '}');
    open_member(out, "requestParameters");
    member(out, "sourceIPAddress", str_present(event->address) ? event->address : STR(""));
    buf_char(out, '}');
    open_member(out, "responseElements");
    member(out, "x-amz-request-id", request_id_of(event));
    member(out, "x-amz-id-2", str_make(host_id, sizeof(host_id)));
    buf_char(out, '}');
}

static void write_bucket(struct buf *out, const struct notify_about *about)
{
    CLEANUP(buf_free) struct buf arn = BUF_WITH_MAX(256);

    buf_lit(&arn, "arn:aws:s3:::");
    buf_str(&arn, about->event->bucket);
    out->failed = out->failed || arn.failed;
    open_member(out, "bucket");
    member(out, "name", about->event->bucket);
    open_member(out, "ownerIdentity");
    member(out, "principalId", about->owner);
    buf_char(out, '}');
    member(out, "arn", buf_view(&arn));
    buf_char(out, '}');
}

static void write_record(struct buf *out, const struct notify_about *about)
{
    buf_lit(out, "{\"Records\":[{");
    member(out, "eventVersion", about->type->version);
    member(out, "eventSource", STR("aws:s3"));
    member(out, "awsRegion", about->region);
    time_member(out, "eventTime", about->event->time_us);
    member(out, "eventName", about->type->name);
    write_request(out, about->event);
    open_member(out, "s3");
    member(out, "s3SchemaVersion", STR("1.0"));
    member(out, "configurationId", about->configuration_id);
    write_bucket(out, about);
    write_object(out, about);
    buf_lit(out, "}}]}");
}

static void write_test(struct buf *out, const struct store_event *event)
{
    char host_id[NOTIFY_HOST_ID_LEN];

    notify_host_id(request_id_of(event), host_id);
    buf_char(out, '{');
    member(out, "Service", STR("Amazon S3"));
    member(out, "Event", NOTIFY_TEST_EVENT);
    time_member(out, "Time", event->time_us);
    member(out, "Bucket", event->bucket);
    member(out, "RequestId", request_id_of(event));
    member(out, "HostId", str_make(host_id, sizeof(host_id)));
    buf_char(out, '}');
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html: its key is not encoded. */
static void write_detail(struct buf *out, const struct notify_about *about)
{
    const struct store_event *event = about->event;

    buf_char(out, '{');
    member(out, "version", STR("0"));
    open_member(out, "bucket");
    member(out, "name", event->bucket);
    buf_char(out, '}');
    open_member(out, "object");
    member(out, "key", event->key);
    if (!is_removal(about->type))
        number_member(out, "size", event->size_bytes);
    if (event->etag.len > 0)
        member(out, "etag", event->etag);
    if (str_present(event->version_id))
        member(out, "version-id", event->version_id);
    sequencer(out, event);
    buf_char(out, '}');
    member(out, "request-id", request_id_of(event));
    member(out, "requester", str_present(event->principal) ? event->principal : STR(""));
    member(out, "source-ip-address", str_present(event->address) ? event->address : STR(""));
    if (about->type->reason.len > 0)
        member(out, "reason", about->type->reason);
    if (is_removal(about->type))
        member(out, "deletion-type", about->type->deletion);
    buf_char(out, '}');
}

void notify_message(struct buf *out, const struct notify_about *about,
                    enum notify_protocol protocol)
{
    if (about->type == NULL)
        write_test(out, about->event);
    else if (protocol == NOTIFY_EVENTS)
        write_detail(out, about);
    else
        write_record(out, about);
}
