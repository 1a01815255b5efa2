/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every request and form that botocore signs verifies; none does once a bit of it is changed.
 */
#include "harness.h"

#include "tests/vectors/auth_vectors.h"

static void use_user(const char *token)
{
    forget_users();
    add_user(VECTORS_ACCESS_KEY, VECTORS_SECRET, token, 0);
}

static void use_vector(const struct request_vector *vector)
{
    arena_reset(h.arena);
    use_user(vector->token);
    clock_at(VECTORS_NOW_S);
    request(vector->method, vector->target, vector->host, vector->headers);
    h.virtual_bucket = str_from_cstr(vector->virtual_bucket);
}

static void test_auth_vectors__every_request_of_botocore_verifies(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(request_vectors); i++) {
        const struct request_vector *vector = &request_vectors[i];
        enum s3_error err;

        use_vector(vector);
        err = verify();
        if (err != S3_OK)
            fail_msg("vector %zu '%s' %s %s: error %d %.*s\n%.*s\n%.*s", i, vector->name,
                     vector->method, vector->target, (int)err, STR_ARG(h.refusal.message),
                     STR_ARG(fact_value(FACT_MISMATCH_TEXT)),
                     STR_ARG(fact_value(FACT_MISMATCH_CANONICAL)));
        assert_int_equal(h.auth.scheme, vector->scheme);
        assert_false(h.auth.audited);
        assert_text(h.auth.user->access_key, VECTORS_ACCESS_KEY);
    }
}

static void test_auth_vectors__none_verifies_for_another_method(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(request_vectors); i++) {
        use_vector(&request_vectors[i]);
        h.request.method = STR("PATCH");
        assert_int_equal(verify(), S3_SignatureDoesNotMatch);
        assert_text(fact_value(FACT_MISMATCH_ACCESS_KEY), VECTORS_ACCESS_KEY);
    }
}

static void test_auth_vectors__none_verifies_with_a_sub_resource_added(void **state UNUSED)
{
    static const char *const added[] = { "acl",          "tagging",   "policy",
                                         "versionId=v9", "retention", "legal-hold=",
                                         "uploads",      "delete",    "object-lock" };

    for (size_t i = 0; i < COUNT_OF(request_vectors); i++) {
        for (size_t a = 0; a < COUNT_OF(added); a++) {
            const struct request_vector *vector = &request_vectors[i];
            const char *joint = strchr(vector->target, '?') != NULL ? "&" : "?";

            use_vector(vector);
            retarget(arena_cstr(h.arena,
                                arena_printf(h.arena, "%s%s%s", vector->target, joint, added[a])));
            assert_int_equal(verify(), S3_SignatureDoesNotMatch);
        }
    }
}

static void test_auth_vectors__none_verifies_with_an_amz_header_added(void **state UNUSED)
{
    static const char *const added[] = {
        "x-amz-copy-source",
        "X-Amz-Acl-Other",
        "x-amz-grant-full-control",
        "x-amz-tagging-x",
        "x-amz-website-redirect-location",
        "x-amz-meta-added",
        "x-amz-bypass-governance-retention",
        "x-amz-server-side-encryption-customer-key",
    };

    for (size_t i = 0; i < COUNT_OF(request_vectors); i++) {
        for (size_t a = 0; a < COUNT_OF(added); a++) {
            const struct request_vector *vector = &request_vectors[i];
            bool v4 = vector->scheme == AUTH_V4_HEADER || vector->scheme == AUTH_V4_QUERY;

            use_vector(vector);
            if (str_present(header(added[a])))
                continue;
            header_add(added[a], "/b/secret");
            assert_int_equal(verify(), v4 ? S3_AccessDenied : S3_SignatureDoesNotMatch);
            if (v4)
                assert_true(
                    str_eq_nocase(fact_value(FACT_DENIED_HEADERS), str_from_cstr(added[a])));
        }
    }
}

