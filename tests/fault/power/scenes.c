/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenes: every way in which a store writes, a few steps each, so that a state is small.
 */
#define BIG_BYTES 6000u /* more than PLAY_INLINE_BYTES: a file, or an extent of a pack */

#include "tests/fault/scene.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fault/power/play.h"

#define LONG_DOCUMENT 61440u
#define UPLOAD_AGE_US (3600 * US_PER_S)
#define LONG_DOCUMENTS 12 /* of log_steps: played again they are the same */

/* ---- bodies ---------------------------------------------------------------------------------- */

static enum store_status put_pack(struct store *store, struct arena *arena, const char *name,
                                  size_t len)
{
    return put(store, arena,
               &(struct write_request){
                   .bucket = "plain", .key = name, .text = name, .len = len, .announce = true });
}

static enum store_status pack_one(struct store *store, struct arena *arena)
{
    return put_pack(store, arena, "pack one", 5000);
}

static enum store_status pack_two(struct store *store, struct arena *arena)
{
    return put_pack(store, arena, "pack two", 3000);
}

static enum store_status pack_three(struct store *store, struct arena *arena)
{
    return put_pack(store, arena, "pack three", 9000);
}

static enum store_status put_null_version(struct store *store, struct arena *arena)
{
    return put(store, arena,
               &(struct write_request){
                   .bucket = "hist", .key = "keep", .text = "null", .len = 300 });
}

static enum store_status suspend_versions(struct store *store, struct arena *arena)
{
    return versioning_set(store, arena, "hist", VERSIONING_SUSPENDED);
}

static enum store_status delete_key(struct store *store, struct arena *arena, const char *key)
{
    struct delete_item item = { .key = str_from_cstr(key) };

    return delete_items(store, arena, "plain", &item, 1);
}

static enum store_status delete_pack_one(struct store *store, struct arena *arena)
{
    return delete_key(store, arena, "pack one");
}

static enum store_status delete_small(struct store *store, struct arena *arena)
{
    return delete_key(store, arena, "keep");
}

static enum store_status create_plain(struct store *store, struct arena *arena)
{
    return bucket_create(store, arena, "plain");
}

/* ---- parts and copies ------------------------------------------------------------------------ */

static enum store_status put_part(struct store *store, struct arena *arena, uint32_t number,
                                  const char *text, size_t len)
{
    struct found_upload found;

    if (find_upload(store, arena, &found, NULL) != STORE_OK)
        return STORE_NO_UPLOAD;
    return put(store, arena,
               &(struct write_request){ .bucket = "plain",
                                        .key = "upload",
                                        .text = text,
                                        .len = len,
                                        .upload_id = found.id,
                                        .part_number = number });
}

static enum store_status part_one(struct store *store, struct arena *arena)
{
    return put_part(store, arena, 1, "part one", BIG_BYTES);
}

static enum store_status part_two(struct store *store, struct arena *arena)
{
    return put_part(store, arena, 2, "part two", 900);
}

static enum store_status part_two_again(struct store *store, struct arena *arena)
{
    return put_part(store, arena, 2, "another part two", 3000);
}

/* The copy's ETag is the MD5 of what was read. */
static enum store_status take_md5(struct intent *intent)
{
    struct intent_bytes *bytes = intent_bytes(intent);
    char *etag = arena_alloc(intent->arena, 2 * MD5_BYTES);

    if (etag == NULL)
        die("copy", "memory");
    hex_encode(bytes->source_digests->md5, MD5_BYTES, etag);
    if (intent->kind == INTENT_PART_PUT)
        intent->part.etag = str_make(etag, 2 * MD5_BYTES);
    else
        intent->put.attrs.etag = str_make(etag, 2 * MD5_BYTES);
    return STORE_OK;
}

