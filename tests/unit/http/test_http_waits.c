/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges that wait, and replies that go out slowly or not whole, over real sockets.
 *
 * The clock stands: whatever is due is due because a test said so.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire.h"

#define DELAY_MS 7000
#define BODY_BYTES 50000
#define RATE 10000
#define SLICE 626 /* of which there are 16 in a second */

/*
 * The application, by the words in the path:
 *   timer, worker   on_headers waits for DELAY_MS, for the worker thread; both: for whichever comes
 *   twice           and once more on being resumed
 *   refuse          then 503, else the body is taken and the answer is how many bytes it had
 *   poll            on_end waits as well
 *   memory, buffer, file, stream, chunked: BODY_BYTES; slow: RATE a second; cut: after half of it
 */
struct visit {
    uint64_t bytes;
    unsigned resumed;
    bool at_end;
    uint64_t left;
};

static struct wire_server *server;

static bool says(const struct http_exchange_view *view, const char *word)
{
    return memmem(view->request->raw_path.p, view->request->raw_path.len, word, strlen(word)) !=
           NULL;
}

static enum http_next reply_text(struct http_exchange_view *view, int status, struct str text)
{
    view->reply->status = status;
    view->reply->body_kind = HTTP_BODY_MEMORY;
    view->reply->memory = text;
    return HTTP_REPLY;
}

static enum http_next wait(struct wire_server *wire, struct http_exchange_view *view)
{
    enum http_next next = HTTP_WAIT;

    if (says(view, "timer"))
        http_resume_after(view, DELAY_MS);
    if (says(view, "worker"))
        next = wire_wait(wire, view);
    atomic_fetch_add(&wire->yields, 1);
    return next;
}

static enum http_next app_headers(void *context, struct http_exchange_view *view)
{
    struct wire_server *wire = context;

    view->user = ARENA_NEW(view->arena, struct visit);
    atomic_fetch_add(&wire->begun, 1);
    return says(view, "timer") || says(view, "worker") ? wait(wire, view) : HTTP_CONTINUE;
}

static enum http_next app_body(void *context, struct http_exchange_view *view, const void *bytes,
                               size_t len)
{
    struct visit *visit = view->user;

    (void)context;
    (void)bytes;
    visit->bytes += len;
    return HTTP_CONTINUE;
}

static int64_t app_read(void *context, void *out, size_t max)
{
    struct visit *visit = context;
    size_t take = (size_t)u64_min(max, visit->left);

    memset(out, 'b', take);
    visit->left -= take;
    return (int64_t)take;
}

static void fill(struct http_exchange_view *view)
{
    static char bytes[BODY_BYTES];
    char path[] = "/tmp/pail-waits-XXXXXX";
    struct http_reply *reply = view->reply;
    struct visit *visit = view->user;

    memset(bytes, 'b', sizeof(bytes));
    (void)reply_text(view, 200, str_make(bytes, sizeof(bytes)));
    reply->length = BODY_BYTES;
    if (says(view, "buffer")) {
        reply->body_kind = HTTP_BODY_BUFFER;
        reply->buffer = BUF_WITH_MAX(BODY_BYTES);
        buf_append(&reply->buffer, bytes, sizeof(bytes));
    } else if (says(view, "file")) {
        reply->body_kind = HTTP_BODY_FILE;
        reply->fd = mkstemp(path);
        reply->fd_offset = 3;
        assert_int_equal(unlink(path), 0);
        assert_int_equal(pwrite(reply->fd, bytes, sizeof(bytes), 3), sizeof(bytes));
    } else if (says(view, "stream") || says(view, "chunked")) {
        reply->body_kind = HTTP_BODY_STREAM;
        reply->read = app_read;
        reply->stream = visit;
        visit->left = BODY_BYTES;
        reply->length = says(view, "chunked") ? HTTP_LENGTH_UNKNOWN : BODY_BYTES;
    }
}

static enum http_next answer(struct http_exchange_view *view)
{
    struct visit *visit = view->user;
    struct http_shape shape = { 0 };

