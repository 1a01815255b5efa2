/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail health [URL]: asks a server how it is, for containers that have no curl.
 *
 * It asks the path that other programs ask (server/s3/foreign.c), so that all of them agree. Which
 * server, where no URL says it: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, then what `pail serve` would
 * listen on with the settings of this environment.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "server/commands/arguments.h"
#include "server/commands/commands.h"
#include "server/commands/dial.h"
#include "server/http/client.h"
#include "server/listeners.h"
#include "server/settings/config.h"

#define HEALTH_PATH STR("/healthz")
#define URL_BYTES_MAX 2048
#define ANSWER_BYTES_MAX 4096

struct question {
    struct str url;
    struct endpoint endpoint;
    struct str ca_file; /* STR_NONE: none was named */
    bool insecure;
};

/* ---- talking ------------------------------------------------------------------------------- */

struct connection {
    int fd;
    struct tls_client *tls; /* NULL: plain */
};

static void connection_close(struct connection *connection)
{
    tls_client_close(connection->tls);
    fd_close(&connection->fd);
}

static bool is_local(const struct endpoint *endpoint)
{
    struct str host = endpoint->host;

    return str_present(endpoint->unix_path) || endpoint_is_localhost(endpoint) ||
           str_starts(host, STR("127.")) || str_eq(host, STR("::1"));
}

/* Nobody can stand between this machine and itself: there the certificate is not looked at. */
static enum tls_trust trust_of(const struct question *question)
{
    if (question->insecure)
        return TLS_TRUST_ANYONE;
    if (str_present(question->ca_file))
        return TLS_TRUST_FILE;
    return is_local(&question->endpoint) ? TLS_TRUST_ANYONE : TLS_TRUST_SYSTEM;
}

static bool connection_open(const struct question *question, struct connection *ret_connection,
                            struct fault *fault)
{
    CLEANUP(fd_close) int fd = -1;
    struct tls_client *tls = NULL;

    if (!dial(&question->endpoint, &fd, fault))
        return false;
    if (question->endpoint.tls) {
        tls = tls_client_open(fd, question->endpoint.host, trust_of(question), question->ca_file,
                              fault);
        if (tls == NULL)
            return false;
    }

    *ret_connection = (struct connection){ .fd = fd_take(&fd), .tls = tls };
    return true;
}

static ssize_t connection_send(struct connection *connection, struct str text)
{
    if (connection->tls != NULL)
        return tls_client_send(connection->tls, text.p, text.len);
    return send(connection->fd, text.p, text.len, MSG_NOSIGNAL);
}

