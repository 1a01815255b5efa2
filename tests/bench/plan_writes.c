/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans that send bodies: fill, put, and the parts of an upload.
 */
#include "tests/bench/payload.h"

static bool write_add(struct maker *maker, struct payload *payload, uint8_t shape, uint32_t number,
                      uint32_t path_number)
{
    char signature[SIGN_SIGNATURE_LEN] = { 0 };
    struct sign_call call = { .method = STR("PUT") };
    struct request *request;
    size_t head_len;

    plan_path_key(maker, path_number);
    call.path = buf_view(&maker->path);
    call.query = buf_view(&maker->query);
    payload_call(payload, number, &call);
    buf_clear(&maker->text);
    sign_head(maker->signer, &call, &maker->scratch, &maker->text, signature);
    head_len = maker->text.len;
    payload_text(payload, number, signature, &maker->text);

    request = plan_add(maker, shape, head_len, number);
    if (request == NULL)
        return false;
    plan_md5(maker, request);
    return true;
}

static struct payload *write_shape(struct maker *maker, uint8_t *ret_index)
{
    CLEANUP(payload_closep)
    struct payload *payload =
        payload_open(maker->options, maker->plan->content, maker->signer, maker->fault);
    struct payload *taken = payload;
    struct shape *shape;

    if (payload == NULL)
        return NULL;
    *ret_index = plan_shape(maker->plan, STR("PUT"), EXPECT_STORED);
    shape = &maker->plan->shapes[*ret_index];
    shape->check_etag = maker->options->etag == ETAG_MD5;
    shape->status = shape->check_etag ? 200 : 0;
    shape->payload_bytes = maker->options->size_bytes;
    if (!payload_shape(payload, shape))
        return NULL;
    payload = NULL;
    return taken;
}

bool plan_write_lane(struct maker *maker, uint32_t first, uint64_t count, unsigned weight)
{
    uint64_t first_request = maker->plan->request_count;
    uint8_t shape = 0;
    CLEANUP(payload_closep) struct payload *payload = write_shape(maker, &shape);

    if (payload == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t number = first + (uint32_t)i;
        /* A version of a key: its own content under the key of another number. */
        uint32_t key = maker->options->command == BENCH_FILL
                           ? number % (uint32_t)maker->options->keys
                           : number;

        if (!write_add(maker, payload, shape, maker->options->same != 0 ? 0 : number, key))
            return false;
    }
    plan_lane(maker->plan, ORDER_ONCE, first_request, weight);
    return true;
}

bool plan_make_writes(struct maker *maker)
{
    const struct options *options = maker->options;
    bool fill = options->command == BENCH_FILL;
    uint64_t count = fill ? options->keys * options->versions : plan_writes_wanted(options);

    if (count > OPTIONS_REQUESTS_MAX)
        return fault_set(maker->fault, false, "more than %llu requests",
                         (unsigned long long)OPTIONS_REQUESTS_MAX);
    return plan_content(maker, payload_digests(options)) &&
           plan_reserve(maker->plan, count, maker->fault) &&
           plan_write_lane(maker, fill ? 0 : (uint32_t)options->first, count, 1);
}

bool plan_make_parts(struct maker *maker, struct str upload_id)
{
    const struct options *options = maker->options;
    CLEANUP(payload_closep) struct payload *payload = NULL;
    uint8_t shape = 0;

    if (!plan_content(maker, payload_digests(options)) ||
        !plan_reserve(maker->plan, options->parts, maker->fault))
        return false;
    payload = write_shape(maker, &shape);
    if (payload == NULL)
        return false;

    for (uint32_t i = 0; i < options->parts; i++) {
        buf_clear(&maker->query);
        buf_printf(&maker->query, "partNumber=%u&uploadId=%.*s", i + 1, STR_ARG(upload_id));
        if (!write_add(maker, payload, shape, i, 0))
            return false;
    }
    plan_lane(maker->plan, ORDER_ONCE, 0, 1);
    return true;
}
