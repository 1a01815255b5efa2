/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Security Token Service: a form or a query in, an XML document out.
 *
 * It is served on S3's port, told apart by the service its callers sign for. Who calls was decided
 * before (dispatch.c calls the verifier for it); nothing of a store is read here.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
 */
#ifndef SERVER_STS_STS_H
#define SERVER_STS_STS_H

#include "server/auth/auth.h"
#include "server/xml/xml.h"

#define STS_SERVICE STR("sts")
#define STS_VERSION "2011-06-15"
#define STS_NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"
#define STS_BODY_BYTES_MAX (64u * 1024u)

/* One call of an action. */
struct sts_call {
    const struct http_request *parameters; /* only params and param_count: of query and form */
    const struct user *caller;             /* NULL: nobody signed */
    struct str request_id;
    struct buf *out;   /* the reply's document */
    struct str action; /* that ran, as its row names it; STR_NONE before */
};

/* A refusal: what stands in its document. */
struct sts_error {
    int status;
    struct str code;
    struct str message;
};

/*
 * Run the action that the request's query and body name. Both are form data; body may be STR_NONE.
 *
 * Returns 200 or the status of the refusal; either way the document is in call->out. The call's
 * parameters are set here, and the action once it is known to be one.
 */
int sts_run(struct sts_call *call, const struct http_request *request, struct str body,
            struct arena *arena);

/* What the verifier refused, in this service's words. Returns the status. */
int sts_refuse_unverified(struct sts_call *call, const struct s3_refusal *refusal);

/* The first value of a parameter; STR_NONE when it is absent. */
struct str sts_parameter(const struct sts_call *call, struct str name);
/* Write the document of a refusal; returns its status. */
int sts_fail(struct sts_call *call, struct sts_error error);

#define A(NAME) int sts_##NAME(struct sts_call *call);
#include "server/sts/actions.def"
#undef A

#endif
