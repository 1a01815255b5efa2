/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CompleteMultipartUpload: the parts named, in their order, become one object.
 *
 * (1) O(parts): no bytes move. The store checks in its commit that no part changed meanwhile.
 * (2) The ETag is the MD5 of the parts' MD5s, then "-N"; the checksum is COMPOSITE (of the parts'
 *     values) or FULL_OBJECT (their CRCs combined). An upload made without an algorithm, S3's "null
 *     checksum mode", gets the CRC64NVME of the whole.
 * (3) It is answered again, with the same result, for as long as the store remembers the upload.
 */
#include "base/text/codec.h"
#include "server/s3/answer.h"
#include "server/s3/elements.h"
#include "server/s3/encryption/method.h"
#include "server/s3/lifecycle/tell.h"
#include "server/s3/limits.h"
#include "server/s3/ops/multipart.h"
#include "server/s3/refuse.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/checksums.h"
#include "server/s3/request/condition.h"
#include "server/s3/store_map.h"
#include "server/xml/xml.h"

/* The list the client sent, walked along the parts the store has (both ascending). */
struct assembly {
    struct op *op;
    const struct xml_node *listed; /* the next one not met yet; NULL at the end */
    struct part_choice *choices;
    size_t count;
    uint64_t size_bytes;
    struct digest *md5;
    struct checksum *composite;    /* COMPOSITE: over the parts' values */
    struct stored_checksum result; /* kind NONE: the object has no checksum */
    enum s3_error error;
    const struct xml_node *unlisted; /* the first that lacks a checksum it has to have */
    bool too_small;                  /* the part before was too small, unless it is the last */
    struct part small;
};

static void assembly_free(struct assembly *assembly)
{
    digest_close(assembly->md5);
    checksum_close(assembly->composite);
}

static struct str listed_number_text(const struct xml_node *listed)
{
    return xml_child_text(listed, STR("PartNumber"));
}

static uint32_t listed_number(const struct xml_node *listed)
{
    uint64_t number;

    return str_to_u64(listed_number_text(listed), &number) ? (uint32_t)number : 0;
}

static const struct xml_node *next_part(const struct xml_node *node)
{
    while (node != NULL && !str_eq(node->name, STR("Part")))
        node = node->next;
    return node;
}

/* 1..10000 parts, each with a number and an ETag, numbers rising. */
static enum s3_error check_list(struct op *op, const struct xml_node *root, size_t *ret_count)
{
    uint32_t before = 0;
    size_t count = 0;

    for (const struct xml_node *part = next_part(root->children); part != NULL;
         part = next_part(part->next)) {
        struct str text = listed_number_text(part);
        uint32_t number;
        enum s3_error err;

        if (!str_present(text) || !str_present(xml_child_text(part, STR("ETag"))) ||
            ++count > STORE_PARTS_MAX)
            return op_fail(op, S3_MalformedXML);
        err = part_number_parse(op, text, &number);
        if (err != S3_OK)
            return err;
        if (number <= before)
            return op_fail(op, S3_InvalidPartOrder, op_param(op, "uploadId"));
        before = number;
    }
    *ret_count = count;
    return count > 0 ? S3_OK : op_fail(op, S3_MalformedXML);
}

static bool refuse_part(struct assembly *assembly, const struct xml_node *listed)
{
    struct op *op = assembly->op;

    assembly->error = op_fail(op, S3_InvalidPart, op_param(op, "uploadId"),
                              listed_number_text(listed),
                              etag_bare(xml_child_text(listed, STR("ETag"))));
    return false;
}

static bool refuse_checksum(struct assembly *assembly, struct str message)
{
    assembly->error = op_fail_text(assembly->op, S3_BadDigest, message);
    return false;
}

