/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML in: what is understood, and that everything hostile is refused, fast.
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
    arena = arena_open(16384, 64 * 1024 * 1024);
    return arena == NULL;
}

static int group_teardown(void **state UNUSED)
{
    arena_close(arena);
    return 0;
}

static int test_setup(void **state UNUSED)
{
    arena_reset(arena);
    return 0;
}

static const struct xml_node *parse_str(struct str document)
{
    struct fault fault = { 0 };
    const struct xml_node *root = xml_parse(document, STR_NONE, arena, &fault);

    /* A refusal says why, a success says nothing. */
    assert_true((root == NULL) == (fault.text[0] != '\0'));
    return root;
}

static const struct xml_node *parse(const char *document)
{
    return parse_str(str_from_cstr(document));
}

#define assert_str(actual, expected)                                                               \
    do {                                                                                           \
        struct str actual_ = (actual);                                                             \
        assert_int_equal(actual_.len, strlen(expected));                                           \
        assert_memory_equal(actual_.p, expected, actual_.len);                                     \
    } while (0)

/* `count` times `piece` between head and tail. */
static struct str repeated(struct buf *buf, const char *head, const char *piece, size_t count,
                           const char *tail)
{
    buf_str(buf, str_from_cstr(head));
    for (size_t i = 0; i < count; i++)
        buf_str(buf, str_from_cstr(piece));
    buf_str(buf, str_from_cstr(tail));
    assert_false(buf->failed);
    return buf_view(buf);
}

static struct str nested(struct buf *buf, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        buf_lit(buf, "<a>");
    for (size_t i = 0; i < depth; i++)
        buf_lit(buf, "</a>");
    return buf_view(buf);
}

static void test_xml_parse__reads_names_text_and_order(void **state UNUSED)
{
    const struct xml_node *root =
        parse("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Delete xmlns=\"" XML_NS_S3 "\">"
              "<Quiet>true</Quiet> <Object><Key>a&amp;b</Key></Object>\n"
              "<Object><Key> \xc3\xbc </Key><VersionId/></Object></Delete>");

    assert_non_null(root);
    assert_str(root->name, "Delete");
    assert_int_equal(xml_child_count(root, STR("Object")), 2);
    assert_str(xml_child_text(root, STR("Quiet")), "true");
    assert_false(str_present(xml_child_text(root, STR("quiet"))));
    assert_str(xml_child_text(root->children->next, STR("Key")), "a&b");
    assert_str(xml_child_text(root->children->next->next, STR("Key")), "\xc3\xbc");
    assert_str(xml_child(root->children->next->next, STR("Key"))->text, " \xc3\xbc ");
    assert_str(xml_child_text(root->children->next->next, STR("VersionId")), "");
    assert_true(str_present(xml_child_text(root->children->next->next, STR("VersionId"))));
}

static void test_xml_parse__entities_cdata_and_references_become_text(void **state UNUSED)
{
    const struct xml_node *root = parse("<a>&quot;&#34;&#x22;&lt;&gt;&apos;<![CDATA[<&>]]>&#252;"
                                        "<!-- not this --><?nor this?>end</a>");

    assert_non_null(root);
    assert_str(root->text, "\"\"\"<>'<&>\xc3\xbc"
                           "end");
}

static void test_xml_parse__text_around_children_is_joined(void **state UNUSED)
{
    const struct xml_node *root = parse("<a>1<b>x</b>2<b/>3</a>");

    assert_non_null(root);
    assert_str(root->text, "123");
}

static void test_xml_parse__accepts_a_byte_order_mark_and_blanks(void **state UNUSED)
{
    assert_non_null(parse("\xef\xbb\xbf<?xml version='1.0'?><a/>"));
    assert_non_null(parse("\xef\xbb\xbf<a/>"));
    assert_non_null(parse("\n <a/> \n"));
    assert_non_null(parse("<a/><!-- end --><?pi?>\n"));
}

static void test_xml_parse__grantee_type_is_kept(void **state UNUSED)
{
    const struct xml_node *root = parse("<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-"
                                        "instance\" xsi:type=\"CanonicalUser\" other=\"x\"/>");

    assert_non_null(root);
    assert_str(root->type, "CanonicalUser");
    root = parse("<Grantee type=\"CanonicalUser\"/>");
    assert_non_null(root);
    assert_false(str_present(root->type));
}

