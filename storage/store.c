/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: opens its halves in order, starts its threads, stops them in order.
 *
 * Recovery is short by design: SQLite replays its log, tmp/ is emptied; files that no row names
 * are found by the janitor's walk. See docs/storage-format.md.
 */
#include <signal.h>

#include "base/digest/digest.h"
#include "storage/internal.h"

#define INLINE_MAX_LIMIT (1024u * 1024u)
#define WORKERS_DEFAULT 4
#define RESERVE_DEFAULT (UINT64_C(16) * 1024 * 1024)
#define SCRUB_INTERVAL_DEFAULT_US (INT64_C(7) * 24 * 3600 * US_PER_S)
#define JANITOR_INTERVAL_DEFAULT_US (60 * US_PER_S)

const char *store_library_version(void)
{
    return catalog_library_version();
}

/* ---- threads ----------------------------------------------------------------------------- */

static enum store_status start_threads(struct store *store, struct fault *fault)
{
    if (thread_start(&store->writer, writer_run, store) != 0)
        return store_fault(fault, STORE_NO_MEMORY, "start the writer");
    store->writer_started = true;

    if (thread_start(&store->packer, packer_run, store) != 0)
        return store_fault(fault, STORE_NO_MEMORY, "start the packer");
    store->packer_started = true;

    for (size_t i = 0; i < store->options.worker_count; i++) {
        if (thread_start(&store->workers[i], worker_run, store) != 0)
            return store_fault(fault, STORE_NO_MEMORY, "start a worker");
        store->workers_started++;
    }
    for (size_t i = 0; i < COPIERS; i++) {
        if (thread_start(&store->copiers[i], copier_run, store) != 0)
            return store_fault(fault, STORE_NO_MEMORY, "start a copier");
        store->copiers_started++;
    }

    if (thread_start(&store->janitor.thread, janitor_run, store) != 0)
        return store_fault(fault, STORE_NO_MEMORY, "start the janitor");
    store->janitor.started = true;

    if (thread_start(&store->scrub.thread, scrub_run, store) != 0)
        return store_fault(fault, STORE_NO_MEMORY, "start the scrub");
    store->scrub.started = true;
    return STORE_OK;
}

/* Each feeds the next: workers and copiers, packer, writer. The janitor waits for the writer's answers. */
static void stop_threads(struct store *store)
{
    scrub_stop(&store->scrub);
    atomic_store(&store->closing, true);
    queue_close(&store->staging);
    for (size_t i = 0; i < store->workers_started; i++)
        (void)pthread_join(store->workers[i], NULL);
    queue_close(&store->copying);
    for (size_t i = 0; i < store->copiers_started; i++)
        (void)pthread_join(store->copiers[i], NULL);
    queue_close(&store->packed);
    if (store->packer_started)
        (void)pthread_join(store->packer, NULL);
    janitor_stop(store);
    queue_close(&store->commits);
    if (store->writer_started)
        (void)pthread_join(store->writer, NULL);
}

/* ---- open and close ---------------------------------------------------------------------- */

static struct store_options settled_options(const struct store_options *options)
{
    struct store_options settled = options != NULL ? *options : (struct store_options){ 0 };

    if (settled.inline_max_bytes == 0)
        settled.inline_max_bytes = STORE_INLINE_MAX_DEFAULT;
    if (settled.inline_max_bytes > INLINE_MAX_LIMIT)
        settled.inline_max_bytes = INLINE_MAX_LIMIT;
    if (settled.worker_count == 0)
        settled.worker_count = WORKERS_DEFAULT;
    if (settled.worker_count > WORKERS_MAX)
        settled.worker_count = WORKERS_MAX;
    if (settled.pack_bytes == 0)
        settled.pack_bytes = PACK_BYTES_DEFAULT;
    if (settled.hot_bytes == 0)
        settled.hot_bytes = STORE_HOT_BYTES_DEFAULT;
    if (settled.reserve_bytes == 0)
        settled.reserve_bytes = RESERVE_DEFAULT;
    if (settled.events_max == 0 || settled.events_max > STORE_EVENTS_MAX)
        settled.events_max = STORE_EVENTS_MAX;
    if (settled.scrub_interval_us <= 0)
        settled.scrub_interval_us = SCRUB_INTERVAL_DEFAULT_US;
    if (settled.janitor_interval_us <= 0)
        settled.janitor_interval_us = JANITOR_INTERVAL_DEFAULT_US;
    return settled;
}

