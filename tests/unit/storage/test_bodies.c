/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies: digests, placement, encryption, ranges, damage.
 */
#include "fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/blobs/frames.h"

static char big[1000000];

static void encrypted_bodies_of_any_size_read_back_in_any_range(void **state)
{
    static const size_t sizes[] = { 1,      1024,   1025,   65535,  65536,  65537,
                                    131072, 131073, 196608, 262145, 1000000 };
    struct fixture *f = fx_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct fx_put put = { .key = STR("k"), .bytes = str_make(big, sizes[i]), .encrypt = true };
        struct version version;

        fx_fill(big, sizes[i], (uint32_t)i);
        FX_OK(f, fx_put_with(f, &put));
        FX_OK(f, fx_head(f, "k", &version));
        assert_int_equal(version.body.wrapped_key.len, 64);
        assert_true(str_eq(fx_read(f, &version), put.bytes));
        for (uint64_t offset = 0; offset < sizes[i]; offset += 1 + sizes[i] / 7) {
            uint64_t len = u64_min(sizes[i] - offset, 1 + offset % 140000);

            assert_true(
                str_eq(fx_read_range(f, &version, offset, len), str_slice(put.bytes, offset, len)));
        }
    }
    fx_close(f);
}

static void encrypted_bytes_are_not_on_disk_in_plain(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct fx_put small = { .key = STR("s"), .bytes = STR("very secret words"), .encrypt = true };
    struct buf catalog = BUF_WITH_MAX(16u << 20);
    char path[80];
    int fd;

    (void)state;
    FX_OK(f, fx_put_with(f, &small));
    fx_stop(f);
    (void)snprintf(path, sizeof(path), "%s", f->dir);
    fd = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_true(file_read_all(fd, "catalog.db", &catalog) >= 0);
    assert_int_equal(str_find(buf_view(&catalog), small.bytes), SIZE_MAX);
    assert_true(str_find(buf_view(&catalog), STR("bucket")) != SIZE_MAX);
    buf_free(&catalog);
    (void)close(fd);
    fx_start(f);
    fx_assert_content(f, "s", small.bytes);
    fx_close(f);
}

static void a_body_under_a_customers_key_opens_with_that_key_alone(void **state)
{
    static char bytes[300000], back[sizeof(bytes)];
    static const size_t sizes[] = { 1, 5000, 70000, sizeof(bytes) };
    uint8_t key[AES_KEY_BYTES] = "a key of thirty-two bytes, 1 use";
    uint8_t other[AES_KEY_BYTES] = "another key of thirty-two bytes.";
    const uint8_t *const brought[] = { key, other, NULL };
    struct fixture *f = fx_open(NULL);

    (void)state;
    fx_fill(bytes, sizeof(bytes), 5);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct fx_put put = { .key = STR("k"),
                              .bytes = str_make(bytes, sizes[i]),
                              .encrypt = true,
                              .customer_key = key,
                              .announced = i % 2 == 1 };
        struct version version;

        FX_OK(f, fx_put_with(f, &put));
        FX_OK(f, fx_head(f, "k", &version));
        assert_null(version.body.customer_key);
        for (size_t k = 0; k < COUNT_OF(brought); k++) {
            struct body *body = NULL;
            int64_t got = -1;

            version.body.customer_key = brought[k];
            if (body_open(f->reader, &version, 0, sizes[i], &body, &f->fault) == STORE_OK)
                got = body_read(body, back, sizeof(back), &f->fault);
            body_close(body);
            assert_true(k == 0 ? got == (int64_t)sizes[i] : got < 0);
            assert_true(k != 0 || memcmp(back, bytes, sizes[i]) == 0);
        }
    }
    fx_close(f);
}

