/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who names bytes, as sub-selects of what fsck and its repairs ask: k is an enum body_kind, i the id
 * that goes with it.
 */
#ifndef STORAGE_CATALOG_CARE_REFERENCES_H
#define STORAGE_CATALOG_CARE_REFERENCES_H

#include "storage/catalog/sql.h"

/* Every reference to bytes. */
#define REFERENCES                                                                                 \
    " (SELECT body_kind AS k, body_id AS i FROM object"                                            \
    "  UNION ALL SELECT body_kind, body_id FROM version"                                           \
    "  UNION ALL SELECT body_kind, body_id FROM part"                                              \
    "  UNION ALL SELECT body_kind, body_id FROM annotation"                                        \
    "  UNION ALL SELECT kind, ref FROM piece"                                                      \
    "  UNION ALL SELECT " SQL_BODY_INLINE ", id FROM inline_dead) "
/* Versions' bodies, and of how many parts their objects were made. */
#define VERSIONS                                                                                   \
    " (SELECT body_kind AS k, body_id AS i, part_count FROM object"                                \
    "  UNION ALL SELECT body_kind, body_id, part_count FROM version) "
/* Whole bodies, of versions, of parts and of annotations, with the size of their plain content. */
#define BODIES                                                                                     \
    " (SELECT body_kind AS k, body_id AS i, size FROM object"                                      \
    "  UNION ALL SELECT body_kind, body_id, size FROM version"                                     \
    "  UNION ALL SELECT body_kind, body_id, size FROM part"                                        \
    "  UNION ALL SELECT body_kind, body_id, size FROM annotation) "

/* Annotations of versions that are not there; versions whose row does not say whether they have any. */
#define ANNOTATIONS_LEFT                                                                           \
    " FROM annotation WHERE version NOT IN (SELECT seq FROM object UNION ALL SELECT seq FROM version)"
/* A replica (4) has none: its number is its source's. */
#define ANNOTATED_DIFFERS                                                                          \
    " ((flags & " SQL_ANNOTATED ") != 0) != (replication != 4 AND seq IN"                          \
    "  (SELECT version FROM annotation)) "

#endif
