/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Targets of notifications in the settings file: what their sections leave out.
 *
 * The protocol is that of the ARN's service, the region of signatures the ARN's.
 */
#include "server/settings/config.h"

/* NULL, or what is wrong. */
static const char *check_fields(const struct notify_target *target)
{
    if (!str_present(target->arn) || !str_present(target->url))
        return "the target needs arn and url";
    if (!notify_arn_is_good(target->arn))
        return "the target's arn is none (arn:aws:sqs:REGION:ACCOUNT:NAME)";
    if (!str_starts(target->url, STR("http://")) && !str_starts(target->url, STR("https://")))
        return "the target's url begins with neither http:// nor https://";
    if (str_present(target->access_key) != str_present(target->secret_key))
        return "the target's access_key and secret_key belong together";
    return NULL;
}

static const char *complete(const struct config *config, struct notify_target *target)
{
    if (target->protocol == NOTIFY_NONE)
        target->protocol = notify_protocol_of(notify_arn_field(target->arn, 2));
    if (target->protocol == NOTIFY_NONE)
        return "the target needs a protocol: its arn's service has none";
    if (target->protocol != NOTIFY_WEBHOOK && str_present(target->secret))
        return "only a webhook has a secret; others have access_key and secret_key";
    if (target->protocol == NOTIFY_WEBHOOK && str_present(target->access_key))
        return "a webhook has a secret, and no access_key";
    if (!str_present(target->region))
        target->region = notify_arn_field(target->arn, 3);
    if (target->region.len == 0)
        target->region = config->region;
    return NULL;
}

bool config_targets_complete(struct config *config, struct fault *fault)
{
    struct notify_targets *targets = &config->targets;

    for (size_t i = 0; i < targets->count; i++) {
        struct notify_target *target = &targets->items[i];
        const char *wrong = check_fields(target);

        if (wrong == NULL)
            wrong = complete(config, target);
        if (wrong == NULL && notify_target_of(targets, target->arn) != target)
            wrong = "another target has that arn";
        if (wrong != NULL)
            return fault_false(fault, "%.*s, line %u: %s", STR_ARG(config->file),
                               config->target_lines[i], wrong);
    }
    return true;
}
