/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load on many connections at once, to see that none of them is left waiting.
 *
 *     load PORT CONNECTIONS SECONDS FILE
 *
 * FILE holds requests ready to be sent: for each a line "LENGTH" and then that many bytes. Every
 * connection sends one after the other, each starting at another place, and waits for each answer.
 *
 * (1) One thread, one epoll: the client costs less than the server it looks at.
 * (2) Time begins half a second after connecting. It is cut into windows of a second; what a
 *     connection completes is counted in the window in which the last byte came.
 * (3) An answer other than 2xx, or an ended connection, is an error; the connection is made anew.
 *
 * Prints one JSON object. Built by limits.py with the system's compiler and nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 4096
#define SECONDS_MAX 600
#define REQUESTS_MAX 65536
#define HEAD_BYTES_MAX 16384
#define LATENCIES_MAX (16u << 20)

struct request {
    const char *bytes;
    size_t len;
};

struct connection {
    int fd;
    bool connected;
    size_t request; /* being sent or answered */
    size_t sent;
    char head[HEAD_BYTES_MAX];
    size_t head_len;
    bool head_done;
    uint64_t body_left;
    bool good;
    bool closing; /* the server says that it will close */
    double begun;
    uint32_t done[SECONDS_MAX + 1]; /* per window */
};

static struct request requests[REQUESTS_MAX];
static size_t request_count;
static struct connection *connections;
static float *latencies;
static size_t latency_count;
static uint64_t completed, errors, reconnects;
static unsigned connection_count;
static int port, epoll_fd;
static double epoch;

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void load_requests(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    char *bytes;
    size_t at = 0;
    size_t got = 0;

    if (fd < 0 || fstat(fd, &about) != 0 || about.st_size == 0)
        die(path);
    bytes = malloc((size_t)about.st_size);
    if (bytes == NULL)
        die("memory");
    while (got < (size_t)about.st_size) {
        ssize_t len = read(fd, bytes + got, (size_t)about.st_size - got);

        if (len <= 0)
            die(path);
        got += (size_t)len;
    }
    (void)close(fd);

    while (at < got && request_count < REQUESTS_MAX) {
        char *end;
        size_t len = strtoul(bytes + at, &end, 10);

        if (*end != '\n' || (size_t)(end + 1 - bytes) + len > got)
            die("a damaged request file");
        requests[request_count++] = (struct request){ end + 1, len };
        at = (size_t)(end + 1 - bytes) + len;
    }
}

static void watch(struct connection *connection, int how, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = connection };

    if (epoll_ctl(epoll_fd, how, connection->fd, &event) != 0)
        die("epoll");
}

static void dial(struct connection *connection)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int one = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0)
        die("socket");
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    connection->connected = false;
    if (connect(connection->fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)
        die("connect");
    watch(connection, EPOLL_CTL_ADD, EPOLLOUT);
}

static void redial(struct connection *connection)
{
    (void)close(connection->fd);
    reconnects++;
    dial(connection);
}

static void begin(struct connection *connection)
{
    connection->sent = 0;
    connection->head_len = 0;
    connection->head_done = false;
    connection->begun = now();
}

/* 0: later; 1: all is sent; -1: the connection ended. */
static int send_some(struct connection *connection)
{
    const struct request *request = &requests[connection->request];

    while (connection->sent < request->len) {
        ssize_t len = send(connection->fd, request->bytes + connection->sent,
                           request->len - connection->sent, MSG_NOSIGNAL);

        if (len < 0)
            return errno == EAGAIN ? 0 : -1;
        connection->sent += (size_t)len;
    }
    return 1;
}

static void parse_head(struct connection *connection)
{
    char *line = connection->head;

    connection->good = strncmp(line, "HTTP/1.1 2", 10) == 0;
    connection->body_left = 0;
    connection->closing = false;
    while ((line = strstr(line, "\r\n")) != NULL) {
        line += 2;
        if (strncasecmp(line, "content-length:", 15) == 0)
            connection->body_left = strtoull(line + 15, NULL, 10);
        else if (strncasecmp(line, "connection: close", 17) == 0)
            connection->closing = true;
    }
}

static void complete(struct connection *connection)
{
    double at = now();
    double since = at - epoch;

    if (!connection->good) {
        errors++;
    } else {
        completed++;
        if (since >= 0 && since < SECONDS_MAX)
            connection->done[(size_t)since]++;
        if (latency_count < LATENCIES_MAX)
            latencies[latency_count++] = (float)(at - connection->begun);
    }
    connection->request = (connection->request + 1) % request_count;
}

