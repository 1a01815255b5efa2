/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fixture.h.
 */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/codec.h"
#include "storage/internal.h"

#define ARENA_MAX (512u * 1024u * 1024u)

/* ---- life -------------------------------------------------------------------------------- */

struct fixture *fx_open(const struct store_options *options)
{
    static const struct store_options usual = { .durability = STORE_RELAXED,
                                                .inline_max_bytes = 1024,
                                                .reserve_bytes = 1 };
    struct fixture *f = mem_zalloc(sizeof(*f));
    struct intent intent = { .kind = INTENT_BUCKET_CREATE, .bucket = BUCKET };

    assert_non_null(f);
    f->options = options != NULL ? *options : usual;
    (void)snprintf(f->dir, sizeof(f->dir), "%s/pail-test-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    f->arena = arena_open(65536, ARENA_MAX);
    assert_non_null(f->arena);
    fx_start(f);
    intent.bucket_create.owner = OWNER;
    intent.arena = f->arena;
    FX_OK(f, store_submit_wait(f->store, &intent));
    return f;
}

void fx_start(struct fixture *f)
{
    FX_OK(f, store_open(f->dir, &f->options, &f->store, &f->fault));
    FX_OK(f, reader_open(f->store, &f->reader, &f->fault));
}

void fx_stop(struct fixture *f)
{
    reader_close(f->reader);
    store_close(f->store);
    f->reader = NULL;
    f->store = NULL;
}

static void print_line(void *context, const char *line)
{
    struct fixture *f = context;

    if (!f->quiet_fsck)
        print_message("fsck: %s\n", line);
}

struct fsck_report fx_fsck(struct fixture *f)
{
    struct fsck_report report = { 0 };

    FX_OK(f, store_fsck(f->dir, &(struct fsck_options){ .read_data = true }, print_line, f, &report,
                        &f->fault));
    return report;
}

struct fsck_report fx_fsck_quick(struct fixture *f)
{
    struct fsck_report report = { 0 };

    FX_OK(f, store_fsck(f->dir, &(struct fsck_options){ 0 }, print_line, f, &report, &f->fault));
    return report;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void fx_remove(struct fixture *f)
{
    (void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_close(f->arena);
    mem_free(f);
}

void fx_close(struct fixture *f)
{
    struct fsck_report report;

    fx_stop(f);
    report = fx_fsck(f);
    assert_int_equal(report.errors, 0);
    fx_remove(f);
}

/* ---- buckets ----------------------------------------------------------------------------- */

int64_t fx_bucket_id(struct fixture *f)
{
    struct bucket bucket;

    FX_OK(f, bucket_get(f->reader, BUCKET, f->arena, &bucket, &f->fault));
    return bucket.id;
}

enum store_status fx_versioning(struct fixture *f, enum bucket_versioning versioning)
{
    struct intent intent = { .kind = INTENT_BUCKET_SET,
                             .bucket = BUCKET,
                             .arena = f->arena,
                             .bucket_set.set_versioning = true,
                             .bucket_set.versioning = versioning };

    return store_submit_wait(f->store, &intent);
}

/* ---- objects ----------------------------------------------------------------------------- */

void fx_fill(char *out, size_t len, uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 1u;

    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        out[i] = (char)x;
    }
}

static struct body_writer *write_body(struct fixture *f, struct str bytes, bool encrypt,
                                      const uint8_t *customer_key, bool announced,
                                      struct body_digests *ret_digests,
                                      enum store_status *ret_status)
{
    struct body_options options = { .account = OWNER,
                                    .encrypt = encrypt,
                                    .customer_key = customer_key,
                                    .want_sha256 = true,
                                    .expected_bytes = announced ? bytes.len : 0 };
    struct body_writer *writer = NULL;
    size_t at = 0;

