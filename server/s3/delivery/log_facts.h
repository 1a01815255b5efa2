/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an access log tells of a request, of what its operation knows.
 */
#ifndef SERVER_S3_DELIVERY_LOG_FACTS_H
#define SERVER_S3_DELIVERY_LOG_FACTS_H

#include "server/s3/op.h"

/*
 * NULL where neither the bucket nor that of a copy's source is logged: then nothing was allocated. A request
 * that was refused before its bucket was loaded has it loaded here. In the arena; NULL for want of memory,
 * too.
 */
const struct log_facts *log_facts_of(struct op *op);

#endif
