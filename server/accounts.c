/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users from settings; see accounts.h.
 */
#include "server/accounts.h"

#define PAIR_ARENA_BYTES ((size_t)8 * 1024) /* key, secret and session token at their limits */

struct accounts {
    char *const *words;
    struct str account; /* root's */
    int dir_fd;
    struct arena *arena; /* of root's texts */
    struct root_pair root;
    struct users_in_force *users;
};

static struct user root_user(const struct root_pair *pair, struct str account, char id[64])
{
    users_canonical_id(STR("root"), id);
    return (struct user){
        .access_key = pair->access_key,
        .secret_key = pair->secret_key,
        .session_token = pair->session_token,
        .kind = USER_ROOT,
        .account = account,
        .canonical_id = str_make(id, 64),
        .display_name = STR("root"),
        .email = STR(""),
    };
}

static bool add_users(struct users *users, const struct config *config,
                      const struct root_pair *pair, struct fault *fault)
{
    char id[64];
    struct user root = root_user(pair, config->account_id, id);

    if (!users_add(users, &root, fault))
        return false;

    for (size_t i = 0; i < config->user_count; i++) {
        struct fault cause = { 0 };

        if (!users_add(users, &config->users[i].user, &cause))
            return fault_false(fault, "%.*s, user '%.*s': %s", STR_ARG(config->file),
                               STR_ARG(config->users[i].name), cause.text);
    }

    return true;
}

/* NULL with a fault. */
static struct users *users_of(const struct config *config, const struct root_pair *pair,
                              struct fault *fault)
{
    struct users *users = users_open();

    if (users == NULL) {
        fault_note(fault, "there is no memory for the users");
        return NULL;
    }
    if (add_users(users, config, pair, fault))
        return users;

    users_close(users);
    return NULL;
}

/* Texts of config, the environment or the arena, all of them then in the arena. */
static bool keep_pair(struct root_pair *pair, struct arena *arena, struct fault *fault)
{
    pair->access_key = arena_dup(arena, pair->access_key);
    pair->secret_key = arena_dup(arena, pair->secret_key);
    if (!str_present(pair->access_key) || !str_present(pair->secret_key))
        return fault_false(fault, "there is no memory for the key pair");
    if (!str_present(pair->session_token))
        return true;

    pair->session_token = arena_dup(arena, pair->session_token);
    return str_present(pair->session_token) ||
           fault_false(fault, "there is no memory for the key pair");
}

/* All there is to know, in force or not. NULL with a fault. */
static struct users *read_all(const struct config *config, int dir_fd,
                              enum root_pair_missing missing, struct arena *arena,
                              struct root_pair *ret_pair, struct fault *fault)
{
    if (arena == NULL) {
        fault_note(fault, "there is no memory for the key pair");
        return NULL;
    }
    if (!root_pair_find(config, dir_fd, missing, arena, ret_pair, fault) ||
        !keep_pair(ret_pair, arena, fault))
        return NULL;

    return users_of(config, ret_pair, fault);
}

struct accounts *accounts_open(const struct config *config, char *const *words, int dir_fd,
                               struct fault *fault)
{
    struct accounts *accounts = mem_zalloc(sizeof(*accounts));
    struct users *users;

    if (accounts == NULL) {
        fault_note(fault, "there is no memory for the users");
        return NULL;
    }

    *accounts = (struct accounts){ .words = words,
                                   .account = config->account_id,
                                   .dir_fd = dir_fd,
                                   .arena = arena_open(PAIR_ARENA_BYTES, PAIR_ARENA_BYTES) };
    users = read_all(config, dir_fd, ROOT_PAIR_MAKE, accounts->arena, &accounts->root, fault);
    if (users != NULL)
        accounts->users = users_put_in_force(users);
    if (accounts->users != NULL)
        return accounts;

    fault_note(fault, "there is no memory for the users"); /* the first cause is kept */
    users_close(users);
    accounts_close(accounts);
    return NULL;
}

/* It held a key pair. */
static void forget(struct arena *arena)
{
    if (arena != NULL)
        arena_wipe(arena);
    arena_close(arena);
}

void accounts_close(struct accounts *accounts)
{
    if (accounts == NULL)
        return;

    users_in_force_close(accounts->users);
    forget(accounts->arena);
    mem_free(accounts);
}

struct users_in_force *accounts_users(const struct accounts *accounts)
{
    return accounts->users;
}

const struct root_pair *accounts_root(const struct accounts *accounts)
{
    return &accounts->root;
}

struct user accounts_root_user(const struct accounts *accounts, char id[64])
{
    return root_user(&accounts->root, accounts->account, id);
}

bool accounts_reload(struct accounts *accounts, size_t *ret_count, struct fault *fault)
{
    CLEANUP(config_free) struct config config = { 0 };
    struct arena *arena;
    struct root_pair root;
    struct users *users;

    if (!config_load(accounts->words, &config, fault) || !config_check_root(&config, fault))
        return false;
    if (!str_eq(config.account_id, accounts->account))
        return fault_false(fault, "--account-id is not changed while the server runs");

    arena = arena_open(PAIR_ARENA_BYTES, PAIR_ARENA_BYTES);
    users = read_all(&config, accounts->dir_fd, ROOT_PAIR_REFUSE, arena, &root, fault);
    if (users == NULL) {
        forget(arena);
        return false;
    }

    *ret_count = users_count(users);
    users_replace(accounts->users, users);
    forget(accounts->arena);
    accounts->arena = arena;
    accounts->root = root;
    return true;
}
