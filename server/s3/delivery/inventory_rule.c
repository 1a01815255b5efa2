/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an inventory configuration says; see inventory_rule.h.
 */
#include "server/s3/delivery/inventory_rule.h"

#include "server/s3/documents.h"
#include "server/s3/limits.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"

#define ARN_START STR("arn:aws:s3:::")
#define KMS_KEY_BYTES_MAX 2048 /* KMS's own limit of a KeyId */
#define ACCOUNT_DIGITS 12

struct str inventory_field_name(enum inventory_field field)
{
    static const struct str names[] = {
#define F(NAME) STR_INIT(#NAME),
#include "server/s3/delivery/inventory_fields.def"
#undef F
    };

    return names[field];
}

/* ---- parts ------------------------------------------------------------------------------------- */

static bool is_account(struct str text)
{
    uint64_t number;

    return text.len == ACCOUNT_DIGITS && str_to_u64(text, &number);
}

/* One of two words. */
static bool choose(struct str text, struct str no, struct str yes, bool *ret_yes)
{
    *ret_yes = str_eq(text, yes);
    return *ret_yes || str_eq(text, no);
}

static bool read_fields(const struct xml_node *list, struct inventory_rule *rule)
{
    static const struct xml_expected children[] = { { "Field", false, true } };

    if (list == NULL)
        return true;
    if (!xml_has_only(list, children, COUNT_OF(children)))
        return false;
    for (const struct xml_node *at = list->children; at != NULL; at = at->next) {
        unsigned field = 0;

        while (field < INVENTORY_FIELDS &&
               !str_eq(str_trim(at->text), inventory_field_name((enum inventory_field)field)))
            field++;
        if (field == INVENTORY_FIELDS)
            return false;
        rule->fields |= 1u << field;
    }
    return true;
}

/* SSE-S3, or SSE-KMS with a key. */
static bool read_encryption(const struct xml_node *node, struct inventory_rule *rule)
{
    static const struct xml_expected children[] = { { "SSE-S3", false, false },
                                                    { "SSE-KMS", false, false } };
    static const struct xml_expected key[] = { { "KeyId", true, false } };
    const struct xml_node *kms;

    if (node == NULL)
        return true;
    kms = xml_child(node, STR("SSE-KMS"));
    if (!xml_has_only(node, children, COUNT_OF(children)) || node->children == NULL ||
        node->children->next != NULL)
        return false;
    rule->encryption = kms != NULL ? INVENTORY_SSE_KMS : INVENTORY_SSE_S3;
    if (kms == NULL)
        return true;
    rule->kms_key = xml_child_text(kms, STR("KeyId"));
    return xml_has_only(kms, key, COUNT_OF(key)) && rule->kms_key.len > 0 &&
           rule->kms_key.len <= KMS_KEY_BYTES_MAX && str_is_printable(rule->kms_key);
}

static bool read_filter(const struct xml_node *filter, struct inventory_rule *rule)
{
    static const struct xml_expected children[] = { { "Prefix", true, false } };

    rule->prefix = STR("");
    if (filter == NULL)
        return true;
    if (!xml_has_only(filter, children, COUNT_OF(children)))
        return false;
    rule->prefix = xml_child(filter, STR("Prefix"))->text;
    return rule->prefix.len <= STORE_KEY_BYTES_MAX;
}

static bool read_schedule(const struct xml_node *schedule, struct inventory_rule *rule)
{
    static const struct xml_expected children[] = { { "Frequency", true, false } };

    return xml_has_only(schedule, children, COUNT_OF(children)) &&
           choose(xml_child_text(schedule, STR("Frequency")), STR("Daily"), STR("Weekly"),
                  &rule->weekly);
}

static enum inventory_verdict read_place(const struct xml_node *place, struct inventory_rule *rule)
{
    static const struct xml_expected children[] = { { "AccountId", false, false },
                                                    { "Bucket", true, false },
                                                    { "Format", true, false },
                                                    { "Prefix", false, false },
                                                    { "Encryption", false, false } };
    struct str format = xml_child_text(place, STR("Format"));
    struct str arn = xml_child_text(place, STR("Bucket"));
    const struct xml_node *prefix = xml_child(place, STR("Prefix"));
    bool csv = str_eq(format, STR("CSV"));

    if (!xml_has_only(place, children, COUNT_OF(children)) ||
        (!csv && !str_eq(format, STR("ORC")) && !str_eq(format, STR("Parquet"))) ||
        !read_encryption(xml_child(place, STR("Encryption")), rule))
        return INVENTORY_MALFORMED;
    rule->account = xml_child_text(place, STR("AccountId"));
    rule->destination_prefix = prefix != NULL ? prefix->text : STR("");
    if (rule->destination_prefix.len > S3_DELIVERY_PREFIX_BYTES_MAX ||
        (str_present(rule->account) && !is_account(rule->account)))
        return INVENTORY_MALFORMED;
    if (!str_starts(arn, ARN_START) || s3_bucket_name_fault(str_skip(arn, ARN_START.len)) != NULL)
        return INVENTORY_BAD_DESTINATION;
    rule->destination = str_skip(arn, ARN_START.len);
    return csv ? INVENTORY_GOOD : INVENTORY_NOT_CSV;
}

/* ---- the whole --------------------------------------------------------------------------------- */

enum inventory_verdict inventory_rule_parse(const struct xml_node *root,
                                            struct inventory_rule *ret_rule)
{
    static const struct xml_expected children[] = {
        { "Destination", true, false },     { "IsEnabled", true, false },
        { "Filter", false, false },         { "Id", true, false },
        { "OptionalFields", false, false }, { "IncludedObjectVersions", true, false },
        { "Schedule", true, false },
    };
    static const struct xml_expected places[] = { { "S3BucketDestination", true, false } };
    const struct xml_node *destination = xml_child(root, STR("Destination"));
    struct inventory_rule rule = { .id = xml_child_text(root, STR("Id")), .kms_key = STR_NONE };
    enum inventory_verdict verdict;

    if (!xml_has_only(root, children, COUNT_OF(children)) ||
        !xml_has_only(destination, places, COUNT_OF(places)) ||
        !choose(xml_child_text(root, STR("IsEnabled")), STR("false"), STR("true"), &rule.enabled) ||
        !choose(xml_child_text(root, STR("IncludedObjectVersions")), STR("Current"), STR("All"),
                &rule.all_versions) ||
        !read_schedule(xml_child(root, STR("Schedule")), &rule) ||
        !read_filter(xml_child(root, STR("Filter")), &rule) ||
        !read_fields(xml_child(root, STR("OptionalFields")), &rule))
        return INVENTORY_MALFORMED;
    verdict = read_place(xml_child(destination, STR("S3BucketDestination")), &rule);
    if (verdict == INVENTORY_GOOD)
        *ret_rule = rule;
    return verdict;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketInventoryConfiguration.html */
enum s3_error inventory_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    struct inventory_rule rule;

    switch (inventory_rule_parse(root, &rule)) {
    case INVENTORY_GOOD:
        return document_read_plain(op, root, ret_stored);
    case INVENTORY_BAD_DESTINATION:
        return op_fail(op, S3_InvalidS3DestinationBucket);
    case INVENTORY_NOT_CSV:
        return op_fail_text(op, S3_NotImplemented,
                            STR("Inventories are delivered as CSV here, not as ORC or Parquet."));
    default:
        return op_fail(op, S3_MalformedXML);
    }
}
