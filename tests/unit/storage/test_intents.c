/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buckets, documents and single objects through intents.
 */
#include <semaphore.h>
#include <stdio.h>

#include "fixture.h"

static char big[300000];

static void put_get_delete_of_any_size(void **state)
{
    static const size_t sizes[] = { 0, 1, 1023, 1024, 1025, 65536, 131072, 300000 };
    struct fixture *f = fx_open(NULL);
    struct version version;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct str bytes = str_make(big, sizes[i]);

        fx_fill(big, sizes[i], (uint32_t)i);
        FX_OK(f, fx_put(f, "key", bytes));
        fx_assert_content(f, "key", bytes);
    }
    FX_OK(f, fx_delete(f, "key"));
    assert_int_equal(fx_head(f, "key", &version), STORE_NO_KEY);
    fx_close(f);
}

static void keys_are_bytes(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct fx_put put = { .key = STR("a\0\xff/b"), .bytes = STR("x") };
    struct version version;

    (void)state;
    FX_OK(f, fx_put_with(f, &put));
    FX_OK(f, version_get(f->reader, fx_bucket_id(f), put.key, (struct version_id){ 0 }, f->arena,
                         &version, &f->fault));
    assert_true(str_eq(version.key, put.key));
    assert_int_equal(fx_head(f, "a", &version), STORE_NO_KEY);
    fx_close(f);
}

static void attributes_come_back(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version version;
    struct intent intent = { .kind = INTENT_OBJECT_PUT,
                             .bucket = BUCKET,
                             .key = STR("k"),
                             .arena = f->arena,
                             .put.attrs = { .etag = STR("e"),
                                            .owner = STR("writer"),
                                            .headers = STR("h\0h"),
                                            .tags = STR(""),
                                            .checksum = STR("c"),
                                            .storage_class = 3,
                                            .sse = 2 } };

    (void)state;
    FX_OK(f, store_submit_wait(f->store, &intent));
    FX_OK(f, fx_head(f, "k", &version));
    assert_true(str_eq(version.attrs.etag, STR("e")));
    assert_true(str_eq(version.attrs.owner, STR("writer")));
    assert_true(str_eq(version.attrs.headers, STR("h\0h")));
    assert_true(str_present(version.attrs.tags) && version.attrs.tags.len == 0);
    assert_false(str_present(version.attrs.acl));
    assert_int_equal(version.attrs.storage_class, 3);
    assert_int_equal(version.attrs.sse, 2);
    assert_int_equal(version.modified_us, intent.result.committed_us);
    assert_true(version.null_version && version.latest && !intent.result.versioned);

    struct intent set = { .kind = INTENT_OBJECT_SET,
                          .bucket = BUCKET,
                          .key = STR("k"),
                          .arena = f->arena,
                          .object_set.set_tags = true,
                          .object_set.tags = STR("t"),
                          .object_set.acl = STR("ignored") };

    FX_OK(f, store_submit_wait(f->store, &set));
    FX_OK(f, fx_head(f, "k", &version));
    assert_true(str_eq(version.attrs.tags, STR("t")));
    assert_false(str_present(version.attrs.acl));
    assert_true(str_eq(version.attrs.headers, STR("h\0h")));
    fx_close(f);
}

