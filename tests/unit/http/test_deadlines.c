/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines, by a clock that the test holds: a loop without a thread, a connection that is one real
 * socket, and moments that are only said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/http/internal.h"

#define WINDOW_US (HTTP_REPLY_WINDOW_S * US_PER_S)
#define WINDOW_BYTES (HTTP_REPLY_WINDOW_S * HTTP_REPLY_RATE_MIN)
#define START_US (1000 * US_PER_S)

struct scene {
    struct http_loop loop;
    struct http_daemon daemon;
    struct http_exchange exchange;
    struct http_conn conn;
    int peer;
    int64_t now_us;
};

static void connect_pair(struct scene *scene, int family)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int pair[2];
    int listener;

    if (family == AF_UNIX) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        scene->conn.fd = pair[0];
        scene->peer = pair[1];
        return;
    }
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    scene->peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(scene->peer, (struct sockaddr *)&address, len), 0);
    scene->conn.fd = accept(listener, NULL, NULL);
    assert_true(scene->conn.fd >= 0);
    (void)close(listener);
}

/* A reply that is first looked at after a window. */
static struct scene *begin(int family)
{
    struct scene *scene = mem_zalloc(sizeof(*scene));

    assert_non_null(scene);
    scene->now_us = START_US;
    scene->daemon.loop = &scene->loop;
    scene->conn.daemon = &scene->daemon;
    scene->conn.exchange = &scene->exchange;
    scene->loop.conns = &scene->conn;
    scene->loop.checked_us = START_US;
    scene->loop.check_at_us = HTTP_NEVER;
    scene->exchange.state = EXCHANGE_REPLIED;
    scene->conn.patient = true; /* there is no library */
    connect_pair(scene, family);
    deadline_set(&scene->conn, START_US + WINDOW_US);
    return scene;
}

static void end(struct scene *scene)
{
    (void)close(scene->conn.fd);
    (void)close(scene->peer);
    mem_free(scene);
}

/* The kernel of one machine has confirmed them when they lie at the peer. */
static void take(struct scene *scene, size_t bytes)
{
    static char block[WINDOW_BYTES];
    size_t sent = 0;

    while (sent < bytes) {
        ssize_t count = send(scene->conn.fd, block, size_min(bytes - sent, 4096), MSG_NOSIGNAL);
        int got = 0;

        assert_true(count > 0);
        sent += (size_t)count;
        while (got < count)
            got += (int)recv(scene->peer, block, (size_t)(count - got), 0);
    }
    for (int left = 1; left > 0;)
        assert_int_equal(ioctl(scene->conn.fd, TIOCOUTQ, &left), 0);
}

static void pass_window(struct scene *scene)
{
    scene->now_us += WINDOW_US;
    deadlines_check(&scene->loop, scene->now_us);
}

/* Its end of the socket says so. */
static bool is_ended(struct scene *scene)
{
    char byte;

    return recv(scene->peer, &byte, 1, MSG_DONTWAIT) == 0;
}

void test_deadlines__reply_taken_at_the_least_rate_goes_on(void **state)
{
    struct scene *scene = begin(AF_INET);

    (void)state;
    pass_window(scene); /* the first shows where it begins */
    for (int i = 0; i < 3; i++) {
        take(scene, WINDOW_BYTES);
        pass_window(scene);
        assert_false(is_ended(scene));
    }
    end(scene);
}

void test_deadlines__reply_taken_below_the_least_rate_is_ended(void **state)
{
    struct scene *scene = begin(AF_INET);

    (void)state;
    pass_window(scene);
    take(scene, WINDOW_BYTES - 1);
    assert_false(is_ended(scene));
    pass_window(scene);
    assert_true(is_ended(scene));
    end(scene);
}

void test_deadlines__what_a_reply_took_early_is_no_credit(void **state)
{
    struct scene *scene = begin(AF_INET);

    (void)state;
    pass_window(scene);
    take(scene, 20 * WINDOW_BYTES);
    pass_window(scene);
    assert_false(is_ended(scene));
    take(scene, 1);
    pass_window(scene);
    assert_true(is_ended(scene));
    end(scene);
}

void test_deadlines__next_reply_of_a_connection_has_a_window_of_its_own(void **state)
{
    struct scene *scene = begin(AF_INET);

    (void)state;
    pass_window(scene);
    scene->conn.taken_known = false; /* as exchange_send leaves it */
    deadline_set(&scene->conn, scene->now_us + WINDOW_US);
    pass_window(scene);
    assert_false(is_ended(scene));
    pass_window(scene);
    assert_true(is_ended(scene));
    end(scene);
}

void test_deadlines__request_that_waits_for_the_disk_is_not_a_slow_reader(void **state)
{
    struct scene *scene = begin(AF_INET);

    (void)state;
    scene->exchange.state = EXCHANGE_WAITING;
    deadline_set(&scene->conn, HTTP_NEVER);
    for (int i = 0; i < 5; i++)
        pass_window(scene);
    assert_false(is_ended(scene));
    end(scene);
}

void test_deadlines__socket_that_counts_nothing_is_left_to_the_idle_timeout(void **state)
{
    struct scene *scene = begin(AF_UNIX);

    (void)state;
    for (int i = 0; i < 3; i++)
        pass_window(scene);
    assert_false(is_ended(scene));
    end(scene);
}

#define TEST(name) cmocka_unit_test(test_deadlines__##name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reply_taken_at_the_least_rate_goes_on),
        TEST(reply_taken_below_the_least_rate_is_ended),
        TEST(what_a_reply_took_early_is_no_credit),
        TEST(next_reply_of_a_connection_has_a_window_of_its_own),
        TEST(request_that_waits_for_the_disk_is_not_a_slow_reader),
        TEST(socket_that_counts_nothing_is_left_to_the_idle_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
