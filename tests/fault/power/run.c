/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs; rules in run.h. Each process goes through all traces and judges the places that are its own.
 */
#include "tests/fault/power/run.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/power/judge.h"

#define RANDOM_PER_PLACE 2
#define DEEPER_ONE_IN 256
#define PATH_BYTES_MAX 512
#define TELL_EVERY_S 60

struct worker {
    struct run *run;
    struct shared *shared;
    unsigned number;
    struct judge judge;
    struct cut *cut;
    size_t scene;
    size_t first, last;        /* views expected at this place */
    const struct trace *saved; /* in a file */
    bool deeper;               /* the trace is of how a state was opened */
    size_t opened;             /* deeper: the view of that state, in the scene's trace */
};

/* ---- failures -------------------------------------------------------------------------------- */

static void one_line(char out[SHARED_TEXT_BYTES], struct str text)
{
    struct str line;

    (void)str_cut(text, '\n', &line, &text);
    (void)snprintf(out, SHARED_TEXT_BYTES, "%.*s", (int)size_min(line.len, 200), line.p);
}

static void tell_failure(struct worker *worker, const char *choice)
{
    const struct run *run = worker->run;
    const struct trace *trace = worker->judge.trace;
    const char *scene = worker->judge.scene->name;
    char path[PATH_BYTES_MAX];

    if (atomic_fetch_add(&worker->shared->failures, 1) == 0)
        one_line(worker->shared->why, buf_view(&worker->judge.why));
    if (run->quiet)
        return;
    (void)snprintf(path, sizeof(path), "%s/power-%s%s-%ld.trace", run->kept, scene,
                   worker->deeper ? "-opened" : "", (long)getpid());
    if (worker->saved != trace)
        trace_save(trace, path);
    worker->saved = trace;
    printf("power: %s%s, after %zu of %zu calls, %s:\n%.*s", scene,
           worker->deeper ? ", while it is opened after a cut" : "", cut_position(worker->cut),
           trace_events(trace), choice, STR_ARG(buf_view(&worker->judge.why)));
    printf("power: shown again by %s --trace %s --state %zu:%s\n", run->program, path,
           cut_position(worker->cut), choice);
    (void)fflush(stdout);
}

static bool enough(const struct worker *worker)
{
    return atomic_load(&worker->shared->failures) >= worker->run->failures_max ||
           atomic_load(&worker->shared->stopped);
}

/* found: a view of the scene's trace. Another than the one that was found may say the same. */
static bool expected(const struct worker *worker, size_t found)
{
    const struct trace *views = &worker->run->traces[worker->scene];

    for (size_t k = worker->first; k <= worker->last; k++) {
        if (str_eq(trace_view(worker->judge.trace, k), trace_view(views, found)))
            return true;
    }
    return false;
}

/* ---- a state --------------------------------------------------------------------------------- */

static void go_deeper(struct worker *worker, uint64_t sum, size_t view);

static void try_state(struct worker *worker, const struct choice *choice)
{
    struct shared *shared = worker->shared;
    uint64_t sum = choice_mix(cut_state(worker->cut, choice), worker->scene);
    char text[CHOICE_TEXT_BYTES];
    size_t view = 0;
    enum met met = shared_meet(shared, sum, &view);

    choice_text(choice, text);
    atomic_fetch_add(&shared->tried, 1);
    if (met == MET_BEFORE) {
        if (expected(worker, view))
            return;
        buf_clear(&worker->judge.why);
        buf_printf(&worker->judge.why, "view %zu is found, %zu to %zu are expected\n", view,
                   worker->first, worker->last);
        tell_failure(worker, text);
        return;
    }
    (void)snprintf(shared->at[worker->number], SHARED_TEXT_BYTES, "%s, place %zu, %s",
                   worker->run->scenes[worker->scene]->name, cut_position(worker->cut), text);
    if (met == MET_NEW) {
        atomic_fetch_add(&shared->states, 1);
        atomic_fetch_add(&shared->scene_states[worker->scene], 1);
        atomic_fetch_add(&shared->deeper, worker->deeper);
    }
    if (!judge_state(&worker->judge, worker->cut, sum, worker->first, worker->last, &view)) {
        tell_failure(worker, text);
        return;
    }
    shared_found(shared, sum, worker->deeper ? worker->opened : view);
    if (!worker->deeper && !worker->judge.scene->rotten && sum % DEEPER_ONE_IN == 3)
        go_deeper(worker, sum, view);
}

