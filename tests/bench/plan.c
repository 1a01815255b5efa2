/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan: its memory, and which file makes it; see plan.h.
 */
#include "tests/bench/plan.h"

#include <assert.h>
#include <sys/mman.h>

#include "base/text/codec.h"
#include "tests/bench/key.h"

bool plan_reserve(struct plan *plan, uint64_t count, struct fault *fault)
{
    void *text;

    plan->requests = mem_zalloc(count * sizeof(*plan->requests));
    /* Address space; memory comes as it is written. */
    text = mmap(NULL, PLAN_TEXT_BYTES_MAX, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (plan->requests == NULL || text == MAP_FAILED)
        return fault_set(fault, false, "no memory for %llu requests", (unsigned long long)count);

    (void)madvise(text, PLAN_TEXT_BYTES_MAX, MADV_HUGEPAGE);
    plan->text = text;
    plan->request_room = count;
    return true;
}

void plan_close(struct plan *plan)
{
    for (size_t i = 0; i < plan->shape_count; i++)
        mem_free(plan->shapes[i].segments);
    if (plan->text != NULL)
        (void)munmap(plan->text, PLAN_TEXT_BYTES_MAX);
    mem_free(plan->requests);
    content_close(plan->content);
    *plan = (struct plan){ 0 };
}

void maker_free(struct maker *maker)
{
    buf_free(&maker->scratch);
    buf_free(&maker->text);
    buf_free(&maker->path);
    buf_free(&maker->query);
}

uint8_t plan_shape(struct plan *plan, struct str operation, enum expect expect)
{
    assert(plan->shape_count < PLAN_SHAPES_MAX);
    plan->shapes[plan->shape_count] =
        (struct shape){ .operation = operation, .status = 200, .expect = expect };
    return (uint8_t)plan->shape_count++;
}

void plan_lane(struct plan *plan, enum order order, uint64_t first, unsigned weight)
{
    struct lane *lane = &plan->lanes[plan->lane_count++];

    assert(plan->lane_count <= PLAN_LANES_MAX);
    lane->order = order;
    lane->first = first;
    lane->count = plan->request_count - first;
    lane->weight = weight;
}

struct request *plan_add(struct maker *maker, uint8_t shape, size_t head_len, uint32_t number)
{
    struct plan *plan = maker->plan;
    struct request *request;

    if (maker->text.failed || plan->request_count == plan->request_room ||
        plan->text_len + maker->text.len > PLAN_TEXT_BYTES_MAX) {
        (void)fault_set(maker->fault, 0, "the requests do not fit into memory: lower --requests");
        return NULL;
    }

    request = &plan->requests[plan->request_count++];
    request->text_at = plan->text_len;
    request->head_len = (uint32_t)head_len;
    request->number = number;
    request->shape = shape;
    memcpy(plan->text + plan->text_len, maker->text.p, maker->text.len);
    plan->text_len += maker->text.len;
    return request;
}

void plan_path_bucket(struct maker *maker)
{
    buf_clear(&maker->path);
    buf_char(&maker->path, '/');
    uri_encode(&maker->path, maker->options->bucket, URI_KEEP_NONE);
}

void plan_path_key(struct maker *maker, uint32_t number)
{
    plan_path_bucket(maker);
    buf_char(&maker->path, '/');
    key_write(&maker->path, number, maker->options->prefixes);
}

struct request *plan_add_bare(struct maker *maker, uint8_t shape, struct str method,
                              uint32_t number)
{
    char signature[SIGN_SIGNATURE_LEN];
    struct sign_call call = { .method = method,
                              .path = buf_view(&maker->path),
                              .query = buf_view(&maker->query),
                              .payload = sign_empty_sha256(),
                              .content_length = UINT64_MAX };

    buf_clear(&maker->text);
    sign_head(maker->signer, &call, &maker->scratch, &maker->text, signature);
    return plan_add(maker, shape, maker->text.len, number);
}

bool plan_make(struct plan *plan, const struct options *options, const struct signer *signer,
               struct fault *fault)
{
    static bool (*const makers[BENCH_COMMANDS])(struct maker *) = {
        [BENCH_FILL] = plan_make_writes,         [BENCH_GET] = plan_make_reads,
        [BENCH_HEAD] = plan_make_reads,          [BENCH_PUT] = plan_make_writes,
        [BENCH_DELETE] = plan_make_deletes,      [BENCH_DELETE_MANY] = plan_make_deletes,
        [BENCH_COPY] = plan_make_copies,         [BENCH_LIST] = plan_make_lists,
        [BENCH_LIST_RANDOM] = plan_make_lists,   [BENCH_LIST_PREFIXES] = plan_make_lists,
        [BENCH_LIST_VERSIONS] = plan_make_lists, [BENCH_MIXED] = plan_make_mixed,
    };
    CLEANUP(maker_free) struct maker maker = MAKER(plan, options, signer, fault);

    assert(makers[options->command] != NULL);
    return makers[options->command](&maker) || fault_set(fault, false, "no memory");
}