/* A listed checksum of an algorithm that is not the upload's. */
static bool refuse_foreign(struct assembly *assembly, const struct xml_node *listed,
                           enum checksum_kind kind)
{
    if (upload_kind(&assembly->op->upload) == CHECKSUM_NONE)
        return refuse_part(assembly, listed);
    return refuse_checksum(assembly,
                           arena_printf(assembly->op->arena,
                                        "The %.*s you specified for part %u did not match what we "
                                        "received.",
                                        STR_ARG(checksum_header_suffix(kind)),
                                        listed_number(listed)));
}

static enum s3_error refuse_unlisted(struct op *op, const struct xml_node *unlisted)
{
    return op_fail_text(
        op, S3_InvalidRequest,
        arena_printf(op->arena,
                     "The upload was created using a %.*s checksum. The complete request must "
                     "include the checksum for each part. It was missing for part %u in the "
                     "request.",
                     STR_ARG(checksum_header_suffix(upload_kind(&op->upload))),
                     listed_number(unlisted)));
}

/* What is listed is the part's; and listed it must be where the object's value is made of it. */
static bool check_listed_checksums(struct assembly *assembly, const struct xml_node *listed,
                                   const struct stored_checksum *checksum)
{
    struct op *op = assembly->op;
    bool found = false;

    for (const struct xml_node *child = listed->children; child != NULL; child = child->next) {
        enum checksum_kind kind = xml_checksum_of(child);

        if (kind == CHECKSUM_NONE)
            continue;
        if (kind != upload_kept_kind(&op->upload))
            return refuse_foreign(assembly, listed, kind);
        if (kind != checksum->kind ||
            !str_eq(str_trim(child->text), stored_checksum_text(op, checksum)))
            return refuse_part(assembly, listed);
        found = true;
    }
    if (!found && upload_type(&op->upload) == CHECKSUM_COMPOSITE && assembly->unlisted == NULL)
        assembly->unlisted = listed;
    return true;
}

/*
 * Fold one part's checksum into the object's. Parts that lack it leave the object without: those of
 * uploads that an older version of the program began without an algorithm.
 */
static void add_checksum(struct assembly *assembly, const struct stored_checksum *checksum,
                         uint64_t part_bytes)
{
    struct stored_checksum *result = &assembly->result;

    if (result->kind == CHECKSUM_NONE)
        return;
    if (checksum->kind != result->kind) {
        result->kind = CHECKSUM_NONE;
        return;
    }
    result->parts++;
    if (result->type == CHECKSUM_COMPOSITE)
        checksum_update(assembly->composite, checksum->value, checksum_bytes(checksum->kind));
    else if (assembly->count == 0)
        memcpy(result->value, checksum->value, sizeof(result->value));
    else
        checksum_combine(result->kind, result->value, checksum->value, part_bytes, result->value);
}

static bool take_part(struct assembly *assembly, const struct part *part)
{
    const struct xml_node *listed = assembly->listed;
    struct stored_checksum checksum = { 0 };
    uint8_t md5[MD5_BYTES];

    (void)stored_checksum_unpack(part->checksum, &checksum);
    if (!str_eq(etag_bare(xml_child_text(listed, STR("ETag"))), part->etag) ||
        !hex_decode(part->etag, md5, sizeof(md5)))
        return refuse_part(assembly, listed);
    if (!check_listed_checksums(assembly, listed, &checksum))
        return false;
    digest_update(assembly->md5, md5, sizeof(md5));
    add_checksum(assembly, &checksum, part->size_bytes);
    assembly->choices[assembly->count++] = (struct part_choice){ part->number, part->seq };
    assembly->size_bytes += part->size_bytes;
    assembly->listed = next_part(listed->next);
    if (part->size_bytes < S3_PART_BYTES_MIN && assembly->listed != NULL && !assembly->too_small) {
        assembly->too_small = true;
        assembly->small = *part;
        assembly->small.etag = arena_dup(assembly->op->arena, part->etag);
    }
    return true;
}

