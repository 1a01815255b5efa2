/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is acknowledged is on disk; what it costs; who may open the directory.
 */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct store_options strict = { .inline_max_bytes = 1024, .reserve_bytes = 1 };
static char big[100000];

static uint64_t calls_since(const struct file_counters *before, enum file_call kind)
{
    return file_counters().calls[kind] - before->calls[kind];
}

static void a_small_put_costs_one_write_and_one_sync(void **state)
{
    struct fixture *f = fx_open(&strict);
    struct file_counters before;
    struct store_counters commits;

    (void)state;
    FX_OK(f, fx_put(f, "warm", STR("up")));
    before = file_counters();
    commits = store_counters(f->store);
    FX_OK(f, fx_put(f, "k", STR("bytes")));
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC), 1);
    assert_int_equal(calls_since(&before, FILE_CALL_WRITE), 1);
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC_DIR), 0);
    assert_int_equal(store_counters(f->store).commits - commits.commits, 1);
    assert_true(store_counters(f->store).statements - commits.statements <= 6);
    fx_close(f);
}

/* The janitor opens a connection of its own at some time: a few files, however many puts there are. */
static void small_puts_open_no_file(void **state)
{
    enum { PUTS = 32 };
    struct fixture *f = fx_open(NULL);
    struct file_counters before;

    (void)state;
    FX_OK(f, fx_put(f, "warm", STR("up")));
    before = file_counters();
    for (int i = 0; i < PUTS; i++)
        FX_OK(f, fx_put(f, "k", STR("bytes")));
    assert_true(calls_since(&before, FILE_CALL_OPEN) < PUTS);
    fx_close(f);
}

static void a_deleted_key_costs_three_statements(void **state)
{
    enum { KEYS = 50 };
    struct delete_item items[KEYS] = { 0 };
    struct intent intent = { .kind = INTENT_OBJECT_DELETE,
                             .bucket = BUCKET,
                             .remove = { .items = items, .count = KEYS } };
    struct fixture *f = fx_open(&strict);
    struct file_counters before;
    struct store_counters counters;
    char keys[KEYS][16];

    (void)state;
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        FX_OK(f, fx_put(f, keys[i], STR("bytes")));
        items[i].key = str_from_cstr(keys[i]);
    }
    /* The first delete asks once whether there are open uploads, which have to know of it. */
    FX_OK(f, fx_put(f, "warm", STR("up")));
    FX_OK(f, fx_delete(f, "warm"));
    intent.arena = f->arena;
    before = file_counters();
    counters = store_counters(f->store);
    FX_OK(f, store_submit_wait(f->store, &intent));
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC), 1);
    /* look, remove, remove the body; BEGIN and COMMIT */
    assert_true(store_counters(f->store).statements - counters.statements <= 3 * KEYS + 2);
    fx_close(f);
}

static void a_large_put_syncs_file_directories_and_log(void **state)
{
    struct fixture *f = fx_open(&strict);
    struct file_counters before;

    (void)state;
    FX_OK(f, fx_put(f, "warm", STR("up")));
    fx_fill(big, sizeof(big), 1);
    before = file_counters();
    FX_OK(f, fx_put(f, "k", str_make(big, sizeof(big))));
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC), 2);     /* body, log */
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC_DIR), 3); /* blobs, ab, ab/cd */
    assert_int_equal(calls_since(&before, FILE_CALL_LINK), 1);

    before = file_counters();
    FX_OK(f, fx_put(f, "same", str_make(big, sizeof(big))));
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC), 2);
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC_DIR), 1); /* the two above are known */
    fx_close(f);
}

static void a_refusal_costs_no_sync(void **state)
{
    struct fixture *f = fx_open(&strict);
    struct fx_put put = { .key = STR("k"),
                          .bytes = STR("x"),
                          .condition = { .if_match = STR("e") } };
    struct file_counters before;

    (void)state;
    FX_OK(f, fx_put(f, "warm", STR("up")));
    before = file_counters();
    assert_int_equal(fx_put_with(f, &put), STORE_NO_KEY);
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC), 0);
    assert_int_equal(calls_since(&before, FILE_CALL_WRITE), 0);
    fx_close(f);
}

#define GROUP 64

static void ignore_done(struct intent *intent)
{
    (void)intent;
}

