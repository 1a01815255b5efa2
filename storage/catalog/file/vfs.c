/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thin layer over SQLite's own file layer, so that the catalog's writes and syncs are counted
 * and can be made to fail like those of every other file (base/file.h).
 *
 * A write or sync first passes the fault point, then goes to SQLite's unix layer unchanged; writes
 * to the log are gathered on the way (wal.h).
 */
#include <errno.h>
#include <pthread.h>

#include "base/file.h"
#include "storage/catalog/file/wal.h"
#include "storage/catalog/sql.h"

struct counted_file {
    sqlite3_file base;
    sqlite3_file *real;            /* behind this struct in the same allocation */
    struct wal wal;                /* of the log only */
    struct wal *log;               /* of the database: its log, while that is open */
    struct counted_file *database; /* of the log */
};

static struct {
    pthread_once_t once;
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    bool ready;
} shim = { .once = PTHREAD_ONCE_INIT };

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct counted_file *)(void *)file)->real;
}

static int shim_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int shim_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), out, len, offset);
}

static int shim_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    return counted_write(real_of(file), bytes, len, offset);
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int shim_sync(sqlite3_file *file, int flags)
{
    int error;
    int rc;

    /* As in base/file.c: a sync that a signal interrupted is no failed one. */
    do {
        error = file_fault_point(FILE_CALL_SYNC);
        errno = 0;
        rc = error < 0 ? SQLITE_IOERR_FSYNC : real_of(file)->pMethods->xSync(real_of(file), flags);
    } while (rc == SQLITE_IOERR_FSYNC && (error == -EINTR || errno == EINTR));
    return rc;
}

static int shim_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int shim_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int shim_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int shim_check_lock(sqlite3_file *file, int *ret_locked)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_locked);
}

static int shim_control(sqlite3_file *file, int op, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

static int shim_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int shim_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int shim_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret);
}

static int shim_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void shim_shm_barrier(sqlite3_file *file)
{
    struct counted_file *counted = (struct counted_file *)(void *)file;

    if (counted->log != NULL)
        wal_publish(counted->log);
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int shim_shm_unmap(sqlite3_file *file, int delete)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), delete);
}

/* Version 2: no memory mapping, so that every read and write passes here. */
static const sqlite3_io_methods shim_methods = {
    .iVersion = 2,
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_check_lock,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_device,
    .xShmMap = shim_shm_map,
    .xShmLock = shim_shm_lock,
    .xShmBarrier = shim_shm_barrier,
    .xShmUnmap = shim_shm_unmap,
};

/* ---- the log ----------------------------------------------------------------------------- */

static struct wal *wal_of(sqlite3_file *file)
{
    return &((struct counted_file *)(void *)file)->wal;
}

static int log_close(sqlite3_file *file)
{
    struct counted_file *counted = (struct counted_file *)(void *)file;

    if (counted->database != NULL)
        counted->database->log = NULL;
    wal_close(wal_of(file));
    return shim_close(file);
}

static int log_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    int rc = wal_flush(wal_of(file));

    return rc != SQLITE_OK ? rc : shim_read(file, out, len, offset);
}

static int log_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    return wal_write(wal_of(file), bytes, len, offset);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return wal_truncate(wal_of(file), size);
}

static int log_sync(sqlite3_file *file, int flags)
{
    int rc = wal_flush_or_lose(wal_of(file));

    return rc != SQLITE_OK ? rc : shim_sync(file, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    int rc = wal_flush(wal_of(file));

    return rc != SQLITE_OK ? rc : shim_size(file, ret_size);
}

/* Version 1: SQLite keeps locks and shared memory at the database's file. */
static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_check_lock,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_device,
};

/* ---- registering -------------------------------------------------------------------------- */

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    struct counted_file *counted = (struct counted_file *)(void *)file;
    bool is_log = (flags & SQLITE_OPEN_WAL) != 0;
    int rc;

    (void)vfs;
    counted->base.pMethods = NULL; /* nothing to close */
    if (file_fault_point(FILE_CALL_OPEN) < 0)
        return SQLITE_CANTOPEN;
    counted->real = (sqlite3_file *)(void *)(counted + 1);
    counted->real->pMethods = NULL;
    rc = shim.real->xOpen(shim.real, name, counted->real, flags, ret_flags);
    counted->base.pMethods = is_log ? &log_methods : &shim_methods;
    if (counted->real->pMethods == NULL)
        counted->base.pMethods = NULL; /* nothing to close */
    wal_open(&counted->wal, counted->real, name);
    counted->log = NULL;
    counted->database = is_log && rc == SQLITE_OK
                            ? (struct counted_file *)(void *)sqlite3_database_file_object(name)
                            : NULL;
    if (counted->database != NULL)
        counted->database->log = &counted->wal;
    return rc;
}

static void shim_init(void)
{
    /* Before SQLite's first use: one statistic less to lock for. Refused when too late: fine. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (sqlite3_initialize() != SQLITE_OK)
        return;

    shim.real = sqlite3_vfs_find(NULL);
    if (shim.real == NULL)
        return;

    shim.vfs = *shim.real;
    shim.vfs.pNext = NULL;
    shim.vfs.zName = "pail";
    shim.vfs.szOsFile = (int)sizeof(struct counted_file) + shim.real->szOsFile;
    shim.vfs.xOpen = shim_open;
    shim.ready = sqlite3_vfs_register(&shim.vfs, /* makeDflt= */ 0) == SQLITE_OK;
}

const char *vfs_name(void)
{
    (void)pthread_once(&shim.once, shim_init);
    return shim.ready ? shim.vfs.zName : NULL;
}
