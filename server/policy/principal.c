/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Principal and NotPrincipal.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
#include "server/policy/internal.h"

#define ACCOUNT_DIGITS 12
#define CANONICAL_DIGITS 64

static bool all_of(struct str text, size_t len, const char *chars)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '\0' || strchr(chars, text.p[i]) == NULL)
            return false;
    }
    return text.len == len;
}

static bool is_account(struct str text)
{
    return all_of(text, ACCOUNT_DIGITS, "0123456789");
}

/* The next field of an ARN. */
static struct str field(struct str *rest)
{
    struct str head;

    if (!str_cut(*rest, ':', &head, rest))
        *rest = STR_NONE;
    return head;
}

/* "arn:aws:iam::111122223333:root" is the account; of others no part is a wildcard. */
static bool name_arn(struct str arn, struct named *ret_named)
{
    struct str rest = arn;
    struct str prefix = field(&rest);
    struct str partition = field(&rest);
    struct str service = field(&rest);
    struct str region = field(&rest);
    struct str account = field(&rest);

    if (!str_eq(prefix, STR("arn")) || !str_starts(partition, STR("aws")) || region.len > 0 ||
        (!str_eq(service, STR("iam")) && !str_eq(service, STR("sts"))) || !is_account(account) ||
        rest.len == 0 || str_find_char(arn, '*') != SIZE_MAX || str_find_char(arn, '?') != SIZE_MAX)
        return false;
    if (str_eq(service, STR("iam")) && str_eq(rest, STR("root"))) {
        *ret_named = (struct named){ NAMED_ACCOUNT, account };
        return true;
    }
    if (!str_starts(rest, STR("user/")) && !str_starts(rest, STR("role/")) &&
        !str_starts(rest, STR("assumed-role/")) && !str_starts(rest, STR("federated-user/")))
        return false;
    *ret_named = (struct named){ NAMED_ARN, arn };
    return true;
}

static bool name_aws(struct str text, struct named *ret_named)
{
    if (str_eq(text, STR("*"))) {
        *ret_named = (struct named){ NAMED_EVERYBODY, text };
        return true;
    }
    if (is_account(text)) {
        *ret_named = (struct named){ NAMED_ACCOUNT, text };
        return true;
    }
    return name_arn(text, ret_named);
}

/* What one string under one kind names. False: nothing. */
static bool name(struct str kind, struct str text, struct named *ret_named)
{
    if (str_eq(kind, STR("AWS")))
        return name_aws(text, ret_named);
    if (str_eq(kind, STR("CanonicalUser"))) {
        *ret_named = (struct named){ NAMED_CANONICAL_USER, text };
        return all_of(text, CANONICAL_DIGITS, "0123456789abcdef");
    }
    if (str_eq(kind, STR("Service"))) {
        *ret_named = (struct named){ NAMED_SERVICE, text };
        return text.len > 0;
    }
    /* Nobody here is one of those. */
    *ret_named = (struct named){ NAMED_OTHER, text };
    return str_eq(kind, STR("Federated")) && text.len > 0;
}

static bool add_kind(struct parsing *parsing, struct str kind, const json_t *json,
                     struct principals *principals)
{
    size_t count = policy_items(json);

    if (count == 0)
        return policy_wrong(parsing, STR("Invalid principal in policy"));
    for (size_t i = 0; i < count; i++) {
        struct str text = policy_text(parsing, policy_item(json, i));

        if (!str_present(text) || !name(kind, text, &principals->list[principals->count++]))
            return policy_wrong(parsing, STR("Invalid principal in policy"));
    }
    return true;
}

bool principals_parse(struct parsing *parsing, const json_t *json,
                      struct principals *ret_principals)
{
    size_t total = 1;
    json_t *value;
    const char *kind;

    if (json_is_object(json)) {
        json_object_foreach((json_t *)(uintptr_t)json, kind, value) total += policy_items(value);
    }
    ret_principals->list = arena_array(parsing->arena, total, sizeof(*ret_principals->list));
    if (ret_principals->list == NULL)
        return policy_no_memory(parsing);
    if (json_is_string(json) &&
        str_eq(str_make(json_string_value(json), json_string_length(json)), STR("*"))) {
        ret_principals->list[ret_principals->count++] = (struct named){ NAMED_EVERYBODY, STR("*") };
        return true;
    }
    if (!json_is_object(json) || json_object_size(json) == 0)
        return policy_wrong(parsing, STR("Invalid principal in policy"));
    json_object_foreach((json_t *)(uintptr_t)json, kind, value)
    {
        if (!add_kind(parsing, str_from_cstr(kind), value, ret_principals))
            return false;
    }
    return true;
}

static bool is_of_account(const struct policy_principal *who)
{
    return who->kind != CALLER_ANONYMOUS && who->kind != CALLER_SERVICE;
}

static bool is_named(const struct named *named, const struct policy_principal *who)
{
    switch (named->kind) {
    case NAMED_EVERYBODY:
        return true;
    case NAMED_ACCOUNT:
        return is_of_account(who) && str_eq(named->text, who->account);
    case NAMED_ARN:
        return is_of_account(who) &&
               (str_eq(named->text, who->arn) ||
                (str_present(who->role_arn) && str_eq(named->text, who->role_arn)));
    case NAMED_CANONICAL_USER:
        return is_of_account(who) && str_eq(named->text, who->canonical_id);
    case NAMED_SERVICE:
        return who->kind == CALLER_SERVICE && str_eq(named->text, who->service);
    case NAMED_OTHER:
        break;
    }
    return false;
}

bool principals_match(const struct principals *principals, const struct policy_principal *who)
{
    for (size_t i = 0; i < principals->count; i++) {
        if (is_named(&principals->list[i], who))
            return !principals->negated;
    }
    return principals->negated;
}
