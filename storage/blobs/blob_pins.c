/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pins of blobs; rules in blob_pins.h. A list: as long as there are large uploads being committed.
 */
#include "storage/blobs/blob_pins.h"

void blob_pins_init(struct blob_pins *pins)
{
    *pins = (struct blob_pins){ .first = NULL };
    (void)pthread_mutex_init(&pins->lock, NULL);
}

void blob_pins_free(struct blob_pins *pins)
{
    (void)pthread_mutex_destroy(&pins->lock);
}

void blob_pins_lock(struct blob_pins *pins)
{
    (void)pthread_mutex_lock(&pins->lock);
}

void blob_pins_unlock(struct blob_pins *pins)
{
    (void)pthread_mutex_unlock(&pins->lock);
}

void blob_pin_take(struct blob_pins *pins, struct blob_pin *pin, const struct blob_name *name)
{
    blob_pins_lock(pins);
    pin->name = *name;
    pin->next = pins->first;
    pin->link = &pins->first;
    if (pin->next != NULL)
        pin->next->link = &pin->next;
    pins->first = pin;
    blob_pins_unlock(pins);
}

void blob_pin_drop(struct blob_pins *pins, struct blob_pin *pin)
{
    blob_pins_lock(pins);
    if (pin->link != NULL) {
        *pin->link = pin->next;
        if (pin->next != NULL)
            pin->next->link = pin->link;
        pin->link = NULL;
    }
    blob_pins_unlock(pins);
}

size_t blob_pins_count(const struct blob_pins *pins, const struct blob_name *name)
{
    size_t count = 0;

    for (const struct blob_pin *pin = pins->first; pin != NULL; pin = pin->next)
        count += pin->name.scope == name->scope &&
                 memcmp(pin->name.hash, name->hash, SHA256_BYTES) == 0;

    return count;
}

bool blob_pins_held(struct blob_pins *pins, const struct blob_name *name)
{
    size_t count;

    blob_pins_lock(pins);
    count = blob_pins_count(pins, name);
    blob_pins_unlock(pins);
    return count > 0;
}
