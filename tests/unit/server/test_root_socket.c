/* SPDX-License-Identifier: Apache-2.0 */
/* server/root_socket: who asks gets the pair, and the end waits for nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "server/root_socket.h"

struct fixture {
    char dir[64];
    int dir_fd;
    struct arena *arena;
    struct root_pair pair;
    struct fault fault;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){ .dir = "/tmp/pail-root-socket-XXXXXX",
                                .pair = { .access_key = STR("root"),
                                          .secret_key = STR("a secret"),
                                          .session_token = STR("") } };
    if (mkdtemp(fixture.dir) == NULL)
        return -1;
    fixture.dir_fd = open(fixture.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fixture.arena = arena_open(4096, 65536);

    *state = &fixture;
    return fixture.dir_fd < 0 || fixture.arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    (void)unlinkat(fixture->dir_fd, ROOT_SOCKET_FILE, 0);
    (void)close(fixture->dir_fd);
    (void)rmdir(fixture->dir);
    arena_close(fixture->arena);
    return 0;
}

static void assert_answers(struct fixture *fixture)
{
    struct root_pair found;

    assert_true(root_socket_ask(fixture->dir_fd, fixture->arena, &found));
    assert_true(str_eq(found.access_key, fixture->pair.access_key));
    assert_true(str_eq(found.secret_key, fixture->pair.secret_key));
    assert_false(str_present(found.session_token));
}

static void test_server_root_socket__what_a_killed_server_left_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct root_pair found;
    struct root_socket *opened;
    struct stat there;

    assert_int_equal(mknodat(fixture->dir_fd, ROOT_SOCKET_FILE, S_IFSOCK | 0644, 0), 0);
    assert_false(root_socket_ask(fixture->dir_fd, fixture->arena, &found));

    opened = root_socket_open(fixture->dir_fd, &fixture->pair, &fixture->fault);
    assert_non_null(opened);
    assert_int_equal(fstatat(fixture->dir_fd, ROOT_SOCKET_FILE, &there, 0), 0);
    assert_int_equal(there.st_mode, S_IFSOCK | 0600);
    assert_answers(fixture);
    root_socket_close(opened);
    assert_int_equal(faccessat(fixture->dir_fd, ROOT_SOCKET_FILE, F_OK, 0), -1);
}

/* accept takes a descriptor before it looks at the socket, so it does not say that this is shut. */
static void test_server_root_socket__the_end_comes_although_descriptors_have_run_out(void **state)
{
    struct fixture *fixture = *state;
    struct root_socket *opened = root_socket_open(fixture->dir_fd, &fixture->pair, &fixture->fault);
    CLEANUP(fd_close) int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct rlimit limit;
    struct rlimit none;

    assert_non_null(opened);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/" ROOT_SOCKET_FILE,
                   fixture->dir);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    /* If the accept that waits has its descriptor, the one after it gets none. */
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    root_socket_close(opened);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_server_root_socket__what_a_killed_server_left_is_replaced),
        TEST(test_server_root_socket__the_end_comes_although_descriptors_have_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
