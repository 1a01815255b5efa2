/* SPDX-License-Identifier: Apache-2.0 */
/* aws-chunked in its four variants; the outcome never depends on how the input is split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/http/parse/aws_chunked.h"

#define SIG "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct seen {
    char log[32768]; /* one line per event; data joined */
    size_t len;
    bool in_data;
    unsigned refuse_after; /* events; 0: never */
    unsigned events;
};

static bool note(struct seen *seen, const char *text, size_t len)
{
    assert_true(seen->len + len < sizeof(seen->log));
    memcpy(seen->log + seen->len, text, len);
    seen->len += len;
    seen->events++;
    return seen->refuse_after == 0 || seen->events < seen->refuse_after;
}

static bool on_begin(void *context, uint64_t size, struct str signature)
{
    char text[128];
    int len =
        snprintf(text, sizeof(text), "[%llu %.*s|", (unsigned long long)size, STR_ARG(signature));

    return note(context, text, (size_t)len);
}

static bool on_data(void *context, const void *bytes, size_t len)
{
    assert_true(len > 0);
    return note(context, bytes, len);
}

static bool on_end(void *context)
{
    return note(context, "]", 1);
}

static bool on_trailer(void *context, struct str name, struct str value)
{
    char text[9000];
    int len = snprintf(text, sizeof(text), "{%.*s=%.*s}", STR_ARG(name), STR_ARG(value));

    return note(context, text, (size_t)len);
}

static enum aws_chunked_result decode(const char *input, size_t len, size_t split, bool sign,
                                      bool trailers, struct seen *seen)
{
    static struct aws_chunked decoder;
    struct aws_chunked_events events = { seen, on_begin, on_data, on_end, on_trailer };
    enum aws_chunked_result result;

    memset(seen, 0, sizeof(*seen));
    aws_chunked_init(&decoder, &events, sign, trailers);
    for (size_t at = 0; at < len;) {
        size_t take = size_min(split, len - at);

        result = aws_chunked_feed(&decoder, input + at, take);
        if (result != AWS_CHUNKED_OK) {
            assert_int_equal(aws_chunked_feed(&decoder, "0", 1), AWS_CHUNKED_MALFORMED);
            return result;
        }
        at += take;
    }
    return aws_chunked_finish(&decoder);
}

/* Whole, byte by byte, and cut in two at every place. */
static void every_split(const char *input, bool sign, bool trailers,
                        enum aws_chunked_result expected, const char *log)
{
    static struct seen seen;
    size_t len = strlen(input);

    for (size_t split = 1; split <= len + 1; split++) {
        enum aws_chunked_result got = decode(input, len, split, sign, trailers, &seen);

        if (got != expected)
            fail_msg("%d instead of %d, split %zu: %s", got, expected, split, input);
        if (log != NULL)
            assert_string_equal(seen.log, log);
    }
}

void test_aws_chunked__unsigned(void **state)
{
    (void)state;
    every_split("A\r\n0123456789\r\n0\r\n\r\n", false, false, AWS_CHUNKED_OK,
                "[10 |0123456789][0 |]");
    every_split("0\r\n\r\n", false, false, AWS_CHUNKED_OK, "[0 |]");
}

void test_aws_chunked__signed(void **state)
{
    (void)state;
    every_split("5;chunk-signature=" SIG "\r\nhello\r\n0;chunk-signature=" SIG "\r\n\r\n", true,
                false, AWS_CHUNKED_OK, "[5 " SIG "|hello][0 " SIG "|]");
}

void test_aws_chunked__unsigned_with_trailer(void **state)
{
    (void)state;
    every_split("2\r\nhi\r\n0\r\nX-Amz-Checksum-CRC32: AAAA==\r\n\r\n", false, true, AWS_CHUNKED_OK,
                "[2 |hi][0 |]{x-amz-checksum-crc32=AAAA==}");
    every_split("0\r\n\r\n", false, true, AWS_CHUNKED_OK, "[0 |]");
}

void test_aws_chunked__signed_with_trailer(void **state)
{
    (void)state;
    every_split("2;chunk-signature=" SIG "\r\nhi\r\n0;chunk-signature=" SIG
                "\r\nx-amz-checksum-crc32:AAAA==\r\nx-amz-trailer-signature:" SIG "\r\n\r\n",
                true, true, AWS_CHUNKED_OK,
                "[2 " SIG "|hi][0 " SIG
                "|]{x-amz-checksum-crc32=AAAA==}{x-amz-trailer-signature=" SIG "}");
}

