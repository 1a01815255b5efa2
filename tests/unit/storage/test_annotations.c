/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations in the store: kept with one version, copied and gone with it, counted by fsck.
 */
#include <stdio.h>

#include "kept.h"

#include "base/text/buf.h"

#define LARGE_BYTES 200000u

static char large[LARGE_BYTES];

static void writer_release(struct body_writer **writer)
{
    body_writer_close(*writer);
}

/* What a test asks of one. */
struct wish {
    const char *key;
    struct str name, text;
    struct version_id version;
    struct str if_match;
    const struct version *judged;
    bool remove, bypass;
};

static enum store_status annotate_with(struct fixture *f, const struct wish *wish)
{
    CLEANUP(writer_release) struct body_writer *writer = NULL;
    struct body_options options = { .account = OWNER,
                                    .encrypt = true,
                                    .expected_bytes = wish->text.len };
    struct intent intent = { .kind = INTENT_ANNOTATION_SET,
                             .origin = f->origin,
                             .bucket = BUCKET,
                             .key = str_from_cstr(wish->key),
                             .arena = f->arena };
    struct body_digests digests;

    intent.annotation = (struct intent_annotation){ .version = wish->version,
                                                    .judged = wish->judged,
                                                    .if_match = wish->if_match,
                                                    .name = wish->name,
                                                    .remove = wish->remove,
                                                    .bypass = wish->bypass,
                                                    .etag = STR("e"),
                                                    .checksum = STR("sum") };
    if (!wish->remove) {
        FX_OK(f, body_writer_open(f->store, &options, &writer, &f->fault));
        FX_OK(f, body_writer_append(writer, wish->text.p, wish->text.len, &f->fault));
        FX_OK(f, body_writer_finish(writer, &digests, &f->fault));
        intent.annotation.bytes.body = writer;
    }
    return store_submit_wait(f->store, &intent);
}

static enum store_status annotate(struct fixture *f, const char *key, struct str name,
                                  struct str text)
{
    return annotate_with(f, &(struct wish){ .key = key, .name = name, .text = text });
}

static enum store_status take_away(struct fixture *f, const char *key, struct str name)
{
    return annotate_with(f, &(struct wish){ .key = key, .name = name, .remove = true });
}

static bool add_name(void *context, const struct annotation *annotation)
{
    struct buf *out = context;

    buf_str(out, annotation->name);
    buf_char(out, ' ');
    return true;
}

static void assert_names(struct fixture *f, const struct version *version, const char *expected)
{
    CLEANUP(buf_free) struct buf names = BUF_WITH_MAX(4096);
    struct annotation_query all = { STR(""), STR(""), STORE_ANNOTATIONS_MAX };

    FX_OK(f, annotation_list(f->reader, version, &all, add_name, &names, &f->fault));
    assert_true(str_eq(buf_view(&names), str_from_cstr(expected)));
    assert_int_equal(version->annotated, expected[0] != '\0');
}

static struct version head(struct fixture *f, const char *key)
{
    struct version version;

    FX_OK(f, fx_head(f, key, &version));
    return version;
}

static void assert_text(struct fixture *f, const char *key, struct str name, struct str expected)
{
    struct version version = head(f, key);
    struct version text = { .size_bytes = 0 };
    struct annotation found;

    FX_OK(f, annotation_get(f->reader, &version, name, f->arena, &found, &f->fault));
    assert_true(str_eq(found.etag, STR("e")) && str_eq(found.checksum, STR("sum")));
    text.size_bytes = found.size_bytes;
    text.body = found.body;
    assert_true(str_eq(fx_read(f, &text), expected));
}

/* ---- one at a time ----------------------------------------------------------------------- */

