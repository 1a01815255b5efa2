/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to other servers; see client.h.
 */
#include "server/client/client.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/digest/digest.h"
#include "base/text/codec.h"
#include "server/client/library.h"

#define ARENA_FIRST_BYTES 8192
#define ARENA_BYTES_MAX (1024 * 1024)
#define POLL_MS 1000 /* client_cancel does not wait for it */

struct client {
    const struct client_library *library;
    CURL *easy;
    CURLM *multi;
    atomic_bool cancelled;
};

/* One request on its way. */
struct sending {
    const struct client_request *request;
    struct client_answer *answer;
    struct curl_slist *lines;
    uint64_t sent;
    char error[CURL_ERROR_SIZE];
};

/* ---- answers ------------------------------------------------------------------------------- */

void client_answer_free(struct client_answer *answer)
{
    buf_free(&answer->fields);
    buf_free(&answer->body);
}

struct str client_answer_field(const struct client_answer *answer, struct str name)
{
    struct str rest = buf_view(&answer->fields);
    struct str line;

    while (str_next(&rest, '\n', &line)) {
        struct str found;
        struct str value;

        if (line.len > 0 && line.p[line.len - 1] == '\r')
            line.len--;
        if (str_cut(line, ':', &found, &value) && str_eq_nocase(found, name))
            return str_trim(value);
    }
    return STR_NONE;
}

static size_t on_field(char *bytes, size_t size, size_t count, void *context)
{
    struct sending *sending = context;
    struct buf *fields = &sending->answer->fields;
    struct str line = str_make(bytes, size * count);

    /* A status line: what came before it was a 100. */
    if (str_starts(line, STR("HTTP/")))
        buf_clear(fields);
    else
        buf_str(fields, line);
    return fields->failed ? 0 : line.len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct sending *sending = context;
    struct buf *body = &sending->answer->body;

    buf_append(body, bytes, size_min(size * count, body->max - body->len));
    return body->failed ? 0 : size * count;
}

/* ---- requests ------------------------------------------------------------------------------ */

static size_t on_read(char *out, size_t size, size_t count, void *context)
{
    struct sending *sending = context;
    const struct client_request *request = sending->request;
    size_t max = (size_t)u64_min(size * count, request->body_bytes - sending->sent);
    int64_t got = max > 0 ? request->read(request->context, out, max) : 0;

    if (got < 0)
        return CURL_READFUNC_ABORT;
    sending->sent += (uint64_t)got;
    return (size_t)got;
}

static bool add_text(const struct client *client, struct sending *sending, const char *text)
{
    struct curl_slist *lines = client->library->slist_append(sending->lines, text);

    if (lines == NULL)
        return false;
    sending->lines = lines;
    return true;
}

static bool add_line(const struct client *client, struct sending *sending, struct arena *arena,
                     const struct http_field *field)
{
    /* "Name;" is how libcurl is told of an empty value. */
    struct str line = field->value.len > 0 ? arena_printf(arena, "%.*s: %.*s", STR_ARG(field->name),
                                                          STR_ARG(field->value))
                                           : arena_printf(arena, "%.*s;", STR_ARG(field->name));
    const char *text = str_present(line) ? arena_cstr(arena, line) : NULL;

    return text != NULL && add_text(client, sending, text);
}

/* What libcurl would say on its own account, and is not to. */
static bool add_silences(const struct client *client, struct sending *sending,
                         const struct http_request *http)
{
    return add_text(client, sending, "Expect:") && add_text(client, sending, "Accept:") &&
           (str_present(http_header(http, STR("Content-Type"))) ||
            add_text(client, sending, "Content-Type:"));
}

static bool is_clean(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.p[i] < 0x20 && text.p[i] != '\t')
            return false;
    return true;
}

/* Hex SHA-256 of a body that is whole. */
static struct str payload_of(const struct client_request *request, struct arena *arena)
{
    uint8_t sha256[SHA256_BYTES];
    char hex[2 * SHA256_BYTES];

