/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: one thread, one transaction per batch of intents, one sync per transaction.
 *
 * (1) done() is called after the COMMIT that carries the intent, in the order of submission.
 * (2) Refusals change nothing. An intent that fails after it has changed something takes the whole
 *     transaction back; the others are then decided again without it. So no savepoints are needed.
 * (3) The first failed sync or write of the catalog poisons the store: what the disk holds is
 *     unknown until it is opened again.
 */
#include "storage/internal.h"

#define BATCH_INTENTS 256
#define BATCH_BYTES (UINT64_C(8) * 1024 * 1024)
#define BATCH_ITEMS 4096
#define LOG_MAX_BYTES (UINT64_C(64) * 1024 * 1024)
#define LOG_MIN_BYTES (UINT64_C(4) * 1024 * 1024)
#define LOG_LOW_BYTES (UINT64_C(1) * 1024 * 1024) /* while space is low */

struct entry {
    struct intent *intent;
    bool settled; /* failed: not to be tried again */
};

struct batch {
    struct store *store;
    struct entry entries[BATCH_INTENTS];
    size_t count;
    uint64_t bytes;
    size_t items;
    bool log_restarted; /* to make room; once is enough */
};

struct batch *batch_new(struct store *store)
{
    struct batch *batch = mem_zalloc(sizeof(*batch));

    if (batch != NULL)
        batch->store = store;
    return batch;
}

/* ---- taking ------------------------------------------------------------------------------ */

/* What makes one intent longer than another, beside its bytes. */
static size_t rows_of(const struct intent *intent)
{
    switch (intent->kind) {
    case INTENT_OBJECT_DELETE:
        return intent->remove.count;
    case INTENT_UPLOAD_COMPLETE:
        return intent->complete.count;
    case INTENT_REPLICATION_END:
        return intent->replication_end.count;
    default:
        return 0;
    }
}

static void weigh(struct batch *batch, const struct intent *intent)
{
    const struct body_writer *body = intent_body(intent);
    struct staged_body staged;

    batch->items += 1 + rows_of(intent);
    if (body == NULL)
        return;
    body_writer_describe(body, &staged);
    batch->bytes += staged.bytes.len;
}

/* Counts what is being taken; says when it is enough. */
static bool batch_full(void *context, const struct intent *next)
{
    struct batch *batch = context;

    weigh(batch, next);
    return batch->bytes > BATCH_BYTES || batch->items > BATCH_ITEMS;
}

static size_t batch_take(struct batch *batch)
{
    struct intent *taken[BATCH_INTENTS];

    batch->bytes = 0;
    batch->items = 0;
    batch->log_restarted = false;
    batch->count = queue_take(&batch->store->commits, taken, BATCH_INTENTS, batch_full, batch);
    for (size_t i = 0; i < batch->count; i++)
        batch->entries[i] = (struct entry){ .intent = taken[i] };
    return batch->count;
}

/* ---- deciding ---------------------------------------------------------------------------- */

static bool frees_space(const struct intent *intent)
{
    return intent->kind == INTENT_OBJECT_DELETE || intent->kind == INTENT_UPLOAD_ABORT ||
           intent->kind == INTENT_BUCKET_DELETE || intent->kind == INTENT_SWEEP ||
           intent->kind == INTENT_UNSUBSCRIBE || intent->kind == INTENT_EVENTS_FORGET ||
           (intent->kind == INTENT_ANNOTATION_SET && intent->annotation.remove);
}

static enum store_status apply_sweep(struct store *store, struct intent *intent)
{
    sweep_prepare(store, intent->sweep);
    return catalog_sweep(store->cat, intent->sweep, &intent->fault);
}

/* What an intent wraps data keys with, for rewrap. */
struct wrapper {
    const struct keyring *keyring;
    struct body_options options;
};

static enum store_status rewrap(const void *context, struct str wrapped,
                                uint8_t out[WRAPPED_KEY_BYTES_MAX], size_t *ret_len,
                                struct fault *fault)
{
    const struct wrapper *wrapper = context;

    return keyring_rewrap(wrapper->keyring, &wrapper->options, wrapped, out, ret_len, fault);
}

static enum store_status put_object(struct store *store, struct intent *intent,
                                    const struct staged_body *staged)
{
    const struct copy_source *source = intent_source(intent);
    const struct wrapper wrapper = { .keyring = &store->dir.keyring,
                                     .options = source != NULL ? source->options
                                                               : (struct body_options){ 0 } };
    const struct rewrapping rewrapping = { rewrap, &wrapper };

    return catalog_object_put(store->cat, intent, staged, &rewrapping);
}

