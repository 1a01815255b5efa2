/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole server over sockets: an input is a script for a few connections, about two buckets that no
 * input before has seen. The store is made anew now and then.
 *
 * Steps: open, a request (method, target, headers, body and signature out of the tables below, sent
 * in pieces), bytes that are no request, read an answer, half-close, close, move the clock. A request
 * can be left unfinished, or follow another before that is answered.
 *
 * (1) Each whole, well-formed request of a connection that got nothing else has one answer, in order,
 *     unless an answer before it has closed the connection.
 * (2) An answer is well-formed HTTP, never 500; a refusal with a body has a code of S3's.
 * (3) Whatever was sent, afterwards a new connection is served; in the end the server stops.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text/codec.h"
#include "server/s3/s3.h"
#include "tests/fuzz/fuzz.h"

#define CONNECTIONS 3
#define STEPS_MAX 64
#define PATIENCE_S 20
#define REPLY_BYTES_MAX (256u * 1024u)
#define LARGE_BYTES 70000u
#define INPUTS_OF_STORE 500u

/* ---- the server ------------------------------------------------------------------------------ */

static struct user user;

static struct {
    char dir[64];
    struct stores *stores;
    struct users_in_force *users;
    struct s3_app *app;
    struct http_server *http;
    struct http_listener listener;
} server;

static int remove_one(const char *path, const struct stat *stat UNUSED, int kind UNUSED,
                      struct FTW *at UNUSED)
{
    return remove(path);
}

static void stop(void)
{
    http_server_stop(server.http, 0);
    s3_app_close(server.app);
    users_in_force_close(server.users);
    stores_free(server.stores);
    (void)nftw(server.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void once(void)
{
    static char id[64];

    if (id[0] != '\0')
        return;
    (void)signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERROR);
    (void)atexit(stop);
    FUZZ_CHECK(digest_init(), "digests");
    users_canonical_id(STR("fuzz"), id);
    user = (struct user){
        .access_key = STR("FUZZ"),
        .secret_key = fuzz_secret(),
        .canonical_id = str_make(id, sizeof(id)),
        .display_name = STR("fuzz"),
        .email = STR(""),
    };
}

static void start(void)
{
    struct store_options store_options = {
        .durability = STORE_RELAXED, .worker_count = 1, .inline_max_bytes = 4096, .reserve_bytes = 1
    };
    struct http_options http_options = { .loop_count = 1 };
    struct s3_options options = { .auth.region = STR("us-east-1") };
    struct fault fault = { 0 };
    struct users *users = users_open();

    (void)snprintf(server.dir, sizeof(server.dir), "%s/pail-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    FUZZ_CHECK(mkdtemp(server.dir) != NULL, "%s", server.dir);
    server.stores = stores_new(0);
    FUZZ_CHECK(stores_open(server.stores, STR(""), server.dir, &store_options, &fault) == STORE_OK,
               "%s", fault.text);
    FUZZ_CHECK(users != NULL && users_add(users, &user, &fault), "%s", fault.text);
    server.users = users_put_in_force(users);
    options.stores = server.stores;
    options.auth.users = server.users;
    server.app = s3_app_open(&options);
    FUZZ_CHECK(server.app != NULL, "memory");
    s3_clock_move(server.app, CLOCK_FREEZE, 0);
    s3_clock_move(server.app, CLOCK_SET, FUZZ_NOW_US);
    FUZZ_CHECK(http_listen(STR("127.0.0.1:0"), false, &server.listener, &fault) &&
                   http_server_start(&http_options, &server.listener, 1, s3_http_app(server.app),
                                     &server.http, &fault),
               "%s", fault.text);
}

/* ---- connections ----------------------------------------------------------------------------- */

struct connection {
    int fd;
    bool wild;      /* it got bytes that are no request, or half of one */
    bool shut;      /* by us, for writing */
    bool closed;    /* by the server, and it said so */
    unsigned asked; /* requests without an answer yet */
    uint32_t heads; /* bit n: the n-th of them is a HEAD */
    size_t len;
    char *received; /* REPLY_BYTES_MAX */
};

/* libFuzzer's alarm has interrupted it, and it goes on. */
static bool is_connected(int fd)
{
    struct pollfd writable = { .fd = fd, .events = POLLOUT };
    int result;

    do
        result = poll(&writable, 1, PATIENCE_S * 1000);
    while (result < 0 && errno == EINTR);
    return result == 1;
}

static void connection_open(struct connection *connection)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int on = 1;
    char *received = connection->received;

    *connection = (struct connection){ .received = received };
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons((uint16_t)strtoul(strrchr(server.listener.url, ':') + 1, NULL, 10));
    FUZZ_CHECK(connection->fd >= 0, "%s", strerror(errno));
    FUZZ_CHECK(connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
                   (errno == EINTR && is_connected(connection->fd)),
               "connect: %s", strerror(errno));
    (void)setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connection->received == NULL)
        connection->received = malloc(REPLY_BYTES_MAX);
    FUZZ_CHECK(connection->received != NULL, "memory");
}

