/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of server access logs, in S3's format. Pure; any thread.
 *
 * (1) One line for a request, and one more for each object that it names in its body.
 * (2) Fields are parted by blanks; what is not known, or has no meaning, is "-".
 * (3) The request's target and its referer are the client's, with tokens, keys and signatures left out
 *     (mask.h). Quotes in them are as they came, as on S3.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
 */
#ifndef SERVER_S3_DELIVERY_LOG_LINE_H
#define SERVER_S3_DELIVERY_LOG_LINE_H

#include "base/text/buf.h"
#include "server/records/record.h"

/* To record->log->bucket; with its line feeds. */
void log_line_of_request(struct buf *out, const struct request_record *record);
/* To record->log->source: of the object that was read for a copy. */
void log_line_of_source(struct buf *out, const struct request_record *record);

/* Of what S3 has done by itself. */
void log_line_of_deed(struct buf *out, const struct deed_record *record);

/*
 * The key of a log that is delivered now: TargetPrefixYYYY-mm-DD-HH-MM-SS-UniqueString, or partitioned.
 *
 * now_us    when it is delivered; event_us: of the requests in it (of one day, where that counts).
 * unique    at random, for its last part.
 */
void log_key(struct buf *out, const struct log_target *target, struct str source,
             struct str account, struct str region, int64_t now_us, int64_t event_us,
             uint64_t unique);

#endif
