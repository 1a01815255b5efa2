/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intents: every write of the store is one of these, closed when it is submitted.
 *
 * (1) It is decided inside the writer's transaction; nothing is asked back meanwhile.
 * (2) `done` is called exactly once, after the outcome is on disk (or refused).
 * (3) Until then everything it points to is the store's to read, and its arena the store's alone.
 */
#ifndef STORAGE_INTENT_H
#define STORAGE_INTENT_H

#include "storage/body.h"

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

#endif
