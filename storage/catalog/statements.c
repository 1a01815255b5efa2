/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepared statements of one connection, and SQLite's results in our words.
 *
 * (1) A statement is prepared at its first use and finalized with the connection.
 * (2) sql_fail is the only place that knows SQLite's result codes.
 */
#include <errno.h>

#include <assert.h>

#include "storage/catalog/sql.h"

/* Slot numbers are given once per process and mean the same in every connection. */
static int statement_slot(struct sql *sql)
{
    static atomic_int slots_given;
    int slot = atomic_load_explicit(&sql->slot, memory_order_relaxed);

    if (slot != 0)
        return slot;

    int fresh = atomic_fetch_add(&slots_given, 1) + 1;
    int none = 0;

    /* Lost races waste a slot each: threads that meet at a first use are few. */
    return atomic_compare_exchange_strong(&sql->slot, &none, fresh) ? fresh : none;
}

enum store_status sql_start(struct catalog *cat, struct sql *sql, sqlite3_stmt **ret_stmt,
                            struct fault *fault)
{
    int slot = statement_slot(sql);

    assert(slot < SQL_SLOTS);
    if (cat->statements[slot] == NULL) {
        int rc = sqlite3_prepare_v3(cat->db, sql->text, -1, SQLITE_PREPARE_PERSISTENT,
                                    &cat->statements[slot], NULL);

        if (rc != SQLITE_OK)
            return sql_fail(cat, rc, fault, "prepare");
    }

    /* A statement in use would be reset under its owner's feet. */
    assert(!sqlite3_stmt_busy(cat->statements[slot]));
    cat->statement_runs++;
    *ret_stmt = cat->statements[slot];
    return STORE_OK;
}

void sql_done(sqlite3_stmt **stmt)
{
    if (*stmt == NULL)
        return;

    (void)sqlite3_reset(*stmt);
    (void)sqlite3_clear_bindings(*stmt); /* what they point to may be gone at the next use */
    *stmt = NULL;
}

enum store_status sql_step(struct catalog *cat, sqlite3_stmt *stmt, bool *ret_row,
                           struct fault *fault)
{
    int rc = sqlite3_step(stmt);

    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sql_fail(cat, rc, fault, sqlite3_sql(stmt));

    *ret_row = rc == SQLITE_ROW;
    return STORE_OK;
}

enum store_status sql_run(struct catalog *cat, sqlite3_stmt *stmt, struct fault *fault)
{
    bool row;

    return sql_step(cat, stmt, &row, fault);
}

enum store_status sql_run_i64(struct catalog *cat, struct sql *sql, int64_t a, int64_t b,
                              struct fault *fault)
{
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, sql, &stmt, fault);

    if (status != STORE_OK)
        return status;

    sql_bind_i64(stmt, 1, a);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sql_bind_i64(stmt, 2, b);
    return sql_run(cat, stmt, fault);
}

enum store_status sql_script(struct catalog *cat, const char *text, struct fault *fault)
{
    int rc = sqlite3_exec(cat->db, text, NULL, NULL, NULL);

    return rc == SQLITE_OK ? STORE_OK : sql_fail(cat, rc, fault, "script");
}

enum store_status sql_script_i64(struct catalog *cat, const char *text, int64_t *ret_value,
                                 struct fault *fault)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(cat->db, text, -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *ret_value = sqlite3_column_int64(stmt, 0);

    (void)sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? STORE_OK : sql_fail(cat, rc, fault, text);
}

/* After these nobody knows what the disk holds. */
static bool device_error(int rc)
{
    return rc == SQLITE_IOERR_WRITE || rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC ||
           rc == SQLITE_IOERR_TRUNCATE;
}

static bool lacks_descriptors(struct catalog *cat, int rc)
{
    int error = cat->db != NULL ? sqlite3_system_errno(cat->db) : 0;

    return (rc & 0xff) == SQLITE_CANTOPEN && (error == EMFILE || error == ENFILE);
}

enum store_status sql_fail(struct catalog *cat, int rc, struct fault *fault, const char *what)
{
    const char *text = cat->db != NULL ? sqlite3_errmsg(cat->db) : sqlite3_errstr(rc);

    cat->device_failed = cat->device_failed || device_error(rc);
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return store_fault(fault, STORE_FULL, "catalog: %s (%.120s)", text, what);
    case SQLITE_NOMEM:
        return store_fault(fault, STORE_NO_MEMORY, "catalog: %s (%.120s)", text, what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return store_fault(fault, STORE_DAMAGED, "catalog: %s (%.120s)", text, what);
    default:
        if (rc == SQLITE_IOERR_NOMEM || lacks_descriptors(cat, rc))
            return store_fault(fault, STORE_NO_MEMORY, "catalog: %s (%.120s)", text, what);
        return store_fault(fault, STORE_IO, "catalog: %s, code %d (%.120s)", text, rc, what);
    }
}

void sql_bind_i64(sqlite3_stmt *stmt, int at, int64_t value)
{
    (void)sqlite3_bind_int64(stmt, at, value);
}

void sql_bind_str(sqlite3_stmt *stmt, int at, struct str value)
{
    if (!str_present(value))
        (void)sqlite3_bind_null(stmt, at);
    else
        (void)sqlite3_bind_blob64(stmt, at, value.p, value.len, SQLITE_STATIC);
}

void sql_bind_text(sqlite3_stmt *stmt, int at, struct str value)
{
    sql_bind_str(stmt, at, str_present(value) ? value : STR(""));
}

int64_t sql_i64(sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_int64(stmt, column);
}

struct str sql_str(sqlite3_stmt *stmt, int column)
{
    const void *p = sqlite3_column_blob(stmt, column);

    if (p != NULL)
        return str_make(p, (size_t)sqlite3_column_bytes(stmt, column));

    /* SQLite gives NULL for an empty value too. */
    return sqlite3_column_type(stmt, column) == SQLITE_NULL ? STR_NONE : STR("");
}

bool sql_keep(struct arena *arena, struct str *text)
{
    if (arena == NULL || !str_present(*text))
        return true;

    *text = arena_dup(arena, *text);
    return str_present(*text);
}