static void conditions_are_decided_in_the_commit(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct fx_put put = { .key = STR("k"), .bytes = STR("1") };
    struct version version;

    (void)state;
    put.condition = (struct write_condition){ .if_match = STR("x") };
    assert_int_equal(fx_put_with(f, &put), STORE_NO_KEY);
    put.condition = (struct write_condition){ .if_none_match_any = true };
    FX_OK(f, fx_put_with(f, &put));
    assert_int_equal(fx_put_with(f, &put), STORE_PRECONDITION_FAILED);

    FX_OK(f, fx_head(f, "k", &version));
    put.condition = (struct write_condition){ .if_match = STR("x") };
    assert_int_equal(fx_put_with(f, &put), STORE_PRECONDITION_FAILED);
    put.condition = (struct write_condition){ .if_match = STR("*") };
    FX_OK(f, fx_put_with(f, &put));
    put.condition = (struct write_condition){ .if_match = version.attrs.etag };
    FX_OK(f, fx_put_with(f, &put));

    struct delete_item items[] = {
        { .key = STR("k"), .condition = { .has_size = true, .size_bytes = 7 } },
        { .key = STR("none"), .condition = { .if_match = STR("x") } },
        { .key = STR("k"), .condition = { .has_size = true, .size_bytes = 1 } },
    };
    struct intent remove = { .kind = INTENT_OBJECT_DELETE,
                             .bucket = BUCKET,
                             .arena = f->arena,
                             .remove = { .items = items, .count = COUNT_OF(items) } };

    FX_OK(f, store_submit_wait(f->store, &remove));
    assert_int_equal(items[0].status, STORE_PRECONDITION_FAILED);
    assert_int_equal(items[1].status, STORE_OK);
    assert_int_equal(items[2].status, STORE_OK);
    assert_int_equal(fx_head(f, "k", &version), STORE_NO_KEY);
    fx_close(f);
}

static void a_bucket_exists_once_and_goes_only_when_empty(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct bucket bucket;
    struct intent create = { .kind = INTENT_BUCKET_CREATE,
                             .bucket = BUCKET,
                             .arena = f->arena,
                             .bucket_create.owner = STR("other") };
    struct intent remove = { .kind = INTENT_BUCKET_DELETE, .bucket = BUCKET, .arena = f->arena };

    (void)state;
    assert_int_equal(store_submit_wait(f->store, &create), STORE_BUCKET_EXISTS);
    assert_true(str_eq(create.bucket_create.present_owner, OWNER));

    FX_OK(f, fx_put(f, "k", STR("x")));
    assert_int_equal(store_submit_wait(f->store, &remove), STORE_BUCKET_NOT_EMPTY);
    FX_OK(f, fx_delete(f, "k"));

    struct str upload = fx_upload(f, "m");

    FX_OK(f, fx_part(f, "m", upload, 1, str_make(big, 5000), NULL));
    FX_OK(f, store_submit_wait(f->store, &remove));
    assert_int_equal(bucket_get(f->reader, BUCKET, f->arena, &bucket, &f->fault), STORE_NO_BUCKET);
    assert_int_equal(fx_put(f, "k", STR("x")), STORE_NO_BUCKET);
    assert_int_equal(store_submit_wait(f->store, &remove), STORE_NO_BUCKET);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 0);
    fx_close(f);
}

static bool count_bucket(void *context, const struct bucket *bucket)
{
    (void)bucket;
    (*(int *)context)++;
    return true;
}

static void buckets_are_listed_by_owner_and_prefix(void **state)
{
    static const char *const names[] = { "aa", "ab", "b" };
    struct fixture *f = fx_open(NULL);
    int seen = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct intent create = { .kind = INTENT_BUCKET_CREATE,
                                 .bucket = str_from_cstr(names[i]),
                                 .arena = f->arena,
                                 .bucket_create.owner = STR("lister"),
                                 .bucket_create.region = STR("eu") };

        FX_OK(f, store_submit_wait(f->store, &create));
    }
    FX_OK(f, bucket_list(f->reader, STR("lister"), STR("a"), STR_NONE, count_bucket, &seen,
                         &f->fault));
    assert_int_equal(seen, 2);
    seen = 0;
    FX_OK(f, bucket_list(f->reader, STR("lister"), STR(""), STR("aa"), count_bucket, &seen,
                         &f->fault));
    assert_int_equal(seen, 2);
    seen = 0;
    FX_OK(f,
          bucket_list(f->reader, STR("nobody"), STR(""), STR(""), count_bucket, &seen, &f->fault));
    assert_int_equal(seen, 0);
    fx_close(f);
}

