/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A courier; see courier.h.
 *
 *   asleep --event, clock, stop--> batch of events: each taken, or a dead letter --> forgotten --> ...
 *                                       \--not taken: pause (doubling), again
 */
#include "server/notify/courier.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "base/digest/digest.h"
#include "base/log.h"
#include "server/client/client.h"
#include "server/notify/dead.h"
#include "server/notify/message.h"

#define BATCH_EVENTS 64
#define ARENA_FIRST_BYTES 16384
#define ARENA_BYTES_MAX (8u * 1024u * 1024u)
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES (1024u * 1024u)
#else
#define STACK_BYTES (512u * 1024u) /* TLS is handshaken on it */
#endif

struct courier {
    const struct notify_target *target;
    bool is_bus; /* buckets with EventBridgeConfiguration mean it */
    struct open_store *held;
    struct str region;
    char subscriber[NOTIFY_SUBSCRIBER_LEN];
    struct client *client;
    struct reader *reader;
    int64_t done; /* the last event that is over with */
    int64_t told; /* ... that the store knows of */
    uint64_t tries;
    bool failing; /* said in the log */

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, woken; /* under lock */
    struct event_listener listener;
    struct clock_watcher watcher;
};

/* The rules of the bucket that was asked of last, in their own arena. */
struct bucket_rules {
    struct arena *arena;
    struct bucket bucket;
    struct notify_rules rules;
};

/* One batch. */
struct batch {
    struct arena *arena;
    struct store_event *events;
    size_t count;
    bool no_memory;
};

/* ---- waking -------------------------------------------------------------------------------- */

static void wake(struct courier *courier, bool *flag)
{
    (void)pthread_mutex_lock(&courier->lock);
    *flag = true;
    (void)pthread_cond_signal(&courier->wake);
    (void)pthread_mutex_unlock(&courier->lock);
}

static void on_event(struct event_listener *listener)
{
    struct courier *courier = listener->owner;

    wake(courier, &courier->woken);
}

/* Whoever waits until something is due looks at the clock again. */
static void on_clock(void *context)
{
    struct courier *courier = context;

    (void)pthread_mutex_lock(&courier->lock);
    (void)pthread_cond_signal(&courier->wake);
    (void)pthread_mutex_unlock(&courier->lock);
}

static struct clock *clock_of(const struct courier *courier)
{
    return store_clock(courier->held->store);
}

/* Until an event comes. False: time to stop. */
static bool wait_for_event(struct courier *courier)
{
    bool stop;

    (void)pthread_mutex_lock(&courier->lock);
    while (!courier->stop && !courier->woken)
        (void)pthread_cond_wait(&courier->wake, &courier->lock);
    courier->woken = false;
    stop = courier->stop;
    (void)pthread_mutex_unlock(&courier->lock);
    return !stop;
}

/* 1 s, 2 s, 4 s... False: time to stop. */
static bool pause_before_retry(struct courier *courier)
{
    uint64_t shift = u64_min(courier->tries > 0 ? courier->tries - 1 : 0, 16);
    int64_t pause_us = (int64_t)u64_min(UINT64_C(1) << shift, NOTIFY_PAUSE_MAX_S) * US_PER_S;
    int64_t due = clock_monotonic_us(clock_of(courier)) + pause_us;
    bool stop;

    (void)pthread_mutex_lock(&courier->lock);
    while (!courier->stop && clock_monotonic_us(clock_of(courier)) < due)
        (void)clock_wait(clock_of(courier), &courier->wake, &courier->lock, due);
    stop = courier->stop;
    (void)pthread_mutex_unlock(&courier->lock);
    return !stop;
}

/* ---- what a bucket says -------------------------------------------------------------------- */

/* STORE_NO_BUCKET, STORE_NO_DOCUMENT: nothing is to be sent. */
static enum store_status read_rules(struct courier *courier, const struct store_event *event,
                                    struct bucket_rules *known, struct fault *fault)
{
    enum store_status status;
    struct str stored;

