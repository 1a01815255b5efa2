/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replicas to be written; see plan.h.
 *
 * (1) What the bucket's rules say now counts, not what they said when the version was written.
 * (2) A replica is what its source is, but for its class, its owner and its key, where the rule says so.
 * (3) It is written on behalf of the source bucket's owner, and into another account's bucket only where
 *     that one's policy lets him (s3:ReplicateObject, ReplicateDelete, ReplicateTags).
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
 */
#include "server/s3/replication/plan.h"

#include "base/text/pairs.h"
#include "server/s3/bucket_config.h"
#include "server/s3/encryption/kms.h"
#include "server/s3/encryption/method.h"
#include "server/s3/limits.h"
#include "server/s3/loop_stores.h"
#include "server/s3/may.h"
#include "server/s3/replication/rules.h"

struct target {
    struct op *op;
    const struct replication_rule *rule;
    const struct version *source;
    const struct user *owner; /* of the source bucket */
    struct bucket bucket;
    const struct bucket_config *config;
};

/* ---- what a replica is ------------------------------------------------------------------------- */

/* Kept under the rule's key from now on. NULL, or what is in the way. */
static const char *encrypt(const struct target *target, struct intent_replica *replica)
{
    CLEANUP(buf_free) struct buf headers = BUF_WITH_MAX(S3_XML_BYTES_MAX);
    struct op *op = target->op;
    struct str cursor = target->source->attrs.headers;
    struct str name;
    struct str value;
    bool named;

    if (target->source->attrs.sse != SSE_KMS && target->source->attrs.sse != SSE_KMS_DSSE)
        return NULL;
    if (kms_for_reading(op, &target->source->attrs, &named) != S3_OK)
        return "the key of the source can not be used";
    while (pairs_next(&cursor, &name, &value))
        if (!str_eq(name, STR(SSE_KMS_KEY_HEADER)) && !str_eq(name, STR(SSE_CONTEXT_HEADER)))
            (void)pairs_add(&headers, name, value);
    if (kms_for_writing(op, target->rule->kms_key_id, &headers) != S3_OK)
        return "the key of replicas can not be used";
    replica->replica.attrs.headers = headers.failed ? STR_NONE
                                                    : arena_dup(op->arena, buf_view(&headers));
    if (!str_present(replica->replica.attrs.headers))
        return "there is no memory";
    replica->set_encryption = true;
    if (op->kms != NULL) {
        replica->named_key = str_from_cstr(op->kms->uuid);
        replica->key_context = op->kms->context;
    }
    return NULL;
}

static void give_to(const struct target *target, struct version_attrs *attrs)
{
    const struct access_rules *rules = &target->config->access;

    if (target->rule->to_bucket_owner || rules->ownership == OWNERSHIP_OWNER_ENFORCED) {
        attrs->owner = target->bucket.owner;
        attrs->acl = STR_NONE;
    }
    /* Such a bucket takes no public list from anybody. */
    if ((rules->blocked & BLOCK_PUBLIC_ACLS) != 0)
        attrs->acl = STR_NONE;
}

static bool may(const struct target *target, enum access_action action)
{
    const struct op_subject subject = { .bucket = &target->bucket,
                                        .config = target->config,
                                        .key = target->source->key };

    return op_may_for(target->op, target->owner, action, &subject);
}

/* NULL, or why there can be no replica there. */
static const char *refusal(const struct target *target)
{
    const struct version_attrs *attrs = &target->source->attrs;

    if (target->bucket.versioning != VERSIONING_ENABLED)
        return "versioning is not enabled on the destination bucket";
    if ((attrs->lock_mode != LOCK_NONE || attrs->legal_hold == HOLD_ON) &&
        !target->config->lock.enabled)
        return "the object is locked, and the destination bucket has no object lock";
    if (!may(target,
             target->source->delete_marker ? ACTION_ReplicateDelete : ACTION_ReplicateObject))
        return "the destination bucket's owner does not let the source's replicate";
    return NULL;
}

static const char *fill(const struct target *target, const struct backlog_item *item,
                        struct intent *intent)
{
    struct intent_replica *replica = &intent->replica;

    *intent = (struct intent){ .kind = INTENT_REPLICA_PUT,
                               .bucket = target->bucket.name,
                               .bucket_id = target->bucket.id,
                               .bucket_changed_seq = target->bucket.changed_seq,
                               .key = target->source->key,
                               .arena = target->op->arena };
    if (target->config->tells_events)
        intent->origin.event = target->source->delete_marker
                                   ? STR("ObjectRemoved:DeleteMarkerCreated")
                                   : STR("ObjectCreated:Put");
    *replica = (struct intent_replica){ .source_bucket_id = item->bucket_id,
                                        .replica = *target->source,
                                        .change = item->change };
    replica->replica.replication = REPLICATION_REPLICA;
    replica->replica.annotated = false; /* its number is not its own (decision 0021) */
    replica->replica.restore_ready_us = replica->replica.restored_until_us = 0;
    if (target->rule->set_class && !target->source->delete_marker)
        replica->replica.attrs.storage_class = target->rule->storage_class;
    if (replica->replica.attrs.tags.len > 0 && !may(target, ACTION_ReplicateTags))
        replica->replica.attrs.tags = STR_NONE;
    give_to(target, &replica->replica.attrs);
    return encrypt(target, replica);
}

