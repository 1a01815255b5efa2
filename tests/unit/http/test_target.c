/* SPDX-License-Identifier: Apache-2.0 */
/* The request-target is split and decoded once; the raw text stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/http/http.h"

static struct arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(4096, 1 << 20);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

static bool parse(const char *target, struct http_request *request)
{
    memset(request, 0, sizeof(*request));
    request->method = STR("GET");
    return http_target_parse(str_from_cstr(target), arena, request, NULL);
}

static void is(struct str s, const char *text)
{
    assert_true(str_present(s));
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.p, text, s.len);
}

void test_http_target__path_is_kept_as_it_came(void **state)
{
    struct http_request r;

    (void)state;
    assert_true(parse("/b/a%2Fb%20c+d%C3%A9/../x//y", &r));
    is(r.raw_path, "/b/a%2Fb%20c+d%C3%A9/../x//y");
    assert_false(str_present(r.raw_query));
    assert_int_equal(r.param_count, 0);
}

void test_http_target__parameters_keep_order_and_equals(void **state)
{
    struct http_request r;

    (void)state;
    assert_true(parse("/b?list-type=2&acl&prefix=a%2Fb+c&empty=&&k=a=b&acl", &r));
    is(r.raw_query, "list-type=2&acl&prefix=a%2Fb+c&empty=&&k=a=b&acl");
    assert_int_equal(r.param_count, 6);
    is(r.params[0].name, "list-type");
    is(r.params[0].value, "2");
    assert_false(r.params[1].has_equals);
    is(r.params[1].value, "");
    is(r.params[2].raw_value, "a%2Fb+c");
    is(r.params[2].value, "a/b c");
    assert_true(r.params[3].has_equals);
    is(r.params[3].value, "");
    is(r.params[4].value, "a=b");
    assert_ptr_equal(http_param(&r, STR("acl")), &r.params[1]);
    assert_null(http_param(&r, STR("ACL")));
}

void test_http_target__names_are_decoded_once(void **state)
{
    struct http_request r;

    (void)state;
    assert_true(parse("/?a%63l=%252F&=x", &r));
    is(r.params[0].name, "acl");
    is(r.params[0].value, "%2F");
    is(r.params[1].name, "");
    is(r.params[1].value, "x");
}

void test_http_target__an_empty_query_is_present(void **state)
{
    struct http_request r;

    (void)state;
    assert_true(parse("/?", &r));
    assert_true(str_present(r.raw_query));
    assert_int_equal(r.raw_query.len, 0);
    is(r.raw_path, "/");
}

void test_http_target__other_forms_and_bad_bytes_are_refused(void **state)
{
    static const char *const bad[] = { "",      "x",    "http:/h/x", "h:80",  "*",
                                       "/%",    "/%4",  "/%zz",      "/%00",  "/a?b=%00",
                                       "/a?%0", "/a b", "/a\tb",     "/\x7f", "/a?x=%g1" };
    struct http_request r;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (parse(bad[i], &r))
            fail_msg("accepted %s", bad[i]);
    }
    assert_false(http_target_parse(STR("/a\0b"), arena, &r, NULL));
    assert_false(parse("/\xc3\xa9?\xff", &r));
}

void test_http_target__absolute_form_names_the_host(void **state)
{
    static const struct {
        const char *target, *host, *path;
    } cases[] = {
        { "http://h/b/k", "h", "/b/k" },
        { "HTTP://h:9000/b/k?acl", "h:9000", "/b/k" },
        { "http://[::1]:9000//b/http://x/", "[::1]:9000", "//b/http://x/" },
        { "http://b.s3.localhost", "b.s3.localhost", "/" },
        { "http://h?acl", "h", "/" },
        { "http://h:/x", "h:", "/x" },
    };
    struct http_request r;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (!parse(cases[i].target, &r))
            fail_msg("refused %s", cases[i].target);
        is(r.target, cases[i].target);
        is(r.host, cases[i].host);
        is(r.raw_path, cases[i].path);
        assert_int_equal(str_present(r.raw_query), strchr(cases[i].target, '?') != NULL);
    }
    assert_true(parse("/b/k", &r));
    assert_false(str_present(r.host));
}

void test_http_target__absolute_form_of_another_server_is_refused(void **state)
{
    static const char *const bad[] = {
        "http://",       "http:///b/k",   "http://?x",      "http:h/b/k",     "http:/h/b/k",
        "https://h/b/k", "ftp://h/b/k",   "http://u@h/b/k", "http://u:p@h/k", "http://h:x/k",
        "http://h:9:9/", "http://h#f/k",  "http://[::1/k",  "http://[]/k",    "http://[::1]x/k",
        "http://:9000/", "http://h\\b/k", "http://h/%zz",   "http://h/b?a=%0"
    };
    struct http_request r;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (parse(bad[i], &r))
            fail_msg("accepted %s", bad[i]);
    }
    r = (struct http_request){ .method = STR("GET"), .tls = true };
    assert_true(http_target_parse(STR("https://h/b/k"), arena, &r, NULL));
    is(r.host, "h");
    is(r.raw_path, "/b/k");
}

void test_http_target__asterisk_belongs_to_options(void **state)
{
    struct http_request r = { .method = STR("OPTIONS") };

    (void)state;
    assert_true(http_target_parse(STR("*"), arena, &r, NULL));
    is(r.raw_path, "*");
}

void test_http_target__parameter_limit_holds_at_the_maximum_and_one_past_it(void **state)
{
    char text[2 * (HTTP_QUERY_PARAMS_MAX + 1) + 3] = "/?";
    struct http_request r;

    (void)state;
    for (int i = 0; i < HTTP_QUERY_PARAMS_MAX; i++)
        strcat(text, "a&");
    assert_true(parse(text, &r));
    assert_int_equal(r.param_count, HTTP_QUERY_PARAMS_MAX);
    strcat(text, "a");
    assert_false(parse(text, &r));
}

#define TEST(name) cmocka_unit_test(test_http_target__##name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(path_is_kept_as_it_came),
        TEST(parameters_keep_order_and_equals),
        TEST(names_are_decoded_once),
        TEST(an_empty_query_is_present),
        TEST(other_forms_and_bad_bytes_are_refused),
        TEST(absolute_form_names_the_host),
        TEST(absolute_form_of_another_server_is_refused),
        TEST(asterisk_belongs_to_options),
        TEST(parameter_limit_holds_at_the_maximum_and_one_past_it),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
