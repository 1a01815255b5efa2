/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named keys of an open store; see named_keys.h.
 */
#include "storage/bodies/named_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/random.h"
#include "base/text/codec.h"
#include "storage/io_status.h"

#define UUID_BYTES 16

struct named_keys {
    int store_fd;
    pthread_mutex_t lock;    /* of all below */
    struct stat seen;        /* of the file that the table is of */
    struct key_table *table; /* NULL: there is no file */
};

struct named_keys *named_keys_open(int store_fd)
{
    struct named_keys *named = mem_zalloc(sizeof(*named));

    if (named == NULL)
        return NULL;
    named->store_fd = store_fd;
    (void)pthread_mutex_init(&named->lock, NULL);
    return named;
}

void named_keys_close(struct named_keys *named)
{
    if (named == NULL)
        return;
    key_table_close(named->table);
    (void)pthread_mutex_destroy(&named->lock);
    mem_free(named);
}

/* Each write makes a file of its own. */
static bool is_the_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Under the lock: the table is that of the file there is now. */
static enum store_status refresh(struct named_keys *named, struct fault *fault)
{
    CLEANUP(key_table_closep) struct key_table *table = NULL;
    struct stat now;
    enum store_status status;

    if (fstatat(named->store_fd, "keys", &now, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT)
            return store_fault_errno(fault, STORE_IO, "look at the named keys");
        key_table_closep(&named->table);
        return STORE_OK;
    }
    if (named->table != NULL && is_the_same(&named->seen, &now))
        return STORE_OK;
    table = key_table_open();
    if (table == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "named keys");
    status = key_table_read(named->store_fd, table, fault);
    if (status != STORE_OK)
        return status;
    key_table_close(named->table);
    named->table = table;
    named->seen = now;
    table = NULL;
    return STORE_OK;
}

static struct named_key *find(struct named_keys *named, struct str name)
{
    return named->table != NULL ? key_table_find(named->table, name) : NULL;
}

enum store_status named_keys_find(struct named_keys *named, struct str name, int64_t now_us,
                                  struct key_found *ret_found, struct fault *fault)
{
    struct key_found found = { .any = false };
    const struct named_key *key;
    enum store_status status;

    (void)pthread_mutex_lock(&named->lock);
    status = refresh(named, fault);
    key = status == STORE_OK ? find(named, name) : NULL;
    found.any = named->table != NULL && named->table->count > 0;
    if (key != NULL) {
        found.state = key->state == KEY_PENDING && key->due_us <= now_us ? KEY_DELETED : key->state;
        memcpy(found.uuid, key->uuid, sizeof(found.uuid));
    }
    (void)pthread_mutex_unlock(&named->lock);
    if (status == STORE_OK)
        *ret_found = found;
    return status;
}

/* ---- wrapping ---------------------------------------------------------------------------------- */

/* The digits of a UUID, without what parts them. */
static bool uuid_bytes(struct str text, uint8_t out[UUID_BYTES])
{
    char digits[2 * UUID_BYTES];
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] != '-') {
            if (len == sizeof(digits))
                return false;
            digits[len++] = text.p[i];
        }
    return hex_decode(str_make(digits, len), out, UUID_BYTES);
}

/* In an open store nobody else has the number of. version: 1 is the oldest. */
static enum store_status version_key(struct named_keys *named, struct str uuid, uint32_t *version,
                                     uint8_t out[AES_KEY_BYTES], struct fault *fault)
{
    const struct named_key *key;
    enum store_status status;

    (void)pthread_mutex_lock(&named->lock);
    status = refresh(named, fault);
    key = status == STORE_OK ? find(named, uuid) : NULL;
    if (key != NULL && *version == 0)
        *version = key->version_count;
    if (key != NULL && *version >= 1 && *version <= key->version_count)
        memcpy(out, key->versions[*version - 1], AES_KEY_BYTES);
    else if (status == STORE_OK)
        status = store_fault(fault, STORE_DAMAGED, "the key %.*s is gone", STR_ARG(uuid));
    (void)pthread_mutex_unlock(&named->lock);
    return status;
}

enum store_status named_keys_wrap(struct named_keys *named, struct str uuid,
                                  const uint8_t context[KEY_CONTEXT_BYTES],
                                  const uint8_t data_key[AES_KEY_BYTES],
                                  uint8_t out[NAMED_WRAPPED_BYTES], struct fault *fault)
{
    uint8_t *nonce = out + NAMED_HEAD_BYTES;
    uint8_t *sealed = nonce + AES_GCM_NONCE_BYTES;
    uint8_t key[AES_KEY_BYTES];
    uint32_t version = 0;
    enum store_status status = version_key(named, uuid, &version, key, fault);

    if (status != STORE_OK)
        return status;
    if (!uuid_bytes(uuid, out))
        return store_fault(fault, STORE_DAMAGED, "a named key without a UUID");
    for (size_t i = 0; i < 4; i++)
        out[UUID_BYTES + i] = (uint8_t)(version >> (24 - 8 * i));
    memcpy(out + UUID_BYTES + 4, context, KEY_CONTEXT_BYTES);
    random_key_bytes(nonce, AES_GCM_NONCE_BYTES);
    aes_gcm_seal(key, nonce, str_make(out, NAMED_HEAD_BYTES), data_key, AES_KEY_BYTES, sealed,
                 sealed + AES_KEY_BYTES);
    explicit_bzero(key, sizeof(key));
    return STORE_OK;
}

static void uuid_text(const uint8_t bytes[UUID_BYTES], char out[STORE_KEY_UUID_LEN + 1])
{
    char hex[2 * UUID_BYTES];

    hex_encode(bytes, UUID_BYTES, hex);
    (void)snprintf(out, STORE_KEY_UUID_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                   hex + 16, hex + 20);
}

bool named_keys_let_go(struct named_keys *named, const uint8_t in[NAMED_WRAPPED_BYTES])
{
    char uuid[STORE_KEY_UUID_LEN + 1];
    const struct named_key *key;
    bool gone;

    uuid_text(in, uuid);
    (void)pthread_mutex_lock(&named->lock);
    key = refresh(named, NULL) == STORE_OK ? find(named, str_from_cstr(uuid)) : NULL;
    gone = key != NULL && key->state == KEY_DELETED;
    (void)pthread_mutex_unlock(&named->lock);
    return gone;
}

enum store_status named_keys_unwrap(struct named_keys *named, const uint8_t in[NAMED_WRAPPED_BYTES],
                                    uint8_t out[AES_KEY_BYTES], struct fault *fault)
{
    const uint8_t *nonce = in + NAMED_HEAD_BYTES;
    const uint8_t *sealed = nonce + AES_GCM_NONCE_BYTES;
    char uuid[STORE_KEY_UUID_LEN + 1];
    uint8_t key[AES_KEY_BYTES];
    uint32_t version = 0;
    enum store_status status;
    bool opened;

    uuid_text(in, uuid);
    for (size_t i = 0; i < 4; i++)
        version = version << 8 | in[UUID_BYTES + i];
    if (version == 0)
        return store_fault(fault, STORE_DAMAGED, "a data key does not unwrap");
    status = version_key(named, str_from_cstr(uuid), &version, key, fault);
    if (status != STORE_OK)
        return status;
    opened = aes_gcm_open(key, nonce, str_make(in, NAMED_HEAD_BYTES), sealed, AES_KEY_BYTES, out,
                          sealed + AES_KEY_BYTES);
    explicit_bzero(key, sizeof(key));
    return opened ? STORE_OK : store_fault(fault, STORE_DAMAGED, "a data key does not unwrap");
}
