/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an inventory configuration says: judged when it is put, read again when it is due.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_InventoryConfiguration.html
 */
#ifndef SERVER_S3_DELIVERY_INVENTORY_RULE_H
#define SERVER_S3_DELIVERY_INVENTORY_RULE_H

#include "server/xml/xml.h"

/* The optional columns, in the order in which a report has them. */
enum inventory_field {
#define F(NAME) INVENTORY_##NAME,
#include "server/s3/delivery/inventory_fields.def"
#undef F
    INVENTORY_FIELDS
};
struct str inventory_field_name(enum inventory_field field); /* "Size" */

enum inventory_encryption { INVENTORY_AS_BUCKET = 0, INVENTORY_SSE_S3, INVENTORY_SSE_KMS };

/* Its texts are those of the document's tree. */
struct inventory_rule {
    struct str id;
    bool enabled;
    bool all_versions;             /* else the current ones */
    bool weekly;                   /* else daily */
    struct str prefix;             /* of the keys that are told; "" for all */
    uint32_t fields;               /* 1u << enum inventory_field */
    struct str destination;        /* a bucket's name */
    struct str account;            /* it has to belong to; STR_NONE: not said */
    struct str destination_prefix; /* "" for none */
    enum inventory_encryption encryption;
    struct str kms_key; /* of SSE_KMS */
};

enum inventory_verdict {
    INVENTORY_GOOD = 0,
    INVENTORY_MALFORMED,
    INVENTORY_BAD_DESTINATION, /* its ARN is none of a bucket */
    INVENTORY_NOT_CSV,         /* a format that is not delivered here */
};

/* root: of the document's tree. ret_rule is set where it is INVENTORY_GOOD. Pure; any thread. */
MUST_CHECK enum inventory_verdict inventory_rule_parse(const struct xml_node *root,
                                                       struct inventory_rule *ret_rule);

#endif
