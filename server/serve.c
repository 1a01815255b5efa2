/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pail serve: opens everything in order, says it is ready, waits for signals, closes in reverse.
 *
 *   settings -> store (lock) -> sockets -> key pair -> buckets -> S3 -> loops -> ready
 *
 * (1) Nothing is announced before a request would be answered, and nothing that fails after the
 *     lock leaves the process running.
 * (2) A key pair is made only by a start that will be able to show it; hence the sockets come first.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest/digest.h"
#include "base/log.h"
#include "server/accounts.h"
#include "server/banner.h"
#include "server/clock_control.h"
#include "server/commands/arguments.h"
#include "server/commands/commands.h"
#include "server/listeners.h"
#include "server/process.h"
#include "server/ready.h"
#include "server/records/counters.h"
#include "server/records/log_lines.h"
#include "server/root_socket.h"
#include "server/s3/delivery/deliverer.h"
#include "server/settings/config.h"
#include "server/settings/settings.h"
#include "server/xml/xml.h"

/* Less than the 10 s that docker stop waits, so that the store is closed and not killed. */
#define DRAIN_GRACE_S 8

struct serve {
    char *const *words; /* of the command */
    struct config config;
    struct stores *stores;
    struct open_store *store; /* the one that has no name: the credentials are in it */
    struct http_listener listeners[CONFIG_LISTENERS_MAX];
    size_t listener_count;
    struct accounts *accounts;
    struct counters *counters;
    struct deliverer *deliverer;
    struct observers observers;
    struct notifier *notifier;
    struct s3_app *app;
    struct http_server *server;
    struct root_socket *root_socket;
    struct clock_control *clock_control;
};

/* As what a store says is told on: in the arena of the settings. */
struct told_store {
    struct str name; /* "": it has none */
    const struct observers *observers;
};

static void serve_close(struct serve *serve)
{
    root_socket_close(serve->root_socket);
    clock_control_close(serve->clock_control);
    if (serve->server != NULL)
        http_server_stop(serve->server, DRAIN_GRACE_S);
    deliverer_close(serve->deliverer);
    if (serve->counters != NULL)
        counters_log(serve->counters, s3_operation_name);
    if (serve->app != NULL)
        s3_app_close(serve->app);
    notifier_close(serve->notifier);
    accounts_close(serve->accounts);
    if (serve->store != NULL)
        stores_give_back(serve->store);
    stores_free(serve->stores);
    counters_close(serve->counters); /* stores count until they are closed */
    config_free(&serve->config);
}

/* ---- opening ------------------------------------------------------------------------------- */

/*
 * What a store has to say and no request is there to be answered with. context: which one it is.
 */
static void log_notice(void *context, enum store_notice_kind kind, const char *text)
{
    static const enum log_level levels[] = {
        [STORE_NOTICE_INFO] = LOG_LEVEL_INFO,
        [STORE_NOTICE_WARNING] = LOG_LEVEL_WARN,
        [STORE_NOTICE_ERROR] = LOG_LEVEL_ERROR,
    };
    const struct told_store *store = context;

    if (store->name.len > 0)
        log_line(levels[kind], "store %.*s: %s", STR_ARG(store->name), text);
    else
        log_line(levels[kind], "store: %s", text);
}

static void tell_work(void *context, const struct work_record *record)
{
    const struct told_store *store = context;

    observers_tell_work(store->observers, store->name, record);
}

/*
 * Of a directory that this user may not use: whose it is and what helps. Most often it is a folder
 * of the host that was mounted into a container, whose user is another.
 */
static void say_whose(struct str dir, const struct fault *cause, struct fault *fault)
{
    char room[PATH_MAX];
    struct stat there;
    const char *path = dir.p;

    if (stat(path, &there) != 0) {
        (void)snprintf(room, sizeof(room), "%s", dir.p);
        path = dirname(room);
    }
    if (stat(path, &there) != 0)
        return;

    fault_note(fault,
               "can not open the store: %s. '%.100s' belongs to user %u and pail runs as "
               "user %u: 'chown -R %u' it (on the host, if it is mounted from there), or run "
               "pail as its owner (docker run --user %u:%u)",
               strerror(cause->os_errno), path, (unsigned)there.st_uid, (unsigned)geteuid(),
               (unsigned)geteuid(), (unsigned)there.st_uid, (unsigned)there.st_gid);
}

