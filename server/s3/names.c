/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bucket and key names; see names.h.
 */
#include "server/s3/names.h"

#include "base/text/codec.h"
#include "server/s3/control/address.h"
#include "server/s3/region.h"
#include "server/s3/routes.h"

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

/* Without port and final dot, in lower case; STR_NONE: no memory. */
static struct str host_name(struct str host, struct arena *arena)
{
    struct str bare = host_without_port(host);
    char *lower;

    if (bare.len > 0 && bare.p[bare.len - 1] == '.')
        bare.len--;
    lower = arena_cstr(arena, bare);
    if (lower == NULL)
        return STR_NONE;
    for (size_t i = 0; i < bare.len; i++)
        lower[i] = str_lower(lower[i]);
    return str_make(lower, bare.len);
}

struct str name_virtual_bucket(struct str host, const struct str *domains, size_t domain_count,
                               struct arena *arena)
{
    struct str bare = host_name(host, arena);
    struct str label;

    if (!str_present(bare))
        return STR_NONE;
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

/* "b.t1" before ".store.localhost" of "b.t1.store.localhost"; STR_NONE when it is not of that form. */
static struct str before_store(struct str name, struct str base)
{
    struct str front = label_before(name, base);

    return str_present(front) ? label_before(front, STR("store")) : STR_NONE;
}

bool name_store(struct str host, const struct str *domains, size_t domain_count,
                struct arena *arena, struct str *ret_store, struct str *ret_rest)
{
    struct str name = host_name(host, arena);
    struct str base = STR("localhost");
    struct str front = before_store(name, base);
    size_t dot;

    *ret_store = STR("");
    *ret_rest = host;
    if (!str_present(name))
        return false;
    for (size_t i = 0; i < domain_count && !str_present(front); i++) {
        base = domains[i];
        front = before_store(name, base);
    }
    if (!str_present(front))
        return true;

    dot = str_rfind_char(front, '.');
    *ret_store = dot == SIZE_MAX ? front : str_skip(front, dot + 1);
    *ret_rest =
        dot == SIZE_MAX ? base : arena_printf(arena, "%.*s.%.*s", (int)dot, front.p, STR_ARG(base));
    return str_present(*ret_rest);
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

/* ---- websites -------------------------------------------------------------------------------- */

/* The longest of the bases under which the name is; *ret_label: what stands before it. */
static size_t longest_base(struct str name, const struct str *bases, size_t count,
                           struct str *ret_label)
{
    size_t longest = 0;

    *ret_label = STR_NONE;
    for (size_t i = 0; i < count; i++) {
        struct str label = label_before(name, bases[i]);

        if (str_present(label) && bases[i].len > longest) {
            longest = bases[i].len;
            *ret_label = label;
        }
    }
    return longest;
}

/* The b of "b.s3-website", "b.s3-website-REGION" and "b.s3-website.REGION"; else STR_NONE. */
static struct str cut_website(struct str label, struct str own_region)
{
    struct str website = STR("s3-website");
    size_t dot = str_rfind_char(label, '.');
    struct str head = str_slice(label, 0, dot);
    struct str tail = str_skip(label, dot + 1);
    struct str region = str_skip(tail, website.len + 1);

    if (dot == SIZE_MAX || dot == 0)
        return STR_NONE;
    if (str_eq(tail, website))
        return head;
    if (str_starts(tail, STR("s3-website-")) &&
        (region_known_nocase(region) || str_eq_nocase(region, own_region)))
        return head;
    return region_known_nocase(tail) || str_eq_nocase(tail, own_region)
               ? label_before(head, website)
               : STR_NONE;
}

struct str name_website(struct str host, const struct s3_options *options, struct arena *arena)
{
    struct str name;
    struct str bucket;
    struct str label;
    size_t base_len;

