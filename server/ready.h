/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling the world that the server answers: port file, banner, JSON lines, ready descriptor.
 */
#ifndef SERVER_READY_H
#define SERVER_READY_H

#include "server/banner.h"

/* Only the port file can fail. Call once, when a request would be answered. */
MUST_CHECK bool ready_announce(const struct banner *banner, struct fault *fault);

#endif