/* Bytes of plain/"old big"; to a key of their own, or to a part of the upload. */
static enum store_status copy_with(struct store *store, struct arena *arena, enum copy_work work,
                                   bool part)
{
    CLEANUP(reader_release) struct reader *reader = NULL;
    const char *key = work == COPY_REWRITE ? "sealed copy" : "copy";
    struct intent *intent = intent_of(arena, part ? INTENT_PART_PUT : INTENT_OBJECT_PUT, "plain",
                                      part ? "upload" : key);
    struct version_id current = { .kind = VERSION_CURRENT };
    struct copy_source source = { .key = STR("old big"),
                                  .work = work,
                                  .ranged = part,
                                  .offset = 100,
                                  .len = 4000,
                                  .want_md5 = true,
                                  .options = { .account = OWNER,
                                               .encrypt = work == COPY_REWRITE } };
    struct found_upload found;
    struct version version;
    struct bucket bucket;

    if (reader_open(store, &reader, NULL) != STORE_OK ||
        bucket_get(reader, STR("plain"), arena, &bucket, NULL) != STORE_OK ||
        version_get(reader, bucket.id, source.key, current, arena, &version, NULL) != STORE_OK)
        die("copy", "no source");
    source.bucket_id = bucket.id;
    source.seq = version.seq;
    intent_bytes(intent)->source = &source;
    intent->staged = take_md5;
    if (!part) {
        intent->put.attrs.owner = OWNER;
        return send_intent(store, intent);
    }
    if (find_upload(store, arena, &found, NULL) != STORE_OK)
        return STORE_NO_UPLOAD;
    intent->part.upload_id = found.id;
    intent->part.number = work == COPY_REWRITE ? 2 : 1;
    return send_intent(store, intent);
}

static enum store_status copy_measured(struct store *store, struct arena *arena)
{
    return copy_with(store, arena, COPY_MEASURE, false);
}

static enum store_status copy_rewritten(struct store *store, struct arena *arena)
{
    return copy_with(store, arena, COPY_REWRITE, false);
}

static enum store_status part_copy(struct store *store, struct arena *arena)
{
    return copy_with(store, arena, COPY_MEASURE, true);
}

static enum store_status part_copy_rewritten(struct store *store, struct arena *arena)
{
    return copy_with(store, arena, COPY_REWRITE, true);
}

/* ---- a long log ------------------------------------------------------------------------------ */

static enum store_status long_document(struct store *store, struct arena *arena)
{
    static unsigned count;
    char *bytes = arena_alloc(arena, LONG_DOCUMENT);

    if (bytes == NULL)
        die("document", "memory");
    memset(bytes, 'a' + (int)(count++ % LONG_DOCUMENTS), LONG_DOCUMENT);
    return document_set(store, arena, str_make(bytes, LONG_DOCUMENT));
}

/* Has free space measured: it is little, so the log is kept short. */
static enum store_status notice_space(struct store *store, struct arena *arena)
{
    (void)arena;
    (void)store_health(store, NULL);
    return STORE_OK;
}

/* ---- time passes ----------------------------------------------------------------------------- */

/* The open upload reaches its age and is removed. */
static enum store_status expire_upload(struct store *store, struct arena *arena)
{
    struct found_upload found;
    unsigned polls = 0;

    while (find_upload(store, arena, &found, NULL) == STORE_OK) {
        if (polls++ == 10000)
            return STORE_IO;
        clock_move(store_clock(store), CLOCK_ADVANCE, UPLOAD_AGE_US);
        (void)usleep(1000);
    }
    return STORE_OK;
}

static enum store_status walk_now(struct store *store, struct arena *arena)
{
    (void)arena;
    return play_walk(store) ? STORE_OK : STORE_IO;
}

/* ---- before ---------------------------------------------------------------------------------- */

static enum store_status prepare_plain(struct store *store, struct arena *arena)
{
    static const struct operation nothing = { .name = "nothing" };

    prepare(store, arena, &nothing);
    return STORE_OK;
}

static enum store_status prepare_replicas(struct store *store, struct arena *arena)
{
    (void)prepare_plain(store, arena);
    return bucket_create(store, arena, "replicas") == STORE_OK
               ? versioning_set(store, arena, "replicas", VERSIONING_ENABLED)
               : STORE_IO;
}

/* The first schema knows no subscribers. */
static enum store_status prepare_first(struct store *store, struct arena *arena)
{
    static const struct operation nothing = { .name = "nothing", .unheard = true };

    prepare(store, arena, &nothing);
    return STORE_OK;
}

static enum store_status prepare_packs(struct store *store, struct arena *arena)
{
    (void)prepare_plain(store, arena);
    prepare_sweep(store, arena);
    return pack_one(store, arena) == STORE_OK ? pack_two(store, arena) : STORE_IO;
}

