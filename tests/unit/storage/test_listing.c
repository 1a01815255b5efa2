/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings against a naive model: all keys sorted, rolled up one by one.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "storage/catalog/page.h"

#define KEYS_MAX 400
#define KEY_LEN_MAX 7
#define ROUNDS 600

struct text {
    size_t len;
    char bytes[KEY_LEN_MAX + 1];
};

struct names {
    struct text all[KEYS_MAX];
    size_t count;
};

static struct str view(const struct text *text)
{
    return str_make(text->bytes, text->len);
}

static struct text random_text(size_t max)
{
    static const char alphabet[] = { 'a', 'b', '/', '/', '\xff', '\0', 'c' };
    struct text text = { .len = (size_t)rand() % (max + 1) };

    for (size_t i = 0; i < text.len; i++)
        text.bytes[i] = alphabet[(size_t)rand() % sizeof(alphabet)];
    return text;
}

static int by_bytes(const void *a, const void *b)
{
    const struct text *left = a;
    const struct text *right = b;

    return str_compare(view(left), view(right));
}

static bool names_have(const struct names *names, struct str key)
{
    for (size_t i = 0; i < names->count; i++) {
        if (str_eq(view(&names->all[i]), key))
            return true;
    }
    return false;
}

static struct text to_text(struct str s)
{
    struct text text = { .len = s.len };

    assert_true(s.len <= KEY_LEN_MAX + 1);
    if (s.len > 0)
        memcpy(text.bytes, s.p, s.len);
    return text;
}

static struct str roll(struct str key, struct str prefix, struct str delimiter)
{
    size_t at = delimiter.len == 0 ? SIZE_MAX : str_find(str_skip(key, prefix.len), delimiter);

    return at == SIZE_MAX ? STR_NONE : str_slice(key, 0, prefix.len + at + delimiter.len);
}

/* What a complete listing has to give. */
static void expect(const struct names *keys, const struct list_query *query, struct names *out)
{
    struct str marker_prefix = str_present(query->after) && !query->start_after &&
                                       str_starts(query->after, query->prefix)
                                   ? roll(query->after, query->prefix, query->delimiter)
                                   : STR_NONE;

    out->count = 0;
    for (size_t i = 0; i < keys->count; i++) {
        struct str key = view(&keys->all[i]);
        struct str rolled;

        if (!str_starts(key, query->prefix) ||
            (str_present(query->after) && str_compare(key, query->after) <= 0))
            continue;
        rolled = roll(key, query->prefix, query->delimiter);
        if (str_present(rolled) && str_present(marker_prefix) && str_eq(rolled, marker_prefix))
            continue;
        if (!str_present(rolled))
            rolled = key;
        if (out->count == 0 || !str_eq(view(&out->all[out->count - 1]), rolled))
            out->all[out->count++] = to_text(rolled);
    }
}

static bool collect(void *context, struct str prefix, const struct listed_version *version)
{
    struct names *names = context;

    assert_true(names->count < KEYS_MAX);
    names->all[names->count++] = to_text(str_present(prefix) ? prefix : version->key);
    return true;
}

static void make_keys(struct fixture *f, struct names *keys)
{
    keys->count = 0;
    while (keys->count < KEYS_MAX / 2) {
        struct text key = random_text(KEY_LEN_MAX);
        struct fx_put put = { .key = view(&key), .bytes = STR("x") };

        if (key.len == 0 || names_have(keys, view(&key)))
            continue;
        FX_OK(f, fx_put_with(f, &put));
        keys->all[keys->count++] = key;
    }
    /* A crowd under one prefix: long enough to be jumped over. */
    for (int i = 0; i < 30; i++) {
        struct text key = { .len = 5 };
        struct fx_put put = { .bytes = STR("x") };

        (void)snprintf(key.bytes, sizeof(key.bytes), "b/%03u", (unsigned)i % 1000u);
        if (names_have(keys, view(&key)))
            continue;
        put.key = view(&key);
        FX_OK(f, fx_put_with(f, &put));
        keys->all[keys->count++] = key;
    }
    qsort(keys->all, keys->count, sizeof(keys->all[0]), by_bytes);
}

