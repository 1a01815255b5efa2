/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST Object: a browser's form, signed by its policy document.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html (V4)
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/HTTPPOSTForms.html (V2)
 *
 * (1) The signature is checked before the policy is looked into.
 * (2) A field that takes part in authentication is given once.
 */
#include "server/auth/call.h"

#include "base/secret.h"

struct fields {
    const struct form_field *list;
    size_t count;
};

/* No case: SDKs differ in it. *ret_twice is left alone unless the field is repeated. */
static struct str field_of(const struct fields *fields, struct str name, bool *ret_twice)
{
    struct str value = STR_NONE;

    for (size_t i = 0; i < fields->count; i++) {
        if (!str_eq_nocase(fields->list[i].name, name))
            continue;
        if (str_present(value))
            *ret_twice = true;
        else
            value = fields->list[i].value.p != NULL ? fields->list[i].value : STR("");
    }

    return value;
}

static enum s3_error refuse_missing(struct auth_call *call, struct str name)
{
    return auth_refuse_argument(
        call,
        arena_printf(call->arena,
                     "Bucket POST must contain a field named '%.*s'.  If it is specified, please "
                     "check the order of the fields.",
                     STR_ARG(name)),
        name, STR(""));
}

static enum s3_error accept(struct auth_call *call, const struct credential *credential, bool known,
                            bool matches, struct str policy, struct str signature)
{
    if (!known || !matches)
        return auth_refuse_signature(call, known, policy, signature, STR_NONE);

    return auth_accept(call, credential);
}

struct post {
    struct str policy, token;
    struct str algorithm, credential, date, v4_signature;
    struct str access_key, v2_signature;
};

static enum s3_error verify_v4(struct auth_call *call, const struct post *post)
{
    struct scope scope;
    CLEANUP(credential_wipe) struct credential credential;
    CLEANUP(secret_key_wipe) struct secret_key key;
    uint8_t mac[SHA256_BYTES];
    char expected[2 * SHA256_BYTES];
    int64_t date_us;
    bool known;
    enum s3_error err;

    call->auth->scheme = AUTH_V4_POST;
    if (!str_present(post->algorithm))
        return refuse_missing(call, STR("X-Amz-Algorithm"));
    if (!str_present(post->credential))
        return refuse_missing(call, STR("X-Amz-Credential"));
    if (!str_present(post->date))
        return refuse_missing(call, STR("X-Amz-Date"));
    if (!str_present(post->v4_signature))
        return refuse_missing(call, STR("X-Amz-Signature"));

    if (str_eq(post->algorithm, STR("AWS4-ECDSA-P256-SHA256")))
        return auth_refuse(call, S3_NotImplemented, STR_NONE);
    if (!str_eq(post->algorithm, STR("AWS4-HMAC-SHA256")))
        return auth_refuse_argument(call, STR("x-amz-algorithm only supports AWS4-HMAC-SHA256"),
                                    STR("x-amz-algorithm"), post->algorithm);
    if (!clock_parse_amz(post->date, &date_us))
        return auth_refuse_argument(call,
                                    STR("x-amz-date must be in the ISO8601 Long Format "
                                        "\"yyyyMMdd'T'HHmmss'Z'\""),
                                    STR("x-amz-date"), post->date);
    err = scope_read(call, SCOPE_POST, post->credential, post->date, &scope);
    if (err != S3_OK)
        return err;

    err = auth_claimed(call, &credential, &known);
    if (err != S3_OK)
        return err;
    auth_cache_key(call->cache, &credential, &scope, key.bytes);
    hmac_sha256(str_make(key.bytes, sizeof(key.bytes)), post->policy, mac);
    hex_encode(mac, sizeof(mac), expected);

    return accept(call, &credential, known,
                  str_eq_secret(str_make(expected, sizeof(expected)), post->v4_signature),
                  post->policy, post->v4_signature);
}

static enum s3_error verify_v2(struct auth_call *call, const struct post *post)
{
    CLEANUP(credential_wipe) struct credential credential;
    char expected[V2_SIGNATURE_BYTES];
    bool known;
    enum s3_error err;

