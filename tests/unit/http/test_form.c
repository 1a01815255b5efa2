/* SPDX-License-Identifier: Apache-2.0 */
/* Form uploads; the outcome never depends on how the input is split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/http/parse/form.h"

#define PART(head, value) "--B\r\nContent-Disposition: form-data; " head "\r\n\r\n" value "\r\n"
#define END "--B--\r\n"

struct seen {
    char file[1024];
    size_t len;
    char filename[128], type[128];
    unsigned begun, ended;
    bool refuse;
};

static struct arena *arena;
static struct form *form;
static struct seen seen;

static bool on_begin(void *context, struct str filename, struct str type)
{
    struct seen *s = context;

    s->begun++;
    snprintf(s->filename, sizeof(s->filename), "%.*s", STR_ARG(filename));
    snprintf(s->type, sizeof(s->type), "%.*s", STR_ARG(type));
    return !s->refuse;
}

static bool on_data(void *context, const void *bytes, size_t len)
{
    struct seen *s = context;

    assert_true(len > 0 && s->begun == 1 && s->ended == 0);
    assert_true(s->len + len < sizeof(s->file));
    memcpy(s->file + s->len, bytes, len);
    s->len += len;
    return true;
}

static bool on_end(void *context)
{
    ((struct seen *)context)->ended++;
    return true;
}

static enum form_result parse(const char *boundary, const char *input, size_t len, size_t split)
{
    struct form_events events = { &seen, on_begin, on_data, on_end };
    enum form_result result = FORM_OK;

    arena_reset(arena);
    memset(&seen, 0, sizeof(seen));
    form = form_open(arena, str_from_cstr(boundary), &events);
    assert_non_null(form);
    for (size_t at = 0; at < len && result == FORM_OK; at += split)
        result = form_feed(form, input + at, size_min(split, len - at));
    return result == FORM_OK ? form_finish(form) : result;
}

static void every_split(const char *boundary, const char *input, enum form_result expected,
                        const char *file)
{
    size_t len = strlen(input);

    for (size_t split = 1; split <= len + 1; split++) {
        enum form_result got = parse(boundary, input, len, split);

        if (got != expected)
            fail_msg("%d instead of %d, split %zu: %s", got, expected, split, input);
        if (file != NULL) {
            assert_string_equal(seen.file, file);
            assert_int_equal(seen.ended, 1);
        }
    }
}

static void field_is(const char *name, const char *value)
{
    struct str got = form_field_value(form, str_from_cstr(name));

    assert_true(str_present(got));
    assert_int_equal(got.len, strlen(value));
    assert_memory_equal(got.p, value, got.len);
}

void test_form__fields_and_file(void **state)
{
    size_t count;

    (void)state;
    every_split("B",
                PART("name=\"key\"", "a/${filename}") PART("name=policy", "")
                    PART("name=\"file\"; filename=\"x \\\"y\\\".txt\"\r\nContent-Type: text/plain",
                         "the file") PART("name=\"submit\"", "late") END,
                FORM_OK, "the file");
    field_is("KEY", "a/${filename}");
    field_is("policy", "");
    assert_false(str_present(form_field_value(form, STR("submit"))));
    assert_string_equal(seen.filename, "x \"y\".txt");
    assert_string_equal(seen.type, "text/plain");
    assert_int_equal(form_fields(form, &count)[0].name.len, 3);
    assert_int_equal(count, 2);
}

void test_form__near_boundaries_inside_the_file_are_data(void **state)
{
    (void)state;
    every_split("B", PART("name=\"File\"", "\r\r\n\r\n-\r\n--\r\n--\r\n--A--B\r\n\r\n--\rB\r") END,
                FORM_OK, "\r\r\n\r\n-\r\n--\r\n--\r\n--A--B\r\n\r\n--\rB\r");
    every_split("--\r", "x", FORM_MALFORMED, NULL);
    every_split("----",
                "------\r\nContent-Disposition: form-data; name=file\r\n\r\n"
                "-\r\n---\r\n-----\r\n\r\n--------\r\n",
                FORM_OK, "-\r\n---\r\n-----\r\n");
}

void test_form__preamble_epilogue_and_blanks_are_allowed(void **state)
{
    (void)state;
    every_split(
        "B",
        "hello\r\n--\r\n-B\r\n--B \t\r\nX-Other: y\r\n"
        "content-disposition: FORM-DATA; name=file; filename=a\r\n\r\nf\r\n--B--trash\r\n--B",
        FORM_OK, "f");
    assert_string_equal(seen.filename, "a");
}

void test_form__an_empty_file_is_a_file(void **state)
{
    (void)state;
    every_split("B", PART("name=file; filename=\"\"", "") END, FORM_OK, "");
    assert_int_equal(seen.begun, 1);
}

void test_form__incomplete_and_malformed_forms_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "--B--",
        "--B--\r\n",
        PART("name=a", "b") END,
        PART("name=file", "f"),
        PART("name=file", "f") "--B-",
        PART("name=file", "f") "--Bx",
        "--B\r\n\r\nf\r\n--B--",
        "--B\r\nContent-Disposition: form-data\r\n\r\nf\r\n--B--",
        "--B\r\nContent-Disposition: attachment; name=file\r\n\r\nf\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=\"file\r\n\r\nf\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=file\nX: y\r\n\r\nf\r\n--B--",
        "--B\r\nno colon\r\n\r\nf\r\n--B--",
        "--B\nContent-Disposition: form-data; name=file\n\nf\n--B--",
        "x--B\r\nContent-Disposition: form-data; name=file\r\n\r\nf\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b"
        "\r\n\r\nf\r\n--B--",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        every_split("B", bad[i], FORM_MALFORMED, NULL);
}

void test_form__a_refusing_callback_stops(void **state)
{
    struct form_events events = { &seen, on_begin, on_data, on_end };
    const char *input = PART("name=file", "f") END;

    (void)state;
    memset(&seen, 0, sizeof(seen));
    seen.refuse = true;
    form = form_open(arena, STR("B"), &events);
    assert_int_equal(form_feed(form, input, strlen(input)), FORM_REFUSED);
    assert_int_equal(form_finish(form), FORM_REFUSED);
    assert_int_equal(seen.len, 0);
}

static enum form_result with_fields(unsigned count, size_t value_len)
{
    char *input = malloc(count * (value_len + 80) + 200);
    size_t len = 0;
    enum form_result result;

    for (unsigned i = 0; i < count; i++) {
        len +=
            (size_t)sprintf(input + len, "--B\r\nContent-Disposition: form-data; name=n\r\n\r\n");
        memset(input + len, 'v', value_len);
        len += value_len;
        len += (size_t)sprintf(input + len, "\r\n");
    }
    len += (size_t)sprintf(input + len, PART("name=file", "f") END);
    result = parse("B", input, len, 1000);
    free(input);
    return result;
}

void test_form__limits_hold_at_the_maximum_and_one_past_it(void **state)
{
    (void)state;
    assert_int_equal(with_fields(FORM_FIELDS_MAX, 1), FORM_OK);
    assert_int_equal(with_fields(FORM_FIELDS_MAX + 1, 1), FORM_TOO_MANY);
    /* The names "n" and "file" count as well. */
    assert_int_equal(with_fields(1, FORM_FIELDS_BYTES_MAX - 5), FORM_OK);
    assert_int_equal(with_fields(1, FORM_FIELDS_BYTES_MAX - 4), FORM_TOO_LONG);
}

