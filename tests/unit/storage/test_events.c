/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox: each change is told once, in the order of commits, to whoever subscribes, and nothing
 * else is.
 */
#include <stdio.h>

#include "kept.h"

#define TOLD_MAX 64
#define LINE_MAX_BYTES 200

static char big[20000];

/* ---- what was told ----------------------------------------------------------------------- */

struct told {
    char lines[TOLD_MAX][LINE_MAX_BYTES]; /* "name key version" */
    size_t count;
    int64_t last;
    uint64_t lost;
    size_t stop_at; /* 0: never */
};

static bool note(void *context, const struct store_event *event)
{
    struct told *told = context;
    struct str version = str_present(event->version_id) ? event->version_id : STR("-");

    assert_true(told->count < TOLD_MAX);
    assert_true(told->count == 0 || event->id == told->last + 1);
    (void)snprintf(told->lines[told->count++], LINE_MAX_BYTES, "%.*s %.*s %.*s",
                   STR_ARG(event->name), STR_ARG(event->key), STR_ARG(version));
    told->last = event->id;
    return told->count != told->stop_at;
}

static struct told told_after(struct fixture *f, int64_t after)
{
    struct told told = { .count = 0 };

    FX_OK(f, event_list(f->reader, after, TOLD_MAX, note, &told, &told.lost, &f->fault));
    return told;
}

static int64_t done_of(struct fixture *f, struct str name)
{
    int64_t done;

    FX_OK(f, subscriber_done(f->reader, name, &done, &f->fault));
    return done;
}

static void assert_told(const struct told *told, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < told->count && i < count; i++)
        assert_string_equal(told->lines[i], lines[i]);
    assert_int_equal(told->count, count);
}

static struct fixture *open_subscribed(void)
{
    struct fixture *f = fx_open(NULL);

    f->origin = (struct intent_origin){ .event = STR("write") };
    f->marker_event = STR("mark");
    FX_OK(f, store_subscribe(f->store, STR("s"), &f->fault));
    return f;
}

static enum store_status set(struct fixture *f, const char *key, struct intent_object_set what)
{
    struct intent intent = { .kind = INTENT_OBJECT_SET,
                             .origin = { .event = STR("set") },
                             .bucket = BUCKET,
                             .key = str_from_cstr(key),
                             .arena = f->arena,
                             .object_set = what };

    return store_submit_wait(f->store, &intent);
}

/* ---- changes ----------------------------------------------------------------------------- */

static void each_kind_of_change_is_told_once(void **state)
{
    static const char *const lines[] = { "write k -", "write copy -", "write whole -", "set k -",
                                         "set k -",   "write k -",    "write whole -" };
    static const uint32_t numbers[] = { 1, 2 };
    struct fixture *f = open_subscribed();
    struct str upload = fx_upload(f, "whole");
    struct told told;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    FX_OK(f, fx_copy(f, "k", "copy", COPY_REFER));
    FX_OK(f, fx_part(f, "whole", upload, 1, str_make(big, 20000), NULL));
    FX_OK(f, fx_part(f, "whole", upload, 2, STR("end"), NULL));
    FX_OK(f, fx_complete(f, "whole", upload, numbers, 2));
    FX_OK(f, set(f, "k", (struct intent_object_set){ .set_tags = true, .tags = STR("t") }));
    FX_OK(f, set(f, "k", (struct intent_object_set){ .set_acl = true, .acl = STR("a") }));
    FX_OK(f, fx_delete(f, "k"));
    FX_OK(f, fx_delete(f, "whole"));
    told = told_after(f, 0);
    assert_told(&told, lines, COUNT_OF(lines));
    assert_int_equal(told.lost, 0);
    fx_close(f);
}

static void what_changes_no_object_is_not_told(void **state)
{
    struct fixture *f = open_subscribed();
    struct fx_put refused = { .key = STR("k"), .condition = { .if_none_match_any = true } };
    struct str upload;
    struct told told;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    FX_OK(f, set(f, "k", (struct intent_object_set){ .set_acl = true, .acl = STR("a") }));

    int64_t before = told_after(f, 0).last;

    assert_int_equal(fx_put_with(f, &refused), STORE_PRECONDITION_FAILED);
    FX_OK(f, set(f, "k", (struct intent_object_set){ .set_acl = true, .acl = STR("a") }));
    FX_OK(f, fx_delete(f, "never there"));
    upload = fx_upload(f, "m");
    FX_OK(f, fx_part(f, "m", upload, 1, STR("part"), NULL));
    FX_OK(f, fx_abort(f, "m", upload));
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    f->origin.event = STR_NONE; /* nobody is to hear of it */
    FX_OK(f, fx_put(f, "quiet", STR("x")));
    told = told_after(f, before);
    assert_int_equal(told.count, 0);
    fx_close(f);
}

