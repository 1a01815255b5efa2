/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop's stores; rules in loop_stores.h.
 */
#include "server/s3/loop_stores.h"

#include <assert.h>
#include <stdio.h>

#include "server/s3/names.h"
#include "server/s3/refuse.h"
#include "server/s3/store_map.h"

#define ARN_BYTES_MAX 160

struct seat {
    struct loop_store open; /* what its users see */
    struct seat *next;
    size_t users;
    char arn[ARN_BYTES_MAX];
};

struct loop_stores {
    struct stores *stores;
    struct str region;
    struct str account_id;
    struct seat *unnamed; /* of "" */
    struct seat *first;   /* the others, used last first */
};

/* ---- seats --------------------------------------------------------------------------------- */

static void seat_close(struct seat *seat)
{
    bucket_configs_close(seat->open.configs);
    reader_close(seat->open.reader);
    stores_give_back(seat->open.held);
    mem_free(seat);
}

/* The key in the words of a service of keys. */
static void name_key(struct seat *seat, const struct loop_stores *stores)
{
    char uuid[STORE_KEY_UUID_LEN + 1];

    store_key_uuid(seat->open.held->store, uuid);
    (void)snprintf(seat->arn, sizeof(seat->arn), "arn:aws:kms:%.*s:%.*s:key/%s",
                   STR_ARG(stores->region), STR_ARG(stores->account_id), uuid);
    seat->open.kms_key_arn = str_from_cstr(seat->arn);
}

static enum store_status seat_open(struct loop_stores *stores, struct str name,
                                   struct seat **ret_seat, struct fault *fault)
{
    struct open_store *held = stores_take(stores->stores, name);
    struct seat *seat;
    enum store_status status;

    if (held == NULL)
        return store_fault(fault, STORE_STOPPED, "no such store is open");
    seat = mem_zalloc(sizeof(*seat));
    if (seat == NULL) {
        stores_give_back(held);
        return store_fault(fault, STORE_NO_MEMORY, "store");
    }

    seat->open.held = held;
    seat->open.configs = bucket_configs_open();
    if (seat->open.configs == NULL) {
        seat_close(seat);
        return store_fault(fault, STORE_NO_MEMORY, "store");
    }
    status = reader_open(held->store, &seat->open.reader, fault);
    if (status == STORE_OK)
        status = reader_warm(seat->open.reader, fault);
    if (status != STORE_OK) {
        seat_close(seat);
        return status;
    }
    name_key(seat, stores);
    *ret_seat = seat;
    return STORE_OK;
}

/* Taken out of the list; NULL: it is not there. */
static struct seat *take_out(struct loop_stores *stores, struct str name)
{
    struct seat **link = &stores->first;
    struct seat *seat;

    while (*link != NULL && !str_eq((*link)->open.held->name, name))
        link = &(*link)->next;
    seat = *link;
    if (seat != NULL)
        *link = seat->next;
    return seat;
}

/* ---- of a loop ----------------------------------------------------------------------------- */

struct loop_stores *loop_stores_open(struct stores *stores, struct str region,
                                     struct str account_id, struct fault *fault)
{
    struct loop_stores *self = mem_zalloc(sizeof(*self));

    if (self == NULL)
        return NULL;
    self->stores = stores;
    self->region = region;
    self->account_id = account_id;
    if (seat_open(self, STR(""), &self->unnamed, fault) != STORE_OK) {
        mem_free(self);
        return NULL;
    }
    return self;
}

void loop_stores_close(struct loop_stores *stores)
{
    if (stores == NULL)
        return;

    while (stores->first != NULL) {
        struct seat *seat = stores->first;

        stores->first = seat->next;
        seat_close(seat);
    }
    seat_close(stores->unnamed);
    mem_free(stores);
}

enum store_status loop_stores_use(struct loop_stores *stores, struct str name,
                                  struct loop_store **ret_store, struct fault *fault)
{
    struct seat *seat = stores->unnamed;
    enum store_status status = STORE_OK;

    if (name.len > 0) {
        seat = take_out(stores, name);
        if (seat == NULL)
            status = seat_open(stores, name, &seat, fault);
        if (status != STORE_OK)
            return status;
        assert(seat != NULL);
        seat->next = stores->first;
        stores->first = seat;
        if (stores_closing(seat->open.held))
            return store_fault(fault, STORE_STOPPED, "the store is being closed");
    }
    seat->users++;
    *ret_store = &seat->open;
    return STORE_OK;
}

void loop_stores_leave(struct loop_store *store)
{
    CONTAINER_OF(store, struct seat, open)->users--;
}

static void seat_end_round(struct seat *seat)
{
    store_submit_flush(seat->open.held->store);
    reader_let_go(seat->open.reader);
}

void loop_stores_end_round(struct loop_stores *stores)
{
    struct seat **link = &stores->first;
    size_t idle = 0;

    seat_end_round(stores->unnamed);
    while (*link != NULL) {
        struct seat *seat = *link;

        seat_end_round(seat);
        if (seat->users == 0 &&
            (stores_closing(seat->open.held) || ++idle > LOOP_STORES_IDLE_MAX)) {
            *link = seat->next;
            seat_close(seat);
        } else {
            link = &seat->next;
        }
    }
}

/* ---- of a request -------------------------------------------------------------------------- */

enum s3_error op_choose_store(struct op *op, struct loop_stores *stores)
{
    const struct s3_options *options = op->options;
    struct str name = STR("");
    enum store_status status;

    op->host = op->request->host;
    if (options->stores_by_host && !name_store(op->request->host, options->domains,
                                               options->domain_count, op->arena, &name, &op->host))
        return S3_SlowDown;
    status = loop_stores_use(stores, name, &op->at, &op->fault);
    if (status == STORE_STOPPED)
        return op_fail(op, S3_NoSuchStore, name);
    if (status != STORE_OK)
        return s3_from_store(op, status);

    op->store = op->at->held->store;
    op->reader = op->at->reader;
    op->record.store = op->at->held->name;
    return S3_OK;
}

void op_leave_store(struct op *op)
{
    if (op->at != NULL)
        loop_stores_leave(op->at);
    op->at = NULL;
    op->store = NULL;
    op->reader = NULL;
}