static enum store_status prepare_all(struct store *store, struct arena *arena)
{
    if (prepare_packs(store, arena) != STORE_OK)
        return STORE_IO;
    prepare_upload(store, arena);
    return STORE_OK;
}

static void flip(const char *path, long at)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char byte;

    if (fd < 0 || pread(fd, &byte, 1, at) != 1)
        die("flip", path);
    byte ^= 1;
    if (pwrite(fd, &byte, 1, at) != 1)
        die("flip", path);
    (void)close(fd);
}

/* A bit of the first pack, and so of "pack one", turns over. */
static void spoil_pack(const char *store_path)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%.4000s/packs/00000001", store_path);
    flip(path, 1000);
}

static void append(const char *path, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, content("left behind", len), len) != (ssize_t)len)
        die("append", path);
    (void)close(fd);
}

/* What writes leave behind that were under way when a process ended. */
static void spoil_remains(const char *store_path)
{
    static const char *const names[] = {
        "packs/00000001", "tmp/0123456789abcdef",
        "blobs/ff/ff/ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        ".0123456789abcdef"
    };
    char path[4096];

    (void)snprintf(path, sizeof(path), "%.4000s/blobs/ff", store_path);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%.4000s/blobs/ff/ff", store_path);
    (void)mkdir(path, 0700);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof(path), "%.3900s/%s", store_path, names[i]);
        append(path, 9000);
    }
}

#define WITHOUT_LOCK(TABLE)                                                                        \
    "ALTER TABLE " TABLE " DROP COLUMN lock_mode; ALTER TABLE " TABLE " DROP COLUMN retain_us;"    \
    "ALTER TABLE " TABLE " DROP COLUMN legal_hold;"

#define WITHOUT_RESTORE(TABLE)                                                                     \
    "ALTER TABLE " TABLE " DROP COLUMN restore_us; ALTER TABLE " TABLE " DROP COLUMN restored_us;"