static void connection_close(struct connection *connection)
{
    if (connection->fd >= 0)
        (void)close(connection->fd);
    connection->fd = -1;
}

/* False: the server has closed its end. */
static bool send_bytes(const struct connection *connection, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(connection->fd, bytes.p, bytes.len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        FUZZ_CHECK(sent > 0 || errno == EPIPE || errno == ECONNRESET, "send: %s", strerror(errno));
        if (sent <= 0)
            return false;
        bytes = str_skip(bytes, (size_t)sent);
    }
    return true;
}

/* False: the end. */
static bool receive_more(struct connection *connection)
{
    ssize_t got;

    FUZZ_CHECK(connection->len < REPLY_BYTES_MAX, "an answer without an end");
    do
        got = recv(connection->fd, connection->received + connection->len,
                   REPLY_BYTES_MAX - connection->len, 0);
    while (got < 0 && errno == EINTR);
    FUZZ_CHECK(got >= 0 || errno == ECONNRESET, "%u requests without an answer: %s",
               connection->asked, strerror(errno));
    if (got > 0)
        connection->len += (size_t)got;
    return got > 0;
}

/* ---- answers --------------------------------------------------------------------------------- */

static struct str header_of(struct str head, struct str name)
{
    struct str line;

    while (str_cut(head, '\n', &line, &head)) {
        struct str key;
        struct str value;

        if (str_cut(line, ':', &key, &value) && str_eq_nocase(key, name))
            return str_trim(str_slice(value, 0, value.len - (value.len > 0))); /* no CR */
    }
    return STR_NONE;
}

static void consume(struct connection *connection, size_t len)
{
    memmove(connection->received, connection->received + len, connection->len - len);
    connection->len -= len;
}

static bool fill_to(struct connection *connection, size_t len)
{
    while (connection->len < len) {
        if (!receive_more(connection))
            return false;
    }
    return true;
}

/* Where the chunks end, their end included; 0: not yet. */
static size_t chunks_end(struct str bytes)
{
    size_t at = 0;

    for (;;) {
        struct str rest = str_skip(bytes, at);
        size_t eol = str_find(rest, STR("\r\n"));
        size_t len;

        if (eol == SIZE_MAX)
            return 0;
        len = strtoul(rest.p, NULL, 16);
        at += eol + 2 + len + 2;
        if (at > bytes.len)
            return 0;
        if (len == 0)
            return at;
    }
}

static void check_answer(struct str head, int status, struct str body)
{
    FUZZ_CHECK(status >= 200 && status < 600 && status != 500, "%.*s\n%.*s", STR_ARG(head),
               STR_ARG(body));
    if (status >= 400 && body.len > 0)
        FUZZ_CHECK(str_find(body, STR("<Code>")) != SIZE_MAX, "%.*s\n%.*s", STR_ARG(head),
                   STR_ARG(body));
}

