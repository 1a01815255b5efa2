/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListMultipartUploads: open uploads by key, then in the order they were started.
 */
#include "storage/catalog/page.h"
#include "storage/catalog/uploads/upload.h"

struct upload_scan {
    struct catalog *cat;
    struct page page;
    int64_t after_id; /* uploads of the key page.lower with a greater id */
    upload_visit *visit;
    void *context;
    struct arena *arena;
    struct fault *fault;
    struct str last_id;
};

static enum store_status give(struct upload_scan *scan, sqlite3_stmt *stmt,
                              enum page_step *ret_step)
{
    struct str prefix = STR_NONE;
    struct upload upload;
    enum store_status status;

    *ret_step = page_offer(&scan->page, sql_str(stmt, UPLOAD_AT_key), &prefix);
    if (*ret_step == PAGE_PREFIX) {
        scan->last_id = STR("");
        return scan->visit(scan->context, prefix, NULL) ? STORE_OK : STORE_STOPPED;
    }
    if (*ret_step != PAGE_KEY)
        return STORE_OK;

    status = row_upload(scan->cat, stmt, scan->arena, &upload, scan->fault);
    if (status != STORE_OK)
        return status;
    scan->last_id = upload.id;
    return scan->visit(scan->context, STR_NONE, &upload) ? STORE_OK : STORE_STOPPED;
}

static enum store_status run(struct upload_scan *scan, int64_t bucket_id, enum page_step *ret_step)
{
    static struct sql sql = { .text = "SELECT" UPLOAD_COLUMNS "FROM upload"
                                      " WHERE bucket = ?1 AND state = " SQL_UPLOAD_OPEN
                                      "   AND (key, id) > (?2, ?3) AND key < ?4"
                                      " ORDER BY key, id" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(scan->cat, &sql, &stmt, scan->fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, bucket_id);
    sql_bind_str(stmt, 2, key_view(&scan->page.lower));
    sql_bind_i64(stmt, 3, scan->after_id);
    sql_bind_str(stmt, 4, key_view(&scan->page.upper));
    scan->after_id = 0; /* a later search starts at another key */

    *ret_step = PAGE_END;
    for (;;) {
        enum page_step step;

        status = sql_step(scan->cat, stmt, &row, scan->fault);
        if (status != STORE_OK || !row)
            return status;
        status = give(scan, stmt, &step);
        if (status != STORE_OK)
            return status;
        if (step == PAGE_END || step == PAGE_RESEEK) {
            *ret_step = step;
            return STORE_OK;
        }
    }
}

/*
 * An upload that is no more still names a place: ids are given out in order. Not a marker is one
 * that was never given out, and one of another key.
 */
static enum store_status check_id_marker(struct upload_scan *scan, int64_t bucket_id,
                                         struct str key, const struct version_id *id)
{
    static struct sql sql = { .text = "SELECT (SELECT value >= ?1 FROM meta WHERE name = 'seq'),"
                                      "       COALESCE((SELECT tail = ?2 AND bucket = ?3"
                                      "                        AND key = ?4"
                                      "                   FROM upload WHERE id = ?1), 1)" };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(scan->cat, &sql, &stmt, scan->fault);
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, id->seq);
    sql_bind_i64(stmt, 2, (int64_t)id->tail);
    sql_bind_i64(stmt, 3, bucket_id);
    sql_bind_text(stmt, 4, key);
    status = sql_step(scan->cat, stmt, &row, scan->fault);
    if (status != STORE_OK)
        return status;
    return row && sql_i64(stmt, 0) != 0 && sql_i64(stmt, 1) != 0 ? STORE_OK : STORE_NO_UPLOAD;
}

/* With an upload id the marker's own key is read again, from behind that upload. */
static enum store_status apply_id_marker(struct upload_scan *scan, int64_t bucket_id,
                                         const struct upload_query *query)
{
    struct version_id id;
    enum store_status status;

    if (query->upload_id_marker.len == 0)
        return STORE_OK;
    if (!version_id_parse(query->upload_id_marker, &id) || id.kind != VERSION_EXACT)
        return STORE_NO_UPLOAD;
    status = check_id_marker(scan, bucket_id, query->key_marker, &id);
    if (status != STORE_OK || scan->page.empty || !scan->page.marker_applies ||
        !str_starts(query->key_marker, query->prefix) ||
        query->key_marker.len > STORE_KEY_BYTES_MAX)
        return status;

    scan->page.lower.len = query->key_marker.len;
    if (query->key_marker.len > 0)
        memcpy(scan->page.lower.bytes, query->key_marker.p, query->key_marker.len);
    scan->after_id = id.seq;
    return STORE_OK;
}

enum store_status catalog_upload_list(struct catalog *cat, int64_t bucket_id,
                                      const struct upload_query *query, upload_visit *visit,
                                      void *context, struct arena *arena,
                                      struct upload_end *ret_end, struct fault *fault)
{
    struct upload_scan scan = { .cat = cat,
                                .visit = visit,
                                .context = context,
                                .arena = arena,
                                .fault = fault,
                                .last_id = STR("") };
    struct upload_end end;
    enum page_step step = PAGE_RESEEK;
    enum store_status status;

    page_start(&scan.page, query->prefix, query->delimiter, query->key_marker, PAGE_AFTER_TOKEN,
               query->max);
    status = apply_id_marker(&scan, bucket_id, query);
    while (status == STORE_OK && !scan.page.empty && step == PAGE_RESEEK)
        status = run(&scan, bucket_id, &step);
    if (status != STORE_OK)
        return status;

    end = (struct upload_end){ .truncated = scan.page.truncated,
                               .next_key = key_view(&scan.page.last),
                               .next_upload_id = scan.last_id };
    if (!sql_keep(arena, &end.next_key))
        return store_fault(fault, STORE_NO_MEMORY, "end of a listing");

    *ret_end = end;
    return STORE_OK;
}
