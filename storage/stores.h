/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores that a process has open, by name. One has the name "": who names none means that one.
 *
 * (1) A name is one store, from before it is opened until after it is closed.
 * (2) Who uses a store holds it (stores_take): it is closed after the last has given it back.
 * (3) A store that is being closed is found no more, and those who hold it are told so.
 * (4) What readers remember has one limit, for the readers of all stores together.
 *
 * Any thread, but where it says otherwise.
 */
#ifndef STORAGE_STORES_H
#define STORAGE_STORES_H

#include "storage/store.h"

#define STORES_MAX 1024
#define STORE_NAME_BYTES_MAX 63 /* a label of a host name */

struct stores;

/* A store that is held. */
struct open_store {
    struct store *store;
    struct str name; /* "" has length 0 */
};

/* hot_bytes: what serving readers of all stores may remember; 0: STORE_HOT_BYTES_DEFAULT. */
MUST_CHECK struct stores *stores_new(uint64_t hot_bytes); /* NULL: no memory */
/* Close all; nobody holds one. NULL is fine. */
void stores_free(struct stores *stores);

/* Whether stores_open takes it: "" or 1 to 63 of a-z, 0-9 and '-', not at an end. */
bool stores_name_good(struct str name);

/*
 * Open the store in a directory (store_open) under a name, both borrowed for the call. Waits for the
 * disk: not for event loops.
 *
 * options    may be NULL; hot_bytes in it does not count.
 * Returns what store_open does; STORE_LOCKED also when the name is taken, STORE_NO_MEMORY when
 * there are STORES_MAX.
 */
MUST_CHECK enum store_status stores_open(struct stores *stores, struct str name, const char *dir,
                                         const struct store_options *options, struct fault *fault);
/*
 * Let it be found no more, tell those who hold it, wait until they have given it back, close it.
 * That may take as long as a client's slowest request: not for event loops. False: none has that name,
 * or another thread is closing it.
 */
bool stores_close(struct stores *stores, struct str name);

/*
 * Whom stores_close tells, from its thread, so that what is held and idle is given back. One; set
 * before a store is closed; NULL: nobody.
 */
typedef void stores_wake(void *context);
void stores_tell(struct stores *stores, stores_wake *wake, void *context);

/* Hold a store; NULL: none of that name is open. */
struct open_store *stores_take(struct stores *stores, struct str name);
/* Hold the one whose name follows, in the order of str_compare; STR_NONE: the first. NULL: there is none. */
struct open_store *stores_take_next(struct stores *stores, struct str after);
void stores_give_back(struct open_store *held);
/* To be given back as soon as it can be. Cheap; no lock. */
bool stores_closing(const struct open_store *held);
/*
 * Move the clocks of all that are open (clock_move). One that is opened later shows the system's
 * time.
 */
void stores_clock_move(struct stores *stores, enum clock_move move, int64_t us);
/* How many are open, in whatever state. */
size_t stores_count(struct stores *stores);

#endif
