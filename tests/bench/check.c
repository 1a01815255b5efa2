/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this the right answer? Status, length and ETag of every one; the bytes of every --verify-th,
 * and documents whenever their length says they could be other ones; see connection.h.
 */
#include "base/text/codec.h"
#include "tests/bench/connection.h"

#define ERROR_BODY_BYTES_MAX 4096

static struct plan *plan_of(const struct connection *connection)
{
    return connection->worker->run->plan;
}

static const struct shape *shape_of(const struct connection *connection)
{
    return &plan_of(connection)->shapes[connection->request->shape];
}

static bool status_fits(const struct connection *connection)
{
    unsigned expected = shape_of(connection)->status;
    unsigned status = connection->response.status;

    return expected == 0 ? status >= 200 && status < 300 : status == expected;
}

bool check_bodyless(const struct connection *connection)
{
    return shape_of(connection)->expect == EXPECT_HEAD || connection->response.status == 204 ||
           connection->response.status == 304;
}

void check_begin(struct connection *connection)
{
    const struct run *run = connection->worker->run;
    enum expect expect = shape_of(connection)->expect;
    bool sampled = connection->worker->answers % run->options->verify == 0;

    buf_clear(&connection->body);
    connection->differs = false;
    connection->compare = false;
    connection->collect = !status_fits(connection);
    if (connection->collect)
        return;
    connection->compare = expect == EXPECT_BODY && sampled;
    connection->collect = expect == EXPECT_IN_BODY ||
                          (expect == EXPECT_COUNTED &&
                           (sampled || atomic_load_explicit(&connection->request->learned_len,
                                                            memory_order_relaxed) == 0));
}

void check_body(struct connection *connection, struct str bytes)
{
    if (connection->compare && !connection->differs)
        connection->differs = !content_matches(plan_of(connection)->content,
                                               connection->request->number, connection->body_len,
                                               bytes.p, bytes.len);
    if (!connection->collect)
        return;
    if (status_fits(connection) || connection->body.len + bytes.len <= ERROR_BODY_BYTES_MAX)
        buf_str(&connection->body, bytes);
}

static uint64_t occurrences(struct str text, struct str needle)
{
    uint64_t count = 0;

    for (;;) {
        const char *at = memmem(text.p, text.len, needle.p, needle.len);

        if (at == NULL)
            return count;
        count++;
        text = str_skip(text, (size_t)(at - text.p) + needle.len);
    }
}

static bool etag_fits(const struct connection *connection)
{
    const struct shape *shape = shape_of(connection);
    uint8_t md5[MD5_BYTES];

    if (!shape->check_etag)
        return true;
    if (str_present(shape->etag_text))
        return str_eq(connection->response.etag, shape->etag_text);
    return hex_decode(connection->response.etag, md5, sizeof(md5)) &&
           memcmp(md5, connection->request->md5, sizeof(md5)) == 0;
}

/* Documents of one request have one length; the first is counted, the others compared with it. */
static bool counted_fits(struct connection *connection)
{
    const struct shape *shape = shape_of(connection);
    struct request *request = connection->request;
    uint32_t learned = atomic_load_explicit(&request->learned_len, memory_order_relaxed);
    struct str body = buf_view(&connection->body);

    if (!connection->collect)
        return connection->body_len == learned;
    if (connection->body.failed || occurrences(body, shape->needle) != shape->needle_count ||
        str_find(body, STR("<Error>")) != SIZE_MAX)
        return false;
    atomic_store_explicit(&request->learned_len, (uint32_t)connection->body_len,
                          memory_order_relaxed);
    return true;
}

static bool names_etag(const struct connection *connection)
{
    char text[2 * MD5_BYTES];

    hex_encode(connection->request->md5, MD5_BYTES, text);
    return str_find(buf_view(&connection->body), str_make(text, sizeof(text))) != SIZE_MAX;
}

static const char *wrong(struct connection *connection)
{
    const struct shape *shape = shape_of(connection);

    switch (shape->expect) {
    case EXPECT_BODY:
    case EXPECT_HEAD:
        if (connection->body_len != shape->object_bytes)
            return "wrong length";
        if (connection->differs)
            return "wrong bytes";
        return etag_fits(connection) ? NULL : "wrong ETag";
    case EXPECT_STORED:
        return etag_fits(connection) ? NULL : "wrong ETag";
    case EXPECT_STATUS:
        return NULL;
    case EXPECT_COUNTED:
        return counted_fits(connection) ? NULL : "not the entries expected";
    case EXPECT_IN_BODY:
        return names_etag(connection) ? NULL : "the document does not name the ETag";
    }
    return "unknown";
}

void check_end(struct connection *connection, uint64_t now_ns)
{
    struct worker *worker = connection->worker;
    const char *reason;

    worker->answers++;
    if (!status_fits(connection)) {
        struct str code = net_xml_text(buf_view(&connection->body), "Code");

        worker_error(worker, connection->request, "status %u %.*s", connection->response.status,
                     STR_ARG(code));
        return;
    }
    reason = wrong(connection);
    if (reason != NULL) {
        worker_error(worker, connection->request, "%s (length %llu, ETag '%.*s')", reason,
                     (unsigned long long)connection->body_len, STR_ARG(connection->response.etag));
        return;
    }
    worker_sample(worker, connection->request, connection->lane, connection->start_ns, now_ns);
}
