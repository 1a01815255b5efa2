/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server under test, for calls that are not measured; see service.h.
 */
#include "tests/bench/service.h"

#include "base/text/codec.h"

bool service_open(struct service *service, const struct options *options, struct fault *fault)
{
    *service = (struct service){
        .options = options,
        .scratch = BUF_WITH_MAX(65536),
        .head = BUF_WITH_MAX(65536),
        .head_text = BUF_WITH_MAX(NET_BODY_BYTES_MAX),
        .body = BUF_WITH_MAX(NET_BODY_BYTES_MAX),
    };
    if (!signer_open(&service->signer, options))
        return fault_set(fault, false, "a name is too long");
    if (service->signer.form == AUTH_FORM_PRESIGNED)
        service->signer.form = AUTH_FORM_HEADER;
    return net_resolve(options->authority, &service->address, fault);
}

void service_close(struct service *service)
{
    buf_free(&service->scratch);
    buf_free(&service->head);
    buf_free(&service->head_text);
    buf_free(&service->body);
    explicit_bzero(service->signer.key, sizeof(service->signer.key));
}

bool service_call(struct service *service, struct str method, struct str path, struct str query,
                  struct str body, struct fault *fault)
{
    char signature[SIGN_SIGNATURE_LEN];
    uint8_t digest[SHA256_BYTES];
    char hash[2 * SHA256_BYTES];
    char md5[BASE64_LEN(MD5_BYTES)];
    bool reads = str_eq(method, STR("GET")) || str_eq(method, STR("HEAD"));
    struct sign_call call = { .method = method,
                              .path = path,
                              .query = query,
                              .content_length = reads ? UINT64_MAX : body.len };

    digest_once(DIGEST_SHA256, body, digest);
    hex_encode(digest, SHA256_BYTES, hash);
    call.payload = str_make(hash, sizeof(hash));
    if (body.len > 0) {
        digest_once(DIGEST_MD5, body, digest);
        base64_encode(digest, MD5_BYTES, md5);
        sign_call_add(&call, STR("content-md5"), str_make(md5, sizeof(md5)));
    }
    buf_clear(&service->head);
    sign_head(&service->signer, &call, &service->scratch, &service->head, signature);
    return net_exchange(&service->address, buf_view(&service->head), body, &service->head_text,
                        &service->response, &service->body, fault);
}

bool service_do(struct service *service, struct str method, struct str path, struct str query,
                struct str body, struct fault *fault)
{
    struct str code;

    if (!service_call(service, method, path, query, body, fault))
        return false;
    if (service->response.status / 100 == 2)
        return true;
    code = net_xml_text(buf_view(&service->body), "Code");
    return fault_set(fault, false, "%.*s %.*s?%.*s: status %u %.*s", STR_ARG(method), STR_ARG(path),
                     STR_ARG(query), service->response.status, STR_ARG(code));
}

bool service_bucket(struct service *service, struct fault *fault)
{
    CLEANUP(buf_free) struct buf path = BUF_WITH_MAX(4096);

    if (service->signer.form == AUTH_FORM_NONE)
        return true; /* no S3 server: folders come with the files */
    buf_char(&path, '/');
    uri_encode(&path, service->options->bucket, URI_KEEP_NONE);
    if (!service_call(service, STR("PUT"), buf_view(&path), STR(""), STR(""), fault))
        return false;
    if (service->response.status != 200 &&
        !str_eq(net_xml_text(buf_view(&service->body), "Code"), STR("BucketAlreadyOwnedByYou")))
        return fault_set(fault, false, "cannot make the bucket: status %u",
                         service->response.status);
    if (service->options->versions == 1)
        return true;
    return service_do(service, STR("PUT"), buf_view(&path), STR("versioning="),
                      STR("<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/"
                          "2006-03-01/\"><Status>Enabled</Status></VersioningConfiguration>"),
                      fault);
}
