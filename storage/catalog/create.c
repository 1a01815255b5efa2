/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new catalog: the bytes of an empty database with the schema, made in memory.
 *
 * Whoever makes a store writes them as one file under another name, so a crash leaves no database
 * or this one. SQLite itself would build it in place, through a journal and six syncs.
 */
#include "storage/catalog/columns.h"
#include "storage/catalog/sql.h"

#include "catalog_schema.h"

#define IMAGE_BYTES_MAX (1024u * 1024u)

/* Where a database says how it is written and read: 1 is a journal, 2 the write-ahead log.
 * https://www.sqlite.org/fileformat2.html#file_format_version_numbers */
#define WRITE_VERSION_AT 18
#define READ_VERSION_AT 19
#define VERSION_WAL 2

static const char facts[] = "INSERT INTO meta(name, value) VALUES('seq', 0);"
                            "PRAGMA application_id = " STRINGIFY(APPLICATION_ID);
static struct sql scrubbed = { .text = "INSERT INTO meta(name, value) VALUES('scrub_us', ?1)" };

static void image_free(unsigned char **image)
{
    sqlite3_free(*image);
}

enum store_status catalog_image(const struct clock *clock, struct buf *ret_image,
                                struct fault *fault)
{
    CLEANUP(catalog_closep) struct catalog *cat = mem_zalloc(sizeof(*cat));
    CLEANUP(image_free) unsigned char *image = NULL;
    sqlite3_int64 bytes = 0;
    enum store_status status;
    int rc;

    if (cat == NULL || vfs_name() == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "make a catalog");
    rc = sqlite3_open_v2(":memory:", &cat->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return sql_fail(cat, rc, fault, "make a catalog");
    status = sql_script(cat, "BEGIN", fault);
    if (status == STORE_OK)
        status = sql_script(cat, catalog_schema_sql, fault);
    if (status == STORE_OK)
        status = sql_script(cat, facts, fault);
    if (status == STORE_OK)
        status = schema_mark(cat, SCHEMA_VERSION, fault);
    /* There is nothing to scrub yet. */
    if (status == STORE_OK)
        status = sql_run_i64(cat, &scrubbed, clock_now_us(clock), 0, fault);
    if (status == STORE_OK)
        status = sql_script(cat, "COMMIT", fault);
    if (status != STORE_OK)
        return status;

    image = sqlite3_serialize(cat->db, "main", &bytes, 0);
    if (image == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "make a catalog");
    image[WRITE_VERSION_AT] = VERSION_WAL;
    image[READ_VERSION_AT] = VERSION_WAL;

    *ret_image = BUF_WITH_MAX(IMAGE_BYTES_MAX);
    buf_append(ret_image, image, (size_t)bytes);
    if (!ret_image->failed)
        return STORE_OK;
    buf_free(ret_image);
    return store_fault(fault, STORE_NO_MEMORY, "make a catalog");
}
