/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bucket configuration documents: request bodies as XML, and the "not configured" answers of the
 * documents pail does not keep yet (documents.def).
 */
#include "server/s3/ops/document.h"

#include "server/s3/answer.h"
#include "server/s3/limits.h"
#include "server/s3/op.h"
#include "server/s3/refuse.h"
#include "server/s3/routes.h"
#include "server/xml/xml.h"

enum s3_error op_xml(struct op *op, struct str root, const struct xml_node **ret_root)
{
    const struct xml_node *node;

    if (op->body.len == 0)
        return op_fail(op, S3_MissingRequestBodyError);
    node = xml_parse(op->body, root, op->arena, &op->fault);
    if (node == NULL)
        return op_fail(op, S3_MalformedXML);
    *ret_root = node;
    return S3_OK;
}

struct unset_document {
    struct str kind;
    struct str with; /* the parameter that names one of several, "" for none */
    enum s3_error error;
    struct str root;
    struct str content;
};

#define T(text)                                                                                    \
    {                                                                                              \
        "" text, sizeof(text) - 1                                                                  \
    }
static const struct unset_document unset_documents[] = {
#define D(KIND, WITH, ERROR, ROOT, CONTENT) { T(KIND), T(WITH), ERROR, T(ROOT), T(CONTENT) },
#include "server/s3/documents.def"
#undef D
};

static const struct unset_document *find_row(struct str kind, struct str with)
{
    for (size_t i = 0; i < COUNT_OF(unset_documents); i++)
        if (str_eq(unset_documents[i].kind, kind) && str_eq(unset_documents[i].with, with))
            return &unset_documents[i];
    return NULL;
}

/*
 * The row whose kind and parameter make the route's selector: "cors", "analytics&id". Without a
 * value the parameter names none: the answer is the list's.
 */
static const struct unset_document *find_unset(struct op *op)
{
    struct str kind;
    struct str with;

    if (!str_cut(op->route->selector, '&', &kind, &with))
        with = STR("");
    if (with.len > 0 && op_param(op, "id").len == 0)
        with = STR("");
    return find_row(kind, with);
}

enum s3_error op_document_unset(struct op *op)
{
    const struct unset_document *row = find_unset(op);
    struct str token = op_param(op, "continuation-token");
    struct buf out = BUF_WITH_MAX(S3_XML_BYTES_MAX);

    if (row == NULL)
        return op_fail(op, S3_NotImplemented);
    if (row->error != S3_OK)
        return op_fail(op, row->error, op->bucket_name);
    if (token.len > 0) /* no list has handed one out */
        return op_fail(op, S3_MalformedContinuationToken);
    xml_begin(&out, row->root);
    buf_str(&out, row->content);
    if (str_present(token))
        xml_text(&out, STR("ContinuationToken"), token);
    xml_close(&out, row->root);
    return op_reply_xml(op, &out);
}
