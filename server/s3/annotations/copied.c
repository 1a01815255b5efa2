/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations of a copy's source; see copied.h.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
#include "server/s3/annotations/copied.h"

#include "server/s3/may.h"
#include "server/s3/refuse.h"

#define DIRECTIVE "x-amz-object-annotation-directive"

/* The directive may stand among the parameters instead. */
static struct str directive_of(const struct op *op)
{
    struct str header = op_header(op, DIRECTIVE);

    return str_present(header) ? header : op_param(op, DIRECTIVE);
}

static enum s3_error require_both(struct op *op)
{
    const struct op_subject there = {
        .bucket = &op->source_bucket,
        .config = op->source_config,
        .key = op->source.key,
        .version = op->source_asked_version ? version_id_text(&op->source, op->arena) : STR_NONE,
        .object = &op->source,
    };
    const struct op_subject here = op_subject(op);
    enum s3_error err = op_require(op,
                                   op->source_asked_version ? ACTION_GetObjectVersionAnnotation
                                                            : ACTION_GetObjectAnnotation,
                                   &there);

    return err == S3_OK ? op_require(op, ACTION_PutObjectAnnotation, &here) : err;
}

enum s3_error annotations_copied(struct op *op, bool *ret_copied)
{
    struct str directive = directive_of(op);
    bool exclude = str_eq(directive, STR("EXCLUDE"));

    *ret_copied = op->source.annotated && !exclude;
    if (str_present(directive) && !exclude && !str_eq(directive, STR("COPY")))
        return op_fail_argument(op, STR("Unknown " DIRECTIVE " directive."), STR(DIRECTIVE),
                                directive);
    if (!*ret_copied)
        return S3_OK;
    if (op->customer_key != NULL)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Annotations are not supported for objects that are encrypted with "
                                "customer-provided keys (SSE-C). Use EXCLUDE to copy the object "
                                "without its annotations."));
    return require_both(op);
}
