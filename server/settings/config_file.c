/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings file: INI through inih, section [server] and sections [user NAME] and [target NAME].
 *
 * (1) Nothing is skipped: an unknown section or key, a repeated key and a line that is no
 *     "name = value" are errors that name their line.
 * (2) inih tells neither line numbers nor lines it cut, so it is fed through our own reader, which
 *     counts lines and refuses one that does not fit.
 * (3) A line that begins with a blank continues the value above (lists and session_token only).
 */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "server/settings/config.h"
#include "server/settings/nearest.h"
#include "server/settings/settings.h"

#define SECTION_BYTES_MAX 48 /* inih cuts a section's name at 49 bytes without a word */

/* One reading of one file. */
struct reading {
    struct config *config;
    struct str path;
    struct str rest; /* of the file */
    unsigned line;   /* the one inih sees */
    bool continues;  /* that line began with a blank */
    struct fault *fault;
    bool failed;
};

static int refuse(struct reading *reading, const char *why)
{
    reading->failed = true;
    return fault_set(reading->fault, 0, "%.*s, line %u: %s", STR_ARG(reading->path), reading->line,
                     why);
}

/* ---- [user NAME] --------------------------------------------------------------------------- */

struct user_field {
    struct str key;
    size_t offset; /* in struct user */
    size_t max;    /* bytes */
};

#define USER_TEXT_MAX 256
#define TARGET_URL_MAX 2048

static const struct user_field user_fields[] = {
    { STR("access_key"), offsetof(struct user, access_key), AUTH_ACCESS_KEY_BYTES_MAX },
    { STR("secret_key"), offsetof(struct user, secret_key), AUTH_SECRET_BYTES_MAX },
    { STR("session_token"), offsetof(struct user, session_token), AUTH_TOKEN_BYTES_MAX },
    { STR("account"), offsetof(struct user, account), AUTH_ACCOUNT_DIGITS },
    { STR("canonical_id"), offsetof(struct user, canonical_id), 64 },
    { STR("display_name"), offsetof(struct user, display_name), USER_TEXT_MAX },
    { STR("email"), offsetof(struct user, email), USER_TEXT_MAX },
};

/* The user of that name, made on first sight; NULL when refused. */
static struct config_user *user_named(struct reading *reading, struct str name)
{
    struct config *config = reading->config;
    struct config_user *user;

    for (size_t i = 0; i < config->user_count; i++) {
        if (str_eq(config->users[i].name, name))
            return &config->users[i];
    }

    if (config->user_count == CONFIG_USERS_MAX) {
        (void)refuse(reading, "there are too many users");
        return NULL;
    }
    if (config->users == NULL)
        config->users = arena_array(config->arena, CONFIG_USERS_MAX, sizeof(*config->users));
    name = arena_dup(config->arena, name);
    if (config->users == NULL || !str_present(name)) {
        (void)refuse(reading, "there is no memory for the user");
        return NULL;
    }

    user = &config->users[config->user_count++];
    *user = (struct config_user){ .name = name, .line = reading->line };
    return user;
}

static int on_disabled(struct reading *reading, struct config_user *user, struct str value)
{
    if (user->has_disabled)
        return refuse(reading, "the field is given twice");
    user->has_disabled = true;
    return setting_switch(value, &user->user.disabled)
               ? 1
               : refuse(reading, "the value is neither yes nor no");
}

static int on_user(struct reading *reading, struct str name, struct str key, struct str value)
{
    struct config_user *user = user_named(reading, name);
    const struct user_field *field = NULL;
    struct str *text;

    if (user == NULL)
        return 0;
    if (str_eq(key, STR("disabled")))
        return on_disabled(reading, user, value);
    for (size_t i = 0; i < COUNT_OF(user_fields); i++) {
        if (str_eq(user_fields[i].key, key))
            field = &user_fields[i];
    }
    if (field == NULL)
        return refuse(reading, "a user has no such field (access_key, secret_key, account, "
                               "canonical_id, display_name, email, session_token, disabled)");

    text = (struct str *)(void *)((char *)&user->user + field->offset);
    if (str_present(*text) && !(reading->continues && str_eq(key, STR("session_token"))))
        return refuse(reading, "the field is given twice");
    if (value.len == 0 || value.len + text->len > field->max)
        return refuse(reading, "the value is empty or too long");

    *text = arena_printf(reading->config->arena, "%.*s%.*s", STR_ARG(*text), STR_ARG(value));
    return str_present(*text) ? 1 : refuse(reading, "there is no memory for the value");
}

