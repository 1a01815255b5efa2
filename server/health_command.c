/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail health [URL]: asks a server whether it answers, for containers that have no curl.
 *
 * Any status below 500 is healthy: an anonymous GET / is meant to be refused. Over https only the
 * connection is tried, which the output says: TLS is libmicrohttpd's side alone in this program.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "server/arguments.h"
#include "server/commands.h"
#include "server/endpoint.h"

#define HEALTH_URL_DEFAULT "http://127.0.0.1:9000"
#define HEALTH_TIMEOUT_S 3 /* for each of connect, send and receive */
#define HEALTH_URL_BYTES_MAX 2048
#define HOST_BYTES_MAX 256

/* "HTTP/1.1 403" */
#define STATUS_LINE_BYTES 12

static int socket_open(int family)
{
    struct timeval timeout = { .tv_sec = HEALTH_TIMEOUT_S };
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;

    /* SO_SNDTIMEO also bounds connect(). */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    return fd;
}

static bool connect_unix(const struct endpoint *endpoint, int *ret_fd, struct fault *fault)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    CLEANUP(fd_close) int fd = -1;

    if (endpoint->unix_path.len >= sizeof(address.sun_path))
        return fault_set(fault, false, "the path of the unix socket is too long");
    memcpy(address.sun_path, endpoint->unix_path.p, endpoint->unix_path.len);

    fd = socket_open(AF_UNIX);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return fault_errno(fault, false, "connect");

    *ret_fd = fd_take(&fd);
    return true;
}

/* The first of the host's addresses that answers. */
static bool connect_any(const struct addrinfo *list, int *ret_fd, struct fault *fault)
{
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        CLEANUP(fd_close) int fd = socket_open(at->ai_family);

        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
            *ret_fd = fd_take(&fd);
            return true;
        }
    }

    return fault_errno(fault, false, "connect");
}

static bool connect_tcp(const struct endpoint *endpoint, int *ret_fd, struct fault *fault)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    char host[HOST_BYTES_MAX];
    char port[8];
    bool connected;
    int error;

    if (endpoint->host.len >= sizeof(host))
        return fault_set(fault, false, "the host's name is too long");
    (void)snprintf(host, sizeof(host), "%.*s", STR_ARG(endpoint->host));
    (void)snprintf(port, sizeof(port), "%.*s", STR_ARG(endpoint->port));

    error = getaddrinfo(host, port, &hints, &list);
    if (error != 0)
        return fault_set(fault, false, "%s", gai_strerror(error));

    connected = connect_any(list, ret_fd, fault);
    freeaddrinfo(list);
    return connected;
}

/* Send GET and read the status. */
static bool ask(int fd, const struct endpoint *endpoint, uint64_t *ret_status, struct fault *fault)
{
    CLEANUP(buf_free) struct buf request = BUF_WITH_MAX(HEALTH_URL_BYTES_MAX + 256);
    char line[STATUS_LINE_BYTES];
    size_t len = 0;

    buf_printf(&request,
               "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: pail-health\r\n"
               "Connection: close\r\n\r\n",
               STR_ARG(endpoint->path), STR_ARG(endpoint->authority));
    if (request.failed)
        return fault_set(fault, false, "the URL is too long");
    if (send(fd, request.p, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
        return fault_errno(fault, false, "send");

    while (len < sizeof(line)) {
        ssize_t got = recv(fd, line + len, sizeof(line) - len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fault_errno(fault, false, "no answer within %d s", HEALTH_TIMEOUT_S);
        if (got == 0)
            return fault_set(fault, false, "the connection was closed without an answer");
        len += (size_t)got;
    }

    if (!str_starts(str_make(line, len), STR("HTTP/1.")) ||
        !str_to_u64(str_slice(str_make(line, len), 9, 3), ret_status))
        return fault_set(fault, false, "the answer is not HTTP");

    return true;
}

static int check(struct str url, const struct endpoint *endpoint)
{
    CLEANUP(fd_close) int fd = -1;
    struct fault cause = { 0 };
    struct fault fault = { 0 };
    uint64_t status = 0;
    bool good = str_present(endpoint->unix_path) ? connect_unix(endpoint, &fd, &cause)
                                                 : connect_tcp(endpoint, &fd, &cause);

    if (good && endpoint->tls) {
        (void)printf("%.*s: connected (nothing was asked over TLS)\n", STR_ARG(url));
        return EXIT_CODE_OK;
    }
    if (good)
        good = ask(fd, endpoint, &status, &cause);
    if (!good) {
        (void)fault_set(&fault, 0, "%.*s: %s", STR_ARG(url), cause.text);
        return command_failed(EXIT_CODE_FAILED, &fault);
    }

    (void)printf("%.*s: HTTP %d\n", STR_ARG(url), (int)status);
    return status < 500 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

static int print_help(void)
{
    (void)printf("Usage: pail health [URL]\n"
                 "\n"
                 "Sends GET / to http://HOST:PORT or unix:PATH (default %s)\n"
                 "and exits with 0 when any status below 500 comes back, with 1 otherwise.\n"
                 "For https://HOST:PORT the connection alone is tried.\n",
                 HEALTH_URL_DEFAULT);
    return EXIT_CODE_OK;
}

int command_health(char *const *words)
{
    struct arguments arguments = ARGUMENTS(words);
    struct str url = STR_NONE;
    struct endpoint endpoint;
    struct fault fault = { 0 };
    enum argument kind;
    struct str word;

    while ((kind = arguments_next(&arguments, &word)) != ARGUMENT_END) {
        if (kind == ARGUMENT_OPTION && arguments_ask_help(words))
            return print_help();
        if (kind == ARGUMENT_OPTION) {
            (void)fault_set(&fault, 0, "unknown option '%.*s'", STR_ARG(word));
            return command_usage("health", &fault);
        }
        if (str_present(url)) {
            (void)fault_set(&fault, 0, "health takes one URL");
            return command_usage("health", &fault);
        }
        url = word;
    }

    if (!str_present(url))
        url = STR(HEALTH_URL_DEFAULT);
    if (!endpoint_parse(url, &endpoint, &fault))
        return command_usage("health", &fault);

    return check(url, &endpoint);
}
