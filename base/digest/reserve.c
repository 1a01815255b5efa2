/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of OpenSSL; see reserve.h. Any thread, no lock.
 */
#include "base/digest/reserve.h"

#include <openssl/crypto.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

#define PIECE_BYTES 1024u
#define WORDS 4u
#define PIECES (WORDS * 64u)

static alignas(max_align_t) unsigned char pieces[PIECES][PIECE_BYTES];
static _Atomic uint64_t taken[WORDS];

static bool is_piece(const void *memory)
{
    uintptr_t at = (uintptr_t)memory;

    return at >= (uintptr_t)pieces && at < (uintptr_t)pieces + sizeof(pieces);
}

static void *piece_take(void)
{
    for (size_t word = 0; word < WORDS; word++) {
        uint64_t seen = atomic_load(&taken[word]);

        while (seen != UINT64_MAX) {
            unsigned bit = (unsigned)__builtin_ctzll(~seen);

            if (atomic_compare_exchange_weak(&taken[word], &seen, seen | UINT64_C(1) << bit))
                return pieces[word * 64 + bit];
        }
    }
    return NULL;
}

static void piece_give(void *memory)
{
    size_t number = ((uintptr_t)memory - (uintptr_t)pieces) / PIECE_BYTES;

    atomic_fetch_and(&taken[number / 64], ~(UINT64_C(1) << number % 64));
}

static void *openssl_alloc(size_t bytes, const char *file UNUSED, int line UNUSED)
{
    void *memory = mem_alloc(bytes);

    return memory == NULL && bytes <= PIECE_BYTES ? piece_take() : memory;
}

static void openssl_free(void *memory, const char *file UNUSED, int line UNUSED)
{
    if (is_piece(memory))
        piece_give(memory);
    else
        mem_free(memory);
}

static void *openssl_resize(void *memory, size_t bytes, const char *file, int line)
{
    void *larger;

    if (bytes == 0) {
        openssl_free(memory, file, line);
        return NULL;
    }
    if (!is_piece(memory))
        return mem_resize(memory, bytes);
    if (bytes <= PIECE_BYTES)
        return memory;
    larger = mem_alloc(bytes);
    if (larger == NULL)
        return NULL;
    memcpy(larger, memory, PIECE_BYTES);
    piece_give(memory);
    return larger;
}

bool reserve_stand_behind_openssl(void)
{
    return CRYPTO_set_mem_functions(openssl_alloc, openssl_resize, openssl_free) == 1;
}
