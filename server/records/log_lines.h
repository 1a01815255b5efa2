/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's line of a request: the observer that writes it.
 *
 *     req=0123456789ABCDEF op=PutObject bucket=b status=200 code=- ms=1.234 in=10 out=0
 *
 * (1) At level info; nothing is built when that is not wanted.
 * (2) No secret, and of a client's text only what was asked for by name.
 */
#ifndef SERVER_RECORDS_LOG_LINES_H
#define SERVER_RECORDS_LOG_LINES_H

#include "server/records/record.h"

extern const struct observer log_lines;

#endif