    arena_reset(known->arena);
    known->bucket = (struct bucket){ 0 };
    status = bucket_get(courier->reader, event->bucket, known->arena, &known->bucket, fault);
    if (status == STORE_OK && known->bucket.id != event->bucket_id)
        status = STORE_NO_BUCKET;
    if (status == STORE_OK)
        status = document_get(courier->reader, event->bucket_id, STR("notification"), STR(""),
                              known->arena, &stored, fault);
    if (status == STORE_OK && !notify_rules_read(stored, known->arena, &known->rules))
        status = STORE_NO_MEMORY;
    if (status != STORE_OK)
        known->bucket.id = 0;
    return status;
}

static enum store_status rules_of(struct courier *courier, const struct store_event *event,
                                  struct bucket_rules *known, struct fault *fault)
{
    enum store_status status = STORE_RETRY;

    reader_begin(courier->reader);
    if (known->bucket.id != 0 && known->bucket.id == event->bucket_id)
        status = bucket_unchanged(courier->reader, &known->bucket, fault);
    if (status == STORE_RETRY)
        status = read_rules(courier, event, known, fault);
    reader_end(courier->reader);
    return status;
}

static bool names_target(const struct courier *courier, const struct notify_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        if (str_eq(rules->rules[i].arn, courier->target->arn))
            return true;
    return false;
}

/* Is it to be sent, and under which configuration? */
static bool is_wanted(const struct courier *courier, const struct store_event *event,
                      const struct notify_rules *rules, struct notify_about *about)
{
    const struct notify_rule *rule;

    if (str_eq(event->name, NOTIFY_TEST_EVENT))
        return names_target(courier, rules);
    about->type = notify_type(event->name);
    if (about->type == NULL)
        return false;
    if (courier->is_bus && rules->event_bridge)
        return about->type->detail_type.len > 0;
    rule = notify_rules_match(rules, courier->target->arn, event->name, event->key);
    if (rule != NULL)
        about->configuration_id = rule->id;
    return rule != NULL;
}

/* ---- sending ------------------------------------------------------------------------------- */

enum outcome { OUTCOME_OVER, OUTCOME_AGAIN };

static void say_failing(struct courier *courier, struct str why)
{
    if (!courier->failing)
        log_warn("notifications to '%.*s' fail: %.*s", STR_ARG(courier->target->name),
                 STR_ARG(why));
    courier->failing = true;
}

static void say_works(struct courier *courier)
{
    if (courier->failing)
        log_info("notifications to '%.*s' are taken again", STR_ARG(courier->target->name));
    courier->failing = false;
}

static bool bury(struct courier *courier, const struct notify_dead *dead)
{
    struct fault fault = { 0 };

    if (notify_dead_add(store_dir_fd(courier->held->store), dead, &fault))
        return true;
    log_error("notifications to '%.*s': %s", STR_ARG(courier->target->name), fault.text);
    return false;
}

/* It was not taken: is that the end of it? */
static enum outcome judge(struct courier *courier, const struct store_event *event,
                          struct str message, int status, struct str why)
{
    int64_t now_us = clock_now_us(clock_of(courier));
    bool refused = status >= 400 && status < 500 && status != 408 && status != 429;
    const struct notify_dead dead = { .time_us = now_us,
                                      .target = courier->target,
                                      .tries = courier->tries,
                                      .why = why,
                                      .message = message };

    say_failing(courier, why);
    if (!(refused && courier->tries >= NOTIFY_REFUSALS_MAX) &&
        now_us - event->time_us < NOTIFY_AGE_MAX_S * US_PER_S)
        return OUTCOME_AGAIN;
    return bury(courier, &dead) ? OUTCOME_OVER : OUTCOME_AGAIN;
}

static enum outcome send(struct courier *courier, const struct notify_about *about,
                         struct str message, struct arena *arena)
{
    CLEANUP(client_answer_free) struct client_answer answer = { 0 };
    struct notify_request request;
    struct fault fault = { 0 };
    char why[64];

