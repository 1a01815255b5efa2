/* SPDX-License-Identifier: Apache-2.0 */
/* base/checksum: published vectors, streaming, combination. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "base/digest/checksum.h"
#include "base/digest/crc.h"
#include "base/random.h"
#include "base/text/codec.h"

static uint8_t noise[20000];

static void assert_checksum(enum checksum_kind kind, struct str bytes, const char *wanted_hex)
{
    uint8_t out[CHECKSUM_BYTES_MAX];
    char text[2 * CHECKSUM_BYTES_MAX + 1];
    size_t len = checksum_bytes(kind);

    checksum_once(kind, bytes, out);
    hex_encode(out, len, text);
    text[2 * len] = '\0';
    assert_string_equal(text, wanted_hex);
}

/* https://reveng.sourceforge.io/crc-catalogue/ */
static void test_base_checksum__crcs_have_their_catalogue_check_values(void **state)
{
    (void)state;
    assert_checksum(CHECKSUM_CRC32, STR("123456789"), "cbf43926");
    assert_checksum(CHECKSUM_CRC32C, STR("123456789"), "e3069283");
    assert_checksum(CHECKSUM_CRC64NVME, STR("123456789"), "ae8b14860a799888");
}

/* RFC 3720, B.4 (there in wire order) */
static void test_base_checksum__crc32c_matches_the_iscsi_vectors(void **state)
{
    uint8_t bytes[32];

    (void)state;
    memset(bytes, 0, sizeof(bytes));
    assert_checksum(CHECKSUM_CRC32C, str_make(bytes, sizeof(bytes)), "8a9136aa");
    memset(bytes, 0xff, sizeof(bytes));
    assert_checksum(CHECKSUM_CRC32C, str_make(bytes, sizeof(bytes)), "62a8ab43");
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    assert_checksum(CHECKSUM_CRC32C, str_make(bytes, sizeof(bytes)), "46dd794e");
}

/* NVM Express NVM Command Set Specification, 64b CRC test cases */
static void test_base_checksum__crc64nvme_matches_the_nvme_vectors(void **state)
{
    uint8_t bytes[4096];

    (void)state;
    memset(bytes, 0, sizeof(bytes));
    assert_checksum(CHECKSUM_CRC64NVME, str_make(bytes, sizeof(bytes)), "6482d367eb22b64e");
    memset(bytes, 0xff, sizeof(bytes));
    assert_checksum(CHECKSUM_CRC64NVME, str_make(bytes, sizeof(bytes)), "c0ddba7302eca3ac");
}

/* Values of the reference implementation, xxhsum -H64/-H3/-H128; canonical form is big-endian. */
static void test_base_checksum__xxhashes_are_canonical(void **state)
{
    (void)state;
    assert_checksum(CHECKSUM_XXHASH64, STR(""), "ef46db3751d8e999");
    assert_checksum(CHECKSUM_XXHASH64, STR("abc"), "44bc2cf5ad770999");
    assert_checksum(CHECKSUM_XXHASH3, STR(""), "2d06800538d394c2");
    assert_checksum(CHECKSUM_XXHASH3, STR("abc"), "78af5f94892f3950");
    assert_checksum(CHECKSUM_XXHASH128, STR(""), "99aa06d3014798d86001c324468d497f");
    assert_checksum(CHECKSUM_XXHASH128, STR("abc"), "06b05ab6733a618578af5f94892f3950");
}

