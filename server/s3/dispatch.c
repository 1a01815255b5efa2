/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline every request goes through, in one order:
 * route -> authenticate -> names (identify.c) -> bucket -> authorise (admit.c) -> body -> run ->
 * render -> record (record.h).
 *
 * (1) A request without a body is handled whole in on_end, inside one snapshot of the catalog. One
 *     with a body is admitted in on_headers (so a refusal comes before the body), and loaded and
 *     authorised again in on_end.
 *     An operation that yields goes on in a newer snapshot, in the bucket in which it began and
 *     only while its caller is still allowed to (admit_another_turn).
 *     What is not S3's (foreign.h) is told by its form and answered beside all this.
 *     A request's store is chosen first of all (loop_stores.h) and kept until it is done.
 * (2) A write carries what it was allowed by (op_intent): if the bucket is another one or has
 *     changed by the time of the commit, the store refuses it and it is admitted again.
 */
#include "server/s3/op.h"

#include <stdatomic.h>

#include "base/digest/digest.h"
#include "base/log.h"
#include "server/s3/admit.h"
#include "server/s3/answer.h"
#include "server/s3/browser/cors.h"
#include "server/s3/browser/website.h"
#include "server/s3/bucket_config.h"
#include "server/s3/control/address.h"
#include "server/s3/encryption/customer_key.h"
#include "server/s3/foreign.h"
#include "server/s3/identify.h"
#include "server/s3/lifecycle/rules.h"
#include "server/s3/limits.h"
#include "server/s3/loop_stores.h"
#include "server/s3/may.h"
#include "server/s3/post.h"
#include "server/s3/record.h"
#include "server/s3/refuse.h"
#include "server/s3/render.h"
#include "server/s3/routes.h"
#include "server/s3/session/session.h"
#include "server/s3/sink.h"
#include "server/s3/store_map.h"
#include "server/s3/tend.h"
#include "server/sts/sts.h"
#include "server/xml/xml.h"

#define RETRIES_MAX 16

struct s3_app {
    struct s3_options options;
    struct http_app http;
    struct clock clock;
    struct budget budget;
    atomic_uint loops; /* started so far */
    struct tended *tended;
};

struct loop_state {
    struct s3_app *app;
    unsigned number; /* from 0 */
    struct loop_stores *stores;
    struct auth_cache *auth_cache;
    struct body_group *bodies;
};

/* ---- body ---------------------------------------------------------------------------------------- */

/* HTTP's chunks tell no length; S3 takes them only around a body whose length is told in it. */
static bool length_is_untold(const struct op *op)
{
    return op->request->chunked && op->route->body != TAKES_NOTHING &&
           ((unsigned)op->auth.payload & PAYLOAD_STREAMING) == 0 &&
           !str_present(op_header(op, "x-amz-decoded-content-length"));
}

static enum s3_error open_body(struct op *op)
{
    const struct http_request *request = op->request;
    uint64_t max = op->route->body_max;
    enum s3_error err;

    if ((op->route->flags & ROUTE_LENGTH) && !request->has_content_length && !request->chunked)
        return op_fail(op, S3_MissingContentLength);
    if (length_is_untold(op))
        return op_fail(op, S3_NotImplemented, STR("Transfer-Encoding"));
    if (op->route->body == TAKES_FORM)
        return post_open(op);
    if (op->route->body == TAKES_STREAM)
        max = S3_OBJECT_BYTES_MAX;
    else if (op->route->body == TAKES_NOTHING)
        max = HTTP_DRAIN_BYTES_MAX;
    err = sink_open(op, max);
    /* Bad headers too are refused before the body travels. */
    if (err == S3_OK && op->route->prepare != NULL)
        err = op->route->prepare(op);
    if (err != S3_OK || op->route->body != TAKES_STREAM)
        return err;
    return sink_open_writer(op);
}

