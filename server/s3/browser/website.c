/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Websites; see website.h.
 *
 *   a redirect of everything
 *   -> a rule for the key -> the object, the index document, a redirect to it
 *   -> a rule for the error -> the error document -> the error
 *
 * (1) Rules see the key as it was asked for, without the index document.
 * (2) A Location can hold no byte that ends a header; what a configuration says of it is kept otherwise.
 */
#include "server/s3/browser/website.h"

#include "base/text/codec.h"
#include "base/text/pairs.h"
#include "server/s3/admit.h"
#include "server/s3/answer.h"
#include "server/s3/bucket_config.h"
#include "server/s3/may.h"
#include "server/s3/names.h"
#include "server/s3/ops/get.h"
#include "server/s3/refuse.h"
#include "server/s3/routes.h"
#include "server/s3/store_map.h"

#define LOCATION_BYTES_MAX (64u * 1024u)

enum s3_error website_check_method(struct op *op)
{
    if (op->request->head || str_eq(op->request->method, STR("GET")))
        return S3_OK;
    op->keep_headers = true;
    op_set(op, "Allow", STR("GET, HEAD"));
    return op_fail(op, S3_MethodNotAllowed, op->request->method, resource_type(RESOURCE_OBJECT));
}

/* ---- redirects --------------------------------------------------------------------------------- */

/* As it is, but for bytes that no URL has. */
static void put_url(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c <= 0x20 || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\')
            buf_printf(out, "%%%02X", c);
        else
            buf_char(out, (char)c);
    }
}

/* The request's query goes on to where the request goes. */
static void put_query(const struct op *op, struct buf *out)
{
    struct str query = op->request->raw_query;

    if (!str_present(query))
        return;
    buf_char(out, str_find_char(buf_view(out), '?') == SIZE_MAX ? '?' : '&');
    put_url(out, query);
}

static enum s3_error send_away(struct op *op, struct buf *location, int status)
{
    struct str text = location->failed ? STR_NONE : arena_dup(op->arena, buf_view(location));

    if (!str_present(text))
        return op_fail(op, S3_SlowDown);
    op_set(op, "Location", text);
    return op_reply_status(op, status);
}

/* To another place; prefix: of the key, the part that the rule was asked for. */
static enum s3_error redirect(struct op *op, const struct website_redirect *to, struct str key,
                              size_t prefix_len)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(LOCATION_BYTES_MAX);

    if (str_present(to->protocol))
        buf_str(&out, to->protocol);
    else
        buf_str(&out, op->request->tls ? STR("https") : STR("http"));
    buf_lit(&out, "://");
    put_url(&out, str_present(to->host) ? to->host : op->request->host);
    buf_char(&out, '/');
    if (str_present(to->key)) {
        put_url(&out, to->key);
    } else if (str_present(to->key_prefix)) {
        put_url(&out, to->key_prefix);
        uri_encode(&out, str_skip(key, prefix_len), URI_KEEP_SLASH);
    } else {
        uri_encode(&out, key, URI_KEEP_SLASH);
    }
    put_query(op, &out);
    return send_away(op, &out, to->status != 0 ? to->status : 301);
}

/* To the folder that was asked for without its slash. A key that begins with one names no host. */
static enum s3_error redirect_to_folder(struct op *op, struct str key)
{
    CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(LOCATION_BYTES_MAX);
    bool slash = str_starts(key, STR("/"));
    enum s3_error err;

    buf_str(&out, slash ? STR("/%2F") : STR("/"));
    uri_encode(&out, str_skip(key, slash ? 1 : 0), URI_KEEP_SLASH);
    buf_char(&out, '/');
    put_query(op, &out);
    err = send_away(op, &out, 302);
    if (err != S3_OK)
        return err;
    op->keep_headers = true;
    return op_fail(op, S3_Found);
}

/* The first rule for that key and error (0: before there is one). */
static const struct website_rule *rule_for(const struct website *website, struct str key, int error)
{
    for (size_t i = 0; i < website->rule_count; i++)
        if (website->rules[i].error == error && str_starts(key, website->rules[i].prefix))
            return &website->rules[i];
    return NULL;
}

/* ---- objects ----------------------------------------------------------------------------------- */

/* The object of op->key into op->version, if nobody in particular may read it. */
static enum s3_error look_up(struct op *op)
{
    const struct version_id current = { .kind = VERSION_CURRENT };
    enum store_status status;
    enum s3_error err = name_check_key(op->key);

