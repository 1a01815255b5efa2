/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request asks for and who asks: names, row of routes.def, signature.
 *
 * identify.c holds the only call to the verifier of S3's requests; a form's is in admit.c.
 */
#ifndef SERVER_S3_IDENTIFY_H
#define SERVER_S3_IDENTIFY_H

#include "server/s3/op.h"

/*
 * Set op's names, route, need and caller; nothing is looked up in the store.
 *
 * Once, on op's loop thread, when the head of the request is there. Any S3 error of routing, signing
 * or naming; S3_OK: op->route is set, maybe to a row without a function (501 for those who may ask).
 */
MUST_CHECK enum s3_error op_identify(struct op *op);

#endif
