/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of OpenSSL, with a reserve for when there is none.
 *
 * OpenSSL makes anew, for each digest and HMAC, a context of a few hundred bytes that is gone when the
 * call ends. Callers have no answer to its failing; so such a small piece comes from a reserve when the
 * process has no memory, and the request meets the shortage where it can be told: at its own memory.
 * Threads hold a few pieces at a time, and there are more pieces than that.
 */
#ifndef BASE_DIGEST_RESERVE_H
#define BASE_DIGEST_RESERVE_H

#include "base/scope.h"

/* Before OpenSSL has taken any memory. False: it has. */
MUST_CHECK bool reserve_stand_behind_openssl(void);

#endif
