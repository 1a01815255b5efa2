/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the files of the catalog talk to SQLite. Not for anybody outside storage/catalog/.
 *
 * A statement is a static struct beside its function and is prepared once per connection:
 *
 *     static struct sql sql = { .text = "SELECT ... WHERE id = ?1" };
 *     CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
 *
 *     status = sql_start(cat, &sql, &stmt, fault);
 *     if (status != STORE_OK)
 *         return status;
 *     sql_bind_i64(stmt, 1, id);
 *     status = sql_step(cat, stmt, &row, fault);
 *
 * A statement must not be started again while it is still in use on the same connection.
 */
#ifndef STORAGE_CATALOG_SQL_H
#define STORAGE_CATALOG_SQL_H

#include <assert.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "storage/catalog/catalog.h"

#define SQL_SLOTS 256
#define BUSY_TIMEOUT_MS 5000
#define ACCOUNT_SLOTS 64
#define BUCKET_SLOTS 64
#define BUCKET_NAME_CACHED_MAX 64

#define APPLICATION_ID 0x7061696c /* 'pail' */
#define STRINGIFY_(x) #x
#define STRINGIFY(x) STRINGIFY_(x)

struct sql {
    const char *text;
    atomic_int slot; /* 0: none yet; given at first use, the same for all connections */
};

struct account_slot {
    int64_t id; /* 0: empty */
    char *canonical;
    size_t len;
};

/* What every write needs to know of its bucket. */
struct bucket_facts {
    int64_t id;
    int64_t owner;
    int64_t changed_seq;
    enum bucket_versioning versioning;
};

struct bucket_slot {
    struct bucket_facts facts; /* id 0: empty */
    uint8_t name_len;
    char name[BUCKET_NAME_CACHED_MAX];
};

/* What the writer knows of open uploads. */
enum open_uploads { UPLOADS_UNKNOWN = 0, UPLOADS_NONE, UPLOADS_SOME };

/* And of whether anybody waits for events. */
enum any_subscribers { SUBSCRIBERS_UNKNOWN = 0, SUBSCRIBERS_NONE, SUBSCRIBERS_SOME };

struct catalog {
    sqlite3 *db;
    enum catalog_mode mode;
    const struct clock *clock; /* borrowed */
    sqlite3_stmt *statements[SQL_SLOTS];
    uint64_t statement_runs;
    bool device_failed;
    struct account_slot accounts[ACCOUNT_SLOTS];
    /* writer only */
    struct arena *scratch; /* what a verb looks up; emptied by the next (scratch_reset) */
    int64_t seq;
    int64_t seq_reserved;         /* meta's value as of this transaction */
    int64_t seq_reserved_on_disk; /* and as committed */
    int64_t dead_seq;             /* of what this transaction lets die; 0: nothing yet */
    bool tx_failed;               /* numbers could not be reserved: must not commit */
    bool dead;
    enum open_uploads uploads;
    enum any_subscribers subscribers;
    int64_t last_event; /* of this transaction; 0: none */
    int64_t events_max;
    bool events;       /* were committed */
    bool backlog_grew; /* in this transaction */
    bool backlog;      /* grew with what was committed */
    uint64_t wal_bytes;
    struct bucket_slot buckets[BUCKET_SLOTS];
};

enum {
    FLAG_DELETE_MARKER = 1,
    FLAG_NULL_VERSION = 2,
    FLAG_WAS_VERSIONED = 4,
    FLAG_KEY_REMOVED = 8,
    FLAG_ANNOTATED = 16,
};
enum upload_state { UPLOAD_OPEN = 0, UPLOAD_DONE = 1 };

/* The same numbers, as SQL texts spell them. */
#define SQL_BODY_EMPTY "0"
#define SQL_BODY_INLINE "1"
#define SQL_BODY_BLOB "2"
#define SQL_BODY_MANIFEST "3"
#define SQL_NULL_VERSION "2"
#define SQL_KEY_REMOVED "8"
#define SQL_ANNOTATED "16"
#define SQL_UPLOAD_OPEN "0"
#define SQL_UPLOAD_DONE "1"
static_assert(BODY_EMPTY == 0 && BODY_INLINE == 1 && BODY_BLOB == 2 && BODY_MANIFEST == 3 &&
                  FLAG_NULL_VERSION == 2 && FLAG_KEY_REMOVED == 8 && FLAG_ANNOTATED == 16 &&
                  UPLOAD_OPEN == 0 && UPLOAD_DONE == 1,
              "SQL texts spell these numbers");

