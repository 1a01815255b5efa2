/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail: finds the subcommand and runs it.
 */
#include <unistd.h>

#include "base/digest/digest.h"
#include "server/commands/commands.h"
#include "server/http/http.h"
#include "server/settings/habits.h"
#include "server/settings/nearest.h"
#include "server/xml/xml.h"
#include "storage/store.h"

#define TEXT_MAX 8192

static const struct {
    struct str name;
    command_run *run;
    struct str operands;
    struct str does;
} commands[] = {
    { STR("serve"), command_serve, STR("DIR"), STR("serve the store in DIR, made when missing") },
    { STR("config"), command_config, STR(""), STR("print every setting and where it came from") },
    { STR("credentials"), command_credentials, STR("DIR"), STR("print the root user's key pair") },
    { STR("presign"), command_presign, STR("s3://BUCKET/KEY"), STR("print a presigned URL") },
    { STR("health"), command_health, STR("[URL]"), STR("ask a server whether it answers") },
    { STR("key"), command_key, STR("VERB DIR"), STR("make and manage keys for aws:kms") },
    { STR("fsck"), command_fsck, STR("DIR"), STR("check a store that nobody serves") },
};

static void print_help(struct buf *out)
{
    buf_lit(out, "Usage: pail COMMAND [options]\n\n");
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        struct str name = commands[i].name;
        struct str operands = commands[i].operands;

        buf_printf(out, "  %.*s %-*.*s %.*s\n", STR_ARG(name), 28 - (int)name.len,
                   STR_ARG(operands), STR_ARG(commands[i].does));
    }
    buf_lit(out, "\n"
                 "  pail COMMAND --help   more about one of them\n"
                 "  pail --version        versions of pail and of its libraries\n"
                 "\n"
                 "Exit codes: 0 done, 1 failed, 2 not understood, 3 the directory is in use;\n"
                 "of fsck: 0 clean, 1 damaged, 2 not checked, 3 the directory is in use.\n");
}

/* Some libraries say their name and some do not. */
static void print_library(struct buf *out, struct str name, const char *version_text)
{
    struct str version = str_from_cstr(version_text);

    if (str_starts(version, name))
        version = str_trim(str_skip(version, name.len));
    buf_printf(out, "%.*s %.*s\n", STR_ARG(name), STR_ARG(version));
}

static void print_version(struct buf *out)
{
    buf_printf(out, "pail %s\n", PAIL_VERSION);
    print_library(out, STR("libmicrohttpd"), http_library_version());
    print_library(out, STR("SQLite"), store_library_version());
    print_library(out, STR("OpenSSL"), digest_library_version());
    print_library(out, STR("libxml2"), xml_library_version());
}

/* What somebody may have meant who named no command. */
static void refuse_command(struct str name, struct fault *fault)
{
    struct nearest nearest = NEAREST(name);
    const char *here = habit(HABIT_COMMAND, name);

    if (!str_present(name)) {
        fault_note(fault, "a command is missing: 'pail serve DIR' starts a server");
        return;
    }
    if (here == NULL && (str_find_char(name, '/') != SIZE_MAX || str_starts(name, STR("--"))))
        here = "pail serve [options] DIR";
    if (here != NULL) {
        fault_note(fault, "'%.*s' is not a command: did you mean '%s'?", STR_ARG(name), here);
        return;
    }

    for (size_t i = 0; i < COUNT_OF(commands); i++)
        nearest_offer(&nearest, commands[i].name);
    fault_note(fault, "'%.*s' is not a command%s", STR_ARG(name), nearest_hint(&nearest));
}

int main(int argc, char **argv)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(TEXT_MAX);
    struct str name = str_from_cstr(argc > 1 ? argv[1] : NULL);
    struct fault fault = { 0 };

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (str_eq(name, commands[i].name))
            return commands[i].run(argv + 2);
    }

    if (str_eq(name, STR("--version")) || str_eq(name, STR("-V")) || str_eq(name, STR("version"))) {
        print_version(&text);
    } else if (str_eq(name, STR("--help")) || str_eq(name, STR("-h")) ||
               str_eq(name, STR("help"))) {
        print_help(&text);
    } else {
        refuse_command(name, &fault);
        return command_usage("", &fault);
    }

    command_write(STDOUT_FILENO, &text);
    return EXIT_CODE_OK;
}