/* name: "" or one of --store, NUL at the end like dir. */
static int open_store(struct serve *serve, struct str name, struct str dir, struct fault *fault)
{
    const struct config *config = &serve->config;
    struct told_store *told = ARENA_NEW(config->arena, struct told_store);
    struct store_options options = {
        .durability = config->durability,
        .inline_max_bytes = (uint32_t)config->inline_max_bytes,
        .scrub_bytes_per_s = config->scrub_bytes_per_s,
        .scrub_interval_us = (int64_t)config->scrub_interval_s * US_PER_S,
        .events_max = config->events_max,
        .upload_expiry_us = (int64_t)config->upload_expiry_s * US_PER_S,
        .notice = log_notice,
        .notice_context = told,
        .work = tell_work,
        .work_context = told,
    };
    struct fault cause = { 0 };
    enum store_status status;

    if (told == NULL)
        return fault_set(fault, EXIT_CODE_FAILED, "there is no memory for the stores");
    *told = (struct told_store){ .name = name, .observers = &serve->observers };
    status = stores_open(serve->stores, name, dir.p, &options, &cause);

    if (status == STORE_LOCKED)
        return fault_set(fault, EXIT_CODE_LOCKED,
                         "'%.*s' is in use by another pail: a directory has one server at a time",
                         STR_ARG(dir));
    if (status != STORE_OK && (cause.os_errno == EACCES || cause.os_errno == EPERM))
        say_whose(dir, &cause, fault); /* the first cause is kept */
    if (status != STORE_OK)
        return fault_set(fault, EXIT_CODE_FAILED, "can not open the store '%.*s': %s", STR_ARG(dir),
                         cause.text[0] != '\0' ? cause.text : store_status_name(status));

    return EXIT_CODE_OK;
}

static int open_stores(struct serve *serve, struct fault *fault)
{
    const struct config *config = &serve->config;
    int code;

    serve->stores = stores_new(config->read_cache_bytes);
    if (serve->stores == NULL)
        return fault_set(fault, EXIT_CODE_FAILED, "there is no memory for the stores");
    code = open_store(serve, STR(""), config->dir, fault);
    for (size_t i = 0; i < config->stores.count && code == EXIT_CODE_OK; i++) {
        struct config_store store = config_store(config, i);
        struct str name = str_from_cstr(arena_cstr(config->arena, store.name));

        if (!str_present(name))
            return fault_set(fault, EXIT_CODE_FAILED, "there is no memory for the stores");
        code = open_store(serve, name, store.dir, fault);
    }
    if (code == EXIT_CODE_OK)
        serve->store = stores_take(serve->stores, STR(""));
    return code;
}

static bool open_accounts(struct serve *serve, struct fault *fault)
{
    serve->accounts =
        accounts_open(&serve->config, serve->words, store_dir_fd(serve->store->store), fault);
    return serve->accounts != NULL;
}

static bool create_buckets(const struct serve *serve, struct str store, struct fault *fault)
{
    const struct config *config = &serve->config;
    char id[64];
    struct user root = accounts_root_user(serve->accounts, id);
    /* us-east-1 has no name among location constraints. */
    struct str region = str_eq(config->region, STR("us-east-1")) ? STR("") : config->region;
    struct open_store *held = stores_take(serve->stores, store);
    bool good = held != NULL;

    for (size_t i = 0; i < config->buckets.count && good; i++) {
        struct fault cause = { 0 };

        good = s3_create_bucket(held->store, config->buckets.items[i], &root, region,
                                config->new_buckets, &cause);
        if (!good)
            fault_note(fault, "can not create bucket '%.*s': %s", STR_ARG(config->buckets.items[i]),
                       cause.text);
    }

    if (held != NULL)
        stores_give_back(held);
    return good;
}

static bool create_all_buckets(const struct serve *serve, struct fault *fault)
{
    const struct config *config = &serve->config;
    bool good = create_buckets(serve, STR(""), fault);

    for (size_t i = 0; i < config->stores.count && good; i++)
        good = create_buckets(serve, config_store(config, i).name, fault);
    return good;
}

_Static_assert(CONFIG_THREADS_MAX <= COUNTERS_LOOPS_MAX, "every loop counts");

/* Who is told of each request, and of what stores do by themselves. */
static bool open_observers(struct serve *serve, struct fault *fault)
{
    struct observer counting;
    struct observer delivering;

    serve->counters = counters_open(s3_operation_count());
    serve->deliverer = deliverer_open((int64_t)serve->config.access_log_interval_s * US_PER_S);
    if (serve->counters == NULL || serve->deliverer == NULL)
        return fault_false(fault, "there is no memory for counters");

    counting = counters_observer(serve->counters);
    delivering = deliverer_observer(serve->deliverer);
    return (observers_add(&serve->observers, &log_lines) &&
            observers_add(&serve->observers, &counting) &&
            observers_add(&serve->observers, &delivering)) ||
           fault_false(fault, "there are too many observers");
}