static void check_query(struct fixture *f, int64_t bucket, const struct names *keys,
                        struct list_query query)
{
    struct names *expected = mem_zalloc(sizeof(*expected));
    struct names *got = mem_zalloc(sizeof(*got));
    struct list_end end;

    assert_true(expected != NULL && got != NULL);
    expect(keys, &query, expected);
    do {
        size_t before = got->count;

        FX_OK(f, object_list(f->reader, bucket, &query, collect, got, f->arena, &end, &f->fault));
        assert_true(got->count - before <= query.max);
        assert_int_equal(end.truncated, got->count < expected->count);
        if (end.truncated) {
            assert_int_equal(got->count - before, query.max);
            assert_true(str_eq(end.next, view(&got->all[got->count - 1])));
        }
        query.after = end.next;
        query.start_after = false;
    } while (end.truncated);

    assert_int_equal(got->count, expected->count);
    for (size_t i = 0; i < got->count; i++)
        assert_true(str_eq(view(&got->all[i]), view(&expected->all[i])));
    mem_free(expected);
    mem_free(got);
}

static void random_queries_equal_the_model(void **state)
{
    static const char *const delimiters[] = { "", "/", "//", "b", "/a" };
    struct fixture *f = fx_open(NULL);
    struct names *keys = mem_zalloc(sizeof(*keys));
    int64_t bucket = fx_bucket_id(f);

    (void)state;
    assert_non_null(keys);
    srand(2);
    make_keys(f, keys);
    for (int i = 0; i < ROUNDS; i++) {
        struct text prefix = random_text(2);
        struct text after = rand() % 2 == 0 ? keys->all[(size_t)rand() % keys->count]
                                            : random_text(4);
        struct list_query query = {
            .prefix = rand() % 2 == 0 ? STR("") : view(&prefix),
            .delimiter = str_from_cstr(delimiters[(size_t)rand() % COUNT_OF(delimiters)]),
            .after = rand() % 3 == 0 ? view(&after) : STR_NONE,
            .max = 1 + (uint32_t)rand() % 40,
            .start_after = rand() % 2 == 0,
        };

        check_query(f, bucket, keys, query);
    }
    mem_free(keys);
    fx_close(f);
}

/* PROVES: ListObjectsV2, start-after with a delimiter */
static void start_after_inside_a_prefix_still_gives_the_prefix(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct names got = { .count = 0 };
    struct list_end end;
    struct list_query query = { .prefix = STR(""),
                                .delimiter = STR("/"),
                                .after = STR("a/x"),
                                .max = 10,
                                .start_after = true };

    (void)state;
    FX_OK(f, fx_put(f, "a/x", STR("1")));
    FX_OK(f, fx_put(f, "a/y", STR("1")));
    FX_OK(f, fx_put(f, "b", STR("1")));
    FX_OK(f, object_list(f->reader, fx_bucket_id(f), &query, collect, &got, f->arena, &end,
                         &f->fault));
    assert_int_equal(got.count, 2);
    assert_true(str_eq(view(&got.all[0]), STR("a/")));

    query.start_after = false; /* the same text as a token: the prefix is done */
    got.count = 0;
    FX_OK(f, object_list(f->reader, fx_bucket_id(f), &query, collect, &got, f->arena, &end,
                         &f->fault));
    assert_int_equal(got.count, 1);
    assert_true(str_eq(view(&got.all[0]), STR("b")));
    fx_close(f);
}

