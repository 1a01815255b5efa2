/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One S3 operation in flight: what dispatch prepared, and the helpers every operation uses.
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
#include "base/text/pairs.h"
#include "server/auth/acl.h"
#include "server/auth/auth.h"
#include "server/http/http.h"
#include "server/refusals/errors.h"
#include "server/s3/s3.h"
#include "server/xml/xml.h"
#include "storage/store.h"

/* ---- limits ------------------------------------------------------------------------------- */

#define S3_OBJECT_BYTES_MAX (UINT64_C(5) << 30)     /* one PUT, one copy: 5 GiB */
#define S3_MULTIPART_BYTES_MAX (UINT64_C(50) << 40) /* an assembled object: 50 TB */
#define S3_PART_BYTES_MIN (UINT64_C(5) << 20)       /* every part but the last */
#define S3_METADATA_BYTES_MAX 2048 /* names after x-amz-meta- and values, in UTF-8 */
#define S3_META_PREFIX STR("x-amz-meta-")
#define S3_REDIRECT_BYTES_MAX 2048 /* x-amz-website-redirect-location */
#define S3_OBJECT_TAGS_MAX 10
#define S3_BUCKET_TAGS_MAX 50
#define S3_TAG_KEY_CHARS_MAX 128 /* units of UTF-16, as S3 keeps them */
#define S3_TAG_VALUE_CHARS_MAX 256
#define S3_DELETE_KEYS_MAX 1000
#define S3_XML_BYTES_MAX (64u * 1024u)             /* configuration documents */
#define S3_XML_LIST_BYTES_MAX (4u * 1024u * 1024u) /* DeleteObjects, CompleteMultipartUpload */

/* ---- routes ------------------------------------------------------------------------------- */

enum resource { RESOURCE_SERVICE, RESOURCE_BUCKET, RESOURCE_OBJECT };

enum body_need {
    TAKES_NOTHING = 0, /* whatever is sent is read and dropped */
    TAKES_BUFFER,      /* whole in memory, at most body_max bytes: op->body */
    TAKES_STREAM,      /* streamed into op->writer, digests in op->digests */
    TAKES_FORM,        /* POST Object */
};

enum route_flags {
    ROUTE_VERSION = 1,     /* takes versionId; the version is loaded into op->version */
    ROUTE_OBJECT = 2,      /* the current version (or versionId's) is loaded, absence is an error */
    ROUTE_SOURCE = 4,      /* x-amz-copy-source is parsed, loaded and authorised */
    ROUTE_CHECKSUM = 8,    /* Content-MD5 or x-amz-checksum-* is required */
    ROUTE_LENGTH = 16,     /* Content-Length (or chunked) is required */
    ROUTE_NEW_BUCKET = 32, /* the bucket need not exist */
    ROUTE_MARKER = 64,     /* a current delete marker is refused as one: 405, not 404 */
    ROUTE_OF_OBJECT = 128, /* x-amz-checksum-* describe the object, not the body sent */
    ROUTE_REGION = 256,    /* x-amz-bucket-region is told, also to whom the rest is refused */
};

struct op;
typedef enum s3_error op_function(struct op *op);

struct route {
    struct str name;
    struct str method;
    enum resource resource;
    struct str selector; /* "acl", "list-type=2", "partNumber&uploadId&@x-amz-copy-source" */
    struct str params;   /* further query parameters it knows, separated by blanks */
    struct str action;   /* IAM action, for the coverage page and later policies */
    enum access_need need;
    enum body_need body;
    uint32_t body_max;
    unsigned payloads; /* enum payload_mode bits */
    unsigned flags;    /* enum route_flags */
    op_function *run;  /* NULL: answered 501 NotImplemented */
};

extern const struct route s3_routes[];
extern const size_t s3_route_count;

/*
 * The row for a request, or NULL and why: MethodNotAllowed for a method S3 does not have on what is
 * named, InvalidArgument or InvalidRequest for parameters S3 refuses there (selectors.def),
 * NotImplemented for those no row knows.
 */
const struct route *route_find(const struct http_request *request, enum resource resource,
                               struct arena *arena, struct s3_refusal *ret_refusal);
/* What Allow says beside MethodNotAllowed: "GET, PUT"; STR_NONE when there is none. */
struct str route_methods(const struct http_request *request, enum resource resource,
                         struct arena *arena);
