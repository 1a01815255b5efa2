/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intent is bound to what its submitter judged: the bucket, its state, a version's ACL.
 */
#include "fixture.h"

static char big[6u * 1024 * 1024];

static struct bucket bucket_now(struct fixture *f)
{
    struct bucket bucket;

    FX_OK(f, bucket_get(f->reader, BUCKET, f->arena, &bucket, &f->fault));
    return bucket;
}

static struct intent judged(struct fixture *f, enum intent_kind kind, const struct bucket *bucket)
{
    return (struct intent){ .kind = kind,
                            .bucket = BUCKET,
                            .key = STR("k"),
                            .arena = f->arena,
                            .bucket_id = bucket->id,
                            .bucket_changed_seq = bucket->changed_seq };
}

static struct intent judged_put(struct fixture *f, const struct bucket *bucket)
{
    struct intent put = judged(f, INTENT_OBJECT_PUT, bucket);

    put.put.attrs = (struct version_attrs){ .etag = STR("e"), .owner = OWNER };
    return put;
}

static void set_acl(struct fixture *f, struct str acl)
{
    struct intent set = {
        .kind = INTENT_BUCKET_SET, .bucket = BUCKET, .arena = f->arena, .bucket_set.set_acl = true
    };

    set.bucket_set.acl = acl;
    FX_OK(f, store_submit_wait(f->store, &set));
}

static void set_document(struct fixture *f, struct str body)
{
    struct intent set = { .kind = INTENT_DOCUMENT_SET,
                          .bucket = BUCKET,
                          .arena = f->arena,
                          .document = { .kind = STR("policy"), .id = STR(""), .body = body } };

    FX_OK(f, store_submit_wait(f->store, &set));
}

static void make_anew(struct fixture *f)
{
    struct intent remove = { .kind = INTENT_BUCKET_DELETE, .bucket = BUCKET, .arena = f->arena };
    struct intent create = { .kind = INTENT_BUCKET_CREATE,
                             .bucket = BUCKET,
                             .arena = f->arena,
                             .bucket_create.owner = STR("other") };

    FX_OK(f, store_submit_wait(f->store, &remove));
    FX_OK(f, store_submit_wait(f->store, &create));
}

static void every_kind_is_refused(struct fixture *f, const struct bucket *old)
{
    static const enum intent_kind kinds[] = {
        INTENT_BUCKET_DELETE, INTENT_BUCKET_SET,      INTENT_DOCUMENT_SET,  INTENT_OBJECT_PUT,
        INTENT_OBJECT_DELETE, INTENT_OBJECT_SET,      INTENT_UPLOAD_CREATE, INTENT_PART_PUT,
        INTENT_UPLOAD_ABORT,  INTENT_UPLOAD_COMPLETE, INTENT_OBJECT_RENAME, INTENT_ANNOTATION_SET
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct intent intent = judged(f, kinds[i], old);

        if (kinds[i] == INTENT_PART_PUT)
            intent.part.number = 1;
        assert_int_equal(store_submit_wait(f->store, &intent), STORE_RETRY);
    }
}

static void a_bucket_of_another_number_or_state_is_to_be_judged_again(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct bucket old = bucket_now(f);
    struct bucket now;

    (void)state;
    set_acl(f, STR("acl"));
    every_kind_is_refused(f, &old);
    old = bucket_now(f);
    set_document(f, STR("{}"));
    every_kind_is_refused(f, &old);
    old = bucket_now(f);
    set_document(f, STR_NONE);
    every_kind_is_refused(f, &old);
    old = bucket_now(f);
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    every_kind_is_refused(f, &old);
    old = bucket_now(f);
    make_anew(f);
    every_kind_is_refused(f, &old);

    now = bucket_now(f);
    struct intent put = judged_put(f, &now);

    FX_OK(f, store_submit_wait(f->store, &put));
    fx_close(f);
}

