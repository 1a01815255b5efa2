/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to a store whose disk fails: the store as it is before, each operation, and all that
 * a client can see of it as text.
 */
#ifndef TESTS_FAULT_SCENE_H
#define TESTS_FAULT_SCENE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest/digest.h"
#include "base/memory.h"
#include "base/text/codec.h"
#include "storage/store.h"

#define VIEW_BYTES_MAX (1u << 20)
#ifndef BIG_BYTES
#define BIG_BYTES (70u * 1024)
#endif
#define READ_BYTES 65536

/* How an intent is submitted and waited for. */
static enum store_status (*scene_submit)(struct store *store,
                                         struct intent *intent) = store_submit_wait;

static void die(const char *what, const char *why)
{
    printf("scene: %s: %s\n", what, why);
    exit(2);
}

/* Each change is told to whoever subscribes. */
static enum store_status send_intent(struct store *store, struct intent *intent)
{
    intent->origin = (struct intent_origin){ .event = STR("change"), .principal = STR("somebody") };
    if (intent->kind == INTENT_OBJECT_DELETE)
        intent->remove.marker_event = STR("marker");
    if (intent->kind == INTENT_OBJECT_RENAME)
        intent->rename.gone_event = STR("gone");
    return scene_submit(store, intent);
}

/* ---- writing --------------------------------------------------------------------------------- */

#define OWNER STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")

/* len bytes that only this text has. */
static const char *content(const char *text, size_t len)
{
    static char bytes[8u << 20];
    size_t text_len = strlen(text);

    assert(len <= sizeof(bytes));
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(text[i % text_len] + (char)(i / 251));
    return bytes;
}

static void body_writer_release(struct body_writer **writer)
{
    body_writer_close(*writer);
}

struct write_request {
    const char *bucket, *key, *text;
    size_t len;
    bool encrypt;
    bool announce;          /* its size, as most clients do: it goes to a pack */
    const char *annotation; /* the name of one on the object; NULL: it is the object */
    struct str upload_id;   /* a part */
    uint32_t part_number;
    bool replicate; /* the object waits in the backlog from then on */
};

/* The scene's own memory, zeroed: it does not run out. */
static void *room(struct arena *arena, size_t bytes)
{
    void *memory;

    mem_fault_spare(true);
    memory = arena_zalloc(arena, bytes);
    mem_fault_spare(false);
    if (memory == NULL)
        die("scene", "memory");
    return memory;
}

static enum store_status put(struct store *store, struct arena *arena,
                             const struct write_request *request)
{
    /* Plain objects become files, the others, whose size is announced, extents of packs. */
    bool announced = request->announce || request->encrypt || request->part_number > 0 ||
                     request->annotation != NULL;
    struct body_options options = { .account = OWNER,
                                    .encrypt = request->encrypt,
                                    .expected_bytes = announced ? request->len : 0 };
    CLEANUP(body_writer_release) struct body_writer *writer = NULL;
    struct intent *intent = room(arena, sizeof(*intent));
    struct body_digests digests;
    char *etag = room(arena, 2 * MD5_BYTES);
    enum store_status status;

    status = body_writer_open(store, &options, &writer, NULL);
    if (status == STORE_OK)
        status =
            body_writer_append(writer, content(request->text, request->len), request->len, NULL);
    if (status == STORE_OK)
        status = body_writer_finish(writer, &digests, NULL);
    if (status != STORE_OK)
        return status;

    hex_encode(digests.md5, sizeof(digests.md5), etag);
    intent->arena = arena;
    intent->bucket = str_from_cstr(request->bucket);
    intent->key = str_from_cstr(request->key);
    if (request->part_number > 0) {
        intent->kind = INTENT_PART_PUT;
        intent->part = (struct intent_part){ .upload_id = request->upload_id,
                                             .number = request->part_number,
                                             .bytes = { .body = writer },
                                             .etag = str_make(etag, 2 * MD5_BYTES) };
    } else if (request->annotation != NULL) {
        intent->kind = INTENT_ANNOTATION_SET;
        intent->annotation = (struct intent_annotation){ .name = str_from_cstr(request->annotation),
                                                         .bytes = { .body = writer },
                                                         .etag = str_make(etag, 2 * MD5_BYTES) };
    } else {
        intent->kind = INTENT_OBJECT_PUT;
        intent->put.bytes.body = writer;
        intent->put.replicate = request->replicate;
        intent->put.attrs =
            (struct version_attrs){ .etag = str_make(etag, 2 * MD5_BYTES), .owner = OWNER };
    }
    return send_intent(store, intent);
}

