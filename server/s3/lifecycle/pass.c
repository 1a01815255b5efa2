/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over a bucket; see pass.h.
 */
#include "server/s3/lifecycle/pass.h"

#include "server/s3/delivery/logging.h"
#include "server/s3/lifecycle/crowd.h"
#include "server/s3/lifecycle/rules.h"

#define PAGE_VERSIONS STORE_LIST_MAX
#define PAGE_ACTIONS (PAGE_VERSIONS + 1) /* and a marker of the page before */
#define PAGE_FIRST_BYTES (64u * 1024u)
#define PAGE_BYTES_MAX (8u * 1024u * 1024u) /* keys and what is wanted of them */
/* In one intent, so that requests do not wait long for the writer. */
#define INTENT_ITEMS 100

/* ---- what is to be done -------------------------------------------------------------------------- */

struct move {
    struct str key;
    struct version_id version;
    uint8_t storage_class;
};

/* Where a pass is, and what the page wants. */
struct walk {
    struct lifecycle_pass *pass;
    const struct lifecycle *lifecycle;
    bool tells_events;   /* so does the bucket */
    struct arena *arena; /* of the page */
    int64_t now_us;
    /* the key that is being looked at */
    char key_bytes[STORE_KEY_BYTES_MAX];
    size_t key_len;
    bool has_key;
    int64_t successor_us; /* when the version before this one was made, which took its place */
    uint32_t noncurrent;  /* how many of them came before */
    bool marker_waits;    /* its first version is a marker, which may turn out to be the only one */
    struct lifecycle_version marker;
    struct version_id marker_id;
    /* where the next page begins */
    struct str after;
    struct version_id after_version;
    bool has_after;
    /* of the page */
    struct delete_item *removals;
    size_t removal_count;
    struct move *moves;
    size_t move_count;
    struct log_target log; /* where what is removed is told; bucket STR_NONE: nowhere */
    bool failed;           /* no memory */
};

static struct str key_of(const struct walk *walk)
{
    return str_make(walk->key_bytes, walk->key_len);
}

static struct str kept(struct walk *walk, struct str key)
{
    struct str copy = arena_dup(walk->arena, key);

    walk->failed = walk->failed || !str_present(copy);
    return copy;
}

/* version: which one is removed for good; VERSION_CURRENT: the current one, as a request would. */
static void want_removal(struct walk *walk, struct str key, struct version_id version, int64_t seq)
{
    walk->removals[walk->removal_count++] =
        (struct delete_item){ .key = kept(walk, key),
                              .has_version = version.kind != VERSION_CURRENT,
                              .version = version,
                              .judged_seq = seq };
}

static void want_move(struct walk *walk, struct str key, struct version_id version, uint8_t to)
{
    walk->moves[walk->move_count++] = (struct move){ kept(walk, key), version, to };
}

/* ---- judging ------------------------------------------------------------------------------------- */

static struct version_id id_of(const struct listed_version *listed)
{
    return (struct version_id){ VERSION_EXACT, listed->seq, listed->tail };
}

/* How the store is to find it again. */
static struct version_id name_of(const struct listed_version *listed)
{
    return listed->null_version ? (struct version_id){ VERSION_NULL, listed->seq, listed->tail }
                                : id_of(listed);
}

static bool is_due(const struct walk *walk, bool found, const struct lifecycle_due *due)
{
    return found && due->at_us <= walk->now_us;
}

static void settle_marker(struct walk *walk)
{
    struct lifecycle_due due;
    bool found;

    if (!walk->marker_waits)
        return;
    walk->marker_waits = false;
    walk->marker.key = key_of(walk);
    found = lifecycle_marker_expiration(walk->lifecycle, &walk->marker, walk->pass->day_us, &due);
    if (is_due(walk, found, &due))
        want_removal(walk, walk->marker.key, walk->marker_id, walk->marker_id.seq);
}

static void judge_class(struct walk *walk, const struct lifecycle_version *version,
                        struct version_id name, bool noncurrent)
{
    uint8_t to;

