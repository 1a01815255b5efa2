/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text in header fields: ISO-8859-1, which is what their bytes are, and the words of RFC 2047 that
 * carry what neither it nor ASCII holds.
 *
 * Encodings, cuts and leniency are those S3 is seen to use (it is written in Java, and shows what
 * Java's mail library makes of a text): most ASCII gives Q, most other characters B; a tab and line
 * ends count as ASCII; a word is at most 75 characters long.
 * https://www.rfc-editor.org/rfc/rfc2047
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
#ifndef BASE_TEXT_MAILWORD_H
#define BASE_TEXT_MAILWORD_H

#include "base/text/buf.h"

/* Append bytes, each one a character, as UTF-8. */
void latin1_to_utf8(struct buf *out, struct str bytes);
/*
 * Append UTF-8 text as ISO-8859-1, with blanks for what it has not (two where UTF-16 has two units)
 * and for control characters but the tab.
 */
void latin1_from_utf8(struct buf *out, struct str text);

/* Append text with U+FFFD for each byte that begins no character. */
void utf8_repair(struct buf *out, struct str text);

/*
 * Append UTF-8 text as header fields may hold it: as it is when all of it is ASCII (with blanks for
 * line ends), else as words.
 */
void mailword_encode(struct buf *out, struct str text);
/*
 * Append text with its words decoded, as UTF-8. What is no word stays, blanks between two words
 * do not; text with a word of an unknown character set or encoding stays whole. text is UTF-8.
 */
void mailword_decode(struct buf *out, struct str text);

#endif
