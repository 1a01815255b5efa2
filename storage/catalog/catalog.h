/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog: names, versions and where bytes are. The only part that knows SQLite.
 *
 * (1) A struct catalog is one connection and belongs to one thread at a time.
 * (2) One writer per store; readers never wait for it.
 * (3) A write verb that refuses (any result but STORE_OK) has changed nothing, or the writer
 *     rolls its whole transaction back: see catalog_changes.
 */
#ifndef STORAGE_CATALOG_CATALOG_H
#define STORAGE_CATALOG_CATALOG_H

#include "base/text/buf.h"
#include "storage/store.h"

#define CATALOG_PAGE_BYTES 4096u

struct catalog;

enum catalog_mode {
    CATALOG_READER,
    CATALOG_WRITER,
    CATALOG_CHECKER, /* a reader that trusts nothing: fsck */
};

/* ---- connection: create.c, catalog.c, tx.c ----------------------------------------------- */

/*
 * The content of a new catalog.db: no rows, the schema of this program.
 *
 * clock      borrowed; when the store began.
 * ret_image  set on STORE_OK only; the caller frees it.
 */
MUST_CHECK enum store_status catalog_image(const struct clock *clock, struct buf *ret_image,
                                           struct fault *fault);

/*
 * Open a connection to catalog.db inside dir (a path).
 *
 * Returns STORE_OK, STORE_FORMAT (another application, a newer version), STORE_DAMAGED, STORE_IO,
 * STORE_NO_MEMORY.
 */
MUST_CHECK enum store_status catalog_open(const char *dir, enum catalog_mode mode,
                                          enum store_durability durability,
                                          struct catalog **ret_catalog, struct fault *fault);
/* What it writes bears the time of this clock (borrowed, for as long as it is open); without a call
 * that of the system. */
void catalog_use_clock(struct catalog *cat, const struct clock *clock);
void catalog_close(struct catalog *cat);
void catalog_closep(struct catalog **cat);

/* Snapshot of a reader. */
MUST_CHECK enum store_status catalog_read_begin(struct catalog *cat, struct fault *fault);
void catalog_read_end(struct catalog *cat);

/* Transaction of the writer. Reserves numbers for the whole batch. */
MUST_CHECK enum store_status catalog_begin(struct catalog *cat, struct fault *fault);
MUST_CHECK enum store_status catalog_commit(struct catalog *cat, struct fault *fault);
void catalog_rollback(struct catalog *cat);

/* Rows changed since open; tells whether a refused intent has left something behind. */
int64_t catalog_changes(struct catalog *cat);
/* The newest number handed out. */
int64_t catalog_seq(const struct catalog *cat);
/* A write or a sync failed: what is on disk is unknown. */
bool catalog_device_failed(const struct catalog *cat);
/* Bodies have lost their last reference since the last call. */
bool catalog_take_dead(struct catalog *cat);
/* Events were committed since the last call. */
bool catalog_take_events(struct catalog *cat);
/* More that waits to be replicated was. */
bool catalog_take_backlog(struct catalog *cat);
uint64_t catalog_statement_runs(const struct catalog *cat);
/* Size of the log after the newest commit of this connection. */
uint64_t catalog_wal_bytes(const struct catalog *cat);
/* Bytes of the database's file that hold nothing and are used first. 0 when it can not be told. */
uint64_t catalog_free_bytes(struct catalog *cat);

/*
 * log_check.c: before the first connection. in_use: the last run has committed and did not end in
 * order. ret_cut: says that acknowledged commits are lost, if they are known to be.
 */
MUST_CHECK enum store_status catalog_log_check(int dir_fd, bool in_use, struct fault *ret_cut,
                                               struct fault *fault);

enum catalog_checkpoint { CHECKPOINT_PASSIVE, CHECKPOINT_RESTART };
/*
 * Copy the log back into the database. ret_left: log bytes that are not yet copied.
 * CHECKPOINT_RESTART (writer only) also makes the next commit start the log anew; it waits for
 * readers for a bounded time.
 */
MUST_CHECK enum store_status catalog_checkpoint(struct catalog *cat, enum catalog_checkpoint how,
                                                uint64_t *ret_left, struct fault *fault);
const char *catalog_library_version(void);

/* ---- what the store hands over ----------------------------------------------------------- */

