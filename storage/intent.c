/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several kinds of intents have, found in whichever one it is.
 */
#include "storage/intent.h"

static const struct intent_bytes *bytes_of(const struct intent *intent)
{
    static const struct intent_bytes none;

    switch (intent->kind) {
    case INTENT_OBJECT_PUT:
        return &intent->put.bytes;
    case INTENT_PART_PUT:
        return &intent->part.bytes;
    case INTENT_ANNOTATION_SET:
        return &intent->annotation.bytes;
    default:
        return &none;
    }
}

struct body_writer *intent_body(const struct intent *intent)
{
    return bytes_of(intent)->body;
}

const struct copy_source *intent_source(const struct intent *intent)
{
    return bytes_of(intent)->source;
}

struct intent_bytes *intent_bytes(struct intent *intent)
{
    return intent->kind == INTENT_OBJECT_PUT       ? &intent->put.bytes
           : intent->kind == INTENT_PART_PUT       ? &intent->part.bytes
           : intent->kind == INTENT_ANNOTATION_SET ? &intent->annotation.bytes
                                                   : NULL;
}
