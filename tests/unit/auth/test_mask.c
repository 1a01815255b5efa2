/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a client's text is logged: names and places of secrets, generated over their spellings.
 */
#include "harness.h"

#include "server/auth/mask.h"

#define SECRET "TOPsecretVALUE%2F1"

static const char *const names[] = {
    "x-amz-security-token",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-signature",
    "signature",
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-amz-trailer-signature",
};

/* Where a text stands: '%' once, for the name and the value joined by the separator. */
static const struct {
    const char *before, *separator, *after;
} places[] = {
    { "", ":", "" },
    { "", ": ", "&still=secret?all" },
    { "", "=", "" },
    { "a=b&", "=", "&c=d" },
    { "/b/k?", "=", "&c=d" },
    { "/b/k?acl&", "=", "" },
    { "referer:https://h/b/k?a=b&", "=", "&c=d" },
    { "/b/k%3F", "%3D", "" },
    { "x-amz-copy-source:b%2Fk%3F", "%3D", "" },
    { "x-amz-copy-source:b%252Fk%253F", "%253D", "" },
    { "x-amz-meta-policy:{\"", "\":\"", "\"}" },
};

static struct str masked(const char *text)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(1u << 20);

    mask_line(&out, str_from_cstr(text));
    assert_false(out.failed);
    return arena_dup(h.arena, buf_view(&out));
}

/* how: 0 as it is, 1 upper case, 2 alternating, 3 every letter encoded, 4 encoded twice. */
static const char *spelt(const char *name, int how)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);

    for (size_t i = 0; name[i] != '\0'; i++) {
        char upper = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];

        if (how == 3)
            buf_printf(&out, "%%%02x", (unsigned)name[i]);
        else if (how == 4)
            buf_printf(&out, "%%25%02X", (unsigned)name[i]);
        else
            buf_char(&out, how == 1 || (how == 2 && i % 2 == 0) ? upper : name[i]);
    }
    return arena_cstr(h.arena, buf_view(&out));
}

static void test_auth_mask__no_secret_is_shown_under_any_spelling_of_its_name(void **state UNUSED)
{
    for (size_t n = 0; n < COUNT_OF(names); n++) {
        for (size_t p = 0; p < COUNT_OF(places); p++) {
            for (int how = 0; how < 5; how++) {
                struct str line = arena_printf(h.arena, "%s%s%s%s%s", places[p].before,
                                               spelt(names[n], how), places[p].separator, SECRET,
                                               places[p].after);
                struct str shown = masked(arena_cstr(h.arena, line));

                if (str_find(shown, STR("VALUE")) != SIZE_MAX)
                    fail_msg("'%.*s' is shown as '%.*s'", STR_ARG(line), STR_ARG(shown));
            }
        }
    }
    assert_int_equal(str_find(masked("cookie: a=b&c=VALUE?d"), STR("VALUE")), SIZE_MAX);
}

static void test_auth_mask__all_else_is_shown(void **state UNUSED)
{
    static const char *const lines[] = {
        "",
        "GET",
        "/b/tokens.json",
        "/my-token-bucket/secret/signature",
        "a=1&b=2&X-Amz-Credential=AK%2F20261121%2Fus-east-1%2Fs3%2Faws4_request",
        "host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
        "X-Amz-SignedHeaders=host%3Bx-amz-security-token",
        "x-amz-meta-a:100% token",
        "prefix=%zz%",
        "x-amz-date:20261121T052523Z",
        "delimiter=%2F&key-marker=k",
    };

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_text(masked(lines[i]), lines[i]);
    assert_text(masked("a=b&X-Amz-Security-Token=x&c=d"), "a=b&X-Amz-Security-Token=...&c=d");
    assert_text(masked("X-Amz-Security-Token: x&c=d"), "X-Amz-Security-Token:...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTH_TEST(test_auth_mask__no_secret_is_shown_under_any_spelling_of_its_name),
        AUTH_TEST(test_auth_mask__all_else_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
