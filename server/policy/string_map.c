/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See string_map.h.
 */
#include "server/policy/string_map.h"

#include <jansson.h>

bool json_is_string_map(struct str text)
{
    json_t *map = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
    bool good = json_is_object(map);
    const char *name;
    json_t *value;

    json_object_foreach(map, name, value) good = good && json_is_string(value);
    json_decref(map);
    return good;
}
