/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of named keys; its form is in storage/keys.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text/codec.h"
#include "storage/io_status.h"
#include "storage/keys.h"

#define KEY_TEXT (2 * AES_KEY_BYTES)
/* All keys with all their versions, and all aliases. */
#define KEYS_BYTES_MAX                                                                             \
    (64u + STORE_KEYS_MAX * (96u + KEY_VERSIONS_MAX * (KEY_TEXT + 1u)) + KEY_ALIASES_MAX * 320u)

static const char first_line[] = "pail keys 1";

static const struct str state_names[] = { STR_INIT(""), STR_INIT("enabled"), STR_INIT("disabled"),
                                          STR_INIT("pending"), STR_INIT("deleted") };

struct key_table *key_table_open(void)
{
    return mem_zalloc(sizeof(struct key_table));
}

void key_table_close(struct key_table *table)
{
    if (table == NULL)
        return;
    explicit_bzero(table, sizeof(*table));
    mem_free(table);
}

void key_table_closep(struct key_table **table)
{
    key_table_close(*table);
    *table = NULL;
}

static void text_wipe(struct buf *text)
{
    if (text->p != NULL)
        explicit_bzero(text->p, text->capacity);
    buf_free(text);
}

/* ---- read -------------------------------------------------------------------------------------- */

static bool take_uuid(struct str text, char out[STORE_KEY_UUID_LEN + 1])
{
    if (text.len != STORE_KEY_UUID_LEN)
        return false;
    memcpy(out, text.p, text.len);
    out[text.len] = '\0';
    return true;
}

static enum key_state state_of(struct str name)
{
    for (size_t i = KEY_ENABLED; i < COUNT_OF(state_names); i++)
        if (str_eq(state_names[i], name))
            return (enum key_state)i;
    return KEY_NONE;
}

static bool parse_key(struct str rest, struct key_table *table)
{
    struct named_key *key = &table->keys[table->count];
    struct str uuid;
    struct str state;
    struct str due;
    struct str version;
    uint64_t due_us;

    if (table->count == STORE_KEYS_MAX || !str_next(&rest, ' ', &uuid) ||
        !take_uuid(uuid, key->uuid) || !str_next(&rest, ' ', &state) ||
        !str_next(&rest, ' ', &due) || !str_to_u64(due, &due_us) || due_us > INT64_MAX)
        return false;
    key->state = state_of(state);
    key->due_us = (int64_t)due_us;
    while (str_next(&rest, ' ', &version))
        if (key->version_count == KEY_VERSIONS_MAX ||
            !hex_decode(version, key->versions[key->version_count++], AES_KEY_BYTES))
            return false;
    table->count++;
    return key->state != KEY_NONE && (key->version_count == 0) == (key->state == KEY_DELETED);
}

static bool parse_alias(struct str rest, struct key_table *table)
{
    struct key_alias *alias = &table->aliases[table->alias_count];
    struct str name;
    struct str uuid;

    if (table->alias_count == KEY_ALIASES_MAX || !str_cut(rest, ' ', &name, &uuid) ||
        name.len == 0 || name.len > KEY_ALIAS_BYTES_MAX || !take_uuid(uuid, alias->uuid))
        return false;
    memcpy(alias->name, name.p, name.len);
    alias->name[name.len] = '\0';
    table->alias_count++;
    return true;
}

static bool parse_line(struct str line, struct key_table *table)
{
    struct str kind;
    struct str rest;

    if (!str_cut(line, ' ', &kind, &rest))
        return false;
    if (str_eq(kind, STR("key")))
        return parse_key(rest, table);
    return str_eq(kind, STR("alias")) && parse_alias(rest, table);
}

enum store_status key_table_read(int dir_fd, struct key_table *table, struct fault *fault)
{
    CLEANUP(text_wipe) struct buf text = BUF_WITH_MAX(KEYS_BYTES_MAX);
    int error = file_read_own(dir_fd, "keys", &text);
    struct str rest = buf_view(&text);
    struct str line;

    memset(table, 0, sizeof(*table));
    if (error == -ENOENT)
        return STORE_OK;
    if (error < 0)
        return store_fault_io(fault, error, "read the named keys");
    if (!str_next(&rest, '\n', &line) || !str_eq(line, str_from_cstr(first_line)))
        return store_fault(fault, STORE_FORMAT, "the file 'keys' does not start with '%s'",
                           first_line);
    while (str_next(&rest, '\n', &line))
        if (line.len > 0 && !parse_line(line, table))
            return store_fault(fault, STORE_FORMAT, "the file 'keys' has a line that is none");
    return STORE_OK;
}

/* ---- write ------------------------------------------------------------------------------------- */

static void let_go_if_due(struct named_key *key, int64_t now_us)
{
    if (key->state != KEY_PENDING || key->due_us > now_us)
        return;
    key->state = KEY_DELETED;
    key->version_count = 0;
    explicit_bzero(key->versions, sizeof(key->versions));
}

static void write_key(const struct named_key *key, struct buf *out)
{
    char hex[KEY_TEXT];

    buf_printf(out, "key %s %.*s %lld", key->uuid, STR_ARG(state_names[key->state]),
               (long long)key->due_us);
    for (uint32_t i = 0; i < key->version_count; i++) {
        hex_encode(key->versions[i], AES_KEY_BYTES, hex);
        buf_char(out, ' ');
        buf_append(out, hex, sizeof(hex));
    }
    buf_char(out, '\n');
    explicit_bzero(hex, sizeof(hex));
}

enum store_status key_table_write(int dir_fd, struct key_table *table, int64_t now_us,
                                  struct fault *fault)
{
    CLEANUP(text_wipe) struct buf text = BUF_WITH_MAX(KEYS_BYTES_MAX);
    int error;

    /* At once: a buffer that grows leaves its bytes behind. */
    if (!buf_reserve(&text, KEYS_BYTES_MAX))
        return store_fault(fault, STORE_NO_MEMORY, "named keys");
    buf_printf(&text, "%s\n", first_line);
    for (size_t i = 0; i < table->count; i++) {
        let_go_if_due(&table->keys[i], now_us);
        write_key(&table->keys[i], &text);
    }
    for (size_t i = 0; i < table->alias_count; i++)
        buf_printf(&text, "alias %s %s\n", table->aliases[i].name, table->aliases[i].uuid);
    error = text.failed ? -ENOMEM : file_replace(dir_fd, "keys", 0600, buf_view(&text));
    return error < 0 ? store_fault_io(fault, error, "write the named keys") : STORE_OK;
}

/* ---- find -------------------------------------------------------------------------------------- */

struct named_key *key_table_find(struct key_table *table, struct str name)
{
    struct str prefix = STR("alias/");

    if (str_starts(name, prefix)) {
        struct str wanted = str_skip(name, prefix.len);

        name = STR_NONE;
        for (size_t i = 0; i < table->alias_count; i++)
            if (str_eq(str_from_cstr(table->aliases[i].name), wanted))
                name = str_from_cstr(table->aliases[i].uuid);
    }
    for (size_t i = 0; i < table->count; i++)
        if (str_eq_nocase(str_from_cstr(table->keys[i].uuid), name))
            return &table->keys[i];
    return NULL;
}
