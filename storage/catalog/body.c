/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References to bytes: taken, doubled, cut and given back inside the writer's transaction; and
 * resolved into pieces for reading.
 */
#include "storage/catalog/sql.h"

enum store_status body_store(struct catalog *cat, const struct staged_body *staged,
                             struct body_ref *ret_ref, struct fault *fault)
{
    struct body_ref ref = { .kind = staged->kind, .wrapped_key = staged->wrapped_key };
    enum store_status status = STORE_OK;

    if (staged->kind == BODY_INLINE)
        status = inline_store(cat, staged->bytes, &ref.id, fault);
    else if (staged->kind == BODY_BLOB)
        status = blob_reference(cat, staged, &ref.id, fault);
    if (status == STORE_OK)
        *ret_ref = ref;
    return status;
}

enum store_status body_release(struct catalog *cat, const struct body_ref *ref, struct fault *fault)
{
    switch (ref->kind) {
    case BODY_EMPTY:
        return STORE_OK;
    case BODY_INLINE:
        return inline_delete(cat, ref->id, fault);
    case BODY_BLOB:
        return blob_release(cat, ref->id, fault);
    case BODY_MANIFEST:
        return manifest_release(cat, ref->id, fault);
    }
    return store_fault(fault, STORE_DAMAGED, "a body of unknown kind %d", (int)ref->kind);
}

/* A second reference to the same bytes (inline bodies are duplicated). Manifests are sliced. */
static enum store_status body_duplicate(struct catalog *cat, const struct body_ref *ref,
                                        struct body_ref *ret_ref, struct fault *fault)
{
    struct body_ref copy = *ref;
    enum store_status status = STORE_OK;

    if (ref->kind == BODY_INLINE)
        status = inline_duplicate(cat, ref->id, &copy.id, fault);
    else if (ref->kind == BODY_BLOB)
        status = blob_add_reference(cat, ref->id, fault);
    else if (ref->kind != BODY_EMPTY)
        status = store_fault(fault, STORE_DAMAGED, "a piece of kind %d", (int)ref->kind);
    if (status == STORE_OK)
        *ret_ref = copy;
    return status;
}

/* ---- cutting ----------------------------------------------------------------------------- */

static enum store_status slice_inline(struct catalog *cat, int64_t id, uint64_t offset,
                                      uint64_t len, struct body_ref *ret_ref, struct fault *fault)
{
    CLEANUP(buf_free) struct buf bytes = BUF_WITH_MAX(SIZE_MAX / 2);
    enum store_status status = catalog_inline_read(cat, id, &bytes, fault);
    int64_t fresh;

    if (status != STORE_OK)
        return status;
    if (offset > bytes.len || len > bytes.len - offset)
        return store_fault(fault, STORE_DAMAGED, "inline body %lld is too short", (long long)id);
    status =
        inline_store(cat, str_slice(buf_view(&bytes), (size_t)offset, (size_t)len), &fresh, fault);
    if (status == STORE_OK)
        *ret_ref = (struct body_ref){ .kind = BODY_INLINE, .id = fresh };
    return status;
}

struct slicing {
    struct catalog *cat;
    int64_t manifest;
    uint64_t at;
    enum store_status status;
    struct fault *fault;
};

static bool slice_piece(void *context, const struct piece *piece)
{
    struct slicing *slicing = context;
    struct body_ref ref = { .kind = piece->kind, .id = piece->ref };
    struct body_ref copy;

    if (piece->wrapped_key_bytes > 0)
        ref.wrapped_key = str_make(piece->wrapped_key, piece->wrapped_key_bytes);
    slicing->status = body_duplicate(slicing->cat, &ref, &copy, slicing->fault);
    if (slicing->status == STORE_OK)
        slicing->status = manifest_add_piece(slicing->cat, slicing->manifest, slicing->at, &copy,
                                             piece->start, piece->len, slicing->fault);
    slicing->at += piece->len;
    return slicing->status == STORE_OK;
}

enum store_status body_slice(struct catalog *cat, const struct body_ref *ref, uint64_t size,
                             uint64_t offset, uint64_t len, struct body_ref *ret_ref,
                             struct fault *fault)
{
    struct slicing slicing = { .cat = cat, .fault = fault };
    enum store_status status;

    if (len == 0) {
        *ret_ref = (struct body_ref){ .kind = BODY_EMPTY };
        return STORE_OK;
    }
    if (offset == 0 && len == size && ref->kind != BODY_MANIFEST)
        return body_duplicate(cat, ref, ret_ref, fault);
    if (ref->kind == BODY_INLINE && !str_present(ref->wrapped_key))
        return slice_inline(cat, ref->id, offset, len, ret_ref, fault);

    slicing.manifest = tx_next_seq(cat);
    status = catalog_pieces(cat, ref, size, offset, len, slice_piece, &slicing, fault);
    if (status == STORE_STOPPED)
        return slicing.status;
    if (status == STORE_OK)
        *ret_ref = (struct body_ref){ .kind = BODY_MANIFEST, .id = slicing.manifest };
    return status;
}

/* ---- resolving --------------------------------------------------------------------------- */

static enum store_status piece_key(struct piece *piece, struct str wrapped, struct fault *fault)
{
    if (wrapped.len > WRAPPED_KEY_BYTES_MAX)
        return store_fault(fault, STORE_DAMAGED, "a wrapped key of %zu bytes", wrapped.len);

