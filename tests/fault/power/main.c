/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts: after every call that changes the disk, every plausible loss of what was not synced.
 *
 *     power [--deep] [--states N] [--seed S] [--jobs N] [--folder DIR] [scene...]
 *     power --prove
 *     power --trace FILE [--state PLACE:CHOICE [--keep DIR]]
 *
 * Each scene is recorded once. At each place of its trace come, in this order: nothing that is not safe,
 * all of it, all but each single event, each single event alone, the last write torn; then rounds of
 * random states until there are N different ones. A seed other than 0 leaves out what is systematic and
 * begins with the random round of that number: so a long run can be divided, and gone on with.
 *
 * SIGINT and SIGTERM end a run where it is, with its counts; they are told every minute, too.
 *
 * A state that was met before is not opened again, but what was found in it is held against what is
 * expected now. What fails is printed with the command that shows it again. Exits 1 then.
 *
 * --prove ignores one kind of sync after the other, and lets answers, and the punching of holes, come
 * before the sync of their commit: each of these must be found. A trace without a state is printed.
 */
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/digest/digest.h"
#include "tests/fault/power/record.h"
#include "tests/fault/power/run.h"

#define STATES_DEFAULT 20000
#define STATES_DEEP 2000000
#define STATES_PROVE 40000
#define FAILURES_MAX 10
#define HEAP_KEPT_BYTES (1 << 30)

static void answer_early(struct trace *trace);
static void give_back_early(struct trace *trace);

/* A kind of sync that does nothing, or a trace in another order. */
static const struct planted {
    const char *name;
    const char *scene; /* in which it shows */
    enum target target;
    void (*change)(struct trace *trace);
} planted[] = {
    { "no sync of the log", "small", TARGET_LOG, NULL },
    { "no sync of the catalog's file", "removal", TARGET_CATALOG, NULL },
    { "no sync of a pack", "bodies", TARGET_PACK, NULL },
    { "no sync of a body's file", "bodies", TARGET_BODY, NULL },
    { "no sync of a small file before it is placed", "create", TARGET_SMALL, NULL },
    { "no sync of the directory above the store", "create", TARGET_ABOVE, NULL },
    { "no sync of the store's directory", "create", TARGET_STORE, NULL },
    { "no sync of packs/", "bodies", TARGET_PACKS, NULL },
    { "no sync of blobs/", "create", TARGET_BLOBS, NULL },
    { "no sync of blobs/ab/", "bodies", TARGET_BLOBS_TOP, NULL },
    { "no sync of blobs/ab/cd/", "bodies", TARGET_LEAF, NULL },
    { "an answer before the sync of its commit", "small", TARGETS, answer_early },
    { "space given back before its commit is synced", "removal", TARGETS, give_back_early },
};

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- recording ------------------------------------------------------------------------------- */

static void record_all(struct run *run)
{
    char folder[300];

    for (size_t i = 0; i < run->scene_count; i++) {
        (void)snprintf(folder, sizeof(folder), "%s/scene", run->folder);
        play_record(run->scenes[i], folder, &run->traces[i]);
        if (!run->quiet)
            printf("power: %-10s %4zu calls, %2zu writes\n", run->scenes[i]->name,
                   trace_events(&run->traces[i]), trace_views(&run->traces[i]) - 1);
    }
}

/* ---- planted faults -------------------------------------------------------------------------- */

/* Event i comes before the last sync of the log before it. */
static void move_up(struct trace *trace, size_t i)
{
    struct event event = *trace_event(trace, i);
    size_t to = i;

    while (to > 0 && (trace_event(trace, to)->act != ACT_SYNC ||
                      trace_event(trace, to)->target != TARGET_LOG))
        to--;
    memmove(trace_event(trace, to + 1), trace_event(trace, to), (i - to) * sizeof(event));
    *trace_event(trace, to) = event;
}

static void answer_early(struct trace *trace)
{
    for (size_t i = 1; i < trace_events(trace); i++) {
        if (trace_event(trace, i)->act == ACT_ACK)
            move_up(trace, i);
    }
}

/* The extents of packs that no row names any more. */
static void give_back_early(struct trace *trace)
{
    for (size_t i = 1; i < trace_events(trace); i++) {
        if (trace_event(trace, i)->act == ACT_PUNCH)
            move_up(trace, i);
    }
}

/* ---- what is asked for ----------------------------------------------------------------------- */

static int search(struct run *run)
{
    double began_s = now_s();
    struct shared *shared;
    double took_s;
    bool good;

    record_all(run);
    run_all(run, &shared);
    took_s = now_s() - began_s;
    for (size_t i = 0; i < run->scene_count; i++)
        printf("power: %-10s %7" PRIu64 " states\n", run->scenes[i]->name,
               atomic_load(&shared->scene_states[i]));
    printf("power: %" PRIu64 " different states, %" PRIu64
           " more were met before, %.0f a second, %.0f s\n",
           atomic_load(&shared->states), atomic_load(&shared->tried) - atomic_load(&shared->states),
           (double)atomic_load(&shared->states) / took_s, took_s);
    printf("power: %" PRIu64
           " of them are of a second cut, while the store was opened; %u fail; go on "
           "with --seed %" PRIu64 "\n",
           atomic_load(&shared->deeper), atomic_load(&shared->failures),
           run->seed + atomic_load(&shared->rounds) / run->jobs + 1);
    good = atomic_load(&shared->failures) == 0 && !run->ended_badly;
    shared_close(shared);
    return good ? 0 : 1;
}