static void intents_in_a_hurry_share_syncs(void **state)
{
    struct fixture *f = fx_open(&strict);
    struct intent *intents = mem_zalloc(GROUP * sizeof(*intents));
    struct store_counters before = store_counters(f->store);
    struct intent last = { .kind = INTENT_BUCKET_SET, .bucket = BUCKET, .arena = f->arena };

    (void)state;
    assert_non_null(intents);
    for (size_t i = 0; i < GROUP; i++) {
        intents[i] = (struct intent){ .kind = INTENT_OBJECT_PUT,
                                      .bucket = BUCKET,
                                      .key = STR("k"),
                                      .arena = arena_open(1024, 1 << 16),
                                      .put.attrs = { .etag = STR("e"), .owner = OWNER },
                                      .done = ignore_done };
        store_submit(f->store, &intents[i]);
    }
    FX_OK(f, store_submit_wait(f->store, &last)); /* first in, first out: all others are done */
    assert_true(store_counters(f->store).commits - before.commits < GROUP / 2);
    for (size_t i = 0; i < GROUP; i++) {
        assert_int_equal(intents[i].status, STORE_OK);
        arena_close(intents[i].arena);
    }
    mem_free(intents);
    fx_close(f);
}

static void an_idle_store_writes_nothing(void **state)
{
    struct fixture *f = fx_open(&strict);
    struct file_counters before;

    (void)state;
    clock_move(store_clock(f->store), CLOCK_FREEZE, 0);
    FX_OK(f, fx_put(f, "k", STR("x")));
    before = file_counters();
    for (int i = 0; i < 3; i++)
        fx_pass(f, US_PER_S); /* the last checkpoint comes a second or two after the last commit */
    assert_true(calls_since(&before, FILE_CALL_WRITE) > 0);
    before = file_counters();
    for (int i = 0; i < 100; i++)
        fx_pass(f, 3600 * US_PER_S);
    assert_int_equal(calls_since(&before, FILE_CALL_WRITE), 0);
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC), 0);
    fx_close(f);
}

#define LOG_PUTS 220
#define LOG_BOUND (64 << 20)

/* Commits without a pause, three times what the log may hold. */
static void the_log_does_not_grow_without_end(void **state)
{
    static const struct store_options roomy = { .inline_max_bytes = 1 << 20, .reserve_bytes = 1 };
    static char body[900000];
    struct fixture *f = fx_open(&roomy);
    struct stat st;

    (void)state;
    fx_fill(body, sizeof(body), 3);
    for (int i = 0; i < LOG_PUTS; i++) {
        FX_OK(f, fx_put(f, "k", str_make(body, sizeof(body))));
        arena_reset(f->arena);
        assert_int_equal(fstatat(store_dir_fd(f->store), "catalog.db-wal", &st, 0), 0);
        assert_in_range(st.st_size, 1, LOG_BOUND + LOG_BOUND / 8);
    }
    fx_close(f);
}

/* ---- who may open ------------------------------------------------------------------------ */

static void a_second_open_is_refused(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct store *other = NULL;
    struct fsck_report report;
    struct fault fault = { 0 };

    (void)state;
    assert_int_equal(store_open(f->dir, NULL, &other, &fault), STORE_LOCKED);
    assert_int_equal(store_fsck(f->dir, &(struct fsck_options){ 0 }, NULL, NULL, &report, NULL),
                     STORE_LOCKED);
    FX_OK(f, fx_put(f, "k", STR("x")));
    fx_close(f);
}

static void files_are_for_the_owner_only(void **state)
{
    static const char *const names[] = { "catalog.db", "keyring", "format", "blobs",
                                         "catalog.db-wal" };
    struct fixture *f = fx_open(NULL);
    struct stat st;

    (void)state;
    FX_OK(f, fx_put(f, "k", STR("x")));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(fstatat(store_dir_fd(f->store), names[i], &st, 0), 0);
        assert_int_equal(st.st_mode & 077, 0);
    }
    fx_close(f);
}

