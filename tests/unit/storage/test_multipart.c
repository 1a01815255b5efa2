/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multipart uploads: parts of every placement become one version.
 */
#include "fixture.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static char bytes[6][150000];
static char whole[900000];

static struct str part_bytes(size_t i, size_t len)
{
    fx_fill(bytes[i], len, (uint32_t)(100 + i));
    return str_make(bytes[i], len);
}

static size_t joined(size_t at, struct str part)
{
    memcpy(whole + at, part.p, part.len);
    return at + part.len;
}

/* Inline plain, encrypted in a file, plain in a file, copy of a range, empty. */
static struct str build(struct fixture *f, const char *key, struct str upload)
{
    struct str p1 = part_bytes(1, 700);
    struct str p2 = part_bytes(2, 140000);
    struct str p3 = part_bytes(3, 100001);
    struct str from = part_bytes(4, 150000);
    struct version source;
    size_t at = 0;

    FX_OK(f, fx_part(f, key, upload, 1, p1, NULL));
    FX_OK(f, fx_part(f, key, upload, 2, p2, NULL));
    FX_OK(f, fx_part(f, key, upload, 3, p3, NULL));
    FX_OK(f, fx_put(f, "source", from));
    FX_OK(f, fx_head(f, "source", &source));

    struct copy_source range = { .bucket_id = fx_bucket_id(f),
                                 .key = STR("source"),
                                 .seq = source.seq,
                                 .ranged = true,
                                 .offset = 777,
                                 .len = 99000 };

    FX_OK(f, fx_part(f, key, upload, 5, STR_NONE, &range));
    at = joined(at, p1);
    at = joined(at, p2);
    at = joined(at, p3);
    at = joined(at, str_slice(from, 777, 99000));
    return str_make(whole, at);
}

static bool count_part(void *context, const struct part *part)
{
    uint64_t *total = context;

    *total += part->size_bytes + 1000000000u;
    return true;
}

