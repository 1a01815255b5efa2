/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutBucketLifecycleConfiguration: what a lifecycle document may say. It is kept as it came, with an ID
 * made for each rule that has none. What it does: rules.h.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
 */
#include "server/s3/lifecycle/document.h"

#include "base/random.h"
#include "base/text/codec.h"
#include "base/text/pairs.h"
#include "server/s3/answer.h"
#include "server/s3/documents.h"
#include "server/s3/lifecycle/rules.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"

#define SMALL_HEADER "x-amz-transition-default-minimum-object-size"
#define MADE_ID_BYTES 24

/* ---- words --------------------------------------------------------------------------------------- */

const struct xml_node *lifecycle_conditions(const struct xml_node *rule)
{
    const struct xml_node *filter = xml_child(rule, STR("Filter"));
    const struct xml_node *both = filter != NULL ? xml_child(filter, STR("And")) : NULL;

    return both != NULL ? both : filter != NULL ? filter : rule;
}

bool lifecycle_date_parse(struct str text, int64_t *ret_us)
{
    return clock_parse_iso8601(text, ret_us);
}

struct str lifecycle_stored_document(struct str stored, struct str *ret_word)
{
    struct str word;
    struct str document;

    *ret_word = LIFECYCLE_SMALL_STAY;
    if (str_starts(stored, STR("<")) || !str_cut(stored, '\n', &word, &document))
        return stored;
    *ret_word = LIFECYCLE_SMALL_VARY;
    return document;
}

/* ---- refusals ------------------------------------------------------------------------------------ */

/* "(prefix=logs/)", as S3 names the rule that it means. */
static struct str filter_text(struct op *op, const struct xml_node *rule)
{
    struct str prefix = xml_child_text(lifecycle_conditions(rule), STR("Prefix"));

    return arena_printf(op->arena, "(prefix=%.*s)", STR_ARG(prefix));
}

static enum s3_error refuse_number(struct op *op, const char *what, const char *action,
                                   struct str text)
{
    return op_fail_argument(op,
                            arena_printf(op->arena, "'%s' for %s action must be a positive integer",
                                         what, action),
                            str_from_cstr(what), text);
}

/* A child that is a number from 1 to max. */
static enum s3_error check_number(struct op *op, const struct xml_node *parent, const char *what,
                                  const char *action, uint64_t max)
{
    struct str text = xml_child_text(parent, str_from_cstr(what));
    uint64_t number;

    if (!str_to_u64(text, &number) && !str_starts(text, STR("-")))
        return op_fail(op, S3_MalformedXML);
    return str_to_u64(text, &number) && number >= 1 && number <= max
               ? S3_OK
               : refuse_number(op, what, action, text);
}

static enum s3_error check_date(struct op *op, struct str text)
{
    int64_t us;

    if (!lifecycle_date_parse(text, &us))
        return op_fail(op, S3_MalformedXML);
    return us % LIFECYCLE_DAY_US == 0
               ? S3_OK
               : op_fail_argument(op, STR("'Date' must be at midnight GMT"), STR("Date"), text);
}

/* ---- the filter ---------------------------------------------------------------------------------- */

static bool is_tag(const struct xml_node *node)
{
    return str_eq(node->name, STR("Tag"));
}

static enum s3_error check_tags(struct op *op, const struct xml_node *conditions)
{
    for (const struct xml_node *at = conditions->children; at != NULL; at = at->next) {
        if (is_tag(at) && !xml_is_tag(at))
            return op_fail(op, S3_MalformedXML);
        for (const struct xml_node *other = conditions->children; is_tag(at) && other != at;
             other = other->next)
            if (is_tag(other) &&
                str_eq(xml_child_text(other, STR("Key")), xml_child_text(at, STR("Key"))))
                return op_fail_text(op, S3_InvalidRequest,
                                    STR("Duplicate Tag Keys are not allowed."));
    }
    return S3_OK;
}

static enum s3_error check_sizes(struct op *op, const struct xml_node *conditions)
{
    struct str above = xml_child_text(conditions, STR("ObjectSizeGreaterThan"));
    struct str below = xml_child_text(conditions, STR("ObjectSizeLessThan"));
    uint64_t more = 0;
    uint64_t less = 0;

