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

static const struct xml_expected *child_named(const struct xml_expected *children, size_t count,
                                              struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(name, str_from_cstr(children[i].name)))
            return &children[i];
    return NULL;
}

bool xml_has_only(const struct xml_node *node, const struct xml_expected *children, size_t count)
{
    for (const struct xml_node *at = node->children; at != NULL; at = at->next) {
        const struct xml_expected *child = child_named(children, count, at->name);

        if (child == NULL || (!child->many && xml_child_count(node, at->name) > 1))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        if (children[i].required && xml_child(node, str_from_cstr(children[i].name)) == NULL)
            return false;
    return true;
}

bool xml_is_tag(const struct xml_node *tag)
{
    static const struct xml_expected children[] = { { "Key", true, false },
                                                    { "Value", true, false } };

    return xml_has_only(tag, children, COUNT_OF(children)) &&
           xml_child_text(tag, STR("Key")).len > 0;
}
