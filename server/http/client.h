/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of TLS over a connected socket, for `pail health`. One thread.
 */
#ifndef SERVER_HTTP_CLIENT_H
#define SERVER_HTTP_CLIENT_H

#include <sys/types.h>

#include "base/fault.h"
#include "base/text/str.h"

struct tls_client;

enum tls_trust {
    TLS_TRUST_ANYONE, /* nothing is verified */
    TLS_TRUST_FILE,   /* what a PEM file holds */
    TLS_TRUST_SYSTEM,
};

/*
 * Handshake over fd, which stays the caller's and outlives the client.
 *
 * host    the name the certificate must be for, and the one asked for.
 * file    TLS_TRUST_FILE; ends in NUL.
 * NULL with a fault: the peer speaks no TLS, or is not trusted.
 */
MUST_CHECK struct tls_client *tls_client_open(int fd, struct str host, enum tls_trust trust,
                                              struct str file, struct fault *fault);
void tls_client_close(struct tls_client *client); /* NULL is fine */

/* As send and recv: bytes, 0 at the end, -1 on failure. */
ssize_t tls_client_send(struct tls_client *client, const void *bytes, size_t len);
ssize_t tls_client_receive(struct tls_client *client, void *out, size_t max);

#endif