    *ret_status = body_writer_open(f->store, &options, &writer, &f->fault);
    while (*ret_status == STORE_OK && at < bytes.len) {
        size_t len = size_min(bytes.len - at, 50021);

        *ret_status = body_writer_append(writer, bytes.p + at, len, &f->fault);
        at += len;
    }
    if (*ret_status == STORE_OK)
        *ret_status = body_writer_finish(writer, ret_digests, &f->fault);
    return writer;
}

static struct str md5_text(struct fixture *f, const struct body_digests *digests)
{
    char *text = arena_alloc(f->arena, 2 * MD5_BYTES);

    assert_non_null(text);
    hex_encode(digests->md5, MD5_BYTES, text);
    return str_make(text, 2 * MD5_BYTES);
}

enum store_status fx_put_with(struct fixture *f, struct fx_put *put)
{
    enum store_status status = STORE_OK;
    struct copy_source source;
    struct version from;
    struct body_writer *writer = NULL;
    struct intent intent = { .kind = INTENT_OBJECT_PUT,
                             .origin = f->origin,
                             .bucket = BUCKET,
                             .key = put->key,
                             .arena = f->arena,
                             .put.condition = put->condition,
                             .put.attrs = { .etag = STR("none"), .owner = OWNER } };

    if (put->source != NULL) {
        source = *put->source;
        intent.put.bytes.source = &source;
        if (version_get(f->reader, source.bucket_id, source.key, (struct version_id){ 0 }, f->arena,
                        &from, &f->fault) == STORE_OK)
            intent.put.attrs.etag = from.attrs.etag;
    } else {
        writer = write_body(f, put->bytes, put->encrypt, put->customer_key, put->announced,
                            &put->digests, &status);
        intent.put.bytes.body = writer;
        if (status == STORE_OK)
            intent.put.attrs.etag = md5_text(f, &put->digests);
    }
    if (status == STORE_OK)
        status = store_submit_wait(f->store, &intent);
    if (status == STORE_OK)
        (void)snprintf(put->version, sizeof(put->version), "%.*s",
                       STR_ARG(intent.result.version_text));
    if (status != STORE_OK && intent.fault.text[0] != '\0')
        f->fault = intent.fault;
    body_writer_close(writer);
    return status;
}

enum store_status fx_put(struct fixture *f, const char *key, struct str bytes)
{
    struct fx_put put = { .key = str_from_cstr(key), .bytes = bytes };

    return fx_put_with(f, &put);
}

enum store_status fx_copy(struct fixture *f, const char *from, const char *to, enum copy_work work)
{
    struct version version;
    enum store_status status = fx_head(f, from, &version);
    struct copy_source source = { .bucket_id = fx_bucket_id(f),
                                  .key = str_from_cstr(from),
                                  .seq = version.seq,
                                  .work = work,
                                  .options = { .account = OWNER,
                                               .encrypt = work == COPY_REWRITE } };
    struct fx_put put = { .key = str_from_cstr(to), .source = &source };

    return status != STORE_OK ? status : fx_put_with(f, &put);
}

static enum store_status run_delete(struct fixture *f, struct delete_item *item)
{
    struct intent intent = { .kind = INTENT_OBJECT_DELETE,
                             .origin = f->origin,
                             .bucket = BUCKET,
                             .arena = f->arena,
                             .remove = {
                                 .items = item, .count = 1, .marker_event = f->marker_event } };
    enum store_status status = store_submit_wait(f->store, &intent);

    return status != STORE_OK ? status : item->status;
}

enum store_status fx_delete(struct fixture *f, const char *key)
{
    struct delete_item item = { .key = str_from_cstr(key) };

    return run_delete(f, &item);
}

enum store_status fx_delete_all(struct fixture *f, const struct str *keys, size_t count)
{
    struct delete_item *items = mem_zalloc(count * sizeof(*items));
    struct intent intent = {
        .kind = INTENT_OBJECT_DELETE,
        .origin = f->origin,
        .bucket = BUCKET,
        .arena = f->arena,
        .remove = { .items = items, .count = count, .marker_event = f->marker_event }
    };
    enum store_status status;

