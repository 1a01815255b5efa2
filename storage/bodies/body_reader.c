/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies: a range of a version's content, read in order.
 *
 * (1) What body_open needs of the catalog it takes inside the reader's snapshot: small bodies
 *     whole, others as a list of pieces.
 * (2) Each piece is pinned (read_pins.c) until it has been read or the body is closed, so the sweep
 *     keeps its file, extent or inline row. The file of a single piece is opened at once instead: a
 *     descriptor keeps an unlinked file.
 * (3) Bytes of a pack leave it as copies only (body_take_file). A socket that is given pages of the
 *     file itself would go on sending them after their pin is gone, as zeros once they are punched.
 * (4) Encrypted pieces are read frame by frame; a frame that does not authenticate gives nothing.
 * (5) Plain pieces that are read whole are compared with their sum: a file that goes out as it is
 *     when it is opened, up to VERIFY_READ_MAX; what passes through memory before its last bytes are
 *     given out. Inline bodies are compared by the catalog.
 */
#include <errno.h>
#include <unistd.h>

#include "base/digest/hash.h"
#include "base/file.h"
#include "base/secret.h"
#include "storage/blobs/frames.h"
#include "storage/bodies/verify.h"
#include "storage/reading/hot.h"

/* Objects from before there was a limit on what Complete joins may have more than that. */
#define PIECES_MAX (8u * STORE_PIECES_MAX)

struct body_piece {
    struct piece piece;
    struct read_pin pin;
};

struct body {
    struct store *store;
    uint64_t left;     /* bytes of the range not yet read */
    struct buf memory; /* the whole range, or the inline piece being read */
    bool in_memory;    /* the former */
    size_t memory_at;
    struct body_piece *pieces;
    size_t piece_count;
    size_t piece_capacity;
    size_t at;         /* piece being read */
    uint64_t piece_at; /* plain bytes of it already read */
    int fd;            /* of that piece, when it is a blob; -1: not open */
    uint64_t fd_base;  /* where the blob starts in it */
    bool has_customer_key;
    struct secret_key customer_key; /* unwraps the pieces' data keys that the keyring does not */
    uint8_t data_key[AES_KEY_BYTES];
    struct buf frame; /* plain bytes of frame_number */
    struct buf sealed;
    uint64_t frame_number;
    bool has_frame;
    struct hash_stream *stream; /* of the plain piece being read whole; made at first need */
};

static void body_closep(struct body **body)
{
    body_close(*body);
    *body = NULL;
}

void body_close(struct body *body)
{
    if (body == NULL)
        return;

    for (size_t i = body->at; i < body->piece_count; i++)
        read_pin_drop(&body->store->read_pins, &body->pieces[i].pin);
    fd_close(&body->fd);
    buf_free(&body->memory);
    buf_free(&body->frame);
    buf_free(&body->sealed);
    mem_free(body->pieces);
    mem_free(body->stream);
    explicit_bzero(body->data_key, sizeof(body->data_key));
    secret_key_wipe(&body->customer_key);
    mem_free(body);
}

/* ---- decryption -------------------------------------------------------------------------- */

/* NULL: none. */
static const uint8_t *customer_key_of(const struct body *body)
{
    return body->has_customer_key ? body->customer_key.bytes : NULL;
}

enum store_status body_decrypt(const struct keyring *keyring, const uint8_t *customer_key,
                               struct str wrapped, struct str stored, struct buf *ret_plain,
                               struct fault *fault)
{
    CLEANUP(secret_key_wipe) struct secret_key key;
    uint64_t plain_bytes;
    enum store_status status = keyring_unwrap(keyring, customer_key, wrapped, key.bytes, fault);

    if (status != STORE_OK)
        return status;
    if (!frames_plain_size(stored.len, &plain_bytes))
        return store_fault(fault, STORE_DAMAGED, "an encrypted body of %zu bytes", stored.len);
    if (!buf_reserve(ret_plain, (size_t)plain_bytes))
        return store_fault(fault, STORE_NO_MEMORY, "decrypted body");

    for (uint64_t number = 0; stored.len > 0; number++) {
        size_t len = size_min(stored.len, FRAME_STORED_BYTES);
        bool last = len == stored.len;

        if (!frame_open(key.bytes, number, last, stored.p, len, ret_plain->p + ret_plain->len))
            return store_fault(fault, STORE_DAMAGED, "an encrypted body does not authenticate");
        ret_plain->len += len - AES_GCM_TAG_BYTES;
        stored = str_skip(stored, len);
    }
    return STORE_OK;
}

/* ---- open -------------------------------------------------------------------------------- */

struct collecting {
    struct body *body;
    bool no_memory;
};

