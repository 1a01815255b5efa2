/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The look over a document that parse.c takes before libxml2; see scan.c for what it refuses.
 */
#ifndef SERVER_XML_SCAN_H
#define SERVER_XML_SCAN_H

#include "base/fault.h"
#include "base/text/str.h"

/* document without a UTF-8 byte order mark. */
struct str xml_without_bom(struct str document);

/* True when libxml2 may see document (which has no byte order mark). Any thread. */
MUST_CHECK bool xml_scan(struct str document, struct fault *fault);

#endif
