/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a new catalog and a migrated one are, beside those that earlier programs have left.
 */
#include "kept.h"

#include <ctype.h>

#include "base/text/buf.h"

/* Where what is neither blank nor comment goes on. */
static const char *skip_blanks(const char *text)
{
    for (;;) {
        if (isspace((unsigned char)*text) != 0)
            text++;
        else if (text[0] == '-' && text[1] == '-')
            text += strcspn(text, "\n");
        else if (text[0] == '/' && text[1] == '*')
            text = strstr(text, "*/") + 2;
        else
            return text;
    }
}

/* One blank where there are some, none before a comma or the end of a list. */
static void buf_statement(struct buf *out, const char *text)
{
    while (*text != '\0') {
        const char *next = skip_blanks(text);

        if (next != text && *next != ',' && *next != ')')
            buf_str(out, STR(" "));
        if (*next == '\0')
            break;
        buf_append(out, next, 1);
        text = next + 1;
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

static void keep_finding(void *context, const char *line)
{
    buf_str(context, str_from_cstr(line));
    buf_str(context, STR("\n"));
}

static void test_storage_schema__fsck_names_the_columns_whose_numbers_no_field_can_have(
    void **state)
{
    static const char *const expected[] = {
        "account 77 has no row\n",
        "object X'6174747273' has a strange class sse\n",
        "version 10 has a strange body_kind\n",
        "upload 13 has a strange state\n",
        "part 4294967296 of upload 20 has a strange number\n",
    };
    CLEANUP(buf_free) struct buf lines = BUF_WITH_MAX(4096);
    struct fixture *f = fx_open(NULL);
    struct fsck_report report;
    sqlite3 *db;

    (void)state;
    fx_stop(f);
    kept_take(f, KEPT_SCHEMA);
    fx_start(f);
    fx_stop(f);
    db = kept_sqlite(f);
    assert_int_equal(
        sqlite3_exec(db,
                     "UPDATE object SET class = 255, sse = 0 WHERE key = x'61';"
                     "UPDATE object SET class = 256, sse = -1 WHERE key = x'6174747273';"
                     "UPDATE version SET body_kind = 4 WHERE seq = 10;"
                     "UPDATE upload SET state = 2 WHERE key = x'6d756c7469';"
                     "UPDATE part SET number = 4294967296;"
                     "UPDATE object SET owner = 77 WHERE key = x'6d756c7469';",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    FX_OK(f, store_fsck(f->dir, &(struct fsck_options){ 0 }, keep_finding, &lines, &report,
                        &f->fault));
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_true(str_find(buf_view(&lines), str_from_cstr(expected[i])) < lines.len);
    fx_remove(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_storage_schema__a_new_catalog_is_made_by_the_statements_of_the_kept_one),
        cmocka_unit_test(
            test_storage_schema__catalogs_of_all_schemas_become_what_a_new_one_is_and_keep_their_rows),
        cmocka_unit_test(
            test_storage_schema__fsck_names_the_columns_whose_numbers_no_field_can_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
