/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One S3 operation in flight: what dispatch prepared, and how it is asked for.
 *
 * An operation reads like its S3 page: parse, ask storage, reply. By the time it runs dispatch has
 * routed, authenticated, checked names, loaded the bucket (and the version, and the copy source)
 * and authorised; the body is complete.
 *
 * A write fills an intent and ends with `return op_submit(op, intent, reply_fn)`; reply_fn runs
 * on the loop once the intent is durable and only if it succeeded with a status not handled.
 */
#ifndef SERVER_S3_OP_H
#define SERVER_S3_OP_H

#include "base/budget.h"
#include "server/auth/access.h"
#include "server/auth/acl.h"
#include "server/http/http.h"
#include "server/refusals/errors.h"
#include "server/s3/limits.h"
#include "server/s3/routes.h"
#include "server/s3/s3.h"
#include "storage/store.h"

/* Not an S3 error: the operation waits for its intent. */
#define S3_WAIT ((enum s3_error)S3_ERRORS)
/* Nor this: it let others go first. */
#define S3_YIELD ((enum s3_error)(S3_ERRORS + 1))

struct loop_store; /* a store with the loop's reader of it (loop_stores.h) */
struct sink;       /* body in progress (sink.c) */
struct bucket_config;
struct customer_key;
struct kms_use;

struct op {
    struct http_exchange_view *exchange;
    struct arena *arena; /* exchange->arena */
    struct http_request *request;
    struct http_reply *reply;
    const struct s3_options *options;
    struct str origin;     /* the page's from which a browser asks; STR_NONE: none */
    struct str host;       /* the request's, without what names a store */
    struct loop_store *at; /* whose store and reader the next two are; all NULL: none was found */
    struct store *store;
    struct reader *reader;
    struct auth_cache *auth_cache;
    struct body_group *bodies;
    struct budget *budget; /* of the app */
    uint32_t share;        /* of the budget, while held > 0 */
    uint64_t held;
    const struct route *route;
    bool admitted;    /* once: what is loaded below was allowed, and the body is open */
    bool form_unread; /* who sends a form, and what of, its fields will tell */
    struct auth auth;

    size_t fields_sent;        /* of request->fields; the rest is UTF-8 from a URL: see settle.h */
    struct str bucket_name;    /* STR_NONE for the service */
    struct str key;            /* decoded bytes; STR_NONE for a bucket */
    struct str virtual_bucket; /* named by Host, else STR_NONE */
    bool accelerated;          /* ... at BUCKET.s3-accelerate */
    bool agrees_to_pay;        /* for what the bucket's owner does not */
    struct bucket bucket;      /* loaded unless ROUTE_NEW_BUCKET or the service */
    const struct bucket_config
        *config;      /* of bucket; that of a bucket without documents until then */
    bool has_version; /* op->version is loaded */
    struct version version;
    bool asked_version; /* versionId was given */
    struct version_id version_id;

    bool has_source; /* ROUTE_SOURCE */
    struct bucket source_bucket;
    const struct bucket_config *source_config; /* of source_bucket, as config is of bucket */
    struct version source;
    bool source_asked_version;

    struct str body;            /* TAKES_BUFFER: decoded and verified */
    struct body_writer *writer; /* TAKES_STREAM: finished */
    struct body_digests digests;
    struct version_attrs attrs; /* TAKES_STREAM: from the headers, checked before the body */
    struct access_said said;    /* what the body or the form sets, for conditions to ask */
    /* The checksum the client gave (header or trailer, verified) or asked for. */
    enum checksum_kind checksum_kind; /* CHECKSUM_NONE when neither */
    bool checksum_given;

    struct intent *intent;
    op_function *after_commit;
    op_function *go_on; /* after S3_YIELD */
    unsigned retries;
    bool written_over; /* what was read was replaced before it was used: read again */

    unsigned foreign;           /* enum foreign; FOREIGN_NOT for S3's own */
    struct str foreign_service; /* it was signed for */

    uint64_t lacked_before; /* mem_lacked when it began */
    struct fault fault;
    struct s3_refusal refusal;
    char request_id[17];
    bool keep_headers;            /* headers set before a refusal belong to it (delete markers) */
    enum s3_error error;          /* what was answered */
    struct request_record record; /* told when all is over: see record.h */
    struct sink *sink;

    /* SSE-C, in the arena and wiped with the request: for the object, for the copy's source. NULL: none. */
    struct customer_key *customer_key, *source_key;
    struct kms_use *kms; /* the named key for what is written; NULL: none */
    bool source_under_named_key;

    /* Of a service that acts for a bucket (delivery/service.h), that and its account; else STR_NONE. */
    struct str source_bucket_name, source_account;

    const struct logged_item
        *logged_items; /* DeleteObjects: what became of each, where it is logged */
    size_t logged_item_count;
    /* Set by a document's READ: who hears of the bucket's events once it is kept, and of what first. */
    struct str *subscribers;
    size_t subscriber_count;
    struct str subscription_event; /* STR_NONE: of nothing */

    struct upload upload; /* UploadPart: set by op_prepare_UploadPart; others load it themselves */
    enum checksum_kind kept_kind; /* UploadPart: the part is stored with this one */
    uint32_t part_number;         /* with upload */
    /*
     * The operation's own between op_submit and after_commit, or op_yield and go_on; in the arena.
     * release frees what it holds elsewhere, however the request ends.
     */
    void *work;
    void (*release)(struct op *op);
};

/* Let go of the configurations; that of a bucket without documents takes their places. */
void op_drop_configs(struct op *op);

/* Canonical id of the caller; for anonymous the well-known anonymous id. */
struct str op_caller_id(const struct op *op);
/* Access key of the pair that the caller signed with; STR_NONE of the anonymous. */
struct str op_caller_key(const struct op *op);
/* "127.0.0.1", "::1" or "unix". */
struct str op_peer_address(const struct op *op);

/*
 * First value of a query parameter (decoded) / header; STR_NONE when absent. A presigned URL's
 * headers are among the headers: see settle.h.
 */
struct str op_param(const struct op *op, const char *name);
struct str op_header(const struct op *op, const char *name);

/* The request's header fields are a form's fields: UTF-8, not bytes of HTTP. */
bool op_from_form(const struct op *op);

/*
 * Bytes of the budget for what is buffered, given back when the request is done (hold.c).
 * op_hold false: they are not to be had, answer S3_SlowDown. op_charge: for what can not be refused.
 */
MUST_CHECK bool op_hold(struct op *op, uint64_t bytes);
void op_charge(struct op *op, uint64_t bytes);
void op_give_back(struct op *op);

#endif