static void a_text_of_any_size_is_kept_until_it_is_written_over_or_removed(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version version;
    struct annotation found;

    (void)state;
    fx_fill(large, sizeof(large), 7);
    FX_OK(f, fx_put(f, "k", STR("x")));
    version = head(f, "k");
    FX_OK(f, annotate(f, "k", STR("small"), STR("said")));
    FX_OK(f, annotate(f, "k", STR("large"), str_make(large, sizeof(large))));
    assert_text(f, "k", STR("small"), STR("said"));
    assert_text(f, "k", STR("large"), str_make(large, sizeof(large)));
    FX_OK(f, annotate(f, "k", STR("large"), STR("short")));
    FX_OK(f, annotate(f, "k", STR("small"), str_make(large, sizeof(large))));
    assert_text(f, "k", STR("large"), STR("short"));
    assert_text(f, "k", STR("small"), str_make(large, sizeof(large)));
    assert_int_equal(head(f, "k").modified_us, version.modified_us);

    FX_OK(f, take_away(f, "k", STR("small")));
    FX_OK(f, take_away(f, "k", STR("small")));
    version = head(f, "k");
    assert_names(f, &version, "large ");
    assert_int_equal(annotation_get(f->reader, &version, STR("small"), f->arena, &found, &f->fault),
                     STORE_NO_ANNOTATION);
    FX_OK(f, take_away(f, "k", STR("large")));
    version = head(f, "k");
    assert_names(f, &version, "");
    fx_close(f);
}

static void a_version_has_so_many_and_no_more(void **state)
{
    struct fixture *f = fx_open(NULL);
    char name[16];

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    for (unsigned i = 0; i < STORE_ANNOTATIONS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "n%u", i);
        FX_OK(f, annotate(f, "k", str_from_cstr(name), STR("t")));
    }
    assert_int_equal(annotate(f, "k", STR("more"), STR("t")), STORE_ANNOTATION_LIMIT);
    FX_OK(f, annotate(f, "k", STR("n7"), STR("over")));
    FX_OK(f, take_away(f, "k", STR("n8")));
    FX_OK(f, annotate(f, "k", STR("more"), STR("t")));
    FX_OK(f, fx_delete(f, "k"));
    fx_close(f);
}

static bool stop(void *context, const struct annotation *annotation)
{
    size_t *seen = context;

    (void)annotation;
    return ++*seen < 2;
}

static void they_are_listed_by_prefix_from_a_name_on(void **state)
{
    static const char *const names[] = { "a", "b.1", "b.2", "b.3", "c" };
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);
    struct fixture *f = fx_open(NULL);
    struct annotation_query query = { STR("b."), STR("b.1"), 5 };
    struct version version;
    size_t seen = 0;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        FX_OK(f, annotate(f, "k", str_from_cstr(names[i]), STR("t")));
    version = head(f, "k");
    FX_OK(f, annotation_list(f->reader, &version, &query, add_name, &out, &f->fault));
    assert_true(str_eq(buf_view(&out), STR("b.2 b.3 ")));
    query = (struct annotation_query){ STR("b."), STR(""), 2 };
    buf_clear(&out);
    FX_OK(f, annotation_list(f->reader, &version, &query, add_name, &out, &f->fault));
    assert_true(str_eq(buf_view(&out), STR("b.1 b.2 ")));
    query.max = 5;
    assert_int_equal(annotation_list(f->reader, &version, &query, stop, &seen, &f->fault),
                     STORE_STOPPED);
    assert_int_equal(seen, 2);
    fx_close(f);
}

