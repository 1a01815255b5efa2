/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing guard: what a request must satisfy before anything else looks at it, pure.
 *
 * (1) A request that passes has one Host, at most one Content-Length, and a body length that every
 *     reader of the same bytes agrees on.
 * (2) Refusals end the connection: after a doubtful frame the next byte means nothing.
 * RFC 9112 §3.2, §6; RFC 9110 §5, §10.1.1.
 */
#ifndef SERVER_HTTP_PARSE_GUARD_H
#define SERVER_HTTP_PARSE_GUARD_H

#include "server/http/http.h"

/* Target, names and values together, so that the reply's headers fit beside them. */
#define HTTP_HEAD_BYTES_MAX 24576

/*
 * Judge method, target, http_1_0 and fields; set host, has_body, chunked, content_length,
 * has_content_length and expects_continue.
 *
 * Returns NULL when the request may pass; else why not (static), and ret_status.
 */
MUST_CHECK const char *http_guard(struct http_request *request, int *ret_status);

/* RFC 9110 token, at least one byte. */
bool http_is_token(struct str s);
/* host or host:port, the host not empty; a name, an IPv4 address or an IPv6 address in brackets. */
bool http_is_host(struct str s);
/* No control byte but HT, no DEL. */
bool http_is_field_value(struct str s);

#endif
