/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Body writer: plain bytes in; out come digests and a body that an intent can commit.
 *
 * (1) Up to inline_max bytes stay in memory and go into the catalog. A longer body goes to an extent
 *     of a pack when it is known to be of middle size, else to one file in tmp/; piece by piece: a
 *     piece is hashed (body_intake.c), sealed and written at once.
 * (2) Nothing is durable before body_writer_stage or body_writers_sync; a crash leaves at most a
 *     file in tmp/ or a gap in a pack.
 * (3) After a failure the writer stays failed.
 * (4) Equal bytes that are stored already are looked at before they stand for those at hand
 *     (body_writer_compare): a re-upload mends what has decayed.
 *
 *   open --append--> in memory --too long--> outside --finish--> finished --stage, sync--> placed
 *                         \-----finish--> finished
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest/digest.h"
#include "base/digest/hash.h"
#include "base/file.h"
#include "base/random.h"
#include "storage/blobs/frames.h"
#include "storage/bodies/body_intake.h"
#include "storage/bodies/verify.h"
#include "storage/io_status.h"

/* How often the kernel is told to start writing, so that the last sync finds little left. */
#define WRITE_BACK_BYTES (UINT64_C(1) * 1024 * 1024)
#define TMP_NAME_MAX 32

enum writer_state { WRITER_OPEN, WRITER_FINISHED, WRITER_PLACED, WRITER_FAILED };

struct body_writer {
    struct store *store;
    enum writer_state state;
    bool encrypt;
    bool want_sha256;
    uint64_t scope;
    struct intake intake;      /* plain bytes that are not in the file, and digests of all */
    struct buf sealed;         /* encrypted: stored bytes that are not in the file */
    struct digest *sealed_sha; /* encrypted and not in memory: of what is stored */
    uint64_t frame_number;
    uint8_t data_key[AES_KEY_BYTES];
    uint8_t wrapped_key[WRAPPED_KEY_BYTES_MAX];
    size_t wrapped_key_bytes;
    struct extent extent; /* in a pack */
    int fd;               /* in a file; else -1 */
    char tmp_name[TMP_NAME_MAX];
    uint64_t expected_bytes; /* plain; 0: unknown */
    uint64_t stored_bytes;   /* in the file or the extent */
    uint64_t write_back_at;
    struct hash_stream *stream; /* outside: of what is stored */
    uint64_t sum;               /* of all that is stored, from finish on */
    struct blob_pin pin;        /* its name is set by finish */
    bool stale; /* equal bytes were found at the place below, and are not what they should be */
    uint32_t stale_pack;
    uint64_t stale_at;
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
    extent_release(&writer->store->dir.packs, &writer->extent, /* kept= */ false);
    fd_close(&writer->fd);
    if (writer->tmp_name[0] != '\0')
        file_discard(writer->store->dir.tmp_fd, writer->tmp_name);
    intake_close(&writer->intake);
    buf_free(&writer->sealed);
    digest_close(writer->sealed_sha);
    mem_free(writer->stream);
    explicit_bzero(writer->data_key, sizeof(writer->data_key));
    mem_free(writer);
}

static bool is_outside(const struct body_writer *writer)
{
    return writer->fd >= 0 || writer->extent.pack != NULL;
}

/* Plain bytes that are held before some must be written: whole pieces, and all of a small body. */
static size_t held_bytes_max(const struct body_writer *writer)
{
    size_t inline_max = writer->store->options.inline_max_bytes;

    return is_outside(writer) ? PIECE_BYTES
                              : (inline_max + PIECE_BYTES - 1) / PIECE_BYTES * PIECE_BYTES;
}

/* Outside and without encryption the content address is the digest of the plain bytes. */
static bool outside_wants_sha256(const struct body_writer *writer)
{
    return writer->want_sha256 || !writer->encrypt;
}

