/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two documents of a bucket that say what its ACLs are worth: ownership controls and the public
 * access block. What they do: access.c (who may), acl_request.c (what a request may set).
 */
#include "server/s3/op.h"

#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/documents.h"
#include "server/s3/refuse.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

/* ---- ownership controls: kept by name ---------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html */
enum s3_error ownership_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    const struct xml_node *rule = root->children;
    struct str name;

    if (rule == NULL || rule->next != NULL || !str_eq(rule->name, STR("Rule")) ||
        rule->children == NULL || rule->children->next != NULL)
        return op_fail(op, S3_MalformedXML);
    name = xml_child_text(rule, STR("ObjectOwnership"));
    if (ownership_from_name(name) == OWNERSHIP_UNSET)
        return op_fail(op, S3_MalformedXML);
    if (ownership_from_name(name) == OWNERSHIP_OWNER_ENFORCED && str_present(op->bucket.acl))
        return op_fail(op, S3_InvalidBucketAclWithObjectOwnership);
    *ret_stored = name;
    return S3_OK;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html */
enum s3_error ownership_show(struct op *op, struct str stored)
{
    struct buf out = BUF_WITH_MAX(S3_XML_BYTES_MAX);

    xml_begin(&out, STR("OwnershipControls"));
    xml_open(&out, STR("Rule"));
    xml_text(&out, STR("ObjectOwnership"), stored);
    xml_close(&out, STR("Rule"));
    xml_close(&out, STR("OwnershipControls"));
    return op_reply_xml(op, &out);
}

/* ---- public access block: kept as the names of what is blocked --------------------------------- */

/* One setting, true or false. False: it is neither. */
static bool setting_from_xml(const struct xml_node *node, unsigned *ret_setting, bool *ret_on)
{
    struct str text = str_trim(node->text);

    *ret_setting = public_access_block_from_name(node->name);
    *ret_on = str_eq_nocase(text, STR("true"));
    return *ret_setting != 0 && (*ret_on || str_eq_nocase(text, STR("false")));
}

static struct str names_of(struct op *op, unsigned blocked)
{
    struct str names = STR("");

    for (size_t i = 0; str_present(public_access_block_name(i)); i++)
        if ((blocked & 1u << i) != 0)
            names = arena_printf(op->arena, "%.*s%s%.*s", STR_ARG(names), names.len > 0 ? " " : "",
                                 STR_ARG(public_access_block_name(i)));
    return names;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html */
enum s3_error access_block_read(struct op *op, const struct xml_node *root, struct str *ret_stored)
{
    unsigned given = 0;
    unsigned blocked = 0;

    for (const struct xml_node *node = root->children; node != NULL; node = node->next) {
        unsigned setting;
        bool on;

        if (!setting_from_xml(node, &setting, &on) || (given & setting) != 0)
            return op_fail(op, S3_MalformedXML);
        given |= setting;
        blocked |= on ? setting : 0;
    }
    if (given == 0)
        return op_fail_text(op, S3_InvalidRequest, STR("Must specify at least one configuration."));
    *ret_stored = names_of(op, blocked);
    return str_present(*ret_stored) ? S3_OK : op_fail(op, S3_SlowDown);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html */
enum s3_error access_block_show(struct op *op, struct str stored UNUSED)
{
    struct buf out = BUF_WITH_MAX(S3_XML_BYTES_MAX);

    xml_begin(&out, STR("PublicAccessBlockConfiguration"));
    for (size_t i = 0; str_present(public_access_block_name(i)); i++)
        xml_bool(&out, public_access_block_name(i), (op->config->access.blocked & 1u << i) != 0);
    xml_close(&out, STR("PublicAccessBlockConfiguration"));
    return op_reply_xml(op, &out);
}
