/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backlog of replication and replicas: what waits, where a replica stands in the history of its key, and
 * what ends a wait.
 */
#include "fixture.h"

#define COPIES STR("copies")
#define MINUTE_US (60 * US_PER_S)

/* Two buckets with versioning, and a clock that stands. */
static struct fixture *open_pair(void)
{
    struct fixture *f = fx_open(NULL);
    struct intent make = { .kind = INTENT_BUCKET_CREATE,
                           .bucket = COPIES,
                           .arena = f->arena,
                           .bucket_create = { .owner = STR("another"),
                                              .region = STR(""),
                                              .versioning = VERSIONING_ENABLED } };

    FX_OK(f, store_submit_wait(f->store, &make));
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    clock_move(store_clock(f->store), CLOCK_FREEZE, 0);
    return f;
}

static int64_t now_us(const struct fixture *f)
{
    return clock_now_us(store_clock(f->store));
}

static struct bucket bucket_named(struct fixture *f, struct str name)
{
    struct bucket bucket;

    FX_OK(f, bucket_get(f->reader, name, f->arena, &bucket, &f->fault));
    return bucket;
}

static struct version version_at(struct fixture *f, struct str bucket, int64_t seq)
{
    struct version version;

    FX_OK(f, version_numbered(f->reader, bucket_named(f, bucket).id, STR("k"), seq, f->arena,
                              &version, &f->fault));
    return version;
}

static int64_t put_to(struct fixture *f, struct str bucket, bool replicate, struct str tags)
{
    struct version version;
    struct intent put = { .kind = INTENT_OBJECT_PUT,
                          .bucket = bucket,
                          .key = STR("k"),
                          .arena = f->arena,
                          .put = { .replicate = replicate,
                                   .attrs = { .etag = STR("e"), .owner = OWNER, .tags = tags } } };

    FX_OK(f, store_submit_wait(f->store, &put));
    FX_OK(f, version_get(f->reader, bucket_named(f, bucket).id, STR("k"),
                         (struct version_id){ .kind = VERSION_CURRENT }, f->arena, &version,
                         &f->fault));
    return version.seq;
}

struct waiting {
    struct backlog_item items[8];
    size_t count;
    int64_t next_us;
};

static bool take(void *context, const struct backlog_item *item)
{
    struct waiting *waiting = context;

    waiting->items[waiting->count++] = *item;
    return waiting->count < COUNT_OF(waiting->items);
}

static struct waiting waiting_at(struct fixture *f, int64_t us)
{
    struct waiting waiting = { .count = 0 };

    FX_OK(f, backlog_list(f->reader, us, COUNT_OF(waiting.items), take, &waiting, &waiting.next_us,
                          &f->fault));
    for (size_t i = 0; i < waiting.count; i++) /* their texts are gone with the visit */
        waiting.items[i].key = STR("k");
    return waiting;
}

static struct waiting waiting_now(struct fixture *f)
{
    return waiting_at(f, now_us(f));
}

static enum store_status replica_of(struct fixture *f, struct str from, struct str to, int64_t seq,
                                    bool change)
{
    struct version source = version_at(f, from, seq);
    struct intent intent = { .kind = INTENT_REPLICA_PUT,
                             .bucket = to,
                             .key = STR("k"),
                             .arena = f->arena,
                             .replica = { .source_bucket_id = bucket_named(f, from).id,
                                          .replica = source,
                                          .change = change } };

    intent.replica.replica.replication = REPLICATION_REPLICA;
    return store_submit_wait(f->store, &intent);
}

static void end(struct fixture *f, const struct waiting *waiting, enum replication_state state)
{
    struct backlog_item item = waiting->items[0];
    struct intent intent = { .kind = INTENT_REPLICATION_END,
                             .arena = f->arena,
                             .replication_end = { .items = &item, .count = 1 } };

    item.state = state;
    item.tries++;
    item.due_us = now_us(f) + MINUTE_US;
    FX_OK(f, store_submit_wait(f->store, &intent));
}

static void set_tags(struct fixture *f, struct str bucket, int64_t seq, struct str tags)
{
    struct version version = version_at(f, bucket, seq);
    struct intent intent = {
        .kind = INTENT_OBJECT_SET,
        .bucket = bucket,
        .key = STR("k"),
        .arena = f->arena,
        .object_set = { .version = { .kind = VERSION_EXACT, .seq = seq, .tail = version.tail },
                        .set_tags = true,
                        .tags = tags,
                        .replicate = true }
    };

    FX_OK(f, store_submit_wait(f->store, &intent));
}

static int state_of(struct fixture *f, struct str bucket, int64_t seq)
{
    return version_at(f, bucket, seq).replication;
}

/* ---- the backlog --------------------------------------------------------------------------- */

