/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of condition keys; see condition_keys.h.
 *
 * (1) Each key is a row: its name, and what makes its value. A name that ends in '/' has the rest of
 *     the key in it (s3:ExistingObjectTag/KEY).
 * (2) A header that a key names counts as it was sent; so does a parameter of the query.
 */
#include "server/auth/condition_keys.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text/codec.h"
#include "base/text/pairs.h"

#define HEADER_PREFIX STR("s3:x-amz-")

typedef struct str value_function(struct condition_values *values, struct str rest);

/* ---- the connection and the moment ----------------------------------------------------------- */

static const struct http_request *http_of(const struct condition_values *values)
{
    return values->request->context.request;
}

/* Of a socket file there is no address. */
static struct str source_ip(struct condition_values *values, struct str rest UNUSED)
{
    struct str peer = http_of(values)->peer;
    size_t colon = str_rfind_char(peer, ':');
    struct str address = colon == SIZE_MAX ? STR_NONE : str_slice(peer, 0, colon);

    return str_starts(address, STR("[")) ? str_slice(address, 1, address.len - 2) : address;
}

static struct str truth(bool value)
{
    return value ? STR("true") : STR("false");
}

/* No service calls here, and nobody for another. */
static struct str never(struct condition_values *values UNUSED, struct str rest UNUSED)
{
    return truth(false);
}

static struct str secure_transport(struct condition_values *values, struct str rest UNUSED)
{
    return truth(http_of(values)->tls);
}

static struct str tls_version(struct condition_values *values, struct str rest UNUSED)
{
    unsigned minor = http_of(values)->tls_minor;
    int len = snprintf(values->text, sizeof(values->text), "1.%u", minor);

    return minor > 0 ? str_make(values->text, (size_t)len) : STR_NONE;
}

static struct str print_number(struct condition_values *values, int64_t number)
{
    int len = snprintf(values->text, sizeof(values->text), "%" PRId64, number);

    return str_make(values->text, (size_t)len);
}

static int64_t now_us(const struct condition_values *values)
{
    return clock_now_us(values->request->context.clock);
}

static struct str epoch_time(struct condition_values *values, struct str rest UNUSED)
{
    return print_number(values, now_us(values) / US_PER_S);
}

static struct str current_time(struct condition_values *values, struct str rest UNUSED)
{
    clock_format_iso8601(now_us(values), values->text);
    return str_make(values->text, CLOCK_ISO8601_LEN);
}

static struct str region(struct condition_values *values, struct str rest UNUSED)
{
    return values->request->context.region;
}

/* What a write sets stands in its header fields, or in a form's. */
static struct str header(const struct condition_values *values, struct str name)
{
    const struct http_request *form = values->request->context.form;

    return http_header(form != NULL ? form : http_of(values), name);
}

static struct str referer(struct condition_values *values, struct str rest UNUSED)
{
    return http_header(http_of(values), STR("Referer"));
}

static struct str user_agent(struct condition_values *values, struct str rest UNUSED)
{
    return http_header(http_of(values), STR("User-Agent"));
}

/* ---- the caller ------------------------------------------------------------------------------ */

static struct str principal_arn(struct condition_values *values, struct str rest UNUSED)
{
    const struct user *user = values->request->principal;
    CLEANUP(buf_free) struct buf arn = BUF_WITH_MAX(sizeof(values->text));

    if (user == NULL || user->kind == USER_SERVICE)
        return STR_NONE;
    identity_arn(&arn, user);
    if (arn.failed)
        return STR_NONE;
    memcpy(values->text, arn.p, arn.len);
    return str_make(values->text, arn.len);
}

static struct str principal_account(struct condition_values *values, struct str rest UNUSED)
{
    const struct user *user = values->request->principal;

    return user != NULL && user->kind != USER_SERVICE ? user->account : STR_NONE;
}

static struct str principal_type(struct condition_values *values, struct str rest UNUSED)
{
    const struct user *user = values->request->principal;

    if (user == NULL)
        return STR("Anonymous");
    if (user->kind == USER_SERVICE)
        return STR("Service");
    return user->kind == USER_ROOT ? STR("Account") : STR("User");
}

static struct str user_name(struct condition_values *values, struct str rest UNUSED)
{
    const struct user *user = values->request->principal;

