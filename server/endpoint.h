/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address of a server as a client writes it: http://HOST[:PORT][/PATH], https://..., unix:PATH.
 */
#ifndef SERVER_ENDPOINT_H
#define SERVER_ENDPOINT_H

#include "base/fault.h"
#include "base/text/str.h"

struct endpoint {
    bool tls;
    struct str unix_path; /* STR_NONE: TCP */
    struct str host;      /* without brackets */
    struct str port;      /* digits; "80" or "443" when not given */
    struct str authority; /* HOST[:PORT] as written, for the Host header */
    struct str path;      /* with its slash; "/" when not given */
};

/* Pure. Everything in *ret_endpoint points into url or is constant. */
MUST_CHECK bool endpoint_parse(struct str url, struct endpoint *ret_endpoint, struct fault *fault);

/* Is the host localhost or a name under it, which is always this machine (RFC 6761, 6.3)? Pure. */
bool endpoint_is_localhost(const struct endpoint *endpoint);

#endif
