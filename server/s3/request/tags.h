/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tag sets of requests, packed for the store.
 */
#ifndef SERVER_S3_REQUEST_TAGS_H
#define SERVER_S3_REQUEST_TAGS_H

#include "server/s3/op.h"
#include "server/xml/xml.h"

/* Whose tags they are: how many there may be, and how a system key is refused. */
enum tags_of { TAGS_OF_OBJECT, TAGS_OF_BUCKET, TAGS_OF_NEW_BUCKET };

/* The rules of a packed set, pairs in order. */
MUST_CHECK enum s3_error tags_check(struct op *op, struct str packed, enum tags_of of);
/* x-amz-tagging into a checked, packed set; STR_NONE when it is empty. */
MUST_CHECK enum s3_error tags_from_header(struct op *op, struct str urlencoded,
                                          struct str *ret_packed);
/* The children of <TagSet> or <Tags> into a checked, packed set; STR_NONE when there are none. */
MUST_CHECK enum s3_error tags_from_xml(struct op *op, const struct xml_node *set, enum tags_of of,
                                       struct str *ret_packed);

#endif
