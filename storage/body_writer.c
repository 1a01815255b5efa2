/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Body writer: plain bytes in; out come digests and a body that an intent can commit.
 *
 * (1) Up to inline_max bytes stay in memory and go into the catalog. Beyond that everything goes
 *     to one file in tmp/, in large pieces, hashed while they are in the cache.
 * (2) Nothing is durable before body_writer_stage; a crash leaves at most a file in tmp/.
 * (3) After a failure the writer stays failed.
 *
 *   open --append--> in memory --too long--> in a file --finish--> finished --stage--> linked
 *                         \-----finish--> finished
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "storage/blobs/frames.h"
#include "storage/internal.h"

#define WRITE_BYTES (128u * 1024u)
/* Bytes are hashed, sealed and buffered in pieces that stay in the cache. */
#define STEP_BYTES FRAME_PLAIN_BYTES
/* How often the kernel is told to start writing, so that the last sync finds little left. */
#define WRITE_BACK_BYTES (UINT64_C(8) * 1024 * 1024)
#define TMP_NAME_MAX 32

enum writer_state { WRITER_OPEN, WRITER_FINISHED, WRITER_LINKED, WRITER_FAILED };

struct body_writer {
    struct store *store;
    enum writer_state state;
    bool encrypt;
    bool want_sha256;
    uint64_t scope;
    struct digest *md5;
    struct digest *stored_sha; /* of what is in the file */
    struct digest *plain_sha;  /* want_sha256 and encrypted */
    struct checksum *checksums[CHECKSUM_KINDS];
    struct buf out;   /* stored bytes that are not in the file (yet) */
    struct buf frame; /* encrypted: plain bytes of the frame being filled */
    uint64_t frame_number;
    uint8_t data_key[AES_KEY_BYTES];
    uint8_t wrapped_key[WRAPPED_KEY_BYTES];
    int fd; /* -1: in memory */
    char tmp_name[TMP_NAME_MAX];
    uint64_t plain_bytes;
    uint64_t file_bytes;
    uint64_t write_back_at;
    struct blob_pin pin; /* its name is set by finish */
};

/* ---- open and close ---------------------------------------------------------------------- */

static void body_writer_closep(struct body_writer **writer)
{
    body_writer_close(*writer);
    *writer = NULL;
}

void body_writer_close(struct body_writer *writer)
{
    if (writer == NULL)
        return;

    blob_pin_drop(&writer->store->pins, &writer->pin);
    fd_close(&writer->fd);
    if (writer->tmp_name[0] != '\0')
        file_discard(writer->store->tmp_fd, writer->tmp_name);
    digest_close(writer->md5);
    digest_close(writer->stored_sha);
    digest_close(writer->plain_sha);
    for (size_t i = 0; i < CHECKSUM_KINDS; i++)
        checksum_close(writer->checksums[i]);
    buf_free(&writer->out);
    buf_free(&writer->frame);
    explicit_bzero(writer->data_key, sizeof(writer->data_key));
    mem_free(writer);
}

static bool open_digests(struct body_writer *writer, const struct body_options *options)
{
    writer->md5 = digest_open(DIGEST_MD5);
    if (writer->md5 == NULL)
        return false;
    if (options->want_sha256 && options->encrypt) {
        writer->plain_sha = digest_open(DIGEST_SHA256);
        if (writer->plain_sha == NULL)
            return false;
    }
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        if ((options->checksum_kinds & 1u << i) == 0 || i == CHECKSUM_NONE)
            continue;
        writer->checksums[i] = checksum_open((enum checksum_kind)i);
        if (writer->checksums[i] == NULL)
            return false;
    }
    return true;
}

enum store_status body_writer_open(struct store *store, const struct body_options *options,
                                   struct body_writer **ret_writer, struct fault *fault)
{
    CLEANUP(body_writer_closep) struct body_writer *writer = NULL;
    size_t inline_max = store->options.inline_max_bytes;

    if (atomic_load(&store->poisoned))
        return fault_set(fault, STORE_IO, "the store takes no writes: a sync has failed");
    if (!space_left(store, options->expected_bytes > inline_max ? SPACE_FILE : SPACE_SMALL))
        return fault_set(fault, STORE_FULL, "free space is down to the reserve");
    writer = mem_zalloc(sizeof(*writer));
    if (writer == NULL)
        return fault_set(fault, STORE_NO_MEMORY, "body writer");

    writer->store = store;
    writer->fd = -1;
    writer->encrypt = options->encrypt;
    writer->want_sha256 = options->want_sha256;
    writer->write_back_at = WRITE_BACK_BYTES;
    writer->scope = blob_scope(options->account);
    writer->out = BUF_WITH_MAX(inline_max + 2 * WRITE_BYTES);
    writer->frame = BUF_WITH_MAX(FRAME_PLAIN_BYTES);
    if (!open_digests(writer, options))
        return fault_set(fault, STORE_NO_MEMORY, "body writer");
    if (options->expected_bytes > 0 && options->expected_bytes <= inline_max && !options->encrypt &&
        !buf_reserve(&writer->out, (size_t)options->expected_bytes))
        return fault_set(fault, STORE_NO_MEMORY, "body writer");
    if (writer->encrypt) {
        random_key_bytes(writer->data_key, AES_KEY_BYTES);
        keyring_wrap(&store->keyring, writer->data_key, writer->wrapped_key);
    }

