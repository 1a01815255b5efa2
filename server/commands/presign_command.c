/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail presign s3://BUCKET/KEY: a V4 presigned URL, made without asking any server.
 *
 * The key pair comes from --access-key with --secret-key-file, from --dir, or from AWS_*. A secret
 * is never taken from the command line, where every user of the machine can read it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/digest/digest.h"
#include "base/file.h"
#include "base/text/codec.h"
#include "server/commands/arguments.h"
#include "server/commands/commands.h"
#include "server/endpoint.h"
#include "server/root_pair.h"
#include "server/settings/settings.h"

#define ARENA_BYTES 65536
#define URL_BYTES_MAX 65536
#define SECRET_FILE_BYTES_MAX 1024

struct presign_request {
    struct str method, endpoint, region, version_id, expires;
    struct str access_key, secret_key_file, dir;
    struct str target; /* s3://bucket/key */
    bool help;
};

/* The first of the variables that is set, or the text at the end. */
static struct str first_of(const char *a, const char *b, struct str otherwise)
{
    struct str value = str_from_cstr(getenv(a));

    if (value.len == 0)
        value = str_from_cstr(getenv(b));
    return value.len > 0 ? value : otherwise;
}

static bool parse_option(struct presign_request *request, struct arguments *arguments,
                         struct str option, struct fault *fault)
{
    const struct {
        struct str name;
        struct str *value;
    } options[] = {
        { STR("--method"), &request->method },
        { STR("--expires"), &request->expires },
        { STR("--endpoint"), &request->endpoint },
        { STR("--region"), &request->region },
        { STR("--version-id"), &request->version_id },
        { STR("--access-key"), &request->access_key },
        { STR("--secret-key-file"), &request->secret_key_file },
        { STR("--dir"), &request->dir },
    };

    struct str names[COUNT_OF(options)];

    for (size_t i = 0; i < COUNT_OF(options); i++) {
        if (str_eq(options[i].name, option))
            return arguments_value(arguments, option, options[i].value, fault);
        names[i] = options[i].name;
    }

    return arguments_unknown(option, names, COUNT_OF(names), fault);
}

static bool parse(char *const *words, struct presign_request *request, struct fault *fault)
{
    struct arguments arguments = ARGUMENTS(words);
    enum argument kind;
    struct str word;

    while ((kind = arguments_next(&arguments, &word)) != ARGUMENT_END) {
        if (kind == ARGUMENT_OPTION && !parse_option(request, &arguments, word, fault))
            return false;
        if (kind == ARGUMENT_OPERAND && str_present(request->target))
            return fault_false(fault, "presign takes one s3://BUCKET/KEY");
        if (kind == ARGUMENT_OPERAND)
            request->target = word;
    }

    if (!str_starts(request->target, STR("s3://")))
        return fault_false(fault, "presign needs s3://BUCKET/KEY");
    if (str_present(request->access_key) != str_present(request->secret_key_file))
        return fault_false(fault, "--access-key and --secret-key-file belong together");

    return true;
}

/* ---- key pair ------------------------------------------------------------------------------ */

static bool read_secret(struct str path, struct arena *arena, struct str *ret_secret,
                        struct fault *fault)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(SECRET_FILE_BYTES_MAX);
    int error = file_read_all(AT_FDCWD, path.p, &content);
    struct str line;

    if (error < 0) {
        errno = -error;
        return fault_errno_false(fault, "read '%.*s'", STR_ARG(path));
    }

    (void)str_cut(buf_view(&content), '\n', &line, &(struct str){ 0 });
    if (str_ends(line, STR("\r")))
        line.len--;
    if (line.len == 0)
        return fault_false(fault, "'%.*s' has no secret key in its first line", STR_ARG(path));

    *ret_secret = arena_dup(arena, line);
    return str_present(*ret_secret) || fault_false(fault, "there is no memory");
}

static bool find_credentials(const struct presign_request *request, struct arena *arena,
                             struct root_pair *ret_pair, struct fault *fault)
{
    if (str_present(request->access_key)) {
        *ret_pair = (struct root_pair){ .access_key = request->access_key };
        return read_secret(request->secret_key_file, arena, &ret_pair->secret_key, fault);
    }
    if (str_present(request->dir)) {
        CLEANUP(fd_close) int dir_fd = open(request->dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir_fd < 0)
            return fault_errno_false(fault, "open '%.*s'", STR_ARG(request->dir));
        return root_pair_load(dir_fd, arena, ret_pair, fault);
    }

