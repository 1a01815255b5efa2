/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of a key against a model that is nothing but a list.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define VERSIONS_MAX 4000
#define KEYS 3
#define STEPS 1500

struct model_version {
    char id[VERSION_TEXT_LEN + 1];
    bool marker;
    char content[16];
};

/* Oldest first. */
struct model_key {
    struct model_version versions[VERSIONS_MAX];
    size_t count;
};

struct model {
    enum bucket_versioning versioning;
    struct model_key keys[KEYS];
};

static const char *const key_names[KEYS] = { "a", "b/c", "b/d" };

static void model_remove(struct model_key *key, size_t at)
{
    memmove(&key->versions[at], &key->versions[at + 1],
            (key->count - at - 1) * sizeof(key->versions[0]));
    key->count--;
}

static void model_remove_null(struct model_key *key)
{
    for (size_t i = 0; i < key->count; i++) {
        if (strcmp(key->versions[i].id, "null") == 0) {
            model_remove(key, i);
            return;
        }
    }
}

static void model_add(struct model *model, struct model_key *key, const char *id, bool marker,
                      const char *content)
{
    if (model->versioning != VERSIONING_ENABLED)
        model_remove_null(key);

    struct model_version *fresh = &key->versions[key->count++];

    (void)snprintf(fresh->id, sizeof(fresh->id), "%s", id);
    (void)snprintf(fresh->content, sizeof(fresh->content), "%s", content);
    fresh->marker = marker;
}

/* ---- comparing --------------------------------------------------------------------------- */

struct walk {
    struct fixture *f;
    struct model *model;
    size_t key;  /* being walked */
    size_t left; /* of its versions */
    size_t seen;
    char last_key[16];
};

static bool compare_version(void *context, struct str prefix, const struct listed_version *version)
{
    struct walk *walk = context;
    char id[VERSION_TEXT_LEN];

    assert_false(str_present(prefix));
    while (walk->key < KEYS && walk->left == 0) {
        walk->key++;
        walk->left = walk->key < KEYS ? walk->model->keys[walk->key].count : 0;
    }
    assert_true(walk->key < KEYS);

    const struct model_key *key = &walk->model->keys[walk->key];
    const struct model_version *expected = &key->versions[walk->left - 1];

    assert_true(str_eq(version->key, str_from_cstr(key_names[walk->key])));
    assert_true(str_eq(listed_version_id(version, id), str_from_cstr(expected->id)));
    assert_int_equal(version->delete_marker, expected->marker);
    assert_int_equal(version->latest, walk->left == key->count);
    walk->left--;
    walk->seen++;
    return true;
}

/* The whole listing in pages of `max`. */
static void compare_listing(struct fixture *f, struct model *model, uint32_t max)
{
    struct walk walk = { .f = f, .model = model, .left = model->keys[0].count };
    struct list_query query = { .prefix = STR(""), .max = max };
    struct list_end end;
    size_t total = 0;

    for (size_t k = 0; k < KEYS; k++)
        total += model->keys[k].count;
    do {
        FX_OK(f, version_list(f->reader, fx_bucket_id(f), &query, compare_version, &walk, f->arena,
                              &end, &f->fault));
        query.after = end.next;
        query.has_version_marker = true;
        if (end.truncated)
            assert_true(version_id_parse(end.next_version_id, &query.version_marker));
        assert_int_equal(end.truncated, walk.seen < total);
    } while (end.truncated);
    assert_int_equal(walk.seen, total);
}

static void compare_key(struct fixture *f, const char *name, const struct model_key *key)
{
    struct version version;
    enum store_status status = fx_head(f, name, &version);

    if (key->count == 0) {
        assert_int_equal(status, STORE_NO_KEY);
        return;
    }
    assert_int_equal(status, STORE_OK);
    assert_int_equal(version.delete_marker, key->versions[key->count - 1].marker);

    size_t any = (size_t)rand() % key->count;

    FX_OK(f, fx_get_version(f, name, key->versions[any].id, &version));
    assert_int_equal(version.delete_marker, key->versions[any].marker);
    assert_int_equal(version.latest, any == key->count - 1);
    if (!version.delete_marker)
        assert_true(str_eq(fx_read(f, &version), str_from_cstr(key->versions[any].content)));
}

/* ---- doing ------------------------------------------------------------------------------- */

static void do_put(struct fixture *f, struct model *model, size_t k)
{
    char content[16];
    struct fx_put put = { .key = str_from_cstr(key_names[k]) };

    (void)snprintf(content, sizeof(content), "%d", rand());
    put.bytes = str_from_cstr(content);
    FX_OK(f, fx_put_with(f, &put));
    model_add(model, &model->keys[k],
              model->versioning == VERSIONING_ENABLED ? put.version : "null", false, content);
    if (model->versioning != VERSIONING_ENABLED)
        assert_string_equal(put.version, "null");
}

