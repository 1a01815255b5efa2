/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores of a process; rules in stores.h.
 *
 *   (nothing) --open--> opening --> open --close--> closing --the last gave it back--> (nothing)
 *                          \--failed--> (nothing)
 */
#include "storage/stores.h"

#include <assert.h>

#include "storage/internal.h"

enum state { OPENING, OPEN, CLOSING };

struct entry {
    struct open_store open; /* what holders see */
    struct stores *stores;
    struct entry *next;
    _Atomic(enum state) state; /* changes under the lock */
    size_t holders;            /* under the lock */
    char name[STORE_NAME_BYTES_MAX];
};

struct stores {
    struct hot_share hot;
    pthread_mutex_t lock;
    pthread_cond_t given_back;
    struct entry *first;
    size_t count;
    stores_wake *wake;
    void *wake_context;
};

struct stores *stores_new(uint64_t hot_bytes)
{
    struct stores *stores = mem_zalloc(sizeof(*stores));

    if (stores == NULL)
        return NULL;

    stores->hot.bytes = hot_bytes != 0 ? hot_bytes : STORE_HOT_BYTES_DEFAULT;
    (void)pthread_mutex_init(&stores->lock, NULL);
    (void)pthread_cond_init(&stores->given_back, NULL);
    return stores;
}

void stores_free(struct stores *stores)
{
    if (stores == NULL)
        return;

    while (stores->first != NULL) {
        struct entry *entry = stores->first;

        assert(entry->holders == 0);
        stores->first = entry->next;
        store_close(entry->open.store);
        mem_free(entry);
    }
    (void)pthread_cond_destroy(&stores->given_back);
    (void)pthread_mutex_destroy(&stores->lock);
    mem_free(stores);
}

bool stores_name_good(struct str name)
{
    if (name.len > STORE_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool at_end = i == 0 || i + 1 == name.len;

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && !at_end)))
            return false;
    }
    return true;
}

/* Caller holds the lock. */
static struct entry *find(const struct stores *stores, struct str name)
{
    struct entry *entry = stores->first;

    while (entry != NULL && !str_eq(entry->open.name, name))
        entry = entry->next;
    return entry;
}

/* ---- opening ----------------------------------------------------------------------------- */

/* Takes the name. */
static enum store_status enter(struct stores *stores, struct entry *entry, struct fault *fault)
{
    enum store_status status = STORE_OK;

    (void)pthread_mutex_lock(&stores->lock);
    if (stores->count == STORES_MAX) {
        status = STORE_NO_MEMORY;
    } else if (find(stores, entry->open.name) != NULL) {
        status = STORE_LOCKED;
    } else {
        entry->next = stores->first;
        stores->first = entry;
        stores->count++;
    }
    (void)pthread_mutex_unlock(&stores->lock);

    if (status == STORE_NO_MEMORY)
        return store_fault(fault, status, "%d stores are open: no more", STORES_MAX);
    if (status != STORE_OK)
        return store_fault(fault, status, "there is a store '%.*s'", STR_ARG(entry->open.name));
    return STORE_OK;
}

/* Gives the name back. */
static void leave(struct stores *stores, struct entry *entry)
{
    struct entry **link = &stores->first;

    (void)pthread_mutex_lock(&stores->lock);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    stores->count--;
    (void)pthread_mutex_unlock(&stores->lock);
    mem_free(entry);
}

enum store_status stores_open(struct stores *stores, struct str name, const char *dir,
                              const struct store_options *options, struct fault *fault)
{
    struct store_options shared = options != NULL ? *options : (struct store_options){ 0 };
    struct entry *entry;
    enum store_status status;

    assert(stores_name_good(name));
    entry = mem_zalloc(sizeof(*entry));
    if (entry == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "store");
    if (name.len > 0)
        memcpy(entry->name, name.p, name.len);
    entry->open.name = str_make(entry->name, name.len);
    entry->stores = stores;
    shared.hot_share = &stores->hot;

    status = enter(stores, entry, fault);
    if (status != STORE_OK) {
        mem_free(entry);
        return status;
    }
    status = store_open(dir, &shared, &entry->open.store, fault);
    if (status != STORE_OK) {
        leave(stores, entry);
        return status;
    }
    (void)pthread_mutex_lock(&stores->lock);
    atomic_store(&entry->state, OPEN);
    (void)pthread_mutex_unlock(&stores->lock);
    return STORE_OK;
}

