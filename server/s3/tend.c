/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server does by itself for stores; see tend.h.
 */
#include "server/s3/tend.h"

#include "base/memory.h"
#include "server/s3/lifecycle/run.h"
#include "server/s3/replication/run.h"

struct tended {
    struct open_store *held;
    struct lifecycle_run *lifecycle;
    struct replicator *replicator;
    struct tended *next;
};

static void stop_one(struct tended *tended)
{
    replication_stop(tended->replicator);
    lifecycle_stop(tended->lifecycle);
    if (tended->held != NULL)
        stores_give_back(tended->held);
    mem_free(tended);
}

bool tend_start(struct tended **list, const struct s3_options *options, struct str store)
{
    struct tended *tended = mem_zalloc(sizeof(*tended));

    if (tended == NULL)
        return false;
    tended->held = stores_take(options->stores, store);
    if (tended->held != NULL)
        tended->lifecycle = lifecycle_start(options, tended->held);
    if (tended->lifecycle != NULL)
        tended->replicator = replication_start(options, tended->held);
    if (tended->replicator == NULL) {
        stop_one(tended);
        return false;
    }
    tended->next = *list;
    *list = tended;
    return true;
}

void tend_document(const struct tended *list, const struct open_store *held, struct str kind)
{
    for (; list != NULL; list = list->next)
        if (list->held->store == held->store && str_eq(kind, STR("lifecycle")))
            lifecycle_look(list->lifecycle);
}

void tend_stop(struct tended *list)
{
    while (list != NULL) {
        struct tended *next = list->next;

        stop_one(list);
        list = next;
    }
}
