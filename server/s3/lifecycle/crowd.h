/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many small intents at once, which one commit takes together.
 */
#ifndef SERVER_S3_LIFECYCLE_CROWD_H
#define SERVER_S3_LIFECYCLE_CROWD_H

#include "storage/store.h"

/* What is the i-th's own: its key, its kind's member. */
typedef void crowd_fill(void *context, size_t i, struct intent *intent);

/*
 * Submit `count` intents like that one and wait for all of them. Not for event loops.
 *
 * like       what they share; its arena is the store's meanwhile.
 * done       one more for each that came to something.
 * Returns STORE_OK, also where a key, a version or an upload is gone, another, or locked; STORE_RETRY: the
 * bucket has changed; else the first failure, which fault tells of.
 */
MUST_CHECK enum store_status crowd_submit(struct store *store, const struct intent *like,
                                          size_t count, crowd_fill *fill, void *context,
                                          uint64_t *done, struct fault *fault);

#endif
