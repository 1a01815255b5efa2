/* SPDX-License-Identifier: Apache-2.0 */
/* Queries as a whole: events byte for byte, objects in pieces, and memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text/codec.h"
#include "server/select/events.h"
#include "server/select/select.h"

#define STREAM_BYTES_MAX (1u << 20)

struct object {
    struct str rest;
    size_t piece;
};

static int64_t read_object(void *context, void *out, size_t max)
{
    struct object *object = context;
    size_t len = size_min(size_min(max, object->piece), object->rest.len);

    memcpy(out, object->rest.p, len);
    object->rest = str_skip(object->rest, len);
    return (int64_t)len;
}

static int64_t fail_to_read(void *context UNUSED, void *out UNUSED, size_t max UNUSED)
{
    return -1;
}

static struct select_settings settings_of(const char *statement)
{
    struct csv_format plain = {
        .field = ',', .quote = '"', .escape = '"', .record = STR("\n"), .line_ends = true
    };

    return (struct select_settings){
        .expression = str_from_cstr(statement), .read = plain, .write = plain, .json_end = STR("\n")
    };
}

/* The whole stream. What the first step finds wrong is handed back. */
static enum s3_error run(const struct select_settings *settings, struct str object, size_t piece,
                         struct buf *stream)
{
    struct object source = { object, piece };
    struct select_query *query;
    enum s3_error err = select_open(settings, &query);
    char bytes[100];
    int64_t got;

    if (err != S3_OK)
        return err;
    select_start(query, &(struct select_source){ read_object, &source });
    err = select_step(query);
    while (err == S3_OK && (got = select_read(query, bytes, sizeof(bytes))) != 0) {
        if (got < 0)
            err = S3_InternalError;
        else
            buf_append(stream, bytes, (size_t)got);
    }
    select_close(query);
    return err;
}

static void test_select_events__are_these_bytes(void **state UNUSED)
{
    /* Made with Python's struct and zlib. */
    static const char continuation[] =
        "00000039000000298ba19df20d3a6d6573736167652d74797065070005657665"
        "6e740b3a6576656e742d74797065070004436f6e749c864a0d";
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(1000);
    char hex[200];

    event_continuation(&out);
    assert_int_equal(out.len, (sizeof(continuation) - 1) / 2);
    hex_encode(out.p, out.len, hex);
    assert_memory_equal(hex, continuation, sizeof(continuation) - 1);
}

static void test_select_query__pieces_of_the_object_make_no_difference(void **state UNUSED)
{
    static const struct {
        const char *statement;
        enum select_format input;
        const char *object;
    } cases[] = {
        { "SELECT name, _2 FROM S3Object", SELECT_CSV, "name,x\r\n\"a,\"\"b\",1\r\n\r\nc,2" },
        { "SELECT * FROM S3Object", SELECT_JSON, " {\"a\":\"}\\\"{\"}[1,[2]]\"x\" 12 13\ntrue\n" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct select_settings settings = settings_of(cases[i].statement);
        struct str object = str_from_cstr(cases[i].object);
        CLEANUP(buf_free) struct buf whole = BUF_WITH_MAX(STREAM_BYTES_MAX);

        settings.input = settings.output = cases[i].input;
        settings.header = SELECT_HEADER_USE;
        assert_int_equal(run(&settings, object, SIZE_MAX, &whole), S3_OK);
        for (size_t piece = 1; piece < object.len; piece++) {
            CLEANUP(buf_free) struct buf pieces = BUF_WITH_MAX(STREAM_BYTES_MAX);

            assert_int_equal(run(&settings, object, piece, &pieces), S3_OK);
            assert_true(str_eq(buf_view(&whole), buf_view(&pieces)));
        }
    }
}

static void test_select_query__a_source_that_fails_ends_it(void **state UNUSED)
{
    struct select_settings settings = settings_of("SELECT * FROM S3Object");
    struct select_query *query;

    assert_int_equal(select_open(&settings, &query), S3_OK);
    select_start(query, &(struct select_source){ fail_to_read, NULL });
    assert_int_equal(select_step(query), S3_InternalError);
    select_close(query);
}

/* Every allocation fails once, or with all behind it: SlowDown or an event of it, never other rows. */
static void test_select_query__memory_may_run_out_anywhere(void **state UNUSED)
{
    struct select_settings settings = settings_of(
        "SELECT name, UPPER(name) || 'x', CAST(n AS STRING) FROM S3Object WHERE n IN (1, 2)");
    struct str object = STR("name,n\na,1\n\"b\"\"\",2\nc,3\n");
    CLEANUP(buf_free) struct buf wanted = BUF_WITH_MAX(STREAM_BYTES_MAX);
    uint64_t fired = 0;

    settings.header = SELECT_HEADER_USE;
    settings.output = SELECT_JSON;
    assert_int_equal(run(&settings, object, 5, &wanted), S3_OK);
    for (uint64_t n = 1; n < 1000; n++) {
        CLEANUP(buf_free) struct buf got = BUF_WITH_MAX(STREAM_BYTES_MAX);
        enum s3_error err;

        assert_true(buf_reserve(&got, 100000));
        mem_fault_set(n, n % 2);
        err = run(&settings, object, 5, &got);
        if (!mem_fault_fired())
            break;
        mem_fault_set(0, false);
        fired++;
        if (err == S3_OK)
            assert_true(str_eq(buf_view(&got), buf_view(&wanted)) ||
                        str_find(buf_view(&got), STR("SlowDown")) != SIZE_MAX);
        else if (err != S3_SlowDown && err != S3_InternalError)
            fail_msg("%.*s", STR_ARG(s3_error_row(err)->code));
    }
    mem_fault_set(0, false);
    assert_true(fired > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select_events__are_these_bytes),
        cmocka_unit_test(test_select_query__pieces_of_the_object_make_no_difference),
        cmocka_unit_test(test_select_query__a_source_that_fails_ends_it),
        cmocka_unit_test(test_select_query__memory_may_run_out_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
