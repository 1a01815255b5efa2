/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intents in and out: which queue takes one, and how its owner gets it back.
 */
#include "storage/internal.h"

void intent_finish(struct store *store, struct intent *intent, enum store_status status)
{
    const struct copy_source *source = intent_source(intent);

    intent->status = status;
    atomic_fetch_add_explicit(&store->intent_count, 1, memory_order_relaxed);

    /* The body of a rewrite is the store's own. */
    if (source != NULL && source->work == COPY_REWRITE) {
        body_writer_close(intent_body(intent));
        intent_bytes(intent)->body = NULL;
    }
    intent->done(intent); /* may free it */
}

static struct intent_queue *queue_for(struct store *store, const struct intent *intent)
{
    const struct copy_source *source = intent_source(intent);
    const struct body_writer *body = intent_body(intent);

    if (source != NULL && source->work != COPY_REFER)
        return &store->copying;
    if (body != NULL && body_writer_is_file(body))
        return &store->staging;
    if (body != NULL && body_writer_is_packed(body))
        return &store->packed;
    return &store->commits;
}

static void submit(struct store *store, struct intent *intent, enum queue_tell when)
{
    struct intent_queue *queue = queue_for(store, intent);

    /* Workers take one each: there is nothing to gather. */
    if (queue == &store->staging || queue == &store->copying)
        when = QUEUE_TELL_NOW;
    if (atomic_load(&store->closing) || !queue_push(queue, intent, when))
        intent_finish(store, intent, STORE_STOPPED);
}

void store_submit(struct store *store, struct intent *intent)
{
    submit(store, intent, QUEUE_TELL_NOW);
}

void store_submit_later(struct store *store, struct intent *intent)
{
    submit(store, intent, QUEUE_TELL_LATER);
}

void store_submit_flush(struct store *store)
{
    queue_tell(&store->commits);
    queue_tell(&store->packed);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    bool done;
};

static void wake_waiter(struct intent *intent)
{
    struct waiter *waiter = intent->owner;

    (void)pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    (void)pthread_cond_signal(&waiter->ready);
    (void)pthread_mutex_unlock(&waiter->lock);
}

enum store_status store_submit_wait(struct store *store, struct intent *intent)
{
    struct waiter waiter = { .lock = PTHREAD_MUTEX_INITIALIZER, .ready = PTHREAD_COND_INITIALIZER };

    intent->done = wake_waiter;
    intent->owner = &waiter;
    store_submit(store, intent);

    (void)pthread_mutex_lock(&waiter.lock);
    while (!waiter.done)
        (void)pthread_cond_wait(&waiter.ready, &waiter.lock);
    (void)pthread_mutex_unlock(&waiter.lock);
    return intent->status;
}
