/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of settings.def at run time: its rows, and how values are printed; see settings.h.
 *
 * A row's kind fixes the type of its field: the assertions below the table hold both together.
 */
#include "server/settings/settings.h"

const struct setting settings[SETTINGS] = {
#define SETTING(FIELD, KEY, FLAG, ENV, KIND, MIN, MAX, PRESET, UNIT, HELP)                         \
    [SETTING_##FIELD] = {                                                                          \
        .key = STR(KEY),                                                                           \
        .flag = STR(FLAG),                                                                         \
        .env = STR(ENV),                                                                           \
        .kind = SETTING_##KIND,                                                                    \
        .min = (MIN),                                                                              \
        .max = (MAX),                                                                              \
        .preset = STR(PRESET),                                                                     \
        .unit = STR(UNIT),                                                                         \
        .help = STR(HELP),                                                                         \
        .offset = offsetof(struct config, FIELD),                                                  \
    },
#include "server/settings/settings.def"
#undef SETTING
};

#define TYPE_TEXT struct str
#define TYPE_SECRET struct str
#define TYPE_LIST struct config_list
#define TYPE_SWITCH bool
#define TYPE_CHOICE unsigned /* what GCC and Clang make of an enum without negative values */
#define TYPE_COUNT uint64_t
#define TYPE_BYTES uint64_t
#define TYPE_SECONDS uint64_t
#define TYPE_FD int
#define SETTING(FIELD, KEY, FLAG, ENV, KIND, MIN, MAX, PRESET, UNIT, HELP)                         \
    _Static_assert(__builtin_types_compatible_p(TYPE_##KIND,                                       \
                                                __typeof__(((struct config *)0)->FIELD)) ||        \
                       (SETTING_##KIND == SETTING_CHOICE &&                                        \
                        sizeof(((struct config *)0)->FIELD) == sizeof(unsigned)),                  \
                   "settings.def: " #KIND " does not fit the type of " #FIELD);
#include "server/settings/settings.def"
#undef SETTING

static const void *field_in(const struct config *config, const struct setting *setting)
{
    return (const char *)config + setting->offset;
}

enum setting_index setting_by_key(struct str key)
{
    for (enum setting_index i = 0; i < SETTINGS; i++) {
        if (key.len > 0 && str_eq(settings[i].key, key))
            return i;
    }

    return SETTINGS;
}

enum setting_index setting_by_flag(struct str flag)
{
    for (enum setting_index i = 0; i < SETTINGS; i++) {
        if (flag.len > 0 && str_eq(settings[i].flag, flag))
            return i;
    }

    return SETTINGS;
}

/* ---- printing -------------------------------------------------------------------------------- */

static void print_choice(const struct setting *setting, unsigned value, struct buf *out)
{
    struct str words = setting->unit;
    struct str word;

    for (unsigned i = 0; str_next(&words, '|', &word); i++) {
        if (i == value)
            buf_str(out, word);
    }
}

static void print_list(const struct config_list *list, struct buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            buf_char(out, ',');
        buf_str(out, list->items[i]);
    }
}

void setting_print(const struct config *config, enum setting_index index, struct buf *out)
{
    const struct setting *setting = &settings[index];
    const void *field = field_in(config, setting);

    switch (setting->kind) {
    case SETTING_TEXT:
    case SETTING_SECRET:
        buf_str(out, *(const struct str *)field);
        break;
    case SETTING_LIST:
        print_list(field, out);
        break;
    case SETTING_SWITCH:
        buf_str(out, *(const bool *)field ? STR("yes") : STR("no"));
        break;
    case SETTING_CHOICE:
        print_choice(setting, *(const unsigned *)field, out);
        break;
    case SETTING_SECONDS:
        if (*(const uint64_t *)field == 0)
            buf_lit(out, "never");
        else
            buf_u64(out, *(const uint64_t *)field);
        break;
    case SETTING_COUNT:
    case SETTING_BYTES:
        buf_u64(out, *(const uint64_t *)field);
        break;
    case SETTING_FD:
        if (*(const int *)field >= 0)
            buf_u64(out, (uint64_t) * (const int *)field);
        break;
    }
}
