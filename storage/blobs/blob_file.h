/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blob files: blobs/ab/cd/<sha256 of the stored bytes>.<scope>
 *
 * (1) A final name exists only for a complete, synced file.
 * (2) A file is never changed, but an upload of the same bytes puts a new one in its place: what was
 *     there is not trusted. One whose size is wrong is moved to quarantine/, never deleted.
 * (3) After blob_link returns, the name survives a power cut: the directory, and every directory
 *     above it, has been synced.
 * (4) A failed sync poisons the store: what the disk holds is unknown then.
 *
 * Any thread.
 */
#ifndef STORAGE_BLOBS_BLOB_FILE_H
#define STORAGE_BLOBS_BLOB_FILE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/fault.h"
#include "storage/blobs/blob_pins.h"
#include "storage/care/health.h"

#define BLOB_PATH_MAX 96

struct blob_dir {
    int root_fd;                       /* blobs/ */
    int tmp_fd;                        /* borrowed */
    int quarantine_fd;                 /* borrowed */
    bool sync;                         /* false: relaxed durability */
    struct health *health;             /* borrowed; poisoned when a sync fails */
    pthread_mutex_t lock;              /* of the two below */
    uint8_t top_durable[256 / 8];      /* ab/ exists and blobs/ was synced since */
    uint8_t leaf_durable[65536u / 8u]; /* ab/cd/ likewise */
};

enum blob_linked { BLOB_LINKED, BLOB_SHARED };

/* The scope of an account: a hash of its canonical id, so that files need no catalog to be read. */
uint64_t blob_scope(struct str canonical);
void blob_path(const struct blob_name *name, char out[BLOB_PATH_MAX]);
/* Of a file name in a leaf directory. False when it is not one of ours. */
MUST_CHECK bool blob_name_parse(struct str file_name, struct blob_name *ret_name);

MUST_CHECK enum store_status blob_dir_open(struct blob_dir *dir, int store_fd, struct fault *fault);
void blob_dir_close(struct blob_dir *dir);

/*
 * Give a complete, synced temporary file its final name. The temporary name is gone afterwards.
 *
 * The caller pins `name`. A file that is there already is replaced (BLOB_SHARED).
 * Returns STORE_OK, STORE_FULL, STORE_IO.
 */
MUST_CHECK enum store_status blob_link(struct blob_dir *dir, const char *tmp_name,
                                       const struct blob_name *name, uint64_t stored_bytes,
                                       enum blob_linked *ret_linked, struct fault *fault);
/* Move a file that is not what its name says out of the way. */
MUST_CHECK enum store_status blob_quarantine(const struct blob_dir *dir,
                                             const struct blob_name *name, struct fault *fault);
/* STORE_DAMAGED when the file is missing or has another size. */
MUST_CHECK enum store_status blob_open(const struct blob_dir *dir, const struct blob_name *name,
                                       uint64_t stored_bytes, int *ret_fd, struct fault *fault);
/* Caller holds the pin lock. 0 or a negative errno. */
int blob_unlink(const struct blob_dir *dir, const struct blob_name *name);

/* Remove a file whose absence nobody relies on. */
void file_discard(int dir_fd, const char *path);

#endif
