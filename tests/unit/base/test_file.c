/* SPDX-License-Identifier: Apache-2.0 */
/* base/file: durable calls, their counters and fault points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <dirent.h>

#include "base/file.h"

static char dir_path[64];
static int dir_fd = -1;

static int open_dir(void **state)
{
    (void)state;
    (void)snprintf(dir_path, sizeof(dir_path), "/tmp/pail_test_file_XXXXXX");
    if (mkdtemp(dir_path) == NULL)
        return -1;
    dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir_fd < 0 ? -1 : 0;
}

static size_t for_each_name(bool remove_it)
{
    DIR *dir = opendir(dir_path);
    size_t count = 0;

    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (remove_it && unlinkat(dir_fd, entry->d_name, 0) != 0)
            assert_int_equal(unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR), 0);
    }
    (void)closedir(dir);
    return count;
}

static size_t names(void)
{
    return for_each_name(/* remove_it= */ false);
}

static int close_dir(void **state)
{
    (void)state;
    file_fault_set(FILE_CALLS, 0, 0, false);
    (void)for_each_name(/* remove_it= */ true);
    fd_close(&dir_fd);
    return rmdir(dir_path);
}

static void put(const char *name, struct str content)
{
    assert_int_equal(file_replace(dir_fd, name, 0644, content), 0);
}

static void assert_file(const char *name, const char *wanted)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(100000);

    assert_int_equal(file_read_all(dir_fd, name, &content), 0);
    assert_true(str_eq(buf_view(&content), str_from_cstr(wanted)));
}

static unsigned mode_of(const char *name)
{
    struct stat status;

    assert_int_equal(fstatat(dir_fd, name, &status, 0), 0);
    return status.st_mode & 07777;
}

static void test_base_file__written_bytes_are_read_back_at_any_offset(void **state)
{
    CLEANUP(fd_close) int fd = file_open(dir_fd, "a", O_RDWR | O_CREAT, 0600);
    char bytes[4];

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(file_write_all(fd, "0123456789", 10), 0);
    assert_int_equal(file_write_all(fd, NULL, 0), 0);
    assert_int_equal(file_sync(fd), 0);
    assert_int_equal(file_read_at(fd, 6, bytes, 4), 0);
    assert_memory_equal(bytes, "6789", 4);
    assert_int_equal(file_read_at(fd, 10, bytes, 0), 0);
}

static void test_base_file__reading_past_the_end_is_an_io_error(void **state)
{
    CLEANUP(fd_close) int fd = file_open(dir_fd, "a", O_RDWR | O_CREAT, 0600);
    char bytes[4];

    (void)state;
    assert_int_equal(file_write_all(fd, "0123456789", 10), 0);
    assert_int_equal(file_read_at(fd, 7, bytes, 4), -EIO);
    assert_int_equal(file_read_at(fd, UINT64_MAX, bytes, 4), -EOVERFLOW);
    assert_int_equal(file_read_at(fd, INT64_MAX, bytes, 4), -EOVERFLOW);
}

static void test_base_file__errors_are_negative_errno(void **state)
{
    (void)state;
    assert_int_equal(file_open(dir_fd, "none", O_RDONLY, 0), -ENOENT);
    assert_int_equal(file_unlink(dir_fd, "none"), -ENOENT);
    assert_int_equal(file_rename(dir_fd, "none", dir_fd, "b"), -ENOENT);
    assert_int_equal(file_link(dir_fd, "none", dir_fd, "b"), -ENOENT);
    assert_int_equal(file_mkdir(dir_fd, "none/b", 0700), -ENOENT);
    assert_int_equal(file_write_all(-1, "x", 1), -EBADF);
    assert_int_equal(file_sync(-1), -EBADF);
    assert_int_equal(file_sync_dir(-1), -EBADF);
}

static void test_base_file__link_never_replaces(void **state)
{
    (void)state;
    put("a", STR("first"));
    put("b", STR("second"));
    assert_int_equal(file_link(dir_fd, "a", dir_fd, "b"), -EEXIST);
    assert_int_equal(file_link(dir_fd, "a", dir_fd, "c"), 0);
    assert_file("b", "second");
    assert_file("c", "first");
}

