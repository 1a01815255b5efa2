/* SPDX-License-Identifier: Apache-2.0 */
/* server/config, settings, config_file: precedence, kinds at their limits, errors that say where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/settings/config.h"
#include "server/settings/settings.h"

/* A valid value for each setting and source: its printed form differs by source. */
struct sample {
    enum setting_index index;
    const char *file, *environment, *flag;
};

static const struct sample samples[] = {
    { SETTING_dir, "/a/file", "/a/environment", "/a/flag" },
    { SETTING_listen, "127.0.0.1:1", "127.0.0.1:2,[::1]:2", "127.0.0.1:3" },
    { SETTING_tls_cert, "file.pem", "environment.pem", "flag.pem" },
    { SETTING_tls_key, "file.key", "environment.key", "flag.key" },
    { SETTING_region, "eu-file-1", "eu-environment-1", "eu-flag-1" },
    { SETTING_strict_region, "yes", "no", "yes" },
    { SETTING_sse_c_over_http, "yes", "no", "yes" },
    { SETTING_lifecycle_day_s, "10", "20", "30" },
    { SETTING_archive, "readable", "restore", "readable" },
    { SETTING_restore_delay_s, "11", "21", "31" },
    { SETTING_domains, "file.test", "environment.test", "flag.test" },
    { SETTING_website_domains, "file.web", "environment.web", "flag.web" },
    { SETTING_cors, "http://file.test", "http://environment.test", "*" },
    { SETTING_explain_denials, "yes", "no", "yes" },
    { SETTING_durability, "relaxed", "strict", "relaxed" },
    { SETTING_new_buckets, "aws", "acls", "aws" },
    { SETTING_account_id, "111122223333", "444455556666", "777788889999" },
    { SETTING_auth, "audit", "open", "strict" },
    { SETTING_force_open, "yes", "no", "yes" },
    { SETTING_dev, "yes", "no", "yes" },
    { SETTING_stores, "a=/file", "b=/environment,c=/variable", "d=/flag" },
    { SETTING_buckets, "file", "environment,variable", "flag" },
    { SETTING_port_file, "file.port", "environment.port", "flag.port" },
    { SETTING_ready_fd, "3", "4", "5" },
    { SETTING_threads, "1", "2", "3" },
    { SETTING_connections_max, "100", "200", "300" },
    { SETTING_inline_max_bytes, "100", "200", "300" },
    { SETTING_read_cache_bytes, "400", "500", "600" },
    { SETTING_buffered_bytes, "17000000", "18000000", "19000000" },
    { SETTING_log_level, "error", "warn", "debug" },
    { SETTING_scrub_bytes_per_s, "7000", "8000", "9000" },
    { SETTING_scrub_interval_s, "1000", "2000", "3000" },
    { SETTING_upload_expiry_s, "100", "200", "300" },
    { SETTING_access_log_interval_s, "10", "20", "30" },
    { SETTING_events_max, "100", "200", "300" },
    { SETTING_root_user, "file-user", "environment-user", NULL },
    { SETTING_root_from_aws, "yes", "no", "yes" },
    { SETTING_root_password, "file-password", "environment-password", NULL },
};

/* ---- helpers --------------------------------------------------------------------------------- */

#define WORDS_MAX 32
#define QUEUE "arn:aws:sqs:eu-1:000000000000:q"

struct fixture {
    char path[64];
    struct config config;
    struct fault fault;
};

static int setup(void **state)
{
    static struct fixture fixture;
    int fd;

    fixture = (struct fixture){ .path = "/tmp/pail-config-XXXXXX" };
    fd = mkstemp(fixture.path);
    if (fd < 0)
        return -1;
    (void)close(fd);
    for (enum setting_index i = 0; i < SETTINGS; i++)
        (void)unsetenv(settings[i].env.p);

    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    for (enum setting_index i = 0; i < SETTINGS; i++)
        (void)unsetenv(settings[i].env.p);
    (void)unlink(fixture->path);
    config_free(&fixture->config);
    return 0;
}

