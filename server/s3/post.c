/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST Object's form; see post.h.
 *
 * Once the fields are known they become the request's headers (and nothing of the HTTP request's
 * own headers counts any more), so that attributes, ACL and digests are read by the same code as
 * for PutObject.
 */
#include "server/s3/post.h"

#include "server/s3/admit.h"
#include "server/s3/limits.h"
#include "server/s3/names.h"
#include "server/s3/refuse.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/tags.h"
#include "server/s3/sink.h"
#include "server/xml/xml.h"

struct post {
    struct form *form;
    bool begun;
    uint64_t min_bytes;
    uint64_t max_bytes;
};

static struct post *post_of(struct op *op)
{
    return op->work;
}

/* The form's fields as the header fields they stand for. */
static enum s3_error fields_to_request(struct op *op, const struct form_field *fields, size_t count)
{
    struct http_request *request = ARENA_NEW(op->arena, struct http_request);
    struct http_field *headers = arena_array(op->arena, count + 1, sizeof(*headers));

    if (request == NULL || headers == NULL)
        return op_fail(op, S3_SlowDown);
    *request = *op->request;
    request->fields = headers;
    request->field_count = count;
    request->has_content_length = false;
    request->content_length = 0;
    for (size_t i = 0; i < count; i++) {
        headers[i].name = str_eq_nocase(fields[i].name, STR("acl")) ? STR("x-amz-acl")
                                                                    : fields[i].name;
        headers[i].value = fields[i].value;
    }
    op->request = request;
    return S3_OK;
}

/* The key with ${filename} replaced by the name the browser sent. */
static enum s3_error read_key(struct op *op, struct str pattern, struct str filename)
{
    CLEANUP(buf_free)
    struct buf key = BUF_WITH_MAX(2 * STORE_KEY_BYTES_MAX + HTTP_TARGET_BYTES_MAX);
    struct str variable = STR("${filename}");
    size_t at;
    enum s3_error err;

    while ((at = str_find(pattern, variable)) != SIZE_MAX) {
        buf_str(&key, str_slice(pattern, 0, at));
        buf_str(&key, filename);
        pattern = str_skip(pattern, at + variable.len);
    }
    buf_str(&key, pattern);
    op->key = key.failed ? STR_NONE : arena_dup(op->arena, buf_view(&key));
    err = name_check_key(buf_view(&key));
    if (key.failed || err == S3_KeyTooLongError)
        return op_fail(op, S3_KeyTooLongError, arena_printf(op->arena, "%zu", key.len),
                       arena_printf(op->arena, "%d", STORE_KEY_BYTES_MAX));
    if (err != S3_OK || op->key.len == 0 || memchr(op->key.p, '\0', op->key.len) != NULL)
        return op_fail_argument(op, STR("The key is not a valid object key"), STR("key"), STR(""));
    return S3_OK;
}

/* A document that is something else than a tag set says nothing of tags; text that is none is wrong. */
static enum s3_error read_tagging(struct op *op)
{
    struct str document = form_field_value(post_of(op)->form, STR("tagging"));
    const struct xml_node *root;
    const struct xml_node *set;

    if (!str_present(document))
        return S3_OK;
    root = xml_parse(document, STR_NONE, op->arena, &op->fault);
    if (root == NULL)
        return op_fail(op, S3_MalformedXML);
    set = str_eq(root->name, STR("Tagging")) ? xml_child(root, STR("TagSet")) : NULL;
    if (set == NULL)
        return S3_OK;
    return tags_from_xml(op, set, TAGS_OF_OBJECT, &op->said.tags);
}

/* The fields with the key as it will be: the policy's conditions are about that one. */
static struct form_field *fields_with_key(struct op *op, const struct form_field *fields,
                                          size_t count)
{
    struct form_field *copy = arena_array(op->arena, count + 1, sizeof(*copy));

    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = fields[i];
        if (str_eq_nocase(fields[i].name, STR("key")))
            copy[i].value = op->key;
    }
    return copy;
}

/* What names and places the object is given once: policy and storage must mean the same one. */
static size_t field_count(const struct form_field *fields, size_t count, struct str name)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += str_eq_nocase(fields[i].name, name);
    return found;
}

static enum s3_error begin_file(struct op *op, struct str filename)
{
    struct post *post = post_of(op);
    struct str pattern = form_field_value(post->form, STR("key"));
    size_t count;
    const struct form_field *fields = form_fields(post->form, &count);
    enum s3_error named = S3_OK;
    enum s3_error tagged;
    enum s3_error err;