/* minio-go: every header ends in LF, the group in CRLF. */
void test_aws_chunked__trailer_lines_ended_by_lf(void **state)
{
    (void)state;
    every_split("0\r\na:1\nb:2\n\r\nx-amz-trailer-signature:s\r\n\r\n", false, true, AWS_CHUNKED_OK,
                "[0 |]{a=1}{b=2}{x-amz-trailer-signature=s}");
    every_split("0\r\na:1\n\r\n\r\n", false, true, AWS_CHUNKED_OK, "[0 |]{a=1}");
}

void test_aws_chunked__malformed_framing_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "5",
        "5\r\n",
        "5\r\nhell",
        "5\r\nhello",
        "5\r\nhello\r\n",
        "0",
        "0\r",
        "0\r\n\r",
        "0\r\n\rX",
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "+1\r\na\r\n0\r\n\r\n",
        "0x1\r\na\r\n0\r\n\r\n",
        " 1\r\na\r\n0\r\n\r\n",
        "1 \r\na\r\n0\r\n\r\n",
        "1\na\n0\n\n",
        "hello",
        "1\r\nab\r\n0\r\n\r\n",
        "1\r\na\n\r\n0\r\n\r\n",
        "1\r\na\r\r\n",
        "10000000000000000\r\n",
        "1\rx",
        "1;x=y\r\na\r\n0\r\n\r\n",
        "0\r\n\r\nx",
        "0\r\n\r\n\r\n",
        "1;chunk-signature=" SIG "\r\na\r\n0;chunk-signature=" SIG "\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        every_split(bad[i], false, false, AWS_CHUNKED_MALFORMED, NULL);
}

void test_aws_chunked__the_last_empty_line_may_be_missing(void **state)
{
    (void)state;
    every_split("5\r\nhello\r\n0\r\n", false, true, AWS_CHUNKED_OK, "[5 |hello][0 |]");
    every_split("0\r\na:1\r\n", false, true, AWS_CHUNKED_OK, "[0 |]{a=1}");
    every_split("0\r\n", false, false, AWS_CHUNKED_OK, "[0 |]");
    every_split("0;chunk-signature=" SIG "\r\n", true, false, AWS_CHUNKED_OK, "[0 " SIG "|]");
}

void test_aws_chunked__blanks_may_stand_around_the_semicolon(void **state)
{
    (void)state;
    every_split("5 ; chunk-signature=" SIG "\r\nhello\r\n0\t;  \tchunk-signature=" SIG "\r\n\r\n",
                true, false, AWS_CHUNKED_OK, "[5 " SIG "|hello][0 " SIG "|]");
}

