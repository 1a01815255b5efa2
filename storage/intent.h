/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intents: every write of the store is one of these, closed when it is submitted.
 *
 * (1) A head that all have, and one member by kind with what that kind asks for and finds out. Of
 *     the members only the kind's own is read or written.
 * (2) It is decided inside the writer's transaction; nothing is asked back meanwhile.
 * (3) `done` is called exactly once, after the outcome is on disk (or refused).
 * (4) Until then everything it points to is the store's to read, and its arena the store's alone.
 */
#ifndef STORAGE_INTENT_H
#define STORAGE_INTENT_H

#include "storage/body.h"
#include "storage/replication.h"

enum intent_kind {
    INTENT_BUCKET_CREATE,
    INTENT_BUCKET_DELETE,
    INTENT_BUCKET_SET,
    INTENT_DOCUMENT_SET,
    INTENT_OBJECT_PUT,
    INTENT_OBJECT_DELETE,
    INTENT_OBJECT_SET,
    INTENT_OBJECT_RENAME,
    INTENT_ANNOTATION_SET,
    INTENT_UPLOAD_CREATE,
    INTENT_PART_PUT,
    INTENT_UPLOAD_COMPLETE,
    INTENT_UPLOAD_ABORT,
    INTENT_SUBSCRIBE, /* see event.h for these three */
    INTENT_UNSUBSCRIBE,
    INTENT_EVENTS_FORGET,
    INTENT_REPLICA_PUT, /* see replication.h for these two */
    INTENT_REPLICATION_END,
    INTENT_SWEEP, /* the store's own */
    INTENT_SCRUB, /* the same */
};

/* ---- what all have ------------------------------------------------------------------------ */

/*
 * Where a write comes from: kept with the event that tells of it (event.h), and not read by the
 * store. All borrowed until done; STR_NONE: not known.
 */
struct intent_origin {
    struct str event; /* how the change is told to subscribers; STR_NONE: it is not */
    struct str request_id;
    struct str principal; /* canonical id */
    struct str address;   /* of the peer */
};

/* What was written, of the kinds that write a version or a part. */
struct intent_result {
    int64_t committed_us;    /* Last-Modified of what was written; BUCKET_CREATE too */
    bool versioned;          /* the bucket has a versioning state: send x-amz-version-id */
    struct str version_text; /* id of the version written (or "null"); not of a part */
    uint64_t size_bytes;
};

/* ---- what members are made of ------------------------------------------------------------ */

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
    const uint8_t *customer_key; /* that wraps the source's data keys; NULL: none */
    bool want_md5;               /* MEASURE: beside options.checksum_kinds */
    struct body_options options; /* REWRITE; MEASURE: only what is to be computed */
};

/* The bytes that a write brings: at most one of body and source; neither: none, it is empty. */
struct intent_bytes {
    struct body_writer *body; /* finished; still closed by the submitter after done */
    struct copy_source *source;
    struct body_digests *source_digests; /* set by the store for MEASURE and REWRITE */
};

struct delete_item {
    struct str key;
    bool has_version;
    struct version_id version;
    int64_t judged_seq; /* nothing is done but to the version of that seq; 0: to whichever it is */
    struct write_condition condition;
    bool bypass;    /* of a retention that yields to who may (LOCK_GOVERNANCE) */
    bool replicate; /* the delete marker that it makes, as in intent_put */
    /* results */
    enum store_status status;  /* STORE_OK also when nothing was there */
    bool deleted_marker;       /* the version removed by id was a delete marker */
    bool made_marker;          /* a delete marker was created */
    struct str marker_version; /* its id text, "null" when suspended */
};

struct part_choice {
    uint32_t number;
    int64_t seq; /* as read by part_list */
};

/* ---- one member by kind ------------------------------------------------------------------ */

