/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server: its loops started and stopped.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "server/http/internal.h"

#define LOOPS_MAX 16
#define CONNECTIONS_DEFAULT 4096
#define ARENA_FIRST_DEFAULT (16 * 1024)
#define ARENA_LIMIT_DEFAULT (8 * 1024 * 1024)

const char *http_library_version(void)
{
    return MHD_get_version();
}

const char *http_library_problem(void)
{
    if (MHD_get_version_bin() < HTTP_LIBRARY_VERSION_MIN)
        return "the libmicrohttpd found at run time is older than 1.0.10 and lets request "
               "smuggling through";
    if (MHD_is_feature_supported(MHD_FEATURE_EPOLL) != MHD_YES)
        return "the libmicrohttpd found at run time was built without epoll";
    return NULL;
}

static unsigned loops_wanted(const struct http_options *options)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (options->loop_count != 0)
        return options->loop_count < LOOPS_MAX ? options->loop_count : LOOPS_MAX;
    if (cores < 1)
        return 1;
    return cores < LOOPS_MAX ? (unsigned)cores : LOOPS_MAX;
}

static void options_fill(struct http_server *server, const struct http_options *options)
{
    unsigned per_loop;

    server->options = *options;
    if (server->options.connections_max == 0)
        server->options.connections_max = CONNECTIONS_DEFAULT;
    if (server->options.arena_first_bytes == 0)
        server->options.arena_first_bytes = ARENA_FIRST_DEFAULT;
    if (server->options.arena_limit_bytes == 0)
        server->options.arena_limit_bytes = ARENA_LIMIT_DEFAULT;

    /* Rounded up: the sum over loops and listeners is at least what was asked for. */
    per_loop = (server->options.connections_max + server->loop_count - 1) / server->loop_count;
    server->connections_per_daemon = per_loop > 0 ? per_loop : 1;
}

static void listeners_close(struct http_listener *listeners, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fd_close(&listeners[i].fd);
}

/* What the loops wait for may be due. */
static void clock_moved(void *context)
{
    struct http_server *server = context;

    for (unsigned i = 0; i < server->loop_count; i++)
        http_loop_wake(&server->loops[i]);
}

/* Threads are gone. */
static void server_free(struct http_server *server)
{
    if (server->watcher.moved != NULL)
        clock_unwatch(server->clock, &server->watcher);
    for (unsigned i = 0; server->loops != NULL && i < server->loop_count; i++) {
        fd_close(&server->loops[i].epoll_fd);
        fd_close(&server->loops[i].wake_fd);
        mem_free(server->loops[i].daemons);
    }
    mem_free(server->loops);
    if (server->listeners != NULL)
        listeners_close(server->listeners, server->listener_count);
    mem_free(server->listeners);
    http_tls_close(server->tls);
    (void)pthread_mutex_destroy(&server->start_lock);
    (void)pthread_cond_destroy(&server->start_changed);
    clock_free(&server->own_clock);
    mem_free(server);
}

static bool loops_prepare(struct http_server *server)
{
    server->loops = mem_zalloc(server->loop_count * sizeof(*server->loops));
    if (server->loops == NULL)
        return false;
    for (unsigned i = 0; i < server->loop_count; i++) {
        server->loops[i].epoll_fd = -1;
        server->loops[i].wake_fd = -1;
    }
    for (unsigned i = 0; i < server->loop_count; i++) {
        struct http_loop *loop = &server->loops[i];

        loop->watch = HTTP_WATCH_WAKE;
        loop->server = server;
        loop->index = i;
        atomic_init(&loop->resumed, NULL);
        loop->daemons = mem_zalloc(server->listener_count * sizeof(*loop->daemons));
        loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (loop->daemons == NULL || loop->epoll_fd < 0 || loop->wake_fd < 0)
            return false;
    }
    return true;
}

static bool tls_prepare(struct http_server *server, struct fault *fault)
{
    bool wanted = false;

    for (size_t i = 0; i < server->listener_count; i++)
        wanted = wanted || server->listeners[i].tls;
    if (!wanted)
        return true;
    server->tls = http_tls_open(server->options.tls_cert_path, server->options.tls_key_path, fault);
    return server->tls != NULL;
}

static void loops_join(struct http_server *server, unsigned count)
{
    atomic_store_explicit(&server->stop, true, memory_order_release);
    for (unsigned i = 0; i < count; i++)
        http_loop_wake(&server->loops[i]);
    for (unsigned i = 0; i < count; i++)
        (void)pthread_join(server->loops[i].thread, NULL);
}

static bool loops_start(struct http_server *server, struct fault *fault)
{
    unsigned created = 0;
    bool failed;

    while (created < server->loop_count &&
           pthread_create(&server->loops[created].thread, NULL, http_loop_main,
                          &server->loops[created]) == 0)
        created++;

    (void)pthread_mutex_lock(&server->start_lock);
    while (server->started < created)
        (void)pthread_cond_wait(&server->start_changed, &server->start_lock);
    failed = server->start_failed || created < server->loop_count;
    if (server->start_failed)
        fault_note(fault, "%s", server->start_fault.text);
    else if (failed)
        fault_note(fault, "could not create the threads of the event loops");
    (void)pthread_mutex_unlock(&server->start_lock);

    if (failed)
        loops_join(server, created);
    return !failed;
}

bool http_server_start(const struct http_options *options, struct http_listener *listeners,
                       size_t listener_count, const struct http_app *app,
                       struct http_server **ret_server, struct fault *fault)
{
    struct http_server *server = mem_zalloc(sizeof(*server));

    if (server == NULL) {
        listeners_close(listeners, listener_count);
        return fault_false(fault, "out of memory");
    }
    (void)pthread_mutex_init(&server->start_lock, NULL);
    (void)pthread_cond_init(&server->start_changed, NULL);
    atomic_init(&server->stop, false);
    atomic_init(&server->grace_s, 0);
    server->app = *app;
    clock_init(&server->own_clock);
    server->clock = app->clock != NULL ? app->clock : &server->own_clock;
    server->loop_count = loops_wanted(options);
    options_fill(server, options);
    server->peer_seed = random_u64();

    server->listeners = mem_zalloc(listener_count * sizeof(*listeners) + 1);
    if (server->listeners == NULL) {
        listeners_close(listeners, listener_count);
        server_free(server);
        return fault_false(fault, "out of memory");
    }
    memcpy(server->listeners, listeners, listener_count * sizeof(*listeners));
    server->listener_count = listener_count;

    if (!loops_prepare(server)) {
        fault_errno_note(fault, "prepare %u event loops", server->loop_count);
        server_free(server);
        return false;
    }
    server->watcher = (struct clock_watcher){ .moved = clock_moved, .context = server };
    clock_watch(server->clock, &server->watcher);
    if (!tls_prepare(server, fault) || !loops_start(server, fault)) {
        server_free(server);
        return false;
    }
    *ret_server = server;
    return true;
}

bool http_server_reload_tls(struct http_server *server, struct fault *fault)
{
    return server->tls == NULL || http_tls_reload(server->tls, fault);
}

void http_server_wake(struct http_server *server)
{
    for (unsigned i = 0; i < server->loop_count; i++)
        http_loop_wake(&server->loops[i]);
}

void http_server_stop(struct http_server *server, unsigned grace_s)
{
    if (server == NULL)
        return;
    /* Our own copies close first: once the loops closed theirs nobody can connect. */
    listeners_close(server->listeners, server->listener_count);
    atomic_store(&server->grace_s, grace_s);
    loops_join(server, server->loop_count);
    server_free(server);
}
