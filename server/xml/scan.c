/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look over an XML document before libxml2 sees it: one pass, no memory, no recursion.
 *
 * It does not decide whether the document is well-formed (libxml2 does). It decides what libxml2
 * never gets to see:
 *
 * (1) anything but UTF-8: other declared encodings, NUL bytes (UTF-16, UTF-32), ill-formed bytes;
 * (2) any declaration ("<!DOCTYPE", "<!ENTITY" ...): no entity can exist;
 * (3) elements nested deeper than XML_DEPTH_MAX, tags longer than XML_TAG_BYTES_MAX, more elements
 *     than XML_NODES_MAX. A flood of attributes is a long tag.
 */
#include "server/xml/scan.h"

#include "server/xml/xml.h"

static bool refused(struct fault *fault, const char *why)
{
    fault_note(fault, "XML: %s", why);
    return false;
}

/* Advance rest past the next `end`; false when it never comes. */
static bool skip_past(struct str *rest, struct str end)
{
    size_t at = str_find(*rest, end);

    if (at == SIZE_MAX)
        return false;

    *rest = str_skip(*rest, at + end.len);
    return true;
}

/* The tag at the start of rest ("<name a='>'>"), whole; STR_NONE: it has no end in bounds. */
static struct str take_tag(struct str *rest)
{
    char quote = '\0';

    for (size_t i = 1; i < rest->len && i < XML_TAG_BYTES_MAX; i++) {
        char c = rest->p[i];
        struct str tag;

        if (quote != '\0') {
            if (c == quote)
                quote = '\0';
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            tag = str_make(rest->p, i + 1);
            *rest = str_skip(*rest, i + 1);
            return tag;
        }
    }

    return STR_NONE;
}

static bool encoding_allowed(struct str encoding)
{
    static const struct str allowed[] = {
        { "UTF-8", 5 }, { "UTF8", 4 }, { "US-ASCII", 8 }, { "ASCII", 5 }
    };

    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        if (str_eq_nocase(encoding, allowed[i]))
            return true;
    }

    return false;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Declarations without an encoding are UTF-8; with one, it must say so. */
static bool declaration_allowed(struct str declaration)
{
    size_t at = str_find(declaration, STR("encoding"));
    struct str value;
    size_t end;

    if (at == SIZE_MAX)
        return true;

    value = str_skip(declaration, at + STR("encoding").len);
    while (value.len > 0 && (blank(value.p[0]) || value.p[0] == '='))
        value = str_skip(value, 1);
    if (value.len == 0 || (value.p[0] != '"' && value.p[0] != '\''))
        return false;

    end = str_find_char(str_skip(value, 1), value.p[0]);
    return end != SIZE_MAX && encoding_allowed(str_slice(value, 1, end));
}

struct str xml_without_bom(struct str document)
{
    return str_starts(document, STR("\xef\xbb\xbf")) ? str_skip(document, 3) : document;
}

/* The start or end tag at the start of rest. */
static bool take_element(struct str *rest, size_t *depth, size_t *elements, struct fault *fault)
{
    struct str tag = take_tag(rest);

    if (!str_present(tag))
        return refused(fault, "tag too long or without end");
    if (tag.p[1] == '/') {
        if ((*depth)-- == 0)
            return refused(fault, "end tag without start");
        return true;
    }
    if (++*elements > XML_NODES_MAX)
        return refused(fault, "too many elements");
    if (*depth + 1 > XML_DEPTH_MAX)
        return refused(fault, "elements nested too deeply");
    if (!str_ends(tag, STR("/>")))
        ++*depth;
    return true;
}

bool xml_scan(struct str document, struct fault *fault)
{
    struct str rest = document;
    size_t depth = 0;
    size_t elements = 0;

    if (str_find_char(document, '\0') != SIZE_MAX || !str_is_utf8(document))
        return refused(fault, "not UTF-8");

    if (str_starts(rest, STR("<?xml")) && rest.len > 5 && blank(rest.p[5])) {
        size_t end = str_find(rest, STR("?>"));

        if (end == SIZE_MAX || end > XML_TAG_BYTES_MAX)
            return refused(fault, "declaration without end");
        if (!declaration_allowed(str_slice(rest, 0, end)))
            return refused(fault, "encoding other than UTF-8");
        rest = str_skip(rest, end + 2);
    }

    for (size_t at; (at = str_find_char(rest, '<')) != SIZE_MAX;) {
        rest = str_skip(rest, at);
        if (rest.len < 2 || (rest.p[1] != '!' && rest.p[1] != '?')) {
            if (!take_element(&rest, &depth, &elements, fault))
                return false;
            continue;
        }
        if (str_starts(rest, STR("<!--"))) {
            rest = str_skip(rest, 4);
            if (!skip_past(&rest, STR("-->")))
                return refused(fault, "comment without end");
            continue;
        }
        if (str_starts(rest, STR("<![CDATA["))) {
            if (!skip_past(&rest, STR("]]>")))
                return refused(fault, "CDATA without end");
            continue;
        }
        if (str_starts(rest, STR("<!")))
            return refused(fault, "DOCTYPE or another declaration");
        if (!skip_past(&rest, STR("?>")))
            return refused(fault, "processing instruction without end");
    }

    return true;
}