static void foreign_and_incomplete_directories_are_refused(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct store *store = NULL;
    struct fault fault = { 0 };
    int fd;

    (void)state;
    fx_stop(f);
    fd = open(f->dir, O_RDONLY | O_DIRECTORY);
    assert_int_equal(renameat(fd, "keyring", fd, ".k"), 0);
    assert_int_equal(store_open(f->dir, NULL, &store, &fault), STORE_FORMAT);
    assert_int_equal(renameat(fd, ".k", fd, "keyring"), 0);
    assert_int_equal(renameat(fd, "catalog.db", fd, ".c"), 0);
    assert_int_equal(store_open(f->dir, NULL, &store, &fault), STORE_FORMAT);
    assert_int_equal(renameat(fd, ".c", fd, "catalog.db"), 0);
    assert_int_equal(file_replace(fd, "format", 0600, STR("pail store, format 2\n")), 0);
    assert_int_equal(store_open(f->dir, NULL, &store, &fault), STORE_FORMAT);
    assert_int_equal(unlinkat(fd, "format", 0), 0);
    assert_int_equal(file_replace(fd, "holiday.jpg", 0600, STR("x")), 0);
    assert_int_equal(store_open(f->dir, NULL, &store, &fault), STORE_FORMAT);
    (void)close(fd);
    fx_remove(f);
}

static void put_in_place(struct fixture *f, const char *name, bool fifo)
{
    char path[200];
    char kept[200];

    (void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    (void)snprintf(kept, sizeof(kept), "%s/.kept", f->dir);
    (void)rename(path, kept); /* not all are there */
    assert_int_equal(fifo ? mkfifo(path, 0600) : symlink(".kept", path), 0);
}

static void put_back(struct fixture *f, const char *name)
{
    char path[200];
    char kept[200];

    (void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    (void)snprintf(kept, sizeof(kept), "%s/.kept", f->dir);
    assert_int_equal(unlink(path), 0);
    (void)rename(kept, path);
}

/* A link would have the store empty, extend or fill what somebody else chose; a pipe would block it. */
static void links_and_pipes_in_place_of_the_stores_own_names_are_refused(void **state)
{
    static const char *const names[] = { "format",     "lock",           "keyring",
                                         "reserve",    "catalog.db",     "catalog.db-wal",
                                         "blobs",      "packs",          "tmp",
                                         "quarantine", "catalog.db-shm", "credentials",
                                         "keys" };
    struct fixture *f = fx_open(NULL);

    (void)state;
    fx_stop(f);
    for (size_t i = 0; i < 2 * COUNT_OF(names); i++) {
        const char *name = names[i / 2];
        struct store *store = NULL;
        struct fsck_report report;
        struct fault fault = { 0 };
        struct fault again = { 0 };
        struct fsck_options quick = { 0 };

        put_in_place(f, name, i % 2 == 1);
        assert_int_equal(store_open(f->dir, NULL, &store, &fault), STORE_FORMAT);
        assert_non_null(strstr(fault.text, name));
        assert_non_null(strstr(fault.text, i % 2 == 1 ? "something else" : "a symbolic link"));
        assert_int_equal(store_fsck(f->dir, &quick, NULL, NULL, &report, &again), STORE_FORMAT);
        put_back(f, name);
    }
    fx_start(f);
    fx_close(f);
}

/* ---- creation ---------------------------------------------------------------------------- */

static void a_new_store_costs_a_sync_for_each_file_and_three_for_names(void **state)
{
    char parent[] = "/tmp/pail-test-XXXXXX";
    char dir[64];
    struct file_counters before;
    struct store *store = NULL;
    struct fault fault = { 0 };
    struct fixture *f;

    (void)state;
    assert_non_null(mkdtemp(parent));
    (void)snprintf(dir, sizeof(dir), "%s/new", parent);
    before = file_counters();
    assert_int_equal(store_open(dir, &strict, &store, &fault), STORE_OK);
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC), 3);     /* catalog, keyring, format */
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC_DIR), 3); /* parent, names, format */
    assert_int_equal(calls_since(&before, FILE_CALL_WRITE), 3);
    store_close(store);

    f = mem_zalloc(sizeof(*f));
    assert_non_null(f);
    (void)snprintf(f->dir, sizeof(f->dir), "%s", parent);
    before = file_counters();
    assert_int_equal(store_open(dir, &strict, &store, &fault), STORE_OK);
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC), 0);
    assert_int_equal(calls_since(&before, FILE_CALL_SYNC_DIR), 0);
    assert_int_equal(calls_since(&before, FILE_CALL_WRITE), 0);
    store_close(store);
    fx_remove(f);
}