static bool visit_part(void *context, const struct part *part)
{
    struct assembly *assembly = context;
    uint32_t wanted;

    if (assembly->listed == NULL)
        return false;
    wanted = listed_number(assembly->listed);
    if (part->number < wanted)
        return true; /* uploaded and not listed: dropped */
    if (part->number > wanted)
        return refuse_part(assembly, assembly->listed);
    return take_part(assembly, part);
}

static enum s3_error assembly_open(struct op *op, const struct xml_node *root, size_t count,
                                   struct assembly *assembly)
{
    *assembly = (struct assembly){ .op = op, .listed = next_part(root->children) };
    assembly->choices = arena_array(op->arena, count, sizeof(*assembly->choices));
    assembly->md5 = digest_open(DIGEST_MD5);
    assembly->result.kind = upload_kept_kind(&op->upload);
    assembly->result.type = upload_type(&op->upload) == CHECKSUM_COMPOSITE ? CHECKSUM_COMPOSITE
                                                                           : CHECKSUM_FULL_OBJECT;
    if (assembly->result.type == CHECKSUM_COMPOSITE)
        assembly->composite = checksum_open(assembly->result.kind);
    if (assembly->choices == NULL || assembly->md5 == NULL ||
        (assembly->result.type == CHECKSUM_COMPOSITE && assembly->composite == NULL))
        return op_fail(op, S3_SlowDown);
    return S3_OK;
}

/*
 * Parts of a COMPOSITE value are numbered 1 to N:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompletedPart.html
 */
static enum s3_error assemble(struct op *op, struct assembly *assembly)
{
    enum store_status status =
        part_list(op->reader, &op->upload, 0, STORE_PARTS_MAX, visit_part, assembly, &op->fault);

    if (status != STORE_OK && status != STORE_STOPPED)
        return s3_from_store(op, status);
    if (assembly->error == S3_OK && assembly->listed != NULL)
        (void)refuse_part(assembly, assembly->listed);
    if (assembly->error != S3_OK)
        return assembly->error;
    if (assembly->composite != NULL &&
        assembly->choices[assembly->count - 1].number != assembly->count)
        return op_fail(op, S3_InvalidPartOrder, op_param(op, "uploadId"));
    if (assembly->composite != NULL)
        checksum_final(assembly->composite, assembly->result.value);
    assembly->result.parts = (uint32_t)assembly->count;
    return S3_OK;
}

/* What is claimed of the whole counts before what the list and the parts lack. */
static enum s3_error check_assembled(struct op *op, const struct assembly *assembly)
{
    if (assembly->unlisted != NULL)
        return refuse_unlisted(op, assembly->unlisted);
    if (assembly->too_small)
        return op_fail(op, S3_EntityTooSmall, u64_text(op, assembly->small.size_bytes),
                       u64_text(op, S3_PART_BYTES_MIN), u64_text(op, assembly->small.number),
                       assembly->small.etag);
    if (assembly->size_bytes > S3_MULTIPART_BYTES_MAX)
        return op_fail(op, S3_EntityTooLarge, u64_text(op, assembly->size_bytes),
                       u64_text(op, S3_MULTIPART_BYTES_MAX));
    return S3_OK;
}

/* "<md5 of md5s>-N" from a digest that has seen the parts' MD5s. */
static struct str joined_etag(struct op *op, struct digest *md5, size_t count)
{
    uint8_t bytes[MD5_BYTES];
    char hex[ETAG_HEX_LEN];

    digest_final(md5, bytes);
    hex_encode(bytes, sizeof(bytes), hex);
    return arena_printf(op->arena, "%.*s-%zu", ETAG_HEX_LEN, hex, count);
}

/* x-amz-checksum-type, as x-amz-checksum-<alg>, speaks of the object, not of this request's body. */
static enum s3_error check_claimed_type(struct op *op, enum checksum_type *ret_claimed)
{
    struct str text = op_header(op, "x-amz-checksum-type");
    enum checksum_type type = upload_type(&op->upload);
    struct str mode = type != CHECKSUM_TYPE_NONE ? checksum_type_name(type) : STR("null");

