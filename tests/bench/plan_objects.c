/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What plans about objects share, and those made of others' lanes: copies and the mixture.
 */
#include "base/random.h"
#include "tests/bench/payload.h"

#define MIXED_READS_MAX 100000
#define WRITES_DEFAULT 100000
#define LARGE_WRITES_DEFAULT 4000 /* above 1 MiB */

bool plan_content(struct maker *maker, unsigned digests)
{
    const struct options *options = maker->options;

    maker->plan->content = content_open(options->size_bytes, (uint32_t)options->seed, digests);
    return maker->plan->content != NULL ||
           fault_set(maker->fault, false, "no memory for bodies of %llu bytes",
                     (unsigned long long)options->size_bytes);
}

void plan_md5(struct maker *maker, struct request *request)
{
    if (maker->options->etag == ETAG_MD5)
        content_md5(maker->plan->content, request->number, request->md5);
}

uint64_t plan_writes_wanted(const struct options *options)
{
    if (options->requests > 0)
        return options->requests;
    return options->size_bytes > (UINT64_C(1) << 20) ? LARGE_WRITES_DEFAULT : WRITES_DEFAULT;
}

bool plan_make_copies(struct maker *maker)
{
    const struct options *options = maker->options;
    uint64_t count = plan_writes_wanted(options);
    struct shape *shape;
    uint8_t index;

    if (!plan_content(maker, CONTENT_MD5) || !plan_reserve(maker->plan, count, maker->fault))
        return false;
    index = plan_shape(maker->plan, STR("COPY"),
                       options->etag == ETAG_MD5 ? EXPECT_IN_BODY : EXPECT_STATUS);
    shape = &maker->plan->shapes[index];
    shape->payload_bytes = options->size_bytes;

    for (uint64_t i = 0; i < count; i++) {
        CLEANUP(buf_free) struct buf source = BUF_WITH_MAX(8192);
        char signature[SIGN_SIGNATURE_LEN];
        uint32_t number = (uint32_t)(random_u64() % options->keys);
        struct sign_call call = { .method = STR("PUT"), .payload = sign_empty_sha256() };
        struct request *request;

        plan_path_key(maker, number);
        buf_str(&source, buf_view(&maker->path));
        plan_path_key(maker, (uint32_t)(options->first + i));
        call.path = buf_view(&maker->path);
        sign_call_add(&call, STR("x-amz-copy-source"), buf_view(&source));
        buf_clear(&maker->text);
        sign_head(maker->signer, &call, &maker->scratch, &maker->text, signature);
        request = plan_add(maker, index, maker->text.len, number);
        if (request == NULL)
            return false;
        plan_md5(maker, request);
    }
    plan_lane(maker->plan, ORDER_ONCE, 0, 1);
    return true;
}

/*
 * warp's mixture. What is read was there before and stays; what is deleted was put by this run.
 * The lanes' order matters: ORDER_AFTER_ACK looks at the lane before it.
 */
bool plan_make_mixed(struct maker *maker)
{
    const struct options *options = maker->options;
    uint64_t reads = u64_min(options->keys, MIXED_READS_MAX);
    uint64_t writes = plan_writes_wanted(options);
    uint32_t first = (uint32_t)options->first;

    return plan_content(maker, payload_digests(options) | CONTENT_MD5) &&
           plan_reserve(maker->plan, 2 * (reads + writes), maker->fault) &&
           plan_read_lane(maker, STR("GET"), reads, 45) &&
           plan_read_lane(maker, STR("HEAD"), reads, 30) &&
           plan_write_lane(maker, first, writes, 15) &&
           plan_delete_lane(maker, first, writes, ORDER_AFTER_ACK, 10);
}
