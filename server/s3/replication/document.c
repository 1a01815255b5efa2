/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutBucketReplication: what a replication document may say. It is kept as it came, and rules without an
 * ID get one. What is compiled of it: compile.c.
 *
 * A rule with a Filter is one of the second version of the schema, with more elements than the first has.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html
 */
#include "server/s3/replication/rules.h"

#include "base/random.h"
#include "base/text/codec.h"
#include "server/auth/credentials.h"
#include "server/s3/documents.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/limits.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"
#include "server/s3/request/tags.h"
#include "server/s3/store_map.h"

#define MINUTES STR("15") /* the only time there is */
#define ID_BYTES 18
#define SCHEMA                                                                                     \
    "for this version of Cross Region Replication configuration schema. Please refer to S3 "       \
    "Developer Guide for more information."

static enum s3_error refuse(struct op *op, const char *text)
{
    return op_fail_text(op, S3_InvalidRequest, str_from_cstr(text));
}

static bool is_status(const struct xml_node *node)
{
    struct str text = xml_child_text(node, STR("Status"));

    return str_eq(text, STR("Enabled")) || str_eq(text, STR("Disabled"));
}

static bool is_enabled(const struct xml_node *node)
{
    return node != NULL && str_eq(xml_child_text(node, STR("Status")), STR("Enabled"));
}

/* NULL, or an element of a Status alone. */
static bool is_switch(const struct xml_node *node)
{
    static const struct xml_expected children[] = { { "Status", true, false } };

    return node == NULL || (xml_has_only(node, children, COUNT_OF(children)) && is_status(node));
}

static bool chars_at_most(struct str text, size_t max)
{
    size_t chars = 0;

    while (text.len > 0) {
        (void)str_next_char(&text);
        chars++;
    }
    return chars <= max;
}

/* ---- the filter -------------------------------------------------------------------------------- */

static enum s3_error check_conditions(struct op *op, const struct xml_node *from)
{
    struct xml_node tags = { .name = STR("Tags") };
    struct xml_node **end = &tags.children;
    struct str packed;

    /* Their rules are those of an object's tags. */
    for (const struct xml_node *at = from->children; at != NULL; at = at->next) {
        struct xml_node *tag = ARENA_NEW(op->arena, struct xml_node);

        if (!str_eq(at->name, STR("Tag")))
            continue;
        if (tag == NULL)
            return op_fail(op, S3_SlowDown);
        *tag = *at;
        tag->next = NULL;
        *end = tag;
        end = &tag->next;
    }
    if (!chars_at_most(xml_child_text(from, STR("Prefix")), REPLICATION_PREFIX_CHARS_MAX))
        return op_fail(op, S3_MalformedXML);
    return tags.children != NULL ? tags_from_xml(op, &tags, TAGS_OF_OBJECT, &packed) : S3_OK;
}

static enum s3_error check_filter(struct op *op, const struct xml_node *filter)
{
    static const struct xml_expected one[] = { { "Prefix", false, false },
                                               { "Tag", false, false },
                                               { "And", false, false } };
    static const struct xml_expected many[] = { { "Prefix", false, false },
                                                { "Tag", false, true } };
    const struct xml_node *and = xml_child(filter, STR("And"));

    if (!xml_has_only(filter, one, COUNT_OF(one)) ||
        (filter->children != NULL && filter->children->next != NULL))
        return op_fail(op, S3_MalformedXML);
    if (and == NULL)
        return check_conditions(op, filter);
    if (!xml_has_only(and, many, COUNT_OF(many)) || xml_child(and, STR("Tag")) == NULL)
        return op_fail(op, S3_MalformedXML);
    return check_conditions(op, and);
}

static bool filters_by_tag(const struct xml_node *filter)
{
    const struct xml_node *and = xml_child(filter, STR("And"));

    return xml_child(and != NULL ? and : filter, STR("Tag")) != NULL;
}

/* ---- the destination --------------------------------------------------------------------------- */

/* NULL, or a Status with that element of Minutes. */
static bool is_timed(const struct xml_node *node, const char *name, bool required)
{
    const struct xml_expected children[] = { { "Status", true, false }, { name, required, false } };
    static const struct xml_expected minutes[] = { { "Minutes", true, false } };
    const struct xml_node *time = node != NULL ? xml_child(node, str_from_cstr(name)) : NULL;

    if (node == NULL)
        return true;
    return xml_has_only(node, children, COUNT_OF(children)) && is_status(node) &&
           (time == NULL || (xml_has_only(time, minutes, COUNT_OF(minutes)) &&
                             str_eq(xml_child_text(time, STR("Minutes")), MINUTES)));
}

