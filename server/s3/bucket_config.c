/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations of buckets; rules in bucket_config.h.
 */
#include "server/s3/bucket_config.h"

#include "server/s3/documents.h"

#define ARENA_FIRST_BYTES 2048

/* One that is shared. */
struct shared_config {
    struct bucket_config config; /* what its users see */
    struct arena *arena;         /* its own and its texts' */
    int64_t bucket_id;
    int64_t changed_seq;
    size_t bytes; /* of its documents */
    unsigned users;
};

struct bucket_configs {
    struct shared_config *kept[BUCKET_CONFIGS_KEPT];
};

const struct bucket_config bucket_config_none;

/* ---- users --------------------------------------------------------------------------------- */

static void drop(struct shared_config *shared)
{
    if (--shared->users == 0)
        arena_close(shared->arena);
}

void bucket_config_leave(const struct bucket_config *config)
{
    if (config == NULL || config == &bucket_config_none)
        return;
    drop(CONTAINER_OF((struct bucket_config *)(uintptr_t)config, struct shared_config, config));
}

struct bucket_configs *bucket_configs_open(void)
{
    return mem_zalloc(sizeof(struct bucket_configs));
}

void bucket_configs_close(struct bucket_configs *configs)
{
    if (configs == NULL)
        return;
    for (size_t i = 0; i < BUCKET_CONFIGS_KEPT; i++)
        if (configs->kept[i] != NULL)
            drop(configs->kept[i]);
    mem_free(configs);
}

/* ---- reading and compiling ----------------------------------------------------------------- */

struct reading {
    struct shared_config *shared;
    struct bucket_document *documents;
    size_t count;
    size_t capacity;
    bool failed; /* no memory, or too much */
};

static bool make_room(struct reading *reading)
{
    size_t capacity = reading->capacity == 0 ? 8 : 2 * reading->capacity;
    struct bucket_document *documents;

    if (reading->count < reading->capacity)
        return true;
    documents = arena_alloc(reading->shared->arena, capacity * sizeof(*documents));
    if (documents == NULL)
        return false;
    if (reading->count > 0)
        memcpy(documents, reading->documents, reading->count * sizeof(*documents));
    reading->documents = documents;
    reading->capacity = capacity;
    return true;
}

static bool keep_document(void *context, const struct bucket_document *document)
{
    struct reading *reading = context;
    struct arena *arena = reading->shared->arena;
    struct bucket_document kept = { .kind = arena_dup(arena, document->kind),
                                    .id = arena_dup(arena, document->id),
                                    .body = arena_dup(arena, document->body) };

    reading->failed = !str_present(kept.kind) || !str_present(kept.id) || !str_present(kept.body) ||
                      !make_room(reading);
    if (reading->failed)
        return false;
    reading->documents[reading->count++] = kept;
    reading->shared->bytes += kept.kind.len + kept.id.len + kept.body.len;
    return true;
}

static enum store_status fill(struct shared_config *shared, struct reader *reader,
                              const struct bucket *bucket, struct fault *fault)
{
    struct reading reading = { .shared = shared };
    enum store_status status = document_list(reader, bucket->id, keep_document, &reading, fault);

    if (reading.failed)
        return store_fault(fault, STORE_NO_MEMORY, "configuration of a bucket");
    if (status == STORE_OK)
        status = bucket_unchanged(reader, bucket, fault);
    if (status != STORE_OK)
        return status;

    shared->config.documents = reading.documents;
    shared->config.document_count = reading.count;
    for (size_t i = 0; i < reading.count; i++)
        if (!document_compile(&reading.documents[i], shared->arena, &shared->config))
            return store_fault(fault, STORE_NO_MEMORY, "configuration of a bucket");
    return STORE_OK;
}

/* In its own arena, used once. */
static enum store_status make(struct reader *reader, const struct bucket *bucket,
                              struct shared_config **ret_shared, struct fault *fault)
{
    struct arena *arena = arena_open(ARENA_FIRST_BYTES, BUCKET_CONFIG_BYTES_MAX);
    struct shared_config *shared = arena != NULL ? ARENA_NEW(arena, struct shared_config) : NULL;
    enum store_status status;

    if (shared == NULL) {
        arena_close(arena);
        return store_fault(fault, STORE_NO_MEMORY, "configuration of a bucket");
    }
    shared->arena = arena;
    shared->bucket_id = bucket->id;
    shared->changed_seq = bucket->changed_seq;
    shared->users = 1;
    status = fill(shared, reader, bucket, fault);
    if (status != STORE_OK) {
        drop(shared);
        return status;
    }
    *ret_shared = shared;
    return STORE_OK;
}

enum store_status bucket_config_use(struct bucket_configs *configs, struct reader *reader,
                                    const struct bucket *bucket,
                                    const struct bucket_config **ret_config, struct fault *fault)
{
    struct shared_config **slot = &configs->kept[(uint64_t)bucket->id % BUCKET_CONFIGS_KEPT];
    struct shared_config *shared = *slot;
    enum store_status status;

    if (!bucket->has_documents) {
        *ret_config = &bucket_config_none;
        return STORE_OK;
    }
    if (shared != NULL && shared->bucket_id == bucket->id &&
        shared->changed_seq == bucket->changed_seq) {
        shared->users++;
        *ret_config = &shared->config;
        return STORE_OK;
    }

    status = make(reader, bucket, &shared, fault);
    if (status != STORE_OK)
        return status;
    if (shared->bytes <= BUCKET_CONFIG_KEPT_BYTES_MAX) {
        if (*slot != NULL)
            drop(*slot);
        shared->users++;
        *slot = shared;
    }
    *ret_config = &shared->config;
    return STORE_OK;
}

/* ---- asking -------------------------------------------------------------------------------- */

const struct bucket_document *bucket_config_document(const struct bucket_config *config,
                                                     struct str kind, struct str id)
{
    for (size_t i = 0; i < config->document_count; i++)
        if (str_eq(config->documents[i].kind, kind) && str_eq(config->documents[i].id, id))
            return &config->documents[i];
    return NULL;
}
