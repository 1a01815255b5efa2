/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may sign: the root user, and the users of the settings file. Read at the start, and again when
 * asked to.
 *
 * (1) A reload puts all that it has read in force, or, when anything of it is wrong, nothing.
 * (2) Of the settings it takes the users and the root user's key pair alone. Flags and environment
 *     are those of the start, and stronger than the file as they were then.
 * (3) No key pair is made at a reload: a file that is gone is an error.
 *
 * The main thread's, but for the users in force.
 */
#ifndef SERVER_ACCOUNTS_H
#define SERVER_ACCOUNTS_H

#include "server/root_pair.h"

struct accounts;

/*
 * NULL with a fault. config: checked, borrowed for good. words: the command's, for a reload; borrowed
 * for good. dir_fd: of the store; borrowed for good.
 */
MUST_CHECK struct accounts *accounts_open(const struct config *config, char *const *words,
                                          int dir_fd, struct fault *fault);
void accounts_close(struct accounts *accounts); /* once no loop runs; NULL is fine */

struct users_in_force *accounts_users(const struct accounts *accounts);
const struct root_pair *accounts_root(const struct accounts *accounts); /* until a reload */
/* The root user; id is its room for a text, and has to live as long. */
struct user accounts_root_user(const struct accounts *accounts, char id[64]);

/* ret_count: how many key pairs are in force now. False: what was in force is, and fault says why. */
MUST_CHECK bool accounts_reload(struct accounts *accounts, size_t *ret_count, struct fault *fault);

#endif
