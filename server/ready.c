/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling the world that the server answers; see ready.h.
 *
 * What a program waits for comes last: whoever has seen it finds all the rest in place.
 */
#include "server/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "server/commands/commands.h"
#include "server/listeners.h"

#define NO_MEMORY "there is no memory to say that the server is ready"

/* Appears under its name only with its content. Not synced: the port is of this process only. */
static bool write_port_file(const struct banner *banner, struct fault *fault)
{
    const char *path = banner->config->port_file.p;
    char temp[PATH_MAX];
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(16);
    CLEANUP(fd_close) int fd = -1;
    int error;

    for (size_t i = 0; i < banner->listener_count && text.len == 0; i++) {
        unsigned port = listener_port(&banner->listeners[i]);

        if (port > 0)
            buf_printf(&text, "%u\n", port);
    }
    if (snprintf(temp, sizeof(temp), "%s.%d.tmp", path, (int)getpid()) >= (int)sizeof(temp))
        return fault_false(fault, "the port file's name is too long");
    if (text.failed)
        return fault_false(fault, "there is no memory to write the port file '%s'", path);

    fd = file_open(AT_FDCWD, temp, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    error = fd < 0 ? fd : file_write_all(fd, text.p, text.len);
    /* Often read by another user of the machine, who learns nothing but a number. */
    if (error == 0 && fchmod(fd, 0644) != 0)
        error = -errno;
    if (error == 0)
        error = file_rename(AT_FDCWD, temp, AT_FDCWD, path);
    if (error < 0) {
        errno = -error;
        return fault_errno_false(fault, "write the port file '%s'", path);
    }

    return true;
}

static bool write_ready(int fd, struct fault *fault)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(16);

    if (fd < 0)
        return true;

    buf_lit(&text, "ready\n");
    if (text.failed)
        return fault_false(fault, NO_MEMORY);
    command_write(fd, &text);
    (void)close(fd);
    return true;
}

bool ready_announce(const struct banner *banner, struct fault *fault)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(BANNER_BYTES_MAX);

    banner_text(banner, &text);
    command_write(STDERR_FILENO, &text);
    buf_clear(&text);

    if (banner->config->port_file.len > 0 && !write_port_file(banner, fault))
        return false;

    /* Who waits for it must not wait for ever: without it there is no start. */
    banner_json(banner, &text);
    if (text.failed)
        return fault_false(fault, NO_MEMORY);
    command_write(STDOUT_FILENO, &text);
    return write_ready(banner->config->ready_fd, fault);
}
