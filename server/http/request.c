/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request: what libmicrohttpd read, as struct http_request, judged by the guard.
 *
 * Names and values stay where MHD keeps them; method, target and fields array are the arena's.
 */
#include "server/http/internal.h"
#include "server/http/parse/guard.h"

static enum MHD_Result request_add_field(void *context, enum MHD_ValueKind kind, const char *name,
                                         size_t name_len, const char *value, size_t value_len)
{
    struct http_request *request = context;
    struct http_field *field = &request->fields[request->field_count];

    (void)kind;
    if (request->field_count == HTTP_HEADERS_MAX)
        return MHD_NO;
    field->name = str_make(name, name_len);
    field->value = value != NULL ? str_trim(str_make(value, value_len)) : STR("");
    request->field_count++;
    return MHD_YES;
}

static enum request_result refuse(int *ret_status, int status, struct fault *why, const char *text)
{
    *ret_status = status;
    return (enum request_result)fault_set(why, REQUEST_REFUSED, "%s", text);
}

static enum request_result request_fields(struct http_exchange *x, int *ret_status,
                                          struct fault *why)
{
    struct http_request *request = &x->request;
    int count = MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, NULL, NULL);

    if (count > HTTP_HEADERS_MAX)
        return refuse(ret_status, 431, why, "The request has too many header fields.");
    if (count <= 0)
        return REQUEST_OK;
    request->fields = arena_array(x->view.arena, (size_t)count, sizeof(*request->fields));
    if (request->fields == NULL)
        return refuse(ret_status, 503, why, "Out of memory.");
    (void)MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, request_add_field, request);
    return REQUEST_OK;
}

enum request_result request_fill(struct http_exchange *x, const char *method, const char *version,
                                 int *ret_status, struct fault *why)
{
    struct http_request *request = &x->request;
    const char *refused;

    request->method = arena_dup(x->view.arena, str_from_cstr(method));
    request->head = str_eq(request->method, STR("HEAD"));
    request->http_1_0 = strcmp(version, "HTTP/1.0") == 0;
    request->tls = x->conn->daemon->tls;
    request->tls_minor = request->tls ? http_tls_minor(x->connection) : 0;
    request->peer = str_make(x->conn->peer, x->conn->peer_len);
    if (!str_present(request->method) || !str_present(request->target))
        return refuse(ret_status, 503, why, "Out of memory.");

    if (request_fields(x, ret_status, why) != REQUEST_OK)
        return REQUEST_REFUSED;
    refused = http_guard(request, ret_status);
    if (refused != NULL)
        return refuse(ret_status, *ret_status, why, refused);
    *ret_status = 400;
    if (!http_target_parse(request->target, x->view.arena, request, why))
        return REQUEST_REFUSED;
    return REQUEST_OK;
}
