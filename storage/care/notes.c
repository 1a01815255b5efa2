/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others leave for the background threads to see to: they are below those who work on it.
 * Any thread; none waits.
 */
#include "storage/internal.h"

/* note: what is set meanwhile, or NULL. */
void janitor_wake(struct janitor *janitor, bool *note)
{
    (void)pthread_mutex_lock(&janitor->lock);
    if (note != NULL)
        *note = true;
    (void)pthread_cond_signal(&janitor->wake);
    (void)pthread_mutex_unlock(&janitor->lock);
}

void janitor_note_commit(struct store *store)
{
    /* Only the first commit after a quiet time has to say so. */
    if (!atomic_exchange(&store->janitor.dirty, true))
        janitor_wake(&store->janitor, NULL);
}

void janitor_note_long_log(struct store *store)
{
    janitor_wake(&store->janitor, &store->janitor.log_is_long);
}

void janitor_note_low_space(struct store *store)
{
    janitor_wake(&store->janitor, &store->janitor.space_is_low);
}

void scrub_suspect(struct scrub *scrub, int64_t blob)
{
    bool known = false;

    (void)pthread_mutex_lock(&scrub->lock);
    for (size_t i = 0; i < scrub->suspect_count; i++)
        known = known || scrub->suspects[i] == blob;
    if (!known && scrub->suspect_count < SCRUB_SUSPECTS_MAX)
        scrub->suspects[scrub->suspect_count++] = blob;
    (void)pthread_cond_signal(&scrub->wake);
    (void)pthread_mutex_unlock(&scrub->lock);
}