/* 0: later; 1: the answer is whole; -1: the connection ended. */
static int receive_some(struct connection *connection)
{
    static char bytes[65536];

    for (;;) {
        size_t used = 0;
        ssize_t len;

        if (!connection->head_done) {
            char *end;

            len = recv(connection->fd, connection->head + connection->head_len,
                       HEAD_BYTES_MAX - 1 - connection->head_len, 0);
            if (len <= 0)
                return len < 0 && errno == EAGAIN ? 0 : -1;
            connection->head_len += (size_t)len;
            connection->head[connection->head_len] = '\0';
            end = strstr(connection->head, "\r\n\r\n");
            if (end == NULL) {
                if (connection->head_len == HEAD_BYTES_MAX - 1)
                    return -1;
                continue;
            }
            used = connection->head_len - (size_t)(end + 4 - connection->head);
            end[2] = '\0';
            parse_head(connection);
            connection->head_done = true;
        } else {
            size_t want = connection->body_left < sizeof(bytes) ? (size_t)connection->body_left
                                                                : sizeof(bytes);

            len = recv(connection->fd, bytes, want, 0);
            if (len <= 0)
                return len < 0 && errno == EAGAIN ? 0 : -1;
            used = (size_t)len;
        }
        if (used > connection->body_left)
            return -1;
        connection->body_left -= used;
        if (connection->body_left == 0)
            return 1;
    }
}

static void step(struct connection *connection, uint32_t events)
{
    int result;

    if (!connection->connected) {
        int error = 0;
        socklen_t len = sizeof(error);

        (void)getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error != 0 || (events & EPOLLERR) != 0) {
            errors++;
            redial(connection);
            return;
        }
        connection->connected = true;
        begin(connection);
    }

    for (;;) {
        if (connection->sent < requests[connection->request].len) {
            result = send_some(connection);
            if (result == 0) {
                watch(connection, EPOLL_CTL_MOD, EPOLLOUT | EPOLLIN);
                return;
            }
            if (result > 0)
                watch(connection, EPOLL_CTL_MOD, EPOLLIN);
        }
        result = receive_some(connection);
        if (result == 0)
            return;
        if (result < 0) {
            errors++;
            redial(connection);
            return;
        }
        complete(connection);
        if (connection->closing) {
            redial(connection);
            return;
        }
        begin(connection);
    }
}

static void run_until(double end)
{
    struct epoll_event events[256];

    while (now() < end) {
        int count = epoll_wait(epoll_fd, events, 256, 20);

        for (int i = 0; i < count; i++)
            step(events[i].data.ptr, events[i].events);
    }
}

static void connect_all(void)
{
    for (unsigned i = 0; i < connection_count; i++) {
        connections[i].request = i % request_count;
        dial(&connections[i]);
    }
}

static int by_size(const void *left, const void *right)
{
    float a = *(const float *)left;
    float b = *(const float *)right;

    return (a > b) - (a < b);
}

static double percentile(double share)
{
    size_t at = (size_t)(share * (double)latency_count);

    if (latency_count == 0)
        return 0;
    return 1000.0 * (double)latencies[at < latency_count ? at : latency_count - 1];
}

static void report(unsigned seconds)
{
    uint64_t stalled_windows = 0;
    uint64_t stalled_connections = 0;
    uint32_t least = UINT32_MAX;
    uint64_t in_time = 0;

    for (unsigned i = 0; i < connection_count; i++) {
        bool stalled = false;

        for (unsigned window = 0; window < seconds; window++) {
            uint32_t done = connections[i].done[window];

            in_time += done;
            least = done < least ? done : least;
            stalled |= done == 0;
            stalled_windows += done == 0;
        }
        stalled_connections += stalled;
    }
    qsort(latencies, latency_count, sizeof(latencies[0]), by_size);
    printf("{\"connections\":%u,\"seconds\":%u,\"requests\":%llu,\"per_second\":%.0f,"
           "\"errors\":%llu,\"reconnects\":%llu,\"stalled_connections\":%llu,"
           "\"stalled_windows\":%llu,\"least_per_window\":%u,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
           "\"max_ms\":%.2f}\n",
           connection_count, seconds, (unsigned long long)in_time,
           (double)in_time / (double)seconds, (unsigned long long)errors,
           (unsigned long long)reconnects, (unsigned long long)stalled_connections,
           (unsigned long long)stalled_windows, least, percentile(0.5), percentile(0.99),
           percentile(1.0));
}

int main(int argc, char **argv)
{
    struct rlimit files = { CONNECTIONS_MAX + 64, CONNECTIONS_MAX + 64 };
    unsigned seconds;

    if (argc != 5) {
        (void)fprintf(stderr, "usage: load PORT CONNECTIONS SECONDS FILE\n");
        return 2;
    }
    port = (int)strtol(argv[1], NULL, 10);
    connection_count = (unsigned)strtoul(argv[2], NULL, 10);
    seconds = (unsigned)strtoul(argv[3], NULL, 10);
    if (connection_count == 0 || connection_count > CONNECTIONS_MAX || seconds == 0 ||
        seconds > SECONDS_MAX) {
        (void)fprintf(stderr, "load: at most %d connections and %d seconds\n", CONNECTIONS_MAX,
                      SECONDS_MAX);
        return 2;
    }
    (void)setrlimit(RLIMIT_NOFILE, &files);
    load_requests(argv[4]);
    connections = calloc(connection_count, sizeof(connections[0]));
    latencies = malloc(LATENCIES_MAX * sizeof(latencies[0]));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (connections == NULL || latencies == NULL || epoll_fd < 0)
        die("start");

    /* Half a second to connect and warm up is not counted. */
    epoch = now() + 0.5;
    connect_all();
    run_until(epoch);
    completed = errors = latency_count = 0;
    run_until(epoch + (double)seconds);
    report(seconds);
    return 0;
}
