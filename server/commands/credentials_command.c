/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail credentials DIR: the root user's key pair, from the server of that directory or from the
 * file that the first start left there.
 *
 *   eval "$(pail credentials DIR)"      both, as export lines
 *   pail credentials DIR access-key     one of them alone
 *   pail credentials DIR secret-key
 *   pail credentials DIR session-token
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "server/banner.h"
#include "server/commands/arguments.h"
#include "server/commands/commands.h"
#include "server/root_pair.h"

#define ARENA_BYTES 8192
#define OPERANDS_MAX 2

static void print_help(struct buf *out)
{
    buf_lit(out,
            "Usage: pail credentials DIR [access-key|secret-key|session-token]\n"
            "\n"
            "Prints the root user's key pair of the store in DIR as export lines, or one of it.\n"
            "The server that serves DIR is asked, where the pair came from environment or\n"
            "settings; otherwise it is the pair kept in DIR/credentials.\n");
}

static int print_pair(const struct root_pair *pair, struct str which, struct buf *out,
                      struct fault *fault)
{
    if (which.len == 0) {
        banner_export(out, "AWS_ACCESS_KEY_ID", pair->access_key);
        banner_export(out, "AWS_SECRET_ACCESS_KEY", pair->secret_key);
        if (str_present(pair->session_token))
            banner_export(out, "AWS_SESSION_TOKEN", pair->session_token);
    } else if (str_eq(which, STR("access-key"))) {
        buf_printf(out, "%.*s\n", STR_ARG(pair->access_key));
    } else if (str_eq(which, STR("secret-key"))) {
        buf_printf(out, "%.*s\n", STR_ARG(pair->secret_key));
    } else if (str_eq(which, STR("session-token"))) {
        buf_printf(out, "%.*s\n", STR_ARG(pair->session_token));
    } else {
        return fault_set(fault, EXIT_CODE_USAGE,
                         "'%.*s' is none of access-key, secret-key and session-token",
                         STR_ARG(which));
    }

    return EXIT_CODE_OK;
}

static int print_of_dir(const char *dir, struct str which, struct buf *out, struct fault *fault)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(ARENA_BYTES, ARENA_BYTES);
    CLEANUP(fd_close) int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct root_pair pair;

    if (dir_fd < 0)
        return fault_errno(fault, EXIT_CODE_FAILED, "open '%s'", dir);
    if (arena == NULL)
        return fault_set(fault, EXIT_CODE_FAILED, "there is no memory");
    if (!root_pair_load(dir_fd, arena, &pair, fault))
        return EXIT_CODE_FAILED;

    return print_pair(&pair, which, out, fault);
}

int command_credentials(char *const *words)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(ARENA_BYTES);
    struct arguments arguments = ARGUMENTS(words);
    struct str operands[OPERANDS_MAX] = { STR_NONE, STR_NONE };
    size_t count = 0;
    struct fault fault = { 0 };
    enum argument kind;
    struct str word;
    int code;

    while ((kind = arguments_next(&arguments, &word)) == ARGUMENT_OPERAND && count < OPERANDS_MAX)
        operands[count++] = word;
    if (arguments_ask_help(words)) {
        print_help(&text);
        command_write(STDOUT_FILENO, &text);
        return EXIT_CODE_OK;
    }
    if (kind != ARGUMENT_END || count == 0) {
        if (kind == ARGUMENT_OPTION)
            fault_note(&fault, "unknown option '%.*s'", STR_ARG(word));
        else
            fault_note(&fault, "credentials takes a directory and at most one word more");
        return command_usage("credentials", &fault);
    }

    code = print_of_dir(operands[0].p, operands[1], &text, &fault);
    if (code == EXIT_CODE_USAGE)
        return command_usage("credentials", &fault);
    if (code != EXIT_CODE_OK)
        return command_failed(code, &fault);

    command_write(STDOUT_FILENO, &text);
    return EXIT_CODE_OK;
}
