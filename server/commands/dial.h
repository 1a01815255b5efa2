/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a server as a client's URL names it, with a bound on every wait.
 */
#ifndef SERVER_COMMANDS_DIAL_H
#define SERVER_COMMANDS_DIAL_H

#include "server/endpoint.h"

#define DIAL_TIMEOUT_S 3 /* for each of connect, send and receive */

/* On success the caller closes *ret_fd. */
MUST_CHECK bool dial(const struct endpoint *endpoint, int *ret_fd, struct fault *fault);

#endif