    if (lifecycle_class(walk->lifecycle, version, noncurrent, walk->now_us, walk->pass->day_us,
                        &to))
        want_move(walk, version->key, name, to);
}

static void judge_current(struct walk *walk, const struct listed_version *listed,
                          struct lifecycle_version *version)
{
    struct lifecycle_due due;
    bool found;

    version->since_us = listed->modified_us;
    if (listed->delete_marker) {
        walk->marker_waits = true;
        walk->marker = *version;
        walk->marker.tags = STR_NONE;
        walk->marker_id = name_of(listed);
        return;
    }
    found = lifecycle_expiration(walk->lifecycle, version, walk->pass->day_us, &due);
    if (is_due(walk, found, &due))
        want_removal(walk, version->key, (struct version_id){ .kind = VERSION_CURRENT },
                     listed->seq);
    else
        judge_class(walk, version, name_of(listed), /* noncurrent= */ false);
}

static void judge_noncurrent(struct walk *walk, const struct listed_version *listed,
                             struct lifecycle_version *version)
{
    struct lifecycle_due due;
    bool found;

    version->since_us = walk->successor_us;
    version->newer_versions = walk->noncurrent++;
    found = lifecycle_noncurrent_expiration(walk->lifecycle, version, walk->pass->day_us, &due);
    if (is_due(walk, found, &due))
        want_removal(walk, version->key, name_of(listed), listed->seq);
    else if (!listed->delete_marker)
        judge_class(walk, version, name_of(listed), /* noncurrent= */ true);
}

static void begin_key(struct walk *walk, struct str key)
{
    settle_marker(walk);
    memcpy(walk->key_bytes, key.p, key.len);
    walk->key_len = key.len;
    walk->has_key = true;
    walk->noncurrent = 0;
    walk->successor_us = 0;
}

static bool visit_version(void *context, struct str prefix UNUSED,
                          const struct listed_version *listed)
{
    struct walk *walk = context;
    struct lifecycle_version version = { .key = listed->key,
                                         .tags = listed->tags,
                                         .size_bytes = listed->size_bytes,
                                         .storage_class = listed->storage_class };

    if (!walk->has_key || !str_eq(key_of(walk), listed->key))
        begin_key(walk, listed->key);
    else
        walk->marker_waits = false;
    if (listed->latest)
        judge_current(walk, listed, &version);
    else
        judge_noncurrent(walk, listed, &version);
    walk->successor_us = listed->modified_us;
    walk->after_version = id_of(listed);
    return !walk->failed;
}

/* ---- doing --------------------------------------------------------------------------------------- */

static struct intent intent_for(const struct walk *walk, const struct bucket *bucket,
                                enum intent_kind kind)
{
    return (struct intent){ .kind = kind,
                            .bucket = bucket->name,
                            .bucket_id = bucket->id,
                            .bucket_changed_seq = bucket->changed_seq,
                            .arena = walk->arena };
}

/* To the access log of the bucket, as S3 names what it does by itself. */
static void tell_removal(const struct walk *walk, const struct bucket *bucket,
                         const struct delete_item *item)
{
    struct version id = { .null_version = item->version.kind == VERSION_NULL,
                          .seq = item->version.seq,
                          .tail = item->version.tail };
    struct deed_record record = {
        .store = walk->pass->store_name,
        .bucket = { &walk->log, bucket->name, bucket->owner },
        .operation = item->made_marker ? STR("S3.CREATE.DELETEMARKER") : STR("S3.EXPIRE.OBJECT"),
        .key = item->key,
        .version = item->made_marker ? item->marker_version : STR_NONE,
        .done_us = walk->now_us,
    };

    if (item->status != STORE_OK || !str_present(walk->log.bucket))
        return;
    if (item->has_version && bucket->versioning != VERSIONING_NEVER)
        record.version = version_id_text(&id, walk->arena);
    observers_tell_deed(walk->pass->observers, &record);
}