/* ---- closing ----------------------------------------------------------------------------- */

void stores_tell(struct stores *stores, stores_wake *wake, void *context)
{
    (void)pthread_mutex_lock(&stores->lock);
    stores->wake = wake;
    stores->wake_context = context;
    (void)pthread_mutex_unlock(&stores->lock);
}

bool stores_close(struct stores *stores, struct str name)
{
    struct entry *entry;
    stores_wake *wake;
    void *context;

    (void)pthread_mutex_lock(&stores->lock);
    entry = find(stores, name);
    if (entry == NULL || atomic_load(&entry->state) != OPEN) {
        (void)pthread_mutex_unlock(&stores->lock);
        return false;
    }
    atomic_store(&entry->state, CLOSING);
    wake = stores->wake;
    context = stores->wake_context;
    (void)pthread_mutex_unlock(&stores->lock);

    if (wake != NULL)
        wake(context);
    (void)pthread_mutex_lock(&stores->lock);
    while (entry->holders > 0)
        (void)pthread_cond_wait(&stores->given_back, &stores->lock);
    (void)pthread_mutex_unlock(&stores->lock);

    store_close(entry->open.store);
    leave(stores, entry);
    return true;
}

/* ---- holding ----------------------------------------------------------------------------- */

struct open_store *stores_take(struct stores *stores, struct str name)
{
    struct entry *entry;

    (void)pthread_mutex_lock(&stores->lock);
    entry = find(stores, name);
    if (entry != NULL && atomic_load(&entry->state) == OPEN)
        entry->holders++;
    else
        entry = NULL;
    (void)pthread_mutex_unlock(&stores->lock);
    return entry != NULL ? &entry->open : NULL;
}

struct open_store *stores_take_next(struct stores *stores, struct str after)
{
    struct entry *next = NULL;

    (void)pthread_mutex_lock(&stores->lock);
    for (struct entry *at = stores->first; at != NULL; at = at->next) {
        bool follows = !str_present(after) || str_compare(at->open.name, after) > 0;

        if (follows && atomic_load(&at->state) == OPEN &&
            (next == NULL || str_compare(at->open.name, next->open.name) < 0))
            next = at;
    }
    if (next != NULL)
        next->holders++;
    (void)pthread_mutex_unlock(&stores->lock);
    return next != NULL ? &next->open : NULL;
}

void stores_give_back(struct open_store *held)
{
    struct entry *entry = CONTAINER_OF(held, struct entry, open);
    struct stores *stores = entry->stores;

    (void)pthread_mutex_lock(&stores->lock);
    assert(entry->holders > 0);
    if (--entry->holders == 0)
        (void)pthread_cond_broadcast(&stores->given_back);
    (void)pthread_mutex_unlock(&stores->lock);
}

bool stores_closing(const struct open_store *held)
{
    const struct entry *entry = (const struct entry *)held; /* it is the first in it */

    return atomic_load_explicit(&entry->state, memory_order_relaxed) == CLOSING;
}

size_t stores_count(struct stores *stores)
{
    size_t count;

    (void)pthread_mutex_lock(&stores->lock);
    count = stores->count;
    (void)pthread_mutex_unlock(&stores->lock);
    return count;
}

void stores_clock_move(struct stores *stores, enum clock_move move, int64_t us)
{
    (void)pthread_mutex_lock(&stores->lock);
    for (struct entry *entry = stores->first; entry != NULL; entry = entry->next) {
        if (entry->state == OPEN)
            clock_move(store_clock(entry->open.store), move, us);
    }
    (void)pthread_mutex_unlock(&stores->lock);
}
