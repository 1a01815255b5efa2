/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text as other programs read it: JSON strings and words of a POSIX shell.
 */
#ifndef BASE_TEXT_TEXT_H
#define BASE_TEXT_TEXT_H

#include "base/text/buf.h"

/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void text_json(struct buf *out, struct str s);

/* One word for sh: bare when that is safe, else in single quotes. */
void text_shell(struct buf *out, struct str s);

#endif
