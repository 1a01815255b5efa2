/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DIR/root.socket; see root_socket.h.
 *
 * One thread that sleeps in accept and answers one asker at a time: three lines, then the end.
 */
#include "server/root_socket.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

#define ANSWER_BYTES_MAX                                                                           \
    (AUTH_ACCESS_KEY_BYTES_MAX + AUTH_SECRET_BYTES_MAX + AUTH_TOKEN_BYTES_MAX + 3)
#define PEER_TIMEOUT_S 3

struct root_socket {
    int dir_fd;
    int fd;
    atomic_bool stop;
    pthread_t thread;
    pthread_mutex_t lock; /* of the answer */
    size_t len;
    char text[ANSWER_BYTES_MAX + 1];
};

/* By way of the descriptor: a socket's path has room for 107 bytes, a store's may have more. */
static bool address_in(int dir_fd, struct sockaddr_un *ret_address)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int len = snprintf(address.sun_path, sizeof(address.sun_path),
                       "/proc/self/fd/%d/" ROOT_SOCKET_FILE, dir_fd);

    if (len < 0 || (size_t)len >= sizeof(address.sun_path))
        return false;

    *ret_address = address;
    return true;
}

static bool peer_is_us(int fd)
{
#ifdef SO_PEERCRED
    struct ucred who;
    socklen_t len = sizeof(who);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
           (who.uid == 0 || who.uid == geteuid());
#else
    (void)fd;
    return false;
#endif
}

/* A peer that does not read, or does not write, must not hold the others up. */
static void bound_waiting(int fd)
{
    struct timeval timeout = { .tv_sec = PEER_TIMEOUT_S };

    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

static void answer(struct root_socket *self, int fd)
{
    char text[ANSWER_BYTES_MAX + 1];
    size_t len;

    if (!peer_is_us(fd))
        return;

    (void)pthread_mutex_lock(&self->lock);
    len = self->len;
    memcpy(text, self->text, len);
    (void)pthread_mutex_unlock(&self->lock);
    bound_waiting(fd);
    (void)send(fd, text, len, MSG_NOSIGNAL);
    explicit_bzero(text, sizeof(text));
}

void root_socket_tell(struct root_socket *self, const struct root_pair *pair)
{
    int len;

    (void)pthread_mutex_lock(&self->lock);
    len = snprintf(self->text, sizeof(self->text), "%.*s\n%.*s\n%.*s\n", STR_ARG(pair->access_key),
                   STR_ARG(pair->secret_key), STR_ARG(pair->session_token));
    self->len = len > 0 && (size_t)len < sizeof(self->text) ? (size_t)len : 0;
    (void)pthread_mutex_unlock(&self->lock);
}

static void *serve_askers(void *context)
{
    struct root_socket *self = context;

    /* Out of descriptors accept does not get as far as to say that the socket was shut down. */
    while (!atomic_load(&self->stop)) {
        CLEANUP(fd_close) int peer = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC);

        if (peer >= 0)
            answer(self, peer);
        else if (errno != ECONNABORTED && errno != EINTR)
            (void)usleep(100000); /* those who ask can wait */
    }

    return NULL;
}

static bool start(struct root_socket *self, struct fault *fault)
{
    struct sockaddr_un address;
    int error;

    if (!address_in(self->dir_fd, &address))
        return fault_false(fault, "the path is too long");

    (void)unlinkat(self->dir_fd, ROOT_SOCKET_FILE, 0);
    self->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (self->fd < 0 || bind(self->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        fchmodat(self->dir_fd, ROOT_SOCKET_FILE, 0600, 0) != 0 || listen(self->fd, 8) != 0)
        return fault_errno_false(fault, "make '" ROOT_SOCKET_FILE "'");

    error = pthread_create(&self->thread, NULL, serve_askers, self);
    if (error != 0) {
        errno = error;
        return fault_errno_false(fault, "start a thread");
    }

    return true;
}

static void discard(struct root_socket *self)
{
    fd_close(&self->fd);
    (void)pthread_mutex_destroy(&self->lock);
    explicit_bzero(self->text, sizeof(self->text));
    mem_free(self);
}

struct root_socket *root_socket_open(int dir_fd, const struct root_pair *pair, struct fault *fault)
{
    struct root_socket *self = mem_zalloc(sizeof(*self));

    if (self == NULL) {
        fault_note(fault, "there is no memory");
        return NULL;
    }

    *self = (struct root_socket){ .dir_fd = dir_fd, .fd = -1 };
    (void)pthread_mutex_init(&self->lock, NULL);
    root_socket_tell(self, pair);
    if (start(self, fault))
        return self;

    (void)unlinkat(dir_fd, ROOT_SOCKET_FILE, 0);
    discard(self);
    return NULL;
}

void root_socket_close(struct root_socket *self)
{
    if (self == NULL)
        return;

    (void)unlinkat(self->dir_fd, ROOT_SOCKET_FILE, 0);
    atomic_store(&self->stop, true);
    (void)shutdown(self->fd, SHUT_RDWR); /* wakes accept */
    (void)pthread_join(self->thread, NULL);
    discard(self);
}

/* ---- asking -------------------------------------------------------------------------------- */

struct received {
    char text[ANSWER_BYTES_MAX];
};

static void received_wipe(struct received *received)
{
    explicit_bzero(received, sizeof(*received));
}

static size_t receive_all(int fd, char *out, size_t max)
{
    size_t len = 0;

    while (len < max) {
        ssize_t got = recv(fd, out + len, max - len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
    }

    return len;
}

bool root_socket_ask(int dir_fd, struct arena *arena, struct root_pair *ret_pair)
{
    CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct root_pair found = { .origin = ROOT_PAIR_ASKED };
    CLEANUP(received_wipe) struct received received;
    struct sockaddr_un address;
    struct str rest;
    struct str key, secret, token;

    if (fd < 0 || !address_in(dir_fd, &address))
        return false;
    bound_waiting(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return false;

    rest = str_make(received.text, receive_all(fd, received.text, sizeof(received.text)));
    if (!str_ends(rest, STR("\n")) || !str_next(&rest, '\n', &key) ||
        !str_next(&rest, '\n', &secret) || !str_next(&rest, '\n', &token))
        return false;

    found.access_key = arena_dup(arena, key);
    found.secret_key = arena_dup(arena, secret);
    if (token.len > 0)
        found.session_token = arena_dup(arena, token);
    if (found.access_key.len == 0 || found.secret_key.len == 0)
        return false;

    *ret_pair = found;
    return true;
}