static void parts_of_all_kinds_become_one_object(void **state)
{
    static const uint32_t numbers[] = { 1, 2, 3, 5 };
    struct fixture *f = fx_open(NULL);
    struct str upload = fx_upload(f, "m");
    struct str expected = build(f, "m", upload);
    struct version version;
    uint64_t total = 0;

    (void)state;
    FX_OK(f, fx_part(f, "m", upload, 9, part_bytes(5, 5000), NULL)); /* not chosen */
    FX_OK(f, fx_complete(f, "m", upload, numbers, COUNT_OF(numbers)));
    fx_assert_content(f, "m", expected);
    FX_OK(f, fx_head(f, "m", &version));
    assert_int_equal(version.part_count, 4);
    assert_true(str_eq(version.attrs.headers, STR("h")));
    assert_true(str_eq(version.attrs.etag, STR("multi-2")));
    for (uint64_t offset = 0; offset < expected.len; offset += 50789) {
        uint64_t len = u64_min(expected.len - offset, 120001);

        assert_true(
            str_eq(fx_read_range(f, &version, offset, len), str_slice(expected, offset, len)));
    }
    FX_OK(f, object_part_list(f->reader, &version, 0, 1000, count_part, &total, &f->fault));
    assert_int_equal(total, expected.len + 4 * UINT64_C(1000000000));

    /* A repeated Complete finds the answer; abort does not touch a done upload. */
    struct upload done;

    FX_OK(f, upload_get(f->reader, fx_bucket_id(f), STR("m"), upload, f->arena, &done, &f->fault));
    assert_true(done.done);
    assert_true(str_eq(done.attrs.etag, STR("multi-2")));
    assert_int_equal(done.done_version.kind, VERSION_NULL);
    assert_int_equal(fx_abort(f, "m", upload), STORE_NO_UPLOAD);

    FX_OK(f, fx_copy(f, "m", "copy", COPY_REFER));
    FX_OK(f, fx_copy(f, "m", "sealed", COPY_REWRITE));
    FX_OK(f, fx_copy(f, "m", "m", COPY_REFER));
    FX_OK(f, fx_delete(f, "source"));
    FX_OK(f, fx_delete(f, "m"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    fx_assert_content(f, "copy", expected);
    fx_assert_content(f, "sealed", expected);
    FX_OK(f, fx_head(f, "copy", &version)); /* one piece, whatever its source was */
    assert_int_equal(version.part_count, 0);
    fx_close(f);
}

static void ranges_of_a_multipart_object_can_be_parts(void **state)
{
    static const uint32_t numbers[] = { 1, 2, 3, 5 };
    static const uint32_t two[] = { 1, 2 };
    struct fixture *f = fx_open(NULL);
    struct str upload = fx_upload(f, "m");
    struct str expected = build(f, "m", upload);
    struct version version;
    char joint[400000];

    (void)state;
    FX_OK(f, fx_complete(f, "m", upload, numbers, COUNT_OF(numbers)));
    FX_OK(f, fx_head(f, "m", &version));

    struct copy_source range = { .bucket_id = fx_bucket_id(f),
                                 .key = STR("m"),
                                 .seq = version.seq,
                                 .ranged = true,
                                 .offset = 300,
                                 .len = 200000 };
    struct str second = fx_upload(f, "n");

    FX_OK(f, fx_part(f, "n", second, 1, STR_NONE, &range));
    range.offset = 1;
    range.len = 100; /* within the inline part */
    FX_OK(f, fx_part(f, "n", second, 2, STR_NONE, &range));
    FX_OK(f, fx_complete(f, "n", second, two, 2));
    FX_OK(f, fx_delete(f, "m"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    memcpy(joint, expected.p + 300, 200000);
    memcpy(joint + 200000, expected.p + 1, 100);
    fx_assert_content(f, "n", str_make(joint, 200100));
    range.seq++;
    assert_int_equal(fx_part(f, "n", fx_upload(f, "n"), 1, STR_NONE, &range), STORE_RETRY);
    fx_close(f);
}

/* What a whole multipart object leaves when it is a part: fx_close asks fsck. */
static void a_whole_multipart_object_can_be_a_part(void **state)
{
    static const uint32_t numbers[] = { 1, 2, 3, 5 };
    static const uint32_t one[] = { 1 };
    struct fixture *f = fx_open(NULL);
    struct str upload = fx_upload(f, "m");
    struct str expected = build(f, "m", upload);
    struct version version;

    (void)state;
    FX_OK(f, fx_complete(f, "m", upload, numbers, COUNT_OF(numbers)));
    for (int round = 0; round < 3; round++) { /* a part copy of a part copy of ... */
        struct copy_source all = { .bucket_id = fx_bucket_id(f), .key = STR("m") };

        FX_OK(f, fx_head(f, "m", &version));
        all.seq = version.seq;
        upload = fx_upload(f, "m");
        FX_OK(f, fx_part(f, "m", upload, 1, STR_NONE, &all));
        FX_OK(f, fx_part(f, "m", upload, 1, STR_NONE, &all));            /* replaced */
        FX_OK(f, fx_part(f, "m", upload, 2, STR_NONE, &all));            /* not chosen */
        FX_OK(f, fx_part(f, "m", upload, 3, STR_NONE, &all));            /* replaced */
        FX_OK(f, fx_part(f, "m", upload, 3, part_bytes(5, 3000), NULL)); /* by bytes */
        FX_OK(f, fx_complete(f, "m", upload, one, 1));
        FX_OK(f, fx_head(f, "m", &version));
        assert_int_equal(version.part_count, 1);
        fx_assert_content(f, "m", expected);

        all.seq = version.seq;
        upload = fx_upload(f, "n"); /* one stays open, one is aborted */
        FX_OK(f, fx_part(f, "n", upload, 1, STR_NONE, &all));
        upload = fx_upload(f, "n");
        FX_OK(f, fx_part(f, "n", upload, 1, STR_NONE, &all));
        FX_OK(f, fx_abort(f, "n", upload));
        FX_OK(f, fx_versioning(f, round == 0 ? VERSIONING_ENABLED : VERSIONING_SUSPENDED));
    }
    fx_close(f);
}

/* An object of 2^power pieces: each round joins the last one with itself. */
static void double_pieces(struct fixture *f, const char *key, int power)
{
    static const uint32_t two[] = { 1, 2 };
    struct str upload = fx_upload(f, key);
    struct version version;

    FX_OK(f, fx_part(f, key, upload, 1, part_bytes(1, 1100), NULL)); /* not inline */
    FX_OK(f, fx_part(f, key, upload, 2, part_bytes(2, 1100), NULL));
    FX_OK(f, fx_complete(f, key, upload, two, 2));
    for (int i = 1; i < power; i++) {
        FX_OK(f, fx_head(f, key, &version));

        struct copy_source all = { .bucket_id = fx_bucket_id(f),
                                   .key = str_from_cstr(key),
                                   .seq = version.seq };

        upload = fx_upload(f, key);
        FX_OK(f, fx_part(f, key, upload, 1, STR_NONE, &all));
        FX_OK(f, fx_part(f, key, upload, 2, STR_NONE, &all));
        FX_OK(f, fx_complete(f, key, upload, two, 2));
    }
}

static void an_object_has_a_limited_number_of_pieces(void **state)
{
    static const uint32_t one[] = { 1 };
    static const uint32_t two[] = { 1, 2 };
    struct fixture *f = fx_open(NULL);
    struct version version;
    struct body *body;
    struct str upload;

    (void)state;
    double_pieces(f, "most", 17); /* 131072 */
    FX_OK(f, fx_head(f, "most", &version));
    assert_int_equal(version.size_bytes, UINT64_C(1100) * STORE_PIECES_MAX);
    FX_OK(f, body_open(f->reader, &version, 0, version.size_bytes, &body, &f->fault));
    body_close(body);

    struct copy_source all = { .bucket_id = fx_bucket_id(f),
                               .key = STR("most"),
                               .seq = version.seq };

    upload = fx_upload(f, "more");
    FX_OK(f, fx_part(f, "more", upload, 1, STR_NONE, &all));
    FX_OK(f, fx_part(f, "more", upload, 2, part_bytes(3, 10), NULL));
    assert_int_equal(fx_complete(f, "more", upload, two, 2), STORE_PIECE_LIMIT);
    FX_OK(f, fx_complete(f, "more", upload, one, 1)); /* the upload is as it was */
    fx_stop(f);
    assert_int_equal(fx_fsck_quick(f).errors, 0);
    fx_remove(f);
}

static void a_replaced_part_says_retry_and_an_aborted_upload_is_gone(void **state)
{
    static const uint32_t one[] = { 1 };
    static const uint32_t two[] = { 1, 2 };
    struct fixture *f = fx_open(NULL);
    struct str upload = fx_upload(f, "m");
    struct part_choice stale = { .number = 1, .seq = 1 };
    struct intent complete = { .kind = INTENT_UPLOAD_COMPLETE,
                               .bucket = BUCKET,
                               .key = STR("m"),
                               .arena = f->arena,
                               .complete.upload_id = upload,
                               .complete.parts = &stale,
                               .complete.count = 1 };

    (void)state;
    FX_OK(f, fx_part(f, "m", upload, 1, part_bytes(1, 2000), NULL));
    FX_OK(f, fx_part(f, "m", upload, 1, part_bytes(2, 3000), NULL));
    assert_int_equal(store_submit_wait(f->store, &complete), STORE_RETRY);
    assert_int_equal(fx_complete(f, "m", upload, two, 2), STORE_RETRY);
    assert_int_equal(fx_part(f, "x", upload, 1, STR("x"), NULL), STORE_NO_UPLOAD);
    assert_int_equal(fx_part(f, "m", upload, 0, STR("x"), NULL), STORE_PART_LIMIT);
    assert_int_equal(fx_part(f, "m", upload, STORE_PARTS_MAX + 1, STR("x"), NULL),
                     STORE_PART_LIMIT);
    FX_OK(f, fx_part(f, "m", upload, STORE_PARTS_MAX, STR("x"), NULL));
    FX_OK(f, fx_abort(f, "m", upload));
    assert_int_equal(fx_abort(f, "m", upload), STORE_NO_UPLOAD);
    assert_int_equal(fx_complete(f, "m", upload, one, 1), STORE_NO_UPLOAD);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 0);
    fx_close(f);
}

static void one_empty_part_is_an_empty_multipart_object(void **state)
{
    static const uint32_t one[] = { 1 };
    struct fixture *f = fx_open(NULL);
    struct str upload = fx_upload(f, "m");
    struct version version;

    (void)state;
    FX_OK(f, fx_part(f, "m", upload, 1, STR(""), NULL));
    FX_OK(f, fx_complete(f, "m", upload, one, 1));
    FX_OK(f, fx_head(f, "m", &version));
    assert_int_equal(version.part_count, 1);
    assert_int_equal(version.size_bytes, 0);
    fx_assert_content(f, "m", STR(""));
    FX_OK(f, fx_copy(f, "m", "n", COPY_REFER));
    fx_close(f);
}

struct seen {
    struct fixture *f;
    size_t count;
    char log[400];
};

static bool note(void *context, struct str prefix, const struct upload *upload)
{
    struct seen *seen = context;
    struct str name = upload != NULL ? upload->key : prefix;
    size_t at = strlen(seen->log);

    (void)snprintf(seen->log + at, sizeof(seen->log) - at, "%.*s ", STR_ARG(name));
    seen->count++;
    return true;
}

/* What happens to the key while the upload is open; the end decides whether it is there. */
enum event {
    EVENT_NONE,
    EVENT_PUT,
    EVENT_DELETE,
    EVENT_RESTART,
    EVENT_OTHER_KEY,
    EVENT_OTHER_UPLOAD
};

static void happen(struct fixture *f, enum event event)
{
    switch (event) {
    case EVENT_NONE:
        break;
    case EVENT_PUT:
        FX_OK(f, fx_put(f, "key", STR("again")));
        break;
    case EVENT_DELETE:
        FX_OK(f, fx_delete(f, "key"));
        break;
    case EVENT_RESTART:
        fx_stop(f);
        fx_start(f);
        break;
    case EVENT_OTHER_KEY:
        FX_OK(f, fx_put(f, "key2", STR("x")));
        FX_OK(f, fx_delete(f, "key2"));
        break;
    case EVENT_OTHER_UPLOAD: /* begins and ends, so what the writer knows of uploads changes */
        FX_OK(f, fx_abort(f, "key", fx_upload(f, "key")));
        break;
    }
}

struct conflict_case {
    bool versioned;
    bool there; /* before the upload begins */
    enum event events[4];
    enum store_status none_match; /* what If-None-Match: * is answered */
    enum store_status match;      /* and If-Match: * */
};

static const struct conflict_case conflict_cases[] = {
    { false, false, { EVENT_NONE }, STORE_OK, STORE_NO_KEY },
    { false, true, { EVENT_NONE }, STORE_PRECONDITION_FAILED, STORE_OK },
    { false, true, { EVENT_RESTART }, STORE_PRECONDITION_FAILED, STORE_OK },
    { false, true, { EVENT_OTHER_KEY }, STORE_PRECONDITION_FAILED, STORE_OK },
    { false, true, { EVENT_OTHER_UPLOAD }, STORE_PRECONDITION_FAILED, STORE_OK },
    { false, true, { EVENT_PUT }, STORE_PRECONDITION_FAILED, STORE_CONFLICT },
    { false, false, { EVENT_PUT }, STORE_PRECONDITION_FAILED, STORE_CONFLICT },
    { false, true, { EVENT_DELETE }, STORE_CONFLICT, STORE_NO_KEY },
    { false, true, { EVENT_DELETE, EVENT_RESTART }, STORE_CONFLICT, STORE_NO_KEY },
    { false, true, { EVENT_RESTART, EVENT_DELETE }, STORE_CONFLICT, STORE_NO_KEY },
    { false, true, { EVENT_OTHER_UPLOAD, EVENT_DELETE }, STORE_CONFLICT, STORE_NO_KEY },
    { false, false, { EVENT_PUT, EVENT_DELETE }, STORE_CONFLICT, STORE_NO_KEY },
    { false, true, { EVENT_DELETE, EVENT_PUT }, STORE_PRECONDITION_FAILED, STORE_CONFLICT },
    { true, true, { EVENT_DELETE }, STORE_CONFLICT, STORE_NO_KEY },
    { true, false, { EVENT_PUT, EVENT_DELETE }, STORE_CONFLICT, STORE_NO_KEY },
    { true, true, { EVENT_PUT }, STORE_PRECONDITION_FAILED, STORE_CONFLICT },
};

static void check_conflict(const struct conflict_case *c, const struct write_condition *condition,
                           enum store_status expected)
{
    static const uint32_t one[] = { 1 };
    struct fixture *f = fx_open(NULL);
    struct upload found;
    struct str upload;

    if (c->versioned)
        FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    if (c->there)
        FX_OK(f, fx_put(f, "key", STR("before")));
    upload = fx_upload(f, "key");
    FX_OK(f, fx_part(f, "key", upload, 1, STR("part"), NULL));
    for (size_t i = 0; i < COUNT_OF(c->events); i++)
        happen(f, c->events[i]);
    assert_int_equal(fx_complete_if(f, "key", upload, one, 1, condition), expected);

    /* Without a condition it is not asked what happened; a refusal has left the upload as it was. */
    if (expected != STORE_OK) {
        FX_OK(f, upload_get(f->reader, fx_bucket_id(f), STR("key"), upload, f->arena, &found,
                            &f->fault));
        FX_OK(f, fx_complete(f, "key", upload, one, 1));
    }
    fx_assert_content(f, "key", STR("part"));
    fx_close(f);
}

/* PROVES: CompleteMultipartUpload, 409 ConditionalRequestConflict, "re-initiate the upload" */
static void a_condition_speaks_of_the_key_as_it_was_when_the_upload_began(void **state)
{
    static const struct write_condition none_match = { .if_none_match_any = true };
    const struct write_condition match = { .if_match = STR("*") };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(conflict_cases); i++) {
        check_conflict(&conflict_cases[i], &none_match, conflict_cases[i].none_match);
        check_conflict(&conflict_cases[i], &match, conflict_cases[i].match);
    }
}

/* A removal by id lets an older version be current again: the key has changed all the same. */
static void a_version_that_comes_back_is_a_change_too(void **state)
{
    static const uint32_t one[] = { 1 };
    const struct write_condition match = { .if_match = STR("*") };
    struct fixture *f = fx_open(NULL);
    struct fx_put newer = { .key = STR("key"), .bytes = STR("newer") };
    struct delete_item item;
    struct str upload;

    (void)state;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put(f, "key", STR("older")));
    upload = fx_upload(f, "key");
    FX_OK(f, fx_part(f, "key", upload, 1, STR("part"), NULL));
    FX_OK(f, fx_put_with(f, &newer));
    FX_OK(f, fx_delete_version(f, "key", newer.version, &item));
    assert_int_equal(fx_complete_if(f, "key", upload, one, 1, &match), STORE_CONFLICT);
    fx_close(f);
}

static void open_uploads_are_listed_by_key_then_age(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct seen seen = { .f = f };
    struct upload_query query = { .prefix = STR(""), .max = 1 };
    struct upload_end end;

    (void)state;
    (void)fx_upload(f, "b");
    (void)fx_upload(f, "a/2");
    (void)fx_upload(f, "a/1");
    (void)fx_upload(f, "b");
    (void)fx_upload(f, "b");
    do {
        FX_OK(f, upload_list(f->reader, fx_bucket_id(f), &query, note, &seen, f->arena, &end,
                             &f->fault));
        query.key_marker = end.next_key;
        query.upload_id_marker = end.next_upload_id;
    } while (end.truncated);
    assert_string_equal(seen.log, "a/1 a/2 b b b ");

    seen.log[0] = '\0';
    query = (struct upload_query){ .prefix = STR(""), .delimiter = STR("/"), .max = 1 };
    do {
        FX_OK(f, upload_list(f->reader, fx_bucket_id(f), &query, note, &seen, f->arena, &end,
                             &f->fault));
        query.key_marker = end.next_key;
        query.upload_id_marker = end.next_upload_id;
    } while (end.truncated);
    assert_string_equal(seen.log, "a/ b b b ");

    seen.log[0] = '\0';
    query = (struct upload_query){ .prefix = STR(""), .key_marker = STR("a/2"), .max = 9 };
    FX_OK(f,
          upload_list(f->reader, fx_bucket_id(f), &query, note, &seen, f->arena, &end, &f->fault));
    assert_string_equal(seen.log, "b b b ");
    fx_close(f);
}

static enum store_status list_after(struct fixture *f, const char *key, struct str id,
                                    struct seen *seen)
{
    struct upload_query query = {
        .prefix = STR(""), .key_marker = str_from_cstr(key), .upload_id_marker = id, .max = 10
    };
    struct upload_end end;

    seen->log[0] = '\0';
    return upload_list(f->reader, fx_bucket_id(f), &query, note, seen, f->arena, &end, &f->fault);
}

static void an_upload_that_is_no_more_is_still_a_place(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct seen seen = { .f = f };
    static const uint32_t one[] = { 1 };
    struct str first;
    struct str second;

    (void)state;
    (void)fx_upload(f, "k");
    first = fx_upload(f, "k");
    second = fx_upload(f, "k");
    (void)fx_upload(f, "k");
    (void)fx_upload(f, "l");
    FX_OK(f, fx_abort(f, "k", first));
    FX_OK(f, list_after(f, "k", first, &seen));
    assert_string_equal(seen.log, "k k l ");
    FX_OK(f, fx_part(f, "k", second, 1, part_bytes(1, 10), NULL));
    FX_OK(f, fx_complete(f, "k", second, one, 1));
    FX_OK(f, list_after(f, "k", first, &seen));
    assert_string_equal(seen.log, "k l ");
    FX_OK(f, list_after(f, "k", second, &seen));
    assert_string_equal(seen.log, "k l ");
    fx_close(f);
}

static void a_marker_that_is_no_upload_of_the_key_is_refused(void **state)
{
    static const char *const junk[] = { "X", "null", "00000000000000000000000000000000",
                                        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
                                        "00000000000000007fffffffffffffff" };
    struct fixture *f = fx_open(NULL);
    struct seen seen = { .f = f };
    struct str id;

    (void)state;
    id = fx_upload(f, "k");
    FX_OK(f, list_after(f, "k", id, &seen));
    assert_int_equal(list_after(f, "j", id, &seen), STORE_NO_UPLOAD);
    for (size_t i = 0; i < COUNT_OF(junk); i++)
        assert_int_equal(list_after(f, "k", str_from_cstr(junk[i]), &seen), STORE_NO_UPLOAD);
    fx_close(f);
}

static void old_uploads_expire(void **state)
{
    struct store_options options = { .durability = STORE_RELAXED,
                                     .inline_max_bytes = 1024,
                                     .reserve_bytes = 1,
                                     .upload_expiry_us = 3600 * US_PER_S };
    static const uint32_t one[] = { 1 };
    struct fixture *f = fx_open(&options);
    struct str old = fx_upload(f, "m");
    struct str done = fx_upload(f, "d");
    struct upload upload;

    (void)state;
    FX_OK(f, fx_part(f, "m", old, 1, part_bytes(1, 5000), NULL));
    FX_OK(f, fx_part(f, "d", done, 1, part_bytes(2, 5000), NULL));
    FX_OK(f, fx_complete(f, "d", done, one, 1));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    FX_OK(f, upload_get(f->reader, fx_bucket_id(f), STR("m"), old, f->arena, &upload, &f->fault));

    clock_move(store_clock(f->store), CLOCK_ADVANCE, 2 * 3600 * US_PER_S);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(upload_get(f->reader, fx_bucket_id(f), STR("m"), old, f->arena, &upload,
                                &f->fault),
                     STORE_NO_UPLOAD);
    FX_OK(f, upload_get(f->reader, fx_bucket_id(f), STR("d"), done, f->arena, &upload, &f->fault));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 1);

    clock_move(store_clock(f->store), CLOCK_ADVANCE, 24 * 3600 * US_PER_S);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(upload_get(f->reader, fx_bucket_id(f), STR("d"), done, f->arena, &upload,
                                &f->fault),
                     STORE_NO_UPLOAD);
    fx_close(f);
}

