/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Range and conditional headers of reads, pure.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 * RFC 9110 §13 (preconditions) and §14 (ranges).
 */
#ifndef SERVER_HTTP_RANGE_H
#define SERVER_HTTP_RANGE_H

#include "base/str.h"

enum range_result {
    RANGE_NONE,          /* absent, malformed or several ranges: the whole body, 200 */
    RANGE_PARTIAL,       /* 206 */
    RANGE_UNSATISFIABLE, /* 416 */
};

/* header: value of Range or STR_NONE. size: of the content. Offsets set for RANGE_PARTIAL. */
enum range_result http_range_parse(struct str header, uint64_t size_bytes, uint64_t *ret_offset,
                                   uint64_t *ret_length);

enum precondition_result { PRECONDITION_PASS, PRECONDITION_NOT_MODIFIED, PRECONDITION_FAILED };

struct preconditions {
    struct str if_match, if_none_match, if_modified_since, if_unmodified_since; /* STR_NONE */
};

/*
 * RFC 9110 §13.2.2 order. etag without quotes; modified_us compared in whole seconds.
 * read: true gives NOT_MODIFIED where a read would get 304, false gives FAILED (copy sources).
 * An unparsable date makes its condition absent.
 */
enum precondition_result http_preconditions_check(const struct preconditions *preconditions,
                                                  struct str etag, int64_t modified_us, bool read);

/* True when an If-Range value (ETag or date) matches, or is absent. */
bool http_if_range_holds(struct str if_range, struct str etag, int64_t modified_us);

/* True when the ETag list of If-Match / If-None-Match names etag ("*" names any). */
bool http_etag_list_has(struct str list, struct str etag);

#endif
