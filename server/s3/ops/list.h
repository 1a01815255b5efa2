/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the listings' answers share.
 */
#ifndef SERVER_S3_OPS_LIST_H
#define SERVER_S3_OPS_LIST_H

#include "base/clock.h"
#include "server/s3/ops/list_form.h"

/*
 * What follows the head of a listing, written while the store walks: how the page ends, which the
 * head tells, is known only then.
 */
struct list_body {
    struct op *op;
    const struct list_form *form;
    bool owners; /* are told: a listing open to all tells those who sign nothing no canonical ids */
    struct buf entries;
    struct buf prefixes;
    struct clock_day day; /* of the newest time written */
};

struct list_body list_body_make(struct op *op, const struct list_form *form);
void list_body_free(struct list_body *body); /* CLEANUP helper */
bool list_body_failed(const struct list_body *body);
/* <CommonPrefixes>, which stand behind all entries. */
void list_body_prefix(struct list_body *body, struct str prefix);
/* Into the entries: the text of a time, and, if they are told, <Owner>. */
void list_body_time(struct list_body *body, int64_t us);
void list_body_owner(struct list_body *body, struct str canonical_id);
/* <RestoreStatus>, if it is asked for and there is one. */
void list_body_restore(struct list_body *body, const struct listed_version *listed);
/* Reply: head, entries, prefixes, end of root. */
MUST_CHECK enum s3_error list_body_reply(struct list_body *body, const struct buf *head,
                                         struct str root);

#endif
