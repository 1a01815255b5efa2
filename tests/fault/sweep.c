/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call that changes the disk fails in turn, under every kind of write of the store.
 *
 * This is the disk failing (disk.h), not code that was told so. For each operation, each fault and
 * each n: copy a prepared store, open it, let the n-th call of the operation fail, and look.
 *
 * (1) The process goes on. What was answered with STORE_OK is there after closing and opening again,
 *     what was refused is there entirely or not at all.
 * (2) Everything else in the store is unharmed; the checker finds nothing wrong.
 * (3) A short write and an interrupted one are not failures.
 * (4) While the store says it is healthy, a refused write succeeds when it is sent again.
 * (5) A sync that failed leaves a store that is not healthy: nobody knows what the disk holds. (Not
 *     so the sync of the directory that SQLite does at a log's first use: it looks away there.)
 * (6) Opening a store meets the same faults: it works, or fails and works the next time.
 *
 * (7) With -m it is memory that runs out, of pail, SQLite and OpenSSL: the n-th allocation fails, once
 *     or with all that follow. A refusal is STORE_NO_MEMORY then, and never leaves the store in doubt.
 *
 *     sweep [-v] [-m STEP] FOLDER [operation...]     FOLDER: an empty one, best on tmpfs
 *                                                    STEP: every so many allocations
 *
 * Prints the number of points per operation. Exits 1 when a rule was broken.
 */
#include "tests/fault/disk.h"

#include <dirent.h>
#include <sqlite3.h>

#include "base/memory.h"
#include "tests/fault/scene.h"

#define POINTS_MAX 400 /* calls of one operation; more means it does not end */
#define MEMORY_POINTS_MAX 100000
#define PATH_BYTES_MAX 4096
#define COPY_BYTES 65536

/* ---- a run ----------------------------------------------------------------------------------- */

struct run {
    char folder[PATH_BYTES_MAX];
    bool verbose;
    uint64_t memory; /* step; 0: it is the disk that fails */
    uint64_t points, refused, applied_though_refused, poisoned, opens_refused;
    unsigned broken;
    /* of the point under way, for messages */
    const char *operation;
    enum trouble trouble;
    uint64_t n;
};

static const char *trouble_name(const struct run *run);
static void broken(struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);
static void broken(struct run *run, const char *format, ...)
{
    va_list args;

    run->broken++;
    printf("sweep: %s, %s at call %llu (%s): ", run->operation, trouble_name(run),
           (unsigned long long)run->n, atomic_load(&disk.name));
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)putchar('\n');
}

/* ---- troubles -------------------------------------------------------------------------------- */

static sqlite3_mem_methods of_sqlite;

static void *sqlite_alloc(int bytes)
{
    return mem_fault_point() ? NULL : of_sqlite.xMalloc(bytes);
}

static void *sqlite_resize(void *memory, int bytes)
{
    return mem_fault_point() ? NULL : of_sqlite.xRealloc(memory, bytes);
}

/* Before it has taken any. OpenSSL's memory comes from base/memory.h, and from a reserve. */
static void stand_behind_sqlite(void)
{
    sqlite3_mem_methods mine;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &of_sqlite) != SQLITE_OK)
        die("memory", "SQLite has begun");
    mine = of_sqlite;
    mine.xMalloc = sqlite_alloc;
    mine.xRealloc = sqlite_resize;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &mine) != SQLITE_OK)
        die("memory", "SQLite has begun");
}

static const char *trouble_name(const struct run *run)
{
    if (run->memory > 0)
        return run->trouble == 0 ? "no memory once" : "no memory from there";
    return troubles[run->trouble].name;
}

static unsigned trouble_count(const struct run *run)
{
    return run->memory > 0 ? 2 : TROUBLES;
}

static bool trouble_lasts(const struct run *run)
{
    return run->memory > 0 ? run->trouble == 1 : troubles[run->trouble].forever;
}

static bool trouble_is_harmless(const struct run *run)
{
    return run->memory == 0 && troubles[run->trouble].harmless;
}

static void arm(const struct run *run)
{
    if (run->memory > 0)
        mem_fault_set(run->n, trouble_lasts(run));
    else
        disk_arm(run->trouble, run->n);
}

