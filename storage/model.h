/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store holds, in words: buckets, versions, uploads and parts, and how a call can end.
 *
 * (1) Plain values. Who fills them says where their texts live, an arena most often.
 * (2) Attributes the server needs back (headers, tags, ACL, checksums) are opaque bytes here.
 */
#ifndef STORAGE_MODEL_H
#define STORAGE_MODEL_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/fault.h"
#include "storage/catalog/columns.def"

enum store_status {
    STORE_OK = 0,
    STORE_NO_BUCKET,
    STORE_NO_KEY,
    STORE_NO_VERSION,
    STORE_NO_UPLOAD,
    STORE_NO_PART,
    STORE_NO_DOCUMENT,
    STORE_NO_ANNOTATION,
    STORE_NO_SUBSCRIBER,
    STORE_BUCKET_EXISTS,
    STORE_BUCKET_NOT_EMPTY,
    STORE_PRECONDITION_FAILED, /* a write_condition did not hold */
    STORE_CONFLICT,            /* it would hold, but its key has changed since the upload began */
    STORE_DELETE_MARKER,       /* the version named is a delete marker */
    STORE_RETAINED,            /* the version named is retained, or held */
    STORE_TOKEN_REUSED,        /* something else was asked for under that token */
    STORE_RETRY,               /* what the intent was built on has changed: read again, resubmit */
    STORE_BUCKET_LIMIT,        /* the owner has STORE_BUCKETS_MAX buckets */
    STORE_PART_LIMIT,          /* a part number, or their count, is not 1..STORE_PARTS_MAX */
    STORE_PIECE_LIMIT,         /* more than STORE_PIECES_MAX */
    STORE_ANNOTATION_LIMIT,    /* the version has STORE_ANNOTATIONS_MAX of them */
    STORE_SUBSCRIBER_LIMIT,    /* too many, or a name that is empty or too long */
    STORE_FULL,                /* no space on the device */
    STORE_IO,                  /* the device failed; the store is poisoned if a sync failed */
    STORE_DAMAGED,             /* bytes do not match their hash or their catalog row */
    STORE_NO_MEMORY,
    STORE_STOPPED, /* the visitor asked to stop; or the store is closing */
    STORE_LOCKED,  /* another process holds the directory */
    STORE_FORMAT,  /* not a pail directory, or a newer one */
};

const char *store_status_name(enum store_status status);

/* fault_set and fault_errno (base/fault.h) for functions that return one. */
#define store_fault(fault, status, ...)                                                            \
    ((enum store_status)fault_set((fault), (int)(status), __VA_ARGS__))
#define store_fault_errno(fault, status, ...)                                                      \
    ((enum store_status)fault_errno((fault), (int)(status), __VA_ARGS__))

/* ---- limits ------------------------------------------------------------------------------ */

#define STORE_KEY_BYTES_MAX 1024
#define STORE_PARTS_MAX 10000
/*
 * Stretches of stored bytes that one object may be made of. Parts copied from objects that are made
 * of parts multiply them; who reads the object holds some 200 bytes for each.
 */
#define STORE_PIECES_MAX 131072
#define STORE_BUCKETS_MAX 10000
/* Renames whose tokens are remembered, of all buckets together: the last ones. */
#define STORE_RENAMES_KEPT 1024
#define STORE_ANNOTATIONS_MAX 1000 /* of a version */
#define STORE_ANNOTATION_NAME_BYTES_MAX 512

/* ---- buckets ----------------------------------------------------------------------------- */

/* A bucket leaves VERSIONING_NEVER for good: nobody may set it. */
enum bucket_versioning { VERSIONING_NEVER = 0, VERSIONING_ENABLED = 1, VERSIONING_SUSPENDED = 2 };

/* Its texts are rows of columns.def, and name: what is not is not remembered. */
struct bucket {
    int64_t id;
    struct str name;
    struct str owner;  /* canonical user id */
    struct str region; /* LocationConstraint, "" for the default */
    int64_t created_us;
    enum bucket_versioning versioning;
    struct str acl;      /* opaque, STR_NONE: private to the owner */
    int64_t changed_seq; /* greater with every change to its settings or documents */
    bool has_documents;
};

