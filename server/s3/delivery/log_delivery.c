/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery of access logs; see log_delivery.h.
 */
#include "server/s3/delivery/log_delivery.h"

#include "base/log.h"
#include "base/random.h"
#include "server/s3/delivery/log_line.h"
#include "server/s3/delivery/logging.h"
#include "server/s3/delivery/service.h"
#include "server/s3/refuse.h"
#include "server/s3/region.h"

#define ARENA_FIRST_BYTES 8192
#define ARENA_BYTES_MAX ((size_t)1024 * 1024)
#define LOG_KEY_BYTES_MAX STORE_KEY_BYTES_MAX

struct str log_target_problem(const struct bucket_config *target)
{
    return target->lock.mode != LOCK_NONE
               ? STR("The target bucket for logging must not have a default retention.")
               : STR_NONE;
}

/* One object on its way. */
struct log_object {
    const struct errands *errands;
    const struct log_group *group;
    struct loop_store *at;
    struct arena *arena;
    struct bucket source; /* id 0: it is there no more */
    const struct bucket_config *config;
    struct op *op;
};

/* The source bucket as it is now has the grants; of one that has gone, or is another's, there are none. */
static void load_source(struct log_object *object)
{
    struct bucket bucket;

    object->config = &bucket_config_none;
    reader_begin(object->at->reader);
    if (bucket_get(object->at->reader, object->group->source, object->arena, &bucket, NULL) ==
            STORE_OK &&
        str_eq(bucket.owner, object->group->owner) &&
        bucket_config_use(object->at->configs, object->at->reader, &bucket, &object->config,
                          NULL) == STORE_OK)
        object->source = bucket;
    reader_end(object->at->reader);
}

static enum s3_error open_object(struct log_object *object)
{
    static const struct http_field type = { STR_INIT("Content-Type"), STR_INIT("text/plain") };
    CLEANUP(buf_free) struct buf key = BUF_WITH_MAX(LOG_KEY_BYTES_MAX);
    const struct log_group *group = object->group;
    const struct s3_options *options = object->errands->options;
    struct service_request request = {
        .service = SERVICE_LOGGING,
        .options = options,
        .at = object->at,
        .source = group->source,
        .account = service_account(object->errands->credentials, group->owner, object->arena),
        .bucket = group->target.bucket,
        .fields = &type,
        .field_count = 1,
    };

    object->op = service_op(&request, object->arena);
    if (object->op == NULL)
        return S3_SlowDown;
    log_key(&key, &group->target, group->source, request.account,
            region_of(object->op, &object->source), clock_now_us(options->auth.clock),
            group->event_us, random_u64());
    object->op->key = arena_dup(object->arena, buf_view(&key));
    return !key.failed && str_present(object->op->key) ? service_begin(object->op, 0)
                                                       : op_fail(object->op, S3_SlowDown);
}

static enum s3_error check_target(struct log_object *object)
{
    struct op *op = object->op;
    struct str problem = log_target_problem(op->config);

    if (!str_eq(op->bucket.owner, object->group->owner))
        return op_fail_text(op, S3_InvalidTargetBucketForLogging,
                            STR("the target bucket is not the same owner's"));
    return str_present(problem) ? op_fail_text(op, S3_InvalidTargetBucketForLogging, problem)
                                : S3_OK;
}

/* All lines are taken, whether they are wanted or not. */
static enum s3_error write_lines(struct log_object *object, struct log_lines *lines, size_t first,
                                 enum s3_error err, uint64_t *ret_count)
{
    size_t at = first;
    struct str line;

    *ret_count = 0;
    while (line = log_lines_next(lines, first, &at), str_present(line)) {
        ++*ret_count;
        if (err == S3_OK && body_writer_append(object->op->writer, line.p, line.len,
                                               &object->op->fault) != STORE_OK)
            err = S3_InternalError;
    }
    return err;
}

static enum s3_error deliver(struct log_object *object, struct log_lines *lines, size_t first,
                             uint64_t *ret_count)
{
    const struct bucket_logging *logging;
    struct body_digests digests;
    enum s3_error err;

    load_source(object);
    err = open_object(object);
    if (err == S3_OK)
        err = check_target(object);
    err = write_lines(object, lines, first, err, ret_count);
    logging = object->config->logging;
    if (err == S3_OK)
        err = service_commit(object->op, logging != NULL ? logging->grants : NULL,
                             logging != NULL ? logging->grant_count : 0, &digests);
    return err;
}

static void say_lost(const struct log_group *group, uint64_t count, struct str why)
{
    log_warn("access log: bucket=%.*s target=%.*s lines=%llu lost: %.*s", STR_ARG(group->source),
             STR_ARG(group->target.bucket), (unsigned long long)count, STR_ARG(why));
}

static void deliver_group(const struct errands *errands, struct log_lines *lines, size_t first,
                          const struct log_group *group)
{
    struct log_object object = { .errands = errands,
                                 .group = group,
                                 .arena = arena_open(ARENA_FIRST_BYTES, ARENA_BYTES_MAX),
                                 .config = &bucket_config_none };
    struct fault fault = { 0 };
    enum s3_error err = S3_SlowDown;
    uint64_t count = 0;

    if (object.arena == NULL ||
        loop_stores_use(errands->stores, group->store, &object.at, &fault) != STORE_OK) {
        (void)write_lines(&object, lines, first, err, &count);
        say_lost(group, count, STR("the store can not be read"));
    } else {
        err = deliver(&object, lines, first, &count);
        if (err != S3_OK)
            say_lost(group, count,
                     object.op != NULL ? service_problem(object.op, err) : STR("no memory"));
        service_close(object.op);
        bucket_config_leave(object.config);
        reader_let_go(object.at->reader);
        loop_stores_leave(object.at);
    }
    arena_close(object.arena);
}

void log_delivery_run(const struct errands *errands, struct log_lines *lines)
{
    struct log_group group;
    size_t first = 0;

    while (log_lines_group(lines, &first, &group))
        deliver_group(errands, lines, first, &group);
    if (lines->lost > 0)
        log_warn("access log: lines=%llu lost: more requests than %zu bytes of memory hold "
                 "between two deliveries",
                 (unsigned long long)lines->lost, LOG_LINES_BYTES_MAX);
    log_lines_clear(lines);
}
