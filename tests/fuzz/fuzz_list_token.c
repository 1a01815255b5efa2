/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Continuation tokens: the token as the client sent it.
 *
 * (1) A token that is taken is one that list_token makes, letter for letter.
 * (2) Every marker survives the way out and back.
 */
#include "server/s3/op.h"

#include "server/s3/ops/list_form.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(16384, 4u << 20);
    struct str text = str_make(size > 0 ? (const char *)data : "", size);
    struct op *op = arena != NULL ? ARENA_NEW(arena, struct op) : NULL;
    struct str marker = STR_NONE;
    struct str token;

    if (op == NULL || size > HTTP_TARGET_BYTES_MAX)
        return 0;
    op->arena = arena;

    if (list_token_parse(op, text, &marker)) {
        FUZZ_CHECK(marker.len <= STORE_KEY_BYTES_MAX, "a marker of %zu bytes", marker.len);
        FUZZ_CHECK(str_eq(list_token(op, marker), text), "two tokens for one marker");
    }

    token = list_token(op, text);
    FUZZ_CHECK(str_present(token) == (text.len <= STORE_KEY_BYTES_MAX), "marker of %zu bytes",
               text.len);
    if (!str_present(token))
        return 0;
    FUZZ_CHECK(list_token_parse(op, token, &marker), "our own token is refused");
    FUZZ_CHECK(str_eq(marker, text), "another marker came back");
    return 0;
}