static struct intent *intent_of(struct arena *arena, enum intent_kind kind, const char *bucket,
                                const char *key)
{
    struct intent *intent = room(arena, sizeof(*intent));

    intent->kind = kind;
    intent->arena = arena;
    intent->bucket = str_from_cstr(bucket);
    intent->key = key != NULL ? str_from_cstr(key) : STR_NONE;
    return intent;
}

static enum store_status bucket_create(struct store *store, struct arena *arena, const char *name)
{
    struct intent *intent = intent_of(arena, INTENT_BUCKET_CREATE, name, NULL);

    intent->bucket_create = (struct intent_bucket_create){ .owner = OWNER, .region = STR("") };
    return send_intent(store, intent);
}

static enum store_status versioning_set(struct store *store, struct arena *arena,
                                        const char *bucket, enum bucket_versioning versioning)
{
    struct intent *intent = intent_of(arena, INTENT_BUCKET_SET, bucket, NULL);

    intent->bucket_set.set_versioning = true;
    intent->bucket_set.versioning = versioning;
    return send_intent(store, intent);
}

static enum store_status delete_items(struct store *store, struct arena *arena, const char *bucket,
                                      struct delete_item *items, size_t count)
{
    struct intent *intent = intent_of(arena, INTENT_OBJECT_DELETE, bucket, NULL);

    intent->key = items[0].key;
    intent->remove = (struct intent_remove){ .items = items, .count = count, .owner = OWNER };
    return send_intent(store, intent);
}

/* The only open upload of plain/upload, and its bucket. */
struct found_upload {
    struct str id;
    struct upload upload;
    bool found;
    struct arena *arena;
};

static bool take_upload(void *context, struct str prefix, const struct upload *upload)
{
    struct found_upload *found = context;

    (void)prefix;
    found->id = str_make(room(found->arena, upload->id.len), upload->id.len);
    memcpy((char *)(uintptr_t)found->id.p, upload->id.p, upload->id.len);
    found->upload = *upload;
    found->upload.id = found->id;
    found->found = true;
    return true;
}

struct chosen_parts {
    struct part_choice list[4];
    size_t count;
};

static bool take_part(void *context, const struct part *part)
{
    struct chosen_parts *chosen = context;

    if (chosen->count < COUNT_OF(chosen->list))
        chosen->list[chosen->count++] = (struct part_choice){ part->number, part->seq };
    return true;
}

static void reader_release(struct reader **reader)
{
    if (*reader != NULL)
        reader_close(*reader);
}

/* parts: may be NULL. */
static enum store_status find_upload(struct store *store, struct arena *arena,
                                     struct found_upload *found, struct chosen_parts *parts)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct upload_query query = { .prefix = STR(""), .delimiter = STR(""), .max = 10 };
    struct upload_end end;
    struct bucket bucket;

    enum store_status status;

    *found = (struct found_upload){ .arena = arena };
    status = reader_open(store, &reader, NULL);
    if (status == STORE_OK)
        status = bucket_get(reader, STR("plain"), arena, &bucket, NULL);
    if (status == STORE_OK)
        status = upload_list(reader, bucket.id, &query, take_upload, found, arena, &end, NULL);
    if (status != STORE_OK)
        return status;
    if (!found->found)
        return STORE_NO_UPLOAD;
    return parts == NULL ? STORE_OK
                         : part_list(reader, &found->upload, 0, 10, take_part, parts, NULL);
}

/* ---- the operations -------------------------------------------------------------------------- */

