/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dead letters; see dead.h.
 */
#include "server/notify/dead.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text/text.h"
#include "server/notify/message.h"

#define LINE_BYTES_MAX (2 * NOTIFY_MESSAGE_BYTES_MAX)

/* Of all stores: letters are rare. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

static void write_line(struct buf *out, const struct notify_dead *dead)
{
    char time[CLOCK_ISO8601_LEN + 1];

    clock_format_iso8601(dead->time_us, time);
    buf_printf(out, "{\"time\":\"%s\",\"target\":", time);
    text_json(out, dead->target->name);
    buf_lit(out, ",\"arn\":");
    text_json(out, dead->target->arn);
    buf_lit(out, ",\"why\":");
    text_json(out, dead->why);
    if (str_present(dead->message)) {
        buf_printf(out, ",\"tries\":%llu,\"message\":", (unsigned long long)dead->tries);
        buf_str(out, dead->message);
    } else {
        buf_printf(out, ",\"lost\":%llu", (unsigned long long)dead->lost);
    }
    buf_lit(out, "}\n");
}

/* 0 or a negative errno. */
static int append(int dir_fd, struct str line)
{
    struct stat there;
    int fd = file_open_own(dir_fd, NOTIFY_DEAD_FILE, O_WRONLY | O_CREAT, 0600);
    int error;

    if (fd < 0)
        return fd;
    error = fstat(fd, &there) == 0 ? 0 : -errno;
    if (error == 0 && there.st_size > 0 &&
        (uint64_t)there.st_size + line.len > NOTIFY_DEAD_BYTES_MAX) {
        fd_close(&fd);
        error = file_rename(dir_fd, NOTIFY_DEAD_FILE, dir_fd, NOTIFY_DEAD_FILE_OLDER);
        return error == 0 ? append(dir_fd, line) : error;
    }
    /* A line that a crash has cut ends where the next one begins. */
    if (error == 0)
        error = file_write_at(fd, (uint64_t)there.st_size, line.p, line.len);
    if (error == 0)
        error = file_sync(fd);
    if (error == 0 && there.st_size == 0)
        error = file_sync_dir(dir_fd);
    fd_close(&fd);
    return error;
}

bool notify_dead_add(int dir_fd, const struct notify_dead *dead, struct fault *fault)
{
    CLEANUP(buf_free) struct buf line = BUF_WITH_MAX(LINE_BYTES_MAX);
    int error;

    write_line(&line, dead);
    if (line.failed)
        return fault_false(fault, "there is no memory for a dead letter");
    (void)pthread_mutex_lock(&writing);
    error = append(dir_fd, buf_view(&line));
    (void)pthread_mutex_unlock(&writing);
    if (error == 0)
        return true;
    errno = -error;
    return fault_errno_false(fault, "write a dead letter");
}