/* ---- [target NAME] ------------------------------------------------------------------------- */

static const struct user_field target_fields[] = {
    { STR("arn"), offsetof(struct notify_target, arn), NOTIFY_ARN_BYTES_MAX },
    { STR("url"), offsetof(struct notify_target, url), TARGET_URL_MAX },
    { STR("region"), offsetof(struct notify_target, region), 64 },
    { STR("access_key"), offsetof(struct notify_target, access_key), AUTH_ACCESS_KEY_BYTES_MAX },
    { STR("secret_key"), offsetof(struct notify_target, secret_key), AUTH_SECRET_BYTES_MAX },
    { STR("session_token"), offsetof(struct notify_target, session_token), AUTH_TOKEN_BYTES_MAX },
    { STR("secret"), offsetof(struct notify_target, secret), AUTH_SECRET_BYTES_MAX },
};

/* The target of that name, made on first sight; NULL when refused. */
static struct notify_target *target_named(struct reading *reading, struct str name)
{
    struct config *config = reading->config;
    struct notify_targets *targets = &config->targets;

    for (size_t i = 0; i < targets->count; i++)
        if (str_eq(targets->items[i].name, name))
            return &targets->items[i];
    if (targets->count == NOTIFY_TARGETS_MAX) {
        (void)refuse(reading, "there are too many targets");
        return NULL;
    }
    if (targets->items == NULL)
        targets->items = arena_array(config->arena, NOTIFY_TARGETS_MAX, sizeof(*targets->items));
    name = arena_dup(config->arena, name);
    if (targets->items == NULL || !str_present(name)) {
        (void)refuse(reading, "there is no memory for the target");
        return NULL;
    }
    config->target_lines[targets->count] = reading->line;
    targets->items[targets->count] = (struct notify_target){ .name = name };
    return &targets->items[targets->count++];
}

static int on_target(struct reading *reading, struct str name, struct str key, struct str value)
{
    struct notify_target *target = target_named(reading, name);
    const struct user_field *field = NULL;
    struct str *text;

    if (target == NULL)
        return 0;
    if (str_eq(key, STR("protocol"))) {
        if (target->protocol != NOTIFY_NONE)
            return refuse(reading, "the field is given twice");
        target->protocol = notify_protocol_of(value);
        return target->protocol != NOTIFY_NONE
                   ? 1
                   : refuse(reading, "the protocol is none of sqs, sns, lambda, events, webhook");
    }
    for (size_t i = 0; i < COUNT_OF(target_fields); i++)
        if (str_eq(target_fields[i].key, key))
            field = &target_fields[i];
    if (field == NULL)
        return refuse(reading, "a target has no such field (arn, url, protocol, region, "
                               "access_key, secret_key, session_token, secret)");

    text = (struct str *)(void *)((char *)target + field->offset);
    if (str_present(*text))
        return refuse(reading, "the field is given twice");
    if (value.len == 0 || value.len > field->max)
        return refuse(reading, "the value is empty or too long");
    *text = arena_dup(reading->config->arena, value);
    return str_present(*text) ? 1 : refuse(reading, "there is no memory for the value");
}

/* ---- [server] ------------------------------------------------------------------------------ */

