/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Playing scenes; rules in play.h.
 */
#include "tests/fault/power/play.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/internal.h"
#include "tests/fault/power/record.h"
#include "tests/fault/power/trace.h"

#define GROUP_MAX 8
#define OPS_MAX 64
#define PATH_BYTES_MAX 4096
#define ARENA_BYTES_MAX (64u << 20)
#define PLENTY (UINT64_C(8) << 30)
#define NO_OP UINT32_MAX
#define POLL_US 1000
#define POLLS_MAX 60000
#define CLEAN_POLLS 200 /* time for ten times of silence */
#define SCRUBBED 12     /* bodies */
#define WALK_POLL_US 20 /* of each sixteenth state */
#define WALK_POLLS_MAX 1000000
#define WALK_US (7200 * US_PER_S)
#define QUIET_US (2 * US_PER_S)

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct intent *gathered[GROUP_MAX];
    size_t gathered_count;
    size_t wanted; /* intents that are submitted together; 0: each at once */
    size_t ended;  /* threads of the group that have returned */
    uint32_t acknowledged[OPS_MAX];
    size_t acknowledged_count;
} play = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

/* The operation that this thread submits for. */
static _Thread_local uint32_t current_op = NO_OP;

struct waiting {
    uint32_t op;
    bool done;
};

/* ---- submitting ------------------------------------------------------------------------------ */

static void on_done(struct intent *intent)
{
    struct waiting *waiting = intent->owner;

    if (intent->status == STORE_OK)
        record_mark(ACT_ACK, waiting->op);
    (void)pthread_mutex_lock(&play.lock);
    if (play.acknowledged_count < OPS_MAX)
        play.acknowledged[play.acknowledged_count++] = waiting->op;
    waiting->done = true;
    (void)pthread_cond_broadcast(&play.changed);
    (void)pthread_mutex_unlock(&play.lock);
}

static enum store_status play_submit(struct store *store, struct intent *intent)
{
    struct waiting waiting = { .op = current_op };
    bool together;

    if (current_op == NO_OP)
        return store_submit_wait(store, intent);

    intent->done = on_done;
    intent->owner = &waiting;
    (void)pthread_mutex_lock(&play.lock);
    together = play.wanted > 0;
    if (together) {
        play.gathered[play.gathered_count++] = intent;
        (void)pthread_cond_broadcast(&play.changed);
    }
    (void)pthread_mutex_unlock(&play.lock);
    if (!together) {
        record_mark(ACT_BEGIN, current_op);
        store_submit(store, intent);
    }

    (void)pthread_mutex_lock(&play.lock);
    while (!waiting.done)
        (void)pthread_cond_wait(&play.changed, &play.lock);
    (void)pthread_mutex_unlock(&play.lock);
    return intent->status;
}

/* ---- a group --------------------------------------------------------------------------------- */

struct member {
    pthread_t thread;
    struct store *store;
    const struct step *step;
    uint32_t op;
};

static void run_op(struct store *store, const struct step *step, uint32_t op)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, ARENA_BYTES_MAX);
    enum store_status status;

    if (arena == NULL)
        give_up(step->name, "memory");
    current_op = op;
    status = step->run(store, arena);
    current_op = NO_OP;
    if (status != STORE_OK)
        give_up(step->name, store_status_name(status));
}

static void *run_member(void *argument)
{
    const struct member *member = argument;

    run_op(member->store, member->step, member->op);
    (void)pthread_mutex_lock(&play.lock);
    play.ended++;
    (void)pthread_cond_broadcast(&play.changed);
    (void)pthread_mutex_unlock(&play.lock);
    return NULL;
}

static void run_group(struct store *store, const struct step *steps, size_t count, uint32_t op)
{
    struct member members[GROUP_MAX];

    play.gathered_count = 0;
    play.ended = 0;
    play.wanted = count;
    for (size_t i = 0; i < count; i++) {
        members[i] = (struct member){ .store = store, .step = &steps[i], .op = op + (uint32_t)i };
        if (pthread_create(&members[i].thread, NULL, run_member, &members[i]) != 0)
            give_up(steps[i].name, "no thread");
        (void)pthread_mutex_lock(&play.lock);
        while (play.gathered_count <= i && play.ended == 0)
            (void)pthread_cond_wait(&play.changed, &play.lock);
        (void)pthread_mutex_unlock(&play.lock);
    }
    for (size_t i = 0; i < count; i++)
        record_mark(ACT_BEGIN, op + (uint32_t)i);
    for (size_t i = 0; i < count; i++)
        store_submit_later(store, play.gathered[i]);
    store_submit_flush(store);
    for (size_t i = 0; i < count; i++)
        (void)pthread_join(members[i].thread, NULL);
    play.wanted = 0;
}

