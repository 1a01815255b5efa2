/* SPDX-License-Identifier: Apache-2.0 */
/* storage/blobs/packs: bodies of middle size in shared files, through the store's door. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIDDLE 200000
#define MIB (1u << 20)
#define BLOCK 4096u

static char big[6 * MIB];

static const struct store_options strict = { .inline_max_bytes = 1024, .reserve_bytes = 1 };
/* A pack is full after a few bodies; the janitor is about at once. */
static const struct store_options small_packs = { .durability = STORE_RELAXED,
                                                  .inline_max_bytes = 1024,
                                                  .reserve_bytes = 1,
                                                  .pack_bytes = 512 * 1024,
                                                  .janitor_interval_us = 50000 };

static uint64_t rounded(uint64_t len)
{
    return (len + BLOCK - 1) / BLOCK * BLOCK;
}

static uint64_t occupied(struct fixture *f)
{
    uint64_t bytes;

    (void)fx_packs(f, &bytes);
    return bytes;
}

static size_t packs(struct fixture *f)
{
    uint64_t bytes;

    return fx_packs(f, &bytes);
}

static enum store_status put_as(struct fixture *f, const char *key, struct str bytes, bool encrypt,
                                bool announced)
{
    struct fx_put put = {
        .key = str_from_cstr(key), .bytes = bytes, .encrypt = encrypt, .announced = announced
    };

    return fx_put_with(f, &put);
}

static enum store_status put(struct fixture *f, const char *key, struct str bytes)
{
    return put_as(f, key, bytes, /* encrypt= */ false, /* announced= */ true);
}

static void sizes_at_the_borders_go_where_they_belong(void **state)
{
    static const struct {
        size_t size;
        size_t packs, files;
    } cases[] = {
        { 1024, 0, 0 },    { 1025, 1, 0 },        { 4096, 1, 0 },
        { 131072, 1, 0 },  { 131073, 1, 0 },      { 4 * MIB - 1, 1, 0 },
        { 4 * MIB, 1, 0 }, { 4 * MIB + 1, 0, 1 }, { 5 * MIB + 77, 0, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture *f = fx_open(NULL);
        struct str bytes = str_make(big + i, cases[i].size);

        FX_OK(f, put(f, "k", bytes));
        assert_int_equal(fx_blob_files(f), cases[i].files);
        assert_int_equal(packs(f), cases[i].packs);
        if (cases[i].packs > 0)
            assert_int_equal(occupied(f), rounded(cases[i].size));
        fx_assert_content(f, "k", bytes);
        fx_close(f);
    }
}

/* 16 bytes of tag to each 64 KiB count. */
static void an_encrypted_body_is_measured_as_stored(void **state)
{
    struct fixture *f = fx_open(NULL);

    (void)state;
    FX_OK(f, put_as(f, "in", str_make(big, 4 * MIB - 64 * 16), /* encrypt= */ true, true));
    FX_OK(f, put_as(f, "out", str_make(big, 4 * MIB - 64 * 16 + 1), /* encrypt= */ true, true));
    assert_int_equal(packs(f), 1);
    assert_int_equal(fx_blob_files(f), 1);
    fx_assert_content(f, "in", str_make(big, 4 * MIB - 64 * 16));
    fx_assert_content(f, "out", str_make(big, 4 * MIB - 64 * 16 + 1));
    fx_close(f);
}

static void ranges_and_restarts(void **state)
{
    struct fixture *f = fx_open(&strict);
    struct version version;

    (void)state;
    for (int run = 0; run < 3; run++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "p%d", run);
        FX_OK(f, put_as(f, key, str_make(big + run, MIDDLE), /* encrypt= */ false, true));
        (void)snprintf(key, sizeof(key), "s%d", run);
        FX_OK(f, put_as(f, key, str_make(big + run, MIDDLE), /* encrypt= */ true, true));
        fx_stop(f);
        fx_start(f);
    }
    assert_int_equal(packs(f), 1);
    for (int run = 0; run < 3; run++) {
        char key[16];
        struct str got;

        (void)snprintf(key, sizeof(key), "p%d", run);
        fx_assert_content(f, key, str_make(big + run, MIDDLE));
        (void)snprintf(key, sizeof(key), "s%d", run);
        FX_OK(f, fx_head(f, key, &version));
        got = fx_read_range(f, &version, 65000, 100000);
        assert_memory_equal(got.p, big + run + 65000, 100000);
    }
    fx_close(f);
}

