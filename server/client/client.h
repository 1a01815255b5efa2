/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP requests to other servers: send one, get its status, headers and body, within limits. The only
 * folder that sees libcurl.
 *
 * (1) libcurl is loaded when the first client is opened (library.h), so that whoever talks to nobody
 *     has neither its memory nor its start.
 * (2) What is said is said: no redirect is followed, no proxy of the environment asked, no scheme but
 *     http and https spoken, and certificates are verified.
 * (3) A client is one thread's and keeps its connections; client_cancel alone may come from others.
 * (4) Every request ends: by its own time, when nothing moves for CLIENT_STALL_S, or by client_cancel.
 */
#ifndef SERVER_CLIENT_CLIENT_H
#define SERVER_CLIENT_CLIENT_H

#include "base/clock.h"
#include "base/fault.h"
#include "server/auth/auth.h"

#define CLIENT_URL_BYTES_MAX 8192
#define CLIENT_FIELDS_MAX 64                 /* that a request names itself */
#define CLIENT_ANSWER_FIELDS_BYTES_MAX 65536 /* more is a failure */
#define CLIENT_ANSWER_BODY_BYTES_MAX 65536 /* what is longer is read and forgotten from there on */
#define CLIENT_CONNECT_S 10
#define CLIENT_STALL_S 30

struct client_request {
    struct str method;               /* "POST" */
    struct str url;                  /* http[s]://HOST[:PORT]/PATH[?QUERY], encoded */
    const struct http_field *fields; /* without Host, Content-Length and what a signature adds */
    size_t field_count;
    struct str body; /* STR_NONE: none, or read */
    /*
     * Instead of body: its next bytes. > 0 bytes, 0 end, < 0: give up. Exactly body_bytes of them. On the
     * thread of client_send.
     */
    int64_t (*read)(void *context, void *out, size_t max);
    void *context;
    uint64_t body_bytes;
    const struct auth_signer *signer; /* NULL: not signed */
    struct str
        payload_sha256; /* hex, of what read brings; STR_NONE: it is sent as UNSIGNED-PAYLOAD */
    const struct clock *clock; /* what time a signature says; NULL: the system's */
    uint32_t seconds_max;      /* for all of it; 0: as long as it moves */
};

struct client_answer {
    int status;
    struct buf fields; /* "Name: value\r\n"... as received */
    struct buf body;   /* at most CLIENT_ANSWER_BODY_BYTES_MAX of it */
};

void client_answer_free(struct client_answer *answer); /* also the CLEANUP helper */
/* Trimmed, of the first of that name (no case); STR_NONE when there is none. */
struct str client_answer_field(const struct client_answer *answer, struct str name);

struct client;

/* NULL: libcurl can not be loaded, or no memory; fault says it. Any thread. */
MUST_CHECK struct client *client_open(struct fault *fault);
void client_close(struct client *client); /* NULL is fine */
void client_closep(struct client **client);

/*
 * Send a request and wait for its answer.
 *
 * client   the calling thread's.
 * answer   zeroed or of an answer before: it is emptied first. The caller frees it.
 * True: there is an answer, of whatever status. False: there is none, and fault says why (no
 * connection, no such host, time, an answer that is none, no memory, cancelled).
 */
MUST_CHECK bool client_send(struct client *client, const struct client_request *request,
                            struct client_answer *answer, struct fault *fault);

/* What is under way ends soon, and whatever is sent after it fails at once. Any thread. */
void client_cancel(struct client *client);

/* "libcurl/7.88.1 ..."; NULL: it was not loaded. */
const char *client_library_version(void);

#endif
