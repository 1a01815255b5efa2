/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations of which a bucket has many, each with an id: metrics, analytics, intelligent tiering.
 * They are judged and kept as they came. Ids, lists and limits: document.c.
 */
#include "server/s3/op.h"

#include "server/s3/documents.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"
#include "server/xml/xml.h"

#define TIER_DAYS_MAX 730

static bool is_one_of(struct str text, struct str a, struct str b)
{
    return str_eq(text, a) || str_eq(text, b);
}

static bool and_is_good(const struct xml_node *both)
{
    static const struct xml_expected children[] = { { "Prefix", false, false },
                                                    { "AccessPointArn", false, false },
                                                    { "Tag", false, true } };

    if (!xml_has_only(both, children, COUNT_OF(children)))
        return false;
    for (const struct xml_node *at = both->children; at != NULL; at = at->next)
        if (str_eq(at->name, STR("Tag")) && !xml_is_tag(at))
            return false;
    return both->children != NULL && both->children->next != NULL; /* at least two of them */
}

/* No filter, or one condition; several stand in an And. */
static bool filter_is_good(const struct xml_node *filter)
{
    static const struct xml_expected children[] = { { "Prefix", false, false },
                                                    { "AccessPointArn", false, false },
                                                    { "Tag", false, false },
                                                    { "And", false, false } };
    const struct xml_node *only;

    if (filter == NULL)
        return true;
    only = filter->children;
    if (only == NULL || only->next != NULL || !xml_has_only(filter, children, COUNT_OF(children)))
        return false;
    if (str_eq(only->name, STR("Tag")))
        return xml_is_tag(only);
    return !str_eq(only->name, STR("And")) || and_is_good(only);
}

/* ---- metrics ----------------------------------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketMetricsConfiguration.html */
enum s3_error metrics_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    static const struct xml_expected children[] = { { "Id", true, false },
                                                    { "Filter", false, false } };

    if (!xml_has_only(root, children, COUNT_OF(children)) ||
        !filter_is_good(xml_child(root, STR("Filter"))))
        return op_fail(op, S3_MalformedXML);
    return document_read_plain(op, root, ret_stored);
}

/* ---- analytics --------------------------------------------------------------------------------- */

static bool export_is_good(const struct xml_node *data)
{
    static const struct xml_expected children[] = { { "OutputSchemaVersion", true, false },
                                                    { "Destination", true, false } };
    static const struct xml_expected place[] = { { "Format", true, false },
                                                 { "BucketAccountId", false, false },
                                                 { "Bucket", true, false },
                                                 { "Prefix", false, false } };
    const struct xml_node *destination = xml_child(data, STR("Destination"));
    const struct xml_node *bucket =
        destination != NULL ? xml_child(destination, STR("S3BucketDestination")) : NULL;

    return bucket != NULL && xml_has_only(data, children, COUNT_OF(children)) &&
           xml_has_only(bucket, place, COUNT_OF(place)) &&
           str_eq(xml_child_text(data, STR("OutputSchemaVersion")), STR("V_1")) &&
           str_eq(xml_child_text(bucket, STR("Format")), STR("CSV")) &&
           str_starts(xml_child_text(bucket, STR("Bucket")), STR("arn:aws:s3:::"));
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAnalyticsConfiguration.html */
enum s3_error analytics_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    static const struct xml_expected children[] = { { "Id", true, false },
                                                    { "Filter", false, false },
                                                    { "StorageClassAnalysis", true, false } };
    static const struct xml_expected analysis[] = { { "DataExport", false, false } };
    const struct xml_node *node = xml_child(root, STR("StorageClassAnalysis"));
    const struct xml_node *data = node != NULL ? xml_child(node, STR("DataExport")) : NULL;

    if (node == NULL || !xml_has_only(root, children, COUNT_OF(children)) ||
        !xml_has_only(node, analysis, COUNT_OF(analysis)) ||
        !filter_is_good(xml_child(root, STR("Filter"))) || (data != NULL && !export_is_good(data)))
        return op_fail(op, S3_MalformedXML);
    return document_read_plain(op, root, ret_stored);
}

/* ---- intelligent tiering ----------------------------------------------------------------------- */

static bool tiering_is_good(const struct xml_node *tiering)
{
    static const struct xml_expected children[] = { { "Days", true, false },
                                                    { "AccessTier", true, false } };
    struct str tier = xml_child_text(tiering, STR("AccessTier"));
    uint64_t least = str_eq(tier, STR("ARCHIVE_ACCESS")) ? 90 : 180;
    uint64_t days;

    return xml_has_only(tiering, children, COUNT_OF(children)) &&
           is_one_of(tier, STR("ARCHIVE_ACCESS"), STR("DEEP_ARCHIVE_ACCESS")) &&
           str_to_u64(xml_child_text(tiering, STR("Days")), &days) && days >= least &&
           days <= TIER_DAYS_MAX;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketIntelligentTieringConfiguration.html */
enum s3_error tiering_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    static const struct xml_expected children[] = { { "Id", true, false },
                                                    { "Filter", false, false },
                                                    { "Status", true, false },
                                                    { "Tiering", true, true } };

    if (!xml_has_only(root, children, COUNT_OF(children)) ||
        !filter_is_good(xml_child(root, STR("Filter"))) ||
        !is_one_of(xml_child_text(root, STR("Status")), STR("Enabled"), STR("Disabled")))
        return op_fail(op, S3_MalformedXML);
    for (const struct xml_node *at = root->children; at != NULL; at = at->next)
        if (str_eq(at->name, STR("Tiering")) && !tiering_is_good(at))
            return op_fail(op, S3_MalformedXML);
    return document_read_plain(op, root, ret_stored);
}