enum store_status body_writer_open(struct store *store, const struct body_options *options,
                                   struct body_writer **ret_writer, struct fault *fault)
{
    CLEANUP(body_writer_closep) struct body_writer *writer = NULL;
    bool large = options->expected_bytes > store->options.inline_max_bytes;
    enum store_status status;

    if (health_poisoned(&store->health))
        return health_refuse(fault);
    if (!space_left(store, large ? SPACE_FILE : SPACE_SMALL))
        return store_fault(fault, STORE_FULL, "free space is down to the reserve");
    writer = digest_thread_prepare() ? mem_zalloc(sizeof(*writer)) : NULL;
    if (writer == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "body writer");

    writer->store = store;
    writer->fd = -1;
    writer->encrypt = options->encrypt;
    writer->want_sha256 = options->want_sha256;
    writer->expected_bytes = options->expected_bytes;
    writer->write_back_at = WRITE_BACK_BYTES;
    writer->scope = blob_scope(options->account);
    writer->sealed = BUF_WITH_MAX(frames_stored_size(held_bytes_max(writer)));
    if (!intake_open(&writer->intake, options, held_bytes_max(writer), large))
        return store_fault(fault, STORE_NO_MEMORY, "body writer");
    if (large)
        intake_start(&writer->intake, outside_wants_sha256(writer));
    if (writer->encrypt) {
        random_key_bytes(writer->data_key, AES_KEY_BYTES);
        status = keyring_wrap(&store->dir.keyring, options, writer->data_key, writer->wrapped_key,
                              &writer->wrapped_key_bytes, fault);
        if (status != STORE_OK)
            return status;
    }

    *ret_writer = writer;
    writer = NULL;
    return STORE_OK;
}

/* ---- to the disk ------------------------------------------------------------------------- */

static enum store_status fail(struct body_writer *writer, int error, struct fault *fault,
                              const char *what)
{
    writer->state = WRITER_FAILED;
    return store_fault_io(fault, error, "%s", what);
}

static enum store_status start_file(struct body_writer *writer, struct fault *fault)
{
    int fd;

    (void)snprintf(writer->tmp_name, sizeof(writer->tmp_name), "body-%016llx",
                   (unsigned long long)random_u64());
    fd = file_open(writer->store->dir.tmp_fd, writer->tmp_name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        writer->tmp_name[0] = '\0';
        return fail(writer, fd, fault, "create a temporary file");
    }
    writer->fd = fd;
    return STORE_OK;
}

/* Now it is known that the body does not stay in memory. */
static enum store_status start_outside(struct body_writer *writer, struct fault *fault)
{
    uint64_t most = writer->encrypt ? frames_stored_size(writer->expected_bytes)
                                    : writer->expected_bytes;
    enum store_status status;

    if (writer->encrypt && (writer->sealed_sha = digest_open(DIGEST_SHA256)) == NULL)
        return fail(writer, -ENOMEM, fault, "digest of a body");
    writer->stream = mem_zalloc(sizeof(*writer->stream));
    if (writer->stream == NULL)
        return fail(writer, -ENOMEM, fault, "sum of a body");
    hash_stream_start(writer->stream);
    intake_start(&writer->intake, outside_wants_sha256(writer));
    if (most == 0 || most > PACK_BODY_MAX)
        return start_file(writer, fault);
    status = packs_reserve(&writer->store->dir.packs, most, &writer->extent, fault);
    if (status != STORE_OK)
        writer->state = WRITER_FAILED;
    return status;
}

static enum store_status write_stored(struct body_writer *writer, struct str bytes,
                                      struct fault *fault)
{
    int error = writer->extent.pack != NULL
                    ? extent_write(&writer->extent, writer->stored_bytes, bytes.p, bytes.len)
                    : file_write_all(writer->fd, bytes.p, bytes.len);

    if (error < 0)
        return fail(writer, error, fault, "write a body");
    hash_stream_add(writer->stream, bytes.p, bytes.len);
    writer->stored_bytes += bytes.len;
    if (writer->stored_bytes < writer->write_back_at)
        return STORE_OK;

