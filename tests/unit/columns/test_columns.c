/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More columns than the product has: the store is built with the rows of more.def, and nothing else
 * is told of them. What a put gives comes back, whatever way the version went.
 */
#include "tests/unit/storage/kept.h"

#include <assert.h>

#include "base/text/buf.h"
#include "storage/catalog/columns.h"
#include "storage/internal.h"

static_assert(SCHEMA_VERSION == KEPT_SCHEMA + 1, "more.def: new after the product's own");

static const struct version_attrs given = {
    .etag = STR("e"),
    .owner = STR("writer"),
    .remark = STR("a\0remark"),
    .colour = STR("green"),
    .weight = UINT32_MAX,
    .fragile = true,
    .lender = STR("lender"),
};

static enum store_status put(struct fixture *f, const char *key, const struct version_attrs *attrs)
{
    struct intent intent = { .kind = INTENT_OBJECT_PUT,
                             .bucket = BUCKET,
                             .key = str_from_cstr(key),
                             .arena = f->arena,
                             .put.attrs = *attrs };

    return store_submit_wait(f->store, &intent);
}

static void assert_given(const struct version_attrs *attrs)
{
    assert_true(str_eq(attrs->remark, given.remark));
    assert_true(str_eq(attrs->colour, given.colour));
    assert_int_equal(attrs->weight, given.weight);
    assert_true(attrs->fragile);
    assert_true(str_eq(attrs->lender, given.lender));
    assert_true(str_eq(attrs->owner, given.owner));
}

static void assert_key(struct fixture *f, const char *key)
{
    struct version version;

    FX_OK(f, fx_head(f, key, &version));
    assert_given(&version.attrs);
}

/* ---- ways -------------------------------------------------------------------------------- */

static void test_columns__a_put_gives_them_and_a_restart_keeps_them(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version version;

    (void)state;
    FX_OK(f, put(f, "k", &given));
    FX_OK(f, fx_put(f, "without", STR("bytes")));
    for (int round = 0; round < 2; round++) {
        assert_key(f, "k");
        FX_OK(f, fx_head(f, "without", &version));
        assert_false(str_present(version.attrs.remark));
        assert_true(str_present(version.attrs.colour) && version.attrs.colour.len == 0);
        assert_int_equal(version.attrs.weight, 0);
        assert_false(version.attrs.fragile);
        assert_true(str_eq(version.attrs.lender, OWNER));
        fx_stop(f);
        fx_start(f);
    }
    fx_close(f);
}

static void test_columns__a_copy_gives_them(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version from;
    struct version to;

    (void)state;
    FX_OK(f, fx_put(f, "source", STR("bytes")));
    FX_OK(f, fx_head(f, "source", &from));

    struct copy_source source = {
        .bucket_id = fx_bucket_id(f), .key = STR("source"), .seq = from.seq, .work = COPY_REFER
    };
    struct intent copy = { .kind = INTENT_OBJECT_PUT,
                           .bucket = BUCKET,
                           .key = STR("copy"),
                           .arena = f->arena,
                           .put = { .bytes.source = &source, .attrs = given } };

    copy.put.attrs.etag = from.attrs.etag;
    FX_OK(f, store_submit_wait(f->store, &copy));
    assert_key(f, "copy");
    fx_assert_content(f, "copy", STR("bytes"));

    /* What the copy was given is read like any other, and can be given on. */
    FX_OK(f, fx_head(f, "copy", &to));
    FX_OK(f, put(f, "again", &to.attrs));
    assert_key(f, "again");
    fx_close(f);
}

static void test_columns__history_keeps_them_there_and_back(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version_attrs other = given;
    struct version old;
    struct version version;

    (void)state;
    other.remark = STR_NONE;
    other.weight = 1;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, put(f, "k", &given));
    FX_OK(f, fx_head(f, "k", &old));
    FX_OK(f, put(f, "k", &other));

    char id[VERSION_TEXT_LEN + 1] = { 0 };
    char newest[VERSION_TEXT_LEN + 1] = { 0 };
    struct delete_item item = { 0 };

    memcpy(id, version_id_text(&old, f->arena).p, VERSION_TEXT_LEN);
    FX_OK(f, fx_get_version(f, "k", id, &version));
    assert_false(version.latest);
    assert_given(&version.attrs);
    FX_OK(f, fx_head(f, "k", &version));
    assert_false(str_present(version.attrs.remark));
    assert_int_equal(version.attrs.weight, 1);

    memcpy(newest, version_id_text(&version, f->arena).p, VERSION_TEXT_LEN);
    FX_OK(f, fx_delete_version(f, "k", newest, &item));
    assert_key(f, "k");
    fx_close(f);
}

