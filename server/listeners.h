/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses to serve: what the text of --listen means, and binding them all.
 */
#ifndef SERVER_LISTENERS_H
#define SERVER_LISTENERS_H

#include "base/fault.h"
#include "base/text/str.h"
#include "server/http/http.h"
#include "server/settings/config.h"

struct listener_address {
    struct str spec; /* without http:// or https://, for http_listen */
    struct str host; /* without brackets; STR_NONE for a unix socket */
    bool tls;
    bool tcp;
    bool local; /* nobody on another machine can reach it */
};

/*
 * Pure. tls: what an ADDR:PORT without a scheme means. Spec and host point into text.
 */
MUST_CHECK bool listener_parse(struct str text, bool tls, struct listener_address *ret_address,
                               struct fault *fault);

/* The port of "http://host:port"; 0 for a unix socket. */
unsigned listener_port(const struct http_listener *listener);

/*
 * Bind every address of the settings. ret_listeners has room for CONFIG_LISTENERS_MAX; on failure
 * none stays open.
 */
MUST_CHECK bool listeners_open(const struct config *config, struct http_listener *ret_listeners,
                               size_t *ret_count, struct fault *fault);

#endif
