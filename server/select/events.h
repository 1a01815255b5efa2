/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event stream a query is answered with: messages of headers and a payload, with two CRCs.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
 */
#ifndef SERVER_SELECT_EVENTS_H
#define SERVER_SELECT_EVENTS_H

#include "base/text/buf.h"

#define EVENT_PAYLOAD_BYTES_MAX (1024u * 1024u)
#define EVENT_FRAME_BYTES_MAX 512u /* what a message has beside its payload */

struct event_counts {
    uint64_t scanned;   /* bytes of the object that were read */
    uint64_t processed; /* what they are decompressed */
    uint64_t returned;  /* bytes of records that were sent */
};

/* Messages at the end of out. Records: any length, in as many messages as it takes. */
void event_records(struct buf *out, struct str records);
void event_continuation(struct buf *out);
void event_progress(struct buf *out, const struct event_counts *counts);
void event_stats(struct buf *out, const struct event_counts *counts);
void event_end(struct buf *out);
void event_error(struct buf *out, struct str code, struct str message);

#endif
