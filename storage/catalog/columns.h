/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of columns.def become in C and in SQL texts. How whole rows are read and bound is in
 * row.h.
 *
 * A macro that is handed to COLUMN_ROWS, PART_ROWS or BUCKET_ROWS gets (NAME, KIND, FIELD, SINCE, DEFAULT,
 * COMMENT) of each row.
 */
#ifndef STORAGE_CATALOG_COLUMNS_H
#define STORAGE_CATALOG_COLUMNS_H

#include "storage/catalog/columns.def"

#define COLUMN_NOTHING(...)

/* ---- kinds ------------------------------------------------------------------------------- */

/* The type of the column. */
#define COLUMN_TYPE_i64 "INTEGER NOT NULL"
#define COLUMN_TYPE_u64 "INTEGER NOT NULL"
#define COLUMN_TYPE_u32 "INTEGER NOT NULL"
#define COLUMN_TYPE_u8 "INTEGER NOT NULL"
#define COLUMN_TYPE_flag "INTEGER NOT NULL"
#define COLUMN_TYPE_body "INTEGER NOT NULL"
#define COLUMN_TYPE_account "INTEGER NOT NULL"
#define COLUMN_TYPE_text "BLOB NOT NULL"
#define COLUMN_TYPE_optional "BLOB"
#define COLUMN_TYPE_own "INTEGER NOT NULL"

/* What is given, if rows of the kind have a field. */
#define COLUMN_IF_FIELD_i64(...) __VA_ARGS__
#define COLUMN_IF_FIELD_u64(...) __VA_ARGS__
#define COLUMN_IF_FIELD_u32(...) __VA_ARGS__
#define COLUMN_IF_FIELD_u8(...) __VA_ARGS__
#define COLUMN_IF_FIELD_flag(...) __VA_ARGS__
#define COLUMN_IF_FIELD_body(...) __VA_ARGS__
#define COLUMN_IF_FIELD_account(...) __VA_ARGS__
#define COLUMN_IF_FIELD_text(...) __VA_ARGS__
#define COLUMN_IF_FIELD_optional(...) __VA_ARGS__
#define COLUMN_IF_FIELD_own(...)

/* What is given, if that field is a struct str. */
#define COLUMN_IF_TEXT_i64(...)
#define COLUMN_IF_TEXT_u64(...)
#define COLUMN_IF_TEXT_u32(...)
#define COLUMN_IF_TEXT_u8(...)
#define COLUMN_IF_TEXT_flag(...)
#define COLUMN_IF_TEXT_body(...)
#define COLUMN_IF_TEXT_account(...) __VA_ARGS__
#define COLUMN_IF_TEXT_text(...) __VA_ARGS__
#define COLUMN_IF_TEXT_optional(...) __VA_ARGS__
#define COLUMN_IF_TEXT_own(...)

/* ---- tables ------------------------------------------------------------------------------ */

/* What follows the first columns of a table; schema.sql names these. */
#define COLUMN_LINE(NAME, KIND, FIELD, SINCE, DEFAULT, COMMENT)                                    \
    ",\n    " #NAME " " COLUMN_TYPE_##KIND DEFAULT " /* " COMMENT " */"
#define VERSION_COLUMN_LINES COLUMN_ROWS(COLUMN_LINE, COLUMN_NOTHING, COLUMN_LINE)
#define UPLOAD_COLUMN_LINES COLUMN_ROWS(COLUMN_NOTHING, COLUMN_LINE, COLUMN_LINE)
#define PART_COLUMN_LINES PART_ROWS(COLUMN_LINE)
#define BUCKET_COLUMN_LINES BUCKET_ROWS(COLUMN_LINE)

/* The newest schema: as large as the greatest SINCE, and as the number of steps in schema.c. */
#define SCHEMA_STEPS 9
#define COLUMN_SINCE(NAME, KIND, FIELD, SINCE, ...) char NAME[SINCE];
union schema_versions {
    char steps[SCHEMA_STEPS];
    union {
        COLUMN_ROWS(COLUMN_SINCE, COLUMN_SINCE, COLUMN_SINCE)
    } rows;
    union {
        PART_ROWS(COLUMN_SINCE)
    } parts;
    union {
        BUCKET_ROWS(COLUMN_SINCE)
    } buckets;
};
#define SCHEMA_VERSION ((int)sizeof(union schema_versions))

/* ---- names, in the order in which whole rows are read and bound ---------------------------- */

#define COLUMN_NAME(NAME, ...) ", " #NAME
#define COLUMN_MARK(...) ", ?"

#define VERSION_COLUMNS " key" COLUMN_ROWS(COLUMN_NAME, COLUMN_NOTHING, COLUMN_NAME) " "
#define UPLOAD_COLUMNS " id, tail, key" COLUMN_ROWS(COLUMN_NOTHING, COLUMN_NAME, COLUMN_NAME) " "
#define PART_COLUMNS " upload" PART_ROWS(COLUMN_NAME) " "
#define BUCKET_COLUMNS " id, name" BUCKET_ROWS(COLUMN_NAME) " "

/* As many parameters, from ?1 on. */
#define VERSION_MARKS " ?1" COLUMN_ROWS(COLUMN_MARK, COLUMN_NOTHING, COLUMN_MARK) " "
#define UPLOAD_MARKS " ?1, ?2, ?3" COLUMN_ROWS(COLUMN_NOTHING, COLUMN_MARK, COLUMN_MARK) " "
#define PART_MARKS " ?1" PART_ROWS(COLUMN_MARK) " "
#define BUCKET_MARKS " ?1, ?2" BUCKET_ROWS(COLUMN_MARK) " "

/* Where each stands among them: from 0 in a result, one more in parameters. */
#define COLUMN_AT_VERSION(NAME, ...) VERSION_AT_##NAME,
#define COLUMN_AT_UPLOAD(NAME, ...) UPLOAD_AT_##NAME,
#define COLUMN_AT_PART(NAME, ...) PART_AT_##NAME,
#define COLUMN_AT_BUCKET(NAME, ...) BUCKET_AT_##NAME,
enum {
    VERSION_AT_key,
    COLUMN_ROWS(COLUMN_AT_VERSION, COLUMN_NOTHING, COLUMN_AT_VERSION) VERSION_COLUMN_COUNT
};
enum {
    UPLOAD_AT_id,
    UPLOAD_AT_tail,
    UPLOAD_AT_key,
    COLUMN_ROWS(COLUMN_NOTHING, COLUMN_AT_UPLOAD, COLUMN_AT_UPLOAD) UPLOAD_COLUMN_COUNT
};
enum { PART_AT_upload, PART_ROWS(COLUMN_AT_PART) PART_COLUMN_COUNT };
enum { BUCKET_AT_id, BUCKET_AT_name, BUCKET_ROWS(COLUMN_AT_BUCKET) BUCKET_COLUMN_COUNT };

/* ---- texts of a version, and of a bucket: its key or name, and these rows --------------------- */

#define COLUMN_COUNT_TEXT(NAME, KIND, ...) COLUMN_IF_TEXT_##KIND(+1)
enum { BUCKET_TEXTS = 1 BUCKET_ROWS(COLUMN_COUNT_TEXT) };
enum { VERSION_TEXTS = 1 COLUMN_ROWS(COLUMN_COUNT_TEXT, COLUMN_NOTHING, COLUMN_COUNT_TEXT) };

#endif
