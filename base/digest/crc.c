/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CRCs of S3; see crc.h.
 *
 * (1) All CRCs here are reflected, start from all ones and end inverted, so one algebra serves
 *     the three: bit `one` of a value is x^0, a right shift multiplies by x.
 * (2) Tables and folding constants are computed once at first use, not written down.
 * (3) Published polynomials are the only constants:
 *     CRC-32/ISO-HDLC, CRC-32/ISCSI, CRC-64/NVME in https://reveng.sourceforge.io/crc-catalogue/
 */
#include "base/digest/crc.h"

#include <pthread.h>
#include <string.h>

#ifdef HAVE_ISAL
#include <isa-l/crc.h>
#else
#include <zlib.h>
#endif
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define SLICES 8
#define FOLD_LANES 8
#define FOLD_BYTES 16
#define FOLD_STEP_BYTES ((size_t)FOLD_LANES * FOLD_BYTES)

/* Polynomials modulo P with coefficients in reflected order. */
struct field {
    uint64_t poly; /* P without its leading term */
    uint64_t one;  /* x^0 */
};

static const struct field crc32_field = { 0xedb88320, UINT64_C(1) << 31 };
static const struct field crc32c_field = { 0x82f63b78, UINT64_C(1) << 31 };
static const struct field crc64nvme_field = { UINT64_C(0x9a6c9329ac4bc9b5), UINT64_C(1) << 63 };

/* entry[k][b]: the register after byte b and k zero bytes. */
struct slices {
    uint64_t entry[SLICES][256];
};

static struct slices crc64nvme_slices;
#ifndef HAVE_ISAL
static struct slices crc32c_slices;
#endif

/* x^n modulo P for the two halves of a 128-bit lane moved over `step` or over one lane. */
struct fold {
    uint64_t high;
    uint64_t low;
};
static struct fold fold_step;
static struct fold fold_lane;
static bool have_pclmul;

static pthread_once_t prepare_once = PTHREAD_ONCE_INIT;

static uint64_t times_x(const struct field *field, uint64_t a)
{
    return (a & 1) != 0 ? a >> 1 ^ field->poly : a >> 1;
}

static uint64_t field_multiply(const struct field *field, uint64_t a, uint64_t b)
{
    uint64_t product = 0;

    for (uint64_t bit = field->one; bit != 0; bit >>= 1) {
        if ((a & bit) != 0)
            product ^= b;
        b = times_x(field, b);
    }

    return product;
}

/* base^exponent */
static uint64_t field_power(const struct field *field, uint64_t base, uint64_t exponent)
{
    uint64_t result = field->one;

    for (; exponent != 0; exponent >>= 1) {
        if ((exponent & 1) != 0)
            result = field_multiply(field, result, base);
        base = field_multiply(field, base, base);
    }

    return result;
}

static void slices_fill(struct slices *slices, const struct field *field)
{
    for (unsigned b = 0; b < 256; b++) {
        uint64_t crc = b;

        for (unsigned bit = 0; bit < 8; bit++)
            crc = times_x(field, crc);
        slices->entry[0][b] = crc;
    }

    for (unsigned k = 1; k < SLICES; k++) {
        for (unsigned b = 0; b < 256; b++) {
            uint64_t before = slices->entry[k - 1][b];

            slices->entry[k][b] = before >> 8 ^ slices->entry[0][before & 0xff];
        }
    }
}

/*
 * Constants that move a lane `bits` towards the end. The carry-less product of two reflected words
 * comes out multiplied by x, hence the minus one.
 */
static struct fold fold_over(unsigned bits)
{
    const struct field *field = &crc64nvme_field;
    uint64_t x = field->one >> 1;

    return (struct fold){ .high = field_power(field, x, bits + 64 - 1),
                          .low = field_power(field, x, bits - 1) };
}

static void prepare(void)
{
    slices_fill(&crc64nvme_slices, &crc64nvme_field);
#ifndef HAVE_ISAL
    slices_fill(&crc32c_slices, &crc32c_field);
#endif
    fold_lane = fold_over(8 * FOLD_BYTES);
    fold_step = fold_over(8 * (unsigned)FOLD_STEP_BYTES);
#ifdef __x86_64__
    have_pclmul = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
#endif
}

static void prepare_tables(void)
{
    (void)pthread_once(&prepare_once, prepare);
}