/* ---- where to ---------------------------------------------------------------------------------- */

static enum store_status plan_target(struct target *target, const struct backlog_item *item,
                                     struct replication_plan *plan)
{
    struct op *op = target->op;
    struct replication_job *job = ARENA_NEW(op->arena, struct replication_job);
    enum store_status status =
        bucket_get(op->reader, target->rule->bucket, op->arena, &target->bucket, &op->fault);
    const char *failed;

    if (status == STORE_NO_BUCKET) {
        plan->failed = "there is no destination bucket";
        return STORE_OK;
    }
    if (status == STORE_OK)
        status = bucket_config_use(op->at->configs, op->reader, &target->bucket, &target->config,
                                   &op->fault);
    if (status != STORE_OK || job == NULL)
        return status != STORE_OK ? status : STORE_NO_MEMORY;
    failed = refusal(target);
    if (failed == NULL)
        failed = fill(target, item, &job->intent);
    bucket_config_leave(target->config);
    if (failed != NULL) {
        plan->failed = failed;
        return STORE_OK;
    }
    job->next = plan->jobs;
    plan->jobs = job;
    return STORE_OK;
}

/* As the account itself: a policy may name it, or its root. */
static enum store_status find_owner(struct op *op, struct credentials *credentials,
                                    const struct bucket *bucket, struct user *ret_user)
{
    char *account = arena_alloc(op->arena, AUTH_ACCOUNT_DIGITS);
    struct user known;

    if (account == NULL)
        return STORE_NO_MEMORY;
    users_account_id(bucket->owner, account);
    *ret_user = (struct user){ .kind = USER_ROOT,
                               .account = str_make(account, AUTH_ACCOUNT_DIGITS),
                               .canonical_id = bucket->owner,
                               .display_name = STR("replication") };
    switch (credentials_know(credentials, CREDENTIALS_BY_CANONICAL_ID, bucket->owner, &known)) {
    case CREDENTIALS_FOUND:
        ret_user->account = arena_dup(op->arena, known.account);
        return str_present(ret_user->account) ? STORE_OK : STORE_NO_MEMORY;
    case CREDENTIALS_UNKNOWN:
        return STORE_OK;
    case CREDENTIALS_LACKING:
        break;
    }
    return STORE_NO_MEMORY;
}

static enum store_status plan_targets(struct op *op, struct credentials *credentials,
                                      const struct backlog_item *item, const struct bucket *bucket,
                                      const struct replication *replication,
                                      const struct version *source, struct replication_plan *plan)
{
    struct replication_subject subject = replication_subject_of(source);
    struct target target = { .op = op, .source = source };
    struct user owner;
    enum store_status status = find_owner(op, credentials, bucket, &owner);
    bool any = false;
    size_t at = 0;

    target.owner = &owner;
    while (status == STORE_OK && replication != NULL &&
           (target.rule = replication_next(replication, &subject, &at)) != NULL) {
        any = true;
        status = plan_target(&target, item, plan);
    }
    if (!any)
        plan->failed = "no rule of the bucket replicates it any more";
    return status;
}

enum store_status replication_plan(struct op *op, struct credentials *credentials,
                                   const struct backlog_item *item,
                                   struct replication_plan *ret_plan)
{
    struct version *source = ARENA_NEW(op->arena, struct version);
    const struct bucket_config *config = NULL;
    struct bucket bucket;
    enum store_status status;

    *ret_plan = (struct replication_plan){ .gone = !str_present(item->bucket) };
    if (ret_plan->gone || source == NULL)
        return source != NULL ? STORE_OK : STORE_NO_MEMORY;
    status = bucket_get(op->reader, item->bucket, op->arena, &bucket, &op->fault);
    if (status == STORE_OK)
        status = version_numbered(op->reader, item->bucket_id, item->key, item->seq, op->arena,
                                  source, &op->fault);
    if (status == STORE_NO_VERSION || status == STORE_NO_BUCKET) {
        ret_plan->gone = true;
        return STORE_OK;
    }
    if (status == STORE_OK)
        status = bucket_config_use(op->at->configs, op->reader, &bucket, &config, &op->fault);
    if (status == STORE_OK)
        status =
            plan_targets(op, credentials, item, &bucket, config->replication, source, ret_plan);
    bucket_config_leave(config);
    return status;
}
