/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting threads.
 */
#include <errno.h>
#include <signal.h>

#include "base/digest/digest.h"
#include "storage/internal.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define THREAD_STACK_BYTES (1024u * 1024u)
#else
#define THREAD_STACK_BYTES (256u * 1024u)
#endif

struct beginning {
    void *(*run)(void *);
    void *argument;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool told, good;
};

/* What the thread may need later it has, or it does not begin. */
static void *begin(void *context)
{
    struct beginning *beginning = context;
    void *(*run)(void *) = beginning->run;
    void *argument = beginning->argument;
    bool good = digest_thread_prepare();

    (void)pthread_mutex_lock(&beginning->lock);
    beginning->told = true;
    beginning->good = good;
    (void)pthread_cond_signal(&beginning->changed);
    (void)pthread_mutex_unlock(&beginning->lock);
    return good ? run(argument) : NULL;
}

static bool has_begun(struct beginning *beginning)
{
    (void)pthread_mutex_lock(&beginning->lock);
    while (!beginning->told)
        (void)pthread_cond_wait(&beginning->changed, &beginning->lock);
    (void)pthread_mutex_unlock(&beginning->lock);
    return beginning->good;
}

int thread_start(pthread_t *ret_thread, void *(*run)(void *), void *argument)
{
    struct beginning beginning = { .run = run,
                                   .argument = argument,
                                   .lock = PTHREAD_MUTEX_INITIALIZER,
                                   .changed = PTHREAD_COND_INITIALIZER };
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    int error;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    /* Signals are the main thread's business. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(ret_thread, &attributes, begin, &beginning);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    if (error == 0 && !has_begun(&beginning)) {
        (void)pthread_join(*ret_thread, NULL);
        error = ENOMEM;
    }
    return error;
}