static void test_storage_replication__a_write_waits_until_it_is_said_to_have_ended(void **state)
{
    static const enum replication_state ends[] = { REPLICATION_COMPLETED, REPLICATION_FAILED };
    struct fixture *f = open_pair();
    struct waiting waiting;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        int64_t seq = put_to(f, BUCKET, /* replicate= */ true, STR_NONE);

        fx_stop(f);
        fx_start(f);
        waiting = waiting_at(f, INT64_MAX - 1);
        assert_int_equal(waiting.count, 1);
        assert_int_equal(waiting.items[0].seq, seq);
        assert_int_equal(state_of(f, BUCKET, seq), REPLICATION_PENDING);
        end(f, &waiting, ends[i]);
        assert_int_equal(waiting_at(f, INT64_MAX - 1).count, 0);
        assert_int_equal(state_of(f, BUCKET, seq), ends[i]);
    }
    assert_int_equal(state_of(f, BUCKET, put_to(f, BUCKET, false, STR_NONE)), REPLICATION_NONE);
    fx_close(f);
}

static void test_storage_replication__what_is_put_off_is_due_when_its_time_is_there(void **state)
{
    struct fixture *f = open_pair();
    int64_t seq = put_to(f, BUCKET, true, STR_NONE);
    struct waiting waiting = waiting_now(f);

    (void)state;
    assert_int_equal(waiting.next_us, INT64_MAX);
    end(f, &waiting, REPLICATION_PENDING);
    waiting = waiting_now(f);
    assert_int_equal(waiting.count, 0);
    assert_int_equal(waiting.next_us, now_us(f) + MINUTE_US);
    assert_int_equal(waiting_at(f, now_us(f) + MINUTE_US - 1).count, 0);
    waiting = waiting_at(f, now_us(f) + MINUTE_US);
    assert_int_equal(waiting.count, 1);
    assert_int_equal(waiting.items[0].tries, 1);
    assert_int_equal(state_of(f, BUCKET, seq), REPLICATION_PENDING);
    fx_close(f);
}

static void test_storage_replication__a_change_meanwhile_waits_on(void **state)
{
    struct fixture *f = open_pair();
    int64_t seq = put_to(f, BUCKET, true, STR_NONE);
    struct waiting first = waiting_now(f);
    struct waiting second;

    (void)state;
    set_tags(f, BUCKET, seq, STR("t"));
    end(f, &first, REPLICATION_COMPLETED);
    second = waiting_now(f);
    assert_int_equal(second.count, 1);
    assert_false(second.items[0].change); /* it was never replicated */
    assert_int_equal(state_of(f, BUCKET, seq), REPLICATION_PENDING);
    end(f, &second, REPLICATION_COMPLETED);
    set_tags(f, BUCKET, seq, STR("u"));
    second = waiting_now(f);
    assert_true(second.items[0].change);
    end(f, &second, REPLICATION_FAILED);
    set_tags(f, BUCKET, seq, STR("v"));
    assert_false(waiting_now(f).items[0].change); /* nobody knows which replicas there are */
    fx_close(f);
}

static void heard(struct event_listener *listener)
{
    (*(int *)listener->owner)++;
}

static void test_storage_replication__who_hears_of_the_backlog_is_woken_by_it_alone(void **state)
{
    struct fixture *f = open_pair();
    int backlog = 0;
    int events = 0;
    struct event_listener of_backlog = { .wake = heard, .owner = &backlog, .hears = HEARS_BACKLOG };
    struct event_listener of_events = { .wake = heard, .owner = &events };

    (void)state;
    FX_OK(f, store_subscribe(f->store, STR("s"), &f->fault));
    store_listen(f->store, &of_backlog);
    store_listen(f->store, &of_events);
    f->origin.event = STR("write");
    FX_OK(f, fx_put(f, "k", STR("x")));
    assert_int_equal(backlog, 0);
    assert_int_equal(events, 1);
    (void)put_to(f, BUCKET, true, STR_NONE);
    assert_int_equal(backlog, 1);
    assert_int_equal(events, 1);
    store_unlisten(f->store, &of_backlog);
    store_unlisten(f->store, &of_events);
    fx_close(f);
}

/* ---- replicas ------------------------------------------------------------------------------ */

static void test_storage_replication__a_replica_stands_where_its_number_says(void **state)
{
    struct fixture *f = open_pair();
    int64_t first = put_to(f, BUCKET, true, STR("1"));
    int64_t second = put_to(f, BUCKET, true, STR("2"));
    int64_t own = put_to(f, COPIES, false, STR("own"));
    int64_t last = put_to(f, BUCKET, true, STR("3"));

    (void)state;
    FX_OK(f, replica_of(f, BUCKET, COPIES, second, false));
    FX_OK(f, replica_of(f, BUCKET, COPIES, first, false));
    assert_true(version_at(f, COPIES, own).latest);
    assert_false(version_at(f, COPIES, second).latest);
    FX_OK(f, replica_of(f, BUCKET, COPIES, last, false));
    assert_true(version_at(f, COPIES, last).latest);
    assert_false(version_at(f, COPIES, own).latest);
    assert_int_equal(version_at(f, COPIES, first).tail, version_at(f, BUCKET, first).tail);
    assert_int_equal(version_at(f, COPIES, first).modified_us,
                     version_at(f, BUCKET, first).modified_us);
    assert_int_equal(state_of(f, COPIES, first), REPLICATION_REPLICA);
    fx_close(f);
}

