/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail config: every setting in force and where it came from, in the form of a settings file.
 *
 * What can not stand in a file (its own name) and what must not be shown (secrets) are comments.
 */
#include <unistd.h>

#include "server/commands/arguments.h"
#include "server/commands/commands.h"
#include "server/settings/settings.h"

#define OUTPUT_BYTES_MAX ((size_t)256 * 1024)
#define NOT_SHOWN "(set, not shown)"

static void print_origin(struct buf *out, const struct config *config, enum setting_index index)
{
    const struct setting *setting = &settings[index];

    switch (config->origins[index]) {
    case CONFIG_DEFAULT:
        buf_lit(out, "default");
        break;
    case CONFIG_FILE:
        buf_printf(out, "file %.*s:%u", STR_ARG(config->file), config->lines[index]);
        break;
    case CONFIG_ENVIRONMENT:
        buf_printf(out, "environment %.*s", STR_ARG(setting->env));
        break;
    case CONFIG_FLAG:
        buf_printf(out, "flag %.*s",
                   STR_ARG(setting->flag.len > 0 ? setting->flag : setting->unit));
        break;
    }
}

static void print_setting(struct buf *out, const struct config *config, enum setting_index index)
{
    const struct setting *setting = &settings[index];
    CLEANUP(buf_free) struct buf value = BUF_WITH_MAX(OUTPUT_BYTES_MAX);
    bool secret = setting->kind == SETTING_SECRET;

    setting_print(config, index, &value);
    if (secret && value.len > 0) {
        buf_clear(&value);
        buf_lit(&value, NOT_SHOWN);
    }

    /* "--config" has no key; its flag names it. */
    buf_printf(out, "%s%-13.*s = %-24.*s ; ", secret || setting->key.len == 0 ? "; " : "",
               STR_ARG(setting->key.len > 0 ? setting->key : str_skip(setting->flag, 2)),
               STR_ARG(buf_view(&value)));
    print_origin(out, config, index);
    buf_char(out, '\n');
}

static void print_user(struct buf *out, const struct config *config,
                       const struct config_user *entry)
{
    const struct user *user = &entry->user;

    buf_printf(out, "\n; [user %.*s] ; file %.*s:%u\n", STR_ARG(entry->name), STR_ARG(config->file),
               entry->line);
    buf_printf(out, "; access_key    = %.*s\n", STR_ARG(user->access_key));
    buf_lit(out, "; secret_key    = " NOT_SHOWN "\n");
    if (str_present(user->session_token))
        buf_lit(out, "; session_token = " NOT_SHOWN "\n");
    buf_printf(out, "; account       = %.*s\n", STR_ARG(user->account));
    buf_printf(out, "; canonical_id  = %.*s\n", STR_ARG(user->canonical_id));
    buf_printf(out, "; display_name  = %.*s\n", STR_ARG(user->display_name));
    buf_printf(out, "; email         = %.*s\n", STR_ARG(user->email));
}

int command_config(char *const *words)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(OUTPUT_BYTES_MAX);
    CLEANUP(config_free) struct config config = { 0 };
    struct fault fault = { 0 };

    if (arguments_ask_help(words)) {
        buf_lit(&text, "Usage: pail config [options of pail serve] [DIR]\n"
                       "\n"
                       "Prints every setting in force and where it came from: default, file,\n"
                       "environment or flag. Secrets are not shown.\n");
        command_write(STDOUT_FILENO, &text);
        return EXIT_CODE_OK;
    }
    if (!config_load(words, &config, &fault))
        return command_usage("config", &fault);

    buf_lit(&text, "[server]\n");
    for (enum setting_index i = 0; i < SETTINGS; i++)
        print_setting(&text, &config, i);
    for (size_t i = 0; i < config.user_count; i++)
        print_user(&text, &config, &config.users[i]);
    command_write(STDOUT_FILENO, &text);

    /* What each setting says may be fine and all of them together not. */
    return config_check(&config, &fault) ? EXIT_CODE_OK : command_usage("serve", &fault);
}