/* ---- what uploads cost those who have none ----------------------------------------------- */

static _Atomic int upload_steps;

static int count_steps(unsigned kind, void *context, void *stmt, void *elapsed_ns)
{
    (void)kind;
    (void)context;
    (void)elapsed_ns;
    if (strstr(sqlite3_sql(stmt), " upload ") != NULL)
        atomic_fetch_add(&upload_steps, sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1));
    return 0;
}

/* Every connection that opens from here on is counted. */
static int watch_connection(sqlite3 *db, char **ret_error, const struct sqlite3_api_routines *api)
{
    (void)ret_error;
    (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, count_steps, NULL);
}

/* SQLite's steps in the table of uploads while a key and then a bucket without any are deleted. */
static int steps_of_deletes(struct fixture *f)
{
    struct intent create = { .kind = INTENT_BUCKET_CREATE,
                             .bucket = STR("other"),
                             .bucket_create.owner = OWNER,
                             .arena = f->arena };
    struct intent delete = { .kind = INTENT_BUCKET_DELETE,
                             .bucket = STR("other"),
                             .arena = f->arena };
    struct str ends = fx_upload(f, "ends"); /* what is known of open uploads ends with it */

    FX_OK(f, fx_put(f, "x", STR("x")));
    FX_OK(f, store_submit_wait(f->store, &create));
    FX_OK(f, fx_abort(f, "ends", ends));
    atomic_store(&upload_steps, 0);
    FX_OK(f, fx_delete(f, "x"));
    FX_OK(f, store_submit_wait(f->store, &delete));
    return atomic_load(&upload_steps);
}

