/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the voters of the access decision have in common (access.c, policy_vote.c).
 */
#ifndef SERVER_AUTH_VOTERS_H
#define SERVER_AUTH_VOTERS_H

#include "server/auth/access.h"
#include "server/auth/acl.h"

static inline struct access_verdict vote_nothing(void)
{
    return (struct access_verdict){ .decision = ACCESS_ABSTAINED, .reason = NULL };
}

static inline struct access_verdict vote_allow(const char *reason)
{
    return (struct access_verdict){ .decision = ACCESS_ALLOWED, .reason = reason };
}

static inline struct access_verdict vote_abstain(const char *reason)
{
    return (struct access_verdict){ .decision = ACCESS_ABSTAINED, .reason = reason };
}

static inline struct access_verdict vote_deny(const char *reason)
{
    return (struct access_verdict){ .decision = ACCESS_DENIED, .reason = reason };
}

static inline bool vote_is_owner(const struct user *user, struct str owner)
{
    return owner.len > 0 && str_eq(acl_user_id(user), owner);
}

/* policy_vote.c */
access_voter vote_of_policy;

#endif