/* The configuration is let go of before anything is removed. */
static void take_log(struct walk *walk, const struct bucket_config *config)
{
    walk->log = (struct log_target){ .bucket = STR_NONE };
    if (config->logging == NULL)
        return;
    walk->log = config->logging->target;
    walk->log.bucket = kept(walk, walk->log.bucket);
    walk->log.prefix = kept(walk, walk->log.prefix);
}

static enum store_status run_removals(struct walk *walk, const struct bucket *bucket)
{
    struct lifecycle_pass *pass = walk->pass;

    for (size_t at = 0; at < walk->removal_count; at += INTENT_ITEMS) {
        struct intent intent = intent_for(walk, bucket, INTENT_OBJECT_DELETE);
        size_t left = walk->removal_count - at;
        enum store_status status;

        if (walk->tells_events)
            intent.origin.event = STR("LifecycleExpiration:Delete");
        intent.remove = (struct intent_remove){
            .items = walk->removals + at,
            .count = left < INTENT_ITEMS ? left : INTENT_ITEMS,
            .marker_event = walk->tells_events ? STR("LifecycleExpiration:DeleteMarkerCreated")
                                               : STR_NONE,
        };
        status = store_submit_wait(pass->store, &intent);
        if (status != STORE_OK) {
            pass->fault = intent.fault;
            return status;
        }
        for (size_t i = 0; i < intent.remove.count; i++) {
            pass->done += intent.remove.items[i].status == STORE_OK;
            tell_removal(walk, bucket, &intent.remove.items[i]);
        }
    }
    return STORE_OK;
}

static void fill_move(void *context, size_t i, struct intent *intent)
{
    const struct walk *walk = context;

    intent->key = walk->moves[i].key;
    if (walk->tells_events)
        intent->origin.event = STR("LifecycleTransition");
    intent->object_set =
        (struct intent_object_set){ .version = walk->moves[i].version,
                                    .judged_seq = walk->moves[i].version.seq,
                                    .set_class = true,
                                    .storage_class = walk->moves[i].storage_class };
}

static enum store_status run_moves(struct walk *walk, const struct bucket *bucket)
{
    struct intent like = intent_for(walk, bucket, INTENT_OBJECT_SET);

    return crowd_submit(walk->pass->store, &like, walk->move_count, fill_move, walk,
                        &walk->pass->done, &walk->pass->fault);
}

/* ---- a page of versions -------------------------------------------------------------------------- */

/* The bucket and its rules, inside of reader_begin. STORE_RETRY: it changed in between. */
static enum store_status look_up(struct lifecycle_pass *pass, struct str name, struct arena *arena,
                                 struct bucket *ret_bucket, const struct bucket_config **ret_config)
{
    enum store_status status = bucket_get(pass->reader, name, arena, ret_bucket, &pass->fault);

    return status == STORE_OK ? bucket_config_use(pass->configs, pass->reader, ret_bucket,
                                                  ret_config, &pass->fault)
                              : status;
}

static enum store_status read_versions(struct walk *walk, const struct bucket *bucket,
                                       bool *ret_more)
{
    struct list_query query = {
        .prefix = walk->lifecycle->prefix,
        .delimiter = STR(""),
        .after = walk->has_after ? kept(walk, walk->after) : STR_NONE, /* visits change it */
        .max = PAGE_VERSIONS,
        .has_version_marker = walk->has_after,
        .version_marker = walk->after_version,
        .tags = walk->lifecycle->wants_tags,
    };
    struct list_end end = { 0 };
    enum store_status status = version_list(walk->pass->reader, bucket->id, &query, visit_version,
                                            walk, walk->arena, &end, &walk->pass->fault);

    *ret_more = end.truncated;
    if (status == STORE_STOPPED || walk->failed)
        return store_fault(&walk->pass->fault, STORE_NO_MEMORY, "a page of a lifecycle's pass");
    if (status == STORE_OK && !end.truncated)
        settle_marker(walk);
    return status;
}

