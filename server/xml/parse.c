/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML in: SAX2 events of libxml2's push parser become a tree in the request's arena.
 *
 * (1) libxml2 sees only what xml_scan let through, so there is no DTD and no entity of its own.
 * (2) The first refusal stops the parser; a tree is handed out only for a whole, well-formed
 *     document whose elements are all in S3's namespace or in none.
 * (3) libxml2 prints nothing and reads nothing: errors go to a silent handler.
 */
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "base/memory.h"
#include "server/xml/scan.h"
#include "server/xml/xml.h"

#define FEED_BYTES 16384
#define NAMES_KEPT 32
#define NS_XSI "http://www.w3.org/2001/XMLSchema-instance"

/* One open element. */
struct level {
    struct xml_node *node;
    struct xml_node *last_child;
    struct buf text;
};

/* A name already copied: libxml2's dictionary gives one pointer per name and document. */
struct known_name {
    const void *dictionary;
    struct str name;
};

struct builder {
    xmlParserCtxtPtr parser;
    struct arena *arena;
    struct fault *fault;
    struct str root_name;
    struct xml_node *root;
    size_t depth;
    size_t nodes;
    bool refused;
    struct level levels[XML_DEPTH_MAX];
    struct known_name names[NAMES_KEPT];
};

static void refuse(struct builder *builder, const char *why)
{
    if (!builder->refused)
        fault_note(builder->fault, "XML: %s", why);
    builder->refused = true;
    xmlStopParser(builder->parser);
}

static struct str text_of(const xmlChar *text)
{
    return str_from_cstr((const char *)text);
}

static struct str copy_name(struct builder *builder, const xmlChar *name)
{
    size_t slot = ((uintptr_t)name >> 4) % NAMES_KEPT;
    struct known_name *known = &builder->names[slot];

    if (known->dictionary != name)
        *known = (struct known_name){ name, arena_dup(builder->arena, text_of(name)) };

    return known->name;
}

static bool namespace_allowed(const xmlChar *uri)
{
    /* All but the first and the last are spellings of clients that S3 takes as well. */
    static const struct str allowed[] = {
        { "" XML_NS_S3, sizeof(XML_NS_S3) - 1 },
        { "" XML_NS_S3, sizeof(XML_NS_S3) - 2 },
        { "https://s3.amazonaws.com/doc/2006-03-01/", 40 },
        { "https://s3.amazonaws.com/doc/2006-03-01", 39 },
        { "http://doc.s3.amazonaws.com/2006-03-01", 38 },
        { "" XML_NS_S3_CONTROL, sizeof(XML_NS_S3_CONTROL) - 1 },
    };

    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        if (uri == NULL || str_eq(text_of(uri), allowed[i]))
            return true;
    }

    return false;
}

/* libxml2's attributes: five pointers each, local name, prefix, namespace, value and its end. */
static struct str find_type(struct builder *builder, int count, const xmlChar **attributes)
{
    for (int i = 0; i < count; i++) {
        const xmlChar **attribute = attributes + 5 * i;

        if (attribute[2] != NULL && str_eq(text_of(attribute[2]), STR(NS_XSI)) &&
            str_eq(text_of(attribute[0]), STR("type"))) {
            return arena_dup(builder->arena, str_make((const char *)attribute[3],
                                                      (size_t)(attribute[4] - attribute[3])));
        }
    }

    return STR_NONE;
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix UNUSED,
                     const xmlChar *uri, int namespace_count UNUSED,
                     const xmlChar **namespaces UNUSED, int attribute_count,
                     int defaulted_count UNUSED, const xmlChar **attributes)
{
    struct builder *builder = context;
    struct level *level;
    struct xml_node *node;

    if (builder->refused)
        return;
    if (!namespace_allowed(uri))
        return refuse(builder, "foreign namespace");
    if (builder->depth == XML_DEPTH_MAX || ++builder->nodes > XML_NODES_MAX)
        return refuse(builder, "too deep or too many elements");
    if (builder->depth == 0 && str_present(builder->root_name) &&
        !str_eq(builder->root_name, text_of(name)))
        return refuse(builder, "unexpected root element");

    node = ARENA_NEW(builder->arena, struct xml_node);
    if (node == NULL)
        return refuse(builder, "no memory");
    node->name = copy_name(builder, name);
    node->type = find_type(builder, attribute_count, attributes);
    if (!str_present(node->name))
        return refuse(builder, "no memory");

    if (builder->depth == 0) {
        builder->root = node;
    } else {
        level = &builder->levels[builder->depth - 1];
        if (level->last_child != NULL)
            level->last_child->next = node;
        else
            level->node->children = node;
        level->last_child = node;
    }

    level = &builder->levels[builder->depth++];
    level->node = node;
    level->last_child = NULL;
    buf_clear(&level->text);
}