static void versions_are_told_by_their_ids(void **state)
{
    struct fixture *f = open_subscribed();
    struct fx_put put = { .key = STR("k"), .bytes = STR("x") };
    struct delete_item item;
    struct version marker;
    char lines[6][LINE_MAX_BYTES];
    struct told told;

    (void)state;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put_with(f, &put));
    (void)snprintf(lines[0], sizeof(lines[0]), "write k %s", put.version);
    FX_OK(f, fx_delete(f, "k"));
    FX_OK(f, version_get(f->reader, fx_bucket_id(f), STR("k"), (struct version_id){ 0 }, f->arena,
                         &marker, &f->fault));
    (void)snprintf(lines[1], sizeof(lines[1]), "mark k %.*s",
                   STR_ARG(version_id_text(&marker, f->arena)));
    FX_OK(f, fx_delete_version(f, "k", put.version, &item));
    (void)snprintf(lines[2], sizeof(lines[2]), "write k %s", put.version);
    FX_OK(f, fx_versioning(f, VERSIONING_SUSPENDED));
    FX_OK(f, fx_put(f, "k", STR("y")));
    (void)snprintf(lines[3], sizeof(lines[3]), "write k null");
    FX_OK(f, fx_delete(f, "k"));
    (void)snprintf(lines[4], sizeof(lines[4]), "mark k null");
    FX_OK(f, fx_delete_version(f, "k", "null", &item)); /* the marker itself */
    (void)snprintf(lines[5], sizeof(lines[5]), "write k null");

    told = told_after(f, 0);
    assert_int_equal(told.count, COUNT_OF(lines));
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_string_equal(told.lines[i], lines[i]);
    fx_close(f);
}

static void of_many_deletes_each_is_told_that_removes_something(void **state)
{
    static const char *const lines[] = { "gone a -", "gone c -" };
    struct fixture *f = open_subscribed();
    struct delete_item items[] = { { .key = STR("a") },
                                   { .key = STR("not there") },
                                   { .key = STR("b"), .condition = { .if_match = STR("other") } },
                                   { .key = STR("c") } };
    struct intent remove = { .kind = INTENT_OBJECT_DELETE,
                             .origin = { .event = STR("gone") },
                             .bucket = BUCKET,
                             .arena = f->arena,
                             .remove = { .items = items, .count = COUNT_OF(items) } };
    struct told told;

    (void)state;
    FX_OK(f, fx_put(f, "a", STR("x")));
    FX_OK(f, fx_put(f, "b", STR("x")));
    FX_OK(f, fx_put(f, "c", STR("x")));

    int64_t before = told_after(f, 0).last;

    FX_OK(f, store_submit_wait(f->store, &remove));
    assert_int_equal(items[2].status, STORE_PRECONDITION_FAILED);
    told = told_after(f, before);
    assert_told(&told, lines, COUNT_OF(lines));
    fx_close(f);
}

struct whole {
    struct fixture *f;
    const struct fx_put *put;
    bool seen;
};

static bool check_whole(void *context, const struct store_event *event)
{
    struct whole *whole = context;
    struct fixture *f = whole->f;
    struct version version;

    FX_OK(f, fx_head(f, "k", &version));
    assert_true(str_eq(event->name, STR("write")));
    assert_int_equal(event->bucket_id, fx_bucket_id(f));
    assert_true(str_eq(event->bucket, BUCKET));
    assert_true(str_eq(event->key, STR("k")));
    assert_int_equal(event->seq, version.seq);
    assert_false(str_present(event->version_id));
    assert_int_equal(event->size_bytes, 5);
    assert_true(str_eq(event->etag, version.attrs.etag));
    assert_int_equal(event->time_us, version.modified_us);
    assert_true(str_eq(event->request_id, STR("0123456789ABCDEF")));
    assert_true(str_eq(event->principal, STR("somebody")));
    assert_true(str_eq(event->address, STR("192.0.2.7")));
    whole->seen = true;
    return true;
}

static void an_event_says_what_where_when_and_who(void **state)
{
    struct fixture *f = open_subscribed();
    struct whole whole = { .f = f };
    uint64_t lost;

    (void)state;
    f->origin = (struct intent_origin){ .event = STR("write"),
                                        .request_id = STR("0123456789ABCDEF"),
                                        .principal = STR("somebody"),
                                        .address = STR("192.0.2.7") };
    FX_OK(f, fx_put(f, "k", STR("bytes")));
    FX_OK(f, event_list(f->reader, 0, 1, check_whole, &whole, &lost, &f->fault));
    assert_true(whole.seen);
    fx_close(f);
}

