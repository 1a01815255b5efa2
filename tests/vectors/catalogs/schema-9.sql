-- SPDX-License-Identifier: Apache-2.0
-- A catalog of schema 9, as the program of that time left it; see tests/unit/storage/test_schema.c.
PRAGMA application_id=1885432172;
PRAGMA user_version=9;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE account(
    id        INTEGER PRIMARY KEY,
    canonical BLOB NOT NULL UNIQUE
) STRICT;
INSERT INTO "account" VALUES(1,X'6F776E6572');
INSERT INTO "account" VALUES(2,X'777269746572');
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
CREATE TABLE bucket(
    id         INTEGER PRIMARY KEY,
    name       BLOB NOT NULL UNIQUE,
    owner      INTEGER NOT NULL,     -- account.id
    region     BLOB NOT NULL,        -- LocationConstraint, empty: the default
    created_us INTEGER NOT NULL,
    versioning INTEGER NOT NULL,     -- enum bucket_versioning
    acl        BLOB,
    changed    INTEGER NOT NULL DEFAULT 0 -- number of the last change to it or its documents
) STRICT;
INSERT INTO "bucket" VALUES(1,X'6275636B6574',1,X'',1795680710745673,1,NULL,4);
CREATE TABLE document(
    bucket INTEGER NOT NULL,
    kind   BLOB NOT NULL,            -- the sub-resource
    id     BLOB NOT NULL,            -- empty when a bucket has one of this kind
    body   BLOB NOT NULL,
    PRIMARY KEY(bucket, kind, id)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE inline_body(
    id         INTEGER PRIMARY KEY,
    data       BLOB NOT NULL,
    sum        INTEGER,              -- XXH3 of data; NULL: stored before there were sums
    damaged_us INTEGER               -- when it was found not to have its sum; NULL: it was not
) STRICT;
INSERT INTO "inline_body" VALUES(2,X'6669727374',3967406410050873939,NULL);
INSERT INTO "inline_body" VALUES(5,X'7365636F6E64',3483606952641759290,NULL);
INSERT INTO "inline_body" VALUES(7,X'7468697264',-3939515939419563051,NULL);
INSERT INTO "inline_body" VALUES(9,X'676F6E65',-402346809108466632,NULL);
INSERT INTO "inline_body" VALUES(14,X'6F6E6520',1718471289970878518,NULL);
INSERT INTO "inline_body" VALUES(16,X'74776F',7783733899253356939,NULL);
INSERT INTO "inline_body" VALUES(21,X'70617274',-8285844780293525541,NULL);
CREATE TABLE inline_dead(
    id       INTEGER PRIMARY KEY,
    dead_seq INTEGER NOT NULL
) STRICT;
CREATE TABLE manifest_part(
    manifest INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    etag     BLOB NOT NULL,
    checksum BLOB,
    PRIMARY KEY(manifest, number)
) STRICT, WITHOUT ROWID;
INSERT INTO "manifest_part" VALUES(18,1,4,X'6462636263306163353239653162616464643531303433366565663666653761',NULL);
INSERT INTO "manifest_part" VALUES(18,3,3,X'6238613966373135646262363466643563353665373738336336383230613631',NULL);
CREATE TABLE meta(
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('scrub_us',1795680710735046);
INSERT INTO "meta" VALUES('seq',1048576);
CREATE TABLE object(
    bucket      INTEGER NOT NULL,
    key         BLOB NOT NULL,
    seq INTEGER NOT NULL /* greater: newer */,
    tail INTEGER NOT NULL /* random half of the version id */,
    flags INTEGER NOT NULL /* 1: delete marker, 2: its version id is "null" */,
    modified_us INTEGER NOT NULL /* never smaller than that of the version it replaced */,
    size INTEGER NOT NULL /* of the plain content */,
    owner INTEGER NOT NULL /* account.id: who wrote it */,
    class INTEGER NOT NULL /* the server's; 0: STANDARD */,
    sse INTEGER NOT NULL /* the server's; 0: none */,
    part_count INTEGER NOT NULL /* 0: not made by a multipart upload */,
    body_kind INTEGER NOT NULL /* enum body_kind */,
    body_id INTEGER NOT NULL /* inline_body.id, blob.id or manifest */,
    wrapped_key BLOB /* NULL: stored in plain */,
    etag BLOB NOT NULL /* without quotes */,
    checksum BLOB /* opaque */,
    tags BLOB /* opaque */,
    headers BLOB /* opaque: system and user metadata */,
    acl BLOB /* opaque; NULL: private to the owner */, lock_mode INTEGER NOT NULL DEFAULT 0, retain_us INTEGER NOT NULL DEFAULT 0, legal_hold INTEGER NOT NULL DEFAULT 0, restore_us INTEGER NOT NULL DEFAULT 0, restored_us INTEGER NOT NULL DEFAULT 0, replication INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(bucket, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "object" VALUES(1,X'61',8,1234018999850435439,0,1795680710746284,5,1,0,0,0,1,7,NULL,X'6464356338626635313535386666636265353030373037313930386539353234',NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO "object" VALUES(1,X'6174747273',12,5547486973419730988,0,1795680710746384,0,2,3,2,0,0,0,NULL,X'65',X'73756D',X'',X'68',X'61636C',0,0,0,0,0,0);
INSERT INTO "object" VALUES(1,X'62',11,-585824524602959645,1,1795680710746346,0,1,0,0,0,0,0,NULL,X'',NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO "object" VALUES(1,X'6D756C7469',19,3604602099170985205,0,1795680710746885,7,1,0,0,2,3,18,NULL,X'6D756C74692D32',NULL,NULL,X'68',NULL,0,0,0,0,0,0);
CREATE TABLE part(
    upload      INTEGER NOT NULL,
    number INTEGER NOT NULL /* 1..10000 */,
    seq INTEGER NOT NULL /* changes when the part is uploaded again */,
    size INTEGER NOT NULL /* of the plain content */,
    modified_us INTEGER NOT NULL /* when it was uploaded */,
    body_kind INTEGER NOT NULL /* enum body_kind */,
    body_id INTEGER NOT NULL /* inline_body.id, blob.id or manifest */,
    wrapped_key BLOB /* NULL: stored in plain */,
    etag BLOB NOT NULL /* without quotes */,
    checksum BLOB /* opaque */,
    PRIMARY KEY(upload, number)
) STRICT, WITHOUT ROWID;
INSERT INTO "part" VALUES(20,1,22,4,1795680710746982,1,21,NULL,X'6634633933383566313930326637333334623030623962346563643136346465',NULL);
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
INSERT INTO "piece" VALUES(18,0,1,14,0,4,NULL);
INSERT INTO "piece" VALUES(18,4,1,16,0,3,NULL);
CREATE TABLE renamed(
  id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, token BLOB NOT NULL,
  asked BLOB NOT NULL, UNIQUE(bucket, token)) STRICT;
CREATE TABLE subscriber(
    name BLOB PRIMARY KEY,
    done INTEGER NOT NULL              -- the last event.id that it is done with
) STRICT, WITHOUT ROWID;
CREATE TABLE upload(
    id            INTEGER PRIMARY KEY, -- its seq; the text id hides it behind tail
    tail          INTEGER NOT NULL,
    bucket        INTEGER NOT NULL,
    key           BLOB NOT NULL,
    state INTEGER NOT NULL /* 0: open, 1: done */,
    initiated_us INTEGER NOT NULL /* as ListMultipartUploads says it */,
    state_us INTEGER NOT NULL /* when it entered its state */,
    owner INTEGER NOT NULL /* account.id: who wrote it */,
    class INTEGER NOT NULL /* the server's; 0: STANDARD */,
    sse INTEGER NOT NULL /* the server's; 0: none */,
    checksum_kind INTEGER NOT NULL /* enum checksum_kind */,
    checksum_type INTEGER NOT NULL /* the server's number */,
    done_seq INTEGER NOT NULL /* once done: the version it became */,
    done_tail INTEGER NOT NULL /* the same */,
    done_flags INTEGER NOT NULL /* 2: became a null version, 4: bucket had versioning; while open, 8: a current version of the key was removed */,
    etag BLOB NOT NULL /* without quotes */,
    checksum BLOB /* opaque */,
    tags BLOB /* opaque */,
    headers BLOB /* opaque: system and user metadata */,
    acl BLOB /* opaque; NULL: private to the owner */
, initiator BLOB, lock_mode INTEGER NOT NULL DEFAULT 0, retain_us INTEGER NOT NULL DEFAULT 0, legal_hold INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "upload" VALUES(13,-4631966166224761410,1,X'6D756C7469',1,1795680710746453,1795680710746905,1,0,0,0,0,19,3604602099170985205,4,X'6D756C74692D32',NULL,NULL,X'68',NULL,NULL,0,0,0);
INSERT INTO "upload" VALUES(20,-2438583684691358507,1,X'6F70656E',0,1795680710746948,1795680710746948,1,0,0,0,0,0,0,0,X'',NULL,NULL,X'68',NULL,NULL,0,0,0);
CREATE TABLE version(
    bucket      INTEGER NOT NULL,
    key         BLOB NOT NULL,
    seq INTEGER NOT NULL /* greater: newer */,
    tail INTEGER NOT NULL /* random half of the version id */,
    flags INTEGER NOT NULL /* 1: delete marker, 2: its version id is "null" */,
    modified_us INTEGER NOT NULL /* never smaller than that of the version it replaced */,
    size INTEGER NOT NULL /* of the plain content */,
    owner INTEGER NOT NULL /* account.id: who wrote it */,
    class INTEGER NOT NULL /* the server's; 0: STANDARD */,
    sse INTEGER NOT NULL /* the server's; 0: none */,
    part_count INTEGER NOT NULL /* 0: not made by a multipart upload */,
    body_kind INTEGER NOT NULL /* enum body_kind */,
    body_id INTEGER NOT NULL /* inline_body.id, blob.id or manifest */,
    wrapped_key BLOB /* NULL: stored in plain */,
    etag BLOB NOT NULL /* without quotes */,
    checksum BLOB /* opaque */,
    tags BLOB /* opaque */,
    headers BLOB /* opaque: system and user metadata */,
    acl BLOB /* opaque; NULL: private to the owner */, lock_mode INTEGER NOT NULL DEFAULT 0, retain_us INTEGER NOT NULL DEFAULT 0, legal_hold INTEGER NOT NULL DEFAULT 0, restore_us INTEGER NOT NULL DEFAULT 0, restored_us INTEGER NOT NULL DEFAULT 0, replication INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY(bucket, key, seq DESC)
) STRICT, WITHOUT ROWID;
INSERT INTO "version" VALUES(1,X'61',6,5158155471629694140,0,1795680710746078,6,1,0,0,0,1,5,NULL,X'6139663065363161313337643836616139646235333436356530383031363132',NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO "version" VALUES(1,X'61',3,-1157819964507970003,2,1795680710745961,5,1,0,0,0,1,2,NULL,X'3862303464356533373735643239386537383435356566633563613430346435',NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO "version" VALUES(1,X'62',10,-276637609673365474,0,1795680710746320,4,1,0,0,0,1,9,NULL,X'3530633166353862653766356534376530663533643634633039343738336332',NULL,NULL,NULL,NULL,0,0,0,0,0,0);
CREATE INDEX bucket_owner ON bucket(owner, name);
CREATE UNIQUE INDEX version_null ON version(bucket, key) WHERE (flags & 2) != 0;
CREATE INDEX blob_damaged ON blob(id) WHERE damaged_us IS NOT NULL;
CREATE INDEX blob_dead ON blob(dead_seq) WHERE dead_seq IS NOT NULL;
CREATE INDEX blob_pack ON blob(pack, at) WHERE pack > 0;
CREATE INDEX upload_open ON upload(bucket, key, id) WHERE state = 0;
CREATE INDEX upload_age ON upload(state, state_us);
CREATE INDEX backlog_due ON backlog(due_us, id);
DELETE FROM "sqlite_sequence";
COMMIT;
