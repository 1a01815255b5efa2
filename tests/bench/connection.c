/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections: receiving, and coming back when the server hung up; see connection.h.
 */
#include "tests/bench/connection.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"

#define DISCARD_BYTES ((size_t)1 << 30)

bool connection_watch(struct connection *connection, int operation)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };

    if (connection->wants_out)
        event.events |= EPOLLOUT;
    return epoll_ctl(connection->worker->epoll_fd, operation, connection->fd, &event) == 0;
}

static int dial(struct connection *connection)
{
    int fd = net_connect(connection->worker->run->address);

    if (fd < 0)
        return fd;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        fd_close(&fd);
        return -EIO;
    }
    connection->fd = fd;
    connection->kept = false;
    connection->wants_out = false;
    return connection_watch(connection, EPOLL_CTL_ADD) ? 0 : -EIO;
}

static void request_begin(struct connection *connection, struct request *request, size_t lane,
                          uint64_t start_ns)
{
    assert(request != NULL);
    if (connection->request == NULL)
        connection->worker->busy++;
    connection->request = request;
    connection->lane = lane;
    connection->start_ns = start_ns;
    connection->sending = true;
    connection->piece = 0;
    connection->offset = 0;
    connection->text_at = request->text_at;
    connection->block_at = 0;
    connection->in_len = 0;
    connection->has_head = false;
    connection->body_len = 0;
}

static void request_end(struct connection *connection)
{
    if (connection->request == NULL)
        return;
    connection->request = NULL;
    connection->worker->busy--;
}

/* ---- failing, and coming back ------------------------------------------------------------------- */

static void hang_up(struct connection *connection)
{
    fd_close(&connection->fd); /* leaves the epoll set with its last descriptor */
}

/* The request on hand is lost: an error, unless it is to be tried once more. */
static void fail(struct connection *connection, const char *what, int error)
{
    worker_error(connection->worker, connection->request, "%s%s%s", what, error != 0 ? ": " : "",
                 error != 0 ? strerror(error) : "");
    request_end(connection);
    hang_up(connection);
}

static void lost(struct connection *connection, const char *what, int error);

static void transmit(struct connection *connection)
{
    int error = connection->fd >= 0 ? 0 : dial(connection);

    if (error == 0)
        error = connection_send(connection);
    if (error < 0)
        lost(connection, "send", -error);
}

/*
 * The server may close a kept connection at any moment; a client then sends once more, and the
 * time goes on. On a fresh connection, or in the middle of an answer, it is an error.
 */
static void lost(struct connection *connection, const char *what, int error)
{
    if (!connection->kept || connection->in_len > 0 || connection->has_head) {
        fail(connection, what, error);
        return;
    }
    connection->worker->reconnects++;
    hang_up(connection);
    connection->kept = false;
    request_begin(connection, connection->request, connection->lane, connection->start_ns);
    transmit(connection);
}

/* ---- receiving -------------------------------------------------------------------------------- */

/* Bytes of the body. False: they are more than there should be, or not well framed. */
static bool body_bytes(struct connection *connection, struct str bytes)
{
    struct str data;

    if (!connection->response.chunked) {
        if (bytes.len > connection->response.length - connection->body_len)
            return false;
        check_body(connection, bytes);
        connection->body_len += bytes.len;
        return true;
    }
    while (bytes.len > 0 && !connection->chunked.done) {
        if (!chunked_next(&connection->chunked, &bytes, &data))
            return false;
        check_body(connection, data);
        connection->body_len += data.len;
    }
    return bytes.len == 0;
}

static bool body_complete(const struct connection *connection)
{
    if (connection->response.chunked)
        return connection->chunked.done;
    return connection->body_len == connection->response.length;
}

/* What just came into `in` belongs to a head. False: not HTTP. */
static bool head_bytes(struct connection *connection)
{
    struct response *response = &connection->response;

    switch (response_parse(str_make(connection->in, connection->in_len), response)) {
    case RESPONSE_MORE:
        return connection->in_len < CONNECTION_IN_BYTES;
    case RESPONSE_BAD:
        return false;
    case RESPONSE_READY:
        break;
    }
    connection->has_head = true;
    connection->chunked = (struct chunked){ 0 };
    check_begin(connection);
    if (check_bodyless(connection)) {
        /* HEAD: the length is looked at, but nothing follows. */
        connection->body_len = response->length;
        response->chunked = false;
        return connection->in_len == response->head_len;
    }
    if (!response->chunked && !response->has_length)
        return false;
    return body_bytes(connection, str_make(connection->in + response->head_len,
                                           connection->in_len - response->head_len));
}

static ssize_t receive(struct connection *connection)
{
    if (!connection->has_head)
        return recv(connection->fd, connection->in + connection->in_len,
                    CONNECTION_IN_BYTES - connection->in_len, 0);
    if (connection->compare || connection->collect || connection->response.chunked)
        return recv(connection->fd, connection->in + connection->response.head_len,
                    CONNECTION_IN_BYTES - connection->response.head_len, 0);
    /* Not looked at: dropped in the kernel, so that the client does not become the limit. */
    return recv(connection->fd, NULL,
                (size_t)u64_min(DISCARD_BYTES, connection->response.length - connection->body_len),
                MSG_TRUNC);
}

