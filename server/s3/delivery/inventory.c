/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inventories that are due; see inventory.h.
 */
#include "server/s3/delivery/inventory.h"

#include <string.h>

#include "base/log.h"
#include "server/s3/bucket_config.h"
#include "server/s3/delivery/inventory_report.h"

#define ARENA_FIRST_BYTES 8192
#define ARENA_BYTES_MAX BUCKET_CONFIG_BYTES_MAX
#define US_PER_DAY (24 * 3600 * US_PER_S)
#define DAYS_PER_WEEK 7
#define SUNDAY_AT 3 /* days behind the Thursday that 1970 began with */
#define KIND STR("inventory")

int64_t inventory_period_us(int64_t now_us, bool weekly)
{
    int64_t day = now_us / US_PER_DAY;

    if (weekly)
        day -= (day - SUNDAY_AT) % DAYS_PER_WEEK;
    return day * US_PER_DAY;
}

struct walk {
    const struct errands *errands;
    struct loop_store *at;
    const struct lifecycle *lifecycle; /* of the bucket that is looked at; NULL: none */
    struct inventory_round *round;
};

/* ---- one bucket -------------------------------------------------------------------------------- */

static void deliver(struct walk *walk, const struct bucket *source,
                    const struct inventory_rule *rule)
{
    int64_t now_us = clock_now_us(store_clock(walk->at->held->store));
    const struct inventory_task task = { .errands = walk->errands,
                                         .at = walk->at,
                                         .source = source,
                                         .lifecycle = walk->lifecycle,
                                         .rule = rule,
                                         .period_us = inventory_period_us(now_us, rule->weekly),
                                         .file_rows = INVENTORY_FILE_ROWS_MAX };

    walk->round->enabled++;
    switch (inventory_report(&task)) {
    case INVENTORY_DELIVERED:
        walk->round->delivered++;
        break;
    case INVENTORY_FAILED:
        walk->round->failed++;
        break;
    case INVENTORY_STOPPED:
        walk->round->stopped = true;
        break;
    case INVENTORY_THERE:
        break;
    }
}

/* A document that another version of pail has judged may say what this one does not know. */
static void look_at_document(struct walk *walk, const struct bucket *source,
                             const struct bucket_document *document)
{
    struct arena *arena = arena_open(ARENA_FIRST_BYTES, ARENA_BYTES_MAX);
    const struct xml_node *root =
        arena != NULL ? xml_parse(document->body, STR("InventoryConfiguration"), arena, NULL)
                      : NULL;
    struct inventory_rule rule;

    if (root != NULL && inventory_rule_parse(root, &rule) == INVENTORY_GOOD && rule.enabled)
        deliver(walk, source, &rule);
    arena_close(arena);
}

static void look_at_bucket(struct walk *walk, struct str name, struct arena *arena)
{
    const struct bucket_config *config = &bucket_config_none;
    struct bucket bucket;
    bool found;

    reader_begin(walk->at->reader);
    found = bucket_get(walk->at->reader, name, arena, &bucket, NULL) == STORE_OK &&
            bucket_config_use(walk->at->configs, walk->at->reader, &bucket, &config, NULL) ==
                STORE_OK;
    reader_end(walk->at->reader);
    walk->lifecycle = config->lifecycle;
    for (size_t i = 0; found && i < config->document_count && !walk->round->stopped; i++)
        if (str_eq(config->documents[i].kind, KIND))
            look_at_document(walk, &bucket, &config->documents[i]);
    walk->lifecycle = NULL;
    bucket_config_leave(config);
}

/* ---- all --------------------------------------------------------------------------------------- */

/* The first name that is visited. */
struct next_name {
    char text[256];
    size_t len;
};

static bool take_name(void *context, struct str name)
{
    struct next_name *next = context;

    next->len = name.len < sizeof(next->text) ? name.len : 0;
    memcpy(next->text, name.p, next->len);
    return false;
}

static void look_at_store(struct walk *walk)
{
    struct next_name next = { .len = 0 };
    struct fault fault = { 0 };
    enum store_status status = STORE_STOPPED;

    while (status == STORE_STOPPED && !walk->round->stopped) {
        struct str after = str_make(next.text, next.len);
        struct arena *arena;

        status = bucket_list_with_document(walk->at->reader, KIND, after, take_name, &next, &fault);
        reader_let_go(walk->at->reader);
        if (status != STORE_STOPPED)
            break;
        arena = arena_open(ARENA_FIRST_BYTES, ARENA_BYTES_MAX);
        if (arena == NULL)
            break;
        look_at_bucket(walk, str_make(next.text, next.len), arena);
        arena_close(arena);
    }
    if (status != STORE_OK && !walk->round->stopped) {
        log_warn("inventory: buckets can not be looked at: %s",
                 fault.text[0] != '\0' ? fault.text : store_status_name(status));
        walk->round->failed++;
    }
}

struct inventory_round inventory_run(const struct errands *errands)
{
    struct inventory_round round = { 0 };
    struct walk walk = { .errands = errands, .round = &round };
    struct str name = STR_NONE;
    char text[STORE_NAME_BYTES_MAX];
    struct open_store *held;

    while (!round.stopped && (held = stores_take_next(errands->options->stores, name)) != NULL) {
        struct fault fault = { 0 };

        memcpy(text, held->name.p, held->name.len);
        name = str_make(text, held->name.len);
        stores_give_back(held);
        if (loop_stores_use(errands->stores, name, &walk.at, &fault) != STORE_OK)
            continue;
        look_at_store(&walk);
        reader_let_go(walk.at->reader);
        loop_stores_leave(walk.at);
    }
    return round;
}
