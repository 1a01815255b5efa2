/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a failed call on the store's files means to whoever asked: the one translation.
 *
 * Room that is lacking is no failure of the device, and what the process lacks passes.
 */
#ifndef STORAGE_IO_STATUS_H
#define STORAGE_IO_STATUS_H

#include <errno.h>

#include "storage/store.h"

/* error: a negative errno. */
static inline enum store_status io_status(int error)
{
    switch (-error) {
    case ENOSPC:
    case EDQUOT:
        return STORE_FULL;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return STORE_NO_MEMORY;
    default:
        return STORE_IO;
    }
}

#endif
