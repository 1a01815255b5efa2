/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: the only door to the catalog and the blobs.
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

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest/checksum.h"
#include "base/fault.h"

enum store_status {
    STORE_OK = 0,
    STORE_NO_BUCKET,
    STORE_NO_KEY,
    STORE_NO_VERSION,
    STORE_NO_UPLOAD,
    STORE_NO_PART,
    STORE_NO_DOCUMENT,
    STORE_BUCKET_EXISTS,
    STORE_BUCKET_NOT_EMPTY,
    STORE_PRECONDITION_FAILED, /* a write_condition did not hold */
    STORE_CONFLICT,            /* it would hold, but its key has changed since the upload began */
    STORE_DELETE_MARKER,       /* the version named is a delete marker */
    STORE_RETRY,               /* what the intent was built on has changed: read again, resubmit */
    STORE_BUCKET_LIMIT,        /* the owner has STORE_BUCKETS_MAX buckets */
    STORE_PART_LIMIT,          /* a part number, or their count, is not 1..STORE_PARTS_MAX */
    STORE_PIECE_LIMIT,         /* more than STORE_PIECES_MAX */
    STORE_FULL,                /* no space on the device */
    STORE_IO,                  /* the device failed; the store is poisoned if a sync failed */
    STORE_DAMAGED,             /* bytes do not match their hash or their catalog row */
    STORE_NO_MEMORY,
    STORE_STOPPED, /* the visitor asked to stop; or the store is closing */
    STORE_LOCKED,  /* another process holds the directory */
    STORE_FORMAT,  /* not a pail directory, or a newer one */
};

const char *store_status_name(enum store_status status);

/* ---- open and close ---------------------------------------------------------------------- */

enum store_durability {
    STORE_STRICT = 0, /* acknowledged = on disk */
    STORE_RELAXED,    /* fixture mode: no fsync; consistent, but a power cut may lose the newest */
};

#define STORE_INLINE_MAX_DEFAULT (64u * 1024u) /* bytes; larger bodies become blob files */
#define STORE_HOT_BYTES_DEFAULT (UINT64_C(12) * 1024 * 1024)
#define STORE_KEY_BYTES_MAX 1024
#define STORE_PARTS_MAX 10000
/*
 * Stretches of stored bytes that one object may be made of. Parts copied from objects that are made
 * of parts multiply them; who reads the object holds some 200 bytes for each.
 */
#define STORE_PIECES_MAX 131072
#define STORE_LIST_MAX 1000
#define STORE_BUCKETS_MAX 10000

enum store_notice_kind { STORE_NOTICE_INFO, STORE_NOTICE_WARNING, STORE_NOTICE_ERROR };
/* Something that no caller is there to be told of. Any store thread; must not block. */
typedef void store_notice(void *context, enum store_notice_kind kind, const char *text);

