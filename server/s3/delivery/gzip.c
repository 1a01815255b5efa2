/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text into gzip; see gzip.h.
 */
#include "server/s3/delivery/gzip.h"

#include <zlib.h>

#include "base/memory.h"

#define PACKED_BYTES (64u * 1024u)
#define WINDOW (15 + 16) /* zlib: the largest, with gzip's head and tail */
#define MEMORY_LEVEL 8   /* zlib's default */

struct gzip {
    z_stream stream;
    uint8_t packed[PACKED_BYTES];
};

struct gzip *gzip_open(void)
{
    struct gzip *gzip = mem_zalloc(sizeof(*gzip));

    if (gzip != NULL && deflateInit2(&gzip->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW,
                                     MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        mem_free(gzip);
        return NULL;
    }
    return gzip;
}

void gzip_close(struct gzip *gzip)
{
    if (gzip == NULL)
        return;
    (void)deflateEnd(&gzip->stream);
    mem_free(gzip);
}

static bool pack(struct gzip *gzip, struct str text, int flush, gzip_sink *sink, void *context)
{
    z_stream *stream = &gzip->stream;

    stream->next_in = (Bytef *)(uintptr_t)text.p;
    stream->avail_in = (uInt)text.len;
    do {
        size_t len;

        stream->next_out = gzip->packed;
        stream->avail_out = sizeof(gzip->packed);
        (void)deflate(stream, flush);
        len = sizeof(gzip->packed) - stream->avail_out;
        if (len > 0 && !sink(context, gzip->packed, len))
            return false;
    } while (stream->avail_out == 0);
    return true;
}

bool gzip_write(struct gzip *gzip, struct str text, gzip_sink *sink, void *context)
{
    return pack(gzip, text, Z_NO_FLUSH, sink, context);
}

bool gzip_end(struct gzip *gzip, gzip_sink *sink, void *context)
{
    return pack(gzip, STR(""), Z_FINISH, sink, context);
}
