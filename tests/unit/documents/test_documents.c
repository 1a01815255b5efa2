/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document that pail does not have is a row (more.def) and a function (more_effect): put, seen on
 * every request to its bucket, shown, deleted and gone; from two loops, and after a restart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "server/s3/answer.h"
#include "server/s3/documents.h"
#include "server/s3/s3.h"

#define ALICE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define REPLY_BYTES_MAX 65536
#define PATIENCE_S 20
#define LOOPS 2
#define DIALS_MAX 400 /* until both loops have answered */
#define DOCUMENT "<CORSConfiguration><CORSRule/></CORSConfiguration>"

/* ---- the effect ---------------------------------------------------------------------------- */

enum s3_error more_effect(struct op *op, const struct bucket_document *document)
{
    op_set_u64(op, "x-test-document", document->body.len);
    if (op->has_source)
        op_set_u64(op, "x-test-source", op->source_config->document_count);
    return S3_OK;
}

/* ---- the server ---------------------------------------------------------------------------- */

static const struct user alice = { .access_key = { "A", 1 },
                                   .secret_key = { "secret-of-alice", 15 },
                                   .canonical_id = { ALICE, sizeof(ALICE) - 1 },
                                   .display_name = { "alice", 5 },
                                   .email = { "", 0 } };

static struct {
    char dir[64];
    struct stores *stores;
    struct users_in_force *users;
    struct s3_app *app;
    struct http_server *http;
    struct http_listener listener;
    atomic_uint loop; /* that answered last */
} server;

static void note_loop(void *context UNUSED, const struct request_record *record)
{
    atomic_store(&server.loop, record->loop);
}

static const struct observer loop_observer = { .request = note_loop };
static struct observers observers;

static void start(void)
{
    struct store_options store_options = { .durability = STORE_RELAXED, .reserve_bytes = 1 };
    struct http_options http_options = { .loop_count = LOOPS };
    struct s3_options options = { .auth.mode = AUTH_OPEN };
    struct fault fault = { 0 };
    struct users *users;

    server.stores = stores_new(0);
    assert_int_equal(stores_open(server.stores, STR(""), server.dir, &store_options, &fault),
                     STORE_OK);
    users = users_open();
    assert_true(users_add(users, &alice, &fault));
    server.users = users_put_in_force(users);
    assert_non_null(server.users);
    options.stores = server.stores;
    options.auth.users = server.users;
    options.auth.region = STR("us-east-1");
    options.observers = &observers;
    server.app = s3_app_open(&options);
    assert_non_null(server.app);
    assert_true(http_listen(STR("127.0.0.1:0"), false, &server.listener, &fault));
    assert_true(http_server_start(&http_options, &server.listener, 1, s3_http_app(server.app),
                                  &server.http, &fault));
}

static void stop(void)
{
    http_server_stop(server.http, 0);
    s3_app_close(server.app);
    users_in_force_close(server.users);
    stores_free(server.stores);
}

static int setup(void **state UNUSED)
{
    log_set_level(LOG_LEVEL_ERROR);
    memset(&server, 0, sizeof(server));
    memset(&observers, 0, sizeof(observers));
    assert_true(observers_add(&observers, &loop_observer));
    (void)snprintf(server.dir, sizeof(server.dir), "/tmp/pail-documents-XXXXXX");
    assert_non_null(mkdtemp(server.dir));
    start();
    return 0;
}

static int teardown(void **state UNUSED)
{
    char command[128];

    stop();
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", server.dir);
    return system(command);
}

/* ---- asking -------------------------------------------------------------------------------- */

static char reply[REPLY_BYTES_MAX];

/* Status of the answer, which is left in reply. headers: whole lines. */
static int ask_with(const char *method, const char *target, const char *headers, const char *body)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    static char text[S3_XML_BYTES_MAX + 1024];
    size_t len = 0;
    ssize_t got;

    address.sin_port = htons((uint16_t)strtoul(strrchr(server.listener.url, ':') + 1, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)snprintf(
        text, sizeof(text),
        "%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s", method,
        target, headers, strlen(body), body);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    while ((got = recv(fd, reply + len, sizeof(reply) - 1 - len, 0)) > 0)
        len += (size_t)got;
    assert_int_equal(got, 0);
    reply[len] = '\0';
    (void)close(fd);
    return len > 12 ? (int)strtol(reply + 9, NULL, 10) : 0;
}

