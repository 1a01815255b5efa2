/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STREAM_BYTES 300000

struct wire_exchange {
    char *body;
    size_t len, capacity;
    uint64_t stream_left;
    unsigned hellos, turner, turns;
};

/* ---- application -------------------------------------------------------------------------- */

static void *app_loop_start(void *context)
{
    struct wire_server *server = context;

    atomic_fetch_add(&server->loops, 1);
    return server;
}

static void app_loop_stop(void *context, void *loop)
{
    struct wire_server *server = context;

    assert(loop == context);
    atomic_fetch_sub(&server->loops, 1);
}

static bool path_is(const struct http_exchange_view *view, const char *path)
{
    return str_eq(view->request->raw_path, str_from_cstr(path));
}

static enum http_next reply_text(struct http_exchange_view *view, int status, struct str text)
{
    view->reply->status = status;
    view->reply->body_kind = HTTP_BODY_MEMORY;
    view->reply->memory = text;
    return HTTP_REPLY;
}

static enum http_next app_headers(void *context, struct http_exchange_view *view)
{
    struct wire_server *server = context;

    atomic_fetch_add(&server->begun, 1);
    assert(view->loop_context == server && view->user == NULL);
    view->user = ARENA_NEW(view->arena, struct wire_exchange);
    if (path_is(view, "/refuse"))
        return reply_text(view, 403, STR("refused"));
    if (path_is(view, "/drop"))
        return HTTP_DROP;
    atomic_fetch_add(&server->continued, 1);
    return HTTP_CONTINUE;
}

static enum http_next app_body(void *context, struct http_exchange_view *view, const void *bytes,
                               size_t len)
{
    struct wire_exchange *x = view->user;

    (void)context;
    assert(len > 0);
    if (path_is(view, "/midway"))
        return reply_text(view, 409, STR("midway"));
    if (!path_is(view, "/echo"))
        return HTTP_CONTINUE;
    if (x->len + len > x->capacity) {
        x->capacity = 2 * (x->len + len);
        x->body = realloc(x->body, x->capacity);
    }
    memcpy(x->body + x->len, bytes, len);
    x->len += len;
    return HTTP_CONTINUE;
}

static int64_t app_read(void *context, void *out, size_t max)
{
    struct wire_exchange *x = context;
    size_t take = (size_t)u64_min(max, x->stream_left);

    memset(out, 's', take);
    x->stream_left -= take;
    return (int64_t)take;
}

static void app_close_stream(void *context)
{
    struct wire_exchange *x = context;

    assert(x->stream_left != UINT64_MAX);
    x->stream_left = UINT64_MAX;
}

enum http_next wire_wait(struct wire_server *server, struct http_exchange_view *view)
{
    pthread_mutex_lock(&server->lock);
    assert(server->waiting_count < COUNT_OF(server->waiting));
    server->waiting[server->waiting_count++] = view;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    return HTTP_WAIT;
}

static enum http_next app_stream(struct http_exchange_view *view, uint64_t length)
{
    struct wire_exchange *x = view->user;

    x->stream_left = STREAM_BYTES;
    view->reply->status = 200;
    view->reply->body_kind = HTTP_BODY_STREAM;
    view->reply->length = length;
    view->reply->read = app_read;
    view->reply->close_stream = app_close_stream;
    view->reply->stream = x;
    return HTTP_REPLY;
}

static enum http_next app_file(struct http_exchange_view *view)
{
    char path[] = "/tmp/pail-wire-XXXXXX";

    view->reply->status = 206;
    view->reply->body_kind = HTTP_BODY_FILE;
    view->reply->fd = mkstemp(path);
    unlink(path);
    assert(write(view->reply->fd, "0123456789abcdefghij", 20) == 20);
    view->reply->fd_offset = 5;
    view->reply->length = 10;
    return HTTP_REPLY;
}

static enum http_next app_headers_reply(struct http_exchange_view *view)
{
    static char longest[3000];

