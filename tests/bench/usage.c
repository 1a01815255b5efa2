/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU time and memory of the server's processes; see usage.h.
 */
#include "tests/bench/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

#define PROC_BYTES_MAX 8192

static bool proc_read(uint64_t pid, const char *name, char text[PROC_BYTES_MAX])
{
    char path[64];
    CLEANUP(fd_close) int fd = -1;
    ssize_t len;

    (void)snprintf(path, sizeof(path), "/proc/%llu/%s", (unsigned long long)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    len = read(fd, text, PROC_BYTES_MAX - 1);
    if (len < 0)
        return false;
    text[len] = '\0';
    return true;
}

/* Its clock is a nanosecond fine where /proc/PID/stat has 10 ms. */
bool usage_process_cpu_s(uint64_t pid, double *ret_cpu_s)
{
    struct timespec time;
    clockid_t clock;

    if (clock_getcpuclockid((pid_t)pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        return false;
    *ret_cpu_s = (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
    return true;
}

/* State and group in "123 (a name) S 1 120 ...": the name may hold anything but ends at the last ')'. */
static bool proc_group(uint64_t pid, char *ret_state, uint64_t *ret_group)
{
    char text[PROC_BYTES_MAX];
    struct str rest;
    struct str field;

    if (!proc_read(pid, "stat", text))
        return false;

    rest = str_skip(str_from_cstr(text), str_rfind_char(str_from_cstr(text), ')') + 2);
    if (!str_next(&rest, ' ', &field) || field.len != 1)
        return false;
    *ret_state = field.p[0];
    return str_next(&rest, ' ', &field) && str_next(&rest, ' ', &field) &&
           str_to_u64(field, ret_group);
}

/* Calls visit for every process of the group that is no zombie. */
static void group_visit(uint64_t group, void (*visit)(uint64_t pid, void *context), void *context)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;

    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        uint64_t pid;
        uint64_t its_group;
        char state;

        if (str_to_u64(str_from_cstr(entry->d_name), &pid) && proc_group(pid, &state, &its_group) &&
            its_group == group && state != 'Z')
            visit(pid, context);
    }
    if (processes != NULL)
        (void)closedir(processes);
}

static void add_cpu(uint64_t pid, void *context)
{
    double *sum_s = context;
    double one_s;

    if (usage_process_cpu_s(pid, &one_s))
        *sum_s += one_s;
}

bool usage_group_cpu_s(uint64_t group, double *ret_cpu_s)
{
    double sum_s = 0;

    if (!usage_process_cpu_s(group, &sum_s))
        return false;

    sum_s = 0;
    group_visit(group, add_cpu, &sum_s);
    *ret_cpu_s = sum_s;
    return true;
}

static void note_life(uint64_t pid, void *context)
{
    bool *lives = context;

    (void)pid;
    *lives = true;
}

bool usage_group_lives(uint64_t group)
{
    bool lives = false;

    group_visit(group, note_life, &lives);
    return lives;
}

/* "VmRSS:     1234 kB" */
static uint64_t status_kib(struct str status, struct str name)
{
    size_t at = str_find(status, name);
    struct str line;
    struct str rest;
    uint64_t value = 0;

    if (at == SIZE_MAX)
        return 0;
    (void)str_cut(str_skip(status, at + name.len), '\n', &line, &rest);
    line = str_trim(line);
    (void)str_cut(line, ' ', &line, &rest);
    return str_to_u64(line, &value) ? value : 0;
}

struct usage_mark usage_mark(const struct options *options)
{
    struct usage_mark mark = { .known = options->pid_count > 0 };
    double process_s = 0;

    for (uint64_t i = 0; i < options->pid_count; i++) {
        mark.known = mark.known && usage_process_cpu_s(options->pids[i], &process_s);
        mark.cpu_s += process_s;
    }
    return mark;
}

struct usage usage_since(const struct options *options, struct usage_mark start,
                         struct usage_mark end)
{
    struct usage usage = { .known = start.known && end.known, .cpu_s = end.cpu_s - start.cpu_s };

    for (uint64_t i = 0; i < options->pid_count && usage.known; i++) {
        char text[PROC_BYTES_MAX];

        if (!proc_read(options->pids[i], "status", text)) {
            usage.known = false;
            break;
        }
        usage.rss_kib += status_kib(str_from_cstr(text), STR("VmRSS:"));
        usage.hwm_kib += status_kib(str_from_cstr(text), STR("VmHWM:"));
    }
    return usage;
}

double usage_thread_cpu_s(void)
{
    struct rusage own;

    (void)getrusage(RUSAGE_THREAD, &own);
    return (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
           (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) * 1e-6;
}