static struct store *store_new(const struct store_options *options)
{
    struct store *store = mem_zalloc(sizeof(*store));

    if (store == NULL)
        return NULL;

    store->options = settled_options(options);
    clock_init(&store->clock);
    store->own_hot.bytes = store->options.hot_bytes;
    store->hot_share = options != NULL && options->hot_share != NULL ? options->hot_share
                                                                     : &store->own_hot;
    store->space_bytes = UINT64_MAX; /* not asked yet */
    blob_pins_init(&store->pins);
    read_pins_init(&store->read_pins);
    snapshots_init(&store->snapshots, 0);
    freshness_init(&store->freshness);
    listeners_init(&store->listeners);
    queue_init(&store->commits);
    queue_init(&store->staging);
    queue_init(&store->copying);
    queue_init(&store->packed);
    health_init(&store->health, &store->options);
    layout_init(&store->dir, store->options.durability, &store->health);
    janitor_init(&store->janitor, &store->clock);
    scrub_init(&store->scrub, &store->clock);
    (void)pthread_mutex_init(&store->spare_lock, NULL);
    atomic_store(&store->space_checked_us, INT64_MIN / 2);
    store->batch = batch_new(store);
    return store;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;

    stop_threads(store);
    /* The last connection takes the log away with it. A poisoned store is checked at its start. */
    if (atomic_load(&store->log_marked) && !health_poisoned(&store->health))
        layout_mark_log(&store->dir, /* in_use= */ false);
    catalog_close(store->spare);
    catalog_close(store->cat);
    layout_close(&store->dir);
    (void)pthread_mutex_destroy(&store->spare_lock);
    scrub_free(&store->scrub);
    janitor_free(&store->janitor);
    queue_free(&store->packed);
    queue_free(&store->staging);
    queue_free(&store->copying);
    queue_free(&store->commits);
    snapshots_free(&store->snapshots);
    listeners_free(&store->listeners);
    read_pins_free(&store->read_pins);
    blob_pins_free(&store->pins);
    health_free(&store->health);
    clock_free(&store->clock);
    mem_free(store->batch);
    mem_free(store);
}

static void store_closep(struct store **store)
{
    store_close(*store);
    *store = NULL;
}

/* Nobody can be told of commits that are gone but who starts the store. */
static enum store_status check_log(struct store *store, bool *ret_cut, struct fault *fault)
{
    bool in_use = layout_log_in_use(&store->dir);
    struct fault cut = { 0 };
    enum store_status status = catalog_log_check(store->dir.fd, in_use, &cut, fault);

    *ret_cut = cut.text[0] != '\0';
    if (status != STORE_OK || !*ret_cut) {
        atomic_store(&store->log_marked, in_use);
        return status;
    }
    health_tell(&store->health, STORE_NOTICE_ERROR, cut.text);
    layout_mark_log(&store->dir, /* in_use= */ false); /* said once */
    return STORE_OK;
}

enum store_status store_open(const char *dir, const struct store_options *options,
                             struct store **ret_store, struct fault *fault)
{
    CLEANUP(store_closep) struct store *store = NULL;
    enum store_status status;
    uint64_t left;
    bool fresh;
    bool cut = false;

    if (!digest_init())
        return store_fault(fault, STORE_IO, "the crypto library lacks an algorithm");
    store = digest_thread_prepare() ? store_new(options) : NULL;
    if (store == NULL || store->batch == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "store");