/* A body whose bytes are ready: in memory, or in a linked file. All borrowed. */
struct staged_body {
    enum body_kind kind; /* EMPTY, INLINE or BLOB */
    uint64_t size_bytes; /* plain */
    struct str bytes;    /* INLINE: as stored */
    uint64_t scope;      /* BLOB: account part of its name */
    struct str hash;     /* BLOB */
    uint64_t stored_bytes;
    uint32_t pack;    /* BLOB: number of the pack; 0: a file */
    uint64_t pack_at; /* where in the pack */
    uint64_t sum;     /* BLOB: of the stored bytes */
    bool stale;       /* BLOB: equal bytes were found there, and are not what they should be */
    uint32_t stale_pack;
    uint64_t stale_at;
    struct str wrapped_key;
};

/* ---- verbs of the writer; each takes its facts from the intent and leaves its results there -- */

MUST_CHECK enum store_status catalog_bucket_create(struct catalog *cat, struct intent *intent);
MUST_CHECK enum store_status catalog_bucket_delete(struct catalog *cat, struct intent *intent);
MUST_CHECK enum store_status catalog_bucket_set(struct catalog *cat, struct intent *intent);
MUST_CHECK enum store_status catalog_document_set(struct catalog *cat, struct intent *intent);
MUST_CHECK enum store_status catalog_object_delete(struct catalog *cat, struct intent *intent);
/* By the keyring; and the longest there is (storage/bodies/named_keys.h). */
#define WRAPPED_KEY_BYTES 64
#define WRAPPED_KEY_BYTES_MAX 96

/* How a data key is wrapped anew; the keyring knows (storage/bodies/keyring.h). */
struct rewrapping {
    enum store_status (*rewrap)(const void *context, struct str wrapped,
                                uint8_t out[WRAPPED_KEY_BYTES_MAX], size_t *ret_len,
                                struct fault *fault);
    const void *context;
};
/*
 * The data keys of a body. Those of a manifest are changed where they are; that of another one is
 * *ret_wrapped (in out), for its row.
 */
MUST_CHECK enum store_status body_rewrap(struct catalog *cat, const struct body_ref *body,
                                         const struct rewrapping *rewrapping,
                                         uint8_t out[WRAPPED_KEY_BYTES_MAX],
                                         struct str *ret_wrapped, struct fault *fault);

/* rewrapping: of data keys, where the intent sets the encryption. */
MUST_CHECK enum store_status catalog_object_set(struct catalog *cat, struct intent *intent,
                                                const struct rewrapping *rewrapping);
MUST_CHECK enum store_status catalog_object_rename(struct catalog *cat, struct intent *intent);
/* rewrapping: of the data keys of annotations that a copy brings along. */
MUST_CHECK enum store_status catalog_object_put(struct catalog *cat, struct intent *intent,
                                                const struct staged_body *staged,
                                                const struct rewrapping *rewrapping);
MUST_CHECK enum store_status catalog_annotation_set(struct catalog *cat, struct intent *intent,
                                                    const struct staged_body *staged);
MUST_CHECK enum store_status catalog_upload_create(struct catalog *cat, struct intent *intent);
MUST_CHECK enum store_status catalog_part_put(struct catalog *cat, struct intent *intent,
                                              const struct staged_body *staged);
MUST_CHECK enum store_status catalog_upload_complete(struct catalog *cat, struct intent *intent);
MUST_CHECK enum store_status catalog_upload_abort(struct catalog *cat, struct intent *intent);

/* replication/. rewrapping: as in catalog_object_set. */
MUST_CHECK enum store_status catalog_replica_put(struct catalog *cat, struct intent *intent,
                                                 const struct rewrapping *rewrapping);
MUST_CHECK enum store_status catalog_replication_end(struct catalog *cat, struct intent *intent);

/* event.c. catalog_limit_events: so many may wait; once, before the first transaction. */
MUST_CHECK enum store_status catalog_subscribe(struct catalog *cat, struct intent *intent);
MUST_CHECK enum store_status catalog_unsubscribe(struct catalog *cat, struct intent *intent);
MUST_CHECK enum store_status catalog_events_forget(struct catalog *cat, struct intent *intent);
void catalog_limit_events(struct catalog *cat, uint64_t max);

/* A blob whose row the sweep has removed; the file goes after the commit. */
struct swept_blob {
    uint64_t scope;
    uint8_t hash[SHA256_BYTES];
    uint64_t stored_bytes;
    uint32_t pack; /* 0: a file */
    uint64_t pack_at;
};
#define SWEEP_BATCH 256

