/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's file as one connection sees it: a transaction's frames become one write, and the file
 * grows ahead of them. For vfs.c; called by the connection's thread.
 */
#ifndef STORAGE_CATALOG_FILE_WAL_H
#define STORAGE_CATALOG_FILE_WAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* A frame of the log: this, then a page. */
#define WAL_FRAME_HEADER_BYTES 24

struct wal {
    sqlite3_file *real;
    const char *path;   /* SQLite's, lives as long as the file is open */
    char *run;          /* what is gathered, WAL_RUN_BYTES; NULL: nothing ever was */
    size_t len;         /* gathered bytes: the last before `end` */
    sqlite3_int64 end;  /* where the last write ended */
    sqlite3_int64 size; /* of the file; negative: ask */
    bool commits;       /* the last frame header ends a transaction */
    int broken;         /* wal_publish failed so: every write fails from then on */
};

/* real, path: borrowed, until wal_close. */
void wal_open(struct wal *wal, sqlite3_file *real, const char *path);
/* All four return SQLite's result codes. */
int wal_write(struct wal *wal, const void *bytes, int len, sqlite3_int64 offset);
/* Write what is gathered. A failure keeps it: for callers that only want to look at the file. */
int wal_flush(struct wal *wal);
/* Write what is gathered, or lose it: for callers whose failure ends the transaction. */
int wal_flush_or_lose(struct wal *wal);
/* Others may look for frames in the file from now on: none is held back. */
void wal_publish(struct wal *wal);
int wal_truncate(struct wal *wal, sqlite3_int64 size);
/* What is gathered was never committed: it is dropped. Does not close `real`. */
void wal_close(struct wal *wal);

/* A write that is counted and can be made to fail (base/file.h). */
int counted_write(sqlite3_file *real, const void *bytes, int len, sqlite3_int64 offset);

#endif
