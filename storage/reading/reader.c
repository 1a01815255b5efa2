/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers: a catalog connection each, snapshots, and (for those that serve) what is hot.
 *
 * (1) The catalog's snapshot is opened by the first lookup that really asks the catalog, and stays
 *     the same until reader_end. A lookup after others never sees an older state than they did.
 * (2) reader_begin registers with the store's snapshots at once: a file or blob row that is named
 *     by what was found afterwards, in the catalog or among what is hot, is not swept.
 * (3) A serving reader hands its snapshot from one reader_begin to the next while no commit has
 *     begun since it was opened; see freshness.h.
 */
#include <assert.h>

#include "base/digest/digest.h"
#include "storage/bodies/verify.h"
#include "storage/reading/hot.h"

enum store_status reader_open(struct store *store, struct reader **ret_reader, struct fault *fault)
{
    struct reader *reader = digest_thread_prepare() ? mem_zalloc(sizeof(*reader)) : NULL;
    enum store_status status;

    if (reader == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "reader");
    status = catalog_open(store->dir.path, CATALOG_READER, store->options.durability, &reader->cat,
                          fault);
    if (status != STORE_OK) {
        mem_free(reader);
        return status;
    }

    reader->store = store;
    reader->room = BUF_WITH_MAX(VERIFY_STEP_BYTES);
    *ret_reader = reader;
    return STORE_OK;
}

/* What serving readers may remember is for all of them together. */
static void share_limit(struct reader *reader)
{
    struct hot_share *share = reader->store->hot_share;
    unsigned serving = atomic_load_explicit(&share->serving, memory_order_relaxed);

    hot_limit(reader->hot, share->bytes / serving);
}

enum store_status reader_warm(struct reader *reader, struct fault *fault)
{
    assert(reader->hot == NULL);
    reader->hot = hot_open(&reader->store->freshness);
    if (reader->hot == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "reader");
    atomic_fetch_add(&reader->store->hot_share->serving, 1);
    share_limit(reader);
    return STORE_OK;
}

void reader_close(struct reader *reader)
{
    if (reader == NULL)
        return;

    assert(reader->depth == 0);
    reader_let_go(reader);
    if (reader->hot != NULL)
        atomic_fetch_sub(&reader->store->hot_share->serving, 1);
    hot_close(reader->hot);
    catalog_close(reader->cat);
    buf_free(&reader->room);
    mem_free(reader);
}

/* ---- snapshots --------------------------------------------------------------------------- */

static void end_snapshot(struct reader *reader)
{
    if (!reader->in_snapshot)
        return;
    catalog_read_end(reader->cat);
    reader->in_snapshot = false;
}

void reader_begin(struct reader *reader)
{
    struct freshness *freshness = &reader->store->freshness;

    if (reader->depth++ > 0)
        return;
    if (reader->in_snapshot && freshness_begun(freshness) != reader->published)
        end_snapshot(reader);
    if (!reader->registered)
        snapshot_open(&reader->store->snapshots, &reader->snapshot);
    reader->registered = true;
}

void reader_let_go(struct reader *reader)
{
    assert(reader->depth == 0);
    end_snapshot(reader);
    if (reader->registered)
        snapshot_close(&reader->store->snapshots, &reader->snapshot);
    reader->registered = false;
    if (reader->hot != NULL)
        share_limit(reader);
}

void reader_end(struct reader *reader)
{
    assert(reader->depth > 0);
    if (--reader->depth > 0)
        return;
    if (reader->hot == NULL)
        reader_let_go(reader);
    else
        hot_free_evicted(reader->hot);
}

enum store_status reader_catalog(struct reader *reader, struct catalog **ret_cat,
                                 struct fault *fault)
{
    enum store_status status = STORE_OK;

    assert(reader->depth > 0);
    if (!reader->in_snapshot) {
        /* Before the snapshot: see freshness.h. */
        reader->published = freshness_published(&reader->store->freshness);
        status = catalog_read_begin(reader->cat, fault);
    }
    if (status != STORE_OK)
        return status;

