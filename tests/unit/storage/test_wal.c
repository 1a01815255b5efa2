/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's file: which of SQLite's writes reach the file, in which pieces and when; how it grows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "storage/catalog/file/wal.h"
#include "storage/catalog/sql.h"

#define PAGE 4096
#define HEADER 24
#define FRAME (HEADER + PAGE)
#define FIRST 32 /* behind the log's own header */
#define FILE_MAX (4 << 20)
#define WRITES_MAX 64
/* A file of a kind of file system that has room, and one of a kind that never has. */
#define ROOMY "."
#define ROOMLESS "/proc/version"

static struct disk {
    sqlite3_file base;
    char bytes[FILE_MAX];
    sqlite3_int64 size;
    struct {
        sqlite3_int64 offset;
        int len;
    } writes[WRITES_MAX];
    size_t count;
    int result; /* of writes */
} disk;

static int disk_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
    (void)file;
    assert_in_range(len, 0, 0x1ffff); /* what SQLite's unix layer writes in one go */
    assert_in_range(offset + len, 0, FILE_MAX);
    if (disk.result != SQLITE_OK)
        return disk.result;
    if (disk.count < WRITES_MAX) {
        disk.writes[disk.count].offset = offset;
        disk.writes[disk.count].len = len;
    }
    disk.count++;
    memcpy(disk.bytes + offset, bytes, (size_t)len);
    if (disk.size < offset + len)
        disk.size = offset + len;
    return SQLITE_OK;
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    (void)file;
    *ret_size = disk.size;
    return SQLITE_OK;
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    (void)file;
    disk.size = size;
    return SQLITE_OK;
}

static const sqlite3_io_methods disk_methods = {
    .iVersion = 1,
    .xWrite = disk_write,
    .xFileSize = disk_size,
    .xTruncate = disk_truncate,
};

/* An empty file; on a roomless file system it does not grow ahead. */
static void begin(struct wal *wal, const char *path)
{
    memset(&disk, 0, sizeof(disk));
    disk.base.pMethods = &disk_methods;
    wal_open(wal, &disk.base, path);
}

/* One frame of a page full of `fill`, as SQLite writes it. */
static int frame(struct wal *wal, int number, char fill, bool commits)
{
    sqlite3_int64 at = FIRST + (sqlite3_int64)number * FRAME;
    char header[HEADER];
    char page[PAGE];
    int rc;

    memset(header, fill, sizeof(header));
    memset(header + 4, 0, 4);
    header[7] = commits;
    memset(page, fill, sizeof(page));
    rc = wal_write(wal, header, HEADER, at);
    return rc != SQLITE_OK ? rc : wal_write(wal, page, PAGE, at + HEADER);
}

static void start_log(struct wal *wal)
{
    static const char header[FIRST] = "log";

    assert_int_equal(wal_write(wal, header, FIRST, 0), SQLITE_OK);
    assert_int_equal(wal_flush_or_lose(wal), SQLITE_OK);
    disk.count = 0;
}

static void assert_frame(int number, char fill)
{
    sqlite3_int64 at = FIRST + (sqlite3_int64)number * FRAME;

    assert_int_equal(disk.bytes[at], fill);
    assert_int_equal(disk.bytes[at + HEADER], fill);
    assert_int_equal(disk.bytes[at + FRAME - 1], fill);
}

/* ---- gathering ---------------------------------------------------------------------------- */

static void a_transaction_is_one_write_done_with_its_last_frame(void **state)
{
    struct wal wal;

    (void)state;
    begin(&wal, ROOMLESS);
    start_log(&wal);
    assert_int_equal(frame(&wal, 0, 'a', false), SQLITE_OK);
    assert_int_equal(frame(&wal, 1, 'b', false), SQLITE_OK);
    assert_int_equal(disk.count, 0);
    assert_int_equal(frame(&wal, 2, 'c', true), SQLITE_OK);
    assert_int_equal(disk.count, 1);
    assert_int_equal(disk.writes[0].offset, FIRST);
    assert_int_equal(disk.writes[0].len, 3 * FRAME);
    assert_frame(0, 'a');
    assert_frame(2, 'c');
    wal_close(&wal);
}

static void a_long_transaction_is_written_in_pieces(void **state)
{
    struct wal wal;
    sqlite3_int64 at = FIRST;

    (void)state;
    begin(&wal, ROOMLESS);
    start_log(&wal);
    for (int i = 0; i < 100; i++)
        assert_int_equal(frame(&wal, i, (char)(1 + i), i == 99), SQLITE_OK);
    assert_in_range(disk.count, 2, 10);
    for (size_t i = 0; i < disk.count; i++) {
        assert_int_equal(disk.writes[i].offset, at);
        at += disk.writes[i].len;
    }
    for (int i = 0; i < 100; i++)
        assert_frame(i, (char)(1 + i));
    wal_close(&wal);
}

