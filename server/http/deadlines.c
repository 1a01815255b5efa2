/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines that MHD's idle timeout does not give: headers that trickle, bodies that crawl.
 *
 * (1) A connection past its deadline is shut down; MHD then closes it as if the peer had left.
 * (2) All connections are looked at together, at most once per CHECK_EVERY_US and only when one
 *     may be late: an idle server does not wake up.
 */
#include <sys/socket.h>

#include "server/http/internal.h"

#define CHECK_EVERY_US (5 * US_PER_S)

void deadline_set(struct http_conn *conn, int64_t deadline_us)
{
    struct http_loop *loop = conn->daemon->loop;
    int64_t soonest_us = loop->checked_us + CHECK_EVERY_US;

    conn->deadline_us = deadline_us;
    if (deadline_us < soonest_us)
        deadline_us = soonest_us;
    if (deadline_us < loop->check_at_us)
        loop->check_at_us = deadline_us;
}

/* Until when a body that stops now is still fast enough. */
static int64_t body_deadline_us(const struct http_exchange *x)
{
    uint64_t paid_s = x->bytes_in / HTTP_BODY_RATE_MIN;

    if (paid_s < HTTP_BODY_GRACE_S)
        paid_s = HTTP_BODY_GRACE_S;
    if (paid_s > INT64_MAX / US_PER_S / 2)
        return HTTP_NEVER;
    return x->body_from_us + (int64_t)paid_s * US_PER_S;
}

static void conn_check(struct http_conn *conn, int64_t now_us)
{
    struct http_exchange *x = conn->exchange;

    if (conn->deadline_us > now_us)
        return;
    if (x != NULL && (x->state == EXCHANGE_BODY || x->state == EXCHANGE_DRAIN)) {
        conn->deadline_us = body_deadline_us(x);
        if (conn->deadline_us > now_us)
            return;
    }
    conn->deadline_us = HTTP_NEVER;
    conn->linger = false;
    if (conn->fd >= 0)
        (void)shutdown(conn->fd, SHUT_RDWR);
}

void deadlines_check(struct http_loop *loop, int64_t now_us)
{
    if (now_us < loop->check_at_us)
        return;

    loop->checked_us = now_us;
    loop->check_at_us = HTTP_NEVER;
    for (struct http_conn *conn = loop->conns; conn != NULL; conn = conn->next) {
        conn_check(conn, now_us);
        if (conn->deadline_us != HTTP_NEVER)
            deadline_set(conn, conn->deadline_us);
    }
}
