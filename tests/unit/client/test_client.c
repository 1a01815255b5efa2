/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to other servers: what arrives, what comes back, and how each ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "../http/wire.h"
#include "base/digest/digest.h"
#include "server/client/client.h"

static struct wire_server *server;
static struct client *client;
static struct client_answer answer;
static struct fault fault;
static char url[256];

/* It is the client that lacks memory. */
static void *loop_start(void *context)
{
    struct wire_server *started = context;

    mem_fault_spare(true);
    atomic_fetch_add(&started->loops, 1);
    return started;
}

static void change(struct http_app *app)
{
    app->on_loop_start = loop_start;
}

static int start(void **state)
{
    (void)state;
    assert_true(digest_init());
    server = wire_start_changed("127.0.0.1:0", 1, 0, change);
    client = client_open(&fault);
    assert_non_null(client);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    client_answer_free(&answer);
    client_close(client);
    wire_stop(server, 5);
    return 0;
}

static struct client_request to(const char *method, const char *path)
{
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", server->port, path);
    return (struct client_request){ .method = str_from_cstr(method), .url = str_from_cstr(url) };
}

static void expect(const struct client_request *request, int status, const char *body)
{
    assert_true(client_send(client, request, &answer, &fault));
    assert_int_equal(answer.status, status);
    assert_true(str_eq(buf_view(&answer.body), str_from_cstr(body)));
}

static void expect_fault(const struct client_request *request, const char *text)
{
    fault = (struct fault){ 0 };
    assert_false(client_send(client, request, &answer, &fault));
    if (strstr(fault.text, text) == NULL)
        fail_msg("'%s' does not say '%s'", fault.text, text);
}

void test_client__a_body_arrives_and_the_answer_comes_back(void **state)
{
    struct client_request request = to("POST", "/echo");

    (void)state;
    request.body = STR("what is sent");
    expect(&request, 200, "what is sent");
    request.body = STR("");
    expect(&request, 200, "");
    request = to("GET", "/hello");
    expect(&request, 200, "hello");
    request = to("DELETE", "/nothing");
    expect(&request, 204, "");
    request = to("PUT", "/refuse");
    request.body = STR("x");
    expect(&request, 403, "refused");
}

/* The host alone: nothing is said on anybody's own account. */
void test_client__only_named_headers_are_sent(void **state)
{
    struct http_field fields[CLIENT_FIELDS_MAX + 1];
    char names[CLIENT_FIELDS_MAX + 1][8];
    struct client_request request = to("GET", "/count");

    (void)state;
    expect(&request, 200, "1");
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "x-%zu", i);
        fields[i] = (struct http_field){ str_from_cstr(names[i]), i > 0 ? STR("v") : STR("") };
    }
    request.fields = fields;
    request.field_count = CLIENT_FIELDS_MAX;
    expect(&request, 200, "65");
    request.field_count++;
    expect_fault(&request, "more than 64 headers");
    request.field_count = 1;
    fields[0].value = STR("a\r\nb: c");
    expect_fault(&request, "control character");
}

struct source {
    uint64_t left;
    bool gives_up;
};

static int64_t read_source(void *context, void *out, size_t max)
{
    struct source *source = context;
    size_t take = (size_t)u64_min(u64_min(max, source->left), 1000);

    if (source->gives_up && source->left < 5000)
        return -1;
    memset(out, 'r', take);
    source->left -= take;
    return (int64_t)take;
}

void test_client__a_body_can_be_read_as_it_goes(void **state)
{
    struct source source = { .left = 70000 };
    struct client_request request = to("PUT", "/echo");

    (void)state;
    request.read = read_source;
    request.context = &source;
    request.body_bytes = source.left;
    assert_true(client_send(client, &request, &answer, &fault));
    assert_int_equal(answer.status, 200);
    assert_int_equal(source.left, 0);
    assert_int_equal(answer.body.len, CLIENT_ANSWER_BODY_BYTES_MAX);

    source = (struct source){ .left = 10000, .gives_up = true };
    request.body_bytes = source.left;
    expect_fault(&request, "");
}

void test_client__headers_of_the_answer_are_found(void **state)
{
    struct client_request request = to("GET", "/headers");

    (void)state;
    expect(&request, 200, "headers");
    assert_int_equal(client_answer_field(&answer, STR("X-Long")).len, 3000);
    assert_true(str_eq(client_answer_field(&answer, STR("x-empty")), STR("")));
    assert_false(str_present(client_answer_field(&answer, STR("x-none"))));
    request = to("HEAD", "/big");
    expect(&request, 200, "");
    assert_true(str_eq(client_answer_field(&answer, STR("content-length")), STR("5368709120")));
}

