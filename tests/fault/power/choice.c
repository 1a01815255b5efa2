/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choices; rules in choice.h.
 */
#include "tests/fault/power/choice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const kinds[CHOICES] = {
    [CHOICE_NONE] = "none", [CHOICE_ALL] = "all",   [CHOICE_DROP] = "drop",
    [CHOICE_KEEP] = "keep", [CHOICE_TORN] = "torn", [CHOICE_RANDOM] = "random",
};

void choice_text(const struct choice *choice, char out[CHOICE_TEXT_BYTES])
{
    const char *kind = kinds[choice->kind];

    if (choice->kind == CHOICE_NONE || choice->kind == CHOICE_ALL)
        (void)snprintf(out, CHOICE_TEXT_BYTES, "%s", kind);
    else if (choice->kind == CHOICE_RANDOM)
        (void)snprintf(out, CHOICE_TEXT_BYTES, "%s.%" PRIu64, kind, choice->detail);
    else if (choice->kind == CHOICE_TORN)
        (void)snprintf(out, CHOICE_TEXT_BYTES, "%s.%" PRIu32 ".%" PRIu64, kind, choice->event,
                       choice->detail);
    else
        (void)snprintf(out, CHOICE_TEXT_BYTES, "%s.%" PRIu32, kind, choice->event);
}

bool choice_parse(const char *text, struct choice *ret_choice)
{
    char again[CHOICE_TEXT_BYTES];
    struct choice choice = { .kind = CHOICE_NONE };

    for (; choice.kind < CHOICES; choice.kind++) {
        size_t len = strlen(kinds[choice.kind]);

        if (strncmp(text, kinds[choice.kind], len) != 0)
            continue;
        if (choice.kind == CHOICE_RANDOM)
            (void)sscanf(text + len, ".%" SCNu64, &choice.detail);
        else
            (void)sscanf(text + len, ".%" SCNu32 ".%" SCNu64, &choice.event, &choice.detail);
        choice_text(&choice, again);
        if (strcmp(text, again) == 0) {
            *ret_choice = choice;
            return true;
        }
    }
    return false;
}

/* ---- chance ---------------------------------------------------------------------------------- */

uint64_t choice_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a * UINT64_C(0x9e3779b97f4a7c15) + b;

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* How a random state is drawn: by its seed. */
enum style {
    STYLE_HALF,    /* each event or not */
    STYLE_MOST,    /* few are lost */
    STYLE_FEW,     /* most are */
    STYLE_SECTORS, /* the same, each sector for itself */
    STYLE_MOST_SECTORS,
    STYLE_FEW_SECTORS,
    STYLE_IN_ORDER,  /* what came first; the one at the edge is torn */
    STYLE_BACKWARDS, /* what came last */
    STYLES,
};

enum what { WHAT_STYLE, WHAT_LEFTOVERS, WHAT_EDGE, WHAT_SIZES, WHAT_EVENT, WHAT_SECTOR, WHAT_NAME };

static uint64_t draw(const struct chooser *chooser, enum what what, uint64_t a, uint64_t b)
{
    return choice_mix(choice_mix(choice_mix(chooser->choice.detail, (uint64_t)what), a), b);
}

static enum style style_of(const struct chooser *chooser)
{
    return (enum style)(draw(chooser, WHAT_STYLE, 0, 0) % STYLES);
}

/* One in how many is lost (or, of FEW, kept). */
static bool weighed(enum style style, uint64_t drawn)
{
    if (style == STYLE_MOST || style == STYLE_MOST_SECTORS)
        return drawn % 12 != 0;
    if (style == STYLE_FEW || style == STYLE_FEW_SECTORS)
        return drawn % 12 == 0;
    return drawn % 2 == 0;
}

/* Before the edge, behind it, or 0: at it. */
static int side(const struct chooser *chooser, uint32_t event)
{
    uint64_t count = (uint64_t)chooser->last - chooser->first + 1;
    uint32_t edge = chooser->first + (uint32_t)(draw(chooser, WHAT_EDGE, 0, 0) % count);

    if (event == edge)
        return 0;
    return (event < edge) == (style_of(chooser) == STYLE_IN_ORDER) ? -1 : 1;
}

