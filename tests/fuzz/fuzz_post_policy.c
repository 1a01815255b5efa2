/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST policies: a byte of plan, bucket LF policy LF (its line feeds written as VT) then fields,
 * one "name=value" a line.
 *
 * plan 0: the policy is a field as it is, with whatever signature the fields have: nobody is let in.
 * plan 1: V4, plan 2: V2: the harness signs the policy, so that the evaluator is reached. A form
 *         that is let in then
 *         - is refused with another signature, after the policy's time and with one more field;
 *         - has every field named by the policy's text, and the bucket too;
 *         - has sane bounds for its file.
 */
#include "base/text/codec.h"
#include "server/auth/auth.h"
#include "tests/fuzz/fuzz.h"

#define ACCESS_KEY "FUZZKEY00000EXAMPLE"
#define CREDENTIAL ACCESS_KEY "/" FUZZ_TODAY "/us-east-1/s3/aws4_request"
#define FIELDS_MAX (FORM_FIELDS_MAX + 1)
#define YEAR_10000_US (INT64_C(253402300800) * US_PER_S)

enum plan { PLAN_AS_IS, PLAN_V4, PLAN_V2, PLANS };

struct form_input {
    struct form_field fields[FIELDS_MAX];
    size_t count;
    struct str bucket;
};

static struct auth_cache *cache;

static void start(void)
{
    static char id[64];
    struct users_in_force *in_force;
    struct users *users;
    struct user user = {
        .access_key = STR(ACCESS_KEY),
        .secret_key = fuzz_secret(),
        .display_name = STR("fuzz"),
        .email = STR(""),
    };

    if (cache != NULL)
        return;
    users_canonical_id(STR("fuzz"), id);
    user.canonical_id = str_make(id, sizeof(id));
    FUZZ_CHECK(digest_init(), "digests");
    users = users_open();
    FUZZ_CHECK(users != NULL && users_add(users, &user, NULL), "memory");
    in_force = users_put_in_force(users);
    cache = in_force != NULL ? auth_cache_open(in_force) : NULL;
    FUZZ_CHECK(cache != NULL, "memory");
}

static void add(struct form_input *form, struct str name, struct str value)
{
    if (form->count < FIELDS_MAX)
        form->fields[form->count++] = (struct form_field){ name, value };
}

static struct str base64(struct arena *arena, struct str bytes)
{
    char *text = arena_alloc(arena, BASE64_LEN(bytes.len) + 1);

    if (text == NULL)
        return STR_NONE;
    base64_encode(bytes.p, bytes.len, text);
    return str_make(text, BASE64_LEN(bytes.len));
}

static void sign_v4(struct form_input *form, struct str policy, struct arena *arena)
{
    uint8_t key[SHA256_BYTES];
    uint8_t mac[SHA256_BYTES];
    char *hex = arena_alloc(arena, 64);

    if (hex == NULL)
        return;
    auth_signing_key(fuzz_secret(), STR(FUZZ_TODAY), STR("us-east-1"), STR("s3"), key);
    hmac_sha256(str_make(key, sizeof(key)), policy, mac);
    hex_encode(mac, sizeof(mac), hex);
    add(form, STR("x-amz-algorithm"), STR("AWS4-HMAC-SHA256"));
    add(form, STR("x-amz-credential"), STR(CREDENTIAL));
    add(form, STR("x-amz-date"), STR(FUZZ_NOW_AMZ));
    add(form, STR("x-amz-signature"), str_make(hex, 64));
}

static void sign_v2(struct form_input *form, struct str policy, struct arena *arena)
{
    uint8_t mac[SHA1_BYTES];

    hmac_sha1(fuzz_secret(), policy, mac);
    add(form, STR("AWSAccessKeyId"), STR(ACCESS_KEY));
    add(form, STR("signature"), base64(arena, str_make(mac, sizeof(mac))));
}

static enum s3_error verify(const struct form_input *form, struct arena *arena,
                            struct auth *ret_auth, uint64_t *ret_min, uint64_t *ret_max)
{
    struct auth_config config = { .region = STR("us-east-1"), .clock = fuzz_clock() };
    struct http_request request = { .method = STR("POST"), .raw_path = STR("/") };
    struct s3_refusal refusal = { 0 };