static enum store_status set_object(struct store *store, struct intent *intent)
{
    const struct wrapper wrapper = { .keyring = &store->dir.keyring,
                                     .options = { .named_key = intent->object_set.named_key,
                                                  .key_context = intent->object_set.key_context } };
    const struct rewrapping rewrapping = { rewrap, &wrapper };

    return catalog_object_set(store->cat, intent, &rewrapping);
}

static enum store_status put_replica(struct store *store, struct intent *intent)
{
    const struct wrapper wrapper = { .keyring = &store->dir.keyring,
                                     .options = { .named_key = intent->replica.named_key,
                                                  .key_context = intent->replica.key_context } };
    const struct rewrapping rewrapping = { rewrap, &wrapper };

    return catalog_replica_put(store->cat, intent, &rewrapping);
}

static enum store_status apply_kind(struct store *store, struct intent *intent,
                                    const struct staged_body *staged)
{
    switch (intent->kind) {
    case INTENT_BUCKET_CREATE:
        return catalog_bucket_create(store->cat, intent);
    case INTENT_BUCKET_DELETE:
        return catalog_bucket_delete(store->cat, intent);
    case INTENT_BUCKET_SET:
        return catalog_bucket_set(store->cat, intent);
    case INTENT_DOCUMENT_SET:
        return catalog_document_set(store->cat, intent);
    case INTENT_OBJECT_PUT:
        return put_object(store, intent, staged);
    case INTENT_OBJECT_DELETE:
        return catalog_object_delete(store->cat, intent);
    case INTENT_OBJECT_SET:
        return set_object(store, intent);
    case INTENT_OBJECT_RENAME:
        return catalog_object_rename(store->cat, intent);
    case INTENT_ANNOTATION_SET:
        return catalog_annotation_set(store->cat, intent, staged);
    case INTENT_UPLOAD_CREATE:
        return catalog_upload_create(store->cat, intent);
    case INTENT_PART_PUT:
        return catalog_part_put(store->cat, intent, staged);
    case INTENT_UPLOAD_COMPLETE:
        return catalog_upload_complete(store->cat, intent);
    case INTENT_UPLOAD_ABORT:
        return catalog_upload_abort(store->cat, intent);
    case INTENT_SUBSCRIBE:
        return catalog_subscribe(store->cat, intent);
    case INTENT_UNSUBSCRIBE:
        return catalog_unsubscribe(store->cat, intent);
    case INTENT_EVENTS_FORGET:
        return catalog_events_forget(store->cat, intent);
    case INTENT_REPLICA_PUT:
        return put_replica(store, intent);
    case INTENT_REPLICATION_END:
        return catalog_replication_end(store->cat, intent);
    case INTENT_SWEEP:
        return apply_sweep(store, intent);
    case INTENT_SCRUB:
        return scrub_apply(store, intent->scrub, &intent->fault);
    }
    return store_fault(&intent->fault, STORE_IO, "an intent of unknown kind");
}

static enum store_status apply(struct store *store, struct intent *intent)
{
    struct staged_body staged = { .kind = BODY_EMPTY };

    if (atomic_load(&store->reserve_gone) && !frees_space(intent) && !reserve_retry(store))
        return store_fault(&intent->fault, STORE_FULL, "the disk is full");
    if (intent_body(intent) != NULL)
        body_writer_describe(intent_body(intent), &staged);
    return apply_kind(store, intent, &staged);
}

/* A failure, as opposed to a refusal. */
static bool is_failure(enum store_status status)
{
    return status == STORE_FULL || status == STORE_IO || status == STORE_NO_MEMORY ||
           status == STORE_DAMAGED;
}

/*
 * The disk is full and what would free space does not fit: give back the reserve, then start the
 * log anew so that its own blocks are written again. Outside a transaction. False: nothing is left.
 */
static bool make_room(struct batch *batch)
{
    uint64_t left;

    if (reserve_drop(batch->store))
        return true;
    if (batch->log_restarted)
        return false;

    batch->log_restarted = true;
    return log_reset(batch->store, &left) == STORE_OK && left == 0;
}

/* Decide every entry that is not settled. False: start over, the transaction is gone. */
static bool decide(struct batch *batch)
{
    struct store *store = batch->store;

    for (size_t i = 0; i < batch->count; i++) {
        struct entry *entry = &batch->entries[i];
        struct intent *intent = entry->intent;
        int64_t changes = catalog_changes(store->cat);

        if (entry->settled)
            continue;
        memset(&intent->fault, 0, sizeof(intent->fault));
        intent->status = apply(store, intent);
        if (intent->status == STORE_OK ||
            (!is_failure(intent->status) && catalog_changes(store->cat) == changes))
            continue;

        catalog_rollback(store->cat);
        if (intent->status != STORE_FULL || !frees_space(intent) || !make_room(batch))
            entry->settled = true;
        return false;
    }

    return true;
}