static bool fired_now(const struct run *run)
{
    return run->memory > 0 ? mem_fault_fired() : atomic_load(&disk.fired);
}

static void heal(void)
{
    mem_fault_set(0, false);
    disk_heal();
}

/* ---- folders --------------------------------------------------------------------------------- */

static void folder_remove(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        char inner[PATH_BYTES_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            folder_remove(inner);
        else
            (void)unlink(inner);
    }
    (void)closedir(dir);
    (void)rmdir(path);
}

static void file_copy(const char *from, const char *to)
{
    static char bytes[COPY_BYTES];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ssize_t len;

    if (in < 0 || out < 0)
        die("copy", from);
    while ((len = read(in, bytes, sizeof(bytes))) > 0) {
        if (write(out, bytes, (size_t)len) != len)
            die("copy", to);
    }
    (void)close(in);
    (void)close(out);
}

static void folder_copy(const char *from, const char *to)
{
    DIR *dir = opendir(from);
    const struct dirent *entry;

    if (dir == NULL || mkdir(to, 0700) != 0)
        die("copy folder", from);
    while ((entry = readdir(dir)) != NULL) {
        char source[PATH_BYTES_MAX];
        char target[PATH_BYTES_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(source, sizeof(source), "%s/%s", from, entry->d_name);
        (void)snprintf(target, sizeof(target), "%s/%s", to, entry->d_name);
        if (entry->d_type == DT_DIR)
            folder_copy(source, target);
        else if (strcmp(entry->d_name, "reserve") != 0) /* a hole in the disk, made again */
            file_copy(source, target);
    }
    (void)closedir(dir);
}

/* ---- one point ------------------------------------------------------------------------------- */

static void print_finding(void *context, const char *line)
{
    (void)context;
    printf("    %s\n", line);
}

static void check_fsck(struct run *run, const char *path)
{
    struct fsck_report report = { 0 };
    struct fault fault = { 0 };
    enum store_status status = store_fsck(path, &(struct fsck_options){ .read_data = true },
                                          print_finding, NULL, &report, &fault);

    if (status != STORE_OK)
        broken(run, "the check does not run: %s %s", store_status_name(status), fault.text);
    else if (report.errors > 0)
        broken(run, "the check finds %llu errors", (unsigned long long)report.errors);
}

static void check_view(struct run *run, struct store *store, const char *when, struct str before,
                       struct str after, bool must_be_new, struct arena *arena)
{
    struct str now;
    bool readable = view_store(store, &now, arena);

    if (!readable)
        broken(run, "%s: something can not be read:\n%.*s", when, STR_ARG(now));
    else if (must_be_new && !str_eq(now, after))
        broken(run, "%s: what was answered is not there:\n%.*s", when, STR_ARG(now));
    else if (!str_eq(now, before) && !str_eq(now, after))
        broken(run, "%s: neither the old state nor the new:\n%.*s", when, STR_ARG(now));
}

/* A refused write of a healthy store is sent again. */
static void send_again(struct run *run, struct store *store, const struct operation *operation,
                       struct str before, struct str after, struct arena *arena)
{
    enum store_status status;
    struct str now;

    if (!view_store(store, &now, arena)) {
        broken(run, "after a refusal: something can not be read");
        return;
    }
    if (!str_eq(now, before)) {
        run->applied_though_refused++;
        return;
    }
    status = operation->run(store, arena);
    if (status != STORE_OK)
        broken(run, "sent again to a healthy store: %s", store_status_name(status));
    else
        check_view(run, store, "sent again", before, after, /* must_be_new= */ true, arena);
}

/* The disk may be well again: a store that doubts it reads on and writes no more. */
static bool poisoned(struct store *store)
{
    return store_health(store, NULL) == STORE_HEALTH_POISONED;
}

static void check_poisoned(struct run *run, struct store *store, struct str before,
                           struct str after, struct arena *arena)
{
    struct write_request late = { .bucket = "plain", .key = "late", .text = "late", .len = 10 };

    heal();
    if (put(store, arena, &late) == STORE_OK)
        broken(run, "a store that is not healthy takes writes");
    check_view(run, store, "while poisoned", before, after, /* must_be_new= */ false, arena);
}

/* False: the fault was not reached, the operation has fewer calls. */
static bool one_point(struct run *run, const struct operation *operation, const char *template,
                      struct str before, struct str after)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, 64u << 20);
    struct store_options options = { .worker_count = 1 };
    struct store *store = NULL;
    struct fault fault = { 0 };
    char path[PATH_BYTES_MAX];
    enum store_status status;
    bool fired;
    bool again = false;

    (void)snprintf(path, sizeof(path), "%.4000s/point", run->folder);
    folder_remove(path);
    folder_copy(template, path);
    if (arena == NULL || store_open(path, &options, &store, &fault) != STORE_OK)
        die("open", fault.text);

    arm(run);
    status = operation->run(store, arena);
    fired = fired_now(run);

    if (run->memory > 0 && status != STORE_OK && status != STORE_NO_MEMORY)
        broken(run, "refused with %s", store_status_name(status));
    if (run->memory > 0 && poisoned(store))
        broken(run, "the store is in doubt");
    if (run->memory == 0 && fired && strstr(atomic_load(&disk.name), "sync") != NULL &&
        !poisoned(store))
        broken(run, "a sync failed and the store calls itself healthy");
    if (fired && status != STORE_OK) {
        run->refused++;
        if (trouble_is_harmless(run))
            broken(run, "refused: %s", store_status_name(status));
        if (poisoned(store)) {
            run->poisoned++;
            check_poisoned(run, store, before, after, arena);
        } else if (!trouble_lasts(run)) {
            heal();
            send_again(run, store, operation, before, after, arena);
            again = true;
        }
    } else if (status != STORE_OK) {
        broken(run, "failed without a fault: %s", store_status_name(status));
    }

    /* A disk that failed for ever is still failed when the store closes. */
    store_close(store);
    heal();
    store = NULL;
    fault = (struct fault){ 0 };
    if (store_open(path, &options, &store, &fault) != STORE_OK) {
        broken(run, "does not open again: %s", fault.text);
        return fired;
    }
    check_view(run, store, "opened again", before, after, status == STORE_OK || again, arena);
    store_close(store);
    check_fsck(run, path);
    if (run->verbose && fired)
        printf("sweep: %s, %s at call %llu (%s): %s\n", run->operation, trouble_name(run),
               (unsigned long long)run->n, atomic_load(&disk.name), store_status_name(status));
    return fired;
}

