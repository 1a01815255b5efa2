/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See kept.h.
 */
#include "kept.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text/buf.h"

#define DUMP_BYTES_MAX (1024u * 1024u)

static void remove_catalog(struct fixture *f)
{
    static const char *const names[] = { "catalog.db", "catalog.db-wal", "catalog.db-shm" };
    char path[128];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
        (void)unlink(path);
    }
}

static void load_dump(sqlite3 *db, int schema)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(DUMP_BYTES_MAX);
    char path[64];
    ssize_t got;
    int fd;

    (void)snprintf(path, sizeof(path), "tests/vectors/catalogs/schema-%d.sql", schema);
    fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && buf_reserve(&text, DUMP_BYTES_MAX / 2));
    got = read(fd, text.p, DUMP_BYTES_MAX / 2 - 1);
    assert_true(got > 0);
    text.p[got] = '\0';
    (void)close(fd);
    assert_int_equal(sqlite3_exec(db, text.p, NULL, NULL, NULL), SQLITE_OK);
}

sqlite3 *kept_sqlite(struct fixture *f)
{
    char path[128];
    sqlite3 *db;

    (void)snprintf(path, sizeof(path), "%s/catalog.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

void kept_take(struct fixture *f, int schema)
{
    sqlite3 *db;

    remove_catalog(f);
    db = kept_sqlite(f);
    load_dump(db, schema);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- what is in it ----------------------------------------------------------------------- */

static bool note_version(void *context, struct str prefix, const struct listed_version *listed)
{
    struct buf *out = context;
    char id[VERSION_TEXT_LEN];

    assert_false(str_present(prefix));
    buf_str(out, listed->key);
    buf_str(out, listed->delete_marker ? STR("-") : STR("+"));
    buf_str(out, str_eq(listed_version_id(listed, id), STR("null")) ? STR("0 ") : STR(" "));
    return true;
}

static void assert_attrs(struct fixture *f)
{
    struct version version;

    FX_OK(f, fx_head(f, "attrs", &version));
    assert_true(str_eq(version.attrs.etag, STR("e")));
    assert_true(str_eq(version.attrs.owner, STR("writer")));
    assert_true(str_eq(version.attrs.headers, STR("h")));
    assert_true(str_present(version.attrs.tags) && version.attrs.tags.len == 0);
    assert_true(str_eq(version.attrs.acl, STR("acl")));
    assert_true(str_eq(version.attrs.checksum, STR("sum")));
    assert_int_equal(version.attrs.storage_class, 3);
    assert_int_equal(version.attrs.sse, 2);
}

static bool take_upload_id(void *context, struct str prefix, const struct upload *upload)
{
    struct str *ret_id = context;

    (void)prefix;
    assert_true(str_eq(upload->key, STR("open")) && str_eq(upload->attrs.headers, STR("h")));
    *ret_id = upload->id;
    return true;
}

void kept_assert_content(struct fixture *f)
{
    CLEANUP(buf_free) struct buf versions = BUF_WITH_MAX(4096);
    struct list_query all = { .prefix = STR(""), .delimiter = STR(""), .max = STORE_LIST_MAX };
    struct upload_query open = { .prefix = STR(""), .delimiter = STR(""), .max = STORE_LIST_MAX };
    struct list_end end;
    struct upload_end upload_end;
    struct version version;
    struct str upload = STR_NONE;

    fx_assert_content(f, "a", STR("third"));
    FX_OK(f, fx_get_version(f, "a", "null", &version));
    assert_true(str_eq(fx_read(f, &version), STR("first")));
    FX_OK(f, fx_head(f, "multi", &version));
    assert_int_equal(version.part_count, 2);
    assert_true(str_eq(version.attrs.headers, STR("h")));
    fx_assert_content(f, "multi", STR("one two"));
    assert_attrs(f);
    FX_OK(f, version_list(f->reader, fx_bucket_id(f), &all, note_version, &versions, f->arena, &end,
                          &f->fault));
    assert_true(str_eq(buf_view(&versions), STR("a+ a+ a+0 attrs+ b- b+ multi+ ")));

    FX_OK(f, upload_list(f->reader, fx_bucket_id(f), &open, take_upload_id, &upload, f->arena,
                         &upload_end, &f->fault));
    assert_true(str_present(upload));
    FX_OK(f, fx_complete(f, "open", upload, (uint32_t[]){ 1 }, 1));
    fx_assert_content(f, "open", STR("part"));
    FX_OK(f, fx_head(f, "open", &version));
    assert_true(str_eq(version.attrs.headers, STR("h")));
}

/* ---- its shape --------------------------------------------------------------------------- */

static void note_rows(sqlite3 *db, const char *sql, struct buf *out)
{
    sqlite3_stmt *stmt = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const char *text = (const char *)sqlite3_column_text(stmt, i);

            buf_str(out, text != NULL ? str_from_cstr(text) : STR("-"));
            buf_str(out, STR(" "));
        }
        buf_str(out, STR("\n"));
    }
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
}

struct str kept_shape(struct fixture *f, sqlite3 *db)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(DUMP_BYTES_MAX);

    note_rows(db,
              "SELECT t.name, c.cid, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk"
              "  FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c"
              " WHERE t.type = 'table' ORDER BY t.name, c.cid",
              &out);
    note_rows(db,
              "SELECT t.name, i.name, i.\"unique\", i.origin, i.partial, c.seqno, c.cid, c.desc"
              "  FROM sqlite_schema t JOIN pragma_index_list(t.name) i"
              "  JOIN pragma_index_xinfo(i.name) c"
              " WHERE t.type = 'table' ORDER BY t.name, i.name, c.seqno",
              &out);
    note_rows(db, "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' ORDER BY 1",
              &out);
    assert_false(out.failed);
    return arena_dup(f->arena, buf_view(&out));
}
