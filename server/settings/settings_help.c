/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail serve --help: the table of settings.def in words.
 */
#include "server/settings/settings.h"

static void print_lines(struct buf *out, struct str text)
{
    struct str line;

    while (str_next(&text, '\n', &line))
        buf_printf(out, "      %.*s\n", STR_ARG(line));
}

static void print_setting(struct buf *out, const struct setting *setting)
{
    if (setting->flag.len == 0)
        buf_printf(out, "  %.*s=%.*s\n", STR_ARG(setting->env), STR_ARG(setting->unit));
    else if (setting->kind == SETTING_SWITCH)
        buf_printf(out, "  %.*s\n", STR_ARG(setting->flag));
    else
        buf_printf(out, "  %.*s %.*s\n", STR_ARG(setting->flag), STR_ARG(setting->unit));

    print_lines(out, setting->help);
    if (setting->flag.len > 0)
        buf_printf(out, "      %.*s; default: %.*s\n", STR_ARG(setting->env),
                   STR_ARG(setting->preset.len > 0 ? setting->preset : STR("none")));
}

void settings_help(struct buf *out)
{
    buf_lit(out, "Usage: pail serve [options] DIR\n"
                 "\n"
                 "Serves the store in DIR, which is made when missing, until SIGTERM or SIGINT.\n"
                 "SIGHUP reads the users, the root user's key pair and the certificate again.\n"
                 "\n"
                 "Each setting is a flag, an environment variable and a key in section [server]\n"
                 "of the settings file (the flag without its dashes). The flag is stronger than\n"
                 "the variable, the variable stronger than the file. Switches take =no.\n"
                 "\n");
    for (enum setting_index i = 0; i < SETTINGS; i++)
        print_setting(out, &settings[i]);
}