/* As SQLite does when it corrects checksums of frames that it has written before. */
static void a_write_elsewhere_is_done_at_once_and_after_what_was_gathered(void **state)
{
    static const char header[HEADER] = "corrected";
    struct wal wal;

    (void)state;
    begin(&wal, ROOMLESS);
    start_log(&wal);
    assert_int_equal(frame(&wal, 0, 'a', false), SQLITE_OK);
    assert_int_equal(frame(&wal, 1, 'b', false), SQLITE_OK);
    assert_int_equal(wal_write(&wal, header, HEADER, FIRST), SQLITE_OK);
    assert_int_equal(disk.count, 2);
    assert_int_equal(disk.writes[0].len, 2 * FRAME);
    assert_int_equal(disk.writes[1].offset, FIRST);
    assert_memory_equal(disk.bytes + FIRST, header, HEADER);
    assert_int_equal(wal_flush(&wal), SQLITE_OK);
    assert_int_equal(disk.count, 2);
    wal_close(&wal);
}

static void a_look_at_the_file_finds_what_was_gathered(void **state)
{
    struct wal wal;

    (void)state;
    begin(&wal, ROOMLESS);
    start_log(&wal);
    assert_int_equal(frame(&wal, 0, 'a', false), SQLITE_OK);
    assert_int_equal(wal_flush(&wal), SQLITE_OK);
    assert_frame(0, 'a');
    assert_int_equal(frame(&wal, 1, 'b', true), SQLITE_OK);
    assert_frame(1, 'b');
    wal_close(&wal);
}

/* ---- failures ------------------------------------------------------------------------------ */

static void a_commit_that_cannot_be_written_fails_and_leaves_nothing_gathered(void **state)
{
    struct wal wal;

    (void)state;
    begin(&wal, ROOMLESS);
    start_log(&wal);
    disk.result = SQLITE_FULL;
    assert_int_equal(frame(&wal, 0, 'a', true), SQLITE_FULL);
    disk.result = SQLITE_OK;
    assert_int_equal(wal_flush_or_lose(&wal), SQLITE_OK);
    assert_int_equal(disk.count, 0);

    /* rolled back, and done again */
    assert_int_equal(frame(&wal, 0, 'b', true), SQLITE_OK);
    assert_frame(0, 'b');
    wal_close(&wal);
}

static void a_look_that_fails_loses_nothing(void **state)
{
    struct wal wal;

    (void)state;
    begin(&wal, ROOMLESS);
    start_log(&wal);
    assert_int_equal(frame(&wal, 0, 'a', false), SQLITE_OK);
    disk.result = SQLITE_IOERR_WRITE;
    assert_int_equal(wal_flush(&wal), SQLITE_IOERR_WRITE);
    disk.result = SQLITE_OK;
    assert_int_equal(frame(&wal, 1, 'b', true), SQLITE_OK);
    assert_frame(0, 'a');
    assert_frame(1, 'b');
    wal_close(&wal);
}

static void injected_faults_tear_a_write(void **state)
{
    struct wal wal;

    (void)state;
    begin(&wal, ROOMLESS);
    start_log(&wal);
    assert_int_equal(frame(&wal, 0, 'a', false), SQLITE_OK);
    file_fault_set(FILE_CALL_WRITE, 1, ENOSPC, /* forever= */ false);
    assert_int_equal(frame(&wal, 1, 'b', true), SQLITE_FULL);
    assert_int_equal(disk.size, FIRST + FRAME);
    file_fault_set(FILE_CALL_WRITE, 1, EIO, /* forever= */ false);
    assert_int_equal(frame(&wal, 0, 'a', true), SQLITE_IOERR_WRITE);
    file_fault_set(FILE_CALLS, 0, 0, false);
    wal_close(&wal);
}

/* ---- growing ------------------------------------------------------------------------------- */

static void the_file_grows_ahead_by_its_size_and_by_a_mebibyte_at_most(void **state)
{
    struct wal wal;

    (void)state;
    begin(&wal, ROOMY);
    start_log(&wal);
    disk.bytes[2 * (FIRST + FRAME) - 1] = 'x';
    assert_int_equal(frame(&wal, 0, 'a', true), SQLITE_OK);
    assert_int_equal(disk.size, 2 * (FIRST + FRAME));
    assert_int_equal(disk.bytes[disk.size - 1], 0);

    /* inside: nothing but the frame */
    disk.count = 0;
    assert_int_equal(frame(&wal, 1, 'b', false), SQLITE_OK);
    assert_int_equal(wal_flush_or_lose(&wal), SQLITE_OK);
    disk.size = 3 << 20;
    assert_int_equal(wal_truncate(&wal, 3 << 20), SQLITE_OK);
    disk.count = 0;
    assert_int_equal(frame(&wal, 2, 'c', true), SQLITE_OK);
    assert_int_equal(disk.count, 1);

    /* past the end of a long one */
    assert_int_equal(wal_truncate(&wal, 0), SQLITE_OK);
    for (int i = 3; disk.size < (2 << 20); i++)
        assert_int_equal(frame(&wal, i, 'd', true), SQLITE_OK);
    assert_in_range(disk.size - wal.end, (1 << 20) - 2 * FRAME, 1 << 20);
    wal_close(&wal);
}

