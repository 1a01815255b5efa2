/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjects, ListObjectsV2: current versions in key order.
 *
 * Rows are given to the visitor where they lie in SQLite's page: nothing is copied.
 */
#include "storage/catalog/page.h"
#include "storage/catalog/row.h"

struct list_place {
    struct page page;
};

struct listing {
    struct catalog *cat;
    struct page page;
    list_visit *visit;
    void *context;
    bool owners, restores;
    struct fault *fault;
};

/* The row under the statement is an entry of its own. */
static enum store_status give_key(struct listing *listing, sqlite3_stmt *stmt)
{
    struct listed_version listed;
    enum store_status status = STORE_OK;

    row_listed(stmt, /* latest= */ true, &listed);
    if (listing->owners)
        status = account_text(listing->cat, sql_i64(stmt, LISTED_COLUMN_COUNT), &listed.owner,
                              listing->fault);
    if (status != STORE_OK)
        return status;
    return listing->visit(listing->context, STR_NONE, &listed) ? STORE_OK : STORE_STOPPED;
}

static void bind_range(sqlite3_stmt *stmt, int64_t bucket_id, const struct listing *listing)
{
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_str(stmt, 2, key_view(&listing->page.lower));
    sql_bind_str(stmt, 3, key_view(&listing->page.upper));
    sql_bind_i64(stmt, 4, listing->restores);
}

/* From page->lower to the end, or to where the page wants to start again or pause (ret_step). */
static enum store_status scan(struct listing *listing, int64_t bucket_id, enum page_step *ret_step)
{
    static struct sql plain = { .text = "SELECT" LISTED_COLUMNS(
                                    "?4") "  FROM object"
                                          " WHERE bucket = ?1 AND key >= ?2 AND key < ?3"
                                          " ORDER BY key" };
    static struct sql with_owner = { .text = "SELECT" LISTED_COLUMNS(
                                         "?4") ", owner FROM object"
                                               " WHERE bucket = ?1 AND key >= ?2 AND key < ?3"
                                               " ORDER BY key" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    struct page *page = &listing->page;
    enum store_status status =
        sql_start(listing->cat, listing->owners ? &with_owner : &plain, &stmt, listing->fault);
    bool row;

    if (status != STORE_OK)
        return status;
    bind_range(stmt, bucket_id, listing);

    for (;;) {
        struct str prefix = STR_NONE;
        enum page_step step;

        status = sql_step(listing->cat, stmt, &row, listing->fault);
        if (status != STORE_OK)
            return status;

        struct str key = row ? sql_str(stmt, LISTED_AT_key) : STR_NONE;

        if (!row)
            step = PAGE_END;
        else if ((sql_i64(stmt, LISTED_AT_flags) & FLAG_DELETE_MARKER) != 0)
            step = page_hidden(page, key);
        else
            step = page_offer(page, key, &prefix);

        switch (step) {
        case PAGE_SKIP:
            continue;
        case PAGE_RESEEK:
        case PAGE_END:
        case PAGE_YIELD:
            *ret_step = step;
            return STORE_OK;
        case PAGE_PREFIX:
            if (!listing->visit(listing->context, prefix, NULL))
                return STORE_STOPPED;
            *ret_step = page_after_prefix(page);
            if (*ret_step != PAGE_SKIP)
                return STORE_OK;
            continue;
        case PAGE_KEY:
            status = give_key(listing, stmt);
            if (status != STORE_OK)
                return status;
        }
    }
}

/* All pauses of a page use one place. */
static enum store_status keep_place(const struct page *page, struct list_place *place,
                                    struct arena *arena, struct list_end *ret_end,
                                    struct fault *fault)
{
    if (place == NULL)
        place = ARENA_NEW(arena, struct list_place);
    if (place == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "place in a listing");

    place->page = *page;
    *ret_end = (struct list_end){ .place = place };
    return STORE_OK;
}

enum store_status catalog_object_list(struct catalog *cat, int64_t bucket_id,
                                      const struct list_query *query, list_visit *visit,
                                      void *context, struct arena *arena, struct list_end *ret_end,
                                      struct fault *fault)
{
    struct listing listing = {
        .cat = cat,
        .visit = visit,
        .context = context,
        .owners = query->owners,
        .restores = query->restores,
        .fault = fault,
    };
    struct page *page = &listing.page;
    struct list_end end = { 0 };
    enum page_step step = PAGE_RESEEK;
    enum store_status status;

    if (query->from != NULL) {
        *page = query->from->page;
        page_take_up(page);
    } else {
        page_start(page, query->prefix, query->delimiter, query->after,
                   query->start_after ? PAGE_AFTER_KEY : PAGE_AFTER_TOKEN, query->max);
    }
    while (!page->empty && step == PAGE_RESEEK) {
        status = scan(&listing, bucket_id, &step);
        if (status != STORE_OK)
            return status;
    }
    if (step == PAGE_YIELD)
        return keep_place(page, query->from, arena, ret_end, fault);

    end.truncated = page->truncated;
    end.next = key_view(&page->last);
    end.next_version_id = STR("");
    if (!sql_keep(arena, &end.next))
        return store_fault(fault, STORE_NO_MEMORY, "end of a listing");

    *ret_end = end;
    return STORE_OK;
}