static bool prove_one(const struct run *all, const struct planted *fault)
{
    static struct run run;
    struct shared *shared;
    bool found;

    run = *all;
    run.planted = fault->target;
    run.scenes[0] = scene_named(fault->scene);
    run.scene_count = 1;
    record_all(&run);
    if (fault->change != NULL)
        fault->change(&run.traces[0]);
    run_all(&run, &shared);
    found = atomic_load(&shared->failures) > 0 && !run.ended_badly;
    printf("power: %-48s %s, %" PRIu64 " states: %s\n", fault->name, found ? "found" : "NOT FOUND",
           atomic_load(&shared->states), shared->why);
    (void)fflush(stdout);
    shared_close(shared);
    trace_free(&run.traces[0]);
    return found;
}

static int prove(struct run *run)
{
    size_t found = 0;

    run->quiet = true;
    run->failures_max = 1;
    run->states = STATES_PROVE;
    for (size_t i = 0; i < COUNT_OF(planted); i++)
        found += prove_one(run, &planted[i]);
    printf("power: the harness finds %zu of %zu planted faults\n", found, COUNT_OF(planted));
    return found == COUNT_OF(planted) ? 0 : 1;
}

static int show(struct run *run, const char *path, const char *state, const char *keep)
{
    const struct scene *scene;
    const char *colon;
    struct choice choice;
    struct trace trace;
    bool good;

    trace_load(&trace, path);
    if (state == NULL) {
        trace_print(&trace);
        return 0;
    }
    colon = strchr(state, ':');
    scene = scene_named(trace.scene.p);
    if (scene == NULL || colon == NULL || !choice_parse(colon + 1, &choice))
        give_up("--state PLACE:CHOICE of a known scene", state);
    good = run_one(run, scene, &trace, strtoul(state, NULL, 10), &choice, keep);
    trace_free(&trace);
    return good ? 0 : 1;
}

/* ---- the command line ------------------------------------------------------------------------ */

struct asked {
    bool prove;
    const char *trace, *state, *keep, *folder;
};

static void parse(struct run *run, struct asked *asked, int argc, char **argv)
{
    static const struct option options[] = {
        { "deep", no_argument, NULL, 'd' },         { "states", required_argument, NULL, 'n' },
        { "seed", required_argument, NULL, 's' },   { "jobs", required_argument, NULL, 'j' },
        { "folder", required_argument, NULL, 'f' }, { "prove", no_argument, NULL, 'p' },
        { "trace", required_argument, NULL, 't' },  { "state", required_argument, NULL, 'c' },
        { "keep", required_argument, NULL, 'k' },   { NULL, 0, NULL, 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            run->states = STATES_DEEP;
            break;
        case 'n':
            run->states = strtoull(optarg, NULL, 10);
            break;
        case 's':
            run->seed = strtoull(optarg, NULL, 10);
            break;
        case 'j':
            run->jobs = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'f':
            asked->folder = optarg;
            break;
        case 'p':
            asked->prove = true;
            break;
        case 't':
            asked->trace = optarg;
            break;
        case 'c':
            asked->state = optarg;
            break;
        case 'k':
            asked->keep = optarg;
            break;
        default:
            exit(2);
        }
    }
    for (; optind < argc && run->scene_count < SCENES_MAX; optind++) {
        run->scenes[run->scene_count] = scene_named(argv[optind]);
        if (run->scenes[run->scene_count++] == NULL)
            give_up("no such scene", argv[optind]);
    }
}

static void make_folder(struct run *run, const char *base)
{
    (void)snprintf(run->folder, sizeof(run->folder), "%.200s/pail-power.XXXXXX", base);
    if (mkdtemp(run->folder) == NULL)
        give_up("make a folder in", base);
    (void)mkdir("build", 0755);
    (void)mkdir("build/fault", 0755);
}

int main(int argc, char **argv)
{
    static struct run run = { .states = STATES_DEFAULT,
                              .planted = TARGETS,
                              .failures_max = FAILURES_MAX,
                              .kept = "build/fault" };
    struct asked asked = { .folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "build/fault" };
    int status;

    run.program = argv[0];
    run.jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    parse(&run, &asked, argc, argv);
    for (size_t i = 0; run.scene_count == 0 && scene_at(i) != NULL; i++)
        run.scenes[i] = scene_at(i);
    while (run.scenes[run.scene_count] != NULL)
        run.scene_count++;
    if (run.jobs == 0 || run.jobs > JOBS_MAX)
        run.jobs = 1;
    /* Threads come and go with every state: one heap for all, which is kept. */
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, HEAP_KEPT_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES);
    if (!digest_init())
        give_up("digests", "not there");
    make_folder(&run, asked.folder);
    record_install();

    if (asked.trace != NULL)
        status = show(&run, asked.trace, asked.state, asked.keep);
    else
        status = asked.prove ? prove(&run) : search(&run);
    folder_remove(run.folder);
    return status;
}
