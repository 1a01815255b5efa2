/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of users, as the files of this folder see them; the others include credentials.h.
 */
#ifndef SERVER_AUTH_USERS_H
#define SERVER_AUTH_USERS_H

#include "server/auth/credentials.h"

/* NULL: there is none. Borrowed from the table. A disabled one is found, too. */
const struct user *users_by_access_key(const struct users *users, struct str access_key);
const struct user *users_by_canonical_id(const struct users *users, struct str canonical_id);
const struct user *users_by_email(const struct users *users, struct str email); /* no case */
const struct user *users_first(const struct users *users);

/* Counted by whoever holds it; the maker holds it once. The last drop wipes and frees. Any thread. */
void users_hold(struct users *users);
void users_drop(struct users *users);

/* The users in force as a source of one loop. False: no memory. */
MUST_CHECK bool users_source(struct users_in_force *in_force,
                             struct credentials_source *ret_source);

#endif