static void test_xml_parse__namespace_is_s3_or_none(void **state UNUSED)
{
    assert_non_null(parse("<a xmlns='http://s3.amazonaws.com/doc/2006-03-01/'/>"));
    assert_non_null(parse("<s:a xmlns:s='http://s3.amazonaws.com/doc/2006-03-01/'><s:b/></s:a>"));
    assert_non_null(parse("<a xmlns='https://s3.amazonaws.com/doc/2006-03-01/'/>"));
    assert_non_null(parse("<s:a xmlns:s='https://s3.amazonaws.com/doc/2006-03-01/'><b/></s:a>"));
    assert_non_null(parse("<a xmlns='https://s3.amazonaws.com/doc/2006-03-01'/>"));
    assert_non_null(parse("<a xmlns=''/>"));
    assert_null(parse("<a xmlns='https://s3.amazonaws.com/doc/2006-03-02/'/>"));
    assert_null(parse("<a xmlns='ftp://s3.amazonaws.com/doc/2006-03-01/'/>"));
    assert_null(parse("<a xmlns='http://example.com/'/>"));
    assert_null(parse("<a><b xmlns='http://example.com/'/></a>"));
    assert_null(parse("<x:a/>"));
}

static void test_xml_parse__root_must_be_the_one_asked_for(void **state UNUSED)
{
    struct fault fault = { 0 };

    assert_non_null(xml_parse(STR("<Tagging/>"), STR("Tagging"), arena, NULL));
    assert_null(xml_parse(STR("<tagging/>"), STR("Tagging"), arena, &fault));
    assert_string_equal(fault.text, "XML: unexpected root element");
}

static void test_xml_parse__any_doctype_is_refused(void **state UNUSED)
{
    static const char *const documents[] = {
        /* external entity */
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE a SYSTEM \"http://127.0.0.1/x.dtd\"><a/>",
        "<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://127.0.0.1/\"> %x;]><a/>",
        /* a billion laughs */
        "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;\">]>"
        "<l>&c;</l>",
        "<!DOCTYPE a><a/>",
        "<!-- c --><!DOCTYPE a><a/>",
        "<?pi ?><!doctype a><a/>",
        "<a/><!DOCTYPE a>",
        "<a><!ENTITY x \"y\"></a>",
        "<!---->\xef\xbb\xbf<!DOCTYPE a><a/>",
    };

    for (size_t i = 0; i < COUNT_OF(documents); i++)
        assert_null(parse(documents[i]));
}

static void test_xml_parse__unknown_entities_are_refused(void **state UNUSED)
{
    assert_null(parse("<a>&nbsp;</a>"));
    assert_null(parse("<a b=\"&x;\"/>"));
    assert_null(parse("<a>&amp</a>"));
    assert_null(parse("<a>&#0;</a>"));
    assert_null(parse("<a>&#1;</a>"));
    assert_null(parse("<a>&#xD800;</a>"));
}

static void test_xml_parse__what_is_not_one_document_is_refused(void **state UNUSED)
{
    static const char *const documents[] = {
        "",
        " ",
        "a",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a b=c/>",
        "<a b='1' b='2'/>",
        "<a",
        "<a b='",
        "<a><b></a></b>",
        "<!-- ",
        "<a><![CDATA[x</a>",
        "<a><?x",
        "<a>]]></a>",
        "<a>\x01</a>",
        "<?xml version='1.0'",
        "<a/><?xml version='1.0'?>",
        "<>",
        "< a/>",
        "\n<?xml version='1.0'?><a/>",
        "{\"a\":1}",
        "<a><!-- -- --></a>",
        "<a/></a>",
    };

    for (size_t i = 0; i < COUNT_OF(documents); i++)
        assert_null(parse(documents[i]));
}

static void test_xml_parse__every_prefix_of_a_document_is_refused(void **state UNUSED)
{
    struct str document = STR("<?xml version=\"1.0\"?><a xmlns=\"" XML_NS_S3 "\"><b c='d'>&lt;"
                              "<![CDATA[x]]><!-- y --></b></a>");

    assert_non_null(parse_str(document));
    for (size_t len = 0; len < document.len; len++)
        assert_null(parse_str(str_slice(document, 0, len)));
}

