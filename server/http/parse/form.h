/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streaming multipart/form-data parser for POST Object.
 *
 * Fields before the file are collected (bounded), the file's bytes are streamed, everything after
 * the file is ignored as S3 does. Memory is bounded; output does not depend on input splits.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
#ifndef SERVER_HTTP_PARSE_FORM_H
#define SERVER_HTTP_PARSE_FORM_H

#include "base/arena.h"

#define FORM_FIELDS_MAX 100
#define FORM_FIELDS_BYTES_MAX 20480 /* names and values before the file; S3's limit is 20 KB */
#define FORM_PART_HEADER_BYTES_MAX 4096
#define FORM_BOUNDARY_BYTES_MAX 70
/* What a form may come to hold while it is read: its fields, a part's header, what follows it. */
#define FORM_HELD_BYTES (FORM_FIELDS_BYTES_MAX + 2 * FORM_PART_HEADER_BYTES_MAX)

enum form_result {
    FORM_OK = 0,
    FORM_MALFORMED,
    FORM_TOO_MANY,
    FORM_TOO_LONG,
    FORM_REFUSED, /* a callback said no */
    FORM_NO_MEMORY,
};

struct form_field {
    struct str name; /* as sent; compare without case */
    struct str value;
};

struct form_events {
    void *context;
    /* All fields before the file are known. filename: as sent, "" when absent. */
    bool (*file_begin)(void *context, struct str filename, struct str content_type);
    bool (*file_data)(void *context, const void *bytes, size_t len);
    bool (*file_end)(void *context);
};

struct form; /* lives in the arena */

/* boundary: from http_form_boundary. NULL: no memory. */
MUST_CHECK struct form *form_open(struct arena *arena, struct str boundary,
                                  const struct form_events *events);
enum form_result form_feed(struct form *form, const void *input, size_t len);
/* FORM_OK only when the closing delimiter was seen and a file field existed. */
enum form_result form_finish(struct form *form);
const struct form_field *form_fields(const struct form *form, size_t *ret_count);
/* First field of that name, case-insensitive; STR_NONE. */
struct str form_field_value(const struct form *form, struct str name);

/* The boundary of a multipart/form-data Content-Type; false when it is none or too long. */
MUST_CHECK bool form_boundary(struct str content_type, struct str *ret_boundary);

#endif