    if ((str_present(above) && (!str_to_u64(above, &more) || more > S3_MULTIPART_BYTES_MAX)) ||
        (str_present(below) && (!str_to_u64(below, &less) || less > S3_MULTIPART_BYTES_MAX)))
        return op_fail(op, S3_MalformedXML);
    if (str_present(below) && less == 0)
        return op_fail_argument(op, STR("'ObjectSizeLessThan' must be a positive integer"),
                                STR("ObjectSizeLessThan"), below);
    if (str_present(above) && str_present(below) && less <= more)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("'ObjectSizeLessThan' has to be a value greater than "
                                "'ObjectSizeGreaterThan'."));
    return S3_OK;
}

static enum s3_error check_filter(struct op *op, const struct xml_node *rule)
{
    static const struct xml_expected one[] = {
        { "Prefix", false, false },
        { "Tag", false, false },
        { "ObjectSizeGreaterThan", false, false },
        { "ObjectSizeLessThan", false, false },
        { "And", false, false },
    };
    static const struct xml_expected many[] = {
        { "Prefix", false, false },
        { "Tag", false, true },
        { "ObjectSizeGreaterThan", false, false },
        { "ObjectSizeLessThan", false, false },
    };
    const struct xml_node *filter = xml_child(rule, STR("Filter"));
    const struct xml_node *conditions = lifecycle_conditions(rule);
    enum s3_error err;

    if ((filter == NULL) == (xml_child(rule, STR("Prefix")) == NULL))
        return op_fail(op, S3_MalformedXML);
    if (xml_child_text(conditions, STR("Prefix")).len > STORE_KEY_BYTES_MAX)
        return op_fail_argument(op, STR("The maximum size of a prefix is 1024."), STR("Prefix"),
                                xml_child_text(conditions, STR("Prefix")));
    if (filter == NULL)
        return S3_OK;
    if (!xml_has_only(filter, one, COUNT_OF(one)) ||
        (filter->children != NULL && filter->children->next != NULL) ||
        (conditions != filter && !xml_has_only(conditions, many, COUNT_OF(many))))
        return op_fail(op, S3_MalformedXML);
    err = check_tags(op, conditions);
    return err == S3_OK ? check_sizes(op, conditions) : err;
}

/* What can not be asked of markers and uploads, which have neither tags nor a size. */
static enum s3_error refuse_conditions(struct op *op, const struct xml_node *rule,
                                       const char *action)
{
    const struct xml_node *conditions = lifecycle_conditions(rule);
    const char *what = NULL;

    if (xml_child(conditions, STR("Tag")) != NULL)
        what = "Tags";
    else if (xml_child(conditions, STR("ObjectSizeGreaterThan")) != NULL ||
             xml_child(conditions, STR("ObjectSizeLessThan")) != NULL)
        what = "Object Size";
    return what == NULL ? S3_OK
                        : op_fail_text(op, S3_InvalidRequest,
                                       arena_printf(op->arena, "%s cannot be specified with %s.",
                                                    action, what));
}

/* ---- actions ------------------------------------------------------------------------------------- */

static enum s3_error check_expiration(struct op *op, const struct xml_node *rule)
{
    static const struct xml_expected children[] = {
        { "Days", false, false },
        { "Date", false, false },
        { "ExpiredObjectDeleteMarker", false, false },
    };
    const struct xml_node *node = xml_child(rule, STR("Expiration"));
    struct str word;

    if (node == NULL)
        return S3_OK;
    if (!xml_has_only(node, children, COUNT_OF(children)) || node->children == NULL ||
        node->children->next != NULL)
        return op_fail(op, S3_MalformedXML);
    if (xml_child(node, STR("Days")) != NULL)
        return check_number(op, node, "Days", "Expiration", LIFECYCLE_DAYS_MAX);
    if (xml_child(node, STR("Date")) != NULL)
        return check_date(op, xml_child_text(node, STR("Date")));
    word = xml_child_text(node, STR("ExpiredObjectDeleteMarker"));
    if (!str_eq(word, STR("true")) && !str_eq(word, STR("false")))
        return op_fail(op, S3_MalformedXML);
    return refuse_conditions(op, rule, "ExpiredObjectDeleteMarker");
}

static enum s3_error check_newer(struct op *op, const struct xml_node *node, const char *action)
{
    return xml_child(node, STR("NewerNoncurrentVersions")) != NULL
               ? check_number(op, node, "NewerNoncurrentVersions", action,
                              LIFECYCLE_NEWER_VERSIONS_MAX)
               : S3_OK;
}