static enum s3_error feed_body(struct op *op, const void *bytes, size_t len)
{
    return op->route->body == TAKES_FORM ? post_feed(op, bytes, len) : sink_feed(op, bytes, len);
}

static enum s3_error finish_body(struct op *op)
{
    return op->route->body == TAKES_FORM ? post_finish(op) : sink_finish(op);
}

/* ---- answer -------------------------------------------------------------------------------------- */

/*
 * Where memory has run out on this thread meanwhile, what a request is refused for may be that: a
 * document that could not be read whole, a text that could not be compared. Then it says no more.
 */
static bool ran_out(const struct op *op)
{
    return mem_lacked() != op->lacked_before;
}

static void render_error_of(struct op *op)
{
    render_error(op->exchange, &op->refusal, str_make(op->request_id, 16), 0,
                 control_is(op->request) ? ERROR_OF_S3_CONTROL : ERROR_OF_S3);
}

/* A header that could not be set is not left out: what it would have said is part of the answer. */
static void replace_incomplete(struct op *op)
{
    struct fault fault = { .text = "a header of the reply could not be set" };

    op->error = ran_out(op) ? S3_SlowDown : S3_InternalError;
    op->refusal = (struct s3_refusal){ .error = op->error };
    op_log_failure(op, &fault);
    http_reply_reset(op->reply);
    render_common(op->reply, op->arena, str_make(op->request_id, 16));
    cors_tell(op);
    render_error_of(op);
}

static enum http_next answer(struct op *op, enum s3_error err)
{
    if (err == S3_WAIT)
        return HTTP_WAIT;
    if (err == S3_YIELD)
        return HTTP_YIELD;
    if (err == S3_InternalError)
        op_log_failure(op, &op->fault);
    if (err != S3_OK && ran_out(op))
        err = S3_SlowDown;
    op->error = err;
    if (err != S3_OK) {
        if (op->refusal.error != err)
            op->refusal = (struct s3_refusal){ .error = err };
        if (!op->keep_headers)
            http_reply_reset(op->reply);
    }
    render_common(op->reply, op->arena, str_make(op->request_id, 16));
    cors_tell(op);
    op_explain_denial(op);
    if (op->store != NULL && store_durability(op->store) == STORE_RELAXED)
        op_set(op, "x-pail-durability", STR("relaxed"));
    if (err != S3_OK && op->foreign == FOREIGN_WEBSITE)
        website_render_error(op);
    else if (err != S3_OK)
        render_error_of(op);
    if (op->reply->incomplete)
        replace_incomplete(op);
    op->record.answered_us = clock_monotonic_us(op->options->auth.clock);
    return HTTP_REPLY;
}

static struct op *op_new(struct s3_app *app, struct http_exchange_view *exchange)
{
    struct loop_state *loop = exchange->loop_context;
    struct op *op = ARENA_NEW(exchange->arena, struct op);

    if (op == NULL)
        return NULL;
    op->exchange = exchange;
    op->arena = exchange->arena;
    op->request = exchange->request;
    op->reply = exchange->reply;
    op->origin = http_header(op->request, STR("Origin"));
    op->options = &app->options;
    op->config = op->source_config = &bucket_config_none;
    op->auth_cache = loop->auth_cache;
    op->bodies = loop->bodies;
    op->budget = &app->budget;
    op->lacked_before = mem_lacked();
    op->record.started_us = clock_monotonic_us(&app->clock);
    op->record.loop = loop->number;
    render_request_id(op->request_id);
    exchange->user = op;
    return op;
}

static void refuse_plain(struct http_exchange_view *exchange, enum s3_error error, int status,
                         struct str message)
{
    struct s3_refusal refusal = { .error = error, .message = message };
    char id[17];
    struct str kept;

    render_request_id(id);
    kept = arena_dup(exchange->arena, str_make(id, 16));
    if (!str_present(kept))
        kept = STR("0000000000000000");
    http_reply_reset(exchange->reply);
    render_common(exchange->reply, exchange->arena, kept);
    render_error(exchange, &refusal, kept, status, ERROR_OF_S3);
}