static enum store_status put_inline(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){
                   .bucket = "plain", .key = "new", .text = "inline", .len = 1000 });
}

static enum store_status put_empty(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){ .bucket = "plain", .key = "new", .text = "x", .len = 0 });
}

static enum store_status put_file(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){
                   .bucket = "plain", .key = "new", .text = "file", .len = BIG_BYTES });
}

static enum store_status put_shared_blob(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){
                   .bucket = "plain", .key = "new", .text = "keep big", .len = BIG_BYTES });
}

static enum store_status put_encrypted(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){ .bucket = "plain",
                                        .key = "new",
                                        .text = "secret",
                                        .len = BIG_BYTES,
                                        .encrypt = true });
}

static enum store_status overwrite_inline(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){
                   .bucket = "plain", .key = "old", .text = "other", .len = 2000 });
}

static enum store_status overwrite_file(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){
                   .bucket = "plain", .key = "old big", .text = "other big", .len = BIG_BYTES });
}

static enum store_status put_version(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){
                   .bucket = "hist", .key = "keep", .text = "third", .len = BIG_BYTES });
}

static enum store_status delete_one(struct store *store, struct arena *arena)
{
    struct delete_item item = { .key = STR("old big") };

    return delete_items(store, arena, "plain", &item, 1);
}

static enum store_status delete_many(struct store *store, struct arena *arena)
{
    struct delete_item items[] = { { .key = STR("old") },
                                   { .key = STR("old big") },
                                   { .key = STR("not there") } };

    return delete_items(store, arena, "plain", items, COUNT_OF(items));
}

static enum store_status delete_marker(struct store *store, struct arena *arena)
{
    struct delete_item item = { .key = STR("keep") };

    return delete_items(store, arena, "hist", &item, 1);
}

static enum store_status copy_object(struct store *store, struct arena *arena, struct str key,
                                     bool with_annotations)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct intent *intent = intent_of(arena, INTENT_OBJECT_PUT, "plain", "new");
    struct version_id current = { .kind = VERSION_CURRENT };
    struct copy_source source = { .key = key };
    struct version version;
    struct bucket bucket;
    enum store_status status = reader_open(store, &reader, NULL);

    if (status == STORE_OK)
        status = bucket_get(reader, STR("plain"), arena, &bucket, NULL);
    if (status == STORE_OK)
        status = version_get(reader, bucket.id, source.key, current, arena, &version, NULL);
    if (status != STORE_OK)
        return status;
    source.bucket_id = bucket.id;
    source.seq = version.seq;
    intent->put.bytes.source = &source;
    intent->put.attrs = version.attrs;
    intent->put.with_annotations = with_annotations;
    return send_intent(store, intent);
}

static enum store_status rename_to(struct store *store, struct arena *arena, const char *to)
{
    struct intent *intent = intent_of(arena, INTENT_OBJECT_RENAME, "plain", to);

    intent->rename = (struct intent_rename){ .source = STR("old big"),
                                             .token = str_from_cstr(to),
                                             .asked = STR("asked") };
    return send_intent(store, intent);
}

static enum store_status rename_plain(struct store *store, struct arena *arena)
{
    return rename_to(store, arena, "new");
}

/* In the place of another object. */
static enum store_status rename_over(struct store *store, struct arena *arena)
{
    return rename_to(store, arena, "old");
}

static enum store_status copy_plain(struct store *store, struct arena *arena)
{
    return copy_object(store, arena, STR("old big"), false);
}

static enum store_status copy_annotated(struct store *store, struct arena *arena)
{
    return copy_object(store, arena, STR("old"), true);
}

static enum store_status upload_create(struct store *store, struct arena *arena)
{
    struct intent *intent = intent_of(arena, INTENT_UPLOAD_CREATE, "plain", "upload");

    intent->create_upload.attrs.owner = OWNER;
    return send_intent(store, intent);
}

static enum store_status part_put(struct store *store, struct arena *arena)
{
    struct found_upload found;
    enum store_status status;