    if (request->read != NULL)
        return str_present(request->payload_sha256) ? request->payload_sha256
                                                    : STR("UNSIGNED-PAYLOAD");
    digest_once(DIGEST_SHA256, request->body, sha256);
    hex_encode(sha256, sizeof(sha256), hex);
    return arena_dup(arena, str_make(hex, sizeof(hex)));
}

/* Host and target of a URL. The scheme's own port is not named in Host, here as in libcurl. */
static bool read_url(struct str url, struct http_request *http, struct arena *arena,
                     struct fault *fault)
{
    bool tls = str_starts(url, STR("https://"));
    struct str port = tls ? STR(":443") : STR(":80");
    struct str rest = str_skip(url, tls ? STR("https://").len : STR("http://").len);
    struct str target = STR("/");
    size_t slash = str_find_char(rest, '/');

    if ((!tls && !str_starts(url, STR("http://"))) || url.len > CLIENT_URL_BYTES_MAX ||
        !str_is_printable(url) || str_find_char(url, ' ') != SIZE_MAX)
        return fault_false(fault, "no URL of http or https: '%.*s'", STR_ARG(url));
    if (slash != SIZE_MAX) {
        target = str_skip(rest, slash);
        rest.len = slash;
    }
    if (str_ends(rest, port))
        rest.len -= port.len;
    if (rest.len == 0 || str_find_char(rest, '@') != SIZE_MAX)
        return fault_false(fault, "no host in '%.*s'", STR_ARG(url));
    if (!http_target_parse(target, arena, http, fault))
        return false;
    http->host = rest;
    return true;
}

/* All header lines, with the signature. */
static bool prepare(const struct client *client, struct sending *sending, struct arena *arena,
                    struct fault *fault)
{
    const struct client_request *request = sending->request;
    const struct clock *clock = request->clock != NULL ? request->clock : &clock_of_system;
    struct http_field fields[CLIENT_FIELDS_MAX + AUTH_SIGN_FIELDS];
    struct http_request http = { .method = request->method, .fields = fields };

    if (request->field_count > CLIENT_FIELDS_MAX)
        return fault_false(fault, "a request has more than %d headers", CLIENT_FIELDS_MAX);
    if (!read_url(request->url, &http, arena, fault))
        return false;
    for (size_t i = 0; i < request->field_count; i++) {
        if (!is_clean(request->fields[i].name) || !is_clean(request->fields[i].value))
            return fault_false(fault, "a header has a control character");
        fields[http.field_count++] = request->fields[i];
    }
    if (request->signer != NULL &&
        !auth_sign(&http, request->signer, payload_of(request, arena), clock_now_us(clock), arena))
        return fault_false(fault, "a request can not be signed");

    for (size_t i = 0; i < http.field_count; i++)
        if (!add_line(client, sending, arena, &fields[i]))
            return fault_false(fault, "there is no memory");
    return add_silences(client, sending, &http) || fault_false(fault, "there is no memory");
}