    if (!name_looks_virtual(host))
        return STR_NONE;
    name = host_name(host, arena);
    base_len = longest_base(name, options->domains, options->domain_count, &label);
    if (longest_base(name, options->website_domains, options->website_domain_count, &bucket) >=
            base_len &&
        str_present(bucket))
        return bucket;
    label = name_virtual_bucket(name, options->domains, options->domain_count, arena);
    return str_present(label) ? cut_website(label, options->auth.region) : STR_NONE;
}

/* ---- S3's own ---------------------------------------------------------------------------------- */

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/transfer-acceleration-getting-started.html */
static bool cut_acceleration(struct str *bucket)
{
    static const struct str ends[] = { STR_INIT(".s3-accelerate"),
                                       STR_INIT(".s3-accelerate.dualstack") };

    for (size_t i = 0; i < COUNT_OF(ends) && str_present(*bucket); i++) {
        if (bucket->len > ends[i].len && str_ends(*bucket, ends[i])) {
            bucket->len -= ends[i].len;
            return true;
        }
    }
    return false;
}

bool name_resolve(const struct http_request *request, struct str host, const struct str *domains,
                  size_t domain_count, struct arena *arena, struct resource_name *ret_name)
{
    struct resource_name name = { 0 };
    struct str path = str_skip(request->raw_path, 1);
    struct str raw_key = path;

    if (control_is(request)) {
        if (!control_tagged_bucket(request, arena, &name.bucket))
            return false;
        name.resource = str_present(name.bucket) ? RESOURCE_TAGS : RESOURCE_CONTROL;
        *ret_name = name;
        return true;
    }
    name.virtual_bucket = name_virtual_bucket(host, domains, domain_count, arena);
    name.accelerated = cut_acceleration(&name.virtual_bucket);
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

static const char *characters_fault(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (c >= 'A' && c <= 'Z')
            return "it has an upper-case letter";
        if (!alnum && c != '-' && c != '.')
            return "it has a character other than a-z, 0-9, '-' and '.'";
        if (!alnum && (i == 0 || i + 1 == name.len))
            return "it does not begin and end with a letter or digit";
        if (c == '.' && (name.p[i - 1] == '.' || name.p[i - 1] == '-' || name.p[i + 1] == '-'))
            return "it has a '.' next to '.' or '-'";
    }
    return NULL;
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html */
struct str name_directory_zone(struct str bucket)
{
    struct str end = STR("--x-s3");
    struct str base;
    size_t dashes;

    if (!str_ends(bucket, end))
        return STR_NONE;
    base = str_slice(bucket, 0, bucket.len - end.len);
    dashes = str_rfind_char(base, '-');
    while (dashes != SIZE_MAX && dashes > 0 && base.p[dashes - 1] != '-')
        dashes = str_rfind_char(str_slice(base, 0, dashes), '-');
    if (dashes == SIZE_MAX || dashes < 2 || dashes + 1 == base.len)
        return STR_NONE;
    return str_skip(base, dashes + 1);
}

/* https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const char *s3_bucket_name_fault(struct str name)
{
    static const char *const begins[] = { "xn--", "sthree-", "amzn-s3-demo-" };
    static const char *const ends[] = { "-s3alias", "--ol-s3", ".mrap", "--table-s3" };
    const char *fault;

    if (name.len < BUCKET_NAME_MIN)
        return "it is shorter than 3 characters";
    if (name.len > BUCKET_NAME_MAX)
        return "it is longer than 63 characters";
    fault = characters_fault(name);
    if (fault != NULL)
        return fault;
    if (is_ipv4(name))
        return "it has the form of an IP address";
    for (size_t i = 0; i < COUNT_OF(begins); i++)
        if (str_starts(name, str_from_cstr(begins[i])))
            return "it begins with a prefix that S3 reserves";
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (str_ends(name, str_from_cstr(ends[i])))
            return "it ends with a suffix that S3 reserves";
    if (str_ends(name, STR("--x-s3")) && !str_present(name_directory_zone(name)))
        return "it ends as a directory bucket's name and has no zone";
    return NULL;
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
