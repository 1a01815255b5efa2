/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutBucketCors: what a CORS document may say, and what is compiled of it. It is kept as it came. What it
 * does: server/s3/browser/cors.h.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
 */
#include "server/s3/browser/cors.h"

#include "server/s3/bucket_config.h"
#include "server/s3/documents.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"

/* ---- judged ------------------------------------------------------------------------------------ */

static enum s3_error refuse_value(struct op *op, const char *what, struct str text,
                                  const char *wrong)
{
    return op_fail_text(op, S3_InvalidRequest,
                        arena_printf(op->arena, "%s \"%.*s\" %s", what, STR_ARG(text), wrong));
}

/* With one '*' at most. */
static enum s3_error check_origin(struct op *op, struct str text)
{
    return s3_cors_pattern_is_good(text)
               ? S3_OK
               : refuse_value(op, "AllowedOrigin", text, "can not have more than one wildcard.");
}

static enum s3_error check_header(struct op *op, struct str text)
{
    return s3_cors_pattern_is_good(text)
               ? S3_OK
               : refuse_value(op, "AllowedHeader", text, "can not have more than one wildcard.");
}

static enum s3_error check_exposed(struct op *op, struct str text)
{
    if (str_find_char(text, '*') != SIZE_MAX)
        return refuse_value(
            op, "ExposeHeader", text,
            "contains wildcard. We currently do not support wildcard for ExposeHeader.");
    return s3_cors_pattern_is_good(text) && str_find_char(text, ',') == SIZE_MAX
               ? S3_OK
               : op_fail(op, S3_MalformedXML);
}

static enum s3_error check_method(struct op *op, struct str text)
{
    static const char *const methods[] = { "GET", "PUT", "HEAD", "POST", "DELETE" };

    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (str_eq(text, str_from_cstr(methods[i])))
            return S3_OK;
    return op_fail_text(
        op, S3_InvalidRequest,
        arena_printf(op->arena,
                     "Found unsupported HTTP method in CORS config. Unsupported method is %.*s",
                     STR_ARG(text)));
}

static enum s3_error check_id(struct op *op, struct str text)
{
    size_t chars = 0;

    while (text.len > 0) {
        (void)str_next_char(&text);
        chars++;
    }
    return chars <= CORS_ID_CHARS_MAX ? S3_OK : op_fail(op, S3_MalformedXML);
}

static enum s3_error check_age(struct op *op, struct str text)
{
    uint64_t seconds;

    return str_to_u64(text, &seconds) && seconds <= INT32_MAX ? S3_OK
                                                              : op_fail(op, S3_MalformedXML);
}

static enum s3_error check_rule(struct op *op, const struct xml_node *rule)
{
    static const struct xml_expected children[] = {
        { "ID", false, false },          { "AllowedOrigin", true, true },
        { "AllowedMethod", true, true }, { "AllowedHeader", false, true },
        { "ExposeHeader", false, true }, { "MaxAgeSeconds", false, false },
    };
    static enum s3_error (*const checks[])(struct op *, struct str) = {
        check_id, check_origin, check_method, check_header, check_exposed, check_age,
    };
    enum s3_error err = S3_OK;

    if (!xml_has_only(rule, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    for (const struct xml_node *at = rule->children; at != NULL && err == S3_OK; at = at->next)
        for (size_t i = 0; i < COUNT_OF(children); i++)
            if (str_eq(at->name, str_from_cstr(children[i].name)))
                err = checks[i](op, str_trim(at->text));
    return err;
}

enum s3_error cors_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    static const struct xml_expected children[] = { { "CORSRule", true, true } };
    enum s3_error err = S3_OK;

    if (!xml_has_only(root, children, COUNT_OF(children)) ||
        xml_child_count(root, STR("CORSRule")) > CORS_RULES_MAX)
        return op_fail(op, S3_MalformedXML);
    for (const struct xml_node *at = root->children; at != NULL && err == S3_OK; at = at->next)
        err = check_rule(op, at);
    return err == S3_OK ? document_read_plain(op, root, ret_stored) : err;
}

/* ---- compiled ---------------------------------------------------------------------------------- */

/* The children of that name; false: no memory. */
static bool list_children(const struct xml_node *node, struct str name, struct arena *arena,
                          struct cors_list *list)
{
    struct str *items = arena_alloc(arena, (xml_child_count(node, name) + 1) * sizeof(*items));

    if (items == NULL)
        return false;
    for (const struct xml_node *at = node->children; at != NULL; at = at->next)
        if (str_eq(at->name, name))
            items[list->count++] = str_trim(at->text);
    list->items = items;
    return true;
}

/* As a header says it; STR_NONE of none. */
static bool join(const struct cors_list *list, struct arena *arena, struct str *ret_text)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(S3_XML_BYTES_MAX);

    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            buf_lit(&out, ", ");
        buf_str(&out, list->items[i]);
    }
    if (list->count == 0)
        return true;
    *ret_text = out.failed ? STR_NONE : arena_dup(arena, buf_view(&out));
    return str_present(*ret_text);
}

static bool compile_rule(const struct xml_node *node, struct arena *arena, struct cors_rule *rule)
{
    struct cors_list exposed = { 0 };

    rule->max_age = xml_child_text(node, STR("MaxAgeSeconds"));
    return list_children(node, STR("AllowedOrigin"), arena, &rule->origins) &&
           list_children(node, STR("AllowedMethod"), arena, &rule->methods) &&
           list_children(node, STR("AllowedHeader"), arena, &rule->headers) &&
           list_children(node, STR("ExposeHeader"), arena, &exposed) &&
           join(&rule->methods, arena, &rule->methods_text) &&
           join(&exposed, arena, &rule->exposed_text);
}

/* What is kept was read before, so only memory can lack. */
bool cors_compile(struct str stored, struct arena *arena, struct bucket_config *config)
{
    const struct xml_node *root = xml_parse(stored, STR("CORSConfiguration"), arena, NULL);
    struct cors *cors = ARENA_NEW(arena, struct cors);
    struct cors_rule *rules;

    if (root == NULL || cors == NULL)
        return false;
    rules = arena_zalloc(arena, xml_child_count(root, STR("CORSRule")) * sizeof(*rules));
    if (rules == NULL)
        return false;
    for (const struct xml_node *at = root->children; at != NULL; at = at->next)
        if (!compile_rule(at, arena, &rules[cors->count++]))
            return false;
    cors->rules = rules;
    config->cors = cors;
    return true;
}
