/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x-amz-copy-source: the header's value.
 *
 * (1) What is accepted names a bucket and a key that the store could hold, decoded exactly once:
 *     encoded again and parsed, it is the same name.
 * (2) A refusal is an S3 error with a message.
 */
#include "base/text/codec.h"
#include "server/s3/request/source.h"
#include "tests/fuzz/fuzz.h"

static struct op *new_op(struct arena *arena)
{
    struct op *op = ARENA_NEW(arena, struct op);

    if (op != NULL) {
        op->arena = arena;
        op->request = ARENA_NEW(arena, struct http_request);
    }
    return op != NULL && op->request != NULL ? op : NULL;
}

static void check_again(struct op *op, const struct source_name *name)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(16384);
    struct source_name again;

    FUZZ_CHECK(str_find_char(name->bucket, '/') == SIZE_MAX, "'/' in a bucket's name");
    uri_encode(&text, name->bucket, URI_KEEP_NONE);
    buf_char(&text, '/');
    uri_encode(&text, name->key, URI_KEEP_SLASH);
    FUZZ_CHECK(source_parse(op, buf_view(&text), &again) == S3_OK, "'%.*s'",
               STR_ARG(buf_view(&text)));
    FUZZ_CHECK(str_eq(again.bucket, name->bucket), "bucket '%.*s' became '%.*s'",
               STR_ARG(name->bucket), STR_ARG(again.bucket));
    FUZZ_CHECK(str_eq(again.key, name->key), "key '%.*s' became '%.*s'", STR_ARG(name->key),
               STR_ARG(again.key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(16384, 4u << 20);
    struct str header = str_trim(str_make(size > 0 ? (const char *)data : "", size));
    struct source_name name = { 0 };
    struct op *op;
    enum s3_error error;

    if (arena == NULL || size > HTTP_HEADER_BYTES_MAX)
        return 0;
    op = new_op(arena);
    if (op == NULL)
        return 0;

    error = source_parse(op, arena_dup(arena, header), &name);
    if (error != S3_OK) {
        FUZZ_CHECK(error > S3_OK && error < S3_ERRORS && op->refusal.error == error, "error %d",
                   (int)error);
        return 0;
    }
    FUZZ_CHECK(name.bucket.len > 0 && name.key.len > 0, "an empty name");
    FUZZ_CHECK(name.key.len <= STORE_KEY_BYTES_MAX, "a key of %zu bytes", name.key.len);
    FUZZ_CHECK(str_is_utf8(name.key), "a key that is not UTF-8");
    FUZZ_CHECK(memchr(name.key.p, 0, name.key.len) == NULL, "NUL in a key");
    FUZZ_CHECK(!name.has_version || str_find(header, STR("versionId")) != SIZE_MAX,
               "a version from nowhere");
    check_again(op, &name);
    return 0;
}