static void documents_are_set_replaced_and_removed(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct str body;
    struct intent set = { .kind = INTENT_DOCUMENT_SET,
                          .bucket = BUCKET,
                          .arena = f->arena,
                          .document = { .kind = STR("cors"), .id = STR(""), .body = STR("<a/>") } };

    (void)state;
    FX_OK(f, store_submit_wait(f->store, &set));
    set.document.body = STR("<b/>");
    FX_OK(f, store_submit_wait(f->store, &set));
    FX_OK(f, document_get(f->reader, fx_bucket_id(f), STR("cors"), STR(""), f->arena, &body,
                          &f->fault));
    assert_true(str_eq(body, STR("<b/>")));
    assert_int_equal(document_get(f->reader, fx_bucket_id(f), STR("tagging"), STR(""), f->arena,
                                  &body, &f->fault),
                     STORE_NO_DOCUMENT);
    set.document.body = STR_NONE;
    FX_OK(f, store_submit_wait(f->store, &set));
    assert_int_equal(document_get(f->reader, fx_bucket_id(f), STR("cors"), STR(""), f->arena, &body,
                                  &f->fault),
                     STORE_NO_DOCUMENT);
    fx_close(f);
}

static void assert_document(struct fixture *f, const struct bucket *bucket, struct str kind,
                            struct str id, struct str expected)
{
    struct str body;

    FX_OK(f, document_get(f->reader, bucket->id, kind, id, f->arena, &body, &f->fault));
    assert_true(str_eq(body, expected));
}

static void a_bucket_may_begin_with_documents(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct bucket_document documents[] = {
        { STR("tagging"), STR(""), STR("a=b") },
        { STR("inventory"), STR("one"), STR("<one/>") },
        { STR("inventory"), STR("two"), STR("<two/>") },
    };
    struct intent make = { .kind = INTENT_BUCKET_CREATE,
                           .bucket = STR("tagged"),
                           .bucket_create.owner = OWNER,
                           .bucket_create.region = STR(""),
                           .arena = f->arena,
                           .bucket_create.documents = documents,
                           .bucket_create.document_count = COUNT_OF(documents) };
    struct bucket bucket;

    (void)state;
    FX_OK(f, store_submit_wait(f->store, &make));
    FX_OK(f, bucket_get(f->reader, STR("tagged"), f->arena, &bucket, &f->fault));
    for (size_t i = 0; i < COUNT_OF(documents); i++)
        assert_document(f, &bucket, documents[i].kind, documents[i].id, documents[i].body);

    /* There already: its documents are left alone. */
    documents[0].body = STR("c=d");
    assert_int_equal(store_submit_wait(f->store, &make), STORE_BUCKET_EXISTS);
    assert_document(f, &bucket, STR("tagging"), STR(""), STR("a=b"));
    fx_close(f);
}

static void an_owner_has_so_many_buckets_and_not_one_more(void **state)
{
    struct fixture *f = fx_open(NULL);
    char name[16];
    struct intent make = { .kind = INTENT_BUCKET_CREATE,
                           .bucket_create.owner = STR("collector"),
                           .bucket_create.region = STR(""),
                           .arena = f->arena };

    (void)state;
    for (int i = 0; i < STORE_BUCKETS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "b%05d", i);
        make.bucket = str_from_cstr(name);
        FX_OK(f, store_submit_wait(f->store, &make));
    }
    make.bucket = STR("one-more");
    assert_int_equal(store_submit_wait(f->store, &make), STORE_BUCKET_LIMIT);
    make.bucket_create.owner = STR("somebody-else");
    FX_OK(f, store_submit_wait(f->store, &make));
    fx_close(f);
}

