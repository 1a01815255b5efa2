/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lifecycle document as it is stored, into rules. It was judged before (document.c), so only memory can
 * lack.
 */
#include "server/s3/lifecycle/document.h"

#include "base/text/pairs.h"
#include "server/s3/documents.h"
#include "server/s3/lifecycle/rules.h"
#include "server/s3/lifecycle/storage_class.h"

#define TAGS_BYTES_MAX (S3_RULES_BYTES_MAX)

static uint32_t number_of(const struct xml_node *node, struct str name)
{
    uint64_t number;

    return str_to_u64(xml_child_text(node, name), &number) ? (uint32_t)number : 0;
}

/* Blanks at its ends are the key's. */
static struct str exact_text(const struct xml_node *node, struct str name)
{
    const struct xml_node *child = xml_child(node, name);

    return child != NULL ? child->text : STR("");
}

/* ---- which --------------------------------------------------------------------------------------- */

static bool compile_tags(const struct xml_node *conditions, struct arena *arena,
                         struct lifecycle_rule *rule)
{
    CLEANUP(buf_free) struct buf packed = BUF_WITH_MAX(TAGS_BYTES_MAX);
    bool good = true;

    for (const struct xml_node *at = conditions->children; at != NULL && good; at = at->next)
        if (str_eq(at->name, STR("Tag")))
            good = pairs_add(&packed, exact_text(at, STR("Key")), exact_text(at, STR("Value")));
    if (!good || packed.failed)
        return false;
    if (packed.len == 0)
        return true;
    rule->tags = arena_dup(arena, buf_view(&packed));
    return str_present(rule->tags);
}

static bool compile_filter(const struct xml_node *node, struct arena *arena,
                           struct lifecycle_rule *rule)
{
    const struct xml_node *conditions = lifecycle_conditions(node);
    struct str above = xml_child_text(conditions, STR("ObjectSizeGreaterThan"));
    struct str below = xml_child_text(conditions, STR("ObjectSizeLessThan"));

    rule->prefix = exact_text(conditions, STR("Prefix"));
    rule->tags = STR_NONE;
    rule->has_sizes = str_present(above) || str_present(below);
    if (str_present(above) && !str_to_u64(above, &rule->above_bytes))
        return false;
    if (str_present(below) && !str_to_u64(below, &rule->below_bytes))
        return false;
    return compile_tags(conditions, arena, rule);
}

/* ---- what ---------------------------------------------------------------------------------------- */

static struct lifecycle_when when_of(const struct xml_node *node, struct str days)
{
    struct lifecycle_when when = { .set = true,
                                   .days = number_of(node, days),
                                   .newer_versions =
                                       number_of(node, STR("NewerNoncurrentVersions")) };

    when.dated = lifecycle_date_parse(xml_child_text(node, STR("Date")), &when.at_us);
    return when;
}

static bool compile_transitions(const struct xml_node *rule, struct str name, struct str days,
                                struct arena *arena, const struct lifecycle_transition **ret_list,
                                size_t *ret_count)
{
    size_t count = xml_child_count(rule, name);
    struct lifecycle_transition *list;
    size_t n = 0;

    if (count == 0)
        return true;
    list = arena_alloc(arena, count * sizeof(*list));
    if (list == NULL)
        return false;
    for (const struct xml_node *at = rule->children; at != NULL; at = at->next) {
        if (!str_eq(at->name, name))
            continue;
        list[n].when = when_of(at, days);
        if (!storage_class_parse(xml_child_text(at, STR("StorageClass")), &list[n++].storage_class))
            return false;
    }
    *ret_list = list;
    *ret_count = n;
    return true;
}

static void compile_expirations(const struct xml_node *node, struct lifecycle_rule *rule)
{
    const struct xml_node *expiration = xml_child(node, STR("Expiration"));
    const struct xml_node *noncurrent = xml_child(node, STR("NoncurrentVersionExpiration"));
    const struct xml_node *abort = xml_child(node, STR("AbortIncompleteMultipartUpload"));

    if (expiration != NULL) {
        struct str word = xml_child_text(expiration, STR("ExpiredObjectDeleteMarker"));

        if (str_present(word))
            rule->lone_markers = str_eq(word, STR("true"));
        else
            rule->expiration = when_of(expiration, STR("Days"));
    }
    if (noncurrent != NULL)
        rule->noncurrent_expiration = when_of(noncurrent, STR("NoncurrentDays"));
    if (abort != NULL)
        rule->abort_days = number_of(abort, STR("DaysAfterInitiation"));
}

static bool compile_rule(const struct xml_node *node, struct arena *arena,
                         struct lifecycle_rule *rule)
{
    *rule = (struct lifecycle_rule){ .id = xml_child_text(node, STR("ID")) };
    compile_expirations(node, rule);
    return compile_filter(node, arena, rule) &&
           compile_transitions(node, STR("Transition"), STR("Days"), arena, &rule->transitions,
                               &rule->transition_count) &&
           compile_transitions(node, STR("NoncurrentVersionTransition"), STR("NoncurrentDays"),
                               arena, &rule->noncurrent_transitions,
                               &rule->noncurrent_transition_count);
}

/* ---- all ----------------------------------------------------------------------------------------- */

static struct str common_prefix(struct str a, struct str b)
{
    size_t len = 0;

    while (len < a.len && len < b.len && a.p[len] == b.p[len])
        len++;
    return str_make(a.p, len);
}

bool lifecycle_compile(struct str stored, struct arena *arena, struct bucket_config *config)
{
    struct str word;
    struct str document = lifecycle_stored_document(stored, &word);
    const struct xml_node *root = xml_parse(document, LIFECYCLE_ROOT, arena, NULL);
    struct lifecycle *lifecycle = ARENA_NEW(arena, struct lifecycle);
    struct lifecycle_rule *rules;

    if (root == NULL || lifecycle == NULL)
        return false;
    rules = arena_alloc(arena, (xml_child_count(root, STR("Rule")) + 1) * sizeof(*rules));
    if (rules == NULL)
        return false;
    *lifecycle = (struct lifecycle){ .rules = rules,
                                     .prefix = STR(""),
                                     .small_to_archives = str_eq(word, LIFECYCLE_SMALL_VARY) };
    for (const struct xml_node *at = root->children; at != NULL; at = at->next) {
        struct lifecycle_rule *rule = &rules[lifecycle->count];

        if (!str_eq(xml_child_text(at, STR("Status")), STR("Enabled")))
            continue;
        if (!compile_rule(at, arena, rule))
            return false;
        lifecycle->wants_tags |= str_present(rule->tags);
        lifecycle->prefix = lifecycle->count == 0 ? rule->prefix
                                                  : common_prefix(lifecycle->prefix, rule->prefix);
        lifecycle->count++;
    }
    config->lifecycle = lifecycle->count > 0 ? lifecycle : NULL;
    return true;
}
