/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP for the server: exchanges in, replies out. The only folder that sees libmicrohttpd.
 *
 * One event loop per thread, each with its own MHD daemon per listen socket, driven by us (poll on
 * MHD's epoll descriptors and on an eventfd). An exchange belongs to one loop thread for life;
 * other threads only call http_resume.
 *
 *   headers --on_headers--> body --on_body*--> end --on_end--> replied | waiting
 *        \-> waiting --http_resume--> on_resume --> body | replied | waiting
 *                 \--refused (reply now or after draining)          waiting --http_resume--> on_resume
 *                                                                  waiting --(HTTP_YIELD)-> on_resume
 *   always last: on_done (arena is reset after it)
 *
 * The application sees requests whose framing was already judged (guard.c): one Host, one
 * Content-Length or chunked, origin-form or absolute-form target, names are tokens, values without control bytes.
 */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text/buf.h"

/* ---- limits (each has a test at the maximum and one past it) ---------------------------- */

#define HTTP_HEADERS_MAX 100        /* fields in a request */
#define HTTP_HEADER_BYTES_MAX 8192  /* one field: name + value */
#define HTTP_TARGET_BYTES_MAX 16384 /* request-target */
#define HTTP_QUERY_PARAMS_MAX 64
#define HTTP_HEADER_DEADLINE_S 15 /* from the first byte seen to the end of the headers */
#define HTTP_IDLE_TIMEOUT_S 60
#define HTTP_BODY_GRACE_S 30               /* then the body must keep up HTTP_BODY_RATE_MIN */
#define HTTP_BODY_RATE_MIN 1024            /* bytes per second, averaged since the headers */
#define HTTP_REPLY_LOOK_S 30               /* then a reply that is not sent is looked at */
#define HTTP_REPLY_WINDOW_S 60             /* of a reply that lasts longer, each must see */
#define HTTP_REPLY_RATE_MIN 1024           /* so many bytes per second taken by the peer */
#define HTTP_DRAIN_BYTES_MAX (1024 * 1024) /* of a refused body that are read to be polite */
#define HTTP_SWALLOW_BYTES_MAX (64 * 1024 * 1024) /* of a body that went wrong on its way */
/* All that one request can have stored, in its head and its query, and what we add. */
#define HTTP_REPLY_HEADERS_MAX (HTTP_HEADERS_MAX + HTTP_QUERY_PARAMS_MAX + 48)
#define HTTP_READ_LATER INT64_MIN /* from http_reply.read: when http_resume was called, ask again */
#define HTTP_LENGTH_UNKNOWN UINT64_MAX /* http_reply.length of a STREAM: sent chunked */

/* ---- request ------------------------------------------------------------------------------ */

struct http_field {
    struct str name;  /* as received */
    struct str value; /* trimmed; bytes >= 0x80 possible, no control bytes but HT */
};

/* One query parameter, in the order received. */
struct http_param {
    struct str raw_name, raw_value; /* still percent-encoded */
    struct str name, value;         /* decoded once; '+' is a blank */
    bool has_equals;                /* "k=" against "k" */
};

struct http_request {
    struct str method;
    struct str target;    /* request-target as received */
    struct str raw_path;  /* up to '?', still encoded, starts with '/' (or is "*"); no authority */
    struct str raw_query; /* after '?'; STR_NONE without '?' */
    struct http_param *params;
    size_t param_count;
    struct http_field *fields;
    size_t field_count;
    struct str host; /* the target's authority, else the Host field's value */
    bool http_1_0;
    bool head;
    bool tls;
    uint8_t tls_minor; /* of TLS 1.x; 0: unknown, or no TLS */
    bool expects_continue;
    bool expects_in_vain; /* Expect: 100-continue and no body to continue with */
    bool has_body;        /* Content-Length > 0 or chunked */
    bool chunked;
    bool has_content_length;
    uint64_t content_length;
    struct str peer; /* "127.0.0.1:1234", "[::1]:1234" or "unix" */
};

/* First field of that name (case-insensitive); STR_NONE when absent. */
struct str http_header(const struct http_request *request, struct str name);
/* How many fields of that name. */
size_t http_header_count(const struct http_request *request, struct str name);
/* First parameter of that decoded name; NULL when absent. */
const struct http_param *http_param(const struct http_request *request, struct str name);

/*
 * Split and decode a request-target into the request (raw_path, raw_query, params).
 *
 * Pure; used by the loop and by fuzzing. An absolute-form target sets the request's host, and its
 * scheme has to be one that this connection (tls) serves. False: neither that nor origin-form, a bad
 * escape or %00 in the path or a parameter, too many parameters, no memory; fault says which.
 */
MUST_CHECK bool http_target_parse(struct str target, struct arena *arena,
                                  struct http_request *request, struct fault *fault);

/* ---- reply -------------------------------------------------------------------------------- */

enum http_body_kind {
    HTTP_BODY_EMPTY = 0,
    HTTP_BODY_MEMORY, /* bytes in the exchange's arena (or static) */
    HTTP_BODY_BUFFER, /* a struct buf the reply takes over and frees */
    HTTP_BODY_FILE,   /* descriptor the reply takes over; sendfile */
    HTTP_BODY_STREAM, /* pulled in order by `read` */
};

struct http_reply {
    int status;
    struct http_field fields[HTTP_REPLY_HEADERS_MAX];
    size_t field_count;
    bool incomplete; /* a header did not fit: it must not go out like this */
    bool close;      /* end the connection after this reply */
    enum http_body_kind body_kind;
    struct str memory;
    struct buf buffer;
    int fd;
    uint64_t fd_offset;
    uint64_t length; /* FILE, STREAM; also the Content-Length announced to HEAD */
    int64_t (*read)(void *context, void *out,
                    size_t max);         /* > 0 bytes, 0 end, HTTP_READ_LATER, else < 0: drop */
    void (*close_stream)(void *context); /* called once, after the last read or sent byte */
    void *stream;
    bool length_only; /* EMPTY body but announce `length` (HEAD, 304) */
};

/*
 * Add a header; name and value must outlive the exchange (arena or static). Values with control
 * characters but the tab are refused (false), as is one past HTTP_REPLY_HEADERS_MAX, which
 * leaves the reply incomplete.
 */
bool http_reply_header(struct http_reply *reply, struct str name, struct str value);
/* Forget headers and body (closing what it owns), keep nothing. */
void http_reply_reset(struct http_reply *reply);

/* ---- application -------------------------------------------------------------------------- */

struct http_exchange; /* opaque to the application but for these */

struct http_exchange_view {
    struct arena *arena;
    struct http_request *request;
    struct http_reply *reply;
    void *loop_context; /* what on_loop_start returned for this loop */
    void *user;         /* the application's, NULL at first */
};

/* Embedded first in struct http_exchange, so a pointer to one is a pointer to the other. */

enum http_next {
    HTTP_CONTINUE, /* on_headers and an on_resume that follows it: take the body (sends 100 when
                      expected). on_body: go on */
    HTTP_REPLY,    /* reply is filled: send it (on_headers and an on_resume that follows it: without
                      reading the body, or after draining it when the client did not say Expect
                      and it is small) */
    HTTP_WAIT,     /* not from on_body: http_resume will be called, then on_resume is */
    HTTP_YIELD,    /* not from on_body: serve the others once, then on_resume */
    HTTP_DROP,     /* close the connection without an answer */
};

typedef enum http_next http_callback(void *context, struct http_exchange_view *exchange);

struct http_app {
    void *context;
    /* What deadlines and timers go by; NULL: the system's. Outlives the server. */
    struct clock *clock;
    /* Per loop thread, called on it at start; NULL refuses to start. */
    void *(*on_loop_start)(void *context);
    void (*on_loop_stop)(void *context, void *loop_context);
    http_callback *on_headers;
    /* Never called with len 0. HTTP_REPLY here: the rest of the body is drained, then replied. */
    enum http_next (*on_body)(void *context, struct http_exchange_view *exchange, const void *bytes,
                              size_t len);
    http_callback *on_end;
    http_callback *on_resume;
    /* Fill a reply for a request refused by the guard or for lack of resources. status and text
     * are a suggestion (400 "..."; 501, 431, 414, 503). target may be unparsed. Where the library
     * itself refuses, the request is empty (method and target STR_NONE), the status on the wire
     * stays the suggested one, and the body is EMPTY, MEMORY or BUFFER. on_done follows. */
    void (*on_refuse)(void *context, struct http_exchange_view *exchange, int status,
                      const char *why);
    /* Exactly once per exchange. completed: the reply was sent whole. bytes_in: body bytes read. */
    void (*on_done)(void *context, struct http_exchange_view *exchange, bool completed,
                    uint64_t bytes_in, uint64_t bytes_out);
    /* After every round of callbacks, before the loop may sleep; may be NULL. */
    void (*on_round_end)(void *context, void *loop_context);
};

/*
 * Make a waiting exchange run on_resume on its loop. Any thread; at least one call per HTTP_WAIT,
 * none after on_done. One that comes before HTTP_WAIT is answered counts; further ones do nothing,
 * or end the next HTTP_WAIT early.
 */
void http_resume(struct http_exchange_view *view);

struct http_tls_facts {
    char version[16]; /* "TLSv1.3" */
    char cipher[64];  /* "TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES128-GCM-SHA256" */
};

/* What the exchange's connection has agreed on, by OpenSSL's names. False: it has no TLS. Of its loop's thread. */
MUST_CHECK bool http_tls_facts(const struct http_exchange_view *view,
                               struct http_tls_facts *ret_facts);

/* ---- time ------------------------------------------------------------------------------------- */

struct http_loop;
typedef void http_timer_function(void *context);

/*
 * Lies with its owner, zeroed at first, and stays where it is while it waits. Of its loop's thread
 * alone, as all that follows.
 */
struct http_timer {
    struct http_loop *loop; /* NULL: does not wait */
    int64_t due_us;
    uint64_t turn;
    http_timer_function *function;
    void *context;
    struct http_timer *child, *next, *back;
};

#define HTTP_TIMER_MS_MAX (UINT64_C(366) * 24 * 3600 * 1000) /* a longer wait ends then */

/* The loop whose thread this is; NULL on any other. */
struct http_loop *http_this_loop(void);

/*
 * Call the function on the loop's thread once ms milliseconds have passed by the application's
 * clock; not before the present callback has returned. A timer that waits is set anew.
 */
void http_after(struct http_loop *loop, struct http_timer *timer, uint64_t ms,
                http_timer_function *function, void *context);
/* Fine when it does not wait. Before its owner goes; on_loop_stop is the last moment. */
void http_timer_cancel(struct http_timer *timer);

/*
 * The exchange's own timer: http_resume in ms milliseconds, unless it is resumed before. Before
 * HTTP_WAIT (or HTTP_READ_LATER) is answered, in the same callback. Due at once when the server
 * stops and its grace is over.
 */
void http_resume_after(struct http_exchange_view *view, uint64_t ms);

struct http_shape {
    uint64_t bytes_per_s; /* of the body; 0: as fast as it is taken */
    bool cuts;
    uint64_t cut_after; /* cuts: so many bytes of the body go out, then the connection ends */
};

/*
 * Have the reply that is filled go out slowly or not whole. Before HTTP_REPLY is answered; an empty
 * body has no shape.
 *
 * shape  borrowed for the call.
 * False: no memory; the reply is as it was.
 */
MUST_CHECK bool http_reply_shape(struct http_exchange_view *view, const struct http_shape *shape);

/* ---- server ------------------------------------------------------------------------------- */

struct http_listener {
    int fd; /* bound and listening; taken over by the server */
    bool tls;
    char url[160]; /* "http://127.0.0.1:9000" */
};

/*
 * Bind ADDR:PORT, [ADDR6]:PORT or unix:PATH. Port 0 picks one; url says which.
 * fault names what is wrong. Returns false on failure.
 */
MUST_CHECK bool http_listen(struct str spec, bool tls, struct http_listener *ret_listener,
                            struct fault *fault);

struct http_options {
    unsigned loop_count;                    /* 0: one per core, at most 16 */
    unsigned connections_max;               /* 0: 4096 */
    size_t arena_first_bytes;               /* 0: 16 KiB */
    size_t arena_limit_bytes;               /* 0: 8 MiB */
    struct str tls_cert_path, tls_key_path; /* when a listener has tls */
};

struct http_server;

MUST_CHECK bool http_server_start(const struct http_options *options,
                                  struct http_listener *listeners, size_t listener_count,
                                  const struct http_app *app, struct http_server **ret_server,
                                  struct fault *fault);
/* Read the certificate files again for new connections. */
MUST_CHECK bool http_server_reload_tls(struct http_server *server, struct fault *fault);
/* Make every loop go through a round now, on_round_end included. Any thread. */
void http_server_wake(struct http_server *server);
/* Stop accepting; wait (at most grace_s) for exchanges in flight; stop the loops; free. */
void http_server_stop(struct http_server *server, unsigned grace_s);

#define HTTP_CERTIFICATE_NAME_MAX 256

struct http_certificate_facts {
    bool complete;                          /* it, or a CA in its file, is signed by itself */
    char issuer[HTTP_CERTIFICATE_NAME_MAX]; /* of the last certificate in the file */
    char name[HTTP_CERTIFICATE_NAME_MAX];   /* whom it is for; "" when it does not say */
    bool for_host;                          /* also for the host asked about */
    bool for_localhost;
};

/* What a PEM file says. path ends in NUL. False: it can not be read. Any thread. */
MUST_CHECK bool http_certificate_facts(struct str path, struct str host,
                                       struct http_certificate_facts *ret_facts);

/* NULL, or a sentence saying why the library found at run time is too old. */
const char *http_library_problem(void);
const char *http_library_version(void);

#endif