/* ---- a scene --------------------------------------------------------------------------------- */

struct stage {
    const struct scene *scene;
    char path[PATH_BYTES_MAX]; /* of the store */
    struct store *store;
    struct trace *trace;
    bool recorded; /* else the views are taken */
};

static void open_stage(struct stage *stage)
{
    struct store_options options = stage->scene->options;
    struct fault fault = { 0 };

    options.worker_count = 1;
    options.inline_max_bytes = PLAY_INLINE_BYTES;
    if (store_open(stage->path, &options, &stage->store, &fault) != STORE_OK)
        give_up(stage->scene->name, fault.text);
}

static void take_view(struct stage *stage)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, ARENA_BYTES_MAX);

    if (arena == NULL)
        give_up("view", "memory");
    trace_add_view(stage->trace, scene_view(stage->store, arena));
}

static void wait_a_little(struct stage *stage, const char *what, unsigned poll)
{
    if (poll == POLLS_MAX)
        give_up(what, "it does not come");
    if (poll % 20 == 0)
        clock_move(store_clock(stage->store), CLOCK_ADVANCE, QUIET_US);
    (void)usleep(POLL_US);
}

static void wait_until_copied(struct stage *stage, const char *what)
{
    uint64_t before = record_syncs(TARGET_CATALOG);

    /* The janitor may have been faster than we are: it has nothing to copy then, and is clean. */
    for (unsigned i = 0; record_syncs(TARGET_CATALOG) == before; i++) {
        if (i >= CLEAN_POLLS && !atomic_load(&stage->store->janitor.dirty))
            return;
        wait_a_little(stage, what, i);
    }
}

static void wait_until_scrubbed(struct stage *stage, const char *what)
{
    uint64_t before = store_counters(stage->store).bodies_scrubbed;

    for (unsigned i = 0; store_counters(stage->store).bodies_scrubbed < before + SCRUBBED; i++)
        wait_a_little(stage, what, i);
}

bool play_walk(struct store *store)
{
    clock_move(store_clock(store), CLOCK_ADVANCE, WALK_US);
    for (unsigned i = 0; store->janitor.walk_at_us != INT64_MAX; i++) {
        if (i == WALK_POLLS_MAX)
            return false;
        clock_move(store_clock(store), CLOCK_ADVANCE, QUIET_US);
        (void)usleep(WALK_POLL_US);
    }
    return true;
}

static size_t group_size(const struct scene *scene, size_t first)
{
    size_t count = 1;

    while ((scene->steps[first + count - 1].flags & STEP_WITH_NEXT) != 0)
        count++;
    return count;
}

/* The group in the order in which it was acknowledged when it was recorded. */
static void run_in_order(struct stage *stage, const struct step *steps, size_t count, uint32_t op)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t next = play.acknowledged[op + i];

        if (next < op || next >= op + count)
            give_up(stage->scene->name, "a group does not stay together");
        run_op(stage->store, &steps[next - op], NO_OP);
        take_view(stage);
    }
}

static void run_unseen(struct stage *stage, const struct step *step)
{
    if (step->run != NULL)
        run_op(stage->store, step, NO_OP);
    if ((step->flags & STEP_REOPEN) != 0) {
        store_close(stage->store);
        open_stage(stage);
    }
    if (!stage->recorded)
        return;
    if ((step->flags & STEP_COPIED) != 0)
        wait_until_copied(stage, step->name);
    if ((step->flags & STEP_SCRUBBED) != 0)
        wait_until_scrubbed(stage, step->name);
}

/* Nobody submits it, so nobody is told. */
static void run_watched(struct store *store, const struct step *step, uint32_t op)
{
    record_mark(ACT_BEGIN, op);
    run_op(store, step, NO_OP);
    record_mark(ACT_ACK, op);
    play.acknowledged[play.acknowledged_count++] = op;
}