    status = find_upload(store, arena, &found, NULL);
    if (status != STORE_OK)
        return status;
    return put(store, arena,
               &(struct write_request){ .bucket = "plain",
                                        .key = "upload",
                                        .text = "part three",
                                        .len = BIG_BYTES,
                                        .upload_id = found.id,
                                        .part_number = 3 });
}

static enum store_status upload_complete(struct store *store, struct arena *arena)
{
    struct intent *intent = intent_of(arena, INTENT_UPLOAD_COMPLETE, "plain", "upload");
    struct found_upload found;
    struct chosen_parts parts = { .count = 0 };
    enum store_status status;

    status = find_upload(store, arena, &found, &parts);
    if (status != STORE_OK)
        return status;
    intent->complete = (struct intent_complete){
        .upload_id = found.id,
        .parts = parts.list,
        .count = parts.count,
        .etag = STR("00000000000000000000000000000000-2"),
    };
    return send_intent(store, intent);
}

static enum store_status upload_abort(struct store *store, struct arena *arena)
{
    struct intent *intent = intent_of(arena, INTENT_UPLOAD_ABORT, "plain", "upload");
    struct found_upload found;
    enum store_status status;

    status = find_upload(store, arena, &found, NULL);
    if (status != STORE_OK)
        return status;
    intent->abort.upload_id = found.id;
    return send_intent(store, intent);
}

static enum store_status create_bucket(struct store *store, struct arena *arena)
{
    return bucket_create(store, arena, "new-bucket");
}

static enum store_status delete_bucket(struct store *store, struct arena *arena)
{
    return send_intent(store, intent_of(arena, INTENT_BUCKET_DELETE, "empty", NULL));
}

static enum store_status set_tags(struct store *store, struct arena *arena)
{
    struct intent *intent = intent_of(arena, INTENT_OBJECT_SET, "plain", "old");

    intent->object_set.set_tags = true;
    intent->object_set.tags = STR("some tags");
    return send_intent(store, intent);
}

static enum store_status annotate(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){ .bucket = "plain",
                                        .key = "old",
                                        .text = "said of it",
                                        .len = 700,
                                        .encrypt = true,
                                        .annotation = "small" });
}

static enum store_status annotate_large(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){ .bucket = "plain",
                                        .key = "old",
                                        .text = "much was said of it",
                                        .len = BIG_BYTES,
                                        .encrypt = true,
                                        .annotation = "large" });
}

static enum store_status annotation_remove(struct store *store, struct arena *arena)
{
    struct intent *intent = intent_of(arena, INTENT_ANNOTATION_SET, "plain", "old");

    intent->annotation = (struct intent_annotation){ .name = STR("large"), .remove = true };
    return send_intent(store, intent);
}

static void prepare_annotations(struct store *store, struct arena *arena)
{
    if (annotate(store, arena) != STORE_OK || annotate_large(store, arena) != STORE_OK)
        die("prepare", "annotations");
}

static enum store_status document_set(struct store *store, struct arena *arena, struct str body)
{
    struct intent *intent = intent_of(arena, INTENT_DOCUMENT_SET, "plain", NULL);

    intent->document =
        (struct bucket_document){ .kind = STR("tagging"), .id = STR(""), .body = body };
    return send_intent(store, intent);
}

static enum store_status set_document(struct store *store, struct arena *arena)
{
    return document_set(store, arena, STR("a document"));
}

static enum store_status sweep_now(struct store *store, struct arena *arena)
{
    (void)arena;
    return store_sweep_now(store, NULL);
}

/* Two bodies nobody names any more: what a sweep is for. */
static void prepare_sweep(struct store *store, struct arena *arena)
{
    if (put(store, arena,
            &(struct write_request){
                .bucket = "plain", .key = "gone", .text = "gone", .len = BIG_BYTES }) != STORE_OK ||
        put(store, arena,
            &(struct write_request){
                .bucket = "plain", .key = "gone", .text = "gone too", .len = BIG_BYTES }) !=
            STORE_OK ||
        put(store, arena,
            &(struct write_request){
                .bucket = "plain", .key = "gone", .text = "stays", .len = 10 }) != STORE_OK)
        die("prepare", "sweep");
}

