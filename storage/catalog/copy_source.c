/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources of copies: whether they are still what was read and judged, and a slice of them.
 */
#include "storage/catalog/sql.h"

bool version_is_as_judged(const struct version *version, const struct version *judged)
{
    return judged == NULL || (str_present(version->attrs.acl) == str_present(judged->attrs.acl) &&
                              str_eq(version->attrs.acl, judged->attrs.acl));
}

bool copy_refers(const struct intent *intent)
{
    const struct copy_source *source = intent_source(intent);

    return source != NULL && source->work != COPY_REWRITE;
}

enum store_status copy_source_find(struct catalog *cat, struct intent *intent,
                                   struct version *ret_version)
{
    const struct copy_source *source = intent_source(intent);
    enum store_status status = catalog_version_by_seq(cat, source->bucket_id, source->key,
                                                      source->seq, cat->scratch, ret_version,
                                                      &intent->fault);

    if (status == STORE_NO_VERSION)
        return STORE_RETRY;
    if (status == STORE_OK && ret_version->delete_marker)
        return STORE_DELETE_MARKER;
    if (status == STORE_OK && !version_is_as_judged(ret_version, source->judged))
        return STORE_RETRY;
    if (status == STORE_OK && source->ranged &&
        (source->offset > ret_version->size_bytes ||
         source->len > ret_version->size_bytes - source->offset))
        return STORE_RETRY;
    return status;
}

enum store_status copy_source_slice(struct catalog *cat, struct intent *intent,
                                    const struct version *from, struct body_ref *ret_ref,
                                    uint64_t *ret_size)
{
    const struct copy_source *source = intent_source(intent);
    uint64_t offset = source->ranged ? source->offset : 0;

    *ret_size = source->ranged ? source->len : from->size_bytes;
    return body_slice(cat, &from->body, from->size_bytes, offset, *ret_size, ret_ref,
                      &intent->fault);
}