/* ---- a place --------------------------------------------------------------------------------- */

static void try_systematic(struct worker *worker)
{
    const uint32_t *unsafe;
    size_t count = cut_unsafe(worker->cut, &unsafe);
    uint32_t *events = mem_zalloc((count + 1) * sizeof(*events));
    uint32_t torn;

    if (events == NULL)
        give_up("a place", "memory");
    if (count > 0)
        memcpy(events, unsafe, count * sizeof(*events));
    try_state(worker, &(struct choice){ .kind = CHOICE_NONE });
    try_state(worker, &(struct choice){ .kind = CHOICE_ALL });
    for (size_t i = 0; i < count && !enough(worker); i++) {
        try_state(worker, &(struct choice){ .kind = CHOICE_DROP, .event = events[i] });
        try_state(worker, &(struct choice){ .kind = CHOICE_KEEP, .event = events[i] });
    }
    for (uint64_t tear = 0; tear < TEARS && cut_last_write(worker->cut, &torn); tear++)
        try_state(worker, &(struct choice){ .kind = CHOICE_TORN, .event = torn, .detail = tear });
    mem_free(events);
}

static void try_random(struct worker *worker, uint64_t round)
{
    uint64_t place = choice_mix(cut_position(worker->cut), worker->scene);
    const uint32_t *unsafe;

    if (cut_unsafe(worker->cut, &unsafe) < 2)
        return;
    for (uint64_t i = 0; i < RANDOM_PER_PLACE; i++) {
        struct choice choice = { .kind = CHOICE_RANDOM,
                                 .detail = choice_mix(choice_mix(round, i), place) };

        try_state(worker, &choice);
    }
}

static void stand_at(struct worker *worker)
{
    trace_expected(worker->judge.trace, cut_position(worker->cut), &worker->first, &worker->last);
}

/* round: UINT64_MAX for what is systematic. */
static void go_through(struct worker *worker, size_t scene, uint64_t round, bool until_count)
{
    struct run *run = worker->run;

    worker->scene = scene;
    worker->judge.scene = run->scenes[scene];
    worker->judge.trace = &run->traces[scene];
    worker->cut = cut_open(worker->judge.trace, run->planted);
    do {
        if (cut_position(worker->cut) % run->jobs != worker->number)
            continue;
        stand_at(worker);
        if (round == UINT64_MAX)
            try_systematic(worker);
        else
            try_random(worker, round);
    } while (!enough(worker) &&
             !(until_count && atomic_load(&worker->shared->states) >= run->states) &&
             cut_advance(worker->cut));
    cut_close(worker->cut);
}

/* The state made last is opened once more, and the power fails while it is. */
static void go_deeper(struct worker *worker, uint64_t sum, size_t view)
{
    struct worker inner = { .run = worker->run,
                            .shared = worker->shared,
                            .number = worker->number,
                            .scene = worker->scene,
                            .deeper = true,
                            .opened = view };
    struct trace trace;

    judge_init(&inner.judge, worker->judge.folder);
    inner.judge.scene = worker->judge.scene;
    inner.judge.trace = &trace;
    folder_remove(inner.judge.folder);
    if (mkdir(inner.judge.folder, 0700) != 0)
        give_up("make a folder", inner.judge.folder);
    cut_write(worker->cut, inner.judge.folder);
    if (!play_record_opening(inner.judge.scene, inner.judge.folder,
                             trace_view(worker->judge.trace, view), &trace))
        tell_failure(worker, "opened again");
    inner.cut = cut_open(&trace, inner.run->planted);
    do {
        stand_at(&inner);
        try_state(&inner, &(struct choice){ .kind = CHOICE_NONE });
        try_state(&inner, &(struct choice){ .kind = CHOICE_ALL });
        try_random(&inner, sum);
    } while (!enough(&inner) && cut_advance(inner.cut));
    cut_close(inner.cut);
    judge_free(&inner.judge);
    trace_free(&trace);
}

static void work(struct run *run, struct shared *shared, unsigned number)
{
    struct worker worker = { .run = run, .shared = shared, .number = number };
    char folder[PATH_BYTES_MAX];

    (void)snprintf(folder, sizeof(folder), "%s/%u", run->folder, number);
    judge_init(&worker.judge, folder);
    for (size_t i = 0; run->seed == 0 && i < run->scene_count && !enough(&worker); i++)
        go_through(&worker, i, UINT64_MAX, false);
    for (uint64_t round = run->seed; atomic_load(&shared->states) < run->states && !enough(&worker);
         round++) {
        for (size_t i = 0; i < run->scene_count && !enough(&worker); i++)
            go_through(&worker, i, round, true);
        atomic_fetch_add(&shared->rounds, 1);
    }
    folder_remove(folder);
    judge_free(&worker.judge);
}

