/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Customers' keys; see customer_key.h.
 */
#include "server/s3/encryption/customer_key.h"

#include <string.h>

#include "base/random.h"
#include "base/text/codec.h"
#include "base/text/pairs.h"
#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/encryption/method.h"
#include "server/s3/may.h"
#include "server/s3/refuse.h"

#define METHOD "x-amz-server-side-encryption"
#define CUSTOMER METHOD "-customer-"
#define SOURCE_CUSTOMER "x-amz-copy-source-server-side-encryption-customer-"
/* Stored with the object, told to nobody: hex of the salt and of the MAC. */
#define CHECK METHOD "-customer-check"
#define SALT_BYTES 16
#define CHECK_BYTES (SALT_BYTES + SHA256_BYTES)

/* The names of one key's headers. */
struct names {
    const char *prefix, *algorithm, *key, *md5;
};
static const struct names own_names = { CUSTOMER, CUSTOMER "algorithm", CUSTOMER "key",
                                        CUSTOMER "key-MD5" };
static const struct names source_names = { SOURCE_CUSTOMER, SOURCE_CUSTOMER "algorithm",
                                           SOURCE_CUSTOMER "key", SOURCE_CUSTOMER "key-MD5" };

enum purpose { TO_WRITE, TO_READ };

/* ---- taken from the request -------------------------------------------------------------------- */

static bool any_given(const struct op *op, const struct names *names)
{
    struct str prefix = str_from_cstr(names->prefix);

    for (size_t i = 0; i < op->request->field_count; i++)
        if (str_starts_nocase(op->request->fields[i].name, prefix))
            return true;
    return false;
}

static enum s3_error refuse(struct op *op, struct str message)
{
    return op_fail_argument(op, message, STR(METHOD), STR("null"));
}

static enum s3_error refuse_other_key(struct op *op)
{
    enum s3_error err = op_deny(op, "it is not the customer's key that was stored with");

    op->refusal.message = STR("Requests specifying Server Side Encryption with Customer provided "
                              "keys must provide the correct secret key.");
    return err;
}

static enum s3_error check_algorithm(struct op *op, const struct names *names)
{
    struct str algorithm = op_header(op, names->algorithm);

    if (!op->request->tls && !op->options->customer_keys_over_http)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Requests specifying Server Side Encryption with Customer provided "
                                "keys must be made over a secure connection."));
    if (!str_present(algorithm))
        return refuse(op, STR("Requests specifying Server Side Encryption with Customer provided "
                              "keys must provide a valid encryption algorithm."));
    if (!str_eq(algorithm, STR("AES256")))
        return op_fail(op, S3_InvalidEncryptionAlgorithmError, STR(METHOD), algorithm);
    return S3_OK;
}

static enum s3_error check_md5(struct op *op, const struct customer_key *key, enum purpose purpose)
{
    uint8_t md5[MD5_BYTES];
    char text[BASE64_LEN(MD5_BYTES)];

    if (!str_present(key->md5))
        return purpose == TO_READ
                   ? refuse_other_key(op)
                   : refuse(op, STR("The secret key was invalid for the specified algorithm."));
    digest_once(DIGEST_MD5, str_make(key->bytes, sizeof(key->bytes)), md5);
    base64_encode(md5, sizeof(md5), text);
    return str_eq(key->md5, str_make(text, sizeof(text)))
               ? S3_OK
               : refuse(op, STR("The calculated MD5 hash of the key did not match the hash that "
                                "was provided."));
}

/* Into *place, which is wiped with the request; NULL there: the request has none. */
static enum s3_error take_key(struct op *op, const struct names *names, enum purpose purpose,
                              struct customer_key **place)
{
    struct str text = op_header(op, names->key);
    struct customer_key *key;
    size_t len = 0;
    enum s3_error err;

    if (!any_given(op, names))
        return S3_OK;
    err = check_algorithm(op, names);
    if (err != S3_OK)
        return err;
    if (!str_present(text))
        return refuse(op, STR("Requests specifying Server Side Encryption with Customer provided "
                              "keys must provide an appropriate secret key."));
    key = *place != NULL ? *place : ARENA_NEW(op->arena, struct customer_key);
    if (key == NULL)
        return op_fail(op, S3_SlowDown);
    *place = key;
    key->md5 = op_header(op, names->md5);
    if (!base64_decode(text, key->bytes, sizeof(key->bytes), &len) || len != sizeof(key->bytes))
        return refuse(op, STR("The secret key was invalid for the specified algorithm."));
    return check_md5(op, key, purpose);
}

/* ---- what is kept of it ------------------------------------------------------------------------ */