    /* Before anything else: it is how a form that begins with its file shows. */
    if (!str_present(pattern))
        return op_fail_argument(op,
                                STR("Bucket POST must contain a field named 'key'.  If it is "
                                    "specified, please check the order of the fields."),
                                STR("key"), STR(""));
    if (field_count(fields, count, STR("key")) > 1)
        return op_fail_argument(op, STR("POST requires exactly one key field."), STR("key"),
                                pattern);
    if (pattern.len > 0)
        named = read_key(op, pattern, filename);
    fields = fields_with_key(op, fields, count);
    if (fields == NULL)
        return op_fail(op, S3_SlowDown);
    err = fields_to_request(op, fields, count);
    if (err != S3_OK)
        return err;
    tagged = read_tagging(op);
    err = op_admit_form(op, fields, count, &post->min_bytes, &post->max_bytes);
    op->auth.payload = PAYLOAD_ABSENT;
    /* Who may not write is not told what is wrong with the key or the tags. */
    if (err == S3_OK && pattern.len == 0)
        err = op_fail_argument(op, STR("User key must have a length greater than 0."), STR("key"),
                               pattern);
    if (err == S3_OK && named != S3_OK)
        err = read_key(op, pattern, filename);
    if (err == S3_OK && tagged != S3_OK)
        err = read_tagging(op);
    if (err == S3_OK)
        err = attrs_from_request(op, &op->attrs);
    if (err == S3_OK)
        err = sink_open(op, u64_min(post->max_bytes, S3_OBJECT_BYTES_MAX));
    if (err == S3_OK)
        err = sink_open_writer(op);
    return err;
}

static bool on_file_begin(void *context, struct str filename, struct str content_type)
{
    struct op *op = context;

    (void)content_type; /* S3 takes the form's Content-Type field, not the file part's */
    post_of(op)->begun = true;
    return begin_file(op, filename) == S3_OK;
}

static bool on_file_data(void *context, const void *bytes, size_t len)
{
    return sink_feed(context, bytes, len) == S3_OK;
}

static bool on_file_end(void *context)
{
    (void)context;
    return true;
}

enum s3_error post_open(struct op *op)
{
    struct post *post = ARENA_NEW(op->arena, struct post);
    struct form_events events = { op, on_file_begin, on_file_data, on_file_end };
    struct str boundary;

    if (post == NULL)
        return op_fail(op, S3_SlowDown);
    op->work = post;
    if (!form_boundary(op_header(op, "content-type"), &boundary))
        return op_fail(op, S3_PreconditionFailed,
                       STR("Bucket POST must be of the enclosure-type multipart/form-data"));
    if (!op_hold(op, FORM_HELD_BYTES))
        return op_fail(op, S3_SlowDown);
    post->form = form_open(op->arena, boundary, &events);
    return post->form != NULL ? S3_OK : op_fail(op, S3_SlowDown);
}

static enum s3_error from_form(struct op *op, enum form_result result)
{
    switch (result) {
    case FORM_OK:
        return S3_OK;
    case FORM_REFUSED:
        return op->refusal.error;
    case FORM_TOO_LONG:
    case FORM_TOO_MANY:
        return op_fail(op, S3_MaxPostPreDataLengthExceededError,
                       arena_printf(op->arena, "%d", FORM_FIELDS_BYTES_MAX));
    case FORM_NO_MEMORY:
        return op_fail(op, S3_SlowDown);
    case FORM_MALFORMED:
        break;
    }
    return op_fail(op, S3_MalformedPOSTRequest);
}

enum s3_error post_feed(struct op *op, const void *bytes, size_t len)
{
    return from_form(op, form_feed(post_of(op)->form, bytes, len));
}

enum s3_error post_finish(struct op *op)
{
    struct post *post = post_of(op);
    enum s3_error err = from_form(op, form_finish(post->form));

    if (err == S3_MalformedPOSTRequest && !post->begun)
        return op_fail_argument(op, STR("POST requires exactly one file upload per request."),
                                STR("file"), STR("0"));
    if (err == S3_OK)
        err = sink_finish(op);
    if (err == S3_OK && op->digests.size_bytes < post->min_bytes)
        return op_fail(op, S3_EntityTooSmall,
                       arena_printf(op->arena, "%llu", (unsigned long long)op->digests.size_bytes),
                       arena_printf(op->arena, "%llu", (unsigned long long)post->min_bytes));
    return err;
}
