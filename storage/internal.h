/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files directly in storage/ share: struct store and its parts.
 *
 *   submit --> [staging queue] --> workers: sync, link --+--> [commit queue] --> writer --> done()
 *     |------> [copying queue] --> copiers: read, ... ---|
 *     |------> [packed queue] ---> packer: one sync -----|
 *      \------ nothing to stage --------------------------/
 *
 * Locks are leaves: no function takes a second one while it holds one of these.
 */
#ifndef STORAGE_INTERNAL_H
#define STORAGE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "storage/care/health.h"
#include "storage/care/scrub.h"
#include "storage/catalog/catalog.h"
#include "storage/layout.h"
#include "storage/reading/freshness.h"

#define WORKERS_MAX 16
#define COPIERS 2 /* a long copy has a disk or a processor busy: more of them gain nothing */

/* ---- queue.c: FIFO of intents, any thread ------------------------------------------------ */

struct intent_queue {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    struct intent *head;
    struct intent *tail;
    atomic_uint untold; /* pushed since the taker was last told */
    bool closed;
};

void queue_init(struct intent_queue *queue);
void queue_free(struct intent_queue *queue);
enum queue_tell { QUEUE_TELL_NOW, QUEUE_TELL_LATER };
/* False when closed: the intent was not taken. LATER: queue_tell follows soon. */
MUST_CHECK bool queue_push(struct intent_queue *queue, struct intent *intent, enum queue_tell when);
/* Tell the taker of what was pushed to be told later. */
void queue_tell(struct intent_queue *queue);
/* Up to max intents, waiting for the first; 0: closed and empty. `enough` may stop earlier. */
size_t queue_take(struct intent_queue *queue, struct intent **out, size_t max,
                  bool (*enough)(void *context, const struct intent *next), void *context);
void queue_close(struct intent_queue *queue);

/* ---- snapshots.c: which states open readers may still look at ----------------------------- */

struct snapshot {
    int64_t seq;
    struct snapshot *next;
    struct snapshot **link; /* NULL: not registered */
};

struct snapshots {
    pthread_mutex_t lock;
    struct snapshot *first;
    int64_t committed_seq;
};

void snapshots_init(struct snapshots *snapshots, int64_t committed_seq);
void snapshots_free(struct snapshots *snapshots);
/* Register before the catalog snapshot is opened: then seq is never too great. */
void snapshot_open(struct snapshots *snapshots, struct snapshot *snapshot);
void snapshot_close(struct snapshots *snapshots, struct snapshot *snapshot);
void snapshots_commit(struct snapshots *snapshots, int64_t seq);
/* What died at this seq or before, nobody can find any more. */
int64_t snapshots_safe_seq(struct snapshots *snapshots);

/* ---- read_pins.c: what open bodies still have to read ------------------------------------- */

/*
 * Readers pin what they read, not a state: a slow one keeps its own body and nothing else.
 *
 * (1) A pin is taken while the snapshot is held in which the body was found, and the sweep computes
 *     its safe seq before it asks for pins. So what a reader has found is held by the one or by the
 *     other, without a gap.
 * (2) A dead blob or inline body that is pinned keeps its row, and so its extent, its pack and its
 *     file.
 */
#define READ_PIN_SLOTS 1024

/* Lives in its owner (an open body), at one place. */
struct read_pin {
    int64_t id; /* of a blob or an inline body: one counter numbers both. 0: not pinned */
    struct read_pin *next;
    struct read_pin **link; /* its neighbours change it: under the lock alone */
};

struct read_pins {
    pthread_mutex_t lock;
    struct read_pin *slots[READ_PIN_SLOTS];
};

void read_pins_init(struct read_pins *pins);
void read_pins_free(struct read_pins *pins);
void read_pin_take(struct read_pins *pins, struct read_pin *pin, int64_t id);
void read_pin_drop(struct read_pins *pins, struct read_pin *pin); /* fine when not pinned */
bool read_pins_held(struct read_pins *pins, int64_t id);

/* ---- reader.c ---------------------------------------------------------------------------- */

/* What readers that serve may remember together. */
struct hot_share {
    atomic_uint serving; /* how many they are */
    uint64_t bytes;
};

/* ---- janitor.c --------------------------------------------------------------------------- */

struct janitor {
    struct clock *clock; /* the store's */
    struct clock_watcher watcher;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool started;
    bool stop;
    bool log_is_long;        /* checkpoint now */
    bool space_is_low;       /* that and a sweep */
    bool clock_moved;        /* what is due is due at another moment */
    pthread_mutex_t copying; /* held while the log is copied back or reset */
    atomic_bool log_copied;  /* but for a little: a good moment to reset it */
    atomic_bool dirty;       /* commits since the last quiet checkpoint */
    atomic_bool dead;        /* bodies wait for a sweep */
    struct catalog *cat;     /* of the janitor's thread */
    /* schedule, monotonic; INT64_MAX: nothing due */
    int64_t sweep_at_us;
    int64_t quiet_at_us;
    int64_t walk_at_us;
    uint64_t seen_commits;
    uint32_t walk_position;        /* next leaf directory */
    enum store_status walk_status; /* what it met so far */
    struct fault walk_fault;
};