static void delete_markers_are_not_listed(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct names got = { .count = 0 };
    struct list_end end;
    struct list_query query = { .prefix = STR(""), .max = 1 };

    (void)state;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put(f, "a", STR("1")));
    FX_OK(f, fx_put(f, "b", STR("1")));
    FX_OK(f, fx_delete(f, "b"));
    FX_OK(f, object_list(f->reader, fx_bucket_id(f), &query, collect, &got, f->arena, &end,
                         &f->fault));
    assert_int_equal(got.count, 1);
    assert_false(end.truncated);
    query.max = 0;
    FX_OK(f, object_list(f->reader, fx_bucket_id(f), &query, collect, &got, f->arena, &end,
                         &f->fault));
    assert_int_equal(got.count, 1);
    assert_false(end.truncated);
    fx_close(f);
}

static void versions_roll_up_too(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct names got = { .count = 0 };
    struct list_end end;
    struct list_query query = { .prefix = STR(""), .delimiter = STR("/"), .max = 1 };

    (void)state;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    for (int i = 0; i < 30; i++) {
        FX_OK(f, fx_put(f, "a/1", STR("1")));
        FX_OK(f, fx_put(f, "a/2", STR("1")));
    }
    FX_OK(f, fx_put(f, "b", STR("1")));
    FX_OK(f, fx_put(f, "b", STR("1")));
    do {
        FX_OK(f, version_list(f->reader, fx_bucket_id(f), &query, collect, &got, f->arena, &end,
                              &f->fault));
        query.after = end.next;
        query.has_version_marker = end.next_version_id.len > 0;
        if (query.has_version_marker)
            assert_true(version_id_parse(end.next_version_id, &query.version_marker));
    } while (end.truncated);
    assert_int_equal(got.count, 3);
    assert_true(str_eq(view(&got.all[0]), STR("a/")));
    assert_true(str_eq(view(&got.all[2]), STR("b")));
    fx_close(f);
}

/* ---- many delete markers ------------------------------------------------------------------- */

/* One page, in as many turns as it takes. */
static unsigned list_in_turns(struct fixture *f, int64_t bucket, struct list_query query,
                              struct names *got, struct list_end *ret_end)
{
    for (unsigned turns = 1;; turns++) {
        FX_OK(f,
              object_list(f->reader, bucket, &query, collect, got, f->arena, ret_end, &f->fault));
        if (ret_end->place == NULL)
            return turns;
        assert_true(query.from == NULL || query.from == ret_end->place); /* no memory a turn */
        query.from = ret_end->place;
    }
}

#define BATCH 1000

/* Of so many keys in order, and in as few commits as they take. */
static void make_markers(struct fixture *f, unsigned from, unsigned to)
{
    struct text texts[BATCH];
    struct str keys[BATCH];
    size_t count = 0;

    for (unsigned i = from; i < to; i++) {
        texts[count].len =
            (size_t)snprintf(texts[count].bytes, sizeof(texts[0].bytes), "m%06u", i % 1000000u);
        keys[count] = view(&texts[count]);
        count++;
        if (count == BATCH || i + 1 == to) {
            FX_OK(f, fx_delete_all(f, keys, count));
            count = 0;
        }
    }
}

static void a_listing_breaks_off_at_the_limit_of_hidden_rows_and_not_before(void **state UNUSED)
{
    struct fixture *f = fx_open(NULL);
    struct list_query query = { .prefix = STR(""), .max = 10 };
    struct names got = { .count = 0 };
    struct list_end end;

    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put(f, "a", STR("1")));
    FX_OK(f, fx_put(f, "z", STR("1")));
    make_markers(f, 0, STORE_LIST_HIDDEN_MAX - 1);
    FX_OK(f, object_list(f->reader, fx_bucket_id(f), &query, collect, &got, f->arena, &end,
                         &f->fault));
    assert_int_equal(got.count, 2);
    assert_null(end.place);

    got.count = 0;
    make_markers(f, STORE_LIST_HIDDEN_MAX - 1, STORE_LIST_HIDDEN_MAX);
    FX_OK(f, object_list(f->reader, fx_bucket_id(f), &query, collect, &got, f->arena, &end,
                         &f->fault));
    assert_int_equal(got.count, 1);
    assert_non_null(end.place);
    query.from = end.place;
    FX_OK(f, object_list(f->reader, fx_bucket_id(f), &query, collect, &got, f->arena, &end,
                         &f->fault));
    assert_int_equal(got.count, 2);
    assert_null(end.place);
    assert_false(end.truncated);
    fx_close(f);
}

