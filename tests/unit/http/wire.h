/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of server/http: a real server with an application that echoes, and raw sockets.
 */
#ifndef TESTS_UNIT_HTTP_WIRE_H
#define TESTS_UNIT_HTTP_WIRE_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/http/http.h"

/*
 * The application, by path:
 *   /hello        200 "hello"                     /echo     the body
 *   /refuse       403 before the body             /midway   409 at the first piece of body
 *   /wait         waits for the worker thread     /now      http_resume before HTTP_WAIT
 *   /file         10 bytes from offset 5          /stream   300000 bytes, length known
 *   /chunked      300000 bytes, length unknown    /big      5 GiB announced to HEAD
 *   /unchanged    304 announcing 77               /nothing  204
 *   /buffer       "buffer" in a struct buf        /drop     no answer
 *   /headers      one empty and one long header   /count    decimal number of header fields
 *   /until        yields until a /hello was asked  /turns    WIRE_TURNS turns with WIRE_TURNERS others
 */
#define WIRE_TURNERS 3
#define WIRE_TURNS 50

struct wire_server {
    struct http_server *http;
    struct clock clock;
    char url[160];
    unsigned port;
    char directory[64];
    pthread_t worker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_exchange_view *waiting[1024];
    size_t waiting_count;
    bool worker_holds; /* resumptions are kept back */
    bool worker_stops;
    atomic_uint rounds; /* of all loops */
    atomic_uint begun, done, completed, refused, loops;
    atomic_uint continued; /* on_headers that let the body come */
    atomic_uint hellos;    /* /hello asked for */
    atomic_uint yields;    /* HTTP_YIELD given */
    unsigned turners;      /* of one loop: /turns that have come */
    atomic_uint turn_count;
    unsigned char turns[WIRE_TURNERS * WIRE_TURNS]; /* whose they were, once all had come */
};

struct wire_server *wire_start(const char *listen, unsigned loops);
struct wire_server *wire_start_limited(const char *listen, unsigned loops,
                                       unsigned connections_max);
/* change: other callbacks than wire's own; they count begun and done. */
struct wire_server *wire_start_changed(const char *listen, unsigned loops, unsigned connections_max,
                                       void (*change)(struct http_app *app));
/* From a callback: HTTP_WAIT until the worker thread resumes it. */
enum http_next wire_wait(struct wire_server *server, struct http_exchange_view *view);
/* Until the counter is that high. Asserts that it happens within WIRE_PATIENCE_S. */
#define WIRE_PATIENCE_S 20
void wire_await(const atomic_uint *counter, unsigned value);
/* Asserts that every exchange that began was done. */
void wire_stop(struct wire_server *server, unsigned grace_s);
void wire_hold(struct wire_server *server, bool hold);

int wire_connect(const struct wire_server *server);
bool wire_connect_fd(const struct wire_server *server, int fd); /* a socket of the right family */
void wire_send(int fd, const char *bytes, size_t len);
void wire_send_text(int fd, const char *text);

struct wire_reply {
    int status; /* 0: none, the connection ended */
    char head[8192];
    char *body;
    size_t body_len;
};

/* One reply; head_only for HEAD. Replies follow each other exactly on a connection. */
struct wire_reply wire_receive(int fd, bool head_only);
void wire_reply_free(struct wire_reply *reply);
bool wire_head_has(const struct wire_reply *reply, const char *text); /* case-insensitive */
/* The peer closed and sent nothing more. */
bool wire_closed(int fd);

/* Connect, send, read one reply, close; the status. */
int wire_once(const struct wire_server *server, const char *request);

#endif
