/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsck: is every byte that the catalog promises there and right?
 *
 * It shares the catalog's piece lists with the server, and nothing of its readers: files are read
 * whole, frames are opened one after the other, digests are computed anew. It changes nothing, but
 * for the repairs that are asked for (repair.h): those are one transaction.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text/codec.h"
#include "storage/blobs/frames.h"
#include "storage/care/repair.h"
#include "storage/io_status.h"
#include "storage/layout.h"

#define READ_BYTES FRAME_STORED_BYTES
#define LINE_MAX_BYTES 400

struct fsck {
    struct store_dir dir;
    struct health health; /* what the directory has to say: nobody listens */
    struct catalog *cat;
    struct fsck_options options;
    struct repair repair;
    fsck_line *line;
    void *context;
    struct fsck_report report;
    struct buf stored;
    struct buf plain;
    struct digest *digest;
    bool sealed; /* the body at hand has pieces that can not be read here */
};

static void finding(struct fsck *fsck, const char *format, ...) PRINTF_LIKE(2, 3);
static void finding(struct fsck *fsck, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fsck->report.errors++;
    fsck->line(fsck->context, text);
}

static void catalog_line(void *context, const char *line)
{
    struct fsck *fsck = context;

    fsck->line(fsck->context, line);
}

/* ---- blob files -------------------------------------------------------------------------- */

