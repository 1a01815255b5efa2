/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pins: blobs that an unfinished write relies on, so that no sweep takes their file away.
 *
 * (1) A writer pins a name before it links or finds the file, and unpins after its commit is
 *     decided.
 * (2) A file is unlinked only while the pin lock is held and nobody pins its name. So a file that
 *     a writer has found under its pin is still there at its commit.
 *
 * Any thread.
 */
#ifndef STORAGE_BLOBS_BLOB_PINS_H
#define STORAGE_BLOBS_BLOB_PINS_H

#include <pthread.h>

#include "base/digest/digest.h"

struct blob_name {
    uint64_t scope;
    uint8_t hash[SHA256_BYTES];
};

/* Lives in its owner (a body writer). */
struct blob_pin {
    struct blob_name name;
    struct blob_pin *next;
    struct blob_pin **link; /* NULL: not pinned */
};

struct blob_pins {
    pthread_mutex_t lock;
    struct blob_pin *first;
};

void blob_pins_init(struct blob_pins *pins);
void blob_pins_free(struct blob_pins *pins);
void blob_pin_take(struct blob_pins *pins, struct blob_pin *pin, const struct blob_name *name);
void blob_pin_drop(struct blob_pins *pins, struct blob_pin *pin); /* fine when not pinned */
bool blob_pins_held(struct blob_pins *pins, const struct blob_name *name);

/* Between lock and unlock nobody can pin: the time to unlink. */
void blob_pins_lock(struct blob_pins *pins);
void blob_pins_unlock(struct blob_pins *pins);
/* Caller holds the lock. How many pin this name. */
size_t blob_pins_count(const struct blob_pins *pins, const struct blob_name *name);

#endif
