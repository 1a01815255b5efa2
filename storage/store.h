/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: the only door to the catalog and the blobs.
 *
 * It opens on five rooms: what is stored (model.h), the bytes of it (body.h), writes (intent.h), what
 * is told of them (event.h) and what it does by itself (work.h). Here are the store itself, reading and
 * checking.
 *
 * (1) Reads never wait for writes: a struct reader has its own catalog connection.
 * (2) A write is one closed intent, decided inside the writer's transaction and reported to
 *     `done` only after it is on disk (or refused).
 * (3) Nothing of SQLite and nothing of HTTP or XML shows here. Attributes the server needs back
 *     (headers, tags, ACL, checksums) are opaque bytes to the store.
 * (4) No global state: a process may open many stores.
 *
 * Order of a write: body to a temporary file, synced, linked under its hash, directory synced,
 * then the catalog COMMIT, then done(). See docs/storage-format.md.
 */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include "storage/event.h"
#include "storage/intent.h"
#include "storage/keys.h"
#include "storage/work.h"

/* ---- open and close ---------------------------------------------------------------------- */

enum store_durability {
    STORE_STRICT = 0, /* acknowledged = on disk */
    STORE_RELAXED,    /* fixture mode: no fsync; consistent, but a power cut may lose the newest */
};

#define STORE_INLINE_MAX_DEFAULT (64u * 1024u) /* bytes; larger bodies become blob files */
#define STORE_HOT_BYTES_DEFAULT (UINT64_C(12) * 1024 * 1024)
#define STORE_LIST_MAX 1000

enum store_notice_kind { STORE_NOTICE_INFO, STORE_NOTICE_WARNING, STORE_NOTICE_ERROR };
/* Something that no caller is there to be told of. Any store thread; must not block. */
typedef void store_notice(void *context, enum store_notice_kind kind, const char *text);

struct hot_share;

struct store_options {
    enum store_durability durability;
    uint32_t inline_max_bytes;   /* 0: default */
    uint32_t worker_count;       /* threads that sync and link large bodies; 0: default (4) */
    uint64_t hot_bytes;          /* what serving readers may remember, together; 0: default */
    struct hot_share *hot_share; /* with those of other stores (stores.h); NULL: alone */
    uint64_t reserve_bytes;      /* free space kept for the catalog; 0: default 16 MiB */
    uint64_t pack_bytes;         /* a pack of that size is full; 0: default (1 GiB) */
    uint64_t events_max;         /* 0: default (STORE_EVENTS_MAX) */
    int64_t upload_expiry_us;    /* age at which an open upload is removed; 0: never */
    int64_t janitor_interval_us; /* 0: default 60 s; the janitor sleeps while nothing is due */
    uint64_t scrub_bytes_per_s;  /* all stored bodies are read at that rate; 0: never */
    int64_t scrub_interval_us;   /* so long after they were the last time; 0: default 7 days */
    store_notice *notice;        /* NULL: nobody listens */
    void *notice_context;
    store_work *work; /* told of every round of background work; NULL: nobody */
    void *work_context;
};

struct store;

/*
 * Open (creating if empty) the store in a directory.
 *
 * dir      path, created 0700 when missing. options may be NULL.
 * Takes the directory's lock, removes temporary files, migrates, recovers, starts the writer.
 * Returns STORE_OK, STORE_LOCKED, STORE_FORMAT, STORE_IO, STORE_NO_MEMORY.
 */
MUST_CHECK enum store_status store_open(const char *dir, const struct store_options *options,
                                        struct store **ret_store, struct fault *fault);

/* Refuse new intents, finish those queued (their done() is called), stop threads, close. */
void store_close(struct store *store);

/*
 * The store's own clock: what it notes, lets expire and waits for. Any thread may read and move it;
 * moved, it wakes those of the store's threads that sleep until something is due.
 */
struct clock *store_clock(struct store *store);

