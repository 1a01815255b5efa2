/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root user's key pair: where it comes from, and DIR/credentials, where a generated one stays.
 *
 * (1) Nothing is built in but the documented pair of --dev.
 * (2) The file has mode 0600 and the form of ~/.aws/credentials, so that it can be handed to any
 *     SDK by AWS_SHARED_CREDENTIALS_FILE.
 * (3) A pair is taken whole from one place; half a pair is an error, never mixed with another.
 * (4) AWS_* variables are most people's keys of AWS itself: only --root-from-aws takes them.
 */
#ifndef SERVER_ROOT_PAIR_H
#define SERVER_ROOT_PAIR_H

#include "base/arena.h"
#include "server/settings/config.h"

#define ROOT_PAIR_FILE "credentials"
#define ROOT_PAIR_ACCESS_KEY_LEN 20
#define ROOT_PAIR_SECRET_KEY_LEN 40

enum root_pair_origin {
    ROOT_PAIR_DEV,
    ROOT_PAIR_SETTINGS,    /* [server] root-user of the settings file */
    ROOT_PAIR_ENVIRONMENT, /* the two variables name it */
    ROOT_PAIR_STORED,      /* DIR/credentials, from an earlier start */
    ROOT_PAIR_GENERATED,   /* DIR/credentials, made just now */
    ROOT_PAIR_ASKED,       /* told by the server that serves DIR; see root_socket.h */
};

struct root_pair {
    struct str access_key, secret_key;
    struct str session_token; /* STR_NONE but for temporary AWS_* variables */
    enum root_pair_origin origin;
    const char *user_variable, *secret_variable; /* ROOT_PAIR_ENVIRONMENT */
};

enum root_pair_missing { ROOT_PAIR_MAKE, ROOT_PAIR_REFUSE };

/*
 * The pair in force: --dev, PAIL_ROOT_* (also from the settings file), MINIO_ROOT_*, AWS_* where
 * --root-from-aws asks for it, then the file in dir_fd. missing: what is done when that is not
 * there either. Texts live in the arena, the config or the environment.
 */
MUST_CHECK bool root_pair_find(const struct config *config, int dir_fd,
                               enum root_pair_missing missing, struct arena *arena,
                               struct root_pair *ret_pair, struct fault *fault);

/* AWS_ACCESS_KEY_ID and its companions; false also when they are not set. */
MUST_CHECK bool root_pair_from_aws(struct root_pair *ret_pair, struct fault *fault);

/*
 * The key pair of an existing store, for the subcommands that act for its root user: what the
 * server that serves it says, else DIR/credentials.
 */
MUST_CHECK bool root_pair_load(int dir_fd, struct arena *arena, struct root_pair *ret_pair,
                               struct fault *fault);

#endif