static void test_storage_replication__twice_is_once_and_a_change_makes_none(void **state)
{
    struct fixture *f = open_pair();
    int64_t seq = put_to(f, BUCKET, true, STR("1"));
    struct version version;

    (void)state;
    FX_OK(f, replica_of(f, BUCKET, COPIES, seq, /* change= */ true));
    assert_int_equal(version_numbered(f->reader, bucket_named(f, COPIES).id, STR("k"), seq,
                                      f->arena, &version, &f->fault),
                     STORE_NO_VERSION);
    FX_OK(f, replica_of(f, BUCKET, COPIES, seq, false));
    FX_OK(f, replica_of(f, BUCKET, COPIES, seq, false));
    set_tags(f, BUCKET, seq, STR("2"));
    FX_OK(f, replica_of(f, BUCKET, COPIES, seq, true));
    assert_true(str_eq(version_at(f, COPIES, seq).attrs.tags, STR("2")));
    set_tags(f, COPIES, seq, STR("3"));
    assert_int_equal(state_of(f, COPIES, seq), REPLICATION_REPLICA);
    fx_close(f);
}

static void test_storage_replication__without_source_or_versioning_there_is_none(void **state)
{
    struct fixture *f = open_pair();
    int64_t seq = put_to(f, BUCKET, true, STR_NONE);
    struct intent suspend = { .kind = INTENT_BUCKET_SET,
                              .bucket = COPIES,
                              .arena = f->arena,
                              .bucket_set = { .set_versioning = true,
                                              .versioning = VERSIONING_SUSPENDED } };
    struct intent gone = { .kind = INTENT_REPLICA_PUT,
                           .bucket = COPIES,
                           .key = STR("k"),
                           .arena = f->arena,
                           .replica = { .source_bucket_id = bucket_named(f, BUCKET).id,
                                        .replica = version_at(f, BUCKET, seq) } };

    (void)state;
    gone.replica.replica.seq++;
    assert_int_equal(store_submit_wait(f->store, &gone), STORE_RETRY);
    gone.replica.replica.seq = seq;
    gone.replica.replica.attrs.sse = 1; /* it was encrypted anew meanwhile */
    assert_int_equal(store_submit_wait(f->store, &gone), STORE_RETRY);
    FX_OK(f, store_submit_wait(f->store, &suspend));
    assert_int_equal(replica_of(f, BUCKET, COPIES, seq, false), STORE_RETRY);
    fx_close(f);
}

static void test_storage_replication__a_retention_for_good_is_not_shortened(void **state)
{
    struct fixture *f = open_pair();
    int64_t seq = put_to(f, BUCKET, true, STR_NONE);
    struct intent lock = { .kind = INTENT_OBJECT_SET,
                           .bucket = COPIES,
                           .key = STR("k"),
                           .arena = f->arena,
                           .object_set = { .set_retention = true,
                                           .lock_mode = LOCK_COMPLIANCE,
                                           .retain_until_us = now_us(f) + MINUTE_US } };

    (void)state;
    FX_OK(f, replica_of(f, BUCKET, COPIES, seq, false));
    FX_OK(f, store_submit_wait(f->store, &lock));
    FX_OK(f, replica_of(f, BUCKET, COPIES, seq, true));
    assert_int_equal(version_at(f, COPIES, seq).attrs.lock_mode, LOCK_COMPLIANCE);
    clock_move(store_clock(f->store), CLOCK_ADVANCE, MINUTE_US);
    FX_OK(f, replica_of(f, BUCKET, COPIES, seq, true));
    assert_int_equal(version_at(f, COPIES, seq).attrs.lock_mode, LOCK_NONE);
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storage_replication__a_write_waits_until_it_is_said_to_have_ended),
        cmocka_unit_test(test_storage_replication__what_is_put_off_is_due_when_its_time_is_there),
        cmocka_unit_test(test_storage_replication__a_change_meanwhile_waits_on),
        cmocka_unit_test(test_storage_replication__who_hears_of_the_backlog_is_woken_by_it_alone),
        cmocka_unit_test(test_storage_replication__a_replica_stands_where_its_number_says),
        cmocka_unit_test(test_storage_replication__twice_is_once_and_a_change_makes_none),
        cmocka_unit_test(test_storage_replication__without_source_or_versioning_there_is_none),
        cmocka_unit_test(test_storage_replication__a_retention_for_good_is_not_shortened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
