/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a lifecycle configuration, compiled, and when which of them is due. Plain values: nothing
 * here knows of requests or of stores. Any thread.
 *
 * (1) What is due after some days is due at the midnight (UTC) that follows them; a day is as long as
 *     whoever asks says.
 * (2) Where several rules speak of one version, what removes it goes before what changes its class,
 *     sooner before later, and of classes the coldest.
 * (3) A version moves to colder classes only. Small ones stay where they are, unless a rule speaks of
 *     sizes itself.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
 */
#ifndef SERVER_S3_LIFECYCLE_RULES_H
#define SERVER_S3_LIFECYCLE_RULES_H

#include "base/clock.h"
#include "base/text/str.h"

#define LIFECYCLE_RULES_MAX 1000
#define LIFECYCLE_ID_BYTES_MAX 255
#define LIFECYCLE_NEWER_VERSIONS_MAX 100
#define LIFECYCLE_DAYS_MAX INT32_MAX
#define LIFECYCLE_SMALL_BYTES (UINT64_C(128) * 1024) /* smaller objects do not change their class */
#define LIFECYCLE_DAY_US (24 * 3600 * US_PER_S)

/* When: so many days after the version was made (or became noncurrent), or at a time. */
struct lifecycle_when {
    bool set;
    bool dated;
    uint32_t days;
    int64_t at_us;
    uint32_t newer_versions; /* NoncurrentVersion*: and so many newer noncurrent ones are there */
};

struct lifecycle_transition {
    struct lifecycle_when when;
    uint8_t storage_class;
};

struct lifecycle_rule {
    struct str id;
    /* which */
    struct str prefix;
    struct str tags; /* packed: all of them; STR_NONE: any */
    bool has_sizes;
    uint64_t above_bytes, below_bytes; /* size > above, size < below; below 0: any */
    /* what */
    struct lifecycle_when expiration;
    bool lone_markers; /* ExpiredObjectDeleteMarker */
    struct lifecycle_when noncurrent_expiration;
    const struct lifecycle_transition *transitions;
    size_t transition_count;
    const struct lifecycle_transition *noncurrent_transitions;
    size_t noncurrent_transition_count;
    uint32_t abort_days; /* AbortIncompleteMultipartUpload; 0: never */
};

/* Enabled rules, in the order of the document. */
struct lifecycle {
    const struct lifecycle_rule *rules;
    size_t count;
    struct str prefix;      /* that all of them begin with */
    bool wants_tags;        /* one of them looks at tags */
    bool small_to_archives; /* varies_by_storage_class: small ones may go to the two archives */
};

/* A version, as the rules see it. */
struct lifecycle_version {
    struct str key;
    struct str tags; /* packed */
    uint64_t size_bytes;
    int64_t since_us; /* it was made; noncurrent: another took its place */
    uint8_t storage_class;
    uint32_t newer_versions; /* noncurrent: how many noncurrent ones of its key are newer */
};

struct lifecycle_due {
    int64_t at_us;
    struct str rule_id;
};

/* days after since_us, at the end of the day; INT64_MAX: never. */
int64_t lifecycle_midnight(int64_t since_us, uint32_t days, int64_t day_us);

/* When a current version expires, and by which rule. False: it does not. */
bool lifecycle_expiration(const struct lifecycle *lifecycle,
                          const struct lifecycle_version *version, int64_t day_us,
                          struct lifecycle_due *ret_due);
/* When a noncurrent version is removed. */
bool lifecycle_noncurrent_expiration(const struct lifecycle *lifecycle,
                                     const struct lifecycle_version *version, int64_t day_us,
                                     struct lifecycle_due *ret_due);
/* When a delete marker that is its key's only version is removed. */
bool lifecycle_marker_expiration(const struct lifecycle *lifecycle,
                                 const struct lifecycle_version *version, int64_t day_us,
                                 struct lifecycle_due *ret_due);
/* When an open upload is aborted. */
bool lifecycle_abort(const struct lifecycle *lifecycle, struct str key, int64_t initiated_us,
                     int64_t day_us, struct lifecycle_due *ret_due);
/* The class that a version should have by now; false: the one it has. */
bool lifecycle_class(const struct lifecycle *lifecycle, const struct lifecycle_version *version,
                     bool noncurrent, int64_t now_us, int64_t day_us, uint8_t *ret_class);

#endif
