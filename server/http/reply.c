/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reply: struct http_reply to an MHD_Response, bodies never copied.
 *
 * (1) Whatever the reply owns (descriptor, buffer, stream) is released exactly once, also when
 *     building fails.
 * (2) A stream is closed by us before on_done: its context may live in the arena.
 */
#include <stdio.h>

#include "base/file.h"
#include "server/http/internal.h"
#include "server/http/parse/guard.h"

#define HEADER_TEXT_MAX 1024 /* copied to the stack to end it in NUL; longer ones to the arena */

bool http_reply_header(struct http_reply *reply, struct str name, struct str value)
{
    if (!http_is_token(name))
        return false;
    if (reply->field_count >= HTTP_REPLY_HEADERS_MAX) {
        reply->incomplete = true;
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    reply->fields[reply->field_count++] = (struct http_field){ name, value };
    return true;
}

void reply_close_stream(struct http_reply *reply)
{
    if (reply->close_stream != NULL)
        reply->close_stream(reply->stream);
    reply->close_stream = NULL;
    reply->read = NULL;
}

/* The body is MHD's from now on, or gone. A stream stays: it is read through the reply. */
static void reply_forget_body(struct http_reply *reply)
{
    if (reply->body_kind == HTTP_BODY_STREAM)
        return;
    reply->body_kind = HTTP_BODY_EMPTY;
    reply->buffer = (struct buf){ 0 };
    reply->fd = -1;
}

void http_reply_reset(struct http_reply *reply)
{
    if (reply->body_kind == HTTP_BODY_FILE)
        fd_close(&reply->fd);
    if (reply->body_kind == HTTP_BODY_BUFFER)
        buf_free(&reply->buffer);
    reply_close_stream(reply);
    reply->status = 0;
    reply->field_count = 0;
    reply->incomplete = false;
    reply->close = false;
    reply->body_kind = HTTP_BODY_EMPTY;
    reply->memory = STR_NONE;
    reply->buffer = (struct buf){ 0 };
    reply->fd = -1;
    reply->fd_offset = 0;
    reply->length = 0;
    reply->read = NULL;
    reply->close_stream = NULL;
    reply->stream = NULL;
    reply->length_only = false;
}

static ssize_t reply_read(void *context, uint64_t offset, char *out, size_t max)
{
    struct http_exchange *x = context;
    int64_t got;

    (void)offset;
    if (x->reply.read == NULL)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    atomic_store_explicit(&x->wait, WAIT_NOT_YET, memory_order_relaxed);
    got = x->reply.read(x->reply.stream, out, max);
    if (got > 0) {
        x->bytes_out += (uint64_t)got;
        return (ssize_t)got;
    }
    if (got == 0 && x->reply.length == HTTP_LENGTH_UNKNOWN)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (got == HTTP_READ_LATER && !x->loop->grace_over) {
        x->conn->held = true;
        (void)exchange_suspend(x); /* resumed already: the library asks again at once */
        return 0;
    }
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static void nothing_to_free(void *context)
{
    (void)context;
}

/* HEAD and 304: the length is the application's to announce, or unknown. */
static struct MHD_Response *response_without_body(struct http_reply *reply)
{
    struct MHD_Response *response = MHD_create_response_empty(MHD_RF_HEAD_ONLY_RESPONSE);
    char digits[24];
    uint64_t length = reply->length;

    if (reply->body_kind == HTTP_BODY_MEMORY)
        length = reply->memory.len;
    else if (reply->body_kind == HTTP_BODY_BUFFER)
        length = reply->buffer.len;
    else if (reply->body_kind == HTTP_BODY_EMPTY && !reply->length_only)
        return response;
    if (response == NULL || length == HTTP_LENGTH_UNKNOWN)
        return response;

    (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)length);
    if (MHD_add_response_header(response, "Content-Length", digits) != MHD_YES) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

static struct MHD_Response *response_memory(struct http_reply *reply, enum reply_memory memory)
{
    if (memory == REPLY_MEMORY_COPY)
        return MHD_create_response_from_buffer_copy(reply->memory.len, reply->memory.p);
    return MHD_create_response_from_buffer_with_free_callback(reply->memory.len,
                                                              (void *)(uintptr_t)reply->memory.p,
                                                              nothing_to_free);
}

static struct MHD_Response *response_buffer(struct http_reply *reply)
{
    char *bytes = reply->buffer.p;
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(reply->buffer.len, bytes, mem_free);

    if (response == NULL)
        mem_free(bytes);
    return response;
}

static struct MHD_Response *response_file(struct http_reply *reply)
{
    int fd = reply->fd;
    struct MHD_Response *response =
        MHD_create_response_from_fd_at_offset64(reply->length, fd, reply->fd_offset);

    if (response == NULL)
        fd_close(&fd);
    return response;
}

static struct MHD_Response *response_with_body(struct http_exchange *x, enum reply_memory memory)
{
    struct http_reply *reply = &x->reply;

    switch (reply->body_kind) {
    case HTTP_BODY_MEMORY:
        x->bytes_out = reply->memory.len;
        return response_memory(reply, memory);
    case HTTP_BODY_BUFFER:
        x->bytes_out = reply->buffer.len;
        if (reply->buffer.p == NULL)
            break;
        return response_buffer(reply);
    case HTTP_BODY_FILE:
        x->bytes_out = reply->length;
        if (reply->length == 0) {
            fd_close(&reply->fd);
            break;
        }
        return response_file(reply);
    case HTTP_BODY_STREAM:
        return MHD_create_response_from_callback(reply->length == HTTP_LENGTH_UNKNOWN
                                                     ? MHD_SIZE_UNKNOWN
                                                     : reply->length,
                                                 HTTP_STREAM_BLOCK_BYTES, reply_read, x,
                                                 nothing_to_free);
    case HTTP_BODY_EMPTY:
        break;
    }
    return MHD_create_response_empty(MHD_RF_NONE);
}

static bool response_add(struct MHD_Response *response, struct arena *arena,
                         const struct http_field *field)
{
    char stack[HEADER_TEXT_MAX];
    char *name = stack;
    char *value;
    /* MHD refuses an empty value; a blank is the same to every reader of HTTP. */
    struct str text = field->value.len > 0 ? field->value : STR(" ");

    if (field->name.len + text.len + 2 > sizeof(stack)) {
        name = arena_alloc(arena, field->name.len + text.len + 2);
        if (name == NULL)
            return false;
    }
    memcpy(name, field->name.p, field->name.len);
    name[field->name.len] = '\0';
    value = name + field->name.len + 1;
    memcpy(value, text.p, text.len);
    value[text.len] = '\0';
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool response_headers(struct MHD_Response *response, struct http_exchange *x, bool close)
{
    for (size_t i = 0; i < x->reply.field_count; i++) {
        if (!response_add(response, x->view.arena, &x->reply.fields[i]))
            return false;
    }
    return !close || MHD_add_response_header(response, "Connection", "close") == MHD_YES;
}

struct MHD_Response *reply_response(struct http_exchange *x, enum reply_memory memory, bool close)
{
    struct http_reply *reply = &x->reply;
    struct MHD_Response *response;

    if (x->request.head || reply->status == 304) {
        response = response_without_body(reply);
        if (reply->body_kind == HTTP_BODY_FILE)
            fd_close(&reply->fd);
        if (reply->body_kind == HTTP_BODY_BUFFER)
            buf_free(&reply->buffer);
    } else {
        response = response_with_body(x, memory);
    }
    reply_forget_body(reply);

    if (response != NULL &&
        (reply->incomplete || !response_headers(response, x, close || reply->close))) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}
