/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a client's text may be logged.
 *
 * (1) A secret is known by the name it is given under, in any case and however often it was
 *     percent-encoded: session tokens, keys of SSE-C, signatures, Authorization, cookies.
 * (2) What follows such a name is left out, to the end of the header or parameter; the name and all
 *     else stay, so that a mismatch can be found.
 */
#ifndef SERVER_AUTH_MASK_H
#define SERVER_AUTH_MASK_H

#include "base/text/buf.h"

/* Append one line of text: a header, a query, a path; '?' and '&' part what is judged for itself. */
void mask_line(struct buf *out, struct str line);
/* Append decoded text, in which nothing parts a value from what follows. */
void mask_text(struct buf *out, struct str text);

#endif
