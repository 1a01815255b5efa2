/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FIFO of intents, linked through intent->next. First come, first served: a stack would starve
 * the oldest for seconds under load.
 */
#include "storage/internal.h"

/* So many are worth to begin with, whatever else may come. */
#define UNTOLD_MAX 16

void queue_init(struct intent_queue *queue)
{
    *queue = (struct intent_queue){ .head = NULL };
    (void)pthread_mutex_init(&queue->lock, NULL);
    (void)pthread_cond_init(&queue->ready, NULL);
}

void queue_free(struct intent_queue *queue)
{
    (void)pthread_cond_destroy(&queue->ready);
    (void)pthread_mutex_destroy(&queue->lock);
}

bool queue_push(struct intent_queue *queue, struct intent *intent, enum queue_tell when)
{
    bool was_empty;
    unsigned untold;

    intent->next = NULL;
    (void)pthread_mutex_lock(&queue->lock);
    if (queue->closed) {
        (void)pthread_mutex_unlock(&queue->lock);
        return false;
    }
    was_empty = queue->head == NULL;
    if (was_empty)
        queue->head = intent;
    else
        queue->tail->next = intent;
    queue->tail = intent;
    untold = atomic_load_explicit(&queue->untold, memory_order_relaxed) + 1;
    if (when == QUEUE_TELL_NOW || untold >= UNTOLD_MAX) {
        untold = 0;
        (void)pthread_cond_signal(&queue->ready);
    }
    atomic_store_explicit(&queue->untold, untold, memory_order_relaxed);
    (void)pthread_mutex_unlock(&queue->lock);
    return true;
}

void queue_tell(struct intent_queue *queue)
{
    /* Whoever pushed them is who asks, so it sees its own count without the lock. */
    if (atomic_load_explicit(&queue->untold, memory_order_relaxed) == 0)
        return;
    (void)pthread_mutex_lock(&queue->lock);
    atomic_store_explicit(&queue->untold, 0, memory_order_relaxed);
    (void)pthread_cond_signal(&queue->ready);
    (void)pthread_mutex_unlock(&queue->lock);
}

size_t queue_take(struct intent_queue *queue, struct intent **out, size_t max,
                  bool (*enough)(void *context, const struct intent *next), void *context)
{
    size_t count = 0;

    (void)pthread_mutex_lock(&queue->lock);
    while (queue->head == NULL && !queue->closed)
        (void)pthread_cond_wait(&queue->ready, &queue->lock);

    while (queue->head != NULL && count < max) {
        struct intent *intent = queue->head;

        if (count > 0 && enough != NULL && enough(context, intent))
            break;
        queue->head = intent->next;
        intent->next = NULL;
        out[count++] = intent;
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return count;
}

void queue_close(struct intent_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    (void)pthread_cond_broadcast(&queue->ready);
    (void)pthread_mutex_unlock(&queue->lock);
}
