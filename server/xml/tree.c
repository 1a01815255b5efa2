/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a parsed document: first child by name, its text, how many there are.
 */
#include "server/xml/xml.h"

const struct xml_node *xml_child(const struct xml_node *node, struct str name)
{
    for (const struct xml_node *child = node->children; child != NULL; child = child->next) {
        if (str_eq(child->name, name))
            return child;
    }

    return NULL;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str xml_child_text(const struct xml_node *node, struct str name)
{
    const struct xml_node *child = xml_child(node, name);
    struct str text;

    if (child == NULL)
        return STR_NONE;

    text = child->text;
    while (text.len > 0 && blank(text.p[0])) {
        text.p++;
        text.len--;
    }
    while (text.len > 0 && blank(text.p[text.len - 1]))
        text.len--;

    return text;
}

size_t xml_child_count(const struct xml_node *node, struct str name)
{
    size_t count = 0;

    for (const struct xml_node *child = node->children; child != NULL; child = child->next) {
        if (str_eq(child->name, name))
            count++;
    }

    return count;
}
