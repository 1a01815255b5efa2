/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request bodies that are documents.
 */
#include "server/s3/request/document_body.h"

#include "server/s3/refuse.h"

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
