/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings: the four sources laid over each other; see config.h.
 *
 * The weakest comes first, so the strongest is what remains. The file's name is itself a setting
 * and is taken from flag and environment before anything else.
 */
#include "server/settings/config.h"

#include <fcntl.h>
#include <stdlib.h>

#include "server/commands/arguments.h"
#include "server/listeners.h"
#include "server/settings/habits.h"
#include "server/settings/nearest.h"
#include "server/settings/settings.h"

#define ARENA_FIRST_BYTES 16384
#define ARENA_LIMIT_BYTES ((size_t)2 * 1024 * 1024)

void config_free(struct config *config)
{
    if (config->arena != NULL)
        arena_wipe(config->arena);
    arena_close(config->arena);
    *config = (struct config){ 0 };
}

static void wipe(struct str *secret)
{
    if (secret->len > 0)
        explicit_bzero((void *)(uintptr_t)secret->p, secret->len);
    *secret = STR("");
}

void config_forget_secrets(struct config *config)
{
    wipe(&config->root_password);
    for (size_t i = 0; i < config->user_count; i++) {
        wipe(&config->users[i].user.secret_key);
        wipe(&config->users[i].user.session_token);
    }
}

static bool load_presets(struct config *config, struct fault *fault)
{
    for (enum setting_index i = 0; i < SETTINGS; i++) {
        if (!setting_store(config, i, CONFIG_DEFAULT, settings[i].preset, fault))
            return false;
    }

    return true;
}

/* One setting from its variable. */
static bool load_variable(struct config *config, enum setting_index index, struct fault *fault)
{
    struct str name = settings[index].env;
    struct str value = str_from_cstr(getenv(name.p));
    struct fault cause = { 0 };

    if (value.len == 0 || setting_store(config, index, CONFIG_ENVIRONMENT, value, &cause))
        return true;

    return fault_false(fault, "environment variable %.*s: %s", STR_ARG(name), cause.text);
}

static bool load_environment(struct config *config, struct fault *fault)
{
    if (!variables_check(fault))
        return false;

    for (enum setting_index i = 0; i < SETTINGS; i++) {
        if (!load_variable(config, i, fault))
            return false;
    }

    return true;
}

static bool refuse_option(struct str option, struct fault *fault)
{
    struct nearest nearest = NEAREST(option);
    const char *here = habit(HABIT_FLAG, option);

    if (here != NULL)
        return fault_false(fault, "unknown option '%.*s': here it is %s", STR_ARG(option), here);

    for (enum setting_index i = 0; i < SETTINGS; i++)
        nearest_offer(&nearest, settings[i].flag);
    return fault_false(fault, "unknown option '%.*s'%s", STR_ARG(option), nearest_hint(&nearest));
}

static bool load_option(struct config *config, struct arguments *arguments, struct str option,
                        struct fault *fault)
{
    enum setting_index index = setting_by_flag(option);
    struct fault cause = { 0 };
    struct str value = STR("yes");

    if (index == SETTINGS)
        return refuse_option(option, fault);

    /* A switch is on by its mere name; only an attached value says otherwise. */
    if (settings[index].kind == SETTING_SWITCH && !str_present(arguments->attached))
        return setting_store(config, index, CONFIG_FLAG, value, fault);
    if (!arguments_value(arguments, option, &value, fault))
        return false;
    if (!setting_store(config, index, CONFIG_FLAG, value, &cause))
        return fault_false(fault, "option %.*s: %s", STR_ARG(option), cause.text);

    return true;
}

static bool load_operand(struct config *config, struct str operand, struct fault *fault)
{
    struct fault cause = { 0 };

    if (config->origins[SETTING_dir] == CONFIG_FLAG)
        return fault_false(fault, "there is more than one directory: '%.*s' and '%.*s'",
                           STR_ARG(config->dir), STR_ARG(operand));
    if (operand.len == 0)
        return fault_false(fault, "the directory is an empty text");
    if (!setting_store(config, SETTING_dir, CONFIG_FLAG, operand, &cause))
        return fault_false(fault, "the directory: %s", cause.text);

    return true;
}

static bool load_flags(struct config *config, char *const *words, struct fault *fault)
{
    struct arguments arguments = ARGUMENTS(words);
    enum argument kind;
    struct str text;

    while ((kind = arguments_next(&arguments, &text)) != ARGUMENT_END) {
        bool good = kind == ARGUMENT_OPTION ? load_option(config, &arguments, text, fault)
                                            : load_operand(config, text, fault);

        if (!good)
            return false;
    }

    return true;
}

/*
 * Which settings file is meant. The flags are read into a config of their own, thrown away:
 * values have to be known to tell "--port-file --config" from two options.
 */
static bool find_file(struct config *config, char *const *words, struct fault *fault)
{
    CLEANUP(config_free)
    struct config flags = { .arena = arena_open(ARENA_FIRST_BYTES, ARENA_LIMIT_BYTES) };

    if (flags.arena == NULL)
        return fault_false(fault, "there is no memory for the settings");
    if (!load_flags(&flags, words, fault) || !load_variable(config, SETTING_file, fault))
        return false;
    if (flags.origins[SETTING_file] != CONFIG_FLAG)
        return true;

    return setting_store(config, SETTING_file, CONFIG_FLAG, flags.file, fault);
}

