/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repair: what fsck does about what it finds, or would do.
 *
 * (1) Nothing is deleted. Bytes that are not what they should be, or that nothing names, are put into
 *     quarantine/ before their row changes.
 * (2) A damaged body stays where it is named and is marked: its objects answer an error, and an
 *     upload of the same bytes mends them.
 * (3) All rows change in one transaction, at the end.
 */
#ifndef STORAGE_CARE_REPAIR_H
#define STORAGE_CARE_REPAIR_H

#include "storage/internal.h"

struct repair {
    const struct store_dir *dir;
    struct catalog *cat; /* a writer's */
    bool perform;        /* false: only say it */
    fsck_line *line;
    void *context;
    uint64_t done; /* or planned */
    struct fault *fault;
    enum store_status status; /* the first that failed */
};

/* Rows that other rows do not agree with. */
void repair_rows(struct repair *repair);
/* The stored bytes of a blob are not those of its hash. fd: where they are, or -1; readable: how many
 * of them there are. */
void repair_blob(struct repair *repair, const struct checked_blob *blob, int fd, uint64_t base,
                 uint64_t readable);
void repair_inline(struct repair *repair, int64_t id);

#endif
