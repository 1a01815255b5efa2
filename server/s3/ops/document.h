/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration documents of buckets.
 */
#ifndef SERVER_S3_OPS_DOCUMENT_H
#define SERVER_S3_OPS_DOCUMENT_H

#include "server/s3/op.h"
#include "server/xml/xml.h"

/* The request body as a document of that root; MissingRequestBodyError or MalformedXML. */
MUST_CHECK enum s3_error op_xml(struct op *op, struct str root, const struct xml_node **ret_root);

/* GET of a bucket document that pail does not store yet: its "not configured" answer. */
op_function op_document_unset;

#endif
