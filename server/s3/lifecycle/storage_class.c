/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage classes; see storage_class.h.
 */
#include "server/s3/lifecycle/storage_class.h"

static const struct {
    struct str name;
    uint8_t rank; /* greater: colder */
    bool archive;
    uint8_t days_min;
} classes[] = {
    /* The place is the number that is stored: append only. */
    { STR_INIT("STANDARD"), 0, false, 0 },
    { STR_INIT("REDUCED_REDUNDANCY"), 0, false, 0 },
    { STR_INIT("STANDARD_IA"), 1, false, 30 },
    { STR_INIT("ONEZONE_IA"), 3, false, 30 },
    { STR_INIT("INTELLIGENT_TIERING"), 2, false, 0 },
    { STR_INIT("GLACIER"), 5, true, 0 },
    { STR_INIT("DEEP_ARCHIVE"), 6, true, 0 },
    { STR_INIT("GLACIER_IR"), 4, false, 0 },
};

struct str storage_class_name(uint8_t number)
{
    return classes[number < COUNT_OF(classes) ? number : 0].name;
}

bool storage_class_parse(struct str name, uint8_t *ret_number)
{
    *ret_number = 0;
    for (size_t i = 0; i < COUNT_OF(classes) && name.len > 0; i++)
        if (str_eq(classes[i].name, name)) {
            *ret_number = (uint8_t)i;
            return true;
        }
    return name.len == 0;
}

bool storage_class_is_archive(uint8_t number)
{
    return number < COUNT_OF(classes) && classes[number].archive;
}

bool storage_class_is_colder(uint8_t number, uint8_t from)
{
    return number < COUNT_OF(classes) && from < COUNT_OF(classes) &&
           classes[number].rank > classes[from].rank;
}

bool storage_class_is_target(uint8_t number)
{
    return storage_class_is_colder(number, 0);
}

uint32_t storage_class_days_min(uint8_t number)
{
    return number < COUNT_OF(classes) ? classes[number].days_min : 0;
}