/* What is longer than is kept is read, so that the connection goes on. */
void test_client__a_long_answer_is_cut(void **state)
{
    struct client_request request = to("GET", "/chunked");

    (void)state;
    assert_true(client_send(client, &request, &answer, &fault));
    assert_int_equal(answer.body.len, CLIENT_ANSWER_BODY_BYTES_MAX);
    assert_int_equal(answer.body.p[answer.body.len - 1], 's');
    request = to("GET", "/hello");
    expect(&request, 200, "hello");
}

void test_client__a_signature_is_four_headers_at_most(void **state)
{
    struct auth_signer signer = { .access_key = STR("ak"),
                                  .secret_key = STR("sk"),
                                  .session_token = STR("token"),
                                  .region = STR("us-east-1"),
                                  .service = STR("s3") };
    struct client_request request = to("GET", "/count");

    (void)state;
    request.signer = &signer;
    expect(&request, 200, "5");
    signer.service = STR("sqs");
    expect(&request, 200, "4");
}

void test_client__urls_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {
        "",           "ftp://h/",     "http://",       "http:///x",   "h",
        "http://u@h", "http://h/a b", "http://h/\x01", "http://h/%zz"
    };
    char longest[CLIENT_URL_BYTES_MAX + 2];
    struct client_request request = { .method = STR("GET") };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        request.url = str_from_cstr(bad[i]);
        assert_false(client_send(client, &request, &answer, &fault));
    }
    /* The longest is a URL; the server has its own limit of targets, which is beyond. */
    memset(longest, 'a', sizeof(longest));
    request = to("GET", "/");
    memcpy(longest, url, strlen(url));
    request.url = str_make(longest, CLIENT_URL_BYTES_MAX);
    expect(&request, 200, "hello");
    request.url.len++;
    expect_fault(&request, "no URL");
}

void test_client__nobody_there_and_no_answer_are_failures(void **state)
{
    struct client_request request = { .method = STR("GET"), .url = STR("http://127.0.0.1:1/") };

    (void)state;
    expect_fault(&request, "127.0.0.1");
    assert_int_equal(answer.status, 0);
    request = to("GET", "/drop");
    expect_fault(&request, "mpty reply");
}

void test_client__a_request_has_its_time(void **state)
{
    struct client_request request = to("GET", "/wait");

    (void)state;
    wire_hold(server, true);
    request.seconds_max = 1;
    expect_fault(&request, "timed out");
    wire_hold(server, false);
}

static void *cancel_when_it_waits(void *context)
{
    pthread_mutex_lock(&server->lock);
    while (server->waiting_count == 0)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
    client_cancel(context);
    return NULL;
}

void test_client__cancelling_ends_what_waits_and_what_follows(void **state)
{
    struct client *other = client_open(&fault);
    struct client_request request = to("GET", "/wait");
    pthread_t thread;

    (void)state;
    wire_hold(server, true);
    assert_int_equal(pthread_create(&thread, NULL, cancel_when_it_waits, other), 0);
    fault = (struct fault){ 0 };
    assert_false(client_send(other, &request, &answer, &fault));
    assert_string_equal(fault.text, "cancelled");
    (void)pthread_join(thread, NULL);
    wire_hold(server, false);
    request = to("GET", "/hello");
    assert_false(client_send(other, &request, &answer, &fault));
    client_closep(&other);
    assert_non_null(strstr(client_library_version(), "libcurl"));
}

void test_client__lack_of_memory_is_told(void **state)
{
    struct client_request request = to("POST", "/echo");
    bool done = false;

    (void)state;
    request.body = STR("abc");
    for (uint64_t n = 1; n < 2000 && !done; n++) {
        struct client *other;

        mem_fault_set(n, false);
        other = client_open(&fault);
        if (other != NULL && client_send(other, &request, &answer, &fault))
            done = !mem_fault_fired();
        mem_fault_set(0, false);
        client_close(other);
    }
    assert_true(done);
    assert_int_equal(answer.status, 200);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(test_client__a_body_arrives_and_the_answer_comes_back),
        TEST(test_client__only_named_headers_are_sent),
        TEST(test_client__a_body_can_be_read_as_it_goes),
        TEST(test_client__headers_of_the_answer_are_found),
        TEST(test_client__a_long_answer_is_cut),
        TEST(test_client__a_signature_is_four_headers_at_most),
        TEST(test_client__urls_that_are_none_are_refused),
        TEST(test_client__nobody_there_and_no_answer_are_failures),
        TEST(test_client__a_request_has_its_time),
        TEST(test_client__cancelling_ends_what_waits_and_what_follows),
        TEST(test_client__lack_of_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
