/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart/form-data: Content-Type LF, a byte that seeds the splits, then the body.
 *
 * (1) Fields, file and result do not depend on how the body was split.
 * (2) Fields stay within their limits, memory within the arena's; all fields known when the file
 *     begins are still the same when it ends.
 * (3) No delimiter is inside the file or a field.
 */
#include "server/http/parse/form.h"
#include "tests/fuzz/fuzz.h"

#define LOG_BYTES_MAX (8u << 20)

struct log {
    struct buf text;
    struct form *form;
    struct str delimiter;
    size_t file_from; /* in text */
    size_t fields;
    bool begun, ended;
};

static void log_fields(struct log *log)
{
    size_t count;
    const struct form_field *fields = form_fields(log->form, &count);
    size_t bytes = 0;

    FUZZ_CHECK(count <= FORM_FIELDS_MAX, "%zu fields", count);
    for (size_t i = 0; i < count; i++) {
        bytes += fields[i].name.len + fields[i].value.len;
        buf_printf(&log->text, "%.*s=", STR_ARG(fields[i].name));
        buf_str(&log->text, fields[i].value);
        buf_char(&log->text, '\n');
        FUZZ_CHECK(str_present(form_field_value(log->form, fields[i].name)), "field not found");
        FUZZ_CHECK(str_find(fields[i].value, log->delimiter) == SIZE_MAX, "a delimiter");
    }
    FUZZ_CHECK(bytes <= FORM_FIELDS_BYTES_MAX, "%zu bytes of fields", bytes);
    log->fields = count;
}

static bool on_begin(void *context, struct str filename, struct str content_type)
{
    struct log *log = context;

    FUZZ_CHECK(!log->begun, "a second file");
    log->begun = true;
    log_fields(log);
    buf_printf(&log->text, "file '%.*s' '%.*s':", STR_ARG(filename), STR_ARG(content_type));
    log->file_from = log->text.len;
    return true;
}

static bool on_data(void *context, const void *bytes, size_t len)
{
    struct log *log = context;

    FUZZ_CHECK(log->begun && !log->ended && len > 0, "data outside the file");
    buf_append(&log->text, bytes, len);
    return true;
}

static bool on_end(void *context)
{
    struct log *log = context;
    size_t count;

    FUZZ_CHECK(log->begun && !log->ended, "an end without a file");
    log->ended = true;
    (void)form_fields(log->form, &count);
    FUZZ_CHECK(count == log->fields, "fields after the file");
    FUZZ_CHECK(str_find(str_skip(buf_view(&log->text), log->file_from), log->delimiter) == SIZE_MAX,
               "a delimiter");
    buf_lit(&log->text, "|");
    return true;
}

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static enum form_result parse(struct str body, struct str boundary, size_t piece_max, uint64_t seed,
                              struct log *log)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(4096, 256u << 10);
    struct form_events events = { log, on_begin, on_data, on_end };
    enum form_result result = FORM_OK;

    *log = (struct log){ .text = BUF_WITH_MAX(LOG_BYTES_MAX) };
    FUZZ_CHECK(arena != NULL, "memory");
    log->delimiter = arena_printf(arena, "\r\n--%.*s", STR_ARG(boundary));
    log->form = form_open(arena, boundary, &events);
    FUZZ_CHECK(log->form != NULL, "a form does not fit 256 KiB");
    while (body.len > 0 && result == FORM_OK) {
        size_t len = piece_max == 0 ? body.len
                                    : size_min(body.len, 1 + (size_t)(next(&seed) % piece_max));
        char *piece = malloc(len);

        FUZZ_CHECK(piece != NULL, "memory");
        memcpy(piece, body.p, len);
        result = form_feed(log->form, piece, len);
        free(piece);
        body = str_skip(body, len);
    }
    if (result == FORM_OK)
        result = form_finish(log->form);
    FUZZ_CHECK(result != FORM_OK || (log->begun && log->ended), "good without a file");
    log_fields(log);
    return result;
}

static void compare(struct str body, struct str boundary, size_t piece_max, uint64_t seed,
                    enum form_result expected, const struct log *whole)
{
    struct log log;
    enum form_result result = parse(body, boundary, piece_max, seed, &log);

    FUZZ_CHECK(result == expected, "split: %d, whole: %d", (int)result, (int)expected);
    FUZZ_CHECK(str_eq(buf_view(&log.text), buf_view(&whole->text)), "split:\n%.*s\nwhole:\n%.*s",
               STR_ARG(buf_view(&log.text)), STR_ARG(buf_view(&whole->text)));
    buf_free(&log.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, size };
    struct str content_type = input_until(&input, '\n');
    uint64_t seed = input_byte(&input);
    struct str body = input_rest(&input);
    struct str boundary;
    struct log whole;
    enum form_result expected;

    if (!form_boundary(content_type, &boundary))
        return 0;
    FUZZ_CHECK(boundary.len > 0 && boundary.len <= FORM_BOUNDARY_BYTES_MAX, "%zu", boundary.len);
    FUZZ_CHECK(fuzz_inside(boundary, content_type), "a boundary from elsewhere");

    expected = parse(body, boundary, 0, 0, &whole);
    compare(body, boundary, body.len <= 2048 ? 1 : 61, seed, expected, &whole);
    compare(body, boundary, body.len <= 8192 ? 5 : 499, seed, expected, &whole);
    compare(body, boundary, 100, seed + 1, expected, &whole);
    buf_free(&whole.text);
    return 0;
}
