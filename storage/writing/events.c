/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscribers' verbs, and who is woken by new events. See storage/event.h.
 */
#include "storage/internal.h"

static enum store_status submit_of(struct store *store, enum intent_kind kind, struct str name,
                                   int64_t id, struct fault *fault)
{
    struct intent intent = { .kind = kind, .subscription = { .name = name, .done_event = id } };
    enum store_status status = store_submit_wait(store, &intent);

    if (status != STORE_OK && fault != NULL)
        *fault = intent.fault;
    return status;
}

enum store_status store_subscribe(struct store *store, struct str name, struct fault *fault)
{
    return submit_of(store, INTENT_SUBSCRIBE, name, 0, fault);
}

enum store_status store_unsubscribe(struct store *store, struct str name, struct fault *fault)
{
    return submit_of(store, INTENT_UNSUBSCRIBE, name, 0, fault);
}

enum store_status store_events_forget(struct store *store, struct str name, int64_t id,
                                      struct fault *fault)
{
    return submit_of(store, INTENT_EVENTS_FORGET, name, id, fault);
}

/* ---- listeners --------------------------------------------------------------------------- */

void listeners_init(struct event_listeners *listeners)
{
    *listeners = (struct event_listeners){ .first = NULL };
    (void)pthread_mutex_init(&listeners->lock, NULL);
}

void listeners_free(struct event_listeners *listeners)
{
    (void)pthread_mutex_destroy(&listeners->lock);
}

void store_listen(struct store *store, struct event_listener *listener)
{
    struct event_listeners *listeners = &store->listeners;

    (void)pthread_mutex_lock(&listeners->lock);
    listener->next = listeners->first;
    listeners->first = listener;
    (void)pthread_mutex_unlock(&listeners->lock);
}

void store_unlisten(struct store *store, struct event_listener *listener)
{
    struct event_listeners *listeners = &store->listeners;
    struct event_listener **link = &listeners->first;

    (void)pthread_mutex_lock(&listeners->lock);
    while (*link != listener)
        link = &(*link)->next;
    *link = listener->next;
    (void)pthread_mutex_unlock(&listeners->lock);
}

void listeners_wake(struct event_listeners *listeners, bool events, bool backlog)
{
    (void)pthread_mutex_lock(&listeners->lock);
    for (struct event_listener *listener = listeners->first; listener != NULL;
         listener = listener->next)
        if (listener->hears == HEARS_BACKLOG ? backlog : events)
            listener->wake(listener);
    (void)pthread_mutex_unlock(&listeners->lock);
}
