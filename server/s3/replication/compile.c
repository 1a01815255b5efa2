/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A replication document, as it is kept, into rules; see rules.h.
 */
#include "server/s3/replication/rules.h"

#include <stdlib.h>

#include "base/text/pairs.h"
#include "server/s3/documents.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/limits.h"

#define TAGS_BYTES_MAX (S3_OBJECT_TAGS_MAX * 4u * (S3_TAG_KEY_CHARS_MAX + S3_TAG_VALUE_CHARS_MAX))

static bool is_enabled(const struct xml_node *node)
{
    return node != NULL && str_eq(xml_child_text(node, STR("Status")), STR("Enabled"));
}

static struct str text_of(const struct xml_node *node, struct str name)
{
    struct str text = xml_child_text(node, name);

    return str_present(text) ? text : STR("");
}

/* False: no memory. */
static bool take_tags(const struct xml_node *from, struct arena *arena, struct str *ret_tags)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(TAGS_BYTES_MAX);

    for (const struct xml_node *at = from->children; at != NULL; at = at->next) {
        const struct xml_node *key = xml_child(at, STR("Key"));
        const struct xml_node *value = xml_child(at, STR("Value"));

        if (str_eq(at->name, STR("Tag")) && key != NULL && value != NULL)
            (void)pairs_add(&out, key->text, value->text);
    }
    *ret_tags = out.failed ? STR_NONE : arena_dup(arena, buf_view(&out));
    return str_present(*ret_tags);
}

static bool take_filter(const struct xml_node *node, struct arena *arena,
                        struct replication_rule *rule)
{
    const struct xml_node *from = xml_child(node, STR("Filter"));
    uint64_t priority;

    /* The first version of the schema replicates delete markers, whatever else. */
    rule->delete_markers = from == NULL ||
                           is_enabled(xml_child(node, STR("DeleteMarkerReplication")));
    if (str_to_u64(xml_child_text(node, STR("Priority")), &priority))
        rule->priority = (int64_t)priority;
    if (from == NULL)
        from = node;
    else if (xml_child(from, STR("And")) != NULL)
        from = xml_child(from, STR("And"));
    rule->prefix = text_of(from, STR("Prefix"));
    return take_tags(from, arena, &rule->tags);
}

static bool compile_rule(const struct xml_node *node, struct arena *arena,
                         struct replication_rule *rule)
{
    const struct xml_node *destination = xml_child(node, STR("Destination"));
    const struct xml_node *criteria = xml_child(node, STR("SourceSelectionCriteria"));
    const struct xml_node *key;
    struct str class;

    if (destination == NULL)
        return false;
    rule->enabled = is_enabled(node);
    rule->bucket = replication_bucket_of(xml_child_text(destination, STR("Bucket")));
    class = xml_child_text(destination, STR("StorageClass"));
    rule->set_class = class.len > 0 && storage_class_parse(class, &rule->storage_class);
    rule->to_bucket_owner = xml_child(destination, STR("AccessControlTranslation")) != NULL;
    if (criteria != NULL) {
        rule->kms = is_enabled(xml_child(criteria, STR("SseKmsEncryptedObjects")));
        rule->replica_changes = is_enabled(xml_child(criteria, STR("ReplicaModifications")));
    }
    key = xml_child(destination, STR("EncryptionConfiguration"));
    rule->kms_key_id = key != NULL ? xml_child_text(key, STR("ReplicaKmsKeyID")) : STR_NONE;
    return take_filter(node, arena, rule);
}

static int by_priority(const void *a, const void *b)
{
    const struct replication_rule *first = a;
    const struct replication_rule *second = b;

    return (first->priority < second->priority) - (first->priority > second->priority);
}

/* What is kept was read before, so only memory can lack. */
bool replication_compile(struct str stored, struct arena *arena, struct bucket_config *config)
{
    const struct xml_node *root = xml_parse(stored, REPLICATION_ROOT, arena, NULL);
    struct replication *replication = ARENA_NEW(arena, struct replication);
    struct replication_rule *rules;

    if (root == NULL || replication == NULL)
        return false;
    rules = arena_zalloc(arena, (xml_child_count(root, STR("Rule")) + 1) * sizeof(*rules));
    if (rules == NULL)
        return false;
    for (const struct xml_node *at = root->children; at != NULL; at = at->next)
        if (str_eq(at->name, STR("Rule")) && !compile_rule(at, arena, &rules[replication->count++]))
            return false;
    qsort(rules, replication->count, sizeof(*rules), by_priority);
    replication->rules = rules;
    config->replication = replication;
    return true;
}