static void sweep_operation(struct run *run, const struct operation *operation)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, 64u << 20);
    struct store_options options = { .worker_count = 1 };
    struct store *store = NULL;
    struct fault fault = { 0 };
    char template[PATH_BYTES_MAX];
    char path[PATH_BYTES_MAX];
    uint64_t points_before = run->points;
    struct str before;
    struct str after;
    enum store_status status;

    run->operation = operation->name;
    (void)snprintf(template, sizeof(template), "%.4000s/template", run->folder);
    (void)snprintf(path, sizeof(path), "%.4000s/point", run->folder);
    folder_remove(template);
    folder_remove(path);
    if (arena == NULL || store_open(template, &options, &store, &fault) != STORE_OK)
        die("open", fault.text);
    prepare(store, arena, operation);
    if (!view_store(store, &before, arena))
        die("prepare", "unreadable");
    store_close(store);

    /* Without a fault: what the new state is. */
    folder_copy(template, path);
    if (store_open(path, &options, &store, &fault) != STORE_OK)
        die("open", fault.text);
    status = operation->run(store, arena);
    if (status != STORE_OK)
        die(operation->name, store_status_name(status));
    if (!view_store(store, &after, arena))
        die(operation->name, "unreadable");
    store_close(store);
    if (str_eq(before, after) != (operation->run == sweep_now))
        die(operation->name, "changes nothing that can be seen, or a sweep that changes something");

    for (run->trouble = 0; run->trouble < trouble_count(run); run->trouble++) {
        for (run->n = 1; one_point(run, operation, template, before, after);
             run->n += run->memory > 0 ? run->memory : 1) {
            run->points++;
            if (run->n >= (run->memory > 0 ? MEMORY_POINTS_MAX : POINTS_MAX))
                die(operation->name, "it does not end");
        }
    }
    printf("sweep: %-17s %4llu points\n", operation->name,
           (unsigned long long)(run->points - points_before));
    (void)fflush(stdout);
}

