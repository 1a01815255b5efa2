/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: one thread, one epoll set over MHD's epoll descriptors and our wake-up.
 *
 * MHD's own epoll thread serves nobody while a full batch of 128 events keeps being ready; driven
 * from outside with a zero timeout it does not.
 *
 * (1) MHD is called by this thread only; others reach it through `resumed` and `wake_fd`.
 * (2) Nothing due, nothing to wait for: the thread sleeps without a timeout.
 */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "server/http/internal.h"

#define EVENTS_MAX 32
#define HOLD_OFF_US (US_PER_S / 10) /* between two tries to accept without free descriptors */

/* ---- one round ----------------------------------------------------------------------------- */

static void exchange_wake(struct http_loop *loop, struct http_exchange *x)
{
    x->next = NULL;
    loop->waiting--;
    http_timer_cancel(&x->timer);
    x->conn->daemon->ready = true;
    MHD_resume_connection(x->connection);
}

/* One in each round: what all others wait for it does not grow with their number. */
static void loop_resume_yielded(struct http_loop *loop)
{
    struct http_exchange *x = loop->yielded;

    if (x == NULL)
        return;
    loop->yielded = x->next;
    exchange_wake(loop, x);
}

static void loop_resume(struct http_loop *loop)
{
    struct http_exchange *newest;
    struct http_exchange *oldest = NULL;

    if (atomic_load_explicit(&loop->resumed, memory_order_relaxed) == NULL)
        return;
    newest = atomic_exchange_explicit(&loop->resumed, NULL, memory_order_acquire);
    while (newest != NULL) {
        struct http_exchange *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct http_exchange *x = oldest;

        oldest = x->next;
        exchange_wake(loop, x);
    }
}

static void daemon_watch(struct http_daemon *daemon, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = daemon };

    (void)epoll_ctl(daemon->loop->epoll_fd, EPOLL_CTL_MOD, daemon->epoll_fd, &event);
}

static void daemon_run(struct http_daemon *daemon)
{
    struct http_loop *loop = daemon->loop;

    loop->starved = false;
    (void)MHD_run(daemon->mhd);
    if (loop->starved) {
        /* The listen socket stays readable: look away for a moment instead of spinning. */
        daemon->held_off_us = http_loop_now_us(loop) + HOLD_OFF_US;
        daemon_watch(daemon, 0);
    }
}

static void daemon_schedule(struct http_daemon *daemon, int64_t now_us)
{
    uint64_t timeout_ms;

    /* MHD that was full listens again at the start of its next run, which nobody else asks for. */
    daemon->ready = daemon->freed;
    daemon->freed = false;
    daemon->due_us = HTTP_NEVER;
    if (MHD_get_timeout64(daemon->mhd, &timeout_ms) != MHD_YES)
        return;
    if (timeout_ms == 0)
        daemon->ready = true;
    else if (timeout_ms < INT64_MAX / 2000)
        daemon->due_us = now_us + (int64_t)timeout_ms * 1000;
}

static void loop_run_daemons(struct http_loop *loop, int64_t now_us)
{
    for (size_t i = 0; i < loop->server->listener_count; i++) {
        struct http_daemon *daemon = &loop->daemons[i];

        if (daemon->held_off_us != 0 && daemon->held_off_us <= now_us) {
            daemon->held_off_us = 0;
            daemon_watch(daemon, EPOLLIN);
        }
        if (!daemon->ready && daemon->due_us > now_us)
            continue;
        daemon_run(daemon);
        daemon_schedule(daemon, now_us);
    }
}

/* Milliseconds to sleep, -1 for ever. */
static int loop_sleep_ms(struct http_loop *loop, int64_t now_us)
{
    int64_t until_us = linger_check(loop, now_us);
    int64_t room_us = peers_check(loop, now_us);
    int64_t sleep_us;

    if (room_us < until_us)
        until_us = room_us;
    if (loop->yielded != NULL || atomic_load_explicit(&loop->resumed, memory_order_relaxed) != NULL)
        return 0;
    if (loop->check_at_us < until_us)
        until_us = loop->check_at_us;
    if (timers_next_us(loop) < until_us)
        until_us = timers_next_us(loop);
    if (loop->stopping && !loop->grace_over && loop->stop_deadline_us < until_us)
        until_us = loop->stop_deadline_us;
    for (size_t i = 0; i < loop->server->listener_count; i++) {
        const struct http_daemon *daemon = &loop->daemons[i];

        if (daemon->ready)
            return 0;
        if (daemon->due_us < until_us)
            until_us = daemon->due_us;
        if (daemon->held_off_us != 0 && daemon->held_off_us < until_us)
            until_us = daemon->held_off_us;
    }
    sleep_us = clock_sleep_us(loop->server->clock, now_us, until_us);
    if (sleep_us == INT64_MAX)
        return -1;
    if (sleep_us == 0)
        return 0;
    return (int)u64_min((uint64_t)sleep_us / 1000 + 1, 3600 * 1000);
}

