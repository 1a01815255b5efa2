/* SPDX-License-Identifier: Apache-2.0 */
/* server/endpoint: addresses as clients write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/endpoint.h"

static void assert_str(struct str got, const char *wanted)
{
    if (!str_eq(got, str_from_cstr(wanted)))
        fail_msg("'%.*s' is not '%s'", STR_ARG(got), wanted);
}

static void test_server_endpoint__parts_and_their_defaults(void **state)
{
    static const struct {
        const char *url, *host, *port, *authority, *path;
        bool tls;
    } rows[] = {
        { "http://127.0.0.1:9000", "127.0.0.1", "9000", "127.0.0.1:9000", "/", false },
        { "http://localhost", "localhost", "80", "localhost", "/", false },
        { "https://s3.test/a/b", "s3.test", "443", "s3.test", "/a/b", true },
        { "http://[::1]:1/", "::1", "1", "[::1]:1", "/", false },
        { "http://[::1]", "::1", "80", "[::1]", "/", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct endpoint endpoint;

        assert_true(endpoint_parse(str_from_cstr(rows[i].url), &endpoint, NULL));
        assert_int_equal(endpoint.tls, rows[i].tls);
        assert_false(str_present(endpoint.unix_path));
        assert_str(endpoint.host, rows[i].host);
        assert_str(endpoint.port, rows[i].port);
        assert_str(endpoint.authority, rows[i].authority);
        assert_str(endpoint.path, rows[i].path);
    }
}

static void test_server_endpoint__a_unix_socket_has_a_path(void **state)
{
    struct endpoint endpoint;

    (void)state;
    assert_true(endpoint_parse(STR("unix:/run/pail.sock"), &endpoint, NULL));
    assert_str(endpoint.unix_path, "/run/pail.sock");
    assert_str(endpoint.path, "/");
}

static void test_server_endpoint__names_under_localhost_are_this_machine(void **state)
{
    static const struct {
        const char *url;
        bool is;
    } rows[] = {
        { "http://localhost:9000", true },      { "http://LocalHost", true },
        { "http://a.store.localhost:1", true }, { "http://b.LOCALHOST", true },
        { "http://.localhost", false },         { "http://alocalhost", false },
        { "http://localhost.example", false },  { "http://127.0.0.1", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct endpoint endpoint;

        assert_true(endpoint_parse(str_from_cstr(rows[i].url), &endpoint, NULL));
        if (endpoint_is_localhost(&endpoint) != rows[i].is)
            fail_msg("%s", rows[i].url);
    }
}

static void test_server_endpoint__what_can_not_be_reached_is_refused(void **state)
{
    static const char *const urls[] = {
        "",
        "127.0.0.1:9000",
        "ftp://127.0.0.1",
        "http://",
        "http://:9000",
        "http:///path",
        "http://host:",
        "http://host:0",
        "http://host:65536",
        "http://host:80x",
        "http://ho st",
        "http://host/a b",
        "http://host/a\r\nX: y",
        "unix:",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct endpoint endpoint;
        struct fault fault = { 0 };

        if (endpoint_parse(str_from_cstr(urls[i]), &endpoint, &fault))
            fail_msg("'%s' was taken", urls[i]);
        assert_true(fault.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_endpoint__parts_and_their_defaults),
        cmocka_unit_test(test_server_endpoint__a_unix_socket_has_a_path),
        cmocka_unit_test(test_server_endpoint__names_under_localhost_are_this_machine),
        cmocka_unit_test(test_server_endpoint__what_can_not_be_reached_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
