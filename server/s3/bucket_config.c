/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations of buckets; rules in bucket_config.h.
 */
#include "server/s3/bucket_config.h"

#include <assert.h>

#include "server/s3/documents.h"

#define ARENA_FIRST_BYTES 2048
#define HEADS 256u

/* One that is shared. */
struct shared_config {
    struct bucket_config config; /* what its users see */
    struct arena *arena;         /* its own and its texts' */
    int64_t bucket_id;
    int64_t changed_seq;
    size_t bytes;                        /* used of its arena, which may take twice that */
    unsigned users;                      /* being kept is a use */
    struct shared_config *next;          /* in its chain */
    struct shared_config *newer, *older; /* by use */
};

/* A table with chains, and a list of all in it by their last use. */
struct bucket_configs {
    struct shared_config *heads[HEADS];
    struct shared_config *newest, *oldest;
    size_t bytes;
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

/* ---- what is kept -------------------------------------------------------------------------- */

/* The link that leads to the bucket's, or the one at the end of its chain. */
static struct shared_config **link_of(struct bucket_configs *configs, int64_t bucket_id)
{
    struct shared_config **link = &configs->heads[(uint64_t)bucket_id % HEADS];

    while (*link != NULL && (*link)->bucket_id != bucket_id)
        link = &(*link)->next;
    return link;
}

static void list_add(struct bucket_configs *configs, struct shared_config *shared)
{
    shared->newer = NULL;
    shared->older = configs->newest;
    *(configs->newest != NULL ? &configs->newest->newer : &configs->oldest) = shared;
    configs->newest = shared;
}

static void list_remove(struct bucket_configs *configs, struct shared_config *shared)
{
    *(shared->newer != NULL ? &shared->newer->older : &configs->newest) = shared->older;
    *(shared->older != NULL ? &shared->older->newer : &configs->oldest) = shared->newer;
}

static void forget(struct bucket_configs *configs, struct shared_config *shared)
{
    *link_of(configs, shared->bucket_id) = shared->next;
    list_remove(configs, shared);
    configs->bytes -= shared->bytes;
    drop(shared);
}

/* The bucket has none here. Those that were not used for longest give way. */
static void keep(struct bucket_configs *configs, struct shared_config *shared)
{
    struct shared_config **link;

    if (shared->bytes > BUCKET_CONFIGS_BYTES_MAX / 2)
        return;
    while (configs->bytes + shared->bytes > BUCKET_CONFIGS_BYTES_MAX)
        forget(configs, configs->oldest);
    link = link_of(configs, shared->bucket_id);
    shared->next = *link;
    *link = shared;
    list_add(configs, shared);
    configs->bytes += shared->bytes;
    shared->users++;
}

struct bucket_configs *bucket_configs_open(void)
{
    return mem_zalloc(sizeof(struct bucket_configs));
}

void bucket_configs_close(struct bucket_configs *configs)
{
    if (configs == NULL)
        return;
    while (configs->oldest != NULL)
        forget(configs, configs->oldest);
    mem_free(configs);
}

size_t bucket_configs_bytes(const struct bucket_configs *configs)
{
    return configs->bytes;
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
    return true;
}

static enum store_status fill(struct shared_config *shared, struct reader *reader,
                              const struct bucket *bucket, struct fault *fault)
{
    struct reading reading = { .shared = shared };
    uint64_t lacked_before = mem_lacked();
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
    /* A document that could not be read for want of memory may have been taken for another one. */
    if (mem_lacked() != lacked_before)
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
    shared->bytes = ARENA_FIRST_BYTES + arena_used(arena);
    *ret_shared = shared;
    return STORE_OK;
}

enum store_status bucket_config_use(struct bucket_configs *configs, struct reader *reader,
                                    const struct bucket *bucket,
                                    const struct bucket_config **ret_config, struct fault *fault)
{
    struct shared_config *shared;
    enum store_status status;

    if (!bucket->has_documents) {
        *ret_config = &bucket_config_none;
        return STORE_OK;
    }
    shared = *link_of(configs, bucket->id);
    if (shared != NULL && shared->changed_seq == bucket->changed_seq) {
        list_remove(configs, shared);
        list_add(configs, shared);
        shared->users++;
        *ret_config = &shared->config;
        return STORE_OK;
    }
    if (shared != NULL)
        forget(configs, shared);

    status = make(reader, bucket, &shared, fault);
    if (status != STORE_OK)
        return status;
    assert(shared != NULL);
    keep(configs, shared);
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