    memset(longest, 'v', sizeof(longest));
    assert(http_reply_header(view->reply, STR("x-empty"), STR("")));
    assert(http_reply_header(view->reply, STR("x-long"), str_make(longest, sizeof(longest))));
    assert(!http_reply_header(view->reply, STR("x-split"), STR("a\r\nb: c")));
    assert(!http_reply_header(view->reply, STR("x split"), STR("a")));
    return reply_text(view, 200, STR("headers"));
}

static enum http_next app_yield(struct wire_server *server)
{
    atomic_fetch_add(&server->yields, 1);
    return HTTP_YIELD;
}

static enum http_next app_until(struct wire_server *server, struct http_exchange_view *view)
{
    struct wire_exchange *x = view->user;

    if (atomic_load(&server->hellos) == x->hellos)
        return app_yield(server);
    return reply_text(view, 200, STR("until"));
}

static enum http_next app_turn(struct wire_server *server, struct http_exchange_view *view)
{
    struct wire_exchange *x = view->user;

    if (server->turners < WIRE_TURNERS)
        return app_yield(server);
    if (x->turns++ == WIRE_TURNS)
        return reply_text(view, 200, STR("turns"));
    server->turns[atomic_load(&server->turn_count)] = (unsigned char)x->turner;
    atomic_fetch_add(&server->turn_count, 1); /* after what it counts */
    return app_yield(server);
}

static enum http_next app_end(void *context, struct http_exchange_view *view)
{
    struct wire_server *server = context;
    struct wire_exchange *x = view->user;
    struct http_reply *reply = view->reply;

    if (path_is(view, "/echo"))
        return reply_text(view, 200, str_make(x->len > 0 ? x->body : "", x->len));
    if (path_is(view, "/wait"))
        return wire_wait(server, view);
    if (path_is(view, "/now")) {
        http_resume(view);
        return HTTP_WAIT;
    }
    if (path_is(view, "/until")) {
        x->hellos = atomic_load(&server->hellos);
        return app_until(server, view);
    }
    if (path_is(view, "/turns")) {
        x->turner = server->turners++;
        return app_turn(server, view);
    }
    if (path_is(view, "/file"))
        return app_file(view);
    if (path_is(view, "/stream"))
        return app_stream(view, STREAM_BYTES);
    if (path_is(view, "/chunked"))
        return app_stream(view, HTTP_LENGTH_UNKNOWN);
    if (path_is(view, "/headers"))
        return app_headers_reply(view);
    if (path_is(view, "/count"))
        return reply_text(view, 200, arena_printf(view->arena, "%zu", view->request->field_count));
    if (path_is(view, "/buffer")) {
        reply->status = 200;
        reply->body_kind = HTTP_BODY_BUFFER;
        reply->buffer = BUF_WITH_MAX(100);
        buf_lit(&reply->buffer, "buffer");
        return HTTP_REPLY;
    }
    if (path_is(view, "/big") || path_is(view, "/unchanged")) {
        reply->status = path_is(view, "/big") ? 200 : 304;
        reply->length_only = true;
        reply->length = path_is(view, "/big") ? UINT64_C(5368709120) : 77;
        return HTTP_REPLY;
    }
    if (path_is(view, "/nothing")) {
        reply->status = 204;
        return HTTP_REPLY;
    }
    atomic_fetch_add(&server->hellos, 1);
    return reply_text(view, 200, STR("hello"));
}

static enum http_next app_resume(void *context, struct http_exchange_view *view)
{
    if (path_is(view, "/until"))
        return app_until(context, view);
    if (path_is(view, "/turns"))
        return app_turn(context, view);
    return reply_text(view, 200, STR("resumed"));
}

static void app_refuse(void *context, struct http_exchange_view *view, int status, const char *why)
{
    struct wire_server *server = context;

    atomic_fetch_add(&server->refused, 1);
    atomic_fetch_add(&server->begun, 1);
    assert(http_reply_header(view->reply, STR("Content-Type"), STR("application/xml")));
    (void)reply_text(view, status,
                     arena_printf(view->arena,
                                  "<Error><Code>%d</Code><Message>%s</Message></Error>", status,
                                  why));
}