    *ret_claimed = checksum_type_from_name(text);
    if (!str_present(text))
        return S3_OK;
    if (*ret_claimed == CHECKSUM_TYPE_NONE)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Value for x-amz-checksum-type header is invalid."));
    if (*ret_claimed == type)
        return S3_OK;
    return op_fail_text(op, S3_InvalidRequest,
                        arena_printf(op->arena,
                                     "The upload was created using the %.*s checksum mode. The "
                                     "complete request must use the same checksum mode.",
                                     STR_ARG(mode)));
}

/* The "-N" of a composite value may be left out. */
static bool claim_holds(struct op *op, struct str claimed, const struct stored_checksum *checksum)
{
    struct str text = stored_checksum_text(op, checksum);
    struct str head;
    struct str tail;

    if (str_eq(claimed, text))
        return true;
    return str_cut(text, '-', &head, &tail) && str_eq(claimed, head);
}

/*
 * A checksum of the whole. S3 ignores it where the upload has no algorithm, and takes it for a
 * composite value unless x-amz-checksum-type says otherwise: without that the right value of a
 * FULL_OBJECT upload is refused too.
 */
static enum s3_error check_claimed_checksum(struct op *op, enum checksum_type claimed_type,
                                            const struct stored_checksum *checksum)
{
    bool comparable = checksum->type == CHECKSUM_COMPOSITE || claimed_type == CHECKSUM_FULL_OBJECT;

    if (upload_kind(&op->upload) == CHECKSUM_NONE)
        return S3_OK;
    for (unsigned kind = CHECKSUM_NONE + 1; kind < CHECKSUM_KINDS; kind++) {
        struct str name = checksum_header(op->arena, (enum checksum_kind)kind);
        struct str claimed = str_present(name) ? http_header(op->request, name) : STR_NONE;

        if (!str_present(claimed))
            continue;
        if (kind != checksum->kind || !comparable || !claim_holds(op, claimed, checksum))
            return op_fail_text(op, S3_BadDigest,
                                arena_printf(op->arena,
                                             "The %.*s you specified did not match the calculated "
                                             "checksum.",
                                             STR_ARG(checksum_header_suffix(checksum->kind))));
    }
    return S3_OK;
}

static enum s3_error check_claimed_size(struct op *op, uint64_t size_bytes)
{
    struct str text = op_header(op, "x-amz-mp-object-size");
    uint64_t claimed;

    if (!str_present(text))
        return S3_OK;
    if (!str_to_u64(text, &claimed))
        return op_fail_text(op, S3_InvalidRequest,
                            STR("Value for x-amz-mp-object-size header is invalid."));
    if (claimed == size_bytes)
        return S3_OK;
    return op_fail_text(op, S3_InvalidRequest,
                        arena_printf(op->arena,
                                     "The provided 'x-amz-mp-object-size' header value %llu does "
                                     "not match what was computed: %llu",
                                     (unsigned long long)claimed, (unsigned long long)size_bytes));
}

static enum s3_error write_complete(struct op *op, struct str etag, struct str packed_checksum)
{
    struct buf out = BUF_WITH_MAX(S3_XML_BYTES_MAX);
    struct stored_checksum checksum;

    if (op->upload.attrs.sse != SSE_CUSTOMER)
        op_set_encryption(op, &op->upload.attrs);
    xml_begin(&out, STR("CompleteMultipartUploadResult"));
    xml_text(&out, STR("Location"), op_object_url(op));
    xml_text(&out, STR("Bucket"), op->bucket_name);
    xml_text(&out, STR("Key"), op->key);
    xml_etag(&out, etag);
    if (stored_checksum_unpack(packed_checksum, &checksum))
        xml_checksum(op, &out, &checksum, /* with_type= */ true);
    xml_close(&out, STR("CompleteMultipartUploadResult"));
    return op_reply_xml(op, &out);
}

static enum s3_error reply_CompleteMultipartUpload(struct op *op)
{
    const struct intent *intent = op->intent;

