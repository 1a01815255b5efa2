/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans that delete: one key a request, or 1,000.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
#include "base/text/codec.h"
#include "tests/bench/key.h"
#include "tests/bench/plan.h"

#define DELETE_MANY_KEYS 1000

bool plan_delete_lane(struct maker *maker, uint32_t first, uint64_t count, enum order order,
                      unsigned weight)
{
    uint64_t first_request = maker->plan->request_count;
    uint8_t shape = plan_shape(maker->plan, STR("DELETE"), EXPECT_STATUS);

    maker->plan->shapes[shape].status = 204;
    for (uint64_t i = 0; i < count; i++) {
        plan_path_key(maker, first + (uint32_t)i);
        if (plan_add_bare(maker, shape, STR("DELETE"), first + (uint32_t)i) == NULL)
            return false;
    }
    plan_lane(maker->plan, order, first_request, weight);
    return true;
}

static void xml_write(struct maker *maker, uint64_t first, uint64_t count, struct buf *out)
{
    buf_lit(out, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (uint64_t i = 0; i < count; i++) {
        buf_lit(out, "<Object><Key>");
        key_write(out, (uint32_t)(first + i), maker->options->prefixes);
        buf_lit(out, "</Key></Object>");
    }
    buf_lit(out, "</Delete>");
}

static bool many_add(struct maker *maker, uint8_t shape, uint64_t first, struct buf *xml)
{
    char signature[SIGN_SIGNATURE_LEN];
    uint8_t digest[SHA256_BYTES];
    char hash[2 * SHA256_BYTES];
    char md5[BASE64_LEN(MD5_BYTES)];
    struct sign_call call = { .method = STR("POST"), .query = STR("delete=") };
    size_t head_len;

    buf_clear(xml);
    xml_write(maker, first, DELETE_MANY_KEYS, xml);
    digest_once(DIGEST_SHA256, buf_view(xml), digest);
    hex_encode(digest, SHA256_BYTES, hash);
    digest_once(DIGEST_MD5, buf_view(xml), digest);
    base64_encode(digest, MD5_BYTES, md5);

    plan_path_bucket(maker);
    call.path = buf_view(&maker->path);
    call.payload = str_make(hash, sizeof(hash));
    call.content_length = xml->len;
    sign_call_add(&call, STR("content-md5"), str_make(md5, sizeof(md5)));
    buf_clear(&maker->text);
    sign_head(maker->signer, &call, &maker->scratch, &maker->text, signature);
    head_len = maker->text.len;
    buf_str(&maker->text, buf_view(xml));
    return plan_add(maker, shape, head_len, (uint32_t)first) != NULL;
}

static bool delete_many(struct maker *maker)
{
    CLEANUP(buf_free) struct buf xml = BUF_WITH_MAX(PLAN_ONE_BYTES_MAX);
    uint64_t count = maker->options->keys / DELETE_MANY_KEYS;
    uint8_t index = plan_shape(maker->plan, STR("DELETE-MANY"), EXPECT_COUNTED);
    struct shape *shape = &maker->plan->shapes[index];

    if (count == 0)
        return fault_set(maker->fault, false, "delete-many needs --keys of %d at least",
                         DELETE_MANY_KEYS);
    if (!plan_reserve(maker->plan, count, maker->fault))
        return false;
    shape->needle = STR("<Deleted>");
    shape->needle_count = DELETE_MANY_KEYS;
    shape->segments = mem_zalloc(sizeof(*shape->segments));
    if (shape->segments == NULL)
        return false;
    /* All keys have one length, and so do all documents. */
    xml_write(maker, 0, DELETE_MANY_KEYS, &xml);
    shape->segments[0].len = xml.len;
    shape->segment_count = 1;

    for (uint64_t i = 0; i < count; i++)
        if (!many_add(maker, index, i * DELETE_MANY_KEYS, &xml))
            return false;
    plan_lane(maker->plan, ORDER_ONCE, 0, 1);
    return true;
}

bool plan_make_deletes(struct maker *maker)
{
    if (maker->options->command == BENCH_DELETE_MANY)
        return delete_many(maker);
    return plan_reserve(maker->plan, maker->options->keys, maker->fault) &&
           plan_delete_lane(maker, 0, maker->options->keys, ORDER_ONCE, 1);
}