static bool random_event(const struct chooser *chooser, uint32_t event)
{
    enum style style = style_of(chooser);

    if (style == STYLE_IN_ORDER || style == STYLE_BACKWARDS)
        return side(chooser, event) <= 0;
    return weighed(style, draw(chooser, WHAT_EVENT, event, 0));
}

static bool random_sector(const struct chooser *chooser, uint32_t event, uint64_t i)
{
    enum style style = style_of(chooser);

    if (style == STYLE_SECTORS || style == STYLE_MOST_SECTORS || style == STYLE_FEW_SECTORS)
        return weighed(style, draw(chooser, WHAT_SECTOR, event, i));
    if ((style == STYLE_IN_ORDER || style == STYLE_BACKWARDS) && side(chooser, event) == 0)
        return draw(chooser, WHAT_SECTOR, event, i) % 2 == 0;
    return random_event(chooser, event);
}

/* ---- deciding -------------------------------------------------------------------------------- */

static bool whole_event(const struct chooser *chooser, uint32_t event)
{
    switch (chooser->choice.kind) {
    case CHOICE_ALL:
    case CHOICE_TORN:
        return true;
    case CHOICE_DROP:
        return event != chooser->choice.event;
    case CHOICE_KEEP:
        return event == chooser->choice.event;
    case CHOICE_RANDOM:
        return random_event(chooser, event);
    case CHOICE_NONE:
    case CHOICES:
        break;
    }
    return false;
}

static bool torn_sector(enum tear tear, uint64_t i, uint64_t count)
{
    switch (tear) {
    case TEAR_FIRST_HALF:
        return i < count / 2;
    case TEAR_LAST_HALF:
        return i >= count / 2;
    case TEAR_FIRST_SECTOR:
        return i == 0;
    case TEAR_LAST_SECTOR:
        return i == count - 1;
    case TEAR_ALL_BUT_FIRST:
        return i > 0;
    case TEAR_ALL_BUT_LAST:
        return i < count - 1;
    case TEAR_BYTES_ONLY:
        return true;
    case TEAR_SIZE_ONLY:
    case TEARS:
        break;
    }
    return false;
}

bool choose_sector(const struct chooser *chooser, uint32_t event, uint64_t i, uint64_t count)
{
    const struct choice *choice = &chooser->choice;

    if (choice->kind == CHOICE_TORN && event == choice->event)
        return torn_sector((enum tear)choice->detail, i, count);
    return choice->kind == CHOICE_RANDOM ? random_sector(chooser, event, i)
                                         : whole_event(chooser, event);
}

bool choose_size(const struct chooser *chooser, uint32_t event)
{
    const struct choice *choice = &chooser->choice;
    uint64_t sizes;

    if (choice->kind == CHOICE_TORN && event == choice->event)
        return choice->detail != TEAR_BYTES_ONLY;
    if (choice->kind != CHOICE_RANDOM)
        return whole_event(chooser, event);

    /* With the bytes, always, or for itself. */
    sizes = draw(chooser, WHAT_SIZES, 0, 0) % 3;
    if (sizes == 1)
        return true;
    return sizes == 0 ? random_event(chooser, event) : draw(chooser, WHAT_SIZES, event, 1) % 2 == 0;
}

bool choose_name(const struct chooser *chooser, uint32_t event, bool removal)
{
    if (chooser->choice.kind != CHOICE_RANDOM)
        return whole_event(chooser, event);
    /* The two parts of a move to another directory. */
    if (removal && draw(chooser, WHAT_NAME, event, 0) % 2 == 0)
        return draw(chooser, WHAT_NAME, event, 1) % 2 == 0;
    return random_event(chooser, event);
}

bool choose_leftovers(const struct chooser *chooser)
{
    return chooser->choice.kind == CHOICE_RANDOM && draw(chooser, WHAT_LEFTOVERS, 0, 0) % 8 == 0;
}
