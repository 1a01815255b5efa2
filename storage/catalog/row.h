/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole rows of the tables of columns.def, read from a result and bound to parameters: one function
 * for each kind of column, and the rows of versions. Uploads and parts do the same in their folder.
 *
 * (1) The first failure stays in the row; what is read or bound after it does not count.
 */
#ifndef STORAGE_CATALOG_ROW_H
#define STORAGE_CATALOG_ROW_H

#include "storage/catalog/columns.h"
#include "storage/catalog/sql.h"

/* A row that is under way. */
struct row {
    struct catalog *cat;
    sqlite3_stmt *stmt;
    struct arena *arena; /* read: where texts are copied to; NULL: borrowed, until the next step */
    int64_t account;     /* bind: what an absent account stands for; 0: the one called "" */
    enum store_status status;
    struct fault *fault;
};

/* Read the column at `at`, from 0 on. */
void row_i64(struct row *row, int at, int64_t *ret_value);
void row_u64(struct row *row, int at, uint64_t *ret_value);
void row_u32(struct row *row, int at, uint32_t *ret_value);
void row_u8(struct row *row, int at, uint8_t *ret_value);
void row_flag(struct row *row, int at, bool *ret_value);
void row_body(struct row *row, int at, enum body_kind *ret_value);
void row_account(struct row *row, int at, struct str *ret_text);
void row_text(struct row *row, int at, struct str *ret_text);
void row_optional(struct row *row, int at, struct str *ret_text);

/* Bind the parameter of the column at `at`: ?1 is that of the first, 0. Texts are borrowed. */
void bind_i64(struct row *row, int at, int64_t value);
void bind_u64(struct row *row, int at, uint64_t value);
void bind_u32(struct row *row, int at, uint32_t value);
void bind_u8(struct row *row, int at, uint8_t value);
void bind_flag(struct row *row, int at, bool value);
void bind_body(struct row *row, int at, enum body_kind value);
void bind_account(struct row *row, int at, struct str text);
void bind_text(struct row *row, int at, struct str text);
void bind_optional(struct row *row, int at, struct str text);

/*
 * The version of a row of VERSION_COLUMNS.
 *
 * arena   NULL: texts are borrowed from the row.
 * latest  it is a row of object.
 */
MUST_CHECK enum store_status row_version(struct catalog *cat, sqlite3_stmt *stmt,
                                         struct arena *arena, bool latest,
                                         struct version *ret_version, struct fault *fault);
/* Into VERSION_MARKS. owner: account.id for a version without one. */
MUST_CHECK enum store_status bind_version(struct catalog *cat, sqlite3_stmt *stmt,
                                          const struct version *version, int64_t owner,
                                          struct fault *fault);

/* What listings read; few columns, because they read them a thousand times a page. */
/* RESTORES: the parameter that says whether restores are wanted, which lie at the end of long rows. */
#define LISTED_COLUMNS(RESTORES)                                                                   \
    " key, flags, modified_us, size, class, etag, checksum, iif(" RESTORES ", restore_us, 0),"     \
    " iif(" RESTORES ", restored_us, 0)"
enum {
    LISTED_AT_key,
    LISTED_AT_flags,
    LISTED_AT_modified_us,
    LISTED_AT_size,
    LISTED_AT_class,
    LISTED_AT_etag,
    LISTED_AT_checksum,
    LISTED_AT_restore_us,
    LISTED_AT_restored_us,
    LISTED_COLUMN_COUNT
};
/* Texts are borrowed from the row; owner, seq and tail, if the statement has them, stay unread. */
void row_listed(sqlite3_stmt *stmt, bool latest, struct listed_version *ret_listed);

#endif
