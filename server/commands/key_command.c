/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail key VERB DIR ...: the named keys of a store, for aws:kms. A server that runs sees what has changed.
 *
 * Each verb is a row of `verbs`: it changes a table that is read before and written after it, under a lock
 * on the directory that all runs of this command take.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text/codec.h"
#include "server/commands/arguments.h"
#include "server/commands/commands.h"
#include "storage/store.h"

#define TEXT_MAX (64u * 1024u)
#define OPERANDS_MAX 3
#define DAYS_MIN 7 /* as KMS */
#define DAYS_MAX 30

struct request {
    struct key_table *table;
    struct str operands[OPERANDS_MAX]; /* those after the verb; the first is the directory */
    int64_t days;
    int64_t now_us;
    struct buf *out;
};

typedef bool verb_run(struct request *request, struct fault *fault);

static void print_help(struct buf *out)
{
    buf_lit(
        out,
        "Usage: pail key VERB DIR ...\n"
        "\n"
        "Named keys of the store in DIR, for x-amz-server-side-encryption: aws:kms.\n"
        "\n"
        "  create DIR                       make one; its id is printed\n"
        "  list DIR                         ids, states, versions, aliases\n"
        "  alias DIR NAME KEY               let alias/NAME mean KEY from now on\n"
        "  disable DIR KEY                  neither writes nor reads with it\n"
        "  enable DIR KEY                   again\n"
        "  rotate DIR KEY                   a new version for what is written from now on\n"
        "  schedule-deletion DIR KEY        delete it in some days; what it wrapped is lost then\n"
        "  cancel-deletion DIR KEY          do not; it is disabled\n"
        "\n"
        "  --days N   until the deletion, 7 to 30 (30)\n"
        "\n"
        "KEY is an id or alias/NAME. A server that serves DIR need not be told.\n");
}

/* ---- verbs ------------------------------------------------------------------------------------- */

static struct named_key *key_of(const struct request *request, struct str name, struct fault *fault)
{
    struct named_key *key = key_table_find(request->table, name);

    if (key == NULL || key->state == KEY_DELETED) {
        fault_note(fault, "there is no key '%.*s'", STR_ARG(name));
        return NULL;
    }
    return key;
}

static bool add_version(struct named_key *key, struct fault *fault)
{
    if (key->version_count == KEY_VERSIONS_MAX)
        return fault_false(fault, "a key has at most %d versions", KEY_VERSIONS_MAX);
    random_key_bytes(key->versions[key->version_count++], AES_KEY_BYTES);
    return true;
}

static bool run_create(struct request *request, struct fault *fault)
{
    struct key_table *table = request->table;
    struct named_key *key = &table->keys[table->count];
    uint8_t id[16];
    char hex[2 * sizeof(id)];

    if (table->count == STORE_KEYS_MAX)
        return fault_false(fault, "a store has at most %d keys", STORE_KEYS_MAX);
    table->count++;
    random_key_bytes(id, sizeof(id));
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    hex_encode(id, sizeof(id), hex);
    (void)snprintf(key->uuid, sizeof(key->uuid), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
                   hex + 12, hex + 16, hex + 20);
    key->state = KEY_ENABLED;
    buf_printf(request->out, "%s\n", key->uuid);
    return add_version(key, fault);
}

static bool run_list(struct request *request, struct fault *fault UNUSED)
{
    static const char *const states[] = { "none", "enabled", "disabled", "pending", "deleted" };
    const struct key_table *table = request->table;

    for (size_t i = 0; i < table->count; i++) {
        const struct named_key *key = &table->keys[i];

        buf_printf(request->out, "%s %s %u", key->uuid, states[key->state], key->version_count);
        for (size_t k = 0; k < table->alias_count; k++)
            if (strcmp(table->aliases[k].uuid, key->uuid) == 0)
                buf_printf(request->out, " alias/%s", table->aliases[k].name);
        buf_char(request->out, '\n');
    }
    return true;
}

/* https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html */
static bool alias_is_good(struct str name)
{
    static const char others[] = "/_-";

    if (name.len == 0 || name.len > KEY_ALIAS_BYTES_MAX || str_starts(name, STR("aws/")))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr(others, c) != NULL))
            return false;
    }
    return true;
}

static bool run_alias(struct request *request, struct fault *fault)
{
    struct key_table *table = request->table;
    struct str name = request->operands[1];
    const struct named_key *key = key_of(request, request->operands[2], fault);
    struct str prefix = STR("alias/");
    size_t at = 0;

    if (key == NULL)
        return false;
    if (str_starts(name, prefix))
        name = str_skip(name, prefix.len);
    if (!alias_is_good(name))
        return fault_false(fault, "'%.*s' is no name for a key", STR_ARG(name));
    while (at < table->alias_count && !str_eq(str_from_cstr(table->aliases[at].name), name))
        at++;
    if (at == KEY_ALIASES_MAX)
        return fault_false(fault, "a store has at most %d aliases", KEY_ALIASES_MAX);
    if (at == table->alias_count)
        table->alias_count++;
    (void)snprintf(table->aliases[at].name, sizeof(table->aliases[at].name), "%.*s", STR_ARG(name));
    memcpy(table->aliases[at].uuid, key->uuid, sizeof(key->uuid));
    return true;
}

/* From one of two states to another. */
static bool change_state(struct request *request, bool pending, enum key_state to,
                         struct fault *fault)
{
    struct named_key *key = key_of(request, request->operands[1], fault);