bool config_load(char *const *arguments, struct config *ret_config, struct fault *fault)
{
    CLEANUP(config_free)
    struct config config = { .arena = arena_open(ARENA_FIRST_BYTES, ARENA_LIMIT_BYTES) };

    if (config.arena == NULL)
        return fault_false(fault, "there is no memory for the settings");
    if (!load_presets(&config, fault) || !find_file(&config, arguments, fault))
        return false;
    if (config.file.len > 0 && !config_file_load(&config, config.file, fault))
        return false;
    if (!load_environment(&config, fault) || !load_flags(&config, arguments, fault) ||
        !config_users_complete(&config, fault) || !config_targets_complete(&config, fault))
        return false;

    *ret_config = config;
    config = (struct config){ 0 };
    return true;
}

/* ---- stores ------------------------------------------------------------------------------- */

struct config_store config_store(const struct config *config, size_t index)
{
    struct config_store store;

    if (!str_cut(config->stores.items[index], '=', &store.name, &store.dir))
        return (struct config_store){ .name = STR_NONE };
    return store;
}

static bool check_stores(const struct config *config, struct fault *fault)
{
    for (size_t i = 0; i < config->stores.count; i++) {
        struct config_store store = config_store(config, i);

        if (store.name.len == 0 || store.dir.len == 0 || !stores_name_good(store.name))
            return fault_false(fault,
                               "--store: '%.*s' is not NAME=DIR, with a NAME of a-z, 0-9 and '-'",
                               STR_ARG(config->stores.items[i]));
        for (size_t j = 0; j < i; j++) {
            if (str_eq(store.name, config_store(config, j).name))
                return fault_false(fault, "--store: there are two named '%.*s'",
                                   STR_ARG(store.name));
        }
    }
    return true;
}

/* ---- rules between settings --------------------------------------------------------------- */

static bool check_listener(const struct config *config, const struct listener_address *address,
                           struct str text, struct fault *fault)
{
    bool has_certificate = config->tls_cert.len > 0;

    if (address->tls && !has_certificate)
        return fault_false(fault, "%.*s: https needs --tls-cert and --tls-key", STR_ARG(text));
    if (address->local)
        return true;
    if (config->dev)
        return fault_false(fault,
                           "%.*s: --dev uses a published key pair and serves loopback addresses "
                           "(127.0.0.1, [::1], unix:PATH) only",
                           STR_ARG(text));
    if (config->auth != AUTH_STRICT && !config->force_open)
        return fault_false(fault,
                           "%.*s: --auth %s lets anyone in and serves loopback addresses only, "
                           "unless --force-open is given",
                           STR_ARG(text), config->auth == AUTH_OPEN ? "open" : "audit");

    return true;
}

bool config_check_root(const struct config *config, struct fault *fault)
{
    if (!users_account_good(config->account_id))
        return fault_false(fault, "--account-id: '%.*s' is not 12 digits",
                           STR_ARG(config->account_id));
    if ((config->root_user.len > 0) != (config->root_password.len > 0))
        return fault_false(fault,
                           "PAIL_ROOT_USER and PAIL_ROOT_PASSWORD belong together: set both");

    return true;
}

bool config_check(const struct config *config, struct fault *fault)
{
    bool has_tcp = false;

    if ((config->tls_cert.len > 0) != (config->tls_key.len > 0))
        return fault_false(fault, "--tls-cert and --tls-key belong together: give both");
    if (!config_check_root(config, fault))
        return false;
    if (config->ready_fd >= 0 && fcntl(config->ready_fd, F_GETFD) < 0)
        return fault_errno_false(fault, "--ready-fd %d", config->ready_fd);

    if (!check_stores(config, fault))
        return false;
    for (size_t i = 0; i < config->buckets.count; i++) {
        const char *wrong = s3_bucket_name_fault(config->buckets.items[i]);

        if (wrong != NULL)
            return fault_false(fault, "--buckets: '%.*s' is not a bucket name: %s",
                               STR_ARG(config->buckets.items[i]), wrong);
    }

    for (size_t i = 0; i < config->cors.count; i++)
        if (!s3_cors_pattern_is_good(config->cors.items[i]))
            return fault_false(fault, "--cors: '%.*s' is not an origin with one '*' at most",
                               STR_ARG(config->cors.items[i]));

    for (size_t i = 0; i < config->listen.count; i++) {
        struct listener_address address;

        if (!listener_parse(config->listen.items[i], config->tls_cert.len > 0, &address, fault) ||
            !check_listener(config, &address, config->listen.items[i], fault))
            return false;
        has_tcp = has_tcp || address.tcp;
    }
    if (config->port_file.len > 0 && !has_tcp)
        return fault_false(fault, "--port-file needs a listener with a port");

    return true;
}
