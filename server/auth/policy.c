/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST policy documents: does the form do only what its signer allowed?
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 *
 * (1) Fail closed: an unknown member, type or a repeated JSON name makes the document invalid, an
 *     unknown operator is a condition that does not hold; nothing in it is skipped.
 * (2) Every field of the form is covered by a condition, but for the few that carry the signature,
 *     x-ignore-* and x-amz-checksum-* (which can only make the upload stricter). A field given twice satisfies its conditions twice.
 * (3) `bucket` is the bucket the request was routed to, whatever a field of that name says
 *     (CVE-2023-43040), and must be named by a condition.
 */
#include <jansson.h>

#include "base/memory.h"
#include "server/auth/call.h"

#define POLICY_DEPTH_MAX 8

struct check {
    struct auth_call *call;
    const struct form_field *fields;
    size_t field_count;
    struct str bucket;
    bool covered[FORM_FIELDS_MAX];
    bool bucket_covered;
    uint64_t min_bytes, max_bytes;
    struct str failed; /* the first condition that does not hold, as text; STR_NONE */
};

enum match { MATCH_EQ, MATCH_STARTS_WITH };

void auth_init(void)
{
    json_set_alloc_funcs(mem_alloc, mem_free);
}

static void json_release(json_t **json)
{
    json_decref(*json);
}

static struct str json_text(const json_t *json)
{
    return str_make(json_string_value(json), json_string_length(json));
}

static enum s3_error invalid(struct auth_call *call, const char *why)
{
    return auth_refuse(call, S3_InvalidPolicyDocument,
                       arena_printf(call->arena, "Invalid Policy: %s", why));
}

/* Before the JSON library recurses into it. */
static bool depth_allowed(struct str json)
{
    unsigned depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.p[i];

        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > POLICY_DEPTH_MAX)
                return false;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }

    return true;
}

static bool exempt(struct str name)
{
    return str_eq_nocase(name, STR("policy")) || str_eq_nocase(name, STR("x-amz-signature")) ||
           str_eq_nocase(name, STR("signature")) || str_eq_nocase(name, STR("AWSAccessKeyId")) ||
           str_eq_nocase(name, STR("file")) || str_starts_nocase(name, STR("x-ignore-")) ||
           str_starts_nocase(name, STR("x-amz-checksum-"));
}

/* In a policy "\$" stands for a dollar sign; signers that did not know write it plainly. */
static struct str without_escapes(struct arena *arena, struct str value)
{
    char *out;
    size_t len = 0;

    if (str_find(value, STR("\\$")) == SIZE_MAX)
        return value;

    out = arena_alloc(arena, value.len);
    for (size_t i = 0; i < value.len && out != NULL; i++) {
        if (value.p[i] == '\\' && i + 1 < value.len && value.p[i + 1] == '$')
            continue;
        out[len++] = value.p[i];
    }

    return str_make(out, len);
}

static bool compare(enum match match, struct str actual, struct str expected)
{
    return match == MATCH_EQ ? str_eq(actual, expected) : str_starts(actual, expected);
}

static bool holds(struct check *check, enum match match, struct str name, struct str actual,
                  struct str expected)
{
    struct str unescaped = without_escapes(check->call->arena, expected);
    struct str item;

    if (compare(match, actual, expected) ||
        (str_present(unescaped) && compare(match, actual, unescaped))) {
        /* "Content-Types values for a starts-with condition that include commas are interpreted as
         * lists. Each value in the list must meet the condition." */
        if (match == MATCH_STARTS_WITH && str_eq_nocase(name, STR("Content-Type"))) {
            while (str_next(&actual, ',', &item)) {
                if (!compare(match, str_trim(item), expected))
                    return false;
            }
        }
        return true;
    }

    return false;
}

static int append_json(const char *text, size_t len, void *context)
{
    buf_append(context, text, len);
    return 0;
}

/* Remember the first condition that does not hold, as JSON. */
static void fail(struct check *check, const json_t *condition)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(FORM_FIELDS_BYTES_MAX * 2);

    if (str_present(check->failed))
        return;
    if (json_dump_callback(condition, append_json, &text, 0) == 0 && !text.failed)
        check->failed = arena_dup(check->call->arena, buf_view(&text));
    if (!str_present(check->failed))
        check->failed = STR("[]");
}

