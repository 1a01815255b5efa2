/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When rules of a lifecycle are due; see rules.h.
 */
#include "server/s3/lifecycle/rules.h"

#include "base/text/pairs.h"
#include "server/s3/lifecycle/storage_class.h"

/* ---- which versions ------------------------------------------------------------------------------ */

static bool has_tag(struct str tags, struct str wanted_name, struct str wanted_value)
{
    struct str name;
    struct str value;

    while (pairs_next(&tags, &name, &value))
        if (str_eq(name, wanted_name))
            return str_eq(value, wanted_value);
    return false;
}

static bool has_tags(struct str tags, struct str wanted)
{
    struct str name;
    struct str value;

    while (pairs_next(&wanted, &name, &value))
        if (!has_tag(tags, name, value))
            return false;
    return true;
}

static bool matches(const struct lifecycle_rule *rule, const struct lifecycle_version *version)
{
    return str_starts(version->key, rule->prefix) &&
           (!rule->has_sizes ||
            (version->size_bytes > rule->above_bytes &&
             (rule->below_bytes == 0 || version->size_bytes < rule->below_bytes))) &&
           (!str_present(rule->tags) || has_tags(version->tags, rule->tags));
}

/* ---- when ---------------------------------------------------------------------------------------- */

int64_t lifecycle_midnight(int64_t since_us, uint32_t days, int64_t day_us)
{
    int64_t at_us;

    if (__builtin_mul_overflow((int64_t)days, day_us, &at_us) ||
        __builtin_add_overflow(at_us, since_us, &at_us) ||
        __builtin_add_overflow(at_us, day_us - 1, &at_us))
        return INT64_MAX;
    return at_us / day_us * day_us;
}

static int64_t time_of(const struct lifecycle_when *when, int64_t since_us, int64_t day_us)
{
    return when->dated ? when->at_us : lifecycle_midnight(since_us, when->days, day_us);
}

/* The first that is due stays. */
static bool take_sooner(struct lifecycle_due *due, bool found, const struct lifecycle_rule *rule,
                        int64_t at_us)
{
    if (!found || at_us < due->at_us)
        *due = (struct lifecycle_due){ at_us, rule->id };
    return true;
}

bool lifecycle_expiration(const struct lifecycle *lifecycle,
                          const struct lifecycle_version *version, int64_t day_us,
                          struct lifecycle_due *ret_due)
{
    bool found = false;

    for (size_t i = 0; i < lifecycle->count; i++) {
        const struct lifecycle_rule *rule = &lifecycle->rules[i];

        if (rule->expiration.set && matches(rule, version))
            found = take_sooner(ret_due, found, rule,
                                time_of(&rule->expiration, version->since_us, day_us));
    }
    return found;
}

bool lifecycle_noncurrent_expiration(const struct lifecycle *lifecycle,
                                     const struct lifecycle_version *version, int64_t day_us,
                                     struct lifecycle_due *ret_due)
{
    bool found = false;

    for (size_t i = 0; i < lifecycle->count; i++) {
        const struct lifecycle_rule *rule = &lifecycle->rules[i];
        const struct lifecycle_when *when = &rule->noncurrent_expiration;

        if (when->set && version->newer_versions >= when->newer_versions && matches(rule, version))
            found = take_sooner(ret_due, found, rule, time_of(when, version->since_us, day_us));
    }
    return found;
}

/* A rule with an age takes lone markers of that age away, too. */
bool lifecycle_marker_expiration(const struct lifecycle *lifecycle,
                                 const struct lifecycle_version *version, int64_t day_us,
                                 struct lifecycle_due *ret_due)
{
    bool found = false;

    for (size_t i = 0; i < lifecycle->count; i++) {
        const struct lifecycle_rule *rule = &lifecycle->rules[i];

        if ((!rule->lone_markers && !rule->expiration.set) || !matches(rule, version))
            continue;
        found = take_sooner(ret_due, found, rule,
                            rule->lone_markers
                                ? version->since_us
                                : time_of(&rule->expiration, version->since_us, day_us));
    }
    return found;
}

bool lifecycle_abort(const struct lifecycle *lifecycle, struct str key, int64_t initiated_us,
                     int64_t day_us, struct lifecycle_due *ret_due)
{
    bool found = false;

    for (size_t i = 0; i < lifecycle->count; i++) {
        const struct lifecycle_rule *rule = &lifecycle->rules[i];

        if (rule->abort_days > 0 && str_starts(key, rule->prefix))
            found = take_sooner(ret_due, found, rule,
                                lifecycle_midnight(initiated_us, rule->abort_days, day_us));
    }
    return found;
}

/* ---- classes ------------------------------------------------------------------------------------- */

static bool is_too_small(const struct lifecycle *lifecycle, const struct lifecycle_rule *rule,
                         const struct lifecycle_version *version, uint8_t to)
{
    return version->size_bytes < LIFECYCLE_SMALL_BYTES && !rule->has_sizes &&
           !(lifecycle->small_to_archives && storage_class_is_archive(to));
}

static void take_colder(const struct lifecycle *lifecycle, const struct lifecycle_rule *rule,
                        const struct lifecycle_version *version, bool noncurrent, int64_t now_us,
                        int64_t day_us, uint8_t *class)
{
    const struct lifecycle_transition *list = noncurrent ? rule->noncurrent_transitions
                                                         : rule->transitions;
    size_t count = noncurrent ? rule->noncurrent_transition_count : rule->transition_count;

    for (size_t i = 0; i < count; i++)
        if (storage_class_is_colder(list[i].storage_class, *class) &&
            time_of(&list[i].when, version->since_us, day_us) <= now_us &&
            version->newer_versions >= list[i].when.newer_versions &&
            !is_too_small(lifecycle, rule, version, list[i].storage_class))
            *class = list[i].storage_class;
}

bool lifecycle_class(const struct lifecycle *lifecycle, const struct lifecycle_version *version,
                     bool noncurrent, int64_t now_us, int64_t day_us, uint8_t *ret_class)
{
    *ret_class = version->storage_class;
    for (size_t i = 0; i < lifecycle->count; i++)
        if (matches(&lifecycle->rules[i], version))
            take_colder(lifecycle, &lifecycle->rules[i], version, noncurrent, now_us, day_us,
                        ret_class);
    return *ret_class != version->storage_class;
}
