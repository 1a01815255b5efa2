/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals of this folder and the checks all forms of signature share.
 *
 * (1) A refusal names S3's code and, where S3 has one, S3's own sentence.
 * (2) What goes back to the client may be secret to others (a session token stands in a canonical
 *     request); what goes to the log is not: see log_mismatch.
 */
#include <inttypes.h>

#include "base/log.h"
#include "server/auth/call.h"
#include "server/auth/mask.h"

#define FACT_BYTES_MAX (64 * 1024) /* of one text in an error document */

enum s3_error auth_refuse(struct auth_call *call, enum s3_error error, struct str message)
{
    *call->refusal = (struct s3_refusal){ .error = error, .message = message };
    return error;
}

enum s3_error auth_refuse_argument(struct auth_call *call, struct str message, struct str name,
                                   struct str value)
{
    enum s3_error err = auth_refuse(call, S3_InvalidArgument, message);

    call->refusal->values[FACT_ARGUMENT_NAME] = name;
    call->refusal->values[FACT_ARGUMENT_VALUE] = value;
    return err;
}

void auth_add_name(struct buf *list, struct str name)
{
    if (list->len > 0)
        buf_lit(list, ", ");
    auth_append_lower(list, name);
}

struct str auth_names(struct auth_call *call, const struct buf *list)
{
    struct str names;

    if (list->len == 0 && !list->failed)
        return STR_NONE;

    names = list->failed ? STR_NONE : arena_dup(call->arena, buf_view(list));
    return str_present(names) ? names : STR("x-amz-*"); /* no memory for it: still refused */
}

enum s3_error auth_refuse_unsigned(struct auth_call *call, struct str names)
{
    enum s3_error err =
        auth_refuse(call, S3_AccessDenied,
                    STR("There were headers present in the request which were not signed"));

    call->refusal->values[FACT_DENIED_HEADERS] = names;
    return err;
}

struct str auth_time_text(struct arena *arena, int64_t us)
{
    char text[CLOCK_ISO8601_LEN + 1];

    clock_format_iso8601(us, text);
    return arena_printf(arena, "%.19sZ", text);
}

enum s3_error auth_refuse_expired(struct auth_call *call, struct str amz_expires,
                                  int64_t expired_us)
{
    enum s3_error err = auth_refuse(call, S3_AccessDenied, STR("Request has expired"));

    call->refusal->values[FACT_DENIED_AMZ_EXPIRES] = amz_expires;
    call->refusal->values[FACT_DENIED_EXPIRES] = auth_time_text(call->arena, expired_us);
    call->refusal->values[FACT_DENIED_SERVER_TIME] = auth_time_text(call->arena, call->now_us);
    return err;
}

int64_t auth_skew_us(const struct auth_config *config)
{
    return config->skew_us > 0 ? config->skew_us : AUTH_SKEW_S * US_PER_S;
}

enum s3_error auth_check_skew(struct auth_call *call, int64_t date_us, struct str as_sent)
{
    int64_t skew_us = auth_skew_us(call->config);
    enum s3_error err;

    if (date_us >= call->now_us - skew_us && date_us <= call->now_us + skew_us)
        return S3_OK;

    err = auth_refuse(call, S3_RequestTimeTooSkewed, STR_NONE);
    call->refusal->values[FACT_SKEW_REQUEST_TIME] = as_sent;
    call->refusal->values[FACT_SKEW_SERVER_TIME] = auth_time_text(call->arena, call->now_us);
    call->refusal->values[FACT_SKEW_MAX] = arena_printf(call->arena, "%" PRId64, skew_us / 1000);
    return err;
}

enum s3_error auth_claimed(struct auth_call *call, struct credential *ret_credential,
                           bool *ret_known)
{
    static const struct user nobody = {
        .access_key = STR("...................."),
        .secret_key = STR("........................................"),
        .account = STR("............"),
        .canonical_id = STR("................................................................"),
        .display_name = STR("......"),
        .name = STR("......"),
        .email = STR(""),
    };
    struct credentials *credentials = auth_credentials(call->cache);
    enum credentials_answer answer = credentials_find(credentials, CREDENTIALS_BY_ACCESS_KEY,
                                                      call->access_key, call->arena,
                                                      ret_credential);

    *ret_known = answer == CREDENTIALS_FOUND;
    if (answer == CREDENTIALS_LACKING)
        return auth_refuse(call, S3_SlowDown, STR_NONE);
    if (answer == CREDENTIALS_UNKNOWN) {
        if (!credential_copy(&nobody, call->arena, ret_credential))
            return auth_refuse(call, S3_SlowDown, STR_NONE);
        ret_credential->generation = credentials_generation(credentials);
    }

    return S3_OK;
}

