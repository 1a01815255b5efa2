/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Range and conditional headers of reads, pure.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * RFC 9110 §13 (preconditions) and §14 (ranges).
 */
#ifndef SERVER_HTTP_PARSE_RANGE_H
#define SERVER_HTTP_PARSE_RANGE_H

#include "base/text/str.h"

enum range_result {
    RANGE_NONE,          /* absent, malformed or several ranges: the whole body, 200 */
    RANGE_PARTIAL,       /* 206 */
    RANGE_UNSATISFIABLE, /* 416 */
};

/* header: value of Range or STR_NONE. size: of the content. Offsets set for RANGE_PARTIAL. */
enum range_result http_range_parse(struct str header, uint64_t size_bytes, uint64_t *ret_offset,
                                   uint64_t *ret_length);

/* Which condition does not hold. For a read the last two mean 304, the others 412. */
enum precondition {
    PRECONDITION_NONE = 0, /* all hold */
    PRECONDITION_IF_MATCH,
    PRECONDITION_IF_UNMODIFIED_SINCE,
    PRECONDITION_IF_NONE_MATCH,
    PRECONDITION_IF_MODIFIED_SINCE,
};

struct preconditions {
    struct str if_match, if_none_match, if_modified_since, if_unmodified_since; /* STR_NONE */
};

/*
 * The first that does not hold, in the order of RFC 9110 §13.2.2. etag without quotes; modified_us
 * compared in whole seconds. A date that can not be parsed, and an If-Modified-Since after now_us
 * (§13.1.3, and S3), make their condition absent.
 */
enum precondition http_preconditions_check(const struct preconditions *preconditions,
                                           struct str etag, int64_t modified_us, int64_t now_us);

/* True when an If-Range value (ETag or date) matches, or is absent. */
bool http_if_range_holds(struct str if_range, struct str etag, int64_t modified_us);

/* True when the ETag list of If-Match / If-None-Match names etag ("*" names any). */
bool http_etag_list_has(struct str list, struct str etag);

#endif