static void copies_share_bytes_and_survive_their_source(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct str large = str_make(big, 200000);
    struct version version;

    (void)state;
    fx_fill(big, sizeof(big), 7);
    FX_OK(f, fx_put(f, "small", STR("tiny")));
    FX_OK(f, fx_put(f, "large", large));
    FX_OK(f, fx_copy(f, "small", "small2", COPY_REFER));
    FX_OK(f, fx_copy(f, "large", "large2", COPY_REFER));
    FX_OK(f, fx_copy(f, "large", "sealed", COPY_REWRITE));
    FX_OK(f, fx_copy(f, "large", "large", COPY_REFER)); /* onto itself */
    FX_OK(f, fx_copy(f, "small", "small", COPY_REFER));
    assert_int_equal(fx_blob_files(f), 1);
    assert_int_equal(store_counters(f->store).blobs_packed, 1); /* the size of a copy is known */
    FX_OK(f, fx_delete(f, "small"));
    FX_OK(f, fx_delete(f, "large"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    fx_assert_content(f, "small2", STR("tiny"));
    fx_assert_content(f, "large2", large);
    fx_assert_content(f, "sealed", large);
    FX_OK(f, fx_head(f, "sealed", &version));
    assert_true(str_present(version.body.wrapped_key));
    assert_int_equal(fx_blob_files(f), 1);
    fx_close(f);
}

static void a_copy_of_a_replaced_source_says_retry(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "a", STR("1")));
    FX_OK(f, fx_head(f, "a", &version));
    FX_OK(f, fx_put(f, "a", STR("2")));

    struct copy_source source = { .bucket_id = fx_bucket_id(f),
                                  .key = STR("a"),
                                  .seq = version.seq };
    struct fx_put put = { .key = STR("b"), .source = &source };

    assert_int_equal(fx_put_with(f, &put), STORE_RETRY);
    source.work = COPY_REWRITE;
    source.options.account = OWNER;
    assert_int_equal(fx_put_with(f, &put), STORE_RETRY);
    source.work = COPY_MEASURE;
    assert_int_equal(fx_put_with(f, &put), STORE_RETRY);
    fx_close(f);
}

/* ---- copies that are read for their digests ------------------------------------------------- */

struct measuring {
    struct intent intent;
    struct fixture *f;
    const char *replaces; /* a key that is written anew between the reading and the commit */
    enum store_status answer;
    unsigned staged;
};

static enum store_status note_staged(struct intent *intent)
{
    struct measuring *m = CONTAINER_OF(intent, struct measuring, intent);

    m->staged++;
    if (m->replaces != NULL) {
        struct intent put = { .kind = INTENT_OBJECT_PUT,
                              .bucket = BUCKET,
                              .key = str_from_cstr(m->replaces),
                              .arena = intent->arena,
                              .put.attrs = { .etag = STR("none"), .owner = OWNER } };

        FX_OK(m->f, store_submit_wait(m->f->store, &put));
    }
    return m->answer;
}

/* Copies len bytes of "source" from offset on to "copy"; what is asked for is MD5 and CRC32. */
static enum store_status measure(struct fixture *f, struct measuring *m, uint64_t offset,
                                 uint64_t len)
{
    struct copy_source source = { .bucket_id = fx_bucket_id(f),
                                  .key = STR("source"),
                                  .work = COPY_MEASURE,
                                  .want_md5 = true,
                                  .offset = offset,
                                  .len = len,
                                  .options.checksum_kinds = 1u << CHECKSUM_CRC32 };
    struct version version;

    FX_OK(f, fx_head(f, "source", &version));
    source.seq = version.seq;
    source.ranged = len != version.size_bytes;
    m->f = f;
    m->intent = (struct intent){ .kind = INTENT_OBJECT_PUT,
                                 .bucket = BUCKET,
                                 .key = STR("copy"),
                                 .arena = f->arena,
                                 .put.bytes.source = &source,
                                 .staged = note_staged,
                                 .put.attrs = { .etag = STR("none"), .owner = OWNER } };
    return store_submit_wait(f->store, &m->intent);
}

