/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of an S3 request: made of what is known of it when it is over, and told.
 *
 * op->record holds from the start what nothing else does (its times, its loop, an action's name, the
 * last verdict, which may.c notes);
 * all else is read here from where the request has it, so that it is never there twice.
 */
#ifndef SERVER_S3_RECORD_H
#define SERVER_S3_RECORD_H

#include "server/s3/op.h"

/* Complete op's record and tell op->options->observers. Once, when the exchange is done. */
void record_tell(struct op *op, bool completed, uint64_t bytes_in, uint64_t bytes_out);

/* The same for an exchange that has no operation: it was refused before it got one. */
void record_tell_unseen(const struct s3_options *options, unsigned loop,
                        const struct http_exchange_view *exchange, bool completed,
                        uint64_t bytes_in, uint64_t bytes_out);

#endif
