/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs: files that hold many bodies of middle size, packs/<number in hex>.
 *
 * A file of its own costs a body a name in tmp/, a link, an unlink and two or three syncs; in a pack
 * it costs its write and a share in one sync (docs/decisions/0009).
 *
 * (1) Bytes are appended only: an extent is written once, by one body, and never again.
 * (2) A pack is appended to by one process run after the other, each starting behind the file's end,
 *     so what a crash left behind is never written over.
 * (3) What a pack holds is what rows of `blob` name. An extent that no row names is a gap; gaps are
 *     given back to the file system as holes, and a pack without rows is removed.
 * (4) An extent is punched only when no reader can find it any more (snapshots.c) and none still
 *     has to read it (read_pins.c).
 *
 * Any thread.
 */
#ifndef STORAGE_BLOBS_PACKS_H
#define STORAGE_BLOBS_PACKS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/fault.h"
#include "storage/care/health.h"

/* Stored bytes of a body that goes into a pack; larger ones have files of their own. */
#define PACK_BODY_MAX (UINT64_C(4) * 1024 * 1024)
/* A pack of that size is not appended to any more. */
#define PACK_BYTES_DEFAULT (UINT64_C(1) << 30)
/* Extents start at multiples of it, so that a hole is made of whole blocks. */
#define EXTENT_ALIGN 4096u

/* A pack that is, or was just now, appended to. */
struct pack;

struct packs {
    int store_fd;          /* borrowed */
    bool sync;             /* false: relaxed durability */
    struct health *health; /* borrowed */
    uint64_t bytes_max;
    pthread_mutex_t lock;
    atomic_int dir_fd;  /* packs/; -1: not made yet */
    struct pack *live;  /* the active one first, then those that bodies are still written to */
    uint32_t newest;    /* greatest number in the directory; 0: none */
    uint32_t found;     /* newest when the store was opened */
    uint64_t found_end; /* where this run started to append to it */
    uint64_t append_at; /* in the newest; UINT64_MAX: a new one is needed */
};

/* Room for one body. */
struct extent {
    struct pack *pack; /* NULL: none */
    uint64_t at;
    uint64_t len;
};

/* health: borrowed; poisoned when a sync fails. */
void packs_init(struct packs *packs, struct health *health);
MUST_CHECK enum store_status packs_open(struct packs *packs, int store_fd, bool sync,
                                        uint64_t bytes_max, struct fault *fault);
void packs_close(struct packs *packs);

/* STORE_OK, STORE_FULL, STORE_IO, STORE_NO_MEMORY. Every extent ends with extent_release. */
MUST_CHECK enum store_status packs_reserve(struct packs *packs, uint64_t len,
                                           struct extent *ret_extent, struct fault *fault);
/* at: inside the extent. 0 or a negative errno. */
MUST_CHECK int extent_write(const struct extent *extent, uint64_t at, const void *bytes,
                            size_t len);
uint32_t extent_pack_number(const struct extent *extent);
/*
 * Bytes written to the extent's pack before the call, and the pack's name, survive a power cut.
 * 0 or a negative errno; after a failure nobody knows what is on disk.
 */
MUST_CHECK int extent_sync(struct packs *packs, const struct extent *extent);
/* kept false: no row names it, and nobody has read it; its blocks are given back. */
void extent_release(struct packs *packs, struct extent *extent, bool kept);

/* STORE_DAMAGED when the file is missing or ends before `end`. */
MUST_CHECK enum store_status pack_open(const struct packs *packs, uint32_t number, uint64_t end,
                                       int *ret_fd, struct fault *fault);
/* Where the next extent may start. */
uint64_t extent_end(uint64_t at, uint64_t stored_bytes);
/* Give back a stretch that no row names. */
void pack_punch(const struct packs *packs, uint32_t number, uint64_t at, uint64_t len);
/* Remove a pack that no row names, unless it is appended to. True: it is gone. */
bool pack_remove(struct packs *packs, uint32_t number);
/*
 * Up to where a gap of the pack can only be garbage of earlier runs; 0: nowhere.
 */
uint64_t pack_settled_end(const struct packs *packs, uint32_t number);

/* Numbers found in packs/. STORE_STOPPED when visit returns false. */
typedef bool pack_visit(void *context, uint32_t number);
MUST_CHECK enum store_status packs_each(const struct packs *packs, pack_visit *visit, void *context,
                                        struct fault *fault);

#endif
