/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a starting server says; see banner.h.
 *
 * A secret is shown when it was made by this start or is the published one of --dev. Otherwise the
 * line reads it from where it is kept, so that a terminal's history never gets it twice.
 */
#include "server/banner.h"

#include <stdlib.h>

#include "server/commands.h"
#include "server/listeners.h"
#include "server/text.h"

void banner_export(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, "export %s=", name);
    text_shell(out, value);
    buf_char(out, '\n');
}

/* The secret's line of a file, read by the shell that is pasted into. */
static void export_from_file(struct buf *out, struct str pattern, struct str dir, struct str file)
{
    CLEANUP(buf_free) struct buf path = BUF_WITH_MAX(BANNER_BYTES_MAX);

    if (dir.len > 0) {
        buf_str(&path, dir);
        buf_char(&path, '/');
    }
    buf_str(&path, file);

    buf_printf(out, "export AWS_SECRET_ACCESS_KEY=\"$(sed -n '%.*s' ", STR_ARG(pattern));
    text_shell(out, buf_view(&path));
    buf_lit(out, ")\"\n");
}

static void export_secret(const struct banner *banner, struct buf *out)
{
    const struct credentials *credentials = banner->credentials;

    switch (credentials->origin) {
    case CREDENTIALS_DEV:
    case CREDENTIALS_GENERATED:
        banner_export(out, "AWS_SECRET_ACCESS_KEY", credentials->secret_key);
        break;
    case CREDENTIALS_STORED:
        export_from_file(out, STR("s/^aws_secret_access_key *= *//p"), banner->dir,
                         STR(CREDENTIALS_FILE));
        break;
    case CREDENTIALS_SETTINGS:
        export_from_file(out, STR("s/^root-password *[=:] *//p"), STR_NONE, banner->config->file);
        break;
    case CREDENTIALS_ENVIRONMENT:
        buf_printf(out, "export AWS_SECRET_ACCESS_KEY=\"$%s\"\n", credentials->secret_variable);
        break;
    }
}

/* A token of another account in the same shell would be sent along and refused. */
static void export_token(const struct banner *banner, struct buf *out)
{
    if (!str_present(banner->credentials->session_token) && getenv("AWS_SESSION_TOKEN") != NULL)
        buf_lit(out, "unset AWS_SESSION_TOKEN\n");
}

/* Where a client on this machine finds the listener: a wildcard address is no destination. */
static void print_endpoint(const struct http_listener *listener, struct buf *out)
{
    struct str url = str_from_cstr(listener->url);
    struct str scheme = listener->tls ? STR("https://") : STR("http://");
    struct str rest = str_skip(url, scheme.len);

    buf_str(out, scheme);
    if (str_starts(rest, STR("0.0.0.0:"))) {
        buf_lit(out, "127.0.0.1");
        rest = str_skip(rest, STR("0.0.0.0").len);
    } else if (str_starts(rest, STR("[::]:"))) {
        buf_lit(out, "[::1]");
        rest = str_skip(rest, STR("[::]").len);
    }
    buf_str(out, rest);
}

static void export_endpoint(const struct banner *banner, struct buf *out)
{
    for (size_t i = 0; i < banner->listener_count; i++) {
        CLEANUP(buf_free) struct buf url = BUF_WITH_MAX(BANNER_BYTES_MAX);

        if (listener_port(&banner->listeners[i]) == 0)
            continue;
        print_endpoint(&banner->listeners[i], &url);
        banner_export(out, "AWS_ENDPOINT_URL", buf_view(&url));
        if (banner->listeners[i].tls) {
            buf_lit(out, "# if the certificate is self-signed: export AWS_CA_BUNDLE=");
            text_shell(out, banner->config->tls_cert);
            buf_char(out, '\n');
        }
        return;
    }

    buf_lit(out, "# no AWS_ENDPOINT_URL: SDKs can not be pointed at a unix socket\n");
}

void banner_text(const struct banner *banner, struct buf *out)
{
    const struct config *config = banner->config;

    buf_printf(out, "# pail %s serves %.*s\n", PAIL_VERSION, STR_ARG(banner->dir));
    for (size_t i = 0; i < banner->listener_count; i++)
        buf_printf(out, "#   %s\n", banner->listeners[i].url);
    if (config->durability == STORE_RELAXED)
        buf_lit(out, "# durability: relaxed - a power cut may lose the newest writes\n");
    if (config->auth == AUTH_AUDIT)
        buf_lit(out, "# authentication: audit - failures are logged and let through\n");
    if (config->auth == AUTH_OPEN)
        buf_lit(out, "# authentication: open - anyone who can connect may read and write\n");
    if (banner->credentials->origin == CREDENTIALS_DEV)
        buf_lit(out, "# development mode: the key pair below is public knowledge\n");
    if (banner->credentials->origin == CREDENTIALS_GENERATED)
        buf_printf(out, "# a new key pair, kept in %.*s/" CREDENTIALS_FILE "; shown this once\n",
                   STR_ARG(banner->dir));

    banner_export(out, "AWS_ACCESS_KEY_ID", banner->credentials->access_key);
    export_secret(banner, out);
    export_token(banner, out);
    banner_export(out, "AWS_DEFAULT_REGION", config->region);
    export_endpoint(banner, out);
}

void banner_json(const struct banner *banner, struct buf *out)
{
    for (size_t i = 0; i < banner->listener_count; i++) {
        const struct http_listener *listener = &banner->listeners[i];
        unsigned port = listener_port(listener);

        buf_lit(out, "{\"url\":");
        text_json(out, str_from_cstr(listener->url));
        buf_printf(out, ",\"tls\":%s", listener->tls ? "true" : "false");
        if (port > 0)
            buf_printf(out, ",\"port\":%u", port);
        buf_lit(out, ",\"region\":");
        text_json(out, banner->config->region);
        buf_lit(out, ",\"access_key\":");
        text_json(out, banner->credentials->access_key);
        buf_printf(out, ",\"version\":\"%s\"}\n", PAIL_VERSION);
    }
}
