/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutBucketNotificationConfiguration: what the document may say, and what is kept of it: the same, with an
 * id for each configuration that has none, as S3 makes one. What it does: server/notify/notifier.h.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
 */
#include "base/random.h"
#include "base/text/codec.h"
#include "server/notify/message.h"
#include "server/notify/notifier.h"
#include "server/s3/documents.h"
#include "server/s3/limits.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"

/* Each kind of configuration has a destination of its own. */
static const struct kind {
    struct str element, destination, service;
    struct str absent; /* what is said of one that nobody knows */
} kinds[] = {
    { STR_INIT("TopicConfiguration"), STR_INIT("Topic"), STR_INIT("sns"),
      STR_INIT("The destination topic does not exist") },
    { STR_INIT("QueueConfiguration"), STR_INIT("Queue"), STR_INIT("sqs"),
      STR_INIT("The destination queue does not exist") },
    { STR_INIT("CloudFunctionConfiguration"), STR_INIT("CloudFunction"), STR_INIT("lambda"),
      STR_INIT("The destination Lambda function does not exist") },
};

static const struct kind *kind_of(const struct xml_node *node)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_eq(kinds[i].element, node->name))
            return &kinds[i];
    return NULL;
}

/* ---- form ---------------------------------------------------------------------------------- */

static size_t chars_of(struct str text)
{
    size_t chars = 0;

    for (; text.len > 0; chars++)
        (void)str_next_char(&text);
    return chars;
}

static enum s3_error check_filter_rule(struct op *op, const struct xml_node *rule, size_t seen[2])
{
    static const struct xml_expected children[] = { { "Name", true, false },
                                                    { "Value", true, false } };
    struct str name = xml_child_text(rule, STR("Name"));
    bool prefix = str_eq_nocase(name, STR("prefix"));