static uint64_t load_le64(const uint8_t *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The bare register, neither preset nor inverted. */
static uint64_t slices_run(const struct slices *slices, uint64_t crc, const uint8_t *p, size_t len)
{
    for (; len >= SLICES; p += SLICES, len -= SLICES) {
        uint64_t word = load_le64(p) ^ crc;

        crc = slices->entry[7][word & 0xff] ^ slices->entry[6][word >> 8 & 0xff] ^
              slices->entry[5][word >> 16 & 0xff] ^ slices->entry[4][word >> 24 & 0xff] ^
              slices->entry[3][word >> 32 & 0xff] ^ slices->entry[2][word >> 40 & 0xff] ^
              slices->entry[1][word >> 48 & 0xff] ^ slices->entry[0][word >> 56];
    }
    for (; len > 0; p++, len--)
        crc = crc >> 8 ^ slices->entry[0][(crc ^ *p) & 0xff];

    return crc;
}

uint64_t crc64nvme_table(uint64_t crc, const void *bytes, size_t len)
{
    prepare_tables();
    return ~slices_run(&crc64nvme_slices, ~crc, bytes, len);
}

#ifdef __x86_64__

#define WITH_PCLMUL __attribute__((target("pclmul,sse4.1")))

WITH_PCLMUL static inline __m128i load_lane(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

WITH_PCLMUL static inline __m128i fold_into(__m128i lane, __m128i constants, __m128i next)
{
    /* The first eight bytes of a lane, its low half in a register, are the higher powers. */
    __m128i high = _mm_clmulepi64_si128(lane, constants, 0x00);
    __m128i low = _mm_clmulepi64_si128(lane, constants, 0x11);

    return _mm_xor_si128(_mm_xor_si128(high, low), next);
}

WITH_PCLMUL static inline __m128i fold_constants(const struct fold *fold)
{
    return _mm_set_epi64x((long long)fold->low, (long long)fold->high);
}

/* len >= FOLD_STEP_BYTES. Bare register, as slices_run. */
WITH_PCLMUL static uint64_t fold_run(uint64_t crc, const uint8_t *p, size_t len)
{
    const __m128i over_step = fold_constants(&fold_step);
    const __m128i over_lane = fold_constants(&fold_lane);
    __m128i lanes[FOLD_LANES];
    uint8_t folded[FOLD_BYTES];
    __m128i sum;

    for (size_t i = 0; i < FOLD_LANES; i++)
        lanes[i] = load_lane(p + i * FOLD_BYTES);
    lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, (long long)crc));
    p += FOLD_STEP_BYTES;
    len -= FOLD_STEP_BYTES;

    for (; len >= FOLD_STEP_BYTES; p += FOLD_STEP_BYTES, len -= FOLD_STEP_BYTES) {
#pragma GCC unroll 8
        for (size_t i = 0; i < FOLD_LANES; i++)
            lanes[i] = fold_into(lanes[i], over_step, load_lane(p + i * FOLD_BYTES));
    }

    sum = lanes[0];
    for (size_t i = 1; i < FOLD_LANES; i++)
        sum = fold_into(sum, over_lane, lanes[i]);
    for (; len >= FOLD_BYTES; p += FOLD_BYTES, len -= FOLD_BYTES)
        sum = fold_into(sum, over_lane, load_lane(p));

    /* What is folded is congruent to all bytes so far: the table finishes both. */
    _mm_storeu_si128((__m128i *)(void *)folded, sum);
    crc = slices_run(&crc64nvme_slices, 0, folded, sizeof(folded));
    return slices_run(&crc64nvme_slices, crc, p, len);
}

#endif

uint64_t crc64nvme(uint64_t crc, const void *bytes, size_t len)
{
    prepare_tables();
#ifdef __x86_64__
    if (have_pclmul && len >= FOLD_STEP_BYTES)
        return ~fold_run(~crc, bytes, len);
#endif
    return ~slices_run(&crc64nvme_slices, ~crc, bytes, len);
}

#ifdef HAVE_ISAL

/* ISA-L inverts inside this one, as zlib does. */
static uint64_t crc32_run(uint64_t crc, const void *bytes, size_t len)
{
    return crc32_gzip_refl((uint32_t)crc, bytes, len);
}

/* ... but not inside this one, which also counts in int and forgot a const. */
static uint64_t crc32c_run(uint64_t crc, const void *bytes, size_t len)
{
    const size_t step_max = (size_t)1 << 30;
    uintptr_t at = (uintptr_t)bytes;
    uint32_t bare = ~(uint32_t)crc;

    while (len > 0) {
        size_t step = size_min(len, step_max);

        bare = crc32_iscsi((unsigned char *)at, (int)step, bare);
        at += step;
        len -= step;
    }
    return ~bare;
}

#else

static uint64_t crc32_run(uint64_t crc, const void *bytes, size_t len)
{
    return crc32_z(crc, bytes, len);
}

static uint64_t crc32c_run(uint64_t crc, const void *bytes, size_t len)
{
    prepare_tables();
    return ~(uint32_t)slices_run(&crc32c_slices, (uint32_t)~crc, bytes, len);
}

#endif

struct crc {
    const struct field *field;
    uint64_t (*run)(uint64_t crc, const void *bytes, size_t len);
};

const struct crc crc_32 = { &crc32_field, crc32_run };
const struct crc crc_32c = { &crc32c_field, crc32c_run };
const struct crc crc_64nvme = { &crc64nvme_field, crc64nvme };

uint64_t crc_run(const struct crc *crc, uint64_t before, const void *bytes, size_t len)
{
    /* zlib would take NULL for a wish to begin. */
    return len == 0 ? before : crc->run(before, bytes, len);
}

/* x^(8 * bytes). Parts of an upload mostly have one length, so the newest power is kept. */
static uint64_t shift_by(const struct field *field, uint64_t bytes)
{
    static _Thread_local struct {
        const struct field *field;
        uint64_t bytes;
        uint64_t power;
    } newest;

    if (newest.field != field || newest.bytes != bytes) {
        newest.power = field_power(field, field->one >> 8, bytes);
        newest.bytes = bytes;
        newest.field = field;
    }
    return newest.power;
}

uint64_t crc_combine(const struct crc *crc, uint64_t a, uint64_t b, uint64_t b_bytes)
{
    /* Preset and inversion cancel out: crc(A||B) = crc(A) * x^(8 * len B) + crc(B). */
    return field_multiply(crc->field, a, shift_by(crc->field, b_bytes)) ^ b;
}