static void digests_do_not_depend_on_placement_or_encryption(void **state)
{
    static const size_t sizes[] = { 0, 10, 1024, 1025, 400000 };
    struct fixture *f = fx_open(NULL);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct body_options options = { .account = OWNER,
                                        .want_sha256 = true,
                                        .checksum_kinds = 1u << CHECKSUM_CRC64NVME |
                                                          1u << CHECKSUM_SHA1 };
        uint8_t md5[MD5_BYTES];
        uint8_t sha[SHA256_BYTES];
        uint8_t crc[CHECKSUM_BYTES_MAX];

        fx_fill(big, sizes[i], 5);
        digest_once(DIGEST_MD5, str_make(big, sizes[i]), md5);
        digest_once(DIGEST_SHA256, str_make(big, sizes[i]), sha);
        checksum_once(CHECKSUM_CRC64NVME, str_make(big, sizes[i]), crc);
        for (int sealed = 0; sealed < 2; sealed++) {
            struct body_digests digests;
            struct body_writer *writer;

            options.encrypt = sealed == 1;
            FX_OK(f, body_writer_open(f->store, &options, &writer, &f->fault));
            for (size_t at = 0; at < sizes[i]; at += 777)
                FX_OK(f, body_writer_append(writer, big + at, size_min(777, sizes[i] - at),
                                            &f->fault));
            FX_OK(f, body_writer_finish(writer, &digests, &f->fault));
            body_writer_close(writer);
            assert_int_equal(digests.size_bytes, sizes[i]);
            assert_memory_equal(digests.md5, md5, MD5_BYTES);
            assert_memory_equal(digests.sha256, sha, SHA256_BYTES);
            assert_memory_equal(digests.checksum[CHECKSUM_CRC64NVME], crc, 8);
        }
    }
    assert_int_equal(fx_blob_files(f), 0);
    fx_close(f);
}

#define GROUP_BODIES 24
#define GROUP_BYTES 700000

struct grouped {
    struct body_writer *writer;
    size_t from, len, at;
};

static uint32_t dice(uint32_t sides)
{
    static uint32_t state = 7;

    state = state * 1664525u + 1013904223u;
    return (state >> 8) % sides;
}

static void open_grouped(struct fixture *f, struct body_group *group, struct grouped *body)
{
    struct body_options options = { .group = group,
                                    .account = OWNER,
                                    .want_sha256 = true,
                                    .encrypt = dice(4) == 0,
                                    .checksum_kinds = 1u << CHECKSUM_CRC64NVME };

    *body = (struct grouped){ .from = dice(1000), .len = dice(GROUP_BYTES) };
    options.expected_bytes = dice(5) == 0 ? 0 : body->len;
    FX_OK(f, body_writer_open(f->store, &options, &body->writer, &f->fault));
}

static void finish_grouped(struct fixture *f, struct grouped *body)
{
    struct str bytes = str_make(big + body->from, body->len);
    struct body_digests digests;
    uint8_t wanted[DIGEST_BYTES_MAX];

    FX_OK(f, body_writer_finish(body->writer, &digests, &f->fault));
    digest_once(DIGEST_MD5, bytes, wanted);
    assert_memory_equal(digests.md5, wanted, MD5_BYTES);
    digest_once(DIGEST_SHA256, bytes, wanted);
    assert_memory_equal(digests.sha256, wanted, SHA256_BYTES);
    checksum_once(CHECKSUM_CRC64NVME, bytes, wanted);
    assert_memory_equal(digests.checksum[CHECKSUM_CRC64NVME], wanted, 8);
}

/* Bodies of one thread, their pieces mixed; some are given up. */
static void write_together(const struct store_options *options)
{
    struct fixture *f = fx_open(options);
    struct body_group *group = body_group_open();
    struct grouped bodies[GROUP_BODIES] = { 0 };
    size_t finished = 0;

    assert_non_null(group);
    while (finished < 3 * GROUP_BODIES) {
        struct grouped *body = &bodies[dice(GROUP_BODIES)];
        size_t len;

        if (body->writer == NULL) {
            open_grouped(f, group, body);
        } else if (body->at < body->len && dice(100) > 0) {
            len = size_min(dice(60000) + 1, body->len - body->at);
            FX_OK(f, body_writer_append(body->writer, big + body->from + body->at, len, &f->fault));
            body->at += len;
        } else {
            if (body->at == body->len)
                finish_grouped(f, body);
            body_writer_close(body->writer);
            body->writer = NULL;
            finished++;
        }
    }
    for (size_t i = 0; i < GROUP_BODIES; i++)
        body_writer_close(bodies[i].writer);
    body_group_close(group);
    fx_close(f);
}