    if (writer->fd >= 0 && writer->store->options.durability == STORE_STRICT)
        (void)sync_file_range(writer->fd, (off_t)(writer->write_back_at - WRITE_BACK_BYTES),
                              (off_t)WRITE_BACK_BYTES, SYNC_FILE_RANGE_WRITE);
    writer->write_back_at += WRITE_BACK_BYTES;
    return space_left(writer->store, SPACE_FILE)
               ? STORE_OK
               : fail(writer, -ENOSPC, fault, "free space has run out");
}

/* Frames of what is held. All but a body's last are full: the rest follows a multiple of them. */
static bool seal(struct body_writer *writer, bool last)
{
    struct str plain = intake_held(&writer->intake);

    buf_clear(&writer->sealed);
    if (!buf_reserve(&writer->sealed, frames_stored_size(plain.len)))
        return false;
    while (plain.len > 0) {
        size_t len = size_min(plain.len, FRAME_PLAIN_BYTES);

        frame_seal(writer->data_key, writer->frame_number++, last && len == plain.len, plain.p, len,
                   writer->sealed.p + writer->sealed.len);
        writer->sealed.len += len + AES_GCM_TAG_BYTES;
        plain = str_skip(plain, len);
    }
    return true;
}

/* What is held goes to the disk. */
static enum store_status write_held(struct body_writer *writer, bool last, struct fault *fault)
{
    enum store_status status = STORE_OK;

    if (!is_outside(writer))
        status = start_outside(writer, fault);
    if (status != STORE_OK)
        return status;

    intake_hash(&writer->intake);
    if (!writer->encrypt) {
        status = write_stored(writer, intake_held(&writer->intake), fault);
    } else {
        if (!seal(writer, last))
            return fail(writer, -ENOMEM, fault, "buffer of a body");
        digest_update(writer->sealed_sha, writer->sealed.p, writer->sealed.len);
        status = write_stored(writer, buf_view(&writer->sealed), fault);
    }
    if (status == STORE_OK && !last)
        intake_clear(&writer->intake);
    return status;
}

/* ---- append and finish ------------------------------------------------------------------- */

enum store_status body_writer_append(struct body_writer *writer, const void *bytes, size_t len,
                                     struct fault *fault)
{
    struct str rest = str_make(bytes, len);

    if (writer->state != WRITER_OPEN)
        return store_fault(fault, STORE_IO, "the body has failed before");

    while (rest.len > 0) {
        size_t room = held_bytes_max(writer) - intake_held(&writer->intake).len;
        struct str taken = str_slice(rest, 0, size_min(room, rest.len));
        enum store_status status;

        /* Only when more is to come: the last frame must know that it is. */
        if (room == 0) {
            status = write_held(writer, /* last= */ false, fault);
            if (status != STORE_OK)
                return status;
            continue;
        }
        if (!intake_add(&writer->intake, taken))
            return fail(writer, -ENOMEM, fault, "buffer of a body");
        rest = str_skip(rest, taken.len);
    }

    return STORE_OK;
}

enum store_status body_writer_finish(struct body_writer *writer, struct body_digests *ret_digests,
                                     struct fault *fault)
{
    struct blob_name *name = &writer->pin.name;
    enum store_status status = STORE_OK;

    if (writer->state != WRITER_OPEN)
        return store_fault(fault, STORE_IO, "the body has failed before");
    if (writer->intake.total_bytes > writer->store->options.inline_max_bytes)
        status = write_held(writer, /* last= */ true, fault);
    else if (writer->encrypt && !seal(writer, /* last= */ true))
        status = fail(writer, -ENOMEM, fault, "buffer of a body");
    if (status != STORE_OK)
        return status;