/* Directory descriptor, borrowed, for the server's own small files (credentials). */
int store_dir_fd(const struct store *store);
/*
 * The name under which the key that encrypted bodies go back to can be shown: a UUID in text, the
 * same as long as the store lives, of which the key cannot be told.
 */
void store_key_uuid(const struct store *store, char out[STORE_KEY_UUID_LEN + 1]);
/*
 * A key for a purpose of the server's, made of the keyring's oldest: the same as long as the store lives, and
 * telling nothing of it.
 */
void store_derive_key(const struct store *store, struct str purpose, uint8_t out[AES_KEY_BYTES]);
enum store_durability store_durability(const struct store *store);

enum store_health {
    STORE_HEALTH_GOOD = 0,
    STORE_HEALTH_FULL,     /* reads and deletes are served, bodies refused: a restart is no help */
    STORE_HEALTH_UNTENDED, /* background work fails; it is tried again */
    STORE_HEALTH_POISONED, /* a sync has failed: every write answers STORE_IO until a restart */
};

/*
 * How the store is, as of now, and why (may be NULL): one sentence, without names of clients.
 * The worst is told. Any thread; asks the device for its free space at most ten times a second.
 */
enum store_health store_health(struct store *store, struct fault *ret_why);
/* Neither poisoned nor untended. */
bool store_healthy(struct store *store);

struct store_counters {
    uint64_t commits; /* catalog transactions committed by the writer */
    uint64_t intents;
    uint64_t statements;   /* SQL statements stepped by the writer */
    uint64_t blobs_linked; /* files */
    uint64_t blobs_packed;
    uint64_t blobs_shared; /* dedup hits of files */
    uint64_t blobs_removed;
    uint64_t bodies_scrubbed, bytes_scrubbed;
    uint64_t bodies_damaged; /* found to be so by a read or the scrub */
    uint64_t blobs_mended;   /* damaged ones that an upload of the same bytes has replaced */
};
struct store_counters store_counters(const struct store *store);

/* Run one sweep of unreferenced blobs and expired uploads now; returns after its commit. */
enum store_status store_sweep_now(struct store *store, struct fault *fault);

/* SQLite's version text for --version. */
const char *store_library_version(void);

/* ---- reading ----------------------------------------------------------------------------- */

struct reader; /* one thread at a time */

MUST_CHECK enum store_status reader_open(struct store *store, struct reader **ret_reader,
                                         struct fault *fault);
void reader_close(struct reader *reader);

/*
 * This reader serves many requests: it remembers buckets, current versions and small bodies (what
 * it says is as new as without that), and hands its snapshot on from request to request. Its owner
 * calls reader_let_go before it sleeps. Once, before the first lookup.
 */
MUST_CHECK enum store_status reader_warm(struct reader *reader, struct fault *fault);
/* Let go of the snapshot, which holds back the log's reuse. Outside of reader_begin. */
void reader_let_go(struct reader *reader);

/*
 * Until reader_end the store keeps what lookups found readable, and no lookup sees an older state
 * than the one before it, nor one older than now; those that ask the catalog all see the same.
 * Lookups outside each see the newest state. Keep it short. Calls nest.
 */
void reader_begin(struct reader *reader);
void reader_end(struct reader *reader);

/* All results live in the arena. STORE_NO_BUCKET when absent. */
MUST_CHECK enum store_status bucket_get(struct reader *reader, struct str name, struct arena *arena,
                                        struct bucket *ret_bucket, struct fault *fault);

/*
 * What was decided about a bucket read earlier still holds: it is there and as it was. STORE_RETRY
 * when it is not. Takes no memory, so it may be asked often.
 */
MUST_CHECK enum store_status bucket_unchanged(struct reader *reader, const struct bucket *bucket,
                                              struct fault *fault);

/* Visitors return true to go on. What they are given lives until they return. */
typedef bool bucket_visit(void *context, const struct bucket *bucket);
typedef bool bucket_name_visit(void *context, struct str name);