static void write_file(const struct fixture *fixture, const char *content)
{
    FILE *file = fopen(fixture->path, "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* As if pail serve were called with these words. */
#define LOAD(fixture, ...)                                                                         \
    ((fixture)->fault = (struct fault){ 0 }, config_free(&(fixture)->config),                      \
     config_load((char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL }, &(fixture)->config,           \
                 &(fixture)->fault))

#define WORD(text) ((char *)(uintptr_t)(text))

static void assert_fault(const struct fixture *fixture, const char *part)
{
    if (strstr(fixture->fault.text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, fixture->fault.text);
}

static void assert_value(const struct fixture *fixture, enum setting_index index,
                         const char *wanted, enum config_origin origin)
{
    CLEANUP(buf_free) struct buf value = BUF_WITH_MAX(4096);

    setting_print(&fixture->config, index, &value);
    buf_char(&value, '\0');
    assert_string_equal(value.p, wanted);
    assert_int_equal(fixture->config.origins[index], origin);
}

static bool load_with_file(struct fixture *fixture, const char *content)
{
    write_file(fixture, content);
    return LOAD(fixture, WORD("--config"), fixture->path);
}

/* ---- precedence -------------------------------------------------------------------------------- */

static void test_server_config__every_setting_has_its_default(void **state)
{
    struct fixture *fixture = *state;

    assert_true(LOAD(fixture));
    for (enum setting_index i = 0; i < SETTINGS; i++)
        assert_int_equal(fixture->config.origins[i], CONFIG_DEFAULT);
    assert_value(fixture, SETTING_listen, "127.0.0.1:9000", CONFIG_DEFAULT);
    assert_value(fixture, SETTING_inline_max_bytes, "65536", CONFIG_DEFAULT);
    assert_value(fixture, SETTING_upload_expiry_s, "never", CONFIG_DEFAULT);
    assert_value(fixture, SETTING_events_max, "1000000", CONFIG_DEFAULT);
    assert_int_equal(fixture->config.ready_fd, -1);
    assert_int_equal(fixture->config.durability, STORE_STRICT);
    assert_int_equal(fixture->config.auth, AUTH_STRICT);
    assert_int_equal(fixture->config.user_count, 0);
}

static void test_server_config__every_setting_but_the_file_has_a_sample(void **state)
{
    bool seen[SETTINGS] = { [SETTING_file] = true };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++)
        seen[samples[i].index] = true;
    for (enum setting_index i = 0; i < SETTINGS; i++)
        assert_true(seen[i]);
}

static void write_sample(const struct fixture *fixture, const struct sample *sample)
{
    char content[256];

    (void)snprintf(content, sizeof(content), "; a comment\n[server]\n%s = %s\n",
                   settings[sample->index].key.p, sample->file);
    write_file(fixture, content);
}

static bool load_sample_flag(struct fixture *fixture, const struct sample *sample)
{
    const struct setting *setting = &settings[sample->index];
    char word[256];

    if (setting->flag.len == 0)
        return LOAD(fixture, WORD("--config"), fixture->path, WORD(sample->flag));

    (void)snprintf(word, sizeof(word), "%s=%s", setting->flag.p, sample->flag);
    return LOAD(fixture, WORD("--config"), fixture->path, word);
}

static void test_server_config__flag_beats_environment_beats_file(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        const struct sample *sample = &samples[i];

        write_sample(fixture, sample);
        assert_true(LOAD(fixture, WORD("--config"), fixture->path));
        assert_value(fixture, sample->index, sample->file, CONFIG_FILE);
        assert_int_equal(fixture->config.lines[sample->index], 3);

        assert_int_equal(setenv(settings[sample->index].env.p, sample->environment, 1), 0);
        assert_true(LOAD(fixture, WORD("--config"), fixture->path));
        assert_value(fixture, sample->index, sample->environment, CONFIG_ENVIRONMENT);

        if (sample->flag != NULL) {
            assert_true(load_sample_flag(fixture, sample));
            assert_value(fixture, sample->index, sample->flag, CONFIG_FLAG);
        }
        assert_int_equal(unsetenv(settings[sample->index].env.p), 0);
    }
}

static void test_server_config__the_file_is_named_by_flag_before_environment(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture, "[server]\nregion = here\n");
    assert_int_equal(setenv("PAIL_CONFIG", "/nonexistent/pail.conf", 1), 0);
    assert_false(LOAD(fixture));
    assert_fault(fixture, "/nonexistent/pail.conf");
    assert_true(LOAD(fixture, WORD("--config"), fixture->path));
    assert_value(fixture, SETTING_region, "here", CONFIG_FILE);
    assert_value(fixture, SETTING_file, fixture->path, CONFIG_FLAG);
}

