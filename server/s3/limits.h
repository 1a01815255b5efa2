/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What S3 allows: sizes and counts that clients run into.
 */
#ifndef SERVER_S3_LIMITS_H
#define SERVER_S3_LIMITS_H

#include "base/text/str.h"

#define S3_OBJECT_BYTES_MAX (UINT64_C(5) << 30)     /* one PUT, one copy: 5 GiB */
#define S3_MULTIPART_BYTES_MAX (UINT64_C(50) << 40) /* an assembled object: 50 TB */
#define S3_PART_BYTES_MIN (UINT64_C(5) << 20)       /* every part but the last */
#define S3_METADATA_BYTES_MAX 2048 /* names after x-amz-meta- and values, in UTF-8 */
#define S3_META_PREFIX STR("x-amz-meta-")
#define S3_LOCK_DAYS_MAX 36500     /* of a default retention */
#define S3_REDIRECT_BYTES_MAX 2048 /* x-amz-website-redirect-location */
#define S3_OBJECT_TAGS_MAX 10
#define S3_BUCKET_TAGS_MAX 50
#define S3_TAG_KEY_CHARS_MAX 128 /* units of UTF-16, as S3 keeps them */
#define S3_TAG_VALUE_CHARS_MAX 256
#define S3_ANNOTATION_BYTES_MAX (1024u * 1024u)
#define S3_DELETE_KEYS_MAX 1000
#define S3_CLIENT_TOKEN_BYTES_MAX 64 /* of RenameObject */
#define S3_DOCUMENTS_MAX 1000        /* of one kind, in a bucket */
#define S3_DOCUMENT_ID_CHARS_MAX 64
#define S3_DOCUMENTS_BYTES_MAX (4u * 1024u * 1024u) /* of all kinds together, in a bucket */
#define S3_DELIVERY_PREFIX_BYTES_MAX 512 /* of access logs and inventories: more is added to it */
#define S3_LOG_GRANTS_MAX 98 /* of access logs: with the two that they have, an ACL's hundred */
#define S3_XML_BYTES_MAX (64u * 1024u)             /* configuration documents */
#define S3_RULES_BYTES_MAX (512u * 1024u)          /* those of up to 1,000 rules */
#define S3_SELECT_BYTES_MAX (2u * 1024u * 1024u)   /* SelectObjectContent: a statement, escaped */
#define S3_XML_LIST_BYTES_MAX (4u * 1024u * 1024u) /* DeleteObjects, CompleteMultipartUpload */
#define S3_RULES_BYTES_MAX (512u * 1024u)          /* those of up to 1,000 rules */

#endif
