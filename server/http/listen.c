/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listen sockets from text: ADDR:PORT, [ADDR6]:PORT, unix:PATH.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "server/http/http.h"

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

static bool refused(struct fault *fault, struct str spec, const char *why)
{
    return fault_false(fault, "listen address '%.*s': %s", STR_ARG(spec), why);
}

/* "*" and "" are any address; "localhost" is 127.0.0.1. */
static bool parse_host(struct str host, bool bracketed, uint16_t port, union address *address,
                       socklen_t *ret_len)
{
    char text[INET6_ADDRSTRLEN];

    if (host.len >= sizeof(text))
        return false;
    memcpy(text, host.p, host.len);
    text[host.len] = '\0';

    if (bracketed) {
        address->in6.sin6_family = AF_INET6;
        address->in6.sin6_port = htons(port);
        *ret_len = sizeof(address->in6);
        return inet_pton(AF_INET6, text, &address->in6.sin6_addr) == 1;
    }
    address->in.sin_family = AF_INET;
    address->in.sin_port = htons(port);
    *ret_len = sizeof(address->in);
    if (host.len == 0 || str_eq(host, STR("*"))) {
        address->in.sin_addr.s_addr = htonl(INADDR_ANY);
        return true;
    }
    if (str_eq(host, STR("localhost"))) {
        address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return true;
    }
    return inet_pton(AF_INET, text, &address->in.sin_addr) == 1;
}

static bool parse_spec(struct str spec, union address *address, socklen_t *ret_len,
                       struct fault *fault)
{
    size_t colon = str_rfind_char(spec, ':');
    struct str host;
    uint64_t port;
    bool bracketed;

    if (colon == SIZE_MAX)
        return refused(fault, spec, "expected ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH");
    if (!str_to_u64(str_skip(spec, colon + 1), &port) || port > UINT16_MAX)
        return refused(fault, spec, "the port is not a number from 0 to 65535");
    host = str_slice(spec, 0, colon);
    bracketed = host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']';
    if (bracketed)
        host = str_slice(host, 1, host.len - 2);
    if (!parse_host(host, bracketed, (uint16_t)port, address, ret_len))
        return refused(fault, spec, "the address is not numeric");
    return true;
}

/* A socket file nobody listens on is left from a crash. */
static void remove_stale_socket(const union address *address, socklen_t len)
{
    CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, &address->any, len) != 0 && errno == ECONNREFUSED)
        (void)unlink(address->un.sun_path);
}

static bool open_socket(struct str spec, const union address *address, socklen_t len, int *ret_fd,
                        struct fault *fault)
{
    int yes = 1;
    int no = 0;
    CLEANUP(fd_close)
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return fault_errno_false(fault, "listen address '%.*s'", STR_ARG(spec));
    if (address->any.sa_family != AF_UNIX)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (address->any.sa_family == AF_INET6) /* [::] takes IPv4 as well */
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    if (bind(fd, &address->any, len) != 0 || listen(fd, BACKLOG) != 0)
        return fault_errno_false(fault, "listen on '%.*s'", STR_ARG(spec));
    *ret_fd = fd_take(&fd);
    return true;
}

static void describe(struct http_listener *listener, bool tls)
{
    union address bound = { 0 };
    socklen_t len = sizeof(bound);
    char host[INET6_ADDRSTRLEN] = "";
    const char *scheme = tls ? "https" : "http";

    (void)getsockname(listener->fd, &bound.any, &len);
    if (bound.any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &bound.in6.sin6_addr, host, sizeof(host));
        (void)snprintf(listener->url, sizeof(listener->url), "%s://[%s]:%u", scheme, host,
                       ntohs(bound.in6.sin6_port));
        return;
    }
    (void)inet_ntop(AF_INET, &bound.in.sin_addr, host, sizeof(host));
    (void)snprintf(listener->url, sizeof(listener->url), "%s://%s:%u", scheme, host,
                   ntohs(bound.in.sin_port));
}

static bool listen_unix(struct str spec, struct http_listener *listener, struct fault *fault)
{
    union address address = { .un.sun_family = AF_UNIX };
    struct str path = str_skip(spec, sizeof("unix:") - 1);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);

    if (path.len == 0 || path.len >= sizeof(address.un.sun_path))
        return refused(fault, spec, "the socket's path is empty or too long");
    memcpy(address.un.sun_path, path.p, path.len);
    remove_stale_socket(&address, len);
    if (!open_socket(spec, &address, len, &listener->fd, fault))
        return false;
    (void)snprintf(listener->url, sizeof(listener->url), "unix:%.*s", STR_ARG(path));
    return true;
}

bool http_listen(struct str spec, bool tls, struct http_listener *ret_listener, struct fault *fault)
{
    struct http_listener listener = { .fd = -1, .tls = tls };
    union address address = { 0 };
    socklen_t len = 0;

    if (str_starts(spec, STR("unix:"))) {
        if (!listen_unix(spec, &listener, fault))
            return false;
    } else {
        if (!parse_spec(spec, &address, &len, fault) ||
            !open_socket(spec, &address, len, &listener.fd, fault))
            return false;
        describe(&listener, tls);
    }
    *ret_listener = listener;
    return true;
}
