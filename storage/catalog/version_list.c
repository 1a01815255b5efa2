/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListObjectVersions: the current row of each key, then its history, newest first.
 *
 * A merge of two scans in key order. On equal keys the current row goes first: it is always the
 * newest.
 */
#include "storage/catalog/page.h"
#include "storage/catalog/row.h"

/* Behind what all listings read; ?4: whether tags are wanted, which lie in long rows. */
#define MERGED_COLUMNS LISTED_COLUMNS("?5") ", seq, tail, owner, iif(?4, tags, NULL) "

struct merge {
    struct catalog *cat;
    struct page page;
    list_visit *visit;
    void *context;
    struct fault *fault;
    bool tags, restores;
    bool has_last;
    bool last_null;
    int64_t last_seq;
    uint64_t last_tail;
};

/* Give one row to the page. */
static enum store_status offer(struct merge *merge, sqlite3_stmt *stmt, bool latest,
                               enum page_step *ret_step)
{
    struct str prefix = STR_NONE;
    struct listed_version listed;
    enum store_status status;

    *ret_step = page_offer(&merge->page, sql_str(stmt, LISTED_AT_key), &prefix);
    if (*ret_step == PAGE_PREFIX) {
        merge->has_last = false;
        return merge->visit(merge->context, prefix, NULL) ? STORE_OK : STORE_STOPPED;
    }
    if (*ret_step != PAGE_KEY)
        return STORE_OK;

    row_listed(stmt, latest, &listed);
    listed.seq = sql_i64(stmt, LISTED_COLUMN_COUNT);
    listed.tail = (uint64_t)sql_i64(stmt, LISTED_COLUMN_COUNT + 1);
    listed.tags = sql_str(stmt, LISTED_COLUMN_COUNT + 3);
    status = account_text(merge->cat, sql_i64(stmt, LISTED_COLUMN_COUNT + 2), &listed.owner,
                          merge->fault);
    if (status != STORE_OK)
        return status;
    merge->has_last = true;
    merge->last_null = listed.null_version;
    merge->last_seq = listed.seq;
    merge->last_tail = listed.tail;
    return merge->visit(merge->context, STR_NONE, &listed) ? STORE_OK : STORE_STOPPED;
}

/*
 * Rows of one key that are older than before_seq. ret_step: PAGE_SKIP when there are no more;
 * PAGE_RESEEK when the rest of the key falls under one prefix.
 */
static enum store_status offer_older(struct merge *merge, struct sql *sql, int64_t bucket_id,
                                     struct str key, int64_t before_seq, bool latest,
                                     enum page_step *ret_step)
{
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(merge->cat, sql, &stmt, merge->fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_text(stmt, 2, key);
    sql_bind_i64(stmt, 3, before_seq);
    sql_bind_i64(stmt, 4, merge->tags);
    sql_bind_i64(stmt, 5, merge->restores);

    *ret_step = PAGE_SKIP;
    for (;;) {
        enum page_step step;

        status = sql_step(merge->cat, stmt, &row, merge->fault);
        if (status != STORE_OK || !row)
            return status;
        status = offer(merge, stmt, latest, &step);
        if (status != STORE_OK)
            return status;
        if (step == PAGE_END || step == PAGE_RESEEK) {
            *ret_step = step;
            return STORE_OK;
        }
    }
}

/*
 * Versions of the marker's key that are older than the marker. One of them may have become the
 * current one since: what was newer may be gone, the marker itself too.
 */
static enum store_status scan_marker_key(struct merge *merge, int64_t bucket_id, struct str key,
                                         int64_t before_seq, enum page_step *ret_step)
{
    static struct sql current_sql = { .text = "SELECT" MERGED_COLUMNS "FROM object"
                                              " WHERE bucket = ?1 AND key = ?2 AND seq < ?3" };
    static struct sql history_sql = { .text = "SELECT" MERGED_COLUMNS "FROM version"
                                              " WHERE bucket = ?1 AND key = ?2 AND seq < ?3"
                                              " ORDER BY seq DESC" };
    enum store_status status =
        offer_older(merge, &current_sql, bucket_id, key, before_seq, /* latest= */ true, ret_step);

    if (status == STORE_OK && *ret_step == PAGE_SKIP)
        status = offer_older(merge, &history_sql, bucket_id, key, before_seq, /* latest= */ false,
                             ret_step);
    if (status == STORE_OK && *ret_step == PAGE_SKIP)
        *ret_step = PAGE_RESEEK;
    return status;
}

static void bind_range(sqlite3_stmt *stmt, int64_t bucket_id, const struct merge *merge)
{
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_str(stmt, 2, key_view(&merge->page.lower));
    sql_bind_str(stmt, 3, key_view(&merge->page.upper));
    sql_bind_i64(stmt, 4, merge->tags);
    sql_bind_i64(stmt, 5, merge->restores);
}

static enum store_status scan(struct merge *merge, int64_t bucket_id, enum page_step *ret_step)
{
    static struct sql current_sql = { .text = "SELECT" MERGED_COLUMNS "FROM object"
                                              " WHERE bucket = ?1 AND key >= ?2 AND key < ?3"
                                              " ORDER BY key" };
    static struct sql history_sql = { .text = "SELECT" MERGED_COLUMNS "FROM version"
                                              " WHERE bucket = ?1 AND key >= ?2 AND key < ?3"
                                              " ORDER BY key, seq DESC" };
    CLEANUP(sql_done) sqlite3_stmt *current = NULL;
    CLEANUP(sql_done) sqlite3_stmt *history = NULL;
    bool has_current = false;
    bool has_history = false;
    enum store_status status = sql_start(merge->cat, &current_sql, &current, merge->fault);

