/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS certificates: chosen per handshake, so that a reload needs no restart.
 *
 * (1) A certificate, once loaded, stays until the server ends: a handshake may still use it.
 *     Reloads are rare and each costs a few KiB.
 * (2) A reload that fails leaves the certificate in use as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdio.h>

#include "base/file.h"
#include "server/http/internal.h"

#define TLS_FILE_BYTES_MAX (256 * 1024)
#define TLS_CHAIN_MAX 16

/* 1.2 and 1.3 with GnuTLS' own choice of ciphers. */
static char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

struct http_certificate {
    struct http_certificate *older;
    gnutls_pcert_st chain[TLS_CHAIN_MAX];
    unsigned chain_len;
    gnutls_privkey_t key;
};

struct http_tls {
    char *cert_path, *key_path;
    _Atomic(struct http_certificate *) current;
    pthread_mutex_t reload_lock;
};

static void certificate_free(struct http_certificate *certificate)
{
    if (certificate == NULL)
        return;
    for (unsigned i = 0; i < certificate->chain_len; i++)
        gnutls_pcert_deinit(&certificate->chain[i]);
    if (certificate->key != NULL)
        gnutls_privkey_deinit(certificate->key);
    mem_free(certificate);
}

static bool read_datum(const char *path, struct buf *content, gnutls_datum_t *ret_datum,
                       struct fault *fault)
{
    int result = file_read_all(AT_FDCWD, path, content);

    if (result < 0) {
        errno = -result;
        return fault_errno_false(fault, "read '%s'", path);
    }
    ret_datum->data = (unsigned char *)content->p;
    ret_datum->size = (unsigned)content->len;
    return true;
}

