/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks moved by tests from outside; see clock_control.h.
 *
 * One thread that sleeps in recv, until the other end is closed or this one is shut down.
 */
#include "server/clock_control.h"

#ifdef PAIL_CLOCK_CONTROL

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/file.h"

#define MESSAGE_BYTES_MAX 64
#define US_MAX (UINT64_C(100) * 1000 * 366 * 24 * 3600 * 10000) /* a thousand years */

struct clock_control {
    struct s3_app *app;
    int fd;
    pthread_t thread;
};

static bool obey(struct s3_app *app, struct str message)
{
    struct str word = message;
    struct str number = STR_NONE;
    uint64_t us = 0;

    if (str_cut(message, ' ', &word, &number) && (!str_to_u64(number, &us) || us > US_MAX))
        return false;
    if (str_eq(word, STR("advance")))
        s3_clock_move(app, CLOCK_ADVANCE, (int64_t)us);
    else if (str_eq(word, STR("set")))
        s3_clock_move(app, CLOCK_SET, (int64_t)us);
    else if (str_eq(word, STR("freeze")))
        s3_clock_move(app, CLOCK_FREEZE, 0);
    else if (str_eq(word, STR("run")))
        s3_clock_move(app, CLOCK_RUN, 0);
    else
        return false;
    return true;
}

static void *serve(void *context)
{
    struct clock_control *control = context;
    char message[MESSAGE_BYTES_MAX];
    ssize_t len;

    while ((len = recv(control->fd, message, sizeof(message), 0)) > 0) {
        bool done = obey(control->app, str_make(message, (size_t)len));

        (void)send(control->fd, done ? "ok" : "refused", done ? 2 : 7, MSG_NOSIGNAL);
    }
    return NULL;
}

struct clock_control *clock_control_open(struct s3_app *app)
{
    const char *named = getenv("PAIL_CLOCK_FD");
    uint64_t number = 0;
    struct clock_control *control;

    if (named == NULL || !str_to_u64(str_from_cstr(named), &number) || number > INT32_MAX ||
        fcntl((int)number, F_SETFD, FD_CLOEXEC) != 0)
        return NULL;
    control = mem_zalloc(sizeof(*control));
    if (control == NULL)
        return NULL;
    control->app = app;
    control->fd = (int)number;
    if (pthread_create(&control->thread, NULL, serve, control) == 0)
        return control;
    mem_free(control);
    return NULL;
}

void clock_control_close(struct clock_control *control)
{
    if (control == NULL)
        return;
    (void)shutdown(control->fd, SHUT_RDWR); /* wakes recv */
    (void)pthread_join(control->thread, NULL);
    fd_close(&control->fd);
    mem_free(control);
}

#endif
