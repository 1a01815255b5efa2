/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's file: gathers writes, grows ahead. https://www.sqlite.org/fileformat2.html#walformat
 *
 * SQLite writes a frame in two pieces, a header of 24 bytes and a page; a transaction is some
 * frames, of which the last says in its header that it commits.
 *
 * (1) A write that begins where the last one ended is gathered; any other is written at once, and
 *     what was gathered before it. So the order on the file is SQLite's.
 * (2) With the page of a committing frame all is written, before SQLite hears that the write is
 *     done: nobody looks at frames, and no acknowledged transaction has any, that are not in the
 *     file. This does not depend on a sync. Nor on that order of SQLite's alone: at the barrier
 *     before it shows frames in shared memory all is written as well.
 * (3) When frames pass the end of the file, zeros are written behind them. Later commits then
 *     overwrite blocks that the file has: their sync writes data only, where one that grows the file
 *     also has to write where its blocks are. SQLite reads the log up to the first frame whose salt
 *     is not the log's, so it never takes zeros for a frame.
 */
#include "storage/catalog/file/wal.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/arena.h"
#include "base/file.h"

#define COMMIT_OFFSET 4 /* in a frame header: pages of the database after the commit, or 0 */
#define COMMIT_BYTES 4
/* SQLite's unix layer does not write 128 KiB or more at a time. */
#define WAL_RUN_BYTES 65536
/* Ahead by what the log has already, so that a small store stays small; at most by this. */
#define GROW_BYTES_MAX 1048576
/* On a disk with less room the log takes only what it needs. */
#define GROW_FREE_BYTES (UINT64_C(256) * 1024 * 1024)

int counted_write(sqlite3_file *real, const void *bytes, int len, sqlite3_int64 offset)
{
    int error = file_fault_point(FILE_CALL_WRITE);

    if (error == 0)
        return real->pMethods->xWrite(real, bytes, len, offset);

    /* As in base/file.c: the failure leaves a torn write behind. */
    (void)real->pMethods->xWrite(real, bytes, len / 2, offset);
    return error == -ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

void wal_open(struct wal *wal, sqlite3_file *real, const char *path)
{
    *wal = (struct wal){ .real = real, .path = path, .size = -1 };
}

void wal_close(struct wal *wal)
{
    mem_free(wal->run);
    wal->run = NULL;
    wal->len = 0;
}

/* ---- growing ------------------------------------------------------------------------------ */

static bool room_to_grow(const struct wal *wal)
{
    struct statvfs st;

    return statvfs(wal->path, &st) == 0 && (uint64_t)st.f_bavail * st.f_frsize >= GROW_FREE_BYTES;
}

/* The run has been written and passes the end of the file. The zeros carry nothing: a failure is
 * met again by the frames that need the room. */
static void grow(struct wal *wal)
{
    sqlite3_int64 target = wal->end + (wal->end < GROW_BYTES_MAX ? wal->end : GROW_BYTES_MAX);

    wal->size = wal->end;
    if (!room_to_grow(wal))
        return;

    memset(wal->run, 0, WAL_RUN_BYTES);
    while (wal->size < target) {
        sqlite3_int64 left = target - wal->size;
        int len = left < WAL_RUN_BYTES ? (int)left : WAL_RUN_BYTES;

        if (counted_write(wal->real, wal->run, len, wal->size) != SQLITE_OK)
            return;
        wal->size += len;
    }
}

static int learn_size(struct wal *wal)
{
    return wal->size >= 0 ? SQLITE_OK : wal->real->pMethods->xFileSize(wal->real, &wal->size);
}

/* ---- writing ------------------------------------------------------------------------------ */

int wal_flush(struct wal *wal)
{
    int rc;

    if (wal->broken != SQLITE_OK || wal->len == 0)
        return wal->broken;

    rc = learn_size(wal);
    if (rc == SQLITE_OK)
        rc = counted_write(wal->real, wal->run, (int)wal->len, wal->end - (sqlite3_int64)wal->len);
    if (rc != SQLITE_OK)
        return rc;

    wal->len = 0;
    if (wal->end > wal->size)
        grow(wal);
    return SQLITE_OK;
}

int wal_flush_or_lose(struct wal *wal)
{
    int rc = wal_flush(wal);

    wal->len = 0;
    return rc;
}

void wal_publish(struct wal *wal)
{
    int rc = wal_flush(wal);

    /* A barrier has no result: whoever writes or syncs next is told, and commits nothing more. */
    if (rc != SQLITE_OK)
        wal->broken = rc;
}

static bool can_gather(struct wal *wal, size_t len)
{
    if (wal->run == NULL)
        wal->run = mem_zalloc(WAL_RUN_BYTES);
    return wal->run != NULL && len <= WAL_RUN_BYTES;
}

static bool header_commits(const char *header)
{
    static const char zeros[COMMIT_BYTES];

    return memcmp(header + COMMIT_OFFSET, zeros, COMMIT_BYTES) != 0;
}

int wal_write(struct wal *wal, const void *bytes, int len, sqlite3_int64 offset)
{
    bool continues = offset == wal->end;
    bool is_header = len == WAL_FRAME_HEADER_BYTES;
    int rc = SQLITE_OK;

    if (wal->broken != SQLITE_OK)
        return wal->broken;
    if (!continues || wal->len + (size_t)len > WAL_RUN_BYTES)
        rc = wal_flush_or_lose(wal);
    if (rc != SQLITE_OK)
        return rc;

    wal->end = offset + len;
    if (is_header)
        wal->commits = header_commits(bytes);
    if (!continues || !can_gather(wal, (size_t)len)) {
        wal->size = -1; /* may have grown */
        return counted_write(wal->real, bytes, len, offset);
    }

    memcpy(wal->run + wal->len, bytes, (size_t)len);
    wal->len += (size_t)len;
    return wal->commits && !is_header ? wal_flush_or_lose(wal) : SQLITE_OK;
}

int wal_truncate(struct wal *wal, sqlite3_int64 size)
{
    int rc = wal_flush_or_lose(wal);

    wal->size = -1;
    return rc != SQLITE_OK ? rc : wal->real->pMethods->xTruncate(wal->real, size);
}
