/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verify; see verify.h.
 */
#include "storage/bodies/verify.h"

#include <string.h>

#include "base/digest/hash.h"
#include "base/file.h"

enum store_status blob_open_place(const struct store_dir *dir, const struct piece *blob,
                                  int *ret_fd, uint64_t *ret_base, struct fault *fault)
{
    struct blob_name name = { .scope = blob->scope };
    enum store_status status;

    *ret_base = blob->pack_at;
    memcpy(name.hash, blob->hash, SHA256_BYTES);
    status = blob->pack != 0 ? pack_open(&dir->packs, blob->pack,
                                         blob->pack_at + blob->stored_bytes, ret_fd, fault)
                             : blob_open(&dir->blobs, &name, blob->stored_bytes, ret_fd, fault);
    /* As of bytes that can not be read: else no upload could mend them, and no scrub pass them. */
    return status == STORE_IO ? STORE_DAMAGED : status;
}

/* The sum says what the bytes are; without one the digest does. */
struct judging {
    struct hash_stream stream;
    struct digest *digest; /* NULL: the blob has a sum */
    uint64_t sum;          /* at the end */
};

static void judging_end(struct judging *judging)
{
    digest_close(judging->digest);
}

static bool judging_start(struct judging *judging, const struct piece *blob)
{
    hash_stream_start(&judging->stream);
    if (!blob->summed)
        judging->digest = digest_open(DIGEST_SHA256);
    return blob->summed || judging->digest != NULL;
}

static void judging_add(struct judging *judging, const void *bytes, size_t len)
{
    hash_stream_add(&judging->stream, bytes, len);
    if (judging->digest != NULL)
        digest_update(judging->digest, bytes, len);
}

static bool judging_holds(struct judging *judging, const struct piece *blob)
{
    uint8_t hash[SHA256_BYTES];

    judging->sum = hash_stream_end(&judging->stream);
    if (judging->digest == NULL)
        return judging->sum == blob->sum;
    digest_final(judging->digest, hash);
    return memcmp(hash, blob->hash, SHA256_BYTES) == 0;
}

enum store_status blob_verify_paced(const struct piece *blob, int fd, uint64_t base,
                                    struct buf *room, uint64_t *ret_sum, verify_pace *pace,
                                    void *context, struct fault *fault)
{
    CLEANUP(judging_end) struct judging judging = { .digest = NULL };

    if (!judging_start(&judging, blob) || !buf_reserve(room, VERIFY_STEP_BYTES))
        return store_fault(fault, STORE_NO_MEMORY, "verify a blob");

    for (uint64_t at = 0; at < blob->stored_bytes;) {
        size_t len = (size_t)u64_min(VERIFY_STEP_BYTES, blob->stored_bytes - at);
        int error;

        if (pace != NULL && !pace(context, len))
            return STORE_STOPPED;
        error = file_read_at(fd, base + at, room->p, len);
        /* Bytes that can not be read are not there, whatever the reason. */
        if (error < 0)
            return store_fault(fault, STORE_DAMAGED, "blob %lld can not be read: %s",
                               (long long)blob->ref, strerror(-error));
        judging_add(&judging, room->p, len);
        at += len;
    }
    if (!judging_holds(&judging, blob))
        return store_fault(fault, STORE_DAMAGED,
                           "blob %lld does not have the bytes it was stored with",
                           (long long)blob->ref);
    if (ret_sum != NULL)
        *ret_sum = judging.sum;
    return STORE_OK;
}

enum store_status blob_verify(const struct piece *blob, int fd, uint64_t base, struct buf *room,
                              struct fault *fault)
{
    return blob_verify_paced(blob, fd, base, room, NULL, NULL, NULL, fault);
}
