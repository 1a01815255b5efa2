/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetObjectAttributes: parts of what GET and HEAD say, as a document.
 */
#include "server/s3/ops/multipart.h"

#include "server/s3/answer.h"
#include "server/s3/elements.h"
#include "server/s3/encryption/customer_key.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/ops/list_form.h"
#include "server/s3/refuse.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/checksums.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

#define ATTRIBUTES_XML_BYTES_MAX (4u * 1024u * 1024u)

enum attribute {
    ATTRIBUTE_ETAG = 1,
    ATTRIBUTE_CHECKSUM = 2,
    ATTRIBUTE_PARTS = 4,
    ATTRIBUTE_STORAGE_CLASS = 8,
    ATTRIBUTE_SIZE = 16,
};

static const struct {
    struct str name;
    enum attribute bit;
} attribute_names[] = {
    { STR_INIT("ETag"), ATTRIBUTE_ETAG },
    { STR_INIT("Checksum"), ATTRIBUTE_CHECKSUM },
    { STR_INIT("ObjectParts"), ATTRIBUTE_PARTS },
    { STR_INIT("StorageClass"), ATTRIBUTE_STORAGE_CLASS },
    { STR_INIT("ObjectSize"), ATTRIBUTE_SIZE },
};

static unsigned attribute_bit(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(attribute_names); i++)
        if (str_eq(attribute_names[i].name, name))
            return attribute_names[i].bit;
    return 0;
}

/* Several headers, or one with commas. */
static enum s3_error asked_attributes(struct op *op, unsigned *ret_bits)
{
    unsigned bits = 0;

    for (size_t i = 0; i < op->request->field_count; i++) {
        struct str rest = op->request->fields[i].value;
        struct str name;

        if (!str_eq_nocase(op->request->fields[i].name, STR("x-amz-object-attributes")))
            continue;
        while (str_next(&rest, ',', &name)) {
            unsigned bit = attribute_bit(str_trim(name));

            if (bit == 0)
                return op_fail_argument(op, STR("Invalid attribute name specified."),
                                        STR("x-amz-object-attributes"), str_trim(name));
            bits |= bit;
        }
    }
    *ret_bits = bits;
    if (bits == 0)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The x-amz-object-attributes header specifying the attributes to "
                                "be retrieved is either missing or empty"));
    return S3_OK;
}

/* ---- ObjectParts --------------------------------------------------------------------------------- */

static bool visit_part(void *context, const struct part *part)
{
    struct part_page *page = context;
    struct buf *out = &page->parts;
    struct stored_checksum checksum;

    if (!part_page_take(page, part))
        return false;
    xml_open(out, STR("Part"));
    if (stored_checksum_unpack(part->checksum, &checksum))
        xml_checksum(page->op, out, &checksum, /* with_type= */ false);
    xml_u64(out, STR("PartNumber"), part->number);
    xml_u64(out, STR("Size"), part->size_bytes);
    xml_close(out, STR("Part"));
    return !out->failed;
}

static enum s3_error count_header(struct op *op, const char *name, uint32_t most,
                                  uint32_t *ret_count)
{
    return op_count(op, op_header(op, name), str_from_cstr(name), str_from_cstr(name), most,
                    ret_count);
}

/* The parts one by one only where the object's checksum is made of theirs (AWS). */
static bool shows_parts(const struct version *version)
{
    struct stored_checksum checksum;

    return stored_checksum_unpack(version->attrs.checksum, &checksum) &&
           checksum.type == CHECKSUM_COMPOSITE;
}

static enum s3_error write_parts(struct op *op, struct buf *out, uint32_t max, uint32_t marker)
{
    CLEANUP(part_page_free)
    struct part_page page = { .op = op,
                              .max = max,
                              .parts = BUF_WITH_MAX(ATTRIBUTES_XML_BYTES_MAX) };
    bool each = shows_parts(&op->version);
    enum store_status status = STORE_OK;

    if (each && page.max > 0)
        status = object_part_list(op->reader, &op->version, marker, page.max + 1, visit_part, &page,
                                  &op->fault);
    if (status != STORE_OK && status != STORE_STOPPED)
        return s3_from_store(op, status);
    xml_open(out, STR("ObjectParts"));
    xml_u64(out, STR("PartsCount"), op->version.part_count);
    if (each) {
        part_page_bounds(&page, out, marker);
        buf_str(out, buf_view(&page.parts));
    }
    xml_close(out, STR("ObjectParts"));
    return page.parts.failed ? op_fail(op, S3_SlowDown) : S3_OK;
}

static void write_checksum(struct op *op, struct buf *out)
{
    struct stored_checksum checksum;

    if (!stored_checksum_unpack(op->version.attrs.checksum, &checksum))
        return;
    xml_open(out, STR("Checksum"));
    /* Here, other than in headers, a composite value is without its "-N" (AWS). */
    if (checksum.type == CHECKSUM_COMPOSITE) {
        struct stored_checksum bare = checksum;

        bare.type = CHECKSUM_TYPE_NONE;
        xml_checksum(op, out, &bare, /* with_type= */ false);
        xml_text(out, STR("ChecksumType"), checksum_type_name(checksum.type));
    } else {
        xml_checksum(op, out, &checksum, /* with_type= */ true);
    }
    xml_close(out, STR("Checksum"));
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
enum s3_error op_GetObjectAttributes(struct op *op)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(ATTRIBUTES_XML_BYTES_MAX);
    const struct version *version = &op->version;
    unsigned bits;
    uint32_t max_parts = STORE_LIST_MAX;
    uint32_t marker = 0;
    enum s3_error err = asked_attributes(op, &bits);

    if (err == S3_OK)
        err = customer_key_for_reading(op);
    if (err == S3_OK)
        err = count_header(op, "x-amz-max-parts", STORE_LIST_MAX, &max_parts);
    if (err == S3_OK)
        err = count_header(op, "x-amz-part-number-marker", STORE_PARTS_MAX, &marker);
    if (err != S3_OK)
        return err;
    op_set_http_date(op, "Last-Modified", version->modified_us);
    if (op->bucket.versioning != VERSIONING_NEVER)
        op_set_version_id(op, version);
    xml_begin(&out, STR("GetObjectAttributesResponse"));
    /* The one place where S3 gives an ETag without quotes. */
    if (bits & ATTRIBUTE_ETAG)
        xml_text(&out, STR("ETag"), version->attrs.etag);
    if (bits & ATTRIBUTE_CHECKSUM)
        write_checksum(op, &out);
    if ((bits & ATTRIBUTE_PARTS) && version->part_count > 0)
        err = write_parts(op, &out, max_parts, marker);
    if (err != S3_OK)
        return err;
    if (bits & ATTRIBUTE_STORAGE_CLASS)
        xml_text(&out, STR("StorageClass"), storage_class_name(version->attrs.storage_class));
    if (bits & ATTRIBUTE_SIZE)
        xml_u64(&out, STR("ObjectSize"), version->size_bytes);
    xml_close(&out, STR("GetObjectAttributesResponse"));
    return op_reply_xml(op, &out);
}
