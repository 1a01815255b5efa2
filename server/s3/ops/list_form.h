/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request for a listing asks, and the tokens by which it goes on.
 */
#ifndef SERVER_S3_OPS_LIST_FORM_H
#define SERVER_S3_OPS_LIST_FORM_H

#include "server/s3/limits.h"
#include "server/s3/op.h"

#define S3_LIST_XML_BYTES_MAX (16u * 1024u * 1024u)

struct list_form {
    struct str prefix, delimiter; /* "" when absent */
    uint32_t max;                 /* clamped to STORE_LIST_MAX */
    bool url;                     /* encoding-type=url, */
    struct str encoding;          /* as it was sent */
    bool restores;                /* RestoreStatus is asked for */
};

/*
 * prefix, delimiter, encoding-type and the count named max_name ("max-keys", "max-uploads"), which
 * S3 calls max_range_name when it is negative ("": as it calls one that is no number).
 */
MUST_CHECK enum s3_error list_form_from_request(struct op *op, const char *max_name,
                                                struct str max_range_name,
                                                struct list_form *ret_form);
/*
 * x-amz-optional-object-attributes of a listing of objects: RestoreStatus is the only one there is.
 * InvalidArgument for another.
 */
MUST_CHECK enum s3_error list_attributes(struct op *op, struct list_form *form);
/*
 * The value of a count, of a parameter or a header: *ret_count stays when it is absent or empty;
 * more than most is most. range_name as above.
 */
MUST_CHECK enum s3_error op_count(struct op *op, struct str text, struct str name,
                                  struct str range_name, uint32_t most, uint32_t *ret_count);
/* <EncodingType> when there is one. */
void list_encoding(const struct list_form *form, struct buf *out);
/* Text, and an element with text, that follow encoding-type. */
void list_escape(const struct list_form *form, struct buf *out, struct str text);
void list_text(const struct list_form *form, struct buf *out, struct str name, struct str text);

/* Opaque continuation tokens. make: STR_NONE without memory. parse: false for a foreign text. */
struct str list_token(struct op *op, struct str marker);
MUST_CHECK bool list_token_parse(struct op *op, struct str token, struct str *ret_marker);
enum s3_error list_token_bad(struct op *op);

#endif
