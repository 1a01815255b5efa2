/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of inventories; see inventory_row.h.
 */
#include "server/s3/delivery/inventory_row.h"

#include "base/text/codec.h"
#include "base/text/pairs.h"
#include "server/auth/acl.h"
#include "server/s3/encryption/method.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/request/checksums.h"
#include "server/s3/request/lock.h"

#define ACL_TEXT_BYTES_MAX (32u * 1024u)
#define BUCKET_KEY_HEADER "x-amz-server-side-encryption-bucket-key-enabled"

#define NEED_VERSION                                                                               \
    (1u << INVENTORY_IsMultipartUploaded | 1u << INVENTORY_EncryptionStatus |                      \
     1u << INVENTORY_ObjectLockRetainUntilDate | 1u << INVENTORY_ObjectLockMode |                  \
     1u << INVENTORY_ObjectLockLegalHoldStatus | 1u << INVENTORY_BucketKeyStatus |                 \
     1u << INVENTORY_ObjectAccessControlList)

bool inventory_needs_versions(const struct inventory_rule *rule)
{
    return (rule->fields & NEED_VERSION) != 0;
}

void inventory_schema(struct buf *out, const struct inventory_rule *rule)
{
    buf_lit(out, "Bucket, Key");
    if (rule->all_versions)
        buf_lit(out, ", VersionId, IsLatest, IsDeleteMarker");
    for (unsigned i = 0; i < INVENTORY_FIELDS; i++)
        if ((rule->fields & 1u << i) != 0) {
            buf_lit(out, ", ");
            buf_str(out, inventory_field_name((enum inventory_field)i));
        }
}

/* ---- fields ------------------------------------------------------------------------------------ */

/* Nothing that is written has a quote in it. */
static void field(struct buf *out, struct str text)
{
    buf_lit(out, ",\"");
    buf_str(out, text);
    buf_char(out, '"');
}

static void truth(struct buf *out, bool value)
{
    field(out, value ? STR("true") : STR("false"));
}

static void moment(struct buf *out, int64_t us)
{
    char text[CLOCK_ISO8601_LEN + 1];

    clock_format_iso8601(us, text);
    field(out, str_from_cstr(text));
}

static struct str encryption_name(uint8_t sse)
{
    switch (sse) {
    case SSE_AES256:
        return STR("SSE-S3");
    case SSE_KMS:
        return STR("SSE-KMS");
    case SSE_KMS_DSSE:
        return STR("DSSE-KMS");
    case SSE_CUSTOMER:
        return STR("SSE-C");
    default:
        return STR("NOT-SSE");
    }
}

static struct str checksum_of(struct str packed)
{
    struct stored_checksum checksum;

    return str_present(packed) && stored_checksum_unpack(packed, &checksum)
               ? checksum_name(checksum.kind)
               : STR("");
}

static const char *permission_name(unsigned permission)
{
    switch (permission) {
    case ACL_READ:
        return "READ";
    case ACL_WRITE:
        return "WRITE";
    case ACL_READ_ACP:
        return "READ_ACP";
    case ACL_WRITE_ACP:
        return "WRITE_ACP";
    default:
        return "FULL_CONTROL";
    }
}

static const char *group_uri(enum acl_grantee grantee)
{
    switch (grantee) {
    case ACL_ALL_USERS:
        return "http://acs.amazonaws.com/groups/global/AllUsers";
    case ACL_AUTHENTICATED_USERS:
        return "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
    default:
        return "http://acs.amazonaws.com/groups/s3/LogDelivery";
    }
}

/*
 * JSON in base64.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/objectacl.html
 */
static void acl_field(struct buf *out, const struct version *version, struct arena *arena)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(ACL_TEXT_BYTES_MAX);
    struct acl acl;
    char *encoded;

    if (!acl_unpack(version->attrs.acl, version->attrs.owner, arena, &acl)) {
        field(out, STR(""));
        return;
    }
    buf_lit(&text, "{\"version\":\"2022-11-10\",\"status\":\"AVAILABLE\",\"grants\":[");
    for (size_t i = 0; i < acl.count; i++) {
        const struct acl_grant *grant = &acl.grants[i];

        if (grant->grantee == ACL_USER)
            buf_printf(&text, "%s{\"canonicalId\":\"%.*s\",\"type\":\"CanonicalUser\"",
                       i > 0 ? "," : "", STR_ARG(grant->id));
        else
            buf_printf(&text, "%s{\"uri\":\"%s\",\"type\":\"Group\"", i > 0 ? "," : "",
                       group_uri(grant->grantee));
        buf_printf(&text, ",\"permission\":\"%s\"}", permission_name(grant->permission));
    }
    buf_lit(&text, "]}");
    encoded = text.failed ? NULL : arena_alloc(arena, BASE64_LEN(text.len));
    if (encoded == NULL) {
        out->failed = true;
        return;
    }
    base64_encode(text.p, text.len, encoded);
    field(out, str_make(encoded, BASE64_LEN(text.len)));
}