static bool is_translation(const struct xml_node *node)
{
    static const struct xml_expected children[] = { { "Owner", true, false } };

    return node == NULL || (xml_has_only(node, children, COUNT_OF(children)) &&
                            str_eq(xml_child_text(node, STR("Owner")), STR("Destination")));
}

static bool is_encryption(const struct xml_node *node)
{
    static const struct xml_expected children[] = { { "ReplicaKmsKeyID", true, false } };
    struct str id = node != NULL ? xml_child_text(node, STR("ReplicaKmsKeyID")) : STR_NONE;

    return node == NULL || (xml_has_only(node, children, COUNT_OF(children)) && id.len > 0 &&
                            id.len <= 2048 && str_is_printable(id));
}

static enum s3_error check_form(struct op *op, const struct xml_node *destination)
{
    static const struct xml_expected children[] = {
        { "Bucket", true, false },
        { "Account", false, false },
        { "StorageClass", false, false },
        { "AccessControlTranslation", false, false },
        { "EncryptionConfiguration", false, false },
        { "ReplicationTime", false, false },
        { "Metrics", false, false },
    };
    struct str class = xml_child_text(destination, STR("StorageClass"));
    struct str account = xml_child_text(destination, STR("Account"));
    const struct xml_node *time = xml_child(destination, STR("ReplicationTime"));
    uint8_t number;

    if (!xml_has_only(destination, children, COUNT_OF(children)) ||
        (str_present(class) && (class.len == 0 || !storage_class_parse(class, &number))) ||
        (str_present(account) && !users_account_good(account)) ||
        !is_translation(xml_child(destination, STR("AccessControlTranslation"))) ||
        !is_encryption(xml_child(destination, STR("EncryptionConfiguration"))) ||
        !is_timed(time, "Time", /* required= */ true) ||
        !is_timed(xml_child(destination, STR("Metrics")), "EventThreshold", /* required= */ false))
        return op_fail(op, S3_MalformedXML);
    if (is_enabled(time) && !is_enabled(xml_child(destination, STR("Metrics"))))
        return refuse(op, "Metrics must be enabled where ReplicationTime is.");
    if (xml_child(destination, STR("AccessControlTranslation")) != NULL && !str_present(account))
        return refuse(op, "Account must be specified if AccessControlTranslation is present.");
    return S3_OK;
}

static enum s3_error check_bucket(struct op *op, struct str arn)
{
    struct str name = replication_bucket_of(arn);
    struct bucket bucket;
    enum store_status status;

    if (!str_present(name))
        return op_fail_argument(op, STR("Invalid bucket ARN"), STR("Bucket"), arn);
    if (str_eq(name, op->bucket_name))
        return refuse(op, "Destination bucket cannot be the same as the source bucket.");
    status = bucket_get(op->reader, name, op->arena, &bucket, &op->fault);
    if (status != STORE_OK && status != STORE_NO_BUCKET)
        return s3_from_store(op, status);
    return status == STORE_OK && bucket.versioning == VERSIONING_ENABLED
               ? S3_OK
               : refuse(op, "Destination bucket must have versioning enabled.");
}

/* ---- a rule ------------------------------------------------------------------------------------ */

static enum s3_error check_selection(struct op *op, const struct xml_node *rule, bool second)
{
    static const struct xml_expected children[] = { { "SseKmsEncryptedObjects", false, false },
                                                    { "ReplicaModifications", false, false } };
    const struct xml_node *criteria = xml_child(rule, STR("SourceSelectionCriteria"));
    const struct xml_node *destination = xml_child(rule, STR("Destination"));
    const struct xml_node *key = xml_child(destination, STR("EncryptionConfiguration"));
    const struct xml_node *kms = NULL;
    const struct xml_node *replicas = NULL;

    if (criteria != NULL) {
        kms = xml_child(criteria, STR("SseKmsEncryptedObjects"));
        replicas = xml_child(criteria, STR("ReplicaModifications"));
        if (criteria->children == NULL || !xml_has_only(criteria, children, COUNT_OF(children)) ||
            !is_switch(kms) || !is_switch(replicas))
            return op_fail(op, S3_MalformedXML);
    }
    if (replicas != NULL && !second)
        return refuse(op, "ReplicaModifications cannot be used " SCHEMA);
    if (kms == NULL && key != NULL)
        return refuse(op, "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is "
                          "present.");
    if (is_enabled(kms) && key == NULL)
        return refuse(op, "EncryptionConfiguration must be specified if SseKmsEncryptedObjects is "
                          "present.");
    return S3_OK;
}

