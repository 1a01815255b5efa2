/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in an archive (GLACIER, DEEP_ARCHIVE) and is read only after RestoreObject, for a time. Where
 * s3_options.archive_readable is set it is read like all the rest. The loop's thread.
 *
 * A restored copy needs no work: the version notes from when and until when it is there.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
 */
#ifndef SERVER_S3_LIFECYCLE_ARCHIVE_H
#define SERVER_S3_LIFECYCLE_ARCHIVE_H

#include "server/s3/op.h"

/* What is with a restored copy that is there from ready_us (0: none was asked for) to until_us. Pure. */
enum restore { RESTORE_NONE, RESTORE_ONGOING, RESTORE_DONE };
enum restore archive_restore(int64_t ready_us, int64_t until_us, int64_t now_us);

/* InvalidObjectState for a version that can not be read now. */
MUST_CHECK enum s3_error archive_for_reading(struct op *op);
/* ObjectNotInActiveTierError for the source of a copy. */
MUST_CHECK enum s3_error archive_for_source(struct op *op);
/* x-amz-restore, where a restore was asked for and is not over. */
void archive_tell(struct op *op, const struct version *version);

#endif
