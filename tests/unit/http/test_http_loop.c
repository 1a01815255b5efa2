/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server over real sockets: connections that last, replies of every kind, refusals before the
 * body, waiting for another thread, stopping.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static struct wire_server *server;

static int start(void **state)
{
    (void)state;
    server = wire_start("127.0.0.1:0", 2);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    wire_stop(server, 5);
    return 0;
}

static void expect(int fd, bool head_only, int status, const char *body)
{
    struct wire_reply reply = wire_receive(fd, head_only);

    assert_int_equal(reply.status, status);
    if (body != NULL)
        assert_string_equal(reply.body, body);
    wire_reply_free(&reply);
}

/* ---- connections that last ---------------------------------------------------------------- */

void test_http_loop__three_requests_share_a_connection(void **state)
{
    int fd = wire_connect(server);

    (void)state;
    for (int i = 0; i < 3; i++) {
        wire_send_text(fd, GET("/hello"));
        expect(fd, false, 200, "hello");
    }
    close(fd);
}

void test_http_loop__pipelined_requests_are_answered_in_order(void **state)
{
    int fd = wire_connect(server);

    (void)state;
    wire_send_text(
        fd, GET("/hello") "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" GET(
                "/wait") HEAD("/big") GET("/now") GET("/buffer"));
    expect(fd, false, 200, "hello");
    expect(fd, false, 200, "abc");
    expect(fd, false, 200, "resumed");
    expect(fd, true, 200, NULL);
    expect(fd, false, 200, "resumed");
    expect(fd, false, 200, "buffer");
    close(fd);
}

void test_http_loop__http_1_0_closes_after_the_reply(void **state)
{
    int fd = wire_connect(server);

    (void)state;
    wire_send_text(fd, "GET /hello HTTP/1.0\r\nHost: h\r\n\r\n");
    expect(fd, false, 200, "hello");
    assert_true(wire_closed(fd));
    close(fd);
}

void test_http_loop__connection_close_is_honoured(void **state)
{
    int fd = wire_connect(server);

    (void)state;
    wire_send_text(fd, "GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    expect(fd, false, 200, "hello");
    assert_true(wire_closed(fd));
    close(fd);
}

/* ---- replies ------------------------------------------------------------------------------ */

void test_http_loop__head_announces_the_length_without_a_body(void **state)
{
    int fd = wire_connect(server);
    struct wire_reply reply;

    (void)state;
    wire_send_text(fd, HEAD("/big") HEAD("/hello") HEAD("/stream") HEAD("/file") GET("/hello"));
    reply = wire_receive(fd, true);
    assert_true(wire_head_has(&reply, "content-length: 5368709120\r\n"));
    reply = wire_receive(fd, true);
    assert_true(wire_head_has(&reply, "content-length: 5\r\n"));
    reply = wire_receive(fd, true);
    assert_true(wire_head_has(&reply, "content-length: 300000\r\n"));
    reply = wire_receive(fd, true);
    assert_true(wire_head_has(&reply, "content-length: 10\r\n"));
    expect(fd, false, 200, "hello");
    close(fd);
}

void test_http_loop__204_and_304_have_no_body_and_the_connection_goes_on(void **state)
{
    int fd = wire_connect(server);
    struct wire_reply reply;

    (void)state;
    wire_send_text(fd, GET("/nothing") GET("/unchanged") GET("/hello"));
    reply = wire_receive(fd, false);
    assert_int_equal(reply.status, 204);
    assert_false(wire_head_has(&reply, "content-length"));
    reply = wire_receive(fd, false);
    assert_int_equal(reply.status, 304);
    assert_true(wire_head_has(&reply, "content-length: 77\r\n"));
    expect(fd, false, 200, "hello");
    close(fd);
}

void test_http_loop__bodies_from_file_stream_and_chunks_arrive_whole(void **state)
{
    int fd = wire_connect(server);
    struct wire_reply reply;

    (void)state;
    wire_send_text(fd, GET("/file") GET("/stream") GET("/chunked") GET("/hello"));
    expect(fd, false, 206, "56789abcde");
    reply = wire_receive(fd, false);
    assert_int_equal(reply.body_len, 300000);
    assert_int_equal(reply.body[299999], 's');
    wire_reply_free(&reply);
    reply = wire_receive(fd, false);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_len, 300000);
    wire_reply_free(&reply);
    expect(fd, false, 200, "hello");
    close(fd);
}

