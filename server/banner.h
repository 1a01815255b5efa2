/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a starting server says: lines for a person on stderr, one JSON line per listener on stdout.
 *
 * Pure: texts are written to a buffer, so that they can be tested and leave in one piece.
 */
#ifndef SERVER_BANNER_H
#define SERVER_BANNER_H

#include "base/buf.h"
#include "server/config.h"
#include "server/credentials.h"
#include "server/http/http.h"

#define BANNER_BYTES_MAX 65536

struct banner {
    const struct config *config;
    const struct credentials *credentials;
    struct str dir; /* absolute */
    const struct http_listener *listeners;
    size_t listener_count;
};

/* Every line is a comment or a command of a POSIX shell: the whole can be pasted. */
void banner_text(const struct banner *banner, struct buf *out);

/* {"url":"http://127.0.0.1:9000","tls":false,...} and a line feed, for each listener. */
void banner_json(const struct banner *banner, struct buf *out);

/* export NAME=VALUE and a line feed, quoted where a shell needs it. */
void banner_export(struct buf *out, const char *name, struct str value);

#endif
