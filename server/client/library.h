/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when it is first needed: it brings some thirty libraries, of which a server that
 * talks to nobody needs none (docs/decisions/0020-libcurl-when-needed.md). For this folder.
 */
#ifndef SERVER_CLIENT_LIBRARY_H
#define SERVER_CLIENT_LIBRARY_H

#include <curl/curl.h>

#include "base/fault.h"

/* FUNCTION(NAME): what is used of it. */
#define CLIENT_FUNCTIONS(FUNCTION)                                                                 \
    FUNCTION(easy_init)                                                                            \
    FUNCTION(easy_cleanup)                                                                         \
    FUNCTION(easy_reset)                                                                           \
    FUNCTION(easy_setopt)                                                                          \
    FUNCTION(easy_getinfo)                                                                         \
    FUNCTION(easy_strerror)                                                                        \
    FUNCTION(multi_init)                                                                           \
    FUNCTION(multi_cleanup)                                                                        \
    FUNCTION(multi_add_handle)                                                                     \
    FUNCTION(multi_remove_handle)                                                                  \
    FUNCTION(multi_perform)                                                                        \
    FUNCTION(multi_poll)                                                                           \
    FUNCTION(multi_wakeup)                                                                         \
    FUNCTION(multi_info_read)                                                                      \
    FUNCTION(slist_append)                                                                         \
    FUNCTION(slist_free_all)                                                                       \
    FUNCTION(global_init_mem)                                                                      \
    FUNCTION(version)

struct client_library {
#define MEMBER(NAME) __typeof__ (&curl_##NAME)(NAME);
    CLIENT_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* NULL: it is not there, or too old; fault says it. The same for the life of the process. */
const struct client_library *client_library(struct fault *fault);

#endif
