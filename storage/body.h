/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of objects, out of the store and into it.
 *
 * (1) What a reader has found stays readable from body_open to body_close, whatever happens to it.
 * (2) A body that is written is nothing until an intent commits it; what no intent takes is gone.
 */
#ifndef STORAGE_BODY_H
#define STORAGE_BODY_H

#include "base/digest/checksum.h"
#include "base/digest/digest.h"
#include "storage/model.h"

struct store;
struct reader;

/* ---- reading bodies ---------------------------------------------------------------------- */

/*
 * A range of a small plain body that the catalog holds, at once and in the arena; otherwise
 * *ret_bytes is STR_NONE and body_open is to be used. Between the reader_begin and reader_end in
 * which the version was read. STORE_RETRY: the version was replaced meanwhile.
 */
MUST_CHECK enum store_status body_load(struct reader *reader, const struct version *version,
                                       uint64_t offset, uint64_t len, struct arena *arena,
                                       struct str *ret_bytes, struct fault *fault);

struct body; /* one thread at a time */

/*
 * Open bytes [offset, offset + len) of a version's content.
 *
 * Between the reader_begin and reader_end in which the version was read; the body then stays
 * readable until body_close whatever happens to the version. STORE_RETRY: the version was replaced
 * before that.
 */
MUST_CHECK enum store_status body_open(struct reader *reader, const struct version *version,
                                       uint64_t offset, uint64_t len, struct body **ret_body,
                                       struct fault *fault);
void body_close(struct body *body); /* any thread; NULL is fine */

/* The whole range in memory (small plain bodies): valid until body_close. */
bool body_is_memory(const struct body *body, struct str *ret_bytes);
/*
 * The whole range in one plain file of its own: the descriptor and where the range starts. The
 * caller owns the descriptor from then on, and with it the bytes: whatever holds it, or pages of the
 * file, may outlive the body. False otherwise.
 */
bool body_take_file(struct body *body, int *ret_fd, uint64_t *ret_offset);
/*
 * The next bytes of the range in order: > 0 bytes written to out, 0 at the end, negative on
 * failure (decryption, I/O).
 */
MUST_CHECK int64_t body_read(struct body *body, void *out, size_t max, struct fault *fault);

/* ---- writing bodies ---------------------------------------------------------------------- */

struct body_writer; /* one thread at a time */

/*
 * The large bodies that one thread receives: hashed side by side, their buffers used again. A body
 * opened with a group is that thread's until it is closed. Close the group after its bodies.
 */
struct body_group;
MUST_CHECK struct body_group *body_group_open(void); /* NULL: no memory */
void body_group_close(struct body_group *group);

/* The options borrow what they point at until the writer is open. */
struct body_options {
    struct body_group *group;    /* NULL: alone */
    struct str account;          /* canonical id that the bytes are charged to (bucket owner) */
    bool encrypt;                /* AES-256-GCM in frames, own data key wrapped by the keyring... */
    struct str named_key;        /* ... or by this key, a UUID (storage/keys.h); STR_NONE: none */
    const uint8_t *key_context;  /* with it: KEY_CONTEXT_BYTES that its wrapping is bound to */
    const uint8_t *customer_key; /* ... or by this one, of AES_KEY_BYTES; NULL: none */
    bool want_sha256;        /* the digest of the plain bytes is needed even if not addressed by */
    uint32_t checksum_kinds; /* bit mask of 1u << enum checksum_kind */
    uint64_t expected_bytes; /* no more than that will come; 0: unknown. Decides the placement */
};

struct body_digests {
    uint64_t size_bytes;
    uint8_t md5[MD5_BYTES];
    uint8_t sha256[SHA256_BYTES]; /* when want_sha256 */
    uint8_t checksum[CHECKSUM_KINDS][CHECKSUM_BYTES_MAX];
};

MUST_CHECK enum store_status body_writer_open(struct store *store,
                                              const struct body_options *options,
                                              struct body_writer **ret_writer, struct fault *fault);
MUST_CHECK enum store_status body_writer_append(struct body_writer *writer, const void *bytes,
                                                size_t len, struct fault *fault);
/* No more bytes: compute digests. The body is not durable yet; that is part of the intent. */
MUST_CHECK enum store_status body_writer_finish(struct body_writer *writer,
                                                struct body_digests *ret_digests,
                                                struct fault *fault);
/* Free it; what was not committed by an intent disappears. NULL is fine. */
void body_writer_close(struct body_writer *writer);

#endif