/* A full page that only the next entry makes a truncated one: its token is of an earlier turn. */
static void a_page_that_is_full_goes_on_to_see_whether_more_follows(void **state UNUSED)
{
    struct fixture *f = fx_open(NULL);
    struct list_query query = { .prefix = STR(""), .max = 1 };
    struct names got = { .count = 0 };
    struct list_end end;

    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put(f, "a", STR("1")));
    make_markers(f, 0, 2 * STORE_LIST_HIDDEN_MAX + 1);
    assert_int_equal(list_in_turns(f, fx_bucket_id(f), query, &got, &end), 3);
    assert_int_equal(got.count, 1);
    assert_false(end.truncated);

    FX_OK(f, fx_put(f, "z", STR("1")));
    got.count = 0;
    assert_int_equal(list_in_turns(f, fx_bucket_id(f), query, &got, &end), 3);
    assert_int_equal(got.count, 1);
    assert_true(end.truncated);
    assert_true(str_eq(end.next, STR("a")));
    fx_close(f);
}

/* Rows under a prefix that was given are jumped over, hidden or not. */
static void hidden_rows_under_a_given_prefix_cost_a_search(void **state UNUSED)
{
    struct fixture *f = fx_open(NULL);
    struct list_query query = { .prefix = STR(""), .delimiter = STR("m"), .max = 10 };
    struct names got = { .count = 0 };
    struct list_end end;

    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put(f, "m", STR("1")));
    FX_OK(f, fx_put(f, "z", STR("1")));
    make_markers(f, 0, 2 * STORE_LIST_HIDDEN_MAX);
    assert_int_equal(list_in_turns(f, fx_bucket_id(f), query, &got, &end), 1);
    assert_int_equal(got.count, 2);
    fx_close(f);
}

/* Live keys, sparse among five times the limit of markers. */
static void make_sparse_keys(struct fixture *f, struct names *keys)
{
    struct text texts[BATCH];
    struct str dead[BATCH];

    keys->count = 0;
    while (keys->count < 12) {
        struct text key = random_text(KEY_LEN_MAX);
        struct fx_put put = { .key = view(&key), .bytes = STR("x") };

        if (key.len == 0 || names_have(keys, view(&key)))
            continue;
        FX_OK(f, fx_put_with(f, &put));
        keys->all[keys->count++] = key;
    }
    qsort(keys->all, keys->count, sizeof(keys->all[0]), by_bytes);
    for (unsigned round = 0; round < 5 * STORE_LIST_HIDDEN_MAX / BATCH; round++) {
        size_t count = 0;

        while (count < BATCH) {
            texts[count] = random_text(KEY_LEN_MAX);
            dead[count] = view(&texts[count]);
            count += texts[count].len > 0 && !names_have(keys, dead[count]);
        }
        FX_OK(f, fx_delete_all(f, dead, BATCH));
    }
}

/* All pages of a query; how many turns they took beyond one each. */
static unsigned check_in_turns(struct fixture *f, int64_t bucket, const struct names *keys,
                               struct list_query query)
{
    struct names expected = { .count = 0 };
    struct names got = { .count = 0 };
    unsigned more_turns = 0;
    struct list_end end;