/* A pack and a file are opened alike: ret_base is where the blob starts. */
static int open_stored(const struct fsck *fsck, uint64_t scope, const void *hash, uint32_t pack,
                       uint64_t pack_at, char ret_path[BLOB_PATH_MAX], uint64_t *ret_base)
{
    struct blob_name name = { .scope = scope };

    if (pack != 0) {
        (void)snprintf(ret_path, BLOB_PATH_MAX, "packs/%08x", pack);
        *ret_base = pack_at;
        return openat(fsck->dir.fd, ret_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    }
    memcpy(name.hash, hash, SHA256_BYTES);
    blob_path(&name, ret_path);
    *ret_base = 0;
    return openat(fsck->dir.blobs.root_fd, ret_path,
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static bool hash_matches(struct fsck *fsck, int fd, uint64_t base, const struct checked_blob *blob)
{
    uint8_t hash[SHA256_BYTES];
    uint64_t at = 0;

    digest_reset(fsck->digest);
    while (at < blob->size) {
        size_t len = (size_t)u64_min(READ_BYTES, blob->size - at);

        buf_clear(&fsck->stored);
        if (!buf_reserve(&fsck->stored, READ_BYTES) ||
            file_read_at(fd, base + at, fsck->stored.p, len) < 0)
            return false;
        digest_update(fsck->digest, fsck->stored.p, len);
        at += len;
    }
    fsck->report.bytes_read += blob->size;
    digest_final(fsck->digest, hash);
    return str_eq(str_make(hash, SHA256_BYTES), blob->hash);
}

/* Says what is wrong with it; how many of its bytes there are. */
static bool blob_is_good(struct fsck *fsck, const struct checked_blob *blob, int fd,
                         const char *path, uint64_t base, uint64_t *ret_readable)
{
    uint64_t end = base + blob->size;
    struct stat st;
    uint64_t size;

    if (fd < 0 || fstat(fd, &st) < 0) {
        finding(fsck, "blob %s cannot be opened: %s", path, strerror(errno));
        return false;
    }
    size = (uint64_t)st.st_size;
    *ret_readable = size > base ? u64_min(size - base, blob->size) : 0;
    if (blob->pack != 0 ? size < end : size != end) {
        finding(fsck, "blob %s has %llu bytes, the catalog says %llu", path,
                (unsigned long long)size, (unsigned long long)end);
        return false;
    }
    if (fsck->options.read_data && !hash_matches(fsck, fd, base, blob)) {
        finding(fsck, "blob %s at %llu does not have the bytes of its hash", path,
                (unsigned long long)base);
        return false;
    }
    return true;
}

static bool check_one_blob(void *context, const struct checked_blob *blob)
{
    struct fsck *fsck = context;
    char path[BLOB_PATH_MAX];
    CLEANUP(fd_close) int fd = -1;
    uint64_t base = 0;
    uint64_t readable = 0;

    if (blob->hash.len != SHA256_BYTES) {
        finding(fsck, "a blob row has a hash of %zu bytes", blob->hash.len);
        return true;
    }
    fd = open_stored(fsck, blob->scope, blob->hash.p, blob->pack, blob->pack_at, path, &base);
    if (blob_is_good(fsck, blob, fd, path, base, &readable))
        return true;
    fsck->report.damaged++;
    if (fsck->options.mode != FSCK_CHECK)
        repair_blob(&fsck->repair, blob, fd, base, readable);
    return true;
}

/* ---- bodies ------------------------------------------------------------------------------ */

/* All stored bytes of a piece, into fsck->stored. */
static bool load_stored(struct fsck *fsck, const struct piece *piece)
{
    char path[BLOB_PATH_MAX];
    CLEANUP(fd_close) int fd = -1;
    uint64_t base;

    buf_clear(&fsck->stored);
    if (piece->kind == BODY_INLINE)
        return catalog_inline_read(fsck->cat, piece->ref, &fsck->stored, NULL) == STORE_OK;

    fd = open_stored(fsck, piece->scope, piece->hash, piece->pack, piece->pack_at, path, &base);
    if (fd < 0)
        return false;

    /* Only what the piece covers, by whole frames, so that memory stays small. */
    bool sealed = piece->wrapped_key_bytes > 0;
    uint64_t first = sealed ? piece->start / FRAME_PLAIN_BYTES : 0;
    uint64_t last = sealed ? (piece->start + piece->len - 1) / FRAME_PLAIN_BYTES : 0;
    uint64_t from = sealed ? first * FRAME_STORED_BYTES : piece->start;
    uint64_t to = sealed ? u64_min((last + 1) * FRAME_STORED_BYTES, piece->stored_bytes)
                         : piece->start + piece->len;

    if (to < from || !buf_reserve(&fsck->stored, (size_t)(to - from)) ||
        file_read_at(fd, base + from, fsck->stored.p, (size_t)(to - from)) < 0)
        return false;
    fsck->stored.len = (size_t)(to - from);
    return true;
}

static bool digest_plain(struct fsck *fsck, const struct piece *piece)
{
    size_t skip = piece->kind == BODY_INLINE ? (size_t)piece->start : 0;

    if (skip + piece->len > fsck->stored.len)
        return false;
    digest_update(fsck->digest, fsck->stored.p + skip, (size_t)piece->len);
    return true;
}

static bool digest_sealed(struct fsck *fsck, const struct piece *piece)
{
    CLEANUP(secret_key_wipe) struct secret_key key;
    uint64_t first = piece->kind == BODY_INLINE ? 0 : piece->start / FRAME_PLAIN_BYTES;
    uint64_t whole = piece->kind == BODY_INLINE ? fsck->stored.len : piece->stored_bytes;
    uint64_t skip = piece->start - first * FRAME_PLAIN_BYTES;
    uint64_t left = piece->len;

    if (keyring_unwrap(&fsck->dir.keyring, NULL,
                       str_make(piece->wrapped_key, piece->wrapped_key_bytes), key.bytes,
                       NULL) != STORE_OK)
        return false;

    for (uint64_t i = 0; left > 0; i++) {
        uint64_t at = i * FRAME_STORED_BYTES;
        size_t len;
        size_t plain;
        bool last;

        if (at >= fsck->stored.len)
            return false;
        len = (size_t)u64_min(FRAME_STORED_BYTES, fsck->stored.len - at);
        last = (first + i) * FRAME_STORED_BYTES + len == whole;
        if (!frame_open(key.bytes, first + i, last, fsck->stored.p + at, len, fsck->plain.p))
            return false;
        plain = len - AES_GCM_TAG_BYTES;
        if (skip < plain) {
            size_t used = (size_t)u64_min(plain - skip, left);

            digest_update(fsck->digest, fsck->plain.p + skip, used);
            left -= used;
        }
        skip = skip > plain ? skip - plain : 0;
    }
    return true;
}

static bool digest_piece(void *context, const struct piece *piece)
{
    struct fsck *fsck = context;
    struct piece slice = *piece;

    /* What is stored can be compared all the same: files and packs have been (check_one_blob). */
    if (keyring_can_not(&fsck->dir.keyring, piece->wrapped_key, piece->wrapped_key_bytes)) {
        fsck->sealed = true;
        return piece->kind != BODY_INLINE || load_stored(fsck, piece);
    }
    /* Large pieces in slices: a blob can be larger than memory. */
    while (slice.len > 0) {
        uint64_t whole = slice.len;

        if (slice.kind == BODY_BLOB)
            slice.len = u64_min(slice.len, 16u * FRAME_PLAIN_BYTES);
        if (!load_stored(fsck, &slice))
            return false;
        fsck->report.bytes_read += fsck->stored.len;
        if (!(slice.wrapped_key_bytes > 0 ? digest_sealed(fsck, &slice)
                                          : digest_plain(fsck, &slice)))
            return false;
        slice.start += slice.len;
        slice.len = whole - slice.len;
    }
    return true;
}

static bool etag_is_md5(struct str etag)
{
    uint8_t bytes[MD5_BYTES];

    return hex_decode(etag, bytes, sizeof(bytes));
}

/* hex: the MD5 of the bytes. */
static bool etag_holds(const struct fsck *fsck, const struct checked_body *body,
                       const char hex[2 * MD5_BYTES])
{
    return !body->single || fsck->sealed || !etag_is_md5(body->etag) ||
           str_eq_nocase(body->etag, str_make(hex, 2 * MD5_BYTES));
}

static bool check_one_body(void *context, const struct checked_body *body)
{
    struct fsck *fsck = context;
    struct digest *sha = fsck->digest;
    struct fault fault = { 0 };
    uint8_t md5[MD5_BYTES];
    char hex[2 * MD5_BYTES];
    enum store_status status;

    fsck->sealed = false;
    fsck->digest = digest_open(DIGEST_MD5);
    if (fsck->digest == NULL) {
        fsck->digest = sha;
        return false;
    }
    status = catalog_pieces(fsck->cat, &body->ref, body->size, 0, body->size, digest_piece, fsck,
                            &fault);
    digest_final(fsck->digest, md5);
    digest_close(fsck->digest);
    fsck->digest = sha;

    hex_encode(md5, sizeof(md5), hex);
    if (status != STORE_OK || !etag_holds(fsck, body, hex))
        fsck->report.damaged++;
    if (status != STORE_OK)
        finding(fsck, "'%.*s': the bytes cannot be read or decrypted%s%s",
                (int)size_min(body->key.len, 200), body->key.p, fault.text[0] != '\0' ? ": " : "",
                fault.text);
    else if (!etag_holds(fsck, body, hex))
        finding(fsck, "'%.*s': the MD5 of the bytes is not the ETag",
                (int)size_min(body->key.len, 200), body->key.p);
    return true;
}

/* ---- files that no row names ------------------------------------------------------------- */

typedef enum store_status visit_name(struct fsck *fsck, const char *path, const char *name,
                                     struct fault *fault);

/* Each name in a directory of blobs/ but those that begin with a dot; path "." is blobs/ itself. */
static enum store_status each_name(struct fsck *fsck, const char *path, visit_name *visit,
                                   struct fault *fault)
{
    int fd = file_open(fsck->dir.blobs.root_fd, path, O_RDONLY | O_DIRECTORY, 0);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    enum store_status status = STORE_OK;
    const struct dirent *entry;
    int error = 0;

    if (fd == -ENOTDIR) { /* a file that nobody made */
        fsck->report.orphans++;
        return STORE_OK;
    }
    if (dir == NULL) {
        error = fd < 0 ? fd : -ENOMEM;
        fd_close(&fd);
        return store_fault_io(fault, error, "read the directory '%s' of blobs", path);
    }
    while (status == STORE_OK && (entry = file_next_name(dir, &error)) != NULL)
        if (entry->d_name[0] != '.')
            status = visit(fsck, path, entry->d_name, fault);
    if (status == STORE_OK && error != 0)
        status = store_fault_io(fault, error, "list the directory '%s' of blobs", path);
    (void)closedir(dir);
    return status;
}

static enum store_status count_orphan(struct fsck *fsck, const char *path UNUSED, const char *text,
                                      struct fault *fault)
{
    struct blob_name name;
    struct piece blob;
    bool found = false;
    enum store_status status = STORE_OK;

    if (blob_name_parse(str_from_cstr(text), &name))
        status = catalog_blob_find(fsck->cat, name.scope, name.hash, &blob, &found, fault);
    if (status == STORE_OK && (!found || blob.pack != 0))
        fsck->report.orphans++;
    return status;
}

/* Directories of two hex digits, in two levels. */
static enum store_status walk_leaf(struct fsck *fsck, const char *path, const char *name,
                                   struct fault *fault)
{
    char inner[BLOB_PATH_MAX];

    if (strlen(name) != 2)
        return STORE_OK;
    (void)snprintf(inner, sizeof(inner), "%.2s/%.2s", path, name);
    return each_name(fsck, inner, count_orphan, fault);
}

static enum store_status walk_top(struct fsck *fsck, const char *path UNUSED, const char *name,
                                  struct fault *fault)
{
    return strlen(name) == 2 ? each_name(fsck, name, walk_leaf, fault) : STORE_OK;
}

static enum store_status walk(struct fsck *fsck, struct fault *fault)
{
    return each_name(fsck, ".", walk_top, fault);
}

/* ---- the check --------------------------------------------------------------------------- */

static bool check_one_inline(void *context, const struct scrub_find *find)
{
    struct fsck *fsck = context;

    fsck->report.bytes_read += find->stored_bytes;
    if (!find->damaged || find->was_damaged)
        return true;
    fsck->report.damaged++;
    finding(fsck, "inline body %lld does not have the bytes it was stored with",
            (long long)find->id);
    if (fsck->options.mode != FSCK_CHECK)
        repair_inline(&fsck->repair, find->id);
    return true;
}

static enum store_status run(struct fsck *fsck, struct fault *fault)
{
    enum store_status status = catalog_check(fsck->cat, catalog_line, fsck, &fsck->report, fault);

    if (status == STORE_OK)
        status = catalog_check_blobs(fsck->cat, check_one_blob, fsck, fault);
    if (status == STORE_OK && fsck->options.read_data)
        status = catalog_scrub_inline(fsck->cat, 0, check_one_inline, fsck, fault);
    if (status == STORE_OK && fsck->options.read_data)
        status = catalog_check_bodies(fsck->cat, check_one_body, fsck, fault);
    if (status == STORE_OK)
        status = walk(fsck, fault);
    if (status == STORE_DAMAGED) {
        finding(fsck, "the catalog is damaged: the check is incomplete");
        status = STORE_OK;
    }
    return status == STORE_STOPPED ? STORE_NO_MEMORY : status;
}

/* All in one transaction, which a plan takes back. */
static enum store_status run_repair(struct fsck *fsck, struct fault *fault)
{
    struct repair *repair = &fsck->repair;
    enum store_status status = catalog_begin(fsck->cat, fault);

    *repair = (struct repair){ .dir = &fsck->dir,
                               .cat = fsck->cat,
                               .perform = fsck->options.mode == FSCK_REPAIR,
                               .line = fsck->line,
                               .context = fsck->context,
                               .fault = fault };
    if (status != STORE_OK)
        return status;
    status = run(fsck, fault);
    /* Rows of a catalog that can not be read are better left alone. */
    if (status == STORE_OK && fsck->report.errors == fsck->report.damaged + fsck->report.rows)
        repair_rows(repair);
    if (status == STORE_OK)
        status = repair->status;
    if (status == STORE_OK && repair->perform)
        status = catalog_commit(fsck->cat, fault);
    if (status != STORE_OK || !repair->perform)
        catalog_rollback(fsck->cat);
    fsck->report.repairs = repair->done;
    return status;
}

static void fsck_close(struct fsck **fsck)
{
    if (*fsck == NULL)
        return;

    catalog_close((*fsck)->cat);
    layout_close(&(*fsck)->dir);
    digest_close((*fsck)->digest);
    buf_free(&(*fsck)->stored);
    buf_free(&(*fsck)->plain);
    mem_free(*fsck);
    *fsck = NULL;
}

static enum store_status check_log(struct fsck *fsck, struct fault *fault)
{
    bool in_use = layout_log_in_use(&fsck->dir);
    struct fault cut = { 0 };
    enum store_status status = catalog_log_check(fsck->dir.fd, in_use, &cut, fault);

    if (status != STORE_OK)
        return status;
    if (cut.text[0] != '\0')
        finding(fsck, "%s", cut.text);
    else if (in_use)
        layout_mark_log(&fsck->dir, /* in_use= */ false); /* SQLite is about to empty it */
    return STORE_OK;
}

/* A checker refuses another schema, which a writer would bring up to date: no plan does that. */
static enum store_status open_catalog(struct fsck *fsck, struct fault *fault)
{
    enum store_status status = STORE_OK;

    if (fsck->options.mode != FSCK_REPAIR)
        status = catalog_open(fsck->dir.path, CATALOG_CHECKER, STORE_STRICT, &fsck->cat, fault);
    if (status != STORE_OK || fsck->options.mode == FSCK_CHECK)
        return status;
    catalog_closep(&fsck->cat);
    return catalog_open(fsck->dir.path, CATALOG_WRITER, STORE_STRICT, &fsck->cat, fault);
}

enum store_status store_fsck(const char *dir, const struct fsck_options *options, fsck_line *line,
                             void *context, struct fsck_report *ret_report, struct fault *fault)
{
    CLEANUP(fsck_close) struct fsck *fsck = NULL;
    enum store_status status;
    bool fresh;

    if (!digest_init())
        return store_fault(fault, STORE_IO, "the crypto library lacks an algorithm");
    fsck = mem_zalloc(sizeof(*fsck));
    if (fsck == NULL)
        return store_fault(fault, STORE_NO_MEMORY, "fsck");

    health_init(&fsck->health, NULL);
    layout_init(&fsck->dir, STORE_STRICT, &fsck->health);
    fsck->options = *options;
    fsck->line = line;
    fsck->context = context;
    fsck->stored = BUF_WITH_MAX(SIZE_MAX / 2);
    fsck->plain = BUF_WITH_MAX(FRAME_PLAIN_BYTES);
    fsck->digest = digest_open(DIGEST_SHA256);
    if (fsck->digest == NULL || !buf_reserve(&fsck->plain, FRAME_PLAIN_BYTES))
        return store_fault(fault, STORE_NO_MEMORY, "fsck");

    status = layout_open(&fsck->dir, dir, /* create= */ false, &fresh, fault);
    if (status == STORE_OK)
        status = keyring_open(fsck->dir.fd, /* create= */ false, &fsck->dir.keyring, fault);
    if (status == STORE_OK)
        status = check_log(fsck, fault);
    if (status == STORE_OK)
        status = packs_open(&fsck->dir.packs, fsck->dir.fd, /* sync= */ true, 0, fault);
    if (status == STORE_OK)
        status = open_catalog(fsck, fault);
    if (status == STORE_OK)
        status = options->mode == FSCK_CHECK ? run(fsck, fault) : run_repair(fsck, fault);
    if (status != STORE_OK)
        return status;

    *ret_report = fsck->report;
    return STORE_OK;
}
