/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of pail-bench: two tables, and what reads and prints them.
 */
#include "tests/bench/options.h"

#include <stdio.h>
#include <stdlib.h>

enum kind { KIND_TEXT, KIND_COUNT, KIND_SIZE, KIND_REAL, KIND_CHOICE, KIND_FLAG, KIND_LIST };

struct option {
    struct str name;
    const char *value;
    enum kind kind;
    size_t at;       /* in struct options */
    size_t count_at; /* KIND_LIST */
    uint64_t min;    /* of a number; room of a list */
    uint64_t max;
    const char *const *choices;
    const char *does;
};

static const struct {
    struct str name;
    const char *does;
} commands[BENCH_COMMANDS] = {
    [BENCH_FILL] = { STR("fill"), "make the bucket and PUT --keys objects, each once" },
    [BENCH_GET] = { STR("get"), "GET objects of a fill, uniformly random" },
    [BENCH_HEAD] = { STR("head"), "HEAD objects of a fill, uniformly random" },
    [BENCH_PUT] = { STR("put"), "PUT new objects, numbers from --first" },
    [BENCH_DELETE] = { STR("delete"), "DELETE the objects of a fill, each once" },
    [BENCH_DELETE_MANY] = { STR("delete-many"), "DeleteObjects of 1,000 keys, each key once" },
    [BENCH_COPY] = { STR("copy"), "CopyObject of objects of a fill to new keys" },
    [BENCH_LIST] = { STR("list"), "ListObjectsV2 of 1,000, page after page" },
    [BENCH_LIST_RANDOM] = { STR("list-random"), "ListObjectsV2 of 1,000 after a random key" },
    [BENCH_LIST_PREFIXES] = { STR("list-prefixes"),
                              "ListObjectsV2 with delimiter: 1,000 prefixes" },
    [BENCH_LIST_VERSIONS] = { STR("list-versions"), "ListObjectVersions of 1,000, random start" },
    [BENCH_MIXED] = { STR("mixed"), "45 GET, 30 HEAD, 15 PUT, 10 DELETE of a hundred" },
    [BENCH_MULTIPART] = { STR("multipart"),
                          "upload --parts of --size, complete, GET whole and by parts" },
    [BENCH_PROBE] = { STR("probe"), "is a wrong signature refused, are ETag and bytes right" },
    [BENCH_START] = { STR("start"), "run the program after --: ms from exec to a signed 200" },
    [BENCH_LIMITS] = { STR("limits"),
                       "digests of this processor, and of --directory: syncs, writes" },
};

static const char *const auth_names[] = { "header", "presigned", "none", NULL };
static const char *const payload_names[] = { "signed", "unsigned",       "trailer",
                                             "chunks", "chunks-trailer", NULL };
static const char *const etag_names[] = { "md5", "any", NULL };
static const char *const report_names[] = { "tsv", "json", NULL };

#define AT(member) offsetof(struct options, member)
#define TEXT_OPTION(n, v, member, d)                                                               \
    {                                                                                              \
        STR(n), v, KIND_TEXT, AT(member), 0, 0, 0, NULL, d                                         \
    }
#define COUNT_OPTION(n, member, lo, hi, d)                                                         \
    {                                                                                              \
        STR(n), "N", KIND_COUNT, AT(member), 0, lo, hi, NULL, d                                    \
    }
#define REAL_OPTION(n, v, member, lo, hi, d)                                                       \
    {                                                                                              \
        STR(n), v, KIND_REAL, AT(member), 0, lo, hi, NULL, d                                       \
    }
#define CHOICE_OPTION(n, v, member, list, d)                                                       \
    {                                                                                              \
        STR(n), v, KIND_CHOICE, AT(member), 0, 0, 0, list, d                                       \
    }
#define FLAG_OPTION(n, member, d)                                                                  \
    {                                                                                              \
        STR(n), "", KIND_FLAG, AT(member), 0, 0, 0, NULL, d                                        \
    }