static void settle_all(struct batch *batch, enum store_status status, const struct fault *fault)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->entries[i].settled)
            continue;
        batch->entries[i].settled = true;
        batch->entries[i].intent->status = status;
        batch->entries[i].intent->fault = *fault;
    }
}

static size_t unsettled(const struct batch *batch)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++)
        count += !batch->entries[i].settled;

    return count;
}

static void stamp_removed(struct freshness *freshness, const struct intent_remove *remove,
                          uint64_t number)
{
    for (size_t i = 0; i < remove->count; i++)
        freshness_stamp(freshness, freshness_of_key(freshness, remove->items[i].key), number);
}

static void stamp_items(struct freshness *freshness, const struct intent_replication_end *end,
                        uint64_t number)
{
    for (size_t i = 0; i < end->count; i++)
        freshness_stamp(freshness, freshness_of_key(freshness, end->items[i].key), number);
}

/* Before the commit: what readers remember of all that it changes holds no longer. */
static void stamp_intent(struct freshness *freshness, const struct intent *intent, uint64_t number)
{
    switch (intent->kind) {
    case INTENT_BUCKET_CREATE:
    case INTENT_BUCKET_DELETE: /* it is empty: none of its keys changes */
    case INTENT_BUCKET_SET:
    case INTENT_DOCUMENT_SET: /* the bucket's row says that it has changed */
        freshness_stamp(freshness, freshness_of_bucket(freshness, intent->bucket), number);
        return;
    case INTENT_OBJECT_PUT:
    case INTENT_OBJECT_SET:
    case INTENT_ANNOTATION_SET:
    case INTENT_UPLOAD_COMPLETE:
    case INTENT_REPLICA_PUT:
        freshness_stamp(freshness, freshness_of_key(freshness, intent->key), number);
        return;
    case INTENT_OBJECT_RENAME:
        freshness_stamp(freshness, freshness_of_key(freshness, intent->key), number);
        freshness_stamp(freshness, freshness_of_key(freshness, intent->rename.source), number);
        return;
    case INTENT_OBJECT_DELETE:
        stamp_removed(freshness, &intent->remove, number);
        return;
    case INTENT_REPLICATION_END:
        stamp_items(freshness, &intent->replication_end, number);
        return;
    case INTENT_UPLOAD_CREATE:
    case INTENT_PART_PUT:
    case INTENT_UPLOAD_ABORT:
    case INTENT_SUBSCRIBE:
    case INTENT_UNSUBSCRIBE:
    case INTENT_EVENTS_FORGET:
    case INTENT_SWEEP:
    case INTENT_SCRUB:
        return;
    }
}

static enum store_status commit_stamped(struct batch *batch, struct fault *fault)
{
    struct freshness *freshness = &batch->store->freshness;
    uint64_t number = freshness_begin(freshness);
    enum store_status status;

    for (size_t i = 0; i < batch->count; i++)
        stamp_intent(freshness, batch->entries[i].intent, number);
    status = catalog_commit(batch->store->cat, fault);
    freshness_end(freshness, number);
    return status;
}

enum outcome { COMMITTED, AGAIN, FAILED };

static enum outcome try_once(struct batch *batch, struct fault *fault)
{
    struct store *store = batch->store;
    enum store_status status = catalog_begin(store->cat, fault);

    if (status == STORE_OK && !decide(batch))
        return catalog_device_failed(store->cat) ? FAILED : AGAIN;
    if (status == STORE_OK)
        status = commit_stamped(batch, fault);
    if (status == STORE_OK)
        return COMMITTED;

    catalog_rollback(store->cat);
    if (status == STORE_FULL && batch->count == 1 && frees_space(batch->entries[0].intent) &&
        make_room(batch))
        return AGAIN;
    if (status == STORE_FULL && batch->count > 1)
        return FAILED; /* the caller tries each alone */

    settle_all(batch, status, fault);
    return FAILED;
}

static void poison(struct batch *batch, const struct fault *why)
{
    struct fault fault = { 0 };

    health_poison(&batch->store->health, 0,
                  why->text[0] != '\0' ? why->text : "the catalog could not be written");
    settle_all(batch,
               (enum store_status)store_fault(&fault, STORE_IO, "the catalog could not be written"),
               &fault);
}