static bool page_room(struct walk *walk)
{
    walk->removal_count = walk->move_count = 0;
    walk->removals = arena_alloc(walk->arena, PAGE_ACTIONS * sizeof(*walk->removals));
    walk->moves = arena_alloc(walk->arena, PAGE_ACTIONS * sizeof(*walk->moves));
    return walk->removals != NULL && walk->moves != NULL;
}

/* STORE_NO_DOCUMENT: there are no rules. */
static enum store_status judge_page(struct walk *walk, struct str name, struct bucket *ret_bucket,
                                    bool *ret_more)
{
    struct lifecycle_pass *pass = walk->pass;
    const struct bucket_config *config = NULL;
    enum store_status status;

    reader_begin(pass->reader);
    status = look_up(pass, name, walk->arena, ret_bucket, &config);
    if (status == STORE_OK && config->lifecycle == NULL)
        status = STORE_NO_DOCUMENT;
    if (status == STORE_OK && !page_room(walk))
        status = store_fault(&pass->fault, STORE_NO_MEMORY, "a page of a lifecycle's pass");
    if (status == STORE_OK) {
        walk->lifecycle = config->lifecycle;
        walk->tells_events = config->tells_events;
        take_log(walk, config);
        status = read_versions(walk, ret_bucket, ret_more);
    }
    reader_end(pass->reader);
    bucket_config_leave(config);
    walk->lifecycle = NULL;
    return status;
}

static enum store_status run_page(struct walk *walk, struct str name, bool *ret_more)
{
    struct bucket bucket;
    enum store_status status = judge_page(walk, name, &bucket, ret_more);

    if (status == STORE_OK)
        status = run_removals(walk, &bucket);
    return status == STORE_OK ? run_moves(walk, &bucket) : status;
}

/* What a page that is to be judged anew begins with. */
static void go_back(struct walk *walk, const struct walk *before)
{
    struct arena *arena = walk->arena;

    *walk = *before;
    walk->arena = arena;
}

static enum store_status walk_versions(struct walk *walk, struct str name)
{
    bool more = true;
    enum store_status status = STORE_OK;

    while (more && status == STORE_OK) {
        CLEANUP(arena_closep) struct arena *arena = arena_open(PAGE_FIRST_BYTES, PAGE_BYTES_MAX);
        int64_t began_us = clock_monotonic_us(&clock_of_system);
        const struct walk before = *walk;

        if (arena == NULL)
            return store_fault(&walk->pass->fault, STORE_NO_MEMORY, "a lifecycle's pass");
        walk->arena = arena;
        status = run_page(walk, name, &more);
        if (status == STORE_RETRY) {
            go_back(walk, &before);
            more = true;
            status = STORE_OK;
        } else if (status == STORE_OK) {
            walk->after = key_of(walk);
            walk->has_after = walk->has_key;
        }
        /* As long as it took, others come first. */
        duty_rest(walk->pass->duty, clock_monotonic_us(&clock_of_system) - began_us);
        if (status == STORE_OK && duty_stopping(walk->pass->duty))
            status = STORE_STOPPED;
    }
    return status;
}

/* ---- uploads ------------------------------------------------------------------------------------- */

/* Some that are due, with the bucket they are in. */
struct due_uploads {
    const struct lifecycle *lifecycle;
    struct arena *arena;
    int64_t now_us, day_us;
    struct str keys[INTENT_ITEMS], ids[INTENT_ITEMS];
    size_t count;
    bool failed;
};

static bool visit_upload(void *context, struct str prefix UNUSED, const struct upload *upload)
{
    struct due_uploads *uploads = context;
    struct lifecycle_due due;

    if (!lifecycle_abort(uploads->lifecycle, upload->key, upload->initiated_us, uploads->day_us,
                         &due) ||
        due.at_us > uploads->now_us)
        return true;
    uploads->keys[uploads->count] = arena_dup(uploads->arena, upload->key);
    uploads->ids[uploads->count] = arena_dup(uploads->arena, upload->id);
    uploads->failed = uploads->failed || !str_present(uploads->keys[uploads->count]) ||
                      !str_present(uploads->ids[uploads->count]);
    uploads->count++;
    return !uploads->failed;
}

