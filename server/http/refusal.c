/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals that MHD makes by itself (bad Content-Length, folded header, bad chunk…), in our form.
 *
 * MHD builds the page of every such refusal with MHD_create_response_from_buffer_static. The
 * program is linked with --wrap for that symbol, so the call arrives here and the application's
 * on_refuse writes the answer. Linked without it, MHD's HTML pages go out: nothing else changes.
 *
 * The status is announced just before, through MHD's logger (refusal_log).
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "server/http/internal.h"

#define LOG_TEXT_MAX 512
#define SCHEME_WORD_EVERY_S 10

struct MHD_Response *refusal_of_library(size_t len, const void *text) __asm__(
    "__wrap_MHD_create_response_from_buffer_static");

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/*
 * The two ways to miss the scheme, in words of whoever reads the log: the client only sees its
 * connection closed. Of each at most one line in SCHEME_WORD_EVERY_S: anybody can cause them.
 */
static void say_wrong_scheme(const struct http_loop *loop, const char *text)
{
    static const struct {
        const char *begins;
        const char *says;
    } signs[] = {
        { "Error: received handshake message out of context",
          "a TLS handshake failed at an https:// address: the client speaks http:// to it, or does "
          "not trust the certificate (AWS_CA_BUNDLE)" },
        { "The NUL character is in the request line",
          "something that is not HTTP came to an http:// address, as when the client speaks "
          "https:// to it" },
    };
    static _Atomic int64_t next_us[COUNT_OF(signs)];

    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        int64_t now_us = http_loop_now_us(loop);
        int64_t due_us = atomic_load(&next_us[i]);

        if (starts_with(text, signs[i].begins) && now_us >= due_us &&
            atomic_compare_exchange_strong(&next_us[i], &due_us,
                                           now_us + SCHEME_WORD_EVERY_S * US_PER_S))
            log_warn("%s", signs[i].says);
    }
}

void refusal_log(void *context, const char *format, va_list arguments)
{
    struct http_loop *loop = context;
    char text[LOG_TEXT_MAX];

    if (starts_with(format, "Error processing request (HTTP response code is %u")) {
        va_list copy;

        va_copy(copy, arguments);
        loop->library_status = va_arg(copy, unsigned);
        va_end(copy);
    }
    if (starts_with(format, "Hit process or system resource limit at FIRST"))
        loop->starved = true;
    (void)vsnprintf(text, sizeof(text), format, arguments);
    say_wrong_scheme(loop, text);
    /* What stands in such quotes is the client's text, which may hold a secret. */
    if (strstr(format, "`%s'") != NULL)
        log_debug("libmicrohttpd: %.*s", (int)strcspn(format, "\n"), format);
    else
        log_debug("libmicrohttpd: %.*s", (int)strcspn(text, "\n"), text);
}

struct MHD_Response *refusal_response(struct http_loop *loop, int status, const char *why)
{
    const struct http_app *app = &loop->server->app;
    struct http_exchange *x = loop->spare;
    struct MHD_Response *response;

    loop->spare = NULL;
    if (x == NULL)
        return NULL;
    memset(&x->request, 0, sizeof(x->request));
    x->view.user = NULL;
    x->view.loop_context = loop->context;
    x->bytes_out = 0;
    app->on_refuse(app->context, &x->view, status, why);
    if (x->reply.body_kind == HTTP_BODY_FILE || x->reply.body_kind == HTTP_BODY_STREAM)
        http_reply_reset(&x->reply); /* would need the exchange to live on */
    response = reply_response(x, REPLY_MEMORY_COPY, /* close= */ true);
    app->on_done(app->context, &x->view, response != NULL, 0, x->bytes_out);
    http_reply_reset(&x->reply);
    arena_reset(x->view.arena);
    loop->spare = x;
    return response;
}

static const char *refusal_text(unsigned status)
{
    switch (status) {
    case 413:
        return "The request's Content-Length or chunk size is too large.";
    case 414:
        return "The request target is too long.";
    case 431:
        return "The request's header section is too large.";
    case 501:
        return "The Transfer-Encoding is not supported.";
    case 505:
        return "The HTTP version is not supported.";
    default:
        return "The request is not well-formed HTTP.";
    }
}

struct MHD_Response *refusal_of_library(size_t len, const void *text)
{
    struct http_loop *loop = http_loop_current;
    struct MHD_Response *response = NULL;

    if (loop != NULL && loop->library_status != 0) {
        unsigned status = loop->library_status;

        loop->library_status = 0;
        response = refusal_response(loop, (int)status, refusal_text(status));
    }
    if (response == NULL)
        response = MHD_create_response_from_buffer_copy(len, text);
    return response;
}