static void a_file_on_a_disk_without_room_does_not_grow_ahead(void **state)
{
    struct wal wal;

    (void)state;
    begin(&wal, ROOMLESS);
    start_log(&wal);
    assert_int_equal(frame(&wal, 0, 'a', true), SQLITE_OK);
    assert_int_equal(disk.size, FIRST + FRAME);
    wal_close(&wal);
}

static void growing_that_fails_is_nobodys_failure(void **state)
{
    struct wal wal;

    (void)state;
    begin(&wal, ROOMY);
    start_log(&wal);
    file_fault_set(FILE_CALL_WRITE, 2, ENOSPC, /* forever= */ false);
    assert_int_equal(frame(&wal, 0, 'a', true), SQLITE_OK);
    assert_true(file_fault_fired());
    file_fault_set(FILE_CALLS, 0, 0, false);
    assert_int_equal(frame(&wal, 1, 'b', true), SQLITE_OK);
    assert_frame(0, 'a');
    assert_frame(1, 'b');
    wal_close(&wal);
}

/* ---- behind SQLite ------------------------------------------------------------------------ */

static sqlite3_file *file_of(sqlite3 *db, int which)
{
    sqlite3_file *file = NULL;

    assert_int_equal(sqlite3_file_control(db, "main", which, (void *)&file), SQLITE_OK);
    assert_non_null(file);
    return file;
}

/* Whatever order SQLite writes in: what shared memory is about to show is in the file. */
static void frames_are_in_the_file_before_the_barrier_of_shared_memory(void **state)
{
    char folder[] = "/tmp/pail-test-XXXXXX";
    char path[64];
    char header[HEADER] = { 0 }; /* of a frame that does not commit */
    char back[HEADER] = { 1 };
    struct stat before;
    sqlite3_file *log;
    sqlite3 *db = NULL;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/x", folder);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                     vfs_name()),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = WAL; CREATE TABLE t(x)", NULL, NULL,
                                  NULL),
                     SQLITE_OK);
    log = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);
    (void)snprintf(path, sizeof(path), "%s/x-wal", folder);
    fd = open(path, O_RDONLY);
    assert_int_equal(fstat(fd, &before), 0);

    assert_int_equal(log->pMethods->xWrite(log, "y", 1, before.st_size), SQLITE_OK);
    assert_int_equal(log->pMethods->xWrite(log, header, HEADER, before.st_size + 1), SQLITE_OK);
    assert_int_not_equal(pread(fd, back, HEADER, before.st_size + 1), HEADER); /* gathered */
    file_of(db, SQLITE_FCNTL_FILE_POINTER)
        ->pMethods->xShmBarrier(file_of(db, SQLITE_FCNTL_FILE_POINTER));
    assert_int_equal(pread(fd, back, HEADER, before.st_size + 1), HEADER);
    assert_memory_equal(back, header, HEADER);

    (void)close(fd);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    (void)snprintf(path, sizeof(path), "%s/x", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void a_barrier_that_can_not_write_fails_what_comes_next(void **state)
{
    struct wal wal;
    char page[PAGE] = { 0 };

    (void)state;
    begin(&wal, ROOMLESS);
    assert_int_equal(wal_write(&wal, page, 1, 0), SQLITE_OK);
    assert_int_equal(wal_write(&wal, page, HEADER, 1), SQLITE_OK);
    disk.result = SQLITE_IOERR_WRITE;
    wal_publish(&wal);
    disk.result = SQLITE_OK;
    assert_int_equal(wal_write(&wal, page, PAGE, 1 + HEADER), SQLITE_IOERR_WRITE);
    assert_int_equal(wal_flush_or_lose(&wal), SQLITE_IOERR_WRITE);
    wal_close(&wal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_is_one_write_done_with_its_last_frame),
        cmocka_unit_test(a_long_transaction_is_written_in_pieces),
        cmocka_unit_test(a_write_elsewhere_is_done_at_once_and_after_what_was_gathered),
        cmocka_unit_test(a_look_at_the_file_finds_what_was_gathered),
        cmocka_unit_test(a_commit_that_cannot_be_written_fails_and_leaves_nothing_gathered),
        cmocka_unit_test(a_look_that_fails_loses_nothing),
        cmocka_unit_test(injected_faults_tear_a_write),
        cmocka_unit_test(the_file_grows_ahead_by_its_size_and_by_a_mebibyte_at_most),
        cmocka_unit_test(a_file_on_a_disk_without_room_does_not_grow_ahead),
        cmocka_unit_test(growing_that_fails_is_nobodys_failure),
        cmocka_unit_test(frames_are_in_the_file_before_the_barrier_of_shared_memory),
        cmocka_unit_test(a_barrier_that_can_not_write_fails_what_comes_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
