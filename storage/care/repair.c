/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repair; rules in repair.h.
 */
#include "storage/care/repair.h"

#include "storage/io_status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/file.h"
#include "base/random.h"
#include "storage/bodies/verify.h"

#define LINE_MAX_BYTES 300
#define COPY_BYTES (128u * 1024u)
#define NAME_MAX_BYTES 64

static void say(struct repair *repair, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(struct repair *repair, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list arguments;
    int len = snprintf(text, sizeof(text), "%s: ", repair->perform ? "repaired" : "would repair");

    va_start(arguments, format);
    (void)vsnprintf(text + len, sizeof(text) - (size_t)len, format, arguments);
    va_end(arguments);
    repair->done++;
    repair->line(repair->context, text);
}

static void keep_status(struct repair *repair, enum store_status status)
{
    if (repair->status == STORE_OK)
        repair->status = status;
}

/* ---- quarantine --------------------------------------------------------------------------- */

static int quarantine_file(struct repair *repair, const char *kind, int64_t id,
                           char ret_name[NAME_MAX_BYTES])
{
    (void)snprintf(ret_name, NAME_MAX_BYTES, "%s-%lld-%08x", kind, (long long)id,
                   (unsigned)random_u64());
    return file_open(repair->dir->quarantine_fd, ret_name, O_WRONLY | O_CREAT | O_EXCL, 0600);
}

static int sync_quarantine(struct repair *repair, int fd)
{
    int error = file_sync(fd);

    return error < 0 ? error : file_sync_dir(repair->dir->quarantine_fd);
}

static enum store_status keep_bytes(struct repair *repair, const char *kind, int64_t id,
                                    struct str bytes)
{
    char name[NAME_MAX_BYTES];
    CLEANUP(fd_close) int fd = quarantine_file(repair, kind, id, name);
    int error = fd < 0 ? fd : file_write_all(fd, bytes.p, bytes.len);

    if (error == 0)
        error = sync_quarantine(repair, fd);
    return error < 0 ? store_fault_io(repair->fault, error, "write into quarantine/") : STORE_OK;
}

/* A copy: a pack holds others too, and a file may still be named by a row. */
static enum store_status keep_copy(struct repair *repair, int64_t id, int from, uint64_t base,
                                   uint64_t len)
{
    char name[NAME_MAX_BYTES];
    CLEANUP(buf_free) struct buf room = BUF_WITH_MAX(COPY_BYTES);
    CLEANUP(fd_close) int fd = quarantine_file(repair, "blob", id, name);
    int error = fd < 0 ? fd : 0;

    if (!buf_reserve(&room, COPY_BYTES))
        return store_fault(repair->fault, STORE_NO_MEMORY, "repair");
    for (uint64_t at = 0; error == 0 && at < len;) {
        size_t step = (size_t)u64_min(COPY_BYTES, len - at);

        /* What can not be read at all can not be kept either. */
        if (file_read_at(from, base + at, room.p, step) < 0)
            break;
        error = file_write_all(fd, room.p, step);
        at += step;
    }
    if (error == 0)
        error = sync_quarantine(repair, fd);
    return error < 0 ? store_fault_io(repair->fault, error, "write into quarantine/") : STORE_OK;
}

/* ---- bodies ------------------------------------------------------------------------------- */

void repair_blob(struct repair *repair, const struct checked_blob *blob, int fd, uint64_t base,
                 uint64_t readable)
{
    enum store_status status = STORE_OK;

    say(repair, "blob %lld marked as damaged%s", (long long)blob->id,
        fd >= 0 ? ", a copy of its bytes put into quarantine/" : "");
    if (!repair->perform || repair->status != STORE_OK)
        return;
    if (fd >= 0)
        status = keep_copy(repair, blob->id, fd, base, readable);
    if (status == STORE_OK)
        status = catalog_mark_damaged(repair->cat, BODY_BLOB, blob->id, repair->fault);
    keep_status(repair, status);
}

void repair_inline(struct repair *repair, int64_t id)
{
    say(repair, "inline body %lld marked as damaged", (long long)id);
    if (repair->perform && repair->status == STORE_OK)
        keep_status(repair, catalog_mark_damaged(repair->cat, BODY_INLINE, id, repair->fault));
}

/* ---- rows --------------------------------------------------------------------------------- */

static bool keep_unowned_blob(void *context, const struct checked_blob *blob)
{
    struct repair *repair = context;
    struct piece place = { .scope = blob->scope,
                           .stored_bytes = blob->size,
                           .pack = blob->pack,
                           .pack_at = blob->pack_at };
    CLEANUP(fd_close) int fd = -1;
    uint64_t base = 0;

    if (blob->hash.len == SHA256_BYTES)
        memcpy(place.hash, blob->hash.p, SHA256_BYTES);
    say(repair, "blob %lld, which nothing needs, put into quarantine/", (long long)blob->id);
    if (repair->perform && blob_open_place(repair->dir, &place, &fd, &base, NULL) == STORE_OK)
        keep_status(repair, keep_copy(repair, blob->id, fd, base, blob->size));
    return repair->status == STORE_OK;
}

static enum store_status keep_unowned_inline(void *context, int64_t id, struct str bytes)
{
    struct repair *repair = context;
    enum store_status status = STORE_OK;

    say(repair, "inline body %lld, which nothing needs, put into quarantine/", (long long)id);
    if (repair->perform)
        status = keep_bytes(repair, "inline", id, bytes);
    return status != STORE_OK ? status : catalog_inline_bury(repair->cat, id, repair->fault);
}

static void note_rows(void *context, const char *what, uint64_t count)
{
    say(context, "%llu %s", (unsigned long long)count, what);
}

void repair_rows(struct repair *repair)
{
    uint64_t changed = 0;
    enum store_status status = catalog_repair_rows(repair->cat, note_rows, repair, repair->fault);

    if (status == STORE_OK)
        status = catalog_unowned_blobs(repair->cat, keep_unowned_blob, repair, repair->fault);
    if (status == STORE_OK)
        status = catalog_repair_counts(repair->cat, &changed, repair->fault);
    if (status == STORE_OK && changed > 0)
        note_rows(repair, "counts of references put right", changed);
    if (status == STORE_OK)
        status = catalog_unowned_inline(repair->cat, keep_unowned_inline, repair, repair->fault);
    keep_status(repair, status);
}