/* ---- not S3's ---------------------------------------------------------------------------------- */

static bool begin_foreign(struct op *op)
{
    op->foreign = foreign_kind(op, &op->foreign_service);
    if (op->foreign == FOREIGN_NOT)
        return false;

    op->route = &foreign_routes[op->foreign];
    op->auth.payload = PAYLOAD_ABSENT;
    return true;
}

static enum s3_error open_foreign(struct op *op)
{
    enum s3_error err = op->foreign == FOREIGN_WEBSITE ? website_check_method(op) : S3_OK;

    return err == S3_OK ? sink_open(op, FOREIGN_BODY_BYTES_MAX) : err;
}

/* Verify and run a call of the token service. The other call of the verifier. */
static void run_sts(struct op *op)
{
    struct buf document = BUF_WITH_MAX(STS_BODY_BYTES_MAX);
    struct sts_call call = { .request_id = str_make(op->request_id, 16), .out = &document };
    enum s3_error err = auth_verify_service(&op->options->auth, op->auth_cache, op->request,
                                            op->foreign_service, op->body, op->arena, &op->auth,
                                            &op->refusal);

    call.caller = op->auth.user;
    op->reply->status = err == S3_OK ? sts_run(&call, op->request, op->body, op->arena)
                                     : sts_refuse_unverified(&call, &op->refusal);
    if (op->reply->status >= 400 && ran_out(op))
        op->reply->status =
            sts_refuse_unverified(&call, &(struct s3_refusal){ .error = S3_SlowDown });
    op_set(op, "Content-Type", STR("text/xml"));
    op_set(op, "x-amzn-RequestId", call.request_id);
    op->reply->body_kind = HTTP_BODY_BUFFER;
    op->reply->buffer = document;
    op->record.name = call.action; /* instead of the service's, when it is one */
}

static enum http_next answer_foreign(struct op *op)
{
    if (op->foreign == FOREIGN_PREFLIGHT)
        return answer(op, cors_preflight(op));
    if (op->foreign == FOREIGN_HEALTH)
        foreign_answer_health(op);
    else if (op->foreign == FOREIGN_STS)
        run_sts(op);
    else
        foreign_answer_other(op, op->foreign_service);

    return answer(op, S3_OK);
}

/* ---- http_app ------------------------------------------------------------------------------------ */

static enum http_next on_headers(void *context, struct http_exchange_view *exchange)
{
    const struct loop_state *loop = exchange->loop_context;
    struct op *op = op_new(context, exchange);
    enum s3_error err;

    if (op == NULL) {
        refuse_plain(exchange, S3_SlowDown, 0, STR_NONE);
        return HTTP_REPLY;
    }
    err = op_choose_store(op, loop->stores);
    if (err != S3_OK)
        return answer(op, err);
    if (!op->request->has_body)
        return HTTP_CONTINUE; /* on_end does all */
    if (begin_foreign(op)) {
        err = open_foreign(op);
        return err == S3_OK ? HTTP_CONTINUE : answer(op, err);
    }
    err = op_identify(op);
    if (err != S3_OK)
        return answer(op, err);
    reader_begin(op->reader);
    err = op_admit(op);
    if (err == S3_OK)
        err = open_body(op);
    op->admitted = true;
    reader_end(op->reader);
    return err == S3_OK ? HTTP_CONTINUE : answer(op, err);
}

static enum http_next on_body(void *context, struct http_exchange_view *exchange, const void *bytes,
                              size_t len)
{
    struct op *op = exchange->user;
    enum s3_error err = feed_body(op, bytes, len);

    (void)context;
    if (err == S3_OK)
        return HTTP_CONTINUE;
    /* The rest is read and forgotten, which takes as long as the client likes: hold nothing. */
    sink_close(op);
    op_give_back(op);
    return answer(op, err);
}