    if (status == STORE_OK)
        status = sql_start(merge->cat, &history_sql, &history, merge->fault);
    if (status != STORE_OK)
        return status;
    bind_range(current, bucket_id, merge);
    bind_range(history, bucket_id, merge);
    status = sql_step(merge->cat, current, &has_current, merge->fault);
    if (status == STORE_OK)
        status = sql_step(merge->cat, history, &has_history, merge->fault);

    while (status == STORE_OK && (has_current || has_history)) {
        bool take_current = has_current &&
                            (!has_history || str_compare(sql_str(current, LISTED_AT_key),
                                                         sql_str(history, LISTED_AT_key)) <= 0);
        enum page_step step;

        status = offer(merge, take_current ? current : history, take_current, &step);
        if (status != STORE_OK)
            return status;
        if (step == PAGE_END || step == PAGE_RESEEK) {
            *ret_step = step;
            return STORE_OK;
        }
        status = take_current ? sql_step(merge->cat, current, &has_current, merge->fault)
                              : sql_step(merge->cat, history, &has_history, merge->fault);
    }

    *ret_step = PAGE_END;
    return status;
}

/*
 * The number behind a version marker. "null" names a place only while there is a null version; when
 * it is gone the key is listed again from its newest: to say something twice is better than never.
 */
static enum store_status marker_seq(struct merge *merge, int64_t bucket_id,
                                    const struct list_query *query, struct arena *arena,
                                    int64_t *ret_seq)
{
    struct version version;
    enum store_status status;

    *ret_seq = query->version_marker.seq;
    if (query->version_marker.kind == VERSION_EXACT)
        return STORE_OK;

    status = catalog_version_get(merge->cat, bucket_id, query->after, query->version_marker, arena,
                                 &version, merge->fault);
    *ret_seq = status == STORE_OK ? version.seq : INT64_MAX;
    return status == STORE_NO_VERSION || status == STORE_NO_KEY ? STORE_OK : status;
}

static enum store_status run(struct merge *merge, int64_t bucket_id, const struct list_query *query,
                             struct arena *arena)
{
    enum page_step step = PAGE_RESEEK;
    enum store_status status = STORE_OK;
    int64_t before_seq;

    page_start(&merge->page, query->prefix, query->delimiter, query->after, PAGE_AFTER_TOKEN,
               query->max);
    if (merge->page.empty)
        return STORE_OK;

    if (query->has_version_marker && merge->page.marker_applies &&
        str_starts(query->after, query->prefix)) {
        status = marker_seq(merge, bucket_id, query, arena, &before_seq);
        if (status == STORE_OK)
            status = scan_marker_key(merge, bucket_id, query->after, before_seq, &step);
    }
    while (status == STORE_OK && step == PAGE_RESEEK)
        status = scan(merge, bucket_id, &step);
    return status;
}

enum store_status catalog_version_list(struct catalog *cat, int64_t bucket_id,
                                       const struct list_query *query, list_visit *visit,
                                       void *context, struct arena *arena, struct list_end *ret_end,
                                       struct fault *fault)
{
    struct merge merge = { .cat = cat,
                           .visit = visit,
                           .context = context,
                           .tags = query->tags,
                           .restores = query->restores,
                           .fault = fault };
    struct list_end end = { 0 };
    enum store_status status = run(&merge, bucket_id, query, arena);

    if (status != STORE_OK)
        return status;

    end.truncated = merge.page.truncated;
    end.next = key_view(&merge.page.last);
    end.next_version_id = STR("");
    if (merge.has_last)
        end.next_version_id = merge.last_null ? STR("null")
                                              : id_text_in(arena, merge.last_seq, merge.last_tail);
    if (!sql_keep(arena, &end.next) || !str_present(end.next_version_id))
        return store_fault(fault, STORE_NO_MEMORY, "end of a listing");

    *ret_end = end;
    return STORE_OK;
}
