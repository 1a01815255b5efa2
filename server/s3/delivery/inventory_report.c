/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of inventories; see inventory_report.h.
 */
#include "server/s3/delivery/inventory_report.h"

#include "base/digest/digest.h"
#include "base/log.h"
#include "base/text/codec.h"
#include "base/text/text.h"
#include "server/s3/bucket_config.h"
#include "server/s3/delivery/gzip.h"
#include "server/s3/delivery/inventory_row.h"
#include "server/s3/delivery/service.h"
#include "server/s3/encryption/method.h"
#include "server/s3/refuse.h"

#define PAGE_ROWS 1000
#define ARENA_FIRST_BYTES (16u * 1024u)
#define ARENA_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define MANIFEST_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define ROW_BYTES_MAX (128u * 1024u)
#define MANIFEST_VERSION "2016-11-30"

struct report {
    const struct inventory_task *task;
    struct inventory_source source;
    struct str account;  /* of the source's owner */
    struct arena *arena; /* of the whole report */
    struct buf files;    /* of the manifest */
    size_t file_count;
    struct buf row;
    enum s3_error error;
    struct str why;
    bool stopped;

    /* the file that is being written; op NULL: none */
    struct op *op;
    struct arena *file_arena;
    struct str key;
    uint64_t rows;
    struct gzip *gzip;

    /* the page */
    struct listed_version *listed;
    size_t count;
    struct arena *page_arena;
};

static bool fail(struct report *report, enum s3_error error, struct str why)
{
    if (report->error == S3_OK) {
        report->error = error;
        report->why = arena_dup(report->arena, why);
    }
    return false;
}

static bool fail_memory(struct report *report)
{
    return fail(report, S3_SlowDown, STR("there is no memory"));
}

/* ---- keys -------------------------------------------------------------------------------------- */

/* PREFIX/SOURCE/ID */
static struct str folder(const struct report *report)
{
    const struct inventory_rule *rule = report->task->rule;

    return arena_printf(report->arena, "%.*s%s%.*s/%.*s", STR_ARG(rule->destination_prefix),
                        rule->destination_prefix.len > 0 ? "/" : "",
                        STR_ARG(report->task->source->name), STR_ARG(rule->id));
}

static struct str manifest_key(const struct report *report, const char *name)
{
    char text[CLOCK_ISO8601_LEN + 1]; /* 2026-11-21T05:25:23.000Z */

    clock_format_iso8601(report->task->period_us, text);
    return arena_printf(report->arena, "%.*s/%.13s-%.2sZ/%s", STR_ARG(folder(report)), text,
                        text + 14, name);
}

/* A UUID of what is in the file. */
static struct str data_key(const struct report *report)
{
    struct str what = arena_printf(report->arena, "%lld|%.*s|%.*s|%zu",
                                   (long long)report->task->period_us, STR_ARG(folder(report)),
                                   STR_ARG(report->task->rule->prefix), report->file_count);
    uint8_t digest[SHA256_BYTES];
    char hex[2 * SHA256_BYTES];