static void test_server_config__an_empty_variable_counts_as_not_set(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(setenv("PAIL_REGION", "", 1), 0);
    assert_true(LOAD(fixture));
    assert_value(fixture, SETTING_region, "us-east-1", CONFIG_DEFAULT);
}

/* ---- kinds ------------------------------------------------------------------------------------- */

static void test_server_config__a_list_grows_within_a_source_only(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(setenv("PAIL_BUCKETS", "one two,three", 1), 0);
    assert_true(LOAD(fixture));
    assert_value(fixture, SETTING_buckets, "one,two,three", CONFIG_ENVIRONMENT);

    assert_true(LOAD(fixture, WORD("--buckets"), WORD("four,five"), WORD("--buckets=six")));
    assert_value(fixture, SETTING_buckets, "four,five,six", CONFIG_FLAG);
}

static void test_server_config__a_list_holds_its_maximum_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    char text[CONFIG_BUCKETS_MAX * 2 + 4] = "";

    for (size_t i = 0; i < CONFIG_BUCKETS_MAX; i++)
        memcpy(text + 2 * i, "b ", 3);
    assert_true(LOAD(fixture, WORD("--buckets"), text));
    assert_int_equal(fixture->config.buckets.count, CONFIG_BUCKETS_MAX);

    memcpy(text + (size_t)2 * CONFIG_BUCKETS_MAX, "b", 2);
    assert_false(LOAD(fixture, WORD("--buckets"), text));
    assert_fault(fixture, "more than 256");
}

static void test_server_config__numbers_keep_their_bounds(void **state)
{
    static const struct {
        const char *flag;
        const char *good[4];
        const char *bad[6];
    } rows[] = {
        { "--threads", { "0", "64" }, { "65", "-1", "", "1x", "18446744073709551616", "+1" } },
        { "--events-max", { "1", "1000000" }, { "0", "1000001", "x", "", " 1", "1 " } },
        { "--connections", { "1", "1000000" }, { "0", "1000001", "x", "", " 1", "1 " } },
        { "--inline-max",
          { "1", "1M", "1024KiB", "1048576" },
          { "0", "1048577", "1025K", "1G", "", "K" } },
        { "--read-cache",
          { "1", "1024M", "1073741824" },
          { "0", "1025M", "1073741825", "-1", "", "K" } },
        { "--buffered-bodies",
          { "16M", "1024M", "16777216" },
          { "16777215", "1025M", "0", "-1", "", "K" } },
        { "--upload-expiry",
          { "0", "never", "3650d", "1h" },
          { "3651d", "1w", "-1", "", "18446744073709551615d", "d" } },
        { "--ready-fd", { "3", "65535" }, { "2", "65536", "x", "-1", "0", "3 " } },
    };
    struct fixture *fixture = *state;

    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        for (size_t i = 0; i < COUNT_OF(rows[row].good) && rows[row].good[i] != NULL; i++)
            assert_true(LOAD(fixture, WORD(rows[row].flag), WORD(rows[row].good[i])));
        for (size_t i = 0; i < COUNT_OF(rows[row].bad); i++) {
            if (strcmp(rows[row].flag, "--ready-fd") == 0 && rows[row].bad[i][0] == '\0')
                continue;
            assert_false(LOAD(fixture, WORD(rows[row].flag), WORD(rows[row].bad[i])));
            assert_fault(fixture, rows[row].flag);
        }
    }
}

static void test_server_config__suffixes_multiply(void **state)
{
    struct fixture *fixture = *state;

    assert_true(LOAD(fixture, WORD("--inline-max=16k"), WORD("--upload-expiry=7d")));
    assert_int_equal(fixture->config.inline_max_bytes, 16 * 1024);
    assert_int_equal(fixture->config.upload_expiry_s, 7 * 86400);
}