    *ret_writer = writer;
    writer = NULL;
    return STORE_OK;
}

/* ---- to the file ------------------------------------------------------------------------- */

static enum store_status fail(struct body_writer *writer, int error, struct fault *fault,
                              const char *what)
{
    writer->state = WRITER_FAILED;
    errno = -error;
    return fault_errno(fault, error == -ENOSPC || error == -EDQUOT ? STORE_FULL : STORE_IO, "%s",
                       what);
}

static enum store_status start_file(struct body_writer *writer, struct fault *fault)
{
    int fd;

    writer->stored_sha = digest_open(DIGEST_SHA256);
    if (writer->stored_sha == NULL)
        return fail(writer, -ENOMEM, fault, "digest of a body");

    (void)snprintf(writer->tmp_name, sizeof(writer->tmp_name), "body-%016llx",
                   (unsigned long long)random_u64());
    fd = file_open(writer->store->tmp_fd, writer->tmp_name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        writer->tmp_name[0] = '\0';
        return fail(writer, fd, fault, "create a temporary file");
    }
    writer->fd = fd;
    return STORE_OK;
}

static enum store_status flush(struct body_writer *writer, struct fault *fault)
{
    int error;

    if (writer->out.len == 0)
        return STORE_OK;

    digest_update(writer->stored_sha, writer->out.p, writer->out.len);
    error = file_write_all(writer->fd, writer->out.p, writer->out.len);
    if (error < 0)
        return fail(writer, error, fault, "write a temporary file");
    writer->file_bytes += writer->out.len;
    buf_clear(&writer->out);

    if (writer->file_bytes < writer->write_back_at)
        return STORE_OK;
    if (writer->store->options.durability == STORE_STRICT)
        (void)sync_file_range(writer->fd, (off_t)(writer->write_back_at - WRITE_BACK_BYTES),
                              (off_t)WRITE_BACK_BYTES, SYNC_FILE_RANGE_WRITE);
    writer->write_back_at += WRITE_BACK_BYTES;
    return space_left(writer->store, SPACE_FILE)
               ? STORE_OK
               : fail(writer, -ENOSPC, fault, "free space has run out");
}

/* Decide after each step where the bytes go. */
static enum store_status settle(struct body_writer *writer, struct fault *fault)
{
    enum store_status status = STORE_OK;

    if (writer->out.failed || writer->frame.failed)
        return fail(writer, -ENOMEM, fault, "buffer of a body");
    if (writer->fd < 0 && writer->plain_bytes <= writer->store->options.inline_max_bytes)
        return STORE_OK;
    if (writer->fd < 0)
        status = start_file(writer, fault);
    if (status == STORE_OK && writer->out.len >= WRITE_BYTES)
        status = flush(writer, fault);
    return status;
}

/* ---- append ------------------------------------------------------------------------------ */

static bool seal(struct body_writer *writer, bool last)
{
    if (!buf_reserve(&writer->out, writer->frame.len + AES_GCM_TAG_BYTES))
        return false;

    frame_seal(writer->data_key, writer->frame_number++, last, writer->frame.p, writer->frame.len,
               writer->out.p + writer->out.len);
    writer->out.len += writer->frame.len + AES_GCM_TAG_BYTES;
    buf_clear(&writer->frame);
    return true;
}

/* A full frame waits until it is known whether it is the last one. */
static void encrypt_step(struct body_writer *writer, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t room = FRAME_PLAIN_BYTES - writer->frame.len;
        size_t taken = size_min(room, len);

        if (room == 0) {
            if (!seal(writer, /* last= */ false)) {
                writer->out.failed = true;
                return;
            }
            continue;
        }
        buf_append(&writer->frame, bytes, taken);
        if (writer->frame.failed)
            return;
        bytes += taken;
        len -= taken;
    }
}

enum store_status body_writer_append(struct body_writer *writer, const void *bytes, size_t len,
                                     struct fault *fault)
{
    const char *p = bytes;

    if (writer->state != WRITER_OPEN)
        return fault_set(fault, STORE_IO, "the body has failed before");

    while (len > 0) {
        size_t step = size_min(len, STEP_BYTES);
        enum store_status status;

        digest_update(writer->md5, p, step);
        if (writer->plain_sha != NULL)
            digest_update(writer->plain_sha, p, step);
        for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
            if (writer->checksums[i] != NULL)
                checksum_update(writer->checksums[i], p, step);
        }
        if (writer->encrypt)
            encrypt_step(writer, p, step);
        else
            buf_append(&writer->out, p, step);
        writer->plain_bytes += step;
        status = settle(writer, fault);
        if (status != STORE_OK)
            return status;
        p += step;
        len -= step;
    }

    return STORE_OK;
}

