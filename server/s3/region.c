/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions; see region.h.
 */
#include "server/s3/region.h"

#include "server/s3/refuse.h"

#define R(name)                                                                                    \
    {                                                                                              \
        "" name, sizeof(name) - 1                                                                  \
    }
/* https://docs.aws.amazon.com/general/latest/gr/s3.html, all partitions. */
static const struct str regions[] = {
    R("us-east-1"),      R("us-east-2"),       R("us-west-1"),      R("us-west-2"),
    R("af-south-1"),     R("ap-east-1"),       R("ap-east-2"),      R("ap-northeast-1"),
    R("ap-northeast-2"), R("ap-northeast-3"),  R("ap-south-1"),     R("ap-south-2"),
    R("ap-southeast-1"), R("ap-southeast-2"),  R("ap-southeast-3"), R("ap-southeast-4"),
    R("ap-southeast-5"), R("ap-southeast-6"),  R("ap-southeast-7"), R("ca-central-1"),
    R("ca-west-1"),      R("eu-central-1"),    R("eu-central-2"),   R("eu-north-1"),
    R("eu-south-1"),     R("eu-south-2"),      R("eu-west-1"),      R("eu-west-2"),
    R("eu-west-3"),      R("il-central-1"),    R("me-central-1"),   R("me-south-1"),
    R("me-west-1"),      R("mx-central-1"),    R("sa-east-1"),      R("sa-west-1"),
    R("cn-north-1"),     R("cn-northwest-1"),  R("us-gov-east-1"),  R("us-gov-west-1"),
    R("us-iso-east-1"),  R("us-iso-west-1"),   R("us-isob-east-1"), R("us-isob-west-1"),
    R("us-isof-east-1"), R("us-isof-south-1"), R("eu-isoe-west-1"), R("eusc-de-east-1"),
};

bool region_known(struct str name, struct str own)
{
    if (name.len == 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(regions); i++)
        if (str_eq(regions[i], name))
            return true;
    return str_eq(name, own);
}

bool region_known_nocase(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(regions); i++)
        if (str_eq_nocase(regions[i], name))
            return true;
    return false;
}

struct str region_constraint(const struct op *op, const struct bucket *bucket)
{
    return bucket->region.len > 0 ? bucket->region : op->options->auth.region;
}

struct str region_of(const struct op *op, const struct bucket *bucket)
{
    struct str constraint = region_constraint(op, bucket);

    return str_eq(constraint, REGION_EU_OLD) ? STR("eu-west-1") : constraint;
}

static enum s3_error illegal(struct op *op, struct str constraint)
{
    return op_fail_text(op, S3_IllegalLocationConstraintException,
                        arena_printf(op->arena,
                                     "The %.*s location constraint is incompatible for the region "
                                     "specific endpoint this request was sent to.",
                                     STR_ARG(constraint)));
}

/*
 * As the endpoint of one region answers. That of us-east-1 takes no name for its own region; AWS's
 * makes buckets in other regions too, ours would then refuse every request signed for them.
 */
static enum s3_error strict(struct op *op, struct str constraint, struct str own)
{
    bool creator = str_eq(own, REGION_CREATOR);

    if (constraint.len == 0)
        return creator ? S3_OK : illegal(op, STR("unspecified"));
    if (creator && (str_eq(constraint, own) ||
                    (!region_known(constraint, own) && !str_eq(constraint, REGION_EU_OLD))))
        return op_fail(op, S3_InvalidLocationConstraint, constraint);
    if (str_eq(constraint, own) ||
        (str_eq(constraint, REGION_EU_OLD) && str_eq(own, STR("eu-west-1"))))
        return S3_OK;
    return illegal(op, constraint);
}

enum s3_error region_for_new_bucket(struct op *op, struct str constraint, struct str *ret_region)
{
    struct str own = op->options->auth.region;
    enum s3_error err = S3_OK;

    if (op->options->auth.strict_region)
        err = strict(op, constraint, own);
    else if (constraint.len > 0 && !region_known(constraint, own) &&
             !str_eq(constraint, REGION_EU_OLD))
        err = op_fail(op, S3_InvalidLocationConstraint, constraint);
    if (err != S3_OK)
        return err;

    /* us-east-1 named at us-east-1 says no more than nothing: SDKs that always name one do it. */
    *ret_region = constraint.len == 0 || (str_eq(constraint, own) && str_eq(own, REGION_CREATOR))
                      ? STR("")
                      : constraint;
    return S3_OK;
}