static ssize_t connection_receive(struct connection *connection, void *out, size_t max)
{
    ssize_t got;

    if (connection->tls != NULL)
        return tls_client_receive(connection->tls, out, max);
    do {
        got = recv(connection->fd, out, max, 0);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* All of a short answer: the connection is closed after it. */
static bool receive(struct connection *connection, char out[ANSWER_BYTES_MAX], size_t *ret_len,
                    struct fault *fault)
{
    size_t len = 0;
    ssize_t got = 1;

    while (len < ANSWER_BYTES_MAX && got > 0) {
        got = connection_receive(connection, out + len, ANSWER_BYTES_MAX - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (len == 0 && got < 0)
        return fault_errno_false(fault, "no answer within %d s", DIAL_TIMEOUT_S);
    if (len == 0)
        return fault_false(fault, "the connection was closed without an answer%s",
                           connection->tls == NULL ? " (does it speak https?)" : "");

    *ret_len = len;
    return true;
}

static bool ask(const struct question *question, char answer[ANSWER_BYTES_MAX], size_t *ret_len,
                struct fault *fault)
{
    CLEANUP(connection_close) struct connection connection = { .fd = -1 };
    CLEANUP(buf_free) struct buf request = BUF_WITH_MAX(URL_BYTES_MAX + 256);
    struct str path = question->endpoint.path;

    buf_printf(&request,
               "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: pail-health\r\n"
               "Connection: close\r\n\r\n",
               STR_ARG(str_eq(path, STR("/")) ? HEALTH_PATH : path),
               STR_ARG(question->endpoint.authority));
    if (request.failed)
        return fault_false(fault, "the URL is too long");
    if (!connection_open(question, &connection, fault))
        return false;
    if (connection_send(&connection, buf_view(&request)) != (ssize_t)request.len)
        return fault_errno_false(fault, "send");

    return receive(&connection, answer, ret_len, fault);
}

/* ---- judging ------------------------------------------------------------------------------- */

/* The first line of the body, as far as it can be shown. */
static struct str reason_of(struct str answer)
{
    size_t end = str_find(answer, STR("\r\n\r\n"));
    struct str line = STR("");

    if (end != SIZE_MAX)
        (void)str_cut(str_skip(answer, end + 4), '\n', &line, &(struct str){ 0 });
    return str_is_printable(line) ? line : STR("");
}

static bool judge(struct str answer, struct fault *fault)
{
    struct str reason = reason_of(answer);
    uint64_t status;

    if (!str_starts(answer, STR("HTTP/1.")) || !str_to_u64(str_slice(answer, 9, 3), &status))
        return fault_false(fault, "the answer is not HTTP");
    if (status >= 200 && status < 300)
        return true;
    if (status == 503)
        return fault_false(fault, "%.*s",
                           STR_ARG(reason.len > 0 ? reason : STR("not healthy: HTTP 503")));

    return fault_false(fault, "HTTP %d where a healthy pail answers 200: is this another server?",
                       (int)status);
}

static int check(const struct question *question)
{
    char answer[ANSWER_BYTES_MAX];
    struct fault cause = { 0 };
    struct fault fault = { 0 };
    size_t len = 0;

    if (!ask(question, answer, &len, &cause) || !judge(str_make(answer, len), &cause)) {
        fault_note(&fault, "%.*s: %s", STR_ARG(question->url), cause.text);
        return command_failed(EXIT_CODE_FAILED, &fault);
    }

    (void)printf("%.*s: healthy%s\n", STR_ARG(question->url),
                 question->endpoint.tls && trust_of(question) == TLS_TRUST_ANYONE
                     ? " (certificate not verified)"
                     : "");
    return EXIT_CODE_OK;
}

/* ---- which server -------------------------------------------------------------------------- */

static struct str variable(const char *name)
{
    struct str value = str_from_cstr(getenv(name));

    return value.len > 0 ? value : STR_NONE;
}

/* What `pail serve` would listen on: its first address, as a client on this machine writes it. */
static bool url_of_settings(struct buf *out, struct question *question, struct fault *fault)
{
    static char *const no_words[] = { NULL };
    CLEANUP(config_free) struct config config = { 0 };
    struct listener_address address;
    struct str spec;

    if (!config_load(no_words, &config, fault) ||
        !listener_parse(config.listen.items[0], config.tls_cert.len > 0, &address, fault))
        return false;

    spec = address.spec;
    if (address.tcp) {
        buf_str(out, address.tls ? STR("https://") : STR("http://"));
        if (address.host.len == 0 || str_eq(address.host, STR("0.0.0.0")) ||
            str_eq(address.host, STR("::"))) {
            buf_str(out, str_eq(address.host, STR("::")) ? STR("[::1]") : STR("127.0.0.1"));
            spec = str_skip(spec, str_rfind_char(spec, ':'));
        }
    }
    buf_str(out, spec);
    question->url = buf_view(out);
    return !out->failed || fault_false(fault, "the address is too long");
}

static bool find_server(struct question *question, struct buf *room, struct fault *fault)
{
    if (!str_present(question->url))
        question->url = variable("AWS_ENDPOINT_URL_S3");
    if (!str_present(question->url))
        question->url = variable("AWS_ENDPOINT_URL");
    if (!str_present(question->url) && !url_of_settings(room, question, fault))
        return false;
    if (!str_present(question->ca_file))
        question->ca_file = variable("AWS_CA_BUNDLE");

    return endpoint_parse(question->url, &question->endpoint, fault);
}

static bool parse(char *const *words, struct question *question, struct fault *fault)
{
    static const struct str options[] = { STR("--ca-file"), STR("--insecure"), STR("--help") };
    struct arguments arguments = ARGUMENTS(words);
    enum argument kind;
    struct str word;

    while ((kind = arguments_next(&arguments, &word)) != ARGUMENT_END) {
        if (kind == ARGUMENT_OPERAND && str_present(question->url))
            return fault_false(fault, "health takes one URL");
        if (kind == ARGUMENT_OPERAND) {
            question->url = word;
        } else if (str_eq(word, STR("--ca-file"))) {
            if (!arguments_value(&arguments, word, &question->ca_file, fault))
                return false;
        } else if (str_eq(word, STR("--insecure"))) {
            question->insecure = true;
            if (!arguments_no_value(&arguments, word, fault))
                return false;
        } else {
            return arguments_unknown(word, options, COUNT_OF(options), fault);
        }
    }

    return true;
}

static int print_help(void)
{
    (void)printf("Usage: pail health [--ca-file FILE | --insecure] [URL]\n"
                 "\n"
                 "Asks a server how it is: exit code 0 when it is healthy, 1 when it is not or\n"
                 "does not answer, and why on standard error.\n"
                 "\n"
                 "URL is http[s]://HOST:PORT or unix:PATH; GET /healthz is sent there, or the\n"
                 "path that URL names. Without it: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, then\n"
                 "where 'pail serve' would listen with the PAIL_... settings (127.0.0.1:9000).\n"
                 "\n"
                 "  --ca-file FILE  trusted certificates (PEM); default: AWS_CA_BUNDLE\n"
                 "  --insecure      verify no certificate; on loopback addresses without a CA\n"
                 "                  file none is\n");
    return EXIT_CODE_OK;
}

int command_health(char *const *words)
{
    CLEANUP(buf_free) struct buf room = BUF_WITH_MAX(URL_BYTES_MAX);
    struct question question = { 0 };
    struct fault fault = { 0 };

    if (arguments_ask_help(words))
        return print_help();
    if (!parse(words, &question, &fault) || !find_server(&question, &room, &fault))
        return command_usage("health", &fault);

    return check(&question);
}