/* Buckets of one owner, by name in byte order, names > after and starting with prefix. */
MUST_CHECK enum store_status bucket_list(struct reader *reader, struct str owner, struct str prefix,
                                         struct str after, bucket_visit *visit, void *context,
                                         struct fault *fault);

/* A configuration document: kind is the sub-resource ("tagging", "cors"), id "" when single. */
MUST_CHECK enum store_status document_get(struct reader *reader, int64_t bucket_id, struct str kind,
                                          struct str id, struct arena *arena, struct str *ret_body,
                                          struct fault *fault);

/* Buckets that have a document of that kind, by name in byte order, names > after ("": all). */
MUST_CHECK enum store_status bucket_list_with_document(struct reader *reader, struct str kind,
                                                       struct str after, bucket_name_visit *visit,
                                                       void *context, struct fault *fault);

typedef bool document_visit(void *context, const struct bucket_document *document);

/* All documents of a bucket, by kind and id. STORE_STOPPED: the visitor did not want to go on. */
MUST_CHECK enum store_status document_list(struct reader *reader, int64_t bucket_id,
                                           document_visit *visit, void *context,
                                           struct fault *fault);

/*
 * What was asked for when a rename was done under that token in that bucket, into the arena; STR_NONE when none
 * of the last STORE_RENAMES_KEPT was.
 */
MUST_CHECK enum store_status rename_asked(struct reader *reader, int64_t bucket_id,
                                          struct str token, struct arena *arena,
                                          struct str *ret_asked, struct fault *fault);

/*
 * One version of a key. STORE_NO_KEY when the key has no current version (VERSION_CURRENT),
 * STORE_NO_VERSION when the id names none. A delete marker is returned as STORE_OK with
 * delete_marker set, for CURRENT too: the server decides what that means.
 */
MUST_CHECK enum store_status version_get(struct reader *reader, int64_t bucket_id, struct str key,
                                         struct version_id id, struct arena *arena,
                                         struct version *ret_version, struct fault *fault);

/*
 * So many rows that are no entries (delete markers) a listing of objects passes over in one go,
 * about 0.2 ms of work; then it stops, so that its thread can serve others.
 */
#define STORE_LIST_HIDDEN_MAX 1000

struct list_place; /* in the arena */

struct list_query {
    struct str prefix;    /* "" for all */
    struct str delimiter; /* "" for none */
    struct str after;     /* keys > after (and prefixes > after); STR_NONE from the start */
    uint32_t max;         /* entries (keys and prefixes together); 0 gives an empty page */
    bool start_after;     /* after came from start-after, not from a token: a common prefix that
                             begins with it still counts */
    bool owners; /* object listing only: say who owns each; a version listing always does */
    /* version listing only: with after, the versions of key `after` older than this one */
    bool has_version_marker;
    struct version_id version_marker;
    bool tags;     /* version listing only: with the tags of each */
    bool restores; /* with what each has of a restore */
    /*
     * object listing only: where this very query broke off, in whatever snapshot. after counts no
     * more; prefix and delimiter are the texts that were given then.
     */
    struct list_place *from;
};

struct list_end {
    bool truncated;
    struct str next;            /* last entry of the page: key, or common prefix */
    struct str next_version_id; /* version listing: text of the last entry's version; "" = prefix */
    /* Object listing: this is not the end, go on from here (list_query.from). Nothing else is set. */
    struct list_place *place;
};

/* common_prefix.p != NULL: that, and listed is NULL; else one key. */
typedef bool list_visit(void *context, struct str common_prefix,
                        const struct listed_version *listed);

/*
 * Current versions without delete markers, key in byte order. list_end lives in the arena. One that
 * goes on gives further entries of the same page, as if it had never stopped.
 */
MUST_CHECK enum store_status object_list(struct reader *reader, int64_t bucket_id,
                                         const struct list_query *query, list_visit *visit,
                                         void *context, struct arena *arena,
                                         struct list_end *ret_end, struct fault *fault);

/* All versions and delete markers, key in byte order, newest first within a key. */
MUST_CHECK enum store_status version_list(struct reader *reader, int64_t bucket_id,
                                          const struct list_query *query, list_visit *visit,
                                          void *context, struct arena *arena,
                                          struct list_end *ret_end, struct fault *fault);

