/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main for the fuzz targets where there is no libFuzzer: every file of the folders (or every file)
 * named is one input. Fails when there was none, so that a moved corpus is noticed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_BYTES_MAX (16u * 1024 * 1024)

static bool replay_file(int dir_fd, const char *name, size_t *count)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(INPUT_BYTES_MAX);
    int result = file_read_all(dir_fd, name, &content);
    char *exact;

    if (result < 0) {
        (void)fprintf(stderr, "replay: %s: %s\n", name, strerror(-result));
        return false;
    }

    /* A block of just that size: reading past the end of the input is seen. */
    exact = malloc(content.len > 0 ? content.len : 1);
    if (exact == NULL)
        return false;
    memcpy(exact, buf_view(&content).p, content.len);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)exact, content.len);
    free(exact);
    (*count)++;
    return true;
}

static bool replay_folder(const char *path, size_t *count)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool good = true;

    if (folder == NULL) {
        (void)fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return false;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.')
            good = replay_file(dirfd(folder), entry->d_name, count) && good;
    }
    (void)closedir(folder);
    return good;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    bool good = true;

    for (int i = 1; i < argc; i++) {
        struct stat about;

        if (stat(argv[i], &about) == 0 && S_ISREG(about.st_mode))
            good = replay_file(AT_FDCWD, argv[i], &count) && good;
        else
            good = replay_folder(argv[i], &count) && good;
    }
    printf("%zu inputs\n", count);
    return good && count > 0 ? 0 : 1;
}