static void test_auth_vectors__none_verifies_with_another_value_of_an_amz_header(
    void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(request_vectors); i++) {
        use_vector(&request_vectors[i]);
        for (size_t f = 0; f < h.request.field_count; f++) {
            struct str value = h.fields[f].value;
            char *changed;
            enum s3_error err;

            if (!auth_is_amz_name(h.fields[f].name) || value.len == 0)
                continue;
            changed = arena_cstr(h.arena, value);
            changed[value.len - 1] ^= 1;
            h.fields[f].value = str_make(changed, value.len);
            err = verify();
            assert_int_not_equal(err, S3_OK);
            h.fields[f].value = value;
        }
        assert_int_equal(verify(), S3_OK);
    }
}

static void test_auth_vectors__none_verifies_with_a_changed_target(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(request_vectors); i++) {
        const struct request_vector *vector = &request_vectors[i];
        size_t len = strcspn(vector->target, "?");

        /* Every letter of the path; escapes keep their shape. */
        for (size_t at = 1; at < len; at++) {
            char *target;

            use_vector(vector);
            target = arena_cstr(h.arena, str_from_cstr(vector->target));
            if (target[at] < 'g' || target[at] > 'z')
                continue;
            target[at] = target[at] == 'z' ? 'y' : 'z';
            retarget(target);
            assert_int_equal(verify(), S3_SignatureDoesNotMatch);
        }
    }
}

/* Change each character of `field`'s text from `from` on and expect a refusal. */
static void flip_all(struct str *text, size_t from)
{
    struct str whole = *text;

    for (size_t at = from; at < whole.len; at++) {
        char *changed = arena_cstr(h.arena, whole);

        changed[at] = (char)(changed[at] == '0' ? '1' : '0');
        *text = str_make(changed, whole.len);
        assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    }
    *text = whole;
    assert_int_equal(verify(), S3_OK);
}

static void test_auth_vectors__every_character_of_the_signature_counts(void **state UNUSED)
{
    bool seen[AUTH_V2_POST + 1] = { false };

    for (size_t i = 0; i < COUNT_OF(request_vectors); i++) {
        enum auth_scheme scheme = request_vectors[i].scheme;

        if (seen[scheme])
            continue;
        seen[scheme] = true;
        use_vector(&request_vectors[i]);
        for (size_t f = 0; f < h.request.field_count; f++) {
            struct str value = h.fields[f].value;

            if (str_eq_nocase(h.fields[f].name, STR("Authorization")))
                flip_all(&h.fields[f].value,
                         scheme == AUTH_V4_HEADER ? value.len - 64 : str_find_char(value, ':') + 1);
        }
        for (size_t p = 0; p < h.request.param_count; p++) {
            if (str_ends(h.request.params[p].name, STR("Signature")))
                flip_all(&h.request.params[p].value, 0);
        }
    }
    assert_true(seen[AUTH_V4_HEADER] && seen[AUTH_V4_QUERY] && seen[AUTH_V2_HEADER] &&
                seen[AUTH_V2_QUERY]);
}

static void test_auth_vectors__every_bit_of_a_v4_signature_counts(void **state UNUSED)
{
    use_vector(&request_vectors[0]);
    for (size_t f = 0; f < h.request.field_count; f++) {
        struct str whole = h.fields[f].value;

        if (!str_eq_nocase(h.fields[f].name, STR("Authorization")))
            continue;
        for (size_t bit = 0; bit < 256; bit++) {
            static const char digits[] = "0123456789abcdef";
            char *changed = arena_cstr(h.arena, whole);
            char *at = changed + whole.len - 64 + bit / 4;
            size_t digit = (size_t)(strchr(digits, *at) - digits);

            *at = digits[digit ^ (size_t)1 << bit % 4];
            h.fields[f].value = str_make(changed, whole.len);
            assert_int_equal(verify(), S3_SignatureDoesNotMatch);
        }
        for (size_t cut = 1; cut < 64; cut++) {
            h.fields[f].value = str_slice(whole, 0, whole.len - cut);
            assert_int_equal(verify(), S3_SignatureDoesNotMatch);
        }
        h.fields[f].value = whole;
    }
}

