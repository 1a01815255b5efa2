/* SPDX-License-Identifier: Apache-2.0 */
/* server/root_pair: where the key pair comes from, and the file that keeps a generated one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "server/root_pair.h"

static const char *const variables[] = {
    "MINIO_ROOT_USER",   "MINIO_ROOT_PASSWORD",   "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN", "AWS_SECRET_ACCESS_KEY",
};

struct fixture {
    char dir[64];
    int dir_fd;
    struct arena *arena;
    struct config config; /* only what root_pair_find reads */
    struct root_pair found;
    struct fault fault;
};

static void clear_variables(void)
{
    for (size_t i = 0; i < COUNT_OF(variables); i++)
        (void)unsetenv(variables[i]);
}

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .dir = "/tmp/pail-root-pair-XXXXXX" };
    if (mkdtemp(fixture.dir) == NULL)
        return -1;
    fixture.dir_fd = open(fixture.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fixture.arena = arena_open(4096, 65536);
    clear_variables();

    *state = &fixture;
    return fixture.dir_fd < 0 || fixture.arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    clear_variables();
    (void)unlinkat(fixture->dir_fd, ROOT_PAIR_FILE, 0);
    (void)close(fixture->dir_fd);
    (void)rmdir(fixture->dir);
    arena_close(fixture->arena);
    return 0;
}

static bool find(struct fixture *fixture)
{
    fixture->fault = (struct fault){ 0 };
    return root_pair_find(&fixture->config, fixture->dir_fd, ROOT_PAIR_MAKE, fixture->arena,
                          &fixture->found, &fixture->fault);
}

static void write_file(const struct fixture *fixture, const char *content)
{
    assert_int_equal(file_replace(fixture->dir_fd, ROOT_PAIR_FILE, 0600, str_from_cstr(content)),
                     0);
}

