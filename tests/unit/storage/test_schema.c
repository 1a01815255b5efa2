/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a new catalog and a migrated one are, beside those that earlier programs have left.
 */
#include "kept.h"

#include <ctype.h>

#include "base/text/buf.h"

/* Without comments, and with one blank where there are some. */
static void buf_statement(struct buf *out, const char *text)
{
    bool blank = false;

    for (; *text != '\0'; text++) {
        if (text[0] == '-' && text[1] == '-')
            text += strcspn(text, "\n");
        if (*text == '\0')
            break;
        if (isspace((unsigned char)*text) != 0) {
            blank = true;
            continue;
        }
        if (blank)
            buf_str(out, STR(" "));
        blank = false;
        buf_append(out, text, 1);
    }
    buf_str(out, STR("\n"));
}

/* Every statement of the schema, by the name of what it made. */
static struct str statements(struct fixture *f, sqlite3 *db)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(1024u * 1024u);
    sqlite3_stmt *stmt = NULL;

    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT ifnull(sql, name) FROM sqlite_schema"
                                        " ORDER BY name",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        buf_statement(&out, (const char *)sqlite3_column_text(stmt, 0));
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_false(out.failed);
    return arena_dup(f->arena, buf_view(&out));
}

static struct str look(struct fixture *f, struct str (*how)(struct fixture *f, sqlite3 *db))
{
    sqlite3 *db = kept_sqlite(f);
    struct str text = how(f, db);

    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return text;
}

static void assert_same(struct str text, struct str expected)
{
    if (!str_eq(text, expected))
        fail_msg("expected:\n%.*s\nis:\n%.*s", STR_ARG(expected), STR_ARG(text));
}

static void test_storage_schema__a_new_catalog_is_made_by_the_statements_of_the_kept_one(
    void **state)
{
    struct fixture *f = fx_open(NULL);
    struct str fresh;

    (void)state;
    fx_stop(f);
    fresh = look(f, statements);
    kept_take(f, KEPT_SCHEMA);
    assert_same(fresh, look(f, statements));
    fx_remove(f);
}

static void
test_storage_schema__catalogs_of_all_schemas_become_what_a_new_one_is_and_keep_their_rows(
    void **state)
{
    struct store_options options = { .durability = STORE_RELAXED, .inline_max_bytes = 65536 };

    (void)state;
    for (int schema = 1; schema <= KEPT_SCHEMA; schema++) {
        struct fixture *f = fx_open(&options);
        struct str fresh;

        fx_stop(f);
        fresh = look(f, kept_shape);
        kept_take(f, schema);
        fx_start(f);
        fx_stop(f);
        assert_same(look(f, kept_shape), fresh);
        fx_start(f);
        kept_assert_content(f);
        fx_close(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_storage_schema__a_new_catalog_is_made_by_the_statements_of_the_kept_one),
        cmocka_unit_test(
            test_storage_schema__catalogs_of_all_schemas_become_what_a_new_one_is_and_keep_their_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