    for (size_t i = 0; i < count; i++)
        items[i].key = keys[i];
    status = store_submit_wait(f->store, &intent);
    for (size_t i = 0; i < count && status == STORE_OK; i++)
        status = items[i].status;
    mem_free(items);
    return status;
}

enum store_status fx_delete_version(struct fixture *f, const char *key, const char *version,
                                    struct delete_item *ret_item)
{
    *ret_item = (struct delete_item){ .key = str_from_cstr(key), .has_version = true };
    if (!version_id_parse(str_from_cstr(version), &ret_item->version))
        return STORE_NO_VERSION;
    return run_delete(f, ret_item);
}

enum store_status fx_head(struct fixture *f, const char *key, struct version *ret_version)
{
    return version_get(f->reader, fx_bucket_id(f), str_from_cstr(key), (struct version_id){ 0 },
                       f->arena, ret_version, &f->fault);
}

enum store_status fx_get_version(struct fixture *f, const char *key, const char *version,
                                 struct version *ret_version)
{
    struct version_id id;

    if (!version_id_parse(str_from_cstr(version), &id))
        return STORE_NO_VERSION;
    return version_get(f->reader, fx_bucket_id(f), str_from_cstr(key), id, f->arena, ret_version,
                       &f->fault);
}

struct str fx_read_range(struct fixture *f, const struct version *version, uint64_t offset,
                         uint64_t len)
{
    char *out = arena_alloc(f->arena, (size_t)len + 1);
    struct body *body;
    size_t at = 0;
    int64_t got = 1;

    assert_non_null(out);
    FX_OK(f, body_open(f->reader, version, offset, len, &body, &f->fault));
    while (got > 0) {
        got = body_read(body, out + at, size_min((size_t)len - at + 1, 30011), &f->fault);
        if (got < 0)
            fail_msg("read: %s", f->fault.text);
        at += (size_t)got;
    }
    body_close(body);
    assert_int_equal(at, len);
    return str_make(out, at);
}

struct str fx_read(struct fixture *f, const struct version *version)
{
    return fx_read_range(f, version, 0, version->size_bytes);
}

void fx_assert_content(struct fixture *f, const char *key, struct str expected)
{
    struct version version;

    reader_begin(f->reader);
    FX_OK(f, fx_head(f, key, &version));
    assert_int_equal(version.size_bytes, expected.len);
    assert_true(str_eq(fx_read(f, &version), expected));
    reader_end(f->reader);
}

/* ---- multipart --------------------------------------------------------------------------- */

struct str fx_upload(struct fixture *f, const char *key)
{
    struct intent intent = { .kind = INTENT_UPLOAD_CREATE,
                             .origin = f->origin,
                             .bucket = BUCKET,
                             .key = str_from_cstr(key),
                             .arena = f->arena,
                             .create_upload.attrs = { .owner = OWNER, .headers = STR("h") } };

    FX_OK(f, store_submit_wait(f->store, &intent));
    return intent.create_upload.upload_id;
}

enum store_status fx_part(struct fixture *f, const char *key, struct str upload, uint32_t number,
                          struct str bytes, const struct copy_source *source)
{
    struct body_digests digests;
    struct copy_source copy;
    enum store_status status = STORE_OK;
    struct intent intent = { .kind = INTENT_PART_PUT,
                             .origin = f->origin,
                             .bucket = BUCKET,
                             .key = str_from_cstr(key),
                             .arena = f->arena,
                             .part.upload_id = upload,
                             .part.number = number,
                             .part.etag = STR("none") };

    if (source != NULL) {
        copy = *source;
        intent.part.bytes.source = &copy;
    } else {
        intent.part.bytes.body = write_body(f, bytes, /* encrypt= */ number % 2 == 0,
                                            /* customer_key= */ NULL,
                                            /* announced= */ number % 3 == 0, &digests, &status);
        if (status == STORE_OK)
            intent.part.etag = md5_text(f, &digests);
    }

    struct body_writer *writer = intent.part.bytes.body;

