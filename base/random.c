/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one source of random bytes: see random.h.
 *
 * (1) random_key_bytes always asks the kernel, for exactly the bytes it hands out.
 * (2) random_bytes is served from a pool per thread; bytes are wiped from it as they leave.
 * (3) With a seed set, random_bytes is one sequence shared by all threads (xoshiro256**, state by
 *     splitmix64), so it repeats only when its callers come in the same order.
 */
#include "base/random.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define POOL_BYTES 4096

struct pool {
    size_t left; /* unused bytes, at the front */
    uint8_t bytes[POOL_BYTES];
};

static _Thread_local struct pool pool;

static atomic_bool seeded;
static pthread_mutex_t sequence_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t sequence[4]; /* under sequence_lock */

static void kernel_bytes(void *out, size_t len)
{
    uint8_t *to = out;

    while (len > 0) {
        ssize_t got = getrandom(to, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        /* Without randomness nothing this program promises holds. */
        if (got <= 0)
            abort();
        to += got;
        len -= (size_t)got;
    }
}

void random_key_bytes(void *out, size_t len)
{
    kernel_bytes(out, len);
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

/* https://prng.di.unimi.it/xoshiro256starstar.c */
static uint64_t sequence_next(void)
{
    uint64_t result = rotate_left(sequence[1] * 5, 7) * 9;
    uint64_t shifted = sequence[1] << 17;

    sequence[2] ^= sequence[0];
    sequence[3] ^= sequence[1];
    sequence[1] ^= sequence[2];
    sequence[0] ^= sequence[3];
    sequence[2] ^= shifted;
    sequence[3] = rotate_left(sequence[3], 45);
    return result;
}

static void seeded_bytes(void *out, size_t len)
{
    uint8_t *to = out;

    (void)pthread_mutex_lock(&sequence_lock);
    while (len > 0) {
        uint64_t word = sequence_next();
        size_t some = size_min(len, sizeof(word));

        /* Byte by byte: the sequence is the same on every machine. */
        for (size_t i = 0; i < some; i++)
            to[i] = (uint8_t)(word >> 8 * i);
        to += some;
        len -= some;
    }
    (void)pthread_mutex_unlock(&sequence_lock);
}

void random_set_seed(uint64_t seed)
{
    uint64_t state = seed;

    (void)pthread_mutex_lock(&sequence_lock);
    for (size_t i = 0; i < COUNT_OF(sequence); i++)
        sequence[i] = splitmix64(&state);
    atomic_store(&seeded, seed != 0);
    (void)pthread_mutex_unlock(&sequence_lock);
}

void random_bytes(void *out, size_t len)
{
    uint8_t *to = out;

    if (atomic_load_explicit(&seeded, memory_order_relaxed)) {
        seeded_bytes(out, len);
        return;
    }

    while (len > 0) {
        size_t some;

        if (pool.left == 0) {
            kernel_bytes(pool.bytes, sizeof(pool.bytes));
            pool.left = sizeof(pool.bytes);
        }
        some = size_min(len, pool.left);
        pool.left -= some;
        memcpy(to, pool.bytes + pool.left, some);
        memset(pool.bytes + pool.left, 0, some);
        to += some;
        len -= some;
    }
}

uint64_t random_u64(void)
{
    uint8_t bytes[8];
    uint64_t value = 0;

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        value |= (uint64_t)bytes[i] << 8 * i;

    return value;
}