    return auth_verify_post(&config, cache, &request, form->fields, form->count, form->bucket,
                            arena, ret_auth, ret_min, ret_max, &refusal);
}

static bool let_in(const struct form_input *form, struct arena *arena)
{
    struct auth auth = { 0 };
    uint64_t min;
    uint64_t max;

    return verify(form, arena, &auth, &min, &max) == S3_OK && auth.user != NULL;
}

static bool carries_signature(struct str name)
{
    static const struct str names[] = { { "policy", 6 },    { "x-amz-signature", 15 },
                                        { "signature", 9 }, { "AWSAccessKeyId", 14 },
                                        { "file", 4 },      { "bucket", 6 } };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_eq_nocase(name, names[i]))
            return true;
    }
    return str_starts_nocase(name, STR("x-ignore-"));
}

/* The policy's text has that name, without case. Policies with escapes are not judged. */
static bool names_field(struct str policy, struct str name)
{
    for (size_t i = 0; i + name.len <= policy.len; i++) {
        if (str_eq_nocase(str_slice(policy, i, name.len), name))
            return true;
    }
    return str_find_char(policy, '\\') != SIZE_MAX;
}

static void check_accepted(struct form_input *form, struct str policy, uint64_t min, uint64_t max,
                           struct arena *arena)
{
    size_t last = form->count - 1;
    struct str kept = form->fields[last].value;
    char *other = arena_cstr(arena, kept);

    FUZZ_CHECK(min <= max || max < UINT64_MAX, "bounds %llu..%llu", (unsigned long long)min,
               (unsigned long long)max);
    FUZZ_CHECK(names_field(policy, STR("bucket")), "a policy that does not name the bucket");
    for (size_t i = 0; i < form->count; i++) {
        struct str name = form->fields[i].name;

        FUZZ_CHECK(carries_signature(name) || names_field(policy, name),
                   "field '%.*s' is in no condition", STR_ARG(name));
    }

    /* The last field is the signature. */
    if (other == NULL || kept.len == 0)
        return;
    other[0] = other[0] == 'a' ? 'b' : 'a';
    form->fields[last].value = str_make(other, kept.len);
    FUZZ_CHECK(!let_in(form, arena), "let in with another signature");
    form->fields[last].value = kept;
    FUZZ_CHECK(let_in(form, arena), "the same form, another answer");

    if (form->count < FORM_FIELDS_MAX) {
        struct form_field signature = form->fields[last];

        form->fields[last] = (struct form_field){ fuzz_secret(), STR("x") };
        add(form, signature.name, signature.value);
        FUZZ_CHECK(!let_in(form, arena), "let in with a field the policy cannot know");
    }

    fuzz_set_now(YEAR_10000_US);
    FUZZ_CHECK(!let_in(form, arena), "let in in the year 10000");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, 8u << 20);
    struct input input = { data, size };
    enum plan plan = (enum plan)(input_byte(&input) % PLANS);
    struct form_input form = { .bucket = input_until(&input, '\n') };
    struct str json = input_until(&input, '\n');
    struct str policy;
    struct auth auth = { 0 };
    uint64_t min = 0;
    uint64_t max = 0;
    char *text;

    start();
    if (arena == NULL || size > 65536)
        return 0;
    fuzz_set_now(FUZZ_NOW_US);

    text = arena_cstr(arena, json);
    if (text == NULL)
        return 0;
    for (size_t i = 0; i < json.len; i++) {
        if (text[i] == '\v')
            text[i] = '\n';
    }
    json = str_make(text, json.len);
    policy = plan == PLAN_AS_IS ? json : base64(arena, json);
    while (input.len > 0 && form.count < FORM_FIELDS_MAX - 6) {
        struct str name;
        struct str value;

        (void)str_cut(input_until(&input, '\n'), '=', &name, &value);
        add(&form, name, str_present(value) ? value : STR(""));
    }
    add(&form, STR("policy"), policy);
    if (plan == PLAN_V4)
        sign_v4(&form, policy, arena);
    else if (plan == PLAN_V2)
        sign_v2(&form, policy, arena);

    if (verify(&form, arena, &auth, &min, &max) != S3_OK || auth.user == NULL)
        return 0;
    FUZZ_CHECK(plan != PLAN_AS_IS, "let in without the secret");
    check_accepted(&form, json, min, max, arena);
    return 0;
}