static void prepare_upload(struct store *store, struct arena *arena)
{
    struct found_upload found;

    if (upload_create(store, arena) != STORE_OK ||
        find_upload(store, arena, &found, NULL) != STORE_OK)
        die("prepare", "upload");
    if (put(store, arena,
            &(struct write_request){ .bucket = "plain",
                                     .key = "upload",
                                     .text = "part one",
                                     .len = BIG_BYTES,
                                     .upload_id = found.id,
                                     .part_number = 1 }) != STORE_OK ||
        put(store, arena,
            &(struct write_request){ .bucket = "plain",
                                     .key = "upload",
                                     .text = "part two",
                                     .len = 100,
                                     .upload_id = found.id,
                                     .part_number = 2 }) != STORE_OK)
        die("prepare", "parts");
}

/* ---- replication ------------------------------------------------------------------------------ */

/* One that is large, so that its replica is a second reference to a blob. */
static enum store_status put_waiting(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){ .bucket = "hist",
                                        .key = "waits",
                                        .text = "waits",
                                        .len = BIG_BYTES,
                                        .replicate = true });
}

static void prepare_waiting(struct store *store, struct arena *arena)
{
    if (bucket_create(store, arena, "replicas") != STORE_OK ||
        versioning_set(store, arena, "replicas", VERSIONING_ENABLED) != STORE_OK ||
        put_waiting(store, arena) != STORE_OK)
        die("prepare", "what waits");
}

static bool take_item(void *context, const struct backlog_item *item)
{
    *(struct backlog_item *)context = *item;
    return true;
}

/* What waits, and its version. */
static enum store_status find_waiting(struct store *store, struct arena *arena,
                                      struct backlog_item *ret_item, struct version *ret_version)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    int64_t next_us;
    enum store_status status = reader_open(store, &reader, NULL);

    if (status == STORE_OK)
        status = backlog_list(reader, INT64_MAX - 1, 1, take_item, ret_item, &next_us, NULL);
    if (status == STORE_OK)
        status = version_numbered(reader, ret_item->bucket_id, STR("waits"), ret_item->seq, arena,
                                  ret_version, NULL);
    return status;
}

static enum store_status replica_put(struct store *store, struct arena *arena)
{
    struct intent *intent = intent_of(arena, INTENT_REPLICA_PUT, "replicas", "waits");
    struct backlog_item item = { .id = 0 };
    enum store_status status = find_waiting(store, arena, &item, &intent->replica.replica);

    if (status != STORE_OK)
        return status;
    intent->replica.source_bucket_id = item.bucket_id;
    intent->replica.replica.replication = REPLICATION_REPLICA;
    return send_intent(store, intent);
}

static enum store_status replication_end(struct store *store, struct arena *arena)
{
    struct intent *intent = intent_of(arena, INTENT_REPLICATION_END, "hist", NULL);
    struct backlog_item *item = room(arena, sizeof(*item));
    struct version version;
    enum store_status status = find_waiting(store, arena, item, &version);

    if (status != STORE_OK)
        return status;
    item->key = STR("waits");
    item->state = REPLICATION_COMPLETED;
    intent->replication_end = (struct intent_replication_end){ .items = item, .count = 1 };
    return send_intent(store, intent);
}

/* ---- subscribers ------------------------------------------------------------------------------ */

#define SUBSCRIBER STR("subscriber")
#define ANOTHER STR("another")

static enum store_status subscribe(struct store *store, struct arena *arena)
{
    (void)arena;
    return store_subscribe(store, ANOTHER, NULL);
}

static enum store_status events_forget(struct store *store, struct arena *arena)
{
    (void)arena;
    return store_events_forget(store, SUBSCRIBER, 3, NULL);
}

static enum store_status unsubscribe(struct store *store, struct arena *arena)
{
    (void)arena;
    return store_unsubscribe(store, SUBSCRIBER, NULL);
}

