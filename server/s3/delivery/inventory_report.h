/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One report of an inventory: CSV files, compressed, a manifest that names them, and its checksum.
 *
 *   PREFIX/SOURCE/ID/data/UUID.csv.gz ...
 *   PREFIX/SOURCE/ID/YYYY-MM-DDTHH-MMZ/manifest.json
 *   PREFIX/SOURCE/ID/YYYY-MM-DDTHH-MMZ/manifest.checksum
 *
 * (1) Memory is bounded by a page of a listing, whatever the bucket holds.
 * (2) The checksum is written last: who finds it finds the whole report.
 * (3) Names depend on what is reported and for which day alone. A report that was not finished is begun again,
 *     over the files of before.
 * (4) Pages are read one after the other, as a client lists: what is changed meanwhile is there or not.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
 */
#ifndef SERVER_S3_DELIVERY_INVENTORY_REPORT_H
#define SERVER_S3_DELIVERY_INVENTORY_REPORT_H

#include "server/s3/delivery/errands.h"
#include "server/s3/delivery/inventory_rule.h"

#define INVENTORY_FILE_ROWS_MAX 1000000 /* then the next file begins */
#define INVENTORY_FILES_MAX 10000

struct inventory_task {
    const struct errands *errands;
    struct loop_store *at;
    const struct bucket *source;
    const struct lifecycle *lifecycle; /* of the source; NULL: none */
    const struct inventory_rule *rule;
    int64_t period_us;  /* begin of the day, or week, that it is of */
    uint64_t file_rows; /* INVENTORY_FILE_ROWS_MAX */
};

enum inventory_outcome {
    INVENTORY_DELIVERED,
    INVENTORY_THERE,   /* was delivered before */
    INVENTORY_FAILED,  /* and the log says why */
    INVENTORY_STOPPED, /* errands->go_on said so */
};

/* Waits for the disk. */
MUST_CHECK enum inventory_outcome inventory_report(const struct inventory_task *task);

#endif
