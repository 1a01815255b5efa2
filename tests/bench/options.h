/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of pail-bench.
 *
 * Texts borrow argv and the environment. Credentials come from the environment alone: a command
 * line is public.
 */
#ifndef TESTS_BENCH_OPTIONS_H
#define TESTS_BENCH_OPTIONS_H

#include "base/fault.h"
#include "base/text/str.h"

#define OPTIONS_PIDS_MAX 16
#define OPTIONS_CPUS_MAX 64
#define OPTIONS_CONNECTIONS_MAX 4096
#define OPTIONS_REQUESTS_MAX UINT64_C(50000000)

enum bench_command {
    BENCH_FILL,
    BENCH_GET,
    BENCH_HEAD,
    BENCH_PUT,
    BENCH_DELETE,
    BENCH_DELETE_MANY,
    BENCH_COPY,
    BENCH_LIST,
    BENCH_LIST_RANDOM,
    BENCH_LIST_PREFIXES,
    BENCH_LIST_VERSIONS,
    BENCH_MIXED,
    BENCH_MULTIPART,
    BENCH_PROBE,
    BENCH_START,
    BENCH_LIMITS,
    BENCH_COMMANDS,
};

enum auth_form { AUTH_FORM_HEADER, AUTH_FORM_PRESIGNED, AUTH_FORM_NONE };

enum payload_form {
    PAYLOAD_FORM_SIGNED,
    PAYLOAD_FORM_UNSIGNED,
    PAYLOAD_FORM_TRAILER,        /* STREAMING-UNSIGNED-PAYLOAD-TRAILER with CRC32, as SDKs send */
    PAYLOAD_FORM_CHUNKS,         /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
    PAYLOAD_FORM_CHUNKS_TRAILER, /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER */
};

enum etag_form { ETAG_MD5, ETAG_ANY };
enum report_form { REPORT_TSV, REPORT_JSON };

struct options {
    uint64_t command; /* enum bench_command */
    struct str command_name;

    struct str endpoint;  /* http://HOST:PORT */
    struct str authority; /* HOST:PORT of it, as the Host header has it */
    struct str access_key;
    struct str secret_key;
    struct str region;
    struct str bucket;
    uint64_t auth;    /* enum auth_form */
    uint64_t payload; /* enum payload_form */
    uint64_t etag;    /* enum etag_form */

    uint64_t size_bytes;
    uint64_t keys;
    uint64_t first;
    uint64_t requests; /* 0: a default by operation */
    uint64_t prefixes;
    uint64_t versions;
    uint64_t parts;
    uint64_t seed;
    uint64_t once;
    uint64_t same;
    uint64_t verify; /* every n-th answer is compared byte by byte */
    struct str acked;

    uint64_t connections;
    uint64_t threads;
    double seconds;
    double warmup_s;
    double timeout_s;
    double rate; /* 0: closed loop */
    uint64_t cpus[OPTIONS_CPUS_MAX];
    uint64_t cpu_count;
    uint64_t pids[OPTIONS_PIDS_MAX];
    uint64_t pid_count;

    struct str directory; /* limits */
    struct str only;      /* limits: the one to measure; else all */
    uint64_t kill;        /* start: end the program with SIGKILL */
    uint64_t report;      /* enum report_form */
    struct str label;
    char **program; /* start: what stands after "--" */
};

/*
 * Read argv. Returns false with the reason in *fault; *ret_help is set when help was asked for
 * (and nothing else then).
 */
MUST_CHECK bool options_parse(int argc, char **argv, struct options *ret_options, bool *ret_help,
                              struct fault *fault);
void options_help(void);
const char *options_payload_name(uint64_t payload);
const char *options_auth_name(uint64_t auth);

#endif
