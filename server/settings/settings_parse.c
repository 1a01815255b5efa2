/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the text of a setting to its field, by kind; see settings.h.
 *
 * A text that is refused changes nothing, and the cause says what would have been taken.
 */
#include <assert.h>

#include "server/settings/settings.h"

static void *field_of(struct config *config, const struct setting *setting)
{
    return (char *)config + setting->offset;
}

/* ---- numbers ------------------------------------------------------------------------------ */

struct suffix {
    struct str text;
    uint64_t factor;
};

static const struct suffix byte_suffixes[] = {
    { STR(""), 1 },
    { STR("K"), 1024 },
    { STR("KiB"), 1024 },
    { STR("M"), UINT64_C(1024) * 1024 },
    { STR("MiB"), UINT64_C(1024) * 1024 },
};

static const struct suffix second_suffixes[] = {
    { STR(""), 1 }, { STR("s"), 1 }, { STR("m"), 60 }, { STR("h"), 3600 }, { STR("d"), 86400 },
};

static bool number_with_suffix(struct str text, const struct suffix *suffixes, size_t count,
                               uint64_t *ret_value)
{
    size_t digits = 0;
    uint64_t value;

    while (digits < text.len && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    if (!str_to_u64(str_slice(text, 0, digits), &value))
        return false;

    for (size_t i = 0; i < count; i++) {
        if (str_eq_nocase(str_skip(text, digits), suffixes[i].text))
            return !__builtin_mul_overflow(value, suffixes[i].factor, ret_value);
    }

    return false;
}

bool setting_seconds(struct str text, uint64_t *ret_seconds)
{
    if (str_eq(text, STR("never"))) {
        *ret_seconds = 0;
        return true;
    }

    return number_with_suffix(text, second_suffixes, COUNT_OF(second_suffixes), ret_seconds);
}

static bool store_number(struct config *config, const struct setting *setting, struct str text,
                         struct fault *fault)
{
    uint64_t *field = field_of(config, setting);
    uint64_t value = 0;
    bool good;

    if (setting->kind == SETTING_SECONDS)
        good = setting_seconds(text, &value);
    else if (setting->kind == SETTING_BYTES)
        good = number_with_suffix(text, byte_suffixes, COUNT_OF(byte_suffixes), &value);
    else
        good = str_to_u64(text, &value);

    if (!good || value < setting->min || value > setting->max)
        return fault_false(fault, "'%.*s' is not a %s from %llu to %llu", STR_ARG(text),
                           setting->kind == SETTING_COUNT   ? "whole number"
                           : setting->kind == SETTING_BYTES ? "number of bytes (K, M)"
                                                            : "time in seconds (s, m, h, d, never)",
                           (unsigned long long)setting->min, (unsigned long long)setting->max);

    *field = value;
    return true;
}

/* ---- the other kinds ------------------------------------------------------------------------ */

static bool store_text(struct config *config, const struct setting *setting, struct str text,
                       struct fault *fault)
{
    struct str *field = field_of(config, setting);
    const char *copy;

    if (text.len < setting->min || text.len > setting->max)
        return fault_false(fault, "the value has %zu bytes; it must have %llu to %llu", text.len,
                           (unsigned long long)setting->min, (unsigned long long)setting->max);

    copy = arena_cstr(config->arena, text);
    if (copy == NULL)
        return fault_false(fault, "there is no memory for the value");

    *field = str_make(copy, text.len);
    return true;
}

static bool is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

/* Takes the next item off rest; false when only separators are left. */
static bool list_next(struct str *rest, struct str *ret_item)
{
    size_t start = 0;
    size_t end;

    while (start < rest->len && is_separator(rest->p[start]))
        start++;
    for (end = start; end < rest->len && !is_separator(rest->p[end]); end++)
        ;

    *ret_item = str_slice(*rest, start, end - start);
    *rest = str_skip(*rest, end);
    return ret_item->len > 0;
}

static bool store_list(struct config *config, const struct setting *setting, bool continued,
                       struct str text, struct fault *fault)
{
    struct config_list *field = field_of(config, setting);
    struct config_list list = continued ? *field : (struct config_list){ 0 };
    struct str item;

    if (list.items == NULL)
        list.items = arena_array(config->arena, setting->max, sizeof(*list.items));
    if (list.items == NULL)
        return fault_false(fault, "there is no memory for the list");

    while (list_next(&text, &item)) {
        const char *copy = arena_cstr(config->arena, item);

        if (list.count == setting->max)
            return fault_false(fault, "there are more than %llu items",
                               (unsigned long long)setting->max);
        if (copy == NULL)
            return fault_false(fault, "there is no memory for the list");
        list.items[list.count++] = str_make(copy, item.len);
    }
    if (list.count < setting->min)
        return fault_false(fault, "the list must not be empty");

    *field = list;
    return true;
}

bool setting_switch(struct str text, bool *ret_on)
{
    static const struct str words[][2] = {
        { STR("no"), STR("yes") },
        { STR("false"), STR("true") },
        { STR("off"), STR("on") },
        { STR("0"), STR("1") },
    };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        for (size_t value = 0; value < 2; value++) {
            if (str_eq_nocase(text, words[i][value])) {
                *ret_on = value == 1;
                return true;
            }
        }
    }

    return false;
}

static bool store_switch(struct config *config, const struct setting *setting, struct str text,
                         struct fault *fault)
{
    if (setting_switch(text, field_of(config, setting)))
        return true;

    return fault_false(fault, "'%.*s' is neither yes nor no", STR_ARG(text));
}

static bool store_choice(struct config *config, const struct setting *setting, struct str text,
                         struct fault *fault)
{
    unsigned *field = field_of(config, setting);
    struct str words = setting->unit;
    struct str word;

    for (unsigned i = 0; str_next(&words, '|', &word); i++) {
        if (str_eq(text, word)) {
            *field = i;
            return true;
        }
    }

    return fault_false(fault, "'%.*s' is none of %.*s", STR_ARG(text), STR_ARG(setting->unit));
}

static bool store_fd(struct config *config, const struct setting *setting, struct str text,
                     struct fault *fault)
{
    int *field = field_of(config, setting);
    uint64_t value;

    if (text.len == 0) {
        *field = -1;
        return true;
    }
    if (!str_to_u64(text, &value) || value < setting->min || value > setting->max)
        return fault_false(fault, "'%.*s' is not a descriptor from %llu to %llu", STR_ARG(text),
                           (unsigned long long)setting->min, (unsigned long long)setting->max);

    *field = (int)value;
    return true;
}

static bool store_by_kind(struct config *config, const struct setting *setting, bool continued,
                          struct str text, struct fault *fault)
{
    switch (setting->kind) {
    case SETTING_TEXT:
    case SETTING_SECRET:
        return store_text(config, setting, text, fault);
    case SETTING_LIST:
        return store_list(config, setting, continued, text, fault);
    case SETTING_SWITCH:
        return store_switch(config, setting, text, fault);
    case SETTING_CHOICE:
        return store_choice(config, setting, text, fault);
    case SETTING_COUNT:
    case SETTING_BYTES:
    case SETTING_SECONDS:
        return store_number(config, setting, text, fault);
    case SETTING_FD:
        return store_fd(config, setting, text, fault);
    }

    assert(0 && "setting of an unknown kind");
    return false;
}

bool setting_store(struct config *config, enum setting_index index, enum config_origin origin,
                   struct str text, struct fault *fault)
{
    bool continued = config->origins[index] == origin;

    if (!store_by_kind(config, &settings[index], continued, text, fault))
        return false;

    config->origins[index] = origin;
    return true;
}