/* ---- events.c: who is woken by new events ------------------------------------------------- */

struct event_listeners {
    pthread_mutex_t lock;
    struct event_listener *first;
};

void listeners_init(struct event_listeners *listeners);
void listeners_free(struct event_listeners *listeners);
/* The writer's, after a commit: those that hear of what it had. */
void listeners_wake(struct event_listeners *listeners, bool events, bool backlog);

/* ---- the store --------------------------------------------------------------------------- */

struct store {
    struct store_options options;
    struct clock clock;
    struct store_dir dir;
    struct blob_pins pins;      /* of writers */
    struct read_pins read_pins; /* of readers */
    struct snapshots snapshots;
    struct freshness freshness;
    struct event_listeners listeners;
    struct hot_share *hot_share; /* its own, or that of many stores */
    struct hot_share own_hot;

    struct catalog *cat; /* of the writer's thread */
    struct batch *batch; /* of the writer's thread */
    struct intent_queue commits;
    struct intent_queue staging;
    struct intent_queue copying;
    struct intent_queue packed;
    pthread_t writer;
    pthread_t packer;
    pthread_t workers[WORKERS_MAX];
    size_t workers_started;
    pthread_t copiers[COPIERS];
    size_t copiers_started;
    bool writer_started;
    bool packer_started;
    struct janitor janitor;
    struct scrub scrub;

    /* A connection for bodies that outlive their reader, opened at first need. */
    pthread_mutex_t spare_lock;
    struct catalog *spare;

    atomic_bool closing;
    atomic_bool log_marked; /* layout_mark_log */
    struct health health;
    atomic_bool reserve_gone;
    int64_t reserve_tried_us;         /* writer; monotonic */
    _Atomic int64_t space_checked_us; /* monotonic */
    atomic_bool space_low;
    _Atomic uint64_t space_bytes;        /* free on the device when last asked */
    _Atomic uint64_t catalog_free_bytes; /* inside the catalog's file, while space is low */
    uint64_t copy_at_bytes;  /* writer: log size at which the janitor is asked to copy it */
    uint64_t reset_at_bytes; /* writer: after a reset that failed, the size at which to try again */

    _Atomic uint64_t commit_count;
    _Atomic uint64_t intent_count;
    _Atomic uint64_t statement_count;
    _Atomic uint64_t blobs_linked;
    _Atomic uint64_t blobs_packed;
    _Atomic uint64_t blobs_shared;
    _Atomic uint64_t blobs_removed;
    _Atomic uint64_t blobs_mended;
    _Atomic uint64_t bodies_scrubbed;
    _Atomic uint64_t bytes_scrubbed;
    _Atomic uint64_t bodies_damaged;
};

struct reader {
    struct store *store;
    struct catalog *cat;
    struct hot *hot; /* NULL: does not serve */
    int depth;
    bool registered;    /* snapshot is in the store's list */
    bool in_snapshot;   /* the catalog's */
    uint64_t published; /* freshness from before it was opened */
    struct snapshot snapshot;
    struct buf room; /* for blob_verify, made at first need */
};

/* The catalog in this reader's snapshot, opened when it is not. Inside of reader_begin. */
MUST_CHECK enum store_status reader_catalog(struct reader *reader, struct catalog **ret_cat,
                                            struct fault *fault);

/* ---- space.c ----------------------------------------------------------------------------- */

/* Free space has fallen to the reserve. Measured now, unless there was plenty just before. */
bool space_is_low(struct store *store);
enum space_use { SPACE_SMALL, SPACE_FILE };
/*
 * False when free space has fallen to the reserve: bodies are refused. Cheap.
 * SPACE_SMALL: a body that the catalog takes, which has free pages of its own.
 */
bool space_left(struct store *store, enum space_use use);
/* After a commit: while space is low, learn what the catalog could reuse. Writer. */
void space_note_commit(struct store *store);
/* The reserve file exists (made when missing and there is room). */
void reserve_keep(struct store *store);
/* The reserve is gone: try to make it again, at most once a second. True: it is there. Writer. */
bool reserve_retry(struct store *store);
/* Give the reserve file back to the file system. False: it was gone already. */
bool reserve_drop(struct store *store);

/* ---- threads ----------------------------------------------------------------------------- */