static void run_steps(struct stage *stage)
{
    const struct scene *scene = stage->scene;
    uint32_t op = 0;

    for (size_t i = 0; i < scene->step_count;) {
        const struct step *steps = &scene->steps[i];
        size_t count = group_size(scene, i);

        i += count;
        if (steps->run == NULL || (steps->flags & STEP_UNSEEN) != 0) {
            run_unseen(stage, steps);
            continue;
        }
        if (!stage->recorded)
            run_in_order(stage, steps, count, op);
        else if ((steps->flags & STEP_WATCHED) != 0)
            run_watched(stage->store, steps, op);
        else if (count > 1)
            run_group(stage->store, steps, count, op);
        else
            run_op(stage->store, steps, op);
        op += (uint32_t)count;
    }
}

static void name_ops(const struct scene *scene, struct trace *trace)
{
    for (size_t i = 0; i < scene->step_count; i++) {
        const struct step *step = &scene->steps[i];
        char text[TRACE_OP_BYTES] = "";

        if (step->run == NULL || (step->flags & STEP_UNSEEN) != 0)
            continue;
        (void)snprintf(text, sizeof(text), "%s", step->name);
        buf_append(&trace->ops, text, sizeof(text));
    }
}

/* The store as the scene finds it, in its folder. */
static void set_stage(struct stage *stage, const char *folder)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, ARENA_BYTES_MAX);
    const struct scene *scene = stage->scene;
    struct scene calm = *scene;

    folder_remove(folder);
    if (arena == NULL || mkdir(folder, 0700) != 0)
        give_up("make the folder", folder);
    (void)snprintf(stage->path, sizeof(stage->path), "%.4000s/" SCENE_STORE, folder);
    record_set_free(PLENTY);
    if (scene->prepare != NULL) {
        calm.options = (struct store_options){ 0 };
        stage->scene = &calm;
        open_stage(stage);
        if (scene->prepare(stage->store, arena) != STORE_OK)
            give_up(scene->name, "prepare");
        store_close(stage->store);
        stage->scene = scene;
        if (scene->spoil != NULL)
            scene->spoil(stage->path);
    }
    record_set_free(scene->free_bytes > 0 ? scene->free_bytes : PLENTY);
}

void play_record(const struct scene *scene, const char *folder, struct trace *ret_trace)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, ARENA_BYTES_MAX);
    struct stage stage = { .scene = scene, .trace = ret_trace, .recorded = true };
    struct str end;

    if (arena == NULL)
        give_up(scene->name, "memory");
    scenes_submit_with(play_submit);
    play.acknowledged_count = 0;
    set_stage(&stage, folder);
    record_start(ret_trace, scene->name, folder);
    open_stage(&stage);
    run_steps(&stage);
    end = scene_view(stage.store, arena);
    store_close(stage.store);
    record_stop();
    name_ops(scene, ret_trace);

    stage.recorded = false;
    set_stage(&stage, folder);
    open_stage(&stage);
    take_view(&stage);
    run_steps(&stage);
    store_close(stage.store);
    folder_remove(folder);
    record_set_free(PLENTY);
    if (!str_eq(end, trace_view(ret_trace, trace_views(ret_trace) - 1)))
        give_up(scene->name, "played twice it ends in two ways");
}

bool play_record_opening(const struct scene *scene, const char *folder, struct str view,
                         struct trace *ret_trace)
{
    struct stage stage = { .scene = scene, .trace = ret_trace };
    struct store_options options = { .worker_count = 1, .inline_max_bytes = PLAY_INLINE_BYTES };
    struct fault fault = { 0 };
    enum store_status status;

    (void)snprintf(stage.path, sizeof(stage.path), "%.4000s/" SCENE_STORE, folder);
    record_start(ret_trace, scene->name, folder);
    status = store_open(stage.path, &options, &stage.store, &fault);
    if (status == STORE_OK)
        store_close(stage.store);
    record_stop();
    trace_add_view(ret_trace, view);
    return status == STORE_OK;
}

/* ---- folders --------------------------------------------------------------------------------- */

void folder_remove(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        char inner[PATH_BYTES_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(inner, sizeof(inner), "%.3800s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            folder_remove(inner);
        else
            (void)unlink(inner);
    }
    (void)closedir(dir);
    (void)rmdir(path);
}