    if (key == NULL)
        return false;
    if ((key->state == KEY_PENDING) != pending)
        return fault_false(fault, pending ? "the key waits for no deletion"
                                          : "the key waits for its deletion");
    key->state = to;
    key->due_us = to == KEY_PENDING ? request->now_us + request->days * US_PER_DAY : 0;
    return true;
}

static bool run_disable(struct request *request, struct fault *fault)
{
    return change_state(request, /* pending= */ false, KEY_DISABLED, fault);
}

static bool run_enable(struct request *request, struct fault *fault)
{
    return change_state(request, /* pending= */ false, KEY_ENABLED, fault);
}

static bool run_delete(struct request *request, struct fault *fault)
{
    return change_state(request, /* pending= */ false, KEY_PENDING, fault);
}

static bool run_keep(struct request *request, struct fault *fault)
{
    return change_state(request, /* pending= */ true, KEY_DISABLED, fault);
}

static bool run_rotate(struct request *request, struct fault *fault)
{
    struct named_key *key = key_of(request, request->operands[1], fault);

    if (key != NULL && key->state != KEY_ENABLED)
        return fault_false(fault, "the key is not enabled");
    return key != NULL && add_version(key, fault);
}

static const struct verb {
    struct str name;
    verb_run *run;
    size_t operands;
    bool changes;
} verbs[] = {
    { STR("create"), run_create, 1, true },
    { STR("list"), run_list, 1, false },
    { STR("alias"), run_alias, 3, true },
    { STR("disable"), run_disable, 2, true },
    { STR("enable"), run_enable, 2, true },
    { STR("rotate"), run_rotate, 2, true },
    { STR("schedule-deletion"), run_delete, 2, true },
    { STR("cancel-deletion"), run_keep, 2, true },
};

/* ---- run --------------------------------------------------------------------------------------- */

/* Only where a store is: a key elsewhere is of no use. */
static int open_dir(struct str path, struct fault *fault)
{
    CLEANUP(fd_close) int fd = open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        fault_errno(fault, 0, "open '%.*s'", STR_ARG(path));
        return -1;
    }
    if (faccessat(fd, "format", F_OK, 0) != 0) {
        fault_note(fault, "'%.*s' is not a store", STR_ARG(path));
        return -1;
    }
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR) {
            fault_errno(fault, 0, "lock '%.*s'", STR_ARG(path));
            return -1;
        }
    return fd_take(&fd);
}

static bool run_verb(const struct verb *verb, struct request *request, struct fault *fault)
{
    CLEANUP(key_table_closep) struct key_table *table = key_table_open();
    CLEANUP(fd_close) int fd = open_dir(request->operands[0], fault);

    if (fd < 0)
        return false;
    if (table == NULL)
        return fault_false(fault, "there is no memory");
    request->table = table;
    if (key_table_read(fd, table, fault) != STORE_OK || !verb->run(request, fault))
        return false;
    return !verb->changes || key_table_write(fd, table, request->now_us, fault) == STORE_OK;
}

/* The options and operands. False: not understood. */
static bool parse(char *const *words, const struct verb **ret_verb, struct request *request,
                  struct fault *fault)
{
    static const struct str known[] = { STR("--days"), STR("--help") };
    struct arguments arguments = ARGUMENTS(words);
    struct str given[1 + OPERANDS_MAX];
    size_t count = 0;
    enum argument kind;
    struct str word;
    uint64_t days;

    while ((kind = arguments_next(&arguments, &word)) != ARGUMENT_END) {
        if (kind == ARGUMENT_OPERAND) {
            if (count == COUNT_OF(given))
                return fault_false(fault, "key takes no '%.*s'", STR_ARG(word));
            given[count++] = word;
            continue;
        }
        if (!str_eq(word, STR("--days")))
            return arguments_unknown(word, known, COUNT_OF(known), fault);
        if (!arguments_value(&arguments, word, &word, fault))
            return false;
        if (!str_to_u64(word, &days) || days < DAYS_MIN || days > DAYS_MAX)
            return fault_false(fault, "--days is a number from %d to %d", DAYS_MIN, DAYS_MAX);
        request->days = (int64_t)days;
    }
    for (size_t i = 0; count > 0 && i < COUNT_OF(verbs); i++)
        if (str_eq(verbs[i].name, given[0]) && verbs[i].operands == count - 1) {
            *ret_verb = &verbs[i];
            memcpy(request->operands, given + 1, (count - 1) * sizeof(given[0]));
            return true;
        }
    return fault_false(fault, "key takes a verb, a directory and what the verb says");
}

int command_key(char *const *words)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(TEXT_MAX);
    struct request request = { .days = DAYS_MAX,
                               .now_us = clock_now_us(&clock_of_system),
                               .out = &text };
    const struct verb *verb = NULL;
    struct fault fault = { 0 };

    if (arguments_ask_help(words)) {
        print_help(&text);
        command_write(STDOUT_FILENO, &text);
        return EXIT_CODE_OK;
    }
    if (!parse(words, &verb, &request, &fault))
        return command_usage("key", &fault);
    if (!run_verb(verb, &request, &fault))
        return command_failed(EXIT_CODE_FAILED, &fault);
    command_write(STDOUT_FILENO, &text);
    return EXIT_CODE_OK;
}
