/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root user's key pair; see root_pair.h.
 */
#include "server/root_pair.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "server/root_socket.h"

#define ROOT_PAIR_BYTES_MAX 4096

static const char access_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/* Without '/' and '+', which trip up scripts: 40 of these are 238 bits. */
static const char secret_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* Each character equally likely: bytes past the last whole multiple are drawn again. */
static void random_text(const char *alphabet, char *out, size_t len)
{
    size_t letters = strlen(alphabet);
    size_t usable = 256 - 256 % letters;

    for (size_t i = 0; i < len;) {
        uint8_t byte;

        random_key_bytes(&byte, 1);
        if (byte < usable)
            out[i++] = alphabet[byte % letters];
    }
}

/* A signature names the access key between separators, and V2 ends it at a colon. */
static bool usable(const struct root_pair *pair, const char *source, struct fault *fault)
{
    struct str key = pair->access_key;

    for (size_t i = 0; i < key.len; i++) {
        if (key.p[i] <= ' ' || key.p[i] > '~' || str_find_char(STR("/,:=;&"), key.p[i]) != SIZE_MAX)
            return fault_false(fault,
                               "%s: an access key is made of printable characters other than / , : "
                               "= ; & and blank",
                               source);
    }
    for (size_t i = 0; i < pair->secret_key.len; i++) {
        unsigned char c = (unsigned char)pair->secret_key.p[i];

        /* Often the line feed at the end of the file it was read from. */
        if (c < ' ' || c == 0x7f)
            return fault_false(fault,
                               "%s: its secret key has a line feed or another control "
                               "character",
                               source);
    }
    if (key.len > AUTH_ACCESS_KEY_BYTES_MAX || pair->secret_key.len > AUTH_SECRET_BYTES_MAX)
        return fault_false(fault, "%s: access key or secret key is longer than %d bytes", source,
                           AUTH_SECRET_BYTES_MAX);

    return true;
}

/* ---- environment --------------------------------------------------------------------------- */

/* false with an empty fault: not set. */
static bool from_variables(const char *key_name, const char *secret_name,
                           struct root_pair *ret_pair, struct fault *fault)
{
    struct root_pair found = {
        .access_key = str_from_cstr(getenv(key_name)),
        .secret_key = str_from_cstr(getenv(secret_name)),
        .origin = ROOT_PAIR_ENVIRONMENT,
        .user_variable = key_name,
        .secret_variable = secret_name,
    };

    if (found.access_key.len == 0 && found.secret_key.len == 0)
        return false;
    if (found.access_key.len == 0 || found.secret_key.len == 0)
        return fault_false(fault, "%s and %s belong together: set both", key_name, secret_name);
    if (!usable(&found, key_name, fault))
        return false;

    *ret_pair = found;
    return true;
}

bool root_pair_from_aws(struct root_pair *ret_pair, struct fault *fault)
{
    struct str token = str_from_cstr(getenv("AWS_SESSION_TOKEN"));

    if (!from_variables("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", ret_pair, fault))
        return false;

    if (token.len > 0)
        ret_pair->session_token = token;
    return true;
}

/* ---- DIR/credentials ------------------------------------------------------------------------- */

static struct str file_value(struct str text, struct str key)
{
    struct str line;

    while (str_next(&text, '\n', &line)) {
        struct str name;
        struct str value;

        if (str_cut(line, '=', &name, &value) && str_eq(str_trim(name), key))
            return str_trim(value);
    }

    return STR_NONE;
}

static void warn_if_public(int dir_fd)
{
    struct stat there;

    if (fstatat(dir_fd, ROOT_PAIR_FILE, &there, 0) == 0 && (there.st_mode & 077) != 0)
        log_warn("the file '" ROOT_PAIR_FILE "' of the store has mode %03o: others may read it",
                 there.st_mode & 0777);
}

/* 1: loaded, 0: no such file, -1: fault is set. */
static int load_file(int dir_fd, struct arena *arena, struct root_pair *ret_pair,
                     struct fault *fault)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(ROOT_PAIR_BYTES_MAX);
    struct root_pair found = { .origin = ROOT_PAIR_STORED };
    int error = file_read_own(dir_fd, ROOT_PAIR_FILE, &content);

    if (error == -ENOENT)
        return 0;
    if (error < 0) {
        errno = -error;
        return fault_errno(fault, -1, "read the store's file '" ROOT_PAIR_FILE "'");
    }

    found.access_key = arena_dup(arena, file_value(buf_view(&content), STR("aws_access_key_id")));
    found.secret_key =
        arena_dup(arena, file_value(buf_view(&content), STR("aws_secret_access_key")));
    if (found.access_key.len == 0 || found.secret_key.len == 0)
        return fault_set(fault, -1,
                         "the store's file '" ROOT_PAIR_FILE "' lacks aws_access_key_id or "
                         "aws_secret_access_key; remove it to have a new pair made");
    if (!usable(&found, ROOT_PAIR_FILE, fault))
        return -1;

    warn_if_public(dir_fd);
    *ret_pair = found;
    return 1;
}

