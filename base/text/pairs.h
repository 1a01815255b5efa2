/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed lists of pairs, as headers, metadata and tags are kept. Any thread.
 */
#ifndef BASE_TEXT_PAIRS_H
#define BASE_TEXT_PAIRS_H

#include "base/text/buf.h"
#include "base/text/str.h"

/* Append a pair. False: a text longer than 65,535 bytes, or the buffer has failed. */
bool pairs_add(struct buf *out, struct str name, struct str value);
/* Walk: *cursor starts as the packed bytes. False at the end; what is cut ends it too. */
bool pairs_next(struct str *cursor, struct str *ret_name, struct str *ret_value);
size_t pairs_count(struct str packed);
/* Value of the first pair of that name (case-insensitive). */
struct str pairs_get(struct str packed, struct str name);

#endif
