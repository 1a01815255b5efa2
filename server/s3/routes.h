/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of operations (routes.def) and how a request finds its row (route.c).
 */
#ifndef SERVER_S3_ROUTES_H
#define SERVER_S3_ROUTES_H

#include "server/auth/access.h"
#include "server/auth/auth.h"
#include "server/http/http.h"
#include "server/refusals/errors.h"

enum resource {
    RESOURCE_SERVICE,
    RESOURCE_BUCKET,
    RESOURCE_OBJECT,
    RESOURCE_TAGS,    /* a bucket's, by its ARN: of S3 Control (control/address.h) */
    RESOURCE_CONTROL, /* what else is of S3 Control: nothing is here */
};

enum body_need {
    TAKES_NOTHING = 0, /* whatever is sent is read and dropped */
    TAKES_BUFFER,      /* whole in memory, at most body_max bytes: op->body */
    TAKES_STREAM,      /* streamed into op->writer, digests in op->digests */
    TAKES_FORM,        /* POST Object */
};

enum route_flags {
    ROUTE_OBJECT = 1,      /* the current version (or versionId's) is loaded, absence is an error */
    ROUTE_SOURCE = 2,      /* x-amz-copy-source is parsed, loaded and authorised */
    ROUTE_CHECKSUM = 4,    /* Content-MD5 or x-amz-checksum-* is required */
    ROUTE_LENGTH = 8,      /* Content-Length (or chunked) is required */
    ROUTE_NEW_BUCKET = 16, /* the bucket need not exist */
    ROUTE_MARKER = 32,     /* a current delete marker is refused as one: 405, not 404 */
    ROUTE_OF_OBJECT = 64,  /* x-amz-checksum-* describe the object, not the body sent */
    ROUTE_REGION = 128,    /* x-amz-bucket-region is told, also to whom the rest is refused */
    ROUTE_WHOLE = 256,     /* the body is an object: S3 shows a wrong Content-MD5 in hexadecimal */
    ROUTE_UNBORN = 16384,  /* a directory bucket that is not there is one that may be made */
    ROUTE_PATH = 512,      /* an absent key is named behind its bucket, of all operations here */
    ROUTE_ABSENT = 1024,   /* there is no such operation: 501 to those it is told */
    ROUTE_DOCUMENT = 2048, /* there is one if the document is kept (documents.def) */
    ROUTE_EACH = 4096,     /* what the body names or sets is asked for, once it is read */
    ROUTE_RULES = 8192,    /* of ROUTE_DOCUMENT: one of up to 1,000 rules */
};

struct op;
typedef enum s3_error op_function(struct op *op);

struct route {
    struct str name;
    struct str method;
    enum resource resource;
    struct str selector; /* "acl", "list-type=2", "partNumber&uploadId&@x-amz-copy-source" */
    struct str params;   /* further query parameters it knows, separated by blanks */
    enum access_action action;
    enum access_action version_action; /* with a versionId; ACTION_NONE: takes none */
    enum body_need body;
    uint32_t body_max;
    unsigned payloads;    /* enum payload_mode bits */
    op_function *prepare; /* before the body is taken, its digests known by name; may be NULL */
    int status;           /* of success */
    unsigned flags;       /* enum route_flags */
    op_function *run;     /* not when route_absent */
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
/* There is no such operation here: 501 to those it is told, the others are denied. */
bool route_absent(const struct route *route);
/* The row of what no row knows on a resource: 501 for those who own it. */
const struct route *route_unknown(enum resource resource);

/* The column PREPARE. */
op_function op_prepare_PutObject;  /* ops/put.c */
op_function op_prepare_UploadPart; /* ops/multipart.c */

#define R(NAME, ...) op_function op_##NAME;
#define RD(NAME, ...)
#define RP(NAME, ...)
#define RX(NAME, ...)
#define RN(NAME, ...)
#include "server/s3/routes.def"
#undef R
#undef RD
#undef RP
#undef RX
#undef RN

#endif