/* What the two versions of the schema differ in. */
static enum s3_error check_version(struct op *op, const struct xml_node *rule)
{
    const struct xml_node *filter = xml_child(rule, STR("Filter"));
    const struct xml_node *markers = xml_child(rule, STR("DeleteMarkerReplication"));
    bool priority = xml_child(rule, STR("Priority")) != NULL;

    if (filter == NULL && markers != NULL)
        return refuse(op, "DeleteMarkerReplication cannot be used " SCHEMA);
    if (filter == NULL && priority)
        return refuse(op, "Priority cannot be used " SCHEMA);
    if (filter == NULL)
        return chars_at_most(xml_child_text(rule, STR("Prefix")), REPLICATION_PREFIX_CHARS_MAX)
                   ? S3_OK
                   : op_fail(op, S3_MalformedXML);
    if (!priority)
        return refuse(op, "Priority must be specified " SCHEMA);
    if (markers == NULL)
        return refuse(op, "DeleteMarkerReplication must be specified " SCHEMA);
    if (is_enabled(markers) && filters_by_tag(filter))
        return refuse(op, "Delete marker replication is not supported if any Tag filter is "
                          "specified. Please refer to S3 Developer Guide for more information.");
    return check_filter(op, filter);
}

static bool priority_is_good(const struct xml_node *rule)
{
    struct str text = xml_child_text(rule, STR("Priority"));
    uint64_t number;

    return !str_present(text) || (str_to_u64(text, &number) && number <= INT32_MAX);
}

static enum s3_error check_rule(struct op *op, const struct xml_node *rule)
{
    static const struct xml_expected children[] = {
        { "ID", false, false },
        { "Priority", false, false },
        { "Prefix", false, false },
        { "Filter", false, false },
        { "Status", true, false },
        { "SourceSelectionCriteria", false, false },
        { "ExistingObjectReplication", false, false },
        { "Destination", true, false },
        { "DeleteMarkerReplication", false, false },
    };
    const struct xml_node *existing = xml_child(rule, STR("ExistingObjectReplication"));
    const struct xml_node *markers = xml_child(rule, STR("DeleteMarkerReplication"));
    bool second = xml_child(rule, STR("Filter")) != NULL;
    enum s3_error err;

    /* S3 knows ExistingObjectReplication and takes none that is enabled. */
    if (!xml_has_only(rule, children, COUNT_OF(children)) || !is_status(rule) ||
        (xml_child(rule, STR("Prefix")) != NULL) == second || !priority_is_good(rule) ||
        !is_switch(markers) || !is_switch(existing) || is_enabled(existing))
        return op_fail(op, S3_MalformedXML);
    if (!chars_at_most(xml_child_text(rule, STR("ID")), REPLICATION_ID_CHARS_MAX))
        return op_fail_argument(op, STR("ID length should not exceed allowed limit of 255"),
                                STR("ID"), xml_child_text(rule, STR("ID")));
    err = check_version(op, rule);
    if (err == S3_OK)
        err = check_form(op, xml_child(rule, STR("Destination")));
    return err == S3_OK ? check_selection(op, rule, second) : err;
}

/* ---- all rules --------------------------------------------------------------------------------- */

/* An earlier rule has the same one. */
static bool is_repeated(const struct xml_node *root, const struct xml_node *rule, struct str name)
{
    struct str text = xml_child_text(rule, name);

    if (text.len == 0)
        return false;
    for (const struct xml_node *at = root->children; at != rule; at = at->next)
        if (str_eq(at->name, STR("Rule")) && str_eq(xml_child_text(at, name), text))
            return true;
    return false;
}

static struct str bucket_of(const struct xml_node *rule)
{
    return xml_child_text(xml_child(rule, STR("Destination")), STR("Bucket"));
}

/* A rule of the first version of the schema, among rules to other buckets. */
static bool goes_elsewhere(const struct xml_node *root, const struct xml_node *rule)
{
    if (xml_child(rule, STR("Filter")) != NULL)
        return false;
    for (const struct xml_node *at = root->children; at != rule; at = at->next)
        if (str_eq(at->name, STR("Rule")) && !str_eq(bucket_of(at), bucket_of(rule)))
            return true;
    return false;
}