    if (!str_eq(rule->name, STR("FilterRule")) || !xml_has_only(rule, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    if (!prefix && !str_eq_nocase(name, STR("suffix")))
        return op_fail_argument(op, STR("filter rule name must be either prefix or suffix"),
                                STR("FilterRule.Name"), name);
    if (++seen[prefix ? 0 : 1] > 1)
        return op_fail_argument(op,
                                prefix
                                    ? STR("Cannot specify more than one prefix rule in a filter.")
                                    : STR("Cannot specify more than one suffix rule in a "
                                          "filter."),
                                STR("FilterRule.Name"), name);
    if (xml_child(rule, STR("Value"))->text.len > NOTIFY_FILTER_BYTES_MAX)
        return op_fail_argument(op,
                                STR("Size of filter rule value cannot exceed 1024 bytes in UTF-8 "
                                    "representation"),
                                STR("FilterRule.Value"), xml_child(rule, STR("Value"))->text);
    return S3_OK;
}

static enum s3_error check_filter(struct op *op, const struct xml_node *filter)
{
    static const struct xml_expected children[] = { { "S3Key", false, false } };
    const struct xml_node *key = xml_child(filter, STR("S3Key"));
    enum s3_error err = S3_OK;
    size_t seen[2] = { 0 };

    if (!xml_has_only(filter, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    for (const struct xml_node *at = key != NULL ? key->children : NULL; at != NULL && err == S3_OK;
         at = at->next)
        err = check_filter_rule(op, at, seen);
    return err;
}

static enum s3_error check_events(struct op *op, const struct xml_node *node)
{
    for (const struct xml_node *at = node->children; at != NULL; at = at->next)
        if (str_eq(at->name, STR("Event")) && !notify_event_is_known(str_trim(at->text)))
            return op_fail_argument(op, STR("The event is not supported for notifications"),
                                    STR("Event"), str_trim(at->text));
    return S3_OK;
}

static enum s3_error check_form(struct op *op, const struct xml_node *node, const struct kind *kind)
{
    char destination[16];
    const struct xml_expected children[] = { { "Id", false, false },
                                             { destination, true, false },
                                             { "Event", true, true },
                                             { "Filter", false, false } };
    const struct xml_node *filter = xml_child(node, STR("Filter"));
    struct str id = xml_child_text(node, STR("Id"));
    enum s3_error err;

    memcpy(destination, kind->destination.p, kind->destination.len);
    destination[kind->destination.len] = '\0';
    if (!xml_has_only(node, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    if (chars_of(id) > NOTIFY_ID_CHARS_MAX)
        return op_fail_argument(op, STR("ID length should not exceed allowed limit of 255"),
                                STR("Id"), id);
    err = check_events(op, node);
    return err == S3_OK && filter != NULL ? check_filter(op, filter) : err;
}

/* ---- destinations -------------------------------------------------------------------------- */

static enum s3_error refuse_destination(struct op *op, struct str arn, struct str why)
{
    return op_fail_text(op, S3_InvalidArgument,
                        STR("Unable to validate the following destination configurations"),
                        STR_NONE, STR_NONE, arn, why);
}

/* Where the bucket is; an ARN of AWS must be of the same region. */
static bool is_near(const struct op *op, struct str arn)
{
    struct str region = op->bucket.region.len > 0 ? op->bucket.region : op->options->auth.region;

    return !str_eq(notify_arn_field(arn, 1), STR("aws")) ||
           str_eq(notify_arn_field(arn, 3), region);
}

/* Whose name is no settings' can not be told of anything. */
static enum s3_error check_destination(struct op *op, const struct xml_node *node,
                                       const struct kind *kind)
{
    struct str arn = xml_child_text(node, kind->destination);

    if (arn.len > NOTIFY_ARN_BYTES_MAX || !notify_arn_is_good(arn))
        return op_fail_argument(op, STR("The ARN could not be parsed"), kind->destination, arn);
    if (!str_eq(notify_arn_field(arn, 2), kind->service))
        return op_fail_argument(op, STR("The ARN is not well formed"), kind->destination, arn);
    if (!is_near(op, arn))
        return op_fail_argument(op,
                                STR("The notification destination service region is not valid for "
                                    "the bucket location constraint"),
                                kind->destination, arn);
    return notify_target_of(notifier_targets(op->options->notifier), arn) != NULL
               ? S3_OK
               : refuse_destination(op, arn, kind->absent);
}

static enum s3_error check_bus(struct op *op, const struct xml_node *node)
{
    if (node->children != NULL)
        return op_fail(op, S3_MalformedXML);
    return notify_bus_of(notifier_targets(op->options->notifier)) != NULL
               ? S3_OK
               : refuse_destination(op, STR("EventBridge"),
                                    STR("The destination event bus does not exist"));
}

/* ---- together ------------------------------------------------------------------------------ */

static bool has_no_filter(const struct notify_rule *rule)
{
    return rule->prefix.len == 0 && rule->suffix.len == 0;
}

static enum s3_error check_pair(struct op *op, const struct notify_rule *a,
                                const struct notify_rule *b)
{
    struct str one;
    struct str other;

    if (str_eq(a->id, b->id))
        return op_fail_argument(op,
                                STR("Same ID used for multiple configurations. IDs must be unique"),
                                STR("Id"), a->id);
    if (!notify_rules_overlap(a, b, &one, &other))
        return S3_OK;
    if (has_no_filter(a) && has_no_filter(b))
        return op_fail_argument(
            op,
            STR("Configurations overlap. Configurations on the same bucket cannot share a common "
                "event type."),
            STR("Event"), arena_printf(op->arena, "%.*s, %.*s", STR_ARG(one), STR_ARG(other)));
    return op_fail_text(op, S3_InvalidArgument,
                        STR("Configuration is ambiguously defined. Cannot have overlapping "
                            "suffixes in two rules if the prefixes are overlapping for the same "
                            "event type."));
}

static enum s3_error check_together(struct op *op, const struct notify_rules *rules)
{
    enum s3_error err = S3_OK;

    for (size_t i = 0; i < rules->count && err == S3_OK; i++)
        for (size_t j = 0; j < i && err == S3_OK; j++)
            err = check_pair(op, &rules->rules[j], &rules->rules[i]);
    return err;
}

/* ---- what is kept -------------------------------------------------------------------------- */

static void write_id(struct buf *out, struct str id)
{
    uint8_t bytes[24];
    char made[BASE64_LEN(sizeof(bytes))];

    random_bytes(bytes, sizeof(bytes));
    base64_encode(bytes, sizeof(bytes), made);
    xml_text(out, STR("Id"), id.len > 0 ? id : str_make(made, sizeof(made)));
}

static void write_filter(struct buf *out, const struct xml_node *filter)
{
    const struct xml_node *key = filter != NULL ? xml_child(filter, STR("S3Key")) : NULL;

    if (filter == NULL)
        return;
    xml_open(out, STR("Filter"));
    xml_open(out, STR("S3Key"));
    for (const struct xml_node *at = key != NULL ? key->children : NULL; at != NULL;
         at = at->next) {
        xml_open(out, STR("FilterRule"));
        xml_text(out, STR("Name"), xml_child_text(at, STR("Name")));
        xml_text(out, STR("Value"), xml_child(at, STR("Value"))->text);
        xml_close(out, STR("FilterRule"));
    }
    xml_close(out, STR("S3Key"));
    xml_close(out, STR("Filter"));
}

static void write_configuration(struct buf *out, const struct xml_node *node,
                                const struct kind *kind)
{
    xml_open(out, node->name);
    if (kind != NULL) {
        write_id(out, xml_child_text(node, STR("Id")));
        xml_text(out, kind->destination, xml_child_text(node, kind->destination));
        for (const struct xml_node *at = node->children; at != NULL; at = at->next)
            if (str_eq(at->name, STR("Event")))
                xml_text(out, STR("Event"), str_trim(at->text));
        write_filter(out, xml_child(node, STR("Filter")));
    }
    xml_close(out, node->name);
}

static struct str write_all(struct op *op, const struct xml_node *root)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(2 * S3_XML_BYTES_MAX);

    buf_lit(&out, "<NotificationConfiguration xmlns=\"" XML_NS_S3 "\">");
    for (const struct xml_node *at = root->children; at != NULL; at = at->next)
        write_configuration(&out, at, kind_of(at));
    xml_close(&out, STR("NotificationConfiguration"));
    return out.failed ? STR_NONE : arena_dup(op->arena, buf_view(&out));
}

/* ---- who is to be told --------------------------------------------------------------------- */

static bool add_subscriber(struct op *op, struct str arn)
{
    char name[NOTIFY_SUBSCRIBER_LEN];
    struct str kept;

    notify_subscriber(arn, name);
    for (size_t i = 0; i < op->subscriber_count; i++)
        if (str_eq(op->subscribers[i], str_make(name, sizeof(name))))
            return true;
    kept = arena_dup(op->arena, str_make(name, sizeof(name)));
    op->subscribers[op->subscriber_count++] = kept;
    return str_present(kept);
}

/* With the commit of the document its targets subscribe, and are told of it unless asked not to. */
static bool subscribe(struct op *op, const struct notify_rules *rules)
{
    const struct notify_targets *targets = notifier_targets(op->options->notifier);
    bool good = true;

    op->subscribers = arena_array(op->arena, rules->count + 1, sizeof(*op->subscribers));
    if (op->subscribers == NULL)
        return false;
    for (size_t i = 0; i < rules->count && good; i++)
        good = add_subscriber(op, rules->rules[i].arn);
    if (good && rules->event_bridge)
        good = add_subscriber(op, notify_bus_of(targets)->arn);
    if (!str_eq_nocase(op_header(op, "x-amz-skip-destination-validation"), STR("true")))
        op->subscription_event = NOTIFY_TEST_EVENT;
    return good;
}

enum s3_error notification_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    struct notify_rules rules = { 0 };
    enum s3_error err = S3_OK;
    size_t count = 0;
    struct str stored;

    for (const struct xml_node *at = root->children; at != NULL && err == S3_OK; at = at->next) {
        const struct kind *kind = kind_of(at);

        if (kind != NULL)
            err = check_form(op, at, kind);
        else if (!str_eq(at->name, STR("EventBridgeConfiguration")))
            err = op_fail(op, S3_MalformedXML);
        if (err == S3_OK && ++count > NOTIFY_RULES_MAX)
            err = op_fail(op, S3_TooManyConfigurations);
    }
    if (err != S3_OK || count == 0)
        return err; /* an empty one is how notifications are turned off */
    stored = write_all(op, root);
    if (!str_present(stored) || !notify_rules_read(stored, op->arena, &rules))
        return op_fail(op, S3_SlowDown);
    err = check_together(op, &rules);
    for (const struct xml_node *at = root->children; at != NULL && err == S3_OK; at = at->next) {
        const struct kind *kind = kind_of(at);

        err = kind != NULL ? check_destination(op, at, kind) : check_bus(op, at);
    }
    if (err == S3_OK && !subscribe(op, &rules))
        err = op_fail(op, S3_SlowDown);
    if (err == S3_OK)
        *ret_stored = stored;
    return err;
}

/* Who is told what, the notifier reads; writes have to know that somebody is. */
bool notification_compile(struct str stored UNUSED, struct arena *arena UNUSED,
                          struct bucket_config *config)
{
    config->tells_events = true;
    return true;
}
