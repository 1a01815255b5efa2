/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of users: who may sign, found by access key, canonical id or e-mail address.
 *
 * (1) Once it is in force nothing of it changes, so that readers take no lock: other users are
 *     another table.
 * (2) The first user added is the root user.
 * (3) Its secrets are wiped before its memory is given back.
 */
#include "server/auth/users.h"
#include "base/digest/hash.h"
#include "base/text/buf.h"

#include <stdatomic.h>
#include <string.h>

#include "base/digest/digest.h"
#include "base/text/codec.h"

#define NAME_BYTES_MAX 256
#define USERS_ARENA_BYTES (2 * 1024 * 1024) /* AUTH_USERS_MAX users with every field at its limit */
#define SLOTS 512                           /* a power of two, twice AUTH_USERS_MAX */

struct users {
    atomic_uint holders;
    struct arena *arena;
    size_t count;
    struct user list[AUTH_USERS_MAX];
    uint16_t by_access_key[SLOTS]; /* position in list + 1 */
};

struct users *users_open(void)
{
    struct users *users = mem_zalloc(sizeof(*users));

    if (users == NULL)
        return NULL;

    users->arena = arena_open(4096, USERS_ARENA_BYTES);
    if (users->arena == NULL) {
        mem_free(users);
        return NULL;
    }

    atomic_init(&users->holders, 1);
    return users;
}

/* The arena's copies, which nobody reads any more. */
static void wipe(struct str secret)
{
    if (secret.len > 0)
        explicit_bzero((void *)(uintptr_t)secret.p, secret.len);
}

void users_hold(struct users *users)
{
    (void)atomic_fetch_add(&users->holders, 1);
}

void users_drop(struct users *users)
{
    if (atomic_fetch_sub(&users->holders, 1) != 1)
        return;

    for (size_t i = 0; i < users->count; i++) {
        wipe(users->list[i].secret_key);
        wipe(users->list[i].session_token);
    }
    arena_close(users->arena);
    mem_free(users);
}

void users_close(struct users *users)
{
    if (users != NULL)
        users_drop(users);
}

static size_t slot_of(struct str access_key)
{
    return hash_quick(access_key, 0) % SLOTS;
}

static bool user_fits(const struct user *user, struct fault *fault)
{
    if (user->access_key.len == 0 || user->access_key.len > AUTH_ACCESS_KEY_BYTES_MAX)
        return fault_false(fault, "access key empty or longer than %d bytes",
                           AUTH_ACCESS_KEY_BYTES_MAX);
    if (user->secret_key.len == 0 || user->secret_key.len > AUTH_SECRET_BYTES_MAX)
        return fault_false(fault, "secret key of '%.*s' empty or longer than %d bytes",
                           STR_ARG(user->access_key), AUTH_SECRET_BYTES_MAX);
    if (user->canonical_id.len != 64)
        return fault_false(fault, "canonical id of '%.*s' is not 64 bytes long",
                           STR_ARG(user->access_key));
    if (str_present(user->account) && !users_account_good(user->account))
        return fault_false(fault, "account of '%.*s' is not 12 digits", STR_ARG(user->access_key));
    if (str_present(user->session_token) &&
        (user->session_token.len == 0 || user->session_token.len > AUTH_TOKEN_BYTES_MAX))
        return fault_false(fault, "session token of '%.*s' empty or longer than %d bytes",
                           STR_ARG(user->access_key), AUTH_TOKEN_BYTES_MAX);
    if (user->name.len > NAME_BYTES_MAX || user->display_name.len > NAME_BYTES_MAX ||
        user->email.len > NAME_BYTES_MAX)
        return fault_false(fault, "name or e-mail address of '%.*s' longer than %d bytes",
                           STR_ARG(user->access_key), NAME_BYTES_MAX);

    return true;
}

/* An account is one owner, and an owner one account. */
static bool account_agrees(const struct users *users, const struct user *user, struct str account,
                           struct fault *fault)
{
    for (size_t i = 0; i < users->count; i++) {
        const struct user *other = &users->list[i];

        if (str_eq(other->account, account) != str_eq(other->canonical_id, user->canonical_id))
            return fault_false(fault,
                               "'%.*s' and '%.*s' have one of account and canonical id in common, "
                               "and not the other",
                               STR_ARG(other->access_key), STR_ARG(user->access_key));
    }
    return true;
}

