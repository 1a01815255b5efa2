/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share: the state of one verification, and their entry points.
 *
 *   verify.c --> sigv4_header.c, sigv4_query.c --> sigv4.c --> canonical.c
 *            \-> sigv2.c                                \----> cache.c (signing keys)
 *   post.c   --> scope.c, cache.c, policy.c
 *
 * Not for other folders; they include auth.h.
 */
#ifndef SERVER_AUTH_CALL_H
#define SERVER_AUTH_CALL_H

#include "base/text/codec.h"
#include "server/auth/auth.h"

#define AUTH_REGION_BYTES_MAX 64
#define AUTH_TEXT_BYTES_MAX (512 * 1024) /* a canonical request; HTTP's own limits are below it */

/* Which places of struct s3_refusal's values hold what: the order is errors.def's. */
enum fact {
    FACT_DENIED_HEADERS = 0,
    FACT_DENIED_AMZ_EXPIRES,
    FACT_DENIED_EXPIRES,
    FACT_DENIED_SERVER_TIME,

    FACT_ARGUMENT_NAME = 0,
    FACT_ARGUMENT_VALUE,

    FACT_SKEW_REQUEST_TIME = 0,
    FACT_SKEW_SERVER_TIME,
    FACT_SKEW_MAX,

    FACT_MISMATCH_ACCESS_KEY = 0,
    FACT_MISMATCH_TEXT,
    FACT_MISMATCH_SIGNATURE,
    FACT_MISMATCH_BYTES,
    FACT_MISMATCH_CANONICAL,
    FACT_MISMATCH_CANONICAL_BYTES,

    FACT_MALFORMED_REGION = 0,
    FACT_KEY_ID = 0,
    FACT_UNIMPLEMENTED_HEADER = 0,
};

/* One verification. */
struct auth_call {
    const struct auth_config *config;
    struct auth_cache *cache;
    const struct http_request *request;
    struct str virtual_bucket;
    struct str service; /* the scope must name; STR_NONE: "s3" */
    struct arena *arena;
    int64_t now_us;
    struct str access_key;         /* claimed, whether or not it was proven */
    struct str token;              /* session token sent with it, STR_NONE */
    struct str session_token;      /* of a directory bucket's session, STR_NONE */
    const struct session *session; /* that it says, once it was opened */
    struct str payload;            /* x-amz-content-sha256, STR_NONE */
    struct auth *auth;             /* filled on the way */
    struct s3_refusal *refusal;
};

/* ---- verify.c -------------------------------------------------------------------------------- */

/* Fill the refusal; message STR_NONE keeps errors.def's. Returns error. */
enum s3_error auth_refuse(struct auth_call *call, enum s3_error error, struct str message);
enum s3_error auth_refuse_argument(struct auth_call *call, struct str message, struct str name,
                                   struct str value);
/* AccessDenied "Request has expired". amz_expires: STR_NONE for V2. */
enum s3_error auth_refuse_expired(struct auth_call *call, struct str amz_expires,
                                  int64_t expired_us);
/* 2026-11-21T05:25:23Z in the arena. */
struct str auth_time_text(struct arena *arena, int64_t us);
int64_t auth_skew_us(const struct auth_config *config);
/* RequestTimeTooSkewed when date_us is further from now than allowed. */
MUST_CHECK enum s3_error auth_check_skew(struct auth_call *call, int64_t date_us,
                                         struct str as_sent);
/*
 * The credential of the claimed access key, found now. For an unknown key it is one whose secret
 * nobody has, so that unknown keys cost what known ones do; *ret_known says which. SlowDown: it
 * can not be known.
 */
MUST_CHECK enum s3_error auth_claimed(struct auth_call *call, struct credential *ret_credential,
                                      bool *ret_known);
/*
 * After a signature matched: session token and expiry of temporary keys; then the request is its
 * user's.
 */
MUST_CHECK enum s3_error auth_accept(struct auth_call *call, const struct credential *credential);
/* The request is this user's, whatever it has proven. SlowDown: no memory. */
MUST_CHECK enum s3_error auth_become(struct auth_call *call, const struct credential *credential);
/* InvalidAccessKeyId or SignatureDoesNotMatch. canonical: STR_NONE for V2 and forms. */
enum s3_error auth_refuse_signature(struct auth_call *call, bool known, struct str text,
                                    struct str signature, struct str canonical);
/* A list of names that had to be signed and were not: "a, b", in lower case. */
void auth_add_name(struct buf *list, struct str name);
/* It in the arena; STR_NONE when nothing was added. */
struct str auth_names(struct auth_call *call, const struct buf *list);
/* AccessDenied with such a list. */
enum s3_error auth_refuse_unsigned(struct auth_call *call, struct str names);
/* InvalidArgument: a second credential beside the one that counts. */
enum s3_error auth_refuse_two(struct auth_call *call);
/* Marks of any credential in the request's headers or query. */
bool auth_has_credential(const struct http_request *request);
/* Make a failed check a success where the mode says so, else hand error back. */
enum s3_error auth_settle(struct auth_call *call, enum s3_error error);
bool auth_is_amz_name(struct str name); /* x-amz-*, no case */