static bool received(struct connection *connection, size_t len)
{
    if (!connection->has_head) {
        connection->in_len += len;
        return head_bytes(connection);
    }
    if (connection->compare || connection->collect || connection->response.chunked)
        return body_bytes(connection,
                          str_make(connection->in + connection->response.head_len, len));
    connection->body_len += len;
    return true;
}

static void start_next(struct connection *connection, uint64_t now_ns);

static void answered(struct connection *connection)
{
    uint64_t now_ns = net_now_ns();
    bool keep = !connection->response.close && !connection->sending;

    if (connection->sending)
        worker_error(connection->worker, connection->request,
                     "answered %u before the whole request was sent", connection->response.status);
    else
        check_end(connection, now_ns);
    connection->kept = true;
    request_end(connection);
    if (!keep)
        hang_up(connection);
    start_next(connection, now_ns);
}

void connection_event(struct connection *connection, uint32_t events)
{
    if (connection->fd < 0)
        return;
    if ((events & EPOLLOUT) != 0 && connection->request != NULL && connection->sending)
        transmit(connection);
    if ((events & ~(uint32_t)EPOLLOUT) == 0 || connection->fd < 0)
        return;
    if (connection->request == NULL) {
        hang_up(connection); /* closed while idle, or talking out of turn */
        return;
    }

    for (;;) {
        ssize_t n = receive(connection);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            lost(connection, n == 0 ? "the connection was closed" : "receive", n < 0 ? errno : 0);
            return;
        }
        if (!received(connection, (size_t)n)) {
            fail(connection, "not an HTTP answer that fits its request", 0);
            return;
        }
        if (connection->has_head && body_complete(connection)) {
            answered(connection);
            return;
        }
        if ((size_t)n < CONNECTION_IN_BYTES / 2)
            return; /* most likely all there was; epoll says when there is more */
    }
}

/* ---- work ------------------------------------------------------------------------------------- */

static bool due(struct worker *worker, uint64_t now_ns, uint64_t *ret_start_ns)
{
    *ret_start_ns = now_ns;
    if (worker->due_step_ns <= 0)
        return true;
    if (worker->due_ns > (double)now_ns)
        return false;
    *ret_start_ns = (uint64_t)worker->due_ns;
    worker->due_ns += worker->due_step_ns;
    return true;
}

static void start_next(struct connection *connection, uint64_t now_ns)
{
    struct worker *worker = connection->worker;
    struct request *request;
    uint64_t start_ns;
    size_t lane;

    if (worker->stopping || now_ns >= worker->run->end_ns || !due(worker, now_ns, &start_ns))
        return;
    request = worker_pick(worker, &lane);
    if (request == NULL)
        return;
    request_begin(connection, request, lane, start_ns);
    connection->sent_ns = now_ns;
    transmit(connection);
}

void connections_start(struct worker *worker, uint64_t now_ns)
{
    if (worker->busy == worker->connection_count || worker->stopping)
        return;
    if (worker->due_step_ns > 0 && worker->due_ns > (double)now_ns)
        return;
    for (size_t i = 0; i < worker->connection_count; i++)
        if (worker->connections[i].request == NULL)
            start_next(&worker->connections[i], now_ns);
}

void connections_overdue(struct worker *worker, uint64_t now_ns)
{
    uint64_t limit_ns = (uint64_t)(worker->run->options->timeout_s * 1e9);

    for (size_t i = 0; i < worker->connection_count; i++) {
        struct connection *connection = &worker->connections[i];

        if (connection->request != NULL && now_ns > connection->sent_ns + limit_ns)
            fail(connection, "no answer in time", 0);
    }
}

bool connections_open(struct worker *worker, struct fault *fault)
{
    worker->connections = mem_zalloc(worker->connection_count * sizeof(*worker->connections));
    if (worker->connections == NULL)
        return fault_set(fault, false, "no memory");
    for (size_t i = 0; i < worker->connection_count; i++)
        worker->connections[i].fd = -1;

    for (size_t i = 0; i < worker->connection_count; i++) {
        struct connection *connection = &worker->connections[i];
        int error;

        connection->worker = worker;
        connection->body = BUF_WITH_MAX(CONNECTION_BODY_BYTES_MAX);
        connection->in = mem_zalloc(CONNECTION_IN_BYTES);
        if (connection->in == NULL)
            return fault_set(fault, false, "no memory");
        error = dial(connection);
        if (error < 0)
            return fault_set(fault, false, "cannot connect to %.*s: %s",
                             STR_ARG(worker->run->options->authority), strerror(-error));
    }
    return true;
}

void connections_close(struct worker *worker)
{
    for (size_t i = 0; i < worker->connection_count && worker->connections != NULL; i++) {
        struct connection *connection = &worker->connections[i];

        hang_up(connection);
        mem_free(connection->in);
        buf_free(&connection->body);
    }
    mem_free(worker->connections);
    worker->connections = NULL;
}
