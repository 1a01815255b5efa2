/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan: everything a run will send, rendered and signed before its clock starts, and what each
 * answer must look like.
 *
 * (1) A request is bytes in the plan's text plus ranges of its content's block; a shape says, for
 *     many requests at once, how its body is put together and what the answer must be.
 * (2) A lane is a run of requests of one operation and the order they are taken in; a mixed plan
 *     has several, with weights.
 * (3) Threads share a plan: all of it is read-only once made, but for the atomics.
 */
#ifndef TESTS_BENCH_PLAN_H
#define TESTS_BENCH_PLAN_H

#include <stdatomic.h>

#include "base/fault.h"
#include "base/text/buf.h"
#include "tests/bench/content.h"
#include "tests/bench/sign.h"

#define PLAN_SHAPES_MAX 4
#define PLAN_LANES_MAX 4
#define PLAN_TEXT_BYTES_MAX (UINT64_C(16) << 30)
#define PLAN_ONE_BYTES_MAX ((size_t)8 << 20) /* text of one request */

struct segment {
    bool from_block; /* else from the request's text */
    uint64_t len;
};

enum expect {
    EXPECT_BODY,    /* the bytes of the content */
    EXPECT_HEAD,    /* their length, no bytes */
    EXPECT_STORED,  /* the ETag of what was sent */
    EXPECT_STATUS,  /* nothing but the status */
    EXPECT_COUNTED, /* XML with `needle` so many times; of one length every time */
    EXPECT_IN_BODY, /* XML that names the ETag */
};

struct shape {
    struct str operation;
    unsigned status; /* 0: any 2xx, for peers that are no S3 servers */
    enum expect expect;
    bool check_etag;
    uint64_t object_bytes; /* EXPECT_BODY, EXPECT_HEAD */
    struct str etag_text;  /* instead of the MD5 of one body */
    struct str needle;
    uint64_t needle_count;
    uint64_t payload_bytes; /* of the object, sent or received: what MB/s counts */
    struct segment *segments;
    size_t segment_count;
};

struct request {
    uint64_t text_at;
    uint32_t head_len;
    uint32_t number;
    uint8_t md5[MD5_BYTES];
    _Atomic uint32_t learned_len; /* EXPECT_COUNTED: 0 until counted once */
    uint8_t shape;
};

enum order {
    ORDER_RANDOM,
    ORDER_CYCLE,
    ORDER_ONCE,
    ORDER_AFTER_ACK, /* request i only when request i of the lane before was acknowledged */
};

struct lane {
    enum order order;
    uint64_t first;
    uint64_t count;
    unsigned weight; /* of the sum of all */
    _Atomic uint64_t next;
};

struct plan {
    struct content *content;
    struct shape shapes[PLAN_SHAPES_MAX];
    size_t shape_count;
    struct lane lanes[PLAN_LANES_MAX];
    size_t lane_count;
    struct request *requests;
    uint64_t request_count;
    uint64_t request_room;
    char *text;
    uint64_t text_len;
};

/* Fill *plan for a command. False with the reason in *fault; plan_close in either case. */
MUST_CHECK bool plan_make(struct plan *plan, const struct options *options,
                          const struct signer *signer, struct fault *fault);
void plan_close(struct plan *plan);

/* ---- for the files that make plans --------------------------------------------------------- */

struct maker {
    struct plan *plan;
    const struct options *options;
    const struct signer *signer;
    struct buf scratch;
    struct buf text; /* of the request being made: head, then the text parts of its body */
    struct buf path;
    struct buf query;
    struct fault *fault;
};

#define MAKER(PLAN, OPTIONS, SIGNER, FAULT)                                                        \
    {                                                                                              \
        .plan = (PLAN), .options = (OPTIONS), .signer = (SIGNER), .scratch = BUF_WITH_MAX(65536),  \
        .text = BUF_WITH_MAX(PLAN_ONE_BYTES_MAX), .path = BUF_WITH_MAX(8192),                      \
        .query = BUF_WITH_MAX(8192), .fault = (FAULT)                                              \
    }
void maker_free(struct maker *maker); /* its own memory, not the plan; the CLEANUP helper */

/* Room for `count` requests in all. */
MUST_CHECK bool plan_reserve(struct plan *plan, uint64_t count, struct fault *fault);
/* The new shape's index; starts as status 200, no segments. */
uint8_t plan_shape(struct plan *plan, struct str operation, enum expect expect);
/* A lane of all requests added from `first` on. */
void plan_lane(struct plan *plan, enum order order, uint64_t first, unsigned weight);
/* Add maker->text as a request; NULL: the plan is full. */
MUST_CHECK struct request *plan_add(struct maker *maker, uint8_t shape, size_t head_len,
                                    uint32_t number);
/* maker->path = /BUCKET[/KEY] */
void plan_path_bucket(struct maker *maker);
void plan_path_key(struct maker *maker, uint32_t number);
/* Sign a call without a body and add it. */
MUST_CHECK struct request *plan_add_bare(struct maker *maker, uint8_t shape, struct str method,
                                         uint32_t number);

bool plan_make_reads(struct maker *maker);   /* get, head */
bool plan_make_writes(struct maker *maker);  /* fill, put */
bool plan_make_copies(struct maker *maker);  /* copy */
bool plan_make_deletes(struct maker *maker); /* delete, delete-many */
bool plan_make_lists(struct maker *maker);   /* list... */
bool plan_make_mixed(struct maker *maker);

/* The plan's content, with the digests named. */
MUST_CHECK bool plan_content(struct maker *maker, unsigned digests);
/* The ETag to expect, when ETags are looked at. */
void plan_md5(struct maker *maker, struct request *request);
/* --requests, or what is usual for the size. */
uint64_t plan_writes_wanted(const struct options *options);

/* Parts of the above that mixed is made of. `count` requests; a lane is added with the weight. */
bool plan_read_lane(struct maker *maker, struct str method, uint64_t count, unsigned weight);
bool plan_write_lane(struct maker *maker, uint32_t first, uint64_t count, unsigned weight);
bool plan_delete_lane(struct maker *maker, uint32_t first, uint64_t count, enum order order,
                      unsigned weight);

/* PUT of one part of an upload: number n is part n + 1. upload_id as it goes into the query. */
bool plan_make_parts(struct maker *maker, struct str upload_id);
/* GET of ranges as long as the parts; of the whole object, once. */
bool plan_make_ranges(struct maker *maker, struct str etag_text);
bool plan_make_whole(struct maker *maker, struct str etag_text);

#endif
