/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a SelectObjectContentRequest asks for.
 */
#ifndef SERVER_S3_SELECT_SETTINGS_H
#define SERVER_S3_SELECT_SETTINGS_H

#include "server/s3/op.h"
#include "server/select/select.h"

/*
 * Read the request's document (op->body), for the version that is loaded.
 *
 * Returns S3_OK, or refuses with S3 Select's error for what is wrong.
 */
MUST_CHECK enum s3_error select_settings_read(struct op *op, struct select_settings *ret_settings);

#endif