static void test_base_file__mkdir_tells_made_from_was_there(void **state)
{
    (void)state;
    assert_int_equal(file_mkdir(dir_fd, "d", 0700), 1);
    assert_int_equal(file_mkdir(dir_fd, "d", 0700), 0);
    put("f", STR("x"));
    assert_int_equal(file_mkdir(dir_fd, "f", 0700), -ENOTDIR);
}

static void test_base_file__replace_gives_new_content_and_the_mode_asked_for(void **state)
{
    mode_t umask_before = umask(077);

    (void)state;
    put("a", STR("old and longer"));
    assert_int_equal(mode_of("a"), 0644);
    assert_int_equal(file_replace(dir_fd, "a", 0600, STR("new")), 0);
    assert_int_equal(mode_of("a"), 0600);
    assert_file("a", "new");
    assert_int_equal(file_replace(dir_fd, "a", 0600, STR_NONE), 0);
    assert_file("a", "");
    assert_int_equal(names(), 1);
    (void)umask(umask_before);
}

static void test_base_file__replace_below_a_folder_syncs_that_folder(void **state)
{
    struct file_counters before;

    (void)state;
    assert_int_equal(file_mkdir(dir_fd, "d", 0700), 1);
    before = file_counters();
    assert_int_equal(file_replace(dir_fd, "d/a", 0644, STR("x")), 0);
    assert_int_equal(file_counters().calls[FILE_CALL_SYNC_DIR],
                     before.calls[FILE_CALL_SYNC_DIR] + 1);
    assert_file("d/a", "x");
    assert_int_equal(file_unlink(dir_fd, "d/a"), 0);
    assert_int_equal(file_replace(dir_fd, "none/a", 0644, STR("x")), -ENOENT);
}

static void test_base_file__replace_costs_one_sync_of_file_and_one_of_folder(void **state)
{
    struct file_counters before = file_counters();
    struct file_counters after;

    (void)state;
    put("a", STR("x"));
    after = file_counters();
    assert_int_equal(after.calls[FILE_CALL_WRITE] - before.calls[FILE_CALL_WRITE], 1);
    assert_int_equal(after.calls[FILE_CALL_SYNC] - before.calls[FILE_CALL_SYNC], 1);
    assert_int_equal(after.calls[FILE_CALL_RENAME] - before.calls[FILE_CALL_RENAME], 1);
    assert_int_equal(after.calls[FILE_CALL_SYNC_DIR] - before.calls[FILE_CALL_SYNC_DIR], 1);
    assert_int_equal(after.calls[FILE_CALL_UNLINK] - before.calls[FILE_CALL_UNLINK], 0);
}

static void test_base_file__read_all_takes_the_maximum_and_refuses_one_more(void **state)
{
    CLEANUP(buf_free) struct buf exact = BUF_WITH_MAX(5000);
    CLEANUP(buf_free) struct buf small = BUF_WITH_MAX(4999);
    char bytes[5000];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    put("a", str_make(bytes, sizeof(bytes)));
    assert_int_equal(file_read_all(dir_fd, "a", &exact), 0);
    assert_int_equal(exact.len, 5000);
    buf_lit(&small, "kept");
    assert_int_equal(file_read_all(dir_fd, "a", &small), -EFBIG);
    assert_true(str_eq(buf_view(&small), STR("kept")));
    assert_int_equal(file_read_all(dir_fd, "none", &small), -ENOENT);
}

/* Each fault in turn: the old content stays whole until the new one has its name. */
static void test_base_file__replace_with_any_call_failing_leaves_old_or_new(void **state)
{
    uint64_t n = 1;

    (void)state;
    for (;; n++) {
        CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(100);
        bool fired;
        int result;

        put("a", STR("old"));
        file_fault_set(FILE_CALLS, n, EIO, /* forever= */ false);
        result = file_replace(dir_fd, "a", 0644, STR("newer"));
        fired = file_fault_fired();
        file_fault_set(FILE_CALLS, 0, 0, false);
        assert_int_equal(file_read_all(dir_fd, "a", &content), 0);
        if (!fired) {
            assert_int_equal(result, 0);
            assert_true(str_eq(buf_view(&content), STR("newer")));
            break;
        }
        assert_int_equal(result, -EIO);
        assert_true(str_eq(buf_view(&content), STR("old")) ||
                    str_eq(buf_view(&content), STR("newer")));
        assert_int_equal(names(), 1);
    }
    assert_int_equal(n, 7); /* open folder, open, write, sync, rename, sync folder; then none */
}