/* Whoever waits for events of before is told of them from now on. */
static bool open_notifier(struct serve *serve, struct fault *fault)
{
    const struct config *config = &serve->config;
    bool good;

    serve->notifier = notifier_open(&config->targets, serve->stores, config->region);
    if (serve->notifier == NULL)
        return fault_false(fault, "there is no memory for notifications");
    good = notifier_look(serve->notifier, STR(""), fault);
    for (size_t i = 0; i < config->stores.count && good; i++)
        good = notifier_look(serve->notifier, config_store(config, i).name, fault);
    return good;
}

static bool open_app(struct serve *serve, struct fault *fault)
{
    const struct config *config = &serve->config;
    struct s3_options options = {
        .stores = serve->stores,
        .stores_by_host = config->stores.count > 0,
        .auth = {
            .mode = config->auth,
            .users = accounts_users(serve->accounts),
            .region = config->region,
            .account_id = config->account_id,
            .strict_region = config->strict_region,
        },
        .domain_count = config->domains.count,
        .website_domain_count = config->website_domains.count,
        .cors_origin_count = config->cors.count,
        .new_buckets = config->new_buckets,
        .explain_denials = config->explain_denials || config->dev,
        .customer_keys_over_http = config->sse_c_over_http,
        .lifecycle_day_us = (int64_t)config->lifecycle_day_s * US_PER_S,
        .restore_delay_us = (int64_t)config->restore_delay_s * US_PER_S,
        .archive_readable = config->archive == S3_ARCHIVE_READABLE,
        .buffered_bytes = config->buffered_bytes,
        .observers = &serve->observers,
        .notifier = serve->notifier,
    };

    for (size_t i = 0; i < config->domains.count; i++)
        options.domains[i] = config->domains.items[i];
    for (size_t i = 0; i < config->website_domains.count; i++)
        options.website_domains[i] = config->website_domains.items[i];

    for (size_t i = 0; i < config->cors.count; i++)
        options.cors_origins[i] = config->cors.items[i];

    serve->app = s3_app_open(&options);
    if (serve->app == NULL)
        return fault_false(fault, "there is no memory to serve");
    return deliverer_start(serve->deliverer, s3_app_options(serve->app), s3_app_clock(serve->app),
                           fault);
}

/* What stores' buckets want done without being asked. */
static bool tend_stores(const struct serve *serve, struct fault *fault)
{
    const struct config *config = &serve->config;
    bool good = s3_app_tend(serve->app, STR(""));

    for (size_t i = 0; i < config->stores.count && good; i++)
        good = s3_app_tend(serve->app, config_store(config, i).name);
    return good || fault_false(fault, "there is no memory to tend the stores");
}

static bool start_loops(struct serve *serve, struct fault *fault)
{
    const struct config *config = &serve->config;
    struct http_options options = {
        .loop_count = (unsigned)config->threads,
        .connections_max = (unsigned)config->connections_max,
        .tls_cert_path = config->tls_cert,
        .tls_key_path = config->tls_key,
    };
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < config->connections_max)
        log_warn("%llu connections are asked for and the system allows %llu descriptors",
                 (unsigned long long)config->connections_max, (unsigned long long)limit.rlim_cur);

    return http_server_start(&options, serve->listeners, serve->listener_count,
                             s3_http_app(serve->app), &serve->server, fault);
}

/*
 * Where `pail credentials DIR` asks for a pair that no file holds, as it is now. Not having it costs
 * the banner a line, nothing else.
 */
static void mind_root_socket(struct serve *serve)
{
    const struct root_pair *root = accounts_root(serve->accounts);
    struct fault cause = { 0 };

    if (root->origin != ROOT_PAIR_ENVIRONMENT && root->origin != ROOT_PAIR_SETTINGS) {
        root_socket_close(serve->root_socket);
        serve->root_socket = NULL;
        return;
    }
    if (serve->root_socket != NULL) {
        root_socket_tell(serve->root_socket, root);
        return;
    }

    serve->root_socket = root_socket_open(store_dir_fd(serve->store->store), root, &cause);
    if (serve->root_socket == NULL)
        log_info("'pail credentials' will not know the key pair: %s", cause.text);
}

/* The text itself when there is no such file. */
static struct str absolute(struct str path, char room[PATH_MAX])
{
    return path.len > 0 && realpath(path.p, room) != NULL ? str_from_cstr(room) : path;
}