    op->has_version = false;
    if (err != S3_OK)
        return op_fail(op, err, op->request->raw_path);
    status = version_get(op->reader, op->bucket.id, op->key, current, op->arena, &op->version,
                         &op->fault);
    if (status != STORE_OK && status != STORE_NO_KEY)
        return s3_from_store(op, status);
    op->has_version = status == STORE_OK && !op->version.delete_marker;
    err = op_require_of_object(op, ACTION_GetObject, op_subject(op),
                               op->has_version ? &op->version : NULL);
    if (err != S3_OK || op->has_version)
        return err;
    return op_fail(op, S3_NoSuchKey, op->key);
}

/* The object that was looked up, or where it sends whoever asks for it; status 0: as asked for. */
static enum s3_error reply_object(struct op *op, int status)
{
    struct str away = pairs_get(op->version.attrs.headers, STR("x-amz-website-redirect-location"));

    if (str_present(away)) {
        CLEANUP(buf_free) struct buf out = BUF_WITH_MAX(LOCATION_BYTES_MAX);

        put_url(&out, away);
        return send_away(op, &out, 301);
    }
    return status == 0 ? object_reply(op, STR_NONE, NULL) : object_reply_whole(op, status);
}

/* What a key stands for; STR_NONE: no memory. */
static struct str index_of(struct op *op, const struct website *website, struct str folder)
{
    const char *between = folder.len == 0 || str_ends(folder, STR("/")) ? "" : "/";

    return arena_printf(op->arena, "%.*s%s%.*s", STR_ARG(folder), between, STR_ARG(website->index));
}

static enum s3_error reply_key(struct op *op, const struct website *website, struct str key)
{
    bool folder = key.len == 0 || str_ends(key, STR("/"));
    struct str index = index_of(op, website, key);
    struct s3_refusal refusal;
    enum s3_error err;
    enum s3_error second;

    if (!str_present(index))
        return op_fail(op, S3_SlowDown);
    op->key = folder ? index : key;
    err = look_up(op);
    if (err == S3_OK)
        return reply_object(op, 0);
    if (folder || op->has_version || op->written_over || s3_error_row(err)->status >= 500)
        return err;

    refusal = op->refusal;
    op->key = index;
    second = look_up(op);
    if (second == S3_OK)
        return redirect_to_folder(op, key);
    if (s3_error_row(second)->status >= 500)
        return second;
    op->key = key;
    op->refusal = refusal;
    return err;
}

/* ---- errors ------------------------------------------------------------------------------------ */

/* The website's own page for an error; if it has none, the error, and why in op->work. */
static enum s3_error reply_error_document(struct op *op, const struct website *website,
                                          enum s3_error err)
{
    struct s3_refusal refusal = op->refusal;
    struct s3_refusal *trouble = ARENA_NEW(op->arena, struct s3_refusal);
    struct str key = op->key;
    enum s3_error second;

    if (trouble == NULL)
        return op_fail(op, S3_SlowDown);
    op->key = website->error_key;
    second = look_up(op);
    if (second == S3_OK)
        second = reply_object(op, s3_error_row(err)->status);
    if (second == S3_OK) {
        website_tell_error(op, &refusal);
        return S3_OK;
    }
    *trouble = op->refusal;
    op->work = trouble;
    op->key = key;
    op->refusal = refusal;
    return err;
}

static enum s3_error reply_error(struct op *op, const struct website *website, struct str key,
                                 enum s3_error err)
{
    int status = s3_error_row(err)->status;
    const struct website_rule *rule = rule_for(website, key, status);

    if (op->written_over || err == S3_Found)
        return err;
    http_reply_reset(op->reply);
    op->record.code = s3_error_row(err)->code; /* for whatever is answered instead */
    if (rule != NULL) {
        if (err == S3_InternalError)
            op_log_failure(op, &op->fault);
        return redirect(op, &rule->to, key, rule->prefix.len);
    }
    if (!str_present(website->error_key) || status >= 500)
        return err;
    return reply_error_document(op, website, err);
}

/* ---- all together ------------------------------------------------------------------------------ */

enum s3_error website_run(struct op *op)
{
    const struct website *website;
    const struct website_rule *rule;
    struct str key;
    enum s3_error err = website_check_method(op);

    if (err != S3_OK)
        return err;
    op->keep_headers = false;
    if (!uri_decode(op->arena, str_skip(op->request->raw_path, 1), &key))
        return op_fail(op, S3_InvalidURI, op->request->raw_path);
    op->key = key;
    err = op_load_bucket(op);
    if (err != S3_OK)
        return err;
    website = op->config->website;
    if (website == NULL)
        return op_fail(op, S3_NoSuchWebsiteConfiguration, op->bucket_name);
    if (website->all != NULL)
        return redirect(op, website->all, key, 0);

    rule = rule_for(website, key, 0);
    if (rule != NULL)
        return redirect(op, &rule->to, key, rule->prefix.len);
    err = reply_key(op, website, key);
    return err == S3_OK ? S3_OK : reply_error(op, website, key, err);
}
