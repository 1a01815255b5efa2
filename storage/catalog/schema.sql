-- SPDX-License-Identifier: Apache-2.0
--
-- The catalog of one store. docs/storage-format.md tells the same in prose.
--
-- A name between @ signs stands for columns that are rows of columns.def; columns.h says which.
--
-- Rules that always hold:
-- (1) Every id and every seq, but for event.id, comes from one counter (meta 'seq' holds its
--     reserved upper bound), so a greater number is always younger and no number is ever used twice:
--     but a replica has the seq of the version that it is a copy of, in another bucket.
-- (2) Keys are BLOBs: memcmp order is UTF-8 byte order is S3 order.
-- (3) `object` has at most one row per (bucket, key): the current version, which may be a delete
--     marker. `version` holds the older ones, never a newer one than `object`, and no rows for a
--     key that is not in `object`.
-- (4) A reference to an inline body is exclusive; references to a blob are counted in blob.refs.
-- (5) Opaque columns (headers, tags, acl, checksum) belong to the server.

-- Numbers that outlive their rows.
CREATE TABLE meta(
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Canonical user ids, so that rows store an integer.
CREATE TABLE account(
    id        INTEGER PRIMARY KEY,
    canonical BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE bucket(
    id         INTEGER PRIMARY KEY,
    name       BLOB NOT NULL UNIQUE@BUCKET_COLUMN_LINES@
) STRICT;
CREATE INDEX bucket_owner ON bucket(owner, name);

-- Bucket configuration: tagging, cors, policy, ...
CREATE TABLE document(
    bucket INTEGER NOT NULL,
    kind   BLOB NOT NULL,            -- the sub-resource
    id     BLOB NOT NULL,            -- empty when a bucket has one of this kind
    body   BLOB NOT NULL,
    PRIMARY KEY(bucket, kind, id)
) STRICT, WITHOUT ROWID;

-- Current versions.
CREATE TABLE object(
    bucket      INTEGER NOT NULL,
    key         BLOB NOT NULL@VERSION_COLUMN_LINES@,
    PRIMARY KEY(bucket, key)
) STRICT, WITHOUT ROWID;

-- Older versions: the same columns.
CREATE TABLE version(
    bucket      INTEGER NOT NULL,
    key         BLOB NOT NULL@VERSION_COLUMN_LINES@,
    PRIMARY KEY(bucket, key, seq DESC)
) STRICT, WITHOUT ROWID;
-- At most one null version per key, found without reading the history.
CREATE UNIQUE INDEX version_null ON version(bucket, key) WHERE (flags & 2) != 0;

-- Small bodies as stored (ciphertext when the reference has a wrapped key).
CREATE TABLE inline_body(
    id         INTEGER PRIMARY KEY,
    data       BLOB NOT NULL,
    sum        INTEGER,              -- XXH3 of data; NULL: stored before there were sums
    damaged_us INTEGER               -- when it was found not to have its sum; NULL: it was not
) STRICT;
-- Inline bodies of removed manifests, kept until no open download can need them.
CREATE TABLE inline_dead(
    id       INTEGER PRIMARY KEY,
    dead_seq INTEGER NOT NULL
) STRICT;

-- Bodies outside of the catalog: in a stretch of a pack, or in a file blobs/ab/cd/<hash>.<scope>.
CREATE TABLE blob(
    id       INTEGER PRIMARY KEY,
    scope    INTEGER NOT NULL,       -- account that the bytes are charged to: no sharing across
    hash     BLOB NOT NULL,          -- SHA-256 of the stored bytes
    size     INTEGER NOT NULL,       -- of the stored bytes
    refs     INTEGER NOT NULL,
    dead_seq INTEGER,                -- not NULL: refs is 0 since this seq; the sweep removes it
    pack     INTEGER NOT NULL DEFAULT 0, -- number of the pack; 0: a file
    at       INTEGER NOT NULL DEFAULT 0, -- where in the pack
    sum      INTEGER,                -- XXH3 of the stored bytes; NULL: stored before there were sums
    damaged_us INTEGER,              -- when the bytes were found to be others; NULL: they were not
    UNIQUE(scope, hash)
) STRICT;
CREATE INDEX blob_damaged ON blob(id) WHERE damaged_us IS NOT NULL;
CREATE INDEX blob_dead ON blob(dead_seq) WHERE dead_seq IS NOT NULL;
CREATE INDEX blob_pack ON blob(pack, at) WHERE pack > 0;

-- A body made of pieces. `at` is where the piece starts in the body.
CREATE TABLE piece(
    manifest    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    kind        INTEGER NOT NULL,    -- BODY_INLINE or BODY_BLOB
    ref         INTEGER NOT NULL,
    start       INTEGER NOT NULL,    -- plain offset inside what ref names
    len         INTEGER NOT NULL,    -- plain bytes, > 0
    wrapped_key BLOB,
    PRIMARY KEY(manifest, at)
) STRICT, WITHOUT ROWID;
-- What GetObjectAttributes and partNumber= say about a finished multipart object.
CREATE TABLE manifest_part(
    manifest INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    etag     BLOB NOT NULL,
    checksum BLOB,
    PRIMARY KEY(manifest, number)
) STRICT, WITHOUT ROWID;

-- Renames done under a token of the client, the last of all: asked for again they are not done again.
CREATE TABLE renamed(
    id     INTEGER PRIMARY KEY,        -- in order, without gaps
    bucket INTEGER NOT NULL,
    token  BLOB NOT NULL,
    asked  BLOB NOT NULL,              -- opaque: what was asked for
    UNIQUE(bucket, token)
) STRICT;

CREATE TABLE upload(
    id            INTEGER PRIMARY KEY, -- its seq; the text id hides it behind tail
    tail          INTEGER NOT NULL,
    bucket        INTEGER NOT NULL,
    key           BLOB NOT NULL@UPLOAD_COLUMN_LINES@
) STRICT;
CREATE INDEX upload_open ON upload(bucket, key, id) WHERE state = 0;
CREATE INDEX upload_age ON upload(state, state_us);

CREATE TABLE part(
    upload      INTEGER NOT NULL@PART_COLUMN_LINES@,
    PRIMARY KEY(upload, number)
) STRICT, WITHOUT ROWID;

-- What is kept beside a version, by name.
CREATE TABLE annotation(
    version     INTEGER NOT NULL,      -- seq of the version
    name        BLOB NOT NULL,
    size        INTEGER NOT NULL,      -- of the plain content, > 0
    modified_us INTEGER NOT NULL,
    body_kind   INTEGER NOT NULL,      -- BODY_INLINE or BODY_BLOB
    body_id     INTEGER NOT NULL,
    wrapped_key BLOB,                  -- NULL: stored in plain
    etag        BLOB NOT NULL,         -- without quotes
    checksum    BLOB,                  -- opaque
    PRIMARY KEY(version, name)
) STRICT, WITHOUT ROWID;

-- The outbox: what has changed, for whoever subscribes, in the order of commits. Ids have no gaps and
-- are not of the one counter; rows go from the lowest id on. Empty while `subscriber` is.
CREATE TABLE event(
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        BLOB NOT NULL,         -- the server's
    bucket      INTEGER NOT NULL,
    bucket_name BLOB NOT NULL,         -- as it was then
    key         BLOB NOT NULL,
    seq         INTEGER NOT NULL,      -- of the version made, changed or removed
    version_id  BLOB,                  -- its id as text; NULL: the bucket never had versioning
    size        INTEGER NOT NULL,
    etag        BLOB NOT NULL,
    time_us     INTEGER NOT NULL,
    request_id  BLOB,
    principal   BLOB,                  -- canonical id
    address     BLOB                   -- of the peer
) STRICT;
CREATE TABLE subscriber(
    name BLOB PRIMARY KEY,
    done INTEGER NOT NULL              -- the last event.id that it is done with
) STRICT, WITHOUT ROWID;

-- What waits to be replicated. A version has one row at most; with each change it gets a new id.
CREATE TABLE backlog(
    id     INTEGER PRIMARY KEY,
    bucket INTEGER NOT NULL,
    key    BLOB NOT NULL,
    seq    INTEGER NOT NULL,           -- of the version
    change INTEGER NOT NULL,           -- 1: of one that was replicated before
    tries  INTEGER NOT NULL,           -- that failed
    due_us INTEGER NOT NULL,           -- not to be tried before
    UNIQUE(bucket, key, seq)
) STRICT;
CREATE INDEX backlog_due ON backlog(due_us, id);
