/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the subcommands share: how they say no, and how they print.
 */
#include "server/commands/commands.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

int command_usage(const char *command, const struct fault *fault)
{
    (void)fprintf(stderr, "pail: %s\nSee 'pail %s%s--help'.\n", fault->text, command,
                  command[0] == '\0' ? "" : " ");
    return EXIT_CODE_USAGE;
}

int command_failed(int code, const struct fault *fault)
{
    (void)fprintf(stderr, "pail: %s\n", fault->text);
    return code;
}

void command_write(int fd, const struct buf *text)
{
    int error UNUSED = file_write_all(fd, text->p, text->len);
}
