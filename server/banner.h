/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a starting server says: lines for a person on stderr, one JSON line per listener on stdout.
 *
 * Pure: texts are written to a buffer, so that they can be tested and leave in one piece.
 */
#ifndef SERVER_BANNER_H
#define SERVER_BANNER_H

#include "base/text/buf.h"
#include "server/http/http.h"
#include "server/root_pair.h"
#include "server/settings/config.h"

#define BANNER_BYTES_MAX 65536

struct banner {
    const struct config *config;
    const struct root_pair *root;
    struct str dir;     /* absolute */
    struct str program; /* absolute path of pail */
    struct str file;    /* settings file, absolute; "" for none */
    const struct http_listener *listeners;
    size_t listener_count;
    bool on_terminal; /* a person sees it, and nothing keeps it */
    bool answers;     /* `pail credentials DIR` is told the pair by this server */
    bool in_container;
    const struct http_certificate_facts *certificate; /* of the first TLS listener; NULL: unknown */
    struct str tls_cert;                              /* absolute */
};

/*
 * Every line is a comment or a command of a POSIX shell: the whole can be pasted into any terminal
 * of the same user on this machine, whatever its directory and environment.
 */
void banner_text(const struct banner *banner, struct buf *out);

/* The listener whose address the banner exports: the first with a port; NULL when there is none. */
const struct http_listener *banner_listener(const struct banner *banner);

/* Its host as a client on this machine writes it, without brackets: no wildcard. */
struct str banner_host(const struct http_listener *listener);

/* {"url":"http://127.0.0.1:9000","tls":false,...} and a line feed, for each listener. */
void banner_json(const struct banner *banner, struct buf *out);

/* export NAME=VALUE and a line feed, quoted where a shell needs it. */
void banner_export(struct buf *out, const char *name, struct str value);

#endif