static void test_server_root_pair__a_new_pair_is_made_and_found_again(void **state)
{
    struct fixture *fixture = *state;
    struct root_pair made;
    struct stat there;

    assert_true(find(fixture));
    made = fixture->found;
    assert_int_equal(made.origin, ROOT_PAIR_GENERATED);
    assert_int_equal(made.access_key.len, ROOT_PAIR_ACCESS_KEY_LEN);
    assert_int_equal(made.secret_key.len, ROOT_PAIR_SECRET_KEY_LEN);
    for (size_t i = 0; i < made.access_key.len; i++) {
        char c = made.access_key.p[i];

        assert_true((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
    }
    assert_int_equal(fstatat(fixture->dir_fd, ROOT_PAIR_FILE, &there, 0), 0);
    assert_int_equal(there.st_mode & 07777, 0600);

    assert_true(find(fixture));
    assert_int_equal(fixture->found.origin, ROOT_PAIR_STORED);
    assert_true(str_eq(fixture->found.access_key, made.access_key));
    assert_true(str_eq(fixture->found.secret_key, made.secret_key));
}

static void test_server_root_pair__settings_before_minio_before_aws_before_file(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture, "[default]\naws_access_key_id = file\naws_secret_access_key=file-secret\n");
    assert_true(find(fixture));
    assert_true(str_eq(fixture->found.secret_key, STR("file-secret")));

    (void)setenv("AWS_ACCESS_KEY_ID", "aws", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "aws-secret", 1);
    assert_true(find(fixture));
    assert_true(str_eq(fixture->found.access_key, STR("file")));
    fixture->config.root_from_aws = true;
    assert_true(find(fixture));
    assert_true(str_eq(fixture->found.access_key, STR("aws")));
    assert_string_equal(fixture->found.user_variable, "AWS_ACCESS_KEY_ID");
    assert_false(str_present(fixture->found.session_token));
    (void)setenv("AWS_SESSION_TOKEN", "token", 1);
    assert_true(find(fixture));
    assert_true(str_eq(fixture->found.session_token, STR("token")));

    (void)setenv("MINIO_ROOT_USER", "minio", 1);
    (void)setenv("MINIO_ROOT_PASSWORD", "minio-secret", 1);
    assert_true(find(fixture));
    assert_true(str_eq(fixture->found.access_key, STR("minio")));
    assert_string_equal(fixture->found.secret_variable, "MINIO_ROOT_PASSWORD");
    assert_false(str_present(fixture->found.session_token));

    fixture->config.root_user = STR("pail");
    fixture->config.root_password = STR("pail-secret");
    assert_true(find(fixture));
    assert_true(str_eq(fixture->found.access_key, STR("pail")));

    fixture->config.dev = true;
    assert_true(find(fixture));
    assert_int_equal(fixture->found.origin, ROOT_PAIR_DEV);
    assert_true(str_eq(fixture->found.access_key, STR(CONFIG_DEV_USER)));
}

static void test_server_root_pair__nothing_is_kept_when_the_pair_was_given(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.dev = true;
    assert_true(find(fixture));
    assert_int_equal(faccessat(fixture->dir_fd, ROOT_PAIR_FILE, F_OK, 0), -1);
    assert_false(root_pair_load(fixture->dir_fd, fixture->arena, &fixture->found, NULL));
}

static void test_server_root_pair__half_a_pair_is_refused(void **state)
{
    struct fixture *fixture = *state;

    (void)setenv("MINIO_ROOT_USER", "minio", 1);
    (void)setenv("AWS_ACCESS_KEY_ID", "aws", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "aws-secret", 1);
    assert_false(find(fixture));
    assert_non_null(strstr(fixture->fault.text, "MINIO_ROOT_PASSWORD"));

    (void)unsetenv("MINIO_ROOT_USER");
    (void)unsetenv("AWS_ACCESS_KEY_ID");
    fixture->config.root_from_aws = true;
    assert_false(find(fixture));
    assert_non_null(strstr(fixture->fault.text, "AWS_ACCESS_KEY_ID"));
    (void)unsetenv("AWS_SECRET_ACCESS_KEY");
    assert_false(find(fixture));
    assert_non_null(strstr(fixture->fault.text, "--root-from-aws"));
}

static void test_server_root_pair__a_damaged_file_is_refused_and_kept(void **state)
{
    static const char *const contents[] = {
        "",
        "[default]\naws_access_key_id = only\n",
        "aws_access_key_id = a/b\naws_secret_access_key = s\n",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        write_file(fixture, contents[i]);
        assert_false(find(fixture));
        assert_non_null(strstr(fixture->fault.text, ROOT_PAIR_FILE));
        assert_int_equal(faccessat(fixture->dir_fd, ROOT_PAIR_FILE, F_OK, 0), 0);
    }
}

static void test_server_root_pair__keys_that_a_signature_can_not_carry_are_refused(void **state)
{
    static const char *const bad[] = { "a b", "a/b", "a:b", "a,b", "a=b", "a\x7f", "\xc3\xa9" };
    struct fixture *fixture = *state;

    fixture->config.root_password = STR("secret");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        fixture->config.root_user = str_from_cstr(bad[i]);
        assert_false(find(fixture));
    }
    fixture->config.root_user = STR("a.b-c_d@e+f");
    assert_true(find(fixture));
}

static void test_server_root_pair__a_secret_that_no_line_can_hold_is_refused(void **state)
{
    static const char *const bad[] = { "secret\n", "\tsecret", "a\x7f", "a\rb" };
    struct fixture *fixture = *state;

    fixture->config.root_user = STR("user");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        fixture->config.root_password = str_from_cstr(bad[i]);
        assert_false(find(fixture));
        assert_non_null(strstr(fixture->fault.text, "control character"));
    }
    fixture->config.root_password = STR("a b/+'\"$\xc3\xa9");
    assert_true(find(fixture));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_server_root_pair__a_new_pair_is_made_and_found_again),
        TEST(test_server_root_pair__settings_before_minio_before_aws_before_file),
        TEST(test_server_root_pair__nothing_is_kept_when_the_pair_was_given),
        TEST(test_server_root_pair__half_a_pair_is_refused),
        TEST(test_server_root_pair__a_damaged_file_is_refused_and_kept),
        TEST(test_server_root_pair__keys_that_a_signature_can_not_carry_are_refused),
        TEST(test_server_root_pair__a_secret_that_no_line_can_hold_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