struct store_options {
    enum store_durability durability;
    uint32_t inline_max_bytes;   /* 0: default */
    uint32_t worker_count;       /* threads that sync and link large bodies; 0: default (4) */
    uint64_t hot_bytes;          /* what serving readers may remember, together; 0: default */
    uint64_t reserve_bytes;      /* free space kept for the catalog; 0: default 16 MiB */
    uint64_t pack_bytes;         /* a pack of that size is full; 0: default (1 GiB) */
    int64_t upload_expiry_us;    /* age at which an open upload is removed; 0: never */
    int64_t janitor_interval_us; /* 0: default 60 s; the janitor sleeps while nothing is due */
    uint64_t scrub_bytes_per_s;  /* all stored bodies are read at that rate; 0: never */
    int64_t scrub_interval_us;   /* so long after they were the last time; 0: default 7 days */
    store_notice *notice;        /* NULL: nobody listens */
    void *notice_context;
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

/* Directory descriptor, borrowed, for the server's own small files (credentials). */
int store_dir_fd(const struct store *store);
/*
 * The name under which the key that encrypted bodies go back to can be shown: a UUID in text, the
 * same as long as the store lives, of which the key cannot be told.
 */
#define STORE_KEY_UUID_LEN 36
void store_key_uuid(const struct store *store, char out[STORE_KEY_UUID_LEN + 1]);
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

/* ---- what is stored ---------------------------------------------------------------------- */

/* A bucket leaves VERSIONING_NEVER for good: nobody may set it. */
enum bucket_versioning { VERSIONING_NEVER = 0, VERSIONING_ENABLED = 1, VERSIONING_SUSPENDED = 2 };

struct bucket {
    int64_t id;
    struct str name;
    struct str owner;  /* canonical user id */
    struct str region; /* LocationConstraint, "" for the default */
    int64_t created_us;
    enum bucket_versioning versioning;
    struct str acl;      /* opaque, STR_NONE: private to the owner */
    int64_t changed_seq; /* greater with every change to its settings or documents */
};

/* Which version of a key. Text form: 32 hex digits, or "null". */
struct version_id {
    enum { VERSION_CURRENT = 0, VERSION_NULL, VERSION_EXACT } kind;
    int64_t seq;
    uint64_t tail;
};
#define VERSION_TEXT_LEN 32

/* False for text that can not name a version (the answer to which is "no such version"). */
MUST_CHECK bool version_id_parse(struct str text, struct version_id *ret_id);

enum body_kind { BODY_EMPTY = 0, BODY_INLINE = 1, BODY_BLOB = 2, BODY_MANIFEST = 3 };

/* Where bytes are; opaque to the server. */
struct body_ref {
    enum body_kind kind;
    int64_t id;
    struct str wrapped_key; /* STR_NONE: stored in plain */
};

/* What the server gives with a new version and gets back with it. */
struct version_attrs {
    struct str etag;       /* without quotes */
    struct str owner;      /* canonical id of the writer */
    struct str headers;    /* opaque: system headers and user metadata */
    struct str tags;       /* opaque; STR_NONE: none */
    struct str acl;        /* opaque; STR_NONE: private to the owner */
    struct str checksum;   /* opaque; STR_NONE: none */
    uint8_t storage_class; /* the server's number; 0 = STANDARD */
    uint8_t sse;           /* the server's number; 0 = none */
};

struct version {
    int64_t seq; /* catalog order; greater = newer */
    uint64_t tail;
    struct str key;
    bool delete_marker;
    bool null_version; /* its id is "null" */
    bool latest;
    int64_t modified_us;
    uint64_t size_bytes; /* of the plain content */
    uint32_t part_count; /* 0: not made by a multipart upload */
    struct version_attrs attrs;
    struct body_ref body;
};

/* "null" or 32 hex digits into the arena. */
struct str version_id_text(const struct version *version, struct arena *arena);

/* What a listing says of a version. */
struct listed_version {
    struct str key;
    struct str etag;
    struct str checksum; /* the server's; STR_NONE: none */
    struct str owner;    /* canonical id; STR_NONE unless list_query.owners */
    uint64_t size_bytes; /* of the plain content */
    int64_t modified_us;
    uint8_t storage_class; /* the server's number */
    bool delete_marker;
    bool null_version;
    bool latest;
    /* version listing only */
    int64_t seq;
    uint64_t tail;
};

/* "null" or 32 hex digits, for which `out` is the room. */
struct str listed_version_id(const struct listed_version *listed, char out[VERSION_TEXT_LEN]);

/* ---- reading ----------------------------------------------------------------------------- */

struct reader; /* one thread at a time */

MUST_CHECK enum store_status reader_open(struct store *store, struct reader **ret_reader,
                                         struct fault *fault);
void reader_close(struct reader *reader);

/*
 * This reader serves many requests: it remembers buckets, current versions and small bodies (what
 * it says is as new as without that), and hands its snapshot on from request to request. Its owner
 * calls reader_rest before it sleeps. Once, before the first lookup.
 */
MUST_CHECK enum store_status reader_serve(struct reader *reader, struct fault *fault);
/* Let go of the snapshot, which holds back the log's reuse. Outside of reader_begin. */
void reader_rest(struct reader *reader);

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

/* Buckets of one owner, by name in byte order, names > after and starting with prefix. */
MUST_CHECK enum store_status bucket_list(struct reader *reader, struct str owner, struct str prefix,
                                         struct str after, bucket_visit *visit, void *context,
                                         struct fault *fault);

/* A configuration document: kind is the sub-resource ("tagging", "cors"), id "" when single. */
MUST_CHECK enum store_status document_get(struct reader *reader, int64_t bucket_id, struct str kind,
                                          struct str id, struct arena *arena, struct str *ret_body,
                                          struct fault *fault);

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

#define UPLOAD_ID_LEN 32

struct upload {
    int64_t seq;
    struct str id; /* 32 hex digits */
    struct str key;
    struct str initiator; /* canonical id */
    int64_t initiated_us;
    bool done; /* completed: kept for a while so that a repeated Complete can be answered */
    struct version_attrs attrs;     /* of the object to be; etag set once done */
    uint8_t checksum_kind;          /* enum checksum_kind */
    uint8_t checksum_type;          /* the server's number */
    bool key_removed;               /* while open: a current version of its key was removed */
    struct version_id done_version; /* once done: the version it became */
    bool done_versioned;
};

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

struct part {
    uint32_t number; /* 1..STORE_PARTS_MAX */
    int64_t seq;     /* changes when the part is uploaded again */
    uint64_t size_bytes;
    int64_t modified_us;
    struct str etag;     /* without quotes */
    struct str checksum; /* opaque */
};

typedef bool part_visit(void *context, const struct part *part);

/* Parts of an open upload with number > after, ascending, at most max. */
MUST_CHECK enum store_status part_list(struct reader *reader, const struct upload *upload,
                                       uint32_t after, uint32_t max, part_visit *visit,
                                       void *context, struct fault *fault);

/* Parts of a finished multipart object (version->part_count > 0); seq and modified_us are 0. */
MUST_CHECK enum store_status object_part_list(struct reader *reader, const struct version *version,
                                              uint32_t after, uint32_t max, part_visit *visit,
                                              void *context, struct fault *fault);

/* ---- reading bodies ---------------------------------------------------------------------- */

/*
 * A range of a small plain body that the catalog holds, at once and in the arena; otherwise
 * *ret_bytes is STR_NONE and body_open is to be used. Between the reader_begin and reader_end in
 * which the version was read. STORE_RETRY: the version was replaced meanwhile.
 */
MUST_CHECK enum store_status body_load(struct reader *reader, const struct version *version,
                                       uint64_t offset, uint64_t len, struct arena *arena,
                                       struct str *ret_bytes, struct fault *fault);

struct body; /* one thread at a time */

/*
 * Open bytes [offset, offset + len) of a version's content.
 *
 * Between the reader_begin and reader_end in which the version was read; the body then stays
 * readable until body_close whatever happens to the version. STORE_RETRY: the version was replaced
 * before that.
 */
MUST_CHECK enum store_status body_open(struct reader *reader, const struct version *version,
                                       uint64_t offset, uint64_t len, struct body **ret_body,
                                       struct fault *fault);
void body_close(struct body *body); /* any thread; NULL is fine */

/* The whole range in memory (small plain bodies): valid until body_close. */
bool body_is_memory(const struct body *body, struct str *ret_bytes);
/*
 * The whole range in one plain file of its own: the descriptor and where the range starts. The
 * caller owns the descriptor from then on, and with it the bytes: whatever holds it, or pages of the
 * file, may outlive the body. False otherwise.
 */
bool body_take_file(struct body *body, int *ret_fd, uint64_t *ret_offset);
/*
 * The next bytes of the range in order: > 0 bytes written to out, 0 at the end, negative on
 * failure (decryption, I/O).
 */
MUST_CHECK int64_t body_read(struct body *body, void *out, size_t max, struct fault *fault);

/* ---- writing bodies ---------------------------------------------------------------------- */

struct body_writer; /* one thread at a time */

/*
 * The large bodies that one thread receives: hashed side by side, their buffers used again. A body
 * opened with a group is that thread's until it is closed. Close the group after its bodies.
 */
struct body_group;
MUST_CHECK struct body_group *body_group_open(void); /* NULL: no memory */
void body_group_close(struct body_group *group);

struct body_options {
    struct body_group *group; /* NULL: alone */
    struct str account;       /* canonical id that the bytes are charged to (bucket owner) */
    bool encrypt;             /* AES-256-GCM in frames, own data key wrapped by the keyring */
    bool want_sha256;         /* the digest of the plain bytes is needed even if not addressed by */
    uint32_t checksum_kinds;  /* bit mask of 1u << enum checksum_kind */
    uint64_t expected_bytes;  /* no more than that will come; 0: unknown. Decides the placement */
};

struct body_digests {
    uint64_t size_bytes;
    uint8_t md5[MD5_BYTES];
    uint8_t sha256[SHA256_BYTES]; /* when want_sha256 */
    uint8_t checksum[CHECKSUM_KINDS][CHECKSUM_BYTES_MAX];
};

MUST_CHECK enum store_status body_writer_open(struct store *store,
                                              const struct body_options *options,
                                              struct body_writer **ret_writer, struct fault *fault);
MUST_CHECK enum store_status body_writer_append(struct body_writer *writer, const void *bytes,
                                                size_t len, struct fault *fault);
/* No more bytes: compute digests. The body is not durable yet; that is part of the intent. */
MUST_CHECK enum store_status body_writer_finish(struct body_writer *writer,
                                                struct body_digests *ret_digests,
                                                struct fault *fault);
/* Free it; what was not committed by an intent disappears. NULL is fine. */
void body_writer_close(struct body_writer *writer);

/* ---- intents ----------------------------------------------------------------------------- */

enum intent_kind {
    INTENT_BUCKET_CREATE,
    INTENT_BUCKET_DELETE,
    INTENT_BUCKET_SET,
    INTENT_DOCUMENT_SET,
    INTENT_OBJECT_PUT,
    INTENT_OBJECT_DELETE,
    INTENT_OBJECT_SET,
    INTENT_UPLOAD_CREATE,
    INTENT_PART_PUT,
    INTENT_UPLOAD_COMPLETE,
    INTENT_UPLOAD_ABORT,
    INTENT_SWEEP, /* the store's own */
    INTENT_SCRUB, /* the same */
};

/* Decided against the current version (delete marker = absent) inside the commit. */
struct write_condition {
    bool if_none_match_any; /* If-None-Match: * */
    struct str if_match;    /* ETag without quotes, or "*" = exists; STR_NONE: not asked */
    bool has_size;          /* x-amz-if-match-size */
    uint64_t size_bytes;
    bool has_modified; /* x-amz-if-match-last-modified-time, compared in whole seconds */
    int64_t modified_us;
};
/* Result STORE_NO_KEY when if_match/size/modified is asked and there is no current version,
 * STORE_PRECONDITION_FAILED when it is there and differs. (Deletes: STORE_OK when absent.)
 * UPLOAD_COMPLETE: STORE_CONFLICT when it holds and the key was written or removed since the upload
 * was created; it can only be created anew. */

/* Bytes that are already stored, for copies. Read by the caller, checked again in the commit. */
enum copy_work {
    COPY_REFER,   /* none: what is wanted of the bytes is known */
    COPY_MEASURE, /* read for their digests, once, and referred to all the same */
    COPY_REWRITE, /* streamed through a body writer: they are to be encrypted and are not yet */
};

struct copy_source {
    int64_t bucket_id;
    struct str key;
    int64_t seq;
    const struct version *judged; /* whose ACL allowed it; NULL: any */
    bool ranged;                  /* a part copy: bytes [offset, offset + len) */
    uint64_t offset;
    uint64_t len;
    enum copy_work work;
    bool want_md5;               /* MEASURE: beside options.checksum_kinds */
    struct body_options options; /* REWRITE; MEASURE: only what is to be computed */
};

struct delete_item {
    struct str key;
    bool has_version;
    struct version_id version;
    struct write_condition condition;
    /* results */
    enum store_status status;  /* STORE_OK also when nothing was there */
    bool deleted_marker;       /* the version removed by id was a delete marker */
    bool made_marker;          /* a delete marker was created */
    struct str marker_version; /* its id text, "null" when suspended */
};

/* A configuration document of a bucket, by what names it. */
struct bucket_document {
    struct str kind; /* the sub-resource: "tagging", "cors" */
    struct str id;   /* "" when a bucket has one of its kind */
    struct str body; /* opaque; STR_NONE: none, remove it */
};

struct part_choice {
    uint32_t number;
    int64_t seq; /* as read by part_list */
};

struct intent {
    enum intent_kind kind;
    struct str bucket; /* name */
    /*
     * What the submitter's decision rested on: the bucket it looked at, as it was then. When the
     * name has another bucket now, or that one has changed: STORE_RETRY. 0: any of that name.
     */
    int64_t bucket_id, bucket_changed_seq;
    struct str key;      /* object, part and upload intents */
    struct arena *arena; /* results are made here; the submitter must not touch it until done */