bool root_pair_load(int dir_fd, struct arena *arena, struct root_pair *ret_pair,
                    struct fault *fault)
{
    int loaded;

    if (root_socket_ask(dir_fd, arena, ret_pair))
        return true;

    loaded = load_file(dir_fd, arena, ret_pair, fault);
    if (loaded == 0)
        return fault_false(fault,
                           "nobody serves the store, and it has no file '" ROOT_PAIR_FILE "': its "
                           "key pair was given by environment or settings so far");

    return loaded > 0;
}

static bool generate(int dir_fd, struct arena *arena, struct root_pair *ret_pair,
                     struct fault *fault)
{
    struct root_pair made = { .origin = ROOT_PAIR_GENERATED };
    char access[ROOT_PAIR_ACCESS_KEY_LEN] = "PAIL";
    char secret[ROOT_PAIR_SECRET_KEY_LEN];
    struct str content;
    int error;

    random_text(access_alphabet, access + 4, sizeof(access) - 4);
    random_text(secret_alphabet, secret, sizeof(secret));
    made.access_key = arena_dup(arena, str_make(access, sizeof(access)));
    made.secret_key = arena_dup(arena, str_make(secret, sizeof(secret)));
    content = arena_printf(arena,
                           "# Root user of this store. Works as AWS_SHARED_CREDENTIALS_FILE.\n"
                           "[default]\n"
                           "aws_access_key_id = %.*s\n"
                           "aws_secret_access_key = %.*s\n",
                           (int)sizeof(access), access, (int)sizeof(secret), secret);
    explicit_bzero(secret, sizeof(secret));
    if (!str_present(made.access_key) || !str_present(made.secret_key) || !str_present(content))
        return fault_false(fault, "there is no memory for the key pair");

    error = file_replace(dir_fd, ROOT_PAIR_FILE, 0600, content);
    if (error < 0) {
        errno = -error;
        return fault_errno_false(fault, "write the store's file '" ROOT_PAIR_FILE "'");
    }

    *ret_pair = made;
    return true;
}

/* PAIL_ROOT_USER and PAIL_ROOT_PASSWORD, from wherever settings come. */
static bool from_config(const struct config *config, struct root_pair *ret_pair,
                        struct fault *fault)
{
    bool variable = config->origins[SETTING_root_password] == CONFIG_ENVIRONMENT;

    *ret_pair = (struct root_pair){
        .access_key = config->root_user,
        .secret_key = config->root_password,
        .origin = variable ? ROOT_PAIR_ENVIRONMENT : ROOT_PAIR_SETTINGS,
        .user_variable = "PAIL_ROOT_USER",
        .secret_variable = "PAIL_ROOT_PASSWORD",
    };
    return usable(ret_pair, "root-user", fault);
}

bool root_pair_find(const struct config *config, int dir_fd, enum root_pair_missing missing,
                    struct arena *arena, struct root_pair *ret_pair, struct fault *fault)
{
    struct fault cause = { 0 };
    int loaded;

    if (config->dev) {
        *ret_pair = (struct root_pair){ .access_key = STR(CONFIG_DEV_USER),
                                        .secret_key = STR(CONFIG_DEV_PASSWORD),
                                        .origin = ROOT_PAIR_DEV };
        return true;
    }
    if (config->root_user.len > 0)
        return from_config(config, ret_pair, fault);

    if (from_variables("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", ret_pair, &cause))
        return true;
    if (cause.text[0] != '\0')
        return fault_false(fault, "%s", cause.text);
    if (config->root_from_aws)
        return root_pair_from_aws(ret_pair, fault) ||
               fault_false(fault,
                           "--root-from-aws: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not "
                           "set");

    loaded = load_file(dir_fd, arena, ret_pair, fault);
    if (loaded == 0 && missing == ROOT_PAIR_REFUSE)
        return fault_false(fault, "the store has no file '" ROOT_PAIR_FILE "' any more");
    return loaded == 0 ? generate(dir_fd, arena, ret_pair, fault) : loaded > 0;
}
