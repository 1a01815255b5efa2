/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded: while the file that TEST_FAIL_SYNC names is there, every sync fails with EIO. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sync_or_fail(long number, int fd)
{
    const char *mark = getenv("TEST_FAIL_SYNC");

    if (mark != NULL && access(mark, F_OK) == 0) {
        errno = EIO;
        return -1;
    }

    return (int)syscall(number, fd);
}

int fsync(int fd)
{
    return sync_or_fail(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_or_fail(SYS_fdatasync, fd);
}
