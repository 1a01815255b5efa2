/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges and their arenas, kept for reuse by their loop: a steady request allocates nothing.
 */
#include "server/http/internal.h"

static struct http_exchange *exchange_new(struct http_loop *loop)
{
    const struct http_options *options = &loop->server->options;
    struct http_exchange *x = mem_zalloc(sizeof(*x));

    if (x == NULL)
        return NULL;
    x->view.arena = arena_open(options->arena_first_bytes, options->arena_limit_bytes);
    if (x->view.arena == NULL) {
        mem_free(x);
        return NULL;
    }
    x->loop = loop;
    x->reply.fd = -1;
    return x;
}

struct http_exchange *exchange_take(struct http_loop *loop)
{
    struct http_exchange *x = loop->free_exchanges;

    if (x == NULL) {
        x = exchange_new(loop);
        if (x == NULL)
            return NULL;
    } else {
        loop->free_exchanges = x->next;
        loop->free_count--;
    }

    x->view.request = &x->request;
    x->view.reply = &x->reply;
    x->view.loop_context = loop->context;
    x->view.user = NULL;
    memset(&x->request, 0, sizeof(x->request));
    x->conn = NULL;
    x->connection = NULL;
    x->next = NULL;
    atomic_store_explicit(&x->wait, WAIT_NOT_YET, memory_order_relaxed);
    x->state = EXCHANGE_HEAD;
    x->begun = false;
    x->at_head = false;
    x->bytes_in = 0;
    x->bytes_out = 0;
    x->drained = 0;
    x->body_from_us = 0;
    return x;
}

static void exchange_free(struct http_exchange *x)
{
    arena_close(x->view.arena);
    mem_free(x);
}

void exchange_give_back(struct http_exchange *x)
{
    struct http_loop *loop = x->loop;

    http_reply_reset(&x->reply);
    if (loop->free_count >= HTTP_EXCHANGES_KEPT_MAX) {
        exchange_free(x);
        return;
    }
    arena_reset(x->view.arena);
    x->next = loop->free_exchanges;
    loop->free_exchanges = x;
    loop->free_count++;
}

void exchange_pool_free(struct http_loop *loop)
{
    while (loop->free_exchanges != NULL) {
        struct http_exchange *x = loop->free_exchanges;

        loop->free_exchanges = x->next;
        exchange_free(x);
    }
    loop->free_count = 0;
}