/* A method that S3 has somewhere, spelled so: what it does not know it can not parse. */
bool route_method_known(struct str method);
/* "BUCKET" and so on, as ResourceType says it. */
struct str resource_type(enum resource resource);
/* The row of what no row knows on a resource: 501 for those who own it. */
const struct route *route_unknown(enum resource resource);

/* ---- the operation ------------------------------------------------------------------------ */

/* Not an S3 error: the operation waits for its intent. */
#define S3_WAIT ((enum s3_error)S3_ERRORS)
/* Nor this: it let others go first. */
#define S3_YIELD ((enum s3_error)(S3_ERRORS + 1))

struct loop_state; /* per loop thread: reader, key cache (dispatch.c) */
struct sink;       /* body in progress (sink.c) */

struct op {
    struct http_exchange_view *exchange;
    struct arena *arena; /* exchange->arena */
    struct http_request *request;
    struct http_reply *reply;
    const struct s3_options *options;
    struct store *store;
    struct reader *reader;
    struct auth_cache *auth_cache;
    struct body_group *bodies;
    struct budget *budget; /* of the app */
    uint32_t share;        /* of the budget, while held > 0 */
    uint64_t held;
    const struct route *route;
    bool admitted;         /* once: what is loaded below was allowed, and the body is open */
    enum access_need need; /* the row's; of a form BUCKET_WRITE once its fields say who asks */
    struct auth auth;

    size_t fields_sent;        /* of request->fields; the rest is UTF-8 from a URL: see settle.h */
    struct str bucket_name;    /* STR_NONE for the service */
    struct str key;            /* decoded bytes; STR_NONE for a bucket */
    struct str virtual_bucket; /* named by Host, else STR_NONE */
    struct bucket bucket;      /* loaded unless ROUTE_NEW_BUCKET or the service */
    bool has_version;          /* op->version is loaded */
    struct version version;
    bool asked_version; /* versionId was given */
    struct version_id version_id;

    bool has_source; /* ROUTE_SOURCE */
    struct bucket source_bucket;
    struct version source;
    bool source_asked_version;

    struct str body;            /* TAKES_BUFFER: decoded and verified */
    struct body_writer *writer; /* TAKES_STREAM: finished */
    struct body_digests digests;
    struct version_attrs attrs; /* TAKES_STREAM: from the headers, checked before the body */
    /* The checksum the client gave (header or trailer, verified) or asked for. */
    enum checksum_kind checksum_kind; /* CHECKSUM_NONE when neither */
    bool checksum_given;

    struct intent *intent;
    op_function *after_commit;
    op_function *go_on; /* after S3_YIELD */
    unsigned retries;
    bool outrun; /* what was read was replaced before it was used: read again */

    unsigned foreign;           /* enum foreign; FOREIGN_NOT for S3's own */
    struct str foreign_service; /* it was signed for */

    struct fault fault;
    struct s3_refusal refusal;
    int64_t started_us;
    char request_id[17];
    bool keep_headers;   /* headers set before a refusal belong to it (delete markers) */
    enum s3_error error; /* what was answered, for the log */
    struct sink *sink;

    struct upload upload; /* UploadPart: set by op_upload_prepare; others load it themselves */
    enum checksum_kind kept_kind; /* UploadPart: the part is stored with this one */
    uint32_t part_number;         /* with upload */
    /*
     * The operation's own between op_submit and after_commit, or op_yield and go_on; in the arena.
     * release frees what it holds elsewhere, however the request ends.
     */
    void *work;
    void (*release)(struct op *op);
};

/* Canonical id of the caller; for anonymous the well-known anonymous id. */
struct str op_caller_id(const struct op *op);
#define S3_ANONYMOUS_ID STR("65a011a29cdf8ec533ec3d1ccaae921c")

/*
 * Refuse with an S3 error. values follow the row's extras; pass struct str arguments, exactly as
 * many as given by count (missing ones are left out).
 */
enum s3_error op_fail_values(struct op *op, enum s3_error error, struct str message, size_t count,
                             const struct str *values);
