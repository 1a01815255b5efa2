/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scrub; rules in scrub.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "storage/bodies/verify.h"

#define RETRY_US US_PER_S
#define FAR_US (INT64_C(24) * 3600 * US_PER_S)
/* How often a pass writes how far it has come, if nothing else is to be written. */
#define PLACE_INTERVAL_US (60 * US_PER_S)
/* Inline bodies looked at in one snapshot. */
#define INLINE_STEP_BYTES (256u * 1024u)
#define OWNERS_MAX 16
#define TEXT_BYTES_MAX 6144

/* The thread's own. */
struct scrubber {
    struct store *store;
    struct reader *reader;   /* while there is work */
    struct scrub_note *note; /* to be written: too long for a stack */
    int64_t paid_us;         /* until when what was read is within the rate; monotonic */
    int64_t written_us;      /* the place; monotonic */
    uint64_t step_bytes;
    uint64_t bodies, bytes; /* read since the last record */
    int64_t since_us;       /* of that; monotonic */
    bool passing;           /* a pass was under way since then */
    bool placed;            /* the place of the pass is known */
    bool stopped;
};

static void clock_moved(void *context)
{
    struct scrub *scrub = context;

    (void)pthread_mutex_lock(&scrub->lock);
    scrub->clock_moved = true;
    (void)pthread_cond_signal(&scrub->wake);
    (void)pthread_mutex_unlock(&scrub->lock);
}

void scrub_init(struct scrub *scrub, struct clock *clock)
{
    (void)pthread_mutex_init(&scrub->lock, NULL);
    clock_condition_init(&scrub->wake);
    scrub->clock = clock;
    scrub->watcher = (struct clock_watcher){ .moved = clock_moved, .context = scrub };
    clock_watch(clock, &scrub->watcher);
}

void scrub_free(struct scrub *scrub)
{
    clock_unwatch(scrub->clock, &scrub->watcher);
    (void)pthread_cond_destroy(&scrub->wake);
    (void)pthread_mutex_destroy(&scrub->lock);
}

void scrub_stop(struct scrub *scrub)
{
    if (!scrub->started)
        return;

    (void)pthread_mutex_lock(&scrub->lock);
    scrub->stop = true;
    (void)pthread_cond_signal(&scrub->wake);
    (void)pthread_mutex_unlock(&scrub->lock);
    (void)pthread_join(scrub->thread, NULL);
    scrub->started = false;
}

/* ---- sleeping ---------------------------------------------------------------------------- */

/*
 * True: time to stop. Until `until_us`; attentive: or the first suspect, or a move of the clock, by
 * whose wall hand passes are due.
 */
static bool sleep_until(struct scrub *scrub, int64_t until_us, bool attentive)
{
    bool stop;
    int error = 0;

    (void)pthread_mutex_lock(&scrub->lock);
    while (!scrub->stop && error != ETIMEDOUT &&
           !(attentive && (scrub->suspect_count > 0 || scrub->clock_moved)))
        error = clock_wait(scrub->clock, &scrub->wake, &scrub->lock, until_us);
    scrub->clock_moved = scrub->clock_moved && !attentive;
    stop = scrub->stop;
    (void)pthread_mutex_unlock(&scrub->lock);
    return stop;
}

static int64_t now_us(const struct scrubber *scrubber)
{
    return clock_monotonic_us(&scrubber->store->clock);
}

/* Bytes are about to be read: not before the rate allows it. False: time to stop. */
static bool pace(void *context, uint64_t bytes)
{
    struct scrubber *scrubber = context;
    int64_t begun_us = now_us(scrubber);
    uint64_t rate = scrubber->store->options.scrub_bytes_per_s;

    if (scrubber->paid_us < begun_us)
        scrubber->paid_us = begun_us;
    else if (sleep_until(&scrubber->store->scrub, scrubber->paid_us, /* attentive= */ false))
        scrubber->stopped = true;
    if (rate > 0)
        scrubber->paid_us += (int64_t)(bytes * (uint64_t)US_PER_S / rate);
    return !scrubber->stopped;
}

/* ---- one blob ---------------------------------------------------------------------------- */