struct sweep {
    int64_t safe_seq;         /* bodies dead since then or earlier may go */
    int64_t upload_before_us; /* open uploads started before are removed; INT64_MIN: none */
    int64_t done_before_us;   /* finished ones */
    /* by a writer of these bytes; by an open body, through the id of a blob or an inline body */
    bool (*pinned)(void *context, uint64_t scope, const uint8_t *hash);
    bool (*being_read)(void *context, int64_t id);
    void *context;
    /* results */
    struct swept_blob blobs[SWEEP_BATCH];
    size_t blob_count;
    size_t inline_count;
    size_t upload_count;
    bool more;    /* run again at once */
    bool waiting; /* dead bodies remain that something still holds */
};
MUST_CHECK enum store_status catalog_sweep(struct catalog *cat, struct sweep *sweep,
                                           struct fault *fault);

/* ---- lookups, any connection ------------------------------------------------------------- */

MUST_CHECK enum store_status catalog_bucket_get(struct catalog *cat, struct str name,
                                                struct arena *arena, struct bucket *ret_bucket,
                                                struct fault *fault);
MUST_CHECK enum store_status catalog_bucket_unchanged(struct catalog *cat,
                                                      const struct bucket *bucket,
                                                      struct fault *fault);
MUST_CHECK enum store_status catalog_bucket_list(struct catalog *cat, struct str owner,
                                                 struct str prefix, struct str after,
                                                 bucket_visit *visit, void *context,
                                                 struct fault *fault);
MUST_CHECK enum store_status catalog_document_get(struct catalog *cat, int64_t bucket_id,
                                                  struct str kind, struct str id,
                                                  struct arena *arena, struct str *ret_body,
                                                  struct fault *fault);
/* Names of buckets that have a document of that kind, in byte order, names > after. */
MUST_CHECK enum store_status catalog_document_buckets(struct catalog *cat, struct str kind,
                                                      struct str after, bucket_name_visit *visit,
                                                      void *context, struct fault *fault);
MUST_CHECK enum store_status catalog_document_list(struct catalog *cat, int64_t bucket_id,
                                                   document_visit *visit, void *context,
                                                   struct fault *fault);
MUST_CHECK enum store_status catalog_subscriber_done(struct catalog *cat, struct str name,
                                                     int64_t *ret_id, struct fault *fault);
MUST_CHECK enum store_status catalog_event_list(struct catalog *cat, int64_t after, uint32_t max,
                                                event_visit *visit, void *context,
                                                uint64_t *ret_lost, struct fault *fault);
/* What was asked under a token of a rename: STR_NONE when it is not known. */
MUST_CHECK enum store_status catalog_rename_asked(struct catalog *cat, int64_t bucket_id,
                                                  struct str token, struct arena *arena,
                                                  struct str *ret_asked, struct fault *fault);
MUST_CHECK enum store_status catalog_backlog_list(struct catalog *cat, int64_t now_us, uint32_t max,
                                                  backlog_visit *visit, void *context,
                                                  int64_t *ret_next_us, struct fault *fault);
MUST_CHECK enum store_status catalog_version_get(struct catalog *cat, int64_t bucket_id,
                                                 struct str key, struct version_id id,
                                                 struct arena *arena, struct version *ret_version,
                                                 struct fault *fault);
MUST_CHECK enum store_status catalog_annotation_get(struct catalog *cat, int64_t version,
                                                    struct str name, struct arena *arena,
                                                    struct annotation *ret_annotation,
                                                    struct fault *fault);
MUST_CHECK enum store_status catalog_annotation_list(struct catalog *cat, int64_t version,
                                                     const struct annotation_query *query,
                                                     annotation_visit *visit, void *context,
                                                     struct fault *fault);
/* By seq alone, null versions too: what a copy source names. */
MUST_CHECK enum store_status catalog_version_by_seq(struct catalog *cat, int64_t bucket_id,
                                                    struct str key, int64_t seq,
                                                    struct arena *arena,
                                                    struct version *ret_version,
                                                    struct fault *fault);
/* Whether a version still has the ACL that a decision was made by. judged NULL: any. */
bool version_is_as_judged(const struct version *version, const struct version *judged);
MUST_CHECK enum store_status catalog_object_list(struct catalog *cat, int64_t bucket_id,
                                                 const struct list_query *query, list_visit *visit,
                                                 void *context, struct arena *arena,
                                                 struct list_end *ret_end, struct fault *fault);
MUST_CHECK enum store_status catalog_version_list(struct catalog *cat, int64_t bucket_id,
                                                  const struct list_query *query, list_visit *visit,
                                                  void *context, struct arena *arena,
                                                  struct list_end *ret_end, struct fault *fault);