/* op_fail(op, S3_InvalidPart, upload_id, number_text): extras in the row's order. */
#define op_fail(op, error, ...)                                                                    \
    op_fail_values((op), (error), STR_NONE,                                                        \
                   sizeof((struct str[]){ STR_NONE, ##__VA_ARGS__ }) / sizeof(struct str) - 1,     \
                   (struct str[]){ STR_NONE, ##__VA_ARGS__ } + 1)
/* The same with a message of its own (must live as long as the request). */
#define op_fail_text(op, error, message, ...)                                                      \
    op_fail_values((op), (error), (message),                                                       \
                   sizeof((struct str[]){ STR_NONE, ##__VA_ARGS__ }) / sizeof(struct str) - 1,     \
                   (struct str[]){ STR_NONE, ##__VA_ARGS__ } + 1)
/* InvalidArgument with ArgumentName and ArgumentValue. */
enum s3_error op_fail_argument(struct op *op, struct str message, struct str name,
                               struct str value);

/* The one translation from storage's results; facts (bucket, key, version) come from op. */
enum s3_error s3_from_store(struct op *op, enum store_status status);
/* An error line that says what the client is not told: bucket, key and the cause. */
void op_log_failure(const struct op *op, const struct fault *fault);

/*
 * Bytes of the budget for what is buffered, given back when the request is done (hold.c).
 * op_hold false: they are not to be had, answer S3_SlowDown. op_charge: for what can not be refused.
 */
MUST_CHECK bool op_hold(struct op *op, uint64_t bytes);
void op_charge(struct op *op, uint64_t bytes);
void op_give_back(struct op *op);

/* A zeroed intent of that kind for op's bucket and key, or NULL (then return S3_SlowDown). */
struct intent *op_intent(struct op *op, enum intent_kind kind);
/* Queue it; always the last statement of an operation. */
enum s3_error op_submit(struct op *op, struct intent *intent, op_function *after_commit);
/*
 * Let the loop serve others, then run go_on, inside a newer snapshot: op->bucket is still the same
 * bucket, and the caller still admitted. Always the last statement, too.
 */
enum s3_error op_yield(struct op *op, op_function *go_on);

/*
 * First value of a query parameter (decoded) / header; STR_NONE when absent. A presigned URL's
 * headers are among the headers: see settle.h.
 */
struct str op_param(const struct op *op, const char *name);
struct str op_header(const struct op *op, const char *name);

/* The request's header fields are a form's fields: UTF-8, not bytes of HTTP. */
bool op_from_form(const struct op *op);

/* Reply headers. Values must live in the arena (or be static). */
void op_set(struct op *op, const char *name, struct str value);
void op_set_u64(struct op *op, const char *name, uint64_t value);
void op_set_quoted(struct op *op, const char *name, struct str value); /* ETag */
/* Forget a header set before, whatever its case. */
void op_drop(struct op *op, const char *name);
void op_set_http_date(struct op *op, const char *name, int64_t us);
void op_set_version_id(struct op *op, const struct version *version);

/* http(s)://host/bucket/key as this client addresses it, in the arena; STR_NONE: no memory. */
struct str op_object_url(struct op *op);

/* status with no body. */
enum s3_error op_reply_empty(struct op *op, int status);
/*
 * 200 with an XML document; takes over the buffer (sets it to empty). A failed buffer becomes
 * InternalError.
 */
enum s3_error op_reply_xml(struct op *op, struct buf *document);

/* ---- attributes of a new version (attrs.c) ---------------------------------------------------- */

enum sse_kind { SSE_NONE = 0, SSE_AES256, SSE_KMS, SSE_KMS_DSSE };

struct str storage_class_name(uint8_t number);
/* False: unknown. "" or STR_NONE is STANDARD. */
bool storage_class_parse(struct str name, uint8_t *ret_number);

/*
 * System headers, metadata, tags (x-amz-tagging), ACL headers, storage class and encryption of
 * PutObject, CreateMultipartUpload, CopyObject and PostObject, from the request's headers. owner, etag and checksum are left alone.
 */
MUST_CHECK enum s3_error attrs_from_request(struct op *op, struct version_attrs *ret_attrs);
/* x-amz-server-side-encryption(-aws-kms-key-id) of a stored version or upload. */
void op_set_encryption(struct op *op, const struct version_attrs *attrs);
/* Stored headers and metadata, tag count, storage class, encryption: what GET and HEAD share. */
void op_set_attrs(struct op *op, const struct version_attrs *attrs);

/* x-amz-meta-* of the request, appended to the stored headers (metadata.c). */
MUST_CHECK enum s3_error metadata_from_request(struct op *op, struct buf *out);
/* A stored value as a header field's; STR_NONE without memory. */
struct str metadata_shown(struct arena *arena, struct str value);

/* x-amz-acl, x-amz-grant-* of the request -> packed ACL (acl_request.c). given: any was there. */
MUST_CHECK enum s3_error acl_from_headers(struct op *op, struct str owner, enum acl_place place,
                                          struct str *ret_packed, bool *ret_given);

/* ---- tags (tags.c) ---------------------------------------------------------------------------- */

/* Whose tags they are: how many there may be, and how a system key is refused. */
enum tags_of { TAGS_OF_OBJECT, TAGS_OF_BUCKET, TAGS_OF_NEW_BUCKET };

/* The rules of a packed set, pairs in order. */
MUST_CHECK enum s3_error tags_check(struct op *op, struct str packed, enum tags_of of);
/* x-amz-tagging into a checked, packed set; STR_NONE when it is empty. */
MUST_CHECK enum s3_error tags_from_header(struct op *op, struct str urlencoded,
                                          struct str *ret_packed);
/* The children of <TagSet> or <Tags> into a checked, packed set; STR_NONE when there are none. */
MUST_CHECK enum s3_error tags_from_xml(struct op *op, const struct xml_node *set, enum tags_of of,
                                       struct str *ret_packed);

/* ---- checksums of versions and parts (checksums.c) --------------------------------------------- */

enum checksum_type { CHECKSUM_TYPE_NONE = 0, CHECKSUM_COMPOSITE = 1, CHECKSUM_FULL_OBJECT = 2 };

struct stored_checksum {
    enum checksum_kind kind;
    enum checksum_type type;
    uint8_t value[CHECKSUM_BYTES_MAX];
    uint32_t parts; /* COMPOSITE: the N of "-N" */
};

struct str stored_checksum_pack(struct op *op, const struct stored_checksum *checksum);
bool stored_checksum_unpack(struct str packed, struct stored_checksum *ret_checksum);
/* base64, with "-N" when COMPOSITE; STR_NONE without memory. */
struct str stored_checksum_text(struct op *op, const struct stored_checksum *checksum);
/* x-amz-checksum-<alg> and x-amz-checksum-type reply headers. */
void op_set_checksum(struct op *op, const struct stored_checksum *checksum, bool with_type);
/* <ChecksumCRC32>...</ChecksumCRC32> and, with_type, <ChecksumType>. */
void xml_checksum(struct op *op, struct buf *out, const struct stored_checksum *checksum,
                  bool with_type);
/* The algorithm that an element <ChecksumCRC32> tells of; CHECKSUM_NONE: it is no such element. */
enum checksum_kind xml_checksum_of(const struct xml_node *element);

/* <Owner>, which S3 gives no DisplayName any more, and an upload's <Initiator>, which has one. */
void xml_owner(struct buf *out, struct str canonical_id);
void xml_initiator(struct op *op, struct buf *out, struct str canonical_id);

/* If-Match, If-None-Match (and the x-amz-if-match-* pair) of a write. */
MUST_CHECK enum s3_error condition_from_request(struct op *op, bool for_delete,
                                                struct write_condition *ret_condition);

/* ---- what the operations' files share ---------------------------------------------------------- */

#define R(NAME, ...) op_function op_##NAME;
#define RD(NAME, ...)
#define RN(NAME, ...)
#include "server/s3/routes.def"
#undef R
#undef RD
#undef RN

/* GET of a bucket document that pail does not store yet: its "not configured" answer. */
op_function op_document_unset;

/* NotImplemented for a header that promises what pail can not do: SSE-C, object lock, append. */
MUST_CHECK enum s3_error attrs_refuse_unsupported(struct op *op);
/* For reads and parts: encryption is asked for once, where the object or the upload begins. */
MUST_CHECK enum s3_error attrs_refuse_encryption(struct op *op);

/* The request body as a document of that root; MissingRequestBodyError or MalformedXML. */
MUST_CHECK enum s3_error op_xml(struct op *op, struct str root, const struct xml_node **ret_root);

/* AccessControlPolicy document -> packed ACL (acl_request.c). owner: of the resource. */
MUST_CHECK enum s3_error acl_from_xml(struct op *op, struct str owner, struct str *ret_packed);

/*
 * UploadPart, before the body: partNumber and uploadId are judged, op->upload is loaded, a checksum
 * that is not the upload's, or lacks, is refused, and what is to be computed is set: op->checksum_kind
 * (the upload's when the client gave none; CHECKSUM_NONE: it has none) and op->kept_kind. multipart.c.
 */
MUST_CHECK enum s3_error op_upload_prepare(struct op *op);

/* stored_checksum_pack without an op, for the store's threads. */
struct str stored_checksum_pack_in(struct arena *arena, const struct stored_checksum *checksum);
/* The arena's copy of "x-amz-checksum-crc32"; STR_NONE without memory. */
struct str checksum_header(struct arena *arena, enum checksum_kind kind);
struct str checksum_type_name(enum checksum_type type);
/* CHECKSUM_TYPE_NONE for an unknown name; case-insensitive, as names of algorithms are. */
enum checksum_type checksum_type_from_name(struct str name);
/* Without the quotes and blanks around it. */
struct str etag_bare(struct str text);
/* The version's own id as intents take it. */
struct version_id version_id_of(const struct version *version);

/* ---- what the listings share (list.c) ------------------------------------------------------- */

#define S3_LIST_XML_BYTES_MAX (16u * 1024u * 1024u)

struct list_form {
    struct str prefix, delimiter; /* "" when absent */
    uint32_t max;                 /* clamped to STORE_LIST_MAX */
    bool url;                     /* encoding-type=url, */
    struct str encoding;          /* as it was sent */
};

/*
 * prefix, delimiter, encoding-type and the count named max_name ("max-keys", "max-uploads"), which
 * S3 calls max_range_name when it is negative ("": as it calls one that is no number).
 */
MUST_CHECK enum s3_error list_form_from_request(struct op *op, const char *max_name,
                                                struct str max_range_name,
                                                struct list_form *ret_form);
/*
 * The value of a count, of a parameter or a header: *ret_count stays when it is absent or empty;
 * more than most is most. range_name as above.
 */
MUST_CHECK enum s3_error op_count(struct op *op, struct str text, struct str name,
                                  struct str range_name, uint32_t most, uint32_t *ret_count);
/* <EncodingType> when there is one. */
void list_encoding(const struct list_form *form, struct buf *out);
/* Text, and an element with text, that follow encoding-type. */
void list_escape(const struct list_form *form, struct buf *out, struct str text);
void list_text(const struct list_form *form, struct buf *out, struct str name, struct str text);

/*
 * What follows the head of a listing, written while the store walks: how the page ends, which the
 * head tells, is known only then.
 */
struct list_body {
    struct op *op;
    const struct list_form *form;
    struct buf entries;
    struct buf prefixes;
    struct clock_day day; /* of the newest time written */
};

struct list_body list_body_make(struct op *op, const struct list_form *form);
void list_body_free(struct list_body *body); /* CLEANUP helper */
bool list_body_failed(const struct list_body *body);
/* <CommonPrefixes>, which stand behind all entries. */
void list_body_prefix(struct list_body *body, struct str prefix);
/* Into the entries: the text of a time, and, if the caller may be told, <Owner>. */
void list_body_time(struct list_body *body, int64_t us);
void list_body_owner(struct list_body *body, struct str canonical_id);
/* A listing open to all tells those who sign nothing no canonical ids. */
bool list_tells_owners(const struct op *op);
/* Reply: head, entries, prefixes, end of root. */
MUST_CHECK enum s3_error list_body_reply(struct list_body *body, const struct buf *head,
                                         struct str root);
/* <ETag>&quot;...&quot;</ETag> */
void xml_etag(struct buf *out, struct str etag);
/* <ChecksumAlgorithm> and <ChecksumType> of a stored checksum, nothing when there is none. */
void xml_checksum_kind(struct buf *out, struct str packed);
/* Opaque continuation tokens. make: STR_NONE without memory. parse: false for a foreign text. */
struct str list_token(struct op *op, struct str marker);
MUST_CHECK bool list_token_parse(struct op *op, struct str token, struct str *ret_marker);
enum s3_error list_token_bad(struct op *op);

#endif
