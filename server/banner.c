/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a starting server says; see banner.h.
 *
 * The secret is shown where a person looks at a terminal, and when it is the published one of
 * --dev. Elsewhere the text stays in a log: there the line is a command that asks for it.
 */
#include "server/banner.h"

#include <stdlib.h>

#include "base/text/text.h"
#include "server/commands/commands.h"
#include "server/listeners.h"

void banner_export(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, "export %s=", name);
    text_shell(out, value);
    buf_char(out, '\n');
}

/* A name as a comment holds it: whatever it is, the line does not end before its end. */
static void comment(struct buf *out, struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];

        buf_char(out, c < ' ' || c == 0x7f ? '?' : (char)c);
    }
}

/* ---- key pair ------------------------------------------------------------------------------ */

/* export NAME="$(/usr/bin/pail credentials /srv/store WORD)" */
static void export_by_command(const struct banner *banner, struct buf *out, const char *name,
                              const char *word)
{
    buf_printf(out, "export %s=\"$(", name);
    text_shell(out, banner->program);
    buf_lit(out, " credentials ");
    text_shell(out, banner->dir);
    buf_printf(out, " %s)\"\n", word);
}

static bool command_knows(const struct banner *banner)
{
    enum root_pair_origin origin = banner->root->origin;

    return banner->answers || origin == ROOT_PAIR_STORED || origin == ROOT_PAIR_GENERATED;
}

static void export_keys(const struct banner *banner, struct buf *out)
{
    const struct root_pair *pair = banner->root;
    bool shown = banner->on_terminal || pair->origin == ROOT_PAIR_DEV;
    bool has_token = str_present(pair->session_token);

    banner_export(out, "AWS_ACCESS_KEY_ID", pair->access_key);
    if (shown)
        banner_export(out, "AWS_SECRET_ACCESS_KEY", pair->secret_key);
    else if (command_knows(banner))
        export_by_command(banner, out, "AWS_SECRET_ACCESS_KEY", "secret-key");
    else
        buf_printf(out, "# AWS_SECRET_ACCESS_KEY: the value of %s this server was started with\n",
                   pair->origin == ROOT_PAIR_ENVIRONMENT ? pair->secret_variable : "root-password");

    /* A token of another account in that shell would be sent along and refused. */
    if (!has_token)
        buf_lit(out, "unset AWS_SESSION_TOKEN\n");
    else if (shown)
        banner_export(out, "AWS_SESSION_TOKEN", pair->session_token);
    else if (command_knows(banner))
        export_by_command(banner, out, "AWS_SESSION_TOKEN", "session-token");
}

static void say_root(const struct banner *banner, struct buf *out)
{
    const struct root_pair *pair = banner->root;

    buf_lit(out, "# root user: ");
    switch (pair->origin) {
    case ROOT_PAIR_DEV:
        buf_lit(out, "the published key pair of --dev");
        break;
    case ROOT_PAIR_SETTINGS:
        buf_lit(out, "root-user in ");
        comment(out, banner->file);
        break;
    case ROOT_PAIR_ENVIRONMENT:
        buf_printf(out, "from %s and %s", pair->user_variable, pair->secret_variable);
        break;
    case ROOT_PAIR_STORED:
    case ROOT_PAIR_ASKED:
    case ROOT_PAIR_GENERATED:
        buf_str(out, pair->origin == ROOT_PAIR_GENERATED ? STR("a new key pair, kept in ")
                                                         : STR("from "));
        comment(out, banner->dir);
        buf_lit(out, "/" ROOT_PAIR_FILE);
        break;
    }
    buf_char(out, '\n');

    if ((pair->origin == ROOT_PAIR_STORED || pair->origin == ROOT_PAIR_GENERATED) &&
        getenv("AWS_ACCESS_KEY_ID") != NULL)
        buf_lit(out, "# AWS_ACCESS_KEY_ID of this environment is not the root user's; "
                     "--root-from-aws would make it that\n");
    if (banner->in_container && command_knows(banner)) {
        buf_lit(out, "# from outside this container: docker exec CONTAINER ");
        text_shell(out, banner->program);
        buf_lit(out, " credentials ");
        text_shell(out, banner->dir);
        buf_char(out, '\n');
    }
}

/* ---- endpoint ------------------------------------------------------------------------------ */

const struct http_listener *banner_listener(const struct banner *banner)
{
    for (size_t i = 0; i < banner->listener_count; i++) {
        if (listener_port(&banner->listeners[i]) != 0)
            return &banner->listeners[i];
    }

    return NULL;
}

/* "127.0.0.1" or "[::1]" of "http://127.0.0.1:9000". */
static struct str url_host(const struct http_listener *listener)
{
    struct str rest = str_skip(str_from_cstr(listener->url),
                               listener->tls ? STR("https://").len : STR("http://").len);

    return str_slice(rest, 0, str_rfind_char(rest, ':'));
}

static bool is_wildcard(struct str host)
{
    return str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("[::]"));
}

struct str banner_host(const struct http_listener *listener)
{
    struct str host = url_host(listener);