static enum form_result with_header(size_t len)
{
    char *input = malloc(len + 300);
    static const char disposition[] = "Content-Disposition: form-data; name=file\r\n";
    size_t rest = len - strlen(disposition) - 2; /* the empty line counts */
    enum form_result result;

    sprintf(input, "--B\r\n%sX:", disposition);
    memset(input + strlen(input) + 0, 'h', rest - 4);
    sprintf(input + 5 + strlen(disposition) + rest - 2, "\r\n\r\nf\r\n--B--");
    result = parse("B", input, strlen(input), 100);
    free(input);
    return result;
}

void test_form__part_header_limit(void **state)
{
    (void)state;
    assert_int_equal(with_header(FORM_PART_HEADER_BYTES_MAX), FORM_OK);
    assert_int_equal(with_header(FORM_PART_HEADER_BYTES_MAX + 1), FORM_TOO_LONG);
}

void test_form__boundary_of_a_content_type(void **state)
{
    static const char *const bad[] = { "",
                                       "multipart/form-data",
                                       "multipart/form-data; boundary=",
                                       "text/plain; boundary=x",
                                       "multipart/mixed; boundary=x",
                                       "multipart/form-data; boundary=\"x",
                                       "multipart/form-data; boundary=\"x \"",
                                       "multipart/form-data; boundary=a\\b" };
    struct str boundary;
    char text[200];

    (void)state;
    assert_true(
        form_boundary(STR("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), &boundary));
    assert_true(str_eq(boundary, STR("a b")));
    assert_true(form_boundary(STR("multipart/form-data;boundary=----x"), &boundary));
    assert_true(str_eq(boundary, STR("----x")));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(form_boundary(str_from_cstr(bad[i]), &boundary));
    for (size_t len = FORM_BOUNDARY_BYTES_MAX; len <= FORM_BOUNDARY_BYTES_MAX + 1; len++) {
        strcpy(text, "multipart/form-data; boundary=");
        memset(text + 30, 'b', len);
        text[30 + len] = '\0';
        assert_int_equal(form_boundary(str_from_cstr(text), &boundary),
                         len == FORM_BOUNDARY_BYTES_MAX);
    }
}

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

#define TEST(name) cmocka_unit_test(test_form__##name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fields_and_file),
        TEST(near_boundaries_inside_the_file_are_data),
        TEST(preamble_epilogue_and_blanks_are_allowed),
        TEST(an_empty_file_is_a_file),
        TEST(incomplete_and_malformed_forms_are_refused),
        TEST(a_refusing_callback_stops),
        TEST(limits_hold_at_the_maximum_and_one_past_it),
        TEST(part_header_limit),
        TEST(boundary_of_a_content_type),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
