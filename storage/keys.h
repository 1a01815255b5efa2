/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named keys: keys of a store that people make, call by a name, switch off and delete.
 *
 * They are in DIR/keys (mode 0600), which `pail key` replaces whole and a running server reads again when
 * it has changed:
 *
 *     pail keys 1
 *     key <uuid> <enabled|disabled|pending|deleted> <due, us> <key, 64 hex digits>...
 *     alias <name> <uuid>
 *
 * (1) The last of a key's versions wraps, all of them unwrap: a rotation adds one.
 * (2) Off or waiting for its deletion, a key still unwraps: whether it may be used is asked before that.
 * (3) One that is deleted has no bytes any more, and stays known, so that what it wrapped is told from
 *     what the keyring did.
 */
#ifndef STORAGE_KEYS_H
#define STORAGE_KEYS_H

#include "base/digest/digest.h"
#include "storage/model.h"

struct store;

/* A key's id in text. */
#define STORE_KEY_UUID_LEN 36

#define STORE_KEYS_MAX 100
#define KEY_VERSIONS_MAX 16
#define KEY_ALIASES_MAX 100
#define KEY_ALIAS_BYTES_MAX 250 /* without "alias/", as KMS */
#define KEY_CONTEXT_BYTES 16

enum key_state { KEY_NONE = 0, KEY_ENABLED, KEY_DISABLED, KEY_PENDING, KEY_DELETED };

struct named_key {
    char uuid[STORE_KEY_UUID_LEN + 1];
    enum key_state state;
    int64_t due_us; /* PENDING: when it is deleted */
    uint32_t version_count;
    uint8_t versions[KEY_VERSIONS_MAX][AES_KEY_BYTES];
};

struct key_alias {
    char name[KEY_ALIAS_BYTES_MAX + 1];
    char uuid[STORE_KEY_UUID_LEN + 1];
};

/* Large: on the heap. */
struct key_table {
    size_t count;
    struct named_key keys[STORE_KEYS_MAX];
    size_t alias_count;
    struct key_alias aliases[KEY_ALIASES_MAX];
};

/* NULL: no memory. */
MUST_CHECK struct key_table *key_table_open(void);
void key_table_close(struct key_table *table); /* wipes it; NULL is fine */
void key_table_closep(struct key_table **table);
/* What the directory's file says; without a file the table is empty. */
MUST_CHECK enum store_status key_table_read(int dir_fd, struct key_table *table,
                                            struct fault *fault);
/* Durable when it returns. Keys whose time has come by now_us lose their bytes. */
MUST_CHECK enum store_status key_table_write(int dir_fd, struct key_table *table, int64_t now_us,
                                             struct fault *fault);
/* By UUID, or by "alias/NAME"; NULL: there is none. */
struct named_key *key_table_find(struct key_table *table, struct str name);

/* A store's key, by such a name, as it is now. */
struct key_found {
    bool any; /* the store has a named key at all */
    enum key_state state;
    char uuid[STORE_KEY_UUID_LEN + 1];
};
/* Any thread. STORE_FORMAT: the file is not what `pail key` writes. */
MUST_CHECK enum store_status store_key_find(struct store *store, struct str name,
                                            struct key_found *ret_found, struct fault *fault);

#endif