    if (!says(view, "slow") && !says(view, "cut") && !says(view, "plain"))
        return reply_text(view, 200,
                          arena_printf(view->arena, "%llu", (unsigned long long)visit->bytes));
    fill(view);
    if (says(view, "slow"))
        shape.bytes_per_s = RATE;
    shape.cuts = says(view, "cut");
    shape.cut_after = says(view, "nothing") ? 0 : BODY_BYTES / 2;
    assert_true(http_reply_shape(view, &shape));
    return HTTP_REPLY;
}

static enum http_next app_end(void *context, struct http_exchange_view *view)
{
    struct visit *visit = view->user;

    visit->at_end = true;
    if (!says(view, "poll"))
        return answer(view);
    http_resume_after(view, DELAY_MS);
    atomic_fetch_add(&((struct wire_server *)context)->yields, 1);
    return HTTP_WAIT;
}

static enum http_next app_resume(void *context, struct http_exchange_view *view)
{
    struct visit *visit = view->user;

    if (++visit->resumed == 1 && says(view, "twice"))
        return wait(context, view);
    if (says(view, "refuse"))
        return reply_text(view, 503, STR("late"));
    if (says(view, "drop"))
        return HTTP_DROP;
    return visit->at_end ? answer(view) : HTTP_CONTINUE;
}

static void app_done(void *context, struct http_exchange_view *view, bool completed,
                     uint64_t bytes_in, uint64_t bytes_out)
{
    struct wire_server *wire = context;

    (void)view;
    (void)bytes_in;
    (void)bytes_out;
    atomic_fetch_add(&wire->completed, completed);
    atomic_fetch_add(&wire->done, 1);
}

static void change(struct http_app *app)
{
    app->on_headers = app_headers;
    app->on_body = app_body;
    app->on_end = app_end;
    app->on_resume = app_resume;
    app->on_done = app_done;
}

static int setup(void **state)
{
    (void)state;
    server = wire_start_changed("127.0.0.1:0", 1, 0, change);
    clock_move(&server->clock, CLOCK_FREEZE, 0);
    return 0;
}

/* Asserts that every exchange that began was done. */
static int teardown(void **state)
{
    (void)state;
    clock_move(&server->clock, CLOCK_RUN, 0);
    wire_stop(server, 5);
    return 0;
}

/* Returns when the loop has looked at what the move made due. */
static void pass(int64_t us)
{
    unsigned rounds = atomic_load(&server->rounds);

    clock_move(&server->clock, CLOCK_ADVANCE, us);
    wire_await(&server->rounds, rounds + 1); /* which may have begun before the move */
    clock_move(&server->clock, CLOCK_ADVANCE, 0);
    wire_await(&server->rounds, rounds + 2);
}

