/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object lock; see lock.h.
 */
#include "server/s3/request/lock.h"

#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/refuse.h"

#define MODE_HEADER "x-amz-object-lock-mode"
#define DATE_HEADER "x-amz-object-lock-retain-until-date"
#define HOLD_HEADER "x-amz-object-lock-legal-hold"

/* ---- words ------------------------------------------------------------------------------------- */

struct str lock_mode_name(uint8_t mode)
{
    return mode == LOCK_GOVERNANCE   ? STR("GOVERNANCE")
           : mode == LOCK_COMPLIANCE ? STR("COMPLIANCE")
                                     : STR_NONE;
}

bool lock_mode_parse(struct str name, uint8_t *ret_mode)
{
    *ret_mode = str_eq(name, STR("GOVERNANCE"))   ? LOCK_GOVERNANCE
                : str_eq(name, STR("COMPLIANCE")) ? LOCK_COMPLIANCE
                                                  : LOCK_NONE;
    return *ret_mode != LOCK_NONE;
}

bool legal_hold_parse(struct str name, uint8_t *ret_hold)
{
    *ret_hold = str_eq(name, STR("ON")) ? HOLD_ON : HOLD_OFF;
    return *ret_hold == HOLD_ON || str_eq(name, STR("OFF"));
}

/* No sooner than us, in the unit it is told in: what was told can be asked for again and shortens nothing. */
static int64_t until_us(int64_t us)
{
    return (us + US_PER_MS - 1) / US_PER_MS * US_PER_MS;
}

bool lock_date_parse(struct str text, int64_t *ret_us)
{
    int64_t us;

    if (!clock_parse_iso8601(text, &us))
        return false;
    *ret_us = until_us(us);
    return true;
}

enum s3_error lock_is_there(struct op *op)
{
    return op->config->lock.enabled
               ? S3_OK
               : op_fail_text(op, S3_InvalidRequest,
                              STR("Bucket is missing Object Lock Configuration"));
}

/* ---- new versions ------------------------------------------------------------------------------ */

static bool locks_by_header(const struct op *op)
{
    return str_present(op_header(op, MODE_HEADER)) || str_present(op_header(op, DATE_HEADER)) ||
           str_present(op_header(op, HOLD_HEADER));
}

static enum s3_error read_date(struct op *op, struct str text, int64_t *ret_us)
{
    if (!lock_date_parse(text, ret_us))
        return op_fail_argument(op,
                                STR("The retain until date must be provided in ISO 8601 format"),
                                STR(DATE_HEADER), text);
    if (*ret_us <= clock_now_us(store_clock(op->store)))
        return op_fail_argument(op, STR("The retain until date must be in the future!"),
                                STR(DATE_HEADER), text);
    return S3_OK;
}

static enum s3_error read_retention(struct op *op, struct version_attrs *attrs)
{
    struct str mode = op_header(op, MODE_HEADER);
    struct str date = op_header(op, DATE_HEADER);
    enum s3_error err;

    if (!str_present(mode) && !str_present(date))
        return S3_OK;
    if (!str_present(mode) || !str_present(date))
        return op_fail_argument(op, STR(DATE_HEADER " and " MODE_HEADER " must both be supplied"),
                                str_present(mode) ? STR(DATE_HEADER) : STR(MODE_HEADER), STR_NONE);
    if (!lock_mode_parse(mode, &attrs->lock_mode))
        return op_fail_argument(op, STR("Unknown wormMode directive."), STR(MODE_HEADER), mode);
    err = read_date(op, date, &attrs->retain_until_us);
    if (err == S3_OK) {
        const struct op_subject subject = op_subject(op);

        err = op_require(op, ACTION_PutObjectRetention, &subject);
    }
    return err;
}

static enum s3_error read_hold(struct op *op, struct version_attrs *attrs)
{
    const struct op_subject subject = op_subject(op);
    struct str text = op_header(op, HOLD_HEADER);

    if (!str_present(text))
        return S3_OK;
    if (!legal_hold_parse(text, &attrs->legal_hold))
        return op_fail_argument(op, STR("Legal Hold must be either of 'ON' or 'OFF'"),
                                STR(HOLD_HEADER), text);
    return op_require(op, ACTION_PutObjectLegalHold, &subject);
}

static void take_default(const struct op *op, struct version_attrs *attrs)
{
    const struct lock_rule *rule = &op->config->lock;

    if (rule->mode == LOCK_NONE || attrs->lock_mode != LOCK_NONE)
        return;
    attrs->lock_mode = (uint8_t)rule->mode;
    attrs->retain_until_us =
        until_us(clock_now_us(store_clock(op->store)) + (int64_t)rule->days * US_PER_DAY);
}

enum s3_error lock_of_new_object(struct op *op, struct version_attrs *attrs)
{
    enum s3_error err = S3_OK;

    attrs->lock_mode = LOCK_NONE;
    attrs->retain_until_us = 0;
    attrs->legal_hold = HOLD_NEVER_SET;
    if (locks_by_header(op)) {
        err = lock_is_there(op);
        if (err == S3_OK)
            err = read_retention(op, attrs);
        if (err == S3_OK)
            err = read_hold(op, attrs);
    }
    if (err == S3_OK)
        take_default(op, attrs);
    return err;
}

static bool brings_checksum(const struct op *op)
{
    for (size_t i = 0; i < op->request->field_count; i++) {
        struct str name = op->request->fields[i].name;

        if (str_eq_nocase(name, STR("content-md5")) || str_eq_nocase(name, STR("x-amz-trailer")) ||
            str_starts_nocase(name, STR("x-amz-checksum-")))
            return true;
    }
    return false;
}

enum s3_error lock_needs_checksum(struct op *op)
{
    if (!locks_by_header(op) || brings_checksum(op))
        return S3_OK;
    return op_fail_text(op, S3_InvalidRequest,
                        STR("Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object "
                            "requests with Object Lock parameters"));
}

/* ---- answers ----------------------------------------------------------------------------------- */

struct str lock_date(struct op *op, int64_t us)
{
    char *text = arena_alloc(op->arena, CLOCK_ISO8601_LEN + 1);

    if (text == NULL)
        return STR_NONE;
    clock_format_iso8601(us, text);
    return str_make(text, CLOCK_ISO8601_LEN);
}

void lock_tell(struct op *op, const struct version_attrs *attrs)
{
    struct op_subject subject = op_subject(op);

    if (attrs->lock_mode == LOCK_NONE && attrs->legal_hold == HOLD_NEVER_SET)
        return;
    subject.object = &op->version;
    if (attrs->lock_mode != LOCK_NONE && op_may(op, ACTION_GetObjectRetention, &subject)) {
        op_set(op, MODE_HEADER, lock_mode_name(attrs->lock_mode));
        op_set(op, DATE_HEADER, lock_date(op, attrs->retain_until_us));
    }
    if (attrs->legal_hold != HOLD_NEVER_SET && op_may(op, ACTION_GetObjectLegalHold, &subject))
        op_set(op, HOLD_HEADER, attrs->legal_hold == HOLD_ON ? STR("ON") : STR("OFF"));
}

bool lock_bypasses(const struct op *op, const struct op_subject *subject)
{
    return str_eq_nocase(op_header(op, "x-amz-bypass-governance-retention"), STR("true")) &&
           op_may(op, ACTION_BypassGovernanceRetention, subject);
}
