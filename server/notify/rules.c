/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of notification documents; see rules.h.
 */
#include "server/notify/rules.h"

#include "server/xml/xml.h"

/* ---- types --------------------------------------------------------------------------------- */

static const struct notify_type types[] = {
#define EVENT(NAME, VERSION, DETAIL_TYPE, REASON, DELETION)                                        \
    { STR_INIT(NAME), STR_INIT(VERSION), STR_INIT(DETAIL_TYPE), STR_INIT(REASON),                  \
      STR_INIT(DELETION) },
#include "server/notify/events.def"
#undef EVENT
};

const struct notify_type *notify_type(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_eq(types[i].name, name))
            return &types[i];
    return NULL;
}

bool notify_event_means(struct str event, struct str type_name)
{
    struct str name = str_skip(event, STR("s3:").len);

    if (str_ends(name, STR(":*"))) {
        name.len--;
        return str_starts(type_name, name);
    }
    return str_eq(name, type_name);
}

bool notify_event_is_known(struct str event)
{
    if (!str_starts(event, STR("s3:")) || str_eq(event, STR("s3:ObjectAcl:*")))
        return false;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (notify_event_means(event, types[i].name))
            return true;
    return false;
}

/* ---- reading ------------------------------------------------------------------------------- */

static struct str destination_of(const struct xml_node *node)
{
    static const char *const names[] = { "Queue", "Topic", "CloudFunction" };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (xml_child(node, str_from_cstr(names[i])) != NULL)
            return xml_child_text(node, str_from_cstr(names[i]));
    return STR("");
}

/* A prefix and a suffix may begin and end with blanks. */
static void read_filter(const struct xml_node *rule, struct notify_rule *out)
{
    struct str name = xml_child_text(rule, STR("Name"));
    const struct xml_node *value = xml_child(rule, STR("Value"));
    struct str text = value != NULL ? value->text : STR("");

    if (str_eq_nocase(name, STR("prefix")))
        out->prefix = text;
    if (str_eq_nocase(name, STR("suffix")))
        out->suffix = text;
}

static bool read_rule(const struct xml_node *node, struct arena *arena, struct notify_rule *out)
{
    const struct xml_node *filter = xml_child(node, STR("Filter"));
    const struct xml_node *key = filter != NULL ? xml_child(filter, STR("S3Key")) : NULL;
    struct str id = xml_child_text(node, STR("Id"));

    *out = (struct notify_rule){ .id = str_present(id) ? id : STR(""),
                                 .arn = destination_of(node),
                                 .prefix = STR(""),
                                 .suffix = STR("") };
    out->events = arena_array(arena, xml_child_count(node, STR("Event")) + 1, sizeof(*out->events));
    if (out->events == NULL)
        return false;
    for (const struct xml_node *at = node->children; at != NULL; at = at->next)
        if (str_eq(at->name, STR("Event")))
            out->events[out->event_count++] = str_trim(at->text);
    for (const struct xml_node *at = key != NULL ? key->children : NULL; at != NULL; at = at->next)
        read_filter(at, out);
    return true;
}

bool notify_rules_read(struct str stored, struct arena *arena, struct notify_rules *ret_rules)
{
    const struct xml_node *root = xml_parse(stored, STR("NotificationConfiguration"), arena, NULL);
    struct notify_rules rules = { 0 };
    size_t count = 0;

    if (root == NULL)
        return false;
    for (const struct xml_node *at = root->children; at != NULL; at = at->next)
        count++;
    rules.rules = arena_array(arena, count + 1, sizeof(*rules.rules));
    if (rules.rules == NULL)
        return false;
    for (const struct xml_node *at = root->children; at != NULL; at = at->next) {
        if (str_eq(at->name, STR("EventBridgeConfiguration")))
            rules.event_bridge = true;
        else if (!read_rule(at, arena, &rules.rules[rules.count++]))
            return false;
    }
    *ret_rules = rules;
    return true;
}

/* ---- asking -------------------------------------------------------------------------------- */

static bool wants(const struct notify_rule *rule, struct str type_name, struct str key)
{
    if (!str_starts(key, rule->prefix) || !str_ends(key, rule->suffix))
        return false;
    for (size_t i = 0; i < rule->event_count; i++)
        if (notify_event_means(rule->events[i], type_name))
            return true;
    return false;
}

const struct notify_rule *notify_rules_match(const struct notify_rules *rules, struct str arn,
                                             struct str type_name, struct str key)
{
    for (size_t i = 0; i < rules->count; i++)
        if (str_eq(rules->rules[i].arn, arn) && wants(&rules->rules[i], type_name, key))
            return &rules->rules[i];
    return NULL;
}

/* Some type that both names mean. */
static bool share_type(struct str a, struct str b)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (notify_event_means(a, types[i].name) && notify_event_means(b, types[i].name))
            return true;
    return false;
}

bool notify_rules_overlap(const struct notify_rule *a, const struct notify_rule *b,
                          struct str *ret_a, struct str *ret_b)
{
    if (!str_starts(a->prefix, b->prefix) && !str_starts(b->prefix, a->prefix))
        return false;
    if (!str_ends(a->suffix, b->suffix) && !str_ends(b->suffix, a->suffix))
        return false;
    for (size_t i = 0; i < a->event_count; i++)
        for (size_t j = 0; j < b->event_count; j++)
            if (share_type(a->events[i], b->events[j])) {
                *ret_a = a->events[i];
                *ret_b = b->events[j];
                return true;
            }
    return false;
}
