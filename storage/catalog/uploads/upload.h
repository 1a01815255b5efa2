/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the upload family share.
 */
#ifndef STORAGE_CATALOG_UPLOADS_UPLOAD_H
#define STORAGE_CATALOG_UPLOADS_UPLOAD_H

#include "storage/catalog/row.h"

/* The upload of a row with UPLOAD_COLUMNS, copied into the arena. */
MUST_CHECK enum store_status row_upload(struct catalog *cat, sqlite3_stmt *stmt,
                                        struct arena *arena, struct upload *ret_upload,
                                        struct fault *fault);

/* A new upload, open, into UPLOAD_MARKS. owner: account.id for one without. */
MUST_CHECK enum store_status bind_upload(struct catalog *cat, sqlite3_stmt *stmt,
                                         const struct upload *upload, uint64_t tail, int64_t owner,
                                         struct fault *fault);

/* An open upload has become done or is removed. */
void upload_note_closed(struct catalog *cat);

/* A stored part with its reference; texts live in the arena (NULL: borrowed until done). */
struct stored_part {
    struct part part;
    struct body_ref body;
};
/* STORE_NO_PART. */
MUST_CHECK enum store_status part_find(struct catalog *cat, int64_t upload, uint32_t number,
                                       struct arena *arena, struct stored_part *ret_part,
                                       struct fault *fault);

typedef enum store_status stored_part_visit(void *context, const struct stored_part *stored);
/*
 * All parts of an upload, by number, borrowed from their rows; ends at the first result that is not
 * STORE_OK. The visitor may change anything but parts.
 */
MUST_CHECK enum store_status part_each(struct catalog *cat, int64_t upload,
                                       stored_part_visit *visit, void *context,
                                       struct fault *fault);
/* The rows alone: what becomes of the bodies is the caller's affair. */
MUST_CHECK enum store_status part_remove_all(struct catalog *cat, int64_t upload,
                                             struct fault *fault);

#endif
