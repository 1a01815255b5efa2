/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sent this request, and did they sign all of it: the only verifier.
 *
 * (1) auth_verify is called from one place (dispatch.c) for every request, before anything of the
 *     bucket is revealed. It looks at the request alone: method, raw path, ordered query, headers.
 * (2) Identity and signature come from the same object (header, query or form); two at once is 400,
 *     also where one is of a scheme that is not ours.
 * (3) Secrets are compared in constant time and never leave this folder.
 * (4) Every x-amz-* header must be signed (V4, but x-amz-content-sha256, which is signed by its
 *     value), every one is (V2 signs them all).
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html (V2)
 */
#ifndef SERVER_AUTH_AUTH_H
#define SERVER_AUTH_AUTH_H

#include "base/digest/digest.h"
#include "base/text/buf.h"
#include "server/auth/credentials.h"
#include "server/http/http.h"
#include "server/http/parse/aws_chunked.h"
#include "server/http/parse/form.h"
#include "server/refusals/errors.h"

#define AUTH_SKEW_S 900
#define AUTH_EXPIRES_MAX_S 604800

/* Once, before threads. */
void auth_init(void);

/* ---- verification -------------------------------------------------------------------------- */

enum auth_mode { AUTH_STRICT = 0, AUTH_AUDIT, AUTH_OPEN };

struct auth_config {
    enum auth_mode mode;
    struct users_in_force *users; /* borrowed; whom a loop's cache asks */
    struct str region;            /* ours */
    struct str account_id;        /* the root user's */
    bool strict_region;           /* refuse other regions in the scope */
    int64_t skew_us;              /* 0: AUTH_SKEW_S */
    const struct clock *clock;    /* what time it is: of signatures, of policies and of tokens */
    uint8_t token_key[AES_KEY_BYTES]; /* seals the tokens of sessions */
};

/* Payload forms a request can declare; routes.def says which an operation takes. */
enum payload_mode {
    PAYLOAD_ABSENT = 1,            /* no x-amz-content-sha256 (V2, anonymous) */
    PAYLOAD_HEX = 2,               /* SHA-256 named (and signed, in V4) */
    PAYLOAD_UNSIGNED = 4,          /* UNSIGNED-PAYLOAD; also presigned without the header */
    PAYLOAD_SIGNED_CHUNKS = 8,     /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
    PAYLOAD_SIGNED_TRAILER = 16,   /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER */
    PAYLOAD_UNSIGNED_TRAILER = 32, /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
};
#define PAYLOAD_PLAIN (PAYLOAD_ABSENT | PAYLOAD_HEX | PAYLOAD_UNSIGNED)
#define PAYLOAD_STREAMING                                                                          \
    (PAYLOAD_SIGNED_CHUNKS | PAYLOAD_SIGNED_TRAILER | PAYLOAD_UNSIGNED_TRAILER)
#define PAYLOAD_ANY (PAYLOAD_PLAIN | PAYLOAD_STREAMING)
#define PAYLOAD_DOCUMENT (PAYLOAD_ANY & ~PAYLOAD_UNSIGNED_TRAILER) /* S3: that is for objects */

enum auth_scheme {
    AUTH_ANONYMOUS = 0,
    AUTH_V4_HEADER,
    AUTH_V4_QUERY,
    AUTH_V2_HEADER,
    AUTH_V2_QUERY,
    AUTH_V4_POST,
    AUTH_V2_POST,
};

/*
 * The verdict. Only auth_verify and auth_verify_post make one, and dispatch.c hands operations
 * nothing else.
 */
struct auth {
    enum auth_scheme scheme;
    const struct user *user; /* NULL: anonymous. A copy in the arena, without secrets */
    bool audited;            /* verification failed but AUTH_AUDIT or AUTH_OPEN let it through */
    enum payload_mode payload;
    struct str payload_claim;  /* PAYLOAD_HEX: as sent; without V4 it may be any text */
    struct str signed_headers; /* V4 header and query: "host;x-amz-date" */
    /* signed chunks: state of the signature chain */
    uint8_t signing_key[SHA256_BYTES];
    char previous_signature[64];
    struct str scope;              /* "20261121/us-east-1/s3/aws4_request" */
    struct str amz_date;           /* "20261121T052523Z" */
    bool express;                  /* signed for directory buckets ("s3express") */
    const struct session *session; /* proven, in the arena (session/session.h); NULL: none */
};