void test_aws_chunked__signed_chunks_need_a_signature(void **state)
{
    static const char *const bad[] = {
        "0\r\n\r\n",
        "0;\r\n\r\n",
        "0;chunk-signature\r\n\r\n",
        "0;chunk-signature=\r\n\r\n",
        "0;Chunk-Signature=" SIG "\r\n\r\n",
        "0;a=b;chunk-signature=" SIG "\r\n\r\n",
        " 0;chunk-signature=" SIG "\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        every_split(bad[i], true, false, AWS_CHUNKED_MALFORMED, NULL);
}

/* Whether it can be one is judged by whoever compares it. */
void test_aws_chunked__any_text_is_handed_on_as_a_signature(void **state)
{
    (void)state;
    every_split("0;chunk-signature=x\r\n\r\n", true, false, AWS_CHUNKED_OK, "[0 x|]");
    every_split("0;chunk-signature=" SIG "0\r\n\r\n", true, false, AWS_CHUNKED_OK, "[0 " SIG "0|]");
    every_split("0;chunk-signature=" SIG ";a=b\r\n\r\n", true, false, AWS_CHUNKED_OK,
                "[0 " SIG ";a=b|]");
}

static void two_chunks(size_t first, enum aws_chunked_result expected)
{
    static struct seen seen;
    static char text[AWS_CHUNK_BYTES_MIN + 100];
    size_t len = (size_t)snprintf(text, sizeof(text), "%zx\r\n", first);

    memset(text + len, 'v', first);
    len += first;
    len += (size_t)snprintf(text + len, sizeof(text) - len, "\r\n1\r\nx\r\n0\r\n\r\n");
    assert_int_equal(decode(text, len, 1000, false, true, &seen), expected);
}

void test_aws_chunked__only_the_last_chunk_may_be_smaller_than_8192_bytes(void **state)
{
    static struct seen seen;
    static struct aws_chunked decoder;
    struct aws_chunked_events events = { &seen, on_begin, on_data, on_end, on_trailer };
    const char *input = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";

    (void)state;
    two_chunks(AWS_CHUNK_BYTES_MIN, AWS_CHUNKED_OK);
    two_chunks(AWS_CHUNK_BYTES_MIN - 1, AWS_CHUNKED_SMALL_CHUNK);
    every_split(input, false, true, AWS_CHUNKED_SMALL_CHUNK, "[3 |abc]");

    /* The error names the chunk that came after and the size of the one before. */
    memset(&seen, 0, sizeof(seen));
    aws_chunked_init(&decoder, &events, false, true);
    assert_int_equal(aws_chunked_feed(&decoder, input, strlen(input)), AWS_CHUNKED_SMALL_CHUNK);
    assert_int_equal(decoder.chunk_count, 2);
    assert_int_equal(decoder.chunk_bytes, 3);
}

void test_aws_chunked__bad_trailers_are_refused(void **state)
{
    static const char *const bad[] = {
        "0\r\na\r\n\r\n",       "0\r\n:1\r\n\r\n", "0\r\na b:1\r\n\r\n",
        "0\r\na:1\n\n\r\n\r\n", "0\r\n\n\r\n\r\n", "0\r\na:\x01\r\n\r\n",
    };
    static const char *const cut[] = { "0\r\na:1", "0\r\na:1\r", "0\r\na:1\rb\r\n\r\n",
                                       "0\r\na:1\r\n\r\nb:2\r\n" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        every_split(bad[i], false, true, AWS_CHUNKED_BAD_TRAILER, NULL);
    for (size_t i = 0; i < COUNT_OF(cut); i++)
        every_split(cut[i], false, true, AWS_CHUNKED_MALFORMED, NULL);
    every_split("0\r\na:1\r\n\r\n", false, false, AWS_CHUNKED_BAD_TRAILER, NULL);
}

void test_aws_chunked__limits_hold_at_the_maximum_and_one_past_it(void **state)
{
    static struct seen seen;
    static char text[AWS_CHUNK_TRAILER_BYTES_MAX + 100];
    size_t fits = AWS_CHUNK_TRAILER_BYTES_MAX - 2; /* CR of the line and of the empty line count */

    (void)state;
    for (int past = 0; past <= 1; past++) {
        size_t line = fits + (size_t)past;

        memset(text, 'v', sizeof(text));
        memcpy(text, "0\r\na:", 5);
        memcpy(text + 3 + line, "\r\n\r\n", 5);
        assert_int_equal(decode(text, 3 + line + 4, 7, false, true, &seen),
                         past ? AWS_CHUNKED_BAD_TRAILER : AWS_CHUNKED_OK);
    }
    for (int past = 0; past <= 1; past++) {
        strcpy(text, "0\r\n");
        for (int i = 0; i < AWS_CHUNK_TRAILERS_MAX + past; i++)
            strcat(text, "a:1\r\n");
        strcat(text, "\r\n");
        every_split(text, false, true, past ? AWS_CHUNKED_BAD_TRAILER : AWS_CHUNKED_OK, NULL);
    }
    memset(text, '0', sizeof(text));
    assert_int_equal(decode(text, AWS_CHUNK_HEADER_BYTES_MAX, 1, false, false, &seen),
                     AWS_CHUNKED_TOO_LONG);
}

void test_aws_chunked__a_refusing_callback_stops_the_decoder(void **state)
{
    static struct seen seen;
    static struct aws_chunked decoder;
    struct aws_chunked_events events = { &seen, on_begin, on_data, on_end, on_trailer };

    (void)state;
    for (unsigned refuse = 1; refuse <= 6; refuse++) {
        const char *input = "5\r\nhello\r\n0\r\na:1\r\n\r\n";

        memset(&seen, 0, sizeof(seen));
        seen.refuse_after = refuse;
        aws_chunked_init(&decoder, &events, false, true);
        assert_int_equal(aws_chunked_feed(&decoder, input, strlen(input)), AWS_CHUNKED_REFUSED);
        assert_int_equal(aws_chunked_finish(&decoder), AWS_CHUNKED_MALFORMED);
    }
}

#define TEST(name) cmocka_unit_test(test_aws_chunked__##name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unsigned),
        TEST(signed),
        TEST(unsigned_with_trailer),
        TEST(signed_with_trailer),
        TEST(trailer_lines_ended_by_lf),
        TEST(malformed_framing_is_refused),
        TEST(the_last_empty_line_may_be_missing),
        TEST(blanks_may_stand_around_the_semicolon),
        TEST(signed_chunks_need_a_signature),
        TEST(any_text_is_handed_on_as_a_signature),
        TEST(only_the_last_chunk_may_be_smaller_than_8192_bytes),
        TEST(bad_trailers_are_refused),
        TEST(limits_hold_at_the_maximum_and_one_past_it),
        TEST(a_refusing_callback_stops_the_decoder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
