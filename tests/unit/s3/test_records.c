/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A third observer, whole: a journal of the last requests, told beside the log and the counters.
 *
 * What it takes is this file: a function that is told, its own memory, and a line where the server
 * is put together. Requests come over a socket to an app with a store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "server/records/counters.h"
#include "server/records/log_lines.h"
#include "server/s3/s3.h"
#include "server/xml/xml.h"

#define ALICE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define JOURNAL_MAX 16
#define JOURNAL_TEXT 2048
#define REPLY_BYTES_MAX 65536
#define PATIENCE_S 20

/* ---- the observer -------------------------------------------------------------------------- */

struct entry {
    struct request_record record; /* its texts are in text, one after the other */
    char text[JOURNAL_TEXT];
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t told;
    size_t count;
    struct entry entries[JOURNAL_MAX];
} journal = { .lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER };

static struct str keep(struct entry *entry, size_t *used, struct str text)
{
    size_t len = size_min(text.len, JOURNAL_TEXT - *used);
    char *at = entry->text + *used;

    if (!str_present(text))
        return text;
    memcpy(at, text.p, len);
    *used += len;
    return str_make(at, len);
}

/* All texts that are the client's; the others are constants. */
static const size_t kept[] = {
    offsetof(struct request_record, method),     offsetof(struct request_record, target),
    offsetof(struct request_record, host),       offsetof(struct request_record, remote),
    offsetof(struct request_record, user_agent), offsetof(struct request_record, bucket),
    offsetof(struct request_record, key),        offsetof(struct request_record, version),
    offsetof(struct request_record, principal),  offsetof(struct request_record, access_key),
    offsetof(struct request_record, request_id), offsetof(struct request_record, why),
};

static void journal_request(void *context, const struct request_record *record)
{
    struct entry *entry;
    size_t used = 0;

    (void)context;
    pthread_mutex_lock(&journal.lock);
    entry = &journal.entries[journal.count % JOURNAL_MAX];
    entry->record = *record;
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        struct str *text = (struct str *)(void *)((char *)&entry->record + kept[i]);

        *text = keep(entry, &used, *text);
    }
    journal.count++;
    pthread_cond_broadcast(&journal.told);
    pthread_mutex_unlock(&journal.lock);
}

static const struct observer journal_observer = { .request = journal_request };

/* The record of the request that comes next, counted from 0, once it is told. */
static const struct request_record *journal_wait(size_t number)
{
    pthread_mutex_lock(&journal.lock);
    while (journal.count <= number)
        pthread_cond_wait(&journal.told, &journal.lock);
    pthread_mutex_unlock(&journal.lock);
    return &journal.entries[number].record;
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
    struct counters *counters;
    struct observers observers;
    struct s3_app *app;
    struct http_server *http;
    struct http_listener listener;
    size_t asked;
} server;

static void open_observers(void)
{
    struct observer counting;

    server.counters = counters_open(s3_operation_count());
    assert_non_null(server.counters);
    counting = counters_observer(server.counters);
    assert_true(observers_add(&server.observers, &log_lines));
    assert_true(observers_add(&server.observers, &counting));
    assert_true(observers_add(&server.observers, &journal_observer));
}

static int setup(void **state UNUSED)
{
    struct store_options store_options = { .reserve_bytes = 1 };
    struct http_options http_options = { .loop_count = 1 };
    struct s3_options options = { 0 };
    struct fault fault = { 0 };
    struct users *users;

    log_set_level(LOG_LEVEL_ERROR);
    xml_init();
    memset(&server, 0, sizeof(server));
    journal.count = 0;
    (void)snprintf(server.dir, sizeof(server.dir), "/tmp/pail-records-XXXXXX");
    assert_non_null(mkdtemp(server.dir));
    server.stores = stores_new(0);
    assert_int_equal(stores_open(server.stores, STR(""), server.dir, &store_options, &fault),
                     STORE_OK);
    users = users_open();
    assert_true(users_add(users, &alice, &fault));
    server.users = users_put_in_force(users);
    assert_non_null(server.users);
    open_observers();
    options.stores = server.stores;
    options.auth.users = server.users;
    options.auth.region = STR("us-east-1");
    options.observers = &server.observers;
    server.app = s3_app_open(&options);
    assert_non_null(server.app);
    assert_true(http_listen(STR("127.0.0.1:0"), false, &server.listener, &fault));
    assert_true(http_server_start(&http_options, &server.listener, 1, s3_http_app(server.app),
                                  &server.http, &fault));
    return 0;
}