/* ---- processes ------------------------------------------------------------------------------- */

static struct shared *stoppable;

/* SIGINT, SIGTERM: what was found so far is told. SIGALRM only interrupts the wait. */
static void on_signal(int signal)
{
    if (signal != SIGALRM)
        atomic_store(&stoppable->stopped, true);
}

static void hear_signals(struct shared *shared)
{
    struct sigaction action = { .sa_handler = on_signal };

    stoppable = shared;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGALRM, &action, NULL);
}

/* Waits for a process, and says now and then how far they all are. */
static bool ended_well(const struct run *run, const struct shared *shared, pid_t worker,
                       int *ret_status)
{
    pid_t ended;

    do {
        (void)alarm(run->quiet ? 0 : TELL_EVERY_S);
        ended = waitpid(worker, ret_status, 0);
        if (ended < 0 && !run->quiet)
            printf("power: %" PRIu64 " states, %" PRIu64 " more were met before, %u fail\n",
                   atomic_load(&shared->states),
                   atomic_load(&shared->tried) - atomic_load(&shared->states),
                   atomic_load(&shared->failures));
        (void)fflush(stdout);
    } while (ended < 0 && errno == EINTR);
    (void)alarm(0);
    return ended == worker && WIFEXITED(*ret_status) && WEXITSTATUS(*ret_status) == 0;
}

/*
 * The threads of an open store hand on to each other and are seldom busy together: on one processor
 * no state pays for waking another. It is the one that is that many ahead of processor.
 */
static void stay_on_one(int processor, unsigned ahead)
{
    cpu_set_t allowed;
    cpu_set_t one;

    if (processor < 0 || sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        return;
    ahead %= (unsigned)CPU_COUNT(&allowed);
    while (!CPU_ISSET(processor, &allowed) || ahead > 0) {
        ahead -= ahead > 0 && CPU_ISSET(processor, &allowed);
        processor = (processor + 1) % CPU_SETSIZE;
    }
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    (void)sched_setaffinity(0, sizeof(one), &one); /* without it, it only takes longer */
}

void run_all(struct run *run, struct shared **ret_shared)
{
    struct shared *shared = shared_open(run->states);
    int first = sched_getcpu();
    pid_t workers[JOBS_MAX];

    (void)fflush(stdout);
    hear_signals(shared);
    for (unsigned i = 0; i < run->jobs; i++) {
        workers[i] = fork();
        if (workers[i] < 0)
            give_up("start a process", "there is none");
        if (workers[i] == 0) {
            stay_on_one(first, i);
            work(run, shared, i);
            _Exit(0);
        }
    }
    for (unsigned i = 0; i < run->jobs; i++) {
        int status = 0;

        if (ended_well(run, shared, workers[i], &status))
            continue;
        run->ended_badly = true;
        printf("power: a process ended with status %x at %s\n", (unsigned)status, shared->at[i]);
    }
    *ret_shared = shared;
}

bool run_one(struct run *run, const struct scene *scene, const struct trace *trace, size_t place,
             const struct choice *choice, const char *keep)
{
    CLEANUP(judge_free) struct judge judge;
    struct cut *cut = cut_open(trace, run->planted);
    size_t first;
    size_t last;
    size_t view;
    uint64_t sum;
    bool good;

    judge_init(&judge, run->folder);
    judge.scene = scene;
    judge.trace = trace;
    while (cut_position(cut) < place && cut_advance(cut))
        ;
    trace_expected(trace, place, &first, &last);
    sum = cut_state(cut, choice);
    if (keep != NULL) {
        if (mkdir(keep, 0700) != 0)
            give_up("make the folder to keep", keep);
        cut_write(cut, keep);
    }
    good = judge_state(&judge, cut, sum, first, last, &view);
    if (good)
        printf("power: good, view %zu of %zu to %zu\n", view, first, last);
    else
        printf("power: fails:\n%.*s", STR_ARG(buf_view(&judge.why)));
    cut_close(cut);
    folder_remove(run->folder);
    return good;
}
