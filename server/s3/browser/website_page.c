/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What websites say of errors: a page, and headers.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/CustomErrorDocSupport.html
 */
#include "server/s3/browser/website.h"

#include "server/s3/answer.h"
#include "server/s3/render.h"
#include "server/xml/xml.h"

#define PAGE_BYTES_MAX (256u * 1024u)

static struct str title_of(int status)
{
    static const struct {
        int status;
        struct str words;
    } titles[] = {
        { 302, STR_INIT("302 Found") },
        { 400, STR_INIT("400 Bad Request") },
        { 403, STR_INIT("403 Forbidden") },
        { 404, STR_INIT("404 Not Found") },
        { 405, STR_INIT("405 Method Not Allowed") },
        { 409, STR_INIT("409 Conflict") },
        { 412, STR_INIT("412 Precondition Failed") },
        { 416, STR_INIT("416 Requested Range Not Satisfiable") },
        { 500, STR_INIT("500 Internal Server Error") },
        { 501, STR_INIT("501 Not Implemented") },
        { 503, STR_INIT("503 Service Unavailable") },
    };

    for (size_t i = 0; i < COUNT_OF(titles); i++)
        if (titles[i].status == status)
            return titles[i].words;
    return STR("Error");
}

static struct str message_of(const struct s3_refusal *refusal)
{
    return str_present(refusal->message) ? refusal->message : s3_error_row(refusal->error)->message;
}

/* ---- headers ----------------------------------------------------------------------------------- */

/* Control bytes, which no header holds, are written as in a URL. */
static void tell(struct op *op, struct str name, struct str value)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(PAGE_BYTES_MAX);
    struct str kept_name = arena_printf(op->arena, "x-amz-error-%.*s", STR_ARG(name));
    struct str kept;

    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];

        if (c < 0x20 || c == 0x7f)
            buf_printf(&text, "%%%02X", c);
        else
            buf_char(&text, (char)c);
    }
    kept = text.failed ? STR_NONE : arena_dup(op->arena, buf_view(&text));
    if (str_present(kept) && str_present(kept_name))
        (void)http_reply_header(op->reply, kept_name, kept);
    else
        op->reply->incomplete = true;
}

void website_tell_error(struct op *op, const struct s3_refusal *refusal)
{
    const struct s3_error_row *row = s3_error_row(refusal->error);
    struct str rest = row->extras;
    struct str name;

    tell(op, STR("code"), row->code);
    tell(op, STR("message"), message_of(refusal));
    for (size_t i = 0; i < S3_ERROR_EXTRAS_MAX && str_next(&rest, ' ', &name); i++)
        if (name.len > 0 && str_present(refusal->values[i]))
            tell(op, arena_printf(op->arena, "detail-%.*s", STR_ARG(name)), refusal->values[i]);
}

/* ---- page -------------------------------------------------------------------------------------- */

static void put_fact(struct buf *out, struct str name, struct str value)
{
    buf_lit(out, "<li>");
    buf_str(out, name);
    buf_lit(out, ": ");
    xml_escape(out, value);
    buf_lit(out, "</li>\n");
}

static void put_facts(struct buf *out, const struct s3_refusal *refusal)
{
    const struct s3_error_row *row = s3_error_row(refusal->error);
    struct str rest = row->extras;
    struct str name;

    put_fact(out, STR("Code"), row->code);
    put_fact(out, STR("Message"), message_of(refusal));
    for (size_t i = 0; i < S3_ERROR_EXTRAS_MAX && str_next(&rest, ' ', &name); i++)
        if (name.len > 0 && str_present(refusal->values[i]))
            put_fact(out, name, refusal->values[i]);
}

static void put_page(struct buf *out, const struct op *op)
{
    const struct s3_refusal *trouble = op->work; /* with the website's own page */
    struct str title = title_of(s3_error_row(op->refusal.error)->status);

    buf_lit(out, "<html>\n<head><title>");
    buf_str(out, title);
    buf_lit(out, "</title></head>\n<body>\n<h1>");
    buf_str(out, title);
    buf_lit(out, "</h1>\n<ul>\n");
    put_facts(out, &op->refusal);
    put_fact(out, STR("RequestId"), str_make(op->request_id, 16));
    put_fact(out, STR("HostId"), render_host_id(op->reply));
    buf_lit(out, "</ul>\n");
    if (trouble != NULL) {
        buf_lit(out, "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document"
                     "</h3>\n<ul>\n");
        put_facts(out, trouble);
        buf_lit(out, "</ul>\n");
    }
    buf_lit(out, "<hr/>\n</body>\n</html>\n");
}

void website_render_error(struct op *op)
{
    struct buf page = BUF_WITH_MAX(PAGE_BYTES_MAX);

    op->reply->status = s3_error_row(op->refusal.error)->status;
    op->reply->body_kind = HTTP_BODY_EMPTY;
    website_tell_error(op, &op->refusal);
    op_set(op, "Content-Type", STR("text/html; charset=utf-8"));
    if (op->request->head)
        return;
    put_page(&page, op);
    if (page.failed) {
        buf_free(&page);
        return;
    }
    op->reply->body_kind = HTTP_BODY_BUFFER;
    op->reply->buffer = page;
}