    digest_once(DIGEST_SHA256, what, digest);
    digest[6] = (uint8_t)((digest[6] & 0x0fu) | 0x80u); /* of version 8: its maker's own */
    digest[8] = (uint8_t)((digest[8] & 0x3fu) | 0x80u);
    hex_encode(digest, sizeof(digest), hex);
    return arena_printf(report->arena, "%.*s/data/%.8s-%.4s-%.4s-%.4s-%.12s.csv.gz",
                        STR_ARG(folder(report)), hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* ---- objects ----------------------------------------------------------------------------------- */

static struct op *object_op(const struct report *report, struct str key, struct str type,
                            struct arena *arena)
{
    const struct inventory_task *task = report->task;
    struct http_field fields[3] = { { STR("Content-Type"), type } };
    size_t count = 1;
    const struct service_request request = { .service = SERVICE_S3,
                                             .options = task->errands->options,
                                             .at = task->at,
                                             .source = task->source->name,
                                             .account = report->account,
                                             .bucket = task->rule->destination,
                                             .key = key,
                                             .fields = fields };
    struct service_request whole = request;

    if (task->rule->encryption != INVENTORY_AS_BUCKET)
        fields[count++] = (struct http_field){ STR("x-amz-server-side-encryption"),
                                               task->rule->encryption == INVENTORY_SSE_KMS
                                                   ? STR("aws:kms")
                                                   : STR("AES256") };
    if (task->rule->encryption == INVENTORY_SSE_KMS)
        fields[count++] = (struct http_field){ STR(SSE_KMS_KEY_HEADER), task->rule->kms_key };
    whole.field_count = count;
    return str_present(key) ? service_op(&whole, arena) : NULL;
}

static bool put_text(struct report *report, struct str key, struct str type, struct str text)
{
    struct op *op = object_op(report, key, type, report->arena);
    struct body_digests digests;
    enum s3_error err;

    if (op == NULL)
        return fail_memory(report);
    err = service_begin(op, text.len);
    if (err == S3_OK && body_writer_append(op->writer, text.p, text.len, &op->fault) != STORE_OK)
        err = S3_InternalError;
    if (err == S3_OK)
        err = service_commit(op, NULL, 0, &digests);
    if (err != S3_OK)
        (void)fail(report, err, service_problem(op, err));
    service_close(op);
    return err == S3_OK;
}

/* ---- files of rows ----------------------------------------------------------------------------- */

static bool begin_file(struct report *report)
{
    enum s3_error err;

    if (report->file_count == INVENTORY_FILES_MAX)
        return fail(report, S3_InvalidRequest, STR("there are too many objects for one report"));
    report->file_arena = arena_open(ARENA_FIRST_BYTES, ARENA_BYTES_MAX);
    report->key = data_key(report);
    report->op =
        report->file_arena != NULL
            ? object_op(report, report->key, STR("application/octet-stream"), report->file_arena)
            : NULL;
    report->gzip = gzip_open();
    if (report->op == NULL || report->gzip == NULL)
        return fail_memory(report);
    report->rows = 0;
    err = service_begin(report->op, 0);
    return err == S3_OK || fail(report, err, service_problem(report->op, err));
}

/* A gzip_sink. */
static bool take_packed(void *context, const void *bytes, size_t len)
{
    struct report *report = context;

    return body_writer_append(report->op->writer, bytes, len, &report->op->fault) == STORE_OK ||
           fail(report, S3_InternalError, str_from_cstr(report->op->fault.text));
}

static void drop_file(struct report *report)
{
    gzip_close(report->gzip);
    report->gzip = NULL;
    service_close(report->op);
    arena_close(report->file_arena);
    report->op = NULL;
    report->file_arena = NULL;
}

static void note_file(struct report *report, const struct body_digests *digests)
{
    char md5[2 * MD5_BYTES];

    hex_encode(digests->md5, MD5_BYTES, md5);
    buf_printf(&report->files, "%s{\"key\":", report->file_count > 0 ? "," : "");
    text_json(&report->files, report->key);
    buf_printf(&report->files, ",\"size\":%llu,\"MD5checksum\":\"%.*s\"}",
               (unsigned long long)digests->size_bytes, (int)sizeof(md5), md5);
    report->file_count++;
}

static bool end_file(struct report *report)
{
    struct body_digests digests;
    enum s3_error err;

    if (report->op == NULL)
        return true;
    if (!gzip_end(report->gzip, take_packed, report))
        return false;
    err = service_commit(report->op, NULL, 0, &digests);
    if (err != S3_OK)
        return fail(report, err, service_problem(report->op, err));
    note_file(report, &digests);
    drop_file(report);
    return true;
}

static bool add_row(struct report *report, const struct listed_version *listed,
                    const struct version *version)
{
    if (report->op == NULL && !begin_file(report))
        return false;
    buf_clear(&report->row);
    inventory_row(&report->row, report->task->rule, &report->source, listed, version,
                  report->page_arena);
    if (report->row.failed)
        return fail_memory(report);
    if (!gzip_write(report->gzip, buf_view(&report->row), take_packed, report))
        return false;
    return ++report->rows < report->task->file_rows || end_file(report);
}

/* ---- pages ------------------------------------------------------------------------------------- */

static bool keep_listed(void *context, struct str common_prefix UNUSED,
                        const struct listed_version *listed)
{
    struct report *report = context;
    struct listed_version *kept = &report->listed[report->count];

    if (!report->task->rule->all_versions && (!listed->latest || listed->delete_marker))
        return true;
    *kept = *listed;
    kept->key = arena_dup(report->page_arena, listed->key);
    kept->etag = arena_dup(report->page_arena, listed->etag);
    kept->owner = arena_dup(report->page_arena, listed->owner);
    if (str_present(listed->checksum))
        kept->checksum = arena_dup(report->page_arena, listed->checksum);
    if (str_present(listed->tags))
        kept->tags = arena_dup(report->page_arena, listed->tags);
    report->count++;
    return (str_present(kept->key) && str_present(kept->etag)) || fail_memory(report);
}

/* One that is gone meanwhile is not reported. */
static bool report_version(struct report *report, const struct listed_version *listed)
{
    const struct inventory_task *task = report->task;
    struct version_id id = { .kind = listed->null_version ? VERSION_NULL : VERSION_EXACT,
                             .seq = listed->seq,
                             .tail = listed->tail };
    struct version version;
    struct fault fault = { 0 };
    enum store_status status;

    if (listed->delete_marker || !inventory_needs_versions(task->rule))
        return add_row(report, listed, NULL);
    status = version_get(task->at->reader, task->source->id, listed->key, id, report->page_arena,
                         &version, &fault);
    if (status == STORE_NO_KEY || status == STORE_NO_VERSION ||
        (status == STORE_OK && version.delete_marker))
        return true;
    return status == STORE_OK ? add_row(report, listed, &version)
                              : fail(report, S3_InternalError, str_from_cstr(fault.text));
}

static bool read_page(struct report *report, const struct list_query *query,
                      struct list_end *ret_end)
{
    const struct inventory_task *task = report->task;
    struct fault fault = { 0 };
    enum store_status status;

    report->count = 0;
    report->listed = arena_array(report->page_arena, PAGE_ROWS, sizeof(*report->listed));
    if (report->listed == NULL)
        return fail_memory(report);
    status = version_list(task->at->reader, task->source->id, query, keep_listed, report,
                          report->page_arena, ret_end, &fault);
    reader_let_go(task->at->reader);
    return status == STORE_OK || fail(report, S3_InternalError, str_from_cstr(fault.text));
}

/* A page, and where the next begins: in `after`, room for a key. */
static bool report_page(struct report *report, struct list_query *query,
                        char after[STORE_KEY_BYTES_MAX], bool *ret_more)
{
    struct list_end end = { 0 };

    if (!read_page(report, query, &end))
        return false;
    for (size_t i = 0; i < report->count; i++)
        if (!report_version(report, &report->listed[i]))
            return false;
    *ret_more = end.truncated;
    if (!end.truncated)
        return true;
    memcpy(after, end.next.p, end.next.len);
    query->after = str_make(after, end.next.len);
    query->has_version_marker = true;
    return version_id_parse(end.next_version_id, &query->version_marker) ||
           fail(report, S3_InternalError, STR("a listing ends with no version"));
}

static bool wants_tags(const struct inventory_task *task)
{
    return (task->rule->fields & 1u << INVENTORY_LifecycleExpirationDate) != 0 &&
           task->lifecycle != NULL && task->lifecycle->wants_tags;
}

static bool report_all(struct report *report)
{
    const struct errands *errands = report->task->errands;
    struct list_query query = { .prefix = report->task->rule->prefix,
                                .delimiter = STR(""),
                                .after = STR_NONE,
                                .max = PAGE_ROWS,
                                .tags = wants_tags(report->task) };
    char after[STORE_KEY_BYTES_MAX];
    bool more = true;

    while (more) {
        bool good;

        report->page_arena = arena_open(ARENA_FIRST_BYTES, ARENA_BYTES_MAX);
        if (report->page_arena == NULL)
            return fail_memory(report);
        good = report_page(report, &query, after, &more);
        arena_close(report->page_arena);
        report->page_arena = NULL;
        if (!good)
            return false;
        report->stopped = more && !errands->go_on(errands->context, errands);
        if (report->stopped)
            return false;
    }
    return end_file(report);
}

/* ---- the manifest ------------------------------------------------------------------------------ */

static bool put_manifest(struct report *report)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(MANIFEST_BYTES_MAX + 4096);
    const struct inventory_task *task = report->task;
    int64_t now_us = clock_now_us(store_clock(task->at->held->store));
    uint8_t digest[MD5_BYTES];
    char md5[2 * MD5_BYTES];

    buf_printf(&text,
               "{\"sourceBucket\":\"%.*s\",\"destinationBucket\":\"arn:aws:s3:::%.*s\","
               "\"version\":\"" MANIFEST_VERSION "\",\"creationTimestamp\":\"%lld\","
               "\"fileFormat\":\"CSV\",\"fileSchema\":\"",
               STR_ARG(task->source->name), STR_ARG(task->rule->destination),
               (long long)(now_us / 1000));
    inventory_schema(&text, task->rule);
    buf_lit(&text, "\",\"files\":[");
    buf_str(&text, buf_view(&report->files));
    buf_lit(&text, "]}");
    if (text.failed || report->files.failed)
        return fail_memory(report);
    digest_once(DIGEST_MD5, buf_view(&text), digest);
    hex_encode(digest, sizeof(digest), md5);
    return put_text(report, manifest_key(report, "manifest.json"), STR("application/json"),
                    buf_view(&text)) &&
           put_text(report, manifest_key(report, "manifest.checksum"), STR("text/plain"),
                    str_make(md5, sizeof(md5)));
}

/* ---- the whole --------------------------------------------------------------------------------- */

/* Is it whose it has to be, and is the report in it? */
static bool look_at_destination(struct report *report, bool *ret_there)
{
    const struct inventory_task *task = report->task;
    struct reader *reader = task->at->reader;
    struct bucket bucket;
    struct version version;
    struct fault fault = { 0 };
    enum store_status status =
        bucket_get(reader, task->rule->destination, report->arena, &bucket, &fault);
    struct str account;

    *ret_there = false;
    if (status == STORE_NO_BUCKET)
        return fail(report, S3_NoSuchBucket, STR("there is no such bucket"));
    if (status != STORE_OK)
        return fail(report, S3_InternalError, str_from_cstr(fault.text));
    account = service_account(task->errands->credentials, bucket.owner, report->arena);
    if (str_present(task->rule->account) && !str_eq(task->rule->account, account))
        return fail(report, S3_InvalidS3DestinationBucket, STR("it is another account's"));
    status = version_get(reader, bucket.id, manifest_key(report, "manifest.checksum"),
                         (struct version_id){ .kind = VERSION_CURRENT }, report->arena, &version,
                         &fault);
    *ret_there = status == STORE_OK && !version.delete_marker;
    return true;
}

static enum inventory_outcome run(struct report *report)
{
    const struct inventory_task *task = report->task;
    bool there;

