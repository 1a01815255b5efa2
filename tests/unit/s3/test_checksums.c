/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored checksums in all their forms, and the conditions of writes.
 */
#include "bare_op.h"

#include "server/s3/elements.h"
#include "server/s3/request/checksums.h"
#include "server/s3/request/condition.h"
#include "server/xml/xml.h"

static struct stored_checksum crc32(enum checksum_type type, uint32_t parts)
{
    struct stored_checksum checksum = { .kind = CHECKSUM_CRC32, .type = type, .parts = parts };

    memcpy(checksum.value, "\x01\x02\x03\x04", 4);
    return checksum;
}

/* ---- packing --------------------------------------------------------------------------------- */

static void test_s3_checksums__every_kind_survives_packing(void **state UNUSED)
{
    bare_request("/b/k", "");
    for (unsigned kind = CHECKSUM_CRC32; kind < CHECKSUM_KINDS; kind++) {
        struct stored_checksum checksum = { .kind = (enum checksum_kind)kind,
                                            .type = CHECKSUM_COMPOSITE,
                                            .parts = 10000 };
        struct stored_checksum back;
        struct str packed;

        memset(checksum.value, (int)kind, checksum_bytes(checksum.kind));
        packed = stored_checksum_pack(&op, &checksum);
        assert_true(stored_checksum_unpack(packed, &back));
        assert_int_equal(back.kind, kind);
        assert_int_equal(back.type, CHECKSUM_COMPOSITE);
        assert_int_equal(back.parts, 10000);
        assert_memory_equal(back.value, checksum.value, sizeof(back.value));
        assert_false(stored_checksum_unpack(str_slice(packed, 0, packed.len - 1), &back));
    }
}

static void test_s3_checksums__none_packs_to_nothing(void **state UNUSED)
{
    struct stored_checksum none = { 0 };

    bare_request("/b/k", "");
    assert_false(str_present(stored_checksum_pack(&op, &none)));
    assert_false(stored_checksum_unpack(STR_NONE, &none));
    assert_false(stored_checksum_unpack(STR("\x7f\x01\0\0\0\0abcd"), &none));
}

/* PROVES: GetObject, checksums, composite values end in "-N" */
static void test_s3_checksums__composite_text_ends_in_the_number_of_parts(void **state UNUSED)
{
    struct stored_checksum composite = crc32(CHECKSUM_COMPOSITE, 3);
    struct stored_checksum full = crc32(CHECKSUM_FULL_OBJECT, 3);

    bare_request("/b/k", "");
    assert_str(stored_checksum_text(&op, &composite), "AQIDBA==-3");
    assert_str(stored_checksum_text(&op, &full), "AQIDBA==");
}

static void test_s3_checksums__reply_headers_name_algorithm_and_type(void **state UNUSED)
{
    struct stored_checksum full = crc32(CHECKSUM_FULL_OBJECT, 0);

    bare_request("/b/k", "");
    op_set_checksum(&op, &full, true);
    assert_str(bare_reply("x-amz-checksum-crc32"), "AQIDBA==");
    assert_str(bare_reply("x-amz-checksum-type"), "FULL_OBJECT");
    bare_request("/b/k", "");
    op_set_checksum(&op, &full, false);
    assert_false(str_present(bare_reply("x-amz-checksum-type")));
}

static void test_s3_checksums__xml_elements_are_spelt_as_the_model(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(4096);
    struct stored_checksum full = crc32(CHECKSUM_FULL_OBJECT, 0);

    bare_request("/b/k", "");
    xml_checksum(&op, &out, &full, true);
    assert_str(buf_view(&out), "<ChecksumCRC32>AQIDBA==</ChecksumCRC32>"
                               "<ChecksumType>FULL_OBJECT</ChecksumType>");
}

static void test_s3_checksums__elements_name_their_algorithm(void **state UNUSED)
{
    static const struct {
        struct str name;
        enum checksum_kind kind;
    } elements[] = {
        { STR("ChecksumSHA256"), CHECKSUM_SHA256 },
        { STR("ChecksumCRC64NVME"), CHECKSUM_CRC64NVME },
        { STR("ChecksumType"), CHECKSUM_NONE },
        { STR("ChecksumAlgorithm"), CHECKSUM_NONE },
        { STR("Checksum"), CHECKSUM_NONE },
        { STR("ETag"), CHECKSUM_NONE },
    };

    for (size_t i = 0; i < COUNT_OF(elements); i++) {
        struct xml_node node = { .name = elements[i].name };

        assert_int_equal(xml_checksum_of(&node), elements[i].kind);
    }
}

