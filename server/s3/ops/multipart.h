/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the multipart operations share.
 */
#ifndef SERVER_S3_OPS_MULTIPART_H
#define SERVER_S3_OPS_MULTIPART_H

#include "server/s3/op.h"
#include "server/s3/request/checksums.h"

#define ETAG_HEX_LEN (2 * MD5_BYTES)

enum checksum_kind upload_kind(const struct upload *upload);
enum checksum_type upload_type(const struct upload *upload);
/* The algorithm its parts are stored with, whether the client asked for one or not. */
enum checksum_kind upload_kept_kind(const struct upload *upload);

/* Decimal digits in the arena. */
struct str u64_text(struct op *op, uint64_t value);

/* The upload that uploadId names, into op->upload; done uploads only where asked for. */
MUST_CHECK enum s3_error upload_load(struct op *op, bool done_too);

/* 1..STORE_PARTS_MAX, or InvalidArgument. */
MUST_CHECK enum s3_error part_number_parse(struct op *op, struct str text, uint32_t *ret_number);

/* A page of <Part> elements, filled by a part_visit of the operation's own. */
struct part_page {
    struct op *op;
    struct buf parts;
    uint32_t max;
    uint32_t count;
    uint32_t last;
    bool truncated;
};

void part_page_free(struct part_page *page); /* CLEANUP helper */
/* Count one more part. False: the page is full, and so truncated. */
bool part_page_take(struct part_page *page, const struct part *part);
/* <PartNumberMarker>, <NextPartNumberMarker>, <MaxParts>, <IsTruncated>. */
void part_page_bounds(const struct part_page *page, struct buf *out, uint32_t marker);

#endif