    if (!notify_request_make(courier->target, about, message, arena, &request))
        return OUTCOME_AGAIN;
    request.request.seconds_max = NOTIFY_SEND_MAX_S;
    courier->tries++;
    if (!client_send(courier->client, &request.request, &answer, &fault))
        return judge(courier, about->event, message, 0, str_from_cstr(fault.text));
    if (notify_taken(courier->target, &answer)) {
        say_works(courier);
        return OUTCOME_OVER;
    }
    (void)snprintf(why, sizeof(why), "the answer is %d", answer.status);
    return judge(courier, about->event, message, answer.status, str_from_cstr(why));
}

static enum outcome bring(struct courier *courier, const struct store_event *event,
                          struct bucket_rules *known)
{
    CLEANUP(arena_closep) struct arena *arena = arena_open(ARENA_FIRST_BYTES, ARENA_BYTES_MAX);
    CLEANUP(buf_free) struct buf message = BUF_WITH_MAX(NOTIFY_MESSAGE_BYTES_MAX);
    struct notify_about about = { .event = event, .configuration_id = STR("") };
    struct fault fault = { 0 };
    enum store_status status;

    if (arena == NULL)
        return OUTCOME_AGAIN;
    status = rules_of(courier, event, known, &fault);
    if (status == STORE_NO_BUCKET || status == STORE_NO_DOCUMENT)
        return OUTCOME_OVER;
    if (status != STORE_OK)
        return OUTCOME_AGAIN;
    if (!is_wanted(courier, event, &known->rules, &about))
        return OUTCOME_OVER;
    about.region = known->bucket.region.len > 0 ? known->bucket.region : courier->region;
    about.owner = known->bucket.owner;
    notify_message(&message, &about, courier->target->protocol);
    return message.failed ? OUTCOME_AGAIN : send(courier, &about, buf_view(&message), arena);
}

/* ---- batches ------------------------------------------------------------------------------- */

static bool keep(void *context, const struct store_event *event)
{
    struct batch *batch = context;
    struct store_event *kept = &batch->events[batch->count];
    struct str *texts[] = { &kept->name, &kept->bucket,     &kept->key,       &kept->version_id,
                            &kept->etag, &kept->request_id, &kept->principal, &kept->address };

    *kept = *event;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (!str_present(*texts[i]))
            continue;
        *texts[i] = arena_dup(batch->arena, *texts[i]);
        batch->no_memory = batch->no_memory || !str_present(*texts[i]);
    }
    batch->count++;
    return !batch->no_memory;
}

/* False: they can not be read now. */
static bool read_batch(struct courier *courier, struct batch *batch)
{
    struct fault fault = { 0 };
    uint64_t lost = 0;
    enum store_status status;

    batch->count = 0;
    batch->no_memory = false;
    arena_reset(batch->arena);
    batch->events = arena_array(batch->arena, BATCH_EVENTS, sizeof(*batch->events));
    if (batch->events == NULL)
        return false;
    status = event_list(courier->reader, courier->done, BATCH_EVENTS, keep, batch, &lost, &fault);
    if (status != STORE_OK || batch->no_memory)
        return false;
    if (lost > 0) {
        const struct notify_dead dead = { .time_us = clock_now_us(clock_of(courier)),
                                          .target = courier->target,
                                          .why = STR("too many events waited"),
                                          .lost = lost };

        log_warn("notifications to '%.*s': %llu events gave way unread",
                 STR_ARG(courier->target->name), (unsigned long long)lost);
        if (!bury(courier, &dead))
            return false;
        courier->done = batch->events[0].id - 1;
    }
    return true;
}

static void forget(struct courier *courier)
{
    struct str name = str_make(courier->subscriber, sizeof(courier->subscriber));
    struct fault fault = { 0 };

    if (courier->done == courier->told)
        return;
    if (store_events_forget(courier->held->store, name, courier->done, &fault) == STORE_OK)
        courier->told = courier->done;
}

static bool is_stopped(struct courier *courier)
{
    bool stop;

    (void)pthread_mutex_lock(&courier->lock);
    stop = courier->stop;
    (void)pthread_mutex_unlock(&courier->lock);
    return stop;
}

/* False: time to stop. */
static bool bring_batch(struct courier *courier, const struct batch *batch,
                        struct bucket_rules *known)
{
    for (size_t i = 0; i < batch->count; i++) {
        courier->tries = 0;
        while (bring(courier, &batch->events[i], known) == OUTCOME_AGAIN) {
            forget(courier);
            if (is_stopped(courier) || !pause_before_retry(courier))
                return false;
        }
        courier->done = batch->events[i].id;
    }
    return true;
}