    return root_pair_from_aws(ret_pair, fault) ||
           fault_false(fault,
                       "there is no key pair: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                       "give --dir DIR, or --access-key and --secret-key-file");
}

/* ---- URL ----------------------------------------------------------------------------------- */

static bool expiry(const struct presign_request *request, uint64_t *ret_expires_s,
                   struct fault *fault)
{
    if (!setting_seconds(request->expires, ret_expires_s) || *ret_expires_s == 0 ||
        *ret_expires_s > AUTH_EXPIRES_MAX_S)
        return fault_false(fault, "--expires: '%.*s' is not a time from 1 s to %d s",
                           STR_ARG(request->expires), AUTH_EXPIRES_MAX_S);

    return true;
}

static bool check_endpoint(const struct presign_request *request, struct fault *fault)
{
    struct endpoint endpoint;

    if (!endpoint_parse(request->endpoint, &endpoint, fault))
        return false;
    if (str_present(endpoint.unix_path) || !str_eq(endpoint.path, STR("/")))
        return fault_false(fault, "--endpoint: '%.*s' must be http[s]://HOST[:PORT] alone",
                           STR_ARG(request->endpoint));

    return true;
}

static bool presign(const struct presign_request *request, const struct root_pair *pair,
                    uint64_t expires_s, struct buf *out)
{
    CLEANUP(buf_free) struct buf query = BUF_WITH_MAX(URL_BYTES_MAX);
    struct user user = {
        .access_key = pair->access_key,
        .secret_key = pair->secret_key,
        .session_token = pair->session_token,
    };
    struct str endpoint = request->endpoint;
    struct str bucket;
    struct str key;

    if (str_ends(endpoint, STR("/")))
        endpoint.len--;
    if (!str_cut(str_skip(request->target, STR("s3://").len), '/', &bucket, &key))
        key = STR("");
    if (str_present(request->version_id)) {
        buf_lit(&query, "versionId=");
        uri_encode(&query, request->version_id, URI_KEEP_NONE);
    }

    return auth_presign(out, &user, request->method, endpoint, request->region, bucket, key,
                        query.len > 0 ? buf_view(&query) : STR_NONE, expires_s,
                        clock_now_us(&clock_of_system)) &&
           !out->failed && !query.failed;
}

static int print_help(struct buf *text)
{
    buf_lit(text,
            "Usage: pail presign [options] s3://BUCKET/KEY\n"
            "\n"
            "Prints a presigned URL (AWS4-HMAC-SHA256).\n"
            "\n"
            "  --method METHOD          GET (default), PUT, HEAD, DELETE, POST\n"
            "  --expires TIME           seconds, or with s m h d; default 3600, at most 7d\n"
            "  --endpoint URL           default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, then\n"
            "                           http://127.0.0.1:9000\n"
            "  --region NAME            default: AWS_REGION, AWS_DEFAULT_REGION, us-east-1\n"
            "  --version-id ID          of one version of the object\n"
            "  --access-key KEY         with\n"
            "  --secret-key-file FILE   whose first line is the secret key; or\n"
            "  --dir DIR                the key pair of a store; or AWS_ACCESS_KEY_ID,\n"
            "                           AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN\n");
    command_write(STDOUT_FILENO, text);
    return EXIT_CODE_OK;
}

int command_presign(char *const *words)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(ARENA_BYTES, ARENA_BYTES);
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(URL_BYTES_MAX);
    struct presign_request request = {
        .method = STR("GET"),
        .expires = STR("3600"),
        .endpoint =
            first_of("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", STR("http://127.0.0.1:9000")),
        .region = first_of("AWS_REGION", "AWS_DEFAULT_REGION", STR("us-east-1")),
    };
    struct root_pair pair = { 0 };
    struct fault fault = { 0 };
    uint64_t expires_s = 0;

    if (arguments_ask_help(words))
        return print_help(&text);
    if (!parse(words, &request, &fault) || !expiry(&request, &expires_s, &fault) ||
        !check_endpoint(&request, &fault))
        return command_usage("presign", &fault);
    if (arena == NULL || !digest_init()) {
        fault_note(&fault, "there is no memory, or no crypto library");
        return command_failed(EXIT_CODE_FAILED, &fault);
    }
    if (!find_credentials(&request, arena, &pair, &fault))
        return command_failed(EXIT_CODE_FAILED, &fault);
    if (!presign(&request, &pair, expires_s, &text)) {
        fault_note(&fault, "'%.*s' can not be signed", STR_ARG(request.target));
        return command_failed(EXIT_CODE_FAILED, &fault);
    }

    buf_char(&text, '\n');
    command_write(STDOUT_FILENO, &text);
    return EXIT_CODE_OK;
}
