/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One kept-alive connection of a worker, and the judge of the answers it gets.
 *
 *   idle --pick--> sending --all sent--> answering --judged--> idle
 *
 * A connection belongs to its worker's thread.
 */
#ifndef TESTS_BENCH_CONNECTION_H
#define TESTS_BENCH_CONNECTION_H

#include "tests/bench/run.h"

#define CONNECTION_IN_BYTES ((size_t)64 << 10)
#define CONNECTION_BODY_BYTES_MAX ((size_t)16 << 20) /* of documents that are looked into */

struct connection {
    struct worker *worker;
    int fd;
    struct request *request; /* NULL: idle */
    size_t lane;
    uint64_t start_ns; /* when it was due */
    uint64_t sent_ns;  /* when sending began */
    bool kept;         /* an answer was read from this socket before */
    bool wants_out;

    /* what remains to be sent: from `offset` of `piece` on; piece 0 is the head */
    bool sending;
    size_t piece;
    uint64_t offset;
    uint64_t text_at; /* where the text and block of the pieces to come begin */
    uint64_t block_at;

    /* the answer so far */
    char *in;
    size_t in_len;
    bool has_head;
    struct response response;
    struct chunked chunked;
    uint64_t body_len;
    bool compare; /* the bytes, with the content */
    bool collect; /* the document, to look into */
    bool differs;
    struct buf body;
};

/* Send what there is room for. 0, or a negative errno. */
MUST_CHECK int connection_send(struct connection *connection);
/* (Re)register with the worker's epoll for what the connection waits for. */
MUST_CHECK bool connection_watch(struct connection *connection, int operation);

/* Decide what will be looked at, when the head is there. */
void check_begin(struct connection *connection);
/* The next bytes of the body. */
void check_body(struct connection *connection, struct str bytes);
/* The whole answer is there. Counts it as a sample or as an error of the worker. */
void check_end(struct connection *connection, uint64_t now_ns);
/* No body follows this answer, whatever its length says. */
bool check_bodyless(const struct connection *connection);

#endif