static void test_server_config__a_switch_needs_no_value_and_can_be_undone(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(setenv("PAIL_DEV", "true", 1), 0);
    assert_true(LOAD(fixture));
    assert_true(fixture->config.dev);
    assert_true(LOAD(fixture, WORD("--dev=no")));
    assert_false(fixture->config.dev);
    assert_true(LOAD(fixture, WORD("--dev"), WORD("data")));
    assert_true(fixture->config.dev);
    assert_value(fixture, SETTING_dir, "data", CONFIG_FLAG);
    assert_false(LOAD(fixture, WORD("--dev=maybe")));
    assert_fault(fixture, "--dev");
}

static void test_server_config__a_choice_takes_its_words_only(void **state)
{
    struct fixture *fixture = *state;

    assert_true(LOAD(fixture, WORD("--auth"), WORD("open")));
    assert_int_equal(fixture->config.auth, AUTH_OPEN);
    assert_true(LOAD(fixture, WORD("--durability"), WORD("relaxed")));
    assert_int_equal(fixture->config.durability, STORE_RELAXED);
    assert_false(LOAD(fixture, WORD("--auth"), WORD("Open")));
    assert_fault(fixture, "strict|audit|open");
}

static void test_server_config__a_text_keeps_its_bounds(void **state)
{
    struct fixture *fixture = *state;
    char text[66];

    memset(text, 'r', sizeof(text));
    text[64] = '\0';
    assert_true(LOAD(fixture, WORD("--region"), text));
    text[64] = 'r';
    text[65] = '\0';
    assert_false(LOAD(fixture, WORD("--region"), text));
    assert_false(LOAD(fixture, WORD("--region="), WORD("data")));
    assert_fault(fixture, "--region");
}

/* ---- command line ------------------------------------------------------------------------------ */

static void test_server_config__unknown_and_shortened_options_are_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_false(LOAD(fixture, WORD("--lisen"), WORD("x")));
    assert_fault(fixture, "unknown option '--lisen'");
    assert_false(LOAD(fixture, WORD("--list"), WORD("x")));
    assert_false(LOAD(fixture, WORD("-l"), WORD("x")));
    assert_false(LOAD(fixture, WORD("--root-password=x")));
    assert_false(LOAD(fixture, WORD("--listen")));
    assert_fault(fixture, "--listen needs a value");
}

static void test_server_config__there_is_one_directory(void **state)
{
    struct fixture *fixture = *state;

    assert_true(LOAD(fixture, WORD("--"), WORD("--odd-name")));
    assert_value(fixture, SETTING_dir, "--odd-name", CONFIG_FLAG);
    assert_false(LOAD(fixture, WORD("a"), WORD("b")));
    assert_fault(fixture, "more than one directory");
    assert_false(LOAD(fixture, WORD("")));
}

/* ---- file -------------------------------------------------------------------------------------- */

static void test_server_config_file__errors_name_their_line(void **state)
{
    static const struct {
        const char *content;
        const char *fault;
    } rows[] = {
        { "[server]\nregion = a\n\nlisten_on = b\n", "line 4: there is no setting 'listen_on'" },
        { "[server]\n; c\nthreads = 65\n", "line 3: '65'" },
        { "[server]\nregion = a\nregion = b\n", "line 3: the setting is given twice" },
        { "[server]\nregion = a\n continued\n", "line 3: the setting is given twice" },
        { "region = a\n", "line 1: the section is none of" },
        { "[sever]\nregion = a\n", "line 2: the section is none of" },
        { "[server]\nconfig = x\n", "line 2: there is no setting 'config'" },
        { "[server]\nno value here\n", "line 2: this is neither" },
        { "[server\n", "line 1: this is neither" },
        { "[user bob]\naccess_key = a\n", "line 2: the user needs" },
        { "[target t]\narn = " QUEUE "\n", "line 2: the target needs" },
        { "[target t]\narn = x\nurl = http://h/\n", "line 2: the target's arn" },
        { "[target t]\narn = " QUEUE "\nurl = ftp://h/\n", "line 2: the target's url" },
        { "[target t]\narn = " QUEUE "\narn = " QUEUE "\n", "line 3: the field is given twice" },
        { "[target t]\narn =\n", "line 2: the value is empty" },
        { "[target t]\ncolour = b\n", "line 2: a target has no such field" },
        { "[target t]\nprotocol = smtp\n", "line 2: the protocol is none" },
        { "[target t]\nprotocol = sqs\nprotocol = sqs\n", "line 3: the field is given twice" },
        { "[target t]\narn = " QUEUE "\nurl = http://h/\naccess_key = a\n", "belong together" },
        { "[target t]\narn = " QUEUE "\nurl = http://h/\nsecret = a\n", "only a webhook" },
        { "[target t]\narn = " QUEUE "\nurl = http://h/\nprotocol = webhook\naccess_key = a\n"
          "secret_key = b\n",
          "a webhook has a secret" },
        { "[target t]\narn = arn:x:y:r:1:z\nurl = http://h/\n", "needs a protocol" },
        { "[target t]\narn = " QUEUE "\nurl = http://h/\n[target u]\narn = " QUEUE
          "\nurl = http://h/\n",
          "line 5: another target has that arn" },
        { "[user bob]\naccess_key = a\ncolour = b\n", "line 3: a user has no such field" },
        { "[user bob]\naccess_key = a\naccess_key = b\n", "line 3: the field is given twice" },
        { "[user bob]\naccess_key =\n", "line 2: the value is empty" },
        { "[user bob]\naccess_key = a\nsecret_key = b\ncanonical_id = 12\n", "line 2: the user's" },
        { "[user ]\naccess_key = a\n", "line 2: the section is none of" },
        { "[user bob]\ndisabled = maybe\n", "line 2: the value is neither yes nor no" },
        { "[user bob]\ndisabled = no\ndisabled = no\n", "line 3: the field is given twice" },
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_false(load_with_file(fixture, rows[i].content));
        assert_fault(fixture, rows[i].fault);
        assert_fault(fixture, fixture->path);
    }
}

