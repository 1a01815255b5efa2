/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers: make large bodies durable before their intent goes to the writer. Copiers: the same for
 * copies whose bytes have to be read first (copies.c), which may take long and so keep to
 * themselves. The packer: the same for bodies in packs.
 *
 * Many at once: a sync waits for the disk, and disks like to be asked for several.
 */
#include "storage/internal.h"

#define SYNC_INTENTS 256

/* Opened at the first need: an idle store has fewer connections. */
static enum store_status open_reader(struct store *store, struct reader **reader,
                                     struct fault *fault)
{
    return *reader != NULL ? STORE_OK : reader_open(store, reader, fault);
}

static enum store_status compare(struct store *store, struct reader **opened, struct intent *intent)
{
    enum store_status status = open_reader(store, opened, &intent->fault);

    if (status != STORE_OK)
        return status;
    /* One lookup needs no snapshot of the catalog, only that what it names is kept. */
    reader_begin(*opened);
    status =
        body_writer_compare(intent_body(intent), (*opened)->cat, &(*opened)->room, &intent->fault);
    reader_end(*opened);
    return status;
}

static enum store_status stage(struct store *store, struct reader **opened, struct intent *intent)
{
    enum store_status status = STORE_OK;

    if (health_poisoned(&store->health))
        return health_refuse(&intent->fault);
    if (intent_source(intent) != NULL) {
        status = open_reader(store, opened, &intent->fault);
        if (status == STORE_OK)
            status = copy_read(*opened, intent);
    }
    if (status != STORE_OK || intent_body(intent) == NULL)
        return status;
    status = body_writer_stage(intent_body(intent), &intent->fault);
    return status != STORE_OK ? status : compare(store, opened, intent);
}

static void pass_on(struct store *store, struct intent_queue *queue, struct intent *intent)
{
    if (!queue_push(queue, intent, QUEUE_TELL_NOW))
        intent_finish(store, intent, STORE_STOPPED);
}

/* One intent of a queue after the other, until it is closed. */
static void work(struct store *store, struct intent_queue *queue)
{
    struct reader *reader = NULL;
    struct intent *intent;

    while (queue_take(queue, &intent, 1, NULL, NULL) == 1) {
        enum store_status status = stage(store, &reader, intent);

        if (status != STORE_OK)
            intent_finish(store, intent, status);
        else if (intent_body(intent) != NULL && body_writer_is_packed(intent_body(intent)))
            pass_on(store, &store->packed, intent);
        else
            pass_on(store, &store->commits, intent);
    }
    reader_close(reader);
}

void *worker_run(void *argument)
{
    struct store *store = argument;

    work(store, &store->staging);
    return NULL;
}

void *copier_run(void *argument)
{
    struct store *store = argument;

    work(store, &store->copying);
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