    if (str_eq(host, STR("0.0.0.0")))
        return STR("127.0.0.1");
    if (str_eq(host, STR("[::]")))
        return STR("::1");
    if (str_starts(host, STR("[")))
        return str_slice(host, 1, host.len - 2);
    return host;
}

static void endpoint_url(struct buf *out, const struct http_listener *listener, struct str host)
{
    bool v6 = str_find_char(host, ':') != SIZE_MAX;

    buf_printf(out, "%s://%s%.*s%s:%u", listener->tls ? "https" : "http", v6 ? "[" : "",
               STR_ARG(host), v6 ? "]" : "", listener_port(listener));
}

/* Of S3, and of the service that says who a key pair is. */
static void export_urls(struct buf *out, const struct http_listener *listener, struct str host)
{
    CLEANUP(buf_free) struct buf url = BUF_WITH_MAX(BANNER_BYTES_MAX);

    endpoint_url(&url, listener, host);
    banner_export(out, "AWS_ENDPOINT_URL_S3", buf_view(&url));
    banner_export(out, "AWS_ENDPOINT_URL_STS", buf_view(&url));
}

static void say_other_name(struct buf *out, struct str host, struct str name)
{
    buf_printf(out, "# the certificate is not for %.*s but for ", STR_ARG(host));
    comment(out, name);
    buf_lit(out, ": where that name leads here, use it instead\n");
}

static void export_tls(const struct banner *banner, const struct http_listener *listener,
                       struct buf *out)
{
    const struct http_certificate_facts *facts = banner->certificate;
    struct str host = banner_host(listener);
    bool local = is_wildcard(url_host(listener)) || str_starts(host, STR("127.")) ||
                 str_eq(host, STR("::1"));

    if (facts != NULL && !facts->for_host && facts->for_localhost && local)
        host = STR("localhost");
    else if (facts != NULL && !facts->for_host)
        say_other_name(out, host, str_from_cstr(facts->name));
    export_urls(out, listener, host);

    if (facts != NULL && facts->complete) {
        banner_export(out, "AWS_CA_BUNDLE", banner->tls_cert);
    } else if (facts != NULL) {
        buf_lit(out, "# the certificate was issued by ");
        comment(out, str_from_cstr(facts->issuer));
        buf_lit(out, "; where that is not trusted, set AWS_CA_BUNDLE to the issuer's file\n");
    }
}

static void export_endpoint(const struct banner *banner, struct buf *out)
{
    const struct http_listener *listener = banner_listener(banner);

    if (listener == NULL)
        buf_lit(out, "# no AWS_ENDPOINT_URL_S3: SDKs can not be pointed at a unix socket\n");
    else if (listener->tls)
        export_tls(banner, listener, out);
    else
        export_urls(out, listener, banner_host(listener));
}

static void say_listeners(const struct banner *banner, struct buf *out)
{
    for (size_t i = 0; i < banner->listener_count; i++) {
        const struct http_listener *listener = &banner->listeners[i];
        bool wide = listener_port(listener) != 0 && is_wildcard(url_host(listener));

        buf_printf(out, "#   %s%s\n", listener->url,
                   wide ? " - every address of this machine: others can reach it" : "");
    }
}

void banner_text(const struct banner *banner, struct buf *out)
{
    const struct config *config = banner->config;

    buf_printf(out, "# pail %s serves ", PAIL_VERSION);
    comment(out, banner->dir);
    buf_char(out, '\n');
    say_listeners(banner, out);
    if (config->durability == STORE_RELAXED)
        buf_lit(out, "# durability: relaxed - a power cut may lose the newest writes\n");
    if (config->auth == AUTH_AUDIT)
        buf_lit(out, "# authentication: audit - failures are logged and let through\n");
    if (config->auth == AUTH_OPEN)
        buf_lit(out, "# authentication: open - anyone who can connect may read and write\n");
    say_root(banner, out);

    export_keys(banner, out);
    /* boto3 and the AWS CLI read the one, the SDKs of Java and JavaScript the other. */
    banner_export(out, "AWS_DEFAULT_REGION", config->region);
    banner_export(out, "AWS_REGION", config->region);
    export_endpoint(banner, out);
}

/* What was bound: 0.0.0.0 and :: are every address. */
static struct str address(const struct http_listener *listener)
{
    struct str host = url_host(listener);

    return str_starts(host, STR("[")) ? str_slice(host, 1, host.len - 2) : host;
}

void banner_json(const struct banner *banner, struct buf *out)
{
    for (size_t i = 0; i < banner->listener_count; i++) {
        const struct http_listener *listener = &banner->listeners[i];
        unsigned port = listener_port(listener);

        buf_lit(out, "{\"url\":");
        text_json(out, str_from_cstr(listener->url));
        buf_printf(out, ",\"tls\":%s", listener->tls ? "true" : "false");
        if (port > 0) {
            buf_lit(out, ",\"address\":");
            text_json(out, address(listener));
            buf_printf(out, ",\"port\":%u", port);
        }
        buf_lit(out, ",\"region\":");
        text_json(out, banner->config->region);
        buf_lit(out, ",\"access_key\":");
        text_json(out, banner->root->access_key);
        buf_printf(out, ",\"version\":\"%s\"}\n", PAIL_VERSION);
    }
}
