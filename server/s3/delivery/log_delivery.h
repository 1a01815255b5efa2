/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access logs from memory into buckets.
 *
 * (1) Each group of lines becomes one object in its target bucket, if the target is still the same owner's and
 *     log delivery may write to it. Otherwise the lines are lost, and the log says why.
 * (2) It is best effort, as on AWS: what is in memory when the process is killed is lost.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
 */
#ifndef SERVER_S3_DELIVERY_LOG_DELIVERY_H
#define SERVER_S3_DELIVERY_LOG_DELIVERY_H

#include "server/s3/bucket_config.h"
#include "server/s3/delivery/errands.h"
#include "server/s3/delivery/log_lines.h"

/* Deliver all that waits, and leave none. Waits for the disk. */
void log_delivery_run(const struct errands *errands, struct log_lines *lines);

/* May no log be delivered there, whoever allows it? In S3's words; STR_NONE: it may. */
struct str log_target_problem(const struct bucket_config *target);

#endif
