/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bucket's documents say, read and compiled once and shared by the requests that need it.
 *
 * (1) A configuration is immutable. It is that of one state of its bucket: id and changed_seq, which
 *     every change of a document raises. So it is as new as the bucket that was looked up.
 * (2) A loop keeps those it used last; a request under way keeps its own, whatever is changed
 *     meanwhile.
 * (3) A bucket without documents has bucket_config_none: no statement, no allocation.
 *
 * Which documents there are, and what is compiled of each: documents.def. Belongs to its loop's
 * thread.
 */
#ifndef SERVER_S3_BUCKET_CONFIG_H
#define SERVER_S3_BUCKET_CONFIG_H

#include "server/auth/access_rules.h"
#include "server/s3/browser/website_config.h"
#include "storage/store.h"

/* Of all documents of a bucket together, as stored and compiled (S3_DOCUMENTS_BYTES_MAX of them). */
#define BUCKET_CONFIG_BYTES_MAX (8u * 1024u * 1024u)
/* What one loop keeps of a store's; one that is larger than half of it is made for each request. */
#define BUCKET_CONFIGS_BYTES_MAX (4u * 1024u * 1024u)

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/transfer-acceleration.html */
enum acceleration { ACCELERATION_UNSET = 0, ACCELERATION_ENABLED, ACCELERATION_SUSPENDED };

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html */
struct lock_rule {
    bool enabled;
    enum lock_mode mode; /* new versions are retained in; LOCK_NONE: they are not */
    uint32_t days;
};

struct cors;        /* cors.h */
struct lifecycle;   /* lifecycle/rules.h */
struct replication; /* replication/rules.h */

/* How new objects are encrypted that do not say it. */
struct bucket_encryption {
    uint8_t sse;       /* enum sse_kind */
    struct str key_id; /* of aws:kms; STR_NONE: the store's own */
    bool bucket_key;
    bool customer_keys_blocked;
};

struct bucket_config {
    const struct bucket_document *documents; /* by kind and id, as stored */
    size_t document_count;
    bool has_effects;  /* a row with an EFFECT is among them */
    bool tells_events; /* somebody is to hear of its changes (storage/event.h) */
    struct str tags;   /* packed; STR_NONE: none */
    struct access_rules access;
    struct bucket_encryption encryption;
    enum acceleration acceleration;
    struct lock_rule lock;
    const struct website *website;         /* NULL: none */
    const struct cors *cors;               /* NULL: none */
    const struct bucket_logging *logging;  /* NULL: none */
    const struct lifecycle *lifecycle;     /* NULL: no rule that is enabled */
    const struct replication *replication; /* NULL: none */
};

extern const struct bucket_config bucket_config_none;

/* The document of that kind and id ("" when a bucket has one of its kind); NULL: it is not set. */
const struct bucket_document *bucket_config_document(const struct bucket_config *config,
                                                     struct str kind, struct str id);

struct bucket_configs;
MUST_CHECK struct bucket_configs *bucket_configs_open(void); /* NULL: no memory */
/* No configuration is in use. NULL is fine. */
void bucket_configs_close(struct bucket_configs *configs);
size_t bucket_configs_bytes(const struct bucket_configs *configs); /* kept */

/*
 * The configuration of a bucket, until bucket_config_leave.
 *
 * reader  the loop's, of the bucket's store; inside of reader_begin.
 * bucket  as it was looked up there, in the same.
 * STORE_RETRY: the bucket has changed since: look it up again. STORE_NO_MEMORY, STORE_IO.
 */
MUST_CHECK enum store_status bucket_config_use(struct bucket_configs *configs,
                                               struct reader *reader, const struct bucket *bucket,
                                               const struct bucket_config **ret_config,
                                               struct fault *fault);
void bucket_config_leave(const struct bucket_config *config); /* NULL is fine */

#endif
