/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of settings.def at run time: find a row, store a text into its field, print it.
 *
 * Pure but for the config's arena. Any thread.
 */
#ifndef SERVER_SETTINGS_SETTINGS_H
#define SERVER_SETTINGS_SETTINGS_H

#include "base/text/buf.h"
#include "server/settings/config.h"

enum setting_kind {
    SETTING_TEXT,
    SETTING_SECRET,
    SETTING_LIST,
    SETTING_SWITCH,
    SETTING_CHOICE,
    SETTING_COUNT,
    SETTING_BYTES,
    SETTING_SECONDS,
    SETTING_FD,
};

struct setting {
    struct str key, flag, env; /* key, flag: "" when it can not be given there */
    enum setting_kind kind;
    uint64_t min, max;
    struct str preset;
    struct str unit;
    struct str help;
    size_t offset; /* of the field in struct config */
};

extern const struct setting settings[SETTINGS];

/* SETTINGS when there is none. */
enum setting_index setting_by_key(struct str key);
enum setting_index setting_by_flag(struct str flag);

/*
 * Store a text from a source; a list is continued when the same source gave it before.
 *
 * fault   says what the value must be, without naming the source.
 */
MUST_CHECK bool setting_store(struct config *config, enum setting_index index,
                              enum config_origin origin, struct str text, struct fault *fault);

/* The value in force, as setting_store would take it. Secrets too: the caller decides. */
void setting_print(const struct config *config, enum setting_index index, struct buf *out);

/* The text of `pail serve --help`. */
void settings_help(struct buf *out);

/* Whole number with a suffix for seconds ("90", "15m", "7d", "never"); also used for --expires. */
/* yes, true, on, 1 and their opposites, in any case. False: neither. */
MUST_CHECK bool setting_switch(struct str text, bool *ret_on);
MUST_CHECK bool setting_seconds(struct str text, uint64_t *ret_seconds);

#endif
