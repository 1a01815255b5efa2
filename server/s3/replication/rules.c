/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules a version is replicated by; see rules.h.
 */
#include "server/s3/replication/rules.h"

#include "base/text/pairs.h"
#include "server/s3/encryption/method.h"

#define BUCKET_ARN STR("arn:aws:s3:::")

struct str replication_bucket_of(struct str arn)
{
    struct str name = str_starts(arn, BUCKET_ARN) ? str_skip(arn, BUCKET_ARN.len) : STR("");

    return name.len > 0 && s3_bucket_name_fault(name) == NULL ? name : STR_NONE;
}

struct replication_subject replication_subject_of(const struct version *version)
{
    return (struct replication_subject){ .key = version->key,
                                         .tags = version->attrs.tags,
                                         .sse = version->attrs.sse,
                                         .delete_marker = version->delete_marker,
                                         .replica = version->replication == REPLICATION_REPLICA };
}

static bool has_tag(struct str tags, struct str name, struct str value)
{
    struct str n;
    struct str v;

    while (pairs_next(&tags, &n, &v))
        if (str_eq(n, name) && str_eq(v, value))
            return true;
    return false;
}

static bool speaks_of(const struct replication_rule *rule,
                      const struct replication_subject *subject)
{
    struct str wanted = rule->tags;
    struct str name;
    struct str value;

    if (!rule->enabled || !str_starts(subject->key, rule->prefix))
        return false;
    while (pairs_next(&wanted, &name, &value))
        if (!has_tag(subject->tags, name, value))
            return false;
    return true;
}

static bool replicates(const struct replication_rule *rule,
                       const struct replication_subject *subject)
{
    bool kms = subject->sse == SSE_KMS || subject->sse == SSE_KMS_DSSE;

    if (subject->delete_marker)
        return rule->delete_markers;
    return (!kms || rule->kms) && (!subject->replica || rule->replica_changes);
}

/* A rule before it that speaks of the same goes to the same bucket. */
static bool is_behind(const struct replication *replication,
                      const struct replication_subject *subject, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(replication->rules[i].bucket, replication->rules[at].bucket) &&
            speaks_of(&replication->rules[i], subject))
            return true;
    return false;
}

const struct replication_rule *replication_next(const struct replication *replication,
                                                const struct replication_subject *subject,
                                                size_t *at)
{
    while (*at < replication->count) {
        size_t i = (*at)++;
        const struct replication_rule *rule = &replication->rules[i];

        if (speaks_of(rule, subject) && replicates(rule, subject) &&
            !is_behind(replication, subject, i))
            return rule;
    }
    return NULL;
}