/* A configuration document of a bucket, by what names it. */
struct bucket_document {
    struct str kind; /* the sub-resource: "tagging", "cors" */
    struct str id;   /* "" when a bucket has one of its kind */
    struct str body; /* opaque; STR_NONE: none, remove it */
};

/* ---- versions ---------------------------------------------------------------------------- */

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
    /* Of who reads: the key of AES_KEY_BYTES that he brought to wrap it; NULL: none. Never stored. */
    const uint8_t *customer_key;
};

/*
 * What keeps a version: a retention until its time, by the store's clock, and a legal hold until it is taken
 * off. A retention of LOCK_GOVERNANCE yields to who may bypass it, one of LOCK_COMPLIANCE to nobody. The
 * numbers are stored.
 */
enum lock_mode { LOCK_NONE = 0, LOCK_GOVERNANCE = 1, LOCK_COMPLIANCE = 2 };
enum legal_hold { HOLD_NEVER_SET = 0, HOLD_OFF = 1, HOLD_ON = 2 };

/*
 * What becomes of a version in the buckets that it is replicated to (replication.h). The numbers are
 * stored.
 */
enum replication_state {
    REPLICATION_NONE = 0,
    REPLICATION_PENDING = 1,
    REPLICATION_COMPLETED = 2,
    REPLICATION_FAILED = 3,
    REPLICATION_REPLICA = 4, /* it is one */
};

/*
 * What the server gives with a new version and gets back with it: a field for each ATTR row of
 * columns.def, where they are told.
 */
#define NO_FIELD(...)
#define ATTR_FIELD(NAME, KIND, FIELD, ...) COLUMN_C_##KIND FIELD;
struct version_attrs {
    COLUMN_ROWS(NO_FIELD, NO_FIELD, ATTR_FIELD)
};

/* Its texts are rows of columns.def, and key: what is not is not remembered (storage/reading/hot.c). */
struct version {
    int64_t seq; /* catalog order; greater = newer */
    uint64_t tail;
    struct str key;
    bool delete_marker;
    bool null_version; /* its id is "null" */
    bool annotated;    /* it has annotations */
    bool latest;
    int64_t modified_us;
    uint64_t size_bytes; /* of the plain content */
    uint32_t part_count; /* 0: not made by a multipart upload */
    /* A copy of what lies in an archive: readable from the one to the other. 0: none was asked for. */
    int64_t restore_ready_us, restored_until_us;
    uint8_t replication; /* enum replication_state */
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
    int64_t restore_ready_us, restored_until_us; /* as in version; 0 unless list_query.restores */
    /* version listing only */
    int64_t seq;
    uint64_t tail;
    struct str tags; /* the server's; STR_NONE unless list_query.tags */
};

/* "null" or 32 hex digits, for which `out` is the room. */
struct str listed_version_id(const struct listed_version *listed, char out[VERSION_TEXT_LEN]);

/* ---- annotations -------------------------------------------------------------------------- */

/* A text that is kept beside a version, by name. It goes with the version. */
struct annotation {
    struct str name;
    uint64_t size_bytes; /* of the plain content */
    int64_t modified_us;
    struct body_ref body;
    struct str etag;     /* without quotes */
    struct str checksum; /* opaque */
};

/* ---- uploads ----------------------------------------------------------------------------- */

#define UPLOAD_ID_LEN 32

struct upload {
    int64_t seq;
    struct str id; /* 32 hex digits */
    struct str key;
    struct str initiator; /* canonical id */
    int64_t initiated_us;
    int64_t state_us; /* when it was completed; while open, when it was initiated */
    bool done;        /* completed: kept for a while so that a repeated Complete can be answered */
    struct version_attrs attrs;     /* of the object to be; etag set once done */
    uint8_t checksum_kind;          /* enum checksum_kind */
    uint8_t checksum_type;          /* the server's number */
    bool key_removed;               /* while open: a current version of its key was removed */
    struct version_id done_version; /* once done: the version it became */
    bool done_versioned;
};

struct part {
    uint32_t number; /* 1..STORE_PARTS_MAX */
    int64_t seq;     /* changes when the part is uploaded again */
    uint64_t size_bytes;
    int64_t modified_us;
    struct str etag;     /* without quotes */
    struct str checksum; /* opaque */
};

#endif