    call->auth->scheme = AUTH_V2_POST;
    if (!str_present(post->access_key))
        return refuse_missing(call, STR("AWSAccessKeyId"));
    if (!str_present(post->v2_signature))
        return refuse_missing(call, STR("Signature"));

    call->access_key = post->access_key;
    err = auth_claimed(call, &credential, &known);
    if (err != S3_OK)
        return err;
    v2_sign(credential.user.secret_key, post->policy, expected);

    return accept(call, &credential, known,
                  str_eq_secret(str_make(expected, sizeof(expected)), post->v2_signature),
                  post->policy, post->v2_signature);
}

static bool collect(const struct fields *fields, struct post *ret_post)
{
    bool twice = false;

    *ret_post = (struct post){
        .policy = field_of(fields, STR("policy"), &twice),
        .token = field_of(fields, STR("x-amz-security-token"), &twice),
        .algorithm = field_of(fields, STR("x-amz-algorithm"), &twice),
        .credential = field_of(fields, STR("x-amz-credential"), &twice),
        .date = field_of(fields, STR("x-amz-date"), &twice),
        .v4_signature = field_of(fields, STR("x-amz-signature"), &twice),
        .access_key = field_of(fields, STR("AWSAccessKeyId"), &twice),
        .v2_signature = field_of(fields, STR("signature"), &twice),
    };
    return !twice;
}

static enum s3_error verify(struct auth_call *call, const struct post *post)
{
    bool v2 = str_present(post->v2_signature) || str_present(post->access_key);
    bool v4 = str_present(post->v4_signature) || str_present(post->credential) ||
              str_present(post->algorithm) || (str_present(post->date) && !v2);

    if (!v4 && !v2 && !str_present(post->policy))
        return S3_OK;
    if ((v4 && v2) || auth_has_credential(call->request))
        return auth_refuse_two(call);
    if (!v4 && !v2)
        return auth_refuse(call, S3_AccessDenied, STR_NONE);
    if (!str_present(post->policy))
        return refuse_missing(call, STR("policy"));

    return v4 ? verify_v4(call, post) : verify_v2(call, post);
}

enum s3_error auth_verify_post(const struct auth_config *config, struct auth_cache *cache,
                               const struct http_request *request, const struct form_field *fields,
                               size_t field_count, struct str bucket, struct arena *arena,
                               struct auth *ret_auth, uint64_t *ret_min_bytes,
                               uint64_t *ret_max_bytes, struct s3_refusal *refusal)
{
    struct fields all = { fields, field_count };
    struct auth auth = { .scheme = AUTH_ANONYMOUS, .payload = PAYLOAD_ABSENT };
    struct auth_call call = {
        .config = config,
        .cache = cache,
        .request = request,
        .arena = arena,
        .now_us = clock_now_us(config->clock),
        .auth = &auth,
        .refusal = refusal,
    };
    uint64_t min_bytes = 0;
    uint64_t max_bytes = UINT64_MAX;
    struct post post;
    enum s3_error err;
    enum s3_error policy_err;

    if (!collect(&all, &post))
        return auth_refuse_argument(&call,
                                    STR("POST requires exactly one of each of its "
                                        "authentication fields."),
                                    STR_NONE, STR_NONE);

    call.token = post.token;
    err = verify(&call, &post);

    /* An unverified form that the mode lets through still gets its policy's bounds. */
    if (str_present(post.policy) && (err == S3_OK || config->mode != AUTH_STRICT)) {
        struct s3_refusal kept = *refusal;

        policy_err =
            policy_check(&call, post.policy, fields, field_count, bucket, &min_bytes, &max_bytes);
        if (err == S3_OK)
            err = policy_err;
        else
            *refusal = kept;
    }

    err = auth_settle(&call, err);
    if (err != S3_OK)
        return err;

    *ret_auth = auth;
    *ret_min_bytes = min_bytes;
    *ret_max_bytes = max_bytes;
    return S3_OK;
}
