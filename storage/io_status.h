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

/* The cause of a failed call, as its negative errno, and what it means: the format and its values follow. */
#define store_fault_io(fault, error, ...)                                                          \
    (errno = -(error), store_fault_errno((fault), io_status(error), __VA_ARGS__))

#endif