static void what_they_rest_on_is_decided_in_the_commit(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct wish wish = { .key = "k", .name = STR("a"), .text = STR("t") };
    struct version version;
    struct version other;

    (void)state;
    assert_int_equal(annotate_with(f, &wish), STORE_NO_KEY);
    FX_OK(f, fx_put(f, "k", STR("x")));
    version = head(f, "k");
    other = version;
    other.attrs.sse = 2;
    wish.judged = &other;
    assert_int_equal(annotate_with(f, &wish), STORE_RETRY);
    other = version;
    other.attrs.headers = STR("another key");
    assert_int_equal(annotate_with(f, &wish), STORE_RETRY);
    other = version;
    other.attrs.acl = STR("another");
    assert_int_equal(annotate_with(f, &wish), STORE_RETRY);
    wish.judged = &version;
    wish.if_match = STR("other");
    assert_int_equal(annotate_with(f, &wish), STORE_PRECONDITION_FAILED);
    wish.if_match = version.attrs.etag;
    FX_OK(f, annotate_with(f, &wish));
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_delete(f, "k"));
    assert_int_equal(annotate(f, "k", STR("a"), STR("t")), STORE_DELETE_MARKER);
    fx_close(f);
}

static void of_a_locked_version_none_is_removed(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct wish wish = { .key = "k", .name = STR("a"), .remove = true };
    struct intent lock = {
        .kind = INTENT_OBJECT_SET, .bucket = BUCKET, .key = STR("k"), .arena = f->arena
    };

    (void)state;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put(f, "k", STR("x")));
    FX_OK(f, annotate(f, "k", STR("a"), STR("t")));
    lock.object_set = (struct intent_object_set){
        .set_retention = true,
        .lock_mode = LOCK_GOVERNANCE,
        .retain_until_us = clock_now_us(store_clock(f->store)) + 3600 * US_PER_S
    };
    FX_OK(f, store_submit_wait(f->store, &lock));
    assert_int_equal(annotate_with(f, &wish), STORE_RETAINED);
    FX_OK(f, annotate(f, "k", STR("b"), STR("t"))); /* nothing is taken away */
    wish.bypass = true;
    FX_OK(f, annotate_with(f, &wish));
    fx_close(f);
}

static bool count_event(void *context, const struct store_event *event)
{
    struct buf *out = context;

    buf_printf(out, "%.*s %.*s ", STR_ARG(event->name), STR_ARG(event->key));
    return true;
}

static void each_change_is_told_once(void **state)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);
    struct fixture *f = fx_open(NULL);
    uint64_t lost;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    FX_OK(f, store_subscribe(f->store, STR("s"), &f->fault));
    f->origin.event = STR("put");
    FX_OK(f, annotate(f, "k", STR("a"), STR("t")));
    f->origin.event = STR("gone");
    FX_OK(f, take_away(f, "k", STR("a")));
    FX_OK(f, take_away(f, "k", STR("a")));
    FX_OK(f, event_list(f->reader, 0, 10, count_event, &out, &lost, &f->fault));
    assert_true(str_eq(buf_view(&out), STR("put k gone k ")));
    fx_close(f);
}

/* ---- with their version ------------------------------------------------------------------ */

/* Each ends with a store in which fsck finds nothing left over. */
static void they_go_with_their_version(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "over", STR("x")));
    FX_OK(f, annotate(f, "over", STR("small"), STR("t")));
    FX_OK(f, annotate(f, "over", STR("large"), str_make(large, sizeof(large))));
    FX_OK(f, fx_put(f, "over", STR("y")));
    version = head(f, "over");
    assert_names(f, &version, "");
    FX_OK(f, fx_put(f, "gone", STR("x")));
    FX_OK(f, annotate(f, "gone", STR("large"), str_make(large, sizeof(large))));
    FX_OK(f, fx_delete(f, "gone"));
    fx_stop(f);
    assert_int_equal(fx_fsck(f).inline_bodies + fx_fsck(f).versions, 2); /* "over" alone */
    fx_start(f);
    fx_close(f);
}

