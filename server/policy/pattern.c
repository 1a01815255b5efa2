/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns; see pattern.h.
 *
 * (1) Matching goes back to the last '*' alone, so that it takes at most the pattern's length times
 *     the value's.
 * (2) What a variable stands for is text, whatever is in it.
 */
#include "server/policy/pattern.h"

#define VARIABLE_BEGIN STR("${")

/* ---- compiling ------------------------------------------------------------------------------- */

struct compiling {
    struct piece *pieces;
    size_t count;
};

static void add_text(struct compiling *c, struct str text)
{
    if (text.len > 0)
        c->pieces[c->count++] = (struct piece){ .kind = PIECE_TEXT, .text = text };
}

/* "${*}", "${?}", "${$}" are those characters; "${key, 'default'}". */
static struct piece variable_of(struct str inside)
{
    struct piece piece = { .kind = PIECE_VARIABLE };
    struct str preset;

    if (inside.len == 1 && strchr("*?$", inside.p[0]) != NULL)
        return (struct piece){ .kind = PIECE_TEXT, .text = inside };
    (void)str_cut(inside, ',', &piece.text, &preset);
    piece.text = str_trim(piece.text);
    preset = str_present(preset) ? str_trim(preset) : STR_NONE;
    if (preset.len >= 2 && preset.p[0] == '\'' && preset.p[preset.len - 1] == '\'')
        piece.preset = str_slice(preset, 1, preset.len - 2);
    return piece;
}

/* Pieces that a text may have: one for each special character, and one between them. */
static size_t pieces_max(struct str text)
{
    size_t count = 1;

    for (size_t i = 0; i < text.len; i++)
        count += text.p[i] == '*' || text.p[i] == '?' || text.p[i] == '$' ? 2 : 0;
    return count;
}

bool pattern_compile(struct str text, unsigned form, struct arena *arena,
                     struct pattern *ret_pattern)
{
    struct compiling c = { .pieces = arena_array(arena, pieces_max(text), sizeof(struct piece)) };
    struct str rest = text;
    size_t at = 0;

    if (c.pieces == NULL)
        return false;
    while (at < rest.len) {
        char byte = rest.p[at];
        bool wild = (form & PATTERN_WILD) && (byte == '*' || byte == '?');
        bool variable = (form & PATTERN_VARIABLES) &&
                        str_starts(str_skip(rest, at), VARIABLE_BEGIN);
        size_t end;

        if (!wild && !variable) {
            at++;
            continue;
        }
        add_text(&c, str_slice(rest, 0, at));
        rest = str_skip(rest, at);
        at = 0;
        if (wild) {
            c.pieces[c.count++] = (struct piece){ .kind = byte == '*' ? PIECE_ANY : PIECE_ONE };
            rest = str_skip(rest, 1);
            continue;
        }
        end = str_find_char(rest, '}');
        if (end == SIZE_MAX)
            return false;
        c.pieces[c.count++] = variable_of(str_slice(rest, 2, end - 2));
        rest = str_skip(rest, end + 1);
    }
    add_text(&c, rest);
    *ret_pattern = (struct pattern){ .pieces = c.pieces, .count = c.count, .source = text };
    return true;
}

bool pattern_is_fixed(const struct pattern *pattern)
{
    for (size_t i = 0; i < pattern->count; i++) {
        if (pattern->pieces[i].kind != PIECE_TEXT)
            return false;
    }
    return true;
}

/* ---- matching -------------------------------------------------------------------------------- */

/* Where in a pattern: a piece, and of its text the rest. */
struct place {
    size_t piece;
    struct str rest;
    bool missing; /* a variable that stands for nothing */
};

static void enter(struct place *place, const struct pattern *pattern,
                  const struct policy_question *question)
{
    const struct piece *piece = &pattern->pieces[place->piece];
    struct policy_values values;

    place->rest = STR_NONE;
    if (place->piece >= pattern->count)
        return;
    if (piece->kind == PIECE_TEXT) {
        place->rest = piece->text;
    } else if (piece->kind == PIECE_VARIABLE) {
        if (question->look_up(question->context, piece->text, &values) && values.count == 1)
            place->rest = values.values[0];
        else
            place->rest = piece->preset;
        place->missing |= !str_present(place->rest);
    }
}

/* Past texts that are used up. */
static void settle(struct place *place, const struct pattern *pattern,
                   const struct policy_question *question)
{
    while (place->piece < pattern->count && place->rest.len == 0 &&
           (pattern->pieces[place->piece].kind == PIECE_TEXT ||
            pattern->pieces[place->piece].kind == PIECE_VARIABLE)) {
        place->piece++;
        enter(place, pattern, question);
    }
}

static bool same(char a, char b, bool no_case)
{
    return a == b || (no_case && str_lower(a) == str_lower(b));
}

/* One byte of the value. False: not this one. */
static bool step(struct place *place, const struct pattern *pattern, char byte, bool no_case,
                 const struct policy_question *question)
{
    settle(place, pattern, question);
    if (place->piece >= pattern->count || place->missing)
        return false;
    if (pattern->pieces[place->piece].kind == PIECE_ONE) {
        place->piece++;
        enter(place, pattern, question);
        return true;
    }
    if (place->rest.len == 0 || !same(place->rest.p[0], byte, no_case))
        return false;
    place->rest = str_skip(place->rest, 1);
    return true;
}

bool pattern_matches(const struct pattern *pattern, struct str value, bool no_case,
                     const struct policy_question *question)
{
    struct place place = { 0 };
    struct place star = { 0 }; /* behind the last '*' */
    bool has_star = false;
    size_t star_at = 0;
    size_t at = 0;

    enter(&place, pattern, question);
    for (;;) {
        settle(&place, pattern, question);
        if (place.missing)
            return false;
        if (place.piece < pattern->count && pattern->pieces[place.piece].kind == PIECE_ANY) {
            place.piece++;
            enter(&place, pattern, question);
            star = place;
            star_at = at;
            has_star = true;
            continue;
        }
        if (at == value.len && place.piece >= pattern->count)
            return true;
        if (at < value.len && step(&place, pattern, value.p[at], no_case, question)) {
            at++;
            continue;
        }
        if (!has_star || place.missing || star_at >= value.len)
            return false;
        place = star;
        at = ++star_at;
    }
}
