/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text into gzip, piece by piece. One thread at a time.
 */
#ifndef SERVER_S3_DELIVERY_GZIP_H
#define SERVER_S3_DELIVERY_GZIP_H

#include "base/text/str.h"

struct gzip;

/* Takes what was packed; false: it could not, and no more is to be packed. */
typedef bool gzip_sink(void *context, const void *bytes, size_t len);

MUST_CHECK struct gzip *gzip_open(void); /* NULL: no memory */
void gzip_close(struct gzip *gzip);      /* NULL is fine */
/* More text. False: the sink has said so. */
MUST_CHECK bool gzip_write(struct gzip *gzip, struct str text, gzip_sink *sink, void *context);
/* There is no more: its end, once. */
MUST_CHECK bool gzip_end(struct gzip *gzip, gzip_sink *sink, void *context);

#endif