static void test_server_config_file__a_line_that_would_be_cut_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char content[512] = "[server]\nbuckets = ";

    memset(content + strlen(content), 'b', 300);
    assert_false(load_with_file(fixture, content));
    assert_fault(fixture, "line 2: the line is too long");
}

static void test_server_config_file__a_section_name_that_would_be_cut_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char content[128];

    (void)snprintf(content, sizeof(content), "[user %043d]\naccess_key = a\nsecret_key = b\n", 7);
    assert_true(load_with_file(fixture, content));
    (void)snprintf(content, sizeof(content), "[user %044d]\naccess_key = a\nsecret_key = b\n", 7);
    assert_false(load_with_file(fixture, content));
    assert_fault(fixture, "line 2: the section's name is too long");
}

static void test_server_config_file__a_list_goes_on_in_the_next_lines(void **state)
{
    struct fixture *fixture = *state;

    assert_true(load_with_file(fixture, "[server]\nbuckets = one,\n  two three\n  four\n"));
    assert_value(fixture, SETTING_buckets, "one,two,three,four", CONFIG_FILE);
}

static void test_server_config_file__crlf_bom_and_missing_last_line_feed_are_fine(void **state)
{
    struct fixture *fixture = *state;

    assert_true(load_with_file(fixture, "\xef\xbb\xbf[server]\r\nregion = here\r\nthreads = 2"));
    assert_value(fixture, SETTING_region, "here", CONFIG_FILE);
    assert_value(fixture, SETTING_threads, "2", CONFIG_FILE);
}

static void test_server_config_file__users_get_what_they_leave_out(void **state)
{
    struct fixture *fixture = *state;
    const struct user *user;

    assert_true(load_with_file(fixture, "[user alice]\n"
                                        "access_key = alice-access\n"
                                        "secret_key = alice=secret;x\n"
                                        "session_token = first\n"
                                        " second\n"
                                        "[user bob]\n"
                                        "access_key = bob-access\n"
                                        "secret_key = bob-secret\n"
                                        "display_name = Bob B.\n"
                                        "email = bob@example.com\n"
                                        "disabled = Yes\n"));
    assert_int_equal(fixture->config.user_count, 2);

    user = &fixture->config.users[0].user;
    assert_true(str_eq(user->secret_key, STR("alice=secret;x")));
    assert_true(str_eq(user->session_token, STR("firstsecond")));
    assert_true(str_eq(user->display_name, STR("alice")));
    assert_false(user->disabled);
    /* printf alice | sha256sum */
    assert_true(str_eq(user->canonical_id,
                       STR("2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90")));

    user = &fixture->config.users[1].user;
    assert_false(str_present(user->session_token));
    assert_true(str_eq(user->display_name, STR("Bob B.")));
    assert_true(str_eq(user->email, STR("bob@example.com")));
    assert_true(user->disabled);
}