static void set_up(const struct client *client, struct sending *sending, const char *url,
                   const char *method)
{
    const struct client_request *request = sending->request;
    __typeof__(client->library->easy_setopt) set = client->library->easy_setopt;
    CURL *easy = client->easy;

    client->library->easy_reset(easy);
    (void)set(easy, CURLOPT_URL, url);
    (void)set(easy, CURLOPT_PATH_AS_IS, 1L);
    (void)set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)set(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)set(easy, CURLOPT_PROXY, "");
    (void)set(easy, CURLOPT_NOSIGNAL, 1L);
    (void)set(easy, CURLOPT_ERRORBUFFER, sending->error);
    (void)set(easy, CURLOPT_CONNECTTIMEOUT, (long)CLIENT_CONNECT_S);
    (void)set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)set(easy, CURLOPT_LOW_SPEED_TIME, (long)CLIENT_STALL_S);
    (void)set(easy, CURLOPT_TIMEOUT, (long)request->seconds_max);
    (void)set(easy, CURLOPT_HTTPHEADER, sending->lines);
    (void)set(easy, CURLOPT_HEADERFUNCTION, on_field);
    (void)set(easy, CURLOPT_HEADERDATA, sending);
    (void)set(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)set(easy, CURLOPT_WRITEDATA, sending);
    if (request->read != NULL) {
        (void)set(easy, CURLOPT_UPLOAD, 1L);
        (void)set(easy, CURLOPT_READFUNCTION, on_read);
        (void)set(easy, CURLOPT_READDATA, sending);
        (void)set(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_bytes);
    } else if (str_present(request->body)) {
        (void)set(easy, CURLOPT_POSTFIELDS, request->body.p);
        (void)set(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    } else if (str_eq(request->method, STR("HEAD"))) {
        (void)set(easy, CURLOPT_NOBODY, 1L);
    }
    (void)set(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* Until it is over or cancelled. */
static bool run(struct client *client, struct sending *sending, struct fault *fault)
{
    const struct client_library *library = client->library;
    CURLcode result = CURLE_OK;
    CURLMsg *message;
    int running = 1;
    int left;

    while (running > 0) {
        if (atomic_load(&client->cancelled))
            return fault_false(fault, "cancelled");
        if (library->multi_perform(client->multi, &running) != CURLM_OK)
            return fault_false(fault, "there is no memory");
        if (running > 0)
            (void)library->multi_poll(client->multi, NULL, 0, POLL_MS, NULL);
    }
    while ((message = library->multi_info_read(client->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            result = message->data.result;
    if (result != CURLE_OK)
        return fault_false(fault, "%s",
                           sending->error[0] != '\0' ? sending->error
                                                     : library->easy_strerror(result));
    return true;
}

bool client_send(struct client *client, const struct client_request *request,
                 struct client_answer *answer, struct fault *fault)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(ARENA_FIRST_BYTES, ARENA_BYTES_MAX);
    struct sending sending = { .request = request, .answer = answer };
    const char *method = arena != NULL ? arena_cstr(arena, request->method) : NULL;
    const char *url = arena != NULL ? arena_cstr(arena, request->url) : NULL;
    bool answered = false;
    long status = 0;

    buf_clear(&answer->fields);
    buf_clear(&answer->body);
    answer->fields.max = CLIENT_ANSWER_FIELDS_BYTES_MAX;
    answer->body.max = CLIENT_ANSWER_BODY_BYTES_MAX;
    answer->status = 0;
    if (method == NULL || url == NULL)
        return fault_false(fault, "there is no memory");

    if (prepare(client, &sending, arena, fault)) {
        set_up(client, &sending, url, method);
        if (client->library->multi_add_handle(client->multi, client->easy) == CURLM_OK) {
            answered = run(client, &sending, fault);
            (void)client->library->multi_remove_handle(client->multi, client->easy);
        } else {
            fault_note(fault, "there is no memory");
        }
    }
    if (answered) {
        (void)client->library->easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
        answer->status = (int)status;
    }
    client->library->slist_free_all(sending.lines);
    return answered;
}

/* ---- clients ------------------------------------------------------------------------------- */

struct client *client_open(struct fault *fault)
{
    const struct client_library *library = client_library(fault);
    struct client *client = library != NULL ? mem_zalloc(sizeof(*client)) : NULL;

    if (library == NULL)
        return NULL;
    if (client == NULL) {
        fault_note(fault, "there is no memory");
        return NULL;
    }
    client->library = library;
    client->easy = library->easy_init();
    client->multi = library->multi_init();
    if (client->easy == NULL || client->multi == NULL) {
        fault_note(fault, "there is no memory");
        client_close(client);
        return NULL;
    }
    return client;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    if (client->easy != NULL)
        client->library->easy_cleanup(client->easy);
    if (client->multi != NULL)
        (void)client->library->multi_cleanup(client->multi);
    mem_free(client);
}

void client_closep(struct client **client)
{
    client_close(*client);
}

void client_cancel(struct client *client)
{
    atomic_store(&client->cancelled, true);
    (void)client->library->multi_wakeup(client->multi);
}