static void test_base_file__a_fault_hits_the_nth_call_of_its_kind_once(void **state)
{
    (void)state;
    file_fault_set(FILE_CALL_MKDIR, 2, ENOSPC, /* forever= */ false);
    assert_int_equal(file_mkdir(dir_fd, "a", 0700), 1);
    assert_int_equal(file_unlink(dir_fd, "none"), -ENOENT);
    assert_false(file_fault_fired());
    assert_int_equal(file_mkdir(dir_fd, "b", 0700), -ENOSPC);
    assert_true(file_fault_fired());
    assert_int_equal(file_mkdir(dir_fd, "c", 0700), 1);
    assert_int_equal(names(), 2);
}

static void test_base_file__a_lasting_fault_hits_every_call_until_switched_off(void **state)
{
    (void)state;
    file_fault_set(FILE_CALL_MKDIR, 2, ENOSPC, /* forever= */ true);
    assert_int_equal(file_mkdir(dir_fd, "a", 0700), 1);
    assert_int_equal(file_mkdir(dir_fd, "b", 0700), -ENOSPC);
    assert_int_equal(file_mkdir(dir_fd, "b", 0700), -ENOSPC);
    file_fault_set(FILE_CALL_MKDIR, 0, 0, false);
    assert_false(file_fault_fired());
    assert_int_equal(file_mkdir(dir_fd, "b", 0700), 1);
}

static void test_base_file__a_fault_in_a_write_leaves_a_torn_file(void **state)
{
    CLEANUP(fd_close) int fd = file_open(dir_fd, "a", O_WRONLY | O_CREAT, 0600);

    (void)state;
    file_fault_set(FILE_CALL_WRITE, 1, ENOSPC, /* forever= */ false);
    assert_int_equal(file_write_all(fd, "0123456789", 10), -ENOSPC);
    assert_file("a", "01234");
}

static void test_base_file__failed_calls_are_counted(void **state)
{
    struct file_counters before = file_counters();

    (void)state;
    file_fault_set(FILE_CALL_SYNC, 1, EIO, /* forever= */ false);
    assert_int_equal(file_sync(dir_fd), -EIO);
    assert_int_equal(file_counters().calls[FILE_CALL_SYNC], before.calls[FILE_CALL_SYNC] + 1);
}

/* https://man7.org/linux/man-pages/man2/fsync.2.html: NFS and FUSE may be interrupted. */
static void test_base_file__interrupted_calls_of_every_kind_are_made_again(void **state)
{
    static const enum file_call kinds[] = { FILE_CALL_OPEN,  FILE_CALL_SYNC,  FILE_CALL_SYNC_DIR,
                                            FILE_CALL_LINK,  FILE_CALL_MKDIR, FILE_CALL_RENAME,
                                            FILE_CALL_UNLINK };

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        int fd;

        put("a", STR("x"));
        file_fault_set(kinds[i], 1, EINTR, /* forever= */ false);
        fd = file_open(dir_fd, "a", O_RDWR, 0);
        assert_true(fd >= 0);
        assert_int_equal(file_sync(fd), 0);
        assert_int_equal(file_sync_dir(dir_fd), 0);
        assert_int_equal(file_link(dir_fd, "a", dir_fd, "b"), 0);
        assert_int_equal(file_rename(dir_fd, "b", dir_fd, "c"), 0);
        assert_int_equal(file_unlink(dir_fd, "c"), 0);
        assert_int_equal(file_mkdir(dir_fd, "d", 0700), 1);
        assert_true(file_fault_fired());
        assert_int_equal(unlinkat(dir_fd, "d", AT_REMOVEDIR), 0);
        fd_close(&fd);
    }
}