static bool collect_piece(void *context, const struct piece *piece)
{
    struct collecting *collecting = context;
    struct body *body = collecting->body;

    if (body->piece_count == body->piece_capacity) {
        size_t capacity = body->piece_capacity == 0 ? 1 : body->piece_capacity * 2;
        struct body_piece *grown =
            capacity > PIECES_MAX ? NULL : mem_resize(body->pieces, capacity * sizeof(*grown));

        if (grown == NULL) {
            collecting->no_memory = true;
            return false;
        }
        body->pieces = grown;
        body->piece_capacity = capacity;
    }
    body->pieces[body->piece_count++] = (struct body_piece){ .piece = *piece };
    return true;
}

/* The plain bytes [start, start + len) of an inline body, into body->memory. */
static enum store_status load_inline(struct body *body, struct catalog *cat,
                                     const struct piece *piece, struct fault *fault)
{
    CLEANUP(buf_free) struct buf stored = BUF_WITH_MAX(SIZE_MAX / 2);
    CLEANUP(buf_free) struct buf plain = BUF_WITH_MAX(SIZE_MAX / 2);
    struct buf *content = &stored;
    enum store_status status = catalog_inline_read(cat, piece->ref, &stored, fault);

    if (status == STORE_OK && piece->wrapped_key_bytes > 0) {
        content = &plain;
        status = body_decrypt(&body->store->dir.keyring, customer_key_of(body),
                              str_make(piece->wrapped_key, piece->wrapped_key_bytes),
                              buf_view(&stored), &plain, fault);
    }
    if (status != STORE_OK)
        return status;
    if (piece->start > content->len || piece->len > content->len - piece->start)
        return store_fault(fault, STORE_DAMAGED, "inline body %lld is too short",
                           (long long)piece->ref);

    buf_free(&body->memory);
    body->memory = *content;
    *content = BUF_WITH_MAX(0);
    body->memory_at = (size_t)piece->start;
    body->memory.len = (size_t)(piece->start + piece->len);
    return STORE_OK;
}

static enum store_status open_piece_file(struct body *body, const struct piece *piece,
                                         struct fault *fault)
{
    if (piece->damaged)
        return store_fault(fault, STORE_DAMAGED, "blob %lld was found to be damaged",
                           (long long)piece->ref);
    return blob_open_place(&body->store->dir, piece, &body->fd, &body->fd_base, fault);
}

/* All that is stored, and stored as it is. */
static bool is_whole(const struct piece *piece)
{
    return piece->kind == BODY_BLOB && piece->wrapped_key_bytes == 0 && piece->start == 0 &&
           piece->len == piece->stored_bytes;
}

/* The body is one piece outside of the catalog. */
static enum store_status open_single(struct body *body, struct buf *room, struct fault *fault)
{
    const struct piece *piece = &body->pieces[0].piece;
    enum store_status status = open_piece_file(body, piece, fault);

    if (status == STORE_OK && is_whole(piece) && piece->pack == 0 && piece->len <= VERIFY_READ_MAX)
        status = blob_verify(piece, body->fd, body->fd_base, room, fault);
    if (status == STORE_DAMAGED)
        scrub_suspect(&body->store->scrub, piece->ref);
    return status;
}

static enum store_status resolve(struct body *body, struct reader *reader,
                                 const struct version *version, uint64_t offset, uint64_t len,
                                 struct fault *fault)
{
    struct collecting collecting = { .body = body };
    struct catalog *cat;
    enum store_status status = reader_catalog(reader, &cat, fault);

    if (status == STORE_OK)
        status = catalog_pieces(cat, &version->body, version->size_bytes, offset, len,
                                collect_piece, &collecting, fault);
    if (collecting.no_memory)
        return store_fault(fault, STORE_NO_MEMORY, "pieces of a body");
    if (status != STORE_OK)
        return status;

    if (body->piece_count == 0) {
        body->in_memory = true;
        return STORE_OK;
    }
    if (body->piece_count == 1 && body->pieces[0].piece.kind == BODY_INLINE) {
        body->in_memory = true;
        return load_inline(body, cat, &body->pieces[0].piece, fault);
    }
    if (body->piece_count == 1)
        status = open_single(body, &reader->room, fault);
    if (status != STORE_OK || (body->piece_count == 1 && body->pieces[0].piece.pack == 0))
        return status;

    /* The reader's snapshot is still registered: see rule (1) of the pins. */
    for (size_t i = 0; i < body->piece_count; i++)
        read_pin_take(&body->store->read_pins, &body->pieces[i].pin, body->pieces[i].piece.ref);
    return STORE_OK;
}

static enum store_status inline_bytes(struct reader *reader, const struct version *version,
                                      struct arena *arena, struct str *ret_bytes,
                                      struct fault *fault)
{
    struct catalog *cat;
    struct str bytes = STR_NONE;
    enum store_status status;

