/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access decision: may this principal do this, to this, now? One question, one answer with its
 * reason; pure, any thread.
 *
 * (1) Voters are asked one after the other. Who denies has the last word, whoever allows; where
 *     nobody allows, it is denied.
 * (2) A question is about one resource. A request that touches many (the keys of DeleteObjects, the
 *     source of a copy) asks once for each.
 * (3) server/s3/may.c alone asks (tests/lint/check_access.py): it knows what stands in a question.
 */
#ifndef SERVER_AUTH_ACCESS_H
#define SERVER_AUTH_ACCESS_H

#include "server/auth/access_rules.h"
#include "server/auth/auth.h"

/* ---- actions ------------------------------------------------------------------------------- */

enum access_action {
    ACTION_NONE = 0,
#define A(SERVICE, NAME, GRANT, RIGHT) ACTION_##NAME,
#include "server/auth/actions.def"
#undef A
    ACCESS_ACTIONS
};

/* "s3:GetObject", as a policy says it. */
struct str access_action_name(enum access_action action);

/* ---- the question ---------------------------------------------------------------------------- */

/* What is absent is STR_NONE. All borrowed for the call. */
struct access_resource {
    struct str bucket; /* name */
    struct str key;
    struct str version; /* id as it was asked for; STR_NONE: the current one */
    struct str sought;  /* key that is not there, where it is asked who may list */
    struct str bucket_owner, bucket_acl;
    struct str object_owner, object_acl; /* object_owner absent: there is no object */
    struct str object_tags;              /* packed */
    struct str bucket_tags;              /* packed; STR_NONE unless they decide */
    struct str initiator;                /* of the upload, when the resource is one */
    const struct access_rules *rules;    /* of the bucket's documents; NULL: it has none */
};

/* What a body sets, in the form in which headers say it; STR_NONE: it says nothing of that. */
struct access_said {
    struct str tags; /* packed */
    struct str lock_mode, retain_until, legal_hold;
    struct str if_match;
};

/* What conditions may ask for. Borrowed; what no voter looks at may be absent. */
struct access_context {
    const struct http_request *request; /* address, TLS, headers and parameters */
    const struct http_request *form;    /* its header fields are a form's fields; NULL: no form */
    const struct access_said *said;     /* NULL: there is no body, or it is not read yet */
    enum auth_scheme scheme;
    struct str signed_at; /* "20261121T052523Z"; absent: nobody signed, or not with a time */
    struct str region;
    const struct clock *clock;                /* of the server */
    struct credentials *credentials;          /* who knows the accounts of canonical ids */
    bool agrees_to_pay;                       /* for what the bucket's owner does not */
    struct str source_bucket, source_account; /* for which a service acts; STR_NONE */
};

struct access_request {
    const struct user *principal; /* NULL: anonymous */
    enum access_action action;
    struct access_resource resource;
    struct access_context context;
};

/* ---- the answer ------------------------------------------------------------------------------ */

enum access_decision { ACCESS_ABSTAINED = 0, ACCESS_ALLOWED, ACCESS_DENIED };

struct access_verdict {
    enum access_decision decision; /* of access_decide never ACCESS_ABSTAINED */
    const char *reason;            /* static; NULL only where a voter has nothing to say */
    struct str statement;          /* of a policy, its Sid; borrowed of the rules. Else STR_NONE */
    bool by_acl;                   /* allowed by a grant alone, to who is not the owner */
};

MUST_CHECK struct access_verdict access_decide(const struct access_request *request);

/* ---- voters ---------------------------------------------------------------------------------- */

typedef struct access_verdict access_voter(const struct access_request *request);

/* The loop of (1) over voters of the caller's; access_decide is this over all there are. */
MUST_CHECK struct access_verdict access_count(access_voter *const *voters, size_t count,
                                              const struct access_request *request);

#endif