/* ---- statements.c ------------------------------------------------------------------------ */

MUST_CHECK enum store_status sql_start(struct catalog *cat, struct sql *sql,
                                       sqlite3_stmt **ret_stmt, struct fault *fault);
void sql_done(sqlite3_stmt **stmt); /* CLEANUP helper: makes the statement usable again */
MUST_CHECK enum store_status sql_step(struct catalog *cat, sqlite3_stmt *stmt, bool *ret_row,
                                      struct fault *fault);
/* For statements without result rows. */
MUST_CHECK enum store_status sql_run(struct catalog *cat, sqlite3_stmt *stmt, struct fault *fault);
/* One statement whose only parameters are one or two integers. */
MUST_CHECK enum store_status sql_run_i64(struct catalog *cat, struct sql *sql, int64_t a, int64_t b,
                                         struct fault *fault);
/* Text that is not worth a prepared statement. */
MUST_CHECK enum store_status sql_script(struct catalog *cat, const char *text, struct fault *fault);
/* The integer that it gives. */
MUST_CHECK enum store_status sql_script_i64(struct catalog *cat, const char *text,
                                            int64_t *ret_value, struct fault *fault);
/* Translate an SQLite result that is not a success. */
enum store_status sql_fail(struct catalog *cat, int rc, struct fault *fault, const char *what);

void sql_bind_i64(sqlite3_stmt *stmt, int at, int64_t value);
/* Borrowed until the statement is done; STR_NONE binds NULL. */
void sql_bind_str(sqlite3_stmt *stmt, int at, struct str value);
/* As sql_bind_str, but STR_NONE binds an empty value. */
void sql_bind_text(sqlite3_stmt *stmt, int at, struct str value);

int64_t sql_i64(sqlite3_stmt *stmt, int column);
/* Lives until the next step; NULL gives STR_NONE, an empty value a present empty text. */
struct str sql_str(sqlite3_stmt *stmt, int column);
/* Copy into the arena unless it is NULL. False: no memory. */
MUST_CHECK bool sql_keep(struct arena *arena, struct str *text);

/* ---- shared by the families -------------------------------------------------------------- */

/* Empty memory for lookups whose results do not outlive the verb. */
struct arena *scratch_reset(struct catalog *cat);
/* The next number. */
int64_t tx_next_seq(struct catalog *cat);
/* Numbers for a batch, if too few are left. */
MUST_CHECK enum store_status tx_reserve_seq(struct catalog *cat, struct fault *fault);
/* The number at which this transaction's dead bodies died: greater than any open snapshot's. */
int64_t tx_dead_seq(struct catalog *cat);

/* schema.c: the catalog has this program's schema, or gets it. STORE_FORMAT: it is not ours, or newer;
 * or it is older, and the connection is no writer's. */
MUST_CHECK enum store_status schema_check(struct catalog *cat, struct fault *fault);
MUST_CHECK enum store_status schema_mark(struct catalog *cat, int version, struct fault *fault);

/* account.c: the integer of a canonical id, made when new; and back (lives until evicted). */
MUST_CHECK enum store_status account_intern(struct catalog *cat, struct str canonical,
                                            int64_t *ret_id, struct fault *fault);
/* 0 when unknown. */
MUST_CHECK enum store_status account_find(struct catalog *cat, struct str canonical,
                                          int64_t *ret_id, struct fault *fault);
MUST_CHECK enum store_status account_text(struct catalog *cat, int64_t id,
                                          struct str *ret_canonical, struct fault *fault);
void account_cache_free(struct catalog *cat);

/* By name. STORE_NO_BUCKET when absent. */
MUST_CHECK enum store_status bucket_facts_get(struct catalog *cat, struct str name,
                                              struct bucket_facts *ret_facts, struct fault *fault);
/* bucket_facts.c: STORE_NO_BUCKET; STORE_RETRY when it is not the bucket that the submitter judged. */
MUST_CHECK enum store_status bucket_of_intent(struct catalog *cat, struct intent *intent,
                                              struct bucket_facts *ret_facts);
/* It has changed: whoever judged it before has to judge it again. */
MUST_CHECK enum store_status bucket_touch(struct catalog *cat, int64_t id, struct fault *fault);
void bucket_cache_clear(struct catalog *cat);

/* document.c: without a look at the bucket, whose row the caller has written or touched. */
MUST_CHECK enum store_status document_write(struct catalog *cat, int64_t bucket_id,
                                            const struct bucket_document *document,
                                            struct fault *fault);

