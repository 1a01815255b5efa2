/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth_verify over whole requests: a byte of plan, method LF target LF then header lines.
 *
 * plan 0: the request as it is. The secret is random per process: whoever is let in found a hole.
 * plan 1: the second reading of SigV4 (reference_sigv4.h) signs it: it must be let in.
 * plan 2: signed, then two bytes later in the input say where and how one byte of target, header or
 *         signature is changed. Whoever is let in must carry a signature that the second reading
 *         gives to the changed request as well, with every x-amz-* header covered.
 * plan 3: signed without its last header line, which is added afterwards; judged as plan 2.
 */
#include "server/auth/auth.h"
#include "server/http/parse/guard.h"
#include "tests/fuzz/reference_sigv4.h"

#define ACCESS_KEY "FUZZKEY00000EXAMPLE"
#define SCOPE FUZZ_TODAY "/us-east-1/s3/aws4_request"
#define FIELDS_MAX 40

enum plan { PLAN_AS_IS, PLAN_SIGNED, PLAN_CHANGED, PLAN_ADDED, PLANS };

struct fuzz {
    struct auth_cache *cache;
    struct auth_config config;
};

static const struct fuzz *fuzz_start(void)
{
    static struct fuzz fuzz;
    static char id[64];
    struct users_in_force *in_force;
    struct users *users;
    struct user user = {
        .access_key = STR(ACCESS_KEY),
        .secret_key = fuzz_secret(),
        .display_name = STR("fuzz"),
        .email = STR(""),
    };

    if (fuzz.cache != NULL)
        return &fuzz;
    users_canonical_id(STR("fuzz"), id);
    user.canonical_id = str_make(id, sizeof(id));
    FUZZ_CHECK(digest_init(), "digests");
    users = users_open();
    FUZZ_CHECK(users != NULL && users_add(users, &user, NULL), "memory");
    in_force = users_put_in_force(users);
    fuzz.cache = in_force != NULL ? auth_cache_open(in_force) : NULL;
    FUZZ_CHECK(fuzz.cache != NULL, "memory");
    fuzz.config = (struct auth_config){ .region = STR("us-east-1"), .clock = fuzz_clock() };
    return &fuzz;
}

static void add_field(struct http_request *request, struct str name, struct str value)
{
    if (request->field_count < FIELDS_MAX)
        request->fields[request->field_count++] = (struct http_field){ name, str_trim(value) };
}

static bool is_signing_field(struct str name)
{
    return str_eq_nocase(name, STR("authorization")) || str_eq_nocase(name, STR("x-amz-date")) ||
           str_eq_nocase(name, STR("date")) || str_eq_nocase(name, STR("x-amz-content-sha256")) ||
           str_eq_nocase(name, STR("x-amz-security-token")) || str_eq_nocase(name, STR("host"));
}

static int name_order(const void *left, const void *right)
{
    return str_compare(*(const struct str *)left, *(const struct str *)right);
}

/* Names of all fields, lower case, sorted, once each. */
static struct str header_list(const struct http_request *request, struct arena *arena)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(65536);
    struct str names[FIELDS_MAX];

    for (size_t i = 0; i < request->field_count; i++) {
        char *lower = arena_cstr(arena, request->fields[i].name);

        if (lower == NULL)
            return STR_NONE;
        for (size_t at = 0; lower[at] != '\0'; at++) {
            if (lower[at] >= 'A' && lower[at] <= 'Z')
                lower[at] |= 32;
        }
        names[i] = str_make(lower, request->fields[i].name.len);
    }
    qsort(names, request->field_count, sizeof(names[0]), name_order);
    for (size_t i = 0; i < request->field_count; i++) {
        if (i > 0 && str_eq(names[i], names[i - 1]))
            continue;
        if (text.len > 0)
            buf_char(&text, ';');
        buf_str(&text, names[i]);
    }
    return arena_dup(arena, buf_view(&text));
}

/* Adds what a client adds. False: the request is one that cannot be signed. */
static bool sign(struct http_request *request, struct arena *arena)
{
    struct str list;
    char signature[64];
    struct str authorization;

    add_field(request, STR("x-amz-date"), STR(FUZZ_NOW_AMZ));
    add_field(request, STR("x-amz-content-sha256"), STR("UNSIGNED-PAYLOAD"));
    list = header_list(request, arena);
    if (!str_present(list) || !reference_sign(request, fuzz_secret(), STR(FUZZ_NOW_AMZ), STR(SCOPE),
                                              list, STR("UNSIGNED-PAYLOAD"), arena, signature))
        return false;
    authorization = arena_printf(arena,
                                 "AWS4-HMAC-SHA256 Credential=" ACCESS_KEY "/" SCOPE
                                 ", SignedHeaders=%.*s, Signature=%.*s",
                                 STR_ARG(list), 64, signature);
    add_field(request, STR("Authorization"), authorization);
    return str_present(authorization);
}

/* One byte of one text of the request becomes another. */
static void change(struct http_request *request, size_t which, size_t at, uint8_t byte,
                   struct arena *arena)
{
    struct str *text = &request->target;
    char *copy;

    which %= 2 * request->field_count + 1;
    if (which > 0)
        text = which % 2 == 0 ? &request->fields[(which - 1) / 2].value
                              : &request->fields[(which - 1) / 2].name;
    copy = arena_cstr(arena, *text);
    if (copy == NULL || text->len == 0)
        return;
    copy[at % text->len] = (char)byte;
    *text = str_trim(str_make(copy, text->len));
}

