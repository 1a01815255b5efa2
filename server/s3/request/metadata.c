/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User metadata: x-amz-meta-* of a write into stored pairs, and stored values into header fields.
 *
 * (1) Names are stored lower-case, values as UTF-8 text that may hold any character.
 * (2) Bytes of a header field are ISO-8859-1, with RFC 2047 words in it for what that has not; a
 *     form's field is UTF-8 and stays as it was sent.
 * (3) The size that is bounded is that of the stored text.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
#include "server/s3/request/metadata.h"

#include "base/text/mailword.h"
#include "base/text/pairs.h"
#include "server/s3/limits.h"
#include "server/s3/op.h"
#include "server/s3/refuse.h"

#define GIVEN_BYTES_MAX 32768 /* what all fields of a request, or of a form, may have together */
#define SHOWN_BYTES_MAX 65536 /* far more than 2 KB of text can become */

static bool seen_before(const struct http_request *request, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq_nocase(request->fields[i].name, request->fields[at].name))
            return true;
    return false;
}

/* The value of the metadata name at `at`: its occurrences from there on, joined with commas. */
static struct str joined(struct op *op, size_t at)
{
    const struct http_request *request = op->request;
    struct str result = request->fields[at].value;

    for (size_t i = at + 1; str_present(result) && i < request->field_count; i++)
        if (str_eq_nocase(request->fields[i].name, request->fields[at].name))
            result = arena_printf(op->arena, "%.*s,%.*s", STR_ARG(result),
                                  STR_ARG(request->fields[i].value));
    return result;
}

static struct str lower(struct op *op, struct str s)
{
    char *p = arena_alloc(op->arena, s.len);

    if (p == NULL)
        return STR_NONE;
    for (size_t i = 0; i < s.len; i++)
        p[i] = str_lower(s.p[i]);
    return str_make(p, s.len);
}

/*
 * The text a value stands for. Header fields are ISO-8859-1, forms and URLs UTF-8; words are
 * decoded in what a header field is or could have been. Most values are plain and stay where they
 * are.
 */
static struct str meant(struct op *op, struct str value, bool in_header)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(3 * GIVEN_BYTES_MAX);
    CLEANUP(buf_free) struct buf decoded = BUF_WITH_MAX(9 * GIVEN_BYTES_MAX);
    bool words = !op_from_form(op) && str_find(value, STR("=?")) != SIZE_MAX;

    if (!str_present(value) || (str_is_printable(value) && !words))
        return value;
    if (in_header && !op_from_form(op))
        latin1_to_utf8(&text, value);
    else
        utf8_repair(&text, value);
    if (words)
        mailword_decode(&decoded, buf_view(&text));
    if (text.failed || decoded.failed)
        return STR_NONE;
    return arena_dup(op->arena, buf_view(words ? &decoded : &text));
}

enum s3_error metadata_from_request(struct op *op, struct buf *out)
{
    const struct http_request *request = op->request;
    size_t total = 0;

    for (size_t i = 0; i < request->field_count; i++) {
        struct str name = request->fields[i].name;
        struct str value;

        if (!str_starts_nocase(name, S3_META_PREFIX) || seen_before(request, i))
            continue;
        value = meant(op, joined(op, i), i < op->fields_sent);
        name = lower(op, name);
        if (!str_present(value) || !str_present(name))
            return op_fail(op, S3_SlowDown);
        total += name.len - S3_META_PREFIX.len + value.len;
        if (total > S3_METADATA_BYTES_MAX)
            return op_fail(op, S3_MetadataTooLarge, arena_printf(op->arena, "%zu", total),
                           arena_printf(op->arena, "%d", S3_METADATA_BYTES_MAX));
        if (!pairs_add(out, name, value))
            return op_fail(op, S3_SlowDown);
    }
    return S3_OK;
}

struct str metadata_shown(struct arena *arena, struct str value)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(2 * SHOWN_BYTES_MAX);
    CLEANUP(buf_free) struct buf shown = BUF_WITH_MAX(SHOWN_BYTES_MAX);

    if (str_is_printable(value))
        return value;
    /* Older stores hold the bytes of header fields. */
    if (!str_is_utf8(value)) {
        latin1_to_utf8(&text, value);
        value = buf_view(&text);
    }
    mailword_encode(&shown, value);
    return text.failed || shown.failed ? STR_NONE : arena_dup(arena, buf_view(&shown));
}
