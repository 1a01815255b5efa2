/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of the bench; see net.h.
 */
#include "tests/bench/net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

#define TIMEOUT_S 120
#define READ_BYTES 65536

uint64_t net_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

bool net_resolve(struct str authority, struct address *ret_address, struct fault *fault)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    size_t colon = str_rfind_char(authority, ':');
    struct str host_part = authority;
    struct str port_part = STR("80");
    char host[256];
    char port[8];

    if (colon != SIZE_MAX && !str_ends(authority, STR("]"))) {
        host_part = str_slice(authority, 0, colon);
        port_part = str_skip(authority, colon + 1);
    }
    if (host_part.len >= 2 && host_part.p[0] == '[')
        host_part = str_slice(host_part, 1, host_part.len - 2);
    if (host_part.len >= sizeof(host) || port_part.len >= sizeof(port))
        return fault_set(fault, false, "'%.*s' is too long", STR_ARG(authority));

    (void)snprintf(host, sizeof(host), "%.*s", STR_ARG(host_part));
    (void)snprintf(port, sizeof(port), "%.*s", STR_ARG(port_part));
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return fault_set(fault, false, "'%s' is not known", host);
    memcpy(&ret_address->bytes, list->ai_addr, list->ai_addrlen);
    ret_address->len = list->ai_addrlen;
    freeaddrinfo(list);
    return true;
}

int net_connect(const struct address *address)
{
    CLEANUP(fd_close)
    int fd = socket(address->bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    int on = 1;

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address->bytes, address->len) != 0)
        return -errno;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd_take(&fd);
}

static bool send_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.p, bytes.len, MSG_NOSIGNAL);

        if (n < 0)
            return false;
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

/* Append what comes next; false: error, or the end. */
static bool receive(int fd, struct buf *into)
{
    ssize_t n;

    if (!buf_reserve(into, READ_BYTES))
        return false;
    n = recv(fd, into->p + into->len, READ_BYTES, 0);
    if (n <= 0)
        return false;
    into->len += (size_t)n;
    return true;
}

/* From the chunked text to the body, when all of it is there. */
static bool unchunk(struct str text, struct buf *ret_body)
{
    struct chunked chunked = { 0 };
    struct str data;

    buf_clear(ret_body);
    while (text.len > 0 && !chunked.done) {
        if (!chunked_next(&chunked, &text, &data))
            return false;
        buf_str(ret_body, data);
    }
    return chunked.done;
}

bool net_exchange(const struct address *address, struct str head, struct str body,
                  struct buf *head_text, struct response *ret_response, struct buf *ret_body,
                  struct fault *fault)
{
    CLEANUP(buf_free) struct buf raw = BUF_WITH_MAX(NET_BODY_BYTES_MAX);
    CLEANUP(fd_close) int fd = net_connect(address);
    struct timeval timeout = { .tv_sec = TIMEOUT_S };
    enum response_state state = RESPONSE_MORE;
    struct str rest;

    if (fd < 0)
        return fault_set(fault, false, "cannot connect: %s", strerror(-fd));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    if (!send_all(fd, head) || !send_all(fd, body))
        return fault_errno(fault, false, "send");

    while (state == RESPONSE_MORE && receive(fd, &raw))
        state = response_parse(buf_view(&raw), ret_response);
    if (state != RESPONSE_READY)
        return fault_set(fault, false, "no HTTP answer");

    if (str_starts(head, STR("HEAD ")) || ret_response->status == 204)
        ret_response->length = 0;
    for (;;) {
        rest = str_skip(buf_view(&raw), ret_response->head_len);
        if (ret_response->chunked ? unchunk(rest, ret_body) : rest.len >= ret_response->length)
            break;
        if (!receive(fd, &raw))
            return fault_set(fault, false, "the answer ended early");
    }
    if (!ret_response->chunked) {
        buf_clear(ret_body);
        buf_str(ret_body, rest);
    }

    /* The ETag borrows the head: give it one that stays. */
    buf_clear(head_text);
    buf_append(head_text, raw.p, ret_response->head_len);
    return !head_text->failed && !ret_body->failed &&
           response_parse(buf_view(head_text), ret_response) == RESPONSE_READY;
}

struct str net_xml_text(struct str xml, const char *name)
{
    char open[64];
    char close[64];
    size_t from;
    size_t to;

    (void)snprintf(open, sizeof(open), "<%s>", name);
    (void)snprintf(close, sizeof(close), "</%s>", name);
    from = str_find(xml, str_from_cstr(open));
    if (from == SIZE_MAX)
        return STR_NONE;
    xml = str_skip(xml, from + strlen(open));
    to = str_find(xml, str_from_cstr(close));
    return to == SIZE_MAX ? STR_NONE : str_slice(xml, 0, to);
}