    status = layout_open(&store->dir, dir, /* create= */ true, &fresh, fault);
    if (status == STORE_OK && fresh)
        status = layout_make_catalog(&store->dir, &store->clock, fault);
    if (status == STORE_OK)
        status = keyring_open(store->dir.fd, fresh, &store->dir.keyring, fault);
    if (status == STORE_OK)
        status = check_log(store, &cut, fault);
    if (status == STORE_OK)
        status = catalog_open(store->dir.path, CATALOG_WRITER, store->options.durability,
                              &store->cat, fault);
    if (status == STORE_OK)
        catalog_use_clock(store->cat, &store->clock);
    if (status == STORE_OK)
        catalog_limit_events(store->cat, store->options.events_max);
    if (status == STORE_OK && fresh)
        status = layout_seal(&store->dir, fault);
    /* What lies behind the cut is never to be met again. */
    if (status == STORE_OK && cut)
        status = catalog_checkpoint(store->cat, CHECKPOINT_RESTART, &left, fault);
    if (status == STORE_OK)
        status = packs_open(&store->dir.packs, store->dir.fd, store->dir.sync,
                            store->options.pack_bytes, fault);
    if (status != STORE_OK)
        return status;

    snapshots_commit(&store->snapshots, catalog_seq(store->cat));
    layout_clear_tmp(&store->dir);
    atomic_store(&store->reserve_gone, true);
    reserve_keep(store);
    status = start_threads(store, fault);
    if (status != STORE_OK)
        return status;

    *ret_store = store;
    store = NULL;
    return STORE_OK;
}

/* ---- facts ------------------------------------------------------------------------------- */

enum store_status store_key_find(struct store *store, struct str name, struct key_found *ret_found,
                                 struct fault *fault)
{
    return named_keys_find(store->dir.keyring.named, name, clock_now_us(&store->clock), ret_found,
                           fault);
}

void store_key_uuid(const struct store *store, char out[STORE_KEY_UUID_LEN + 1])
{
    keyring_uuid(&store->dir.keyring, out);
}

void store_derive_key(const struct store *store, struct str purpose, uint8_t out[AES_KEY_BYTES])
{
    keyring_derive(&store->dir.keyring, purpose, out);
}

struct clock *store_clock(struct store *store)
{
    return &store->clock;
}

int store_dir_fd(const struct store *store)
{
    return store->dir.fd;
}

enum store_durability store_durability(const struct store *store)
{
    return store->options.durability;
}

enum store_health store_health(struct store *store, struct fault *ret_why)
{
    struct fault why = { 0 };
    enum store_health health = health_of(&store->health, &why);

    if (health != STORE_HEALTH_POISONED &&
        (!space_left(store, SPACE_FILE) || atomic_load(&store->reserve_gone))) {
        why = (struct fault){ 0 };
        fault_note(&why, "the disk is full: bodies are refused until there is room");
        health = STORE_HEALTH_FULL;
    }
    if (ret_why != NULL)
        *ret_why = why;
    return health;
}

bool store_healthy(struct store *store)
{
    return health_of(&store->health, NULL) == STORE_HEALTH_GOOD;
}

struct store_counters store_counters(const struct store *store)
{
    return (struct store_counters){
        .commits = atomic_load(&store->commit_count),
        .intents = atomic_load(&store->intent_count),
        .statements = atomic_load(&store->statement_count),
        .blobs_linked = atomic_load(&store->blobs_linked),
        .blobs_packed = atomic_load(&store->blobs_packed),
        .blobs_shared = atomic_load(&store->blobs_shared),
        .blobs_removed = atomic_load(&store->blobs_removed),
        .bodies_scrubbed = atomic_load(&store->bodies_scrubbed),
        .bytes_scrubbed = atomic_load(&store->bytes_scrubbed),
        .bodies_damaged = atomic_load(&store->bodies_damaged),
        .blobs_mended = atomic_load(&store->blobs_mended),
    };
}
