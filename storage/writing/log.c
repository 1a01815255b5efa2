/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log starts anew.
 */
#include "storage/internal.h"

enum store_status log_reset(struct store *store, uint64_t *ret_left)
{
    enum store_status status;

    (void)pthread_mutex_lock(&store->janitor.copying);
    status = catalog_checkpoint(store->cat, CHECKPOINT_RESTART, ret_left, NULL);
    (void)pthread_mutex_unlock(&store->janitor.copying);
    return status;
}