static bool commit_together(struct batch *batch)
{
    enum outcome outcome = AGAIN;
    struct fault fault = { 0 };

    while (outcome == AGAIN && unsettled(batch) > 0) {
        memset(&fault, 0, sizeof(fault));
        outcome = try_once(batch, &fault);
    }
    if (catalog_device_failed(batch->store->cat))
        poison(batch, &fault);
    if (outcome != COMMITTED)
        return false;

    atomic_fetch_add(&batch->store->commit_count, 1);
    if (!atomic_exchange(&batch->store->log_marked, true))
        layout_mark_log(&batch->store->dir, /* in_use= */ true); /* then nobody will miss the log */
    snapshots_commit(&batch->store->snapshots, catalog_seq(batch->store->cat));
    return true;
}

/* The disk is full for all of them together; some may fit alone, and deletes may use the reserve. */
static bool commit_apart(struct batch *batch)
{
    bool any = false;

    for (size_t i = 0; i < batch->count; i++) {
        if (batch->entries[i].settled)
            continue;

        struct batch single = { .store = batch->store, .count = 1 };

        single.entries[0] = batch->entries[i];
        any = commit_together(&single) || any;
        batch->entries[i].settled = true;
    }

    return any;
}

/* ---- after the commit -------------------------------------------------------------------- */

static void hand_back(struct batch *batch)
{
    struct store *store = batch->store;

    for (size_t i = 0; i < batch->count; i++) {
        struct intent *intent = batch->entries[i].intent;
        bool again = intent->status == STORE_RETRY && intent_source(intent) == NULL;

        if (intent->kind == INTENT_SWEEP && intent->status == STORE_OK)
            sweep_finish(store, intent->sweep);
        /*
         * What is to be decided again keeps its body for that: if nothing comes of it, close leaves
         * a file that no row names, as a crash does.
         */
        if (intent_body(intent) != NULL && !again)
            body_writer_after_commit(intent_body(intent), intent->status == STORE_OK, store->cat);
        intent_finish(store, intent, intent->status);
    }
}

/*
 * How long the log may get before commits wait for its reset. What it holds has to fit into the
 * database when it is copied back, so on a small or filling disk it is kept short.
 */
static uint64_t log_bound(struct store *store)
{
    uint64_t bound;

    if (atomic_load(&store->space_low))
        return LOG_LOW_BYTES;
    bound = u64_min(LOG_MAX_BYTES, atomic_load(&store->space_bytes) / 4);
    return bound > LOG_MIN_BYTES ? bound : LOG_MIN_BYTES;
}

/*
 * From half the bound on the janitor copies the log back; when little is left to copy, or at the
 * bound, the log is reset. Resets that wait for nothing are short, and a log that is written again
 * in place does not grow.
 */
static void mind_log(struct store *store)
{
    uint64_t bound = log_bound(store);
    uint64_t bytes = catalog_wal_bytes(store->cat);
    bool copied = atomic_exchange(&store->janitor.log_copied, false);
    uint64_t left;

    if (bytes < bound / 2) {
        store->copy_at_bytes = 0;
        store->reset_at_bytes = 0;
        return;
    }
    if (copied || (bytes >= bound && bytes >= store->reset_at_bytes)) {
        /* A reader may hold it: not again with every commit. */
        store->reset_at_bytes = bytes + bytes / 4;
        if (log_reset(store, &left) != STORE_OK && catalog_device_failed(store->cat))
            health_poison(&store->health, 0, "the log could not be copied back");
    } else if (bytes >= store->copy_at_bytes) {
        store->copy_at_bytes = bytes + bound / 4;
        janitor_note_long_log(store);
    }
}

static void wake_listeners(struct store *store)
{
    bool events = catalog_take_events(store->cat);
    bool backlog = catalog_take_backlog(store->cat);

    if (events || backlog)
        listeners_wake(&store->listeners, events, backlog);
}

void *writer_run(void *argument)
{
    struct store *store = argument;
    struct batch *batch = store->batch;
    struct fault closed = { 0 };

    while (batch_take(batch) > 0) {
        bool committed = false;

        if (health_poisoned(&store->health)) {
            memset(&closed, 0, sizeof(closed));
            settle_all(batch, health_refuse(&closed), &closed);
        } else {
            committed = commit_together(batch);
            if (!committed && unsettled(batch) > 0)
                committed = commit_apart(batch);
        }
        atomic_store(&store->statement_count, catalog_statement_runs(store->cat));
        if (committed && catalog_take_dead(store->cat))
            atomic_store(&store->janitor.dead, true);
        if (committed)
            wake_listeners(store);
        hand_back(batch);
        if (committed) {
            space_note_commit(store);
            janitor_note_commit(store);
            mind_log(store);
        }
    }

    return NULL;
}