static void deletes_do_not_read_the_uploads_of_other_keys(void **state)
{
    enum { MANY = 100 };
    static const uint32_t one[] = { 1 };
    struct fixture *f;
    int before;
    int after;

    (void)state;
    assert_int_equal(sqlite3_auto_extension((void (*)(void))watch_connection), SQLITE_OK);
    f = fx_open(NULL);
    (void)fx_upload(f, "first");
    before = steps_of_deletes(f);
    assert_true(before > 0);
    for (int i = 0; i < MANY; i++) {
        struct str done = fx_upload(f, "done");

        FX_OK(f, fx_part(f, "done", done, 1, STR("part"), NULL));
        FX_OK(f, fx_complete(f, "done", done, one, 1));
        (void)fx_upload(f, "open");
    }
    after = steps_of_deletes(f);
    if (after >= before + MANY)
        fail_msg("%d steps with few uploads, %d with many", before, after);
    (void)sqlite3_cancel_auto_extension((void (*)(void))watch_connection);
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_all_kinds_become_one_object),
        cmocka_unit_test(ranges_of_a_multipart_object_can_be_parts),
        cmocka_unit_test(a_whole_multipart_object_can_be_a_part),
        cmocka_unit_test(an_object_has_a_limited_number_of_pieces),
        cmocka_unit_test(a_replaced_part_says_retry_and_an_aborted_upload_is_gone),
        cmocka_unit_test(one_empty_part_is_an_empty_multipart_object),
        cmocka_unit_test(a_condition_speaks_of_the_key_as_it_was_when_the_upload_began),
        cmocka_unit_test(a_version_that_comes_back_is_a_change_too),
        cmocka_unit_test(open_uploads_are_listed_by_key_then_age),
        cmocka_unit_test(an_upload_that_is_no_more_is_still_a_place),
        cmocka_unit_test(a_marker_that_is_no_upload_of_the_key_is_refused),
        cmocka_unit_test(old_uploads_expire),
        cmocka_unit_test(deletes_do_not_read_the_uploads_of_other_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