/* A document whose commit subscribes somebody, who is told of it first. */
static enum store_status set_heard_document(struct store *store, struct arena *arena)
{
    static const struct str subscribers[] = { STR_INIT("another") };
    struct intent *intent = intent_of(arena, INTENT_DOCUMENT_SET, "plain", NULL);

    intent->subscribers = subscribers;
    intent->subscriber_count = COUNT_OF(subscribers);
    intent->document = (struct bucket_document){ .kind = STR("tagging"),
                                                 .id = STR(""),
                                                 .body = STR("a document") };
    return send_intent(store, intent);
}

struct operation {
    const char *name;
    enum store_status (*run)(struct store *store, struct arena *arena);
    void (*prepare)(struct store *store, struct arena *arena);
    bool unheard; /* nobody subscribes */
};

static const struct operation operations[] = {
    { "put-inline", put_inline, NULL, false },
    { "put-unheard", put_inline, NULL, true },
    { "put-empty", put_empty, NULL, false },
    { "put-file", put_file, NULL, false },
    { "put-shared-blob", put_shared_blob, NULL, false },
    { "put-encrypted", put_encrypted, NULL, false },
    { "overwrite-inline", overwrite_inline, NULL, false },
    { "overwrite-file", overwrite_file, NULL, false },
    { "put-version", put_version, NULL, false },
    { "delete", delete_one, NULL, false },
    { "delete-many", delete_many, NULL, false },
    { "delete-marker", delete_marker, NULL, false },
    { "copy", copy_plain, NULL, false },
    { "rename", rename_plain, NULL, false },
    { "rename-over", rename_over, NULL, false },
    { "upload-create", upload_create, NULL, false },
    { "part-put", part_put, prepare_upload, false },
    { "upload-complete", upload_complete, prepare_upload, false },
    { "upload-abort", upload_abort, prepare_upload, false },
    { "bucket-create", create_bucket, NULL, false },
    { "bucket-delete", delete_bucket, NULL, false },
    { "tags-set", set_tags, NULL, false },
    { "annotate", annotate, NULL, false },
    { "annotate-large", annotate_large, NULL, false },
    { "annotation-remove", annotation_remove, prepare_annotations, false },
    { "annotated-overwrite", overwrite_inline, prepare_annotations, false },
    { "annotated-copy", copy_annotated, prepare_annotations, false },
    { "put-waiting", put_waiting, NULL, false },
    { "replica-put", replica_put, prepare_waiting, false },
    { "replication-end", replication_end, prepare_waiting, false },
    { "document-set", set_document, NULL, false },
    { "document-heard", set_heard_document, NULL, false },
    { "document-first-heard", set_heard_document, NULL, true },
    { "subscribe", subscribe, NULL, false },
    { "events-forget", events_forget, NULL, false },
    { "unsubscribe", unsubscribe, NULL, false },
    { "sweep", sweep_now, prepare_sweep, false },
};

static void prepare(struct store *store, struct arena *arena, const struct operation *operation)
{
    static const struct write_request objects[] = {
        { .bucket = "plain", .key = "keep", .text = "keep", .len = 100 },
        { .bucket = "plain", .key = "keep big", .text = "keep big", .len = BIG_BYTES },
        { .bucket = "plain", .key = "old", .text = "old", .len = 1500 },
        { .bucket = "plain", .key = "old big", .text = "old big", .len = BIG_BYTES },
        { .bucket = "hist", .key = "keep", .text = "first", .len = 100 },
        { .bucket = "hist", .key = "keep", .text = "second", .len = BIG_BYTES },
    };

    if (!operation->unheard && store_subscribe(store, SUBSCRIBER, NULL) != STORE_OK)
        die("prepare", "a subscriber");
    if (bucket_create(store, arena, "plain") != STORE_OK ||
        bucket_create(store, arena, "hist") != STORE_OK ||
        bucket_create(store, arena, "empty") != STORE_OK ||
        versioning_set(store, arena, "hist", VERSIONING_ENABLED) != STORE_OK)
        die("prepare", "buckets");
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        if (put(store, arena, &objects[i]) != STORE_OK)
            die("prepare", objects[i].key);
    }
    if (operation->prepare != NULL)
        operation->prepare(store, arena);
}

