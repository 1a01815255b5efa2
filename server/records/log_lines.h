/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's lines of requests and of background work: the observer that writes them.
 *
 *     req=0123456789ABCDEF op=PutObject bucket=b status=200 code=- ms=1.234 in=10 out=0
 *
 * (1) At level info; of work, whose first failure is a line of its own (storage/care/health.h), at level
 *     debug:
 *
 *         work=sweep store=name count=3 bytes=100 ms=1.234 status=OK
 *
 *     Nothing is built when that is not wanted.
 * (2) No secret, and of a client's text only what was asked for by name.
 */
#ifndef SERVER_RECORDS_LOG_LINES_H
#define SERVER_RECORDS_LOG_LINES_H

#include "server/records/record.h"

extern const struct observer log_lines;

#endif
