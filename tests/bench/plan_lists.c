/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans that list. A page is named by the key it starts after, which is known ahead because all
 * keys are; a client's continuation token says the same.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 */
#include <stdlib.h>

#include "base/random.h"
#include "tests/bench/key.h"
#include "tests/bench/plan.h"

#define PAGE_KEYS 1000
#define RANDOM_PAGES_DEFAULT 1000

/* Keys have one length, so their order is that of the scrambled number. */
static int scrambled_compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a * UINT32_C(2654435761);
    uint32_t right = *(const uint32_t *)b * UINT32_C(2654435761);

    return left < right ? -1 : left > right;
}

static uint32_t *numbers_sorted(uint64_t count)
{
    uint32_t *numbers = mem_zalloc((size_t)count * sizeof(*numbers));

    if (numbers == NULL)
        return NULL;
    for (uint64_t i = 0; i < count; i++)
        numbers[i] = (uint32_t)i;
    qsort(numbers, (size_t)count, sizeof(*numbers), scrambled_compare);
    return numbers;
}

static void numbers_freep(uint32_t **numbers)
{
    mem_free(*numbers);
}

/* after: a number, or UINT64_MAX for the first page. */
static bool page_add(struct maker *maker, uint8_t shape, uint64_t after)
{
    struct buf *query = &maker->query;

    buf_clear(query);
    if (maker->options->command == BENCH_LIST_VERSIONS) {
        if (after != UINT64_MAX) {
            buf_lit(query, "key-marker=");
            key_write(query, (uint32_t)after, 0);
            buf_char(query, '&');
        }
        buf_printf(query, "max-keys=%d&versions=", PAGE_KEYS);
    } else {
        if (maker->options->command == BENCH_LIST_PREFIXES)
            buf_lit(query, "delimiter=%2F&");
        buf_printf(query, "list-type=2&max-keys=%d", PAGE_KEYS);
        if (after != UINT64_MAX) {
            buf_lit(query, "&start-after=");
            key_write(query, (uint32_t)after, 0);
        }
    }
    plan_path_bucket(maker);
    return plan_add_bare(maker, shape, STR("GET"), (uint32_t)after) != NULL;
}

static bool forward(struct maker *maker, uint8_t shape, const uint32_t *sorted, uint64_t pages)
{
    if (!plan_reserve(maker->plan, pages, maker->fault))
        return false;
    for (uint64_t i = 0; i < pages; i++)
        if (!page_add(maker, shape, i == 0 ? UINT64_MAX : sorted[i * PAGE_KEYS - 1]))
            return false;
    plan_lane(maker->plan, ORDER_CYCLE, 0, 1);
    return true;
}

static bool at_random(struct maker *maker, uint8_t shape, const uint32_t *sorted, uint64_t starts)
{
    uint64_t count = maker->options->requests > 0 ? maker->options->requests : RANDOM_PAGES_DEFAULT;

    if (!plan_reserve(maker->plan, count, maker->fault))
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!page_add(maker, shape, sorted[random_u64() % starts]))
            return false;
    plan_lane(maker->plan, ORDER_RANDOM, 0, 1);
    return true;
}

bool plan_make_lists(struct maker *maker)
{
    const struct options *options = maker->options;
    bool versions = options->command == BENCH_LIST_VERSIONS;
    uint64_t page_keys = versions ? PAGE_KEYS / options->versions : PAGE_KEYS;
    CLEANUP(numbers_freep) uint32_t *sorted = NULL;
    uint8_t index =
        plan_shape(maker->plan, versions ? STR("LIST-VERSIONS") : STR("LIST"), EXPECT_COUNTED);
    struct shape *shape = &maker->plan->shapes[index];

    shape->needle_count = PAGE_KEYS;
    if (options->command == BENCH_LIST_PREFIXES) {
        if (options->prefixes == 0)
            return fault_set(maker->fault, false, "list-prefixes needs the --prefixes of the fill");
        shape->needle = STR("<CommonPrefixes>");
        shape->needle_count = u64_min(options->prefixes, PAGE_KEYS);
        if (!plan_reserve(maker->plan, 1, maker->fault) || !page_add(maker, index, UINT64_MAX))
            return false;
        plan_lane(maker->plan, ORDER_CYCLE, 0, 1);
        return true;
    }

    shape->needle = versions ? STR("<Version>") : STR("<Contents>");
    if (options->prefixes > 0)
        return fault_set(maker->fault, false, "of the lists only list-prefixes takes --prefixes");
    if (versions && PAGE_KEYS % options->versions != 0)
        return fault_set(maker->fault, false, "--versions does not divide %d", PAGE_KEYS);
    if (options->keys <= page_keys)
        return fault_set(maker->fault, false, "a list needs --keys above %llu",
                         (unsigned long long)page_keys);
    sorted = numbers_sorted(options->keys);
    if (sorted == NULL)
        return false;
    return options->command == BENCH_LIST
               ? forward(maker, index, sorted, options->keys / PAGE_KEYS)
               : at_random(maker, index, sorted, options->keys - page_keys);
}
