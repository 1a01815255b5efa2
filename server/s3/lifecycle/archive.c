/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives and RestoreObject; see archive.h.
 */
#include "server/s3/lifecycle/archive.h"

#include "server/s3/answer.h"
#include "server/s3/lifecycle/rules.h"
#include "server/s3/lifecycle/storage_class.h"
#include "server/s3/refuse.h"
#include "server/s3/request/document_body.h"
#include "server/s3/store_map.h"

/* ---- reading ------------------------------------------------------------------------------------- */

enum restore archive_restore(int64_t ready_us, int64_t until_us, int64_t now_us)
{
    if (ready_us == 0 || until_us <= now_us)
        return RESTORE_NONE;
    return ready_us > now_us ? RESTORE_ONGOING : RESTORE_DONE;
}

static enum restore restore_of(const struct op *op, const struct version *version)
{
    return archive_restore(version->restore_ready_us, version->restored_until_us,
                           clock_now_us(store_clock(op->store)));
}

static bool can_be_read(const struct op *op, const struct version *version)
{
    return !storage_class_is_archive(version->attrs.storage_class) ||
           op->options->archive_readable || restore_of(op, version) == RESTORE_DONE;
}

enum s3_error archive_for_reading(struct op *op)
{
    return can_be_read(op, &op->version)
               ? S3_OK
               : op_fail(op, S3_InvalidObjectState,
                         storage_class_name(op->version.attrs.storage_class));
}

enum s3_error archive_for_source(struct op *op)
{
    return can_be_read(op, &op->source) ? S3_OK : op_fail(op, S3_ObjectNotInActiveTierError);
}

void archive_tell(struct op *op, const struct version *version)
{
    char date[CLOCK_HTTP_LEN + 1];

    switch (restore_of(op, version)) {
    case RESTORE_NONE:
        return;
    case RESTORE_ONGOING:
        op_set(op, "x-amz-restore", STR("ongoing-request=\"true\""));
        return;
    case RESTORE_DONE:
        clock_format_http(version->restored_until_us, date);
        op_set(op, "x-amz-restore",
               arena_printf(op->arena, "ongoing-request=\"false\", expiry-date=\"%s\"", date));
    }
}

/* ---- restoring ----------------------------------------------------------------------------------- */

static bool is_tier(struct str tier)
{
    return str_eq(tier, STR("Standard")) || str_eq(tier, STR("Bulk")) ||
           str_eq(tier, STR("Expedited"));
}

/* Which says how soon it is there: all tiers are as soon here. */
static enum s3_error check_tier(struct op *op, const struct xml_node *root)
{
    static const struct xml_expected children[] = { { "Tier", true, false } };
    const struct xml_node *parameters = xml_child(root, STR("GlacierJobParameters"));
    const struct xml_node *said = xml_child(root, STR("Tier"));
    struct str tier;

    if (parameters != NULL && !xml_has_only(parameters, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    if (parameters == NULL && said == NULL)
        return S3_OK;
    tier = xml_child_text(parameters != NULL ? parameters : root, STR("Tier"));
    if (!is_tier(tier))
        return op_fail(op, S3_MalformedXML);
    return str_eq(tier, STR("Expedited")) &&
                   str_eq(storage_class_name(op->version.attrs.storage_class), STR("DEEP_ARCHIVE"))
               ? op_fail_argument(op,
                                  STR("Retrieval option is not supported by this storage class"),
                                  STR("Tier"), tier)
               : S3_OK;
}

static enum s3_error read_request(struct op *op, uint64_t *ret_days)
{
    static const struct xml_expected children[] = { { "Days", true, false },
                                                    { "GlacierJobParameters", false, false },
                                                    { "Tier", false, false },
                                                    { "Description", false, false } };
    const struct xml_node *root;
    struct str days;
    enum s3_error err = op_xml(op, STR("RestoreRequest"), &root);

    if (err != S3_OK)
        return err;
    if (str_eq(xml_child_text(root, STR("Type")), STR("SELECT")))
        return op_fail(op, S3_NotImplemented, STR("Type"));
    if (!xml_has_only(root, children, COUNT_OF(children)))
        return op_fail(op, S3_MalformedXML);
    days = xml_child_text(root, STR("Days"));
    if (!str_to_u64(days, ret_days) || *ret_days < 1 || *ret_days > LIFECYCLE_DAYS_MAX)
        return op_fail_argument(op, STR("restoration days should be at least 1"), STR("Days"),
                                days);
    return check_tier(op, root);
}

/* The one that is there already is kept for other days. */
static enum s3_error reply_again(struct op *op)
{
    return op_reply_status(op, 200);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html */
enum s3_error op_RestoreObject(struct op *op)
{
    struct intent *intent = op_intent(op, INTENT_OBJECT_SET);
    int64_t now_us = clock_now_us(store_clock(op->store));
    enum restore restore = restore_of(op, &op->version);
    struct intent_object_set set = { .version = version_id_of(&op->version),
                                     .judged = &op->version,
                                     .set_restore = true };
    uint64_t days;
    enum s3_error err;

    if (intent == NULL)
        return op_fail(op, S3_SlowDown);
    err = read_request(op, &days);
    if (err != S3_OK)
        return err;
    if (!storage_class_is_archive(op->version.attrs.storage_class))
        return op_fail_text(op, S3_InvalidObjectState,
                            STR("Restore is not allowed for the object's current storage class"),
                            storage_class_name(op->version.attrs.storage_class));
    if (restore == RESTORE_ONGOING)
        return op_fail(op, S3_RestoreAlreadyInProgress);

    set.restore_ready_us = restore == RESTORE_DONE ? op->version.restore_ready_us
                                                   : now_us + op->options->restore_delay_us;
    set.restored_until_us =
        lifecycle_midnight(restore == RESTORE_DONE ? now_us : set.restore_ready_us, (uint32_t)days,
                           op->options->lifecycle_day_us);
    intent->object_set = set;
    intent->origin.event = STR("ObjectRestore:Post");
    return op_submit(op, intent, restore == RESTORE_DONE ? reply_again : op_reply_empty);
}