static void test_xml_parse__only_utf8_is_taken(void **state UNUSED)
{
    assert_non_null(parse("<?xml version='1.0' encoding='UTF-8'?><a/>"));
    assert_non_null(parse("<?xml version='1.0' encoding='us-ascii'?><a/>"));
    assert_null(parse("<?xml version='1.0' encoding='ISO-8859-1'?><a/>"));
    assert_null(parse("<?xml version='1.0' encoding='UTF-16'?><a/>"));
    assert_null(parse("<?xml version='1.0' encoding='UTF-7'?><a/>"));
    assert_null(parse("<?xml version='1.0' encoding=\t'EBCDIC-CP-US'?><a/>"));
    assert_null(parse("<a>\xfc</a>"));
    assert_null(parse("<a>\xc0\xaf</a>"));
    assert_null(parse("<a>\xed\xa0\x80</a>"));
    assert_null(parse_str(STR("\xff\xfe<\0a\0/\0>\0")));
    assert_null(parse_str(STR("\xfe\xff\0<\0a\0/\0>")));
    assert_null(parse_str(STR("<\0a\0/\0>\0")));
    assert_null(parse_str(STR("<a>\0</a>")));
}

static void test_xml_parse__depth_at_the_limit_and_one_past(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf good = BUF_WITH_MAX(10000);
    CLEANUP(buf_free) struct buf bad = BUF_WITH_MAX(10000);
    CLEANUP(buf_free) struct buf empty = BUF_WITH_MAX(10000);

    assert_non_null(parse_str(nested(&good, XML_DEPTH_MAX)));
    assert_null(parse_str(nested(&bad, XML_DEPTH_MAX + 1)));

    for (size_t i = 0; i < XML_DEPTH_MAX; i++)
        buf_lit(&empty, "<a>");
    buf_lit(&empty, "<a/>");
    for (size_t i = 0; i < XML_DEPTH_MAX; i++)
        buf_lit(&empty, "</a>");
    assert_null(parse_str(buf_view(&empty)));
}

static void test_xml_parse__tag_length_at_the_limit_and_one_past(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf good = BUF_WITH_MAX(10000);
    CLEANUP(buf_free) struct buf bad = BUF_WITH_MAX(10000);

    assert_non_null(parse_str(repeated(&good, "<a b='", ">", XML_TAG_BYTES_MAX - 9, "'/>")));
    assert_null(parse_str(repeated(&bad, "<a b='", ">", XML_TAG_BYTES_MAX - 8, "'/>")));
}

static void test_xml_parse__elements_at_the_limit_and_one_past(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf good = BUF_WITH_MAX(1000000);
    CLEANUP(buf_free) struct buf bad = BUF_WITH_MAX(1000000);
    const struct xml_node *root;

    root = parse_str(repeated(&good, "<a>", "<b/>", XML_NODES_MAX - 1, "</a>"));
    assert_non_null(root);
    assert_int_equal(xml_child_count(root, STR("b")), XML_NODES_MAX - 1);
    assert_null(parse_str(repeated(&bad, "<a>", "<b/>", XML_NODES_MAX, "</a>")));
}

static void test_xml_parse__text_at_the_limit_and_one_past(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf good = BUF_WITH_MAX(2000000);
    CLEANUP(buf_free) struct buf bad = BUF_WITH_MAX(2000000);
    const struct xml_node *root;

    root = parse_str(repeated(&good, "<a>", "x", XML_TEXT_BYTES_MAX, "</a>"));
    assert_non_null(root);
    assert_int_equal(root->text.len, XML_TEXT_BYTES_MAX);
    assert_null(parse_str(repeated(&bad, "<a>", "x", XML_TEXT_BYTES_MAX + 1, "</a>")));
}

/* What a parser that read to the end would keep does not fit into 64 KiB; these are refused for themselves. */
static void refused_early(struct str document)
{
    CLEANUP(arena_closep) struct arena *small = arena_open(1024, 64 * 1024);
    struct fault fault = { 0 };

    assert_non_null(small);
    assert_null(xml_parse(document, STR_NONE, small, &fault));
    assert_null(strstr(fault.text, "memory"));
}

