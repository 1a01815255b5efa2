/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of users in force, and a loop's hold on it; rules (2), (3) and (5) of credentials.h.
 *
 * (1) A loop looks at one number for each question. Only when that has changed does it take the
 *     lock, and the table that is in force then.
 * (2) The number goes up under the lock, together with the table: who reads the new number gets
 *     the new table, or a newer one.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/text/buf.h"
#include "server/auth/users.h"

struct users_in_force {
    pthread_mutex_t lock;
    struct users *users; /* held */
    _Atomic uint64_t generation;
};

/* One loop's. */
struct hold {
    struct users_in_force *in_force;
    struct users *users; /* held; NULL at first */
    uint64_t generation;
};

struct users_in_force *users_put_in_force(struct users *users)
{
    struct users_in_force *in_force = mem_zalloc(sizeof(*in_force));

    if (in_force == NULL)
        return NULL;

    (void)pthread_mutex_init(&in_force->lock, NULL);
    in_force->users = users;
    atomic_init(&in_force->generation, 1);
    return in_force;
}

void users_replace(struct users_in_force *in_force, struct users *users)
{
    struct users *old;

    (void)pthread_mutex_lock(&in_force->lock);
    old = in_force->users;
    in_force->users = users;
    atomic_fetch_add(&in_force->generation, 1);
    (void)pthread_mutex_unlock(&in_force->lock);
    users_drop(old);
}

void users_in_force_close(struct users_in_force *in_force)
{
    if (in_force == NULL)
        return;

    users_drop(in_force->users);
    (void)pthread_mutex_destroy(&in_force->lock);
    mem_free(in_force);
}

/* ---- as a source --------------------------------------------------------------------------- */

static void take(struct hold *hold)
{
    struct users_in_force *in_force = hold->in_force;
    struct users *old = hold->users;

    (void)pthread_mutex_lock(&in_force->lock);
    hold->users = in_force->users;
    users_hold(hold->users);
    hold->generation = atomic_load(&in_force->generation);
    (void)pthread_mutex_unlock(&in_force->lock);
    if (old != NULL)
        users_drop(old);
}

static const struct users *table_of(struct hold *hold)
{
    if (atomic_load(&hold->in_force->generation) != hold->generation)
        take(hold);
    return hold->users;
}

static enum credentials_answer find(void *context, enum credentials_by by, struct str text,
                                    struct user *ret_user)
{
    const struct users *users = table_of(context);
    const struct user *user = NULL;

    switch (by) {
    case CREDENTIALS_BY_ACCESS_KEY:
        user = users_by_access_key(users, text);
        if (user != NULL && user->disabled)
            user = NULL;
        break;
    case CREDENTIALS_BY_CANONICAL_ID:
        user = users_by_canonical_id(users, text);
        break;
    case CREDENTIALS_BY_EMAIL:
        user = users_by_email(users, text);
        break;
    case CREDENTIALS_ROOT:
        user = users_first(users);
        break;
    }
    if (user == NULL)
        return CREDENTIALS_UNKNOWN;

    *ret_user = *user;
    return CREDENTIALS_FOUND;
}

static uint64_t generation(void *context)
{
    const struct hold *hold = context;

    return atomic_load(&hold->in_force->generation);
}

static void close_hold(void *context)
{
    struct hold *hold = context;

    if (hold->users != NULL)
        users_drop(hold->users);
    mem_free(hold);
}

bool users_source(struct users_in_force *in_force, struct credentials_source *ret_source)
{
    struct hold *hold = mem_zalloc(sizeof(*hold));

    if (hold == NULL)
        return false;

    hold->in_force = in_force;
    *ret_source = (struct credentials_source){
        .find = find, .generation = generation, .close = close_hold, .context = hold
    };
    return true;
}
