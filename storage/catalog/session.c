/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a transaction hands out: numbers, and room for what its verbs look up.
 *
 * Numbers are reserved in blocks: meta holds an upper bound of all that were ever handed out, so
 * a number is never used twice even when the newest rows were deleted before a restart.
 */
#include "storage/catalog/sql.h"

#define SEQ_BLOCK (INT64_C(1) << 20)
/* Reserved ahead of a batch, so that it rarely has to reserve again in its midst. */
#define SEQ_BATCH (INT64_C(1) << 16)

enum store_status tx_reserve_seq(struct catalog *cat, struct fault *fault)
{
    static struct sql sql = { .text = "UPDATE meta SET value = ?1 WHERE name = 'seq'" };
    enum store_status status;

    if (cat->seq_reserved - cat->seq >= SEQ_BATCH)
        return STORE_OK;

    status = sql_run_i64(cat, &sql, cat->seq + SEQ_BLOCK, 0, fault);
    if (status == STORE_OK)
        cat->seq_reserved = cat->seq + SEQ_BLOCK;
    return status;
}

struct arena *scratch_reset(struct catalog *cat)
{
    arena_reset(cat->scratch);
    return cat->scratch;
}

int64_t tx_next_seq(struct catalog *cat)
{
    if (cat->seq == cat->seq_reserved && tx_reserve_seq(cat, NULL) != STORE_OK)
        cat->tx_failed = true;
    return ++cat->seq;
}

int64_t tx_dead_seq(struct catalog *cat)
{
    if (cat->dead_seq == 0)
        cat->dead_seq = tx_next_seq(cat);
    cat->dead = true;
    return cat->dead_seq;
}

int64_t catalog_seq(const struct catalog *cat)
{
    return cat->seq;
}

bool catalog_take_dead(struct catalog *cat)
{
    bool dead = cat->dead;

    cat->dead = false;
    return dead;
}
