/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server does by itself for stores: one thing after another is started for each, here.
 */
#ifndef SERVER_S3_TEND_H
#define SERVER_S3_TEND_H

#include "server/s3/s3.h"

struct tended; /* a list of stores */

/* Put a store before the list. options are borrowed until tend_stop. False: no memory, or no such store. */
MUST_CHECK bool tend_start(struct tended **list, const struct s3_options *options,
                           struct str store);
/* A document of that kind was put into a bucket of the store. Any thread; does not block. */
void tend_document(const struct tended *list, const struct open_store *held, struct str kind);
/* End all, and give the stores back. */
void tend_stop(struct tended *list);

#endif
