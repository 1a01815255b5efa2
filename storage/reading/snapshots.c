/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which states of the catalog somebody may still look things up in. What was found there and is
 * still being read is pinned by itself (read_pins.c).
 *
 * A body that dies at seq D is needed by a state S only when D > S. So what died at or before the
 * smallest registered S can go. A reader registers before it opens its catalog snapshot, so the
 * state it sees is at least as new as what it registered.
 */
#include "storage/internal.h"

void snapshots_init(struct snapshots *snapshots, int64_t committed_seq)
{
    *snapshots = (struct snapshots){ .committed_seq = committed_seq };
    (void)pthread_mutex_init(&snapshots->lock, NULL);
}

void snapshots_free(struct snapshots *snapshots)
{
    (void)pthread_mutex_destroy(&snapshots->lock);
}

void snapshot_open(struct snapshots *snapshots, struct snapshot *snapshot)
{
    (void)pthread_mutex_lock(&snapshots->lock);
    snapshot->seq = snapshots->committed_seq;
    snapshot->next = snapshots->first;
    snapshot->link = &snapshots->first;
    if (snapshot->next != NULL)
        snapshot->next->link = &snapshot->next;
    snapshots->first = snapshot;
    (void)pthread_mutex_unlock(&snapshots->lock);
}

void snapshot_close(struct snapshots *snapshots, struct snapshot *snapshot)
{
    (void)pthread_mutex_lock(&snapshots->lock);
    if (snapshot->link != NULL) {
        *snapshot->link = snapshot->next;
        if (snapshot->next != NULL)
            snapshot->next->link = snapshot->link;
        snapshot->link = NULL;
    }
    (void)pthread_mutex_unlock(&snapshots->lock);
}

void snapshots_commit(struct snapshots *snapshots, int64_t seq)
{
    (void)pthread_mutex_lock(&snapshots->lock);
    snapshots->committed_seq = seq;
    (void)pthread_mutex_unlock(&snapshots->lock);
}

int64_t snapshots_safe_seq(struct snapshots *snapshots)
{
    int64_t safe;

    (void)pthread_mutex_lock(&snapshots->lock);
    safe = snapshots->committed_seq;
    for (const struct snapshot *s = snapshots->first; s != NULL; s = s->next)
        safe = s->seq < safe ? s->seq : safe;
    (void)pthread_mutex_unlock(&snapshots->lock);
    return safe;
}
