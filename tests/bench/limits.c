/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail-bench limits: what this processor and this file system can do at best, so that a figure of
 * a server can be put in relation to it. Each takes --seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/bench/commands.h"
#include "tests/bench/report.h"
#include "tests/bench/usage.h"

#define DIGEST_BLOCK_BYTES 16384
#define RECORD_BYTES 1200 /* a 1 KiB object with its head, as a log would keep it */
#define APPEND_GROUP 64
#define FILE_BYTES 1024
#define STREAM_BLOCK_BYTES ((size_t)1 << 20)
#define STREAM_BYTES_MIN ((uint64_t)256 << 20)

struct limits {
    const struct options *options;
    struct fault *fault;
    int dir_fd;
    char *block; /* STREAM_BLOCK_BYTES */
};

static uint64_t deadline(const struct limits *limits)
{
    return net_now_ns() + (uint64_t)(limits->options->seconds * 1e9);
}

/* By the clock, and by the CPU time it took: what other work on the machine leaves alone. */
static bool digest_rate(struct limits *limits, enum digest_kind kind, const char *name,
                        const char *cpu_name)
{
    struct digest *digest = digest_open(kind);
    double cpu_s = -usage_thread_cpu_s();
    uint64_t start_ns = net_now_ns();
    uint64_t end_ns = deadline(limits);
    uint64_t bytes = 0;

    if (digest == NULL)
        return fault_set(limits->fault, false, "no memory");
    digest_reset(digest);
    while (net_now_ns() < end_ns) {
        for (int i = 0; i < 16; i++)
            digest_update(digest, limits->block, DIGEST_BLOCK_BYTES);
        bytes += 16 * DIGEST_BLOCK_BYTES;
    }
    cpu_s += usage_thread_cpu_s();
    report_figure(limits->options, name, (double)bytes / (double)(net_now_ns() - start_ns), "GB/s");
    if (cpu_s > 0)
        report_figure(limits->options, cpu_name, (double)bytes / cpu_s / 1e9, "GB/s");
    digest_close(digest);
    return true;
}

static bool md5_rate(struct limits *limits)
{
    return digest_rate(limits, DIGEST_MD5, "md5", "md5_cpu");
}

static bool sha256_rate(struct limits *limits)
{
    return digest_rate(limits, DIGEST_SHA256, "sha256", "sha256_cpu");
}

/* A file of a name of its own that is gone when it is closed. */
static int scratch_file(struct limits *limits)
{
    int fd = file_open(limits->dir_fd, "pail-bench.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (fd >= 0)
        (void)unlinkat(limits->dir_fd, "pail-bench.tmp", 0);
    return fd;
}

/* Records of 1.2 KB, a sync after every `group` of them. */
static bool append_rate(struct limits *limits, unsigned group, const char *name)
{
    CLEANUP(fd_close) int fd = scratch_file(limits);
    uint64_t start_ns = net_now_ns();
    uint64_t end_ns = deadline(limits);
    uint64_t records = 0;

    while (net_now_ns() < end_ns) {
        for (unsigned i = 0; i < group; i++, records++)
            if (fd < 0 || file_write_all(fd, limits->block, RECORD_BYTES) < 0)
                return fault_errno(limits->fault, false, "write");
        if (fdatasync(fd) != 0)
            return fault_errno(limits->fault, false, "fdatasync");
    }
    report_figure(limits->options, name, (double)records * 1e9 / (double)(net_now_ns() - start_ns),
                  "1/s");
    return true;
}

static bool append_one(struct limits *limits)
{
    return append_rate(limits, 1, "append_fdatasync");
}

static bool append_group(struct limits *limits)
{
    return append_rate(limits, APPEND_GROUP, "append_64_fdatasync");
}

/* A file per object, as safe as it can be: written, synced, renamed, its directory synced. */
static bool file_rate(struct limits *limits)
{
    uint64_t start_ns = net_now_ns();
    uint64_t end_ns = deadline(limits);
    uint64_t files = 0;
    char name[64];

    for (; net_now_ns() < end_ns; files++) {
        CLEANUP(fd_close)
        int fd = file_open(limits->dir_fd, "pail-bench.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0600);

        (void)snprintf(name, sizeof(name), "pail-bench.%llu", (unsigned long long)files);
        if (fd < 0 || file_write_all(fd, limits->block, FILE_BYTES) < 0 || fsync(fd) != 0 ||
            renameat(limits->dir_fd, "pail-bench.tmp", limits->dir_fd, name) != 0 ||
            fsync(limits->dir_fd) != 0)
            return fault_errno(limits->fault, false, "file '%s'", name);
    }
    report_figure(limits->options, "file_fsync_dirsync",
                  (double)files * 1e9 / (double)(net_now_ns() - start_ns), "1/s");
    for (uint64_t i = 0; i < files; i++) {
        (void)snprintf(name, sizeof(name), "pail-bench.%llu", (unsigned long long)i);
        (void)unlinkat(limits->dir_fd, name, 0);
    }
    return true;
}

/* One long file, synced at its end: of --size bytes when that is more than the usual. */
static bool stream_rate(struct limits *limits)
{
    CLEANUP(fd_close) int fd = scratch_file(limits);
    uint64_t bytes = limits->options->size_bytes > STREAM_BYTES_MIN ? limits->options->size_bytes
                                                                    : STREAM_BYTES_MIN;
    uint64_t start_ns = net_now_ns();

    for (uint64_t at = 0; at < bytes; at += STREAM_BLOCK_BYTES)
        if (fd < 0 || file_write_all(fd, limits->block, STREAM_BLOCK_BYTES) < 0)
            return fault_errno(limits->fault, false, "write");
    if (fdatasync(fd) != 0)
        return fault_errno(limits->fault, false, "fdatasync");
    report_figure(limits->options, "stream_write_sync",
                  (double)bytes * 1e3 / (double)(net_now_ns() - start_ns), "MB/s");
    return true;
}

static const struct {
    struct str name;
    bool (*measure)(struct limits *limits);
} table[] = {
    { STR("md5"), md5_rate },
    { STR("sha256"), sha256_rate },
    { STR("append_fdatasync"), append_one },
    { STR("append_64_fdatasync"), append_group },
    { STR("file_fsync_dirsync"), file_rate },
    { STR("stream_write_sync"), stream_rate },
};

static void limits_free(struct limits *limits)
{
    fd_close(&limits->dir_fd);
    mem_free(limits->block);
}

int command_limits(const struct options *options, struct fault *fault)
{
    CLEANUP(limits_free) struct limits limits = { .options = options, .fault = fault };
    bool measured = false;

    limits.dir_fd = open(options->directory.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (limits.dir_fd < 0)
        return fault_errno(fault, 1, "'%s'", options->directory.p);
    limits.block = mem_zalloc(STREAM_BLOCK_BYTES);
    if (limits.block == NULL)
        return fault_set(fault, 1, "no memory");

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (str_present(options->only) && !str_eq(options->only, table[i].name))
            continue;
        if (!table[i].measure(&limits))
            return 1;
        measured = true;
    }
    return measured ? 0 : fault_set(fault, 1, "--only names no limit");
}