/* Of the disk, not of what the kernel remembers; and it shall not remember all that passes here. */
static void forget_cached(int fd, uint64_t base, uint64_t len)
{
    (void)posix_fadvise(fd, (off_t)base, (off_t)len, POSIX_FADV_DONTNEED);
}

/* STORE_RETRY: it is gone. */
static enum store_status look_up(struct scrubber *scrubber, int64_t id, struct piece *ret_blob,
                                 struct read_pin *pin, struct fault *fault)
{
    struct store *store = scrubber->store;
    struct catalog *cat;
    enum store_status status;

    *ret_blob = (struct piece){ 0 };
    reader_begin(scrubber->reader);
    status = reader_catalog(scrubber->reader, &cat, fault);
    if (status == STORE_OK)
        status = blob_describe(cat, id, ret_blob, fault);
    if (status == STORE_OK)
        read_pin_take(&store->read_pins, pin, id);
    reader_end(scrubber->reader);
    return status;
}

static enum store_status verify_once(struct scrubber *scrubber, int64_t id,
                                     struct scrub_find *ret_find, struct fault *fault)
{
    struct store *store = scrubber->store;
    struct read_pin pin = { .id = 0 };
    CLEANUP(fd_close) int fd = -1;
    struct piece blob;
    struct stat st = { 0 };
    uint64_t base = 0;
    enum store_status status = look_up(scrubber, id, &blob, &pin, fault);

    if (status != STORE_OK)
        return status;
    status = blob_open_place(&store->dir, &blob, &fd, &base, fault);
    if (status == STORE_OK && fstat(fd, &st) == 0) {
        forget_cached(fd, base, blob.stored_bytes);
        status = blob_verify_paced(&blob, fd, base, &scrubber->reader->room, &blob.sum, pace,
                                   scrubber, fault);
        forget_cached(fd, base, blob.stored_bytes);
    }
    read_pin_drop(&store->read_pins, &pin);
    *ret_find = (struct scrub_find){ .kind = BODY_BLOB,
                                     .id = id,
                                     .stored_bytes = blob.stored_bytes,
                                     .damaged = status == STORE_DAMAGED,
                                     .was_damaged = blob.damaged,
                                     .summed = blob.summed,
                                     .sum = blob.sum,
                                     .pack = blob.pack,
                                     .pack_at = blob.pack_at,
                                     .inode = blob.pack == 0 ? (uint64_t)st.st_ino : 0 };
    return status == STORE_DAMAGED ? STORE_OK : status;
}

/* Twice before it is said: between the first look and the bytes an upload may have mended them. */
static enum store_status look_at_blob(struct scrubber *scrubber, int64_t id,
                                      struct scrub_find *ret_find, struct fault *fault)
{
    enum store_status status = verify_once(scrubber, id, ret_find, fault);

