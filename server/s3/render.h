/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every answer carries, and the error document.
 */
#ifndef SERVER_S3_RENDER_H
#define SERVER_S3_RENDER_H

#include "server/s3/op.h"

/* A fresh request id: 16 upper-case hexadecimal digits and a NUL. */
void render_request_id(char out[17]);

/* Server, x-amz-request-id, x-amz-id-2. */
void render_common(struct http_reply *reply, struct arena *arena, struct str request_id);

/* The x-amz-id-2 that render_common has set; "" when there was no memory. */
struct str render_host_id(const struct http_reply *reply);

/* S3 Control's errors have an element more around them. */
enum error_form { ERROR_OF_S3, ERROR_OF_S3_CONTROL };

/*
 * The error document of a refusal. status 0: the row's. HEAD gets headers only.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
void render_error(struct http_exchange_view *exchange, const struct s3_refusal *refusal,
                  struct str request_id, int status, enum error_form form);

#endif