static void test_base_file__own_names_are_files_and_directories_never_links_or_pipes(void **state)
{
    CLEANUP(buf_free) struct buf content = BUF_WITH_MAX(100);
    int fd;

    (void)state;
    put("file", STR("x"));
    assert_int_equal(file_mkdir(dir_fd, "folder", 0700), 1);
    assert_int_equal(symlinkat("file", dir_fd, "to-file"), 0);
    assert_int_equal(symlinkat("folder", dir_fd, "to-folder"), 0);
    assert_int_equal(mkfifoat(dir_fd, "pipe", 0600), 0);
    fd = file_open_own(dir_fd, "file", O_RDONLY, 0);
    assert_true(fd >= 0);
    fd_close(&fd);
    fd = file_open_own(dir_fd, "folder", O_RDONLY | O_DIRECTORY, 0);
    assert_true(fd >= 0);
    fd_close(&fd);
    assert_true(file_is_other(file_open_own(dir_fd, "to-file", O_RDONLY, 0)));
    assert_true(file_is_other(file_open_own(dir_fd, "to-file", O_WRONLY | O_CREAT, 0600)));
    assert_true(file_is_other(file_open_own(dir_fd, "to-folder", O_RDONLY | O_DIRECTORY, 0)));
    assert_true(file_is_other(file_open_own(dir_fd, "folder", O_RDONLY, 0)));
    /* Without a word from its other end, for which open would wait. */
    assert_true(file_is_other(file_open_own(dir_fd, "pipe", O_RDONLY, 0)));
    assert_true(file_is_other(file_open_own(dir_fd, "pipe", O_WRONLY, 0)));
    assert_true(file_is_other(file_read_own(dir_fd, "pipe", &content)));
    assert_int_equal(file_read_own(dir_fd, "file", &content), 0);
    assert_true(str_eq(buf_view(&content), STR("x")));
    assert_int_equal(unlinkat(dir_fd, "folder", AT_REMOVEDIR), 0);
}

static void test_base_file__closing_twice_or_nothing_is_fine_and_keeps_errno(void **state)
{
    int fd = file_open(dir_fd, ".", O_RDONLY, 0);
    int taken;

    (void)state;
    taken = fd_take(&fd);
    assert_true(taken >= 0);
    assert_int_equal(fd, -1);
    errno = ENOENT;
    fd_close(&fd);
    fd_close(&taken);
    fd_close(&taken);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_base_file__written_bytes_are_read_back_at_any_offset,
                                        open_dir, close_dir),
        cmocka_unit_test_setup_teardown(test_base_file__reading_past_the_end_is_an_io_error,
                                        open_dir, close_dir),
        cmocka_unit_test_setup_teardown(test_base_file__errors_are_negative_errno, open_dir,
                                        close_dir),
        cmocka_unit_test_setup_teardown(test_base_file__link_never_replaces, open_dir, close_dir),
        cmocka_unit_test_setup_teardown(test_base_file__mkdir_tells_made_from_was_there, open_dir,
                                        close_dir),
        cmocka_unit_test_setup_teardown(
            test_base_file__replace_gives_new_content_and_the_mode_asked_for, open_dir, close_dir),
        cmocka_unit_test_setup_teardown(test_base_file__replace_below_a_folder_syncs_that_folder,
                                        open_dir, close_dir),
        cmocka_unit_test_setup_teardown(
            test_base_file__replace_costs_one_sync_of_file_and_one_of_folder, open_dir, close_dir),
        cmocka_unit_test_setup_teardown(
            test_base_file__read_all_takes_the_maximum_and_refuses_one_more, open_dir, close_dir),
        cmocka_unit_test_setup_teardown(
            test_base_file__replace_with_any_call_failing_leaves_old_or_new, open_dir, close_dir),
        cmocka_unit_test_setup_teardown(test_base_file__a_fault_hits_the_nth_call_of_its_kind_once,
                                        open_dir, close_dir),
        cmocka_unit_test_setup_teardown(
            test_base_file__a_lasting_fault_hits_every_call_until_switched_off, open_dir,
            close_dir),
        cmocka_unit_test_setup_teardown(test_base_file__a_fault_in_a_write_leaves_a_torn_file,
                                        open_dir, close_dir),
        cmocka_unit_test_setup_teardown(test_base_file__failed_calls_are_counted, open_dir,
                                        close_dir),
        cmocka_unit_test_setup_teardown(
            test_base_file__interrupted_calls_of_every_kind_are_made_again, open_dir, close_dir),
        cmocka_unit_test_setup_teardown(
            test_base_file__own_names_are_files_and_directories_never_links_or_pipes, open_dir,
            close_dir),
        cmocka_unit_test_setup_teardown(
            test_base_file__closing_twice_or_nothing_is_fine_and_keeps_errno, open_dir, close_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