    if (status == STORE_OK && ret_find->damaged)
        status = verify_once(scrubber, id, ret_find, fault);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* The file that was looked at still has the name. */
static bool is_the_file(const struct store *store, const struct piece *blob, uint64_t inode)
{
    struct blob_name name = { .scope = blob->scope };
    char path[BLOB_PATH_MAX];
    struct stat st;

    memcpy(name.hash, blob->hash, SHA256_BYTES);
    blob_path(&name, path);
    if (fstatat(store->dir.blobs.root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return inode == 0;
    return (uint64_t)st.st_ino == inode;
}

enum store_status scrub_apply(struct store *store, struct scrub_note *note, struct fault *fault)
{
    size_t kept = 0;

    for (size_t i = 0; i < note->count; i++) {
        const struct scrub_find *find = &note->finds[i];
        struct piece blob;
        bool holds = true;

        if (find->kind == BODY_BLOB && find->pack == 0)
            holds = blob_describe(store->cat, find->id, &blob, NULL) == STORE_OK &&
                    is_the_file(store, &blob, find->inode);
        if (holds)
            note->finds[kept++] = *find;
    }
    note->count = kept;
    return catalog_scrub_note(store->cat, note, fault);
}

struct telling {
    struct store *store;
    const struct scrub_find *find;
    unsigned owners;
};

static bool tell_owner(void *context, const struct body_owner *owner)
{
    struct telling *telling = context;
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(TEXT_BYTES_MAX);

    if (telling->owners++ == OWNERS_MAX) {
        health_tell(&telling->store->health, STORE_NOTICE_ERROR, "... and others");
        return false;
    }
    buf_lit(&text, "damaged: bucket=");
    log_value(&text, owner->bucket);
    buf_lit(&text, " key=");
    log_value(&text, owner->key);
    if (owner->part)
        buf_lit(&text, " (a part of an open upload)");
    else if (owner->null_version)
        buf_lit(&text, " version=null");
    else
        buf_printf(&text, " version=%.*s", VERSION_TEXT_LEN, owner->version);
    buf_printf(&text, ": %s %lld does not have the bytes it was stored with%c",
               telling->find->kind == BODY_BLOB ? "blob" : "inline body",
               (long long)telling->find->id, '\0');
    if (!text.failed)
        health_tell(&telling->store->health, STORE_NOTICE_ERROR, text.p);
    return true;
}

/* Who needs the bodies that are damaged. */
static void tell(struct scrubber *scrubber, const struct scrub_note *note)
{
    struct store *store = scrubber->store;
    struct catalog *cat;

    for (size_t i = 0; i < note->count; i++) {
        struct telling telling = { .store = store, .find = &note->finds[i] };
        enum store_status status = STORE_OK;

        if (!telling.find->damaged)
            continue;
        if (!telling.find->was_damaged)
            atomic_fetch_add(&store->bodies_damaged, 1);
        reader_begin(scrubber->reader);
        status = reader_catalog(scrubber->reader, &cat, NULL);
        if (status == STORE_OK)
            status = catalog_body_owners(cat, telling.find->kind, telling.find->id, tell_owner,
                                         &telling, NULL);
        reader_end(scrubber->reader);
        (void)status; /* the mark is there; fsck tells it too */
    }
}

/* Write what was found and the place of the pass. */
static enum store_status write_note(struct scrubber *scrubber, struct fault *fault)
{
    struct intent intent = { .kind = INTENT_SCRUB, .scrub = scrubber->note };
    enum store_status status = store_submit_wait(scrubber->store, &intent);

    if (status != STORE_OK) {
        *fault = intent.fault;
        return status;
    }
    tell(scrubber, scrubber->note);
    scrubber->note->count = 0;
    scrubber->written_us = now_us(scrubber);
    return STORE_OK;
}

/* Something is to be written of it. */
static void keep(struct scrubber *scrubber, const struct scrub_find *find)
{
    struct scrub_note *note = scrubber->note;

    atomic_fetch_add(&scrubber->store->bodies_scrubbed, 1);
    atomic_fetch_add(&scrubber->store->bytes_scrubbed, find->stored_bytes);
    scrubber->bodies++;
    scrubber->bytes += find->stored_bytes;
    if (find->damaged || find->was_damaged || !find->summed)
        note->finds[note->count++] = *find;
}

/* ---- a pass ------------------------------------------------------------------------------ */

static bool keep_inline(void *context, const struct scrub_find *find)
{
    struct scrubber *scrubber = context;

    keep(scrubber, find);
    scrubber->note->place.at = find->id;
    scrubber->step_bytes += find->stored_bytes;
    return scrubber->step_bytes < INLINE_STEP_BYTES && scrubber->note->count < SCRUB_BATCH;
}

static void next_stage(struct scrubber *scrubber)
{
    struct scrub_place *place = &scrubber->note->place;

    place->at = 0;
    place->stage = place->stage == SCRUB_INLINE ? SCRUB_BLOBS : SCRUB_IDLE;
    if (place->stage == SCRUB_IDLE)
        place->ended_us = clock_now_us(&scrubber->store->clock);
}

static enum store_status inline_step(struct scrubber *scrubber, struct fault *fault)
{
    struct scrub_place *place = &scrubber->note->place;
    struct catalog *cat;
    enum store_status status;

    scrubber->step_bytes = 0;
    reader_begin(scrubber->reader);
    status = reader_catalog(scrubber->reader, &cat, fault);
    if (status == STORE_OK)
        status = catalog_scrub_inline(cat, place->at, keep_inline, scrubber, fault);
    reader_end(scrubber->reader);
    if (status == STORE_OK)
        next_stage(scrubber);
    (void)pace(scrubber, scrubber->step_bytes);
    return status == STORE_STOPPED ? STORE_OK : status;
}

static enum store_status blob_step(struct scrubber *scrubber, struct fault *fault)
{
    struct scrub_place *place = &scrubber->note->place;
    struct scrub_find find;
    struct catalog *cat;
    int64_t id = 0;
    enum store_status status;

    reader_begin(scrubber->reader);
    status = reader_catalog(scrubber->reader, &cat, fault);
    if (status == STORE_OK)
        status = catalog_blob_after(cat, place->at, &id, fault);
    reader_end(scrubber->reader);
    if (status == STORE_OK && id == 0)
        next_stage(scrubber);
    if (status != STORE_OK || id == 0)
        return status;

    status = look_at_blob(scrubber, id, &find, fault);
    if (status == STORE_OK)
        keep(scrubber, &find);
    if (status == STORE_OK || status == STORE_RETRY)
        place->at = id;
    return status == STORE_RETRY ? STORE_OK : status;
}

/* What reads have met. */
static enum store_status suspects_step(struct scrubber *scrubber, struct fault *fault)
{
    struct scrub *scrub = &scrubber->store->scrub;
    int64_t ids[SCRUB_SUSPECTS_MAX];
    enum store_status status = STORE_OK;
    struct scrub_find find;
    size_t count;

    (void)pthread_mutex_lock(&scrub->lock);
    count = scrub->suspect_count;
    memcpy(ids, scrub->suspects, count * sizeof(ids[0]));
    scrub->suspect_count = 0;
    (void)pthread_mutex_unlock(&scrub->lock);
    for (size_t i = 0; i < count && status == STORE_OK; i++) {
        if (scrubber->note->count == SCRUB_BATCH)
            status = write_note(scrubber, fault);
        if (status == STORE_OK)
            status = look_at_blob(scrubber, ids[i], &find, fault);
        if (status == STORE_OK)
            keep(scrubber, &find);
        status = status == STORE_RETRY ? STORE_OK : status;
    }
    return status == STORE_OK && scrubber->note->count > 0 ? write_note(scrubber, fault) : status;
}

/* One step of the pass under way, if one is. */
static enum store_status pass_step(struct scrubber *scrubber, struct fault *fault)
{
    struct scrub_note *note = scrubber->note;
    enum store_status status = note->place.stage == SCRUB_INLINE ? inline_step(scrubber, fault)
                                                                 : blob_step(scrubber, fault);

    if (status == STORE_OK && (note->count > 0 || note->place.stage == SCRUB_IDLE ||
                               now_us(scrubber) - scrubber->written_us >= PLACE_INTERVAL_US))
        status = write_note(scrubber, fault);
    return status;
}

/* The next pass begins then; monotonic. INT64_MAX: never. */
static int64_t pass_due(const struct scrubber *scrubber)
{
    const struct store_options *options = &scrubber->store->options;
    int64_t wait_us = scrubber->note->place.ended_us + options->scrub_interval_us -
                      clock_now_us(&scrubber->store->clock);

    if (options->scrub_bytes_per_s == 0)
        return INT64_MAX;
    if (wait_us <= 0)
        return 0;
    return now_us(scrubber) + (wait_us < FAR_US ? wait_us : FAR_US);
}

static enum store_status open_reader(struct scrubber *scrubber, struct fault *fault)
{
    return scrubber->reader != NULL ? STORE_OK
                                    : reader_open(scrubber->store, &scrubber->reader, fault);
}

/* Where the pass of an earlier run was. */
static enum store_status find_place(struct scrubber *scrubber, struct fault *fault)
{
    struct catalog *cat;
    enum store_status status = open_reader(scrubber, fault);

    if (status != STORE_OK)
        return status;
    reader_begin(scrubber->reader);
    status = reader_catalog(scrubber->reader, &cat, fault);
    if (status == STORE_OK)
        status = catalog_scrub_place(cat, &scrubber->note->place, fault);
    reader_end(scrubber->reader);
    scrubber->placed = status == STORE_OK;
    return status;
}

static enum store_status work(struct scrubber *scrubber, struct fault *fault)
{
    struct scrub_place *place = &scrubber->note->place;
    enum store_status status = scrubber->placed ? open_reader(scrubber, fault)
                                                : find_place(scrubber, fault);

    /* What could not be written the last time. */
    if (status == STORE_OK && scrubber->note->count > 0)
        status = write_note(scrubber, fault);
    if (status == STORE_OK)
        status = suspects_step(scrubber, fault);
    if (status == STORE_OK && place->stage == SCRUB_IDLE && pass_due(scrubber) == 0)
        place->stage = SCRUB_INLINE;
    if (status == STORE_OK && place->stage != SCRUB_IDLE)
        status = pass_step(scrubber, fault);
    return status;
}

/* What was read since the last one. */
static struct work_record record_of(struct scrubber *scrubber, enum store_status status,
                                    const struct fault *fault)
{
    struct work_record record = { .kind = WORK_SCRUB,
                                  .count = scrubber->bodies,
                                  .bytes = scrubber->bytes,
                                  .unfinished = scrubber->note->place.stage != SCRUB_IDLE,
                                  .took_us = now_us(scrubber) - scrubber->since_us,
                                  .status = status,
                                  .fault = *fault };

    scrubber->bodies = scrubber->bytes = 0;
    scrubber->passing = false;
    return record;
}

/* A round is a pass, what reads have met, or all until something failed. */
static void mind_round(struct scrubber *scrubber, enum store_status status,
                       const struct fault *fault)
{
    struct health *health = &scrubber->store->health;
    bool idle = scrubber->note->place.stage == SCRUB_IDLE;
    struct work_record record;

    scrubber->passing = scrubber->passing || !idle;
    if (status == STORE_STOPPED)
        return;
    if (status == STORE_OK && !(idle && (scrubber->passing || scrubber->bodies > 0))) {
        health_duty(health, WORK_SCRUB, STORE_OK, NULL);
        return;
    }

    record = record_of(scrubber, status, fault);
    health_work(health, &record);
}

static void rest(struct scrubber *scrubber)
{
    reader_close(scrubber->reader);
    scrubber->reader = NULL;
}

static void run(struct scrubber *scrubber)
{
    struct store *store = scrubber->store;
    struct fault fault = { 0 };
    struct work_record record;
    int64_t until_us = 0;
    enum store_status status;

    scrubber->since_us = now_us(scrubber);
    status = find_place(scrubber, &fault);

    while (!scrubber->stopped) {
        mind_round(scrubber, status, &fault);
        if (status != STORE_OK && status != STORE_STOPPED)
            until_us = now_us(scrubber) + RETRY_US;
        else
            until_us = scrubber->note->place.stage != SCRUB_IDLE ? 0 : pass_due(scrubber);
        /* Nothing can be written: there is nothing more to do but wait for the end. */
        if (health_poisoned(&store->health))
            until_us = INT64_MAX;
        if (until_us != 0)
            rest(scrubber);
        if (sleep_until(&store->scrub, until_us,
                        /* attentive= */ status == STORE_OK && !health_poisoned(&store->health)))
            break;
        if (scrubber->bodies == 0)
            scrubber->since_us = now_us(scrubber);
        fault = (struct fault){ 0 };
        status = work(scrubber, &fault);
    }
    /* If it can not be written the next run begins a little earlier. */
    if (scrubber->note->place.stage != SCRUB_IDLE && scrubber->reader != NULL) {
        fault = (struct fault){ 0 };
        status = write_note(scrubber, &fault);
        record = record_of(scrubber, status, &fault);
        health_note_round(&store->health, &record);
    }
    rest(scrubber);
}

void *scrub_run(void *argument)
{
    struct scrubber scrubber = { .store = argument };

    scrubber.note = mem_zalloc(sizeof(*scrubber.note));
    if (scrubber.note == NULL) {
        health_work(&scrubber.store->health,
                    &(struct work_record){ .kind = WORK_SCRUB, .status = STORE_NO_MEMORY });
        return NULL;
    }
    run(&scrubber);
    mem_free(scrubber.note);
    return NULL;
}