static void compute(struct body_writer *writer, struct body_digests *digests)
{
    struct blob_name *name = &writer->pin.name;

    memset(digests, 0, sizeof(*digests));
    digests->size_bytes = writer->plain_bytes;
    digest_final(writer->md5, digests->md5);
    for (size_t i = 0; i < CHECKSUM_KINDS; i++) {
        if (writer->checksums[i] != NULL)
            checksum_final(writer->checksums[i], digests->checksum[i]);
    }
    if (writer->fd >= 0) {
        name->scope = writer->scope;
        digest_final(writer->stored_sha, name->hash);
    }
    if (!writer->want_sha256)
        return;
    if (writer->plain_sha != NULL)
        digest_final(writer->plain_sha, digests->sha256);
    else if (writer->fd >= 0)
        memcpy(digests->sha256, name->hash, SHA256_BYTES);
    else
        digest_once(DIGEST_SHA256, buf_view(&writer->out), digests->sha256);
}

enum store_status body_writer_finish(struct body_writer *writer, struct body_digests *ret_digests,
                                     struct fault *fault)
{
    enum store_status status = STORE_OK;

    if (writer->state != WRITER_OPEN)
        return fault_set(fault, STORE_IO, "the body has failed before");
    if (writer->frame.len > 0 && !seal(writer, /* last= */ true))
        return fail(writer, -ENOMEM, fault, "buffer of a body");
    if (writer->fd >= 0)
        status = flush(writer, fault);
    if (status != STORE_OK)
        return status;

    compute(writer, ret_digests);
    writer->state = WRITER_FINISHED;
    if (writer->fd >= 0)
        buf_free(&writer->out); /* the rest of its life the writer only waits */
    buf_free(&writer->frame);
    return STORE_OK;
}

/* ---- for the store's threads ------------------------------------------------------------- */

bool body_writer_is_file(const struct body_writer *writer)
{
    return writer->fd >= 0;
}

enum store_status body_writer_stage(struct body_writer *writer, struct fault *fault)
{
    struct store *store = writer->store;
    struct blob_name name = writer->pin.name;
    enum blob_linked linked = BLOB_LINKED;
    struct stat st;
    int error = 0;
    enum store_status status;

    if (writer->state != WRITER_FINISHED)
        return fault_set(fault, STORE_IO, "the body is not finished");
    if (writer->fd < 0)
        return STORE_OK;
    if (fstat(writer->fd, &st) < 0 || (uint64_t)st.st_size != writer->file_bytes)
        return fault_set(fault, STORE_IO, "the temporary file does not have the bytes written");

    if (store->options.durability == STORE_STRICT)
        error = file_sync(writer->fd);
    if (error < 0) {
        atomic_store(&store->poisoned, true);
        return fail(writer, error, fault, "sync a body");
    }

    blob_pin_take(&store->pins, &writer->pin, &name);
    status = blob_link(&store->blobs, writer->tmp_name, &name, writer->file_bytes, &linked, fault);
    if (status != STORE_OK)
        return status;

    writer->state = WRITER_LINKED;
    writer->tmp_name[0] = '\0';
    fd_close(&writer->fd);
    atomic_fetch_add(linked == BLOB_LINKED ? &store->blobs_linked : &store->blobs_shared, 1);
    return STORE_OK;
}

void body_writer_describe(const struct body_writer *writer, struct staged_body *ret_staged)
{
    struct staged_body staged = { .size_bytes = writer->plain_bytes };

    if (writer->plain_bytes == 0) {
        staged.kind = BODY_EMPTY;
    } else if (writer->state == WRITER_LINKED) {
        staged.kind = BODY_BLOB;
        staged.scope = writer->pin.name.scope;
        staged.hash = str_make(writer->pin.name.hash, SHA256_BYTES);
        staged.stored_bytes = writer->file_bytes;
    } else {
        staged.kind = BODY_INLINE;
        staged.bytes = buf_view(&writer->out);
    }
    if (writer->encrypt && writer->plain_bytes > 0)
        staged.wrapped_key = str_make(writer->wrapped_key, WRAPPED_KEY_BYTES);
    *ret_staged = staged;
}

void body_writer_settle(struct body_writer *writer, bool kept, struct catalog *cat)
{
    struct store *store = writer->store;
    bool known = true;

    if (writer->state != WRITER_LINKED)
        return;
    if (kept) {
        blob_pin_drop(&store->pins, &writer->pin);
        return;
    }

    /* In the writer's thread no commit can come between the question and the unlink. */
    if (catalog_blob_known(cat, writer->pin.name.scope, writer->pin.name.hash, &known, NULL) !=
        STORE_OK)
        known = true;
    blob_pins_lock(&store->pins);
    if (!known && blob_pins_count(&store->pins, &writer->pin.name) == 1)
        (void)blob_unlink(&store->blobs, &writer->pin.name);
    blob_pins_unlock(&store->pins);
    blob_pin_drop(&store->pins, &writer->pin);
}
