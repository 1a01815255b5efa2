/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "storage/reading/freshness.h"

#define KEYS 8
#define COMMITS 20000
#define READERS 2

static struct freshness *fresh(void)
{
    struct freshness *freshness = calloc(1, sizeof(*freshness));

    assert_non_null(freshness);
    freshness_init(freshness);
    return freshness;
}

static void a_slot_bears_the_number_of_the_last_commit_that_stamped_it(void **state)
{
    struct freshness *f = fresh();
    uint64_t key = freshness_of_key(f, STR("k"));
    uint64_t number = freshness_begin(f);

    (void)state;
    assert_int_equal(freshness_slot(f, key), 0);
    freshness_stamp(f, key, number);
    assert_int_equal(freshness_slot(f, key), number);
    assert_true(freshness_published(f) < number);
    assert_int_equal(freshness_begun(f), number);
    freshness_end(f, number);
    assert_int_equal(freshness_published(f), number);
    assert_true(freshness_begin(f) > number);
    free(f);
}

static void a_bucket_and_a_key_of_one_name_have_slots_of_their_own(void **state)
{
    struct freshness *f = fresh();

    (void)state;
    assert_int_not_equal(freshness_of_key(f, STR("a")), freshness_of_bucket(f, STR("a")));
    assert_int_equal(freshness_of_key(f, STR("a")), freshness_of_key(f, STR("a")));
    free(f);
}

/* ---- the protocol, with an array in place of the catalog ------------------------------------- */

struct world {
    struct freshness *freshness;
    uint64_t slots[KEYS];             /* hash of each key */
    _Atomic uint64_t committed[KEYS]; /* the catalog */
    _Atomic uint64_t seen[KEYS];      /* the newest that any reader was given */
    atomic_bool stop;
    atomic_uint older; /* answers older than one given before they were asked for */
    _Atomic uint64_t hits;
};

static void *write_keys(void *argument)
{
    struct world *world = argument;

    /* On a busy machine readers may come late: until one was served from what it remembers. */
    for (uint64_t i = 1; i <= COMMITS || atomic_load(&world->hits) == 0; i++) {
        uint64_t number = freshness_begin(world->freshness);
        size_t key = i % KEYS;

        freshness_stamp(world->freshness, world->slots[key], number);
        (void)sched_yield(); /* in the midst of a commit is where things could go wrong */
        if (i % 7 != 0)      /* now and then a commit fails */
            atomic_store(&world->committed[key], i);
        (void)sched_yield();
        freshness_end(world->freshness, number);
    }
    atomic_store(&world->stop, true);
    return NULL;
}

static void remember_seen(struct world *world, size_t key, uint64_t value)
{
    uint64_t seen = atomic_load(&world->seen[key]);

    while (seen < value && !atomic_compare_exchange_weak(&world->seen[key], &seen, value))
        ;
}

static void *read_keys(void *argument)
{
    struct world *world = argument;
    uint64_t value[KEYS] = { 0 };
    uint64_t stamp[KEYS];
    bool kept[KEYS] = { false };

    for (size_t i = 0; !atomic_load(&world->stop); i++) {
        size_t key = i % KEYS;
        uint64_t before = atomic_load(&world->seen[key]);

        if (kept[key] && freshness_slot(world->freshness, world->slots[key]) == stamp[key]) {
            atomic_fetch_add_explicit(&world->hits, 1, memory_order_relaxed);
        } else {
            uint64_t published = freshness_published(world->freshness);

            value[key] = atomic_load(&world->committed[key]);
            (void)sched_yield();
            stamp[key] = freshness_slot(world->freshness, world->slots[key]);
            kept[key] = stamp[key] <= published;
        }
        if (value[key] < before)
            atomic_fetch_add(&world->older, 1);
        remember_seen(world, key, value[key]);
    }
    return NULL;
}

static void no_reader_is_given_an_older_value_than_another_had_before(void **state)
{
    static struct world world;
    pthread_t readers[READERS];
    pthread_t writer;

    (void)state;
    world.freshness = fresh();
    for (size_t i = 0; i < KEYS; i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "k%zu", i);
        world.slots[i] = freshness_of_key(world.freshness, str_from_cstr(key));
    }
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_keys, &world), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_keys, &world), 0);
    (void)pthread_join(writer, NULL);
    for (size_t i = 0; i < READERS; i++)
        (void)pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&world.older), 0);
    assert_true(atomic_load(&world.hits) > 0);
    free(world.freshness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_bears_the_number_of_the_last_commit_that_stamped_it),
        cmocka_unit_test(a_bucket_and_a_key_of_one_name_have_slots_of_their_own),
        cmocka_unit_test(no_reader_is_given_an_older_value_than_another_had_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
