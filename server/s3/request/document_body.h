/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request bodies that are documents.
 */
#ifndef SERVER_S3_REQUEST_DOCUMENT_BODY_H
#define SERVER_S3_REQUEST_DOCUMENT_BODY_H

#include "server/s3/op.h"
#include "server/xml/xml.h"

/* The request body as a document of that root; MissingRequestBodyError or MalformedXML. */
MUST_CHECK enum s3_error op_xml(struct op *op, struct str root, const struct xml_node **ret_root);

/* A child that an element may have. */
struct xml_expected {
    const char *name;
    bool required;
    bool many;
};

/* Only these children, the required ones among them, and no more than one of a name unless many. */
MUST_CHECK bool xml_has_only(const struct xml_node *node, const struct xml_expected *children,
                             size_t count);

/* A tag that a filter asks for: a key that is not empty, and a value. */
MUST_CHECK bool xml_is_tag(const struct xml_node *tag);

#endif
