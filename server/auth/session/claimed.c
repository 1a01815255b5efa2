/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credential of a request that brings a session's token: its user's, with the session's secret.
 */
#include "server/auth/call.h"
#include "server/auth/session/session.h"

enum s3_error session_read_header(struct auth_call *call)
{
    static const struct str name = STR_INIT("x-amz-s3session-token");

    if (http_header_count(call->request, name) > 1)
        return auth_refuse(call, S3_InvalidToken, STR_NONE);
    call->session_token = http_header(call->request, name);
    return S3_OK;
}

enum s3_error session_read_query(struct auth_call *call)
{
    enum s3_error err = session_read_header(call);

    for (size_t i = 0; err == S3_OK && i < call->request->param_count; i++) {
        const struct http_param *param = &call->request->params[i];

        if (!str_eq_nocase(param->name, STR("X-Amz-S3session-Token")))
            continue;
        if (str_present(call->session_token))
            return auth_refuse(call, S3_InvalidToken, STR_NONE);
        call->session_token = param->value.p != NULL ? param->value : STR("");
    }
    return err;
}

/* The pair that asked for the session, as it is now. */
static enum s3_error find_parent(struct auth_call *call, struct str access_key,
                                 struct credential *ret_credential)
{
    switch (credentials_find(auth_credentials(call->cache), CREDENTIALS_BY_ACCESS_KEY, access_key,
                             call->arena, ret_credential)) {
    case CREDENTIALS_FOUND:
        return S3_OK;
    case CREDENTIALS_LACKING:
        return auth_refuse(call, S3_SlowDown, STR_NONE);
    case CREDENTIALS_UNKNOWN:
        break;
    }
    return auth_refuse(call, S3_InvalidToken, STR_NONE);
}

enum s3_error session_claimed(struct auth_call *call, struct credential *ret_credential)
{
    struct session *session = ARENA_NEW(call->arena, struct session);
    char access_key[SESSION_ACCESS_KEY_LEN];
    char secret[SESSION_SECRET_LEN];
    enum s3_error err;

    if (session == NULL)
        return auth_refuse(call, S3_SlowDown, STR_NONE);
    session_access_key(call->session_token, access_key);
    if (!session_open(call->config->token_key, call->session_token, call->arena, session) ||
        !str_eq(call->access_key, str_make(access_key, sizeof(access_key))))
        return auth_refuse(call, S3_InvalidToken, STR_NONE);
    if (session->expires_us <= call->now_us)
        return auth_refuse(call, S3_ExpiredToken, STR_NONE);
    err = find_parent(call, session->parent, ret_credential);
    if (err != S3_OK)
        return err;

    session_secret(call->session_token, ret_credential->user.secret_key, secret);
    memcpy(ret_credential->secret, secret, sizeof(secret));
    explicit_bzero(secret, sizeof(secret));
    ret_credential->user.secret_key = str_make(ret_credential->secret, sizeof(secret));
    ret_credential->user.session_token =
        STR_NONE; /* the pair's own was asked for at the beginning */
    call->session = session;
    return S3_OK;
}