static int ask(const char *method, const char *target, const char *body)
{
    return ask_with(method, target, "", body);
}

static bool said(const char *text)
{
    return strstr(reply, text) != NULL;
}

static size_t times_said(const char *text)
{
    size_t times = 0;

    for (const char *at = reply; (at = strstr(at, text)) != NULL; at += strlen(text))
        times++;
    return times;
}

/* The same of every loop. */
static void assert_effect(bool expected)
{
    unsigned seen = 0;

    for (unsigned i = 0; i < DIALS_MAX && seen != (1u << LOOPS) - 1; i++) {
        assert_int_equal(ask("HEAD", "/bucket", ""), 200);
        assert_int_equal(said("x-test-document: 50\r\n"), expected);
        seen |= 1u << atomic_load(&server.loop);
    }
    assert_int_equal(seen, (1u << LOOPS) - 1);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_documents__one_more_is_a_row_and_a_function(void **state UNUSED)
{
    assert_int_equal(sizeof(DOCUMENT) - 1, 50);
    assert_int_equal(ask("PUT", "/bucket", ""), 200);
    assert_int_equal(ask("PUT", "/other", ""), 200);
    assert_effect(false);
    assert_int_equal(ask("GET", "/bucket?cors", ""), 404);
    assert_true(said("<Code>NoSuchCORSConfiguration</Code>"));

    assert_int_equal(ask("PUT", "/bucket?cors", "<?xml version=\"1.0\"?>\n" DOCUMENT), 200);
    assert_effect(true);
    assert_int_equal(ask("GET", "/bucket?cors", ""), 200);
    assert_true(said("?>\n" DOCUMENT));
    /* Admitted at its head and at its end, acted upon once. */
    assert_int_equal(ask("PUT", "/bucket/key", "data"), 200);
    assert_int_equal(times_said("x-test-document: 50\r\n"), 1);
    assert_int_equal(ask("GET", "/bucket/key", ""), 200);
    assert_true(said("x-test-document: 50\r\n"));
    assert_int_equal(ask("HEAD", "/other", ""), 200);
    assert_false(said("x-test-document"));

    stop();
    start();
    assert_effect(true);
    assert_int_equal(ask("DELETE", "/bucket?cors", ""), 204);
    assert_effect(false);
    assert_int_equal(ask("GET", "/bucket?cors", ""), 404);
}

static void test_documents__a_copy_has_the_configuration_of_its_source_too(void **state UNUSED)
{
    const char *source = "x-amz-copy-source: /other/key\r\n";

    assert_int_equal(ask("PUT", "/bucket", ""), 200);
    assert_int_equal(ask("PUT", "/other", ""), 200);
    assert_int_equal(ask("PUT", "/other/key", "data"), 200);
    assert_int_equal(ask("PUT", "/bucket?cors", DOCUMENT), 200);
    assert_int_equal(ask_with("PUT", "/bucket/key", source, ""), 200);
    assert_true(said("x-test-source: 0\r\n"));
    assert_int_equal(ask("PUT", "/other?cors", DOCUMENT), 200);
    assert_int_equal(ask_with("PUT", "/bucket/key", source, ""), 200);
    assert_true(said("x-test-source: 1\r\n"));
}

static void test_documents__a_bad_one_is_not_kept(void **state UNUSED)
{
    assert_int_equal(ask("PUT", "/bucket", ""), 200);
    assert_int_equal(ask("PUT", "/bucket?cors", DOCUMENT), 200);
    assert_int_equal(ask("PUT", "/bucket?cors", "<Other/>"), 400);
    assert_true(said("<Code>MalformedXML</Code>"));
    assert_int_equal(ask("PUT", "/bucket?cors", ""), 400);
    assert_true(said("<Code>MissingRequestBodyError</Code>"));
    assert_effect(true);
    assert_int_equal(ask("DELETE", "/bucket?metadataConfiguration", ""), 501);
}

/* ---- many of a kind ------------------------------------------------------------------------ */

static int put_one(const char *bucket, const char *query_id, const char *own_id)
{
    char target[256];
    char document[512];

    (void)snprintf(target, sizeof(target), "/%s?metrics&id=%s", bucket, query_id);
    (void)snprintf(document, sizeof(document),
                   "<MetricsConfiguration><Id>%s</Id></MetricsConfiguration>", own_id);
    return ask("PUT", target, document);
}

static void test_documents__with_ids_are_named_by_them(void **state UNUSED)
{
    static const char *const bad[] = { "", "a%20b", "a%2Fb", "a*", "%C3%A9" };
    char longest[S3_DOCUMENT_ID_CHARS_MAX + 2];

    assert_int_equal(ask("PUT", "/bucket", ""), 200);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(put_one("bucket", bad[i], bad[i]), 400);
        assert_true(said("<Code>InvalidConfigurationId</Code>"));
    }
    assert_int_equal(put_one("bucket", "one", "two"), 400);
    assert_true(said("<Code>IdMismatch</Code>"));
    memset(longest, 'x', sizeof(longest));
    longest[S3_DOCUMENT_ID_CHARS_MAX + 1] = '\0';
    assert_int_equal(put_one("bucket", longest, longest), 400);
    longest[S3_DOCUMENT_ID_CHARS_MAX] = '\0';
    assert_int_equal(put_one("bucket", longest, longest), 200);
    assert_int_equal(put_one("bucket", "A-z_0.9", "A-z_0.9"), 200);
    assert_int_equal(ask("GET", "/bucket?metrics&id=A-z_0.9", ""), 200);
    assert_true(said("<Id>A-z_0.9</Id>"));
    assert_int_equal(ask("GET", "/bucket?metrics&id=other", ""), 404);
    assert_true(said("<Code>NoSuchConfiguration</Code>"));
}