static void make_check(const struct customer_key *key, uint8_t check[CHECK_BYTES])
{
    uint8_t message[SALT_BYTES + 16] = "pail key check: ";

    memcpy(message + 16, check, SALT_BYTES);
    hmac_sha256(str_make(key->bytes, sizeof(key->bytes)), str_make(message, sizeof(message)),
                check + SALT_BYTES);
}

static void keep_check(const struct customer_key *key, struct buf *headers)
{
    uint8_t check[CHECK_BYTES];
    char text[2 * CHECK_BYTES];

    random_key_bytes(check, SALT_BYTES);
    make_check(key, check);
    hex_encode(check, sizeof(check), text);
    (void)pairs_add(headers, STR(CHECK), str_make(text, sizeof(text)));
}

static bool is_the_key_of(const struct customer_key *key, const struct version_attrs *attrs)
{
    uint8_t kept[CHECK_BYTES];
    uint8_t check[CHECK_BYTES];

    if (!hex_decode(pairs_get(attrs->headers, STR(CHECK)), kept, sizeof(kept)))
        return false;
    memcpy(check, kept, SALT_BYTES);
    make_check(key, check);
    return str_eq_secret(str_make(kept, sizeof(kept)), str_make(check, sizeof(check)));
}

/* ---- for whom ---------------------------------------------------------------------------------- */

enum s3_error customer_key_for_writing(struct op *op, struct version_attrs *attrs,
                                       struct buf *headers)
{
    struct str method = op_header(op, METHOD);
    enum s3_error err;

    if (any_given(op, &own_names) && str_present(method))
        return op_fail_argument(op,
                                STR("Server Side Encryption with Customer provided key is "
                                    "incompatible with the encryption method specified"),
                                STR(METHOD), method);
    err = take_key(op, &own_names, TO_WRITE, &op->customer_key);
    if (err != S3_OK || op->customer_key == NULL)
        return err;
    if (op->config->encryption.customer_keys_blocked)
        return op_deny(op, "the bucket's encryption blocks SSE-C");
    attrs->sse = SSE_CUSTOMER;
    keep_check(op->customer_key, headers);
    return S3_OK;
}

/* A key is there exactly where the version wants one, and it is the right one. */
static enum s3_error key_of_version(struct op *op, const struct names *names,
                                    struct version *version, struct customer_key **place)
{
    enum s3_error err = take_key(op, names, TO_READ, place);

    version->body.customer_key = NULL;
    if (err != S3_OK)
        return err;
    if (version->attrs.sse != SSE_CUSTOMER)
        return *place == NULL ? S3_OK
                              : op_fail_text(op, S3_InvalidRequest,
                                             STR("The encryption parameters are not applicable to "
                                                 "this object."));
    if (*place == NULL)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The object was stored using a form of Server Side Encryption. The "
                                "correct parameters must be provided to retrieve the object."));
    if (!is_the_key_of(*place, &version->attrs))
        return refuse_other_key(op);
    version->body.customer_key = (*place)->bytes;
    return S3_OK;
}

enum s3_error customer_key_for_reading(struct op *op)
{
    return key_of_version(op, &own_names, &op->version, &op->customer_key);
}

enum s3_error customer_key_for_source(struct op *op)
{
    return key_of_version(op, &source_names, &op->source, &op->source_key);
}

enum s3_error customer_key_for_upload(struct op *op, bool required)
{
    bool wanted = op->upload.attrs.sse == SSE_CUSTOMER;
    enum s3_error err = take_key(op, &own_names, TO_WRITE, &op->customer_key);

    if (err != S3_OK)
        return err;
    if (op->customer_key != NULL ? !wanted : (wanted && required))
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The multipart upload initiate requested encryption. Subsequent "
                                "part requests must include the appropriate encryption "
                                "parameters."));
    if (op->customer_key == NULL || is_the_key_of(op->customer_key, &op->upload.attrs))
        return S3_OK;
    return op_fail_text(op, S3_InvalidRequest,
                        STR("The provided encryption parameters did not match the ones used "
                            "originally."));
}

/* ---- told and forgotten ------------------------------------------------------------------------ */

void customer_key_tell(struct op *op)
{
    if (op->customer_key == NULL)
        return;
    op_set(op, own_names.algorithm, STR("AES256"));
    op_set(op, own_names.md5, op->customer_key->md5);
}

void customer_keys_wipe(struct op *op)
{
    if (op->customer_key != NULL)
        explicit_bzero(op->customer_key, sizeof(*op->customer_key));
    if (op->source_key != NULL)
        explicit_bzero(op->source_key, sizeof(*op->source_key));
}
