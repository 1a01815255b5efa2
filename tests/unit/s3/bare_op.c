/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See bare_op.h.
 */
#include "bare_op.h"

#include "server/s3/bucket_config.h"
#include "server/s3/loop_stores.h"
#include "server/s3/routes.h"

#include "server/xml/xml.h"

struct op op;

static struct arena *arena;
static struct users_in_force *users;
static struct auth_cache *auth_cache;
static struct s3_options options;
static struct loop_store loop_store;
static struct budget budget;
static struct http_request request;
static struct http_reply reply;
static struct http_field fields[HTTP_HEADERS_MAX];

static const struct route route = { .name = { "Bare", 4 }, .status = 200 };

static const struct user people[] = {
    { .access_key = { "A", 1 },
      .secret_key = { "secret-a", 8 },
      .canonical_id = { ALICE_ID, sizeof(ALICE_ID) - 1 },
      .display_name = { "alice", 5 },
      .email = { "alice@example.com", 17 } },
    { .access_key = { "B", 1 },
      .secret_key = { "secret-b", 8 },
      .canonical_id = { BOB_ID, sizeof(BOB_ID) - 1 },
      .display_name = { "bob", 3 },
      .email = { "bob@example.com", 15 } },
};

int bare_group_setup(void **state UNUSED)
{
    struct users *table = users_open();
    struct fault fault = { 0 };

    xml_init();
    arena = arena_open(16384, 16 * 1024 * 1024);
    if (arena == NULL || table == NULL || !users_add(table, &people[0], &fault) ||
        !users_add(table, &people[1], &fault))
        return 1;
    users = users_put_in_force(table);
    auth_cache = users != NULL ? auth_cache_open(users) : NULL;
    return auth_cache == NULL;
}

int bare_group_teardown(void **state UNUSED)
{
    http_reply_reset(&reply);
    auth_cache_close(auth_cache);
    users_in_force_close(users);
    arena_close(arena);
    return 0;
}

static void take_headers(const char *headers)
{
    struct str rest = str_from_cstr(headers);
    struct str line;

    while (str_next(&rest, '\n', &line)) {
        struct http_field *field = &fields[request.field_count];

        if (line.len == 0)
            continue;
        assert_true(str_cut(line, ':', &field->name, &field->value));
        field->value = str_trim(field->value);
        request.field_count++;
    }
}

void bare_request(const char *target, const char *headers)
{
    struct fault fault = { 0 };

    http_reply_reset(&reply);
    arena_reset(arena);
    request = (struct http_request){ .method = STR("PUT"), .fields = fields };
    assert_true(http_target_parse(str_from_cstr(target), arena, &request, &fault));
    take_headers(headers);
    options = (struct s3_options){ 0 };
    loop_store = (struct loop_store){ .kms_key_arn = STR("arn:aws:kms:default") };
    options.auth.region = STR("us-east-1");
    budget_free(&budget);
    budget_init(&budget, S3_BUFFERED_BYTES_DEFAULT);
    op = (struct op){ .arena = arena,
                      .budget = &budget,
                      .request = &request,
                      .route = &route,
                      .reply = &reply,
                      .options = &options,
                      .auth_cache = auth_cache,
                      .at = &loop_store,
                      .config = &bucket_config_none,
                      .source_config = &bucket_config_none,
                      .fields_sent = request.field_count,
                      .bucket_name = STR("b"),
                      .key = STR("k") };
    op.auth.user = &people[0];
    op.auth.scheme = AUTH_V4_HEADER;
    op.bucket.name = op.bucket_name;
    op.bucket.owner = op.auth.user->canonical_id;
}

void bare_body(const char *body)
{
    op.body = str_from_cstr(body);
}

struct str bare_reply(const char *name)
{
    for (size_t i = 0; i < reply.field_count; i++)
        if (str_eq_nocase(reply.fields[i].name, str_from_cstr(name)))
            return reply.fields[i].value;
    return STR_NONE;
}
