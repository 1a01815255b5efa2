/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who brings what where; see notifier.h.
 */
#include "server/notify/notifier.h"

#include <pthread.h>

#include "base/memory.h"
#include "server/notify/courier.h"

struct notifier {
    const struct notify_targets *targets;
    struct stores *stores;
    struct str region;
    pthread_mutex_t lock;      /* of what follows */
    struct courier **couriers; /* room for all targets of STORES_MAX stores */
    size_t count;
    size_t capacity;
};

struct notifier *notifier_open(const struct notify_targets *targets, struct stores *stores,
                               struct str region)
{
    struct notifier *notifier = mem_zalloc(sizeof(*notifier));

    if (notifier == NULL)
        return NULL;
    notifier->targets = targets;
    notifier->stores = stores;
    notifier->region = region;
    (void)pthread_mutex_init(&notifier->lock, NULL);
    return notifier;
}

void notifier_close(struct notifier *notifier)
{
    if (notifier == NULL)
        return;
    for (size_t i = 0; i < notifier->count; i++)
        courier_stop(notifier->couriers[i]);
    for (size_t i = 0; i < notifier->count; i++)
        courier_close(notifier->couriers[i]);
    (void)pthread_mutex_destroy(&notifier->lock);
    mem_free(notifier->couriers);
    mem_free(notifier);
}

const struct notify_targets *notifier_targets(const struct notifier *notifier)
{
    static const struct notify_targets none;

    return notifier != NULL ? notifier->targets : &none;
}

static bool has_courier(const struct notifier *notifier, const struct notify_target *target,
                        const struct store *store)
{
    for (size_t i = 0; i < notifier->count; i++)
        if (courier_is_of(notifier->couriers[i], target, store))
            return true;
    return false;
}

static bool make_room(struct notifier *notifier)
{
    size_t capacity = notifier->capacity == 0 ? 8 : 2 * notifier->capacity;
    struct courier **couriers;

    if (notifier->count < notifier->capacity)
        return true;
    couriers = mem_resize(notifier->couriers, capacity * sizeof(struct courier *));
    if (couriers == NULL)
        return false;
    notifier->couriers = couriers;
    notifier->capacity = capacity;
    return true;
}

static bool send_out(struct notifier *notifier, const struct notify_target *target,
                     struct str store, struct fault *fault)
{
    struct open_store *held = make_room(notifier) ? stores_take(notifier->stores, store) : NULL;
    struct courier *courier;

    if (held == NULL)
        return fault_false(fault, "there is no memory, or no store");
    courier = courier_open(target, notify_bus_of(notifier->targets) == target, held,
                           notifier->region, fault);
    if (courier == NULL)
        return false;
    notifier->couriers[notifier->count++] = courier;
    return true;
}

/* Under the lock. */
static bool look(struct notifier *notifier, struct open_store *held, struct reader *reader,
                 struct fault *fault)
{
    bool good = true;

    for (size_t i = 0; i < notifier->targets->count; i++) {
        const struct notify_target *target = &notifier->targets->items[i];
        char name[NOTIFY_SUBSCRIBER_LEN];
        enum store_status status;
        int64_t done;

        notify_subscriber(target->arn, name);
        if (has_courier(notifier, target, held->store))
            continue;
        status = subscriber_done(reader, str_make(name, sizeof(name)), &done, fault);
        if (status == STORE_OK)
            good = send_out(notifier, target, held->name, fault) && good;
        else if (status != STORE_NO_SUBSCRIBER)
            good = false;
    }
    return good;
}

bool notifier_look(struct notifier *notifier, struct str store, struct fault *fault)
{
    struct open_store *held = notifier->targets->count > 0 ? stores_take(notifier->stores, store)
                                                           : NULL;
    struct reader *reader = NULL;
    bool good;

    if (held == NULL)
        return true;
    (void)pthread_mutex_lock(&notifier->lock);
    good = reader_open(held->store, &reader, fault) == STORE_OK &&
           look(notifier, held, reader, fault);
    (void)pthread_mutex_unlock(&notifier->lock);
    if (reader != NULL)
        reader_close(reader);
    stores_give_back(held);
    return good;
}
