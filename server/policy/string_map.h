/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps of strings in JSON, which is what an encryption context is.
 */
#ifndef SERVER_POLICY_STRING_MAP_H
#define SERVER_POLICY_STRING_MAP_H

#include "base/text/str.h"

/* A JSON object whose values are strings, each name once; empty too. Pure; any thread. */
MUST_CHECK bool json_is_string_map(struct str text);

#endif