static bool certificate_fill(struct http_certificate *certificate, const gnutls_datum_t *cert,
                             const gnutls_datum_t *key, struct fault *fault)
{
    int result;

    certificate->chain_len = TLS_CHAIN_MAX;
    result = gnutls_pcert_list_import_x509_raw(certificate->chain, &certificate->chain_len, cert,
                                               GNUTLS_X509_FMT_PEM, 0);
    if (result < 0) {
        certificate->chain_len = 0;
        return fault_false(fault, "TLS certificate: %s", gnutls_strerror(result));
    }
    result = gnutls_privkey_init(&certificate->key);
    if (result == 0)
        result =
            gnutls_privkey_import_x509_raw(certificate->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (result < 0)
        return fault_false(fault, "TLS key: %s", gnutls_strerror(result));
    return true;
}

/* The key must be the certificate's: sign with one, verify with the other. */
static bool certificate_matches(const struct http_certificate *certificate, struct fault *fault)
{
    unsigned char text[] = "pail";
    gnutls_datum_t data = { text, sizeof(text) };
    gnutls_datum_t signature = { NULL, 0 };
    int result;

    result = gnutls_privkey_sign_data(certificate->key, GNUTLS_DIG_SHA256, 0, &data, &signature);
    if (result == GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM || result == GNUTLS_E_CONSTRAINT_ERROR ||
        result == GNUTLS_E_INVALID_REQUEST)
        return true; /* EdDSA signs no digest; the handshake will tell */
    if (result == 0) {
        int algorithm =
            (int)gnutls_pk_to_sign(gnutls_pubkey_get_pk_algorithm(certificate->chain[0].pubkey,
                                                                  NULL),
                                   GNUTLS_DIG_SHA256);

        result = gnutls_pubkey_verify_data2(certificate->chain[0].pubkey,
                                            (gnutls_sign_algorithm_t)algorithm, 0, &data,
                                            &signature);
    }
    gnutls_free(signature.data);
    if (result < 0)
        return fault_false(fault, "TLS key and certificate do not belong together: %s",
                           gnutls_strerror(result));
    return true;
}

static struct http_certificate *certificate_load(const struct http_tls *tls, struct fault *fault)
{
    CLEANUP(buf_free) struct buf cert_text = BUF_WITH_MAX(TLS_FILE_BYTES_MAX);
    CLEANUP(buf_free) struct buf key_text = BUF_WITH_MAX(TLS_FILE_BYTES_MAX);
    struct http_certificate *certificate;
    gnutls_datum_t cert;
    gnutls_datum_t key;

    if (!read_datum(tls->cert_path, &cert_text, &cert, fault) ||
        !read_datum(tls->key_path, &key_text, &key, fault))
        return NULL;
    certificate = mem_zalloc(sizeof(*certificate));
    if (certificate == NULL) {
        fault_note(fault, "out of memory");
        return NULL;
    }
    if (!certificate_fill(certificate, &cert, &key, fault) ||
        !certificate_matches(certificate, fault)) {
        certificate_free(certificate);
        return NULL;
    }
    return certificate;
}

/* On the loop's thread, in a handshake. */
static int certificate_choose(gnutls_session_t session, const gnutls_datum_t *authorities,
                              int authority_count, const gnutls_pk_algorithm_t *algorithms,
                              int algorithm_count, gnutls_pcert_st **ret_chain,
                              unsigned *ret_chain_len, gnutls_privkey_t *ret_key)
{
    struct http_loop *loop = http_loop_current;
    struct http_certificate *certificate;

    (void)session;
    (void)authorities;
    (void)authority_count;
    (void)algorithms;
    (void)algorithm_count;
    if (loop == NULL || loop->server->tls == NULL)
        return -1;
    certificate = atomic_load_explicit(&loop->server->tls->current, memory_order_acquire);
    *ret_chain = certificate->chain;
    *ret_chain_len = certificate->chain_len;
    *ret_key = certificate->key;
    return 0;
}

void http_tls_options(struct MHD_OptionItem options[2])
{
    options[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK, 0,
                                          (void *)(uintptr_t)certificate_choose };
    options[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, tls_priorities };
}

bool http_tls_reload(struct http_tls *tls, struct fault *fault)
{
    struct http_certificate *certificate;

    (void)pthread_mutex_lock(&tls->reload_lock);
    certificate = certificate_load(tls, fault);
    if (certificate != NULL) {
        certificate->older = atomic_load(&tls->current);
        atomic_store_explicit(&tls->current, certificate, memory_order_release);
    }
    (void)pthread_mutex_unlock(&tls->reload_lock);
    return certificate != NULL;
}

struct http_tls *http_tls_open(struct str cert_path, struct str key_path, struct fault *fault)
{
    struct http_tls *tls;

    if (cert_path.len == 0 || key_path.len == 0) {
        fault_note(fault, "TLS needs a certificate file and a key file");
        return NULL;
    }
    tls = mem_zalloc(sizeof(*tls));
    if (tls == NULL) {
        fault_note(fault, "out of memory");
        return NULL;
    }
    (void)pthread_mutex_init(&tls->reload_lock, NULL);
    atomic_init(&tls->current, NULL);
    tls->cert_path = mem_cstr(cert_path);
    tls->key_path = mem_cstr(key_path);
    if (tls->cert_path == NULL || tls->key_path == NULL || !http_tls_reload(tls, fault)) {
        http_tls_close(tls);
        return NULL;
    }
    return tls;
}

void http_tls_close(struct http_tls *tls)
{
    struct http_certificate *certificate;

    if (tls == NULL)
        return;
    certificate = atomic_load(&tls->current);
    while (certificate != NULL) {
        struct http_certificate *older = certificate->older;

        certificate_free(certificate);
        certificate = older;
    }
    (void)pthread_mutex_destroy(&tls->reload_lock);
    mem_free(tls->cert_path);
    mem_free(tls->key_path);
    mem_free(tls);
}

/* ---- what was agreed on ----------------------------------------------------------------------- */

/* OpenSSL's names, which S3 uses, of GnuTLS' parts. */
static const struct {
    gnutls_cipher_algorithm_t cipher;
    const char *name; /* within a name of TLS 1.2 */
    const char *tls13_name;
} ciphers[] = {
    { GNUTLS_CIPHER_AES_128_GCM, "AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256" },
    { GNUTLS_CIPHER_AES_256_GCM, "AES256-GCM-SHA384", "TLS_AES_256_GCM_SHA384" },
    { GNUTLS_CIPHER_CHACHA20_POLY1305, "CHACHA20-POLY1305", "TLS_CHACHA20_POLY1305_SHA256" },
    { GNUTLS_CIPHER_AES_128_CCM, "AES128-CCM", "TLS_AES_128_CCM_SHA256" },
    { GNUTLS_CIPHER_AES_256_CCM, "AES256-CCM", NULL },
    { GNUTLS_CIPHER_AES_128_CBC, "AES128-SHA", NULL },
    { GNUTLS_CIPHER_AES_256_CBC, "AES256-SHA", NULL },
};

static const char *exchange_name(gnutls_kx_algorithm_t kx)
{
    switch (kx) {
    case GNUTLS_KX_ECDHE_RSA:
        return "ECDHE-RSA-";
    case GNUTLS_KX_ECDHE_ECDSA:
        return "ECDHE-ECDSA-";
    case GNUTLS_KX_DHE_RSA:
        return "DHE-RSA-";
    default:
        return "";
    }
}

static void name_cipher(gnutls_session_t session, bool tls13, struct http_tls_facts *facts)
{
    gnutls_cipher_algorithm_t cipher = gnutls_cipher_get(session);
    const char *name = gnutls_cipher_get_name(cipher);

    for (size_t i = 0; i < COUNT_OF(ciphers); i++)
        if (ciphers[i].cipher == cipher && (!tls13 || ciphers[i].tls13_name != NULL))
            name = tls13 ? ciphers[i].tls13_name : ciphers[i].name;
    (void)snprintf(facts->cipher, sizeof(facts->cipher), "%s%s",
                   tls13 ? "" : exchange_name(gnutls_kx_get(session)), name);
}

bool http_tls_facts(const struct http_exchange_view *view, struct http_tls_facts *ret_facts)
{
    const struct http_exchange *x = (const struct http_exchange *)view;
    const union MHD_ConnectionInfo *info;
    gnutls_session_t session;
    bool tls13;

    if (!x->request.tls)
        return false;
    info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info == NULL)
        return false;
    session = (gnutls_session_t)info->tls_session;
    tls13 = x->request.tls_minor == 3;
    (void)snprintf(ret_facts->version, sizeof(ret_facts->version), "%s",
                   tls13 ? "TLSv1.3" : "TLSv1.2");
    name_cipher(session, tls13, ret_facts);
    return true;
}

uint8_t http_tls_minor(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_PROTOCOL);

    switch (info != NULL ? info->protocol : GNUTLS_VERSION_UNKNOWN) {
    case GNUTLS_TLS1_2:
        return 2;
    case GNUTLS_TLS1_3:
        return 3;
    default:
        return 0;
    }
}
