/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML out: what is written is what libxml2 reads back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/xml/xml.h"

static struct arena *arena;

static int group_setup(void **state UNUSED)
{
    xml_init();
    arena = arena_open(16384, 16 * 1024 * 1024);
    return arena == NULL;
}

static int group_teardown(void **state UNUSED)
{
    arena_close(arena);
    return 0;
}

static void assert_buf(const struct buf *buf, const char *expected)
{
    assert_false(buf->failed);
    assert_int_equal(buf->len, strlen(expected));
    assert_memory_equal(buf->p, expected, buf->len);
}

static void escapes_to(struct str text, const char *expected)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(10000);

    buf_char(&out, '|');
    xml_escape(&out, text);
    buf_char(&out, '|');
    assert_buf(&out, expected);
}

static void test_xml_write__document_has_declaration_and_namespace(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(10000);

    xml_begin(&out, STR("R"));
    xml_text(&out, STR("A"), STR("x<y"));
    xml_text(&out, STR("B"), STR_NONE);
    xml_u64(&out, STR("C"), UINT64_MAX);
    xml_bool(&out, STR("D"), false);
    xml_open(&out, STR("E"));
    xml_time(&out, STR("F"), INT64_C(1795238723999999));
    xml_close(&out, STR("E"));
    xml_close(&out, STR("R"));
    assert_buf(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><A>x&lt;y</A><B></B>"
                     "<C>18446744073709551615</C><D>false</D>"
                     "<E><F>2026-11-21T05:25:23.000Z</F></E></R>");
}

static void test_xml_write__plain_document_has_no_namespace(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(10000);

    xml_begin_plain(&out, STR("Error"));
    xml_close(&out, STR("Error"));
    assert_buf(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error></Error>");
}

static void test_xml_write__errors_keep_quotes_and_line_feeds(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(10000);

    xml_error_text(&out, STR("M"), STR("[\"eq\", 'a']\n\t\r<&>\x01\xc3\xbc\xff"));
    assert_buf(&out, "<M>[\"eq\", 'a']\n\t&#xD;&lt;&amp;&gt;&#x1;\xc3\xbc\xef\xbf\xbd</M>");
}

static void test_xml_write__escapes_markup_control_and_ill_formed_bytes(void **state UNUSED)
{
    escapes_to(STR(""), "||");
    escapes_to(STR_NONE, "||");
    escapes_to(STR("plain"), "|plain|");
    escapes_to(STR("&<>\"'"), "|&amp;&lt;&gt;&quot;'|");
    escapes_to(STR("]]>"), "|]]&gt;|");
    escapes_to(STR("\0\x01\t\n\r\x1f\x7f"), "|&#x0;&#x1;&#x9;&#xA;&#xD;&#x1F;&#x7F;|");
    escapes_to(STR("\xc3\xbc\xe2\x82\xac\xf0\x9f\xaa\xa3"),
               "|\xc3\xbc\xe2\x82\xac\xf0\x9f\xaa\xa3|");
    escapes_to(STR("a\xff"
                   "b\xc3"),
               "|a\xef\xbf\xbd"
               "b\xef\xbf\xbd|");
    escapes_to(STR("\xc0\xaf"), "|\xef\xbf\xbd\xef\xbf\xbd|");
    escapes_to(STR("\xef\xbf\xbe\xef\xbf\xbf"), "|&#xFFFE;&#xFFFF;|");
}

static void test_xml_write__every_character_reads_back(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(1000000);
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4000000);
    const struct xml_node *root;

    /* What XML 1.0 holds: tab, LF, CR, then all but the surrogates, U+FFFE and U+FFFF. */
    for (uint32_t c = 9; c < 0x20000; c++) {
        unsigned char utf8[4];
        size_t len;

        if ((c < 0x20 && c != 9 && c != 10 && c != 13) || (c >= 0xd800 && c < 0xe000) ||
            c == 0xfffe || c == 0xffff)
            continue;
        if (c < 0x80) {
            utf8[0] = (unsigned char)c;
            len = 1;
        } else if (c < 0x800) {
            utf8[0] = (unsigned char)(0xc0 | c >> 6);
            utf8[1] = (unsigned char)(0x80 | (c & 63));
            len = 2;
        } else if (c < 0x10000) {
            utf8[0] = (unsigned char)(0xe0 | c >> 12);
            utf8[1] = (unsigned char)(0x80 | (c >> 6 & 63));
            utf8[2] = (unsigned char)(0x80 | (c & 63));
            len = 3;
        } else {
            utf8[0] = (unsigned char)(0xf0 | c >> 18);
            utf8[1] = (unsigned char)(0x80 | (c >> 12 & 63));
            utf8[2] = (unsigned char)(0x80 | (c >> 6 & 63));
            utf8[3] = (unsigned char)(0x80 | (c & 63));
            len = 4;
        }
        buf_append(&text, utf8, len);
    }

    xml_begin(&out, STR("Key"));
    xml_escape(&out, buf_view(&text));
    xml_close(&out, STR("Key"));
    assert_false(out.failed);

    root = xml_parse(buf_view(&out), STR("Key"), arena, NULL);
    assert_non_null(root);
    assert_int_equal(root->text.len, text.len);
    assert_memory_equal(root->text.p, text.p, text.len);
}

static void test_xml_write__random_bytes_stay_well_formed(void **state UNUSED)
{
    uint32_t seed = 1;

    for (int round = 0; round < 2000; round++) {
        CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(10000);
        char bytes[64];

        arena_reset(arena);
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (char)(seed >> 24);
            /* Leave out what S3 writes although XML 1.0 cannot hold it. */
            if ((unsigned char)bytes[i] < 0x20)
                bytes[i] = '&';
        }

        xml_begin_plain(&out, STR("a"));
        xml_escape(&out, str_make(bytes, sizeof(bytes)));
        xml_close(&out, STR("a"));
        assert_non_null(xml_parse(buf_view(&out), STR("a"), arena, NULL));
    }
}

static void test_xml_write__a_full_buffer_fails_quietly(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(16);

    xml_begin(&out, STR("Key"));
    xml_text(&out, STR("a"), STR("&&&&&&"));
    assert_true(out.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xml_write__document_has_declaration_and_namespace),
        cmocka_unit_test(test_xml_write__plain_document_has_no_namespace),
        cmocka_unit_test(test_xml_write__errors_keep_quotes_and_line_feeds),
        cmocka_unit_test(test_xml_write__escapes_markup_control_and_ill_formed_bytes),
        cmocka_unit_test(test_xml_write__every_character_reads_back),
        cmocka_unit_test(test_xml_write__random_bytes_stay_well_formed),
        cmocka_unit_test(test_xml_write__a_full_buffer_fails_quietly),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