/* One answer, those of 1xx before it left out. False: the server has closed instead. */
static bool read_answer(struct connection *connection, int *ret_status)
{
    bool head_only = connection->heads & 1;
    size_t head_len;
    size_t body_len = 0;
    struct str length;
    struct str head;
    bool chunked;

    for (;;) {
        while ((head_len = str_find(str_make(connection->received, connection->len),
                                    STR("\r\n\r\n"))) == SIZE_MAX) {
            if (!receive_more(connection))
                return false;
        }
        head_len += 4;
        head = str_make(connection->received, head_len);
        FUZZ_CHECK(str_starts(head, STR("HTTP/1.")) && head_len > 12, "%.*s", STR_ARG(head));
        *ret_status = atoi(connection->received + 9);
        if (*ret_status >= 200)
            break;
        consume(connection, head_len);
    }

    length = header_of(head, STR("Content-Length"));
    chunked = str_present(header_of(head, STR("Transfer-Encoding")));
    if (head_only || *ret_status == 204 || *ret_status == 304) {
        body_len = 0;
    } else if (chunked) {
        while ((body_len = chunks_end(
                    str_make(connection->received + head_len, connection->len - head_len))) == 0) {
            if (!receive_more(connection))
                return false;
        }
    } else {
        FUZZ_CHECK(str_present(length), "no length: %.*s", STR_ARG(head));
        body_len = strtoul(length.p, NULL, 10);
        if (!fill_to(connection, head_len + body_len))
            return false;
    }
    head = str_make(connection->received, head_len);
    check_answer(head, *ret_status, str_make(connection->received + head_len, body_len));
    connection->closed = str_eq_nocase(header_of(head, STR("Connection")), STR("close"));
    consume(connection, head_len + body_len);
    return true;
}

static void take_answer(struct connection *connection)
{
    int status;
    bool answered = read_answer(connection, &status);

    /* What was half a request, or bytes, may be answered in any way, or not at all. */
    FUZZ_CHECK(answered || connection->wild, "%u requests, and the connection is closed",
               connection->asked);
    connection->asked--;
    connection->heads >>= 1;
    if (!answered || connection->closed)
        connection->asked = 0;
}

/* ---- requests -------------------------------------------------------------------------------- */

static const struct str methods[] = { STR_INIT("GET"),    STR_INIT("PUT"),  STR_INIT("POST"),
                                      STR_INIT("DELETE"), STR_INIT("HEAD"), STR_INIT("OPTIONS") };

/* Of this input: "b000", "c000", with a number. */
static char filled[] = "b000";
static char second[] = "c000";

/* Bucket and key; "" of both is the service. */
static const struct {
    struct str bucket, key;
} places[] = {
    { { filled, 4 }, STR_INIT("k") }, { { filled, 4 }, STR_INIT("") },
    { STR_INIT(""), STR_INIT("") },   { { filled, 4 }, STR_INIT("a/b c+%") },
    { { second, 4 }, STR_INIT("k") }, { STR_INIT("absent"), STR_INIT("k") },
    { { second, 4 }, STR_INIT("") },  { STR_INIT("Bad_Name"), STR_INIT("k") },
};

static const struct str queries[] = {
    STR_INIT(""),
    STR_INIT("list-type=2&prefix=k&max-keys=2"),
    STR_INIT("versions"),
    STR_INIT("versioning"),
    STR_INIT("acl"),
    STR_INIT("tagging"),
    STR_INIT("uploads"),
    STR_INIT("delete"),
    STR_INIT("uploadId=0&partNumber=1"),
    STR_INIT("versionId=null"),
    STR_INIT("ownershipControls"),
    STR_INIT("publicAccessBlock"),
    STR_INIT("metrics&id=a"),
    STR_INIT("inventory&id=a"),
    STR_INIT("logging"),
    STR_INIT("attributes"),
    STR_INIT("policy"),
    STR_INIT("partNumber=1"),
};

