/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies that go out slowly or not whole: a stream before whatever body the reply has.
 *
 * (1) What was announced stays: status, headers and length are those of the whole body.
 * (2) The rate is kept by the application's clock. A reader that was slow for a while, or a clock that
 *     was advanced, gets at most what a second brings at once.
 * (3) The body that was there is released when the stream is closed, exactly once.
 */
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "server/http/internal.h"

#define SLICES_PER_S 16

struct shaped {
    struct http_exchange_view *view;
    struct http_loop *loop;
    struct http_shape shape;
    struct http_reply body; /* of the reply before; only what belongs to its body */
    uint64_t sent;
    int64_t next_us; /* nothing more is sent before; 0: nothing was sent yet */
};

static int64_t read_memory(struct shaped *shaped, const char *bytes, size_t len, void *out,
                           size_t max)
{
    size_t take = (size_t)u64_min(max, len - shaped->sent);

    memcpy(out, bytes + shaped->sent, take);
    return (int64_t)take;
}

static int64_t read_file(struct shaped *shaped, void *out, size_t max)
{
    size_t take = (size_t)u64_min(max, shaped->body.length - shaped->sent);
    ssize_t got;

    do {
        got = pread(shaped->body.fd, out, take, (off_t)(shaped->body.fd_offset + shaped->sent));
    } while (got < 0 && errno == EINTR);
    return got;
}

static int64_t read_body(struct shaped *shaped, void *out, size_t max)
{
    struct http_reply *body = &shaped->body;

    switch (body->body_kind) {
    case HTTP_BODY_MEMORY:
        return read_memory(shaped, body->memory.p, body->memory.len, out, max);
    case HTTP_BODY_BUFFER:
        return read_memory(shaped, body->buffer.p, body->buffer.len, out, max);
    case HTTP_BODY_FILE:
        return read_file(shaped, out, max);
    case HTTP_BODY_STREAM:
        return body->read(body->stream, out, max);
    case HTTP_BODY_EMPTY:
        break;
    }
    return 0;
}

/* How much of `max` may go now; 0: none, the exchange goes on when there is some. */
static size_t rate_allows(struct shaped *shaped, size_t max)
{
    int64_t now_us = http_loop_now_us(shaped->loop);
    uint64_t rate = shaped->shape.bytes_per_s;

    if (rate == 0)
        return max;
    if (shaped->next_us < now_us - US_PER_S)
        shaped->next_us = shaped->next_us == 0 ? now_us : now_us - US_PER_S;
    if (shaped->next_us > now_us) {
        http_resume_after(shaped->view, (uint64_t)(shaped->next_us - now_us + 999) / 1000);
        return 0;
    }
    return (size_t)u64_min(max, rate / SLICES_PER_S + 1);
}

static int64_t shaped_read(void *context, void *out, size_t max)
{
    struct shaped *shaped = context;
    int64_t got;

    if (shaped->shape.cuts && shaped->sent >= shaped->shape.cut_after)
        return -1;
    if (shaped->shape.cuts)
        max = (size_t)u64_min(max, shaped->shape.cut_after - shaped->sent);
    max = rate_allows(shaped, max);
    if (max == 0)
        return HTTP_READ_LATER;
    got = read_body(shaped, out, max);
    if (got <= 0)
        return got;
    shaped->sent += (uint64_t)got;
    if (shaped->shape.bytes_per_s > 0)
        shaped->next_us +=
            (int64_t)((uint64_t)got * (uint64_t)US_PER_S / shaped->shape.bytes_per_s);
    return got;
}

static void shaped_close(void *context)
{
    struct shaped *shaped = context;

    http_reply_reset(&shaped->body);
}

bool http_reply_shape(struct http_exchange_view *view, const struct http_shape *shape)
{
    struct http_reply *reply = view->reply;
    struct shaped *shaped;

    if (reply->body_kind == HTTP_BODY_EMPTY || (shape->bytes_per_s == 0 && !shape->cuts))
        return true;
    shaped = ARENA_NEW(view->arena, struct shaped);
    if (shaped == NULL)
        return false;
    shaped->view = view;
    shaped->loop = CONTAINER_OF(view, struct http_exchange, view)->loop;
    shaped->shape = *shape;
    shaped->body.body_kind = reply->body_kind;
    shaped->body.memory = reply->memory;
    shaped->body.buffer = reply->buffer;
    shaped->body.fd = reply->fd;
    shaped->body.fd_offset = reply->fd_offset;
    shaped->body.length = reply->length;
    shaped->body.read = reply->read;
    shaped->body.close_stream = reply->close_stream;
    shaped->body.stream = reply->stream;
    if (reply->body_kind == HTTP_BODY_MEMORY)
        reply->length = reply->memory.len;
    else if (reply->body_kind == HTTP_BODY_BUFFER)
        reply->length = reply->buffer.len;
    reply->body_kind = HTTP_BODY_STREAM;
    reply->buffer = (struct buf){ 0 };
    reply->fd = -1;
    reply->read = shaped_read;
    reply->close_stream = shaped_close;
    reply->stream = shaped;
    return true;
}
