/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which writes are to be replicated; see mark.h.
 *
 * Removing a version is never replicated. A version that was there before its rule is not either, nor what
 * changes of it.
 */
#include "server/s3/replication/mark.h"

#include "server/s3/answer.h"
#include "server/s3/replication/rules.h"

static bool is_replicated(const struct op *op, const struct replication_subject *subject)
{
    size_t at = 0;

    return replication_next(op->config->replication, subject, &at) != NULL;
}

static bool new_is_replicated(const struct op *op, const struct version_attrs *attrs)
{
    const struct replication_subject subject = { .key = op->key,
                                                 .tags = attrs->tags,
                                                 .sse = attrs->sse };

    return is_replicated(op, &subject);
}

static void mark_markers(const struct op *op, const struct intent_remove *remove)
{
    for (size_t i = 0; i < remove->count; i++) {
        struct delete_item *item = &remove->items[i];
        const struct replication_subject subject = { .key = item->key, .delete_marker = true };

        item->replicate = !item->has_version && is_replicated(op, &subject);
    }
}

static bool change_is_replicated(const struct op *op, const struct intent_object_set *set)
{
    struct replication_subject subject = replication_subject_of(&op->version);

    if (op->version.replication == REPLICATION_NONE ||
        !(set->set_tags || set->set_acl || set->set_retention || set->set_hold))
        return false;
    if (set->set_tags)
        subject.tags = set->tags;
    return is_replicated(op, &subject);
}

void replication_mark(const struct op *op, struct intent *intent)
{
    if (op->config->replication == NULL || op->bucket.versioning != VERSIONING_ENABLED)
        return;
    switch (intent->kind) {
    case INTENT_OBJECT_PUT:
        intent->put.replicate = new_is_replicated(op, &intent->put.attrs);
        return;
    case INTENT_UPLOAD_COMPLETE:
        intent->complete.replicate = new_is_replicated(op, &op->upload.attrs);
        return;
    case INTENT_OBJECT_DELETE:
        mark_markers(op, &intent->remove);
        return;
    case INTENT_OBJECT_SET:
        intent->object_set.replicate = change_is_replicated(op, &intent->object_set);
        return;
    default:
        return;
    }
}

void replication_tell(struct op *op, const struct version *version)
{
    static const struct str names[] = {
        [REPLICATION_PENDING] = STR_INIT("PENDING"),
        [REPLICATION_COMPLETED] = STR_INIT("COMPLETED"),
        [REPLICATION_FAILED] = STR_INIT("FAILED"),
        [REPLICATION_REPLICA] = STR_INIT("REPLICA"),
    };

    if (version->replication != REPLICATION_NONE && version->replication < COUNT_OF(names))
        op_set(op, "x-amz-replication-status", names[version->replication]);
}
