/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bucket's access log, as its configuration says.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
 */
#ifndef SERVER_S3_DELIVERY_LOGGING_H
#define SERVER_S3_DELIVERY_LOGGING_H

#include "server/auth/acl.h"
#include "server/records/record.h"

struct bucket_logging {
    struct log_target target;
    const struct acl_grant *grants; /* given on each log, besides the bucket owner's full control */
    size_t grant_count;
};

#endif
