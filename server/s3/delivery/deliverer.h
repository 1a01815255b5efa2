/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that stores what S3 itself delivers into buckets.
 *
 *   requests --observer--> lines of access logs in memory --(interval)--> objects
 *   inventories that are put, days that begin ------------------------> reports
 *
 * (1) It looks for inventories that are due when it begins. Then it sleeps until something is due by the application's clock, and for ever where nothing is.
 * (2) Stopped in order, it delivers what it has. A process that is killed loses the lines of at most one
 *     interval, or of LOG_LINES_BYTES_URGENT.
 * (3) Its readers of stores, and its table of users, are open while it works and not while it sleeps.
 */
#ifndef SERVER_S3_DELIVERY_DELIVERER_H
#define SERVER_S3_DELIVERY_DELIVERER_H

#include "server/s3/s3.h"

struct deliverer;

/* Takes lines from then on. log_interval_us: from a line to its delivery. NULL: no memory. */
MUST_CHECK struct deliverer *deliverer_open(int64_t log_interval_us);
/* What is to be told of requests. */
struct observer deliverer_observer(struct deliverer *self);
/*
 * Begin to deliver. options, clock: the application's, borrowed until deliverer_close.
 * False: there can be no thread.
 */
MUST_CHECK bool deliverer_start(struct deliverer *self, const struct s3_options *options,
                                struct clock *clock, struct fault *fault);
/* Once nobody tells it of requests any more: deliver what there is, end. NULL is fine. */
void deliverer_close(struct deliverer *self);

#endif