static void fill_abort(void *context, size_t i, struct intent *intent)
{
    const struct due_uploads *uploads = context;

    intent->key = uploads->keys[i];
    intent->abort = (struct intent_abort){ .upload_id = uploads->ids[i] };
}

static enum store_status read_uploads(struct lifecycle_pass *pass, struct str name,
                                      struct due_uploads *uploads, struct upload_query *query,
                                      struct bucket *ret_bucket, struct upload_end *ret_end)
{
    const struct bucket_config *config = NULL;
    enum store_status status;

    reader_begin(pass->reader);
    status = look_up(pass, name, uploads->arena, ret_bucket, &config);
    if (status == STORE_OK && config->lifecycle == NULL)
        status = STORE_NO_DOCUMENT;
    if (status == STORE_OK) {
        uploads->lifecycle = config->lifecycle;
        query->prefix = config->lifecycle->prefix;
        status = upload_list(pass->reader, ret_bucket->id, query, visit_upload, uploads,
                             uploads->arena, ret_end, &pass->fault);
    }
    reader_end(pass->reader);
    bucket_config_leave(config);
    query->prefix = STR("");
    return uploads->failed ? store_fault(&pass->fault, STORE_NO_MEMORY, "a lifecycle's pass")
                           : status;
}

/* Pages of uploads, in the order of keys; those of a page that are due are aborted before the next. */
static enum store_status abort_uploads(struct lifecycle_pass *pass, struct str name)
{
    CLEANUP(arena_closep) struct arena *markers = arena_open(PAGE_FIRST_BYTES, PAGE_BYTES_MAX);
    struct upload_query query = { .delimiter = STR(""),
                                  .key_marker = STR_NONE,
                                  .upload_id_marker = STR(""),
                                  .max = INTENT_ITEMS };
    struct upload_end end = { .truncated = true };
    enum store_status status = STORE_OK;

    if (markers == NULL)
        return store_fault(&pass->fault, STORE_NO_MEMORY, "a lifecycle's pass");
    while (status == STORE_OK && end.truncated) {
        CLEANUP(arena_closep) struct arena *arena = arena_open(PAGE_FIRST_BYTES, PAGE_BYTES_MAX);
        struct due_uploads uploads = { .arena = arena,
                                       .now_us = clock_now_us(store_clock(pass->store)),
                                       .day_us = pass->day_us };
        struct bucket bucket;
        struct intent like;

        if (arena == NULL)
            return store_fault(&pass->fault, STORE_NO_MEMORY, "a lifecycle's pass");
        end = (struct upload_end){ 0 };
        status = read_uploads(pass, name, &uploads, &query, &bucket, &end);
        if (status != STORE_OK)
            return status;
        like = (struct intent){ .kind = INTENT_UPLOAD_ABORT,
                                .bucket = bucket.name,
                                .bucket_id = bucket.id,
                                .bucket_changed_seq = bucket.changed_seq,
                                .arena = arena };
        status = crowd_submit(pass->store, &like, uploads.count, fill_abort, &uploads, &pass->done,
                              &pass->fault);
        if (status == STORE_OK && end.truncated) {
            arena_reset(markers);
            query.key_marker = arena_dup(markers, end.next_key);
            query.upload_id_marker = arena_dup(markers, end.next_upload_id);
        }
        if (status == STORE_OK && duty_stopping(pass->duty))
            status = STORE_STOPPED;
    }
    return status;
}

/* ---- all ----------------------------------------------------------------------------------------- */

enum store_status lifecycle_pass_bucket(struct lifecycle_pass *pass, struct str name)
{
    struct walk walk = { .pass = pass, .now_us = clock_now_us(store_clock(pass->store)) };
    enum store_status status = walk_versions(&walk, name);

    if (status == STORE_OK)
        do
            status = abort_uploads(pass, name);
        while (status == STORE_RETRY);
    return status == STORE_NO_BUCKET || status == STORE_NO_DOCUMENT ? STORE_OK : status;
}
