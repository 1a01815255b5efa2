/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses to serve; see listeners.h.
 *
 * Whether an address is local is judged from its text, before anything is bound: the modes that
 * let anyone in must never be reachable, not even for the moment between bind and a check.
 */
#include "server/listeners.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/file.h"

#define HOST_TEXT_MAX 64

static bool host_is_loopback(struct str host)
{
    char text[HOST_TEXT_MAX];
    struct in_addr v4;
    struct in6_addr v6;

    /* RFC 6761, 6.3: localhost is the loopback address. */
    if (str_eq_nocase(host, STR("localhost")))
        return true;
    if (host.len >= sizeof(text))
        return false;

    memcpy(text, host.p, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;

    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

bool listener_parse(struct str text, bool tls, struct listener_address *ret_address,
                    struct fault *fault)
{
    struct listener_address address = { .spec = text, .tls = tls };
    bool has_scheme = true;
    size_t colon;
    uint64_t port;

    if (str_starts(text, STR("https://"))) {
        address.spec = str_skip(text, STR("https://").len);
        address.tls = true;
    } else if (str_starts(text, STR("http://"))) {
        address.spec = str_skip(text, STR("http://").len);
        address.tls = false;
    } else {
        has_scheme = false;
    }

    if (str_starts(address.spec, STR("unix:"))) {
        if (address.spec.len == STR("unix:").len)
            return fault_false(fault, "'%.*s' names no path", STR_ARG(text));
        address.local = true;
        address.tls = address.tls && has_scheme;
        *ret_address = address;
        return true;
    }

    colon = str_rfind_char(address.spec, ':');
    if (colon == SIZE_MAX || !str_to_u64(str_skip(address.spec, colon + 1), &port) ||
        port > UINT16_MAX)
        return fault_false(fault, "'%.*s' is not ADDR:PORT, [ADDR6]:PORT or unix:PATH",
                           STR_ARG(text));

    address.host = str_slice(address.spec, 0, colon);
    if (str_starts(address.host, STR("[")) && str_ends(address.host, STR("]")))
        address.host = str_slice(address.host, 1, address.host.len - 2);
    else if (str_find_char(address.host, ':') != SIZE_MAX)
        return fault_false(fault, "'%.*s': write an IPv6 address as [ADDR6]:PORT", STR_ARG(text));
    address.tcp = true;
    address.local = host_is_loopback(address.host);
    *ret_address = address;
    return true;
}

unsigned listener_port(const struct http_listener *listener)
{
    struct str url = str_from_cstr(listener->url);
    size_t colon = str_rfind_char(url, ':');
    uint64_t port;

    if (colon == SIZE_MAX || !str_to_u64(str_skip(url, colon + 1), &port) || port > UINT16_MAX)
        return 0;

    return (unsigned)port;
}

bool listeners_open(const struct config *config, struct http_listener *ret_listeners,
                    size_t *ret_count, struct fault *fault)
{
    size_t count = 0;

    for (size_t i = 0; i < config->listen.count; i++) {
        struct listener_address address = { 0 };

        if (!listener_parse(config->listen.items[i], config->tls_cert.len > 0, &address, fault) ||
            !http_listen(address.spec, address.tls, &ret_listeners[count], fault)) {
            while (count > 0)
                fd_close(&ret_listeners[--count].fd);
            return false;
        }
        count++;
    }

    *ret_count = count;
    return true;
}
