/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of other servers, and misspelt variables; see habits.h.
 */
#include "server/settings/habits.h"

#include <unistd.h>

#include "server/settings/nearest.h"
#include "server/settings/settings.h"

#define PREFIX STR("PAIL_")

static const struct {
    enum habit_place place;
    struct str word;
    const char *here;
} habits[] = {
#define HABIT(WHERE, WORD, HERE) { HABIT_##WHERE, STR(WORD), HERE },
#include "server/settings/habits.def"
#undef HABIT
};

const char *habit(enum habit_place place, struct str word)
{
    for (size_t i = 0; i < COUNT_OF(habits); i++) {
        if (habits[i].place == place && str_eq(habits[i].word, word))
            return habits[i].here;
    }

    return NULL;
}

/* ---- variables ----------------------------------------------------------------------------- */

static bool is_setting(struct str name)
{
    for (enum setting_index i = 0; i < SETTINGS; i++) {
        if (str_eq(settings[i].env, name))
            return true;
    }

    return false;
}

/* What ./dev, .ci/run and the tests are told by; a test compares. */
static bool is_of_dev(struct str name)
{
    static const struct str names[] = {
        STR("PAIL_BENCH_SPENT_S"),
        STR("PAIL_BUDGET_TIGHTEN"),
        STR("PAIL_CI_RUN"),
        STR("PAIL_CLIENTS_INSTALL"),
        STR("PAIL_CLOCK_FD"),
        STR("PAIL_DEBIAN_MIRROR"),
        STR("PAIL_FAULT_DIR"),
        STR("PAIL_FULL_CYCLES"),
        STR("PAIL_FULL_SEED"),
        STR("PAIL_KILL_CYCLES"),
        STR("PAIL_KILL_SEED"),
        STR("PAIL_LIMITS_DIR"),
        STR("PAIL_LIMITS_SHORT"),
        STR("PAIL_LINEAR_S"),
        STR("PAIL_LINEAR_SEED"),
        STR("PAIL_MEMORY_STEP"),
        STR("PAIL_MODEL_SEED"),
        STR("PAIL_MODEL_SEQUENCES"),
        STR("PAIL_POWER_STATES"),
        STR("PAIL_PRESET"),
        STR("PAIL_PROGRAM"),
        STR("PAIL_PYTHON"),
        STR("PAIL_PYTHON_OLD"),
        STR("PAIL_PYTHON_QUEUE"),
        STR("PAIL_RELEASE_PROGRAM"),
        STR("PAIL_RESULTS"),
        STR("PAIL_ROT_CYCLES"),
        STR("PAIL_ROT_SEED"),
        STR("PAIL_SEEDS"),
        STR("PAIL_SERVER_MEMORY_STEP"),
        STR("PAIL_START_MEMORY_STEP"),
        STR("PAIL_TEST_STORE"),
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_eq(names[i], name))
            return true;
    }

    return false;
}

/* https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables */
static bool is_service_link(struct str name, struct str value)
{
    return str_find(name, STR("_SERVICE_HOST")) != SIZE_MAX ||
           str_find(name, STR("_SERVICE_PORT")) != SIZE_MAX ||
           str_find(name, STR("_TCP_")) != SIZE_MAX || str_find(name, STR("_UDP_")) != SIZE_MAX ||
           str_starts(value, STR("tcp://")) || str_starts(value, STR("udp://"));
}

static bool refuse(struct str name, struct fault *fault)
{
    struct nearest nearest = NEAREST(name);
    const char *here = habit(HABIT_VARIABLE, name);

    if (here != NULL)
        return fault_false(fault, "unknown variable %.*s: did you mean %s?", STR_ARG(name), here);

    for (enum setting_index i = 0; i < SETTINGS; i++)
        nearest_offer(&nearest, settings[i].env);
    if (str_present(nearest.best))
        return fault_false(fault, "unknown variable %.*s: did you mean %.*s?", STR_ARG(name),
                           STR_ARG(nearest.best));

    return fault_false(fault, "unknown variable %.*s: no setting has that name", STR_ARG(name));
}

bool variables_check(struct fault *fault)
{
    for (char *const *at = environ; *at != NULL; at++) {
        struct str name;
        struct str value;

        if (!str_starts(str_from_cstr(*at), PREFIX) ||
            !str_cut(str_from_cstr(*at), '=', &name, &value) || value.len == 0)
            continue;
        if (is_setting(name) || is_of_dev(name) || is_service_link(name, value))
            continue;
        return refuse(str_slice(name, 0, NEAREST_WORD_BYTES_MAX), fault);
    }

    return true;
}
