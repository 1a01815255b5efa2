/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users of the settings file: what their sections leave out.
 *
 * (1) A user with an account is one of its users, and has its canonical id: the root user's, or the
 *     one that a section of that account names, or one made of the account's digits.
 * (2) A user without one is alone in an account made of its canonical id; with another user's
 *     canonical id it is another key pair of that user.
 */
#include "base/digest/digest.h"
#include "base/text/codec.h"
#include "server/settings/config.h"

static bool refuse(const struct config *config, const struct config_user *entry, const char *why,
                   struct fault *fault)
{
    return fault_false(fault, "%.*s, line %u: %s", STR_ARG(config->file), entry->line, why);
}

static struct str made_id(struct config *config, struct str of)
{
    char id[64];

    users_canonical_id(of, id);
    return arena_dup(config->arena, str_make(id, sizeof(id)));
}

/* What the section itself says. NULL, or what is wrong. */
static const char *check_fields(const struct user *user)
{
    uint8_t bytes[32];

    if (!str_present(user->access_key) || !str_present(user->secret_key))
        return "the user needs access_key and secret_key";
    if (str_present(user->account) && !users_account_good(user->account))
        return "the user's account is not 12 digits";
    if (str_present(user->canonical_id) && !hex_decode(user->canonical_id, bytes, sizeof(bytes)))
        return "the user's canonical_id is not 64 hexadecimal digits";
    return NULL;
}

/* (1); STR_NONE: no memory. */
static struct str id_of_account(struct config *config, struct str account)
{
    if (str_eq(account, config->account_id))
        return made_id(config, STR("root"));
    for (size_t i = 0; i < config->user_count; i++) {
        const struct user *other = &config->users[i].user;

        if (other->kind == USER_OF_ACCOUNT && str_eq(other->account, account) &&
            str_present(other->canonical_id))
            return other->canonical_id;
    }
    return made_id(config, account);
}

/* (2); its own or another user's. STR_NONE: no memory. */
static struct str account_of_id(struct config *config, const struct user *user)
{
    char root_id[64];
    char made[AUTH_ACCOUNT_DIGITS];

    users_canonical_id(STR("root"), root_id);
    if (str_eq(user->canonical_id, str_make(root_id, sizeof(root_id))))
        return config->account_id;
    for (size_t i = 0; i < config->user_count; i++) {
        const struct user *other = &config->users[i].user;

        if (other->kind == USER_OF_ACCOUNT && str_eq(other->canonical_id, user->canonical_id))
            return other->account;
    }
    users_account_id(user->canonical_id, made);
    return arena_dup(config->arena, str_make(made, sizeof(made)));
}

static void complete_names(struct config_user *entry)
{
    struct user *user = &entry->user;

    user->name = entry->name;
    if (!str_present(user->display_name))
        user->display_name = entry->name;
    if (!str_present(user->email))
        user->email = STR("");
}

/* All accounts that are named have their canonical id after this; then the others may look for one. */
static bool complete_accounts(struct config *config)
{
    for (size_t i = 0; i < config->user_count; i++) {
        struct user *user = &config->users[i].user;

        if (user->kind == USER_OF_ACCOUNT && !str_present(user->canonical_id))
            user->canonical_id = id_of_account(config, user->account);
    }
    for (size_t i = 0; i < config->user_count; i++) {
        struct user *user = &config->users[i].user;

        if (!str_present(user->canonical_id))
            user->canonical_id = made_id(config, config->users[i].name);
        if (!str_present(user->account))
            user->account = account_of_id(config, user);
        if (user->kind == USER_ALONE && str_eq(user->account, config->account_id))
            user->kind = USER_ROOT; /* another key pair of the root user */
        if (!str_present(user->canonical_id) || !str_present(user->account))
            return false;
    }
    return true;
}

bool config_users_complete(struct config *config, struct fault *fault)
{
    if (config->user_count > 0 && !digest_init())
        return fault_false(fault, "the crypto library lacks an algorithm that S3 needs");

    for (size_t i = 0; i < config->user_count; i++) {
        struct config_user *entry = &config->users[i];
        const char *wrong = check_fields(&entry->user);

        if (wrong != NULL)
            return refuse(config, entry, wrong, fault);
        entry->user.kind = str_present(entry->user.account) ? USER_OF_ACCOUNT : USER_ALONE;
        complete_names(entry);
    }
    return complete_accounts(config) || fault_false(fault, "there is no memory for the users");
}
