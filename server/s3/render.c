/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common headers and error documents; see render.h.
 */
#include "server/s3/render.h"

#include "base/random.h"
#include "server/notify/message.h"
#include "server/xml/xml.h"

#define ERROR_BYTES_MAX (256u * 1024u) /* a canonical request may be quoted twice */

void render_request_id(char out[17])
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t bytes[8];

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[16] = '\0';
}

static struct str host_id(struct arena *arena, struct str request_id)
{
    char *text = arena_alloc(arena, NOTIFY_HOST_ID_LEN);

    if (text == NULL)
        return STR_NONE;
    notify_host_id(request_id, text);
    return str_make(text, NOTIFY_HOST_ID_LEN);
}

void render_common(struct http_reply *reply, struct arena *arena, struct str request_id)
{
    struct str id_2 = host_id(arena, request_id);

    (void)http_reply_header(reply, STR("Server"), STR("pail"));
    (void)http_reply_header(reply, STR("x-amz-request-id"), request_id);
    if (str_present(id_2))
        (void)http_reply_header(reply, STR("x-amz-id-2"), id_2);
}

struct str render_host_id(const struct http_reply *reply)
{
    for (size_t i = 0; i < reply->field_count; i++)
        if (str_eq(reply->fields[i].name, STR("x-amz-id-2")))
            return reply->fields[i].value;
    return STR("");
}

/*
 * An element of the error document. Control bytes, which XML 1.0 can not hold, are written as in
 * a URL: an error that clients can not parse tells them nothing.
 */
static void write_fact(struct buf *out, struct str name, struct str text)
{
    CLEANUP(buf_free) struct buf shown = BUF_WITH_MAX(ERROR_BYTES_MAX);

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
            buf_printf(&shown, "%%%02X", c);
        else
            buf_char(&shown, text.p[i]);
    }
    xml_error_text(out, name, buf_view(&shown));
    out->failed = out->failed || shown.failed;
}

static void write_extras(struct buf *out, const struct s3_refusal *refusal)
{
    struct str rest = s3_error_row(refusal->error)->extras;
    struct str name;

    for (size_t i = 0; i < S3_ERROR_EXTRAS_MAX && str_next(&rest, ' ', &name); i++)
        if (name.len > 0 && str_present(refusal->values[i]))
            write_fact(out, name, refusal->values[i]);
}

void render_error(struct http_exchange_view *exchange, const struct s3_refusal *refusal,
                  struct str request_id, int status, enum error_form form)
{
    const struct s3_error_row *row = s3_error_row(refusal->error);
    struct http_reply *reply = exchange->reply;
    struct buf out = BUF_WITH_MAX(ERROR_BYTES_MAX);

    reply->status = status != 0 ? status : row->status;
    (void)http_reply_header(reply, STR("Content-Type"), STR("application/xml"));
    if (exchange->request->head) {
        reply->body_kind = HTTP_BODY_EMPTY;
        return;
    }
    if (form == ERROR_OF_S3) {
        xml_begin_plain(&out, STR("Error"));
    } else {
        xml_begin_in(&out, STR("ErrorResponse"), STR(XML_NS_S3_CONTROL));
        xml_open(&out, STR("Error"));
    }
    xml_text(&out, STR("Code"), row->code);
    write_fact(&out, STR("Message"),
               str_present(refusal->message) ? refusal->message : row->message);
    write_extras(&out, refusal);
    if (form == ERROR_OF_S3_CONTROL)
        xml_close(&out, STR("Error"));
    xml_text(&out, STR("RequestId"), request_id);
    xml_text(&out, STR("HostId"), render_host_id(reply));
    xml_close(&out, form == ERROR_OF_S3 ? STR("Error") : STR("ErrorResponse"));
    if (out.failed) {
        buf_free(&out);
        reply->body_kind = HTTP_BODY_EMPTY;
        return;
    }
    reply->body_kind = HTTP_BODY_BUFFER;
    reply->buffer = out;
}