static int teardown(void **state UNUSED)
{
    char command[128];

    http_server_stop(server.http, 0);
    s3_app_close(server.app);
    counters_close(server.counters);
    users_in_force_close(server.users);
    stores_free(server.stores);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", server.dir);
    return system(command);
}

/* ---- asking -------------------------------------------------------------------------------- */

static int dial(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)strtoul(strrchr(server.listener.url, ':') + 1, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Send it, read to the end, and hand back its record. */
static const struct request_record *ask(const char *text)
{
    static char reply[REPLY_BYTES_MAX];
    int fd = dial();
    ssize_t got;

    send_text(fd, text);
    while ((got = recv(fd, reply, sizeof(reply), 0)) > 0)
        ;
    assert_int_equal(got, 0);
    close(fd);
    return journal_wait(server.asked++);
}

/* A presigned request of alice's, with its body. */
static const struct request_record *ask_signed(const char *method, const char *bucket,
                                               const char *key, const char *body)
{
    CLEANUP(buf_free) struct buf url = BUF_WITH_MAX(4096);
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(8192);
    struct str base = str_from_cstr(server.listener.url);

    assert_true(auth_presign(&url, &alice, str_from_cstr(method), base, STR("us-east-1"),
                             str_from_cstr(bucket), str_from_cstr(key), STR_NONE, 60,
                             clock_now_us(&clock_of_system)));
    buf_printf(&text,
               "%s %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: tester/1\r\nConnection: close\r\n"
               "Content-Length: %zu\r\n\r\n%s",
               method, STR_ARG(str_skip(buf_view(&url), base.len)),
               STR_ARG(str_skip(base, STR("http://").len)), strlen(body), body);
    buf_char(&text, '\0');
    return ask(text.p);
}

static void assert_says(struct str actual, const char *expected)
{
    struct str text = str_from_cstr(expected);

    if (!str_eq(actual, text) || str_present(actual) != str_present(text))
        fail_msg("'%.*s' is not '%s'", STR_ARG(actual), expected != NULL ? expected : "(none)");
}

static void assert_in_order(const struct request_record *record)
{
    assert_true(record->started_us > 0);
    assert_true(record->started_us <= record->answered_us);
    assert_true(record->answered_us <= record->done_us);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_s3_records__tell_who_did_what_and_how_it_ended(void **state UNUSED)
{
    const struct request_record *record = ask_signed("PUT", "journal", NULL, "");

    assert_says(record->name, "CreateBucket");
    assert_int_equal(record->status, 200);

    record = ask_signed("PUT", "journal", "a key", "12345");
    assert_in_order(record);
    assert_says(record->name, "PutObject");
    assert_says(s3_operation_name(record->operation), "PutObject");
    assert_says(record->bucket, "journal");
    assert_true(record->bucket_named);
    assert_says(record->key, "a key");
    assert_says(record->version, NULL);
    assert_says(record->principal, ALICE);
    assert_says(record->access_key, "A");
    assert_says(record->action, "s3:PutObject");
    assert_true(record->allowed);
    assert_true(record->reason.len > 0);
    assert_says(record->host, server.listener.url + STR("http://").len);
    assert_says(record->user_agent, "tester/1");
    assert_true(str_starts(record->remote, STR("127.0.0.1:")));
    assert_int_equal(record->request_id.len, 16);
    assert_int_equal(record->bytes_in, 5);
    assert_int_equal(record->bytes_out, 0);
    assert_false(record->aborted);
    assert_false(record->unseen);
    assert_says(record->code, NULL);

    record = ask_signed("GET", "journal", "a key", "");
    assert_says(record->name, "GetObject");
    assert_int_equal(record->bytes_out, 5);
    record = ask_signed("GET", "journal", "nothing", "");
    assert_says(record->code, "NoSuchKey");
    assert_int_equal(record->status, 404);
}

static void test_s3_records__of_refusals_name_what_is_known(void **state UNUSED)
{
    const struct request_record *record = ask_signed("PUT", "journal", NULL, "");

    record = ask("GET /No! HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

    assert_in_order(record);
    assert_int_equal(record->status, 400);
    assert_says(record->code, "InvalidBucketName");
    assert_says(record->bucket, "No!");
    assert_false(record->bucket_named);
    assert_true(str_starts(record->why, STR("bucket name: ")));
    assert_says(record->principal, NULL);
    assert_says(record->action, NULL); /* nobody was asked whether it may */

    record = ask("GET /journal?acl HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert_says(record->code, "AccessDenied");
    assert_says(record->action, "s3:GetBucketAcl");
    assert_false(record->allowed);
    assert_true(record->reason.len > 0);

    record = ask("GET /none/key HTTP/1.1\r\nHost: bucket.example.com\r\nConnection: close\r\n\r\n");
    assert_says(record->code, "NoSuchBucket");
    assert_true(str_present(record->hint));
}

static void test_s3_records__are_told_of_requests_no_operation_saw(void **state UNUSED)
{
    const struct request_record *record = ask("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");

    assert_true(record->unseen);
    assert_int_equal(record->operation, 0);
    assert_says(record->name, "-");
    assert_int_equal(record->status, 400);
    assert_int_equal(record->request_id.len, 16);
    assert_in_order(record);
}

static void test_s3_records__of_a_body_cut_off_are_aborted(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf url = BUF_WITH_MAX(4096);
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(8192);
    struct str base = str_from_cstr(server.listener.url);
    const struct request_record *record = ask_signed("PUT", "journal", NULL, "");
    char reply[256];
    int fd = dial();

    assert_true(auth_presign(&url, &alice, STR("PUT"), base, STR("us-east-1"), STR("journal"),
                             STR("cut"), STR_NONE, 60, clock_now_us(&clock_of_system)));
    buf_printf(&text,
               "PUT %.*s HTTP/1.1\r\nHost: %.*s\r\nExpect: 100-continue\r\nContent-Length: "
               "100\r\n\r\n",
               STR_ARG(str_skip(buf_view(&url), base.len)),
               STR_ARG(str_skip(base, STR("http://").len)));
    buf_char(&text, '\0');
    send_text(fd, text.p);
    assert_true(recv(fd, reply, sizeof(reply), 0) > 0); /* 100 Continue */
    send_text(fd, "some");
    close(fd);

    record = journal_wait(server.asked++);
    assert_says(record->name, "PutObject");
    assert_true(record->aborted);
    assert_int_equal(record->bytes_in, 4);
    assert_int_equal(record->answered_us, 0);
    assert_true(record->done_us >= record->started_us);
}

static void test_s3_records__observers_are_told_the_same(void **state UNUSED)
{
    const struct request_record *record = ask_signed("PUT", "journal", NULL, "");
    struct request_counts counts;
    unsigned put = record->operation;

    record = ask_signed("GET", "journal", "nothing", "");
    counts = counters_of(server.counters, record->operation);
    assert_int_equal(counters_requests(&counts), 1);
    assert_int_equal(counts.outcomes[OUTCOME_REFUSED], 1);
    assert_int_equal(counts.bytes_out, record->bytes_out);
    assert_int_equal(counts.time_us, record->done_us - record->started_us);
    counts = counters_of(server.counters, put);
    assert_int_equal(counts.outcomes[OUTCOME_DONE], 1);
}

static void test_s3_records__operations_have_names_of_their_own(void **state UNUSED)
{
    assert_says(s3_operation_name(0), "-");
    assert_says(s3_operation_name(s3_operation_count()), "-");
    for (size_t i = 1; i < s3_operation_count(); i++)
        for (size_t k = 0; k < i; k++)
            assert_false(str_eq(s3_operation_name(i), s3_operation_name(k)));
}

#define RECORDS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECORDS_TEST(test_s3_records__tell_who_did_what_and_how_it_ended),
        RECORDS_TEST(test_s3_records__of_refusals_name_what_is_known),
        RECORDS_TEST(test_s3_records__are_told_of_requests_no_operation_saw),
        RECORDS_TEST(test_s3_records__of_a_body_cut_off_are_aborted),
        RECORDS_TEST(test_s3_records__observers_are_told_the_same),
        cmocka_unit_test(test_s3_records__operations_have_names_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