static void test_documents__of_a_kind_are_a_thousand_at_most(void **state UNUSED)
{
    char id[16];

    assert_int_equal(ask("PUT", "/bucket", ""), 200);
    for (int i = 0; i < S3_DOCUMENTS_MAX; i++) {
        (void)snprintf(id, sizeof(id), "n%04d", i);
        assert_int_equal(put_one("bucket", id, id), 200);
    }
    assert_int_equal(put_one("bucket", "more", "more"), 400);
    assert_true(said("<Code>TooManyConfigurations</Code>"));
    assert_int_equal(put_one("bucket", "n0500", "n0500"), 200);
    assert_int_equal(ask("PUT", "/bucket?cors", DOCUMENT), 200); /* of another kind */
    assert_int_equal(ask("DELETE", "/bucket?metrics&id=n0500", ""), 204);
    assert_int_equal(put_one("bucket", "more", "more"), 200);
    assert_int_equal(put_one("bucket", "n0500", "n0500"), 400);

    assert_int_equal(ask("GET", "/bucket?metrics", ""), 200);
    assert_int_equal(times_said("<MetricsConfiguration>"), 100);
    assert_true(said("<IsTruncated>true</IsTruncated>"));
    assert_true(said("<Id>more</Id>") && said("<Id>n0098</Id>") && !said("<Id>n0099</Id>"));
}

static void test_documents__have_a_limit_of_bytes_together(void **state UNUSED)
{
    static char document[S3_XML_BYTES_MAX + 1];
    const unsigned fit = S3_DOCUMENTS_BYTES_MAX / S3_XML_BYTES_MAX;
    char target[64];

    assert_int_equal(ask("PUT", "/bucket", ""), 200);
    for (unsigned i = 0; i <= fit; i++) {
        int head =
            snprintf(document, sizeof(document), "<MetricsConfiguration><Id>n%02u</Id><Filter>", i);
        const char *tail = "</Filter></MetricsConfiguration>";

        memset(document + head, 'x', sizeof(document) - (size_t)head);
        (void)snprintf(document + S3_XML_BYTES_MAX - strlen(tail), strlen(tail) + 1, "%s", tail);
        (void)snprintf(target, sizeof(target), "/bucket?metrics&id=n%02u", i);
        assert_int_equal(ask("PUT", target, document), i < fit ? 200 : 400);
    }
    assert_true(said("<Code>InvalidRequest</Code>"));
    assert_int_equal(ask("HEAD", "/bucket", ""), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_documents__with_ids_are_named_by_them, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_documents__of_a_kind_are_a_thousand_at_most, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_documents__have_a_limit_of_bytes_together, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_documents__one_more_is_a_row_and_a_function, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_documents__a_copy_has_the_configuration_of_its_source_too, setup, teardown),
        cmocka_unit_test_setup_teardown(test_documents__a_bad_one_is_not_kept, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
