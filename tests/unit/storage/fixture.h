/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in a directory of its own, and one call for each thing that tests do all the time.
 */
#ifndef TESTS_UNIT_STORAGE_FIXTURE_H
#define TESTS_UNIT_STORAGE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "storage/store.h"

struct fixture {
    char dir[64];
    struct store_options options;
    struct store *store;
    struct reader *reader;
    struct arena *arena;
    struct fault fault;
    bool quiet_fsck;             /* findings are counted, not printed */
    struct intent_origin origin; /* of all writes of objects */
    struct str marker_event;
};

#define BUCKET STR("bucket")
#define OWNER STR("owner")

/* options NULL: relaxed, small inline limit. Makes the bucket. */
struct fixture *fx_open(const struct store_options *options);
/* Closes, checks the directory (no error allowed), removes it. */
void fx_close(struct fixture *f);
void fx_stop(struct fixture *f);                     /* close the store, keep the directory */
void fx_start(struct fixture *f);                    /* open it again */
struct fsck_report fx_fsck(struct fixture *f);       /* store stopped */
struct fsck_report fx_fsck_quick(struct fixture *f); /* without reading bodies */
void fx_remove(struct fixture *f);                   /* store stopped */

#define FX_OK(f, expression)                                                                       \
    do {                                                                                           \
        enum store_status fx_status_ = (expression);                                               \
        if (fx_status_ != STORE_OK)                                                                \
            fail_msg("%s: %s (%s)", #expression, store_status_name(fx_status_), (f)->fault.text);  \
    } while (0)

/*
 * Time passes for the store. Returns when the janitor has done all that was due then; what it plans
 * at its start it has planned before that (so fx_pass(f, 0) waits for no more than this).
 */
void fx_pass(struct fixture *f, int64_t us);

/* For what no clock can bring about: wait until it is so, at most FX_PATIENCE_S. */
#define FX_PATIENCE_S 60
#define FX_AWAIT(condition)                                                                        \
    do {                                                                                           \
        for (unsigned fx_ms_ = 0; !(condition); fx_ms_++) {                                        \
            if (fx_ms_ >= FX_PATIENCE_S * 1000)                                                    \
                fail_msg("did not come: %s", #condition);                                          \
            fx_pause();                                                                            \
        }                                                                                          \
    } while (0)
void fx_pause(void); /* a millisecond */

int64_t fx_bucket_id(struct fixture *f);
enum store_status fx_versioning(struct fixture *f, enum bucket_versioning versioning);

/* len bytes that depend on seed. */
void fx_fill(char *out, size_t len, uint32_t seed);

struct fx_put {
    struct str key;
    struct str bytes;
    bool encrypt;
    const uint8_t *customer_key; /* NULL: the store's own */
    bool announced; /* the size is known ahead: a body of middle size goes into a pack */
    struct write_condition condition;
    const struct copy_source *source;
    struct body_digests digests;        /* result */
    char version[VERSION_TEXT_LEN + 1]; /* result */
};
enum store_status fx_put_with(struct fixture *f, struct fx_put *put);
enum store_status fx_put(struct fixture *f, const char *key, struct str bytes);
enum store_status fx_copy(struct fixture *f, const char *from, const char *to, enum copy_work work);
enum store_status fx_delete(struct fixture *f, const char *key);
/* Delete markers of many keys at once. */
enum store_status fx_delete_all(struct fixture *f, const struct str *keys, size_t count);
/* result of a delete by version id text */
enum store_status fx_delete_version(struct fixture *f, const char *key, const char *version,
                                    struct delete_item *ret_item);

enum store_status fx_head(struct fixture *f, const char *key, struct version *ret_version);
enum store_status fx_get_version(struct fixture *f, const char *key, const char *version,
                                 struct version *ret_version);
/* Whole content, or a range of it, into a buffer of the arena; read in odd steps. */
struct str fx_read(struct fixture *f, const struct version *version);
struct str fx_read_range(struct fixture *f, const struct version *version, uint64_t offset,
                         uint64_t len);
void fx_assert_content(struct fixture *f, const char *key, struct str expected);

/* Multipart, parts plain. */
struct str fx_upload(struct fixture *f, const char *key);
enum store_status fx_part(struct fixture *f, const char *key, struct str upload, uint32_t number,
                          struct str bytes, const struct copy_source *source);
/* Numbers must exist; reads their seq first. */
enum store_status fx_complete(struct fixture *f, const char *key, struct str upload,
                              const uint32_t *numbers, size_t count);
enum store_status fx_complete_if(struct fixture *f, const char *key, struct str upload,
                                 const uint32_t *numbers, size_t count,
                                 const struct write_condition *condition);
enum store_status fx_abort(struct fixture *f, const char *key, struct str upload);

/* Files under blobs/. */
size_t fx_blob_files(struct fixture *f);
/* Packs, and the bytes that they occupy. */
size_t fx_packs(struct fixture *f, uint64_t *ret_occupied);

#endif