    reader_begin(reader);
    status = reader_catalog(reader, &cat, fault);
    if (status == STORE_OK)
        status = catalog_inline_get(cat, version->body.id, arena, &bytes, fault);
    reader_end(reader);
    if (status != STORE_OK)
        return status;

    if (reader->hot != NULL)
        hot_keep_body(reader->hot, version->body.id, bytes);
    *ret_bytes = bytes;
    return STORE_OK;
}

enum store_status body_load(struct reader *reader, const struct version *version, uint64_t offset,
                            uint64_t len, struct arena *arena, struct str *ret_bytes,
                            struct fault *fault)
{
    struct str bytes = STR_NONE;
    bool lent = false;
    enum store_status status = STORE_OK;

    *ret_bytes = STR_NONE;
    if (version->body.kind != BODY_INLINE || str_present(version->body.wrapped_key))
        return STORE_OK;
    if (reader->hot != NULL)
        bytes = hot_body(reader->hot, version->body.id);
    lent = str_present(bytes);
    if (!lent)
        status = inline_bytes(reader, version, arena, &bytes, fault);
    if (status != STORE_OK)
        return status;
    if (bytes.len != version->size_bytes || offset > bytes.len || len > bytes.len - offset)
        return store_fault(fault, STORE_DAMAGED, "inline body %lld has another size",
                           (long long)version->body.id);

    bytes = str_slice(bytes, (size_t)offset, (size_t)len);
    *ret_bytes = lent ? arena_dup(arena, bytes) : bytes;
    return str_present(*ret_bytes) ? STORE_OK : store_fault(fault, STORE_NO_MEMORY, "body");
}

enum store_status body_open(struct reader *reader, const struct version *version, uint64_t offset,
                            uint64_t len, struct body **ret_body, struct fault *fault)
{
    CLEANUP(body_closep) struct body *body = mem_zalloc(sizeof(*body));
    enum store_status status;

    if (body == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "body");
    body->store = reader->store;
    body->fd = -1;
    body->left = len;
    body->has_customer_key = version->body.customer_key != NULL;
    if (body->has_customer_key)
        memcpy(body->customer_key.bytes, version->body.customer_key, AES_KEY_BYTES);
    body->frame = BUF_WITH_MAX(FRAME_PLAIN_BYTES);
    body->sealed = BUF_WITH_MAX(FRAME_STORED_BYTES);

    reader_begin(reader);
    status = resolve(body, reader, version, offset, len, fault);
    reader_end(reader);
    if (status != STORE_OK)
        return status;

    *ret_body = body;
    body = NULL;
    return STORE_OK;
}

bool body_is_memory(const struct body *body, struct str *ret_bytes)
{
    if (!body->in_memory)
        return false;

    *ret_bytes = str_skip(buf_view(&body->memory), body->memory_at);
    return true;
}

bool body_take_file(struct body *body, int *ret_fd, uint64_t *ret_offset)
{
    const struct piece *piece = body->in_memory ? NULL : &body->pieces[0].piece;

    if (piece == NULL || body->piece_count != 1 || piece->pack != 0 ||
        piece->wrapped_key_bytes > 0 || body->fd < 0)
        return false;

    *ret_fd = fd_take(&body->fd);
    *ret_offset = piece->start;
    return true;
}

/* ---- read -------------------------------------------------------------------------------- */

static enum store_status load_inline_late(struct body *body, const struct piece *piece,
                                          struct fault *fault)
{
    struct store *store = body->store;
    enum store_status status = STORE_OK;

    (void)pthread_mutex_lock(&store->spare_lock);
    if (store->spare == NULL)
        status = catalog_open(store->dir.path, CATALOG_READER, store->options.durability,
                              &store->spare, fault);
    if (status == STORE_OK)
        status = load_inline(body, store->spare, piece, fault);
    (void)pthread_mutex_unlock(&store->spare_lock);
    return status;
}

static enum store_status start_piece(struct body *body, const struct piece *piece,
                                     struct fault *fault)
{
    enum store_status status = STORE_OK;

    body->has_frame = false;
    if (piece->kind == BODY_INLINE)
        return load_inline_late(body, piece, fault);
    if (body->fd < 0)
        status = open_piece_file(body, piece, fault);
    if (status == STORE_DAMAGED)
        scrub_suspect(&body->store->scrub, piece->ref);
    if (status == STORE_OK && is_whole(piece) && piece->summed) {
        if (body->stream == NULL)
            body->stream = mem_zalloc(sizeof(*body->stream));
        if (body->stream == NULL)
            return store_fault(fault, STORE_NO_MEMORY, "sum of a body");
        hash_stream_start(body->stream);
    }
    if (status == STORE_OK && piece->wrapped_key_bytes > 0)
        status = keyring_unwrap(&body->store->dir.keyring, customer_key_of(body),
                                str_make(piece->wrapped_key, piece->wrapped_key_bytes),
                                body->data_key, fault);
    return status;
}