/* What a crash can leave of a creation: pieces under temporary names, and whole files but the last. */
static void a_creation_cut_short_is_finished(void **state)
{
    static const char *const whole[] = { "", "catalog.db", "keyring", "reserve" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        struct fixture *f = fx_open(&strict);
        int fd;

        fx_stop(f);
        fd = open(f->dir, O_RDONLY | O_DIRECTORY);
        assert_int_equal(unlinkat(fd, "format", 0), 0);
        for (size_t name = i + 1; name < COUNT_OF(whole); name++)
            assert_int_equal(unlinkat(fd, whole[name], 0), 0);
        assert_int_equal(file_replace(fd, "catalog.db.0123456789abcdef.tmp", 0600, STR("SQLi")), 0);
        assert_int_equal(file_replace(fd, "keyring.0123456789abcdef.tmp", 0600, STR("pail")), 0);
        assert_int_equal(file_replace(fd, "format.0123456789abcdef.tmp", 0600, STR("")), 0);
        (void)close(fd);
        fx_start(f);
        fx_close(f);
    }
}

/* An empty catalog.db is how earlier programs began; a log without its database is nobody's. */
static void a_new_catalog_takes_nothing_from_an_old_log(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        CLEANUP(buf_free) struct buf log = BUF_WITH_MAX(1 << 20);
        struct fixture *f = fx_open(&strict);
        struct bucket bucket;
        int fd;

        FX_OK(f, fx_put(f, "old", STR("x")));
        assert_int_equal(file_read_all(store_dir_fd(f->store), "catalog.db-wal", &log), 0);
        assert_true(log.len > 4096);
        fx_stop(f);
        fd = open(f->dir, O_RDONLY | O_DIRECTORY);
        assert_int_equal(unlinkat(fd, "format", 0), 0);
        assert_int_equal(unlinkat(fd, "catalog.db", 0), 0);
        if (i == 1)
            assert_int_equal(file_replace(fd, "catalog.db", 0600, STR("")), 0);
        assert_int_equal(file_replace(fd, "catalog.db-wal", 0600, buf_view(&log)), 0);
        assert_int_equal(file_replace(fd, "catalog.db-journal", 0600, buf_view(&log)), 0);
        (void)close(fd);
        FX_OK(f, store_open(f->dir, &strict, &f->store, &f->fault));
        FX_OK(f, reader_open(f->store, &f->reader, &f->fault));
        assert_int_equal(bucket_get(f->reader, BUCKET, f->arena, &bucket, &f->fault),
                         STORE_NO_BUCKET);
        fx_close(f);
    }
}

/* ---- crashes ----------------------------------------------------------------------------- */

static void report_and_go_on(struct fixture *f, int pipe_fd)
{
    static char bytes[5000];

    for (int i = 0; i < 100000; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "k%06d", i);
        fx_fill(bytes, sizeof(bytes), (uint32_t)i);
        if (fx_put(f, key, str_make(bytes, i % 2 == 0 ? 100 : sizeof(bytes))) != STORE_OK ||
            (i % 7 == 6 && fx_delete(f, "k000000") != STORE_OK) ||
            write(pipe_fd, &i, sizeof(i)) != sizeof(i))
            _exit(1);
        arena_reset(f->arena);
    }
    _exit(0);
}

/* Relaxed stores too: what was acknowledged is in the file, though not on the disk. */
static void acknowledged_puts_survive_a_kill(void **state)
{
    static const struct store_options relaxed = { .inline_max_bytes = 1024,
                                                  .reserve_bytes = 1,
                                                  .durability = STORE_RELAXED };
    static char bytes[5000];

    (void)state;
    for (int round = 0; round < 6; round++) {
        struct fixture *f = fx_open(round % 2 == 0 ? &strict : &relaxed);
        int ends[2];
        int last = -1;
        int status;
        pid_t child;

        fx_stop(f);
        assert_int_equal(pipe(ends), 0);
        child = fork();
        if (child == 0) {
            fx_start(f);
            report_and_go_on(f, ends[1]);
        }
        (void)close(ends[1]);
        for (int i = 0; i < 40 + 13 * round; i++)
            assert_int_equal(read(ends[0], &last, sizeof(last)), sizeof(last));
        (void)kill(child, SIGKILL);
        while (read(ends[0], &last, sizeof(last)) == (ssize_t)sizeof(last))
            ;
        (void)close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);

        f->reader = NULL;
        fx_start(f);
        for (int i = 1; i <= last; i++) {
            char key[16];

            (void)snprintf(key, sizeof(key), "k%06d", i);
            fx_fill(bytes, sizeof(bytes), (uint32_t)i);
            fx_assert_content(f, key, str_make(bytes, i % 2 == 0 ? 100 : sizeof(bytes)));
        }
        FX_OK(f, fx_put(f, "after", STR("x")));
        fx_close(f);
    }
}

