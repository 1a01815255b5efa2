/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending a request: its pieces, gathered from the plan's text and the content's block; see
 * connection.h.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "tests/bench/connection.h"

#define IOV_PIECES 64

static const struct shape *shape_of(const struct connection *connection)
{
    return &connection->worker->run->plan->shapes[connection->request->shape];
}

/* Bytes of a piece; piece 0 is the head, piece i the shape's segment i - 1. */
static uint64_t piece_len(const struct connection *connection, size_t piece)
{
    return piece == 0 ? connection->request->head_len
                      : shape_of(connection)->segments[piece - 1].len;
}

static bool piece_from_block(const struct connection *connection, size_t piece)
{
    return piece > 0 && shape_of(connection)->segments[piece - 1].from_block;
}

static size_t gather(const struct connection *connection, struct iovec iov[IOV_PIECES])
{
    const struct plan *plan = connection->worker->run->plan;
    size_t pieces = shape_of(connection)->segment_count + 1;
    uint64_t text_at = connection->text_at;
    uint64_t block_at = connection->block_at;
    uint64_t offset = connection->offset;
    size_t count = 0;

    for (size_t i = connection->piece; i < pieces && count < IOV_PIECES; i++) {
        bool from_block = piece_from_block(connection, i);
        uint64_t len = piece_len(connection, i);
        const char *base = from_block ? content_block(plan->content).p + block_at
                                      : plan->text + text_at;

        if (len > offset) {
            struct str part = str_make(base + offset, (size_t)(len - offset));

            /* sendmsg only reads. */
            memcpy(&iov[count].iov_base, &part.p, sizeof(part.p));
            iov[count++].iov_len = part.len;
        }
        offset = 0;
        if (from_block)
            block_at += len;
        else
            text_at += len;
    }
    return count;
}

static void advance(struct connection *connection, uint64_t sent)
{
    size_t pieces = shape_of(connection)->segment_count + 1;

    while (connection->piece < pieces) {
        uint64_t len = piece_len(connection, connection->piece);

        if (sent < len - connection->offset) {
            connection->offset += sent;
            return;
        }
        sent -= len - connection->offset;
        connection->offset = 0;
        if (piece_from_block(connection, connection->piece))
            connection->block_at += len;
        else
            connection->text_at += len;
        connection->piece++;
    }
    connection->sending = false;
}

/* 0: sent, or to be continued when there is room. */
int connection_send(struct connection *connection)
{
    while (connection->sending) {
        struct iovec iov[IOV_PIECES];
        struct msghdr message = { .msg_iov = iov, .msg_iovlen = gather(connection, iov) };
        ssize_t n = sendmsg(connection->fd, &message, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            return -errno;
        if (n < 0)
            break;
        advance(connection, (uint64_t)n);
    }

    if (connection->sending != connection->wants_out) {
        connection->wants_out = connection->sending;
        if (!connection_watch(connection, EPOLL_CTL_MOD))
            return -EIO;
    }
    return 0;
}