    piece->wrapped_key_bytes = (uint8_t)wrapped.len;
    if (wrapped.len > 0)
        memcpy(piece->wrapped_key, wrapped.p, wrapped.len);
    return STORE_OK;
}

/* Cut a piece to [offset, end). False when nothing is left. */
static bool piece_clip(struct piece *piece, uint64_t offset, uint64_t end)
{
    uint64_t piece_end = piece->at + piece->len;

    if (piece->at < offset) {
        uint64_t skip = u64_min(offset - piece->at, piece->len);

        piece->at += skip;
        piece->start += skip;
        piece->len -= skip;
    }
    if (piece_end > end)
        piece->len -= u64_min(piece_end - end, piece->len);
    return piece->len > 0;
}

static enum store_status row_piece(sqlite3_stmt *stmt, struct piece *ret_piece, struct fault *fault)
{
    struct piece piece = {
        .at = (uint64_t)sql_i64(stmt, 0),
        .kind = (enum body_kind)sql_i64(stmt, 1),
        .ref = sql_i64(stmt, 2),
        .start = (uint64_t)sql_i64(stmt, 3),
        .len = (uint64_t)sql_i64(stmt, 4),
        .scope = (uint64_t)sql_i64(stmt, 6),
        .stored_bytes = (uint64_t)sql_i64(stmt, 8),
        .pack = (uint32_t)sql_i64(stmt, 9),
        .pack_at = (uint64_t)sql_i64(stmt, 10),
        .summed = sqlite3_column_type(stmt, 11) != SQLITE_NULL,
        .sum = (uint64_t)sql_i64(stmt, 11),
        .damaged = sqlite3_column_type(stmt, 12) != SQLITE_NULL,
    };
    enum store_status status = piece_key(&piece, sql_str(stmt, 5), fault);

    if (status != STORE_OK)
        return status;
    if (piece.kind == BODY_BLOB && sql_str(stmt, 7).len != SHA256_BYTES)
        return store_fault(fault, STORE_DAMAGED, "blob %lld has no row", (long long)piece.ref);
    if (piece.kind == BODY_BLOB)
        memcpy(piece.hash, sql_str(stmt, 7).p, SHA256_BYTES);

    *ret_piece = piece;
    return STORE_OK;
}

static enum store_status manifest_pieces(struct catalog *cat, int64_t manifest, uint64_t offset,
                                         uint64_t end, piece_visit *visit, void *context,
                                         struct fault *fault)
{
    static struct sql sql = {
        .text =
            "SELECT p.at, p.kind, p.ref, p.start, p.len, p.wrapped_key, b.scope, b.hash, b.size,"
            "       b.pack, b.at, b.sum, b.damaged_us"
            "  FROM piece p LEFT JOIN blob b ON p.kind = " SQL_BODY_BLOB " AND b.id = p.ref"
            " WHERE p.manifest = ?1"
            "   AND p.at >= ifnull((SELECT max(at) FROM piece WHERE manifest = ?1 AND at <= ?2), 0)"
            "   AND p.at < ?3"
            " ORDER BY p.at"
    };
    CLEANUP(sql_done) sqlite3_stmt *stmt = NULL;
    enum store_status status = sql_start(cat, &sql, &stmt, fault);
    uint64_t expected = offset;
    struct piece piece;
    bool row;

    if (status != STORE_OK)
        return status;
    sql_bind_i64(stmt, 1, manifest);
    sql_bind_i64(stmt, 2, (int64_t)offset);
    sql_bind_i64(stmt, 3, (int64_t)end);

    for (;;) {
        status = sql_step(cat, stmt, &row, fault);
        if (status != STORE_OK || !row)
            break;
        status = row_piece(stmt, &piece, fault);
        if (status != STORE_OK)
            break;
        if (!piece_clip(&piece, offset, end))
            continue;
        if (piece.at != expected)
            return store_fault(fault, STORE_DAMAGED, "manifest %lld has a gap",
                               (long long)manifest);
        expected += piece.len;
        if (!visit(context, &piece))
            return STORE_STOPPED;
    }
    if (status == STORE_OK && expected == offset)
        return store_fault(fault, STORE_RETRY, "manifest %lld is gone", (long long)manifest);
    if (status == STORE_OK && expected != end)
        return store_fault(fault, STORE_DAMAGED, "manifest %lld ends early", (long long)manifest);
    return status;
}

enum store_status catalog_pieces(struct catalog *cat, const struct body_ref *ref, uint64_t size,
                                 uint64_t offset, uint64_t len, piece_visit *visit, void *context,
                                 struct fault *fault)
{
    struct piece piece = {
        .kind = ref->kind, .ref = ref->id, .at = offset, .start = offset, .len = len
    };
    enum store_status status;

    if (offset > size || len > size - offset)
        return store_fault(fault, STORE_DAMAGED, "a range outside of the body");
    if (len == 0 || ref->kind == BODY_EMPTY)
        return STORE_OK;
    if (ref->kind == BODY_MANIFEST)
        return manifest_pieces(cat, ref->id, offset, offset + len, visit, context, fault);

    status = piece_key(&piece, ref->wrapped_key, fault);
    if (status == STORE_OK && ref->kind == BODY_BLOB)
        status = blob_describe(cat, ref->id, &piece, fault);
    if (status != STORE_OK)
        return status;
    return visit(context, &piece) ? STORE_OK : STORE_STOPPED;
}
