/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchange: MHD's callbacks turned into the application's.
 *
 * MHD calls exchange_handle once after the headers, then for each piece of body, then once more
 * when the request is complete, and again after each resumption.
 *
 * (1) A response queued in the first call closes the connection, so it is queued there only to
 *     refuse a body; otherwise the reply waits for the last call.
 * (2) on_done follows on_headers or on_refuse exactly once, whatever happens to the connection.
 * (3) We suspend in the first call (at_head), in the last one or inside the reply, never within a
 *     body: what a suspended client sends meanwhile stays where it is.
 *
 *   HEAD --go on--> BODY --end--> on_end --reply--> REPLIED --> done
 *     |  \--wait--> WAITING or YIELDED --resumed--> where it was        (after HEAD, on_end, on_resume)
 *     |               \--refused in mid-body--> DRAIN --end--> REPLIED
 *     \--refused before its body--> REPLIED, and the connection closes
 *   from each: the connection ends --> done, aborted
 */
#include "server/http/internal.h"

/* ---- start -------------------------------------------------------------------------------- */

void *exchange_begin_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct http_daemon *daemon = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_conn *conn = info != NULL ? info->socket_context : NULL;
    struct http_exchange *x;

    if (conn == NULL)
        return NULL;
    x = exchange_take(daemon->loop);
    if (x == NULL)
        return NULL;

    x->conn = conn;
    x->connection = connection;
    /* One byte past the limit is enough for the guard to see that it is past. */
    x->request.target =
        arena_dup(x->view.arena, str_make(target, strnlen(target, HTTP_TARGET_BYTES_MAX + 1)));
    conn->exchange = x;
    daemon->loop->in_flight++;
    if (conn->served)
        deadline_set(conn, http_loop_now_us(daemon->loop) + HTTP_HEADER_DEADLINE_S * US_PER_S);
    return x;
}

/* ---- replies ------------------------------------------------------------------------------ */

static enum MHD_Result exchange_send(struct http_exchange *x, bool close)
{
    struct MHD_Response *response;
    enum MHD_Result queued;

    x->conn->taken_known = false;
    deadline_set(x->conn, http_loop_now_us(x->loop) + HTTP_REPLY_LOOK_S * US_PER_S);
    /*
     * Clients that asked for 100 Continue and have nothing to send got none; older ones then take
     * the next answer for this one's (botocore 1.29). There is no next one on this connection.
     */
    close = close || x->loop->stopping || x->request.expects_in_vain;
    response = reply_response(x, REPLY_MEMORY_STAYS, close);
    if (response == NULL)
        return MHD_NO;
    queued = MHD_queue_response(x->connection, (unsigned)x->reply.status, response);
    MHD_destroy_response(response);
    if (queued == MHD_YES)
        x->state = EXCHANGE_REPLIED;
    return queued;
}

/* From now on a client must keep up the least rate. */
static void exchange_body_begins(struct http_exchange *x)
{
    bool has_body = x->request.has_body;

    x->at_head = false;
    x->body_from_us = has_body ? http_loop_now_us(x->loop) : 0;
    deadline_set(x->conn, has_body ? x->body_from_us + HTTP_BODY_GRACE_S * US_PER_S : HTTP_NEVER);
}

/* The reply is known before the body was read. */
static enum MHD_Result exchange_reply_early(struct http_exchange *x)
{
    const struct http_request *request = &x->request;

    if (!request->has_body ||
        (!request->expects_continue && request->has_content_length && !x->reply.close &&
         request->content_length <= HTTP_DRAIN_BYTES_MAX)) {
        exchange_body_begins(x);
        x->state = EXCHANGE_DRAIN;
        x->drain_max = HTTP_DRAIN_BYTES_MAX;
        return MHD_YES;
    }
    x->conn->linger = true;
    return exchange_send(x, /* close= */ true);
}

static enum MHD_Result exchange_refuse(struct http_exchange *x, int status, const char *why)
{
    const struct http_app *app = &x->loop->server->app;

    x->begun = true;
    app->on_refuse(app->context, &x->view, status, why);
    x->reply.close = true;
    if (x->reply.status == 0)
        x->reply.status = status;
    return exchange_reply_early(x);
}

/* No exchange could be made when the target came in. */
static enum MHD_Result exchange_lacking(struct http_daemon *daemon,
                                        struct MHD_Connection *connection)
{
    struct MHD_Response *response = refusal_response(daemon->loop, 503, "Out of memory.");
    enum MHD_Result queued;

    if (response == NULL)
        return MHD_NO;
    queued = MHD_queue_response(connection, 503, response);
    MHD_destroy_response(response);
    return queued;
}

/* ---- asking the application ---------------------------------------------------------------- */

static enum MHD_Result exchange_yield(struct http_exchange *x)
{
    x->state = EXCHANGE_YIELDED;
    MHD_suspend_connection(x->connection);
    http_loop_push_yielded(x->loop, x);
    return MHD_YES;
}

/* on_headers lets the body come. */
static enum MHD_Result exchange_continue(struct http_exchange *x)
{
    if (!x->at_head || x->loop->grace_over)
        return MHD_NO;
    exchange_body_begins(x);
    x->state = EXCHANGE_BODY;
    return MHD_YES;
}

