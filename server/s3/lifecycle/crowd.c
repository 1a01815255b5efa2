/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many small intents at once; see crowd.h.
 */
#include "server/s3/lifecycle/crowd.h"

#include <pthread.h>

#define CROWD_MAX 64

struct crowd {
    pthread_mutex_t lock;
    pthread_cond_t ready;
    size_t left;
    struct intent intents[CROWD_MAX];
};

static void one_done(struct intent *intent)
{
    struct crowd *crowd = intent->owner;

    (void)pthread_mutex_lock(&crowd->lock);
    if (--crowd->left == 0)
        (void)pthread_cond_signal(&crowd->ready);
    (void)pthread_mutex_unlock(&crowd->lock);
}

/* Nothing to do there any more. */
static bool is_past(enum store_status status)
{
    return status == STORE_NO_KEY || status == STORE_NO_VERSION || status == STORE_NO_UPLOAD ||
           status == STORE_DELETE_MARKER || status == STORE_RETAINED;
}

static enum store_status submit_some(struct store *store, struct crowd *crowd, size_t count,
                                     uint64_t *done, struct fault *fault)
{
    crowd->left = count;
    for (size_t i = 0; i < count; i++)
        store_submit_later(store, &crowd->intents[i]);
    store_submit_flush(store);
    (void)pthread_mutex_lock(&crowd->lock);
    while (crowd->left > 0)
        (void)pthread_cond_wait(&crowd->ready, &crowd->lock);
    (void)pthread_mutex_unlock(&crowd->lock);

    for (size_t i = 0; i < count; i++) {
        enum store_status status = crowd->intents[i].status;

        if (status != STORE_OK && !is_past(status)) {
            *fault = crowd->intents[i].fault;
            return status;
        }
        *done += status == STORE_OK;
    }
    return STORE_OK;
}

enum store_status crowd_submit(struct store *store, const struct intent *like, size_t count,
                               crowd_fill *fill, void *context, uint64_t *done, struct fault *fault)
{
    struct crowd crowd = { .lock = PTHREAD_MUTEX_INITIALIZER, .ready = PTHREAD_COND_INITIALIZER };
    enum store_status status = STORE_OK;

    for (size_t at = 0; at < count && status == STORE_OK; at += CROWD_MAX) {
        size_t some = count - at < CROWD_MAX ? count - at : CROWD_MAX;

        for (size_t i = 0; i < some; i++) {
            crowd.intents[i] = *like;
            crowd.intents[i].done = one_done;
            crowd.intents[i].owner = &crowd;
            fill(context, at + i, &crowd.intents[i]);
        }
        status = submit_some(store, &crowd, some, done, fault);
    }
    return status;
}