    memset(ret_digests, 0, sizeof(*ret_digests));
    ret_digests->size_bytes = writer->intake.total_bytes;
    intake_start(&writer->intake, writer->want_sha256);
    intake_final(&writer->intake, ret_digests);
    if (is_outside(writer)) {
        name->scope = writer->scope;
        writer->sum = hash_stream_end(writer->stream);
        if (writer->encrypt)
            digest_final(writer->sealed_sha, name->hash);
        else
            memcpy(name->hash, ret_digests->sha256, SHA256_BYTES);
        buf_free(&writer->sealed); /* the rest of its life the writer only waits */
    }
    if (is_outside(writer) || writer->encrypt)
        intake_close(&writer->intake);
    writer->state = WRITER_FINISHED;
    return STORE_OK;
}

/* ---- for the store's threads ------------------------------------------------------------- */

bool body_writer_is_file(const struct body_writer *writer)
{
    return writer->fd >= 0;
}

bool body_writer_is_packed(const struct body_writer *writer)
{
    return writer->extent.pack != NULL;
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
        return store_fault(fault, STORE_IO, "the body is not finished");
    if (writer->fd < 0)
        return STORE_OK;
    if (fstat(writer->fd, &st) < 0 || (uint64_t)st.st_size != writer->stored_bytes)
        return store_fault(fault, STORE_IO, "the temporary file does not have the bytes written");

    if (store->options.durability == STORE_STRICT)
        error = file_sync(writer->fd);
    if (error < 0) {
        health_poison(&store->health, error, "sync a body");
        return fail(writer, error, fault, "sync a body");
    }

    blob_pin_take(&store->pins, &writer->pin, &name);
    status =
        blob_link(&store->dir.blobs, writer->tmp_name, &name, writer->stored_bytes, &linked, fault);
    if (status != STORE_OK)
        return status;

    writer->state = WRITER_PLACED;
    writer->tmp_name[0] = '\0';
    fd_close(&writer->fd);
    atomic_fetch_add(linked == BLOB_LINKED ? &store->blobs_linked : &store->blobs_shared, 1);
    return STORE_OK;
}

/* The bodies of one pack, from the first that is not decided. */
static void sync_one_pack(struct store *store, struct intent **intents, size_t count)
{
    const struct extent *extent = &intent_body(intents[0])->extent;
    int error = extent_sync(&store->dir.packs, extent);

    for (size_t i = 0; i < count; i++) {
        struct body_writer *writer = intent_body(intents[i]);

        if (writer->state != WRITER_FINISHED || writer->extent.pack != extent->pack)
            continue;
        writer->state = WRITER_PLACED;
        intents[i]->status = STORE_OK;
        if (error < 0)
            intents[i]->status = fail(writer, error, &intents[i]->fault, "sync a pack");
        else
            atomic_fetch_add(&store->blobs_packed, 1);
    }
}

void body_writers_sync(struct store *store, struct intent **intents, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (health_poisoned(&store->health))
            intents[i]->status = health_refuse(&intents[i]->fault);
        else if (intent_body(intents[i])->state == WRITER_FINISHED)
            sync_one_pack(store, intents + i, count - i);
    }
}

/* A file is always replaced by the one at hand (blob_link): nothing is to be known of it. */
static bool replaces_anyway(const struct body_writer *writer, const struct piece *blob)
{
    return blob->pack == 0 && writer->extent.pack == NULL && !blob->damaged;
}

enum store_status body_writer_compare(struct body_writer *writer, struct catalog *cat,
                                      struct buf *room, struct fault *fault)
{
    const struct blob_name *name = &writer->pin.name;
    CLEANUP(fd_close) int fd = -1;
    struct piece blob;
    uint64_t base = 0;
    bool found = false;
    enum store_status status;

    /* Nobody else has sealed bytes with this key. */
    if (writer->state != WRITER_PLACED || writer->encrypt)
        return STORE_OK;
    status = catalog_blob_find(cat, name->scope, name->hash, &blob, &found, fault);
    if (status != STORE_OK || !found || replaces_anyway(writer, &blob))
        return status;

