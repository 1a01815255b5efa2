/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of KMS; see kms.h.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
 */
#include "server/s3/encryption/kms.h"
#include "server/auth/session/session.h"

#include <string.h>

#include "base/text/codec.h"
#include "base/text/pairs.h"
#include "server/policy/string_map.h"
#include "server/s3/encryption/method.h"
#include "server/s3/loop_stores.h"
#include "server/s3/refuse.h"
#include "server/s3/store_map.h"

/* "arn", "aws", "kms", region, account. */
#define ARN_FIELDS 5

/* ---- names ------------------------------------------------------------------------------------- */

/* A UUID or "alias/NAME", out of an ARN or as it is. */
static struct str name_in(struct str id)
{
    struct str field;

    if (str_starts(id, STR("arn:aws:kms:")))
        for (size_t i = 0; i < ARN_FIELDS; i++)
            (void)str_cut(id, ':', &field, &id);
    return str_starts(id, STR("key/")) ? str_skip(id, 4) : id;
}

static struct str arn_of(struct op *op, const char *kind, struct str name)
{
    struct str own = op->at->kms_key_arn;
    size_t slash = str_rfind_char(own, '/');
    size_t prefix = slash != SIZE_MAX ? slash - 3 : 0; /* before "key/" */

    return arena_printf(op->arena, "%.*s%s%.*s", (int)prefix, own.p, kind, STR_ARG(name));
}

static bool is_the_stores_own(const struct op *op, struct str id)
{
    return id.len == 0 || str_eq(name_in(id), STR("alias/aws/s3")) ||
           str_eq(name_in(id), name_in(op->at->kms_key_arn));
}

/* ---- refused ----------------------------------------------------------------------------------- */

static enum s3_error refuse_unknown(struct op *op, struct str name)
{
    struct str prefix = STR("alias/");
    struct str text;

    if (str_starts(name, prefix))
        text = arena_printf(op->arena, "Alias %.*s is not found.", STR_ARG(arn_of(op, "", name)));
    else if (name.len == STORE_KEY_UUID_LEN)
        text =
            arena_printf(op->arena, "Key '%.*s' does not exist", STR_ARG(arn_of(op, "key/", name)));
    else
        text = arena_printf(op->arena, "Invalid keyId %.*s", STR_ARG(name));
    return op_fail_text(op, S3_KMS_NotFoundException, text);
}

/* A key that there is, or was. */
static enum s3_error check_state(struct op *op, const struct key_found *found)
{
    struct str uuid = str_from_cstr(found->uuid);
    struct str arn = arn_of(op, "key/", uuid);

    switch (found->state) {
    case KEY_NONE:
    case KEY_ENABLED:
        return S3_OK;
    case KEY_DISABLED:
        return op_fail_text(op, S3_KMS_DisabledException,
                            arena_printf(op->arena, "%.*s is disabled.", STR_ARG(arn)));
    case KEY_PENDING:
        return op_fail_text(op, S3_KMS_KMSInvalidStateException,
                            arena_printf(op->arena, "%.*s is pending deletion.", STR_ARG(arn)));
    case KEY_DELETED:
        break;
    }
    return refuse_unknown(op, uuid);
}

/* ---- context ----------------------------------------------------------------------------------- */

/* The request's, else its session's, if that encrypts with KMS. */
static struct str context_given(const struct op *op)
{
    struct str given = op_header(op, SSE_CONTEXT_HEADER);

    return str_present(given) || op->auth.session == NULL ? given : op->auth.session->context;
}

static enum s3_error read_context(struct op *op, uint8_t ret_digest[KEY_CONTEXT_BYTES])
{
    struct str given = context_given(op);
    uint8_t digest[SHA256_BYTES];
    size_t len = 0;
    char *text = arena_alloc(op->arena, given.len + 1);

