/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One MHD daemon: a listen socket as seen by one loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "base/file.h"
#include "server/http/internal.h"

/* The target is taken raw from the log callback; MHD's own decoding is never looked at. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static struct MHD_Daemon *mhd_start(struct http_daemon *daemon)
{
    struct http_server *server = daemon->loop->server;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     MHD_USE_NO_THREAD_SAFETY | (daemon->tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_LISTEN_SOCKET, daemon->listen_fd, NULL },
        { MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)server->connections_per_daemon, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_TIMEOUT_S, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_CONNECTION_POOL_BYTES, NULL },
        { MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)exchange_begin_target, daemon },
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)exchange_completed, daemon },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)http_conn_notify, daemon },
        { MHD_OPTION_END, 0, NULL }, /* TLS fills two */
        { MHD_OPTION_END, 0, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    if (daemon->tls)
        http_tls_options(&options[COUNT_OF(options) - 3]);
    return MHD_start_daemon(flags, 0, NULL, NULL, exchange_handle, daemon,
                            /* first, so that it hears about the others */
                            MHD_OPTION_EXTERNAL_LOGGER, refusal_log, daemon->loop, MHD_OPTION_ARRAY,
                            options, MHD_OPTION_END);
}

bool http_daemon_start(struct http_loop *loop, struct http_daemon *daemon,
                       const struct http_listener *listener, struct fault *fault)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = daemon };
    const union MHD_DaemonInfo *info;

    daemon->watch = HTTP_WATCH_DAEMON;
    daemon->loop = loop;
    daemon->tls = listener->tls;
    daemon->ready = true;
    daemon->due_us = HTTP_NEVER;
    daemon->listen_fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
    if (daemon->listen_fd < 0)
        return fault_errno_false(fault, "duplicate the socket of %s", listener->url);

    daemon->mhd = mhd_start(daemon);
    if (daemon->mhd == NULL) {
        fd_close(&daemon->listen_fd);
        return fault_false(fault, "libmicrohttpd did not start on %s", listener->url);
    }
    info = MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    daemon->epoll_fd = info != NULL ? info->epoll_fd : -1;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, daemon->epoll_fd, &event) != 0)
        return fault_errno_false(fault, "watch %s", listener->url);
    return true;
}

void http_daemon_quiesce(struct http_daemon *daemon)
{
    if (daemon->listen_fd < 0)
        return;
    (void)MHD_quiesce_daemon(daemon->mhd);
    fd_close(&daemon->listen_fd);
}

void http_daemon_stop(struct http_daemon *daemon)
{
    if (daemon->mhd == NULL)
        return;
    http_daemon_quiesce(daemon);
    MHD_stop_daemon(daemon->mhd);
    daemon->mhd = NULL;
}
