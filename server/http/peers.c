/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for the next connection: when a daemon's table is nearly full, idle ones make way.
 *
 * (1) Who has the most idle connections gives first, and its oldest goes. So a peer that opens
 *     thousands pays with its own, and nobody else's are touched before they are as many.
 * (2) Only a connection without a complete header goes, and only when nothing has come on it for a
 *     while: a request may be on its way.
 * (3) Below the margin nothing happens here: one client with a thousand connections is served.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/digest/hash.h"
#include "server/http/internal.h"

#define IDLE_MIN_US US_PER_S
#define LOOK_EVERY_US (US_PER_S / 10)
#define MARGIN_PART 16 /* of the table */
#define MARGIN_MAX 64
#define STARVED_FREES 8 /* when it is descriptors that ran out */
#define PEER_SLOTS 1024 /* peers that share one count as one */

/* An IPv6 peer has a network of 64 bits to take addresses from. */
static struct str peer_bytes(const struct sockaddr *address)
{
    const struct sockaddr_in *in = (const void *)address;
    const struct sockaddr_in6 *in6 = (const void *)address;

    if (address != NULL && address->sa_family == AF_INET)
        return str_make(&in->sin_addr, sizeof(in->sin_addr));
    if (address == NULL || address->sa_family != AF_INET6)
        return STR("unix");
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        return str_make(in6->sin6_addr.s6_addr + 12, 4);
    return str_make(in6->sin6_addr.s6_addr, 8);
}

uint64_t peer_key(const struct http_server *server, const struct sockaddr *address)
{
    return hash_quick(peer_bytes(address), server->peer_seed);
}

static bool may_go(const struct http_daemon *daemon, const struct http_conn *conn, int64_t now_us)
{
    return conn->daemon == daemon && conn->fd >= 0 && !conn->made_way &&
           (conn->exchange == NULL || conn->exchange->state == EXCHANGE_HEAD) &&
           conn->idle_from_us + IDLE_MIN_US <= now_us;
}

static size_t slot_of(const struct http_conn *conn)
{
    return conn->peer_key % PEER_SLOTS;
}

static size_t fullest(const unsigned counts[PEER_SLOTS])
{
    size_t found = 0;

    for (size_t i = 1; i < PEER_SLOTS; i++)
        found = counts[i] > counts[found] ? i : found;
    return found;
}

static struct http_conn *oldest(const struct http_daemon *daemon, size_t slot, int64_t now_us)
{
    struct http_conn *found = NULL;

    for (struct http_conn *conn = daemon->loop->conns; conn != NULL; conn = conn->next) {
        if (slot_of(conn) == slot && may_go(daemon, conn, now_us) &&
            (found == NULL || conn->idle_from_us < found->idle_from_us))
            found = conn;
    }
    return found;
}

static void let_go(struct http_conn *conn)
{
    int unread = 0;

    conn->made_way = true;
    if (ioctl(conn->fd, FIONREAD, &unread) == 0 && unread > 0)
        return; /* it is not idle: the request is there */
    conn->linger = false;
    (void)shutdown(conn->fd, SHUT_RDWR);
}

static void make_way(const struct http_daemon *daemon, unsigned wanted, int64_t now_us)
{
    unsigned counts[PEER_SLOTS] = { 0 };

    for (struct http_conn *conn = daemon->loop->conns; conn != NULL; conn = conn->next)
        counts[slot_of(conn)] += may_go(daemon, conn, now_us);
    for (; wanted > 0; wanted--) {
        size_t slot = fullest(counts);

        if (counts[slot] == 0)
            return;
        counts[slot]--;
        let_go(oldest(daemon, slot, now_us));
    }
}

static unsigned margin_of(const struct http_server *server)
{
    unsigned margin = server->connections_per_daemon / MARGIN_PART;

    return margin < 1 ? 1 : margin > MARGIN_MAX ? MARGIN_MAX : margin;
}

static unsigned too_many(const struct http_daemon *daemon)
{
    const struct http_server *server = daemon->loop->server;
    unsigned most = server->connections_per_daemon - margin_of(server);

    if (daemon->held_off_us != 0)
        return STARVED_FREES;
    return daemon->conn_count > most ? daemon->conn_count - most : 0;
}

int64_t peers_check(struct http_loop *loop, int64_t now_us)
{
    int64_t next_us = HTTP_NEVER;

    for (size_t i = 0; i < loop->server->listener_count; i++) {
        struct http_daemon *daemon = &loop->daemons[i];
        unsigned wanted = too_many(daemon);

        if (wanted == 0)
            continue;
        if (daemon->way_at_us <= now_us) {
            daemon->way_at_us = now_us + LOOK_EVERY_US;
            make_way(daemon, wanted, now_us);
        }
        if (daemon->way_at_us < next_us)
            next_us = daemon->way_at_us;
    }
    return next_us;
}