static const struct option table[] = {
    TEXT_OPTION("endpoint", "URL", endpoint, "http://HOST:PORT (default http://127.0.0.1:9000)"),
    TEXT_OPTION("region", "NAME", region, "region of the signatures (us-east-1)"),
    TEXT_OPTION("bucket", "NAME", bucket, "bucket (bench)"),
    CHOICE_OPTION("auth", "FORM", auth, auth_names, "header, presigned or none (header)"),
    CHOICE_OPTION("payload", "FORM", payload, payload_names,
                  "signed, unsigned, trailer, chunks, chunks-trailer (signed)"),
    CHOICE_OPTION("etag", "FORM", etag, etag_names,
                  "md5: must be the body's; any: not looked at (md5)"),
    { STR("size"), "BYTES", KIND_SIZE, AT(size_bytes), 0, 0, UINT64_C(4) << 30, NULL,
      "of an object or part; K, M and G are understood (1K)" },
    COUNT_OPTION("keys", keys, 1, UINT32_MAX, "objects that exist: numbers 0 to N-1 (1000)"),
    COUNT_OPTION("first", first, 0, UINT32_MAX,
                 "first number of put, copy and mixed (default: --keys)"),
    COUNT_OPTION("requests", requests, 1, OPTIONS_REQUESTS_MAX,
                 "requests signed ahead (default: by operation); put and copy end with them"),
    COUNT_OPTION("prefixes", prefixes, 0, 10000000, "keys lie under N prefixes (0: none)"),
    COUNT_OPTION("versions", versions, 1, 1000, "fill: every key N times, versioned (1)"),
    COUNT_OPTION("parts", parts, 1, 10000, "of a multipart upload (64)"),
    COUNT_OPTION("seed", seed, 0, UINT32_MAX, "contents of the objects (1)"),
    COUNT_OPTION("verify", verify, 1, UINT32_MAX, "compare every N-th body byte by byte (100)"),
    FLAG_OPTION("once", once, "get, head: each key once instead of at random"),
    FLAG_OPTION("same", same, "every object has the content of number 0"),
    TEXT_OPTION("acked", "FILE", acked,
                "put, fill: write the numbers acknowledged; get, head: use these numbers"),
    COUNT_OPTION("connections", connections, 1, OPTIONS_CONNECTIONS_MAX, "kept alive (16)"),
    COUNT_OPTION("threads", threads, 1, 64, "sharing the connections (1)"),
    { STR("cpus"), "N,...", KIND_LIST, AT(cpus), AT(cpu_count), OPTIONS_CPUS_MAX, 1023, NULL,
      "processors of the threads, in turn (any)" },
    REAL_OPTION("seconds", "S", seconds, 0, 86400, "measured; 0: until all requests are used (5)"),
    REAL_OPTION("warmup", "S", warmup_s, 0, 3600, "before that, not counted (0)"),
    REAL_OPTION("rate", "R", rate, 0, 100000000,
                "open loop: R requests a second, timed from when each was due (0: closed loop)"),
    REAL_OPTION("timeout", "S", timeout_s, 0, 3600, "an answer later than that is an error (30)"),
    { STR("pids"), "PID,...", KIND_LIST, AT(pids), AT(pid_count), OPTIONS_PIDS_MAX, INT32_MAX, NULL,
      "of the server: its CPU time and memory go into the report" },
    TEXT_OPTION("directory", "DIR", directory, "limits: where to write (.)"),
    TEXT_OPTION("only", "NAME", only, "limits: measure this one"),
    FLAG_OPTION("kill", kill, "start: end the program by SIGKILL"),
    CHOICE_OPTION("report", "FORM", report, report_names, "tsv or json (tsv)"),
    TEXT_OPTION("label", "TEXT", label, "first column of the report"),
};

/* A member by its place in the table. */
static void *member(struct options *options, size_t at)
{
    return (char *)options + at;
}

const char *options_payload_name(uint64_t payload)
{
    return payload_names[payload];
}

const char *options_auth_name(uint64_t auth)
{
    return auth_names[auth];
}

static bool read_size(struct str text, uint64_t *ret_value)
{
    static const struct str units = STR("KMG");
    size_t unit = text.len > 0 ? str_find_char(units, text.p[text.len - 1]) : SIZE_MAX;
    unsigned shift = 0;

    if (unit != SIZE_MAX) {
        text.len--;
        shift = 10 * (unsigned)(unit + 1);
    }
    if (!str_to_u64(text, ret_value) || *ret_value > UINT64_MAX >> shift)
        return false;
    *ret_value <<= shift;
    return true;
}

static bool read_list(const struct option *option, struct str text, struct options *options)
{
    uint64_t *values = member(options, option->at);
    uint64_t *count = member(options, option->count_at);
    struct str field;

    for (*count = 0; str_next(&text, ',', &field); (*count)++)
        if (*count == option->min || !str_to_u64(field, &values[*count]) ||
            values[*count] > option->max)
            return false;
    return *count > 0;
}

static bool read_choice(const struct option *option, struct str text, uint64_t *ret_value)
{
    for (uint64_t i = 0; option->choices[i] != NULL; i++) {
        if (str_eq(text, str_from_cstr(option->choices[i]))) {
            *ret_value = i;
            return true;
        }
    }
    return false;
}

static bool read_value(const struct option *option, const char *text, struct options *options)
{
    void *value = member(options, option->at);
    char *end;

    switch (option->kind) {
    case KIND_TEXT:
        *(struct str *)value = str_from_cstr(text);
        return true;
    case KIND_COUNT:
    case KIND_SIZE:
        if (option->kind == KIND_SIZE ? !read_size(str_from_cstr(text), value)
                                      : !str_to_u64(str_from_cstr(text), value))
            return false;
        return *(uint64_t *)value >= option->min && *(uint64_t *)value <= option->max;
    case KIND_REAL:
        *(double *)value = strtod(text, &end);
        return end != text && *end == '\0' && *(double *)value >= (double)option->min &&
               *(double *)value <= (double)option->max;
    case KIND_CHOICE:
        return read_choice(option, str_from_cstr(text), value);
    case KIND_LIST:
        return read_list(option, str_from_cstr(text), options);
    case KIND_FLAG:
        break;
    }
    *(uint64_t *)value = 1;
    return true;
}