static void do_delete(struct fixture *f, struct model *model, size_t k)
{
    struct delete_item item = { .key = str_from_cstr(key_names[k]) };
    struct intent intent = { .kind = INTENT_OBJECT_DELETE,
                             .bucket = BUCKET,
                             .arena = f->arena,
                             .remove = { .items = &item, .count = 1 } };
    char id[VERSION_TEXT_LEN + 1];

    FX_OK(f, store_submit_wait(f->store, &intent));
    assert_int_equal(item.status, STORE_OK);
    assert_int_equal(item.made_marker, model->versioning != VERSIONING_NEVER);
    if (model->versioning == VERSIONING_NEVER) {
        model_remove_null(&model->keys[k]);
        return;
    }
    (void)snprintf(id, sizeof(id), "%.*s", STR_ARG(item.marker_version));
    model_add(model, &model->keys[k], id, true, "");
}

static void do_delete_version(struct fixture *f, struct model *model, size_t k)
{
    struct model_key *key = &model->keys[k];
    struct delete_item item;
    size_t any;

    if (key->count == 0) {
        FX_OK(f, fx_delete_version(f, key_names[k], "null", &item));
        return;
    }
    any = (size_t)rand() % key->count;
    FX_OK(f, fx_delete_version(f, key_names[k], key->versions[any].id, &item));
    assert_int_equal(item.deleted_marker, key->versions[any].marker);
    model_remove(key, any);
}

static void random_histories_equal_the_model(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct model *model = mem_zalloc(sizeof(*model));

    (void)state;
    assert_non_null(model);
    srand(1);
    for (int step = 0; step < STEPS; step++) {
        size_t k = (size_t)rand() % KEYS;
        int what = rand() % 20;

        if (what < 9)
            do_put(f, model, k);
        else if (what < 13)
            do_delete(f, model, k);
        else if (what < 19)
            do_delete_version(f, model, k);
        else if (step > 200) {
            model->versioning = rand() % 2 == 0 ? VERSIONING_ENABLED : VERSIONING_SUSPENDED;
            FX_OK(f, fx_versioning(f, model->versioning));
        }
        compare_key(f, key_names[k], &model->keys[k]);
        if (step % 50 == 0)
            compare_listing(f, model, 1 + (uint32_t)rand() % 7);
    }
    compare_listing(f, model, 1);
    compare_listing(f, model, 1000);
    mem_free(model);
    fx_close(f);
}

static void ids_of_other_keys_and_made_up_ids_name_nothing(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct fx_put put = { .key = STR("a"), .bytes = STR("1") };
    struct version version;
    struct version_id id;

    (void)state;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put_with(f, &put));
    FX_OK(f, fx_get_version(f, "a", put.version, &version));
    assert_int_equal(fx_get_version(f, "b", put.version, &version), STORE_NO_VERSION);
    put.version[3] = put.version[3] == '0' ? '1' : '0';
    assert_int_equal(fx_get_version(f, "a", put.version, &version), STORE_NO_VERSION);
    assert_int_equal(fx_get_version(f, "a", "null", &version), STORE_NO_VERSION);
    assert_false(version_id_parse(STR("NULL"), &id));
    assert_false(version_id_parse(STR(""), &id));
    assert_true(version_id_parse(STR("0bcdef00000000000bcdef0000000001"), &id));
    assert_false(version_id_parse(STR("0BCDEF00000000000BCDEF0000000001"), &id));
    assert_false(version_id_parse(STR("00000000000000000000000000000000"), &id));
    fx_close(f);
}

static void a_bucket_of_delete_markers_is_not_empty(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct intent remove = { .kind = INTENT_BUCKET_DELETE, .bucket = BUCKET, .arena = f->arena };

    (void)state;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_delete(f, "never there"));
    assert_int_equal(store_submit_wait(f->store, &remove), STORE_BUCKET_NOT_EMPTY);
    fx_close(f);
}

static void a_condition_sees_a_delete_marker_as_absent(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct fx_put put = { .key = STR("a"),
                          .bytes = STR("1"),
                          .condition = { .if_none_match_any = true } };
    struct version version;

    (void)state;
    FX_OK(f, fx_versioning(f, VERSIONING_ENABLED));
    FX_OK(f, fx_put_with(f, &put));
    FX_OK(f, fx_delete(f, "a"));
    FX_OK(f, fx_put_with(f, &put));
    FX_OK(f, fx_delete(f, "a"));
    FX_OK(f, fx_head(f, "a", &version));

    struct intent set = { .kind = INTENT_OBJECT_SET,
                          .bucket = BUCKET,
                          .key = STR("a"),
                          .arena = f->arena,
                          .object_set.set_tags = true };

    assert_int_equal(store_submit_wait(f->store, &set), STORE_DELETE_MARKER);
    fx_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_equal_the_model),
        cmocka_unit_test(ids_of_other_keys_and_made_up_ids_name_nothing),
        cmocka_unit_test(a_bucket_of_delete_markers_is_not_empty),
        cmocka_unit_test(a_condition_sees_a_delete_marker_as_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
