/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateSession; see session.h.
 *
 * (1) A session is of one bucket and one user, and ends by the server's clock. auth/session/ makes and reads
 *     its token; nothing is stored.
 * (2) A bucket that is yet to be made gets one as well, for who may make it: SDKs that are given an endpoint ask
 *     for a session before they ask for the bucket.
 */
#include "server/s3/session/session.h"

#include "base/random.h"
#include "base/text/pairs.h"
#include "server/auth/session/session.h"
#include "server/s3/answer.h"
#include "server/s3/encryption/kms.h"
#include "server/s3/encryption/method.h"
#include "server/s3/names.h"
#include "server/s3/refuse.h"
#include "server/xml/xml.h"

#define MODE_HEADER "x-amz-create-session-mode"
#define METHOD_HEADER "x-amz-server-side-encryption"
#define HEADERS_BYTES_MAX (16u * 1024u)

/* ---- the key of tokens ---------------------------------------------------------------------------- */

void session_derive_key(struct s3_options *options)
{
    struct open_store *held = options->stores != NULL ? stores_take(options->stores, STR(""))
                                                      : NULL;

    if (held == NULL) {
        random_key_bytes(options->auth.token_key, sizeof(options->auth.token_key));
        return;
    }
    store_derive_key(held->store, STR("pail session tokens"), options->auth.token_key);
    stores_give_back(held);
}

/* ---- what requests of sessions may ask ----------------------------------------------------------- */

static bool only_reads(const struct op *op)
{
    return str_eq(op->route->method, STR("GET")) || str_eq(op->route->method, STR("HEAD"));
}

enum s3_error session_check(struct op *op)
{
    const struct session *session = op->auth.session;

    if (op->auth.express && !str_present(name_directory_zone(op->bucket_name)))
        return op_fail_text(op, S3_NotImplemented,
                            STR("Of what is signed for directory buckets only requests to one are "
                                "implemented."),
                            STR("Authorization"));
    if (session == NULL)
        return S3_OK;
    if (!str_eq(session->bucket, op->bucket_name))
        return op_deny(op, "the session is of another bucket");
    if (str_eq(op->route->name, STR("CreateSession")))
        return op_deny(op, "a session makes no session");
    if (session->mode == SESSION_READ_ONLY && !only_reads(op))
        return op_deny(op, "the session only reads");
    return S3_OK;
}

/* ---- CreateSession ------------------------------------------------------------------------------- */

static enum s3_error read_mode(struct op *op, enum session_mode *ret_mode)
{
    struct str mode = op_header(op, MODE_HEADER);

    *ret_mode = str_eq(mode, STR("ReadOnly")) ? SESSION_READ_ONLY : SESSION_READ_WRITE;
    if (!str_present(mode) || *ret_mode == SESSION_READ_ONLY || str_eq(mode, STR("ReadWrite")))
        return S3_OK;
    return op_fail_argument(op, STR("Invalid session mode."), STR(MODE_HEADER), mode);
}

static enum s3_error read_encryption(struct op *op, struct session *session, struct buf *headers)
{
    struct str method = op_header(op, METHOD_HEADER);
    struct str key_id = op_header(op, SSE_KMS_KEY_HEADER);
    bool kms = str_eq(method, STR("aws:kms"));

    if (str_present(method) && !kms && !str_eq(method, STR("AES256")))
        return op_fail_argument(op, STR("The encryption method specified is not supported"),
                                STR(METHOD_HEADER), method);
    session->sse = method;
    if (!kms && (str_present(key_id) || str_present(op_header(op, SSE_CONTEXT_HEADER))))
        return op_fail_argument(op,
                                STR("Server Side Encryption with AWS KMS managed key requires "
                                    "HTTP header x-amz-server-side-encryption : aws:kms"),
                                STR(METHOD_HEADER), method);
    if (!kms)
        return S3_OK;
    if (key_id.len == 0)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("A session that encrypts with aws:kms has to name its key."));
    session->key_id = key_id;
    session->context = op_header(op, SSE_CONTEXT_HEADER);
    return encryption_keep_kms(op, key_id, /* bucket_key= */ true, headers);
}

static enum s3_error reply(struct op *op, const struct session *session, struct str token)
{
    CLEANUP(credential_wipe) struct credential parent = { .generation = 0 };
    struct buf out = BUF_WITH_MAX(HEADERS_BYTES_MAX);
    char access_key[SESSION_ACCESS_KEY_LEN];
    char secret[SESSION_SECRET_LEN];

    /* The request has no secrets any more, and the pair may have changed meanwhile. */
    if (credentials_find(auth_credentials(op->auth_cache), CREDENTIALS_BY_ACCESS_KEY,
                         session->parent, op->arena, &parent) != CREDENTIALS_FOUND)
        return op_fail(op, S3_InvalidAccessKeyId, session->parent);
    session_access_key(token, access_key);
    session_secret(token, parent.user.secret_key, secret);
    xml_begin(&out, STR("CreateSessionResult"));
    xml_open(&out, STR("Credentials"));
    xml_text(&out, STR("SessionToken"), token);
    xml_text(&out, STR("SecretAccessKey"), str_make(secret, sizeof(secret)));
    xml_text(&out, STR("AccessKeyId"), str_make(access_key, sizeof(access_key)));
    xml_time(&out, STR("Expiration"), session->expires_us);
    xml_close(&out, STR("Credentials"));
    xml_close(&out, STR("CreateSessionResult"));
    explicit_bzero(secret, sizeof(secret));
    return op_reply_xml(op, &out);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html */
enum s3_error op_CreateSession(struct op *op)
{
    CLEANUP(buf_free) struct buf headers = BUF_WITH_MAX(HEADERS_BYTES_MAX);
    struct version_attrs told = { .sse = SSE_NONE };
    struct session session = { .bucket = op->bucket_name, .parent = op_caller_key(op) };
    struct str token;
    enum s3_error err;

    if (!str_present(session.parent))
        return op_deny(op, "a session is of who signs");
    if (!str_present(name_directory_zone(op->bucket_name)))
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Sessions are of directory buckets, whose names end with "
                                "--ZONE--x-s3."));
    err = read_mode(op, &session.mode);
    if (err == S3_OK)
        err = read_encryption(op, &session, &headers);
    if (err != S3_OK)
        return err;
    /* In whole seconds, as they are told. */
    session.expires_us = (clock_now_us(op->options->auth.clock) + SESSION_US) / US_PER_S * US_PER_S;
    token = session_seal(op->options->auth.token_key, &session, op->arena);
    if (!str_present(token) || headers.failed)
        return op_fail(op, S3_SlowDown);
    if (str_present(session.sse) && sse_parse(session.sse, &told.sse)) {
        told.headers = arena_dup(op->arena, buf_view(&headers));
        op_set_encryption(op, &told);
    }
    return reply(op, &session, token);
}
