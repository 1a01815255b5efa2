/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operation holds of the budget (budget.h): taken here, given back when it is done.
 */
#include "server/s3/op.h"

/* The same for all that the operation takes, whatever becomes known of its caller later. */
static void choose_share(struct op *op)
{
    if (op->held == 0)
        op->share = budget_share(op->budget, op_caller_id(op), op_peer_address(op));
}

bool op_hold(struct op *op, uint64_t bytes)
{
    choose_share(op);
    if (!budget_take(op->budget, op->share, bytes))
        return false;
    op->held += bytes;
    return true;
}

void op_charge(struct op *op, uint64_t bytes)
{
    choose_share(op);
    budget_charge(op->budget, op->share, bytes);
    op->held += bytes;
}

void op_give_back(struct op *op)
{
    if (op->held > 0)
        budget_give(op->budget, op->share, op->held);
    op->held = 0;
}