static void an_older_version_keeps_its_own(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct fx_put put = { .key = STR("k"), .bytes = STR("1") };
    struct delete_item item;
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("null")));
    FX_OK(f, annotate(f, "k", STR("of-null"), STR("t")));
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put_with(f, &put));
    FX_OK(f, annotate(f, "k", STR("of-first"), str_make(large, sizeof(large))));
    FX_OK(f, fx_put(f, "k", STR("2")));
    version = head(f, "k");
    assert_names(f, &version, "");
    FX_OK(f, fx_get_version(f, "k", put.version, &version));
    assert_names(f, &version, "of-first ");
    FX_OK(f, fx_get_version(f, "k", "null", &version));
    assert_names(f, &version, "of-null ");
    FX_OK(f, annotate_with(f, &(struct wish){ .key = "k",
                                              .name = STR("late"),
                                              .text = STR("t"),
                                              .version = { .kind = VERSION_NULL } }));
    FX_OK(f, fx_get_version(f, "k", "null", &version));
    assert_names(f, &version, "late of-null ");

    /* A null version takes the place of the null one, wherever that is. */
    FX_OK(f, fx_versioning(f, VERSIONING_SUSPENDED));
    FX_OK(f, fx_put(f, "k", STR("anew")));
    FX_OK(f, fx_get_version(f, "k", "null", &version));
    assert_names(f, &version, "");
    FX_OK(f, fx_delete_version(f, "k", "null", &item));
    FX_OK(f, fx_delete_version(f, "k", put.version, &item));
    fx_close(f);
}

/* ---- copied ------------------------------------------------------------------------------ */

static enum store_status copy(struct fixture *f, const char *to, const struct version *from,
                              enum copy_work work)
{
    struct copy_source source = { .bucket_id = fx_bucket_id(f),
                                  .key = from->key,
                                  .seq = from->seq,
                                  .len = from->size_bytes,
                                  .work = work,
                                  .options = { .account = OWNER, .encrypt = true } };
    struct intent intent = { .kind = INTENT_OBJECT_PUT,
                             .bucket = BUCKET,
                             .key = str_from_cstr(to),
                             .arena = f->arena,
                             .put = { .bytes = { .source = &source },
                                      .attrs = { .etag = STR("e"), .owner = OWNER },
                                      .with_annotations = true } };

    return store_submit_wait(f->store, &intent);
}

static void a_copy_brings_them_along(void **state)
{
    static const enum copy_work works[] = { COPY_REFER, COPY_REWRITE };
    struct fixture *f = fx_open(NULL);
    struct version from;
    struct version to;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("content")));
    FX_OK(f, annotate(f, "k", STR("large"), str_make(large, sizeof(large))));
    FX_OK(f, annotate(f, "k", STR("small"), STR("t")));
    for (size_t i = 0; i < COUNT_OF(works); i++) {
        from = head(f, "k");
        FX_OK(f, copy(f, "copy", &from, works[i]));
        to = head(f, "copy");
        assert_names(f, &to, "large small ");
        assert_text(f, "copy", STR("small"), STR("t"));
        FX_OK(f, copy(f, "k", &from, works[i])); /* onto itself */
        assert_text(f, "k", STR("large"), str_make(large, sizeof(large)));
        assert_text(f, "k", STR("small"), STR("t"));
        fx_assert_content(f, "k", STR("content"));
    }
    FX_OK(f, fx_delete(f, "k"));
    assert_text(f, "copy", STR("large"), str_make(large, sizeof(large)));
    assert_int_equal(copy(f, "late", &from, COPY_REFER), STORE_RETRY);
    fx_close(f);
}

static void a_rename_keeps_them_and_gives_back_those_it_replaces(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct intent rename = { .kind = INTENT_OBJECT_RENAME,
                             .bucket = BUCKET,
                             .key = STR("to"),
                             .arena = f->arena,
                             .rename.source = STR("from") };
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "from", STR("x")));
    FX_OK(f, fx_put(f, "to", STR("y")));
    FX_OK(f, annotate(f, "from", STR("a"), str_make(large, sizeof(large))));
    FX_OK(f, annotate(f, "to", STR("gone"), STR("t")));
    FX_OK(f, store_submit_wait(f->store, &rename));
    version = head(f, "to");
    assert_names(f, &version, "a ");
    assert_text(f, "to", STR("a"), str_make(large, sizeof(large)));
    fx_close(f);
}