    /*
     * Called once, on a store thread, after the outcome is durable. status and fault are set.
     * It must only hand the intent back to its owner (post to a loop), never block.
     */
    void (*done)(struct intent *intent);
    /*
     * May be NULL. Called on a store thread when the bytes of a copy were read, before the commit:
     * fills attrs (etag, checksum) from source_digests. Anything but STORE_OK ends the intent.
     */
    enum store_status (*staged)(struct intent *intent);
    void *owner; /* the submitter's */

    enum store_status status;
    struct fault fault;
    struct intent *next; /* the store's queue; the submitter's list after done */

    /* OBJECT_PUT, PART_PUT: exactly one of body, source; neither: an empty body */
    struct body_writer *body; /* finished; still closed by the submitter after done */
    struct copy_source *source;
    struct body_digests *source_digests; /* set by the store for MEASURE and REWRITE */

    /* OBJECT_PUT, UPLOAD_CREATE, OBJECT_SET(tags/acl) */
    struct version_attrs attrs;
    struct write_condition condition; /* OBJECT_PUT, UPLOAD_COMPLETE */
    struct version_id version;        /* OBJECT_SET */
    const struct version *judged;     /* OBJECT_SET: whose ACL allowed it; NULL: any */
    bool set_tags, set_acl;           /* OBJECT_SET: which of attrs to store */