/* check.c: blobs of a statement whose columns are scope, hash, size, pack, at, id. */
MUST_CHECK enum store_status check_visit_blobs(struct catalog *cat, struct sql *sql,
                                               check_blob *visit, void *context,
                                               struct fault *fault);

/* body.c: references to bytes, inside the writer's transaction. */
MUST_CHECK enum store_status body_store(struct catalog *cat, const struct staged_body *staged,
                                        struct body_ref *ret_ref, struct fault *fault);
MUST_CHECK enum store_status body_release(struct catalog *cat, const struct body_ref *ref,
                                          struct fault *fault);
/* A reference to a stretch of a body, or to all of it: no parts, though it may be a manifest. */
MUST_CHECK enum store_status body_slice(struct catalog *cat, const struct body_ref *ref,
                                        uint64_t size, uint64_t offset, uint64_t len,
                                        struct body_ref *ret_ref, struct fault *fault);

/* manifest.c */
MUST_CHECK enum store_status manifest_piece_count(struct catalog *cat, int64_t manifest,
                                                  uint64_t *ret_count, struct fault *fault);
MUST_CHECK enum store_status manifest_release(struct catalog *cat, int64_t manifest,
                                              struct fault *fault);
MUST_CHECK enum store_status manifest_add_piece(struct catalog *cat, int64_t manifest, uint64_t at,
                                                const struct body_ref *ref, uint64_t start,
                                                uint64_t len, struct fault *fault);
/* Take over a part's body at `at`: its references move into the manifest. */
MUST_CHECK enum store_status manifest_adopt(struct catalog *cat, int64_t manifest, uint64_t at,
                                            const struct body_ref *ref, uint64_t size,
                                            struct fault *fault);
MUST_CHECK enum store_status manifest_add_part(struct catalog *cat, int64_t manifest,
                                               const struct part *part, struct fault *fault);

/* blob.c */
MUST_CHECK enum store_status blob_reference(struct catalog *cat, const struct staged_body *staged,
                                            int64_t *ret_id, struct fault *fault);
MUST_CHECK enum store_status blob_add_reference(struct catalog *cat, int64_t id,
                                                struct fault *fault);
MUST_CHECK enum store_status blob_release(struct catalog *cat, int64_t id, struct fault *fault);

/* inline.c */
MUST_CHECK enum store_status inline_store(struct catalog *cat, struct str bytes, int64_t *ret_id,
                                          struct fault *fault);
MUST_CHECK enum store_status inline_delete(struct catalog *cat, int64_t id, struct fault *fault);
MUST_CHECK enum store_status inline_duplicate(struct catalog *cat, int64_t id, int64_t *ret_id,
                                              struct fault *fault);

/* upload.c: a current version of the key is removed; its open uploads have to know. */
MUST_CHECK enum store_status upload_note_removal(struct catalog *cat, int64_t bucket,
                                                 struct str key, struct fault *fault);

/* versions.c: moves of a key's versions, used by put, delete and complete. */
/* What a write has to know of a version that is there. */
struct version_facts {
    int64_t seq;
    bool delete_marker;
    bool null_version;
    bool annotated;
    bool latest;
    int64_t modified_us;
    uint64_t size_bytes;
    struct str etag;
    struct body_ref body; /* without its key */
};
/*
 * Make a version current as the bucket's versioning state demands.
 *
 * fresh    what it is; its number (unless it has one), id and time are set here. Without an owner it
 *          is the bucket's.
 * current  the one that is so now; NULL: none.
 */
MUST_CHECK enum store_status versions_insert(struct catalog *cat, const struct bucket_facts *bucket,
                                             struct version *fresh,
                                             const struct version_facts *current,
                                             struct fault *fault);
/*
 * A version with a number, an id and a time of its own, into a bucket with versioning: current, or into
 * the history if what is current is newer.
 */
MUST_CHECK enum store_status versions_insert_replica(struct catalog *cat,
                                                     const struct bucket_facts *bucket,
                                                     struct version *fresh,
                                                     const struct version_facts *current,
                                                     struct fault *fault);
/* Remove one version for good; a history row becomes current when the current one goes. */
MUST_CHECK enum store_status versions_remove(struct catalog *cat, const struct bucket_facts *bucket,
                                             struct str key, const struct version_facts *version,
                                             struct fault *fault);
