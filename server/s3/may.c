/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the access decision; see may.h.
 */
#include "server/s3/may.h"

#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/refuse.h"

struct op_subject op_subject(const struct op *op)
{
    return (struct op_subject){
        .bucket = op->bucket.id != 0 ? &op->bucket : NULL,
        .config = op->config,
        .key = op->key,
        .version = op->asked_version ? op_param(op, "versionId") : STR_NONE,
    };
}

enum access_action op_action(const struct op *op)
{
    if (route_absent(op->route) && op->route->resource != RESOURCE_SERVICE)
        return ACTION_AskForTheAbsent;
    return op->asked_version ? op->route->version_action : op->route->action;
}

static struct access_resource resource_of(const struct op *op, const struct op_subject *subject)
{
    struct access_resource resource = { .bucket = op->bucket_name,
                                        .key = subject->key,
                                        .version = subject->version,
                                        .sought = subject->sought };

    if (subject->bucket != NULL) {
        resource.bucket = subject->bucket->name;
        resource.bucket_owner = subject->bucket->owner;
        resource.bucket_acl = subject->bucket->acl;
        resource.rules = subject->config != NULL ? &subject->config->access : NULL;
        if (resource.rules != NULL && resource.rules->tags_decide)
            resource.bucket_tags = subject->config->tags;
    }
    if (subject->object != NULL) {
        resource.object_owner = subject->object->attrs.owner;
        resource.object_acl = subject->object->attrs.acl;
        resource.object_tags = subject->object->attrs.tags;
    }
    if (subject->upload != NULL)
        resource.initiator = subject->upload->initiator;
    return resource;
}

struct access_request op_question(const struct op *op, enum access_action action,
                                  const struct op_subject *subject)
{
    const struct http_request *request = op->exchange != NULL ? op->exchange->request : op->request;

    return (struct access_request){
        .principal = op->auth.user,
        .action = action,
        .resource = resource_of(op, subject),
        .context = { .request = request,
                     .form = request != op->request ? op->request : NULL,
                     .said = &op->said,
                     .scheme = op->auth.scheme,
                     .signed_at = op->auth.amz_date,
                     .region = op->options->auth.region,
                     .clock = op->options->auth.clock,
                     .credentials = op->auth_cache != NULL ? auth_credentials(op->auth_cache)
                                                           : NULL,
                     .agrees_to_pay = op->agrees_to_pay,
                     .source_bucket = op->source_bucket_name,
                     .source_account = op->source_account },
    };
}

/* The only call of access_decide. */
static struct access_verdict ask_for(const struct op *op, const struct user *user,
                                     enum access_action action, const struct op_subject *subject)
{
    struct access_request request = op_question(op, action, subject);

    request.principal = user;
    return access_decide(&request);
}

static struct access_verdict ask(const struct op *op, enum access_action action,
                                 const struct op_subject *subject)
{
    return ask_for(op, op->auth.user, action, subject);
}

bool op_may_for(const struct op *op, const struct user *user, enum access_action action,
                const struct op_subject *subject)
{
    return ask_for(op, user, action, subject).decision == ACCESS_ALLOWED;
}

bool op_may(const struct op *op, enum access_action action, const struct op_subject *subject)
{
    return ask(op, action, subject).decision == ACCESS_ALLOWED;
}

enum s3_error op_require(struct op *op, enum access_action action, const struct op_subject *subject)
{
    struct access_verdict verdict = ask(op, action, subject);
    struct str name = access_action_name(action);

    op->record.action = name;
    op->record.allowed = verdict.decision == ACCESS_ALLOWED;
    op->record.reason = str_from_cstr(verdict.reason);
    op->record.by_acl = verdict.by_acl;
    if (verdict.decision == ACCESS_ALLOWED)
        return S3_OK;
    fault_note(&op->fault, "%.*s: %s%s%.*s", STR_ARG(name), verdict.reason,
               verdict.statement.len > 0 ? ", statement " : "", STR_ARG(verdict.statement));
    return op_fail(op, S3_AccessDenied);
}

void op_explain_denial(struct op *op)
{
    struct str why = str_from_cstr(op->fault.text);

    if (op->error != S3_AccessDenied || !op->options->explain_denials || op->bucket.id == 0 ||
        op->auth.user == NULL || !str_eq(op_caller_id(op), op->bucket.owner))
        return;
    if (why.len > 0)
        op_set(op, "x-pail-denied-by", why);
}

bool op_asks_for_each(const struct op *op)
{
    return (op->route->flags & ROUTE_EACH) != 0 && op->config->access.policy != NULL &&
           op->auth.user != NULL;
}

enum s3_error op_require_said(struct op *op, enum s3_error read)
{
    struct op_subject subject = op_subject(op);
    enum s3_error err;

    if (op->config->access.policy == NULL)
        return read;
    subject.object = &op->version;
    err = op_require(op, op_action(op), &subject);
    return err == S3_OK ? read : err;
}

/* Of an absent object it is asked who may list. */
static enum access_action aim(enum access_action action, struct op_subject *subject,
                              const struct version *found)
{
    if (found != NULL && !found->delete_marker) {
        subject->object = found;
        return action;
    }
    subject->sought = subject->key;
    subject->key = subject->version = STR_NONE;
    return ACTION_ListBucket;
}

enum s3_error op_require_of_object(struct op *op, enum access_action action,
                                   struct op_subject subject, const struct version *found)
{
    action = aim(action, &subject, found);
    return op_require(op, action, &subject);
}

bool op_may_of_object(const struct op *op, enum access_action action, struct op_subject subject,
                      const struct version *found)
{
    action = aim(action, &subject, found);
    return op_may(op, action, &subject);
}