    expect(keys, &query, &expected);
    do {
        size_t before = got.count;

        more_turns += list_in_turns(f, bucket, query, &got, &end) - 1;
        assert_int_equal(end.truncated, got.count < expected.count);
        if (end.truncated) {
            assert_int_equal(got.count - before, query.max); /* never a short page */
            assert_true(str_eq(end.next, view(&got.all[got.count - 1])));
        }
        query.after = end.next;
        query.start_after = false;
    } while (end.truncated);
    assert_int_equal(got.count, expected.count);
    for (size_t i = 0; i < got.count; i++)
        assert_true(str_eq(view(&got.all[i]), view(&expected.all[i])));
    return more_turns;
}

static void queries_in_turns_equal_the_model(void **state UNUSED)
{
    static const char *const delimiters[] = { "", "/", "//", "b", "/a" };
    struct fixture *f = fx_open(NULL);
    struct names keys;
    int64_t bucket = fx_bucket_id(f);
    unsigned turned = 0;

    srand(3);
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    make_sparse_keys(f, &keys);
    for (int i = 0; i < 200; i++) {
        struct text prefix = random_text(1);
        struct text after = rand() % 2 == 0 ? keys.all[(size_t)rand() % keys.count]
                                            : random_text(4);
        struct list_query query = {
            .prefix = rand() % 2 == 0 ? STR("") : view(&prefix),
            .delimiter = str_from_cstr(delimiters[(size_t)rand() % COUNT_OF(delimiters)]),
            .after = rand() % 3 == 0 ? view(&after) : STR_NONE,
            .max = 1 + (uint32_t)rand() % 20,
            .start_after = rand() % 2 == 0,
        };

        turned += check_in_turns(f, bucket, &keys, query) > 0;
        arena_reset(f->arena);
    }
    assert_in_range(turned, 60, 200);
    fx_close(f);
}

/* A listing goes on in a newer snapshot: what changes ahead of it counts, what lies behind does not. */
static void a_listing_goes_on_in_a_world_that_has_changed(void **state UNUSED)
{
    struct fixture *f = fx_open(NULL);
    struct list_query query = { .prefix = STR(""), .max = 10 };
    struct names got = { .count = 0 };
    struct list_end end;

    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put(f, "a", STR("1")));
    FX_OK(f, fx_put(f, "y", STR("1")));
    make_markers(f, 0, STORE_LIST_HIDDEN_MAX);
    FX_OK(f, object_list(f->reader, fx_bucket_id(f), &query, collect, &got, f->arena, &end,
                         &f->fault));
    query.from = end.place;
    FX_OK(f, fx_put(f, "b", STR("1")));
    FX_OK(f, fx_put(f, "z", STR("1")));
    FX_OK(f, fx_delete(f, "y"));
    FX_OK(f, object_list(f->reader, fx_bucket_id(f), &query, collect, &got, f->arena, &end,
                         &f->fault));
    assert_int_equal(got.count, 2);
    assert_true(str_eq(view(&got.all[0]), STR("a")));
    assert_true(str_eq(view(&got.all[1]), STR("z")));
    fx_close(f);
}

static void a_bucket_is_unchanged_until_its_settings_change_or_it_is_gone(void **state UNUSED)
{
    struct fixture *f = fx_open(NULL);
    struct bucket bucket;

    FX_OK(f, bucket_get(f->reader, BUCKET, f->arena, &bucket, &f->fault));
    FX_OK(f, fx_put(f, "a", STR("1")));
    FX_OK(f, bucket_unchanged(f->reader, &bucket, &f->fault));
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    assert_int_equal(bucket_unchanged(f->reader, &bucket, &f->fault), STORE_RETRY);
    FX_OK(f, bucket_get(f->reader, BUCKET, f->arena, &bucket, &f->fault));
    FX_OK(f, bucket_unchanged(f->reader, &bucket, &f->fault));
    bucket.id++;
    assert_int_equal(bucket_unchanged(f->reader, &bucket, &f->fault), STORE_RETRY);
    fx_close(f);
}

/* ---- pages of versions that are deleted meanwhile ------------------------------------------ */

#define LISTED_MAX 64