/* ---- what is visible, as text ---------------------------------------------------------------- */

struct view {
    struct buf text;
    struct reader *reader;
    struct arena *arena;
    int64_t bucket_id;
    bool failed;
};

static void body_release(struct body **body)
{
    body_close(*body);
}

static void view_body(struct view *view, const struct version *version)
{
    CLEANUP(body_release) struct body *body = NULL;
    CLEANUP(digest_closep) struct digest *digest = digest_open(DIGEST_SHA256);
    static char bytes[READ_BYTES];
    uint8_t sha256[SHA256_BYTES];
    uint64_t total = 0;
    int64_t got = 0;

    if (digest == NULL ||
        body_open(view->reader, version, 0, version->size_bytes, &body, NULL) != STORE_OK) {
        buf_lit(&view->text, " DAMAGED");
        view->failed = true;
        return;
    }
    while ((got = body_read(body, bytes, sizeof(bytes), NULL)) > 0) {
        digest_update(digest, bytes, (size_t)got);
        total += (uint64_t)got;
    }
    digest_final(digest, sha256);
    if (got < 0 || total != version->size_bytes) {
        buf_lit(&view->text, " DAMAGED");
        view->failed = true;
        return;
    }
    buf_char(&view->text, ' ');
    for (size_t i = 0; i < 8; i++)
        buf_printf(&view->text, "%02x", sha256[i]);
}

static bool view_annotation(void *context, const struct annotation *annotation)
{
    struct view *view = context;
    const struct version text = { .size_bytes = annotation->size_bytes, .body = annotation->body };

    buf_printf(&view->text, "    annotation '%.*s', %llu bytes, etag %.*s",
               STR_ARG(annotation->name), (unsigned long long)annotation->size_bytes,
               STR_ARG(annotation->etag));
    view_body(view, &text);
    buf_char(&view->text, '\n');
    return true;
}

static bool view_version(void *context, struct str prefix, const struct listed_version *listed)
{
    struct view *view = context;
    struct version_id id = { .kind = listed->null_version ? VERSION_NULL : VERSION_EXACT,
                             .seq = listed->seq,
                             .tail = listed->tail };
    struct version version;

    (void)prefix;
    buf_printf(&view->text, "  '%.*s'%s", STR_ARG(listed->key), listed->latest ? " latest" : "");
    if (listed->delete_marker) {
        buf_lit(&view->text, " marker\n");
        return true;
    }
    if (version_get(view->reader, view->bucket_id, listed->key, id, view->arena, &version, NULL) !=
            STORE_OK ||
        version.size_bytes != listed->size_bytes || !str_eq(version.attrs.etag, listed->etag)) {
        buf_lit(&view->text, " NOT AS LISTED\n");
        view->failed = true;
        return true;
    }
    buf_printf(&view->text, " %llu bytes, etag %.*s, tags '%.*s', parts %u",
               (unsigned long long)version.size_bytes, STR_ARG(version.attrs.etag),
               STR_ARG(version.attrs.tags), version.part_count);
    if (version.replication != REPLICATION_NONE)
        buf_printf(&view->text, ", replication %u", version.replication);
    view_body(view, &version);
    buf_char(&view->text, '\n');
    view->failed |=
        annotation_list(view->reader, &version,
                        &(struct annotation_query){ STR(""), STR(""), STORE_ANNOTATIONS_MAX },
                        view_annotation, view, NULL) != STORE_OK;
    return true;
}

static bool view_part(void *context, const struct part *part)
{
    struct view *view = context;

    buf_printf(&view->text, "    part %u, %llu bytes, etag %.*s\n", part->number,
               (unsigned long long)part->size_bytes, STR_ARG(part->etag));
    return true;
}

