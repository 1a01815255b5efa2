/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of TLS; see client.h.
 */
#include "server/http/client.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/text/buf.h"

#define HOST_BYTES_MAX 256

struct tls_client {
    gnutls_session_t session;
    gnutls_certificate_credentials_t trusted;
    char host[HOST_BYTES_MAX];
};

static bool failed(struct fault *fault, int result)
{
    return fault_false(fault, "TLS: %s", gnutls_strerror(result));
}

static bool set_trust(struct tls_client *client, enum tls_trust trust, struct str file,
                      struct fault *fault)
{
    int result = gnutls_certificate_allocate_credentials(&client->trusted);

    if (result < 0)
        return failed(fault, result);
    if (trust == TLS_TRUST_SYSTEM)
        result = gnutls_certificate_set_x509_system_trust(client->trusted);
    else if (trust == TLS_TRUST_FILE)
        result =
            gnutls_certificate_set_x509_trust_file(client->trusted, file.p, GNUTLS_X509_FMT_PEM);
    if (result < 0)
        return fault_false(fault, "the trusted certificates can not be read: %s",
                           gnutls_strerror(result));

    return true;
}

/* Names of addresses are not asked for: RFC 6066, 3. */
static bool is_address(struct str host)
{
    for (size_t i = 0; i < host.len; i++) {
        if ((host.p[i] < '0' || host.p[i] > '9') && host.p[i] != '.' && host.p[i] != ':')
            return str_find_char(host, ':') != SIZE_MAX;
    }

    return true;
}

static bool set_peer(struct tls_client *client, int fd, struct str host, enum tls_trust trust,
                     struct fault *fault)
{
    int result = gnutls_set_default_priority(client->session);

    if (result == 0)
        result = gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->trusted);
    if (result == 0 && !is_address(host))
        result = gnutls_server_name_set(client->session, GNUTLS_NAME_DNS, host.p, host.len);
    if (result < 0)
        return failed(fault, result);

    if (trust != TLS_TRUST_ANYONE)
        gnutls_session_set_verify_cert(client->session, client->host, 0);
    gnutls_transport_set_int(client->session, fd);
    return true;
}

static bool shake_hands(struct tls_client *client, struct fault *fault)
{
    gnutls_datum_t why = { NULL, 0 };
    unsigned status;
    int result;

    do {
        result = gnutls_handshake(client->session);
    } while (result < 0 && gnutls_error_is_fatal(result) == 0 && result != GNUTLS_E_AGAIN);

    if (result == 0)
        return true;
    if (result != GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
        return failed(fault, result);

    status = gnutls_session_get_verify_cert_status(client->session);
    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &why, 0) < 0)
        return failed(fault, result);
    fault_note(fault, "TLS: %s", (const char *)why.data);
    gnutls_free(why.data);
    return false;
}

struct tls_client *tls_client_open(int fd, struct str host, enum tls_trust trust, struct str file,
                                   struct fault *fault)
{
    struct tls_client *client = mem_zalloc(sizeof(*client));
    int result;

    if (client == NULL || host.len >= sizeof(client->host)) {
        mem_free(client);
        fault_note(fault, "there is no memory, or the host's name is too long");
        return NULL;
    }

    memcpy(client->host, host.p, host.len);
    result = gnutls_init(&client->session, GNUTLS_CLIENT);
    if (result < 0)
        (void)failed(fault, result);
    if (result == 0 && set_trust(client, trust, file, fault) &&
        set_peer(client, fd, host, trust, fault) && shake_hands(client, fault))
        return client;

    tls_client_close(client);
    return NULL;
}

void tls_client_close(struct tls_client *client)
{
    if (client == NULL)
        return;

    if (client->session != NULL)
        gnutls_deinit(client->session);
    if (client->trusted != NULL)
        gnutls_certificate_free_credentials(client->trusted);
    mem_free(client);
}

ssize_t tls_client_send(struct tls_client *client, const void *bytes, size_t len)
{
    ssize_t sent;

    do {
        sent = gnutls_record_send(client->session, bytes, len);
    } while (sent == GNUTLS_E_INTERRUPTED);
    return sent < 0 ? -1 : sent;
}

ssize_t tls_client_receive(struct tls_client *client, void *out, size_t max)
{
    ssize_t got;

    do {
        got = gnutls_record_recv(client->session, out, max);
    } while (got == GNUTLS_E_INTERRUPTED);

    /* A peer that closes without a word has still said all it had to: the length tells. */
    if (got == GNUTLS_E_PREMATURE_TERMINATION)
        return 0;
    return got < 0 ? -1 : got;
}