struct intent_bucket_create {
    struct str owner;                        /* canonical id */
    struct str region;                       /* LocationConstraint, "" for the default */
    struct str acl;                          /* opaque; STR_NONE: private */
    enum bucket_versioning versioning;       /* to begin with */
    const struct bucket_document *documents; /* to begin with, each of another kind or id */
    size_t document_count;
    /* result, of STORE_BUCKET_EXISTS */
    struct str present_owner;
};

struct intent_bucket_set {
    bool set_versioning;
    enum bucket_versioning versioning; /* not NEVER */
    bool set_acl;
    struct str acl;
};

struct intent_put {
    struct intent_bytes bytes;
    struct version_attrs attrs;
    struct write_condition condition;
    /* Those of bytes.source come along, their data keys wrapped as source.options say. */
    bool with_annotations;
    bool replicate; /* it is REPLICATION_PENDING, and in the backlog */
};

/* A version named that is locked stays: STORE_RETAINED, of its item alone. */
struct intent_remove {
    struct delete_item *items; /* key of the head: none, or that of the only one */
    size_t count;
    struct str owner;        /* of delete markers; STR_NONE: the bucket's */
    struct str marker_event; /* origin.event, where a delete marker is made */
};

struct intent_object_set {
    struct version_id version;
    const struct version *judged; /* whose ACL allowed it; NULL: any */
    int64_t judged_seq; /* STORE_NO_VERSION: it is another than that; 0: whichever it is */
    bool set_tags, set_acl;
    struct str tags; /* opaque; STR_NONE: none */
    struct str acl;
    /*
     * STORE_RETAINED: a retention that still holds is made longer in its own mode, or where bypass is set
     * and it is LOCK_GOVERNANCE; nothing else.
     */
    bool set_retention, bypass;
    uint8_t lock_mode; /* enum lock_mode; LOCK_NONE takes it away */
    int64_t retain_until_us;
    bool set_hold;
    uint8_t legal_hold; /* enum legal_hold */
    bool set_class;
    uint8_t storage_class;
    bool set_restore; /* of a copy from an archive, as struct version has it */
    int64_t restore_ready_us, restored_until_us;
    /* Of one that is stored encrypted: its data keys are wrapped anew, its bytes stay. */
    bool set_encryption;
    uint8_t sse; /* with headers, as in version_attrs */
    struct str headers;
    struct str named_key; /* as in body_options: what wraps from now on */
    const uint8_t *key_context;
    bool replicate; /* as in intent_put; one that is a replica stays so */
};

/*
 * The current version of `source` becomes that of the head's key, which it replaces; its bytes and all that
 * is told of it stay, its number is new. Of a bucket that never had versioning: STORE_CONFLICT. STORE_RETAINED
 * when one of the two is locked, STORE_NO_KEY when there is no source.
 */
struct intent_rename {
    struct str source;              /* a key, another than the head's */
    const struct version *judged;   /* the source that was looked at; NULL: any */
    bool heed_replaced;             /* what is replaced was looked at too: */
    const struct version *replaced; /* NULL: there was nothing. Others now: STORE_RETRY */
    struct str token, asked;        /* STR_NONE: none. Bytes for what is asked under it */
    struct str gone_event;          /* origin.event, for the key that is no more */
    /*
     * A token that the bucket has seen (STORE_RENAMES_KEPT last ones) does nothing: STORE_OK, or
     * STORE_TOKEN_REUSED when something else was asked under it.
     */
};

/* STORE_RETRY: the version is no longer as it was judged, or encrypted otherwise. */
struct intent_annotation {
    struct version_id version;
    const struct version *judged;
    struct str if_match; /* ETag of the version, without quotes; STR_NONE: not asked */
    struct str name;     /* 1 to STORE_ANNOTATION_NAME_BYTES_MAX bytes */
    bool remove;         /* what is not there is removed; of a locked version: STORE_RETAINED */
    bool bypass;         /* with it: as in delete_item */
    struct intent_bytes bytes;
    struct str etag, checksum; /* as in struct annotation */
};