static bool view_upload(void *context, struct str prefix, const struct upload *upload)
{
    struct view *view = context;

    (void)prefix;
    buf_printf(&view->text, "  upload of '%.*s'\n", STR_ARG(upload->key));
    view->failed |= part_list(view->reader, upload, 0, STORE_LIST_MAX, view_part, view, NULL) !=
                    STORE_OK;
    return true;
}

static bool view_bucket(void *context, const struct bucket *bucket)
{
    struct view *view = context;
    struct list_query query = { .prefix = STR(""), .delimiter = STR(""), .max = STORE_LIST_MAX };
    struct upload_query uploads = { .prefix = STR(""),
                                    .delimiter = STR(""),
                                    .max = STORE_LIST_MAX };
    struct upload_end upload_end;
    struct list_end end;
    struct str document;

    view->bucket_id = bucket->id;
    buf_printf(&view->text, "bucket %.*s, versioning %d\n", STR_ARG(bucket->name),
               (int)bucket->versioning);
    if (document_get(view->reader, bucket->id, STR("tagging"), STR(""), view->arena, &document,
                     NULL) == STORE_OK)
        buf_printf(&view->text, "  document '%.*s'\n", STR_ARG(document));
    view->failed |= version_list(view->reader, bucket->id, &query, view_version, view, view->arena,
                                 &end, NULL) != STORE_OK;
    view->failed |= upload_list(view->reader, bucket->id, &uploads, view_upload, view, view->arena,
                                &upload_end, NULL) != STORE_OK;
    return true;
}

static bool view_event(void *context, const struct store_event *event)
{
    struct view *view = context;

    buf_printf(&view->text, "event %lld: %.*s of '%.*s', %llu bytes, %s\n", (long long)event->id,
               STR_ARG(event->name), STR_ARG(event->key), (unsigned long long)event->size_bytes,
               str_present(event->version_id) ? "versioned" : "not versioned");
    return true;
}

/* Who waits for what: an event that is lost, told twice or made up shows. */
static enum store_status view_events(struct view *view)
{
    static const struct str names[] = { SUBSCRIBER, ANOTHER };
    enum store_status status = STORE_OK;
    uint64_t lost;
    int64_t done;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        status = subscriber_done(view->reader, names[i], &done, NULL);
        if (status == STORE_OK)
            buf_printf(&view->text, "%.*s is done with %lld\n", STR_ARG(names[i]), (long long)done);
        else if (status != STORE_NO_SUBSCRIBER)
            return status;
    }
    return event_list(view->reader, 0, UINT32_MAX, view_event, view, &lost, NULL);
}

static bool view_item(void *context, const struct backlog_item *item)
{
    struct view *view = context;

    buf_printf(&view->text, "waits '%.*s' of %.*s, %u tries\n", STR_ARG(item->key),
               STR_ARG(item->bucket), item->tries);
    return true;
}

static enum store_status view_backlog(struct view *view)
{
    int64_t next_us;

    return backlog_list(view->reader, INT64_MAX - 1, UINT32_MAX, view_item, view, &next_us, NULL);
}

/* Everything a client can see, without times and ids. False: something could not be read. */
static bool view_store(struct store *store, struct str *ret_text, struct arena *arena)
{
    CLEANUP(arena_closep) struct arena *scratch = arena_open(65536, 16u << 20);
    CLEANUP(reader_release) struct reader *reader = NULL;
    struct view view = { .text = BUF_WITH_MAX(VIEW_BYTES_MAX), .arena = scratch };
    enum store_status status;

    if (scratch == NULL)
        die("view", "memory");
    status = reader_open(store, &reader, NULL);
    view.reader = reader;
    if (status == STORE_OK) {
        reader_begin(reader);
        status = bucket_list(reader, OWNER, STR(""), STR(""), view_bucket, &view, NULL);
        if (status == STORE_OK)
            status = view_events(&view);
        if (status == STORE_OK)
            status = view_backlog(&view);
        reader_end(reader);
    }
    *ret_text = arena_dup(arena, buf_view(&view.text));
    buf_free(&view.text);
    return status == STORE_OK && !view.failed;
}

#endif
