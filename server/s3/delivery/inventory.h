/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inventories that are due.
 *
 * (1) A configuration that is enabled has one report for each day, or for each week from its Sunday on, in UTC, by
 *     the store's clock. The first is due as soon as it is put.
 * (2) What was delivered is told by the reports themselves (inventory_report.h): nothing else is kept, so that a
 *     server that was killed, or away for a week, goes on with what is due now.
 */
#ifndef SERVER_S3_DELIVERY_INVENTORY_H
#define SERVER_S3_DELIVERY_INVENTORY_H

#include "server/s3/delivery/errands.h"

struct inventory_round {
    size_t enabled;   /* configurations */
    size_t delivered; /* reports, in this round */
    size_t failed;
    bool stopped;
};

/* Deliver all that is due, in all stores. Waits for the disk. */
struct inventory_round inventory_run(const struct errands *errands);

/* When the day, or week, of a moment began. Pure. */
int64_t inventory_period_us(int64_t now_us, bool weekly);

#endif