struct listed_page {
    size_t count;
    struct {
        char key[KEY_LEN_MAX + 1];
        char id[VERSION_TEXT_LEN + 1];
    } at[LISTED_MAX];
};

static bool keep_version(void *context, struct str prefix, const struct listed_version *listed)
{
    struct listed_page *page = context;
    char id[VERSION_TEXT_LEN];
    struct str text = listed_version_id(listed, id);

    assert_false(str_present(prefix));
    assert_true(page->count < LISTED_MAX);
    (void)snprintf(page->at[page->count].key, sizeof(page->at[0].key), "%.*s",
                   STR_ARG(listed->key));
    (void)snprintf(page->at[page->count].id, sizeof(page->at[0].id), "%.*s", STR_ARG(text));
    page->count++;
    return true;
}

static void next_versions(struct fixture *f, struct list_query *query, struct listed_page *page,
                          bool *ret_more)
{
    struct list_end end;

    page->count = 0;
    FX_OK(f, version_list(f->reader, fx_bucket_id(f), query, keep_version, page, f->arena, &end,
                          &f->fault));
    *ret_more = end.truncated;
    query->after = end.next;
    query->has_version_marker = end.next_version_id.len > 0;
    if (query->has_version_marker)
        assert_true(version_id_parse(end.next_version_id, &query->version_marker));
}

/* Keys with versions, markers and null versions among them: put under all three states. */
static size_t make_history(struct fixture *f)
{
    static const char *const keys[] = { "a", "b", "b/c", "d" };
    struct list_query query = { .prefix = STR(""), .max = LISTED_MAX };
    struct listed_page all;
    bool more;

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        FX_OK(f, fx_put(f, keys[i], STR("0")));
    for (int i = 0; i < 24; i++) {
        const char *key = keys[(size_t)rand() % COUNT_OF(keys)];

        FX_OK(f, fx_versioning(f, rand() % 4 == 0 ? VERSIONING_SUSPENDED : VERSIONING_ENABLED));
        FX_OK(f, rand() % 4 == 0 ? fx_delete(f, key) : fx_put(f, key, STR("1")));
    }
    next_versions(f, &query, &all, &more);
    assert_false(more);
    return all.count;
}

/* The usual way to empty a bucket: a page, delete it, the next one with the markers given. */
static void a_page_goes_on_behind_versions_that_are_gone(void **state)
{
    (void)state;
    for (uint32_t max = 1; max <= 9; max++) {
        struct fixture *f = fx_open(NULL);
        struct list_query query = { .prefix = STR(""), .max = max };
        struct listed_page page;
        size_t left = make_history(f);
        bool more;

        do {
            struct delete_item item;

            next_versions(f, &query, &page, &more);
            assert_true(page.count > 0);
            for (size_t i = 0; i < page.count; i++)
                FX_OK(f, fx_delete_version(f, page.at[i].key, page.at[i].id, &item));
            left -= page.count;
        } while (more);
        assert_int_equal(left, 0);
        query = (struct list_query){ .prefix = STR(""), .max = LISTED_MAX };
        next_versions(f, &query, &page, &more);
        assert_int_equal(page.count, 0);
        fx_close(f);
    }
}

/* What is newer than a marker does not come back because the marker is gone. */
static void a_marker_that_is_gone_keeps_its_place(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct list_query query = { .prefix = STR(""), .max = 2 };
    struct listed_page first;
    struct listed_page rest;
    struct delete_item item;
    bool more;

    (void)state;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    for (int i = 0; i < 4; i++)
        FX_OK(f, fx_put(f, "k", STR("x")));
    next_versions(f, &query, &first, &more);
    FX_OK(f, fx_delete_version(f, "k", first.at[1].id, &item));
    FX_OK(f, fx_put(f, "k", STR("newer")));
    next_versions(f, &query, &rest, &more);
    assert_int_equal(rest.count, 2);
    assert_false(more);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++)
            assert_string_not_equal(rest.at[i].id, first.at[j].id);
    fx_close(f);
}