    if (text == NULL)
        return op_fail(op, S3_SlowDown);
    if (str_present(given) &&
        (!base64_decode(given, text, given.len, &len) || !json_is_string_map(str_make(text, len))))
        return op_fail_argument(op,
                                STR("The header 'x-amz-server-side-encryption-context' shall be "
                                    "Base64-encoded UTF-8 string holding JSON which represents a "
                                    "string-string map"),
                                STR(SSE_CONTEXT_HEADER), given);
    digest_once(DIGEST_SHA256, str_make(text, len), digest);
    memcpy(ret_digest, digest, KEY_CONTEXT_BYTES);
    return S3_OK;
}

/* ---- used -------------------------------------------------------------------------------------- */

static enum s3_error use(struct op *op, const struct key_found *found,
                         const uint8_t context[KEY_CONTEXT_BYTES])
{
    op->kms = ARENA_NEW(op->arena, struct kms_use);
    if (op->kms == NULL)
        return op_fail(op, S3_SlowDown);
    memcpy(op->kms->uuid, found->uuid, sizeof(op->kms->uuid));
    memcpy(op->kms->context, context, KEY_CONTEXT_BYTES);
    return S3_OK;
}

enum s3_error kms_for_writing(struct op *op, struct str id, struct buf *headers)
{
    struct key_found found = { .any = false };
    uint8_t context[KEY_CONTEXT_BYTES];
    char hex[2 * KEY_CONTEXT_BYTES];
    enum s3_error err = read_context(op, context);

    op->kms = NULL;
    if (err == S3_OK && !is_the_stores_own(op, id))
        err = s3_from_store(op, store_key_find(op->store, name_in(id), &found, &op->fault));
    if (err != S3_OK)
        return err;
    if (found.any && found.state == KEY_NONE)
        return refuse_unknown(op, name_in(id));
    if (found.state == KEY_NONE) {
        (void)pairs_add(headers, STR(SSE_KMS_KEY_HEADER), id.len > 0 ? id : op->at->kms_key_arn);
        return S3_OK;
    }
    err = check_state(op, &found);
    if (err != S3_OK)
        return err;
    hex_encode(context, sizeof(context), hex);
    (void)pairs_add(headers, STR(SSE_KMS_KEY_HEADER),
                    arn_of(op, "key/", str_from_cstr(found.uuid)));
    (void)pairs_add(headers, STR(SSE_CONTEXT_HEADER), str_make(hex, sizeof(hex)));
    return use(op, &found, context);
}

/* The named key that attrs were stored under: those alone have a context. */
static enum s3_error stored_key(struct op *op, const struct version_attrs *attrs,
                                struct key_found *ret_found, uint8_t context[KEY_CONTEXT_BYTES])
{
    struct str id = pairs_get(attrs->headers, STR(SSE_KMS_KEY_HEADER));
    enum s3_error err;

    *ret_found = (struct key_found){ .any = false };
    if (!hex_decode(pairs_get(attrs->headers, STR(SSE_CONTEXT_HEADER)), context, KEY_CONTEXT_BYTES))
        return S3_OK;
    err = s3_from_store(op, store_key_find(op->store, name_in(id), ret_found, &op->fault));
    if (err != S3_OK)
        return err;
    return ret_found->state == KEY_NONE ? refuse_unknown(op, name_in(id))
                                        : check_state(op, ret_found);
}

static enum s3_error use_stored(struct op *op, const struct version_attrs *attrs)
{
    uint8_t context[KEY_CONTEXT_BYTES];
    struct key_found found;
    enum s3_error err = stored_key(op, attrs, &found, context);

    op->kms = NULL;
    return err == S3_OK && found.state != KEY_NONE ? use(op, &found, context) : err;
}

enum s3_error kms_for_upload(struct op *op)
{
    return use_stored(op, &op->upload.attrs);
}

enum s3_error kms_for_version(struct op *op)
{
    return use_stored(op, &op->version.attrs);
}

enum s3_error kms_for_reading(struct op *op, const struct version_attrs *attrs, bool *ret_named)
{
    uint8_t context[KEY_CONTEXT_BYTES];
    struct key_found found;
    enum s3_error err = stored_key(op, attrs, &found, context);

    *ret_named = found.state != KEY_NONE;
    return err;
}
