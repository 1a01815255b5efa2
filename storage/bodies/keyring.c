/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Master keys; format in keyring.h.
 */
#include "storage/bodies/keyring.h"

#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/text/codec.h"
#include "storage/io_status.h"

#define KEYRING_BYTES_MAX 4096
#define KEY_ID_TEXT 8
#define KEY_TEXT (2 * AES_KEY_BYTES)
#define UUID_BYTES 16
#define SEALED_BYTES (AES_GCM_NONCE_BYTES + AES_KEY_BYTES + AES_GCM_TAG_BYTES)

_Static_assert(WRAPPED_KEY_BYTES == 4 + SEALED_BYTES, "as keyring.h has it");
_Static_assert(WRAPPED_KEY_BYTES_MAX == NAMED_WRAPPED_BYTES, "the longest");

static const char first_line[] = "pail keyring 1";

/* What holds keys as text. */
static void text_wipe(struct buf *text)
{
    if (text->p != NULL)
        explicit_bzero(text->p, text->capacity);
    buf_free(text);
}

static enum store_status keyring_make(int store_fd, struct fault *fault)
{
    CLEANUP(text_wipe) struct buf text = BUF_WITH_MAX(KEYRING_BYTES_MAX);
    uint8_t id[4];
    CLEANUP(secret_key_wipe) struct secret_key key;
    char hex[KEY_ID_TEXT + KEY_TEXT];
    int error;

    random_key_bytes(id, sizeof(id));
    random_key_bytes(key.bytes, sizeof(key.bytes));
    hex_encode(id, sizeof(id), hex);
    hex_encode(key.bytes, sizeof(key.bytes), hex + KEY_ID_TEXT);
    buf_printf(&text, "%s\n%.*s %.*s\n", first_line, KEY_ID_TEXT, hex, KEY_TEXT, hex + KEY_ID_TEXT);
    error = text.failed ? -ENOMEM : file_place(store_fd, "keyring", 0600, buf_view(&text));
    explicit_bzero(hex, sizeof(hex));
    if (error < 0)
        return store_fault_io(fault, error, "write the keyring");
    return STORE_OK;
}

static bool parse_key(struct str line, struct keyring *keyring)
{
    struct str id_text;
    struct str key_text;
    uint64_t id;

    if (keyring->count == KEYRING_KEYS_MAX || !str_cut(line, ' ', &id_text, &key_text) ||
        id_text.len != KEY_ID_TEXT || !str_to_u64_hex(id_text, &id) ||
        !hex_decode(key_text, keyring->keys[keyring->count].key, AES_KEY_BYTES))
        return false;

    keyring->keys[keyring->count++].id = (uint32_t)id;
    return true;
}

static enum store_status keyring_parse(struct str text, struct keyring *keyring,
                                       struct fault *fault)
{
    struct str line;

    if (!str_next(&text, '\n', &line) || !str_eq(line, str_from_cstr(first_line)))
        return store_fault(fault, STORE_FORMAT, "the keyring does not start with '%s'", first_line);
    while (str_next(&text, '\n', &line)) {
        if (line.len != 0 && !parse_key(line, keyring))
            return store_fault(fault, STORE_FORMAT, "the keyring has a line that is no key");
    }
    return keyring->count > 0 ? STORE_OK
                              : store_fault(fault, STORE_FORMAT, "the keyring has no key");
}

enum store_status keyring_open(int store_fd, bool create, struct keyring *ret_keyring,
                               struct fault *fault)
{
    CLEANUP(text_wipe) struct buf text = BUF_WITH_MAX(KEYRING_BYTES_MAX);
    int error = file_read_own(store_fd, "keyring", &text);
    enum store_status status;

    if (error == -ENOENT && create) {
        status = keyring_make(store_fd, fault);
        if (status != STORE_OK)
            return status;
        error = file_read_own(store_fd, "keyring", &text);
    }
    if (error == -ENOENT)
        return store_fault(fault, STORE_FORMAT, "the file 'keyring' of the store is missing");
    if (error < 0)
        return store_fault_io(fault, error, "read the keyring");

    memset(ret_keyring, 0, sizeof(*ret_keyring));
    status = keyring_parse(buf_view(&text), ret_keyring, fault);
    if (status == STORE_OK && (ret_keyring->named = named_keys_open(store_fd)) == NULL)
        status = store_fault(fault, STORE_NO_MEMORY, "named keys");
    if (status != STORE_OK)
        keyring_close(ret_keyring);
    return status;
}

void keyring_close(struct keyring *keyring)
{
    named_keys_close(keyring->named);
    explicit_bzero(keyring, sizeof(*keyring));
}

static void put_id(uint32_t id, uint8_t out[4])
{
    for (size_t i = 0; i < 4; i++)
        out[i] = (uint8_t)(id >> (24 - 8 * i));
}