    /* BUCKET_CREATE, BUCKET_SET */
    struct str bucket_owner;  /* CREATE; result when STORE_BUCKET_EXISTS: the present owner */
    struct str bucket_region; /* CREATE */
    struct str bucket_acl;    /* CREATE; SET when set_acl */
    bool set_versioning;
    enum bucket_versioning versioning;

    struct bucket_document document;         /* DOCUMENT_SET */
    const struct bucket_document *documents; /* BUCKET_CREATE: those the bucket begins with */
    size_t document_count;

    /* OBJECT_DELETE */
    struct delete_item *items;
    size_t item_count;

    /* uploads */
    struct str upload_id;                 /* PART_PUT, COMPLETE, ABORT; result of CREATE */
    uint8_t checksum_kind, checksum_type; /* CREATE */
    uint32_t part_number;                 /* PART_PUT; attrs.etag and attrs.checksum describe it */
    const struct part_choice *parts;      /* COMPLETE, ascending; attrs.etag/.checksum: result */
    size_t part_count;
    bool has_initiated; /* ABORT: x-amz-if-match-initiated-time */
    int64_t initiated_us;

    /* results of OBJECT_PUT, UPLOAD_COMPLETE, PART_PUT, OBJECT_SET */
    int64_t committed_us;    /* Last-Modified of what was written */
    bool versioned;          /* the bucket has a versioning state: send x-amz-version-id */
    struct str version_text; /* id of the version written (or "null") */
    uint64_t size_bytes;
};

/*
 * Queue an intent. Never blocks on the disk; done() is always called exactly once, possibly before
 * this returns when the store is closing. Any thread.
 */
void store_submit(struct store *store, struct intent *intent);
/*
 * As store_submit, for a thread that is about to submit more: the intents may lie in their queue
 * until it calls store_submitted, so that one commit takes them together.
 */
void store_submit_more(struct store *store, struct intent *intent);
void store_submitted(struct store *store);

/* Submit and wait, for commands and tests. done and owner are overwritten. */
enum store_status store_submit_wait(struct store *store, struct intent *intent);

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