static enum s3_error check_rules(struct op *op, const struct xml_node *root)
{
    enum s3_error err = S3_OK;

    for (const struct xml_node *at = root->children; at != NULL && err == S3_OK; at = at->next) {
        if (!str_eq(at->name, STR("Rule")))
            continue;
        err = check_rule(op, at);
        if (err == S3_OK && is_repeated(root, at, STR("ID")))
            err = op_fail_argument(op,
                                   STR("Rule ID must be unique. Found same ID for more than one "
                                       "rule"),
                                   STR("ID"), xml_child_text(at, STR("ID")));
        if (err == S3_OK && is_repeated(root, at, STR("Priority")))
            err = refuse(op, "Priority must be unique. Found same Priority for more than one rule");
        if (err == S3_OK && goes_elsewhere(root, at))
            err = refuse(op, "Number of distinct destination bucket ARNs cannot exceed 1");
    }
    return err;
}

static enum s3_error check_buckets(struct op *op, const struct xml_node *root)
{
    enum s3_error err = S3_OK;

    for (const struct xml_node *at = root->children; at != NULL && err == S3_OK; at = at->next)
        if (str_eq(at->name, STR("Rule")))
            err = check_bucket(op, bucket_of(at));
    return err;
}

/* By form: pail has no roles. */
static bool role_is_good(struct str role)
{
    struct str prefix = STR("arn:aws:iam::");
    struct str rest = str_starts(role, prefix) ? str_skip(role, prefix.len) : STR("");
    struct str account;

    return str_cut(rest, ':', &account, &rest) && users_account_good(account) &&
           str_starts(rest, STR("role/")) && rest.len > 5;
}

/* ---- kept -------------------------------------------------------------------------------------- */

static bool make_id(struct buf *out)
{
    uint8_t bytes[ID_BYTES];
    char text[2 * ID_BYTES];

    random_key_bytes(bytes, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), text);
    xml_text(out, STR("ID"), str_make(text, sizeof(text)));
    return !out->failed;
}

/* An element as it was read; no deeper than the parser goes (XML_DEPTH_MAX). */
static void write_node(struct buf *out, const struct xml_node *node)
{
    bool rule = str_eq(node->name, STR("Rule"));

    if (node->children == NULL && !rule) {
        xml_text(out, node->name, node->text);
        return;
    }
    xml_open(out, node->name);
    if (rule && xml_child_text(node, STR("ID")).len == 0)
        (void)make_id(out);
    for (const struct xml_node *at = node->children; at != NULL; at = at->next)
        if (!(rule && str_eq(at->name, STR("ID")) && str_trim(at->text).len == 0))
            write_node(out, at);
    xml_close(out, node->name);
}

static enum s3_error keep(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(2 * S3_RULES_BYTES_MAX);
    bool named = true;

    for (const struct xml_node *at = root->children; at != NULL; at = at->next)
        named = named && (!str_eq(at->name, STR("Rule")) || xml_child_text(at, STR("ID")).len > 0);
    if (named)
        return document_read_plain(op, root, ret_stored);
    buf_lit(&out, "<ReplicationConfiguration xmlns=\"" XML_NS_S3 "\">");
    for (const struct xml_node *at = root->children; at != NULL; at = at->next)
        write_node(&out, at);
    xml_close(&out, REPLICATION_ROOT);
    *ret_stored = out.failed ? STR_NONE : arena_dup(op->arena, buf_view(&out));
    return str_present(*ret_stored) ? S3_OK : op_fail(op, S3_SlowDown);
}

enum s3_error replication_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    static const struct xml_expected children[] = { { "Role", true, false },
                                                    { "Rule", true, true } };
    struct str role = xml_child_text(root, STR("Role"));
    enum s3_error err;

    if (!xml_has_only(root, children, COUNT_OF(children)) ||
        xml_child_count(root, STR("Rule")) > REPLICATION_RULES_MAX)
        return op_fail(op, S3_MalformedXML);
    if (!role_is_good(role))
        return op_fail_argument(op, STR("Invalid Role ARN"), STR("Role"), role);
    err = check_rules(op, root);
    if (err == S3_OK && op->bucket.versioning != VERSIONING_ENABLED)
        err = refuse(op, "Versioning must be 'Enabled' on the bucket to apply a replication "
                         "configuration");
    if (err == S3_OK)
        err = check_buckets(op, root);
    return err == S3_OK ? keep(op, root, ret_stored) : err;
}
