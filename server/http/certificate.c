/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a certificate file says about whom it is for and who vouches for it; see http.h.
 */
#include <fcntl.h>
#include <gnutls/x509.h>

#include "base/file.h"
#include "server/http/internal.h"

#define FILE_BYTES_MAX (256 * 1024)

/* The first DNS name or address among the alternative names, else the subject's common name. */
static void read_name(gnutls_x509_crt_t certificate, char *out, size_t room)
{
    size_t len = room;

    for (unsigned i = 0; i < 64; i++) {
        int type;

        len = room;
        type = gnutls_x509_crt_get_subject_alt_name(certificate, i, out, &len, NULL);
        if (type == GNUTLS_SAN_DNSNAME)
            return;
        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            break;
    }

    len = room;
    if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, out, &len) !=
        0)
        out[0] = '\0';
}

static void read_facts(gnutls_x509_crt_t *chain, unsigned count, struct str host,
                       struct http_certificate_facts *facts)
{
    char text[HTTP_CERTIFICATE_NAME_MAX];
    size_t len = sizeof(facts->issuer);

    for (unsigned i = 0; i < count; i++) {
        if (gnutls_x509_crt_check_issuer(chain[i], chain[i]) == 1)
            facts->complete = true;
    }
    if (gnutls_x509_crt_get_issuer_dn(chain[count - 1], facts->issuer, &len) != 0)
        facts->issuer[0] = '\0';
    read_name(chain[0], facts->name, sizeof(facts->name));

    facts->for_localhost = gnutls_x509_crt_check_hostname(chain[0], "localhost") != 0;
    if (host.len < sizeof(text)) {
        memcpy(text, host.p, host.len);
        text[host.len] = '\0';
        facts->for_host = gnutls_x509_crt_check_hostname(chain[0], text) != 0;
    }
}

bool http_certificate_facts(struct str path, struct str host,
                            struct http_certificate_facts *ret_facts)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(FILE_BYTES_MAX);
    struct http_certificate_facts facts = { 0 };
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    gnutls_datum_t text;

    if (file_read_all(AT_FDCWD, path.p, &content) < 0)
        return false;
    text = (gnutls_datum_t){ (unsigned char *)content.p, (unsigned)content.len };
    if (gnutls_x509_crt_list_import2(&chain, &count, &text, GNUTLS_X509_FMT_PEM, 0) < 0)
        return false;

    if (count > 0)
        read_facts(chain, count, host, &facts);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    if (count == 0)
        return false;

    *ret_facts = facts;
    return true;
}
