/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail-bench probe: is the server doing the work at all? A figure of a server that does not look
 * at signatures or bytes is not comparable.
 */
#include <stdio.h>

#include "base/text/codec.h"
#include "tests/bench/commands.h"
#include "tests/bench/content.h"
#include "tests/bench/report.h"

#define PROBE_BYTES 100000
#define PROBE_PATH_BYTES_MAX 4096

struct probe {
    struct service service;
    struct buf path;
    struct buf body;
    char md5[2 * MD5_BYTES];
    unsigned failed;
};

static void probe_free(struct probe *probe)
{
    service_close(&probe->service);
    buf_free(&probe->path);
    buf_free(&probe->body);
}

static void say(struct probe *probe, const char *what, bool holds)
{
    report_figure(probe->service.options, what, holds ? 1 : 0, "bool");
    if (!holds)
        probe->failed++;
}

static bool body_make(struct probe *probe, struct fault *fault)
{
    struct content *content = content_open(PROBE_BYTES, 1, CONTENT_MD5);
    char stamp[CONTENT_STAMP_BYTES];
    uint8_t md5[MD5_BYTES];

    if (content == NULL)
        return fault_set(fault, false, "no memory");
    buf_str(&probe->body, content_block(content));
    buf_append(&probe->body, stamp, content_stamp(content, 0, stamp));
    content_md5(content, 0, md5);
    hex_encode(md5, sizeof(md5), probe->md5);
    content_close(content);
    return !probe->body.failed || fault_set(fault, false, "no memory");
}

/* The status of a request whose signing key has one bit wrong. */
static bool refused(struct probe *probe, struct str method, struct str body, bool *ret_refused,
                    struct fault *fault)
{
    bool answered;

    probe->service.signer.key[0] ^= 1;
    answered = service_call(&probe->service, method, buf_view(&probe->path), STR(""), body, fault);
    probe->service.signer.key[0] ^= 1;
    *ret_refused = answered && probe->service.response.status == 403;
    return answered;
}

int command_probe(const struct options *options, struct fault *fault)
{
    CLEANUP(probe_free)
    struct probe probe = { .path = BUF_WITH_MAX(PROBE_PATH_BYTES_MAX),
                           .body = BUF_WITH_MAX(2 * PROBE_BYTES) };
    struct service *service = &probe.service;
    struct str path;
    bool right;

    buf_char(&probe.path, '/');
    uri_encode(&probe.path, options->bucket, URI_KEEP_NONE);
    buf_lit(&probe.path, "/probe");
    path = buf_view(&probe.path);
    if (!service_open(service, options, fault) || !body_make(&probe, fault) ||
        !service_bucket(service, fault) ||
        !service_do(service, STR("PUT"), path, STR(""), buf_view(&probe.body), fault))
        return 1;
    say(&probe, "put_answers_md5_etag",
        str_eq(service->response.etag, str_make(probe.md5, sizeof(probe.md5))));

    if (!service_do(service, STR("GET"), path, STR(""), STR(""), fault))
        return 1;
    say(&probe, "get_answers_md5_etag",
        str_eq(service->response.etag, str_make(probe.md5, sizeof(probe.md5))));
    say(&probe, "get_answers_the_bytes", str_eq(buf_view(&service->body), buf_view(&probe.body)));

    if (!refused(&probe, STR("GET"), STR(""), &right, fault))
        return 1;
    say(&probe, "wrong_get_signature_is_403", right);
    if (!refused(&probe, STR("PUT"), STR("other"), &right, fault))
        return 1;
    say(&probe, "wrong_put_signature_is_403", right);
    if (!service_do(service, STR("DELETE"), path, STR(""), STR(""), fault) ||
        !service_call(service, STR("GET"), path, STR(""), STR(""), fault))
        return 1;
    say(&probe, "deleted_is_404", service->response.status == 404);
    return probe.failed > 0 ? 1 : 0;
}