/* The catalog as a program of the first schema had it. */
static void spoil_schema(const char *store_path)
{
    static const char undo[] =
        "PRAGMA journal_mode = WAL; DROP TABLE annotation; DROP TABLE backlog;"
        "ALTER TABLE object DROP COLUMN replication;"
        "ALTER TABLE version DROP COLUMN replication;" WITHOUT_RESTORE("object")
            WITHOUT_RESTORE("version") WITHOUT_LOCK("object") WITHOUT_LOCK("version") WITHOUT_LOCK(
                "upload") "ALTER TABLE upload DROP COLUMN initiator;"
                          "DROP TABLE renamed; DROP TABLE event; DROP TABLE subscriber;"
                          "DROP INDEX blob_damaged;"
                          "ALTER TABLE inline_body DROP COLUMN damaged_us; ALTER TABLE inline_body DROP COLUMN sum;"
                          "ALTER TABLE blob DROP COLUMN damaged_us; ALTER TABLE blob DROP COLUMN sum;"
                          "ALTER TABLE bucket DROP COLUMN changed; DROP INDEX blob_pack;"
                          "ALTER TABLE blob DROP COLUMN pack; ALTER TABLE blob DROP COLUMN at;"
                          "PRAGMA user_version = 1;";
    sqlite3 *db = NULL;
    char path[4096];

    (void)snprintf(path, sizeof(path), "%.4000s/catalog.db", store_path);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, undo, NULL, NULL, NULL) != SQLITE_OK)
        die("the first schema", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

/* ---- the scenes ------------------------------------------------------------------------------ */

static const struct step small_steps[] = {
    { "put-inline", put_inline, STEP_WITH_NEXT },
    { "tags-set", set_tags, STEP_WITH_NEXT },
    { "document-set", set_document, 0 },
    { "document-heard", set_heard_document, 0 },
    { "overwrite-inline", overwrite_inline, 0 },
    { "bucket-create", create_bucket, STEP_WITH_NEXT },
    { "delete-marker", delete_marker, STEP_WITH_NEXT },
    { "put-empty", put_empty, 0 },
    { "bucket-delete", delete_bucket, 0 },
    { "delete-many", delete_many, 0 },
    { "versions-suspended", suspend_versions, STEP_WITH_NEXT },
    { "put-null-version", put_null_version, 0 },
};

static const struct step bodies_steps[] = {
    { "pack-one", pack_one, STEP_WITH_NEXT },
    { "pack-two", pack_two, STEP_WITH_NEXT },
    { "put-inline", put_inline, STEP_WITH_NEXT },
    { "pack-three", pack_three, 0 },
    { "put-file", put_file, 0 },
    { "put-encrypted", put_encrypted, STEP_WITH_NEXT },
    { "put-version", put_version, 0 },
    { "overwrite-file", overwrite_file, 0 },
    { "put-shared-blob", put_shared_blob, STEP_WITH_NEXT },
    { "rename-over", rename_over, 0 },
};

static const struct step multipart_steps[] = {
    { "upload-create", upload_create, 0 },
    { "part-one", part_one, STEP_WITH_NEXT },
    { "part-two", part_two, 0 },
    { "part-two-again", part_two_again, 0 },
    { "upload-complete", upload_complete, 0 },
    { "upload-create-2", upload_create, 0 },
    { "part-three", part_put, 0 },
    { "upload-abort", upload_abort, 0 },
    { "sweep", sweep_now, STEP_UNSEEN },
};

static const struct step annotation_steps[] = {
    { "annotate", annotate, STEP_WITH_NEXT },    { "annotate-large", annotate_large, 0 },
    { "annotated-copy", copy_annotated, 0 },     { "annotation-remove", annotation_remove, 0 },
    { "overwrite-inline", overwrite_inline, 0 }, { "sweep", sweep_now, STEP_UNSEEN },
};

static const struct step copies_steps[] = {
    { "copy", copy_plain, 0 },
    { "copy-measured", copy_measured, STEP_WITH_NEXT },
    { "put-inline", put_inline, 0 },
    { "copy-rewritten", copy_rewritten, 0 },
    { "upload-create", upload_create, 0 },
    { "part-copy", part_copy, 0 },
    { "part-copy-rewritten", part_copy_rewritten, 0 },
    { "delete-source", delete_one, 0 },
    { "upload-complete", upload_complete, 0 },
};

static const struct step replication_steps[] = {
    { "put-waiting", put_waiting, STEP_WITH_NEXT },
    { "tags-set", set_tags, 0 },
    { "replica-put", replica_put, STEP_WITH_NEXT },
    { "put-inline", put_inline, 0 },
    { "replication-end", replication_end, 0 },
    { "reopen", NULL, STEP_REOPEN },
    { "put-waiting-2", put_waiting, 0 },
    { "replica-put-2", replica_put, 0 },
    { "delete-marker", delete_marker, STEP_WITH_NEXT },
    { "replication-end-2", replication_end, 0 },
};

static const struct step removal_steps[] = {
    { "delete-pack", delete_pack_one, STEP_WITH_NEXT },
    { "delete-file", delete_one, 0 },
    { "sweep", sweep_now, STEP_UNSEEN },
    { "copied-back", NULL, STEP_COPIED },
    { "put-inline", put_inline, 0 },
    { "pack-three", pack_three, 0 },
    { "delete-small", delete_small, 0 },
    { "sweep-2", sweep_now, STEP_UNSEEN },
    { "pack-one-again", pack_one, 0 },
};

static const struct step create_steps[] = {
    { "bucket-create", create_plain, 0 },
    { "put-inline", put_inline, 0 },
    { "pack-one", pack_one, 0 },
    { "put-file", put_file, 0 },
};

static const struct step again_steps[] = {
    { "put-inline", put_inline, 0 },
    { "reopen", NULL, STEP_REOPEN },
    { "pack-one", pack_one, 0 },
    { "reopen-2", NULL, STEP_REOPEN },
    { "put-file", put_file, 0 },
    { "copied-back", NULL, STEP_COPIED },
    { "overwrite-inline", overwrite_inline, 0 },
    { "reopen-3", NULL, STEP_REOPEN },
    { "pack-two", pack_two, 0 },
};

static const struct step log_steps[] = {
    { "notice-space", notice_space, STEP_UNSEEN },
    { "document-1", long_document, 0 },
    { "document-2", long_document, 0 },
    { "document-3", long_document, 0 },
    { "document-4", long_document, 0 },
    { "document-5", long_document, 0 },
    { "document-6", long_document, 0 },
    { "document-7", long_document, 0 },
    { "document-8", long_document, 0 },
    { "document-9", long_document, 0 },
    { "document-10", long_document, 0 },
    { "copied-back", NULL, STEP_COPIED },
    { "document-11", long_document, 0 },
    { "document-12", long_document, 0 },
    { "tags-set", set_tags, 0 },
};

static const struct step migrate_steps[] = {
    { "put-inline", put_inline, 0 },
    { "pack-one", pack_one, 0 },
    { "delete", delete_one, 0 },
};

static const struct step walk_steps[] = {
    { "pack-three", pack_three, 0 },   { "upload-expired", expire_upload, STEP_WATCHED },
    { "put-file", put_file, 0 },       { "walked", walk_now, STEP_UNSEEN },
    { "delete-many", delete_many, 0 }, { "reopen", NULL, STEP_REOPEN },
    { "pack-one-again", pack_one, 0 }, { "walked-2", walk_now, STEP_UNSEEN },
    { "put-inline", put_inline, 0 },
};

static const struct step mend_steps[] = {
    { "scrubbed", NULL, STEP_SCRUBBED },
    { "tags-set", set_tags, 0 },
    { "pack-one-again", pack_one, 0 },
};

#define STEPS(list) .steps = (list), .step_count = COUNT_OF(list)
#define MEND_PASS_US 200000
#define LITTLE_FREE_BYTES (UINT64_C(15) << 20)

static const struct scene scenes[] = {
    { .name = "small", .prepare = prepare_plain, STEPS(small_steps) },
    { .name = "bodies", .prepare = prepare_plain, STEPS(bodies_steps) },
    { .name = "multipart", .prepare = prepare_plain, STEPS(multipart_steps) },
    { .name = "copies", .prepare = prepare_plain, STEPS(copies_steps) },
    { .name = "annotations", .prepare = prepare_plain, STEPS(annotation_steps) },
    { .name = "replication", .prepare = prepare_replicas, STEPS(replication_steps) },
    { .name = "removal", .prepare = prepare_packs, STEPS(removal_steps) },
    { .name = "create", STEPS(create_steps) },
    { .name = "again", .prepare = prepare_plain, STEPS(again_steps) },
    { .name = "log", .prepare = prepare_plain, STEPS(log_steps), .free_bytes = LITTLE_FREE_BYTES },
    { .name = "migrate", .prepare = prepare_first, .spoil = spoil_schema, STEPS(migrate_steps) },
    { .name = "walk",
      .prepare = prepare_all,
      .spoil = spoil_remains,
      STEPS(walk_steps),
      .options = { .upload_expiry_us = UPLOAD_AGE_US } },
    { .name = "mend",
      .prepare = prepare_packs,
      .spoil = spoil_pack,
      STEPS(mend_steps),
      .options = { .scrub_bytes_per_s = UINT64_C(1) << 30, .scrub_interval_us = MEND_PASS_US },
      .rotten = true },
};

const struct scene *scene_at(size_t i)
{
    return i < COUNT_OF(scenes) ? &scenes[i] : NULL;
}

const struct scene *scene_named(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(scenes); i++) {
        if (strcmp(scenes[i].name, name) == 0)
            return &scenes[i];
    }
    return NULL;
}

void scenes_submit_with(enum store_status (*submit)(struct store *store, struct intent *intent))
{
    scene_submit = submit;
}

struct str scene_view(struct store *store, struct arena *arena)
{
    struct str text;
    bool readable = view_store(store, &text, arena);

    (void)readable; /* the text says so */
    return text;
}

bool scene_write_on(struct store *store, struct arena *arena)
{
    static const struct write_request requests[] = {
        { .bucket = "later", .key = "inline", .text = "later", .len = 500 },
        { .bucket = "later", .key = "pack", .text = "later", .len = 5000, .announce = true },
        { .bucket = "later", .key = "file", .text = "later still", .len = 5000 },
        /* Bodies that a scene has removed: where the row is left, its bytes are looked at. */
        { .bucket = "later",
          .key = "pack again",
          .text = "pack one",
          .len = 5000,
          .announce = true },
        { .bucket = "later", .key = "file again", .text = "gone", .len = BIG_BYTES },
    };

    if (bucket_create(store, arena, "later") != STORE_OK)
        return false;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        if (put(store, arena, &requests[i]) != STORE_OK)
            return false;
    }
    return store_sweep_now(store, NULL) == STORE_OK && play_walk(store);
}
