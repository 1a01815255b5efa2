/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers: a catalog connection each, and snapshots.
 *
 * Lookups that ask more than one table run in a snapshot of their own when the caller has none.
 */
#include <assert.h>

#include "storage/internal.h"

enum store_status reader_open(struct store *store, struct reader **ret_reader, struct fault *fault)
{
    struct reader *reader = mem_zalloc(sizeof(*reader));
    enum store_status status;

    if (reader == NULL)
        return fault_set(fault, STORE_NO_MEMORY, "reader");
    status =
        catalog_open(store->path, CATALOG_READER, store->options.durability, &reader->cat, fault);
    if (status != STORE_OK) {
        mem_free(reader);
        return status;
    }

    reader->store = store;
    *ret_reader = reader;
    return STORE_OK;
}

void reader_close(struct reader *reader)
{
    if (reader == NULL)
        return;

    assert(reader->depth == 0);
    catalog_close(reader->cat);
    mem_free(reader);
}

enum store_status reader_begin(struct reader *reader, struct fault *fault)
{
    enum store_status status;

    if (reader->depth > 0) {
        reader->depth++;
        return STORE_OK;
    }

    snapshot_open(&reader->store->snapshots, &reader->snapshot);
    status = catalog_read_begin(reader->cat, fault);
    if (status != STORE_OK) {
        snapshot_close(&reader->store->snapshots, &reader->snapshot);
        return status;
    }
    reader->depth = 1;
    return STORE_OK;
}

void reader_end(struct reader *reader)
{
    assert(reader->depth > 0);
    if (--reader->depth > 0)
        return;

    catalog_read_end(reader->cat);
    snapshot_close(&reader->store->snapshots, &reader->snapshot);
}

/* ---- one statement each: SQLite's own snapshot is enough ---------------------------------- */

enum store_status bucket_get(struct reader *reader, struct str name, struct arena *arena,
                             struct bucket *ret_bucket, struct fault *fault)
{
    return catalog_bucket_get(reader->cat, name, arena, ret_bucket, fault);
}

enum store_status bucket_list(struct reader *reader, struct str owner, struct str prefix,
                              struct str after, bucket_visit *visit, void *context,
                              struct fault *fault)
{
    return catalog_bucket_list(reader->cat, owner, prefix, after, visit, context, fault);
}

enum store_status document_get(struct reader *reader, int64_t bucket_id, struct str kind,
                               struct str id, struct arena *arena, struct str *ret_body,
                               struct fault *fault)
{
    return catalog_document_get(reader->cat, bucket_id, kind, id, arena, ret_body, fault);
}

enum store_status upload_get(struct reader *reader, int64_t bucket_id, struct str key,
                             struct str upload_id, struct arena *arena, struct upload *ret_upload,
                             struct fault *fault)
{
    return catalog_upload_get(reader->cat, bucket_id, key, upload_id, arena, ret_upload, fault);
}

enum store_status part_list(struct reader *reader, const struct upload *upload, uint32_t after,
                            uint32_t max, part_visit *visit, void *context, struct fault *fault)
{
    return catalog_part_list(reader->cat, upload->seq, after, max, visit, context, fault);
}

enum store_status object_part_list(struct reader *reader, const struct version *version,
                                   uint32_t after, uint32_t max, part_visit *visit, void *context,
                                   struct fault *fault)
{
    if (version->body.kind != BODY_MANIFEST)
        return STORE_OK;
    return catalog_manifest_part_list(reader->cat, version->body.id, after, max, visit, context,
                                      fault);
}

/* ---- several statements ------------------------------------------------------------------ */

enum store_status version_get(struct reader *reader, int64_t bucket_id, struct str key,
                              struct version_id id, struct arena *arena,
                              struct version *ret_version, struct fault *fault)
{
    enum store_status status;

    if (id.kind == VERSION_CURRENT)
        return catalog_version_get(reader->cat, bucket_id, key, id, arena, ret_version, fault);

    status = reader_begin(reader, fault);
    if (status != STORE_OK)
        return status;
    status = catalog_version_get(reader->cat, bucket_id, key, id, arena, ret_version, fault);
    reader_end(reader);
    return status;
}

enum store_status object_list(struct reader *reader, int64_t bucket_id,
                              const struct list_query *query, list_visit *visit, void *context,
                              struct arena *arena, struct list_end *ret_end, struct fault *fault)
{
    enum store_status status = reader_begin(reader, fault);

    if (status != STORE_OK)
        return status;
    status =
        catalog_object_list(reader->cat, bucket_id, query, visit, context, arena, ret_end, fault);
    reader_end(reader);
    return status;
}

enum store_status version_list(struct reader *reader, int64_t bucket_id,
                               const struct list_query *query, list_visit *visit, void *context,
                               struct arena *arena, struct list_end *ret_end, struct fault *fault)
{
    enum store_status status = reader_begin(reader, fault);

    if (status != STORE_OK)
        return status;
    status =
        catalog_version_list(reader->cat, bucket_id, query, visit, context, arena, ret_end, fault);
    reader_end(reader);
    return status;
}

enum store_status upload_list(struct reader *reader, int64_t bucket_id,
                              const struct upload_query *query, upload_visit *visit, void *context,
                              struct arena *arena, struct upload_end *ret_end, struct fault *fault)
{
    enum store_status status = reader_begin(reader, fault);

    if (status != STORE_OK)
        return status;
    status =
        catalog_upload_list(reader->cat, bucket_id, query, visit, context, arena, ret_end, fault);
    reader_end(reader);
    return status;
}
