/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a lifecycle document that both who judges and who compiles it read.
 */
#ifndef SERVER_S3_LIFECYCLE_DOCUMENT_H
#define SERVER_S3_LIFECYCLE_DOCUMENT_H

#include "server/xml/xml.h"

#define LIFECYCLE_ROOT STR("LifecycleConfiguration")

/*
 * The conditions of a rule: the children of its Filter, or of the And in it; where it has a Prefix of its
 * own (the older form), the rule. Only elements named Prefix, Tag and ObjectSize* in it count.
 */
const struct xml_node *lifecycle_conditions(const struct xml_node *rule);
/* The element's Date or Days is there, as it is told. False: it says neither well. */
MUST_CHECK bool lifecycle_date_parse(struct str text, int64_t *ret_us);

/* Before the document, where its small objects vary by class: it is stored with that word and a line feed. */
#define LIFECYCLE_SMALL_VARY STR("varies_by_storage_class")
#define LIFECYCLE_SMALL_STAY STR("all_storage_classes_128K")
/* The two apart: the document, and one of the words above. */
struct str lifecycle_stored_document(struct str stored, struct str *ret_word);

#endif
