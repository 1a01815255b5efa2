/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompression with zlib and libbzip2, whose memory is the process's (base/memory.h). See unpack.h.
 *
 * Streams that follow one another are one, as gunzip and bunzip2 read them.
 */
#include "server/select/unpack.h"

#include <bzlib.h>
#include <zlib.h>

#include "base/memory.h"

#define RAW_BYTES (64u * 1024u)
#define GZIP_WINDOW (15 + 16) /* 32 KiB, and gzip's header */

struct unpack {
    enum select_compression compression;
    z_stream gzip;
    bz_stream bzip2;
    bool inside; /* of a stream: it may not end here */
    bool begun;  /* a stream was whole */
    bool source_ended;
    uint64_t scanned;
    size_t at, len; /* of raw: what is not decompressed yet */
    char raw[RAW_BYTES];
};

static void *gzip_alloc(void *context, unsigned count, unsigned bytes)
{
    (void)context;
    return mem_alloc((size_t)count * bytes);
}

static void *bzip2_alloc(void *context, int count, int bytes)
{
    (void)context;
    return mem_alloc((size_t)count * (size_t)bytes);
}

static void give_back(void *context, void *memory)
{
    (void)context;
    mem_free(memory);
}

struct unpack *unpack_open(enum select_compression compression)
{
    struct unpack *unpack = mem_zalloc(sizeof(*unpack));

    if (unpack == NULL)
        return NULL;
    unpack->compression = compression;
    return unpack;
}

static void stream_end(struct unpack *unpack)
{
    if (!unpack->inside)
        return;
    if (unpack->compression == SELECT_GZIP)
        (void)inflateEnd(&unpack->gzip);
    else
        (void)BZ2_bzDecompressEnd(&unpack->bzip2);
    unpack->inside = false;
}

void unpack_close(struct unpack *unpack)
{
    if (unpack == NULL)
        return;
    stream_end(unpack);
    mem_free(unpack);
}

uint64_t unpack_scanned(const struct unpack *unpack)
{
    return unpack->scanned;
}

static bool stream_begin(struct unpack *unpack)
{
    int err;

    if (unpack->inside)
        return true;
    if (unpack->compression == SELECT_GZIP) {
        unpack->gzip = (z_stream){ .zalloc = gzip_alloc, .zfree = give_back };
        err = inflateInit2(&unpack->gzip, GZIP_WINDOW);
        unpack->inside = err == Z_OK;
    } else {
        unpack->bzip2 = (bz_stream){ .bzalloc = bzip2_alloc, .bzfree = give_back };
        err = BZ2_bzDecompressInit(&unpack->bzip2, /* verbosity= */ 0, /* small= */ 0);
        unpack->inside = err == BZ_OK;
    }
    return unpack->inside;
}

/* A step of the stream. False: its bytes are none of its kind. */
static bool stream_step(struct unpack *unpack, void *out, size_t max, size_t *ret_len)
{
    char *raw = unpack->raw + unpack->at;
    unsigned left = (unsigned)(unpack->len - unpack->at);
    unsigned room = (unsigned)size_min(max, RAW_BYTES);
    unsigned rest;
    bool ended;
    int err;

    if (unpack->compression == SELECT_GZIP) {
        unpack->gzip.next_in = (unsigned char *)raw;
        unpack->gzip.avail_in = left;
        unpack->gzip.next_out = out;
        unpack->gzip.avail_out = room;
        err = inflate(&unpack->gzip, Z_NO_FLUSH);
        ended = err == Z_STREAM_END;
        left = unpack->gzip.avail_in;
        rest = unpack->gzip.avail_out;
        if (err != Z_OK && err != Z_BUF_ERROR && !ended)
            return false;
    } else {
        unpack->bzip2.next_in = raw;
        unpack->bzip2.avail_in = left;
        unpack->bzip2.next_out = out;
        unpack->bzip2.avail_out = room;
        err = BZ2_bzDecompress(&unpack->bzip2);
        ended = err == BZ_STREAM_END;
        left = unpack->bzip2.avail_in;
        rest = unpack->bzip2.avail_out;
        if (err != BZ_OK && !ended)
            return false;
    }
    unpack->at = unpack->len - left;
    *ret_len = room - rest;
    if (ended) {
        stream_end(unpack);
        unpack->begun = true;
    }
    return true;
}

/* Whether raw has bytes, or the source none any more. */
static bool refill(struct unpack *unpack, const struct select_source *source)
{
    int64_t got;

    if (unpack->at < unpack->len || unpack->source_ended)
        return true;
    got = source->read(source->context, unpack->raw, sizeof(unpack->raw));
    if (got < 0)
        return false;
    unpack->at = 0;
    unpack->len = (size_t)got;
    unpack->scanned += (uint64_t)got;
    unpack->source_ended = got == 0;
    return true;
}

enum s3_error unpack_read(struct unpack *unpack, const struct select_source *source, void *out,
                          size_t max, size_t *ret_len, bool *ret_ended)
{
    *ret_len = 0;
    *ret_ended = false;
    if (!refill(unpack, source))
        return S3_InternalError;
    if (unpack->compression == SELECT_PLAIN) {
        *ret_len = size_min(max, unpack->len - unpack->at);
        memcpy(out, unpack->raw + unpack->at, *ret_len);
        unpack->at += *ret_len;
        *ret_ended = unpack->source_ended;
        return S3_OK;
    }
    if (unpack->at == unpack->len && !unpack->inside) {
        *ret_ended = true;
        return unpack->begun || unpack->scanned == 0 ? S3_OK : S3_InvalidCompressionFormat;
    }
    if (!stream_begin(unpack))
        return S3_SlowDown;
    if (!stream_step(unpack, out, max, ret_len))
        return S3_InvalidCompressionFormat;
    /* Nothing more to give it, and it has nothing more to give. */
    if (unpack->source_ended && unpack->inside && *ret_len == 0)
        return S3_TruncatedInput;
    return S3_OK;
}