/* Until there is an answer, or none as yet: then on_resume is asked when the exchange goes on. */
static enum MHD_Result exchange_ask(struct http_exchange *x, http_callback *callback)
{
    const struct http_app *app = &x->loop->server->app;

    deadline_set(x->conn, HTTP_NEVER);
    for (;; callback = app->on_resume) {
        atomic_store_explicit(&x->wait, WAIT_NOT_YET, memory_order_relaxed);
        switch (callback(app->context, &x->view)) {
        case HTTP_CONTINUE:
            return exchange_continue(x);
        case HTTP_REPLY:
            return x->at_head ? exchange_reply_early(x) : exchange_send(x, false);
        case HTTP_YIELD:
            return exchange_yield(x);
        case HTTP_DROP:
            return MHD_NO;
        case HTTP_WAIT:
            break;
        }
        x->state = EXCHANGE_WAITING;
        if (exchange_suspend(x))
            return MHD_YES;
        http_timer_cancel(&x->timer);
    }
}

/* ---- phases ------------------------------------------------------------------------------- */

static enum MHD_Result exchange_headers(struct http_exchange *x, const char *method,
                                        const char *version)
{
    const struct http_app *app = &x->loop->server->app;
    struct fault why = { 0 };
    int status = 400;

    if (request_fill(x, method, version, &status, &why) != REQUEST_OK)
        return exchange_refuse(x, status, why.text);

    x->begun = true;
    x->at_head = true;
    return exchange_ask(x, app->on_headers);
}

static enum MHD_Result exchange_drain(struct http_exchange *x, size_t len)
{
    x->drained += len;
    return x->drained > x->drain_max ? MHD_NO : MHD_YES;
}

static enum MHD_Result exchange_body(struct http_exchange *x, const char *bytes, size_t len)
{
    const struct http_app *app = &x->loop->server->app;

    x->bytes_in += len;
    if (x->state == EXCHANGE_DRAIN)
        return exchange_drain(x, len);

    switch (app->on_body(app->context, &x->view, bytes, len)) {
    case HTTP_CONTINUE:
        return MHD_YES;
    case HTTP_REPLY:
        /* libmicrohttpd can not answer in mid-body: the rest is read to be able to say why. */
        x->state = EXCHANGE_DRAIN;
        x->drain_max = HTTP_SWALLOW_BYTES_MAX;
        if (x->request.has_content_length && x->request.content_length - x->bytes_in > x->drain_max)
            return MHD_NO;
        return MHD_YES;
    case HTTP_WAIT:
    case HTTP_YIELD:
    case HTTP_DROP:
        break;
    }
    return MHD_NO;
}

enum MHD_Result exchange_handle(void *context, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_len, void **exchange)
{
    const struct http_app *app = &((struct http_daemon *)context)->loop->server->app;
    struct http_exchange *x = *exchange;
    size_t len = *upload_len;

    (void)url;
    if (x == NULL)
        return exchange_lacking(context, connection);
    if (x->state == EXCHANGE_HEAD)
        return exchange_headers(x, method, version);
    if (len > 0) {
        *upload_len = 0;
        return exchange_body(x, upload, len);
    }
    if (x->state == EXCHANGE_WAITING || (x->state == EXCHANGE_YIELDED && !x->loop->grace_over))
        return exchange_ask(x, app->on_resume);
    if (x->loop->grace_over)
        return MHD_NO;
    return x->state == EXCHANGE_DRAIN ? exchange_send(x, false) : exchange_ask(x, app->on_end);
}

/* ---- end ---------------------------------------------------------------------------------- */

void exchange_completed(void *context, struct MHD_Connection *connection, void **exchange,
                        enum MHD_RequestTerminationCode why)
{
    struct http_daemon *daemon = context;
    const struct http_app *app = &daemon->loop->server->app;
    struct http_exchange *x = *exchange;
    struct http_conn *conn;
    bool completed;

    *exchange = NULL;
    if (x == NULL)
        return;

    http_timer_cancel(&x->timer);
    conn = x->conn;
    completed = why == MHD_REQUEST_TERMINATED_COMPLETED_OK && x->state == EXCHANGE_REPLIED;
    if (why == MHD_REQUEST_TERMINATED_WITH_ERROR)
        conn->linger = true;
    reply_close_stream(&x->reply);
    if (!completed && x->reply.body_kind != HTTP_BODY_STREAM)
        x->bytes_out = 0;
    if (x->begun)
        app->on_done(app->context, &x->view, completed, x->bytes_in, x->bytes_out);

    conn->exchange = NULL;
    if (conn->patient)
        (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                        HTTP_IDLE_TIMEOUT_S);
    conn->patient = false;
    conn->served = true;
    conn->made_way = false;
    conn->idle_from_us = http_loop_now_us(daemon->loop);
    deadline_set(conn,
                 conn->idle_from_us + (HTTP_IDLE_TIMEOUT_S + HTTP_HEADER_DEADLINE_S) * US_PER_S);
    daemon->loop->in_flight--;
    exchange_give_back(x);
}