void test_http_loop__a_client_that_leaves_in_a_stream_ends_the_exchange(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = wire_connect(server);

        wire_send_text(fd, GET("/stream") GET("/file") GET("/wait"));
        close(fd);
    }
}

void test_http_loop__empty_and_long_header_values_are_sent(void **state)
{
    int fd = wire_connect(server);
    struct wire_reply reply;

    (void)state;
    wire_send_text(fd, GET("/headers"));
    reply = wire_receive(fd, false);
    assert_true(wire_head_has(&reply, "x-empty:"));
    assert_true(wire_head_has(&reply, "x-long: vvvv"));
    assert_false(wire_head_has(&reply, "x-split"));
    wire_reply_free(&reply);
    close(fd);
}

/* ---- bodies and refusals ------------------------------------------------------------------ */

void test_http_loop__a_chunked_body_is_decoded(void **state)
{
    int fd = wire_connect(server);

    (void)state;
    wire_send_text(fd, "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nA: b\r\n\r\n" GET("/hello"));
    expect(fd, false, 200, "abcdefg");
    expect(fd, false, 200, "hello");
    close(fd);
}

void test_http_loop__a_large_body_arrives_whole(void **state)
{
    size_t len = 20 * 1024 * 1024;
    char *body = malloc(len);
    char head[128];
    int fd = wire_connect(server);
    struct wire_reply reply;

    (void)state;
    for (size_t i = 0; i < len; i++)
        body[i] = (char)(i * 7 + i / 4096);
    snprintf(head, sizeof(head), "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
             len);
    wire_send_text(fd, head);
    wire_send(fd, body, len);
    reply = wire_receive(fd, false);
    assert_int_equal(reply.body_len, len);
    assert_memory_equal(reply.body, body, len);
    wire_reply_free(&reply);
    free(body);
    close(fd);
}

