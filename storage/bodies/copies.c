/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies whose source has to be read: for the digests of its bytes, or to write them anew.
 *
 * (1) The bytes are read once. Measuring changes and moves nothing: the commit refers to the
 *     source as it does for a copy that needs no reading, and looks again whether it is still there.
 * (2) What is read is what the submitter judged: a source replaced meanwhile is STORE_RETRY.
 */
#include <assert.h>

#include "storage/internal.h"

#define PIECE_BYTES (128u * 1024u)

/* ---- reading ----------------------------------------------------------------------------- */

static enum store_status open_source(struct reader *reader, struct intent *intent,
                                     struct body **ret_body, uint64_t *ret_len)
{
    const struct copy_source *source = intent_source(intent);
    struct version version;
    struct catalog *cat;
    enum store_status status;

    reader_begin(reader);
    status = reader_catalog(reader, &cat, &intent->fault);
    if (status == STORE_OK)
        status = catalog_version_by_seq(cat, source->bucket_id, source->key, source->seq,
                                        intent->arena, &version, &intent->fault);
    if (status == STORE_NO_VERSION)
        status = STORE_RETRY;
    if (status == STORE_OK && version.delete_marker)
        status = STORE_DELETE_MARKER;
    if (status == STORE_OK && !version_is_as_judged(&version, source->judged))
        status = STORE_RETRY;
    if (status == STORE_OK && source->ranged &&
        (source->offset > version.size_bytes || source->len > version.size_bytes - source->offset))
        status = STORE_RETRY;
    if (status == STORE_OK) {
        version.body.customer_key = source->customer_key;
        *ret_len = source->ranged ? source->len : version.size_bytes;
        status = body_open(reader, &version, source->ranged ? source->offset : 0, *ret_len,
                           ret_body, &intent->fault);
    }
    reader_end(reader);
    return status;
}

typedef enum store_status take_bytes(void *context, const void *bytes, size_t len,
                                     struct fault *fault);

static enum store_status pump(struct body *body, uint64_t expected, take_bytes *take, void *context,
                              struct fault *fault)
{
    CLEANUP(buf_free) struct buf piece = BUF_WITH_MAX(PIECE_BYTES);
    enum store_status status;
    uint64_t total = 0;

    if (!buf_reserve(&piece, PIECE_BYTES))
        return store_fault(fault, STORE_NO_MEMORY, "copy");

    for (;;) {
        int64_t len = body_read(body, piece.p, PIECE_BYTES, fault);

        if (len < 0)
            return (enum store_status) - len;
        if (len == 0)
            break;
        total += (uint64_t)len;
        status = take(context, piece.p, (size_t)len, fault);
        if (status != STORE_OK)
            return status;
    }
    return total == expected
               ? STORE_OK
               : store_fault(fault, STORE_DAMAGED, "the source of a copy is too short");
}

/* ---- digests of bytes that stay where they are ------------------------------------------------- */

struct meter {
    struct digest *md5; /* NULL: not asked for */
    struct checksum *checksums[CHECKSUM_KINDS];
};

static void meter_close(struct meter *meter)
{
    digest_close(meter->md5);
    for (size_t i = 0; i < CHECKSUM_KINDS; i++)
        checksum_close(meter->checksums[i]);
}

static bool meter_open(struct meter *meter, const struct copy_source *source)
{
    if (source->want_md5 && (meter->md5 = digest_open(DIGEST_MD5)) == NULL)
        return false;
    for (size_t i = CHECKSUM_NONE + 1; i < CHECKSUM_KINDS; i++) {
        if ((source->options.checksum_kinds & 1u << i) == 0)
            continue;
        meter->checksums[i] = checksum_open((enum checksum_kind)i);
        if (meter->checksums[i] == NULL)
            return false;
    }
    return true;
}

static enum store_status meter_take(void *context, const void *bytes, size_t len,
                                    struct fault *fault)
{
    struct meter *meter = context;

    (void)fault;
    if (meter->md5 != NULL)
        digest_update(meter->md5, bytes, len);
    for (size_t i = 0; i < CHECKSUM_KINDS; i++)
        if (meter->checksums[i] != NULL)
            checksum_update(meter->checksums[i], bytes, len);
    return STORE_OK;
}

static void meter_final(struct meter *meter, struct body_digests *ret_digests)
{
    if (meter->md5 != NULL)
        digest_final(meter->md5, ret_digests->md5);
    for (size_t i = 0; i < CHECKSUM_KINDS; i++)
        if (meter->checksums[i] != NULL)
            checksum_final(meter->checksums[i], ret_digests->checksum[i]);
}

static enum store_status measure(const struct intent_bytes *bytes, struct body *body, uint64_t len,
                                 struct fault *fault)
{
    CLEANUP(meter_close) struct meter meter = { .md5 = NULL };
    enum store_status status;

    if (!meter_open(&meter, bytes->source))
        return store_fault(fault, STORE_NO_MEMORY, "digests of a copy");
    status = pump(body, len, meter_take, &meter, fault);
    if (status != STORE_OK)
        return status;
    bytes->source_digests->size_bytes = len;
    meter_final(&meter, bytes->source_digests);
    return STORE_OK;
}

/* ---- bytes written anew ---------------------------------------------------------------------- */

static enum store_status append(void *context, const void *bytes, size_t len, struct fault *fault)
{
    return body_writer_append(context, bytes, len, fault);
}

/* Through a body writer of the store's own, which intent_finish closes. */
static enum store_status rewrite(struct store *store, struct intent_bytes *bytes, struct body *body,
                                 uint64_t len, struct fault *fault)
{
    struct body_options options = bytes->source->options;
    enum store_status status;

    assert(bytes->body == NULL);
    options.expected_bytes = len;
    status = body_writer_open(store, &options, &bytes->body, fault);
    if (status == STORE_OK)
        status = pump(body, len, append, bytes->body, fault);
    if (status == STORE_OK)
        status = body_writer_finish(bytes->body, bytes->source_digests, fault);
    return status;
}

enum store_status copy_read(struct reader *reader, struct intent *intent)
{
    struct intent_bytes *bytes = intent_bytes(intent);
    struct body *body = NULL;
    enum store_status status;
    uint64_t len;

    bytes->source_digests = ARENA_NEW(intent->arena, struct body_digests);
    if (bytes->source_digests == NULL)
        return store_fault(&intent->fault, STORE_NO_MEMORY, "copy");
    status = open_source(reader, intent, &body, &len);
    if (status != STORE_OK)
        return status;

    status = bytes->source->work == COPY_REWRITE
                 ? rewrite(reader->store, bytes, body, len, &intent->fault)
                 : measure(bytes, body, len, &intent->fault);
    body_close(body);
    return status == STORE_OK && intent->staged != NULL ? intent->staged(intent) : status;
}