bool users_add(struct users *users, const struct user *user, struct fault *fault)
{
    struct user *copy = &users->list[users->count < AUTH_USERS_MAX ? users->count : 0];
    char made[AUTH_ACCOUNT_DIGITS];
    struct str account = user->account;
    size_t slot;

    if (users->count == AUTH_USERS_MAX)
        return fault_false(fault, "more than %d users", AUTH_USERS_MAX);
    if (!user_fits(user, fault))
        return false;
    if (users_by_access_key(users, user->access_key) != NULL)
        return fault_false(fault, "access key '%.*s' given twice", STR_ARG(user->access_key));
    if (!str_present(account)) {
        users_account_id(user->canonical_id, made);
        account = str_make(made, sizeof(made));
    }
    if (!account_agrees(users, user, account, fault))
        return false;

    *copy = (struct user){
        .access_key = arena_dup(users->arena, user->access_key),
        .secret_key = arena_dup(users->arena, user->secret_key),
        .kind = user->kind,
        .account = arena_dup(users->arena, account),
        .canonical_id = arena_dup(users->arena, user->canonical_id),
        .display_name = arena_dup(users->arena, user->display_name),
        .email = arena_dup(users->arena, user->email),
        .expires_us = user->expires_us,
        .disabled = user->disabled,
    };
    if (str_present(user->name)) {
        copy->name = arena_dup(users->arena, user->name);
        if (!str_present(copy->name))
            return fault_false(fault, "no memory");
    }
    if (str_present(user->session_token)) {
        copy->session_token = arena_dup(users->arena, user->session_token);
        if (!str_present(copy->session_token))
            return fault_false(fault, "no memory");
    }
    if (!str_present(copy->access_key) || !str_present(copy->secret_key) ||
        !str_present(copy->account) || !str_present(copy->canonical_id) ||
        !str_present(copy->display_name) || !str_present(copy->email))
        return fault_false(fault, "no memory");

    for (slot = slot_of(copy->access_key); users->by_access_key[slot] != 0;)
        slot = (slot + 1) % SLOTS;
    users->by_access_key[slot] = (uint16_t)++users->count;
    return true;
}

const struct user *users_by_access_key(const struct users *users, struct str access_key)
{
    if (access_key.len > AUTH_ACCESS_KEY_BYTES_MAX)
        return NULL;

    for (size_t slot = slot_of(access_key); users->by_access_key[slot] != 0;
         slot = (slot + 1) % SLOTS) {
        const struct user *user = &users->list[users->by_access_key[slot] - 1];

        if (str_eq(user->access_key, access_key))
            return user;
    }

    return NULL;
}

const struct user *users_by_canonical_id(const struct users *users, struct str canonical_id)
{
    for (size_t i = 0; i < users->count; i++) {
        if (str_eq(users->list[i].canonical_id, canonical_id))
            return &users->list[i];
    }

    return NULL;
}

const struct user *users_by_email(const struct users *users, struct str email)
{
    for (size_t i = 0; i < users->count && email.len > 0; i++) {
        if (str_eq_nocase(users->list[i].email, email))
            return &users->list[i];
    }

    return NULL;
}

const struct user *users_first(const struct users *users)
{
    return users->count > 0 ? &users->list[0] : NULL;
}

size_t users_count(const struct users *users)
{
    return users->count;
}

void users_canonical_id(struct str name, char out[64])
{
    uint8_t sha256[SHA256_BYTES];

    digest_once(DIGEST_SHA256, name, sha256);
    hex_encode(sha256, sizeof(sha256), out);
}

void users_account_id(struct str canonical_id, char out[AUTH_ACCOUNT_DIGITS])
{
    uint8_t sha256[SHA256_BYTES];
    uint64_t number = 0;

    digest_once(DIGEST_SHA256, canonical_id, sha256);
    for (size_t i = 0; i < sizeof(number); i++)
        number = number << 8 | sha256[i];
    for (size_t i = AUTH_ACCOUNT_DIGITS; i > 0; i--, number /= 10)
        out[i - 1] = (char)('0' + number % 10);
}

bool users_account_good(struct str account)
{
    for (size_t i = 0; i < account.len; i++) {
        if (account.p[i] < '0' || account.p[i] > '9')
            return false;
    }
    return account.len == AUTH_ACCOUNT_DIGITS;
}
