/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S3 application: what main gives it, and the http_app it gives back.
 */
#ifndef SERVER_S3_S3_H
#define SERVER_S3_S3_H

#include "server/auth/auth.h"
#include "server/http/http.h"
#include "server/notify/notifier.h"
#include "server/records/record.h"
#include "storage/stores.h"

#define S3_DOMAINS_MAX 16
#define S3_CORS_ORIGINS_MAX 16
#define LOG_INTERVAL_S_MAX (24 * 3600) /* of access logs */
#define S3_BUFFERED_BYTES_DEFAULT (UINT64_C(64) * 1024 * 1024)

/* What a bucket begins with: nothing; or as AWS since 2023, ACLs disabled and the public blocked. */
enum s3_new_buckets { S3_NEW_BUCKETS_ACLS = 0, S3_NEW_BUCKETS_AWS };

/* What lies in GLACIER and DEEP_ARCHIVE: read after it was restored, or at any time. */
enum s3_archive { S3_ARCHIVE_RESTORE = 0, S3_ARCHIVE_READABLE };

struct s3_options {
    struct stores *stores;              /* borrowed, outlive the app; one is "" */
    struct auth_config auth;            /* borrowed users and region text */
    struct str domains[S3_DOMAINS_MAX]; /* --domain; *.localhost and *.s3.localhost always on */
    size_t domain_count;
    struct str website_domains[S3_DOMAINS_MAX]; /* --website-domain */
    size_t website_domain_count;
    struct str cors_origins[S3_CORS_ORIGINS_MAX]; /* --cors */
    size_t cors_origin_count;
    enum s3_new_buckets new_buckets;
    bool explain_denials;         /* to owners of buckets, in x-pail-denied-by */
    bool customer_keys_over_http; /* --sse-c-over-http */
    int64_t lifecycle_day_us;     /* a day of lifecycle rules and of RestoreObject; 0: 24 h */
    int64_t restore_delay_us;     /* from RestoreObject until there is something to read */
    /* the app's own: stores that it tends, and what is told of each document that is put */
    const struct tended *tended;
    void (*document_put)(const struct tended *tended, const struct open_store *held,
                         struct str kind);
    bool archive_readable;             /* GLACIER and DEEP_ARCHIVE are read like all the rest */
    bool stores_by_host;               /* NAME.store.localhost and NAME.store.DOMAIN name one */
    uint64_t buffered_bytes;           /* budget.h; 0: S3_BUFFERED_BYTES_DEFAULT */
    const struct observers *observers; /* borrowed, outlive the app; NULL: nobody is told */
    struct notifier *notifier;         /* borrowed, outlives the app */
};

struct s3_app;

/* NULL: no memory. The http_app lives as long as the s3_app. */
MUST_CHECK struct s3_app *s3_app_open(const struct s3_options *options);
const struct http_app *s3_http_app(struct s3_app *app);
void s3_app_close(struct s3_app *app);
/* As they are in force, and what time it is for it. Borrowed. */
const struct s3_options *s3_app_options(const struct s3_app *app);
struct clock *s3_app_clock(struct s3_app *app);

/*
 * From now on the app does by itself what buckets of that store ask for (lifecycle rules, replication), until it is
 * closed. Once for each store, before loops serve; the store is held meanwhile.
 *
 * store  its name; open.
 * False: there is no memory, or no such store.
 */
MUST_CHECK bool s3_app_tend(struct s3_app *app, struct str store);

/*
 * Move time for all that the app serves: its own clock, by which signatures are judged and event loops
 * wait, and those of its stores (clock.h). Any thread.
 */
void s3_clock_move(struct s3_app *app, enum clock_move move, int64_t us);

/*
 * Create a bucket owned by the user, as CreateBucket would (also checks the name), with the documents
 * that new buckets begin with.
 * A bucket that this user already owns is fine. For --buckets.
 */
MUST_CHECK bool s3_create_bucket(struct store *store, struct str name, const struct user *owner,
                                 struct str region, enum s3_new_buckets new_buckets,
                                 struct fault *fault);

/*
 * The numbers that records give operations, and their names: below the count, 0 is none ("-").
 */
size_t s3_operation_count(void);
struct str s3_operation_name(size_t number);

/*
 * Can it be an origin in a rule of CORS, or a header's name? Printable without blanks, with one '*' at most,
 * which stands for any text.
 */
bool s3_cors_pattern_is_good(struct str pattern);

/* What is wrong with a bucket's name by S3's rules, "it is shorter than ..."; NULL: nothing. */
const char *s3_bucket_name_fault(struct str name);

#endif
