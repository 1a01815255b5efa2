/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subcommands of pail: each is one function in its own file, listed in main.c's table.
 */
#ifndef SERVER_COMMANDS_COMMANDS_H
#define SERVER_COMMANDS_COMMANDS_H

#include "base/fault.h"
#include "base/text/buf.h"

#ifndef PAIL_VERSION
#define PAIL_VERSION "0.0.0"
#endif

/* Exit codes, documented in --help. fsck has its own meaning for 1 and 2. */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILED = 1, /* it was understood and did not work */
    EXIT_CODE_USAGE = 2,  /* command line, environment or settings file */
    EXIT_CODE_LOCKED = 3, /* another pail holds the directory */
};

/* words: what follows the subcommand, ended by NULL. Each answers an enum exit_code. */
typedef int command_run(char *const *words);

command_run command_serve;
command_run command_config;
command_run command_credentials;
command_run command_fsck;
command_run command_health;
command_run command_key;
command_run command_presign;

/* "pail: <why>" and where to read more, on stderr. Answers EXIT_CODE_USAGE. */
int command_usage(const char *command, const struct fault *fault);
/* "pail: <why>" on stderr. Answers code. */
int command_failed(int code, const struct fault *fault);
/* All of a text to a descriptor, ignoring that nobody may read it. */
void command_write(int fd, const struct buf *text);

#endif
