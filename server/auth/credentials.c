/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the sources of credentials; see credentials.h.
 */
#include "server/auth/credentials.h"

#include <string.h>

#include "base/text/buf.h"
#include "server/auth/users.h"

struct credentials {
    struct credentials_source sources[CREDENTIALS_SOURCES_MAX];
    size_t count;
};

struct credentials *credentials_open(struct users_in_force *users)
{
    struct credentials *credentials = mem_zalloc(sizeof(*credentials));

    if (credentials == NULL)
        return NULL;
    if (!users_source(users, &credentials->sources[0])) {
        mem_free(credentials);
        return NULL;
    }

    credentials->count = 1;
    return credentials;
}

void credentials_close(struct credentials *credentials)
{
    if (credentials == NULL)
        return;

    for (size_t i = 0; i < credentials->count; i++) {
        if (credentials->sources[i].close != NULL)
            credentials->sources[i].close(credentials->sources[i].context);
    }
    mem_free(credentials);
}

bool credentials_add(struct credentials *credentials, const struct credentials_source *source)
{
    if (credentials->count == CREDENTIALS_SOURCES_MAX)
        return false;

    credentials->sources[credentials->count++] = *source;
    return true;
}

uint64_t credentials_generation(const struct credentials *credentials)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < credentials->count; i++)
        sum += credentials->sources[i].generation(credentials->sources[i].context);
    return sum;
}

/* Texts are borrowed. */
static enum credentials_answer ask(struct credentials *credentials, enum credentials_by by,
                                   struct str text, struct user *ret_user)
{
    for (size_t i = 0; i < credentials->count; i++) {
        const struct credentials_source *source = &credentials->sources[i];
        enum credentials_answer answer = source->find(source->context, by, text, ret_user);

        if (answer != CREDENTIALS_UNKNOWN)
            return answer;
    }

    return CREDENTIALS_UNKNOWN;
}

/* ---- copies -------------------------------------------------------------------------------- */

void credential_wipe(struct credential *credential)
{
    explicit_bzero(credential->secret, sizeof(credential->secret));
}

static bool copy_text(struct arena *arena, struct str *text)
{
    if (!str_present(*text))
        return true;

    *text = arena_dup(arena, *text);
    return str_present(*text);
}

bool credential_copy(const struct user *user, struct arena *arena,
                     struct credential *ret_credential)
{
    struct user copy = *user;

    if (!copy_text(arena, &copy.access_key) || !copy_text(arena, &copy.session_token) ||
        !copy_text(arena, &copy.account) || !copy_text(arena, &copy.canonical_id) ||
        !copy_text(arena, &copy.display_name) || !copy_text(arena, &copy.email) ||
        !copy_text(arena, &copy.name))
        return false;

    copy.secret_key =
        str_make(ret_credential->secret, size_min(user->secret_key.len, AUTH_SECRET_BYTES_MAX));
    if (copy.secret_key.len > 0)
        memcpy(ret_credential->secret, user->secret_key.p, copy.secret_key.len);
    ret_credential->user = copy;
    return true;
}

enum credentials_answer credentials_find(struct credentials *credentials, enum credentials_by by,
                                         struct str text, struct arena *arena,
                                         struct credential *ret_credential)
{
    uint64_t generation = credentials_generation(credentials);
    struct user user;
    enum credentials_answer answer = ask(credentials, by, text, &user);

    if (answer != CREDENTIALS_FOUND)
        return answer;
    if (!credential_copy(&user, arena, ret_credential))
        return CREDENTIALS_LACKING;

    ret_credential->generation = generation;
    return CREDENTIALS_FOUND;
}

enum credentials_answer credentials_know(struct credentials *credentials, enum credentials_by by,
                                         struct str text, struct user *ret_user)
{
    enum credentials_answer answer = ask(credentials, by, text, ret_user);

    if (answer == CREDENTIALS_FOUND)
        ret_user->secret_key = ret_user->session_token = STR_NONE;
    return answer;
}