    if (status == STORE_OK)
        status = store_submit_wait(f->store, &intent);
    body_writer_close(writer);
    return status;
}

struct choosing {
    const uint32_t *numbers;
    size_t count;
    struct part_choice *choices;
};

static bool choose(void *context, const struct part *part)
{
    struct choosing *choosing = context;

    for (size_t i = 0; i < choosing->count; i++) {
        if (choosing->numbers[i] == part->number)
            choosing->choices[i] = (struct part_choice){ .number = part->number, .seq = part->seq };
    }
    return true;
}

enum store_status fx_complete_if(struct fixture *f, const char *key, struct str upload,
                                 const uint32_t *numbers, size_t count,
                                 const struct write_condition *condition)
{
    struct choosing choosing = { numbers, count,
                                 arena_array(f->arena, count, sizeof(struct part_choice)) };
    struct upload found;
    enum store_status status = upload_get(f->reader, fx_bucket_id(f), str_from_cstr(key), upload,
                                          f->arena, &found, &f->fault);
    struct intent intent = { .kind = INTENT_UPLOAD_COMPLETE,
                             .origin = f->origin,
                             .bucket = BUCKET,
                             .key = str_from_cstr(key),
                             .arena = f->arena,
                             .complete.upload_id = upload,
                             .complete.condition = *condition,
                             .complete.etag = STR("multi-2") };

    if (status != STORE_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        choosing.choices[i] = (struct part_choice){ .number = numbers[i] };
    FX_OK(f, part_list(f->reader, &found, 0, STORE_PARTS_MAX, choose, &choosing, &f->fault));
    intent.complete.parts = choosing.choices;
    intent.complete.count = count;
    return store_submit_wait(f->store, &intent);
}

enum store_status fx_complete(struct fixture *f, const char *key, struct str upload,
                              const uint32_t *numbers, size_t count)
{
    static const struct write_condition none;

    return fx_complete_if(f, key, upload, numbers, count, &none);
}

enum store_status fx_abort(struct fixture *f, const char *key, struct str upload)
{
    struct intent intent = { .kind = INTENT_UPLOAD_ABORT,
                             .origin = f->origin,
                             .bucket = BUCKET,
                             .key = str_from_cstr(key),
                             .arena = f->arena,
                             .abort.upload_id = upload };

    return store_submit_wait(f->store, &intent);
}

/* ---- files ------------------------------------------------------------------------------- */

static size_t count_below(int dir_fd, const char *path)
{
    int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    size_t count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        count += entry->d_type == DT_DIR ? count_below(dirfd(dir), entry->d_name) : 1;
    }
    (void)closedir(dir);
    return count;
}

size_t fx_blob_files(struct fixture *f)
{
    char path[80];

    (void)snprintf(path, sizeof(path), "%s/blobs", f->dir);
    return count_below(AT_FDCWD, path);
}

size_t fx_packs(struct fixture *f, uint64_t *ret_occupied)
{
    char path[80];
    DIR *dir;
    const struct dirent *entry;
    size_t count = 0;

    *ret_occupied = 0;
    (void)snprintf(path, sizeof(path), "%s/packs", f->dir);
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct stat st;

        if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &st, 0) != 0)
            continue;
        count++;
        *ret_occupied += (uint64_t)st.st_blocks * 512;
    }
    if (dir != NULL)
        (void)closedir(dir);
    return count;
}

void fx_pause(void)
{
    (void)usleep(1000);
}

/* It has seen that the clock was moved, and with that has ended what it did before. */
static bool janitor_looked(struct janitor *janitor)
{
    bool looked;

    (void)pthread_mutex_lock(&janitor->lock);
    looked = !janitor->clock_moved;
    (void)pthread_mutex_unlock(&janitor->lock);
    return looked;
}

void fx_pass(struct fixture *f, int64_t us)
{
    clock_move(store_clock(f->store), CLOCK_ADVANCE, us);
    FX_AWAIT(janitor_looked(&f->store->janitor));
    clock_move(store_clock(f->store), CLOCK_ADVANCE, 0);
    FX_AWAIT(janitor_looked(&f->store->janitor));
}
