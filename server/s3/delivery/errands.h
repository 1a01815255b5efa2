/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the deliverer's thread works with (deliverer.h), for what it does there.
 */
#ifndef SERVER_S3_DELIVERY_ERRANDS_H
#define SERVER_S3_DELIVERY_ERRANDS_H

#include "server/s3/loop_stores.h"

/* All borrowed. */
struct errands {
    const struct s3_options *options;
    struct loop_stores *stores;
    struct credentials *credentials;
    /*
     * Asked by work that takes long, now and then, outside of reader_begin: other work is done meanwhile. False:
     * the server is to stop, give up.
     */
    bool (*go_on)(void *context, const struct errands *errands);
    void *context;
};

#endif