/*
 * The rest of the pipeline; also for another try after STORE_RETRY. Inside a snapshot. Between a
 * request's head and the end of its body there may be minutes, so it is admitted at both.
 */
static enum s3_error run(struct op *op)
{
    enum s3_error err = op->admitted ? op_admit_again(op) : op_admit(op);

    if (err == S3_OK && !op->admitted) {
        op->admitted = true;
        err = open_body(op);
        if (err == S3_OK)
            err = finish_body(op);
    }
    return err == S3_OK ? op->route->run(op) : err;
}

static enum http_next run_in_snapshot(struct op *op)
{
    enum s3_error err;

    do {
        op->written_over = false;
        reader_begin(op->reader);
        err = op->foreign == FOREIGN_WEBSITE ? website_run(op) : run(op);
        reader_end(op->reader);
        if (op->written_over)
            http_reply_reset(op->reply);
    } while (op->written_over && op->retries++ < RETRIES_MAX);
    return answer(op, err);
}

static enum http_next on_end(void *context, struct http_exchange_view *exchange)
{
    struct op *op = exchange->user;
    bool foreign = op->request->has_body ? op->foreign != FOREIGN_NOT : begin_foreign(op);
    enum s3_error err = S3_OK;

    (void)context;
    if (op->request->has_body) {
        op->record.taken_us = clock_monotonic_us(op->options->auth.clock);
        err = finish_body(op);
    }
    if (!op->request->has_body && !foreign)
        err = op_identify(op);
    if (err != S3_OK)
        return answer(op, err);
    return foreign && op->foreign != FOREIGN_WEBSITE ? answer_foreign(op) : run_in_snapshot(op);
}

/*
 * What an operation has begun it may finish only in the bucket in which it began. While nothing of
 * that has changed the admission holds, and the arena does not grow with the number of turns.
 */
static enum s3_error admit_another_turn(struct op *op)
{
    int64_t bucket_id = op->bucket.id;
    enum store_status status = bucket_unchanged(op->reader, &op->bucket, &op->fault);
    enum s3_error err;

    if (status != STORE_RETRY)
        return s3_from_store(op, status);
    err = op_admit_again(op);
    if (err == S3_OK && op->bucket.id != bucket_id)
        return op_fail(op, S3_OperationAborted);
    return err;
}

static enum http_next go_on(struct op *op)
{
    op_function *function = op->go_on;
    enum s3_error err;

    op->go_on = NULL;
    reader_begin(op->reader);
    err = admit_another_turn(op);
    if (err == S3_OK)
        err = function(op);
    reader_end(op->reader);
    return answer(op, err);
}

static enum http_next on_resume(void *context, struct http_exchange_view *exchange)
{
    struct op *op = exchange->user;
    enum store_status status;

    (void)context;
    if (op->go_on != NULL)
        return go_on(op);
    status = op->intent->status;
    if (status == STORE_RETRY && op->retries++ < RETRIES_MAX)
        return run_in_snapshot(op);
    if (status != STORE_OK) {
        if (op->fault.text[0] == '\0')
            op->fault = op->intent->fault;
        return answer(op, s3_from_store(op, status));
    }
    return answer(op, op->after_commit(op));
}

static void on_refuse(void *context, struct http_exchange_view *exchange, int status,
                      const char *why)
{
    enum s3_error error = status == 501   ? S3_NotImplemented
                          : status == 503 ? S3_SlowDown
                          : status == 431 ? S3_RequestHeaderSectionTooLarge
                                          : S3_BadRequest;

    (void)context;
    refuse_plain(exchange, error, status == 431 ? 0 : status, str_from_cstr(why));
}