static void app_done(void *context, struct http_exchange_view *view, bool completed,
                     uint64_t bytes_in, uint64_t bytes_out)
{
    struct wire_server *server = context;
    struct wire_exchange *x = view->user;

    if (x != NULL) {
        if (path_is(view, "/echo") && completed && !view->request->head)
            assert(bytes_in == x->len && bytes_out == x->len);
        if (completed && !view->request->head &&
            (path_is(view, "/stream") || path_is(view, "/chunked")))
            assert(bytes_out == STREAM_BYTES && x->stream_left == UINT64_MAX);
        free(x->body);
    }
    atomic_fetch_add(&server->done, 1);
    atomic_fetch_add(&server->completed, completed);
}

static void app_round_end(void *context, void *loop_context)
{
    struct wire_server *server = context;

    (void)loop_context;
    atomic_fetch_add(&server->rounds, 1);
}

/* Resumes what waits, from another thread. */
static void *worker_main(void *context)
{
    struct wire_server *server = context;

    pthread_mutex_lock(&server->lock);
    for (;;) {
        while (!server->worker_stops && (server->worker_holds || server->waiting_count == 0))
            pthread_cond_wait(&server->changed, &server->lock);
        if (server->worker_stops && server->waiting_count == 0)
            break;
        while (server->waiting_count > 0)
            http_resume(server->waiting[--server->waiting_count]);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

void wire_hold(struct wire_server *server, bool hold)
{
    pthread_mutex_lock(&server->lock);
    server->worker_holds = hold;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

struct wire_server *wire_start(const char *listen, unsigned loops)
{
    return wire_start_limited(listen, loops, 0);
}

struct wire_server *wire_start_limited(const char *listen, unsigned loops, unsigned connections_max)
{
    return wire_start_changed(listen, loops, connections_max, NULL);
}

struct wire_server *wire_start_changed(const char *listen, unsigned loops, unsigned connections_max,
                                       void (*change)(struct http_app *app))
{
    struct wire_server *server = calloc(1, sizeof(*server));
    struct http_app app = { .context = server,
                            .clock = &server->clock,
                            .on_loop_start = app_loop_start,
                            .on_loop_stop = app_loop_stop,
                            .on_headers = app_headers,
                            .on_body = app_body,
                            .on_end = app_end,
                            .on_resume = app_resume,
                            .on_refuse = app_refuse,
                            .on_done = app_done,
                            .on_round_end = app_round_end };
    struct http_options options = { .loop_count = loops, .connections_max = connections_max };
    struct http_listener listener;
    struct fault fault = { 0 };

    if (change != NULL)
        change(&app);
    clock_init(&server->clock);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    if (!http_listen(str_from_cstr(listen), false, &listener, &fault) ||
        !http_server_start(&options, &listener, 1, &app, &server->http, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        abort();
    }
    memcpy(server->url, listener.url, sizeof(server->url));
    server->port = (unsigned)strtoul(strrchr(server->url, ':') + 1, NULL, 10);
    assert(atomic_load(&server->loops) == loops);
    pthread_create(&server->worker, NULL, worker_main, server);
    return server;
}

void wire_stop(struct wire_server *server, unsigned grace_s)
{
    http_server_stop(server->http, grace_s);
    pthread_mutex_lock(&server->lock);
    server->worker_stops = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->worker, NULL);
    assert(atomic_load(&server->loops) == 0);
    assert(atomic_load(&server->begun) == atomic_load(&server->done));
    pthread_mutex_destroy(&server->lock);
    clock_free(&server->clock);
    pthread_cond_destroy(&server->changed);
    free(server);
}

void wire_await(const atomic_uint *counter, unsigned value)
{
    for (unsigned ms = 0; ms < WIRE_PATIENCE_S * 1000; ms++) {
        if (atomic_load(counter) >= value)
            return;
        usleep(1000);
    }
    assert(!"what was waited for did not come");
}

/* ---- client ------------------------------------------------------------------------------- */

static bool is_unix(const struct wire_server *server)
{
    return strncmp(server->url, "unix:", 5) == 0;
}

bool wire_connect_fd(const struct wire_server *server, int fd)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)server->port) };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = 20 };

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (is_unix(server)) {
        snprintf(un.sun_path, sizeof(un.sun_path), "%.100s", server->url + 5);
        return connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0;
    }
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
}

