/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents as they are stored, into what a bucket's configuration says of them.
 */
#include "server/s3/documents.h"

static const struct {
    struct str kind;
    document_compile_fn *compile;
    document_effect_fn *effect;
} rows[] = {
#define DOCUMENT(KIND, LIST, ROOT, UNSET, UNSET_ROOT, UNSET_CONTENT, READ, SHOW, COMPILE, EFFECT)  \
    { STR_INIT(KIND), (COMPILE), (EFFECT) },
#include "server/s3/documents.def"
#undef DOCUMENT
};

bool document_compile(const struct bucket_document *document, struct arena *arena,
                      struct bucket_config *config)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_eq(rows[i].kind, document->kind)) {
            config->has_effects |= rows[i].effect != NULL;
            return rows[i].compile == NULL || rows[i].compile(document->body, arena, config);
        }
    return true; /* of another version of pail */
}

/* Kept by name. */
bool ownership_compile(struct str stored, struct arena *arena UNUSED, struct bucket_config *config)
{
    config->access.ownership = ownership_from_name(stored);
    return true;
}

/* Kept as the names of what is blocked. */
bool access_block_compile(struct str stored, struct arena *arena UNUSED,
                          struct bucket_config *config)
{
    struct str name;

    while (str_next(&stored, ' ', &name))
        config->access.blocked |= public_access_block_from_name(name);
    return true;
}

/* Kept by the word. */
bool payment_compile(struct str stored, struct arena *arena UNUSED, struct bucket_config *config)
{
    config->access.requester_pays = str_eq(stored, STR("Requester"));
    return true;
}

bool abac_compile(struct str stored, struct arena *arena UNUSED, struct bucket_config *config)
{
    config->access.tags_decide = str_eq(stored, STR("Enabled"));
    return true;
}

bool acceleration_compile(struct str stored, struct arena *arena UNUSED,
                          struct bucket_config *config)
{
    config->acceleration = str_eq(stored, STR("Enabled")) ? ACCELERATION_ENABLED
                                                          : ACCELERATION_SUSPENDED;
    return true;
}

/* Kept packed. */
bool tagging_compile(struct str stored, struct arena *arena UNUSED, struct bucket_config *config)
{
    config->tags = stored;
    return true;
}