/* Rule 6, on a store as a crash leaves it: its log not yet in the catalog. */
static void sweep_open(struct run *run)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(65536, 64u << 20);
    struct store_options options = { .worker_count = 1 };
    static const struct operation nothing = { .name = "open" };
    char template[PATH_BYTES_MAX];
    char live[PATH_BYTES_MAX];
    char path[PATH_BYTES_MAX];
    struct store *store = NULL;
    struct fault fault = { 0 };
    uint64_t points_before = run->points;
    struct str before;

    run->operation = "open";
    (void)snprintf(live, sizeof(live), "%.4000s/live", run->folder);
    (void)snprintf(template, sizeof(template), "%.4000s/template", run->folder);
    (void)snprintf(path, sizeof(path), "%.4000s/point", run->folder);
    folder_remove(live);
    folder_remove(template);
    if (arena == NULL || store_open(live, &options, &store, &fault) != STORE_OK)
        die("open", fault.text);
    prepare(store, arena, &nothing);
    if (!view_store(store, &before, arena))
        die("prepare", "unreadable");
    folder_copy(live, template);
    store_close(store);

    for (run->trouble = 0; run->trouble < trouble_count(run); run->trouble++) {
        bool fired = true;

        for (run->n = 1; fired; run->n += run->memory > 0 ? run->memory : 1) {
            CLEANUP(arena_closep) struct arena *views = arena_open(65536, 16u << 20);
            enum store_status status;

            folder_remove(path);
            folder_copy(template, path);
            store = NULL;
            fault = (struct fault){ 0 };
            arm(run);
            status = store_open(path, &options, &store, &fault);
            fired = fired_now(run);
            if (status == STORE_OK) {
                heal();
                check_view(run, store, "opened", before, before, true, views);
                store_close(store);
            } else {
                run->opens_refused++;
                if (!fired || trouble_is_harmless(run))
                    broken(run, "does not open: %s %s", store_status_name(status), fault.text);
                if (fault.text[0] == '\0')
                    broken(run, "does not open and does not say why");
            }
            heal();
            if (store_open(path, &options, &store, &fault) != STORE_OK) {
                broken(run, "does not open the second time: %s", fault.text);
                continue;
            }
            check_view(run, store, "opened again", before, before, true, views);
            store_close(store);
            check_fsck(run, path);
            run->points += fired;
            if (run->n >= (run->memory > 0 ? MEMORY_POINTS_MAX : POINTS_MAX))
                die("open", "it does not end");
        }
    }
    printf("sweep: %-17s %4llu points\n", "open",
           (unsigned long long)(run->points - points_before));
}

static bool wanted(const char *name, char **names)
{
    if (*names == NULL)
        return true;
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct run run = { .broken = 0 };
    char **names;

    if (argc > 1 && strcmp(argv[1], "-v") == 0) {
        run.verbose = true;
        argv++;
        argc--;
    }
    if (argc > 2 && strcmp(argv[1], "-m") == 0) {
        run.memory = strtoull(argv[2], NULL, 10);
        argv += 2;
        argc -= 2;
        stand_behind_sqlite();
    }
    if (argc < 2) {
        (void)fprintf(stderr, "usage: sweep [-v] [-m STEP] FOLDER [operation...]\n");
        return 2;
    }
    (void)snprintf(run.folder, sizeof(run.folder), "%s", argv[1]);
    names = argv + 2;
    if (!digest_init())
        die("digests", "not there");

    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        if (wanted(operations[i].name, names))
            sweep_operation(&run, &operations[i]);
    }
    if (wanted("open", names))
        sweep_open(&run);

    printf("sweep: %llu points, %llu refused (%llu of them applied all the same), %llu stores "
           "poisoned, %llu opens refused; %u broken\n",
           (unsigned long long)run.points, (unsigned long long)run.refused,
           (unsigned long long)run.applied_though_refused, (unsigned long long)run.poisoned,
           (unsigned long long)run.opens_refused, run.broken);
    return run.broken > 0 ? 1 : 0;
}
