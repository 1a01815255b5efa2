/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of annotations; see names.h.
 */
#include "server/s3/annotations/names.h"

#include "base/text/unicode.h"
#include "server/s3/refuse.h"

/* Letters of any language, digits, and three marks. */
static bool is_of_names(struct str text)
{
    uint32_t c;

    if (!str_is_utf8(text))
        return false;
    while (unicode_next(&text, &c))
        if (!unicode_is_letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '.' && c != '-')
            return false;
    return true;
}

enum s3_error annotation_name(struct op *op, struct str *ret_name)
{
    struct str name = op_param(op, "annotationName");

    if (name.len > STORE_ANNOTATION_NAME_BYTES_MAX)
        return op_fail(op, S3_AnnotationNameTooLong);
    if (name.len == 0 || !is_of_names(name) || str_starts_nocase(name, STR("aws")) ||
        str_starts_nocase(name, STR("s3")))
        return op_fail(op, S3_InvalidAnnotationName);
    *ret_name = name;
    return S3_OK;
}

enum s3_error annotation_prefix(struct op *op, struct str *ret_prefix)
{
    struct str prefix = op_param(op, "annotation-prefix");

    if (prefix.len > STORE_ANNOTATION_NAME_BYTES_MAX || !is_of_names(prefix))
        return op_fail(op, S3_InvalidPrefix);
    *ret_prefix = str_present(prefix) ? prefix : STR("");
    return S3_OK;
}
