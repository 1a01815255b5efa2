/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address of a server as a client writes it; see endpoint.h.
 */
#include "server/endpoint.h"

static bool split_authority(struct str url, struct endpoint *endpoint, struct fault *fault)
{
    struct str authority = endpoint->authority;
    size_t colon = str_rfind_char(authority, ':');
    size_t bracket = str_rfind_char(authority, ']');
    uint64_t port;

    /* The colons of [::1] are not a port's. */
    if (colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket)) {
        endpoint->host = str_slice(authority, 0, colon);
        endpoint->port = str_skip(authority, colon + 1);
    } else {
        endpoint->host = authority;
    }
    if (str_starts(endpoint->host, STR("[")) && str_ends(endpoint->host, STR("]")))
        endpoint->host = str_slice(endpoint->host, 1, endpoint->host.len - 2);

    if (endpoint->host.len == 0 || !str_to_u64(endpoint->port, &port) || port == 0 ||
        port > UINT16_MAX)
        return fault_false(fault, "'%.*s' names no host or no valid port", STR_ARG(url));

    return true;
}

bool endpoint_parse(struct str url, struct endpoint *ret_endpoint, struct fault *fault)
{
    struct endpoint endpoint = { .port = STR("80"), .path = STR("/") };
    struct str rest;
    size_t slash;

    if (str_starts(url, STR("unix:"))) {
        endpoint.unix_path = str_skip(url, STR("unix:").len);
        endpoint.authority = STR("localhost");
        *ret_endpoint = endpoint;
        return endpoint.unix_path.len > 0 ||
               fault_false(fault, "'%.*s' names no path", STR_ARG(url));
    }
    if (str_starts(url, STR("https://"))) {
        endpoint.tls = true;
        endpoint.port = STR("443");
        rest = str_skip(url, STR("https://").len);
    } else if (str_starts(url, STR("http://"))) {
        rest = str_skip(url, STR("http://").len);
    } else {
        return fault_false(fault, "'%.*s' begins with neither http:// nor https:// nor unix:",
                           STR_ARG(url));
    }

    slash = str_find_char(rest, '/');
    endpoint.authority = str_slice(rest, 0, slash);
    if (slash != SIZE_MAX)
        endpoint.path = str_skip(rest, slash);
    if (!str_is_printable(url) || str_find_char(url, ' ') != SIZE_MAX)
        return fault_false(fault, "'%.*s' has blanks or other unusual bytes", STR_ARG(url));
    if (!split_authority(url, &endpoint, fault))
        return false;

    *ret_endpoint = endpoint;
    return true;
}

bool endpoint_is_localhost(const struct endpoint *endpoint)
{
    const struct str suffix = STR(".localhost");
    struct str host = endpoint->host;

    return str_eq_nocase(host, STR("localhost")) ||
           (host.len > suffix.len && str_eq_nocase(str_skip(host, host.len - suffix.len), suffix));
}