    reader->in_snapshot = true;
    *ret_cat = reader->cat;
    return STORE_OK;
}

/* A lookup has its own snapshot, if the caller has none, until lookup_end. */
static enum store_status lookup_begin(struct reader *reader, struct catalog **ret_cat,
                                      struct fault *fault)
{
    reader_begin(reader);
    return reader_catalog(reader, ret_cat, fault);
}

static enum store_status lookup_end(struct reader *reader, enum store_status status)
{
    reader_end(reader);
    return status;
}

/* ---- events --------------------------------------------------------------------------------- */

enum store_status subscriber_done(struct reader *reader, struct str name, int64_t *ret_id,
                                  struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_subscriber_done(cat, name, ret_id, fault);
    return lookup_end(reader, status);
}

enum store_status event_list(struct reader *reader, int64_t after, uint32_t max, event_visit *visit,
                             void *context, uint64_t *ret_lost, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_event_list(cat, after, max, visit, context, ret_lost, fault);
    return lookup_end(reader, status);
}

/* ---- renames -------------------------------------------------------------------------------- */

enum store_status rename_asked(struct reader *reader, int64_t bucket_id, struct str token,
                               struct arena *arena, struct str *ret_asked, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_rename_asked(cat, bucket_id, token, arena, ret_asked, fault);
    return lookup_end(reader, status);
}

/* ---- replication ---------------------------------------------------------------------------- */

enum store_status backlog_list(struct reader *reader, int64_t now_us, uint32_t max,
                               backlog_visit *visit, void *context, int64_t *ret_next_us,
                               struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_backlog_list(cat, now_us, max, visit, context, ret_next_us, fault);
    return lookup_end(reader, status);
}

enum store_status version_numbered(struct reader *reader, int64_t bucket_id, struct str key,
                                   int64_t seq, struct arena *arena, struct version *ret_version,
                                   struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_version_by_seq(cat, bucket_id, key, seq, arena, ret_version, fault);
    return lookup_end(reader, status);
}

/* ---- what may be hot ------------------------------------------------------------------------ */

static enum store_status bucket_ask(struct reader *reader, struct str name, struct arena *arena,
                                    struct bucket *ret_bucket, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_bucket_get(cat, name, arena, ret_bucket, fault);
    if (reader->hot != NULL && (status == STORE_OK || status == STORE_NO_BUCKET))
        hot_keep_bucket(reader->hot, name, status == STORE_OK ? ret_bucket : NULL,
                        reader->published);
    return lookup_end(reader, status);
}

enum store_status bucket_get(struct reader *reader, struct str name, struct arena *arena,
                             struct bucket *ret_bucket, struct fault *fault)
{
    enum store_status status =
        reader->hot != NULL ? hot_bucket(reader->hot, name, arena, ret_bucket) : STORE_STOPPED;

    return status == STORE_STOPPED ? bucket_ask(reader, name, arena, ret_bucket, fault) : status;
}

static enum store_status version_ask(struct reader *reader, int64_t bucket_id, struct str key,
                                     struct version_id id, struct arena *arena,
                                     struct version *ret_version, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_version_get(cat, bucket_id, key, id, arena, ret_version, fault);
    if (reader->hot == NULL || id.kind != VERSION_CURRENT)
        return lookup_end(reader, status);
    /* The pieces of a manifest are found only in the snapshot in which it was. */
    if (status == STORE_OK && ret_version->body.kind != BODY_MANIFEST)
        hot_keep_version(reader->hot, bucket_id, key, ret_version, reader->published);
    else if (status == STORE_NO_KEY)
        hot_keep_version(reader->hot, bucket_id, key, NULL, reader->published);
    return lookup_end(reader, status);
}

enum store_status version_get(struct reader *reader, int64_t bucket_id, struct str key,
                              struct version_id id, struct arena *arena,
                              struct version *ret_version, struct fault *fault)
{
    enum store_status status = STORE_STOPPED;