/* ---- rows -------------------------------------------------------------------------------------- */

static void lock_field(struct buf *out, enum inventory_field which, const struct version *version)
{
    const struct version_attrs *attrs = &version->attrs;

    if (which == INVENTORY_ObjectLockLegalHoldStatus)
        field(out, attrs->legal_hold == HOLD_ON ? STR("On") : STR("Off"));
    else if (attrs->lock_mode == LOCK_NONE)
        field(out, STR(""));
    else if (which == INVENTORY_ObjectLockMode)
        field(out, lock_mode_name(attrs->lock_mode));
    else
        moment(out, attrs->retain_until_us);
}

static void bucket_key_field(struct buf *out, const struct version *version)
{
    bool enabled = str_present(pairs_get(version->attrs.headers, STR(BUCKET_KEY_HEADER)));

    field(out, enabled ? STR("ENABLED") : STR("DISABLED"));
}

/* Of current versions. */
static void expiration_field(struct buf *out, const struct inventory_source *source,
                             const struct listed_version *listed)
{
    const struct lifecycle_version version = { .key = listed->key,
                                               .tags = listed->tags,
                                               .size_bytes = listed->size_bytes,
                                               .since_us = listed->modified_us };
    struct lifecycle_due due;

    if (listed->latest && source->lifecycle != NULL &&
        lifecycle_expiration(source->lifecycle, &version, source->day_us, &due))
        moment(out, due.at_us);
    else
        field(out, STR(""));
}

/* Of a version that is an object. */
static void optional_field(struct buf *out, enum inventory_field which,
                           const struct inventory_source *source,
                           const struct listed_version *listed, const struct version *version,
                           struct arena *arena)
{
    switch (which) {
    case INVENTORY_Size:
        buf_printf(out, ",\"%llu\"", (unsigned long long)listed->size_bytes);
        break;
    case INVENTORY_LastModifiedDate:
        moment(out, listed->modified_us);
        break;
    case INVENTORY_ETag:
        field(out, listed->etag);
        break;
    case INVENTORY_StorageClass:
        field(out, storage_class_name(listed->storage_class));
        break;
    case INVENTORY_IsMultipartUploaded:
        truth(out, version->part_count > 0);
        break;
    case INVENTORY_EncryptionStatus:
        field(out, encryption_name(version->attrs.sse));
        break;
    case INVENTORY_ObjectLockRetainUntilDate:
    case INVENTORY_ObjectLockMode:
    case INVENTORY_ObjectLockLegalHoldStatus:
        lock_field(out, which, version);
        break;
    case INVENTORY_BucketKeyStatus:
        bucket_key_field(out, version);
        break;
    case INVENTORY_ChecksumAlgorithm:
        field(out, checksum_of(listed->checksum));
        break;
    case INVENTORY_ObjectAccessControlList:
        acl_field(out, version, arena);
        break;
    case INVENTORY_ObjectOwner:
        field(out, listed->owner);
        break;
    case INVENTORY_LifecycleExpirationDate:
        expiration_field(out, source, listed);
        break;
    default: /* of what is not here */
        field(out, STR(""));
    }
}

/* A delete marker has a time and an owner. */
static void marker_field(struct buf *out, enum inventory_field which,
                         const struct listed_version *listed)
{
    if (which == INVENTORY_LastModifiedDate)
        moment(out, listed->modified_us);
    else
        field(out, which == INVENTORY_ObjectOwner ? listed->owner : STR(""));
}

void inventory_row(struct buf *out, const struct inventory_rule *rule,
                   const struct inventory_source *source, const struct listed_version *listed,
                   const struct version *version, struct arena *arena)
{
    char id[VERSION_TEXT_LEN];

    buf_printf(out, "\"%.*s\",\"", STR_ARG(source->bucket->name));
    uri_encode(out, listed->key, URI_LISTED);
    buf_char(out, '"');
    if (rule->all_versions) {
        field(out, source->bucket->versioning == VERSIONING_NEVER ? STR("")
                                                                  : listed_version_id(listed, id));
        truth(out, listed->latest);
        truth(out, listed->delete_marker);
    }
    for (unsigned i = 0; i < INVENTORY_FIELDS; i++) {
        if ((rule->fields & 1u << i) == 0)
            continue;
        if (listed->delete_marker)
            marker_field(out, (enum inventory_field)i, listed);
        else
            optional_field(out, (enum inventory_field)i, source, listed, version, arena);
    }
    buf_char(out, '\n');
}
