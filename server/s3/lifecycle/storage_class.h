/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage classes: their names, and how they stand to each other. The numbers are stored.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
 */
#ifndef SERVER_S3_LIFECYCLE_STORAGE_CLASS_H
#define SERVER_S3_LIFECYCLE_STORAGE_CLASS_H

#include "base/text/str.h"

struct str storage_class_name(uint8_t number);
/* False: unknown. "" or STR_NONE is STANDARD. */
MUST_CHECK bool storage_class_parse(struct str name, uint8_t *ret_number);

/* GLACIER and DEEP_ARCHIVE: what is there is read after it was restored. */
bool storage_class_is_archive(uint8_t number);
/* A lifecycle may move what lies in `from` there. */
bool storage_class_is_colder(uint8_t number, uint8_t from);
/* A lifecycle may move versions there at all. */
bool storage_class_is_target(uint8_t number);
/* So many days at least before a lifecycle may. */
uint32_t storage_class_days_min(uint8_t number);

#endif
