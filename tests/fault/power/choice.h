/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the events that are not safe a state has, and which part of them.
 *
 * A decision is a function of the choice and of what is decided, not of an order: the same choice at the
 * same place of the same trace is the same state, always.
 */
#ifndef TESTS_FAULT_POWER_CHOICE_H
#define TESTS_FAULT_POWER_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

enum choice_kind {
    CHOICE_NONE, /* nothing that is not safe is on the disk */
    CHOICE_ALL,
    CHOICE_DROP, /* all but one event */
    CHOICE_KEEP, /* one event alone */
    CHOICE_TORN, /* all, and of one event the part that detail says */
    CHOICE_RANDOM,
    CHOICES,
};

enum tear {
    TEAR_FIRST_HALF,
    TEAR_LAST_HALF,
    TEAR_FIRST_SECTOR,
    TEAR_LAST_SECTOR,
    TEAR_ALL_BUT_FIRST,
    TEAR_ALL_BUT_LAST,
    TEAR_SIZE_ONLY,
    TEAR_BYTES_ONLY,
    TEARS,
};

struct choice {
    enum choice_kind kind;
    uint32_t event;
    uint64_t detail; /* of TORN: enum tear; of RANDOM: the seed */
};

/* "none", "all", "drop.7", "keep.7", "torn.7.2", "random.12345", and back. */
#define CHOICE_TEXT_BYTES 64
void choice_text(const struct choice *choice, char out[CHOICE_TEXT_BYTES]);
bool choice_parse(const char *text, struct choice *ret_choice);

/* A choice at one place: what is not safe there are events from first to last. */
struct chooser {
    struct choice choice;
    uint32_t first, last;
};

/* Sector (or block of a hole) number i of the count that the event touches. */
bool choose_sector(const struct chooser *chooser, uint32_t event, uint64_t i, uint64_t count);
/* The change of the file's size that the event is, or brings. */
bool choose_size(const struct chooser *chooser, uint32_t event);
/* The name that the event makes, or the one that it removes. */
bool choose_name(const struct chooser *chooser, uint32_t event, bool removal);
/* Sectors that the file has by its size, but never got, hold what was on the disk before. */
bool choose_leftovers(const struct chooser *chooser);

uint64_t choice_mix(uint64_t a, uint64_t b);

#endif