static void assert_measured(const struct measuring *m, struct str bytes)
{
    const struct body_digests *digests = m->intent.put.bytes.source_digests;
    uint8_t md5[MD5_BYTES];
    uint8_t crc[CHECKSUM_BYTES_MAX];

    digest_once(DIGEST_MD5, bytes, md5);
    checksum_once(CHECKSUM_CRC32, bytes, crc);
    assert_int_equal(digests->size_bytes, bytes.len);
    assert_memory_equal(digests->md5, md5, sizeof(md5));
    assert_memory_equal(digests->checksum[CHECKSUM_CRC32], crc, checksum_bytes(CHECKSUM_CRC32));
}

/* Of every placement, plain and encrypted: the digests are those of the plain bytes. */
static void a_measured_copy_knows_its_bytes_and_moves_none(void **state)
{
    static const struct {
        size_t len;
        bool encrypt;
        bool announced;
    } sources[] = {
        { 0, false, false },      { 700, false, false },   { 700, true, false },
        { 200000, false, false }, { 200000, true, false }, { 200000, false, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        struct fixture *f = fx_open(NULL);
        struct measuring m = { .answer = STORE_OK };
        struct str bytes = str_make(big, sources[i].len);
        struct fx_put put = { .key = STR("source"),
                              .bytes = bytes,
                              .encrypt = sources[i].encrypt,
                              .announced = sources[i].announced };
        struct store_counters before;
        size_t files;

        fx_fill(big, sizeof(big), (uint32_t)i);
        FX_OK(f, fx_put_with(f, &put));
        files = fx_blob_files(f);
        before = store_counters(f->store);
        FX_OK(f, measure(f, &m, 0, bytes.len));
        assert_measured(&m, bytes);
        fx_assert_content(f, "copy", bytes);
        if (bytes.len > 1) {
            FX_OK(f, measure(f, &m, 1, bytes.len - 2));
            assert_measured(&m, str_slice(bytes, 1, bytes.len - 2));
            fx_assert_content(f, "copy", str_slice(bytes, 1, bytes.len - 2));
        }
        assert_int_equal(m.staged, bytes.len > 1 ? 2 : 1);
        assert_int_equal(fx_blob_files(f), files);
        assert_int_equal(store_counters(f->store).blobs_linked, before.blobs_linked);
        assert_int_equal(store_counters(f->store).blobs_packed, before.blobs_packed);
        fx_close(f);
    }
}

struct held_copy {
    struct intent intent;
    sem_t begun, go, done;
};

static enum store_status hold(struct intent *intent)
{
    struct held_copy *held = CONTAINER_OF(intent, struct held_copy, intent);

    (void)sem_post(&held->begun);
    (void)sem_wait(&held->go);
    return STORE_OK;
}

static void note_done(struct intent *intent)
{
    (void)sem_post(&CONTAINER_OF(intent, struct held_copy, intent)->done);
}

/* As many copies as are read at a time, each as long as it takes: an upload passes them. */
static void long_copies_do_not_hold_up_uploads(void **state)
{
    static const struct store_options one_worker = {
        .durability = STORE_RELAXED, .inline_max_bytes = 1024, .worker_count = 1, .reserve_bytes = 1
    };
    static const char *const keys[] = { "a", "b" };
    struct fixture *f = fx_open(&one_worker);
    struct copy_source source = {
        .bucket_id = fx_bucket_id(f), .key = STR("source"), .work = COPY_MEASURE, .want_md5 = true
    };
    struct arena *arenas[COUNT_OF(keys)];
    struct held_copy held[COUNT_OF(keys)];
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "source", STR("bytes")));
    FX_OK(f, fx_head(f, "source", &version));
    source.seq = version.seq;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        arenas[i] = arena_open(4096, 65536);
        held[i] = (struct held_copy){ .intent = {
                                          .kind = INTENT_OBJECT_PUT,
                                          .bucket = BUCKET,
                                          .key = str_from_cstr(keys[i]),
                                          .arena = arenas[i],
                                          .put.bytes.source = &source,
                                          .staged = hold,
                                          .done = note_done,
                                          .put.attrs = { .etag = STR("none"), .owner = OWNER } } };
        (void)sem_init(&held[i].begun, 0, 0);
        (void)sem_init(&held[i].go, 0, 0);
        (void)sem_init(&held[i].done, 0, 0);
        store_submit(f->store, &held[i].intent);
    }
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        (void)sem_wait(&held[i].begun);

    fx_fill(big, sizeof(big), 3);
    FX_OK(f, fx_put(f, "large", str_make(big, 200000)));
    assert_int_equal(fx_blob_files(f), 1);

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        (void)sem_post(&held[i].go);
        (void)sem_wait(&held[i].done);
        assert_int_equal(held[i].intent.status, STORE_OK);
        fx_assert_content(f, keys[i], STR("bytes"));
        arena_close(arenas[i]);
    }
    fx_close(f);
}