    return user != NULL && user->kind != USER_ROOT && user->kind != USER_SERVICE
               ? identity_name(user)
               : STR_NONE;
}

static struct str user_id(struct condition_values *values, struct str rest UNUSED)
{
    const struct user *user = values->request->principal;
    CLEANUP(buf_free) struct buf id = BUF_WITH_MAX(sizeof(values->text));

    if (user == NULL)
        return STR("anonymous");
    if (user->kind == USER_SERVICE)
        return STR_NONE;
    identity_user_id(&id, user);
    if (id.failed)
        return STR_NONE;
    memcpy(values->text, id.p, id.len);
    return str_make(values->text, id.len);
}

/* ---- the bucket for which a service acts ------------------------------------------------------- */

static struct str source_arn(struct condition_values *values, struct str rest UNUSED)
{
    struct str bucket = values->request->context.source_bucket;
    int len = snprintf(values->text, sizeof(values->text), "arn:aws:s3:::%.*s", STR_ARG(bucket));

    return str_present(bucket) ? str_make(values->text, (size_t)len) : STR_NONE;
}

static struct str source_account(struct condition_values *values, struct str rest UNUSED)
{
    return values->request->context.source_account;
}

static bool is_service(const struct user *user)
{
    return user != NULL && user->kind == USER_SERVICE;
}

static struct str principal_is_service(struct condition_values *values, struct str rest UNUSED)
{
    return truth(is_service(values->request->principal));
}

static struct str principal_service(struct condition_values *values, struct str rest UNUSED)
{
    const struct user *user = values->request->principal;

    return is_service(user) ? user->name : STR_NONE;
}

static struct str auth_type(struct condition_values *values, struct str rest UNUSED)
{
    switch (values->request->context.scheme) {
    case AUTH_V4_HEADER:
    case AUTH_V2_HEADER:
        return STR("REST-HEADER");
    case AUTH_V4_QUERY:
    case AUTH_V2_QUERY:
        return STR("REST-QUERY-STRING");
    case AUTH_V4_POST:
    case AUTH_V2_POST:
        return STR("POST");
    case AUTH_ANONYMOUS:
        break;
    }
    return STR_NONE;
}

static struct str signature_version(struct condition_values *values, struct str rest UNUSED)
{
    switch (values->request->context.scheme) {
    case AUTH_V4_HEADER:
    case AUTH_V4_QUERY:
    case AUTH_V4_POST:
        return STR("AWS4-HMAC-SHA256");
    case AUTH_V2_HEADER:
    case AUTH_V2_QUERY:
    case AUTH_V2_POST:
        return STR("AWS");
    case AUTH_ANONYMOUS:
        break;
    }
    return STR_NONE;
}

/* In milliseconds. */
static struct str signature_age(struct condition_values *values, struct str rest UNUSED)
{
    int64_t signed_us;

    if (!clock_parse_amz(values->request->context.signed_at, &signed_us))
        return STR_NONE;
    return print_number(values, (now_us(values) - signed_us) / US_PER_MS);
}

static struct str resource_account(struct condition_values *values, struct str rest UNUSED)
{
    struct str owner = values->request->resource.bucket_owner;
    struct user user;

    if (!str_present(owner))
        return STR_NONE;
    if (values->request->context.credentials == NULL ||
        credentials_know(values->request->context.credentials, CREDENTIALS_BY_CANONICAL_ID, owner,
                         &user) != CREDENTIALS_FOUND)
        users_account_id(owner, values->text);
    else
        memcpy(values->text, user.account.p, AUTH_ACCOUNT_DIGITS);
    return str_make(values->text, AUTH_ACCOUNT_DIGITS);
}

/* ---- the request ----------------------------------------------------------------------------- */

static struct str parameter(const struct condition_values *values, struct str name)
{
    const struct http_param *param = http_param(http_of(values), name);

    return param != NULL ? param->value : STR_NONE;
}

/* Who may list up to a key may know that it is not there. */
static struct str prefix(struct condition_values *values, struct str rest UNUSED)
{
    struct str sought = values->request->resource.sought;

    return str_present(sought) ? sought : parameter(values, STR("prefix"));
}

static struct str delimiter(struct condition_values *values, struct str rest UNUSED)
{
    return parameter(values, STR("delimiter"));
}

static struct str max_keys(struct condition_values *values, struct str rest UNUSED)
{
    return parameter(values, STR("max-keys"));
}

