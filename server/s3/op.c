/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operation knows of its request.
 */
#include "server/s3/op.h"

#include "server/s3/bucket_config.h"

#include "server/auth/acl.h"
#include "server/s3/routes.h"

void op_drop_configs(struct op *op)
{
    bucket_config_leave(op->config);
    bucket_config_leave(op->source_config);
    op->config = op->source_config = &bucket_config_none;
}

struct str op_caller_id(const struct op *op)
{
    return acl_user_id(op->auth.user);
}

struct str op_caller_key(const struct op *op)
{
    return op->auth.user != NULL ? op->auth.user->access_key : STR_NONE;
}

struct str op_peer_address(const struct op *op)
{
    struct str peer = op->request->peer;
    size_t colon = str_rfind_char(peer, ':');
    struct str address = colon == SIZE_MAX ? peer : str_slice(peer, 0, colon);

    return str_starts(address, STR("[")) ? str_slice(address, 1, address.len - 1) : address;
}

struct str op_param(const struct op *op, const char *name)
{
    const struct http_param *param = http_param(op->request, str_from_cstr(name));

    return param != NULL ? param->value : STR_NONE;
}

struct str op_header(const struct op *op, const char *name)
{
    return http_header(op->request, str_from_cstr(name));
}

bool op_from_form(const struct op *op)
{
    return op->route != NULL && op->route->body == TAKES_FORM;
}