/* ---- what common prefixes cost ----------------------------------------------------------- */

struct cost {
    uint32_t prefixes;
    uint32_t rows;
    uint32_t searches;
};

/* A page over `prefixes` prefixes of `rows` keys each, as a scan would walk it. */
static struct cost walk_prefixes(uint32_t prefixes, uint32_t rows)
{
    struct page *page = mem_zalloc(sizeof(*page));
    struct cost cost = { 0 };
    uint32_t at = 0;

    assert_non_null(page);
    page_start(page, STR(""), STR("/"), STR_NONE, PAGE_AFTER_TOKEN, prefixes + 1);
    while (at < prefixes * rows) {
        char key[32];
        struct str prefix;
        int len = snprintf(key, sizeof(key), "p%06u/%06u", at / rows, at % rows);
        enum page_step step = page_offer(page, str_make(key, (size_t)len), &prefix);

        cost.rows++;
        cost.prefixes += step == PAGE_PREFIX;
        if (step == PAGE_PREFIX)
            step = page_after_prefix(page);
        if (step == PAGE_RESEEK) {
            cost.searches++;
            at = (at / rows + 1) * rows;
        } else {
            assert_int_equal(step, PAGE_SKIP);
            at++;
        }
    }
    mem_free(page);
    return cost;
}

static void long_prefixes_cost_a_search_and_few_rows(void **state UNUSED)
{
    struct cost hundred = walk_prefixes(1000, 100);
    struct cost thousand = walk_prefixes(1000, 1000);

    assert_int_equal(hundred.prefixes, 1000);
    assert_int_equal(hundred.searches, 1000);
    assert_in_range(hundred.rows, 1000, 2200);
    assert_int_equal(thousand.searches, hundred.searches);
    assert_int_equal(thousand.rows, hundred.rows);
}

static void short_prefixes_cost_no_search(void **state UNUSED)
{
    struct cost one = walk_prefixes(1000, 1);
    struct cost nine = walk_prefixes(1000, 9);

    assert_int_equal(one.searches, 0);
    assert_int_equal(one.rows, 1000);
    assert_int_equal(nine.searches, 0);
    assert_int_equal(nine.rows, 9000);
}

static bool stop(void *context, struct str prefix, const struct listed_version *version)
{
    (void)context;
    (void)prefix;
    (void)version;
    return false;
}

static void a_visitor_can_stop(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct list_end end;
    struct list_query query = { .prefix = STR(""), .max = 10 };

    (void)state;
    FX_OK(f, fx_put(f, "a", STR("1")));
    assert_int_equal(object_list(f->reader, fx_bucket_id(f), &query, stop, NULL, f->arena, &end,
                                 &f->fault),
                     STORE_STOPPED);
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_queries_equal_the_model),
        cmocka_unit_test(start_after_inside_a_prefix_still_gives_the_prefix),
        cmocka_unit_test(delete_markers_are_not_listed),
        cmocka_unit_test(versions_roll_up_too),
        cmocka_unit_test(a_listing_breaks_off_at_the_limit_of_hidden_rows_and_not_before),
        cmocka_unit_test(a_page_that_is_full_goes_on_to_see_whether_more_follows),
        cmocka_unit_test(hidden_rows_under_a_given_prefix_cost_a_search),
        cmocka_unit_test(queries_in_turns_equal_the_model),
        cmocka_unit_test(a_listing_goes_on_in_a_world_that_has_changed),
        cmocka_unit_test(a_bucket_is_unchanged_until_its_settings_change_or_it_is_gone),
        cmocka_unit_test(a_page_goes_on_behind_versions_that_are_gone),
        cmocka_unit_test(a_marker_that_is_gone_keeps_its_place),
        cmocka_unit_test(a_visitor_can_stop),
        cmocka_unit_test(long_prefixes_cost_a_search_and_few_rows),
        cmocka_unit_test(short_prefixes_cost_no_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