static bool is_silent(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static int send_request(const char *text)
{
    int fd = wire_connect(server);

    wire_send_text(fd, text);
    return fd;
}

static void expect(int fd, int status, const char *body)
{
    struct wire_reply reply = wire_receive(fd, false);

    assert_int_equal(reply.status, status);
    if (body != NULL)
        assert_string_equal(reply.body, body);
    wire_reply_free(&reply);
}

/* Waits as it shall: nothing one microsecond before the delay is over. */
static void wait_out_delay(int fd, unsigned waits)
{
    wire_await(&server->yields, waits);
    assert_true(is_silent(fd));
    pass(DELAY_MS * 1000 - 1);
    assert_true(is_silent(fd));
    pass(1);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define PUT(path, more, body) "PUT " path " HTTP/1.1\r\nHost: h\r\n" more "\r\n" body

/* ---- waiting before the body -------------------------------------------------------------- */

void test_http_waits__request_without_body_waits_at_its_head(void **state)
{
    int fd = send_request(GET("/timer"));

    (void)state;
    wait_out_delay(fd, 1);
    expect(fd, 200, "0");
    wire_send_text(fd, GET("/timer-refuse")); /* the connection goes on */
    wait_out_delay(fd, 2);
    expect(fd, 503, "late");
    wire_send_text(fd, GET("/"));
    expect(fd, 200, "0");
    close(fd);
}

void test_http_waits__body_that_came_meanwhile_is_read_afterwards(void **state)
{
    int fd = send_request(PUT("/timer", "Content-Length: 5\r\n", "12345") GET("/"));

    (void)state;
    wait_out_delay(fd, 1);
    expect(fd, 200, "5");
    expect(fd, 200, "0");
    close(fd);
}

void test_http_waits__chunked_body_that_comes_after_the_wait_is_read(void **state)
{
    int fd = send_request(PUT("/timer", "Transfer-Encoding: chunked\r\n", ""));

    (void)state;
    wait_out_delay(fd, 1);
    wire_send_text(fd, "3\r\nabc\r\n0\r\n\r\n");
    expect(fd, 200, "3");
    close(fd);
}

void test_http_waits__continue_is_sent_after_the_wait_only(void **state)
{
    int fd = send_request(PUT("/timer", "Content-Length: 5\r\nExpect: 100-continue\r\n", ""));

    (void)state;
    wait_out_delay(fd, 1);
    expect(fd, 100, NULL);
    wire_send_text(fd, "12345");
    expect(fd, 200, "5");
    close(fd);
}

void test_http_waits__refusal_after_the_wait_comes_instead_of_continue(void **state)
{
    int fd =
        send_request(PUT("/timer-refuse", "Content-Length: 5\r\nExpect: 100-continue\r\n", ""));

    (void)state;
    wait_out_delay(fd, 1);
    expect(fd, 503, "late");
    assert_true(wire_closed(fd));
    close(fd);
}

void test_http_waits__small_body_of_a_late_refusal_is_drained(void **state)
{
    int fd = send_request(PUT("/timer-refuse", "Content-Length: 5\r\n", "123"));

    (void)state;
    wait_out_delay(fd, 1);
    assert_true(is_silent(fd));
    wire_send_text(fd, "45");
    expect(fd, 503, "late");
    wire_send_text(fd, GET("/"));
    expect(fd, 200, "0");
    close(fd);
}

void test_http_waits__on_resume_may_wait_again(void **state)
{
    int fd = send_request(PUT("/timer-twice", "Content-Length: 2\r\n", "12"));

    (void)state;
    wait_out_delay(fd, 1);
    wait_out_delay(fd, 2);
    expect(fd, 200, "2");
    close(fd);
}

void test_http_waits__another_thread_may_end_the_wait_before_its_timer(void **state)
{
    int fd;

    (void)state;
    wire_hold(server, true);
    fd = send_request(PUT("/timer-worker", "Content-Length: 2\r\n", "12"));
    wire_await(&server->yields, 1);
    assert_true(is_silent(fd));
    wire_hold(server, false);
    expect(fd, 200, "2");
    pass(2 * DELAY_MS * 1000); /* nothing is left that could wake what is gone */
    wire_send_text(fd, GET("/"));
    expect(fd, 200, "0");
    close(fd);
}

void test_http_waits__drop_after_a_wait_gives_no_answer(void **state)
{
    int fd = send_request(GET("/timer-drop"));

    (void)state;
    wait_out_delay(fd, 1);
    assert_true(wire_closed(fd));
    close(fd);
}

static void leave_while_waiting(const char *request)
{
    int fd = send_request(request);

    wire_await(&server->yields, 1);
    close(fd);
    pass(DELAY_MS * 1000);
    wire_await(&server->done, 1);
    assert_int_equal(wire_once(server, GET("/")), 200);
}

void test_http_waits__client_that_leaves_without_a_body_leaves_nothing(void **state)
{
    (void)state;
    leave_while_waiting(GET("/timer"));
}

void test_http_waits__client_that_leaves_before_its_body_leaves_nothing(void **state)
{
    (void)state;
    leave_while_waiting(PUT("/timer", "Content-Length: 5\r\n", "12"));
}

void test_http_waits__client_that_leaves_before_continue_leaves_nothing(void **state)
{
    (void)state;
    leave_while_waiting(PUT("/timer", "Content-Length: 5\r\nExpect: 100-continue\r\n", ""));
}

/* How long the server makes it wait is not the client's fault, and then it has its full grace. */
void test_http_waits__deadline_of_the_body_begins_after_the_wait(void **state)
{
    int fd = send_request(PUT("/worker", "Content-Length: 2\r\n", ""));

    (void)state;
    wire_hold(server, true);
    wire_await(&server->yields, 1);
    pass(10 * HTTP_BODY_GRACE_S * US_PER_S);
    wire_hold(server, false);
    wire_send_text(fd, "1");
    pass((HTTP_BODY_GRACE_S - 1) * US_PER_S);
    wire_send_text(fd, "2");
    expect(fd, 200, "2");
    close(fd);
}

/* ---- waiting for an answer ---------------------------------------------------------------- */

void test_http_waits__long_poll_ends_with_its_timer(void **state)
{
    int fd = send_request(GET("/poll"));

    (void)state;
    wait_out_delay(fd, 1);
    expect(fd, 200, "0");
    close(fd);
}

void test_http_waits__stop_ends_waits_for_time_when_its_grace_is_over(void **state)
{
    struct wire_server *other = wire_start_changed("127.0.0.1:0", 1, 0, change);
    int fds[3] = { wire_connect(other), wire_connect(other), wire_connect(other) };

    (void)state;
    clock_move(&other->clock, CLOCK_FREEZE, 0);
    wire_send_text(fds[0], GET("/poll"));
    wire_send_text(fds[1], GET("/timer-twice"));
    wire_send_text(fds[2], PUT("/timer", "Content-Length: 2\r\n", ""));
    wire_await(&other->yields, 3);
    wire_stop(other, 0);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
}

/* ---- slow and cut replies ----------------------------------------------------------------- */

/* Body bytes that have come so far; the head is read first. */
static size_t received(int fd)
{
    static char bytes[2 * BODY_BYTES];
    size_t total = 0;
    ssize_t got;

    while ((got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        total += (size_t)got;
    assert_true(got < 0 && errno == EAGAIN); /* the connection is there */
    return total;
}

static void read_head(int fd, const char *wanted)
{
    struct wire_reply reply = wire_receive(fd, true);

    assert_int_equal(reply.status, 200);
    assert_true(wire_head_has(&reply, wanted));
    wire_reply_free(&reply);
}

#define LENGTH "content-length: 50000"

/* After each second there is what it brings, and no more comes. */
static void goes_out_at_the_rate(const char *request)
{
    static char bytes[BODY_BYTES];
    int fd = send_request(request);
    size_t total = SLICE;

    read_head(fd, LENGTH);
    assert_int_equal(recv(fd, bytes, SLICE, MSG_WAITALL), SLICE);
    for (unsigned second = 1; total < BODY_BYTES; second++) {
        size_t due = size_min(BODY_BYTES, (size_t)second * 16 * SLICE) - total;

        pass(0);
        assert_int_equal(received(fd), 0);
        pass(US_PER_S);
        assert_int_equal(recv(fd, bytes, due, MSG_WAITALL), due);
        total += due;
    }
    wire_send_text(fd, GET("/"));
    expect(fd, 200, "0");
    close(fd);
}

void test_http_waits__slow_replies_of_every_kind_keep_their_rate(void **state)
{
    (void)state;
    goes_out_at_the_rate(GET("/slow-memory"));
    goes_out_at_the_rate(GET("/slow-buffer"));
    goes_out_at_the_rate(GET("/slow-file"));
    goes_out_at_the_rate(GET("/slow-stream"));
    wire_await(&server->completed, 8);
}

/* The reader did nothing wrong: it takes all that it gets. */
void test_http_waits__slow_reply_is_not_taken_for_a_slow_reader(void **state)
{
    static char bytes[16 * SLICE]; /* of a second, however long it was */
    int fd = send_request(GET("/slow-memory"));

    (void)state;
    read_head(fd, LENGTH);
    pass(0); /* the first slice is out, the second has to wait */
    assert_int_equal(received(fd), SLICE);
    for (unsigned windows = 0; windows < 4; windows++) {
        pass(HTTP_REPLY_WINDOW_S * US_PER_S);
        assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
        pass(0);
        assert_int_equal(received(fd), 0);
    }
    close(fd);
}

void test_http_waits__client_that_leaves_a_slow_reply_leaves_nothing(void **state)
{
    int fd = send_request(GET("/slow-memory"));

    (void)state;
    read_head(fd, LENGTH);
    close(fd);
    for (unsigned i = 0; i < 10; i++)
        pass(US_PER_S);
    wire_await(&server->done, 1);
    assert_int_equal(atomic_load(&server->completed), 0);
}

static void is_cut_after(const char *request, const char *head, size_t wanted)
{
    int fd = send_request(request);
    size_t total = 0;
    char byte;

    read_head(fd, head);
    while (recv(fd, &byte, 1, 0) == 1)
        total++;
    assert_int_equal(total, wanted);
    close(fd);
}

void test_http_waits__cut_replies_of_every_kind_end_with_the_connection(void **state)
{
    (void)state;
    is_cut_after(GET("/cut-memory"), LENGTH, BODY_BYTES / 2);
    is_cut_after(GET("/cut-buffer"), LENGTH, BODY_BYTES / 2);
    is_cut_after(GET("/cut-file"), LENGTH, BODY_BYTES / 2);
    is_cut_after(GET("/cut-stream"), LENGTH, BODY_BYTES / 2);
    is_cut_after(GET("/cut-nothing-memory"), LENGTH, 0);
    assert_int_equal(atomic_load(&server->completed), 0);
}

void test_http_waits__cut_chunked_reply_has_no_last_chunk(void **state)
{
    int fd = send_request(GET("/cut-chunked"));
    struct wire_reply reply = wire_receive(fd, false);

    (void)state;
    assert_int_equal(reply.status, 0);
    wire_reply_free(&reply);
    close(fd);
    fd = send_request(GET("/plain-chunked")); /* which is told apart */
    reply = wire_receive(fd, false);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_len, BODY_BYTES);
    wire_reply_free(&reply);
    close(fd);
}

void test_http_waits__head_of_a_shaped_reply_is_that_of_the_whole(void **state)
{
    int fd = send_request("HEAD /slow-cut-buffer HTTP/1.1\r\nHost: h\r\n\r\n");

    (void)state;
    read_head(fd, LENGTH);
    wire_send_text(fd, GET("/"));
    expect(fd, 200, "0");
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_http_waits__##name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(request_without_body_waits_at_its_head),
        TEST(body_that_came_meanwhile_is_read_afterwards),
        TEST(chunked_body_that_comes_after_the_wait_is_read),
        TEST(continue_is_sent_after_the_wait_only),
        TEST(refusal_after_the_wait_comes_instead_of_continue),
        TEST(small_body_of_a_late_refusal_is_drained),
        TEST(on_resume_may_wait_again),
        TEST(another_thread_may_end_the_wait_before_its_timer),
        TEST(drop_after_a_wait_gives_no_answer),
        TEST(client_that_leaves_without_a_body_leaves_nothing),
        TEST(client_that_leaves_before_its_body_leaves_nothing),
        TEST(client_that_leaves_before_continue_leaves_nothing),
        TEST(deadline_of_the_body_begins_after_the_wait),
        TEST(long_poll_ends_with_its_timer),
        TEST(stop_ends_waits_for_time_when_its_grace_is_over),
        TEST(slow_replies_of_every_kind_keep_their_rate),
        TEST(slow_reply_is_not_taken_for_a_slow_reader),
        TEST(client_that_leaves_a_slow_reply_leaves_nothing),
        TEST(cut_replies_of_every_kind_end_with_the_connection),
        TEST(cut_chunked_reply_has_no_last_chunk),
        TEST(head_of_a_shaped_reply_is_that_of_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
