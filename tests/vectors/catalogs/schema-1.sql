-- SPDX-License-Identifier: Apache-2.0
-- A catalog of schema 1, as the program of that time left it; see tests/unit/storage/test_schema.c.
PRAGMA application_id=1885432172;
PRAGMA user_version=1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta(
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('seq',1048576);
CREATE TABLE account(
    id        INTEGER PRIMARY KEY,
    canonical BLOB NOT NULL UNIQUE
) STRICT;
INSERT INTO account VALUES(1,X'6f776e6572');
INSERT INTO account VALUES(2,X'777269746572');
CREATE TABLE bucket(
    id         INTEGER PRIMARY KEY,
    name       BLOB NOT NULL UNIQUE,
    owner      INTEGER NOT NULL,     -- account.id
    region     BLOB NOT NULL,        -- LocationConstraint, empty: the default
    created_us INTEGER NOT NULL,
    versioning INTEGER NOT NULL,     -- enum bucket_versioning
    acl        BLOB
) STRICT;
INSERT INTO bucket VALUES(1,X'6275636b6574',1,X'',1795680642358421,1,NULL);
CREATE TABLE document(
    bucket INTEGER NOT NULL,
    kind   BLOB NOT NULL,            -- the sub-resource
    id     BLOB NOT NULL,            -- empty when a bucket has one of this kind
    body   BLOB NOT NULL,
    PRIMARY KEY(bucket, kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE object(
    bucket      INTEGER NOT NULL,
    key         BLOB NOT NULL,
    seq         INTEGER NOT NULL,
    tail        INTEGER NOT NULL,    -- random half of the version id
    flags       INTEGER NOT NULL,    -- 1: delete marker, 2: its version id is "null"
    modified_us INTEGER NOT NULL,    -- never smaller than that of the version it replaced
    size        INTEGER NOT NULL,    -- of the plain content
    owner       INTEGER NOT NULL,    -- account.id
    class       INTEGER NOT NULL,
    sse         INTEGER NOT NULL,
    part_count  INTEGER NOT NULL,    -- 0: not made by a multipart upload
    body_kind   INTEGER NOT NULL,    -- enum body_kind
    body_id     INTEGER NOT NULL,    -- inline_body.id, blob.id or manifest
    wrapped_key BLOB,                -- NULL: stored in plain
    etag        BLOB NOT NULL,
    checksum    BLOB,
    tags        BLOB,
    headers     BLOB,
    acl         BLOB,
    PRIMARY KEY(bucket, key)
) STRICT, WITHOUT ROWID;
INSERT INTO object VALUES(1,X'61',7,-1483521604364383728,0,1795680642359317,5,1,0,0,0,1,6,NULL,X'6464356338626635313535386666636265353030373037313930386539353234',NULL,NULL,NULL,NULL);
INSERT INTO object VALUES(1,X'6174747273',11,-8251566505208571583,0,1795680642359437,0,2,3,2,0,0,0,NULL,X'65',X'73756d',X'',X'68',X'61636c');
INSERT INTO object VALUES(1,X'62',10,-5335424024698060456,1,1795680642359399,0,1,0,0,0,0,0,NULL,X'',NULL,NULL,NULL,NULL);
INSERT INTO object VALUES(1,X'6d756c7469',18,-2819360883336130143,0,1795680642359875,7,1,0,0,2,3,17,NULL,X'6d756c74692d32',NULL,NULL,X'68',NULL);
CREATE TABLE version(
    bucket      INTEGER NOT NULL,
    key         BLOB NOT NULL,
    seq         INTEGER NOT NULL,
    tail        INTEGER NOT NULL,
    flags       INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    owner       INTEGER NOT NULL,
    class       INTEGER NOT NULL,
    sse         INTEGER NOT NULL,
    part_count  INTEGER NOT NULL,
    body_kind   INTEGER NOT NULL,
    body_id     INTEGER NOT NULL,
    wrapped_key BLOB,
    etag        BLOB NOT NULL,
    checksum    BLOB,
    tags        BLOB,
    headers     BLOB,
    acl         BLOB,
    PRIMARY KEY(bucket, key, seq DESC)
) STRICT, WITHOUT ROWID;
INSERT INTO version VALUES(1,X'61',5,-7952636350322409674,0,1795680642359199,6,1,0,0,0,1,4,NULL,X'6139663065363161313337643836616139646235333436356530383031363132',NULL,NULL,NULL,NULL);
INSERT INTO version VALUES(1,X'61',3,-4632714447295122393,2,1795680642359069,5,1,0,0,0,1,2,NULL,X'3862303464356533373735643239386537383435356566633563613430346435',NULL,NULL,NULL,NULL);
INSERT INTO version VALUES(1,X'62',9,8495594679542537718,0,1795680642359364,4,1,0,0,0,1,8,NULL,X'3530633166353862653766356534376530663533643634633039343738336332',NULL,NULL,NULL,NULL);
CREATE TABLE inline_body(
    id   INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;
INSERT INTO inline_body VALUES(2,X'6669727374');
INSERT INTO inline_body VALUES(4,X'7365636f6e64');
INSERT INTO inline_body VALUES(6,X'7468697264');
INSERT INTO inline_body VALUES(8,X'676f6e65');
INSERT INTO inline_body VALUES(13,X'6f6e6520');
INSERT INTO inline_body VALUES(15,X'74776f');
INSERT INTO inline_body VALUES(20,X'70617274');
CREATE TABLE inline_dead(
    id       INTEGER PRIMARY KEY,
    dead_seq INTEGER NOT NULL
) STRICT;
CREATE TABLE blob(
    id       INTEGER PRIMARY KEY,
    scope    INTEGER NOT NULL,       -- account that the bytes are charged to: no sharing across
    hash     BLOB NOT NULL,          -- SHA-256 of the stored bytes
    size     INTEGER NOT NULL,       -- of the stored bytes
    refs     INTEGER NOT NULL,
    dead_seq INTEGER,                -- not NULL: refs is 0 since this seq; the sweep removes it
    UNIQUE(scope, hash)
) STRICT;
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
INSERT INTO piece VALUES(17,0,1,13,0,4,NULL);
INSERT INTO piece VALUES(17,4,1,15,0,3,NULL);
CREATE TABLE manifest_part(
    manifest INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    etag     BLOB NOT NULL,
    checksum BLOB,
    PRIMARY KEY(manifest, number)
) STRICT, WITHOUT ROWID;
INSERT INTO manifest_part VALUES(17,1,4,X'6462636263306163353239653162616464643531303433366565663666653761',NULL);
INSERT INTO manifest_part VALUES(17,3,3,X'6238613966373135646262363466643563353665373738336336383230613631',NULL);
CREATE TABLE upload(
    id            INTEGER PRIMARY KEY, -- its seq; the text id hides it behind tail
    tail          INTEGER NOT NULL,
    bucket        INTEGER NOT NULL,
    key           BLOB NOT NULL,
    state         INTEGER NOT NULL,    -- 0: open, 1: done
    initiated_us  INTEGER NOT NULL,
    state_us      INTEGER NOT NULL,    -- when it entered its state
    owner         INTEGER NOT NULL,
    class         INTEGER NOT NULL,
    sse           INTEGER NOT NULL,
    checksum_kind INTEGER NOT NULL,
    checksum_type INTEGER NOT NULL,
    done_seq      INTEGER NOT NULL,
    done_tail     INTEGER NOT NULL,
    done_flags    INTEGER NOT NULL,    -- 2: became a null version, 4: bucket had versioning
    etag          BLOB NOT NULL,
    checksum      BLOB,
    tags          BLOB,
    headers       BLOB,
    acl           BLOB
) STRICT;
INSERT INTO upload VALUES(12,-5540020802604233107,1,X'6d756c7469',1,1795680642359507,1795680642359904,1,0,0,0,0,18,-2819360883336130143,4,X'6d756c74692d32',NULL,NULL,X'68',NULL);
INSERT INTO upload VALUES(19,3966508418355124925,1,X'6f70656e',0,1795680642359979,1795680642359979,1,0,0,0,0,0,0,0,X'',NULL,NULL,X'68',NULL);
CREATE TABLE part(
    upload      INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    seq         INTEGER NOT NULL,    -- changes when the part is uploaded again
    size        INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    body_kind   INTEGER NOT NULL,
    body_id     INTEGER NOT NULL,
    wrapped_key BLOB,
    etag        BLOB NOT NULL,
    checksum    BLOB,
    PRIMARY KEY(upload, number)
) STRICT, WITHOUT ROWID;
INSERT INTO part VALUES(19,1,21,4,1795680642360029,1,20,NULL,X'6634633933383566313930326637333334623030623962346563643136346465',NULL);
CREATE INDEX bucket_owner ON bucket(owner, name);
CREATE UNIQUE INDEX version_null ON version(bucket, key) WHERE (flags & 2) != 0;
CREATE INDEX blob_dead ON blob(dead_seq) WHERE dead_seq IS NOT NULL;
CREATE INDEX upload_open ON upload(bucket, key, id) WHERE state = 0;
CREATE INDEX upload_age ON upload(state, state_us);
COMMIT;
