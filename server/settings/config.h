/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings: flag > PAIL_* environment > settings file > default, one table for all of them.
 *
 * settings.def has one row per setting; parsing, --help, `pail config` and the tests of
 * conf/pail.conf read that table.
 *
 * (1) Every value given is checked where it stands, so that an error names its flag, its variable
 *     or its line, even when a stronger source overrides it.
 * (2) An environment variable that is empty counts as not set.
 */
#ifndef SERVER_SETTINGS_CONFIG_H
#define SERVER_SETTINGS_CONFIG_H

#include "base/arena.h"
#include "server/auth/auth.h"
#include "server/notify/target.h"
#include "server/s3/s3.h"
#include "storage/store.h"

#define CONFIG_LISTENERS_MAX 16
#define CONFIG_BUCKETS_MAX 256
#define CONFIG_STORES_MAX 256
#define CONFIG_THREADS_MAX 64
#define CONFIG_CONNECTIONS_MAX 1000000
#define CONFIG_INLINE_MAX_BYTES (1024 * 1024)
#define CONFIG_READ_CACHE_MAX_BYTES (UINT64_C(1024) * 1024 * 1024)
#define CONFIG_BUFFERED_MIN_BYTES (16 * 1024 * 1024) /* two lists of the largest size, and room */
#define CONFIG_BUFFERED_MAX_BYTES (1024 * 1024 * 1024)
#define CONFIG_UPLOAD_EXPIRY_MAX_S (3650 * 86400)
#define CONFIG_LIFECYCLE_DAY_MAX_S 86400
#define CONFIG_RESTORE_DELAY_MAX_S (30 * 86400)
#define CONFIG_SCRUB_RATE_MAX (UINT64_C(16) * 1024 * 1024 * 1024)
#define CONFIG_SCRUB_INTERVAL_MAX_S (3650 * 86400)
#define CONFIG_USERS_MAX (AUTH_USERS_MAX - 1) /* root is one of AUTH_USERS_MAX */
#define CONFIG_FILE_BYTES_MAX ((size_t)256 * 1024)

#define CONFIG_DEV_USER "pailadmin"
#define CONFIG_DEV_PASSWORD "pailadmin-secret"

enum config_origin { CONFIG_DEFAULT = 0, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_FLAG };

enum config_log_level { CONFIG_LOG_ERROR = 0, CONFIG_LOG_WARN, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG };

enum setting_index {
#define SETTING(FIELD, KEY, FLAG, ENV, KIND, MIN, MAX, PRESET, UNIT, HELP) SETTING_##FIELD,
#include "server/settings/settings.def"
#undef SETTING
    SETTINGS,
};

struct config_list {
    struct str *items;
    size_t count;
};

/* A [user NAME] section. user.account is what the section says until config_users_complete. */
struct config_user {
    struct str name;
    unsigned line; /* of its first field, for messages */
    bool has_disabled;
    struct user user;
};

/* An item of --store, parted. dir ends in NUL. */
struct config_store {
    struct str name;
    struct str dir;
};

struct config {
    struct arena *arena; /* owns every text here; each also ends in NUL */
    struct str dir;
    struct config_list stores; /* NAME=DIR; see config_store */
    struct config_list listen;
    struct str tls_cert, tls_key;
    struct str file;
    struct str region;
    bool strict_region;
    bool sse_c_over_http;
    struct config_list domains;
    struct config_list website_domains;
    struct config_list cors; /* origins */
    bool explain_denials;
    enum store_durability durability;
    enum auth_mode auth;
    enum s3_new_buckets new_buckets;
    bool force_open;
    bool dev;
    struct config_list buckets;
    struct str port_file;
    int ready_fd; /* -1: none */
    uint64_t threads;
    uint64_t connections_max;
    uint64_t inline_max_bytes;
    uint64_t read_cache_bytes;
    uint64_t buffered_bytes;
    enum config_log_level log_level;
    uint64_t scrub_bytes_per_s; /* 0: never */
    uint64_t scrub_interval_s;
    uint64_t upload_expiry_s; /* 0: never */
    uint64_t access_log_interval_s;
    uint64_t lifecycle_day_s;
    enum s3_archive archive;
    uint64_t restore_delay_s;
    uint64_t events_max;
    struct str account_id;
    struct str root_user, root_password; /* "": not set */
    bool root_from_aws;

    struct config_user *users;
    size_t user_count;
    struct notify_targets targets; /* [target NAME] sections */
    unsigned target_lines[NOTIFY_TARGETS_MAX];

    enum config_origin origins[SETTINGS];
    unsigned lines[SETTINGS]; /* in the settings file, when it came from there */
};

/*
 * Read all sources.
 *
 * arguments   of `pail serve` or `pail config`, ended by NULL; borrowed for the call.
 * fault       says what is wrong in one sentence, naming the source.
 * On success the caller ends with config_free; on failure nothing is kept.
 */
MUST_CHECK bool config_load(char *const *arguments, struct config *ret_config, struct fault *fault);
void config_free(
    struct config *config); /* wipes it; also the CLEANUP helper; a zeroed one is fine */
/* Once they are in force elsewhere: the texts are overwritten, and empty. */
void config_forget_secrets(struct config *config);

/* config->stores.items[index]; name STR_NONE: it is no NAME=DIR. */
struct config_store config_store(const struct config *config, size_t index);

/* Rules between settings (TLS pair, loopback-only modes, port file). */
MUST_CHECK bool config_check_root(const struct config *config, struct fault *fault); /* alone */
MUST_CHECK bool config_check(const struct config *config, struct fault *fault);

/*
 * What a user's section must have, and what the rest of it is when left out: whose account it is
 * depends on all of them. (config_users.c; called by config_load.)
 */
MUST_CHECK bool config_users_complete(struct config *config, struct fault *fault);

/*
 * What a target's section must have, and what the rest of it is when left out. (config_targets.c; called
 * by config_load.)
 */
MUST_CHECK bool config_targets_complete(struct config *config, struct fault *fault);

/*
 * Read a settings file into config, whose strength is above the defaults only.
 * (config_file.c; called by config_load.)
 */
MUST_CHECK bool config_file_load(struct config *config, struct str path, struct fault *fault);

#endif
