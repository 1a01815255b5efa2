/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail-bench start: how long from exec to the first 200 on a signed ListBuckets, and CPU time.
 *
 * (1) Until then 503 and a connection that ends without an answer mean "not yet"; any other answer
 *     ends the wait.
 * (2) The program leads a process group: what it starts (a wrapper's server) is measured and ended
 *     with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/bench/commands.h"
#include "tests/bench/report.h"
#include "tests/bench/usage.h"

#define PAUSE_NS 50000 /* between two attempts */

/* Never returns. The program's banner and log go nowhere: writing them is part of its start. */
static void become(char **program)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* it must not outlive us */
    (void)dup2(nowhere, STDIN_FILENO);
    (void)dup2(nowhere, STDOUT_FILENO);
    (void)dup2(nowhere, STDERR_FILENO);
    (void)execvp(program[0], program);
    _exit(127);
}

enum readiness { READY, NOT_YET, NEVER };

static enum readiness ask(struct service *service, struct fault *fault)
{
    struct fault cause = { 0 };
    int fd = net_connect(&service->address);

    if (fd < 0)
        return NOT_YET;

    fd_close(&fd);
    if (!service_call(service, STR("GET"), STR("/"), STR(""), STR(""), &cause) ||
        service->response.status == 503)
        return NOT_YET;
    if (service->response.status / 100 == 2)
        return READY;
    return fault_set(fault, NEVER, "GET /: status %u", service->response.status);
}

static bool wait_ready(struct service *service, pid_t child, uint64_t start_ns, double limit_s,
                       struct fault *fault)
{
    struct timespec pause = { .tv_nsec = PAUSE_NS };

    for (;;) {
        enum readiness now = ask(service, fault);

        if (now != NOT_YET)
            return now == READY;
        if (waitpid(child, NULL, WNOHANG) != 0)
            return fault_set(fault, false, "the program ended before it was ready");
        if ((double)(net_now_ns() - start_ns) > limit_s * 1e9)
            return fault_set(fault, false, "not ready in time");
        (void)nanosleep(&pause, NULL);
    }
}

/* End the group; its leader is waited for, the others until they are gone. */
static void end(pid_t child, int how, double limit_s)
{
    uint64_t begin_ns = net_now_ns();
    struct timespec pause = { .tv_nsec = PAUSE_NS };

    (void)kill(-child, how);
    (void)waitpid(child, NULL, 0);
    while (usage_group_lives((uint64_t)child)) {
        if ((double)(net_now_ns() - begin_ns) > limit_s * 1e9)
            (void)kill(-child, SIGKILL);
        (void)nanosleep(&pause, NULL);
    }
}

int command_start(const struct options *options, struct fault *fault)
{
    CLEANUP(service_close) struct service service = { 0 };
    uint64_t start_ns;
    uint64_t ready_ns;
    double cpu_s = 0;
    bool ready;
    pid_t child;
    int fd;

    if (!service_open(&service, options, fault))
        return 1;
    fd = net_connect(&service.address);
    if (fd >= 0) {
        fd_close(&fd);
        return fault_set(fault, 1, "something answers at %.*s already",
                         STR_ARG(options->authority));
    }

    start_ns = net_now_ns();
    child = fork();
    if (child < 0)
        return fault_errno(fault, 1, "fork");
    if (child == 0)
        become(options->program);
    (void)setpgid(child, child); /* whoever comes first */
    ready = wait_ready(&service, child, start_ns, options->timeout_s, fault);
    ready_ns = net_now_ns();
    ready = ready && usage_group_cpu_s((uint64_t)child, &cpu_s);
    end(child, options->kill != 0 ? SIGKILL : SIGTERM, options->timeout_s);
    if (!ready)
        return 1;
    report_figure(options, "start_to_ready", (double)(ready_ns - start_ns) / 1e6, "ms");
    report_figure(options, "start_cpu", cpu_s * 1e3, "ms");
    return 0;
}