static void test_auth_vectors__another_secret_or_key_is_refused(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(request_vectors); i++) {
        use_vector(&request_vectors[i]);
        forget_users();
        assert_int_equal(verify(), S3_InvalidAccessKeyId);
        assert_text(fact_value(FACT_KEY_ID), VECTORS_ACCESS_KEY);

        add_user(VECTORS_ACCESS_KEY, "another secret", request_vectors[i].token, 0);
        assert_int_equal(verify(), S3_SignatureDoesNotMatch);
    }
}

static void test_auth_vectors__every_form_of_botocore_verifies(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(post_vectors); i++) {
        const struct post_vector *vector = &post_vectors[i];

        arena_reset(h.arena);
        use_user(vector->token);
        clock_at(VECTORS_NOW_S + 599);
        form(vector->fields);
        if (verify_form(vector->bucket) != S3_OK)
            fail_msg("form '%s': %.*s", vector->name, STR_ARG(h.refusal.message));
        assert_int_equal(h.auth.scheme, vector->scheme);
        if (strcmp(vector->name, "fields") == 0) {
            assert_int_equal(h.min_bytes, 1);
            assert_int_equal(h.max_bytes, 10485760);
        } else {
            assert_int_equal(h.min_bytes, 0);
            assert_int_equal(h.max_bytes, UINT64_MAX);
        }

        assert_int_equal(verify_form("other"), S3_AccessDenied);
        form_add("x-amz-meta-added", "1");
        assert_int_equal(verify_form(vector->bucket), S3_AccessDenied);
        assert_message("Invalid according to Policy: Extra input fields: x-amz-meta-added");

        clock_at(VECTORS_NOW_S + 601);
        form(vector->fields);
        assert_int_equal(verify_form(vector->bucket), S3_AccessDenied);
        assert_message("Invalid according to Policy: Policy expired.");
    }
}

static void test_auth_vectors__every_character_of_a_forms_signature_counts(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(post_vectors); i++) {
        arena_reset(h.arena);
        use_user(post_vectors[i].token);
        clock_at(VECTORS_NOW_S);
        form(post_vectors[i].fields);
        for (size_t f = 0; f < h.form_count; f++) {
            struct str whole = h.form[f].value;

            if (!str_ends(h.form[f].name, STR("ignature")) &&
                !str_eq(h.form[f].name, STR("policy")))
                continue;
            for (size_t at = 0; at < whole.len; at++) {
                char *changed = arena_cstr(h.arena, whole);

                changed[at] = changed[at] == '0' ? '1' : '0';
                h.form[f].value = str_make(changed, whole.len);
                assert_int_equal(verify_form("bucket"), S3_SignatureDoesNotMatch);
            }
            h.form[f].value = whole;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH_TEST(test_auth_vectors__every_request_of_botocore_verifies),
        AUTH_TEST(test_auth_vectors__none_verifies_for_another_method),
        AUTH_TEST(test_auth_vectors__none_verifies_with_a_sub_resource_added),
        AUTH_TEST(test_auth_vectors__none_verifies_with_an_amz_header_added),
        AUTH_TEST(test_auth_vectors__none_verifies_with_another_value_of_an_amz_header),
        AUTH_TEST(test_auth_vectors__none_verifies_with_a_changed_target),
        AUTH_TEST(test_auth_vectors__every_character_of_the_signature_counts),
        AUTH_TEST(test_auth_vectors__every_bit_of_a_v4_signature_counts),
        AUTH_TEST(test_auth_vectors__another_secret_or_key_is_refused),
        AUTH_TEST(test_auth_vectors__every_form_of_botocore_verifies),
        AUTH_TEST(test_auth_vectors__every_character_of_a_forms_signature_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
