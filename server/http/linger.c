/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lingering close: after an early answer the socket is read on for a while.
 *
 * A client that is still sending its body sees a reset instead of the answer when we close with
 * bytes unread (RFC 9112 §9.6). MHD closes at once, so we keep a copy of the descriptor.
 *
 *   free --adopt--> reading --end of stream, error, enough bytes, enough time--> free
 *     (no slot is free: the copy is not made, and the client may see the reset)
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/file.h"
#include "server/http/internal.h"

void linger_open(struct http_loop *loop)
{
    for (size_t i = 0; i < COUNT_OF(loop->lingers); i++) {
        loop->lingers[i].watch = HTTP_WATCH_LINGER;
        loop->lingers[i].fd = -1;
    }
}

static void linger_end(struct http_loop *loop, struct http_linger *linger)
{
    fd_close(&linger->fd); /* leaves the epoll set by itself: it was the last copy */
    loop->linger_count--;
}

void linger_adopt(struct http_loop *loop, int fd)
{
    struct http_linger *slot = NULL;
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP };

    for (size_t i = 0; i < COUNT_OF(loop->lingers) && slot == NULL; i++) {
        if (loop->lingers[i].fd < 0)
            slot = &loop->lingers[i];
    }
    if (slot == NULL)
        return;
    slot->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (slot->fd < 0)
        return;

    loop->linger_count++;
    slot->deadline_us = http_loop_now_us(loop) + HTTP_LINGER_S * US_PER_S;
    slot->bytes = 0;
    (void)shutdown(slot->fd, SHUT_WR);
    event.data.ptr = slot;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, slot->fd, &event) != 0)
        linger_end(loop, slot);
}

void linger_ready(struct http_loop *loop, struct http_linger *linger)
{
    char sink[16 * 1024];
    ssize_t got;

    if (linger->fd < 0)
        return;
    for (int round = 0; round < 16; round++) {
        got = recv(linger->fd, sink, sizeof(sink), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got > 0)
            linger->bytes += (uint64_t)got;
        if (got <= 0 || linger->bytes > HTTP_LINGER_BYTES_MAX) {
            linger_end(loop, linger);
            return;
        }
    }
}

int64_t linger_check(struct http_loop *loop, int64_t now_us)
{
    int64_t next_us = HTTP_NEVER;

    if (loop->linger_count == 0)
        return HTTP_NEVER;
    for (size_t i = 0; i < COUNT_OF(loop->lingers); i++) {
        struct http_linger *linger = &loop->lingers[i];

        if (linger->fd >= 0 && linger->deadline_us <= now_us)
            linger_end(loop, linger);
        if (linger->fd >= 0 && linger->deadline_us < next_us)
            next_us = linger->deadline_us;
    }
    return next_us;
}

void linger_close_all(struct http_loop *loop)
{
    for (size_t i = 0; i < COUNT_OF(loop->lingers); i++) {
        if (loop->lingers[i].fd >= 0)
            linger_end(loop, &loop->lingers[i]);
    }
}
