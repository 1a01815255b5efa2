/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of functions that rows of documents.def name, and those of each row.
 */
#ifndef SERVER_S3_DOCUMENTS_H
#define SERVER_S3_DOCUMENTS_H

#include "server/s3/bucket_config.h"
#include "server/s3/op.h"
#include "server/xml/xml.h"

/*
 * Judge a document that is put. root: of its tree; NULL when the row names no root: see op->body.
 * ret_stored: what is kept, in the arena (or the body); STR_NONE: nothing, as if it was deleted.
 */
typedef enum s3_error document_read_fn(struct op *op, const struct xml_node *root,
                                       struct str *ret_stored);
/* Answer with a stored document. */
typedef enum s3_error document_show_fn(struct op *op, struct str stored);
/* A stored document into the configuration's fields; all lives in the arena. False: no memory. */
typedef bool document_compile_fn(struct str stored, struct arena *arena,
                                 struct bucket_config *config);
/* On an admitted request; anything but S3_OK is its answer. Takes no time. */
typedef enum s3_error document_effect_fn(struct op *op, const struct bucket_document *document);

/* ops/document.c: as it was sent, without an XML declaration. */
document_read_fn document_read_plain;
document_show_fn document_show_plain;
/* ops/tagging.c */
document_read_fn tagging_read;
document_show_fn tagging_show;
/* ops/ownership.c */
document_read_fn ownership_read;
document_show_fn ownership_show;
document_read_fn access_block_read;
document_show_fn access_block_show;
/* ops/configurations.c */
document_read_fn metrics_read;
document_read_fn analytics_read;
document_read_fn tiering_read;
/* delivery/logging_document.c */
document_read_fn logging_read;
document_compile_fn logging_compile;
/* delivery/inventory_rule.c */
document_read_fn inventory_read;
/* ops/policy.c */
document_read_fn policy_read;
document_show_fn policy_show;
document_compile_fn policy_compile;
/* ops/lock.c */
document_read_fn lock_read;
document_compile_fn lock_compile;
/* browser/cors_document.c */
document_read_fn cors_read;
document_compile_fn cors_compile;
/* encryption/bucket_rule.c */
document_read_fn encryption_read;
document_compile_fn encryption_compile;
/* ops/one_word.c */
document_read_fn payment_read;
document_show_fn payment_show;
document_effect_fn payment_effect;
document_read_fn acceleration_read;
document_show_fn acceleration_show;
document_read_fn abac_read;
document_show_fn abac_show;
document_effect_fn abac_effect;
/* lifecycle/document.c, lifecycle/compile.c */
document_read_fn lifecycle_read;
document_show_fn lifecycle_show;
document_compile_fn lifecycle_compile;
/* replication/document.c, replication/compile.c */
document_read_fn replication_read;
document_compile_fn replication_compile;
/* browser/website_document.c */
document_read_fn website_read;
document_compile_fn website_compile;
/* notify/notification_document.c */
document_read_fn notification_read;
document_compile_fn notification_compile;
/* document_compile.c */
document_compile_fn tagging_compile;
document_compile_fn ownership_compile;
document_compile_fn access_block_compile;
document_compile_fn payment_compile;
document_compile_fn acceleration_compile;
document_compile_fn abac_compile;

#ifdef PAIL_MORE_DOCUMENTS /* of a test */
document_effect_fn more_effect;
#endif

/* What its row compiles of a document. False: no memory. */
MUST_CHECK bool document_compile(const struct bucket_document *document, struct arena *arena,
                                 struct bucket_config *config);

#endif
