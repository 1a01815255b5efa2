/* SPDX-License-Identifier: Apache-2.0 */
/* base/digest: published vectors, reuse, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <string.h>
#include <cmocka.h>

#include "base/digest/digest.h"
#include "base/memory.h"
#include "base/text/codec.h"

static void assert_bytes(const void *bytes, const char *wanted_hex)
{
    char text[2 * 128 + 1];
    size_t len = strlen(wanted_hex) / 2;

    hex_encode(bytes, len, text);
    text[2 * len] = '\0';
    assert_string_equal(text, wanted_hex);
}

static size_t bytes_of(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;

    assert_true(hex_decode(str_from_cstr(hex), out, len));
    return len;
}

/* RFC 1321 A.5; FIPS 180-4 examples */
static const struct {
    enum digest_kind kind;
    const char *message;
    const char *wanted;
} vectors[] = {
    { DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e" },
    { DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72" },
    { DIGEST_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
    { DIGEST_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
    { DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { DIGEST_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { DIGEST_SHA512, "abc",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

static void test_base_digest__one_call_matches_the_published_vectors(void **state)
{
    uint8_t out[DIGEST_BYTES_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        assert_int_equal(digest_bytes(vectors[i].kind) * 2, strlen(vectors[i].wanted));
        digest_once(vectors[i].kind, str_from_cstr(vectors[i].message), out);
        assert_bytes(out, vectors[i].wanted);
    }
}

static void test_base_digest__absent_text_is_the_empty_text(void **state)
{
    uint8_t out[DIGEST_BYTES_MAX];

    (void)state;
    digest_once(DIGEST_MD5, STR_NONE, out);
    assert_bytes(out, "d41d8cd98f00b204e9800998ecf8427e");
}

static void test_base_digest__pieces_and_a_reused_context_give_the_same(void **state)
{
    uint8_t out[DIGEST_BYTES_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        CLEANUP(digest_closep) struct digest *digest = digest_open(vectors[i].kind);

        for (int round = 0; round < 3; round++) {
            digest_update(digest, "left over", 9);
            digest_reset(digest);
            for (const char *p = vectors[i].message; *p != '\0'; p++)
                digest_update(digest, p, 1);
            digest_final(digest, out);
            assert_bytes(out, vectors[i].wanted);
            digest_reset(digest);
        }
    }
}

/* FIPS 180-4: one million "a" */
static void test_base_digest__a_million_bytes(void **state)
{
    CLEANUP(digest_closep) struct digest *digest = digest_open(DIGEST_SHA256);
    uint8_t out[DIGEST_BYTES_MAX];
    char some[1000];

    (void)state;
    memset(some, 'a', sizeof(some));
    for (int i = 0; i < 1000; i++)
        digest_update(digest, some, sizeof(some));
    digest_final(digest, out);
    assert_bytes(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231 */
static void test_base_digest__hmac_sha256_matches_the_published_vectors(void **state)
{
    uint8_t key[131];
    uint8_t out[SHA256_BYTES];

    (void)state;
    memset(key, 0x0b, 20);
    hmac_sha256(str_make(key, 20), STR("Hi There"), out);
    assert_bytes(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");

    hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), out);
    assert_bytes(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

    memset(key, 0xaa, sizeof(key));
    hmac_sha256(str_make(key, sizeof(key)),
                STR("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    assert_bytes(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 2202 */
static void test_base_digest__hmac_sha1_matches_the_published_vectors(void **state)
{
    uint8_t key[80];
    uint8_t out[SHA1_BYTES];

    (void)state;
    memset(key, 0x0b, 20);
    hmac_sha1(str_make(key, 20), STR("Hi There"), out);
    assert_bytes(out, "b617318655057264e28bc0b6fb378c8ef146be00");

    hmac_sha1(STR("Jefe"), STR("what do ya want for nothing?"), out);
    assert_bytes(out, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");

    memset(key, 0xaa, sizeof(key));
    hmac_sha1(str_make(key, sizeof(key)),
              STR("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    assert_bytes(out, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

/* Signing keys of signature version 4 are chained this way. */
static void test_base_digest__hmac_may_write_over_its_own_key(void **state)
{
    uint8_t key[SHA256_BYTES] = { 1, 2, 3 };
    uint8_t apart[SHA256_BYTES];

    (void)state;
    hmac_sha256(str_make(key, sizeof(key)), STR("20261121"), apart);
    hmac_sha256(str_make(key, sizeof(key)), STR("20261121"), key);
    assert_memory_equal(key, apart, sizeof(key));
}

static void test_base_digest__hmac_of_nothing_under_no_key(void **state)
{
    uint8_t out[SHA256_BYTES];

    (void)state;
    hmac_sha256(STR_NONE, STR_NONE, out);
    assert_bytes(out, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* "The Galois/Counter Mode of Operation", McGrew and Viega: test cases 13, 14 and 16 */
static const struct {
    const char *key;
    const char *nonce;
    const char *aad;
    const char *plain;
    const char *cipher;
    const char *tag;
} gcm_vectors[] = {
    { "0000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
    { "0000000000000000000000000000000000000000000000000000000000000000",
      "000000000000000000000000", "", "00000000000000000000000000000000",
      "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919" },
    { "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
      "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
      "76fc6ece0f4e1768cddf8853bb2d551b" },
};

struct gcm_case {
    uint8_t key[AES_KEY_BYTES];
    uint8_t nonce[AES_GCM_NONCE_BYTES];
    uint8_t aad[32];
    uint8_t plain[64];
    uint8_t cipher[64];
    uint8_t tag[AES_GCM_TAG_BYTES];
    size_t aad_len;
    size_t len;
};

static struct gcm_case gcm_case(size_t i)
{
    struct gcm_case c = { 0 };

    (void)bytes_of(gcm_vectors[i].key, c.key);
    (void)bytes_of(gcm_vectors[i].nonce, c.nonce);
    c.aad_len = bytes_of(gcm_vectors[i].aad, c.aad);
    c.len = bytes_of(gcm_vectors[i].plain, c.plain);
    aes_gcm_seal(c.key, c.nonce, str_make(c.aad, c.aad_len), c.plain, c.len, c.cipher, c.tag);
    return c;
}

static bool gcm_opens(const struct gcm_case *c)
{
    uint8_t out[64];

    return aes_gcm_open(c->key, c->nonce, str_make(c->aad, c->aad_len), c->cipher, c->len, out,
                        c->tag) &&
           memcmp(out, c->plain, c->len) == 0;
}

static void test_base_digest__gcm_matches_the_published_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(gcm_vectors); i++) {
        struct gcm_case c = gcm_case(i);

        assert_bytes(c.cipher, gcm_vectors[i].cipher);
        assert_bytes(c.tag, gcm_vectors[i].tag);
        assert_true(gcm_opens(&c));
    }
}

static void test_base_digest__gcm_refuses_any_changed_bit(void **state)
{
    struct gcm_case c = gcm_case(2);

    (void)state;
    c.cipher[59] ^= 1;
    assert_false(gcm_opens(&c));
    c.cipher[59] ^= 1;
    c.tag[15] ^= 0x80;
    assert_false(gcm_opens(&c));
    c.tag[15] ^= 0x80;
    c.aad[0] ^= 1;
    assert_false(gcm_opens(&c));
    c.aad[0] ^= 1;
    c.nonce[11] ^= 1;
    assert_false(gcm_opens(&c));
    c.nonce[11] ^= 1;
    c.key[0] ^= 1;
    assert_false(gcm_opens(&c));
    c.key[0] ^= 1;
    c.len--;
    assert_false(gcm_opens(&c));
    c.len++;
    assert_true(gcm_opens(&c));
}

static void test_base_digest__gcm_works_in_place(void **state)
{
    struct gcm_case c = gcm_case(2);
    uint8_t text[64];
    uint8_t tag[AES_GCM_TAG_BYTES];
    struct str aad = str_make(c.aad, c.aad_len);

    (void)state;
    memcpy(text, c.plain, c.len);
    aes_gcm_seal(c.key, c.nonce, aad, text, c.len, text, tag);
    assert_memory_equal(text, c.cipher, c.len);
    assert_true(aes_gcm_open(c.key, c.nonce, aad, text, c.len, text, tag));
    assert_memory_equal(text, c.plain, c.len);
}

static void *hash_in_thread(void *result)
{
    uint8_t out[SHA256_BYTES];
    bool *right = result;

    *right = true;
    for (int i = 0; i < 200; i++) {
        struct gcm_case c = gcm_case((size_t)i % COUNT_OF(gcm_vectors));

        *right = *right && gcm_opens(&c);
        hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), out);
        *right = *right && memcmp(out, "\x5b\xdc\xc1\x46", 4) == 0;
    }
    return NULL;
}

/* Under ASan this also shows that a thread's contexts end with it. */
static void test_base_digest__threads_do_not_share_contexts(void **state)
{
    pthread_t threads[8];
    bool right[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_in_thread, &right[i]), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(right[i]);
    }
}

static void test_base_digest__init_and_version(void **state)
{
    (void)state;
    assert_true(digest_init());
    assert_true(digest_init());
    assert_memory_equal(digest_library_version(), "OpenSSL 3", 9);
}

static void test_base_digest__goes_on_where_there_is_no_memory(void **state UNUSED)
{
    static const uint8_t key[AES_KEY_BYTES] = { 1 };
    static const uint8_t nonce[AES_GCM_NONCE_BYTES] = { 2 };
    uint8_t before[2][SHA256_BYTES];
    uint8_t now[2][SHA256_BYTES];
    uint8_t sealed[5];
    uint8_t opened[5];
    uint8_t tag[AES_GCM_TAG_BYTES];

    assert_true(digest_thread_prepare());
    digest_once(DIGEST_SHA256, STR("text"), before[0]);
    hmac_sha256(STR("key"), STR("text"), before[1]);
    mem_fault_set(1, /* forever= */ true);
    for (size_t i = 0; i < 1000; i++) { /* more often than the reserve has pieces */
        digest_once(DIGEST_SHA256, STR("text"), now[0]);
        hmac_sha256(STR("key"), STR("text"), now[1]);
        aes_gcm_seal(key, nonce, STR_NONE, "12345", 5, sealed, tag);
        assert_true(aes_gcm_open(key, nonce, STR_NONE, sealed, 5, opened, tag));
    }
    assert_null(digest_open(DIGEST_SHA256));
    mem_fault_set(0, false);
    assert_memory_equal(now, before, sizeof(now));
    assert_memory_equal(opened, "12345", 5);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_digest__goes_on_where_there_is_no_memory),
        cmocka_unit_test(test_base_digest__one_call_matches_the_published_vectors),
        cmocka_unit_test(test_base_digest__absent_text_is_the_empty_text),
        cmocka_unit_test(test_base_digest__pieces_and_a_reused_context_give_the_same),
        cmocka_unit_test(test_base_digest__a_million_bytes),
        cmocka_unit_test(test_base_digest__hmac_sha256_matches_the_published_vectors),
        cmocka_unit_test(test_base_digest__hmac_sha1_matches_the_published_vectors),
        cmocka_unit_test(test_base_digest__hmac_may_write_over_its_own_key),
        cmocka_unit_test(test_base_digest__hmac_of_nothing_under_no_key),
        cmocka_unit_test(test_base_digest__gcm_matches_the_published_vectors),
        cmocka_unit_test(test_base_digest__gcm_refuses_any_changed_bit),
        cmocka_unit_test(test_base_digest__gcm_works_in_place),
        cmocka_unit_test(test_base_digest__threads_do_not_share_contexts),
        cmocka_unit_test(test_base_digest__init_and_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
