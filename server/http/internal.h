/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of server/http share: loops, connections and exchanges.
 *
 * (1) All of this belongs to one loop thread; only http_loop.resumed, http_exchange.wait and
 *     http_server.stop are touched by others, and they are atomic.
 * (2) A connection lives from MHD's "started" to its "closed" notification, an exchange from the
 *     request line (exchange_begin_target) to MHD's "completed" notification.
 */
#ifndef SERVER_HTTP_INTERNAL_H
#define SERVER_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "server/http/http.h"

#define HTTP_LIBRARY_VERSION_MIN 0x01001000 /* 1.0.10: older ones let request smuggling through */
#if MHD_VERSION < HTTP_LIBRARY_VERSION_MIN
#error "libmicrohttpd >= 1.0.10 is required"
#endif

/*
 * MHD's memory per connection: request head, its index, read buffer, reply head. A library
 * without our patch clears all of it between requests, and so keeps it resident: 256 connections
 * cost 12 MiB then. Room: HTTP_HEAD_BYTES_MAX + 72 bytes per field and parameter + 8 KiB reply head.
 */
#define HTTP_CONNECTION_POOL_BYTES (48 * 1024)
#define HTTP_STREAM_BLOCK_BYTES (128 * 1024) /* per body on its way: memory against calls */
#define HTTP_EXCHANGES_KEPT_MAX 128          /* per loop, ready for reuse */
#define HTTP_LINGER_MAX 64                   /* closing sockets per loop that are still read */
#define HTTP_LINGER_S 5
#define HTTP_LINGER_BYTES_MAX (64 * 1024 * 1024)
#define HTTP_PEER_TEXT_MAX 64
#define HTTP_NEVER INT64_MAX

struct http_exchange;

/* Tells what an event of the loop's epoll set is about; first member of what is watched. */
enum http_watch { HTTP_WATCH_WAKE, HTTP_WATCH_DAEMON, HTTP_WATCH_LINGER, HTTP_WATCH_PEER };

struct http_daemon {
    enum http_watch watch;
    struct http_loop *loop;
    struct MHD_Daemon *mhd;
    int epoll_fd;  /* MHD's */
    int listen_fd; /* our copy; -1 once stopping */
    bool tls;
    bool ready;          /* an event or a resumption asks for MHD_run */
    bool freed;          /* a connection was closed in this run */
    int64_t due_us;      /* monotonic: MHD_run by then at the latest */
    int64_t held_off_us; /* out of descriptors: not polled before this; 0: polled */
    unsigned conn_count;
    int64_t way_at_us; /* peers.c: not before */
};

struct http_linger {
    enum http_watch watch;
    int fd; /* -1: free slot */
    int64_t deadline_us;
    uint64_t bytes;
};

struct http_conn {
    enum http_watch watch;
    struct http_conn *prev, *next;
    struct http_daemon *daemon;
    struct http_exchange *exchange; /* NULL between requests */
    int fd;
    int64_t deadline_us; /* HTTP_NEVER: none */
    bool served;         /* a request was completed on it */
    bool linger;         /* unread bytes may follow: read on after closing */
    bool leaving;        /* the peer will send nothing more */
    bool patient;        /* the library's idle timeout is off: the reply's windows count */
    bool taken_known;    /* since the reply began */
    bool held;           /* the reply itself made the peer wait in this window */
    bool made_way;       /* asked to go, see peers.c */
    uint64_t peer_key;
    int64_t idle_from_us;
    uint64_t taken; /* bytes that the peer had confirmed when a window began */
    size_t peer_len;
    char peer[HTTP_PEER_TEXT_MAX];
};

enum exchange_state {
    EXCHANGE_HEAD,    /* the target is known, headers are coming */
    EXCHANGE_BODY,    /* on_headers said go on */
    EXCHANGE_DRAIN,   /* reply is decided; the rest of the body is read and forgotten */
    EXCHANGE_WAITING, /* suspended until http_resume */
    EXCHANGE_YIELDED, /* suspended until the others were served */
    EXCHANGE_REPLIED,
};

enum exchange_wait { WAIT_NOT_YET, WAIT_SUSPENDED, WAIT_RESUMED };

struct http_exchange {
    struct http_exchange_view view;
    struct http_request request;
    struct http_conn *conn;
    struct MHD_Connection *connection;
    struct http_loop *loop;
    struct http_exchange *next; /* in the resume list, the yielded or the free list */
    atomic_int wait;
    enum exchange_state state;
    bool begun;              /* the application knows it: on_done is due */
    bool at_head;            /* what on_headers was asked is not answered yet */
    struct http_timer timer; /* http_resume_after */
    uint64_t bytes_in, bytes_out, drained, drain_max;
    int64_t body_from_us;
    struct http_reply reply;
};