/* Does the form hold to it? What is named is covered, whether it does or not. */
static bool match_fields(struct check *check, enum match match, struct str name,
                         struct str expected)
{
    bool is_bucket = str_eq_nocase(name, STR("bucket"));
    bool found = is_bucket;
    bool good = true;

    if (is_bucket) {
        check->bucket_covered = true;
        good = holds(check, match, name, check->bucket, expected);
    }

    for (size_t i = 0; i < check->field_count; i++) {
        struct str value = check->fields[i].value;

        if (!str_eq_nocase(check->fields[i].name, name))
            continue;
        found = true;
        check->covered[i] = true;
        good = good && (is_bucket ? str_eq(value, check->bucket)
                                  : holds(check, match, name, value, expected));
    }

    /* A field that is not there counts as empty: ["starts-with", "$Content-Type", ""]. */
    return good && (found || compare(match, STR(""), expected));
}

/* A JSON integer or, as some signers write it, its digits in a string. */
static bool read_bound(const json_t *json, uint64_t *ret_value)
{
    if (json_is_integer(json)) {
        *ret_value = (uint64_t)json_integer_value(json);
        return true;
    }

    return json_is_string(json) && str_to_u64(json_text(json), ret_value);
}

static bool is_negative(const json_t *json)
{
    return json_is_integer(json) && json_integer_value(json) < 0;
}

static enum s3_error check_range(struct check *check, const json_t *condition)
{
    const json_t *first = json_array_get(condition, 1);
    const json_t *second = json_array_get(condition, 2);
    uint64_t low;
    uint64_t high;

    if (!read_bound(first, &low) || !read_bound(second, &high)) {
        fail(check, condition);
        return S3_OK;
    }
    if (is_negative(first) || is_negative(second) || low > high)
        return invalid(check->call, "Invalid content-length-range.");
    check->min_bytes = low > check->min_bytes ? low : check->min_bytes;
    check->max_bytes = u64_min(high, check->max_bytes);
    return S3_OK;
}

/* What has the shape of a condition and says nothing S3 knows is a condition that does not hold. */
static enum s3_error check_list(struct check *check, const json_t *condition)
{
    struct str verb;
    struct str name;
    enum match match = MATCH_EQ;
    bool known;

    if (json_array_size(condition) != 3 || !json_is_string(json_array_get(condition, 0)))
        return invalid(check->call, "Invalid condition: a list needs an operator and two values.");
    verb = json_text(json_array_get(condition, 0));
    if (str_eq_nocase(verb, STR("content-length-range")))
        return check_range(check, condition);

    known = str_eq_nocase(verb, STR("eq"));
    if (str_eq_nocase(verb, STR("starts-with"))) {
        known = true;
        match = MATCH_STARTS_WITH;
    }
    if (known && json_is_string(json_array_get(condition, 1)) &&
        json_is_string(json_array_get(condition, 2))) {
        name = json_text(json_array_get(condition, 1));
        if (name.len >= 2 && name.p[0] == '$' &&
            match_fields(check, match, str_skip(name, 1), json_text(json_array_get(condition, 2))))
            return S3_OK;
    }
    fail(check, condition);
    return S3_OK;
}

/* {"acl": "private"} says ["eq", "$acl", "private"], and is named so when it fails. */
static enum s3_error check_simple(struct check *check, const char *name, json_t *value)
{
    CLEANUP(json_release) json_t *condition = NULL;

    if (!json_is_string(value))
        return invalid(check->call, "Invalid Simple-Condition: value must be a string.");
    if (match_fields(check, MATCH_EQ, str_from_cstr(name), json_text(value)))
        return S3_OK;
    condition = json_pack("[s, s+, O]", "eq", "$", name, value);
    if (condition == NULL)
        return auth_refuse(check->call, S3_SlowDown, STR_NONE);
    fail(check, condition);
    return S3_OK;
}

static enum s3_error check_condition(struct check *check, json_t *condition)
{
    const char *name;
    json_t *value;

