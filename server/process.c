/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a serving process sets for itself; see process.h.
 */
#include "server/process.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <link.h>
#include <sys/prctl.h>
#endif

/* LeakSanitizer looks at its own process as a debugger does. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER true
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER false
#endif

static void steering_signals(sigset_t *ret_set)
{
    (void)sigemptyset(ret_set);
    (void)sigaddset(ret_set, SIGTERM);
    (void)sigaddset(ret_set, SIGINT);
    (void)sigaddset(ret_set, SIGHUP);
}

/* Best effort: a server with fewer descriptors serves fewer connections. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;

    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

void process_prepare(bool dumpable)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t set;

    (void)umask(077);
    raise_descriptor_limit();
#ifdef __linux__
    if (!dumpable && !UNDER_SANITIZER)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#else
    (void)dumpable;
#endif

    (void)sigaction(SIGPIPE, &ignore, NULL);
    steering_signals(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/*
 * A terminal that was closed asks its programs to end; the kernel sends that SIGHUP itself. One
 * from kill asks for a reload. Under nohup SIGHUP is set to be ignored, and the terminal's is.
 */
static enum process_event on_hangup(const siginfo_t *info)
{
#ifdef SI_KERNEL
    struct sigaction now;

    if (info->si_code == SI_KERNEL && sigaction(SIGHUP, NULL, &now) == 0 &&
        now.sa_handler != SIG_IGN)
        return PROCESS_STOP;
#else
    (void)info;
#endif
    return PROCESS_RELOAD;
}

static int next_signal(const sigset_t *set, siginfo_t *ret_info)
{
#ifdef __APPLE__
    int number;

    *ret_info = (siginfo_t){ 0 };
    return sigwait(set, &number) == 0 ? number : -1;
#else
    return sigwaitinfo(set, ret_info);
#endif
}

enum process_event process_wait(void)
{
    sigset_t set;
    siginfo_t info;
    int number;

    steering_signals(&set);
    do {
        number = next_signal(&set, &info);
    } while (number < 0);

    return number == SIGHUP ? on_hangup(&info) : PROCESS_STOP;
}

/* As process 1 of a container the default action would be to do nothing. */
static void exit_now(int signal_number)
{
    _exit(128 + signal_number);
}

void process_stopping(void)
{
    struct sigaction at_once = { .sa_handler = exit_now };
    sigset_t set;

    (void)sigaction(SIGTERM, &at_once, NULL);
    (void)sigaction(SIGINT, &at_once, NULL);
    steering_signals(&set);
    (void)sigdelset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

#ifdef __linux__
/* Segments that were never writable hold file pages as they are: dropping them loses nothing. */
static int release_object(struct dl_phdr_info *object, size_t size, void *context)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    (void)context;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + segment->p_vaddr;
        uintptr_t end = (start + segment->p_memsz) & ~(page - 1);

        start = (start + page - 1) & ~(page - 1);
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) == 0 && start < end)
            (void)madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}
#endif

void process_release_startup_pages(void)
{
#ifdef __linux__
    (void)dl_iterate_phdr(release_object, NULL);
#endif
}
