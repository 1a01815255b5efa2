/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DIR/root.socket: where `pail credentials DIR` asks a running server for the root user's key pair.
 *
 * A pair that came from the environment or the settings file is written nowhere, and must not be:
 * a log keeps what is printed, a backup what lies in DIR. The banner's line still has to work in
 * another terminal, so the process that knows the pair tells it to whoever may ask.
 *
 * (1) The socket lies in the store's directory (mode 0700) with mode 0600, and the asker must be
 *     the server's own user or root: those who could read DIR/credentials.
 * (2) It goes with the server; one left behind by a crash refuses connections and is replaced.
 */
#ifndef SERVER_ROOT_SOCKET_H
#define SERVER_ROOT_SOCKET_H

#include "server/root_pair.h"

#define ROOT_SOCKET_FILE "root.socket"

struct root_socket;

/* NULL with a fault: a file system without sockets, for example. pair is copied. */
MUST_CHECK struct root_socket *root_socket_open(int dir_fd, const struct root_pair *pair,
                                                struct fault *fault);
/* The pair is another one from now on; copied. */
void root_socket_tell(struct root_socket *self, const struct root_pair *pair);
void root_socket_close(struct root_socket *self); /* NULL is fine */

/* Ask the server of that directory. False: nobody answers there. Texts live in the arena. */
MUST_CHECK bool root_socket_ask(int dir_fd, struct arena *arena, struct root_pair *ret_pair);

#endif