static void bodies_written_together_have_their_own_digests(void **state)
{
    static const struct store_options roomy = { .durability = STORE_RELAXED,
                                                .inline_max_bytes = 500000,
                                                .reserve_bytes = 1 };
    cpu_set_t all;
    cpu_set_t one;

    (void)state;
    fx_fill(big, sizeof(big), 9);
    write_together(NULL);
    write_together(&roomy);

    /* On one processor there is no second thread. */
    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++) {
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    }
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    write_together(NULL);
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

static void a_large_plain_range_is_a_file_and_a_small_one_memory(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct version version;
    struct body *body;
    struct str bytes;
    uint64_t offset;
    int fd;

    (void)state;
    fx_fill(big, 50000, 1);
    FX_OK(f, fx_put(f, "large", str_make(big, 50000)));
    FX_OK(f, fx_head(f, "large", &version));
    FX_OK(f, body_open(f->reader, &version, 100, 200, &body, &f->fault));
    assert_false(body_is_memory(body, &bytes));
    assert_true(body_take_file(body, &fd, &offset));
    assert_int_equal(offset, 100);
    body_close(body);
    assert_int_equal(lseek(fd, 0, SEEK_END), 50000);
    (void)close(fd);

    FX_OK(f, fx_put(f, "small", STR("0123456789")));
    FX_OK(f, fx_head(f, "small", &version));
    FX_OK(f, body_open(f->reader, &version, 3, 4, &body, &f->fault));
    assert_true(body_is_memory(body, &bytes));
    assert_true(str_eq(bytes, STR("3456")));
    body_close(body);
    fx_close(f);
}

static void equal_bytes_are_stored_once(void **state)
{
    struct fixture *f = fx_open(NULL);

    (void)state;
    fx_fill(big, 50000, 1);
    FX_OK(f, fx_put(f, "a", str_make(big, 50000)));
    FX_OK(f, fx_put(f, "b", str_make(big, 50000)));
    assert_int_equal(fx_blob_files(f), 1);
    assert_int_equal(store_counters(f->store).blobs_shared, 1);
    FX_OK(f, fx_delete(f, "a"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    fx_assert_content(f, "b", str_make(big, 50000));
    FX_OK(f, fx_delete(f, "b"));
    FX_OK(f, store_sweep_now(f->store, &f->fault));
    assert_int_equal(fx_blob_files(f), 0);
    fx_close(f);
}

static void a_refused_put_leaves_no_file(void **state)
{
    struct fixture *f = fx_open(NULL);
    struct fx_put put = { .key = STR("a"),
                          .bytes = str_make(big, 50000),
                          .condition = { .if_match = STR("x") } };

    (void)state;
    assert_int_equal(fx_put_with(f, &put), STORE_NO_KEY);
    assert_int_equal(fx_blob_files(f), 0);
    fx_close(f);
}

/* ---- damage ------------------------------------------------------------------------------ */

static int damage; /* what to do to the next blob file */

static int damage_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    unsigned char byte;
    int fd;

    (void)st;
    (void)ftw;
    if (flag != FTW_F || strstr(path, "/blobs/") == NULL)
        return 0;
    if (damage == 2)
        return remove(path);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    if (damage == 0) {
        assert_int_equal(ftruncate(fd, 100), 0);
    } else {
        /* Another one for certain: sealed bytes are any. */
        assert_int_equal(pread(fd, &byte, 1, 1000), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, 1000), 1);
    }
    (void)close(fd);
    return 0;
}