static enum s3_error check_noncurrent_expiration(struct op *op, const struct xml_node *rule)
{
    static const struct xml_expected children[] = { { "NoncurrentDays", true, false },
                                                    { "NewerNoncurrentVersions", false, false } };
    static const char action[] = "NoncurrentVersionExpiration";
    const struct xml_node *node = xml_child(rule, str_from_cstr(action));
    enum s3_error err;

    if (node == NULL)
        return S3_OK;
    if (!xml_has_only(node, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    err = check_number(op, node, "NoncurrentDays", action, LIFECYCLE_DAYS_MAX);
    return err == S3_OK ? check_newer(op, node, action) : err;
}

/* How long before a version may be moved to that class. */
static enum s3_error check_transition_days(struct op *op, struct str text, const char *what,
                                           const char *action, uint8_t class)
{
    uint64_t days;

    if (!str_to_u64(text, &days) && !str_starts(text, STR("-")))
        return op_fail(op, S3_MalformedXML);
    if (!str_to_u64(text, &days) || days > LIFECYCLE_DAYS_MAX)
        return op_fail_argument(op,
                                arena_printf(op->arena, "'%s' for %s action must be nonnegative",
                                             what, action),
                                str_from_cstr(what), text);
    return days >= storage_class_days_min(class)
               ? S3_OK
               : op_fail_argument(
                     op,
                     arena_printf(op->arena,
                                  "'%s' in %s action must be greater than or equal to %u for "
                                  "storageClass '%.*s'",
                                  what, action, storage_class_days_min(class),
                                  STR_ARG(storage_class_name(class))),
                     str_from_cstr(what), text);
}

static enum s3_error check_transition(struct op *op, const struct xml_node *node)
{
    static const struct xml_expected children[] = { { "Days", false, false },
                                                    { "Date", false, false },
                                                    { "StorageClass", true, false } };
    struct str days = xml_child_text(node, STR("Days"));
    struct str date = xml_child_text(node, STR("Date"));
    uint8_t class;

    if (!xml_has_only(node, children, COUNT_OF(children)) ||
        str_present(days) == str_present(date) ||
        !storage_class_parse(xml_child_text(node, STR("StorageClass")), &class) ||
        !storage_class_is_target(class))
        return op_fail(op, S3_MalformedXML);
    return str_present(date) ? check_date(op, date)
                             : check_transition_days(op, days, "Days", "Transition", class);
}

static enum s3_error check_noncurrent_transition(struct op *op, const struct xml_node *node)
{
    static const struct xml_expected children[] = { { "NoncurrentDays", true, false },
                                                    { "NewerNoncurrentVersions", false, false },
                                                    { "StorageClass", true, false } };
    static const char action[] = "NoncurrentVersionTransition";
    enum s3_error err;
    uint8_t class;

    if (!xml_has_only(node, children, COUNT_OF(children)) ||
        !storage_class_parse(xml_child_text(node, STR("StorageClass")), &class) ||
        !storage_class_is_target(class))
        return op_fail(op, S3_MalformedXML);
    err = check_transition_days(op, xml_child_text(node, STR("NoncurrentDays")), "NoncurrentDays",
                                action, class);
    return err == S3_OK ? check_newer(op, node, action) : err;
}

static bool has_sibling_of_class(const struct xml_node *rule, const struct xml_node *node)
{
    for (const struct xml_node *at = rule->children; at != node; at = at->next)
        if (str_eq(at->name, node->name) && str_eq(xml_child_text(at, STR("StorageClass")),
                                                   xml_child_text(node, STR("StorageClass"))))
            return true;
    return false;
}

static enum s3_error check_transitions(struct op *op, const struct xml_node *rule)
{
    for (const struct xml_node *at = rule->children; at != NULL; at = at->next) {
        bool noncurrent = str_eq(at->name, STR("NoncurrentVersionTransition"));
        enum s3_error err = S3_OK;

        if (!noncurrent && !str_eq(at->name, STR("Transition")))
            continue;
        err = noncurrent ? check_noncurrent_transition(op, at) : check_transition(op, at);
        if (err != S3_OK)
            return err;
        if (has_sibling_of_class(rule, at))
            return op_fail_text(op, S3_InvalidRequest,
                                arena_printf(op->arena,
                                             "'StorageClass' must be different for '%.*s' actions "
                                             "in same 'Rule' with filter '%.*s'",
                                             STR_ARG(at->name), STR_ARG(filter_text(op, rule))));
    }
    return S3_OK;
}

/* Expiration and transitions of a rule fit each other: both by days or both by dates, and in that order. */
static enum s3_error check_order(struct op *op, const struct xml_node *rule)
{
    const struct xml_node *expiration = xml_child(rule, STR("Expiration"));
    struct str days = expiration != NULL ? xml_child_text(expiration, STR("Days")) : STR_NONE;
    struct str date = expiration != NULL ? xml_child_text(expiration, STR("Date")) : STR_NONE;
    uint64_t after = 0;
    uint64_t before = 0;

    for (const struct xml_node *at = rule->children; at != NULL; at = at->next) {
        if (!str_eq(at->name, STR("Transition")))
            continue;
        if ((str_present(days) && xml_child(at, STR("Date")) != NULL) ||
            (str_present(date) && xml_child(at, STR("Days")) != NULL))
            return op_fail_text(op, S3_InvalidRequest,
                                arena_printf(op->arena,
                                             "Found mixed 'Date' and 'Days' based Expiration and "
                                             "Transition actions in lifecycle rule for filter "
                                             "'%.*s'",
                                             STR_ARG(filter_text(op, rule))));
        if (str_to_u64(days, &after) && str_to_u64(xml_child_text(at, STR("Days")), &before) &&
            after <= before)
            return op_fail_argument(op,
                                    arena_printf(op->arena,
                                                 "'Days' in the Expiration action for filter "
                                                 "'%.*s' must be greater than 'Days' in the "
                                                 "Transition action",
                                                 STR_ARG(filter_text(op, rule))),
                                    STR("Days"), days);
    }
    return S3_OK;
}

static enum s3_error check_abort(struct op *op, const struct xml_node *rule)
{
    static const struct xml_expected children[] = { { "DaysAfterInitiation", true, false } };
    static const char action[] = "AbortIncompleteMultipartUpload";
    const struct xml_node *node = xml_child(rule, str_from_cstr(action));
    enum s3_error err;

    if (node == NULL)
        return S3_OK;
    if (!xml_has_only(node, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    err = check_number(op, node, "DaysAfterInitiation", action, LIFECYCLE_DAYS_MAX);
    return err == S3_OK ? refuse_conditions(op, rule, action) : err;
}

static enum s3_error check_actions(struct op *op, const struct xml_node *rule)
{
    static enum s3_error (*const checks[])(struct op *, const struct xml_node *) = {
        check_expiration, check_noncurrent_expiration, check_transitions, check_order, check_abort,
    };
    enum s3_error err = S3_OK;
    bool any = false;

    for (const struct xml_node *at = rule->children; at != NULL; at = at->next)
        any = any || !(str_eq(at->name, STR("ID")) || str_eq(at->name, STR("Prefix")) ||
                       str_eq(at->name, STR("Filter")) || str_eq(at->name, STR("Status")));
    if (!any)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("At least one action needs to be specified in a rule"));
    for (size_t i = 0; i < COUNT_OF(checks) && err == S3_OK; i++)
        err = checks[i](op, rule);
    return err;
}

/* ---- rules --------------------------------------------------------------------------------------- */

static enum s3_error check_id(struct op *op, const struct xml_node *root,
                              const struct xml_node *rule)
{
    struct str id = xml_child_text(rule, STR("ID"));

    if (id.len > LIFECYCLE_ID_BYTES_MAX)
        return op_fail_argument(op, STR("ID length should not exceed allowed limit of 255"),
                                STR("ID"), id);
    for (const struct xml_node *at = root->children; id.len > 0 && at != rule; at = at->next)
        if (str_eq(xml_child_text(at, STR("ID")), id))
            return op_fail_argument(
                op, STR("Rule ID must be unique. Found same ID for more than one rule"), STR("ID"),
                id);
    return S3_OK;
}

static enum s3_error check_rule(struct op *op, const struct xml_node *root,
                                const struct xml_node *rule)
{
    static const struct xml_expected children[] = {
        { "ID", false, false },
        { "Prefix", false, false },
        { "Filter", false, false },
        { "Status", true, false },
        { "Transition", false, true },
        { "NoncurrentVersionTransition", false, true },
        { "Expiration", false, false },
        { "NoncurrentVersionExpiration", false, false },
        { "AbortIncompleteMultipartUpload", false, false },
    };
    struct str status = xml_child_text(rule, STR("Status"));
    enum s3_error err;

    if (!xml_has_only(rule, children, COUNT_OF(children)) ||
        !(str_eq(status, STR("Enabled")) || str_eq(status, STR("Disabled"))))
        return op_fail(op, S3_MalformedXML);
    err = check_filter(op, rule);
    if (err == S3_OK)
        err = check_id(op, root, rule);
    return err == S3_OK ? check_actions(op, rule) : err;
}

/* The older form and the newer do not stand beside each other. */
static enum s3_error check_forms(struct op *op, const struct xml_node *root)
{
    const struct xml_node *first = root->children;

    for (const struct xml_node *at = first; at != NULL; at = at->next)
        if ((xml_child(at, STR("Filter")) == NULL) != (xml_child(first, STR("Filter")) == NULL))
            return op_fail_text(op, S3_InvalidRequest,
                                STR("Base level prefix cannot be used in Lifecycle V2, prefixes "
                                    "are only supported in the Filter."));
    return S3_OK;
}

static bool lacks_id(const struct xml_node *root)
{
    for (const struct xml_node *at = root->children; at != NULL; at = at->next)
        if (xml_child_text(at, STR("ID")).len == 0)
            return true;
    return false;
}

/* Again, with an ID in each rule. */
static void write_with_ids(const struct xml_node *root, struct buf *out)
{
    char id[2 * MADE_ID_BYTES];
    uint8_t bytes[MADE_ID_BYTES];

    buf_lit(out, "<LifecycleConfiguration xmlns=\"" XML_NS_S3 "\">");
    for (const struct xml_node *rule = root->children; rule != NULL; rule = rule->next) {
        bool has_id = xml_child_text(rule, STR("ID")).len > 0;

        random_bytes(bytes, sizeof(bytes));
        hex_encode(bytes, sizeof(bytes), id);
        xml_open(out, STR("Rule"));
        if (!has_id)
            xml_text(out, STR("ID"), str_make(id, sizeof(id)));
        for (const struct xml_node *at = rule->children; at != NULL; at = at->next)
            if (has_id || !str_eq(at->name, STR("ID")))
                xml_tree(out, at);
        xml_close(out, STR("Rule"));
    }
    xml_close(out, LIFECYCLE_ROOT);
}

/* What of the document and of the header is kept. */
static enum s3_error keep(struct op *op, const struct xml_node *root, bool vary,
                          struct str *ret_stored)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(2 * S3_RULES_BYTES_MAX);
    struct str document = STR_NONE;
    enum s3_error err = document_read_plain(op, root, &document);

    if (err != S3_OK)
        return err;
    if (vary) {
        buf_str(&out, LIFECYCLE_SMALL_VARY);
        buf_lit(&out, "\n");
    }
    if (lacks_id(root))
        write_with_ids(root, &out);
    else
        buf_str(&out, document);
    *ret_stored = out.failed ? STR_NONE : arena_dup(op->arena, buf_view(&out));
    return str_present(*ret_stored) ? S3_OK : op_fail(op, S3_SlowDown);
}

enum s3_error lifecycle_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    static const struct xml_expected children[] = { { "Rule", true, true } };
    struct str word = op_header(op, SMALL_HEADER);
    bool vary = str_eq(word, LIFECYCLE_SMALL_VARY);
    enum s3_error err = S3_OK;

    if (str_present(word) && !vary && !str_eq(word, LIFECYCLE_SMALL_STAY))
        return op_fail_text(op, S3_InvalidRequest,
                            arena_printf(op->arena,
                                         "Invalid TransitionDefaultMinimumObjectSize found: %.*s",
                                         STR_ARG(word)));
    if (!xml_has_only(root, children, COUNT_OF(children)) ||
        xml_child_count(root, STR("Rule")) > LIFECYCLE_RULES_MAX)
        return op_fail(op, S3_MalformedXML);
    for (const struct xml_node *at = root->children; at != NULL && err == S3_OK; at = at->next)
        err = check_rule(op, root, at);
    if (err == S3_OK)
        err = check_forms(op, root);
    if (err == S3_OK)
        err = keep(op, root, vary, ret_stored);
    if (err == S3_OK)
        op_set(op, SMALL_HEADER, vary ? LIFECYCLE_SMALL_VARY : LIFECYCLE_SMALL_STAY);
    return err;
}

enum s3_error lifecycle_show(struct op *op, struct str stored)
{
    struct str word;
    struct str document = lifecycle_stored_document(stored, &word);

    op_set(op, SMALL_HEADER, word);
    return document_show_plain(op, document);
}
