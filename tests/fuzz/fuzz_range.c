/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Range, conditional headers and dates: eight bytes of size, then lines: Range, If-Match,
 * If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range, ETag.
 *
 * (1) A range that is served lies inside the content and is the one asked for; a second reading of
 *     RFC 9110 §14.1.2, written here, agrees on every header.
 * (2) A date that parses prints and parses to itself.
 */
#include "server/http/parse/range.h"
#include "tests/fuzz/fuzz.h"

/* ---- the second reading --------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Digits from *at on; a number past 64 bits is the largest. False: there is none. */
static bool read_digits(struct str s, size_t *at, uint64_t *ret_value)
{
    size_t from = *at;
    uint64_t value = 0;

    while (*at < s.len && s.p[*at] >= '0' && s.p[*at] <= '9') {
        uint64_t digit = (uint64_t)(s.p[*at] - '0');

        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
        (*at)++;
    }
    *ret_value = value;
    return *at > from;
}

static enum range_result reference(struct str s, uint64_t size_bytes, uint64_t *offset,
                                   uint64_t *length)
{
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;
    bool has_first;
    bool has_last;
    size_t at = 0;

    while (at < s.len && is_blank(s.p[at]))
        at++;
    while (s.len > at && is_blank(s.p[s.len - 1]))
        s.len--;
    if (s.len - at < 6 || !str_eq_nocase(str_slice(s, at, 6), STR("bytes=")))
        return RANGE_NONE;
    at += 6;
    while (at < s.len && is_blank(s.p[at]))
        at++;
    has_first = read_digits(s, &at, &first);
    if (at == s.len || s.p[at] != '-')
        return RANGE_NONE;
    at++;
    has_last = read_digits(s, &at, &last);
    if (at != s.len || (!has_first && !has_last))
        return RANGE_NONE;
    if (!has_last)
        last = UINT64_MAX;

    if (!has_first) {
        if (last == 0)
            return RANGE_UNSATISFIABLE;
        if (size_bytes == 0)
            return RANGE_NONE;
        *length = last < size_bytes ? last : size_bytes;
        *offset = size_bytes - *length;
        return RANGE_PARTIAL;
    }
    if (last < first)
        return RANGE_NONE;
    if (first >= size_bytes)
        return RANGE_UNSATISFIABLE;
    *offset = first;
    *length = (last < size_bytes ? last : size_bytes - 1) - first + 1;
    return RANGE_PARTIAL;
}

/* ---------------------------------------------------------------------------------------------- */

static void check_range(struct str header, uint64_t size_bytes)
{
    uint64_t offset = 0;
    uint64_t length = 0;
    uint64_t expected_offset = 0;
    uint64_t expected_length = 0;
    enum range_result result = http_range_parse(header, size_bytes, &offset, &length);
    enum range_result expected = reference(header, size_bytes, &expected_offset, &expected_length);

    FUZZ_CHECK(result == expected, "'%.*s' of %llu: %d, not %d", STR_ARG(header),
               (unsigned long long)size_bytes, (int)result, (int)expected);
    if (result != RANGE_PARTIAL)
        return;
    FUZZ_CHECK(length > 0 && offset < size_bytes && length <= size_bytes - offset,
               "%llu+%llu of %llu", (unsigned long long)offset, (unsigned long long)length,
               (unsigned long long)size_bytes);
    FUZZ_CHECK(offset == expected_offset && length == expected_length, "another part");
}

static void check_date(struct str text)
{
    char printed[CLOCK_HTTP_LEN + 1];
    int64_t us;
    int64_t again;

    if (!clock_parse_http(text, &us))
        return;
    /* Years that the format cannot hold are not printed. */
    if (us < INT64_C(-62135596800) * US_PER_S || us >= INT64_C(253402300800) * US_PER_S)
        return;
    clock_format_http(us, printed);
    FUZZ_CHECK(clock_parse_http(str_make(printed, CLOCK_HTTP_LEN), &again), "'%s'", printed);
    FUZZ_CHECK(again == us, "'%.*s' is '%s'", STR_ARG(text), printed);
}

/* An empty line: the header is absent. */
static struct str input_header(struct input *input)
{
    struct str line = input_until(input, '\n');

    return line.len > 0 ? line : STR_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, size };
    struct preconditions conditions;
    enum precondition result;
    uint64_t size_bytes = 0;
    struct str if_range;
    struct str etag;

    for (unsigned i = 0; i < 8; i++)
        size_bytes |= (uint64_t)input_byte(&input) << (8 * i);
    check_range(input_until(&input, '\n'), size_bytes);

    conditions.if_match = input_header(&input);
    conditions.if_none_match = input_header(&input);
    conditions.if_modified_since = input_header(&input);
    conditions.if_unmodified_since = input_header(&input);
    if_range = input_header(&input);
    etag = input_rest(&input);
    check_date(conditions.if_modified_since);
    check_date(conditions.if_unmodified_since);

    result = http_preconditions_check(&conditions, etag, FUZZ_NOW_US, FUZZ_NOW_US);
    FUZZ_CHECK(result != PRECONDITION_IF_NONE_MATCH ||
                   http_etag_list_has(conditions.if_none_match, etag),
               "not modified, though the tag differs");
    FUZZ_CHECK(result != PRECONDITION_IF_MODIFIED_SINCE || !str_present(conditions.if_none_match),
               "a date counts although there is a tag");
    (void)http_if_range_holds(if_range, etag, FUZZ_NOW_US);
    return 0;
}
