/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bucket and key names; see names.h.
 */
#include "server/s3/names.h"

#include "base/codec.h"

#define BUCKET_NAME_MIN 3
#define BUCKET_NAME_MAX 63

static struct str host_without_port(struct str host)
{
    size_t colon;

    if (host.len > 0 && host.p[0] == '[')
        return host; /* an IPv6 literal is never a bucket */
    colon = str_rfind_char(host, ':');
    return colon == SIZE_MAX ? host : str_slice(host, 0, colon);
}

/* What stands before ".domain", or STR_NONE. */
static struct str label_before(struct str host, struct str domain)
{
    if (host.len <= domain.len + 1 || !str_ends(host, domain) ||
        host.p[host.len - domain.len - 1] != '.')
        return STR_NONE;
    return str_slice(host, 0, host.len - domain.len - 1);
}

/* "b.s3", "b.s3.us-east-1", "s3", "s3.us-east-1" before ".localhost": the b, or STR_NONE. */
static struct str strip_service_labels(struct str label)
{
    size_t dot;
    struct str head;

    if (str_eq(label, STR("s3")))
        return STR_NONE;
    if (str_ends(label, STR(".s3")))
        return str_slice(label, 0, label.len - 3);
    dot = str_rfind_char(label, '.');
    if (dot == SIZE_MAX)
        return label;
    head = str_slice(label, 0, dot);
    if (str_eq(head, STR("s3")))
        return STR_NONE;
    if (str_ends(head, STR(".s3")))
        return str_slice(head, 0, head.len - 3);
    return label;
}

struct str name_virtual_bucket(struct str host, const struct str *domains, size_t domain_count,
                               struct arena *arena)
{
    struct str bare = host_without_port(host);
    struct str label;
    char *lower;

    if (bare.len > 0 && bare.p[bare.len - 1] == '.')
        bare.len--;
    lower = arena_cstr(arena, bare);
    if (lower == NULL)
        return STR_NONE;
    for (size_t i = 0; i < bare.len; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    bare.p = lower;

    for (size_t i = 0; i < domain_count; i++) {
        if (str_eq(bare, domains[i]))
            return STR_NONE;
        label = label_before(bare, domains[i]);
        if (str_present(label))
            return label;
    }
    label = label_before(bare, STR("s3.localhost.localstack.cloud"));
    if (str_present(label))
        return label;
    label = label_before(bare, STR("localhost"));
    return str_present(label) ? strip_service_labels(label) : STR_NONE;
}

bool name_looks_virtual(struct str host)
{
    struct str name = host;
    bool address = true;

    (void)str_cut(host, ':', &name, &(struct str){ 0 });
    for (size_t i = 0; i < name.len; i++)
        address = address && (name.p[i] == '.' || (name.p[i] >= '0' && name.p[i] <= '9'));
    return !address && !str_starts(name, STR("[")) && str_find_char(name, '.') != SIZE_MAX;
}

bool name_resolve(const struct http_request *request, const struct str *domains,
                  size_t domain_count, struct arena *arena, struct resource_name *ret_name)
{
    struct resource_name name = { 0 };
    struct str path = str_skip(request->raw_path, 1);
    struct str raw_key = path;

    name.virtual_bucket = name_virtual_bucket(request->host, domains, domain_count, arena);
    if (str_present(name.virtual_bucket)) {
        name.bucket = name.virtual_bucket;
    } else {
        struct str raw_bucket;

        if (path.len == 0) {
            *ret_name = name;
            return true;
        }
        if (!str_cut(path, '/', &raw_bucket, &raw_key))
            raw_key = STR("");
        if (!uri_decode(arena, raw_bucket, &name.bucket))
            return false;
    }

    name.resource = raw_key.len == 0 ? RESOURCE_BUCKET : RESOURCE_OBJECT;
    if (name.resource == RESOURCE_OBJECT && !uri_decode(arena, raw_key, &name.key))
        return false;
    *ret_name = name;
    return true;
}

static bool is_ipv4(struct str name)
{
    struct str rest = name;
    struct str field;
    unsigned fields = 0;

    while (str_next(&rest, '.', &field)) {
        uint64_t value;

        if (!str_to_u64(field, &value) || value > 255)
            return false;
        fields++;
    }
    return fields == 4;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
bool s3_bucket_name_valid(struct str name)
{
    static const struct {
        const char *p;
        size_t len;
    } bad_ends[] = {
        { "-s3alias", 8 }, { "--ol-s3", 7 }, { ".mrap", 5 }, { "--x-s3", 6 }, { "--table-s3", 10 },
    };

    if (name.len < BUCKET_NAME_MIN || name.len > BUCKET_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!alnum && (i == 0 || i + 1 == name.len || (c != '-' && c != '.')))
            return false;
        if (c == '.' && (name.p[i - 1] == '.' || name.p[i - 1] == '-' || name.p[i + 1] == '-'))
            return false;
    }
    if (is_ipv4(name) || str_starts(name, STR("xn--")) || str_starts(name, STR("sthree-")) ||
        str_starts(name, STR("amzn-s3-demo-")))
        return false;
    for (size_t i = 0; i < COUNT_OF(bad_ends); i++)
        if (str_ends(name, str_make(bad_ends[i].p, bad_ends[i].len)))
            return false;
    return true;
}

/*
 * "videos/../../x": read from the left, more ".." than names before them.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
static bool leaves_its_bucket(struct str key)
{
    struct str element;
    size_t names = 0;

    if (str_find(key, STR("..")) == SIZE_MAX)
        return false;
    while (str_next(&key, '/', &element)) {
        if (str_eq(element, STR(".."))) {
            if (names-- == 0)
                return true;
        } else if (element.len > 0 && !str_eq(element, STR("."))) {
            names++;
        }
    }
    return false;
}

enum s3_error name_check_key(struct str key)
{
    if (key.len > STORE_KEY_BYTES_MAX)
        return S3_KeyTooLongError;
    return str_is_utf8(key) && !leaves_its_bucket(key) ? S3_OK : S3_InvalidURI;
}