/* ---- subscribers ------------------------------------------------------------------------- */

static uint64_t statements_of_put(struct fixture *f, struct str event)
{
    uint64_t before;

    f->origin.event = event;
    FX_OK(f, fx_put(f, "k", STR("x")));
    before = store_counters(f->store).statements;
    FX_OK(f, fx_put(f, "k", STR("x")));
    return store_counters(f->store).statements - before;
}

static void without_a_subscriber_nothing_is_asked_and_nothing_written(void **state)
{
    struct fixture *f = fx_open(NULL);
    uint64_t quiet = statements_of_put(f, STR_NONE);

    (void)state;
    assert_int_equal(statements_of_put(f, STR("write")), quiet);
    assert_int_equal(told_after(f, 0).count, 0);

    /* A store that had one pays nothing either, also when it is opened again. */
    FX_OK(f, store_subscribe(f->store, STR("s"), &f->fault));
    assert_int_equal(statements_of_put(f, STR("write")), quiet + 1);
    FX_OK(f, store_unsubscribe(f->store, STR("s"), &f->fault));
    assert_int_equal(statements_of_put(f, STR("write")), quiet);
    fx_stop(f);
    fx_start(f);
    assert_int_equal(statements_of_put(f, STR("write")), quiet);
    assert_int_equal(told_after(f, 0).count, 0);
    fx_close(f);
}

static void who_subscribes_sees_what_comes_after(void **state)
{
    struct fixture *f = open_subscribed();

    (void)state;
    FX_OK(f, fx_put(f, "a", STR("x")));
    FX_OK(f, store_subscribe(f->store, STR("late"), &f->fault));
    FX_OK(f, fx_put(f, "b", STR("x")));
    assert_int_equal(told_after(f, done_of(f, STR("s"))).count, 2);
    assert_int_equal(told_after(f, done_of(f, STR("late"))).count, 1);

    /* Again: it keeps its place. */
    FX_OK(f, store_subscribe(f->store, STR("late"), &f->fault));
    assert_int_equal(told_after(f, done_of(f, STR("late"))).count, 1);
    fx_close(f);
}

static void events_wait_for_a_subscriber_over_a_restart(void **state)
{
    struct fixture *f = open_subscribed();

    (void)state;
    FX_OK(f, fx_put(f, "a", STR("x")));
    fx_stop(f);
    fx_start(f);
    FX_OK(f, fx_put(f, "b", STR("x"))); /* the subscriber is not back yet */
    assert_int_equal(told_after(f, done_of(f, STR("s"))).count, 2);
    FX_OK(f, store_events_forget(f->store, STR("s"), 1, &f->fault));
    fx_stop(f);
    fx_start(f);
    assert_int_equal(done_of(f, STR("s")), 1);
    assert_int_equal(told_after(f, 1).count, 1);
    fx_close(f);
}

static void an_event_goes_when_the_last_subscriber_is_done_with_it(void **state)
{
    struct fixture *f = open_subscribed();

    (void)state;
    FX_OK(f, store_subscribe(f->store, STR("slow"), &f->fault));
    for (int i = 0; i < 5; i++)
        FX_OK(f, fx_put(f, "k", STR("x")));
    FX_OK(f, store_events_forget(f->store, STR("s"), 4, &f->fault));
    assert_int_equal(told_after(f, 0).count, 5);
    FX_OK(f, store_events_forget(f->store, STR("slow"), 2, &f->fault));
    assert_int_equal(told_after(f, 2).count, 3);
    assert_int_equal(told_after(f, 0).lost, 2); /* not there any more */

    /* Back, and to what is not there yet: neither moves it where it should not be. */
    FX_OK(f, store_events_forget(f->store, STR("slow"), 1, &f->fault));
    assert_int_equal(done_of(f, STR("slow")), 2);
    FX_OK(f, store_events_forget(f->store, STR("slow"), 1000, &f->fault));
    assert_int_equal(done_of(f, STR("slow")), 5);
    assert_int_equal(told_after(f, 4).count, 1); /* for s */
    FX_OK(f, store_unsubscribe(f->store, STR("s"), &f->fault));
    assert_int_equal(told_after(f, 5).count, 0);
    FX_OK(f, fx_put(f, "k", STR("x")));
    assert_int_equal(told_after(f, 5).last, 6);
    fx_close(f);
}

