/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata in header fields: any bytes, as a header field's, as a form's and as UTF-8 text.
 *
 * (1) What goes into an answer is ASCII without control characters but the tab, in words of at
 *     most 75 characters.
 * (2) A text that needed words is what they decode to; ISO-8859-1 that is all in it comes back.
 * (3) Decoding gives valid UTF-8 of whatever came.
 */
#include "base/text/mailword.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_BYTES_MAX (16u << 20)

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c >= 0x7f || (c < 0x20 && c != '\t' && c != '\r' && c != '\n'))
            return false;
    }
    return true;
}

static void check_shown(struct str shown, bool words)
{
    struct str rest = shown;
    struct str word;

    for (size_t i = 0; i < shown.len; i++)
        FUZZ_CHECK((shown.p[i] >= 0x20 && shown.p[i] < 0x7f) || shown.p[i] == '\t', "byte %02x",
                   (unsigned char)shown.p[i]);
    while (words && str_next(&rest, ' ', &word))
        FUZZ_CHECK(word.len <= 75 && str_starts(word, STR("=?UTF-8?")) && str_ends(word, STR("?=")),
                   "word '%.*s'", STR_ARG(word));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(TEXT_BYTES_MAX);
    CLEANUP(buf_free) struct buf shown = BUF_WITH_MAX(TEXT_BYTES_MAX);
    CLEANUP(buf_free) struct buf back = BUF_WITH_MAX(TEXT_BYTES_MAX);
    CLEANUP(buf_free) struct buf narrow = BUF_WITH_MAX(TEXT_BYTES_MAX);
    struct str bytes = str_make(size > 0 ? (const char *)data : "", size);
    bool words;

    utf8_repair(&text, bytes);
    FUZZ_CHECK(str_is_utf8(buf_view(&text)), "repaired text is no UTF-8");
    mailword_encode(&shown, buf_view(&text));
    words = !is_ascii(buf_view(&text));
    check_shown(buf_view(&shown), words);
    if (words) {
        mailword_decode(&back, buf_view(&shown));
        FUZZ_CHECK(str_eq(buf_view(&back), buf_view(&text)), "'%.*s' of '%.*s'",
                   STR_ARG(buf_view(&back)), STR_ARG(buf_view(&shown)));
    }

    buf_clear(&back);
    mailword_decode(&back, buf_view(&text));
    FUZZ_CHECK(str_is_utf8(buf_view(&back)), "decoded text is no UTF-8");

    buf_clear(&back);
    latin1_to_utf8(&back, bytes);
    latin1_from_utf8(&narrow, buf_view(&back));
    FUZZ_CHECK(narrow.len == size, "%zu bytes became %zu", size, narrow.len);
    for (size_t i = 0; i < size; i++)
        FUZZ_CHECK((uint8_t)narrow.p[i] == data[i] || narrow.p[i] == ' ', "byte %zu", i);
    FUZZ_CHECK(!text.failed && !shown.failed && !back.failed && !narrow.failed, "memory");
    return 0;
}
