/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjects, ListObjectsV2: current versions in key order.
 *
 * Rows are given to the visitor where they lie in SQLite's page: nothing is copied.
 */
#include "storage/catalog/page.h"
#include "storage/catalog/sql.h"

/* From page->lower to the end, or to where the page wants to start again (ret_step). */
static enum store_status scan(struct catalog *cat, int64_t bucket_id, struct page *page,
                              list_visit *visit, void *context, enum page_step *ret_step,
                              struct fault *fault)
{
    static struct sql sql = { .text = "SELECT" VERSION_COLUMNS "FROM object"
                                      " WHERE bucket = ?1 AND key >= ?2 AND key < ?3"
                                      " ORDER BY key" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    struct version version;
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_str(stmt, 2, key_view(&page->lower));
    sql_bind_str(stmt, 3, key_view(&page->upper));

    for (;;) {
        struct str prefix = STR_NONE;
        enum page_step step;

        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK)
            return status;

        struct str key = row ? sql_str(stmt, 0) : STR_NONE;

        if (!row)
            step = PAGE_END;
        else if ((sql_i64(stmt, 3) & FLAG_DELETE_MARKER) != 0)
            step = page_hidden(page, key);
        else
            step = page_offer(page, key, &prefix);

        switch (step) {
        case PAGE_SKIP:
            continue;
        case PAGE_RESEEK:
        case PAGE_END:
            *ret_step = step;
            return STORE_OK;
        case PAGE_PREFIX:
            if (!visit(context, prefix, NULL))
                return STORE_STOPPED;
            continue;
        case PAGE_KEY:
            status = row_version(cat, stmt, /* arena= */ NULL, /* latest= */ true, &version, fault);
            if (status != STORE_OK)
                return status;
            if (!visit(context, STR_NONE, &version))
                return STORE_STOPPED;
        }
    }
}

enum store_status catalog_object_list(struct catalog *cat, int64_t bucket_id,
                                      const struct list_query *query, list_visit *visit,
                                      void *context, struct arena *arena, struct list_end *ret_end,
                                      struct fault *fault)
{
    struct page page;
    struct list_end end = { 0 };
    enum page_step step = PAGE_RESEEK;
    enum store_status status;

    page_start(&page, query->prefix, query->delimiter, query->after,
               query->start_after ? PAGE_AFTER_KEY : PAGE_AFTER_TOKEN, query->max);
    while (!page.empty && step == PAGE_RESEEK) {
        status = scan(cat, bucket_id, &page, visit, context, &step, fault);
        if (status != STORE_OK)
            return status;
    }

    end.truncated = page.truncated;
    end.next = key_view(&page.last);
    end.next_version_id = STR("");
    if (!sql_keep(arena, &end.next))
        return fault_set(fault, STORE_NO_MEMORY, "end of a listing");

    *ret_end = end;
    return STORE_OK;
}
