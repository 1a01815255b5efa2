/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies: the language in which AWS says who may do what. Pure; any thread.
 *
 *   policy_parse     a document, checked and compiled once; what is wrong in AWS's words
 *   policy_evaluate  what it says of one question
 *
 * (1) A policy is immutable and lives in the arena it was parsed into, texts too.
 * (2) An explicit denial is found whatever else allows.
 * (3) What a question may be asked about (the values of condition keys) is computed when it is asked
 *     for: policy_look_up. Evaluation allocates nothing and takes time bounded by the document's size
 *     times that of the values.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html
 */
#ifndef SERVER_POLICY_POLICY_H
#define SERVER_POLICY_POLICY_H

#include "base/arena.h"

#define POLICY_BYTES_MAX 20480

/* What a document is attached to: what must be in it depends on that. */
enum policy_kind {
    POLICY_OF_BUCKET,   /* Principal, and resources of that bucket */
    POLICY_OF_IDENTITY, /* no Principal */
    POLICY_OF_TRUST,    /* Principal, and no Resource */
};

struct policy_place {
    enum policy_kind kind;
    struct str bucket; /* its name; STR_NONE: any, of a document that was judged before */
};

struct policy;

/*
 * json: borrowed for the call. NULL: it is refused, and ret_problem is why, in AWS's words (in the
 * arena); or there was no memory, and ret_problem is STR_NONE.
 */
MUST_CHECK const struct policy *policy_parse(struct str json, const struct policy_place *place,
                                             struct arena *arena, struct str *ret_problem);

/* ---- questions ------------------------------------------------------------------------------- */

enum policy_caller {
    CALLER_ANONYMOUS = 0,
    CALLER_USER,
    CALLER_ROOT,
    CALLER_SESSION,
    CALLER_SERVICE, /* of AWS, for an account: known by its name alone */
};

struct policy_principal {
    enum policy_caller kind;
    struct str account;      /* 12 digits */
    struct str arn;          /* of the user, or of the session */
    struct str role_arn;     /* of a session's role; else STR_NONE */
    struct str canonical_id; /* of the account */
    struct str service;      /* "logging.s3.amazonaws.com"; else STR_NONE */
};

/* The values of one condition key; borrowed until the next question to the same look-up. */
struct policy_values {
    const struct str *values;
    size_t count;
};

/* False: the request has no such key. Names of keys have no case. */
typedef bool policy_look_up(void *context, struct str key, struct policy_values *ret_values);

struct policy_question {
    struct policy_principal principal;
    struct str action;   /* "s3:GetObject" */
    struct str resource; /* "arn:aws:s3:::bucket/key" */
    policy_look_up *look_up;
    void *context;
};

enum policy_effect { POLICY_SAYS_NOTHING = 0, POLICY_ALLOWS, POLICY_DENIES };

struct policy_answer {
    enum policy_effect effect;
    size_t statement; /* from 0: which one said so */
    struct str sid;   /* its Sid, or STR_NONE */
};

struct policy_answer policy_evaluate(const struct policy *policy,
                                     const struct policy_question *question);

/*
 * Does it let in the public, by S3's rule? A statement that allows to everybody, and is not bound to
 * fixed values of a key that tells the callers of an organisation, network or account apart.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
bool policy_is_public(const struct policy *policy);

#endif