static struct str own_program(char room[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", room, PATH_MAX - 1);

    if (len <= 0 || access("/proc/self/exe", X_OK) != 0)
        return STR("pail");

    return str_make(room, (size_t)len);
}

static bool announce(const struct serve *serve, struct fault *fault)
{
    char room[4][PATH_MAX];
    struct http_certificate_facts facts;
    struct banner banner = {
        .config = &serve->config,
        .root = accounts_root(serve->accounts),
        .dir = absolute(serve->config.dir, room[0]),
        .program = own_program(room[1]),
        .file = absolute(serve->config.file, room[2]),
        .tls_cert = absolute(serve->config.tls_cert, room[3]),
        .listeners = serve->listeners,
        .listener_count = serve->listener_count,
        .on_terminal = isatty(STDERR_FILENO) == 1,
        .answers = serve->root_socket != NULL,
        .in_container = getpid() == 1,
    };
    const struct http_listener *shown = banner_listener(&banner);

    if (shown != NULL && shown->tls &&
        http_certificate_facts(serve->config.tls_cert, banner_host(shown), &facts))
        banner.certificate = &facts;
    return ready_announce(&banner, fault);
}

/* ---- running ------------------------------------------------------------------------------- */

static void reload_accounts(struct serve *serve)
{
    struct fault fault = { 0 };
    size_t count;

    if (!accounts_reload(serve->accounts, &count, &fault)) {
        log_error("SIGHUP: the key pairs in force stay so: %s", fault.text);
        return;
    }

    mind_root_socket(serve);
    log_info("SIGHUP: key pairs in force, read just now: %zu", count);
}

static void reload_certificate(const struct serve *serve)
{
    struct fault fault = { 0 };

    if (serve->config.tls_cert.len == 0)
        log_info("SIGHUP: there is no certificate to read again");
    else if (http_server_reload_tls(serve->server, &fault))
        log_info("SIGHUP: new connections get the certificate read just now");
    else
        log_error("SIGHUP: the certificate in use stays: %s", fault.text);
}

static int serve_run(struct serve *serve, struct fault *fault)
{
    int code = open_observers(serve, fault) ? open_stores(serve, fault) : EXIT_CODE_FAILED;

    if (code != EXIT_CODE_OK)
        return code;
    if (!listeners_open(&serve->config, serve->listeners, &serve->listener_count, fault) ||
        !open_accounts(serve, fault) || !create_all_buckets(serve, fault) ||
        !open_notifier(serve, fault) || !open_app(serve, fault) || !tend_stores(serve, fault) ||
        !start_loops(serve, fault))
        return EXIT_CODE_FAILED;
    config_forget_secrets(&serve->config);
    mind_root_socket(serve);
    serve->clock_control = clock_control_open(serve->app);
    if (!announce(serve, fault))
        return EXIT_CODE_FAILED;

    process_release_startup_pages();
    while (process_wait() == PROCESS_RELOAD) {
        reload_accounts(serve);
        reload_certificate(serve);
    }

    process_stopping();
    log_info("stopping: requests in flight have %d s to end", DRAIN_GRACE_S);
    return EXIT_CODE_OK;
}

static bool libraries_prepare(struct fault *fault)
{
    const char *problem = http_library_problem();

    if (problem != NULL)
        return fault_false(fault, "%s", problem);
    if (!digest_init())
        return fault_false(fault, "the crypto library lacks an algorithm that S3 needs");

    xml_init();
    return true;
}

static int print_help(void)
{
    CLEANUP(buf_free) struct buf text = BUF_WITH_MAX(BANNER_BYTES_MAX);

    settings_help(&text);
    command_write(STDOUT_FILENO, &text);
    return EXIT_CODE_OK;
}

int command_serve(char *const *words)
{
    static const enum log_level levels[] = { [CONFIG_LOG_ERROR] = LOG_LEVEL_ERROR,
                                             [CONFIG_LOG_WARN] = LOG_LEVEL_WARN,
                                             [CONFIG_LOG_INFO] = LOG_LEVEL_INFO,
                                             [CONFIG_LOG_DEBUG] = LOG_LEVEL_DEBUG };
    CLEANUP(serve_close) struct serve serve = { .words = words };
    struct fault fault = { 0 };
    int code;

    if (arguments_ask_help(words))
        return print_help();
    if (!config_load(words, &serve.config, &fault) || !config_check(&serve.config, &fault))
        return command_usage("serve", &fault);
    if (serve.config.dir.len == 0) {
        fault_note(&fault, "serve needs the directory of a store");
        return command_usage("serve", &fault);
    }

    process_prepare(/* dumpable= */ serve.config.dev);
    log_set_level(levels[serve.config.log_level]);
    if (!libraries_prepare(&fault))
        return command_failed(EXIT_CODE_FAILED, &fault);

    code = serve_run(&serve, &fault);
    return code == EXIT_CODE_OK ? code : command_failed(code, &fault);
}