static struct str version_id(struct condition_values *values, struct str rest UNUSED)
{
    return values->request->resource.version;
}

static struct str if_none_match(struct condition_values *values, struct str rest UNUSED)
{
    return header(values, STR("If-None-Match"));
}

/* Parts of objects need s3:PutObject, and make none. */
static struct str creates_object(struct condition_values *values, struct str rest UNUSED)
{
    if (values->request->action != ACTION_PutObject)
        return STR_NONE;
    return truth(!str_present(parameter(values, STR("uploads"))) &&
                 !str_present(parameter(values, STR("partNumber"))));
}

/* ---- what a write sets ----------------------------------------------------------------------- */

static struct access_said said_of(const struct condition_values *values)
{
    const struct access_said *said = values->request->context.said;

    return said != NULL ? *said : (struct access_said){ 0 };
}

static struct str by_body_or_header(const struct condition_values *values, struct str said,
                                    struct str name)
{
    return str_present(said) ? said : header(values, name);
}

static struct str if_match(struct condition_values *values, struct str rest UNUSED)
{
    return by_body_or_header(values, said_of(values).if_match, STR("If-Match"));
}

static struct str lock_mode(struct condition_values *values, struct str rest UNUSED)
{
    return by_body_or_header(values, said_of(values).lock_mode, STR("x-amz-object-lock-mode"));
}

static struct str lock_date(struct condition_values *values, struct str rest UNUSED)
{
    return by_body_or_header(values, said_of(values).retain_until,
                             STR("x-amz-object-lock-retain-until-date"));
}

static struct str legal_hold(struct condition_values *values, struct str rest UNUSED)
{
    return by_body_or_header(values, said_of(values).legal_hold,
                             STR("x-amz-object-lock-legal-hold"));
}

/* A day that has begun counts: who asks for ten days asks for no more and no less. */
static struct str lock_days(struct condition_values *values, struct str rest)
{
    int64_t until_us;
    int64_t left_us;

    if (!clock_parse_iso8601(lock_date(values, rest), &until_us))
        return STR_NONE;
    left_us = until_us - now_us(values);
    return print_number(values, left_us / US_PER_DAY + (left_us % US_PER_DAY > 0));
}

/* Form data decoded into room; longer than it: STR_NONE. */
static struct str form_decode(struct str text, char *room, size_t max)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i] == '+' ? ' ' : text.p[i];

        if (c == '%' && i + 2 < text.len && hex_value(text.p[i + 1]) >= 0 &&
            hex_value(text.p[i + 2]) >= 0) {
            c = (char)(hex_value(text.p[i + 1]) * 16 + hex_value(text.p[i + 2]));
            i += 2;
        }
        if (len == max)
            return STR_NONE;
        room[len++] = c;
    }
    return str_make(room, len);
}

/* The next "key=value" of x-amz-tagging, not decoded. */
static bool next_tag(struct str *tags, struct str *ret_name, struct str *ret_value)
{
    struct str pair;

    if (!str_present(*tags) || !str_next(tags, '&', &pair))
        return false;
    if (!str_cut(pair, '=', ret_name, ret_value)) {
        *ret_name = pair;
        *ret_value = STR("");
    }
    return true;
}

static struct str request_tag(struct condition_values *values, struct str rest)
{
    struct str packed = said_of(values).tags;
    struct str tags = header(values, STR("x-amz-tagging"));
    struct str name;
    struct str value;

    if (str_present(packed))
        return pairs_get(packed, rest);
    while (next_tag(&tags, &name, &value))
        if (str_eq(form_decode(name, values->text, sizeof(values->text)), rest))
            return form_decode(value, values->text, sizeof(values->text));
    return STR_NONE;
}

/* More keys than there may be, or longer ones, are refused whoever asks: their number is enough. */
static size_t request_tag_keys(struct condition_values *values)
{
    struct str packed = said_of(values).tags;
    struct str tags = header(values, STR("x-amz-tagging"));
    struct str name;
    struct str value;
    size_t used = 0;
    size_t count = 0;

    while (count < CONDITION_VALUES_MAX && pairs_next(&packed, &name, &value))
        values->values[count++] = name;
    if (count > 0)
        return count;
    while (count < CONDITION_VALUES_MAX && next_tag(&tags, &name, &value)) {
        if (name.len == 0)
            continue;
        name = form_decode(name, values->text + used, sizeof(values->text) - used);
        values->values[count++] = name;
        used += name.len;
    }
    return count;
}