/* ---- the thread ---------------------------------------------------------------------------- */

static void work(struct courier *courier, struct batch *batch, struct bucket_rules *known)
{
    bool going = true;

    while (going) {
        bool read = read_batch(courier, batch);

        if (!read) {
            courier->tries = 1;
            going = pause_before_retry(courier);
        } else if (batch->count == 0) {
            going = wait_for_event(courier);
        } else {
            going = bring_batch(courier, batch, known) && !is_stopped(courier);
            forget(courier);
        }
    }
}

static void *run(void *context)
{
    struct courier *courier = context;
    struct batch batch = { .arena = arena_open(ARENA_FIRST_BYTES, ARENA_BYTES_MAX) };
    struct bucket_rules known = { .arena = arena_open(ARENA_FIRST_BYTES, ARENA_BYTES_MAX) };

    if (batch.arena != NULL && known.arena != NULL && digest_thread_prepare())
        work(courier, &batch, &known);
    else
        log_error("notifications to '%.*s': there is no memory", STR_ARG(courier->target->name));
    arena_close(batch.arena);
    arena_close(known.arena);
    return NULL;
}

static bool start(struct courier *courier, struct fault *fault)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    int error;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    /* Signals are the main thread's business. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&courier->thread, &attributes, run, courier);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    errno = error;
    return error == 0 || fault_errno_false(fault, "start a thread");
}

/* ---- opening and closing ------------------------------------------------------------------- */

static bool open_inside(struct courier *courier, struct fault *fault)
{
    struct str name = str_make(courier->subscriber, sizeof(courier->subscriber));

    courier->client = client_open(fault);
    if (courier->client == NULL)
        return false;
    if (reader_open(courier->held->store, &courier->reader, fault) != STORE_OK ||
        subscriber_done(courier->reader, name, &courier->done, fault) != STORE_OK)
        return fault_false(fault, "the store can not be read");
    courier->told = courier->done;
    return start(courier, fault);
}

static void free_inside(struct courier *courier)
{
    if (courier->reader != NULL)
        reader_close(courier->reader);
    client_close(courier->client);
    stores_give_back(courier->held);
    (void)pthread_cond_destroy(&courier->wake);
    (void)pthread_mutex_destroy(&courier->lock);
    mem_free(courier);
}

struct courier *courier_open(const struct notify_target *target, bool is_bus,
                             struct open_store *held, struct str region, struct fault *fault)
{
    struct courier *courier = mem_zalloc(sizeof(*courier));

    if (courier == NULL) {
        stores_give_back(held);
        fault_note(fault, "there is no memory");
        return NULL;
    }
    courier->target = target;
    courier->is_bus = is_bus;
    courier->held = held;
    courier->region = region;
    notify_subscriber(target->arn, courier->subscriber);
    (void)pthread_mutex_init(&courier->lock, NULL);
    clock_condition_init(&courier->wake);
    if (!open_inside(courier, fault)) {
        free_inside(courier);
        return NULL;
    }
    courier->listener = (struct event_listener){ .wake = on_event, .owner = courier };
    courier->watcher = (struct clock_watcher){ .moved = on_clock, .context = courier };
    store_listen(held->store, &courier->listener);
    clock_watch(clock_of(courier), &courier->watcher);
    /* What came before it listened. */
    wake(courier, &courier->woken);
    return courier;
}

void courier_stop(struct courier *courier)
{
    wake(courier, &courier->stop);
    client_cancel(courier->client);
}

void courier_close(struct courier *courier)
{
    courier_stop(courier);
    (void)pthread_join(courier->thread, NULL);
    store_unlisten(courier->held->store, &courier->listener);
    clock_unwatch(clock_of(courier), &courier->watcher);
    free_inside(courier);
}

bool courier_is_of(const struct courier *courier, const struct notify_target *target,
                   const struct store *store)
{
    return courier->target == target && courier->held->store == store;
}
