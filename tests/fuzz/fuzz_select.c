/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S3 Select: a byte of choices, a byte of how the object is read in pieces, a statement up to a line
 * feed, the object.
 *
 * (1) An accepted query ends, with the event End or with an error, or is refused by its first step.
 * (2) Its stream is whole messages whose lengths and CRCs are right.
 * (3) In what pieces the object comes makes no difference: not to the rows, not to how it ends.
 * (4) A statement that is refused is refused again with the same error.
 */
#include "base/digest/crc.h"
#include "server/select/select.h"
#include "tests/fuzz/fuzz.h"

#define STREAM_BYTES_MAX (8u << 20)
#define READS_MAX 100000

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

static uint32_t number_at(struct str text, size_t at)
{
    uint32_t number = 0;

    FUZZ_CHECK(at + 4 <= text.len, "cut");
    for (size_t i = 0; i < 4; i++)
        number = number << 8 | (unsigned char)text.p[at + i];
    return number;
}

/* Rows of all Records events into rows; what the last event is is told by its headers. */
static void take_apart(struct str stream, struct buf *rows, struct str *ret_last)
{
    *ret_last = STR_NONE;
    while (stream.len > 0) {
        uint32_t total = number_at(stream, 0);
        uint32_t headers = number_at(stream, 4);
        struct str fields = str_slice(stream, 12, headers);

        FUZZ_CHECK(total <= stream.len && headers + 16 <= total, "%u of %zu", total, stream.len);
        FUZZ_CHECK(number_at(stream, 8) == crc_run(&crc_32, 0, stream.p, 8), "prelude");
        FUZZ_CHECK(number_at(stream, total - 4) == crc_run(&crc_32, 0, stream.p, total - 4),
                   "message");
        FUZZ_CHECK(!str_present(*ret_last) || str_find(*ret_last, STR("End")) == SIZE_MAX,
                   "something behind the end");
        if (str_find(fields, STR("Records")) != SIZE_MAX)
            buf_append(rows, stream.p + 12 + headers, total - 16 - headers);
        *ret_last = fields;
        stream = str_skip(stream, total);
    }
}

struct outcome {
    enum s3_error error; /* of the statement or the first step */
    struct buf rows;
    struct buf last;
};

static void free_outcome(struct outcome *outcome)
{
    buf_free(&outcome->rows);
    buf_free(&outcome->last);
}

static void run(const struct select_settings *settings, struct str object, size_t piece,
                struct outcome *outcome)
{
    struct object source = { object, piece };
    CLEANUP(buf_free) struct buf stream = BUF_WITH_MAX(STREAM_BYTES_MAX);
    struct select_query *query;
    char bytes[4096];
    struct str last;
    int64_t got;

    *outcome =
        (struct outcome){ .rows = BUF_WITH_MAX(STREAM_BYTES_MAX), .last = BUF_WITH_MAX(1u << 16) };
    outcome->error = select_open(settings, &query);
    if (outcome->error != S3_OK)
        return;
    source.rest = str_skip(object, select_first_byte(settings));
    select_start(query, &(struct select_source){ read_object, &source });
    outcome->error = select_step(query);
    if (outcome->error != S3_OK) {
        select_close(query);
        return;
    }
    for (unsigned i = 0; (got = select_read(query, bytes, sizeof(bytes))) > 0; i++) {
        FUZZ_CHECK(i < READS_MAX, "it does not end");
        buf_append(&stream, bytes, (size_t)got);
    }
    FUZZ_CHECK(got == 0, "a source that does not fail");
    select_close(query);
    if (stream.failed)
        return;
    take_apart(buf_view(&stream), &outcome->rows, &last);
    FUZZ_CHECK(str_find(last, STR("End")) != SIZE_MAX || str_find(last, STR("error")) != SIZE_MAX,
               "no end");
    buf_str(&outcome->last, last);
}

static struct select_settings settings_of(uint8_t choices, struct str statement)
{
    struct csv_format plain = {
        .field = ',', .quote = '"', .escape = '"', .record = STR("\n"), .line_ends = true
    };
    struct select_settings settings = {
        .expression = statement, .read = plain, .write = plain, .json_end = STR("\n")
    };

    settings.input = choices & 1 ? SELECT_JSON : SELECT_CSV;
    settings.output = choices & 2 ? SELECT_JSON : SELECT_CSV;
    settings.header = (enum select_header)((choices >> 2) % 3);
    settings.read.quoted_ends = choices & 16;
    settings.json_lines = true;
    if (choices & 32) {
        settings.read.record = STR(";;");
        settings.read.line_ends = false;
        settings.read.escape = '\\';
        settings.read.comment = '#';
    }
    if ((choices & 64) && !settings.read.quoted_ends) {
        settings.has_range = true;
        settings.range_begin = choices >> 2 & 15;
        settings.range_end = settings.range_begin + 9;
    }
    settings.progress = choices & 128;
    return settings;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, size };
    uint8_t choices = input_byte(&input);
    size_t piece = 1 + input_byte(&input) % 16;
    struct select_settings settings = settings_of(choices, input_until(&input, '\n'));
    struct str object = input_rest(&input);
    CLEANUP(free_outcome) struct outcome whole = { 0 };
    CLEANUP(free_outcome) struct outcome pieces = { 0 };

    run(&settings, object, SIZE_MAX, &whole);
    run(&settings, object, piece, &pieces);
    FUZZ_CHECK(whole.error == pieces.error, "%d and %d", whole.error, pieces.error);
    FUZZ_CHECK(str_eq(buf_view(&whole.rows), buf_view(&pieces.rows)), "other rows");
    FUZZ_CHECK(str_eq(buf_view(&whole.last), buf_view(&pieces.last)), "another end");
    fuzz_touch(buf_view(&whole.rows));
    return 0;
}
