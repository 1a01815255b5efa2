/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of what access_rules.h has, and of actions (actions.def).
 */
#include "server/auth/access.h"

static const struct str ownerships[] = {
    [OWNERSHIP_OBJECT_WRITER] = STR_INIT("ObjectWriter"),
    [OWNERSHIP_OWNER_PREFERRED] = STR_INIT("BucketOwnerPreferred"),
    [OWNERSHIP_OWNER_ENFORCED] = STR_INIT("BucketOwnerEnforced"),
};

/* Bit i is number i. */
static const struct str blocks[] = {
    STR_INIT("BlockPublicAcls"),
    STR_INIT("IgnorePublicAcls"),
    STR_INIT("BlockPublicPolicy"),
    STR_INIT("RestrictPublicBuckets"),
};

enum object_ownership ownership_from_name(struct str name)
{
    for (size_t i = OWNERSHIP_OBJECT_WRITER; i < COUNT_OF(ownerships); i++)
        if (str_eq(name, ownerships[i]))
            return (enum object_ownership)i;
    return OWNERSHIP_UNSET;
}

unsigned public_access_block_from_name(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(blocks); i++)
        if (str_eq(name, blocks[i]))
            return 1u << i;
    return 0;
}

struct str public_access_block_name(size_t i)
{
    return i < COUNT_OF(blocks) ? blocks[i] : STR_NONE;
}

/* ---- actions --------------------------------------------------------------------------------- */

static const struct str action_names[ACCESS_ACTIONS] = {
#define A(SERVICE, NAME, GRANT, RIGHT) [ACTION_##NAME] = STR_INIT(#SERVICE ":" #NAME),
#include "server/auth/actions.def"
#undef A
};

struct str access_action_name(enum access_action action)
{
    return action_names[action];
}