/* What an Authorization says, read plainly: "name=value" between commas. */
static struct str claimed(struct str authorization, struct str name)
{
    struct str rest = str_skip(authorization, 16);
    struct str item;

    while (str_next(&rest, ',', &item)) {
        item = str_trim(item);
        if (str_starts(item, name))
            return str_skip(item, name.len);
    }
    return STR_NONE;
}

/* Let in: then the second reading agrees, on this very request. */
static void check_accepted(const struct http_request *request, const struct auth *auth,
                           struct arena *arena)
{
    struct str authorization = http_header(request, STR("authorization"));
    struct str list = claimed(authorization, STR("SignedHeaders="));
    struct str credential = claimed(authorization, STR("Credential="));
    struct str date = http_header(request, STR("x-amz-date"));

    FUZZ_CHECK(auth->scheme == AUTH_V4_HEADER, "let in by scheme %d", (int)auth->scheme);
    FUZZ_CHECK(!auth->audited, "let in unverified");
    FUZZ_CHECK(str_eq(auth->user->access_key, STR(ACCESS_KEY)), "another user");
    FUZZ_CHECK(http_header_count(request, STR("authorization")) == 1, "two credentials");
    FUZZ_CHECK(reference_covers(request, list), "unsigned headers: '%.*s'", STR_ARG(list));
    FUZZ_CHECK(str_starts(credential, STR(ACCESS_KEY "/")), "'%.*s'", STR_ARG(credential));
    FUZZ_CHECK(str_eq(date, STR(FUZZ_NOW_AMZ)), "'%.*s'", STR_ARG(date));
    FUZZ_CHECK(reference_matches(request, fuzz_secret(), date,
                                 str_skip(credential, sizeof(ACCESS_KEY)), list,
                                 http_header(request, STR("x-amz-content-sha256")),
                                 claimed(authorization, STR("Signature=")), arena),
               "no signature of this request: %.*s", STR_ARG(request->target));
}

/* Duplicates that a signature cannot speak for, and what the header form does not allow. */
static bool signable(const struct http_request *request)
{
    for (size_t i = 0; i < request->field_count; i++) {
        if (str_starts_nocase(request->fields[i].name, STR("x-amz-")) &&
            http_header_count(request, request->fields[i].name) > 1)
            return false;
        if (str_find_char(request->fields[i].name, ';') != SIZE_MAX ||
            str_find_char(request->fields[i].name, ',') != SIZE_MAX)
            return false;
    }
    for (size_t i = 0; i < request->param_count; i++) {
        struct str name = request->params[i].name;

        if (str_starts_nocase(name, STR("x-amz-")) || str_eq(name, STR("Signature")) ||
            str_eq(name, STR("AWSAccessKeyId")))
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fuzz *fuzz = fuzz_start();
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, 8u << 20);
    struct http_field fields[FIELDS_MAX];
    struct http_field added = { STR_NONE, STR_NONE };
    struct input input = { data, size };
    enum plan plan = (enum plan)(input_byte(&input) % PLANS);
    size_t which = input_byte(&input);
    size_t at = input_number(&input, 65536);
    uint8_t byte = input_byte(&input);
    struct http_request request = { .fields = fields };
    struct auth auth = { 0 };
    struct s3_refusal refusal = { 0 };
    enum s3_error error;
    int status;

    if (arena == NULL)
        return 0;
    fuzz_set_now(FUZZ_NOW_US);
    request.method = input_until(&input, '\n');
    request.target = arena_dup(arena, input_until(&input, '\n'));
    while (input.len > 0 && request.field_count < FIELDS_MAX - 4) {
        struct str line = input_until(&input, '\n');
        struct str name;
        struct str value;

        (void)str_cut(line, ':', &name, &value);
        if (plan == PLAN_AS_IS || !is_signing_field(name))
            add_field(&request, name, value);
    }
    if (plan == PLAN_ADDED && request.field_count > 0)
        added = fields[--request.field_count];
    if (plan != PLAN_AS_IS)
        add_field(&request, STR("Host"), STR("127.0.0.1:9000"));

    if (plan != PLAN_AS_IS) {
        if (http_guard(&request, &status) != NULL ||
            !http_target_parse(request.target, arena, &request, NULL) || !signable(&request) ||
            !sign(&request, arena))
            return 0;
        if (plan == PLAN_CHANGED)
            change(&request, which, at, byte, arena);
        if (str_present(added.name))
            add_field(&request, added.name, added.value);
    }
    request.chunked = request.has_body = request.has_content_length = false;
    if (http_guard(&request, &status) != NULL ||
        !http_target_parse(request.target, arena, &request, NULL))
        return 0;

    error = auth_verify(&fuzz->config, fuzz->cache, &request, STR_NONE, arena, &auth, &refusal);
    if (error != S3_OK)
        FUZZ_CHECK(error > S3_OK && error < S3_ERRORS, "error %d", (int)error);
    FUZZ_CHECK(plan != PLAN_SIGNED || error == S3_OK, "a good signature is refused: %d %.*s",
               (int)error, STR_ARG(refusal.message));
    if (error != S3_OK || auth.user == NULL)
        return 0;
    FUZZ_CHECK(plan != PLAN_AS_IS, "let in without the secret");
    check_accepted(&request, &auth, arena);
    return 0;
}
