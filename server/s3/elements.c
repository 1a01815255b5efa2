/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements that the documents of several operations share.
 */
#include "server/s3/elements.h"

#include "server/s3/request/checksums.h"
#include "server/xml/xml.h"

void xml_checksum(struct op *op, struct buf *out, const struct stored_checksum *checksum,
                  bool with_type)
{
    struct str text = stored_checksum_text(op, checksum);
    struct str type = checksum_type_name(checksum->type);

    if (!str_present(text)) {
        out->failed = true;
        return;
    }
    buf_lit(out, "<Checksum");
    buf_str(out, checksum_name(checksum->kind));
    buf_char(out, '>');
    buf_str(out, text);
    buf_lit(out, "</Checksum");
    buf_str(out, checksum_name(checksum->kind));
    buf_char(out, '>');
    if (with_type && str_present(type))
        xml_text(out, STR("ChecksumType"), type);
}

void xml_checksum_kind(struct buf *out, struct str packed)
{
    struct stored_checksum checksum;

    if (!stored_checksum_unpack(packed, &checksum))
        return;
    buf_lit(out, "<ChecksumAlgorithm>");
    buf_str(out, checksum_name(checksum.kind));
    buf_lit(out, "</ChecksumAlgorithm>");
    if (checksum.type == CHECKSUM_TYPE_NONE)
        return;
    buf_lit(out, "<ChecksumType>");
    buf_str(out, checksum_type_name(checksum.type));
    buf_lit(out, "</ChecksumType>");
}

enum checksum_kind xml_checksum_of(const struct xml_node *element)
{
    struct str prefix = STR("Checksum");

    if (!str_starts(element->name, prefix))
        return CHECKSUM_NONE;
    return checksum_from_name(str_skip(element->name, prefix.len));
}

void xml_owner(struct buf *out, struct str canonical_id)
{
    buf_lit(out, "<Owner>");
    xml_text(out, STR("ID"), canonical_id);
    buf_lit(out, "</Owner>");
}

void xml_initiator(struct op *op, struct buf *out, struct str canonical_id)
{
    struct user user;
    bool known = credentials_know(auth_credentials(op->auth_cache), CREDENTIALS_BY_CANONICAL_ID,
                                  canonical_id, &user) == CREDENTIALS_FOUND;

    buf_lit(out, "<Initiator>");
    xml_text(out, STR("ID"), canonical_id);
    if (known)
        xml_text(out, STR("DisplayName"), user.display_name);
    buf_lit(out, "</Initiator>");
}

void xml_etag(struct buf *out, struct str etag)
{
    buf_lit(out, "<ETag>&quot;");
    buf_str(out, etag);
    buf_lit(out, "&quot;</ETag>");
}