    if (reader->hot != NULL && id.kind == VERSION_CURRENT)
        status = hot_version(reader->hot, bucket_id, key, arena, ret_version);
    if (status != STORE_STOPPED)
        return status;
    return version_ask(reader, bucket_id, key, id, arena, ret_version, fault);
}

/* ---- what always asks the catalog ------------------------------------------------------------ */

enum store_status bucket_unchanged(struct reader *reader, const struct bucket *bucket,
                                   struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_bucket_unchanged(cat, bucket, fault);
    return lookup_end(reader, status);
}

enum store_status bucket_list(struct reader *reader, struct str owner, struct str prefix,
                              struct str after, bucket_visit *visit, void *context,
                              struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_bucket_list(cat, owner, prefix, after, visit, context, fault);
    return lookup_end(reader, status);
}

enum store_status document_get(struct reader *reader, int64_t bucket_id, struct str kind,
                               struct str id, struct arena *arena, struct str *ret_body,
                               struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_document_get(cat, bucket_id, kind, id, arena, ret_body, fault);
    return lookup_end(reader, status);
}

enum store_status bucket_list_with_document(struct reader *reader, struct str kind,
                                            struct str after, bucket_name_visit *visit,
                                            void *context, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_document_buckets(cat, kind, after, visit, context, fault);
    return lookup_end(reader, status);
}

enum store_status document_list(struct reader *reader, int64_t bucket_id, document_visit *visit,
                                void *context, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_document_list(cat, bucket_id, visit, context, fault);
    return lookup_end(reader, status);
}

enum store_status upload_get(struct reader *reader, int64_t bucket_id, struct str key,
                             struct str upload_id, struct arena *arena, struct upload *ret_upload,
                             struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_upload_get(cat, bucket_id, key, upload_id, arena, ret_upload, fault);
    return lookup_end(reader, status);
}

enum store_status part_list(struct reader *reader, const struct upload *upload, uint32_t after,
                            uint32_t max, part_visit *visit, void *context, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_part_list(cat, upload->seq, after, max, visit, context, fault);
    return lookup_end(reader, status);
}

enum store_status object_part_list(struct reader *reader, const struct version *version,
                                   uint32_t after, uint32_t max, part_visit *visit, void *context,
                                   struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK && version->body.kind == BODY_MANIFEST)
        status =
            catalog_manifest_part_list(cat, version->body.id, after, max, visit, context, fault);
    return lookup_end(reader, status);
}

enum store_status annotation_get(struct reader *reader, const struct version *version,
                                 struct str name, struct arena *arena,
                                 struct annotation *ret_annotation, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status;

    if (!version->annotated)
        return STORE_NO_ANNOTATION;
    status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_annotation_get(cat, version->seq, name, arena, ret_annotation, fault);
    return lookup_end(reader, status);
}

enum store_status annotation_list(struct reader *reader, const struct version *version,
                                  const struct annotation_query *query, annotation_visit *visit,
                                  void *context, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status;

    if (!version->annotated)
        return STORE_OK;
    status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_annotation_list(cat, version->seq, query, visit, context, fault);
    return lookup_end(reader, status);
}

enum store_status object_list(struct reader *reader, int64_t bucket_id,
                              const struct list_query *query, list_visit *visit, void *context,
                              struct arena *arena, struct list_end *ret_end, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_object_list(cat, bucket_id, query, visit, context, arena, ret_end, fault);
    return lookup_end(reader, status);
}

enum store_status version_list(struct reader *reader, int64_t bucket_id,
                               const struct list_query *query, list_visit *visit, void *context,
                               struct arena *arena, struct list_end *ret_end, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_version_list(cat, bucket_id, query, visit, context, arena, ret_end, fault);
    return lookup_end(reader, status);
}

enum store_status upload_list(struct reader *reader, int64_t bucket_id,
                              const struct upload_query *query, upload_visit *visit, void *context,
                              struct arena *arena, struct upload_end *ret_end, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = lookup_begin(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_upload_list(cat, bucket_id, query, visit, context, arena, ret_end, fault);
    return lookup_end(reader, status);
}