static void test_columns__complete_hands_on_what_the_upload_was_created_with(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct intent create = { .kind = INTENT_UPLOAD_CREATE,
                             .bucket = BUCKET,
                             .key = STR("m"),
                             .arena = f->arena,
                             .create_upload.attrs = given };
    struct upload upload;
    struct version version;

    (void)state;
    FX_OK(f, store_submit_wait(f->store, &create));
    FX_OK(f, fx_part(f, "m", create.create_upload.upload_id, 1, STR("part"), NULL));
    fx_stop(f);
    fx_start(f);
    FX_OK(f, upload_get(f->reader, fx_bucket_id(f), STR("m"), create.create_upload.upload_id,
                        f->arena, &upload, &f->fault));
    assert_given(&upload.attrs);
    assert_true(upload.attrs.etag.len == 0 && !upload.done);
    FX_OK(f, fx_complete(f, "m", create.create_upload.upload_id, (uint32_t[]){ 1 }, 1));
    FX_OK(f, fx_head(f, "m", &version));
    assert_given(&version.attrs);
    assert_true(str_eq(version.attrs.etag, STR("multi-2")));
    fx_close(f);
}

static void look_hot(struct fixture *f, struct arena *arena, struct version *ret_version)
{
    reader_begin(f->reader);
    FX_OK(f, version_get(f->reader, fx_bucket_id(f), STR("k"), (struct version_id){ 0 }, arena,
                         ret_version, &f->fault));
    reader_end(f->reader);
}

static void test_columns__hot_memory_has_its_own_copies_of_their_texts(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct arena *first = arena_open(4096, 65536);
    struct version version;
    uint64_t asked;

    (void)state;
    assert_non_null(first);
    FX_OK(f, put(f, "k", &given));
    FX_OK(f, reader_warm(f->reader, &f->fault));
    look_hot(f, first, &version);
    assert_given(&version.attrs);
    arena_close(first); /* a text that were not copied would be gone with it */

    asked = catalog_statement_runs(f->reader->cat);
    look_hot(f, f->arena, &version);
    assert_int_equal(catalog_statement_runs(f->reader->cat), asked);
    assert_given(&version.attrs);
    fx_close(f);
}

/* ---- older catalogs ---------------------------------------------------------------------- */

static struct str shape(struct fixture *f)
{
    sqlite3 *db = kept_sqlite(f);
    struct str text = kept_shape(f, db);

    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return text;
}

static void test_columns__older_catalogs_get_them_with_their_defaults(void **state)
{
    struct store_options options = { .durability = STORE_RELAXED, .inline_max_bytes = 65536 };

    (void)state;
    for (int schema = 1; schema <= KEPT_SCHEMA; schema++) {
        struct fixture *f = fx_open(&options);
        struct version version;
        struct str fresh;

        fx_stop(f);
        fresh = shape(f);
        kept_take(f, schema);
        fx_start(f);
        fx_stop(f);
        assert_true(str_eq(shape(f), fresh));

        fx_start(f);
        kept_assert_content(f);
        FX_OK(f, fx_get_version(f, "a", "null", &version));
        assert_false(str_present(version.attrs.remark));
        assert_true(str_present(version.attrs.colour) && version.attrs.colour.len == 0);
        assert_int_equal(version.attrs.weight, 7);
        assert_false(version.attrs.fragile);
        assert_true(str_eq(version.attrs.lender, OWNER));
        FX_OK(f, fx_head(f, "open", &version)); /* completed since, of an upload that is older */
        assert_int_equal(version.attrs.weight, 7);
        FX_OK(f, put(f, "a", &given));
        assert_key(f, "a");
        fx_close(f);
    }
}

static void keep_finding(void *context, const char *line)
{
    buf_str(context, str_from_cstr(line));
    buf_str(context, STR("\n"));
}

static void test_columns__fsck_knows_what_values_they_may_have(void **state)
{
    CLEANUP(buf_free) struct buf lines = BUF_WITH_MAX(4096);
    struct fixture *f = fx_open(NULL);
    struct fsck_report report;
    sqlite3 *db;

    (void)state;
    FX_OK(f, put(f, "k", &given));
    fx_stop(f);
    db = kept_sqlite(f);
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE object SET weight = weight + 1, fragile = 2, lender = 99",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    FX_OK(f, store_fsck(f->dir, &(struct fsck_options){ 0 }, keep_finding, &lines, &report,
                        &f->fault));
    assert_true(str_eq(buf_view(&lines), STR("account 99 has no row\n"
                                             "object X'6B' has a strange weight fragile\n")));
    fx_remove(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns__a_put_gives_them_and_a_restart_keeps_them),
        cmocka_unit_test(test_columns__a_copy_gives_them),
        cmocka_unit_test(test_columns__history_keeps_them_there_and_back),
        cmocka_unit_test(test_columns__complete_hands_on_what_the_upload_was_created_with),
        cmocka_unit_test(test_columns__hot_memory_has_its_own_copies_of_their_texts),
        cmocka_unit_test(test_columns__older_catalogs_get_them_with_their_defaults),
        cmocka_unit_test(test_columns__fsck_knows_what_values_they_may_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
