/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges that waited or yielded, on their way back to their loop.
 *
 * Others reach the loop through `resumed` and `wake_fd` alone.
 */
#include <unistd.h>

#include "server/http/internal.h"

_Thread_local struct http_loop *http_loop_current;

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