/* ---- cache.c --------------------------------------------------------------------------------- */

struct scope;
struct buf *auth_cache_text(struct auth_cache *cache);    /* emptied at each call */
struct buf *auth_cache_scratch(struct auth_cache *cache); /* emptied at each call */
void auth_cache_trim(struct auth_cache *cache);           /* give back what a huge request took */
void auth_cache_key(struct auth_cache *cache, const struct credential *credential,
                    const struct scope *scope, uint8_t out[SHA256_BYTES]);

/* ---- scope.c --------------------------------------------------------------------------------- */

/* AK/20261121/us-east-1/s3/aws4_request, split. */
struct scope {
    struct str access_key, date, region, service;
    struct str text; /* all but the access key */
};

enum scope_form { SCOPE_HEADER, SCOPE_QUERY, SCOPE_POST };

/* The error of that form of authentication: text after its usual beginning. */
enum s3_error scope_malformed(struct auth_call *call, enum scope_form form, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Split credential, check its service, region and date; sets call->access_key. */
MUST_CHECK enum s3_error scope_read(struct auth_call *call, enum scope_form form,
                                    struct str credential, struct str amz_date,
                                    struct scope *ret_scope);

/* ---- session/claimed.c ----------------------------------------------------------------------- */

/* x-amz-s3session-token, and the parameter of a presigned URL: call->session_token. */
MUST_CHECK enum s3_error session_read_header(struct auth_call *call);
MUST_CHECK enum s3_error session_read_query(struct auth_call *call);
/* As auth_claimed, where there is such a token. InvalidToken, ExpiredToken. */
MUST_CHECK enum s3_error session_claimed(struct auth_call *call, struct credential *ret_credential);

/* ---- canonical.c ----------------------------------------------------------------------------- */

#define CANONICAL_PARAMS_MAX (HTTP_QUERY_PARAMS_MAX + 16)

/* Sorted, encoded, without X-Amz-Signature. At most CANONICAL_PARAMS_MAX. */
void canonical_query(struct buf *out, struct buf *scratch, const struct http_param *params,
                     size_t count);
/* The path decoded and encoded again, as V4 signs it; STR_NONE when it cannot be. */
struct str canonical_path(struct arena *arena, struct str raw_path);
/* The whole V4 canonical request, of request's method, raw_path, params, host and fields. */
void canonical_request(struct buf *out, struct buf *scratch, const struct http_request *request,
                       struct str signed_headers, struct str payload);
bool canonical_list_has(struct str signed_headers, struct str name); /* no case */
void auth_append_lower(struct buf *out, struct str name);            /* as signatures write names */

/* ---- payload.c ------------------------------------------------------------------------------- */

/* Read x-amz-content-sha256 (header, or query of a presigned URL) into call and its auth. */
MUST_CHECK enum s3_error payload_read(struct auth_call *call);

/* ---- signatures ------------------------------------------------------------------------------ */

struct v4_claim {
    enum scope_form form;
    struct scope scope;
    struct str signed_headers;
    struct str signature;
    struct str amz_date;
    struct str payload; /* as it stands in the canonical request */
};

/* Headers covered, key known, signature right, token right. Fills call->auth. */
MUST_CHECK enum s3_error v4_verify(struct auth_call *call, const struct v4_claim *claim);
/* Hex of the HMAC over the string to sign. */
void v4_sign(const uint8_t key[SHA256_BYTES], struct str amz_date, struct str scope,
             struct str canonical, char out[2 * SHA256_BYTES]);
MUST_CHECK enum s3_error v4_verify_header(struct auth_call *call, struct str authorization);
MUST_CHECK enum s3_error v4_verify_query(struct auth_call *call);
MUST_CHECK enum s3_error v2_verify_header(struct auth_call *call, struct str authorization);
MUST_CHECK enum s3_error v2_verify_query(struct auth_call *call);
#define V2_SIGNATURE_BYTES BASE64_LEN(SHA1_BYTES)
void v2_sign(struct str secret, struct str text, char out[V2_SIGNATURE_BYTES]);

/* ---- policy.c -------------------------------------------------------------------------------- */

MUST_CHECK enum s3_error policy_check(struct auth_call *call, struct str policy,
                                      const struct form_field *fields, size_t field_count,
                                      struct str bucket, uint64_t *ret_min_bytes,
                                      uint64_t *ret_max_bytes);

#endif