static void numbers_of_events_are_not_used_twice(void **state)
{
    struct fixture *f = open_subscribed();

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    FX_OK(f, fx_put(f, "k", STR("x")));
    FX_OK(f, store_unsubscribe(f->store, STR("s"), &f->fault));
    assert_int_equal(told_after(f, 0).count, 0);
    fx_stop(f);
    fx_start(f);
    FX_OK(f, store_subscribe(f->store, STR("s"), &f->fault));
    assert_int_equal(done_of(f, STR("s")), 2);
    FX_OK(f, fx_put(f, "k", STR("x")));
    assert_int_equal(told_after(f, 2).last, 3);
    fx_close(f);
}

static void unknown_subscribers_are_told_so(void **state)
{
    struct fixture *f = open_subscribed();
    int64_t done;

    (void)state;
    assert_int_equal(subscriber_done(f->reader, STR("x"), &done, &f->fault), STORE_NO_SUBSCRIBER);
    assert_int_equal(store_events_forget(f->store, STR("x"), 1, &f->fault), STORE_NO_SUBSCRIBER);
    assert_int_equal(store_unsubscribe(f->store, STR("x"), &f->fault), STORE_NO_SUBSCRIBER);
    fx_close(f);
}

static void names_and_subscribers_have_limits(void **state)
{
    struct fixture *f = fx_open(NULL);
    char longest[STORE_SUBSCRIBER_NAME_MAX + 1];
    char name[16];

    (void)state;
    memset(longest, 'n', sizeof(longest));
    assert_int_equal(store_subscribe(f->store, STR(""), &f->fault), STORE_SUBSCRIBER_LIMIT);
    assert_int_equal(store_subscribe(f->store, str_make(longest, sizeof(longest)), &f->fault),
                     STORE_SUBSCRIBER_LIMIT);
    FX_OK(f, store_subscribe(f->store, str_make(longest, sizeof(longest) - 1), &f->fault));
    for (int i = 1; i < STORE_SUBSCRIBERS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "s%d", i);
        FX_OK(f, store_subscribe(f->store, str_from_cstr(name), &f->fault));
    }
    assert_int_equal(store_subscribe(f->store, STR("one more"), &f->fault), STORE_SUBSCRIBER_LIMIT);
    FX_OK(f, store_subscribe(f->store, STR("s1"), &f->fault)); /* known */
    FX_OK(f, store_unsubscribe(f->store, STR("s1"), &f->fault));
    FX_OK(f, store_subscribe(f->store, STR("one more"), &f->fault));
    fx_close(f);
}

static void a_document_brings_its_subscribers_and_is_told_them_first(void **state)
{
    static const char *const lines[] = { "test", "write" };
    const struct str subscribers[] = { STR("s"), STR("t") };
    struct fixture *f = fx_open(NULL);
    struct intent intent = { .kind = INTENT_DOCUMENT_SET,
                             .origin = { .event = STR("test") },
                             .bucket = BUCKET,
                             .arena = f->arena,
                             .subscribers = subscribers,
                             .subscriber_count = 2,
                             .document = { STR("notification"), STR(""), STR("<a/>") } };
    struct told told;

    (void)state;
    FX_OK(f, store_submit_wait(f->store, &intent));
    assert_int_equal(done_of(f, STR("s")), 0);
    assert_int_equal(done_of(f, STR("t")), 0);
    f->origin.event = STR("write");
    FX_OK(f, fx_put(f, "k", STR("x")));
    told = told_after(f, 0);
    assert_int_equal(told.count, COUNT_OF(lines));
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_int_equal(strncmp(told.lines[i], lines[i], strlen(lines[i])), 0);
    /* Known ones keep their places. */
    FX_OK(f, store_events_forget(f->store, STR("s"), 1, &f->fault));
    FX_OK(f, store_submit_wait(f->store, &intent));
    assert_int_equal(done_of(f, STR("s")), 1);
    fx_close(f);
}

static void so_many_events_wait_and_then_the_oldest_give_way(void **state)
{
    struct store_options options = {
        .durability = STORE_RELAXED, .inline_max_bytes = 1024, .reserve_bytes = 1, .events_max = 8
    };
    struct fixture *f = fx_open(&options);
    struct told told;

    (void)state;
    f->origin.event = STR("write");
    FX_OK(f, store_subscribe(f->store, STR("s"), &f->fault));
    for (int i = 0; i < 8; i++)
        FX_OK(f, fx_put(f, "k", STR("x")));
    told = told_after(f, 0);
    assert_int_equal(told.count, 8);
    assert_int_equal(told.lost, 0);
    FX_OK(f, fx_put(f, "k", STR("x")));
    told = told_after(f, 0);
    assert_int_equal(told.count, 8);
    assert_int_equal(told.lost, 1);
    assert_int_equal(told.last, 9);
    fx_close(f);
}