/* out: nonce | sealed key | tag. what: kind of key that wraps. */
static void seal_key(const uint8_t key[AES_KEY_BYTES], struct str what,
                     const uint8_t data_key[AES_KEY_BYTES], uint8_t out[SEALED_BYTES])
{
    uint8_t *sealed = out + AES_GCM_NONCE_BYTES;

    random_key_bytes(out, AES_GCM_NONCE_BYTES);
    aes_gcm_seal(key, out, what, data_key, AES_KEY_BYTES, sealed, sealed + AES_KEY_BYTES);
}

static enum store_status open_key(const uint8_t key[AES_KEY_BYTES], struct str what,
                                  const uint8_t in[SEALED_BYTES], uint8_t out[AES_KEY_BYTES],
                                  struct fault *fault)
{
    const uint8_t *sealed = in + AES_GCM_NONCE_BYTES;

    return aes_gcm_open(key, in, what, sealed, AES_KEY_BYTES, out, sealed + AES_KEY_BYTES)
               ? STORE_OK
               : store_fault(fault, STORE_DAMAGED, "a data key does not unwrap");
}

bool keyring_can_not(const struct keyring *keyring, const uint8_t *wrapped, size_t len)
{
    return len == SEALED_BYTES ||
           (len == NAMED_WRAPPED_BYTES && named_keys_let_go(keyring->named, wrapped));
}

enum store_status keyring_wrap(const struct keyring *keyring, const struct body_options *options,
                               const uint8_t data_key[AES_KEY_BYTES],
                               uint8_t out[WRAPPED_KEY_BYTES_MAX], size_t *ret_len,
                               struct fault *fault)
{
    if (options->customer_key != NULL) {
        seal_key(options->customer_key, STR("pail customer data key"), data_key, out);
        *ret_len = SEALED_BYTES;
        return STORE_OK;
    }
    if (str_present(options->named_key)) {
        *ret_len = NAMED_WRAPPED_BYTES;
        return named_keys_wrap(keyring->named, options->named_key, options->key_context, data_key,
                               out, fault);
    }
    put_id(keyring->keys[0].id, out);
    seal_key(keyring->keys[0].key, STR("pail data key"), data_key, out + 4);
    *ret_len = WRAPPED_KEY_BYTES;
    return STORE_OK;
}

enum store_status keyring_unwrap(const struct keyring *keyring, const uint8_t *customer_key,
                                 struct str wrapped, uint8_t out[AES_KEY_BYTES],
                                 struct fault *fault)
{
    const uint8_t *bytes = (const uint8_t *)wrapped.p;
    uint8_t id[4];

    if (wrapped.len == SEALED_BYTES)
        return customer_key != NULL
                   ? open_key(customer_key, STR("pail customer data key"), bytes, out, fault)
                   : store_fault(fault, STORE_DAMAGED, "a data key that only its customer unwraps");
    if (wrapped.len == NAMED_WRAPPED_BYTES)
        return named_keys_unwrap(keyring->named, bytes, out, fault);
    if (wrapped.len != WRAPPED_KEY_BYTES)
        return store_fault(fault, STORE_DAMAGED, "a wrapped key of %zu bytes", wrapped.len);

    for (size_t i = 0; i < keyring->count; i++) {
        put_id(keyring->keys[i].id, id);
        if (memcmp(id, bytes, sizeof(id)) == 0)
            return open_key(keyring->keys[i].key, STR("pail data key"), bytes + 4, out, fault);
    }
    return store_fault(fault, STORE_DAMAGED, "the keyring has no key %02x%02x%02x%02x", bytes[0],
                       bytes[1], bytes[2], bytes[3]);
}

enum store_status keyring_rewrap(const struct keyring *keyring, const struct body_options *options,
                                 struct str wrapped, uint8_t out[WRAPPED_KEY_BYTES_MAX],
                                 size_t *ret_len, struct fault *fault)
{
    CLEANUP(secret_key_wipe) struct secret_key key;
    enum store_status status = keyring_unwrap(keyring, NULL, wrapped, key.bytes, fault);

    return status == STORE_OK ? keyring_wrap(keyring, options, key.bytes, out, ret_len, fault)
                              : status;
}

void keyring_derive(const struct keyring *keyring, struct str purpose, uint8_t out[AES_KEY_BYTES])
{
    _Static_assert(AES_KEY_BYTES == SHA256_BYTES, "a MAC is a key");
    hmac_sha256(str_make(keyring->keys[keyring->count - 1].key, AES_KEY_BYTES), purpose, out);
}

void keyring_uuid(const struct keyring *keyring, char out[STORE_KEY_UUID_LEN + 1])
{
    uint8_t digest[SHA256_BYTES];
    char hex[2 * UUID_BYTES];

    hmac_sha256(str_make(keyring->keys[keyring->count - 1].key, AES_KEY_BYTES),
                STR("pail key uuid"), digest);
    /* RFC 9562, version 8: the bits are the program's own. */
    digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x80);
    digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
    hex_encode(digest, UUID_BYTES, hex);
    (void)snprintf(out, STORE_KEY_UUID_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                   hex + 16, hex + 20);
}