MUST_CHECK enum store_status catalog_upload_get(struct catalog *cat, int64_t bucket_id,
                                                struct str key, struct str upload_id,
                                                struct arena *arena, struct upload *ret_upload,
                                                struct fault *fault);
MUST_CHECK enum store_status catalog_upload_list(struct catalog *cat, int64_t bucket_id,
                                                 const struct upload_query *query,
                                                 upload_visit *visit, void *context,
                                                 struct arena *arena, struct upload_end *ret_end,
                                                 struct fault *fault);
MUST_CHECK enum store_status catalog_part_list(struct catalog *cat, int64_t upload_seq,
                                               uint32_t after, uint32_t max, part_visit *visit,
                                               void *context, struct fault *fault);
MUST_CHECK enum store_status catalog_manifest_part_list(struct catalog *cat, int64_t manifest,
                                                        uint32_t after, uint32_t max,
                                                        part_visit *visit, void *context,
                                                        struct fault *fault);
/* The smallest start of open and end of finished uploads; INT64_MAX: none. */
MUST_CHECK enum store_status catalog_upload_oldest(struct catalog *cat, int64_t *ret_open_us,
                                                   int64_t *ret_done_us, struct fault *fault);
MUST_CHECK enum store_status catalog_has_dead(struct catalog *cat, bool *ret_dead,
                                              struct fault *fault);

/* One stretch of stored bytes. */
struct piece {
    uint64_t at;           /* where it starts in the body */
    uint64_t start;        /* plain offset inside the stored thing */
    uint64_t len;          /* plain bytes */
    uint64_t stored_bytes; /* whole thing */
    uint64_t scope;        /* BLOB */
    uint64_t pack_at;      /* BLOB: where in the pack */
    uint32_t pack;         /* BLOB: 0: a file */
    uint64_t sum;          /* BLOB: of all its stored bytes, if summed */
    int64_t ref;           /* id of the inline body or blob */
    enum body_kind kind;
    bool summed;  /* BLOB: else only the hash says what the bytes are */
    bool damaged; /* BLOB: found to be so, not to be read */
    uint8_t hash[SHA256_BYTES];
    uint8_t wrapped_key_bytes; /* 0: plain */
    uint8_t wrapped_key[WRAPPED_KEY_BYTES_MAX];
};

typedef bool piece_visit(void *context, const struct piece *piece);

/* Pieces that overlap [offset, offset + len) of a body of `size` plain bytes, in order, clipped. */
MUST_CHECK enum store_status catalog_pieces(struct catalog *cat, const struct body_ref *ref,
                                            uint64_t size, uint64_t offset, uint64_t len,
                                            piece_visit *visit, void *context, struct fault *fault);
/* Stored bytes of an inline body in the arena. STORE_RETRY when gone, STORE_DAMAGED when they are
 * not what was stored. */
MUST_CHECK enum store_status catalog_inline_get(struct catalog *cat, int64_t id,
                                                struct arena *arena, struct str *ret_bytes,
                                                struct fault *fault);
/* The same, appended to ret. */
MUST_CHECK enum store_status catalog_inline_read(struct catalog *cat, int64_t id, struct buf *ret,
                                                 struct fault *fault);
/* The whole blob of those bytes as a piece: where it is and what it should be. */
MUST_CHECK enum store_status catalog_blob_find(struct catalog *cat, uint64_t scope,
                                               const uint8_t hash[SHA256_BYTES],
                                               struct piece *ret_blob, bool *ret_found,
                                               struct fault *fault);
/* Extents of a pack in order. STORE_STOPPED when visit returns false. */
typedef bool extent_visit(void *context, uint64_t at, uint64_t stored_bytes);
MUST_CHECK enum store_status catalog_pack_extents(struct catalog *cat, uint32_t pack,
                                                  extent_visit *visit, void *context,
                                                  struct fault *fault);

/* ---- the scrub: scrub.c ------------------------------------------------------------------ */

enum scrub_stage { SCRUB_IDLE, SCRUB_INLINE, SCRUB_BLOBS };
struct scrub_place {
    int64_t ended_us; /* when the last pass ended; 0: there was none */
    enum scrub_stage stage;
    int64_t at; /* the last body that was looked at */
};
MUST_CHECK enum store_status catalog_scrub_place(struct catalog *cat, struct scrub_place *ret_place,
                                                 struct fault *fault);

