/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections: our record beside MHD's, from accept to close.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "server/http/internal.h"

static void peer_describe(struct http_conn *conn, const struct sockaddr *address)
{
    char host[INET6_ADDRSTRLEN] = "";
    int len;

    if (address != NULL && address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;

        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        len = snprintf(conn->peer, sizeof(conn->peer), "%s:%u", host, ntohs(in->sin_port));
    } else if (address != NULL && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address;

        (void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        len = snprintf(conn->peer, sizeof(conn->peer), "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        len = snprintf(conn->peer, sizeof(conn->peer), "unix");
    }
    conn->peer_len = len > 0 ? (size_t)len : 0;
}

/*
 * MHD's edge-triggered reads can miss the end of a stream that comes together with its last bytes.
 * The loop is told by itself; see http_conns_check_leaving.
 */
static void conn_watch(struct http_conn *conn)
{
    struct epoll_event event = { .events = EPOLLRDHUP | EPOLLET, .data.ptr = conn };

    conn->watch = HTTP_WATCH_PEER;
    if (conn->fd >= 0)
        (void)epoll_ctl(conn->daemon->loop->epoll_fd, EPOLL_CTL_ADD, conn->fd, &event);
}

void http_conn_leaving(struct http_conn *conn)
{
    if (!conn->leaving)
        conn->daemon->loop->leaving++;
    conn->leaving = true;
}

/* A request that can not be completed any more: all that came was read and nothing will follow. */
static bool conn_is_stranded(const struct http_conn *conn)
{
    const struct http_exchange *x = conn->exchange;
    int unread = 0;

    if (conn->daemon->ready || (x != NULL && x->state >= EXCHANGE_WAITING))
        return false;
    return ioctl(conn->fd, FIONREAD, &unread) == 0 && unread == 0;
}

void http_conns_check_leaving(struct http_loop *loop)
{
    if (loop->leaving == 0)
        return;
    for (struct http_conn *conn = loop->conns; conn != NULL; conn = conn->next) {
        if (!conn->leaving || !conn_is_stranded(conn))
            continue;
        conn->leaving = false;
        loop->leaving--;
        (void)shutdown(conn->fd, SHUT_RDWR);
    }
}

static void conn_started(struct http_daemon *daemon, struct MHD_Connection *connection,
                         void **context)
{
    struct http_loop *loop = daemon->loop;
    struct http_conn *conn = mem_zalloc(sizeof(*conn));
    const union MHD_ConnectionInfo *info;

    *context = conn;
    if (conn == NULL) /* its requests are dropped: exchange_begin_target finds no connection */
        return;

    conn->daemon = daemon;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    conn->fd = info != NULL ? info->connect_fd : -1;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    peer_describe(conn, info != NULL ? info->client_addr : NULL);
    conn->peer_key = peer_key(loop->server, info != NULL ? info->client_addr : NULL);
    conn->idle_from_us = http_loop_now_us(loop);
    daemon->conn_count++;

    conn_watch(conn);
    conn->next = loop->conns;
    if (loop->conns != NULL)
        loop->conns->prev = conn;
    loop->conns = conn;
    deadline_set(conn, conn->idle_from_us + HTTP_HEADER_DEADLINE_S * US_PER_S);
}

static void conn_unlink(struct http_conn *conn)
{
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        conn->daemon->loop->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
}

static void conn_closed(struct http_conn *conn)
{
    struct http_loop *loop = conn->daemon->loop;
    int unread = 0;

    /* Before the descriptor is closed: a lingering copy would keep it in the set. */
    if (conn->fd >= 0)
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, conn->fd, NULL);
    if (conn->leaving)
        loop->leaving--;
    /* Closing a socket that holds unread bytes resets it: the peer may never see our answer. */
    if (conn->fd >= 0 && (conn->linger || (ioctl(conn->fd, FIONREAD, &unread) == 0 && unread > 0)))
        linger_adopt(loop, conn->fd);
    conn->daemon->freed = true;
    conn->daemon->conn_count--;
    conn_unlink(conn);
    mem_free(conn);
}

void http_conn_notify(void *daemon, struct MHD_Connection *connection, void **context,
                      enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        conn_started(daemon, connection, context);
    else if (*context != NULL)
        conn_closed(*context);
}