#define LARGE_GROUP 12
#define LARGE_KEYS 5

/* One transaction larger than the catalog's memory for pages, which also replaces what it wrote. */
static void put_large_group(struct fixture *f)
{
    static struct intent intents[LARGE_GROUP];
    static char body[900000];
    static const char *const names[LARGE_KEYS] = { "g0", "g1", "g2", "g3", "g4" };
    struct body_options options = { .account = OWNER, .expected_bytes = sizeof(body) };
    struct intent last = { .kind = INTENT_BUCKET_SET, .bucket = BUCKET, .arena = f->arena };

    for (size_t i = 0; i < LARGE_GROUP; i++) {
        struct body_digests digests;
        struct body_writer *writer;

        fx_fill(body, sizeof(body), (uint32_t)i);
        FX_OK(f, body_writer_open(f->store, &options, &writer, NULL));
        FX_OK(f, body_writer_append(writer, body, sizeof(body), NULL));
        FX_OK(f, body_writer_finish(writer, &digests, NULL));
        intents[i] = (struct intent){ .kind = INTENT_OBJECT_PUT,
                                      .bucket = BUCKET,
                                      .key = str_from_cstr(names[i % LARGE_KEYS]),
                                      .put.bytes.body = writer,
                                      .arena = arena_open(1024, 1 << 16),
                                      .put.attrs = { .etag = STR("e"), .owner = OWNER },
                                      .done = ignore_done };
    }
    for (size_t i = 0; i < LARGE_GROUP; i++)
        store_submit(f->store, &intents[i]);
    FX_OK(f, store_submit_wait(f->store, &last));
}

static void a_transaction_larger_than_memory_survives_a_kill(void **state)
{
    static char body[900000];
    struct store_options options = { .inline_max_bytes = 1 << 20, .reserve_bytes = 1 };

    (void)state;
    for (int round = 0; round < 2; round++) {
        struct fixture *f;
        int status;
        pid_t child;

        options.durability = round == 0 ? STORE_STRICT : STORE_RELAXED;
        f = fx_open(&options);
        fx_stop(f);
        child = fork();
        if (child == 0) {
            fx_start(f);
            put_large_group(f);
            (void)raise(SIGKILL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

        f->reader = NULL;
        fx_start(f);
        for (uint32_t i = LARGE_GROUP - LARGE_KEYS; i < LARGE_GROUP; i++) {
            char key[] = { 'g', (char)('0' + i % LARGE_KEYS), '\0' };

            fx_fill(body, sizeof(body), i);
            fx_assert_content(f, key, str_make(body, sizeof(body)));
        }
        fx_close(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_put_costs_one_write_and_one_sync),
        cmocka_unit_test(small_puts_open_no_file),
        cmocka_unit_test(a_deleted_key_costs_three_statements),
        cmocka_unit_test(a_large_put_syncs_file_directories_and_log),
        cmocka_unit_test(a_refusal_costs_no_sync),
        cmocka_unit_test(intents_in_a_hurry_share_syncs),
        cmocka_unit_test(an_idle_store_writes_nothing),
        cmocka_unit_test(the_log_does_not_grow_without_end),
        cmocka_unit_test(a_second_open_is_refused),
        cmocka_unit_test(files_are_for_the_owner_only),
        cmocka_unit_test(foreign_and_incomplete_directories_are_refused),
        cmocka_unit_test(links_and_pipes_in_place_of_the_stores_own_names_are_refused),
        cmocka_unit_test(a_new_store_costs_a_sync_for_each_file_and_three_for_names),
        cmocka_unit_test(a_creation_cut_short_is_finished),
        cmocka_unit_test(a_new_catalog_takes_nothing_from_an_old_log),
        cmocka_unit_test(acknowledged_puts_survive_a_kill),
        cmocka_unit_test(a_transaction_larger_than_memory_survives_a_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