static const struct str headers[] = {
    STR_INIT("Range: bytes=1-3\r\n"),
    STR_INIT("If-None-Match: *\r\n"),
    STR_INIT("x-amz-acl: public-read-write\r\n"),
    STR_INIT("x-amz-copy-source: /%s/k\r\n"),
    STR_INIT("x-amz-tagging: a=b&c=d\r\n"),
    STR_INIT("Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
    STR_INIT("Expect: 100-continue\r\n"),
    STR_INIT("Connection: close\r\n"),
};

static const struct str bodies[] = {
    STR_INIT(""),
    STR_INIT("hello"),
    STR_INIT("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"),
    STR_INIT("<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"),
    STR_INIT("<Delete><Object><Key>k</Key></Object></Delete>"),
    STR_INIT("<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule>"
             "</OwnershipControls>"),
    STR_INIT("<MetricsConfiguration><Id>a</Id></MetricsConfiguration>"),
    STR_INIT("<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>"
             "</PublicAccessBlockConfiguration>"),
};

enum sending { SEND_LENGTH = 0, SEND_CHUNKED, SEND_LARGE, SEND_AWS_CHUNKED, SENDINGS };

static void add_body(struct buf *out, struct str body, enum sending sending)
{
    static char large[LARGE_BYTES];

    switch (sending) {
    case SEND_CHUNKED:
        buf_lit(out, "Transfer-Encoding: chunked\r\n\r\n");
        if (body.len > 0)
            buf_printf(out, "%zx\r\n%.*s\r\n", body.len, STR_ARG(body));
        buf_lit(out, "0\r\n\r\n");
        return;
    case SEND_AWS_CHUNKED:
        buf_printf(out,
                   "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n"
                   "x-amz-decoded-content-length: %zu\r\nContent-Encoding: aws-chunked\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n",
                   body.len);
        {
            CLEANUP(buf_free) struct buf framed = BUF_WITH_MAX(4096);

            if (body.len > 0)
                buf_printf(&framed, "%zx\r\n%.*s\r\n", body.len, STR_ARG(body));
            buf_lit(&framed, "0\r\n\r\n");
            buf_printf(out, "%zx\r\n%.*s\r\n0\r\n\r\n", framed.len, STR_ARG(buf_view(&framed)));
        }
        return;
    case SEND_LARGE:
        body = str_make(large, sizeof(large));
        break;
    default:
        break;
    }
    buf_printf(out, "Content-Length: %zu\r\n\r\n", body.len);
    buf_str(out, body);
}

/* The target, signed in its query or not at all. */
static void add_target(struct buf *out, struct str method, size_t place, struct str query,
                       unsigned signing)
{
    CLEANUP(buf_free) struct buf url = BUF_WITH_MAX(8192);
    struct str endpoint = str_from_cstr(server.listener.url);
    struct str bucket = places[place].bucket;

    if (signing % 4 != 0 && bucket.len > 0 &&
        auth_presign(&url, &user, method, endpoint, STR("us-east-1"), bucket, places[place].key,
                     query.len > 0 ? query : STR_NONE, 3600, FUZZ_NOW_US)) {
        if (signing % 4 == 3)
            url.p[url.len - 1] = url.p[url.len - 1] == '0' ? '1' : '0';
        buf_str(out, str_skip(buf_view(&url), endpoint.len));
        return;
    }
    buf_printf(out, "/%.*s", STR_ARG(bucket));
    if (places[place].key.len > 0) {
        buf_char(out, '/');
        uri_encode(out, places[place].key, URI_KEEP_SLASH);
    }
    if (query.len > 0)
        buf_printf(out, "?%.*s", STR_ARG(query));
}

/* A whole request. Returns whether it is a HEAD. */
static bool make_request(struct input *input, struct buf *out)
{
    struct str method = methods[input_byte(input) % COUNT_OF(methods)];
    size_t place = input_byte(input) % COUNT_OF(places);
    struct str query = queries[input_byte(input) % COUNT_OF(queries)];
    unsigned flags = input_byte(input);
    unsigned body = input_byte(input);
    enum sending sending = (enum sending)(input_byte(input) % SENDINGS);
    bool has_body = str_eq(method, STR("PUT")) || str_eq(method, STR("POST")) || body >= 128;

    buf_str(out, method);
    buf_char(out, ' ');
    add_target(out, method, place, query, input_byte(input));
    buf_printf(out, " HTTP/1.1\r\nHost: %s\r\n", server.listener.url + strlen("http://"));
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        size_t at = str_find(headers[i], STR("%s"));

        if (!(flags >> i & 1))
            continue;
        buf_str(out, str_slice(headers[i], 0, at == SIZE_MAX ? headers[i].len : at));
        if (at != SIZE_MAX)
            buf_printf(out, "%s%.*s", filled, STR_ARG(str_skip(headers[i], at + 2)));
    }
    if (has_body)
        add_body(out, bodies[body % COUNT_OF(bodies)], sending);
    else
        buf_lit(out, "\r\n");
    FUZZ_CHECK(!out->failed, "memory");
    return str_eq(method, STR("HEAD"));
}