struct http_loop {
    enum http_watch watch;
    struct http_server *server;
    pthread_t thread;
    unsigned index;
    int epoll_fd, wake_fd;
    struct http_daemon *daemons;
    _Atomic(struct http_exchange *) resumed;
    struct http_exchange *yielded, *yielded_last; /* in turn; this thread's alone */
    struct http_conn *conns;
    struct http_exchange *free_exchanges;
    unsigned free_count;
    struct http_exchange *spare; /* for refusals without an exchange of their own */
    unsigned in_flight, waiting, leaving;
    int64_t check_at_us, checked_us; /* deadlines */
    struct http_timer *timers;       /* the next that is due, over all others */
    uint64_t timer_turns;            /* timers set so far */
    struct http_linger lingers[HTTP_LINGER_MAX];
    unsigned linger_count;
    bool stopping;
    bool grace_over;
    bool starved;             /* MHD met EMFILE in this round */
    unsigned library_status;  /* of the refusal MHD is about to make */
    int64_t stop_deadline_us; /* while stopping */
    void *context;
};

struct http_tls;

struct http_server {
    struct http_app app;
    struct http_options options;
    struct clock *clock; /* the application's, or own_clock */
    struct clock own_clock;
    struct clock_watcher watcher;
    struct http_listener *listeners;
    size_t listener_count;
    struct http_loop *loops;
    unsigned loop_count;
    unsigned connections_per_daemon;
    uint64_t peer_seed;
    struct http_tls *tls;
    atomic_bool stop;
    atomic_uint grace_s;
    pthread_mutex_t start_lock;
    pthread_cond_t start_changed;
    unsigned started; /* loops that reported */
    bool start_failed;
    struct fault start_fault;
};

/* The monotonic hand of the application's clock. */
static inline int64_t http_loop_now_us(const struct http_loop *loop)
{
    return clock_monotonic_us(loop->server->clock);
}

/* loop.c */
extern _Thread_local struct http_loop *http_loop_current;
void *http_loop_main(void *context);
void http_loop_wake(struct http_loop *loop);
void http_loop_push_resumed(struct http_loop *loop, struct http_exchange *x);
void http_loop_push_yielded(struct http_loop *loop, struct http_exchange *x);

/* daemon.c */
MUST_CHECK bool http_daemon_start(struct http_loop *loop, struct http_daemon *daemon,
                                  const struct http_listener *listener, struct fault *fault);
void http_daemon_quiesce(struct http_daemon *daemon);
void http_daemon_stop(struct http_daemon *daemon);

/* connection.c */
void http_conn_notify(void *daemon, struct MHD_Connection *connection, void **context,
                      enum MHD_ConnectionNotificationCode what);
void http_conn_leaving(struct http_conn *conn);
void http_conns_check_leaving(struct http_loop *loop);

/* exchange.c */
void *exchange_begin_target(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_handle(void *context, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_len, void **exchange);
void exchange_completed(void *context, struct MHD_Connection *connection, void **exchange,
                        enum MHD_RequestTerminationCode why);

/* Suspend it unless http_resume came first (false). */
bool exchange_suspend(struct http_exchange *x);

/* exchange_pool.c */
MUST_CHECK struct http_exchange *exchange_take(struct http_loop *loop); /* NULL: no memory */
void exchange_give_back(struct http_exchange *x);
void exchange_pool_free(struct http_loop *loop);

/* request.c */
enum request_result { REQUEST_OK, REQUEST_REFUSED };
MUST_CHECK enum request_result request_fill(struct http_exchange *x, const char *method,
                                            const char *version, int *ret_status,
                                            struct fault *why);

/* reply.c: NULL when there is no memory; the reply's body is handed over in any case. */
enum reply_memory { REPLY_MEMORY_STAYS, REPLY_MEMORY_COPY };
MUST_CHECK struct MHD_Response *reply_response(struct http_exchange *x, enum reply_memory memory,
                                               bool close);
void reply_close_stream(struct http_reply *reply);

/* refusal.c */
MUST_CHECK struct MHD_Response *refusal_response(struct http_loop *loop, int status,
                                                 const char *why);
void refusal_log(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* deadlines.c */
void deadline_set(struct http_conn *conn, int64_t deadline_us);
void deadlines_check(struct http_loop *loop, int64_t now_us);

/* timers.c */
int64_t timers_next_us(const struct http_loop *loop); /* HTTP_NEVER: none */
/* Call what is due. */
void timers_run(struct http_loop *loop, int64_t now_us);

/* peers.c */
struct sockaddr;
/* Equal for what counts as one peer. */
uint64_t peer_key(const struct http_server *server, const struct sockaddr *address);
int64_t peers_check(struct http_loop *loop, int64_t now_us); /* when to look again */

/* linger.c */
void linger_open(struct http_loop *loop);
void linger_adopt(struct http_loop *loop, int fd);
void linger_ready(struct http_loop *loop, struct http_linger *linger);
int64_t linger_check(struct http_loop *loop, int64_t now_us); /* next deadline */
void linger_close_all(struct http_loop *loop);

/* tls.c */
MUST_CHECK struct http_tls *http_tls_open(struct str cert_path, struct str key_path,
                                          struct fault *fault);
MUST_CHECK bool http_tls_reload(struct http_tls *tls, struct fault *fault);
void http_tls_close(struct http_tls *tls);
void http_tls_options(struct MHD_OptionItem options[2]);
/* 2 of TLS 1.2; 0: unknown. */
uint8_t http_tls_minor(struct MHD_Connection *connection);

#endif