    report->account =
        service_account(task->errands->credentials, task->source->owner, report->arena);
    if (!str_present(report->account) || !str_present(folder(report)))
        (void)fail_memory(report);
    else if (look_at_destination(report, &there)) {
        if (there)
            return INVENTORY_THERE;
        if (report_all(report) && put_manifest(report))
            return INVENTORY_DELIVERED;
    }
    if (report->stopped)
        return INVENTORY_STOPPED;
    log_warn("inventory: bucket=%.*s id=%.*s destination=%.*s not delivered: %.*s",
             STR_ARG(task->source->name), STR_ARG(task->rule->id), STR_ARG(task->rule->destination),
             STR_ARG(report->why));
    return INVENTORY_FAILED;
}

enum inventory_outcome inventory_report(const struct inventory_task *task)
{
    struct report *report = mem_zalloc(sizeof(*report));
    enum inventory_outcome outcome = INVENTORY_FAILED;

    if (report == NULL)
        return INVENTORY_FAILED;
    report->task = task;
    report->source = (struct inventory_source){
        .bucket = task->source,
        .lifecycle = task->lifecycle,
        .day_us = task->errands->options->lifecycle_day_us,
    };
    report->files = BUF_WITH_MAX(MANIFEST_BYTES_MAX);
    report->row = BUF_WITH_MAX(ROW_BYTES_MAX);
    report->arena = arena_open(ARENA_FIRST_BYTES, ARENA_BYTES_MAX);
    if (report->arena != NULL)
        outcome = run(report);
    drop_file(report);
    buf_free(&report->files);
    buf_free(&report->row);
    arena_close(report->arena);
    mem_free(report);
    return outcome;
}
