/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of other servers, and misspelt ones: what they are called here.
 */
#ifndef SERVER_SETTINGS_HABITS_H
#define SERVER_SETTINGS_HABITS_H

#include "base/fault.h"
#include "base/text/str.h"

enum habit_place { HABIT_COMMAND, HABIT_FLAG, HABIT_VARIABLE };

/* NULL when nobody is known to say so. */
const char *habit(enum habit_place place, struct str word);

/*
 * Every PAIL_... variable that is set and not empty must be one that is read: a misspelt one would
 * be ignored without a word, where a misspelt line of the settings file is not.
 *
 * Not ours and left alone: what Kubernetes sets in every pod beside a service of this name
 * (PAIL_PORT=tcp://..., PAIL_SERVICE_HOST), and what ./dev uses.
 */
MUST_CHECK bool variables_check(struct fault *fault);

#endif
