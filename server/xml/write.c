/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML out: bytes appended to a buffer, text escaped.
 *
 * (1) What is written is well-formed whatever the text was: a byte that cannot begin or continue a
 *     UTF-8 character becomes U+FFFD.
 * (2) The one exception is S3's own: control characters that XML 1.0 cannot hold are written as
 *     character references, so that a key with U+0001 in it can be told from one without
 *     (clients that need to read such keys ask for encoding-type=url).
 */
#include "base/clock.h"
#include "server/xml/xml.h"

enum escape_class { PLAIN = 0, CONTROL, AMP, LT, GT, QUOT, HIGH };

/* Bytes not named here are PLAIN. */
static const uint8_t classes[256] = {
    [0x00 ... 0x1f] = CONTROL, [0x7f] = CONTROL, ['&'] = AMP, ['<'] = LT, ['>'] = GT, ['"'] = QUOT,
    [0x80 ... 0xff] = HIGH,
};

/* Of the elements of an error: quotes and line feeds stand as they are. */
static const uint8_t classes_of_errors[256] = {
    [0x00 ... 0x08] = CONTROL,
    [0x0b ... 0x1f] = CONTROL,
    [0x7f] = CONTROL,
    ['&'] = AMP,
    ['<'] = LT,
    ['>'] = GT,
    [0x80 ... 0xff] = HIGH,
};

/* Bytes of the UTF-8 character at p, 0 when there is none. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

    if (len > left || !str_is_utf8(str_make(p, len)))
        return 0;

    return len;
}

/* One character of two to four bytes; returns how many of them were used. */
static size_t escape_high(struct buf *out, const unsigned char *p, size_t left)
{
    size_t len = utf8_len(p, left);

    if (len == 0) {
        buf_lit(out, "\xef\xbf\xbd");
        return 1;
    }

    if (len == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
        buf_printf(out, "&#xFFF%c;", p[2] == 0xbe ? 'E' : 'F');
    else
        buf_append(out, p, len);

    return len;
}

static void escape_control(struct buf *out, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";

    buf_lit(out, "&#x");
    if (c >= 16)
        buf_char(out, digits[c >> 4]);
    buf_char(out, digits[c & 15]);
    buf_char(out, ';');
}

static void escape(struct buf *out, struct str text, const uint8_t class_of[256])
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t plain_from = 0;
    size_t at = 0;

    while (at < text.len) {
        if (class_of[p[at]] == PLAIN) {
            at++;
            continue;
        }

        if (at > plain_from)
            buf_append(out, p + plain_from, at - plain_from);

        switch ((enum escape_class)class_of[p[at]]) {
        case AMP:
            buf_lit(out, "&amp;");
            at++;
            break;
        case LT:
            buf_lit(out, "&lt;");
            at++;
            break;
        case GT:
            buf_lit(out, "&gt;");
            at++;
            break;
        case QUOT:
            buf_lit(out, "&quot;");
            at++;
            break;
        case HIGH:
            at += escape_high(out, p + at, text.len - at);
            break;
        case CONTROL:
        case PLAIN:
            escape_control(out, p[at++]);
            break;
        }
        plain_from = at;
    }

    if (at > plain_from)
        buf_append(out, p + plain_from, at - plain_from);
}

void xml_escape(struct buf *out, struct str text)
{
    escape(out, text, classes);
}

static void begin(struct buf *out, struct str root)
{
    buf_lit(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
    buf_str(out, root);
}

void xml_begin_in(struct buf *out, struct str root, struct str ns)
{
    begin(out, root);
    buf_lit(out, " xmlns=\"");
    buf_str(out, ns);
    buf_lit(out, "\">");
}

void xml_begin(struct buf *out, struct str root)
{
    xml_begin_in(out, root, STR(XML_NS_S3));
}

void xml_begin_plain(struct buf *out, struct str root)
{
    begin(out, root);
    buf_char(out, '>');
}

void xml_open(struct buf *out, struct str name)
{
    buf_char(out, '<');
    buf_str(out, name);
    buf_char(out, '>');
}

void xml_close(struct buf *out, struct str name)
{
    buf_lit(out, "</");
    buf_str(out, name);
    buf_char(out, '>');
}

void xml_text(struct buf *out, struct str name, struct str text)
{
    xml_open(out, name);
    xml_escape(out, text);
    xml_close(out, name);
}

void xml_error_text(struct buf *out, struct str name, struct str text)
{
    xml_open(out, name);
    escape(out, text, classes_of_errors);
    xml_close(out, name);
}

void xml_u64(struct buf *out, struct str name, uint64_t value)
{
    xml_open(out, name);
    buf_u64(out, value);
    xml_close(out, name);
}

void xml_bool(struct buf *out, struct str name, bool value)
{
    xml_text(out, name, value ? STR("true") : STR("false"));
}

void xml_time(struct buf *out, struct str name, int64_t us)
{
    struct clock_day day = { 0 };
    char text[CLOCK_ISO8601_LEN + 1];

    clock_format_s3(us, &day, text);
    xml_text(out, name, str_make(text, CLOCK_ISO8601_LEN));
}

void xml_tree(struct buf *out, const struct xml_node *node)
{
    xml_open(out, node->name);
    if (node->children == NULL)
        xml_escape(out, node->text);
    for (const struct xml_node *at = node->children; at != NULL; at = at->next)
        xml_tree(out, at);
    xml_close(out, node->name);
}
