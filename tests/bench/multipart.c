/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail-bench multipart: one object of --parts parts. Uploads them, completes, reads the object
 * whole over one connection and by ranges over all; a line of the report for each step.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
#include <stdio.h>

#include "base/text/codec.h"
#include "tests/bench/commands.h"
#include "tests/bench/key.h"
#include "tests/bench/report.h"

#define COMPLETE_BYTES_MAX ((size_t)4 << 20)
#define ETAG_MAX (2 * MD5_BYTES + 8)

struct upload {
    struct service service;
    struct options options; /* until the requests are used up */
    struct buf path;
    struct buf id; /* as it goes into a query */
    char etag[ETAG_MAX];
    bool wrong;
};

static void upload_free(struct upload *upload)
{
    service_close(&upload->service);
    buf_free(&upload->path);
    buf_free(&upload->id);
}

/* A plan of `make`, run and reported as `step`. */
static bool step(struct upload *upload, bool (*make)(struct maker *, struct str),
                 struct str argument, uint64_t connections, const char *name, struct fault *fault)
{
    struct options options = upload->options;
    struct signer signer;
    struct plan plan = { 0 };
    struct result *result = mem_zalloc(sizeof(*result));
    CLEANUP(maker_free) struct maker maker = MAKER(&plan, &options, &signer, fault);
    bool done = result != NULL && signer_open(&signer, &options) && make(&maker, argument);

    options.connections = connections;
    options.threads = u64_min(options.threads, connections);
    done = done && run_plan(&plan, &options, &upload->service.address, result, fault);
    if (done) {
        report_result(&options, &plan, result, name);
        upload->wrong = upload->wrong || result->errors > 0;
        result_free(result);
    }
    plan_close(&plan);
    mem_free(result);
    return done || fault_set(fault, false, "no memory");
}

static bool create(struct upload *upload, struct fault *fault)
{
    struct str id;

    if (!service_do(&upload->service, STR("POST"), buf_view(&upload->path), STR("uploads="),
                    STR(""), fault))
        return false;
    id = net_xml_text(buf_view(&upload->service.body), "UploadId");
    if (id.len == 0)
        return fault_set(fault, false, "CreateMultipartUpload names no UploadId");
    uri_encode(&upload->id, id, URI_KEEP_NONE);
    return true;
}

/* The document of CompleteMultipartUpload, and the ETag it must answer. */
static bool complete_write(struct upload *upload, struct buf *xml)
{
    const struct options *options = &upload->options;
    struct content *content =
        content_open(options->size_bytes, (uint32_t)options->seed, CONTENT_MD5);
    struct digest *whole = digest_open(DIGEST_MD5);
    uint8_t md5[MD5_BYTES];
    char text[2 * MD5_BYTES];
    bool made = content != NULL && whole != NULL;

    buf_lit(xml, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (uint32_t i = 0; made && i < options->parts; i++) {
        content_md5(content, i, md5);
        digest_update(whole, md5, sizeof(md5));
        hex_encode(md5, sizeof(md5), text);
        buf_printf(xml, "<Part><PartNumber>%u</PartNumber><ETag>\"%.*s\"</ETag></Part>", i + 1,
                   (int)sizeof(text), text);
    }
    buf_lit(xml, "</CompleteMultipartUpload>");
    if (made) {
        digest_final(whole, md5);
        hex_encode(md5, sizeof(md5), text);
        (void)snprintf(upload->etag, sizeof(upload->etag), "%.*s-%llu", (int)sizeof(text), text,
                       (unsigned long long)options->parts);
    }
    digest_close(whole);
    content_close(content);
    return made && !xml->failed;
}

static bool complete(struct upload *upload, struct fault *fault)
{
    CLEANUP(buf_free) struct buf xml = BUF_WITH_MAX(COMPLETE_BYTES_MAX);
    CLEANUP(buf_free) struct buf query = BUF_WITH_MAX(8192);
    struct plan plan = { .lane_count = 1 };
    struct options options = upload->options;
    struct result *result;
    uint64_t start_ns;
    uint64_t took_ns;

    buf_printf(&query, "uploadId=%.*s", STR_ARG(buf_view(&upload->id)));
    if (!complete_write(upload, &xml))
        return fault_set(fault, false, "no memory");
    start_ns = net_now_ns();
    if (!service_do(&upload->service, STR("POST"), buf_view(&upload->path), buf_view(&query),
                    buf_view(&xml), fault))
        return false;
    took_ns = net_now_ns() - start_ns;
    if (str_find(buf_view(&upload->service.body), str_from_cstr(upload->etag)) == SIZE_MAX)
        return fault_set(fault, false, "CompleteMultipartUpload does not answer the ETag %s",
                         upload->etag);

    result = mem_zalloc(sizeof(*result));
    if (result == NULL)
        return fault_set(fault, false, "no memory");
    histogram_add(&result->latency[0], took_ns);
    result->elapsed_s = (double)took_ns / 1e9;
    options.connections = options.threads = 1;
    report_result(&options, &plan, result, "multipart-complete");
    mem_free(result);
    return true;
}

int command_multipart(const struct options *options, struct fault *fault)
{
    CLEANUP(upload_free)
    struct upload upload = { .options = *options,
                             .path = BUF_WITH_MAX(8192),
                             .id = BUF_WITH_MAX(4096) };

    upload.options.seconds = 0;
    upload.options.warmup_s = 0;
    upload.options.rate = 0;
    buf_char(&upload.path, '/');
    uri_encode(&upload.path, options->bucket, URI_KEEP_NONE);
    buf_char(&upload.path, '/');
    key_write(&upload.path, 0, options->prefixes);

    if (!service_open(&upload.service, options, fault) || !service_bucket(&upload.service, fault) ||
        !create(&upload, fault) ||
        !step(&upload, plan_make_parts, buf_view(&upload.id), options->connections,
              "multipart-parts", fault) ||
        !complete(&upload, fault) ||
        !step(&upload, plan_make_whole, str_from_cstr(upload.etag), 1, "multipart-get", fault) ||
        !step(&upload, plan_make_ranges, str_from_cstr(upload.etag), options->connections,
              "multipart-ranges", fault))
        return 1;
    return upload.wrong ? 1 : 0;
}
