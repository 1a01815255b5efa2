/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML in (libxml2 SAX2 push, nothing else) and XML out (a small byte writer).
 *
 * In: any DOCTYPE is refused before libxml2 sees the document, as are depth > XML_DEPTH_MAX and
 * tags longer than XML_TAG_BYTES_MAX; no entity but the five predefined ones and character
 * references; namespaces: S3's or none. The document becomes a small tree in the request's arena,
 * bounded by XML_NODES_MAX.
 */
#ifndef SERVER_XML_XML_H
#define SERVER_XML_XML_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/text/buf.h"

#define XML_DEPTH_MAX 16
#define XML_TAG_BYTES_MAX 4096
#define XML_NODES_MAX 70000 /* CompleteMultipartUpload: 10,000 parts with checksums */
#define XML_TEXT_BYTES_MAX (1024 * 1024)

struct xml_node {
    struct str name; /* local name */
    struct str text; /* character data directly inside, joined, not trimmed; "" when none */
    struct str type; /* xsi:type attribute's value, STR_NONE when absent (grantees) */
    struct xml_node *children;
    struct xml_node *next;
};

/* Once, before threads. */
void xml_init(void);

/*
 * Parse a whole document. Root must be root_name (STR_NONE: any). Returns NULL when it is not
 * well-formed, has a DOCTYPE, passes a limit, has a foreign root or trailing data; fault says why.
 */
MUST_CHECK const struct xml_node *xml_parse(struct str document, struct str root_name,
                                            struct arena *arena, struct fault *fault);

/* First child of that name, or NULL. */
const struct xml_node *xml_child(const struct xml_node *node, struct str name);
/* Its text without blanks at both ends; STR_NONE when there is no such child. */
struct str xml_child_text(const struct xml_node *node, struct str name);
/* How many children have that name. */
size_t xml_child_count(const struct xml_node *node, struct str name);

/* ---- writing --------------------------------------------------------------------------------- */

/* The declaration, then <root xmlns="http://s3.amazonaws.com/doc/2006-03-01/">. */
#define XML_NS_S3 "http://s3.amazonaws.com/doc/2006-03-01/"
#define XML_NS_S3_CONTROL "http://awss3control.amazonaws.com/doc/2018-08-20/"
void xml_begin(struct buf *out, struct str root);                   /* with S3's namespace */
void xml_begin_plain(struct buf *out, struct str root);             /* without (Error) */
void xml_begin_in(struct buf *out, struct str root, struct str ns); /* with another one */
void xml_open(struct buf *out, struct str name);                    /* <name> */
void xml_close(struct buf *out, struct str name);                   /* </name> */
void xml_text(struct buf *out, struct str name,
              struct str text); /* escaped; empty: <name></name> */
/* An element of an error, which S3 writes with quotes, tabs and line feeds as they are. */
void xml_error_text(struct buf *out, struct str name, struct str text);
void xml_u64(struct buf *out, struct str name, uint64_t value);
void xml_bool(struct buf *out, struct str name, bool value);
void xml_tree(struct buf *out, const struct xml_node *node); /* as it was read, but for types */
void xml_time(struct buf *out, struct str name, int64_t us); /* whole seconds */
/* & < > " and control bytes (as character references; bytes XML 1.0 can not hold too, as S3). */
void xml_escape(struct buf *out, struct str text);

const char *xml_library_version(void);

#endif