/* ---- the object ------------------------------------------------------------------------------ */

static struct str existing_tag(struct condition_values *values, struct str rest)
{
    return pairs_get(values->request->resource.object_tags, rest);
}

/* ---- the bucket ------------------------------------------------------------------------------ */

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html */
static struct str bucket_tag(struct condition_values *values, struct str rest)
{
    return pairs_get(values->request->resource.bucket_tags, rest);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct {
    struct str name;
    value_function *value;
} keys[] = {
    { STR_INIT("aws:CurrentTime"), current_time },
    { STR_INIT("aws:EpochTime"), epoch_time },
    { STR_INIT("aws:PrincipalAccount"), principal_account },
    { STR_INIT("aws:PrincipalArn"), principal_arn },
    { STR_INIT("aws:PrincipalIsAWSService"), principal_is_service },
    { STR_INIT("aws:PrincipalServiceName"), principal_service },
    { STR_INIT("aws:PrincipalType"), principal_type },
    { STR_INIT("aws:Referer"), referer },
    { STR_INIT("aws:RequestedRegion"), region },
    { STR_INIT("aws:ResourceAccount"), resource_account },
    { STR_INIT("aws:ResourceTag/"), bucket_tag },
    { STR_INIT("aws:SecureTransport"), secure_transport },
    { STR_INIT("aws:SourceAccount"), source_account },
    { STR_INIT("aws:SourceArn"), source_arn },
    { STR_INIT("aws:SourceIp"), source_ip },
    { STR_INIT("aws:UserAgent"), user_agent },
    { STR_INIT("aws:ViaAWSService"), never },
    { STR_INIT("aws:userid"), user_id },
    { STR_INIT("aws:username"), user_name },
    { STR_INIT("s3:BucketTag/"), bucket_tag },
    { STR_INIT("s3:ExistingObjectTag/"), existing_tag },
    { STR_INIT("s3:ObjectCreationOperation"), creates_object },
    { STR_INIT("s3:RequestObjectTag/"), request_tag },
    { STR_INIT("s3:ResourceAccount"), resource_account },
    { STR_INIT("s3:TlsVersion"), tls_version },
    { STR_INIT("s3:VersionId"), version_id },
    { STR_INIT("s3:authType"), auth_type },
    { STR_INIT("s3:delimiter"), delimiter },
    { STR_INIT("s3:if-match"), if_match },
    { STR_INIT("s3:if-none-match"), if_none_match },
    { STR_INIT("s3:max-keys"), max_keys },
    { STR_INIT("s3:object-lock-legal-hold"), legal_hold },
    { STR_INIT("s3:object-lock-mode"), lock_mode },
    { STR_INIT("s3:object-lock-remaining-retention-days"), lock_days },
    { STR_INIT("s3:object-lock-retain-until-date"), lock_date },
    { STR_INIT("s3:prefix"), prefix },
    { STR_INIT("s3:signatureAge"), signature_age },
    { STR_INIT("s3:signatureversion"), signature_version },
};

static bool is_row(struct str name, struct str key, struct str *ret_rest)
{
    bool open = str_ends(name, STR("/"));

    if (open ? !str_starts_nocase(key, name) : !str_eq_nocase(key, name))
        return false;
    *ret_rest = str_skip(key, name.len);
    return true;
}

bool condition_look_up(void *context, struct str key, struct policy_values *ret_values)
{
    struct condition_values *values = context;
    struct str value = STR_NONE;
    struct str rest;

    if (str_eq_nocase(key, STR("s3:RequestObjectTagKeys"))) {
        *ret_values = (struct policy_values){ values->values, request_tag_keys(values) };
        return ret_values->count > 0;
    }
    for (size_t i = 0; i < COUNT_OF(keys) && !str_present(value); i++) {
        if (is_row(keys[i].name, key, &rest))
            value = keys[i].value(values, rest);
    }
    if (!str_present(value) && str_starts_nocase(key, HEADER_PREFIX))
        value = header(values, str_skip(key, STR("s3:").len));
    values->values[0] = value;
    *ret_values = (struct policy_values){ .values = values->values, .count = str_present(value) };
    return str_present(value);
}
