/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program whose counts are known: known ALLOCATIONS SYNCS. It writes a byte before each sync of
 * the file "known", and nothing else.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long allocations = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    long syncs = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    int fd = open("known", O_WRONLY | O_CREAT, 0600);

    for (long i = 0; i < allocations; i++) {
        void *volatile kept = malloc(100);

        free(kept);
    }
    for (long i = 0; i < syncs; i++)
        if (write(fd, "x", 1) != 1 || fdatasync(fd) != 0)
            return 1;
    return fd < 0 || close(fd) != 0;
}
