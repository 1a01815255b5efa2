/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges that waited or yielded, on their way back to their loop.
 *
 * Others reach the loop through `resumed` and `wake_fd` alone.
 */
#include <unistd.h>

#include "server/http/internal.h"

_Thread_local struct http_loop *http_loop_current;

struct http_loop *http_this_loop(void)
{
    return http_loop_current;
}

void http_loop_wake(struct http_loop *loop)
{
    uint64_t one = 1;
    ssize_t written = write(loop->wake_fd, &one, sizeof(one));

    (void)written; /* full means a wake-up is pending anyway */
}

void http_loop_push_resumed(struct http_loop *loop, struct http_exchange *x)
{
    struct http_exchange *head = atomic_load_explicit(&loop->resumed, memory_order_relaxed);

    do {
        x->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&loop->resumed, &head, x, memory_order_release,
                                                    memory_order_relaxed));
    /* Whoever filled the empty list wakes the loop; it looks at the list before it sleeps. */
    if (head == NULL && http_loop_current != loop)
        http_loop_wake(loop);
}

void http_loop_push_yielded(struct http_loop *loop, struct http_exchange *x)
{
    loop->waiting++;
    x->next = NULL;
    if (loop->yielded == NULL)
        loop->yielded = x;
    else
        loop->yielded_last->next = x;
    loop->yielded_last = x;
}

/* ---- exchanges that wait ------------------------------------------------------------------- */

bool exchange_suspend(struct http_exchange *x)
{
    int expected = WAIT_NOT_YET;

    x->loop->waiting++;
    if (atomic_compare_exchange_strong_explicit(&x->wait, &expected, WAIT_SUSPENDED,
                                                memory_order_acq_rel, memory_order_acquire)) {
        MHD_suspend_connection(x->connection);
        return true;
    }
    x->loop->waiting--; /* http_resume came first */
    return false;
}

static void resume_when_due(void *context)
{
    struct http_exchange *x = context;

    http_resume(&x->view);
}

void http_resume_after(struct http_exchange_view *view, uint64_t ms)
{
    struct http_exchange *x = CONTAINER_OF(view, struct http_exchange, view);

    http_after(x->loop, &x->timer, x->loop->grace_over ? 0 : ms, resume_when_due, x);
}

void http_resume(struct http_exchange_view *view)
{
    struct http_exchange *x = CONTAINER_OF(view, struct http_exchange, view);

    if (atomic_exchange_explicit(&x->wait, WAIT_RESUMED, memory_order_acq_rel) == WAIT_SUSPENDED)
        http_loop_push_resumed(x->loop, x);
}