static void a_list_ends_where_it_is_told_to(void **state)
{
    struct fixture *f = open_subscribed();
    struct told told = { .stop_at = 2 };

    (void)state;
    for (int i = 0; i < 4; i++)
        FX_OK(f, fx_put(f, "k", STR("x")));
    assert_int_equal(event_list(f->reader, 0, 10, note, &told, &told.lost, &f->fault),
                     STORE_STOPPED);
    assert_int_equal(told.count, 2);
    told = (struct told){ .count = 0 };
    FX_OK(f, event_list(f->reader, 2, 1, note, &told, &told.lost, &f->fault));
    assert_int_equal(told.count, 1);
    assert_int_equal(told.last, 3);
    fx_close(f);
}

/* ---- fsck -------------------------------------------------------------------------------- */

static void damage(struct fixture *f, const char *sql)
{
    sqlite3 *db;

    fx_stop(f);
    db = kept_sqlite(f);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    f->quiet_fsck = true;
}

static void ignore_line(void *context, const char *line)
{
    (void)context;
    (void)line;
}

static void fsck_finds_what_no_subscriber_could_make_sense_of(void **state)
{
    static const char *const damages[] = { "DELETE FROM event WHERE id = 2",
                                           "UPDATE subscriber SET done = 4" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        struct fixture *f = open_subscribed();

        for (int k = 0; k < 3; k++)
            FX_OK(f, fx_put(f, "k", STR("x")));
        damage(f, damages[i]);
        assert_int_equal(fx_fsck_quick(f).errors, 1);
        fx_remove(f);
    }
}

static void fsck_removes_events_that_wait_for_nobody(void **state)
{
    struct fixture *f = open_subscribed();
    struct fsck_report report;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    damage(f, "DELETE FROM subscriber");
    assert_int_equal(fx_fsck_quick(f).rows, 1);
    FX_OK(f, store_fsck(f->dir, &(struct fsck_options){ .mode = FSCK_REPAIR }, ignore_line, NULL,
                        &report, &f->fault));
    assert_int_equal(fx_fsck_quick(f).errors, 0);
    fx_start(f);
    assert_int_equal(told_after(f, 0).count, 0);
    fx_close(f);
}

/* ---- listeners --------------------------------------------------------------------------- */

static void count_wake(struct event_listener *listener)
{
    unsigned *wakes = listener->owner;

    (*wakes)++; /* the writer alone, and read after its done() */
}

static void listeners_hear_of_commits_with_events(void **state)
{
    struct fixture *f = open_subscribed();
    unsigned wakes[2] = { 0, 0 };
    struct event_listener one = { .wake = count_wake, .owner = &wakes[0] };
    struct event_listener two = { .wake = count_wake, .owner = &wakes[1] };

    (void)state;
    store_listen(f->store, &one);
    store_listen(f->store, &two);
    FX_OK(f, fx_put(f, "k", STR("x")));
    assert_int_equal(wakes[0], 1);
    assert_int_equal(wakes[1], 1);
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED)); /* no event */
    store_unlisten(f->store, &one);
    FX_OK(f, fx_delete(f, "k"));
    assert_int_equal(wakes[0], 1);
    assert_int_equal(wakes[1], 2);
    store_unlisten(f->store, &two);
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_change_is_told_once),
        cmocka_unit_test(what_changes_no_object_is_not_told),
        cmocka_unit_test(versions_are_told_by_their_ids),
        cmocka_unit_test(of_many_deletes_each_is_told_that_removes_something),
        cmocka_unit_test(an_event_says_what_where_when_and_who),
        cmocka_unit_test(without_a_subscriber_nothing_is_asked_and_nothing_written),
        cmocka_unit_test(who_subscribes_sees_what_comes_after),
        cmocka_unit_test(events_wait_for_a_subscriber_over_a_restart),
        cmocka_unit_test(an_event_goes_when_the_last_subscriber_is_done_with_it),
        cmocka_unit_test(numbers_of_events_are_not_used_twice),
        cmocka_unit_test(unknown_subscribers_are_told_so),
        cmocka_unit_test(names_and_subscribers_have_limits),
        cmocka_unit_test(a_document_brings_its_subscribers_and_is_told_them_first),
        cmocka_unit_test(so_many_events_wait_and_then_the_oldest_give_way),
        cmocka_unit_test(a_list_ends_where_it_is_told_to),
        cmocka_unit_test(fsck_finds_what_no_subscriber_could_make_sense_of),
        cmocka_unit_test(fsck_removes_events_that_wait_for_nobody),
        cmocka_unit_test(listeners_hear_of_commits_with_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
