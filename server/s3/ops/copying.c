/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies' values; see copying.h.
 */
#include "server/s3/ops/copying.h"

#include "server/s3/encryption/customer_key.h"
#include "server/s3/encryption/method.h"
#include "server/s3/ops/multipart.h"
#include "server/s3/ops/reply_put.h"
#include "server/s3/refuse.h"
#include "server/s3/request/attrs.h"
#include "server/s3/request/checksums.h"

enum s3_error copy_check_form(struct op *op)
{
    struct str range = op_header(op, "range");

    if (op->digests.size_bytes > 0)
        return op_fail_text(op, S3_InvalidRequest,
                            STR("The request included a body. Requests of this type must not "
                                "include a non-empty body."));
    if (str_present(range))
        return op_fail_argument(op, STR("RANGE is not supported in Copy!"), STR("Range"), range);
    return S3_OK;
}

/* What is told of the bytes copied, in an intent for an object or a part. */
struct described {
    struct str *etag;
    struct str *checksum;
};

static struct described described_by(struct intent *intent)
{
    if (intent->kind == INTENT_PART_PUT)
        return (struct described){ &intent->part.etag, &intent->part.checksum };
    return (struct described){ &intent->put.attrs.etag, &intent->put.attrs.checksum };
}

/* Copies have one checksum each. */
static enum checksum_kind kind_asked_for(const struct copy_source *source)
{
    unsigned kind = CHECKSUM_NONE;

    while (kind + 1 < CHECKSUM_KINDS && (source->options.checksum_kinds & 1u << kind) == 0)
        kind++;
    return (enum checksum_kind)kind;
}

/* On a store thread: what the source did not tell is taken from its bytes. */
static enum store_status take_digests(struct intent *intent)
{
    const struct body_digests *digests = intent_bytes(intent)->source_digests;
    const struct described bytes = described_by(intent);

    if (!str_present(*bytes.etag)) {
        *bytes.etag = etag_made(intent->arena, digests->md5,
                                intent_source(intent)->options.customer_key != NULL);
        if (!str_present(*bytes.etag))
            return store_fault(&intent->fault, STORE_NO_MEMORY, "ETag of a copy");
    }
    if (!str_present(*bytes.checksum)) {
        struct stored_checksum checksum = { .kind = kind_asked_for(intent_source(intent)),
                                            .type = CHECKSUM_FULL_OBJECT };

        memcpy(checksum.value, digests->checksum[checksum.kind], sizeof(checksum.value));
        *bytes.checksum = stored_checksum_pack_in(intent->arena, &checksum);
        if (!str_present(*bytes.checksum))
            return store_fault(&intent->fault, STORE_NO_MEMORY, "checksum of a copy");
    }
    return STORE_OK;
}

static bool is_whole(const struct op *op, const struct copy_wish *wish)
{
    return wish->len == op->source.size_bytes;
}

/* The ETag of an object that was uploaded in one piece is the MD5 of its bytes; others have a "-". */
static bool knows_etag(const struct op *op, const struct copy_wish *wish)
{
    return is_whole(op, wish) && op->source.attrs.etag.len == ETAG_HEX_LEN &&
           op->source.attrs.sse != SSE_CUSTOMER && op->customer_key == NULL;
}

static bool knows_checksum(const struct op *op, const struct copy_wish *wish)
{
    struct stored_checksum checksum;

    return is_whole(op, wish) && stored_checksum_unpack(op->source.attrs.checksum, &checksum) &&
           checksum.type == CHECKSUM_FULL_OBJECT && checksum.kind == wish->kind;
}

static enum copy_work work_of(const struct op *op, const struct copy_wish *wish)
{
    if (op->source.attrs.sse == SSE_CUSTOMER || op->customer_key != NULL ||
        op->source_under_named_key || op->kms != NULL ||
        (wish->encrypt && op->source.attrs.sse == SSE_NONE))
        return COPY_REWRITE;
    return knows_etag(op, wish) && knows_checksum(op, wish) ? COPY_REFER : COPY_MEASURE;
}

enum s3_error copy_plan(struct op *op, struct intent *intent, const struct copy_wish *wish)
{
    struct copy_source *source = ARENA_NEW(op->arena, struct copy_source);
    const struct described bytes = described_by(intent);

    if (source == NULL)
        return op_fail(op, S3_SlowDown);
    *source = (struct copy_source){
        .bucket_id = op->source_bucket.id,
        .key = op->source.key,
        .seq = op->source.seq,
        .judged = &op->source,
        .ranged = !is_whole(op, wish),
        .offset = wish->offset,
        .len = wish->len,
        .work = work_of(op, wish),
        .want_md5 = !knows_etag(op, wish),
        .customer_key = op->source_key != NULL ? op->source_key->bytes : NULL,
        .options = { .account = op->bucket.owner, .encrypt = wish->encrypt },
    };
    encryption_options(op, &source->options);
    *bytes.etag = knows_etag(op, wish) ? op->source.attrs.etag : STR_NONE;
    *bytes.checksum = knows_checksum(op, wish) ? op->source.attrs.checksum : STR_NONE;
    if (!str_present(*bytes.checksum))
        source->options.checksum_kinds = 1u << wish->kind;
    intent_bytes(intent)->source = source;
    intent->staged = take_digests;
    return S3_OK;
}
