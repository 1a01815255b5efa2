/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a server; see dial.h.
 */
#include "server/commands/dial.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

#define HOST_BYTES_MAX 256

static int socket_open(int family)
{
    struct timeval timeout = { .tv_sec = DIAL_TIMEOUT_S };
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
        return fault_false(fault, "the path of the unix socket is too long");
    memcpy(address.sun_path, endpoint->unix_path.p, endpoint->unix_path.len);

    fd = socket_open(AF_UNIX);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return fault_errno_false(fault, "connect");

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

    return fault_errno_false(fault, "connect");
}

static bool connect_tcp(const struct endpoint *endpoint, int *ret_fd, struct fault *fault)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    /* Not all resolvers know the names under it. */
    struct str name = endpoint_is_localhost(endpoint) ? STR("localhost") : endpoint->host;
    char host[HOST_BYTES_MAX];
    char port[8];
    bool connected;
    int error;

    if (name.len >= sizeof(host))
        return fault_false(fault, "the host's name is too long");
    (void)snprintf(host, sizeof(host), "%.*s", STR_ARG(name));
    (void)snprintf(port, sizeof(port), "%.*s", STR_ARG(endpoint->port));

    error = getaddrinfo(host, port, &hints, &list);
    if (error != 0)
        return fault_false(fault, "%s", gai_strerror(error));

    connected = connect_any(list, ret_fd, fault);
    freeaddrinfo(list);
    return connected;
}

bool dial(const struct endpoint *endpoint, int *ret_fd, struct fault *fault)
{
    return str_present(endpoint->unix_path) ? connect_unix(endpoint, ret_fd, fault)
                                            : connect_tcp(endpoint, ret_fd, fault);
}