/*
 * Verify a request.
 *
 * virtual_bucket: bucket named by the Host header, STR_NONE in path style (V2 signs it).
 * arena: the request's; texts of the refusal and the auth live there.
 * Returns S3_OK and *ret_auth, or an error with its facts in *refusal. A request without any
 * credential is S3_OK and anonymous. ECDSA forms are NotImplemented. A malformed or missing
 * x-amz-content-sha256 on a V4 header request is an error as on AWS.
 * cache: of the calling thread.
 */
struct auth_cache; /* what one loop thread has: whom it asks for credentials, signing keys */
/* NULL: no memory. users: those in force; borrowed, closed after all caches. */
MUST_CHECK struct auth_cache *auth_cache_open(struct users_in_force *users);
void auth_cache_close(struct auth_cache *cache);
/* Whom the verifier asks. Borrowed, for the cache's thread. */
struct credentials *auth_credentials(struct auth_cache *cache);

MUST_CHECK enum s3_error auth_verify(const struct auth_config *config, struct auth_cache *cache,
                                     const struct http_request *request, struct str virtual_bucket,
                                     struct arena *arena, struct auth *ret_auth,
                                     struct s3_refusal *refusal);

/* Is the header among those that the request's V4 signature covers? Names have no case. */
bool auth_signs_header(const struct auth *auth, struct str name);

/*
 * Verify a request of another service that is served on this port ("sts").
 *
 * Only S3 sends x-amz-content-sha256: elsewhere the signature covers the SHA-256 of the body, which
 * therefore has to be whole. What the header says, if it is there, must be the body's too.
 */
MUST_CHECK enum s3_error auth_verify_service(const struct auth_config *config,
                                             struct auth_cache *cache,
                                             const struct http_request *request, struct str service,
                                             struct str body, struct arena *arena,
                                             struct auth *ret_auth, struct s3_refusal *refusal);

/*
 * Verify a POST Object form: signature over the policy (V4 or V2 fields), expiration, and every
 * field against the policy's conditions. Fields are those before the file; request is the one that
 * brought them and must not carry a credential beside theirs; bucket is the one routed to. content_length_range gets the policy's bounds (0..UINT64_MAX when it names none).
 * A form without policy and signature is anonymous.
 */
MUST_CHECK enum s3_error auth_verify_post(const struct auth_config *config,
                                          struct auth_cache *cache,
                                          const struct http_request *request,
                                          const struct form_field *fields, size_t field_count,
                                          struct str bucket, struct arena *arena,
                                          struct auth *ret_auth, uint64_t *ret_min_bytes,
                                          uint64_t *ret_max_bytes, struct s3_refusal *refusal);

/* ---- signed chunks ------------------------------------------------------------------------- */

/*
 * Check one chunk's signature and advance the chain. sha256: of the chunk's data. signature: 64
 * hex digits from its header. False: it does not match.
 */
MUST_CHECK bool auth_chunk_verify(struct auth *auth, const uint8_t sha256[SHA256_BYTES],
                                  struct str signature);
/* canonical: trailer lines "name:value\n" in order. signature: x-amz-trailer-signature. */
MUST_CHECK bool auth_trailer_verify(struct auth *auth, struct str canonical, struct str signature);

/* ---- making signatures (pail presign, pail's own tests) -------------------------------------- */

/*
 * Presigned V4 URL for method on endpoint/bucket/key. endpoint: "http://127.0.0.1:9000".
 * query_extra: "versionId=..." or STR_NONE. Written to out.
 */
MUST_CHECK bool auth_presign(struct buf *out, const struct user *user, struct str method,
                             struct str endpoint, struct str region, struct str bucket,
                             struct str key, struct str query_extra, uint64_t expires_s,
                             int64_t now_us);

/* Whose signature, and for which service. All borrowed. */
struct auth_signer {
    struct str access_key, secret_key;
    struct str session_token; /* STR_NONE: none */
    struct str region, service;
};

#define AUTH_SIGN_FIELDS 4 /* that auth_sign adds at most */

/*
 * Sign a request that is to be sent to somebody else, V4 in its headers: host, every header that it
 * has and, on S3 alone, x-amz-content-sha256.
 *
 * request  method, host, raw_path, params and fields are filled; fields has room for
 *          AUTH_SIGN_FIELDS more, which are added. Names differ.
 * payload  hex SHA-256 of the body, or "UNSIGNED-PAYLOAD".
 * arena    texts of the fields live there.
 * False: no memory, or it is too large. Any thread.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
MUST_CHECK bool auth_sign(struct http_request *request, const struct auth_signer *signer,
                          struct str payload, int64_t now_us, struct arena *arena);

/* HMAC chain of SigV4. */
void auth_signing_key(struct str secret, struct str date, struct str region, struct str service,
                      uint8_t out[SHA256_BYTES]);

#endif
