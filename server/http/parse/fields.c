/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header fields of a request, and parameters of its query.
 */
#include "server/http/http.h"

const struct http_param *http_param(const struct http_request *request, struct str name)
{
    for (size_t i = 0; i < request->param_count; i++) {
        if (str_eq(request->params[i].name, name))
            return &request->params[i];
    }
    return NULL;
}

struct str http_header(const struct http_request *request, struct str name)
{
    for (size_t i = 0; i < request->field_count; i++) {
        if (str_eq_nocase(request->fields[i].name, name))
            return request->fields[i].value;
    }
    return STR_NONE;
}

size_t http_header_count(const struct http_request *request, struct str name)
{
    size_t count = 0;

    for (size_t i = 0; i < request->field_count; i++)
        count += str_eq_nocase(request->fields[i].name, name);
    return count;
}