static void test_xml_parse__floods_are_refused_early(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf attributes = BUF_WITH_MAX(4000000);
    CLEANUP(buf_free) struct buf namespaces = BUF_WITH_MAX(4000000);
    CLEANUP(buf_free) struct buf depth = BUF_WITH_MAX(4000000);
    CLEANUP(buf_free) struct buf open = BUF_WITH_MAX(4000000);

    buf_lit(&attributes, "<a");
    for (unsigned i = 0; i < 100000; i++)
        buf_printf(&attributes, " a%u=''", i);
    buf_lit(&attributes, "/>");
    refused_early(buf_view(&attributes));
    refused_early(repeated(&namespaces, "<a", " xmlns:b='c'", 100000, "/>"));
    refused_early(nested(&depth, 100000));
    refused_early(repeated(&open, "", "<", 1000000, ""));
}

static void test_xml_parse__ten_thousand_parts_are_read(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf document = BUF_WITH_MAX(4000000);
    const struct xml_node *root;
    const struct xml_node *part;

    buf_lit(&document, "<CompleteMultipartUpload xmlns=\"" XML_NS_S3 "\">\n");
    for (unsigned i = 1; i <= 10000; i++) {
        buf_printf(&document,
                   "  <Part>\n    <PartNumber>%u</PartNumber>\n    <ETag>&quot;%032u&quot;</ETag>\n"
                   "    <ChecksumSHA256>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
                   "</ChecksumSHA256>\n  </Part>\n",
                   i, i);
    }
    buf_lit(&document, "</CompleteMultipartUpload>");

    root = parse_str(buf_view(&document));
    assert_non_null(root);
    assert_int_equal(xml_child_count(root, STR("Part")), 10000);
    part = root->children;
    for (unsigned i = 1; i <= 10000; i++, part = part->next) {
        uint64_t number;

        assert_true(str_to_u64(xml_child_text(part, STR("PartNumber")), &number));
        assert_int_equal(number, i);
        assert_int_equal(xml_child_text(part, STR("ETag")).len, 34);
    }
    /* The arena of a request holds 8 MiB. */
    assert_true(arena_used(arena) < 6 * 1024 * 1024);
}

static void test_xml_parse__a_full_arena_is_a_refusal(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf document = BUF_WITH_MAX(100000);
    CLEANUP(arena_closep) struct arena *small = arena_open(1024, 2048);
    struct fault fault = { 0 };

    assert_null(
        xml_parse(repeated(&document, "<a>", "<b>c</b>", 1000, "</a>"), STR_NONE, small, &fault));
    assert_string_equal(fault.text, "XML: no memory");
}

#define TEST(name) cmocka_unit_test_setup(name, test_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_xml_parse__reads_names_text_and_order),
        TEST(test_xml_parse__entities_cdata_and_references_become_text),
        TEST(test_xml_parse__text_around_children_is_joined),
        TEST(test_xml_parse__accepts_a_byte_order_mark_and_blanks),
        TEST(test_xml_parse__grantee_type_is_kept),
        TEST(test_xml_parse__namespace_is_s3_or_none),
        TEST(test_xml_parse__root_must_be_the_one_asked_for),
        TEST(test_xml_parse__any_doctype_is_refused),
        TEST(test_xml_parse__unknown_entities_are_refused),
        TEST(test_xml_parse__what_is_not_one_document_is_refused),
        TEST(test_xml_parse__every_prefix_of_a_document_is_refused),
        TEST(test_xml_parse__only_utf8_is_taken),
        TEST(test_xml_parse__depth_at_the_limit_and_one_past),
        TEST(test_xml_parse__tag_length_at_the_limit_and_one_past),
        TEST(test_xml_parse__elements_at_the_limit_and_one_past),
        TEST(test_xml_parse__text_at_the_limit_and_one_past),
        TEST(test_xml_parse__floods_are_refused_early),
        TEST(test_xml_parse__ten_thousand_parts_are_read),
        TEST(test_xml_parse__a_full_arena_is_a_refusal),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