int wire_connect(const struct wire_server *server)
{
    int fd = socket(is_unix(server) ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (!wire_connect_fd(server, fd)) {
        close(fd);
        return -1;
    }
    return fd;
}

void wire_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        bytes += sent;
        len -= (size_t)sent;
    }
}

void wire_send_text(int fd, const char *text)
{
    wire_send(fd, text, strlen(text));
}

static bool receive_exact(int fd, char *out, size_t len)
{
    while (len > 0) {
        ssize_t got = recv(fd, out, len, 0);

        if (got <= 0)
            return false;
        out += got;
        len -= (size_t)got;
    }
    return true;
}

static bool receive_line(int fd, char *out, size_t max)
{
    size_t len = 0;

    while (len + 1 < max && receive_exact(fd, out + len, 1)) {
        out[++len] = '\0';
        if (out[len - 1] == '\n')
            return true;
    }
    return false;
}

static const char *head_value(const struct wire_reply *reply, const char *name)
{
    const char *at = strcasestr(reply->head, name);

    return at != NULL ? at + strlen(name) : NULL;
}

static bool receive_chunked(int fd, struct wire_reply *reply)
{
    char line[64];
    size_t size;

    do {
        if (!receive_line(fd, line, sizeof(line)))
            return false;
        size = strtoul(line, NULL, 16);
        reply->body = realloc(reply->body, reply->body_len + size + 1);
        if (!receive_exact(fd, reply->body + reply->body_len, size) ||
            !receive_line(fd, line, sizeof(line)))
            return false;
        reply->body_len += size;
        reply->body[reply->body_len] = '\0';
    } while (size > 0);
    return true;
}

struct wire_reply wire_receive(int fd, bool head_only)
{
    struct wire_reply reply = { 0 };
    const char *length;
    size_t len = 0;

    while (len < 4 || memcmp(reply.head + len - 4, "\r\n\r\n", 4) != 0) {
        if (len + 1 == sizeof(reply.head) || !receive_exact(fd, reply.head + len, 1))
            return reply;
        len++;
    }
    if (sscanf(reply.head, "HTTP/1.%*d %d", &reply.status) != 1)
        return reply;
    if (head_only || reply.status < 200 || reply.status == 204 || reply.status == 304)
        return reply;

    length = head_value(&reply, "\r\ncontent-length: ");
    if (length != NULL) {
        reply.body_len = strtoul(length, NULL, 10);
        reply.body = calloc(1, reply.body_len + 1);
        if (!receive_exact(fd, reply.body, reply.body_len))
            reply.status = 0;
    } else if (head_value(&reply, "\r\ntransfer-encoding: chunked") != NULL) {
        if (!receive_chunked(fd, &reply))
            reply.status = 0;
    }
    return reply;
}

void wire_reply_free(struct wire_reply *reply)
{
    free(reply->body);
    reply->body = NULL;
}

bool wire_head_has(const struct wire_reply *reply, const char *text)
{
    return strcasestr(reply->head, text) != NULL;
}

bool wire_closed(int fd)
{
    char byte;

    return recv(fd, &byte, 1, 0) == 0;
}

int wire_once(const struct wire_server *server, const char *request)
{
    int fd = wire_connect(server);
    struct wire_reply reply;

    wire_send_text(fd, request);
    reply = wire_receive(fd, false);
    wire_reply_free(&reply);
    close(fd);
    return reply.status;
}
