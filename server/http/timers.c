/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers of a loop: a pairing heap of what others own.
 *
 * (1) A timer lies in its owner (an exchange, whatever an application keeps): waiting takes no
 *     memory and can not fail, and there are never more of them than of those owners.
 * (2) They are called in the order in which they become due; of one moment, in the order in which
 *     they were set.
 * (3) What a call sets anew is not called in the same round, however soon it is due.
 *
 * The heap: a timer's children lie in a list by `next`; `back` is the one before in that list, of the
 * first the parent.
 */
#include <assert.h>

#include "server/http/internal.h"

static bool is_before(const struct http_timer *a, const struct http_timer *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->turn < b->turn;
}

/* Two heaps, NULL or without siblings, become one. */
static struct http_timer *meld(struct http_timer *a, struct http_timer *b)
{
    struct http_timer *root = a;
    struct http_timer *under = b;

    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    if (is_before(b, a)) {
        root = b;
        under = a;
    }
    under->next = root->child;
    under->back = root;
    if (root->child != NULL)
        root->child->back = under;
    root->child = under;
    return root;
}

/* Off the front of a list of siblings. */
static struct http_timer *take_first(struct http_timer **list)
{
    struct http_timer *first = *list;

    if (first == NULL)
        return NULL;
    *list = first->next;
    first->next = first->back = NULL;
    return first;
}

/* The children of one that leaves become one heap: by pairs, then the pairs from the last. */
static struct http_timer *meld_all(struct http_timer *list)
{
    struct http_timer *pairs = NULL;
    struct http_timer *root = NULL;

    while (list != NULL) {
        struct http_timer *first = take_first(&list);
        struct http_timer *pair = meld(first, take_first(&list));

        pair->next = pairs;
        pairs = pair;
    }
    while (pairs != NULL)
        root = meld(root, take_first(&pairs));
    return root;
}

static void leave_siblings(struct http_timer *timer)
{
    if (timer->back->child == timer)
        timer->back->child = timer->next;
    else
        timer->back->next = timer->next;
    if (timer->next != NULL)
        timer->next->back = timer->back;
    timer->next = timer->back = NULL;
}

void http_timer_cancel(struct http_timer *timer)
{
    struct http_loop *loop = timer->loop;
    struct http_timer *children;

    if (loop == NULL)
        return;
    children = meld_all(timer->child);
    timer->child = NULL;
    timer->loop = NULL;
    if (loop->timers == timer) {
        loop->timers = children;
        return;
    }
    leave_siblings(timer);
    loop->timers = meld(loop->timers, children);
}

void http_after(struct http_loop *loop, struct http_timer *timer, uint64_t ms,
                http_timer_function *function, void *context)
{
    http_timer_cancel(timer);
    *timer = (struct http_timer){ .loop = loop,
                                  .due_us = http_loop_now_us(loop) +
                                            (int64_t)u64_min(ms, HTTP_TIMER_MS_MAX) * 1000,
                                  .turn = loop->timer_turns++,
                                  .function = function,
                                  .context = context };
    loop->timers = meld(loop->timers, timer);
}

int64_t timers_next_us(const struct http_loop *loop)
{
    return loop->timers != NULL ? loop->timers->due_us : HTTP_NEVER;
}

void timers_run(struct http_loop *loop, int64_t now_us)
{
    uint64_t turns = loop->timer_turns;

    while (loop->timers != NULL && loop->timers->due_us <= now_us && loop->timers->turn < turns) {
        struct http_timer *timer = loop->timers;

        http_timer_cancel(timer);
        timer->function(timer->context);
    }
}
