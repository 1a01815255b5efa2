/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of results.
 */
#include "storage/store.h"

const char *store_status_name(enum store_status status)
{
    static const char *const names[] = {
        [STORE_OK] = "ok",
        [STORE_NO_BUCKET] = "no such bucket",
        [STORE_NO_KEY] = "no such key",
        [STORE_NO_VERSION] = "no such version",
        [STORE_NO_UPLOAD] = "no such upload",
        [STORE_NO_PART] = "no such part",
        [STORE_NO_DOCUMENT] = "no such document",
        [STORE_NO_ANNOTATION] = "no such annotation",
        [STORE_NO_SUBSCRIBER] = "no such subscriber",
        [STORE_BUCKET_EXISTS] = "bucket exists",
        [STORE_BUCKET_NOT_EMPTY] = "bucket not empty",
        [STORE_PRECONDITION_FAILED] = "precondition failed",
        [STORE_CONFLICT] = "conflict",
        [STORE_DELETE_MARKER] = "delete marker",
        [STORE_RETAINED] = "retained",
        [STORE_TOKEN_REUSED] = "token was used for something else",
        [STORE_RETRY] = "changed meanwhile",
        [STORE_BUCKET_LIMIT] = "too many buckets",
        [STORE_ANNOTATION_LIMIT] = "too many annotations",
        [STORE_PIECE_LIMIT] = "too many pieces",
        [STORE_SUBSCRIBER_LIMIT] = "too many subscribers, or a name too long",
        [STORE_PART_LIMIT] = "part number or number of parts out of range",
        [STORE_FULL] = "no space",
        [STORE_IO] = "device failure",
        [STORE_DAMAGED] = "damaged",
        [STORE_NO_MEMORY] = "no memory",
        [STORE_STOPPED] = "stopped",
        [STORE_LOCKED] = "locked by another process",
        [STORE_FORMAT] = "not a store of this format",
    };

    return (size_t)status < COUNT_OF(names) && names[status] != NULL ? names[status] : "unknown";
}