static void fsck_finds_what_is_missing_short_or_changed(void **state)
{
    (void)state;
    for (damage = 0; damage < 3; damage++) {
        for (int sealed = 0; sealed < 2; sealed++) {
            struct fixture *f = fx_open(NULL);
            struct fx_put put = { .key = STR("a"),
                                  .bytes = str_make(big, 50000),
                                  .encrypt = sealed == 1 };
            struct version version;
            struct body *body = NULL;
            int64_t got = -1;

            FX_OK(f, fx_put_with(f, &put));
            (void)nftw(f->dir, damage_one, 16, FTW_PHYS);
            FX_OK(f, fx_head(f, "a", &version));
            if (damage != 1 || sealed == 0)
                assert_int_equal(body_open(f->reader, &version, 0, 50000, &body, &f->fault),
                                 STORE_DAMAGED);
            else
                FX_OK(f, body_open(f->reader, &version, 0, 50000, &body, &f->fault));
            if (body != NULL)
                got = body_read(body, big, sizeof(big), &f->fault);
            assert_true(got < 0);
            body_close(body);
            fx_stop(f);
            f->quiet_fsck = true;
            assert_true(fx_fsck(f).errors > 0);
            fx_remove(f);
        }
    }
}

static void a_dedup_hit_on_a_damaged_file_replaces_it(void **state)
{
    struct fixture *f = fx_open(NULL);

    (void)state;
    fx_fill(big, 50000, 1);
    FX_OK(f, fx_put(f, "a", str_make(big, 50000)));
    damage = 0;
    (void)nftw(f->dir, damage_one, 16, FTW_PHYS);
    FX_OK(f, fx_put(f, "b", str_make(big, 50000)));
    fx_assert_content(f, "a", str_make(big, 50000));
    fx_close(f);
}

static void frames_refuse_a_cut_and_a_swap(void **state)
{
    uint8_t key[AES_KEY_BYTES] = { 1 };
    char stored[2 * FRAME_STORED_BYTES];
    char plain[FRAME_PLAIN_BYTES];
    uint64_t size;

    (void)state;
    frame_seal(key, 0, false, big, FRAME_PLAIN_BYTES, stored);
    frame_seal(key, 1, true, big, 10, stored + FRAME_STORED_BYTES);
    assert_true(frame_open(key, 0, false, stored, FRAME_STORED_BYTES, plain));
    assert_false(frame_open(key, 0, true, stored, FRAME_STORED_BYTES, plain));
    assert_false(frame_open(key, 1, false, stored, FRAME_STORED_BYTES, plain));
    assert_true(frame_open(key, 1, true, stored + FRAME_STORED_BYTES, 26, plain));
    for (uint64_t n = 0; n < 200000; n += 333) {
        assert_true(frames_plain_size(frames_stored_size(n), &size));
        assert_int_equal(size, n);
    }
    assert_false(frames_plain_size(16, &size));
    assert_false(frames_plain_size(FRAME_STORED_BYTES + 3, &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encrypted_bodies_of_any_size_read_back_in_any_range),
        cmocka_unit_test(encrypted_bytes_are_not_on_disk_in_plain),
        cmocka_unit_test(a_body_under_a_customers_key_opens_with_that_key_alone),
        cmocka_unit_test(digests_do_not_depend_on_placement_or_encryption),
        cmocka_unit_test(bodies_written_together_have_their_own_digests),
        cmocka_unit_test(a_large_plain_range_is_a_file_and_a_small_one_memory),
        cmocka_unit_test(equal_bytes_are_stored_once),
        cmocka_unit_test(a_refused_put_leaves_no_file),
        cmocka_unit_test(fsck_finds_what_is_missing_short_or_changed),
        cmocka_unit_test(a_dedup_hit_on_a_damaged_file_replaces_it),
        cmocka_unit_test(frames_refuse_a_cut_and_a_swap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