    if (intent->result.versioned && !str_eq(intent->result.version_text, STR("null")))
        op_set(op, "x-amz-version-id", intent->result.version_text);
    lifecycle_tell_expiration(op, intent->result.committed_us, intent->result.size_bytes,
                              op->upload.attrs.tags);
    return write_complete(op, intent->complete.etag, intent->complete.checksum);
}

/* The same Complete again, by a client that did not hear the answer. */
static enum s3_error complete_again(struct op *op, const struct xml_node *root, size_t count)
{
    CLEANUP(digest_closep) struct digest *md5 = digest_open(DIGEST_MD5);
    const struct upload *upload = &op->upload;
    struct version version = { .seq = upload->done_version.seq, .tail = upload->done_version.tail };
    uint8_t bytes[MD5_BYTES];

    if (md5 == NULL)
        return op_fail(op, S3_SlowDown);
    for (const struct xml_node *part = next_part(root->children); part != NULL;
         part = next_part(part->next)) {
        if (!hex_decode(etag_bare(xml_child_text(part, STR("ETag"))), bytes, sizeof(bytes)))
            return s3_from_store(op, STORE_NO_UPLOAD);
        digest_update(md5, bytes, sizeof(bytes));
    }
    if (!str_eq(joined_etag(op, md5, count), upload->attrs.etag))
        return s3_from_store(op, STORE_NO_UPLOAD);
    if (upload->done_versioned && upload->done_version.kind == VERSION_EXACT)
        op_set_version_id(op, &version);
    return write_complete(op, upload->attrs.etag, upload->attrs.checksum);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html */
enum s3_error op_CompleteMultipartUpload(struct op *op)
{
    CLEANUP(assembly_free) struct assembly assembly = { 0 };
    struct intent *intent = op_intent(op, INTENT_UPLOAD_COMPLETE);
    const struct xml_node *root =
        xml_parse(op->body, STR("CompleteMultipartUpload"), op->arena, &op->fault);
    enum checksum_type claimed_type;
    size_t count = 0;
    enum s3_error err;

    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    err = encryption_refuse_method(op);
    if (err == S3_OK)
        err = upload_load(op, /* done_too= */ true);
    if (err == S3_OK)
        err = encryption_for_upload(op, upload_kind(&op->upload) != CHECKSUM_NONE);
    if (err != S3_OK)
        return err;
    if (op->body.len == 0)
        return op_fail_text(op, S3_InvalidRequest, STR("You must specify at least one part"));
    if (root == NULL)
        return op_fail(op, S3_MalformedXML);
    err = check_list(op, root, &count);
    if (err == S3_OK && op->upload.done)
        return complete_again(op, root, count);
    if (err == S3_OK)
        err = condition_of_write(op, /* for_delete= */ false, &intent->complete.condition);
    if (err == S3_OK)
        err = check_claimed_type(op, &claimed_type);
    if (err == S3_OK)
        err = assembly_open(op, root, count, &assembly);
    if (err == S3_OK)
        err = assemble(op, &assembly);
    if (err == S3_OK)
        err = check_claimed_checksum(op, claimed_type, &assembly.result);
    if (err == S3_OK)
        err = check_assembled(op, &assembly);
    if (err == S3_OK)
        err = check_claimed_size(op, assembly.size_bytes);
    if (err != S3_OK)
        return err;

    intent->complete.upload_id = op_param(op, "uploadId");
    intent->complete.parts = assembly.choices;
    intent->complete.count = assembly.count;
    intent->complete.etag = joined_etag(op, assembly.md5, assembly.count);
    intent->complete.checksum = stored_checksum_pack(op, &assembly.result);
    if (!str_present(intent->complete.etag))
        return op_fail(op, S3_SlowDown);
    intent->origin.event = STR("ObjectCreated:CompleteMultipartUpload");
    return op_submit(op, intent, reply_CompleteMultipartUpload);
}