static enum s3_error check_token(struct auth_call *call, const struct user *user)
{
    if (!str_present(user->session_token)) {
        if (str_present(call->token))
            return auth_refuse(call, S3_InvalidToken, STR_NONE);
    } else {
        if (!str_present(call->token) && str_present(call->service))
            return auth_refuse(call, S3_InvalidToken, STR_NONE);
        if (!str_present(call->token))
            return auth_refuse(call, S3_AccessDenied,
                               STR("Temporary credentials need their session token."));
        if (!str_eq_secret(user->session_token, call->token))
            return auth_refuse(call, S3_InvalidToken, STR_NONE);
    }

    if (user->expires_us != 0 && user->expires_us <= call->now_us)
        return auth_refuse(call, S3_ExpiredToken, STR_NONE);

    return S3_OK;
}

enum s3_error auth_accept(struct auth_call *call, const struct credential *credential)
{
    enum s3_error err = check_token(call, &credential->user);

    return err != S3_OK ? err : auth_become(call, credential);
}

enum s3_error auth_become(struct auth_call *call, const struct credential *credential)
{
    struct user *user = ARENA_NEW(call->arena, struct user);

    if (user == NULL)
        return auth_refuse(call, S3_SlowDown, STR_NONE);

    *user = credential->user;
    user->secret_key = user->session_token = STR_NONE;
    call->auth->user = user;
    return S3_OK;
}

/* "47 45 54 0a": S3 shows a text's bytes as hex pairs. */
static struct str hex_pairs(struct arena *arena, struct str text)
{
    char *out = arena_alloc(arena, 3 * text.len + 1);

    if (out == NULL)
        return STR_NONE;

    for (size_t i = 0; i < text.len; i++) {
        hex_encode(text.p + i, 1, out + 3 * i);
        out[3 * i + 2] = ' ';
    }

    return str_make(out, text.len == 0 ? 0 : 3 * text.len - 1);
}

/* The text the client should have signed, line by line, secrets left out; one log line. */
static void log_mismatch(struct auth_call *call, struct str text)
{
    CLEANUP(buf_free) struct buf line = BUF_WITH_MAX(4 * FACT_BYTES_MAX);
    CLEANUP(buf_free) struct buf shown = BUF_WITH_MAX(FACT_BYTES_MAX);
    bool form = call->auth->scheme == AUTH_V4_POST || call->auth->scheme == AUTH_V2_POST;
    struct str part;

    if (!log_wants(LOG_LEVEL_DEBUG))
        return;

    log_value(&line, call->access_key);
    buf_lit(&line, " expected:");
    /* A form signs its policy, which holds the values of its fields in base64. */
    if (form)
        buf_printf(&line, " policy of %zu bytes", text.len);
    while (!form && str_next(&text, '\n', &part)) {
        buf_clear(&shown);
        mask_line(&shown, part);
        buf_char(&line, ' ');
        log_value(&line, buf_view(&shown));
    }
    log_debug("auth mismatch access_key=%.*s", STR_ARG(buf_view(&line)));
}

enum s3_error auth_refuse_signature(struct auth_call *call, bool known, struct str text,
                                    struct str signature, struct str canonical)
{
    enum s3_error err;
    struct str *values = call->refusal->values;

    log_mismatch(call, str_present(canonical) ? canonical : text);
    if (!known) {
        err = auth_refuse(call, S3_InvalidAccessKeyId, STR_NONE);
        values[FACT_KEY_ID] = call->access_key;
        return err;
    }

    err = auth_refuse(call, S3_SignatureDoesNotMatch, STR_NONE);
    values[FACT_MISMATCH_ACCESS_KEY] = call->access_key;
    values[FACT_MISMATCH_SIGNATURE] = signature;
    if (text.len <= FACT_BYTES_MAX) {
        values[FACT_MISMATCH_TEXT] = arena_dup(call->arena, text);
        values[FACT_MISMATCH_BYTES] = hex_pairs(call->arena, text);
    }
    if (str_present(canonical) && canonical.len <= FACT_BYTES_MAX) {
        values[FACT_MISMATCH_CANONICAL] = arena_dup(call->arena, canonical);
        values[FACT_MISMATCH_CANONICAL_BYTES] = hex_pairs(call->arena, canonical);
    }
    return err;
}

bool auth_is_amz_name(struct str name)
{
    return str_starts_nocase(name, STR("x-amz-"));
}