static void test_server_config_file__targets_get_what_they_leave_out(void **state)
{
    struct fixture *fixture = *state;
    const struct notify_target *targets;

    assert_true(load_with_file(fixture, "[target q]\narn = " QUEUE "\nurl = http://h/q\n"
                                        "[target w]\narn = arn:minio:sqs::1:w\nurl = https://h/\n"
                                        "protocol = webhook\nsecret = s = t\n"));
    assert_int_equal(fixture->config.targets.count, 2);
    targets = fixture->config.targets.items;
    assert_true(str_eq(targets[0].name, STR("q")));
    assert_int_equal(targets[0].protocol, NOTIFY_SQS);
    assert_true(str_eq(targets[0].region, STR("eu-1")));
    assert_false(str_present(targets[0].access_key));
    assert_int_equal(targets[1].protocol, NOTIFY_WEBHOOK);
    assert_true(str_eq(targets[1].region, STR("us-east-1")));
    assert_true(str_eq(targets[1].secret, STR("s = t")));
}

static void test_server_config_file__targets_stop_at_their_maximum(void **state)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(CONFIG_FILE_BYTES_MAX);
    struct fixture *fixture = *state;

    for (int i = 0; i < NOTIFY_TARGETS_MAX; i++)
        buf_printf(&content, "[target t%d]\narn = " QUEUE "%d\nurl = http://h/\n", i, i);
    buf_char(&content, '\0');
    assert_true(load_with_file(fixture, content.p));
    assert_int_equal(fixture->config.targets.count, NOTIFY_TARGETS_MAX);
    content.len--;
    buf_lit(&content, "[target last]\narn = " QUEUE "\nurl = http://h/\n");
    buf_char(&content, '\0');
    assert_false(load_with_file(fixture, content.p));
    assert_fault(fixture, "too many targets");
}

static void test_server_config_file__users_stop_at_their_maximum(void **state)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(65536);
    struct fixture *fixture = *state;

    for (int i = 0; i < CONFIG_USERS_MAX; i++)
        buf_printf(&content, "[user u%d]\naccess_key = a%d\nsecret_key = s\n", i, i);
    buf_char(&content, '\0');
    assert_true(load_with_file(fixture, content.p));
    assert_int_equal(fixture->config.user_count, CONFIG_USERS_MAX);

    content.len--;
    buf_lit(&content, "[user last]\naccess_key = last\nsecret_key = s\n");
    buf_char(&content, '\0');
    assert_false(load_with_file(fixture, content.p));
    assert_fault(fixture, "too many users");
}

/* ---- rules between settings ------------------------------------------------------------------ */

static void test_server_config__modes_that_let_anyone_in_stay_on_loopback(void **state)
{
    static const char *const modes[] = { "--dev", "--auth=open", "--auth=audit" };
    static const struct {
        const char *listen;
        bool local;
    } rows[] = {
        { "127.0.0.1:0", true },
        { "127.9.9.9:0", true },
        { "localhost:0", true },
        { "[::1]:0", true },
        { "[::ffff:127.0.0.1]:0", true },
        { "unix:/tmp/socket", true },
        { "http://127.0.0.1:0", true },
        { "0.0.0.0:0", false },
        { "[::]:0", false },
        { "*:0", false },
        { ":0", false },
        { "192.168.1.1:0", false },
        { "128.0.0.1:0", false },
        { "localhost.example.com:0", false },
        { "[::ffff:10.0.0.1]:0", false },
        { "http://0.0.0.0:0", false },
        { "127.0.0.1:0,0.0.0.0:0", false },
    };
    struct fixture *fixture = *state;

    for (size_t mode = 0; mode < COUNT_OF(modes); mode++) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            assert_true(LOAD(fixture, WORD(modes[mode]), WORD("--listen"), WORD(rows[i].listen)));
            assert_int_equal(config_check(&fixture->config, &fixture->fault), rows[i].local);
            if (!rows[i].local)
                assert_fault(fixture, "loopback addresses");
        }
    }
}