static void equal_bytes_are_kept_once_wherever_they_are(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct str one = str_make(big, MIDDLE);
    struct str two = str_make(big + 1, MIDDLE);

    (void)state;
    for (int i = 0; i < 5; i++)
        FX_OK(f, put(f, "a", one));
    FX_OK(f, put(f, "b", one));
    assert_int_equal(occupied(f), rounded(MIDDLE));
    /* In a pack first: a file of the same bytes is not needed. */
    FX_OK(f, put_as(f, "c", one, false, /* announced= */ false));
    assert_int_equal(fx_blob_files(f), 0);
    /* In a file first: the extent is not needed. */
    FX_OK(f, put_as(f, "d", two, false, /* announced= */ false));
    FX_OK(f, put(f, "e", two));
    assert_int_equal(fx_blob_files(f), 1);
    assert_int_equal(occupied(f), rounded(MIDDLE));
    FX_OK(f, fx_delete(f, "a"));
    FX_OK(f, fx_delete(f, "b"));
    FX_OK(f, fx_delete(f, "d"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    fx_assert_content(f, "c", one);
    fx_assert_content(f, "e", two);
    fx_close(f);
}

static void space_comes_back(void **state)
{
    struct fixture *f = fx_open(&small_packs);
    char key[16];

    (void)state;
    for (int i = 0; i < 10; i++) {
        (void)snprintf(key, sizeof(key), "%d", i);
        FX_OK(f, put(f, key, str_make(big + i, MIDDLE)));
    }
    assert_int_equal(packs(f), 4); /* three in each, the last one open */
    assert_int_equal(occupied(f), 10 * rounded(MIDDLE));
    for (int i = 0; i < 10; i += 2) {
        (void)snprintf(key, sizeof(key), "%d", i);
        FX_OK(f, fx_delete(f, key));
    }
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(packs(f), 4);
    assert_int_equal(occupied(f), 5 * rounded(MIDDLE));
    for (int i = 1; i < 10; i += 2) {
        (void)snprintf(key, sizeof(key), "%d", i);
        fx_assert_content(f, key, str_make(big + i, MIDDLE));
        FX_OK(f, fx_delete(f, key));
    }
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(packs(f), 1);
    assert_int_equal(occupied(f), 0);
    FX_OK(f, put(f, "again", str_make(big, MIDDLE)));
    fx_assert_content(f, "again", str_make(big, MIDDLE));
    fx_close(f);
}

/* Pages of a pack that a socket holds would turn into zeros when they are punched. */
static void bytes_of_a_pack_are_never_sent_from_the_file(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version version;
    struct body *body;
    uint64_t offset;
    int fd;

    (void)state;
    FX_OK(f, put(f, "k", str_make(big, MIDDLE)));
    FX_OK(f, fx_head(f, "k", &version));
    FX_OK(f, body_open(f->reader, &version, 0, MIDDLE, &body, &f->fault));
    assert_false(body_take_file(body, &fd, &offset));
    body_close(body);
    fx_close(f);
}

static void an_open_body_outlives_delete_and_sweep(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version version;
    struct body *body;
    static char got[MIDDLE + 1];

    (void)state;
    FX_OK(f, put(f, "k", str_make(big, MIDDLE)));
    FX_OK(f, put(f, "other", str_make(big + 7, MIDDLE)));
    FX_OK(f, fx_head(f, "k", &version));
    FX_OK(f, body_open(f->reader, &version, 0, MIDDLE, &body, &f->fault));
    FX_OK(f, fx_delete(f, "k"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(body_read(body, got, MIDDLE - 1, &f->fault), MIDDLE - 1);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(occupied(f), 2 * rounded(MIDDLE)); /* a byte is still to be read */
    assert_int_equal(body_read(body, got + MIDDLE - 1, 2, &f->fault), 1);
    assert_memory_equal(got, big, MIDDLE);
    body_close(body);
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(occupied(f), rounded(MIDDLE));
    fx_assert_content(f, "other", str_make(big + 7, MIDDLE));
    fx_close(f);
}

static struct body_writer *begin(struct fixture *f, uint64_t expected)
{
    struct body_options options = { .account = OWNER, .expected_bytes = expected };
    struct body_writer *writer = NULL;

    FX_OK(f, body_writer_open(f->store, &options, &writer, &f->fault));
    return writer;
}

static void a_body_that_is_given_up_leaves_nothing(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct body_writer *writer = begin(f, MIB);

    (void)state;
    FX_OK(f, put(f, "k", str_make(big, MIDDLE)));
    FX_OK(f, body_writer_append(writer, big, MIB - 1, &f->fault));
    assert_true(occupied(f) > rounded(MIDDLE));
    body_writer_close(writer);
    assert_int_equal(occupied(f), rounded(MIDDLE));
    fx_close(f);
}

/* The room of an extent is a limit, whatever the caller does. */
static void more_than_announced_is_refused(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct body_writer *writer = begin(f, MIDDLE);
    struct body_digests digests;
    enum store_status status = STORE_OK;

    (void)state;
    for (int i = 0; i < 8 && status == STORE_OK; i++)
        status = body_writer_append(writer, big, 65536, &f->fault);
    assert_int_equal(status, STORE_IO);
    assert_int_equal(body_writer_finish(writer, &digests, &f->fault), STORE_IO);
    FX_OK(f, put(f, "k", str_make(big + 3, MIDDLE)));
    body_writer_close(writer);
    fx_assert_content(f, "k", str_make(big + 3, MIDDLE));
    fx_close(f);
}

static void append_garbage(struct fixture *f, const char *pack, size_t len)
{
    char path[100];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/packs/%s", f->dir, pack);
    fd = open(path, O_WRONLY | O_APPEND);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, big, len), len);
    (void)close(fd);
}

/* A crash leaves bytes behind the last row: nothing is written over them, and they go. */
static void what_a_crash_left_is_given_back(void **state)
{
    struct fixture *f = fx_open(&small_packs);
    uint64_t kept = 3 * rounded(MIDDLE);

    (void)state;
    FX_OK(f, put(f, "a", str_make(big, MIDDLE)));
    FX_OK(f, put(f, "b", str_make(big + 1, MIDDLE)));
    fx_stop(f);
    append_garbage(f, "00000001", 50001);
    fx_start(f);
    FX_OK(f, put(f, "c", str_make(big + 2, MIDDLE)));
    fx_pass(f, 0);
    fx_pass(f, small_packs.janitor_interval_us);
    assert_int_equal(occupied(f), kept);
    fx_assert_content(f, "a", str_make(big, MIDDLE));
    fx_assert_content(f, "b", str_make(big + 1, MIDDLE));
    fx_assert_content(f, "c", str_make(big + 2, MIDDLE));
    fx_close(f);
}

static void one_sync_makes_many_durable(void **state)
{
    struct fixture *f = fx_open(&strict);
    uint64_t before;

    (void)state;
    FX_OK(f, put(f, "first", str_make(big, MIDDLE)));
    before = file_counters().calls[FILE_CALL_SYNC];
    FX_OK(f, put(f, "k", str_make(big + 1, MIDDLE)));
    /* The pack and the catalog's log. */
    assert_int_equal(file_counters().calls[FILE_CALL_SYNC] - before, 2);
    fx_close(f);
}

static void a_failed_sync_poisons_the_store(void **state)
{
    struct fixture *f = fx_open(&strict);

    (void)state;
    FX_OK(f, put(f, "before", str_make(big, MIDDLE)));
    file_fault_set(FILE_CALL_SYNC, 1, EIO, /* forever= */ false);
    assert_int_equal(put(f, "k", str_make(big + 1, MIDDLE)), STORE_IO);
    assert_true(file_fault_fired());
    file_fault_set(FILE_CALL_SYNC, 0, 0, false);
    assert_false(store_healthy(f->store));
    assert_int_equal(put(f, "l", str_make(big + 2, MIDDLE)), STORE_IO);
    fx_stop(f);
    fx_start(f);
    fx_assert_content(f, "before", str_make(big, MIDDLE));
    FX_OK(f, put(f, "k", str_make(big + 1, MIDDLE)));
    fx_close(f);
}

static void fsck_finds_a_flipped_bit_and_a_short_pack(void **state)
{
    struct fixture *f = fx_open(NULL);
    char path[100];
    int fd;

    (void)state;
    f->quiet_fsck = true;
    FX_OK(f, put(f, "a", str_make(big, MIDDLE)));
    FX_OK(f, put(f, "b", str_make(big + 1, MIDDLE)));
    fx_stop(f);
    (void)snprintf(path, sizeof(path), "%s/packs/00000001", f->dir);
    fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "\xff\x00", 2, 1000), 2);
    assert_int_not_equal(fx_fsck(f).errors, 0);
    assert_int_equal(pwrite(fd, big + 1000, 2, 1000), 2);
    assert_int_equal(fx_fsck(f).errors, 0);
    assert_int_equal(ftruncate(fd, (off_t)rounded(MIDDLE) + MIDDLE - 1), 0);
    assert_int_not_equal(fx_fsck(f).errors, 0);
    (void)close(fd);
    fx_remove(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_at_the_borders_go_where_they_belong),
        cmocka_unit_test(an_encrypted_body_is_measured_as_stored),
        cmocka_unit_test(ranges_and_restarts),
        cmocka_unit_test(equal_bytes_are_kept_once_wherever_they_are),
        cmocka_unit_test(space_comes_back),
        cmocka_unit_test(bytes_of_a_pack_are_never_sent_from_the_file),
        cmocka_unit_test(an_open_body_outlives_delete_and_sweep),
        cmocka_unit_test(a_body_that_is_given_up_leaves_nothing),
        cmocka_unit_test(more_than_announced_is_refused),
        cmocka_unit_test(what_a_crash_left_is_given_back),
        cmocka_unit_test(one_sync_makes_many_durable),
        cmocka_unit_test(a_failed_sync_poisons_the_store),
        cmocka_unit_test(fsck_finds_a_flipped_bit_and_a_short_pack),
    };

    fx_fill(big, sizeof(big), 11);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