static void test_base_checksum__digests_are_those_of_digest(void **state)
{
    (void)state;
    assert_checksum(CHECKSUM_MD5, STR("abc"), "900150983cd24fb0d6963f7d28e17f72");
    assert_checksum(CHECKSUM_SHA1, STR("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_checksum(CHECKSUM_SHA256, STR("abc"),
                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_checksum(CHECKSUM_SHA512, STR("abc"),
                    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static void test_base_checksum__streaming_in_random_pieces_equals_one_call(void **state)
{
    uint8_t whole[CHECKSUM_BYTES_MAX];
    uint8_t pieces[CHECKSUM_BYTES_MAX];

    (void)state;
    for (unsigned kind = CHECKSUM_NONE + 1; kind < CHECKSUM_KINDS; kind++) {
        CLEANUP(checksum_closep) struct checksum *checksum = checksum_open(kind);

        assert_int_equal(checksum_kind_of(checksum), kind);
        for (size_t at = 0; at < sizeof(noise);) {
            size_t some = size_min(random_u64() % 700, sizeof(noise) - at);

            checksum_update(checksum, noise + at, some);
            at += some;
        }
        checksum_final(checksum, pieces);
        checksum_once(kind, str_make(noise, sizeof(noise)), whole);
        assert_memory_equal(pieces, whole, checksum_bytes(kind));
    }
}

static void test_base_checksum__nothing_streamed_equals_one_call_of_nothing(void **state)
{
    uint8_t streamed[CHECKSUM_BYTES_MAX];
    uint8_t once[CHECKSUM_BYTES_MAX];

    (void)state;
    for (unsigned kind = CHECKSUM_NONE + 1; kind < CHECKSUM_KINDS; kind++) {
        CLEANUP(checksum_closep) struct checksum *checksum = checksum_open(kind);

        checksum_update(checksum, NULL, 0);
        checksum_final(checksum, streamed);
        checksum_once(kind, STR_NONE, once);
        assert_memory_equal(streamed, once, checksum_bytes(kind));
    }
}

static void test_base_checksum__both_crc64nvme_forms_agree_on_every_length(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 1100; len++) {
        size_t from = random_u64() % 64;
        uint64_t start = random_u64();

        assert_true(crc64nvme(start, noise + from, len) ==
                    crc64nvme_table(start, noise + from, len));
    }
}

static void test_base_checksum__both_crc64nvme_forms_agree_on_long_random_pieces(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        size_t from = random_u64() % sizeof(noise);
        size_t len = random_u64() % (sizeof(noise) - from);

        assert_true(crc64nvme(0, noise + from, len) == crc64nvme_table(0, noise + from, len));
    }
}

/* Bit by bit from the polynomial: shares no table and no folding with either form. */
static void test_base_checksum__crc64nvme_equals_the_definition(void **state)
{
    uint64_t crc = UINT64_MAX;

    (void)state;
    for (size_t i = 0; i < sizeof(noise); i++) {
        crc ^= noise[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ UINT64_C(0x9a6c9329ac4bc9b5) : crc >> 1;
    }
    assert_true(crc64nvme(0, noise, sizeof(noise)) == ~crc);
}

static void test_base_checksum__combined_crc_equals_crc_of_the_whole(void **state)
{
    (void)state;
    for (unsigned kind = CHECKSUM_NONE + 1; kind < CHECKSUM_KINDS; kind++) {
        for (int i = 0; checksum_can_combine(kind) && i < 300; i++) {
            uint8_t a[8];
            uint8_t b[8];
            uint8_t whole[8];
            size_t len = random_u64() % sizeof(noise);
            size_t cut = random_u64() % (len + 1);

            checksum_once(kind, str_make(noise, cut), a);
            checksum_once(kind, str_make(noise + cut, len - cut), b);
            checksum_once(kind, str_make(noise, len), whole);
            checksum_combine(kind, a, b, len - cut, a);
            assert_memory_equal(a, whole, checksum_bytes(kind));
        }
    }
}

static void test_base_checksum__combination_with_an_empty_part_changes_nothing(void **state)
{
    uint8_t empty[8];
    uint8_t some[8];
    uint8_t out[8];

    (void)state;
    for (unsigned kind = CHECKSUM_CRC32; kind <= CHECKSUM_CRC64NVME; kind++) {
        checksum_once(kind, STR(""), empty);
        checksum_once(kind, STR("123456789"), some);
        checksum_combine(kind, some, empty, 0, out);
        assert_memory_equal(out, some, checksum_bytes(kind));
        checksum_combine(kind, empty, some, 9, out);
        assert_memory_equal(out, some, checksum_bytes(kind));
    }
}

/* One length with every kind, then another and back: nothing is kept that does not fit. */
static void test_base_checksum__combination_follows_kind_and_length(void **state)
{
    static const size_t lengths[] = { 9, 9, 100, 9 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        for (unsigned kind = CHECKSUM_CRC32; kind <= CHECKSUM_CRC64NVME; kind++) {
            uint8_t a[8];
            uint8_t b[8];
            uint8_t whole[8];

            checksum_once(kind, str_make(noise, 5), a);
            checksum_once(kind, str_make(noise + 5, lengths[i]), b);
            checksum_once(kind, str_make(noise, 5 + lengths[i]), whole);
            checksum_combine(kind, a, b, lengths[i], a);
            assert_memory_equal(a, whole, checksum_bytes(kind));
        }
    }
}

/* Lengths past 4 GiB: moving by a + b bytes is moving by a, then by b. */
static void test_base_checksum__combination_counts_lengths_in_64_bits(void **state)
{
    static const uint8_t zero[8];
    const uint64_t far = (UINT64_C(5) << 40) + 12345;

    (void)state;
    for (unsigned kind = CHECKSUM_CRC32; kind <= CHECKSUM_CRC64NVME; kind++) {
        uint8_t at_once[8];
        uint8_t in_steps[8];
        uint8_t some[8];

        checksum_once(kind, STR("123456789"), some);
        checksum_combine(kind, some, zero, far, at_once);
        memcpy(in_steps, some, sizeof(some));
        for (int i = 0; i < 5 * 1024; i++)
            checksum_combine(kind, in_steps, zero, UINT64_C(1) << 30, in_steps);
        checksum_combine(kind, in_steps, zero, 12345, in_steps);
        assert_memory_equal(at_once, in_steps, checksum_bytes(kind));
    }
}

static void test_base_checksum__only_crcs_can_combine(void **state)
{
    (void)state;
    assert_true(checksum_can_combine(CHECKSUM_CRC32));
    assert_true(checksum_can_combine(CHECKSUM_CRC32C));
    assert_true(checksum_can_combine(CHECKSUM_CRC64NVME));
    assert_false(checksum_can_combine(CHECKSUM_NONE));
    for (unsigned kind = CHECKSUM_SHA1; kind < CHECKSUM_KINDS; kind++)
        assert_false(checksum_can_combine(kind));
}

static void test_base_checksum__names_and_suffixes_lead_back_to_their_kind(void **state)
{
    (void)state;
    for (unsigned kind = CHECKSUM_NONE + 1; kind < CHECKSUM_KINDS; kind++) {
        assert_int_equal(checksum_from_name(checksum_name(kind)), kind);
        assert_int_equal(checksum_from_header_suffix(checksum_header_suffix(kind)), kind);
        assert_true(checksum_bytes(kind) > 0 && checksum_bytes(kind) <= CHECKSUM_BYTES_MAX);
    }
    assert_int_equal(checksum_from_name(STR("crc64Nvme")), CHECKSUM_CRC64NVME);
    assert_true(str_eq(checksum_name(CHECKSUM_XXHASH128), STR("XXHASH128")));
    assert_true(str_eq(checksum_header_suffix(CHECKSUM_CRC32C), STR("crc32c")));
}

static void test_base_checksum__unknown_names_are_none(void **state)
{
    (void)state;
    assert_int_equal(checksum_from_name(STR("")), CHECKSUM_NONE);
    assert_int_equal(checksum_from_name(STR_NONE), CHECKSUM_NONE);
    assert_int_equal(checksum_from_name(STR("CRC32CC")), CHECKSUM_NONE);
    assert_int_equal(checksum_from_header_suffix(STR("sha")), CHECKSUM_NONE);
    assert_int_equal(checksum_from_header_suffix(STR("type")), CHECKSUM_NONE);
}

static void test_base_checksum__base64_of_the_longest_value_has_its_named_length(void **state)
{
    (void)state;
    assert_int_equal(CHECKSUM_TEXT_MAX, BASE64_LEN(CHECKSUM_BYTES_MAX));
}

static int fill_noise(void **state)
{
    (void)state;
    random_bytes(noise, sizeof(noise));
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_checksum__crcs_have_their_catalogue_check_values),
        cmocka_unit_test(test_base_checksum__crc32c_matches_the_iscsi_vectors),
        cmocka_unit_test(test_base_checksum__crc64nvme_matches_the_nvme_vectors),
        cmocka_unit_test(test_base_checksum__xxhashes_are_canonical),
        cmocka_unit_test(test_base_checksum__digests_are_those_of_digest),
        cmocka_unit_test(test_base_checksum__streaming_in_random_pieces_equals_one_call),
        cmocka_unit_test(test_base_checksum__nothing_streamed_equals_one_call_of_nothing),
        cmocka_unit_test(test_base_checksum__both_crc64nvme_forms_agree_on_every_length),
        cmocka_unit_test(test_base_checksum__both_crc64nvme_forms_agree_on_long_random_pieces),
        cmocka_unit_test(test_base_checksum__crc64nvme_equals_the_definition),
        cmocka_unit_test(test_base_checksum__combined_crc_equals_crc_of_the_whole),
        cmocka_unit_test(test_base_checksum__combination_with_an_empty_part_changes_nothing),
        cmocka_unit_test(test_base_checksum__combination_follows_kind_and_length),
        cmocka_unit_test(test_base_checksum__combination_counts_lengths_in_64_bits),
        cmocka_unit_test(test_base_checksum__only_crcs_can_combine),
        cmocka_unit_test(test_base_checksum__names_and_suffixes_lead_back_to_their_kind),
        cmocka_unit_test(test_base_checksum__unknown_names_are_none),
        cmocka_unit_test(test_base_checksum__base64_of_the_longest_value_has_its_named_length),
    };

    return cmocka_run_group_tests(tests, fill_noise, NULL);
}