static const struct option *find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (str_eq(table[i].name, name))
            return &table[i];
    return NULL;
}

/* What depends on other options or on the environment. */
static bool complete(struct options *options, struct fault *fault)
{
    struct str scheme = STR("http://");

    if (!str_starts(options->endpoint, scheme))
        return fault_set(fault, false, "--endpoint '%.*s' does not begin with http://",
                         STR_ARG(options->endpoint));
    options->authority = str_skip(options->endpoint, scheme.len);
    while (str_ends(options->authority, STR("/")))
        options->authority.len--;
    if (str_find_char(options->authority, '/') != SIZE_MAX || options->authority.len == 0)
        return fault_set(fault, false, "--endpoint is a scheme, a host and a port, nothing more");

    if (options->first == UINT64_MAX)
        options->first = options->keys;
    if (options->threads > options->connections)
        return fault_set(fault, false, "--threads is above --connections");
    if (options->seconds <= 0 && options->rate > 0)
        return fault_set(fault, false, "--rate needs --seconds");
    if (options->same != 0 && str_present(options->acked))
        return fault_set(fault, false, "--same and --acked exclude each other");
    if (options->command == BENCH_START && options->program == NULL)
        return fault_set(fault, false, "start needs a program after --");
    if (options->auth != AUTH_FORM_NONE && options->command != BENCH_LIMITS &&
        (!str_present(options->access_key) || !str_present(options->secret_key)))
        return fault_set(fault, false, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
    return true;
}

static bool find_command(struct str name, struct options *options)
{
    for (size_t i = 0; i < BENCH_COMMANDS; i++) {
        if (str_eq(commands[i].name, name)) {
            options->command = i;
            options->command_name = name;
            return true;
        }
    }
    return false;
}

bool options_parse(int argc, char **argv, struct options *ret_options, bool *ret_help,
                   struct fault *fault)
{
    struct options options = {
        .endpoint = STR("http://127.0.0.1:9000"),
        .access_key = str_from_cstr(getenv("AWS_ACCESS_KEY_ID")),
        .secret_key = str_from_cstr(getenv("AWS_SECRET_ACCESS_KEY")),
        .region = STR("us-east-1"),
        .bucket = STR("bench"),
        .size_bytes = 1024,
        .keys = 1000,
        .first = UINT64_MAX,
        .versions = 1,
        .parts = 64,
        .seed = 1,
        .verify = 100,
        .connections = 16,
        .threads = 1,
        .seconds = 5,
        .timeout_s = 30,
        .directory = STR("."),
        .label = STR("-"),
    };

    for (int i = 1; i < argc; i++) {
        struct str word = str_from_cstr(argv[i]);
        const struct option *option;
        struct str name;
        struct str value;

        if (str_eq(word, STR("--help")) || str_eq(word, STR("-h"))) {
            *ret_help = true;
            return true;
        }
        if (str_eq(word, STR("--"))) {
            options.program = argv[i + 1] != NULL ? &argv[i + 1] : NULL;
            break;
        }
        if (!str_starts(word, STR("--"))) {
            if (str_present(options.command_name) || !find_command(word, &options))
                return fault_set(fault, false, "'%s' is not a command: see --help", argv[i]);
            continue;
        }

        (void)str_cut(str_skip(word, 2), '=', &name, &value);
        option = find(name);
        if (option == NULL)
            return fault_set(fault, false, "'%s' is not an option: see --help", argv[i]);
        if (!str_present(value) && option->kind != KIND_FLAG)
            value = str_from_cstr(argv[++i]); /* argv ends with NULL */
        if (str_present(value) == (option->kind == KIND_FLAG) ||
            !read_value(option, value.p, &options))
            return fault_set(fault, false, "--%.*s needs %s", STR_ARG(name),
                             option->kind == KIND_FLAG ? "no value" : "a value: see --help");
    }

    if (!str_present(options.command_name))
        return fault_set(fault, false, "no command: see --help");
    if (!complete(&options, fault))
        return false;
    *ret_options = options;
    *ret_help = false;
    return true;
}

void options_help(void)
{
    (void)printf("Usage: pail-bench COMMAND [options]\n\n"
                 "Signs requests ahead, replays them at an S3 server and checks every answer.\n"
                 "The keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.\n\n");
    for (size_t i = 0; i < BENCH_COMMANDS; i++)
        (void)printf("  %-15s %s\n", commands[i].name.p, commands[i].does);
    (void)printf("\n");
    for (size_t i = 0; i < COUNT_OF(table); i++)
        (void)printf("  --%-12s %-8s %s\n", table[i].name.p, table[i].value, table[i].does);
    (void)printf("\nExit codes: 0 done, 1 a wrong answer or no measurement, 2 not understood.\n");
}
