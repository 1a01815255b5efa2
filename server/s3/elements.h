/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements that the documents of several operations share.
 */
#ifndef SERVER_S3_ELEMENTS_H
#define SERVER_S3_ELEMENTS_H

#include "server/s3/op.h"
#include "server/s3/request/checksums.h"
#include "server/xml/xml.h"

/* <ChecksumCRC32>...</ChecksumCRC32> and, with_type, <ChecksumType>. */
void xml_checksum(struct op *op, struct buf *out, const struct stored_checksum *checksum,
                  bool with_type);
/* The algorithm that an element <ChecksumCRC32> tells of; CHECKSUM_NONE: it is no such element. */
enum checksum_kind xml_checksum_of(const struct xml_node *element);

/* <Owner>, which S3 gives no DisplayName any more, and an upload's <Initiator>, which has one. */
void xml_owner(struct buf *out, struct str canonical_id);
void xml_initiator(struct op *op, struct buf *out, struct str canonical_id);

/* <ETag>&quot;...&quot;</ETag> */
void xml_etag(struct buf *out, struct str etag);
/* <ChecksumAlgorithm> and <ChecksumType> of a stored checksum, nothing when there is none. */
void xml_checksum_kind(struct buf *out, struct str packed);

#endif