    status = blob.damaged ? STORE_DAMAGED
                          : blob_open_place(&writer->store->dir, &blob, &fd, &base, fault);
    if (status == STORE_OK)
        status = blob_verify(&blob, fd, base, room, fault);
    if (status != STORE_DAMAGED)
        return status;
    writer->stale = true;
    writer->stale_pack = blob.pack;
    writer->stale_at = blob.pack_at;
    return STORE_OK;
}

void body_writer_describe(const struct body_writer *writer, struct staged_body *ret_staged)
{
    struct staged_body staged = { .size_bytes = writer->intake.total_bytes };

    if (writer->intake.total_bytes == 0) {
        staged.kind = BODY_EMPTY;
    } else if (writer->state == WRITER_PLACED) {
        staged.kind = BODY_BLOB;
        staged.scope = writer->pin.name.scope;
        staged.hash = str_make(writer->pin.name.hash, SHA256_BYTES);
        staged.stored_bytes = writer->stored_bytes;
        staged.sum = writer->sum;
        staged.stale = writer->stale;
        staged.stale_pack = writer->stale_pack;
        staged.stale_at = writer->stale_at;
        if (writer->extent.pack != NULL) {
            staged.pack = extent_pack_number(&writer->extent);
            staged.pack_at = writer->extent.at;
        }
    } else {
        staged.kind = BODY_INLINE;
        staged.bytes = writer->encrypt ? buf_view(&writer->sealed) : intake_held(&writer->intake);
    }
    if (writer->encrypt && writer->intake.total_bytes > 0)
        staged.wrapped_key = str_make(writer->wrapped_key, writer->wrapped_key_bytes);
    *ret_staged = staged;
}

/* Nobody names the file: it goes, unless another body of the same bytes is on its way. */
static void drop_file(struct body_writer *writer)
{
    struct blob_pins *pins = &writer->store->pins;

    blob_pins_lock(pins);
    if (blob_pins_count(pins, &writer->pin.name) == 1)
        (void)blob_unlink(&writer->store->dir.blobs, &writer->pin.name);
    blob_pins_unlock(pins);
}

/* The row names bytes in place of others. */
static void note_mended(struct body_writer *writer)
{
    struct store *store = writer->store;
    struct fault fault = { 0 };
    enum store_status status = STORE_OK;

    atomic_fetch_add(&store->blobs_mended, 1);
    /* A stretch of a pack is punched by the walk after the next start. */
    if (writer->stale_pack == 0 && writer->extent.pack != NULL)
        status = blob_quarantine(&store->dir.blobs, &writer->pin.name, &fault);
    (void)status; /* then the walk finds it */
    health_tell(&store->health, STORE_NOTICE_WARNING,
                "a stored copy of bytes that were uploaded again was damaged: it was replaced");
}

void body_writer_after_commit(struct body_writer *writer, bool committed, struct catalog *cat)
{
    struct store *store = writer->store;
    const struct blob_name *name = &writer->pin.name;
    /* Then the row on the disk may be another than the one that the catalog shows here. */
    bool unknown = health_poisoned(&store->health);
    struct piece blob;
    uint32_t pack;
    bool found;
    bool used;

    if (writer->state != WRITER_PLACED)
        return;

    /* In the writer's thread no commit can come between the question and what follows. */
    pack = writer->extent.pack != NULL ? extent_pack_number(&writer->extent) : 0;
    used = unknown ||
           catalog_blob_find(cat, name->scope, name->hash, &blob, &found, NULL) != STORE_OK ||
           (found && blob.pack == pack && (pack == 0 || blob.pack_at == writer->extent.at));
    if (writer->stale && committed && used && !unknown)
        note_mended(writer);
    if (writer->extent.pack != NULL)
        extent_release(&store->dir.packs, &writer->extent, used);
    else if (!used)
        drop_file(writer);
    blob_pin_drop(&store->pins, &writer->pin);
}
