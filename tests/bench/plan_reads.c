/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans that read objects: get and head of a fill, and an object made of parts, whole or by ranges.
 */
#include <stdio.h>

#include "base/random.h"
#include "tests/bench/numbers.h"
#include "tests/bench/plan.h"

#define READS_DEFAULT 100000

static struct shape *read_shape(struct maker *maker, struct str method, uint8_t *ret_index)
{
    bool head = str_eq(method, STR("HEAD"));
    struct shape *shape;

    *ret_index = plan_shape(maker->plan, method, head ? EXPECT_HEAD : EXPECT_BODY);
    shape = &maker->plan->shapes[*ret_index];
    shape->object_bytes = maker->options->size_bytes;
    shape->payload_bytes = head ? 0 : maker->options->size_bytes;
    shape->check_etag = maker->options->etag == ETAG_MD5;
    return shape;
}

/* The i-th of count numbers out of `keys`: each once when they are as many, else a sample. */
static uint32_t number_of(uint64_t i, uint64_t count, uint64_t keys)
{
    return (uint32_t)(count >= keys ? i % keys : random_u64() % keys);
}

/* The object that the key of `key` holds: content `number`. */
static bool read_add(struct maker *maker, uint8_t shape, struct str method, uint32_t key,
                     uint32_t number)
{
    struct request *request;

    plan_path_key(maker, key);
    request = plan_add_bare(maker, shape, method, number);
    if (request != NULL)
        plan_md5(maker, request);
    return request != NULL;
}

bool plan_read_lane(struct maker *maker, struct str method, uint64_t count, unsigned weight)
{
    struct plan *plan = maker->plan;
    uint64_t first = plan->request_count;
    uint8_t shape;

    (void)read_shape(maker, method, &shape);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t number = number_of(i, count, maker->options->keys);

        if (!read_add(maker, shape, method, number, maker->options->same != 0 ? 0 : number))
            return false;
    }
    plan_lane(plan, maker->options->once != 0 ? ORDER_ONCE : ORDER_RANDOM, first, weight);
    return true;
}

/* The numbers a file names, each once. */
static bool read_acked(struct maker *maker, struct str method)
{
    CLEANUP(numbers_free) struct numbers numbers = { 0 };
    uint8_t shape;

    if (!numbers_read(&numbers, maker->options->acked.p, maker->fault) ||
        !plan_reserve(maker->plan, numbers.count, maker->fault))
        return false;
    (void)read_shape(maker, method, &shape);
    for (uint64_t i = 0; i < numbers.count; i++)
        if (!read_add(maker, shape, method, numbers.item[i], numbers.item[i]))
            return false;
    plan_lane(maker->plan, ORDER_ONCE, 0, 1);
    return true;
}

bool plan_make_reads(struct maker *maker)
{
    const struct options *options = maker->options;
    struct str method = options->command == BENCH_HEAD ? STR("HEAD") : STR("GET");
    uint64_t count = u64_min(options->keys, options->once != 0 ? options->keys : READS_DEFAULT);

    if (options->requests > 0)
        count = options->requests;
    if (!plan_content(maker, options->etag == ETAG_MD5 ? CONTENT_MD5 : CONTENT_PLAIN))
        return false;
    if (str_present(options->acked))
        return read_acked(maker, method);
    return plan_reserve(maker->plan, count, maker->fault) &&
           plan_read_lane(maker, method, count, 1);
}

/* ---- reads of an object made of parts ----------------------------------------------------------- */

bool plan_make_ranges(struct maker *maker, struct str etag_text)
{
    const struct options *options = maker->options;
    struct shape *shape;
    uint8_t index;

    if (!plan_content(maker, CONTENT_PLAIN) ||
        !plan_reserve(maker->plan, options->parts, maker->fault))
        return false;
    shape = read_shape(maker, STR("GET"), &index);
    shape->status = 206;
    shape->etag_text = etag_text;

    plan_path_key(maker, 0);
    for (uint32_t i = 0; i < options->parts; i++) {
        uint64_t from = i * options->size_bytes;
        char signature[SIGN_SIGNATURE_LEN];
        char range[64];
        struct sign_call call = { .method = STR("GET"),
                                  .path = buf_view(&maker->path),
                                  .payload = sign_empty_sha256(),
                                  .content_length = UINT64_MAX };

        (void)snprintf(range, sizeof(range), "bytes=%llu-%llu", (unsigned long long)from,
                       (unsigned long long)(from + options->size_bytes - 1));
        sign_call_add(&call, STR("range"), str_from_cstr(range));
        buf_clear(&maker->text);
        sign_head(maker->signer, &call, &maker->scratch, &maker->text, signature);
        if (plan_add(maker, index, maker->text.len, i) == NULL)
            return false;
    }
    plan_lane(maker->plan, ORDER_ONCE, 0, 1);
    return true;
}

bool plan_make_whole(struct maker *maker, struct str etag_text)
{
    struct shape *shape;
    uint8_t index;

    if (!plan_content(maker, CONTENT_PLAIN) || !plan_reserve(maker->plan, 1, maker->fault))
        return false;
    shape = read_shape(maker, STR("GET"), &index);
    shape->object_bytes = maker->options->size_bytes * maker->options->parts;
    shape->payload_bytes = shape->object_bytes;
    shape->etag_text = etag_text;

    plan_path_key(maker, 0);
    if (plan_add_bare(maker, index, STR("GET"), 0) == NULL)
        return false;
    plan_lane(maker->plan, ORDER_ONCE, 0, 1);
    return true;
}