/* cut: how much of it goes out, of 256 parts; 0: all. In two pieces. */
static void send_request(struct connection *connection, struct input *input)
{
    CLEANUP(buf_free) struct buf request = BUF_WITH_MAX(2 * LARGE_BYTES);
    bool head = make_request(input, &request);
    size_t split = input_number(input, request.len);
    unsigned cut = input_byte(input);
    struct str bytes = buf_view(&request);

    if (cut >= 240) {
        bytes.len = bytes.len * (cut - 240) / 16;
        connection->wild = true;
    }
    split = split < bytes.len ? split : bytes.len;
    if (head && connection->asked < 32)
        connection->heads |= UINT32_C(1) << connection->asked;
    connection->asked++;
    if (send_bytes(connection, str_slice(bytes, 0, split)))
        (void)send_bytes(connection, str_skip(bytes, split));
}

/* ---- the script ------------------------------------------------------------------------------ */

enum step {
    STEP_REQUEST = 0,
    STEP_REQUEST_TOO,
    STEP_READ,
    STEP_BYTES,
    STEP_SHUT,
    STEP_CLOSE,
    STEP_CLOCK,
    STEPS
};

static struct connection connections[CONNECTIONS];

static bool takes_more(const struct connection *connection)
{
    return !connection->shut && !connection->closed && connection->asked < 8;
}

/* Who waits, idles or sends slowly may be cut off by that. */
static void let_time_pass(int64_t seconds)
{
    for (size_t i = 0; i < CONNECTIONS; i++)
        connections[i].wild = connections[i].fd >= 0;
    s3_clock_move(server.app, CLOCK_ADVANCE, seconds * US_PER_S);
}

static void take_step(struct connection *connection, struct input *input)
{
    enum step step = (enum step)(input_byte(input) % STEPS);

    if (connection->fd < 0)
        connection_open(connection);
    switch (step) {
    case STEP_REQUEST:
    case STEP_REQUEST_TOO:
        if (takes_more(connection) && !connection->wild)
            send_request(connection, input);
        return;
    case STEP_READ:
        if (connection->asked > 0 && !connection->wild)
            take_answer(connection);
        return;
    case STEP_BYTES:
        if (takes_more(connection)) {
            connection->wild = true;
            (void)send_bytes(connection, input_until(input, '\0'));
        }
        return;
    case STEP_SHUT:
        connection->shut = true;
        (void)shutdown(connection->fd, SHUT_WR);
        return;
    case STEP_CLOCK:
        let_time_pass(input_byte(input) * 10);
        return;
    default:
        connection_close(connection);
        return;
    }
}

/* All that is still to come, and the end of those that are done for. */
static void end_connection(struct connection *connection)
{
    if (connection->fd >= 0 && !connection->wild) {
        while (connection->asked > 0)
            take_answer(connection);
    }
    connection_close(connection);
    free(connection->received);
}

static void check_served(void)
{
    struct connection connection = { .fd = -1 };
    struct input input = { (const uint8_t *)"\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00", 10 };
    int status;

    connection_open(&connection);
    send_request(&connection, &input);
    FUZZ_CHECK(read_answer(&connection, &status), "no answer afterwards");
    FUZZ_CHECK(status == 403 || status == 307, "afterwards %d", status);
    connection_close(&connection);
    free(connection.received);
}

/* So that something is there: a bucket and an object are put, signed. */
static void fill_store(void)
{
    static const uint8_t script[] = { 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0 };
    struct input input = { script, sizeof(script) };
    struct connection connection = { .fd = -1 };

    connection_open(&connection);
    for (unsigned i = 0; i < 2; i++) {
        int status;

        send_request(&connection, &input);
        FUZZ_CHECK(read_answer(&connection, &status) && status == 200, "%d", status);
    }
    connection_close(&connection);
    free(connection.received);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = { data, size };

    static unsigned number = INPUTS_OF_STORE;

    once();
    if (number == INPUTS_OF_STORE) {
        number = 0;
        if (server.http != NULL)
            stop();
        start();
    }
    (void)snprintf(filled, sizeof(filled), "b%03u", number);
    (void)snprintf(second, sizeof(second), "c%03u", number++);
    s3_clock_move(server.app, CLOCK_SET, FUZZ_NOW_US);
    fill_store();
    for (size_t i = 0; i < CONNECTIONS; i++)
        connections[i] = (struct connection){ .fd = -1 };
    for (unsigned i = 0; i < STEPS_MAX && input.len > 0; i++)
        take_step(&connections[input_byte(&input) % CONNECTIONS], &input);
    for (size_t i = 0; i < CONNECTIONS; i++)
        end_connection(&connections[i]);
    check_served();
    return 0;
}