static void test_server_config__force_open_allows_open_but_not_dev(void **state)
{
    struct fixture *fixture = *state;

    assert_true(
        LOAD(fixture, WORD("--auth=open"), WORD("--force-open"), WORD("--listen=0.0.0.0:0")));
    assert_true(config_check(&fixture->config, &fixture->fault));
    assert_true(LOAD(fixture, WORD("--dev"), WORD("--force-open"), WORD("--listen=0.0.0.0:0")));
    assert_false(config_check(&fixture->config, &fixture->fault));
}

static void test_server_config__settings_that_belong_together(void **state)
{
    static const struct {
        const char *words[3];
        const char *fault; /* NULL: fine */
    } rows[] = {
        { { "--tls-cert=c" }, "belong together" },
        { { "--tls-key=k" }, "belong together" },
        { { "--tls-cert=c", "--tls-key=k" }, NULL },
        { { "--listen=https://127.0.0.1:0" }, "https needs --tls-cert" },
        { { "--listen=https://127.0.0.1:0", "--tls-cert=c", "--tls-key=k" }, NULL },
        { { "--listen=unix:/tmp/s", "--port-file=p" }, "--port-file needs" },
        { { "--listen=unix:/tmp/s", "--listen=127.0.0.1:0", "--port-file=p" }, NULL },
        { { "--listen=nonsense" }, "is not ADDR:PORT" },
        { { "--listen=::1:9000" }, "[ADDR6]:PORT" },
        { { "--listen=127.0.0.1:65536" }, "is not ADDR:PORT" },
        { { "--listen=unix:" }, "names no path" },
        { { "--ready-fd=60000" }, "--ready-fd 60000" },
        { { "--buckets=Bad_Name" }, "'Bad_Name' is not a bucket name" },
        { { "--store=/no/name" }, "'/no/name' is not NAME=DIR" },
        { { "--store==/dir" }, "'=/dir' is not NAME=DIR" },
        { { "--store=name=" }, "'name=' is not NAME=DIR" },
        { { "--store=Upper=/dir" }, "'Upper=/dir' is not NAME=DIR" },
        { { "--store=a=/b", "--store=a=/c" }, "there are two named 'a'" },
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(
            LOAD(fixture, WORD(rows[i].words[0]), WORD(rows[i].words[1]), WORD(rows[i].words[2])));
        assert_int_equal(config_check(&fixture->config, &fixture->fault), rows[i].fault == NULL);
        if (rows[i].fault != NULL)
            assert_fault(fixture, rows[i].fault);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_server_config__every_setting_has_its_default),
        TEST(test_server_config__every_setting_but_the_file_has_a_sample),
        TEST(test_server_config__flag_beats_environment_beats_file),
        TEST(test_server_config__the_file_is_named_by_flag_before_environment),
        TEST(test_server_config__an_empty_variable_counts_as_not_set),
        TEST(test_server_config__a_list_grows_within_a_source_only),
        TEST(test_server_config__a_list_holds_its_maximum_and_no_more),
        TEST(test_server_config__numbers_keep_their_bounds),
        TEST(test_server_config__suffixes_multiply),
        TEST(test_server_config__a_switch_needs_no_value_and_can_be_undone),
        TEST(test_server_config__a_choice_takes_its_words_only),
        TEST(test_server_config__a_text_keeps_its_bounds),
        TEST(test_server_config__unknown_and_shortened_options_are_refused),
        TEST(test_server_config__there_is_one_directory),
        TEST(test_server_config_file__errors_name_their_line),
        TEST(test_server_config_file__a_line_that_would_be_cut_is_refused),
        TEST(test_server_config_file__a_section_name_that_would_be_cut_is_refused),
        TEST(test_server_config_file__a_list_goes_on_in_the_next_lines),
        TEST(test_server_config_file__crlf_bom_and_missing_last_line_feed_are_fine),
        TEST(test_server_config_file__users_get_what_they_leave_out),
        TEST(test_server_config_file__targets_get_what_they_leave_out),
        TEST(test_server_config_file__targets_stop_at_their_maximum),
        TEST(test_server_config_file__users_stop_at_their_maximum),
        TEST(test_server_config__modes_that_let_anyone_in_stay_on_loopback),
        TEST(test_server_config__force_open_allows_open_but_not_dev),
        TEST(test_server_config__settings_that_belong_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
