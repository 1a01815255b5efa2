/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines that MHD's idle timeout does not give: headers that trickle, bodies that crawl, replies
 * that nobody takes.
 *
 * (1) A connection past its deadline is shut down; MHD then closes it as if the peer had left.
 * (2) All connections are looked at together, at most once per CHECK_EVERY_US and only when one
 *     may be late: an idle server does not wake up.
 * (3) A reply earns no credit: a peer that took much at first must go on taking. What the kernel
 *     counts is asked only when a window ends, so a usual reply costs nothing here.
 */
#include <linux/tcp.h>
#include <netinet/in.h>
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

/*
 * Bytes that the peer has confirmed since it connected. False where the kernel does not say, which
 * is on unix sockets; MHD's idle timeout holds there too.
 */
static bool bytes_taken(int fd, uint64_t *ret_bytes)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        len < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked))
        return false;
    *ret_bytes = info.tcpi_bytes_acked;
    return true;
}

/*
 * The window that ends now; another one begins.
 *
 * MHD would end a connection when 60 s long the kernel took nothing from it. The kernel of a machine
 * keeps megabytes, so to MHD a peer that takes ten KiB a second stands still.
 */
static bool reply_keeps_up(struct http_conn *conn)
{
    uint64_t taken = 0;
    bool keeps_up = true;

    if (conn->fd < 0 || !bytes_taken(conn->fd, &taken))
        return true;
    if (!conn->patient)
        (void)MHD_set_connection_option(conn->exchange->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                        0);
    conn->patient = true;
    /* A reply that waits for itself says nothing of its reader. */
    if (conn->taken_known && !conn->held)
        keeps_up = taken - conn->taken >= HTTP_REPLY_WINDOW_S * HTTP_REPLY_RATE_MIN;
    conn->taken = taken;
    conn->taken_known = true;
    conn->held = false;
    return keeps_up;
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
    if (x != NULL && x->state == EXCHANGE_REPLIED && reply_keeps_up(conn)) {
        conn->deadline_us = now_us + HTTP_REPLY_WINDOW_S * US_PER_S;
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
