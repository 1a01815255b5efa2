/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pins of bodies that are being read; rules in internal.h. A table of lists: a manifest of many
 * thousand pieces is pinned and asked for without walking over what others read.
 */
#include "storage/internal.h"

void read_pins_init(struct read_pins *pins)
{
    *pins = (struct read_pins){ .slots = { NULL } };
    (void)pthread_mutex_init(&pins->lock, NULL);
}

void read_pins_free(struct read_pins *pins)
{
    (void)pthread_mutex_destroy(&pins->lock);
}

/* Ids are numbers of one counter: neighbours go into different lists. */
static size_t slot_of(int64_t id)
{
    return (uint64_t)id % READ_PIN_SLOTS;
}

void read_pin_take(struct read_pins *pins, struct read_pin *pin, int64_t id)
{
    struct read_pin **slot = &pins->slots[slot_of(id)];

    (void)pthread_mutex_lock(&pins->lock);
    *pin = (struct read_pin){ .id = id, .next = *slot, .link = slot };
    if (pin->next != NULL)
        pin->next->link = &pin->next;
    *slot = pin;
    (void)pthread_mutex_unlock(&pins->lock);
}

void read_pin_drop(struct read_pins *pins, struct read_pin *pin)
{
    if (pin->id == 0)
        return;

    (void)pthread_mutex_lock(&pins->lock);
    *pin->link = pin->next;
    if (pin->next != NULL)
        pin->next->link = pin->link;
    (void)pthread_mutex_unlock(&pins->lock);
    pin->id = 0;
}

bool read_pins_held(struct read_pins *pins, int64_t id)
{
    const struct read_pin *pin;

    (void)pthread_mutex_lock(&pins->lock);
    pin = pins->slots[slot_of(id)];
    while (pin != NULL && pin->id != id)
        pin = pin->next;
    (void)pthread_mutex_unlock(&pins->lock);
    return pin != NULL;
}
