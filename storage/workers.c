/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers: make large bodies durable before their intent goes to the writer, and write bytes anew
 * for copies that need it. The packer: the same for bodies in packs.
 *
 * Many at once: a sync waits for the disk, and disks like to be asked for several.
 */
#include <assert.h>

#include "storage/internal.h"

#define SYNC_INTENTS 256
#define REWRITE_BYTES (128u * 1024u)

struct worker {
    struct store *store;
    struct reader *reader; /* opened at the first copy */
};

/* Opened at the first need: an idle store has fewer connections. */
static enum store_status open_reader(struct store *store, struct reader **reader,
                                     struct fault *fault)
{
    return *reader != NULL ? STORE_OK : reader_open(store, reader, fault);
}

static enum store_status pump(struct body *body, struct body_writer *writer, uint64_t expected,
                              struct fault *fault)
{
    CLEANUP(buf_free) struct buf piece = BUF_WITH_MAX(REWRITE_BYTES);
    enum store_status status;
    uint64_t total = 0;

    if (!buf_reserve(&piece, REWRITE_BYTES))
        return fault_set(fault, STORE_NO_MEMORY, "copy");

    for (;;) {
        int64_t len = body_read(body, piece.p, REWRITE_BYTES, fault);

        if (len < 0)
            return (enum store_status) - len;
        if (len == 0)
            break;
        total += (uint64_t)len;
        status = body_writer_append(writer, piece.p, (size_t)len, fault);
        if (status != STORE_OK)
            return status;
    }
    return total == expected ? STORE_OK
                             : fault_set(fault, STORE_DAMAGED, "the source of a copy is too short");
}

static enum store_status open_source(struct worker *worker, struct intent *intent,
                                     struct body **ret_body, uint64_t *ret_len)
{
    const struct copy_source *source = intent->source;
    struct reader *reader = worker->reader;
    struct version version;
    struct catalog *cat;
    enum store_status status;

    reader_begin(reader);
    status = reader_catalog(reader, &cat, &intent->fault);
    if (status == STORE_OK)
        status = catalog_version_by_seq(cat, source->bucket_id, source->key, source->seq,
                                        intent->arena, &version, &intent->fault);
    if (status == STORE_NO_VERSION)
        status = STORE_RETRY;
    if (status == STORE_OK && version.delete_marker)
        status = STORE_DELETE_MARKER;
    if (status == STORE_OK && !version_is_as_judged(&version, source->judged))
        status = STORE_RETRY;
    if (status == STORE_OK && source->ranged &&
        (source->offset > version.size_bytes || source->len > version.size_bytes - source->offset))
        status = STORE_RETRY;
    if (status == STORE_OK) {
        *ret_len = source->ranged ? source->len : version.size_bytes;
        status = body_open(reader, &version, source->ranged ? source->offset : 0, *ret_len,
                           ret_body, &intent->fault);
    }
    reader_end(reader);
    return status;
}

/* Stream the source through a body writer of the store's own. */
static enum store_status rewrite(struct worker *worker, struct intent *intent)
{
    struct body_options options = intent->source->rewrite_options;
    struct body *body = NULL;
    enum store_status status = STORE_OK;
    uint64_t len;

    intent->rewrite_digests = ARENA_NEW(intent->arena, struct body_digests);
    if (intent->rewrite_digests == NULL)
        return fault_set(&intent->fault, STORE_NO_MEMORY, "copy");
    status = open_reader(worker->store, &worker->reader, &intent->fault);
    if (status == STORE_OK)
        status = open_source(worker, intent, &body, &len);
    if (status != STORE_OK)
        return status;

    options.expected_bytes = len;
    status = body_writer_open(worker->store, &options, &intent->body, &intent->fault);
    if (status == STORE_OK)
        status = pump(body, intent->body, len, &intent->fault);
    if (status == STORE_OK)
        status = body_writer_finish(intent->body, intent->rewrite_digests, &intent->fault);
    body_close(body);
    if (status == STORE_OK && intent->staged != NULL)
        intent->staged(intent);
    return status;
}

static enum store_status compare(struct store *store, struct reader **opened, struct intent *intent)
{
    enum store_status status = open_reader(store, opened, &intent->fault);

    if (status != STORE_OK)
        return status;
    /* One lookup needs no snapshot of the catalog, only that what it names is kept. */
    reader_begin(*opened);
    status = body_writer_compare(intent->body, (*opened)->cat, &(*opened)->room, &intent->fault);
    reader_end(*opened);
    return status;
}

static enum store_status stage(struct worker *worker, struct intent *intent)
{
    enum store_status status = STORE_OK;

    if (health_poisoned(&worker->store->health))
        return health_refuse(&intent->fault);
    if (intent->source != NULL && intent->source->rewrite) {
        assert(intent->body == NULL);
        status = rewrite(worker, intent);
    }
    if (status == STORE_OK)
        status = body_writer_stage(intent->body, &intent->fault);
    return status != STORE_OK ? status : compare(worker->store, &worker->reader, intent);
}

static void pass_on(struct store *store, struct intent_queue *queue, struct intent *intent)
{
    if (!queue_push(queue, intent, QUEUE_TELL_NOW))
        intent_finish(store, intent, STORE_STOPPED);
}

void *worker_run(void *store)
{
    struct worker worker = { .store = store };
    struct intent *intent;

    while (queue_take(&worker.store->staging, &intent, 1, NULL, NULL) == 1) {
        enum store_status status = stage(&worker, intent);

        if (status != STORE_OK)
            intent_finish(worker.store, intent, status);
        else if (body_writer_is_packed(intent->body))
            pass_on(worker.store, &worker.store->packed, intent);
        else
            pass_on(worker.store, &worker.store->commits, intent);
    }

    reader_close(worker.reader);
    return NULL;
}

/* Bodies in packs: what came while the last sync was under way shares the next one. */
void *packer_run(void *argument)
{
    struct store *store = argument;
    struct intent *intents[SYNC_INTENTS];
    struct reader *reader = NULL;
    size_t count;

    while ((count = queue_take(&store->packed, intents, SYNC_INTENTS, NULL, NULL)) > 0) {
        body_writers_sync(store, intents, count);
        for (size_t i = 0; i < count; i++) {
            if (intents[i]->status == STORE_OK)
                intents[i]->status = compare(store, &reader, intents[i]);
            if (intents[i]->status != STORE_OK)
                intent_finish(store, intents[i], intents[i]->status);
            else
                pass_on(store, &store->commits, intents[i]);
        }
    }

    reader_close(reader);
    return NULL;
}