static void loop_wait(struct http_loop *loop, int sleep_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, sleep_ms);

    for (int i = 0; i < count; i++) {
        enum http_watch *watch = events[i].data.ptr;
        uint64_t wakes;
        ssize_t got;

        switch (*watch) {
        case HTTP_WATCH_WAKE:
            got = read(loop->wake_fd, &wakes, sizeof(wakes));
            (void)got;
            break;
        case HTTP_WATCH_DAEMON:
            CONTAINER_OF(watch, struct http_daemon, watch)->ready = true;
            break;
        case HTTP_WATCH_PEER:
            http_conn_leaving(CONTAINER_OF(watch, struct http_conn, watch));
            break;
        case HTTP_WATCH_LINGER:
            linger_ready(loop, CONTAINER_OF(watch, struct http_linger, watch));
            break;
        }
    }
}

/* ---- stop ---------------------------------------------------------------------------------- */

static void loop_begin_stop(struct http_loop *loop, int64_t now_us)
{
    loop->stopping = true;
    loop->stop_deadline_us = now_us + (int64_t)atomic_load(&loop->server->grace_s) * US_PER_S;
    for (size_t i = 0; i < loop->server->listener_count; i++) {
        http_daemon_quiesce(&loop->daemons[i]);
        loop->daemons[i].ready = true;
    }
    /* What already arrived is still read and answered; then these connections end. */
    for (struct http_conn *conn = loop->conns; conn != NULL; conn = conn->next) {
        if (conn->exchange == NULL && conn->fd >= 0)
            (void)shutdown(conn->fd, SHUT_RD);
    }
}

/* Nobody waits for time to pass any more. */
static void loop_end_grace(struct http_loop *loop)
{
    loop->grace_over = true;
    for (struct http_conn *conn = loop->conns; conn != NULL; conn = conn->next) {
        if (conn->exchange != NULL && conn->exchange->timer.loop != NULL)
            http_resume(&conn->exchange->view);
    }
}

/* True when the loop may end. A suspended exchange is always waited for: MHD cannot drop it. */
static bool loop_stopped(struct http_loop *loop, int64_t now_us)
{
    if (!loop->stopping)
        return false;
    if (!loop->grace_over && now_us >= loop->stop_deadline_us)
        loop_end_grace(loop);
    return loop->waiting == 0 && (loop->in_flight == 0 || loop->grace_over);
}

/* ---- thread --------------------------------------------------------------------------------- */

static bool loop_open(struct http_loop *loop, struct fault *fault)
{
    struct http_server *server = loop->server;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = &loop->watch };

    loop->check_at_us = HTTP_NEVER;
    loop->checked_us = http_loop_now_us(loop);
    linger_open(loop);
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0)
        return fault_errno_false(fault, "watch the wake-up descriptor");

    loop->context = server->app.on_loop_start(server->app.context);
    if (loop->context == NULL)
        return fault_false(fault, "event loop %u did not start", loop->index);
    loop->spare = exchange_take(loop);
    if (loop->spare == NULL)
        return fault_false(fault, "out of memory");
    for (size_t i = 0; i < server->listener_count; i++) {
        if (!http_daemon_start(loop, &loop->daemons[i], &server->listeners[i], fault))
            return false;
    }
    return true;
}

static void loop_close(struct http_loop *loop)
{
    struct http_server *server = loop->server;

    for (size_t i = 0; i < server->listener_count; i++)
        http_daemon_stop(&loop->daemons[i]);
    linger_close_all(loop);
    if (loop->spare != NULL)
        exchange_give_back(loop->spare);
    loop->spare = NULL;
    exchange_pool_free(loop);
    if (loop->context != NULL)
        server->app.on_loop_stop(server->app.context, loop->context);
}

static void loop_report(struct http_loop *loop, bool opened, const struct fault *fault)
{
    struct http_server *server = loop->server;

    (void)pthread_mutex_lock(&server->start_lock);
    server->started++;
    if (!opened && !server->start_failed) {
        server->start_failed = true;
        server->start_fault = *fault;
    }
    (void)pthread_cond_broadcast(&server->start_changed);
    (void)pthread_mutex_unlock(&server->start_lock);
}

static void loop_serve(struct http_loop *loop)
{
    for (;;) {
        int64_t now_us = http_loop_now_us(loop);

        if (!loop->stopping && atomic_load_explicit(&loop->server->stop, memory_order_acquire))
            loop_begin_stop(loop, now_us);
        timers_run(loop, now_us);
        loop_resume(loop);
        loop_resume_yielded(loop);
        loop_run_daemons(loop, now_us);
        http_conns_check_leaving(loop);
        deadlines_check(loop, now_us);
        if (loop->server->app.on_round_end != NULL)
            loop->server->app.on_round_end(loop->server->app.context, loop->context);
        if (loop_stopped(loop, now_us))
            return;
        loop_wait(loop, loop_sleep_ms(loop, now_us));
    }
}

void *http_loop_main(void *context)
{
    struct http_loop *loop = context;
    struct fault fault = { 0 };
    sigset_t signals;
    bool opened;

    /* Signals are main's; a peer that left is an error code, never SIGPIPE. */
    (void)sigfillset(&signals);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    http_loop_current = loop;

    opened = loop_open(loop, &fault);
    loop_report(loop, opened, &fault);
    if (opened)
        loop_serve(loop);
    loop_close(loop);
    http_loop_current = NULL;
    return NULL;
}