/* A reader that remembers buckets sees the change too, or its intents would be refused for ever. */
static void a_serving_reader_sees_that_a_document_has_changed(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct reader *serving = NULL;
    struct bucket before;
    struct bucket after;

    (void)state;
    FX_OK(f, reader_open(f->store, &serving, &f->fault));
    FX_OK(f, reader_warm(serving, &f->fault));
    FX_OK(f, bucket_get(serving, BUCKET, f->arena, &before, &f->fault));
    set_document(f, STR("{}"));
    FX_OK(f, bucket_get(serving, BUCKET, f->arena, &after, &f->fault));
    assert_true(after.changed_seq > before.changed_seq);

    struct intent put = judged_put(f, &after);

    FX_OK(f, store_submit_wait(f->store, &put));
    reader_let_go(serving);
    reader_close(serving);
    fx_close(f);
}

/* Inline, packed, a file; each refused once and then taken with the body it came with. */
static void a_body_that_is_judged_again_is_still_there(void **state)
{
    static const size_t sizes[] = { 100, 100000, sizeof(big) };
    struct fixture *f = fx_open(NULL);

    (void)state;
    fx_fill(big, sizeof(big), 11);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct body_options options = { .account = OWNER, .expected_bytes = sizes[i] };
        struct body_writer *writer = NULL;
        struct body_digests digests;
        struct bucket old = bucket_now(f);
        struct intent first = judged_put(f, &old);
        struct bucket now;

        FX_OK(f, body_writer_open(f->store, &options, &writer, &f->fault));
        FX_OK(f, body_writer_append(writer, big, sizes[i], &f->fault));
        FX_OK(f, body_writer_finish(writer, &digests, &f->fault));
        set_acl(f, i % 2 == 0 ? STR("one") : STR("two"));
        first.put.bytes.body = writer;
        assert_int_equal(store_submit_wait(f->store, &first), STORE_RETRY);

        FX_OK(f, store_sweep_now(f->store, &f->fault));
        now = bucket_now(f);
        struct intent second = judged_put(f, &now);

        second.put.bytes.body = writer;
        FX_OK(f, store_submit_wait(f->store, &second));
        body_writer_close(writer);
        fx_assert_content(f, "k", str_make(big, sizes[i]));
    }
    fx_close(f);
}

static void an_acl_that_has_changed_is_to_be_judged_again(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version old;
    struct version now;
    struct intent revoke = { .kind = INTENT_OBJECT_SET,
                             .bucket = BUCKET,
                             .key = STR("k"),
                             .arena = f->arena,
                             .object_set.set_acl = true,
                             .object_set.acl = STR("closed") };
    struct intent tag = { .kind = INTENT_OBJECT_SET,
                          .bucket = BUCKET,
                          .key = STR("k"),
                          .arena = f->arena,
                          .object_set.set_tags = true,
                          .object_set.tags = STR("t") };

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    FX_OK(f, fx_head(f, "k", &old));
    FX_OK(f, store_submit_wait(f->store, &revoke));

    struct copy_source source = {
        .bucket_id = fx_bucket_id(f), .key = STR("k"), .seq = old.seq, .judged = &old
    };
    struct fx_put put = { .key = STR("copy"), .source = &source };

    tag.object_set.judged = &old;
    assert_int_equal(store_submit_wait(f->store, &tag), STORE_RETRY);
    assert_int_equal(fx_put_with(f, &put), STORE_RETRY);
    source.work = COPY_REWRITE;
    source.options.account = OWNER;
    assert_int_equal(fx_put_with(f, &put), STORE_RETRY);
    source.work = COPY_REFER;

    FX_OK(f, fx_head(f, "k", &now));
    tag.object_set.judged = &now;
    source.judged = &now;
    FX_OK(f, store_submit_wait(f->store, &tag));
    FX_OK(f, fx_put_with(f, &put));
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_of_another_number_or_state_is_to_be_judged_again),
        cmocka_unit_test(a_serving_reader_sees_that_a_document_has_changed),
        cmocka_unit_test(a_body_that_is_judged_again_is_still_there),
        cmocka_unit_test(an_acl_that_has_changed_is_to_be_judged_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