/* ---- fsck -------------------------------------------------------------------------------- */

static void keep_line(void *context, const char *line)
{
    buf_str(context, str_from_cstr(line));
    buf_char(context, '\n');
}

static struct fsck_report check(struct fixture *f, int mode, struct buf *lines)
{
    struct fsck_options options = { .read_data = true };
    struct fsck_report report;

    options.mode = mode;
    FX_OK(f, store_fsck(f->dir, &options, keep_line, lines, &report, &f->fault));
    return report;
}

static void fsck_finds_what_belongs_to_no_version_and_removes_it(void **state)
{
    static const char spoil[] =
        "UPDATE annotation SET version = 123 WHERE name = CAST('a' AS BLOB);"
        "UPDATE object SET flags = 2 WHERE key = CAST('told' AS BLOB);"
        "UPDATE object SET flags = flags + 16 WHERE key = CAST('none' AS BLOB)";
    CLEANUP(buf_free) struct buf lines = BUF_WITH_MAX(65536);
    struct fixture *f = fx_open(NULL);
    struct version version;
    sqlite3 *db;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    FX_OK(f, fx_put(f, "told", STR("x")));
    FX_OK(f, fx_put(f, "none", STR("x")));
    FX_OK(f, annotate(f, "k", STR("a"), STR("t")));
    FX_OK(f, annotate(f, "k", STR("b"), str_make(large, sizeof(large))));
    FX_OK(f, annotate(f, "told", STR("c"), STR("t")));
    fx_stop(f);
    db = kept_sqlite(f);
    assert_int_equal(sqlite3_exec(db, spoil, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(check(f, FSCK_CHECK, &lines).rows, 3);
    assert_true(str_find(buf_view(&lines), STR("annotation X'61' belongs to no version")) <
                lines.len);
    assert_true(str_find(buf_view(&lines), STR("does not say whether it has annotations")) <
                lines.len);
    (void)check(f, FSCK_REPAIR, &lines);
    assert_int_equal(check(f, FSCK_CHECK, &lines).errors, 0);
    fx_start(f);
    version = head(f, "k");
    assert_names(f, &version, "b ");
    version = head(f, "told");
    assert_names(f, &version, "c ");
    version = head(f, "none");
    assert_names(f, &version, "");
    fx_close(f);
}

static void fsck_reads_them(void **state)
{
    CLEANUP(buf_free) struct buf lines = BUF_WITH_MAX(65536);
    struct fixture *f = fx_open(NULL);
    sqlite3 *db;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    FX_OK(f, annotate(f, "k", STR("a"), STR("text")));
    fx_stop(f);
    db = kept_sqlite(f);
    assert_int_equal(sqlite3_exec(db,
                                  "UPDATE inline_body SET data = zeroblob(length(data))"
                                  " WHERE id = (SELECT body_id FROM annotation)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_true(check(f, FSCK_CHECK, &lines).damaged > 0);
    fx_remove(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_of_any_size_is_kept_until_it_is_written_over_or_removed),
        cmocka_unit_test(a_version_has_so_many_and_no_more),
        cmocka_unit_test(they_are_listed_by_prefix_from_a_name_on),
        cmocka_unit_test(what_they_rest_on_is_decided_in_the_commit),
        cmocka_unit_test(of_a_locked_version_none_is_removed),
        cmocka_unit_test(each_change_is_told_once),
        cmocka_unit_test(they_go_with_their_version),
        cmocka_unit_test(an_older_version_keeps_its_own),
        cmocka_unit_test(a_copy_brings_them_along),
        cmocka_unit_test(a_rename_keeps_them_and_gives_back_those_it_replaces),
        cmocka_unit_test(fsck_finds_what_belongs_to_no_version_and_removes_it),
        cmocka_unit_test(fsck_reads_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