    if (json_is_array(condition))
        return check_list(check, condition);
    if (!json_is_object(condition) || json_object_size(condition) != 1)
        return invalid(check->call, "Invalid Simple-Condition: Simple-Conditions must have exactly "
                                    "one property specified.");

    name = json_object_iter_key(json_object_iter(condition));
    value = json_object_iter_value(json_object_iter(condition));
    return check_simple(check, name, value);
}

static enum s3_error check_document(struct check *check, const json_t *document)
{
    struct auth_call *call = check->call;
    const json_t *expiration = json_object_get(document, "expiration");
    const json_t *conditions = json_object_get(document, "conditions");
    int64_t expires_us;
    enum s3_error err;

    if (!json_is_object(document))
        return invalid(call, "Invalid JSON.");
    if (!json_is_string(expiration))
        return invalid(call, "Policy missing expiration.");
    if (!clock_parse_iso8601(json_text(expiration), &expires_us))
        return invalid(call, "Invalid 'expiration' value.");
    if (!json_is_array(conditions))
        return invalid(call, "Policy missing conditions.");
    if (json_array_size(conditions) == 0)
        return invalid(call, "Policy has no conditions.");
    if (json_object_size(document) != 2)
        return invalid(call, "Unexpected member.");

    for (size_t i = 0; i < json_array_size(conditions); i++) {
        err = check_condition(check, json_array_get(conditions, i));
        if (err != S3_OK)
            return err;
    }

    if (expires_us <= call->now_us)
        return auth_refuse(call, S3_AccessDenied,
                           STR("Invalid according to Policy: Policy expired."));
    if (str_present(check->failed))
        return auth_refuse(call, S3_AccessDenied,
                           arena_printf(call->arena,
                                        "Invalid according to Policy: Policy Condition failed: "
                                        "%.*s",
                                        STR_ARG(check->failed)));

    return S3_OK;
}

static enum s3_error check_coverage(const struct check *check)
{
    struct arena *arena = check->call->arena;
    struct str extra = check->bucket_covered ? STR_NONE : STR("bucket");

    for (size_t i = 0; i < check->field_count; i++) {
        struct str name = check->fields[i].name;

        if (check->covered[i] || exempt(name) || str_eq_nocase(name, STR("bucket")))
            continue;
        extra = str_present(extra)
                    ? arena_printf(arena, "%.*s, %.*s", STR_ARG(extra), STR_ARG(name))
                    : arena_printf(arena, "%.*s", STR_ARG(name));
        if (!str_present(extra))
            return auth_refuse(check->call, S3_SlowDown, STR_NONE);
    }

    if (!str_present(extra))
        return S3_OK;

    return auth_refuse(check->call, S3_AccessDenied,
                       arena_printf(arena, "Invalid according to Policy: Extra input fields: %.*s",
                                    STR_ARG(extra)));
}

enum s3_error policy_check(struct auth_call *call, struct str policy,
                           const struct form_field *fields, size_t field_count, struct str bucket,
                           uint64_t *ret_min_bytes, uint64_t *ret_max_bytes)
{
    struct check check = {
        .call = call,
        .fields = fields,
        .field_count = field_count,
        .bucket = bucket,
        .max_bytes = UINT64_MAX,
    };
    CLEANUP(json_release) json_t *document = NULL;
    size_t room = policy.len / 4 * 3;
    char *text = arena_alloc(call->arena, room + 1);
    size_t len;
    enum s3_error err;

    if (text == NULL)
        return auth_refuse(call, S3_SlowDown, STR_NONE);
    if (field_count > FORM_FIELDS_MAX)
        return auth_refuse(call, S3_InvalidRequest, STR_NONE);
    if (policy.len == 0 || !base64_decode(policy, text, room, &len))
        return invalid(call, "Invalid base64.");
    if (!depth_allowed(str_make(text, len)))
        return invalid(call, "Nested too deeply.");

    document = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (document == NULL)
        return invalid(call, "Invalid JSON.");

    err = check_document(&check, document);
    if (err == S3_OK)
        err = check_coverage(&check);
    if (err != S3_OK)
        return err;

    *ret_min_bytes = check.min_bytes;
    *ret_max_bytes = check.max_bytes;
    return S3_OK;
}