/* Current row, delete markers too. ret_found false: no such key. The ETag lives in the arena. */
MUST_CHECK enum store_status versions_current(struct catalog *cat, int64_t bucket, struct str key,
                                              struct arena *arena, struct version_facts *ret_facts,
                                              bool *ret_found, struct fault *fault);
/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html */
MUST_CHECK enum store_status condition_check(const struct write_condition *condition,
                                             const struct version_facts *current);
bool condition_asks_presence(const struct write_condition *condition);
/* What the intent wrote. */
MUST_CHECK enum store_status intent_result(struct intent *intent, const struct bucket_facts *bucket,
                                           const struct version *written);

/* object.c: a version that nobody may remove now. bypass: of a retention that yields to who may. */
bool version_is_locked(struct catalog *cat, const struct version_attrs *attrs, bool bypass);

/* annotations/: of a version, by its seq. release: they go with it, bodies and rows. */
MUST_CHECK enum store_status annotations_release(struct catalog *cat, int64_t version,
                                                 struct fault *fault);
/* The version gets another number. */
MUST_CHECK enum store_status annotations_move(struct catalog *cat, int64_t from, int64_t to,
                                              struct fault *fault);
MUST_CHECK enum store_status annotations_rewrap(struct catalog *cat, int64_t version,
                                                const struct rewrapping *rewrapping,
                                                struct fault *fault);
/* The source's of an intent that puts a copy, to a version that is yet to be inserted. STORE_RETRY: the source
 * is gone. */
MUST_CHECK enum store_status annotations_copy(struct catalog *cat, struct intent *intent,
                                              struct version *fresh,
                                              const struct rewrapping *rewrapping);

/* copy_source.c: whether what is written refers to bytes that are stored already. */
bool copy_refers(const struct intent *intent);
/* Find the source (STORE_RETRY when it is gone), then take its bytes: a slice is bytes alone,
 * whatever parts the source was made of. */
MUST_CHECK enum store_status copy_source_find(struct catalog *cat, struct intent *intent,
                                              struct version *ret_version);
MUST_CHECK enum store_status copy_source_slice(struct catalog *cat, struct intent *intent,
                                               const struct version *from, struct body_ref *ret_ref,
                                               uint64_t *ret_size);

/* The id of the newest event there ever was. */
#define SQL_LAST_EVENT "ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)"

/* event.c: what an intent has changed, told to subscribers in its transaction. */
struct change {
    struct str event; /* STR_NONE: nothing is told */
    struct str key;
    int64_t seq;
    uint64_t tail;
    bool null_version;
    uint64_t size_bytes;
    struct str etag;
    int64_t time_us;
};
MUST_CHECK enum store_status event_append(struct catalog *cat, struct intent *intent,
                                          const struct bucket_facts *bucket,
                                          const struct change *change);
/* One that is known keeps its place. STORE_SUBSCRIBER_LIMIT. */
MUST_CHECK enum store_status subscriber_add(struct catalog *cat, struct str name,
                                            struct fault *fault);
/* A version was made, a delete marker too. */
MUST_CHECK enum store_status event_written(struct catalog *cat, struct intent *intent,
                                           const struct bucket_facts *bucket,
                                           const struct version *written);
/* A version was changed or removed; it is told as it was. */
MUST_CHECK enum store_status event_of_version(struct catalog *cat, struct intent *intent,
                                              const struct bucket_facts *bucket,
                                              const struct version *version, int64_t time_us);
/* Before a commit: what is too much goes. */
MUST_CHECK enum store_status events_bound(struct catalog *cat, struct fault *fault);

/* What a version begins with that is, or is not, to be replicated. */
static inline uint8_t replication_begins(bool replicate)
{
    return replicate ? REPLICATION_PENDING : REPLICATION_NONE;
}
/* replication/backlog.c: the version waits to be replicated from now on, or anew. */
enum backlog_change { BACKLOG_NEW, BACKLOG_CHANGED };
MUST_CHECK enum store_status backlog_append(struct catalog *cat, int64_t bucket_id,
                                            const struct version *version,
                                            enum backlog_change change, struct fault *fault);

/* vfs.c: name of the VFS that counts and can fail; NULL when it cannot be registered. */
const char *vfs_name(void);

/* upload.c: also used when a bucket goes and by the sweep. */
MUST_CHECK enum store_status upload_remove(struct catalog *cat, int64_t upload,
                                           struct fault *fault);

/* upload ids share the form of version ids */
void id_text(int64_t seq, uint64_t tail, char out[VERSION_TEXT_LEN]);
struct str id_text_in(struct arena *arena, int64_t seq, uint64_t tail);

#endif