static void a_source_replaced_after_it_was_measured_says_retry(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct measuring m = { .replaces = "source", .answer = STORE_OK };
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "source", STR("measured")));
    assert_int_equal(measure(f, &m, 0, 8), STORE_RETRY);
    assert_int_equal(m.staged, 1);
    assert_int_equal(fx_head(f, "copy", &version), STORE_NO_KEY);
    fx_close(f);
}

static void a_submitter_can_end_a_measured_copy(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct measuring m = { .answer = STORE_NO_MEMORY };
    struct version version;

    (void)state;
    FX_OK(f, fx_put(f, "source", STR("measured")));
    assert_int_equal(measure(f, &m, 0, 8), STORE_NO_MEMORY);
    assert_int_equal(fx_head(f, "copy", &version), STORE_NO_KEY);
    fx_close(f);
}

static void last_modified_never_steps_back(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version first;
    struct version second;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("1")));
    FX_OK(f, fx_head(f, "k", &first));
    clock_move(store_clock(f->store), CLOCK_SET, first.modified_us - 1000 * US_PER_S);
    FX_OK(f, fx_put(f, "k", STR("2")));
    FX_OK(f, fx_head(f, "k", &second));
    assert_true(second.modified_us >= first.modified_us);
    assert_true(second.seq > first.seq);
    fx_close(f);
}

static void numbers_are_not_reused_after_a_restart(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version first;
    struct version second;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("1")));
    FX_OK(f, fx_head(f, "k", &first));
    FX_OK(f, fx_delete(f, "k"));
    fx_stop(f);
    fx_start(f);
    FX_OK(f, fx_put(f, "k", STR("2")));
    FX_OK(f, fx_head(f, "k", &second));
    assert_true(second.seq > first.seq);
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_get_delete_of_any_size),
        cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(attributes_come_back),
        cmocka_unit_test(conditions_are_decided_in_the_commit),
        cmocka_unit_test(a_bucket_exists_once_and_goes_only_when_empty),
        cmocka_unit_test(buckets_are_listed_by_owner_and_prefix),
        cmocka_unit_test(documents_are_set_replaced_and_removed),
        cmocka_unit_test(a_bucket_may_begin_with_documents),
        cmocka_unit_test(an_owner_has_so_many_buckets_and_not_one_more),
        cmocka_unit_test(copies_share_bytes_and_survive_their_source),
        cmocka_unit_test(a_copy_of_a_replaced_source_says_retry),
        cmocka_unit_test(a_measured_copy_knows_its_bytes_and_moves_none),
        cmocka_unit_test(long_copies_do_not_hold_up_uploads),
        cmocka_unit_test(a_source_replaced_after_it_was_measured_says_retry),
        cmocka_unit_test(a_submitter_can_end_a_measured_copy),
        cmocka_unit_test(last_modified_never_steps_back),
        cmocka_unit_test(numbers_are_not_reused_after_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