static int on_server(struct reading *reading, struct str key, struct str value)
{
    struct config *config = reading->config;
    enum setting_index index = setting_by_key(key);
    struct fault cause = { 0 };

    if (index == SETTINGS) {
        struct nearest nearest = NEAREST(key);

        for (enum setting_index i = 0; i < SETTINGS; i++)
            nearest_offer(&nearest, settings[i].key);
        reading->failed = true;
        return fault_set(reading->fault, 0, "%.*s, line %u: there is no setting '%.*s'%s",
                         STR_ARG(reading->path), reading->line, STR_ARG(key),
                         nearest_hint(&nearest));
    }
    if (config->lines[index] != 0 && !(reading->continues && settings[index].kind == SETTING_LIST))
        return refuse(reading, "the setting is given twice");
    if (!setting_store(config, index, CONFIG_FILE, value, &cause))
        return refuse(reading, cause.text);

    if (config->lines[index] == 0)
        config->lines[index] = reading->line;
    return 1;
}

/* ---- inih ---------------------------------------------------------------------------------- */

/* fgets over the file's bytes. */
static char *next_line(char *out, int room, void *context)
{
    struct reading *reading = context;
    size_t end = str_find_char(reading->rest, '\n');
    struct str line;

    if (reading->rest.len == 0 || reading->failed)
        return NULL;

    line = str_slice(reading->rest, 0, end == SIZE_MAX ? reading->rest.len : end + 1);
    reading->rest = str_skip(reading->rest, line.len);
    reading->line++;
    reading->continues = line.p[0] == ' ' || line.p[0] == '\t';
    if (line.len >= (size_t)room || memchr(line.p, '\0', line.len) != NULL) {
        (void)refuse(reading, "the line is too long (spread a list over lines that begin with a "
                              "blank) or has a NUL byte");
        return NULL;
    }

    memcpy(out, line.p, line.len);
    out[line.len] = '\0';
    return out;
}

static int on_value(void *context, const char *section_text, const char *name_text,
                    const char *value_text)
{
    struct reading *reading = context;
    struct str section = str_from_cstr(section_text);
    struct str name;
    bool target;

    if (reading->failed)
        return 0;
    if (str_eq(section, STR("server")))
        return on_server(reading, str_from_cstr(name_text), str_from_cstr(value_text));

    target = str_starts(section, STR("target "));
    name = str_trim(str_skip(section, target ? STR("target ").len : STR("user ").len));
    if ((!target && !str_starts(section, STR("user "))) || name.len == 0)
        return refuse(reading, "the section is none of [server], [user NAME], [target NAME]");
    if (section.len > SECTION_BYTES_MAX)
        return refuse(reading, "the section's name is too long");

    return (target ? on_target : on_user)(reading, name, str_from_cstr(name_text),
                                          str_from_cstr(value_text));
}

/* Secret keys in a file that everyone may read are worth a word. */
static void warn_if_public(const struct config *config, struct str path)
{
    struct stat there;

    if (config->user_count == 0 && config->targets.count == 0 && config->root_password.len == 0)
        return;
    if (stat(path.p, &there) == 0 && (there.st_mode & S_IROTH) != 0)
        log_warn("'%.*s' holds secret keys and everyone may read it: chmod o-r", STR_ARG(path));
}

/* It has secret keys. */
static void content_free(struct buf *content)
{
    if (content->p != NULL)
        explicit_bzero(content->p, content->len);
    buf_free(content);
}

bool config_file_load(struct config *config, struct str path, struct fault *fault)
{
    CLEANUP(content_free) struct buf content = BUF_WITH_MAX(CONFIG_FILE_BYTES_MAX);
    struct reading reading = { .config = config, .path = path, .fault = fault };
    int result = file_read_all(AT_FDCWD, path.p, &content);

    if (result < 0) {
        errno = -result;
        return fault_errno_false(fault, "settings file '%.*s'", STR_ARG(path));
    }

    reading.rest = buf_view(&content);
    result = ini_parse_stream(next_line, &reading, on_value, &reading);
    if (!reading.failed && result != 0) {
        reading.line = result > 0 ? (unsigned)result : 0;
        (void)refuse(&reading, "this is neither [section] nor name = value");
    }
    if (reading.failed)
        return false;

    warn_if_public(config, path);
    return true;
}