static void on_text(void *context, const xmlChar *text, int len)
{
    struct builder *builder = context;
    struct level *level;

    if (builder->refused || builder->depth == 0)
        return;

    level = &builder->levels[builder->depth - 1];
    buf_append(&level->text, text, (size_t)len);
    if (level->text.failed)
        refuse(builder, "text too long");
}

static void on_end(void *context, const xmlChar *name UNUSED, const xmlChar *prefix UNUSED,
                   const xmlChar *uri UNUSED)
{
    struct builder *builder = context;
    struct level *level;

    if (builder->refused || builder->depth == 0)
        return;

    level = &builder->levels[--builder->depth];
    level->node->text = STR("");
    if (level->text.len > 0)
        level->node->text = arena_dup(builder->arena, buf_view(&level->text));
    if (!str_present(level->node->text))
        refuse(builder, "no memory");
}

/* xml_scan has refused these already; should the two ever differ, this is the second lock. */
static void on_doctype(void *context, const xmlChar *name UNUSED, const xmlChar *external UNUSED,
                       const xmlChar *system UNUSED)
{
    refuse(context, "DOCTYPE or another declaration");
}

/* Its type differs between releases of libxml2: the last argument became const in 2.12. */
#if LIBXML_VERSION >= 21200
static void on_error(void *context UNUSED, const xmlError *error UNUSED)
#else
static void on_error(void *context UNUSED, xmlErrorPtr error UNUSED)
#endif
{
}

static xmlSAXHandler sax = {
    .initialized = XML_SAX2_MAGIC,
    .internalSubset = on_doctype,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .ignorableWhitespace = on_text,
    .cdataBlock = on_text,
    .serror = on_error,
};

static bool feed(xmlParserCtxtPtr parser, struct str document)
{
    while (document.len > 0) {
        size_t len = size_min(document.len, FEED_BYTES);

        if (xmlParseChunk(parser, document.p, (int)len, /* terminate= */ 0) != 0)
            return false;
        document = str_skip(document, len);
    }

    return xmlParseChunk(parser, NULL, 0, /* terminate= */ 1) == 0 && parser->wellFormed &&
           parser->nsWellFormed;
}

static void parser_free(xmlParserCtxtPtr *parser)
{
    if (*parser == NULL)
        return;

    if ((*parser)->myDoc != NULL)
        xmlFreeDoc((*parser)->myDoc);
    xmlFreeParserCtxt(*parser);
}

static void builder_free(struct builder *builder)
{
    for (size_t i = 0; i < COUNT_OF(builder->levels); i++)
        buf_free(&builder->levels[i].text);
}

static char *copy_text(const char *text)
{
    return mem_cstr(str_from_cstr(text));
}

void xml_init(void)
{
    (void)xmlMemSetup(mem_free, mem_alloc, mem_resize, copy_text);
    xmlInitParser();
}

const struct xml_node *xml_parse(struct str document, struct str root_name, struct arena *arena,
                                 struct fault *fault)
{
    CLEANUP(builder_free)
    struct builder builder = { .arena = arena, .fault = fault, .root_name = root_name };
    CLEANUP(parser_free) xmlParserCtxtPtr parser = NULL;

    document = xml_without_bom(document);
    if (!xml_scan(document, fault))
        return NULL;

    for (size_t i = 0; i < COUNT_OF(builder.levels); i++)
        builder.levels[i].text = BUF_WITH_MAX(XML_TEXT_BYTES_MAX);

    parser = xmlCreatePushParserCtxt(&sax, &builder, NULL, 0, NULL);
    if (parser == NULL) {
        fault_note(fault, "XML: no memory");
        return NULL;
    }
    builder.parser = parser;
    (void)xmlCtxtUseOptions(parser, XML_PARSE_NONET);

    if (!feed(parser, document) || builder.refused || builder.root == NULL) {
        fault_note(fault, "XML: not well-formed");
        return NULL;
    }

    return builder.root;
}

const char *xml_library_version(void)
{
    return "libxml2 " LIBXML_DOTTED_VERSION;
}