/* A body that was looked at. */
struct scrub_find {
    enum body_kind kind; /* INLINE or BLOB */
    int64_t id;
    uint64_t stored_bytes;
    bool damaged;
    bool was_damaged; /* the row says so */
    bool summed;      /* the row had a sum */
    uint64_t sum;     /* as found */
    uint32_t pack;    /* BLOB: what is said holds for the bytes at that place */
    uint64_t pack_at;
    uint64_t inode; /* BLOB in a file: and for that file */
};
typedef bool scrub_visit(void *context, const struct scrub_find *find);
/* Inline bodies in order. STORE_STOPPED when visit returns false. */
MUST_CHECK enum store_status catalog_scrub_inline(struct catalog *cat, int64_t after,
                                                  scrub_visit *visit, void *context,
                                                  struct fault *fault);
/* The next blob; 0: none. */
MUST_CHECK enum store_status catalog_blob_after(struct catalog *cat, int64_t after, int64_t *ret_id,
                                                struct fault *fault);
/* The whole blob as a piece. STORE_RETRY when gone. */
MUST_CHECK enum store_status blob_describe(struct catalog *cat, int64_t id, struct piece *into,
                                           struct fault *fault);

#define SCRUB_BATCH 64
/* What is to be written: marks, sums that were missing, how far the pass has come. */
struct scrub_note {
    struct scrub_place place;
    struct scrub_find finds[SCRUB_BATCH];
    size_t count;
};
MUST_CHECK enum store_status catalog_scrub_note(struct catalog *cat, const struct scrub_note *note,
                                                struct fault *fault);

/* A version, or a part of an open upload, that needs a body. */
struct body_owner {
    struct str bucket;
    struct str key;
    char version[VERSION_TEXT_LEN];
    bool null_version;
    bool part;
};
typedef bool owner_visit(void *context, const struct body_owner *owner);
/* Reads all rows. STORE_STOPPED when visit returns false. */
MUST_CHECK enum store_status catalog_body_owners(struct catalog *cat, enum body_kind kind,
                                                 int64_t id, owner_visit *visit, void *context,
                                                 struct fault *fault);

/* ---- fsck: check.c ----------------------------------------------------------------------- */

typedef void check_line(void *context, const char *line);
/* Everything the catalog can say about itself; one line per finding. */
MUST_CHECK enum store_status catalog_check(struct catalog *cat, check_line *line, void *context,
                                           struct fsck_report *report, struct fault *fault);

struct checked_blob {
    int64_t id;
    uint64_t scope;
    struct str hash;
    uint64_t size;
    uint32_t pack; /* 0: a file */
    uint64_t pack_at;
};
typedef bool check_blob(void *context, const struct checked_blob *blob);
MUST_CHECK enum store_status catalog_check_blobs(struct catalog *cat, check_blob *visit,
                                                 void *context, struct fault *fault);

/* repair.c: inside catalog_begin. visit is told what was changed, and how many rows. */
typedef void repair_visit(void *context, const char *what, uint64_t count);
MUST_CHECK enum store_status catalog_repair_rows(struct catalog *cat, repair_visit *visit,
                                                 void *context, struct fault *fault);
/* References of blobs; what has none is dead. */
MUST_CHECK enum store_status catalog_repair_counts(struct catalog *cat, uint64_t *ret_changed,
                                                   struct fault *fault);
/* Blobs that are alive and that nothing names. */
MUST_CHECK enum store_status catalog_unowned_blobs(struct catalog *cat, check_blob *visit,
                                                   void *context, struct fault *fault);
/* Inline bodies that nothing names; the first result that is not STORE_OK ends it. */
typedef enum store_status inline_visit(void *context, int64_t id, struct str bytes);
MUST_CHECK enum store_status catalog_unowned_inline(struct catalog *cat, inline_visit *visit,
                                                    void *context, struct fault *fault);
/* Delete later: an open download of a manifest may still need it. */
MUST_CHECK enum store_status catalog_inline_bury(struct catalog *cat, int64_t id,
                                                 struct fault *fault);
MUST_CHECK enum store_status catalog_mark_damaged(struct catalog *cat, enum body_kind kind,
                                                  int64_t id, struct fault *fault);

/* A version or a part with its bytes. */
struct checked_body {
    struct str key;
    struct body_ref ref;
    uint64_t size;
    struct str etag;
    bool single; /* neither a multipart object nor a part, which may be a copy of one: its ETag is
                    the MD5 of its bytes */
};
typedef bool check_body(void *context, const struct checked_body *body);
MUST_CHECK enum store_status catalog_check_bodies(struct catalog *cat, check_body *visit,
                                                  void *context, struct fault *fault);

#endif
