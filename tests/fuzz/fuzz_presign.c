/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presigned URLs: plan, where, how, clock (five bytes), method LF then what the plan needs.
 *
 * plan 0: a target as it is, V4 or V2. Nobody is let in: the secret is random per process.
 * plan 1: bucket LF key LF extra query; auth_presign makes the URL: it must be let in within its
 *         time, and must not be after it.
 * plan 2: the same with one byte of the target changed. Whoever is let in must carry a signature
 *         that the second reading of SigV4 gives to the changed target as well.
 */
#include "server/auth/auth.h"
#include "server/http/parse/guard.h"
#include "tests/fuzz/reference_sigv4.h"

#define ACCESS_KEY "FUZZKEY00000EXAMPLE"
#define HOST "127.0.0.1:9000"
#define EXPIRES_S 600

enum plan { PLAN_AS_IS, PLAN_SIGNED, PLAN_CHANGED, PLANS };

static struct auth_cache *cache;
static struct user user;

static void start(void)
{
    static char id[64];
    struct users_in_force *in_force;
    struct users *users;

    if (cache != NULL)
        return;
    users_canonical_id(STR("fuzz"), id);
    user = (struct user){
        .access_key = STR(ACCESS_KEY),
        .secret_key = fuzz_secret(),
        .canonical_id = str_make(id, sizeof(id)),
        .display_name = STR("fuzz"),
        .email = STR(""),
    };
    FUZZ_CHECK(digest_init(), "digests");
    users = users_open();
    FUZZ_CHECK(users != NULL && users_add(users, &user, NULL), "memory");
    in_force = users_put_in_force(users);
    cache = in_force != NULL ? auth_cache_open(in_force) : NULL;
    FUZZ_CHECK(cache != NULL, "memory");
}

static struct str presigned_target(struct str method, struct input *input, struct arena *arena)
{
    CLEANUP(buf_free) struct buf url = BUF_WITH_MAX(65536);
    struct str bucket = input_until(input, '\n');
    struct str key = input_until(input, '\n');
    struct str extra = input_rest(input);
    struct str target;

    /* Parameters of signing are auth_presign's own. */
    if (bucket.len == 0 || key.len == 0 || str_find(extra, STR("-")) != SIZE_MAX ||
        str_find_char(extra, '%') != SIZE_MAX || str_find(extra, STR("Signature")) != SIZE_MAX ||
        str_find(extra, STR("AWSAccessKeyId")) != SIZE_MAX || !str_is_printable(extra) ||
        str_find_char(extra, ' ') != SIZE_MAX || str_find_char(extra, '#') != SIZE_MAX ||
        memchr(key.p, 0, key.len) != NULL || memchr(bucket.p, 0, bucket.len) != NULL)
        return STR_NONE;
    if (!auth_presign(&url, &user, method, STR("http://" HOST), STR("us-east-1"), bucket, key,
                      extra.len > 0 ? extra : STR_NONE, EXPIRES_S, FUZZ_NOW_US))
        return STR_NONE;
    target = arena_dup(arena, buf_view(&url));
    return str_skip(target, sizeof("http://" HOST) - 1);
}

static struct str param_value(const struct http_request *request, struct str name)
{
    const struct http_param *param = http_param(request, name);

    return param != NULL ? param->value : STR_NONE;
}

static void check_accepted(const struct http_request *request, const struct auth *auth,
                           int64_t now_us, struct arena *arena)
{
    struct str list = param_value(request, STR("X-Amz-SignedHeaders"));
    struct str credential = param_value(request, STR("X-Amz-Credential"));
    struct str date = param_value(request, STR("X-Amz-Date"));
    uint64_t expires_s;
    int64_t date_us;

    FUZZ_CHECK(auth->scheme == AUTH_V4_QUERY && !auth->audited, "scheme %d", (int)auth->scheme);
    FUZZ_CHECK(str_eq(auth->user->access_key, STR(ACCESS_KEY)), "another user");
    FUZZ_CHECK(reference_covers(request, list), "unsigned headers");
    FUZZ_CHECK(clock_parse_amz(date, &date_us) &&
                   str_to_u64(param_value(request, STR("X-Amz-Expires")), &expires_s),
               "no time");
    FUZZ_CHECK(expires_s <= AUTH_EXPIRES_MAX_S, "%llu s", (unsigned long long)expires_s);
    FUZZ_CHECK(now_us <= date_us + ((int64_t)expires_s + 1) * US_PER_S, "expired");
    FUZZ_CHECK(now_us + (AUTH_SKEW_S + 1) * US_PER_S >= date_us, "not yet valid");
    FUZZ_CHECK(reference_matches(request, fuzz_secret(), date,
                                 str_skip(credential, sizeof(ACCESS_KEY)), list,
                                 STR("UNSIGNED-PAYLOAD"),
                                 param_value(request, STR("X-Amz-Signature")), arena),
               "no signature of this request: %.*s", STR_ARG(request->target));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, 8u << 20);
    struct input input = { data, size };
    enum plan plan = (enum plan)(input_byte(&input) % PLANS);
    size_t at = input_number(&input, 65536);
    uint8_t byte = input_byte(&input);
    uint8_t clock = input_byte(&input);
    /* 0..127: a minute each from now on; above: before now. */
    int64_t now_us = FUZZ_NOW_US + (int64_t)(int8_t)clock * 60 * US_PER_S;
    struct http_field fields[] = { { STR("Host"), STR(HOST) } };
    struct http_request request = { .fields = fields, .field_count = 1 };
    struct auth_config config = { .region = STR("us-east-1"), .clock = fuzz_clock() };
    struct auth auth = { 0 };
    struct s3_refusal refusal = { 0 };
    bool in_time = (int8_t)clock >= -AUTH_SKEW_S / 60 && (int8_t)clock < EXPIRES_S / 60;
    enum s3_error error;
    int status;

    start();
    if (arena == NULL)
        return 0;
    fuzz_set_now(now_us);
    request.method = input_until(&input, '\n');
    request.target = plan == PLAN_AS_IS ? arena_dup(arena, input_rest(&input))
                                        : presigned_target(request.method, &input, arena);
    if (!str_present(request.target) || request.target.len == 0)
        return 0;
    if (plan == PLAN_CHANGED) {
        char *copy = arena_cstr(arena, request.target);

        if (copy == NULL)
            return 0;
        copy[at % request.target.len] = (char)byte;
        request.target.p = copy;
    }
    if (http_guard(&request, &status) != NULL ||
        !http_target_parse(request.target, arena, &request, NULL))
        return 0;

    error = auth_verify(&config, cache, &request, STR_NONE, arena, &auth, &refusal);
    if (plan == PLAN_SIGNED && in_time)
        FUZZ_CHECK(error == S3_OK && auth.user != NULL, "our own URL is refused: %d %.*s",
                   (int)error, STR_ARG(request.target));
    if (plan == PLAN_SIGNED && (int8_t)clock > EXPIRES_S / 60)
        FUZZ_CHECK(error != S3_OK, "an expired URL is taken");
    if (error != S3_OK || auth.user == NULL)
        return 0;
    FUZZ_CHECK(plan != PLAN_AS_IS, "let in without the secret");
    check_accepted(&request, &auth, now_us, arena);
    return 0;
}