/* Threads with small stacks and all signals blocked. 0 or an errno. */
int thread_start(pthread_t *ret_thread, void *(*run)(void *), void *argument);
MUST_CHECK struct batch *batch_new(struct store *store); /* NULL: no memory; mem_free */
void *writer_run(void *argument);
void *worker_run(void *argument);
void *copier_run(void *argument);
/* copies.c: what the work of its source asks for, and then staged(). */
MUST_CHECK enum store_status copy_read(struct reader *reader, struct intent *intent);
void *packer_run(void *argument);
void *janitor_run(void *argument);
void janitor_init(struct janitor *janitor, struct clock *clock);
void janitor_free(struct janitor *janitor);
/* notes.c. note: set meanwhile, or NULL. */
void janitor_wake(struct janitor *janitor, bool *note);
/* From the writer after each commit. */
void janitor_note_commit(struct store *store);
void janitor_note_long_log(struct store *store);
void janitor_note_low_space(struct store *store);
void janitor_stop(struct store *store);
/*
 * Copy back what is left of the log and have the next commit start it anew. Waits for the janitor
 * to finish a copy that it has begun. Writer, outside a transaction.
 * ret_left: bytes that a reader did not let go; the log goes on growing then.
 */
MUST_CHECK enum store_status log_reset(struct store *store, uint64_t *ret_left);
/* The outcome is decided: hand the intent back. */
void intent_finish(struct store *store, struct intent *intent, enum store_status status);

/* ---- sweep.c ----------------------------------------------------------------------------- */

/* A repeated Complete is answered for so long. */
#define DONE_UPLOAD_KEPT_US (INT64_C(24) * 3600 * US_PER_S)

void sweep_prepare(struct store *store, struct sweep *sweep);
/* Give back the bytes whose rows are gone. Writer. */
void sweep_finish(struct store *store, const struct sweep *sweep);
/* What some sweeps have removed, and whether they are through. */
struct swept {
    uint64_t bodies, bytes, uploads;
    bool more;    /* run again at once */
    bool waiting; /* dead bodies remain that something still holds */
};
/* One transaction; what it removed is added to total. */
MUST_CHECK enum store_status sweep_once(struct store *store, struct swept *total,
                                        struct fault *fault);
/* One leaf directory of blobs/: files that no row names and that are old enough are removed.
 * ret_found false: there is no such directory. Ends at the first file whose row can not be asked for. */
MUST_CHECK enum store_status orphans_sweep_leaf(struct store *store, struct catalog *cat,
                                                uint32_t leaf, bool *ret_found,
                                                struct fault *fault);
/* Gaps that earlier runs left in packs become holes; packs that no row names go. */
MUST_CHECK enum store_status orphans_sweep_packs(struct store *store, struct catalog *cat,
                                                 struct fault *fault);
/* Whether blobs/ has that first-level directory (0..255). */
bool orphans_top_exists(const struct store *store, uint32_t top);
#define BLOB_LEAVES 65536u

/* ---- body_writer.c ----------------------------------------------------------------------- */

bool body_writer_is_file(const struct body_writer *writer);
bool body_writer_is_packed(const struct body_writer *writer);
/*
 * Make finished bodies in packs durable together: one sync of each pack. Each intent's status says
 * how it went. The packer's.
 */
void body_writers_sync(struct store *store, struct intent **intents, size_t count);
/* Make a finished body durable: sync and link its file, pinned. Nothing to do for small ones. */
MUST_CHECK enum store_status body_writer_stage(struct body_writer *writer, struct fault *fault);
/*
 * Are bytes that are stored already, and equal to these, still what they were? If not, the commit
 * puts these in their place. Between the two a sweep may remove the row, another upload of the same
 * bytes may make or mend it: the commit looks at the row again. cat: a reader's, inside of
 * reader_begin, so that what the row names stays. STORE_OK: also when they are damaged.
 */
MUST_CHECK enum store_status body_writer_compare(struct body_writer *writer, struct catalog *cat,
                                                 struct buf *room, struct fault *fault);
void body_writer_describe(const struct body_writer *writer, struct staged_body *ret_staged);
/*
 * The commit is decided. Bytes that no row names go, but of a poisoned store, where the row may be
 * on the disk. cat: the writer's.
 */
void body_writer_after_commit(struct body_writer *writer, bool committed, struct catalog *cat);

/* ---- body_reader.c ----------------------------------------------------------------------- */

/* Decrypt a whole stored body (an inline one) into plain. customer_key: as keyring_unwrap takes it. */
MUST_CHECK enum store_status body_decrypt(const struct keyring *keyring,
                                          const uint8_t *customer_key, struct str wrapped,
                                          struct str stored, struct buf *ret_plain,
                                          struct fault *fault);

#endif
