/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML in: the events of expat become a tree in the request's arena.
 *
 * (1) expat sees only what xml_scan let through, so there is no DTD and no entity of its own.
 * (2) The first refusal stops the parser; a tree is handed out only for a whole, well-formed
 *     document whose elements are all in S3's namespace or in none.
 */
#include <expat.h>
#include <limits.h>

#include "base/random.h"
#include "server/xml/scan.h"
#include "server/xml/xml.h"

#define NAMES_KEPT 32
#define NS_XSI "http://www.w3.org/2001/XMLSchema-instance"
/* Between namespace and name. expat refuses a namespace that has it inside. */
#define NS_END '\n'

/* One open element. */
struct level {
    struct xml_node *node;
    struct xml_node *last_child;
    struct buf text;
};

struct builder {
    XML_Parser parser;
    struct arena *arena;
    struct fault *fault;
    struct str root_name;
    struct xml_node *root;
    size_t depth;
    size_t nodes;
    bool refused;
    struct level levels[XML_DEPTH_MAX];
    struct str names[NAMES_KEPT]; /* copied already: documents repeat a few */
};

static void refuse(struct builder *builder, const char *why)
{
    if (!builder->refused)
        (void)fault_set(builder->fault, 0, "XML: %s", why);
    builder->refused = true;
    (void)XML_StopParser(builder->parser, XML_FALSE);
}

static struct str copy_name(struct builder *builder, struct str name)
{
    size_t slot = (name.len + 7u * (unsigned char)name.p[0]) % NAMES_KEPT;
    struct str *known = &builder->names[slot];

    if (!str_present(*known) || !str_eq(*known, name))
        *known = arena_dup(builder->arena, name);

    return *known;
}

static bool namespace_allowed(struct str uri)
{
    /* The last two are spellings of old clients that S3 takes as well. */
    static const struct str allowed[] = {
        { "" XML_NS_S3, sizeof(XML_NS_S3) - 1 },
        { "" XML_NS_S3, sizeof(XML_NS_S3) - 2 },
        { "http://doc.s3.amazonaws.com/2006-03-01", 38 },
    };

    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        if (str_eq(uri, allowed[i]))
            return true;
    }

    return false;
}

/* "namespace NS_END name", or the name alone when it is in none (ret_uri STR_NONE). */
static struct str split_name(const char *text, struct str *ret_uri)
{
    struct str full = str_from_cstr(text);
    struct str name;

    if (!str_cut(full, NS_END, ret_uri, &name)) {
        *ret_uri = STR_NONE;
        return full;
    }
    return name;
}

/* expat's attributes: name, value, name, value, NULL. */
static struct str find_type(struct builder *builder, const char **attributes)
{
    for (; attributes[0] != NULL; attributes += 2) {
        struct str uri;
        struct str name = split_name(attributes[0], &uri);

        if (str_eq(uri, STR(NS_XSI)) && str_eq(name, STR("type")))
            return arena_dup(builder->arena, str_from_cstr(attributes[1]));
    }

    return STR_NONE;
}

static void XMLCALL on_start(void *context, const char *full_name, const char **attributes)
{
    struct builder *builder = context;
    struct level *level;
    struct xml_node *node;
    struct str uri;
    struct str name = split_name(full_name, &uri);

    if (builder->refused)
        return;
    if (str_present(uri) && !namespace_allowed(uri))
        return refuse(builder, "foreign namespace");
    if (builder->depth == XML_DEPTH_MAX || ++builder->nodes > XML_NODES_MAX)
        return refuse(builder, "too deep or too many elements");
    if (builder->depth == 0 && str_present(builder->root_name) && !str_eq(builder->root_name, name))
        return refuse(builder, "unexpected root element");

    node = ARENA_NEW(builder->arena, struct xml_node);
    if (node == NULL)
        return refuse(builder, "no memory");
    node->name = copy_name(builder, name);
    node->type = find_type(builder, attributes);
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

static void XMLCALL on_text(void *context, const char *text, int len)
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

static void XMLCALL on_end(void *context, const char *name UNUSED)
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
static void XMLCALL on_doctype(void *context, const char *name UNUSED, const char *system UNUSED,
                               const char *public UNUSED, int has_subset UNUSED)
{
    refuse(context, "DOCTYPE or another declaration");
}

static void parser_free(XML_Parser *parser)
{
    XML_ParserFree(*parser); /* accepts NULL */
}

static void builder_free(struct builder *builder)
{
    for (size_t i = 0; i < COUNT_OF(builder->levels); i++)
        buf_free(&builder->levels[i].text);
}

static XML_Parser parser_new(struct builder *builder)
{
    /* Whatever a declaration says: xml_scan lets only names of UTF-8 and its subset through. */
    XML_Parser parser = XML_ParserCreateNS("UTF-8", NS_END);

    if (parser == NULL)
        return NULL;

    (void)XML_SetHashSalt(parser, (unsigned long)random_u64());
    XML_SetUserData(parser, builder);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    return parser;
}

const struct xml_node *xml_parse(struct str document, struct str root_name, struct arena *arena,
                                 struct fault *fault)
{
    CLEANUP(builder_free)
    struct builder builder = { .arena = arena, .fault = fault, .root_name = root_name };
    CLEANUP(parser_free) XML_Parser parser = NULL;

    document = xml_without_bom(document);
    if (!xml_scan(document, fault))
        return NULL;
    if (document.len > INT_MAX) {
        (void)fault_set(fault, 0, "XML: too long");
        return NULL;
    }

    for (size_t i = 0; i < COUNT_OF(builder.levels); i++)
        builder.levels[i].text = BUF_WITH_MAX(XML_TEXT_BYTES_MAX);

    parser = parser_new(&builder);
    if (parser == NULL) {
        (void)fault_set(fault, 0, "XML: no memory");
        return NULL;
    }
    builder.parser = parser;

    if (XML_Parse(parser, document.p, (int)document.len, XML_TRUE) != XML_STATUS_OK ||
        builder.refused || builder.root == NULL) {
        if (!builder.refused)
            (void)fault_set(fault, 0, "XML: not well-formed: %s",
                            XML_ErrorString(XML_GetErrorCode(parser)));
        return NULL;
    }

    return builder.root;
}

const char *xml_library_version(void)
{
    const char *version = XML_ExpatVersion(); /* "expat_2.5.0" */
    const char *number = strchr(version, '_');

    return number != NULL ? number + 1 : version;
}
