/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as values: one text, in the record's arena. Pure.
 */
#ifndef SERVER_SELECT_JSON_H
#define SERVER_SELECT_JSON_H

#include "server/select/value.h"

/*
 * Read one JSON value with nothing but blanks around it.
 *
 * text   borrowed by the value.
 * Returns S3_OK, S3_JSONParsingError (also nested deeper than VALUE_DEPTH_MAX) or S3_OverMaxRecordSize
 * when the arena is full.
 */
MUST_CHECK enum s3_error json_read(struct str text, struct arena *arena, struct value *ret_value);

/* Where the value that a text begins with ends, as far as it has come. */
struct json_scan {
    size_t at;      /* looked at so far */
    unsigned depth; /* of brackets that are open */
    bool begun;
    bool in_string;
    bool escaped;
};

/*
 * Look on from scan->at. True: the value ends before scan->at; blanks may stand before it. A value
 * that is no list, object or string ends only where something follows it.
 */
bool json_scan(struct json_scan *scan, struct str text);

#endif