static void test_s3_checksums__types_have_names_in_any_case(void **state UNUSED)
{
    assert_int_equal(checksum_type_from_name(STR("full_object")), CHECKSUM_FULL_OBJECT);
    assert_int_equal(checksum_type_from_name(STR("FULL_OBJECT")), CHECKSUM_FULL_OBJECT);
    assert_int_equal(checksum_type_from_name(STR("Composite")), CHECKSUM_COMPOSITE);
    assert_int_equal(checksum_type_from_name(STR("")), CHECKSUM_TYPE_NONE);
    assert_int_equal(checksum_type_from_name(STR("FULL")), CHECKSUM_TYPE_NONE);
    assert_int_equal(checksum_type_from_name(STR_NONE), CHECKSUM_TYPE_NONE);
}

/* ---- conditions ------------------------------------------------------------------------------- */

static enum s3_error condition(const char *headers, bool for_delete, struct write_condition *ret)
{
    bare_request("/b/k", headers);
    return condition_from_request(&op, for_delete, ret);
}

/* PROVES: PutObject, conditional writes, "If-None-Match: *" */
static void test_s3_conditions__only_a_star_is_taken_in_if_none_match(void **state UNUSED)
{
    struct write_condition c;

    assert_int_equal(condition("If-None-Match: *\n", false, &c), S3_OK);
    assert_true(c.if_none_match_any);
    assert_int_equal(condition("If-None-Match: \"abc\"\n", false, &c), S3_NotImplemented);
    assert_int_equal(condition("If-None-Match: *\n", true, &c), S3_NotImplemented);
}

static void test_s3_conditions__if_match_takes_an_etag_and_a_star_only_on_deletes(
    void **state UNUSED)
{
    struct write_condition c;

    assert_int_equal(condition("If-Match: \"abc\"\n", false, &c), S3_OK);
    assert_str(c.if_match, "abc");
    assert_int_equal(condition("If-Match: abc\n", false, &c), S3_OK);
    assert_str(c.if_match, "abc");
    assert_int_equal(condition("If-Match: *\n", false, &c), S3_NotImplemented);
    assert_int_equal(condition("If-Match: *\n", true, &c), S3_OK);
    assert_str(c.if_match, "*");
}

static void test_s3_conditions__both_at_once_are_not_implemented(void **state UNUSED)
{
    struct write_condition c;

    assert_int_equal(condition("If-Match: \"a\"\nIf-None-Match: *\n", false, &c),
                     S3_NotImplemented);
}

static void test_s3_conditions__size_and_time_of_deletes(void **state UNUSED)
{
    struct write_condition c;

    assert_int_equal(condition("x-amz-if-match-size: 0\n", true, &c), S3_OK);
    assert_true(c.has_size && c.size_bytes == 0);
    assert_int_equal(condition("x-amz-if-match-size: -1\n", true, &c), S3_InvalidArgument);
    assert_int_equal(condition("x-amz-if-match-last-modified-time: Sat, 21 Nov 2026 05:25:23 GMT\n",
                               true, &c),
                     S3_OK);
    assert_true(c.has_modified);
    assert_int_equal(condition("x-amz-if-match-last-modified-time: then\n", true, &c),
                     S3_InvalidArgument);
    assert_int_equal(condition("x-amz-if-match-size: 1\n", false, &c), S3_OK);
    assert_false(c.has_size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_checksums__every_kind_survives_packing),
        cmocka_unit_test(test_s3_checksums__none_packs_to_nothing),
        cmocka_unit_test(test_s3_checksums__composite_text_ends_in_the_number_of_parts),
        cmocka_unit_test(test_s3_checksums__reply_headers_name_algorithm_and_type),
        cmocka_unit_test(test_s3_checksums__xml_elements_are_spelt_as_the_model),
        cmocka_unit_test(test_s3_checksums__elements_name_their_algorithm),
        cmocka_unit_test(test_s3_checksums__types_have_names_in_any_case),
        cmocka_unit_test(test_s3_conditions__only_a_star_is_taken_in_if_none_match),
        cmocka_unit_test(test_s3_conditions__if_match_takes_an_etag_and_a_star_only_on_deletes),
        cmocka_unit_test(test_s3_conditions__both_at_once_are_not_implemented),
        cmocka_unit_test(test_s3_conditions__size_and_time_of_deletes),
    };

    return cmocka_run_group_tests(tests, bare_group_setup, bare_group_teardown);
}