MUST_CHECK enum store_status upload_get(struct reader *reader, int64_t bucket_id, struct str key,
                                        struct str upload_id, struct arena *arena,
                                        struct upload *ret_upload, struct fault *fault);

struct upload_query {
    struct str prefix;
    struct str delimiter;
    struct str key_marker;       /* STR_NONE from the start */
    struct str upload_id_marker; /* with key_marker: uploads of that key after this id; "" none */
    uint32_t max;
};

struct upload_end {
    bool truncated;
    struct str next_key;
    struct str next_upload_id;
};

typedef bool upload_visit(void *context, struct str common_prefix, const struct upload *upload);

/*
 * Open uploads by (key, initiation order). STORE_NO_UPLOAD: the id marker is no upload's, or one of
 * another key; an upload of key_marker that is no more is a good marker.
 */
MUST_CHECK enum store_status upload_list(struct reader *reader, int64_t bucket_id,
                                         const struct upload_query *query, upload_visit *visit,
                                         void *context, struct arena *arena,
                                         struct upload_end *ret_end, struct fault *fault);

typedef bool part_visit(void *context, const struct part *part);

/* Parts of an open upload with number > after, ascending, at most max. */
MUST_CHECK enum store_status part_list(struct reader *reader, const struct upload *upload,
                                       uint32_t after, uint32_t max, part_visit *visit,
                                       void *context, struct fault *fault);

/* Parts of a finished multipart object (version->part_count > 0); seq and modified_us are 0. */
MUST_CHECK enum store_status object_part_list(struct reader *reader, const struct version *version,
                                              uint32_t after, uint32_t max, part_visit *visit,
                                              void *context, struct fault *fault);

/* An annotation of a version. STORE_NO_ANNOTATION. */
MUST_CHECK enum store_status annotation_get(struct reader *reader, const struct version *version,
                                            struct str name, struct arena *arena,
                                            struct annotation *ret_annotation, struct fault *fault);

struct annotation_query {
    struct str prefix; /* "" for all */
    struct str after;  /* names > after; "" from the start */
    uint32_t max;
};
typedef bool annotation_visit(void *context, const struct annotation *annotation);

/* Annotations of a version by name in byte order. STORE_STOPPED when visit returns false. */
MUST_CHECK enum store_status annotation_list(struct reader *reader, const struct version *version,
                                             const struct annotation_query *query,
                                             annotation_visit *visit, void *context,
                                             struct fault *fault);

/* ---- checking ---------------------------------------------------------------------------- */

struct fsck_report {
    uint64_t buckets, versions, uploads, blobs, inline_bodies;
    uint64_t bytes_read;
    uint64_t errors;  /* all of what follows, and a damaged catalog */
    uint64_t damaged; /* bodies without good bytes: whoever needs them gets an error */
    uint64_t rows;    /* left over or miscounted: no object's bytes are touched by it */
    uint64_t repairs; /* made, or planned */
    uint64_t orphans; /* files no row names (harmless; removed by the sweep) */
};

/* One line per finding, in plain words. */
typedef void fsck_line(void *context, const char *line);

struct fsck_options {
    bool read_data; /* also read every body and compare hashes (and ETags of single uploads) */
    enum {
        FSCK_CHECK = 0, /* changes nothing */
        FSCK_PLAN,      /* says what a repair would do */
        FSCK_REPAIR, /* removes rows that nothing needs, marks damaged bodies; deletes no bytes */
    } mode;
};

/*
 * Check a store that no process has open.
 *
 * Returns STORE_OK when the check ran (see report->errors), STORE_LOCKED, STORE_FORMAT, STORE_IO.
 */
MUST_CHECK enum store_status store_fsck(const char *dir, const struct fsck_options *options,
                                        fsck_line *line, void *context,
                                        struct fsck_report *ret_report, struct fault *fault);

#endif
