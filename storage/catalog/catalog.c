/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to catalog.db: open, configure, close.
 *
 * (1) Once there is a connection the database file is opened by SQLite only: closing any other
 *     descriptor of it would drop SQLite's locks.
 * (2) A reader's connection cannot write (query_only).
 */
#include <limits.h>
#include <stdio.h>

#include "storage/catalog/sql.h"

/* The attributes of a few versions at a time. */
#define SCRATCH_FIRST_BYTES 16384
#define SCRATCH_BYTES_MAX 1048576

/* Kept in place between checkpoints: rewriting a log is cheaper than growing one. */
#define WAL_KEEP_BYTES 67108864

static const char setup_common[] = "PRAGMA foreign_keys = OFF;"
                                   "PRAGMA temp_store = MEMORY;"
                                   "PRAGMA mmap_size = 0;"
                                   "PRAGMA cell_size_check = ON;";
static const char setup_reader[] = "PRAGMA cache_size = -1024;"
                                   "PRAGMA query_only = ON;"
                                   "PRAGMA wal_autocheckpoint = 0;";
static const char setup_writer[] = "PRAGMA secure_delete = OFF;"
                                   "PRAGMA cache_size = -4096;"
                                   "PRAGMA journal_size_limit = " STRINGIFY(WAL_KEEP_BYTES) ";";

const char *catalog_library_version(void)
{
    return sqlite3_libversion();
}

static int on_wal(void *context, sqlite3 *db, const char *schema, int pages)
{
    struct catalog *cat = context;

    (void)db;
    (void)schema;
    cat->wal_bytes = (uint64_t)pages * CATALOG_PAGE_BYTES;
    return SQLITE_OK;
}

static enum store_status configure(struct catalog *cat, enum store_durability durability,
                                   struct fault *fault)
{
    enum store_status status;

    (void)sqlite3_extended_result_codes(cat->db, 1);
    (void)sqlite3_busy_timeout(cat->db, BUSY_TIMEOUT_MS);
    (void)sqlite3_db_config(cat->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(cat->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);

    status = sql_script(cat, setup_common, fault);
    if (status != STORE_OK)
        return status;
    if (cat->mode != CATALOG_WRITER)
        return sql_script(cat, setup_reader, fault);

    status = sql_script(cat, "PRAGMA journal_mode = WAL", fault);
    if (status == STORE_OK)
        status = sql_script(cat, setup_writer, fault);
    /* NORMAL still syncs around checkpoints, so a power cut loses the newest, not the whole. */
    if (status == STORE_OK)
        status = sql_script(cat,
                            durability == STORE_STRICT ? "PRAGMA synchronous = FULL"
                                                       : "PRAGMA synchronous = NORMAL",
                            fault);
    (void)sqlite3_wal_hook(cat->db, on_wal, cat); /* also switches automatic checkpoints off */
    return status;
}

static enum store_status load_seq(struct catalog *cat, struct fault *fault)
{
    enum store_status status =
        sql_script_i64(cat, "SELECT value FROM meta WHERE name = 'seq'", &cat->seq, fault);

    cat->seq_reserved = cat->seq;
    cat->seq_reserved_on_disk = cat->seq;
    return status;
}

static enum store_status load_subscribers(struct catalog *cat, struct fault *fault)
{
    int64_t any = 0;
    enum store_status status =
        sql_script_i64(cat, "SELECT EXISTS(SELECT 1 FROM subscriber)", &any, fault);

    cat->events_max = STORE_EVENTS_MAX;
    cat->subscribers = any != 0 ? SUBSCRIBERS_SOME : SUBSCRIBERS_NONE;
    return status;
}

enum store_status catalog_open(const char *dir, enum catalog_mode mode,
                               enum store_durability durability, struct catalog **ret_catalog,
                               struct fault *fault)
{
    char path[PATH_MAX];
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                SQLITE_OPEN_NOFOLLOW;
    CLEANUP(catalog_closep) struct catalog *cat = mem_zalloc(sizeof(*cat));
    const char *vfs = vfs_name();
    enum store_status status;
    int rc;

    if (cat == NULL || vfs == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "open the catalog");
    if (snprintf(path, sizeof(path), "%s/catalog.db", dir) >= (int)sizeof(path))
        return store_fault(fault, STORE_IO, "the path of the store is too long");

    cat->mode = mode;
    cat->clock = &clock_of_system;
    if (mode == CATALOG_WRITER) {
        cat->scratch = arena_open(SCRATCH_FIRST_BYTES, SCRATCH_BYTES_MAX);
        if (cat->scratch == NULL)
            return store_fault(fault, STORE_NO_MEMORY, "open the catalog");
    }
    rc = sqlite3_open_v2(path, &cat->db, flags, vfs);
    if (rc != SQLITE_OK)
        return sql_fail(cat, rc, fault, "open catalog.db");

    status = configure(cat, durability, fault);
    if (status == STORE_OK && mode != CATALOG_READER)
        status = schema_check(cat, fault);
    if (status == STORE_OK && mode == CATALOG_WRITER)
        status = load_seq(cat, fault);
    if (status == STORE_OK && mode == CATALOG_WRITER)
        status = load_subscribers(cat, fault);
    if (status != STORE_OK)
        return status;

    *ret_catalog = cat;
    cat = NULL;
    return STORE_OK;
}

void catalog_use_clock(struct catalog *cat, const struct clock *clock)
{
    cat->clock = clock;
}

void catalog_close(struct catalog *cat)
{
    if (cat == NULL)
        return;

    for (size_t i = 0; i < SQL_SLOTS; i++)
        (void)sqlite3_finalize(cat->statements[i]);
    account_cache_free(cat);
    arena_close(cat->scratch);
    (void)sqlite3_close(cat->db);
    mem_free(cat);
}

void catalog_closep(struct catalog **cat)
{
    catalog_close(*cat);
    *cat = NULL;
}