static void on_done(void *context, struct http_exchange_view *exchange, bool completed,
                    uint64_t bytes_in, uint64_t bytes_out)
{
    const struct s3_app *app = context;
    const struct loop_state *loop = exchange->loop_context;
    struct op *op = exchange->user;

    if (op == NULL) {
        record_tell_unseen(&app->options, loop->number, exchange, completed, bytes_in, bytes_out);
        return;
    }
    record_tell(op, completed, bytes_in, bytes_out);
    if (op->release != NULL)
        op->release(op);
    sink_close(op);
    op_give_back(op);
    body_writer_close(op->writer);
    op->writer = NULL;
    op_drop_configs(op);
    op_leave_store(op);
    explicit_bzero(op->auth.signing_key, sizeof(op->auth.signing_key));
    customer_keys_wipe(op);
}

static void *on_loop_start(void *context)
{
    struct loop_state *loop = mem_zalloc(sizeof(*loop));
    struct fault fault = { 0 };

    if (loop == NULL)
        return NULL;
    loop->app = context;
    loop->number = atomic_fetch_add(&loop->app->loops, 1);
    loop->auth_cache = auth_cache_open(loop->app->options.auth.users);
    loop->bodies = body_group_open();
    loop->stores = loop_stores_open(loop->app->options.stores, loop->app->options.auth.region,
                                    loop->app->options.auth.account_id, &fault);
    if (!digest_thread_prepare() || loop->auth_cache == NULL || loop->bodies == NULL ||
        loop->stores == NULL) {
        log_error("cannot start an event loop: %s", fault.text);
        loop_stores_close(loop->stores);
        auth_cache_close(loop->auth_cache);
        body_group_close(loop->bodies);
        mem_free(loop);
        return NULL;
    }
    return loop;
}

static void on_round_end(void *context, void *loop_context)
{
    struct loop_state *loop = loop_context;

    (void)context;
    loop_stores_end_round(loop->stores);
}

static void on_loop_stop(void *context, void *loop_context)
{
    struct loop_state *loop = loop_context;

    (void)context;
    loop_stores_close(loop->stores);
    auth_cache_close(loop->auth_cache);
    body_group_close(loop->bodies);
    mem_free(loop);
}

struct s3_app *s3_app_open(const struct s3_options *options)
{
    struct s3_app *app = mem_zalloc(sizeof(*app));

    if (app == NULL)
        return NULL;
    auth_init();
    xml_init();
    app->options = *options;
    app->options.document_put = tend_document;
    if (app->options.lifecycle_day_us == 0)
        app->options.lifecycle_day_us = LIFECYCLE_DAY_US;
    clock_init(&app->clock);
    app->options.auth.clock = &app->clock;
    session_derive_key(&app->options);
    budget_init(&app->budget,
                options->buffered_bytes != 0 ? options->buffered_bytes : S3_BUFFERED_BYTES_DEFAULT);
    app->http = (struct http_app){ .context = app,
                                   .clock = &app->clock,
                                   .on_loop_start = on_loop_start,
                                   .on_round_end = on_round_end,
                                   .on_loop_stop = on_loop_stop,
                                   .on_headers = on_headers,
                                   .on_body = on_body,
                                   .on_end = on_end,
                                   .on_resume = on_resume,
                                   .on_refuse = on_refuse,
                                   .on_done = on_done };
    return app;
}

const struct http_app *s3_http_app(struct s3_app *app)
{
    return &app->http;
}

const struct s3_options *s3_app_options(const struct s3_app *app)
{
    return &app->options;
}

struct clock *s3_app_clock(struct s3_app *app)
{
    return &app->clock;
}

void s3_clock_move(struct s3_app *app, enum clock_move move, int64_t us)
{
    stores_clock_move(app->options.stores, move, us);
    clock_move(&app->clock, move, us);
}

bool s3_app_tend(struct s3_app *app, struct str store)
{
    bool good = tend_start(&app->tended, &app->options, store);

    app->options.tended = app->tended;
    return good;
}

void s3_app_close(struct s3_app *app)
{
    if (app == NULL)
        return;
    tend_stop(app->tended);
    budget_free(&app->budget);
    clock_free(&app->clock);
    explicit_bzero(app->options.auth.token_key, sizeof(app->options.auth.token_key));
    mem_free(app);
}