static enum store_status load_frame(struct body *body, const struct piece *piece, uint64_t number,
                                    struct fault *fault)
{
    uint64_t offset = number * FRAME_STORED_BYTES;
    bool last = piece->stored_bytes - offset <= FRAME_STORED_BYTES;
    size_t len;
    int error;

    if (body->has_frame && body->frame_number == number)
        return STORE_OK;
    if (offset >= piece->stored_bytes)
        return store_fault(fault, STORE_DAMAGED, "an encrypted blob is too short");
    buf_clear(&body->frame);
    buf_clear(&body->sealed);
    body->has_frame = false;
    if (!buf_reserve(&body->frame, FRAME_PLAIN_BYTES) ||
        !buf_reserve(&body->sealed, FRAME_STORED_BYTES))
        return store_fault(fault, STORE_NO_MEMORY, "frame");

    len = last ? (size_t)(piece->stored_bytes - offset) : FRAME_STORED_BYTES;
    error = file_read_at(body->fd, body->fd_base + offset, body->sealed.p, len);
    if (error < 0) {
        errno = -error;
        return store_fault_errno(fault, STORE_IO, "read a blob");
    }
    if (!frame_open(body->data_key, number, last, body->sealed.p, len, body->frame.p)) {
        scrub_suspect(&body->store->scrub, piece->ref);
        return store_fault(fault, STORE_DAMAGED, "a frame of a blob does not authenticate");
    }

    body->frame.len = len - AES_GCM_TAG_BYTES;
    body->frame_number = number;
    body->has_frame = true;
    return STORE_OK;
}

/* Plain bytes of a blob; the last of a whole one only if all were right. */
static enum store_status read_plain(struct body *body, const struct piece *piece, void *out,
                                    size_t len, struct fault *fault)
{
    int error = file_read_at(body->fd, body->fd_base + piece->start + body->piece_at, out, len);

    if (error < 0) {
        errno = -error;
        return store_fault_errno(fault, STORE_IO, "read a blob");
    }
    if (!is_whole(piece) || !piece->summed)
        return STORE_OK;

    hash_stream_add(body->stream, out, len);
    if (body->piece_at + len < piece->len || hash_stream_end(body->stream) == piece->sum)
        return STORE_OK;
    scrub_suspect(&body->store->scrub, piece->ref);
    return store_fault(fault, STORE_DAMAGED, "blob %lld does not have the bytes it was stored with",
                       (long long)piece->ref);
}

/* Some bytes of the piece being read, at least one. */
static enum store_status read_piece(struct body *body, const struct piece *piece, void *out,
                                    size_t max, size_t *ret_len, struct fault *fault)
{
    uint64_t plain_at = piece->start + body->piece_at;
    size_t len = (size_t)u64_min(max, piece->len - body->piece_at);
    enum store_status status = STORE_OK;

    if (piece->kind == BODY_INLINE) {
        memcpy(out, body->memory.p + plain_at, len);
    } else if (piece->wrapped_key_bytes > 0) {
        size_t skip = (size_t)(plain_at % FRAME_PLAIN_BYTES);

        status = load_frame(body, piece, plain_at / FRAME_PLAIN_BYTES, fault);
        if (status != STORE_OK)
            return status;
        if (skip >= body->frame.len)
            return store_fault(fault, STORE_DAMAGED, "an encrypted blob is too short");
        len = size_min(len, body->frame.len - skip);
        memcpy(out, body->frame.p + skip, len);
    } else {
        status = read_plain(body, piece, out, len, fault);
    }

    *ret_len = len;
    return status;
}

static int64_t read_memory(struct body *body, void *out, size_t max)
{
    size_t len = size_min(max, body->memory.len - body->memory_at);

    if (len > 0)
        memcpy(out, body->memory.p + body->memory_at, len);
    body->memory_at += len;
    body->left -= len;
    return (int64_t)len;
}

int64_t body_read(struct body *body, void *out, size_t max, struct fault *fault)
{
    size_t done = 0;

    if (body->in_memory)
        return read_memory(body, out, max);

    while (done < max && body->left > 0) {
        const struct piece *piece = &body->pieces[body->at].piece;
        size_t len = 0;
        enum store_status status = STORE_OK;

        if (body->piece_at == 0)
            status = start_piece(body, piece, fault);
        if (status == STORE_OK)
            status = read_piece(body, piece, (char *)out + done, max - done, &len, fault);
        if (status != STORE_OK)
            return -(int64_t)status;

        done += len;
        body->left -= len;
        body->piece_at += len;
        if (body->piece_at == piece->len) {
            read_pin_drop(&body->store->read_pins, &body->pieces[body->at].pin);
            body->at++;
            body->piece_at = 0;
            fd_close(&body->fd);
        }
    }

    return (int64_t)done;
}