struct intent_upload_create {
    struct str initiator;       /* canonical id; STR_NONE: the owner of the object to be */
    struct version_attrs attrs; /* of the object to be; etag and checksum unused */
    uint8_t checksum_kind, checksum_type; /* as struct upload has them */
    /* result */
    struct str upload_id;
};

struct intent_part {
    struct str upload_id;
    uint32_t number;
    struct intent_bytes bytes;
    struct str etag;     /* without quotes */
    struct str checksum; /* opaque */
};

struct intent_complete {
    struct str upload_id;
    const struct part_choice *parts; /* ascending */
    size_t count;
    struct str etag;     /* of the object that comes of it */
    struct str checksum; /* the same */
    struct write_condition condition;
    bool replicate; /* as in intent_put */
};

struct intent_abort {
    struct str upload_id;
    bool has_initiated; /* x-amz-if-match-initiated-time, compared in whole seconds */
    int64_t initiated_us;
};

struct intent_subscription {
    struct str name;    /* of the subscriber */
    int64_t done_event; /* EVENTS_FORGET: it is done with this one and all before */
};

struct intent_replica {
    int64_t source_bucket_id; /* where the version of that key and number is; else STORE_RETRY */
    struct version replica;   /* what it is to be: all of it but its key, size and body */
    bool change;              /* of one that is there: where there is none, none is made */
    /* Its data keys are wrapped anew. */
    bool set_encryption;
    struct str named_key; /* as in body_options */
    const uint8_t *key_context;
};

struct intent_replication_end {
    const struct backlog_item *items;
    size_t count;
};

struct sweep;      /* storage/catalog: inside the store */
struct scrub_note; /* the same */

/* ---- the intent -------------------------------------------------------------------------- */

struct intent {
    enum intent_kind kind;
    struct intent_origin origin;
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
     * fills etag and checksum from source_digests. Anything but STORE_OK ends the intent.
     */
    enum store_status (*staged)(struct intent *intent);
    /* DOCUMENT_SET: who hears of events from this commit on (event.h); known ones keep their places. */
    const struct str *subscribers;
    size_t subscriber_count;
    void *owner;         /* the submitter's */
    struct intent *next; /* the store's queue; the submitter's list after done */

    enum store_status status;
    struct fault fault;
    struct intent_result result;

    union {
        struct intent_bucket_create bucket_create;
        /* BUCKET_DELETE asks nothing more */
        struct intent_bucket_set bucket_set;
        struct bucket_document document; /* body STR_NONE: remove it */
        struct intent_put put;
        struct intent_remove remove;
        struct intent_object_set object_set;
        struct intent_rename rename;
        struct intent_annotation annotation;
        struct intent_upload_create create_upload;
        struct intent_part part;
        struct intent_complete complete;
        struct intent_abort abort;
        struct intent_subscription subscription;
        struct intent_replica replica;
        struct intent_replication_end replication_end;
        struct sweep *sweep;
        struct scrub_note *scrub;
    };
};

/* What an intent brings, of whichever kind it is; NULL when it brings none. */
struct body_writer *intent_body(const struct intent *intent);
const struct copy_source *intent_source(const struct intent *intent);
/* The room for it; NULL: intents of that kind bring no bytes. */
struct intent_bytes *intent_bytes(struct intent *intent);

/*
 * Queue an intent. Never blocks on the disk; done() is always called exactly once, possibly before
 * this returns when the store is closing. Any thread.
 */
void store_submit(struct store *store, struct intent *intent);
/*
 * As store_submit, for a thread that is about to submit more: the intents may lie in their queue
 * until it calls store_submit_flush, so that one commit takes them together.
 */
void store_submit_later(struct store *store, struct intent *intent);
void store_submit_flush(struct store *store);

/* Submit and wait, for commands and tests. done and owner are overwritten. */
enum store_status store_submit_wait(struct store *store, struct intent *intent);

#endif
