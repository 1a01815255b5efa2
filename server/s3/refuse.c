/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals of operations.
 */
#include "server/s3/refuse.h"

#include <assert.h>

enum s3_error op_fail_values(struct op *op, enum s3_error error, struct str message, size_t count,
                             const struct str *values)
{
    assert(count <= S3_ERROR_EXTRAS_MAX);
    op->refusal = (struct s3_refusal){ .error = error, .message = message };
    for (size_t i = 0; i < count; i++)
        op->refusal.values[i] = values[i];
    return error;
}

enum s3_error op_fail_argument(struct op *op, struct str message, struct str name, struct str value)
{
    return op_fail_text(op, S3_InvalidArgument, message, name, value);
}

/* ---- denials ----------------------------------------------------------------------------------- */

static void note_denial(struct op *op, const char *why)
{
    op->record.allowed = false;
    op->record.reason = str_from_cstr(why);
    fault_note(&op->fault, "%s", why);
}

enum s3_error op_deny(struct op *op, const char *why)
{
    note_denial(op, why);
    return op_fail(op, S3_AccessDenied);
}

enum s3_error op_refuse_mfa(struct op *op)
{
    if (!str_present(http_header(op->request, STR("x-amz-mfa"))))
        return S3_OK;
    return op_fail(op, S3_NotImplemented, STR("x-amz-mfa"));
}

enum s3_error op_deny_locked(struct op *op)
{
    note_denial(op, "the version is locked");
    return op_fail_text(op, S3_AccessDenied,
                        STR("Access Denied because object protected by object lock."));
}