void test_http_loop__expected_continue_is_sent_before_the_body(void **state)
{
    int fd = wire_connect(server);

    (void)state;
    wire_send_text(fd, "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                       "Expect: 100-continue\r\n\r\n");
    expect(fd, false, 100, NULL);
    wire_send_text(fd, "abc");
    expect(fd, false, 200, "abc");
    close(fd);
}

void test_http_loop__a_refusal_with_expect_is_final_and_closes(void **state)
{
    int fd = wire_connect(server);

    (void)state;
    wire_send_text(fd, "PUT /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 3000\r\n"
                       "Expect: 100-continue\r\n\r\n");
    expect(fd, false, 403, "refused");
    assert_true(wire_closed(fd));
    close(fd);
}

void test_http_loop__a_small_refused_body_is_drained_and_the_connection_goes_on(void **state)
{
    int fd = wire_connect(server);

    (void)state;
    wire_send_text(fd, "PUT /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" GET(
                           "/hello") GET("/refuse") GET("/hello"));
    expect(fd, false, 403, "refused");
    expect(fd, false, 200, "hello");
    expect(fd, false, 403, "refused");
    expect(fd, false, 200, "hello");
    close(fd);
}

static void refuse_body_of(size_t len, const char *framing, bool closes)
{
    char *body = calloc(1, len);
    char head[256];
    int fd = wire_connect(server);
    struct wire_reply reply;

    snprintf(head, sizeof(head), "PUT /refuse HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n", framing);
    wire_send_text(fd, head);
    wire_send(fd, body, len);
    reply = wire_receive(fd, false);
    assert_int_equal(reply.status, 403);
    assert_int_equal(wire_head_has(&reply, "connection: close"), closes);
    if (closes)
        assert_true(wire_closed(fd));
    wire_reply_free(&reply);
    free(body);
    close(fd);
}

void test_http_loop__a_refused_body_at_the_drain_limit_keeps_the_connection(void **state)
{
    (void)state;
    refuse_body_of(HTTP_DRAIN_BYTES_MAX, "Content-Length: 1048576", false);
}

void test_http_loop__a_refused_body_past_the_drain_limit_is_answered_and_closed(void **state)
{
    (void)state;
    refuse_body_of(HTTP_DRAIN_BYTES_MAX + 1, "Content-Length: 1048577", true);
    refuse_body_of(16 * 1024 * 1024, "Content-Length: 16777216", true);
}

void test_http_loop__a_reply_in_mid_body_comes_after_draining(void **state)
{
    int fd = wire_connect(server);
    char *body = calloc(1, 500000);

    (void)state;
    wire_send_text(fd, "PUT /midway HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n");
    wire_send(fd, body, 500000);
    wire_send_text(fd, GET("/hello"));
    expect(fd, false, 409, "midway");
    expect(fd, false, 200, "hello");
    free(body);
    close(fd);
}

void test_http_loop__a_dropped_request_gets_no_answer(void **state)
{
    int fd = wire_connect(server);

    (void)state;
    wire_send_text(fd, GET("/drop"));
    assert_true(wire_closed(fd));
    close(fd);
}

/* ---- guard on the wire -------------------------------------------------------------------- */

static void refused_once(const char *request, int status)
{
    int fd = wire_connect(server);
    struct wire_reply reply;

    wire_send_text(fd, request);
    wire_send_text(fd, GET("/hello"));
    reply = wire_receive(fd, false);
    if (reply.status != status)
        fail_msg("%d instead of %d for %s", reply.status, status, request);
    if (!wire_head_has(&reply, "application/xml"))
        print_message("answered by libmicrohttpd itself: %s", request);
    assert_true(wire_head_has(&reply, "connection: close"));
    assert_true(wire_closed(fd));
    wire_reply_free(&reply);
    close(fd);
}

void test_http_loop__doubtful_requests_get_one_refusal_and_a_close(void **state)
{
    (void)state;
    refused_once("GET https://h/x HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    refused_once("GET http://h/x HTTP/1.1\r\n\r\n", 400);
    refused_once("GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    refused_once("GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    refused_once("GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    refused_once("GET /a?b=%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    refused_once("GET /a%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    refused_once("GET /a HTTP/1.0\r\n\r\n", 400);
    refused_once("GET /a HTTP/1.1\r\n\r\n", 400);
    refused_once("GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400);
    refused_once("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
                 400);
    refused_once("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx", 400);
    refused_once("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 400);
    refused_once("PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501);
    refused_once("PUT /a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
    refused_once("GET /a HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", 400);
    refused_once("GET /a HTTP/1.1\r\nHost: h\r\nX: y\r\n z\r\n\r\n", 400);
    refused_once("GET /a HTTP/1.1\r\nHost: h\r\nX: y\rz\r\n\r\n", 400);
    refused_once("GET /a HTTP/1.1\nHost: h\n\n", 400);
    refused_once("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    refused_once("GET /a HTTP/2.7\r\nHost: h\r\n\r\n", 505);
    refused_once("PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400);
}

static int status_of_headers(unsigned count, size_t value_len, char filler)
{
    char *request = malloc(count * (value_len + 32) + 128);
    size_t len = (size_t)sprintf(request, "GET /count HTTP/1.1\r\nHost: h\r\n");
    int status;

    for (unsigned i = 1; i < count; i++) {
        len += (size_t)sprintf(request + len, "x-h%u: ", i);
        memset(request + len, filler, value_len);
        len += value_len;
        len += (size_t)sprintf(request + len, "\r\n");
    }
    strcpy(request + len, "\r\n");
    status = wire_once(server, request);
    free(request);
    return status;
}

void test_http_loop__header_limits_hold_at_the_maximum_and_one_past_it(void **state)
{
    (void)state;
    assert_int_equal(status_of_headers(HTTP_HEADERS_MAX, 50, 'v'), 200);
    assert_int_equal(status_of_headers(HTTP_HEADERS_MAX + 1, 50, 'v'), 431);
    assert_int_equal(status_of_headers(HTTP_HEADERS_MAX, 230, 'v'), 200);
    assert_int_equal(status_of_headers(2, HTTP_HEADER_BYTES_MAX - 4, 'v'), 200);
    assert_int_equal(status_of_headers(2, HTTP_HEADER_BYTES_MAX - 3, 'v'), 431);
    assert_int_equal(status_of_headers(60, 4000, 'v'), 431);
}

static int status_of_target(size_t len)
{
    char *request = malloc(len + 128);
    size_t at = (size_t)sprintf(request, "GET ");
    int status;

    memset(request + at, 'k', len);
    request[at] = '/';
    strcpy(request + at + len, " HTTP/1.1\r\nHost: h\r\n\r\n");
    status = wire_once(server, request);
    free(request);
    return status;
}

void test_http_loop__target_limit_holds_at_the_maximum_and_one_past_it(void **state)
{
    (void)state;
    assert_int_equal(status_of_target(HTTP_TARGET_BYTES_MAX), 200);
    assert_int_equal(status_of_target(HTTP_TARGET_BYTES_MAX + 1), 414);
    assert_int_equal(status_of_target(100000), 414);
}

/* Everything at its maximum still leaves MHD's pool room for a reply with a long header. */
void test_http_loop__the_largest_head_is_answered(void **state)
{
    char *request = malloc(64 * 1024);
    size_t len = (size_t)sprintf(request, "GET /headers?");
    int fd = wire_connect(server);

    (void)state;
    for (int i = 0; i < HTTP_QUERY_PARAMS_MAX; i++)
        len += (size_t)sprintf(request + len, "%sp%02d=%0220d", i > 0 ? "&" : "", i, i);
    len += (size_t)sprintf(request + len, " HTTP/1.1\r\nHost: h\r\n");
    for (int i = 1; i < HTTP_HEADERS_MAX; i++)
        len += (size_t)sprintf(request + len, "h%03d: %088d\r\n", i, i);
    sprintf(request + len, "\r\n");
    wire_send_text(fd, request);
    expect(fd, false, 200, "headers");
    wire_send_text(fd, request);
    expect(fd, false, 200, "headers");
    free(request);
    close(fd);
}

/* ---- waiting ------------------------------------------------------------------------------ */

static void crowd(unsigned count, unsigned rounds, const char *request, const char *body)
{
    int *fds = malloc(count * sizeof(*fds));

    for (unsigned i = 0; i < count; i++) {
        fds[i] = wire_connect(server);
        assert_true(fds[i] >= 0);
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < count; i++)
            wire_send_text(fds[i], request);
        for (unsigned i = 0; i < count; i++)
            expect(fds[i], false, 200, body);
    }
    for (unsigned i = 0; i < count; i++)
        close(fds[i]);
    free(fds);
}

void test_http_loop__300_connections_wait_for_another_thread(void **state)
{
    (void)state;
    crowd(300, 5, GET("/wait"), "resumed");
}

void test_http_loop__resuming_before_waiting_works(void **state)
{
    (void)state;
    crowd(20, 20, GET("/now"), "resumed");
}

void test_http_loop__full_event_batches_make_progress(void **state)
{
    (void)state;
    crowd(128, 10, GET("/hello"), "hello");
    crowd(256, 10, GET("/hello"), "hello");
}

void test_http_loop__all_held_requests_are_answered_once_released(void **state)
{
    int fds[200];

    (void)state;
    wire_hold(server, true);
    for (unsigned i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = wire_connect(server);
        wire_send_text(fds[i], GET("/wait"));
    }
    assert_int_equal(wire_once(server, GET("/hello")), 200);
    wire_hold(server, false);
    for (unsigned i = 0; i < COUNT_OF(fds); i++) {
        expect(fds[i], false, 200, "resumed");
        close(fds[i]);
    }
}

/* ---- letting others go first ----------------------------------------------------------------- */

/* On one loop: what yields would never end if nobody else were served meanwhile. */
void test_http_loop__a_request_that_yields_lets_others_be_accepted_and_served(void **state)
{
    struct wire_server *other = wire_start("127.0.0.1:0", 1);
    int yields = wire_connect(other);
    int leaves = wire_connect(other);

    (void)state;
    wire_send_text(yields, GET("/until") GET("/echo"));
    wire_send_text(leaves, GET("/until"));
    (void)shutdown(leaves, SHUT_WR);
    wire_await(&other->yields, 10);
    assert_int_equal(wire_once(other, GET("/hello")), 200);
    expect(yields, false, 200, "until");
    expect(yields, false, 200, "");
    expect(leaves, false, 200, "until");
    close(yields);
    close(leaves);
    wire_stop(other, 5);
}

void test_http_loop__requests_that_yield_take_turns(void **state)
{
    struct wire_server *other = wire_start("127.0.0.1:0", 1);
    int fds[WIRE_TURNERS];

    (void)state;
    for (unsigned i = 0; i < WIRE_TURNERS; i++) {
        fds[i] = wire_connect(other);
        wire_send_text(fds[i], GET("/turns"));
    }
    for (unsigned i = 0; i < WIRE_TURNERS; i++) {
        expect(fds[i], false, 200, "turns");
        close(fds[i]);
    }
    assert_int_equal(atomic_load(&other->turn_count), WIRE_TURNERS * WIRE_TURNS);
    /* Who came last may have had its first turn before those that came earlier. */
    for (unsigned i = WIRE_TURNERS; i < WIRE_TURNERS * (WIRE_TURNS - 1); i++)
        assert_int_equal(other->turns[i], other->turns[i + WIRE_TURNERS]);
    wire_stop(other, 5);
}

void test_http_loop__a_client_that_leaves_while_its_request_yields_leaves_nothing(void **state)
{
    struct wire_server *other = wire_start("127.0.0.1:0", 1);
    int fd = wire_connect(other);

    (void)state;
    wire_send_text(fd, GET("/until"));
    wire_await(&other->yields, 10);
    close(fd);
    assert_int_equal(wire_once(other, GET("/hello")), 200);
    wire_stop(other, 5); /* asserts that on_done came */
}

void test_http_loop__stop_without_grace_ends_what_yields(void **state)
{
    struct wire_server *other = wire_start("127.0.0.1:0", 1);
    int fd = wire_connect(other);

    (void)state;
    wire_send_text(fd, GET("/until"));
    wire_await(&other->yields, 10);
    wire_stop(other, 0);
    assert_true(wire_closed(fd));
    close(fd);
}

/* ---- starting and stopping ---------------------------------------------------------------- */

void test_http_loop__port_zero_is_told_in_the_url(void **state)
{
    (void)state;
    assert_true(server->port > 0);
    assert_int_equal(strncmp(server->url, "http://127.0.0.1:", 17), 0);
}

void test_http_loop__a_unix_socket_serves(void **state)
{
    char listen[64];
    struct wire_server *other;

    (void)state;
    snprintf(listen, sizeof(listen), "unix:/tmp/pail-wire-%d.sock", (int)getpid());
    for (int round = 0; round < 2; round++) { /* the second finds a stale file */
        other = wire_start(listen, 1);
        assert_int_equal(wire_once(other, GET("/hello")), 200);
        wire_stop(other, 1);
    }
    unlink(listen + 5);
}

void test_http_loop__a_full_server_takes_the_next_once_one_leaves(void **state)
{
    struct wire_server *other = wire_start_limited("127.0.0.1:0", 1, 2);
    int fds[4];

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = wire_connect(other);
        wire_send_text(fds[i], GET("/hello"));
    }
    for (unsigned i = 0; i < COUNT_OF(fds); i++) {
        expect(fds[i], false, 200, "hello");
        close(fds[i]);
    }
    wire_stop(other, 1);
}

/* ---- many connections of one peer ------------------------------------------------------------ */

#define TABLE 32

static int connect_from(const struct wire_server *other, const char *address)
{
    struct sockaddr_in from = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    assert_true(wire_connect_fd(other, fd));
    return fd;
}

/* More than the table holds, all of one peer; text is what each says and then waits. */
static void crowd_is_no_wall(const char *text)
{
    struct wire_server *other = wire_start_limited("127.0.0.1:0", 1, TABLE);
    int crowd[2 * TABLE];
    int modest = connect_from(other, "127.0.0.3");
    int late;

    wire_send_text(modest, GET("/hello"));
    expect(modest, false, 200, "hello");
    for (size_t i = 0; i < COUNT_OF(crowd); i++) {
        crowd[i] = connect_from(other, "127.0.0.1");
        wire_send_text(crowd[i], text);
    }
    late = connect_from(other, "127.0.0.2");
    wire_send_text(late, GET("/hello"));
    expect(late, false, 200, "hello");
    wire_send_text(modest, GET("/hello")); /* idle as well, but it has only the one */
    expect(modest, false, 200, "hello");
    for (size_t i = 0; i < COUNT_OF(crowd); i++)
        close(crowd[i]);
    close(late);
    close(modest);
    wire_stop(other, 1);
}

void test_http_loop__silent_crowd_of_one_peer_does_not_shut_the_door(void **state)
{
    (void)state;
    crowd_is_no_wall("");
}

void test_http_loop__crowd_with_half_a_header_does_not_shut_the_door(void **state)
{
    (void)state;
    crowd_is_no_wall("GET /hello HTTP/1.1\r\nHost: h\r\nx-half: ");
}

/* Whoever waits for an answer is not idle, however crowded it is. */
void test_http_loop__requests_under_way_are_not_dropped_for_room(void **state)
{
    struct wire_server *other = wire_start_limited("127.0.0.1:0", 1, TABLE);
    int busy[TABLE - 4];
    int idle[6]; /* two more than there is room for */
    int late;

    (void)state;
    wire_hold(other, true);
    for (size_t i = 0; i < COUNT_OF(busy); i++) {
        busy[i] = connect_from(other, "127.0.0.1");
        wire_send_text(busy[i], GET("/wait"));
    }
    for (size_t i = 0; i < COUNT_OF(idle); i++)
        idle[i] = connect_from(other, "127.0.0.1");
    late = connect_from(other, "127.0.0.2");
    wire_send_text(late, GET("/hello"));
    expect(late, false, 200, "hello");
    wire_hold(other, false);
    for (size_t i = 0; i < COUNT_OF(busy); i++) {
        expect(busy[i], false, 200, NULL);
        close(busy[i]);
    }
    for (size_t i = 0; i < COUNT_OF(idle); i++)
        close(idle[i]);
    close(late);
    wire_stop(other, 1);
}

#define HOLD_OFFS 10
#define HOLD_OFF_US (US_PER_S / 10)

/*
 * No descriptor is left: accept fails, the loop must neither spin nor forget the client. While its
 * clock stands it sleeps: it looks again once for each move of the clock.
 */
void test_http_loop__lack_of_descriptors_passes(void **state)
{
    struct wire_server *other = wire_start("127.0.0.1:0", 1);
    struct rlimit before;
    struct rlimit tight;
    unsigned rounds;
    int fd;
    int spare;

    (void)state;
    clock_move(&other->clock, CLOCK_FREEZE, 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    spare = dup(fd);
    getrlimit(RLIMIT_NOFILE, &before);
    tight = before;
    tight.rlim_cur = (rlim_t)spare + 1;
    setrlimit(RLIMIT_NOFILE, &tight);
    rounds = atomic_load(&other->rounds);
    wire_connect_fd(other, fd);
    wire_send_text(fd, GET("/hello"));
    wire_await(&other->rounds, rounds + 1);
    for (unsigned i = 0; i < HOLD_OFFS; i++) {
        unsigned seen = atomic_load(&other->rounds);

        clock_move(&other->clock, CLOCK_ADVANCE, HOLD_OFF_US);
        wire_await(&other->rounds, seen + 1);
    }
    assert_in_range(atomic_load(&other->rounds) - rounds, HOLD_OFFS, 4 * HOLD_OFFS);
    assert_int_equal(atomic_load(&other->begun), 0);
    setrlimit(RLIMIT_NOFILE, &before);
    clock_move(&other->clock, CLOCK_ADVANCE, HOLD_OFF_US);
    expect(fd, false, 200, "hello");
    close(fd);
    close(spare);
    clock_move(&other->clock, CLOCK_RUN, 0);
    wire_stop(other, 1);
}

struct release {
    struct wire_server *server;
    int idle;
};

/* Once the server has begun to stop, which it shows by ending what is idle. */
static void *release_later(void *context)
{
    struct release *release = context;

    assert_true(wire_closed(release->idle));
    wire_hold(release->server, false);
    return NULL;
}

void test_http_loop__stop_waits_for_requests_in_flight(void **state)
{
    struct wire_server *other = wire_start("127.0.0.1:0", 2);
    struct release release = { other, wire_connect(other) };
    pthread_t thread;
    int fds[40];

    (void)state;
    wire_hold(other, true);
    wire_send_text(release.idle, GET("/hello"));
    expect(release.idle, false, 200, "hello");
    for (unsigned i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = wire_connect(other);
        wire_send_text(fds[i], GET("/wait"));
    }
    wire_await(&other->begun, COUNT_OF(fds) + 1);
    pthread_create(&thread, NULL, release_later, &release);
    wire_stop(other, 10);
    pthread_join(thread, NULL);
    for (unsigned i = 0; i < COUNT_OF(fds); i++) {
        struct wire_reply reply = wire_receive(fds[i], false);

        assert_int_equal(reply.status, 200);
        assert_true(wire_head_has(&reply, "connection: close"));
        wire_reply_free(&reply);
        assert_true(wire_closed(fds[i]));
        close(fds[i]);
    }
    close(release.idle);
}

void test_http_loop__stop_without_grace_waits_only_for_what_is_suspended(void **state)
{
    struct wire_server *other = wire_start("127.0.0.1:0", 1);
    int slow = wire_connect(other);
    int waits = wire_connect(other);

    (void)state;
    wire_send_text(slow, "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
    wire_send_text(waits, GET("/wait"));
    wire_await(&other->begun, 2);
    wire_stop(other, 0);
    assert_true(wire_closed(slow));
    close(slow);
    close(waits);
}

void test_http_loop__a_bad_listen_address_is_explained(void **state)
{
    static const char *const bad[] = { "",        "nonsense", "127.0.0.1:",     "127.0.0.1:65536",
                                       "[::1:80", "unix:",    "host.example:80" };
    struct http_listener listener;

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(bad); i++) {
        struct fault fault = { 0 };

        assert_false(http_listen(str_from_cstr(bad[i]), false, &listener, &fault));
        assert_true(fault.text[0] != '\0');
    }
    assert_null(http_library_problem());
}

#define TEST(name) cmocka_unit_test(test_http_loop__##name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(three_requests_share_a_connection),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(http_1_0_closes_after_the_reply),
        TEST(connection_close_is_honoured),
        TEST(head_announces_the_length_without_a_body),
        TEST(204_and_304_have_no_body_and_the_connection_goes_on),
        TEST(bodies_from_file_stream_and_chunks_arrive_whole),
        TEST(a_client_that_leaves_in_a_stream_ends_the_exchange),
        TEST(empty_and_long_header_values_are_sent),
        TEST(a_chunked_body_is_decoded),
        TEST(a_large_body_arrives_whole),
        TEST(expected_continue_is_sent_before_the_body),
        TEST(a_refusal_with_expect_is_final_and_closes),
        TEST(a_small_refused_body_is_drained_and_the_connection_goes_on),
        TEST(a_refused_body_at_the_drain_limit_keeps_the_connection),
        TEST(a_refused_body_past_the_drain_limit_is_answered_and_closed),
        TEST(a_reply_in_mid_body_comes_after_draining),
        TEST(a_dropped_request_gets_no_answer),
        TEST(doubtful_requests_get_one_refusal_and_a_close),
        TEST(header_limits_hold_at_the_maximum_and_one_past_it),
        TEST(target_limit_holds_at_the_maximum_and_one_past_it),
        TEST(the_largest_head_is_answered),
        TEST(300_connections_wait_for_another_thread),
        TEST(resuming_before_waiting_works),
        TEST(full_event_batches_make_progress),
        TEST(all_held_requests_are_answered_once_released),
        TEST(a_request_that_yields_lets_others_be_accepted_and_served),
        TEST(requests_that_yield_take_turns),
        TEST(a_client_that_leaves_while_its_request_yields_leaves_nothing),
        TEST(stop_without_grace_ends_what_yields),
        TEST(port_zero_is_told_in_the_url),
        TEST(a_unix_socket_serves),
        TEST(a_full_server_takes_the_next_once_one_leaves),
        TEST(silent_crowd_of_one_peer_does_not_shut_the_door),
        TEST(crowd_with_half_a_header_does_not_shut_the_door),
        TEST(requests_under_way_are_not_dropped_for_room),
        TEST(lack_of_descriptors_passes),
        TEST(stop_waits_for_requests_in_flight),
        TEST(stop_without_grace_waits_only_for_what_is_suspended),
        TEST(a_bad_listen_address_is_explained),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
