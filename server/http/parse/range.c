/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Range and conditional headers of reads; see range.h.
 */
#include "server/http/parse/range.h"

#include "base/clock.h"

/* ---- ranges ------------------------------------------------------------------------------- */

/* As str_to_u64, but a number too large for 64 bits is the largest one. */
static bool parse_position(struct str s, uint64_t *ret_value)
{
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    if (!str_to_u64(s, ret_value))
        *ret_value = UINT64_MAX;
    return true;
}

static enum range_result range_suffix(struct str text, uint64_t size_bytes, uint64_t *ret_offset,
                                      uint64_t *ret_length)
{
    uint64_t length;

    if (!parse_position(text, &length))
        return RANGE_NONE;
    if (length == 0)
        return RANGE_UNSATISFIABLE;
    /* The last bytes of nothing are nothing: the whole of it, which no Content-Range can name. */
    if (size_bytes == 0)
        return RANGE_NONE;
    length = u64_min(length, size_bytes);
    *ret_offset = size_bytes - length;
    *ret_length = length;
    return RANGE_PARTIAL;
}

enum range_result http_range_parse(struct str header, uint64_t size_bytes, uint64_t *ret_offset,
                                   uint64_t *ret_length)
{
    struct str spec = str_trim(header);
    struct str first_text;
    struct str last_text;
    uint64_t first;
    uint64_t last = UINT64_MAX;

    if (!str_starts_nocase(spec, STR("bytes=")))
        return RANGE_NONE;
    spec = str_trim(str_skip(spec, sizeof("bytes=") - 1));
    if (!str_cut(spec, '-', &first_text, &last_text))
        return RANGE_NONE;
    if (first_text.len == 0)
        return range_suffix(last_text, size_bytes, ret_offset, ret_length);

    if (!parse_position(first_text, &first))
        return RANGE_NONE;
    if (last_text.len > 0 && !parse_position(last_text, &last))
        return RANGE_NONE;
    if (last < first)
        return RANGE_NONE;
    if (first >= size_bytes)
        return RANGE_UNSATISFIABLE;
    *ret_offset = first;
    *ret_length = u64_min(last, size_bytes - 1) - first + 1;
    return RANGE_PARTIAL;
}

/* ---- entity tags -------------------------------------------------------------------------- */

enum etag_comparison { ETAG_STRONG, ETAG_WEAK };

/* The next item of a list; commas inside quotes belong to the tag. */
static bool etag_next(struct str *rest, struct str *ret_item)
{
    bool quoted = false;
    size_t end = 0;

    if (rest->len == 0)
        return false;
    while (end < rest->len && (quoted || rest->p[end] != ',')) {
        quoted ^= rest->p[end] == '"';
        end++;
    }
    *ret_item = str_trim(str_slice(*rest, 0, end));
    *rest = str_skip(*rest, end + 1);
    return true;
}

static bool etag_matches(struct str item, struct str etag, enum etag_comparison comparison)
{
    if (str_starts(item, STR("W/"))) {
        if (comparison == ETAG_STRONG)
            return false;
        item = str_skip(item, 2);
    }
    /* S3 takes tags without quotes as well. */
    if (item.len >= 2 && item.p[0] == '"' && item.p[item.len - 1] == '"')
        item = str_slice(item, 1, item.len - 2);
    return item.len > 0 && str_eq(item, etag);
}

static bool etag_list_has(struct str list, struct str etag, enum etag_comparison comparison)
{
    struct str item;

    while (etag_next(&list, &item)) {
        if (str_eq(item, STR("*")) || etag_matches(item, etag, comparison))
            return true;
    }
    return false;
}

bool http_etag_list_has(struct str list, struct str etag)
{
    return etag_list_has(list, etag, ETAG_WEAK);
}

/* ---- preconditions ------------------------------------------------------------------------ */

static int64_t whole_seconds(int64_t us)
{
    return us >= 0 ? us / US_PER_S : (us - (US_PER_S - 1)) / US_PER_S;
}

/* False when the header is absent or no date: then there is no condition. */
static bool date_of(struct str header, int64_t *ret_s)
{
    int64_t us;

    if (!str_present(header) || !clock_parse_http(str_trim(header), &us))
        return false;
    *ret_s = whole_seconds(us);
    return true;
}

enum precondition http_preconditions_check(const struct preconditions *preconditions,
                                           struct str etag, int64_t modified_us, int64_t now_us)
{
    int64_t modified_s = whole_seconds(modified_us);
    int64_t date_s;

    if (str_present(preconditions->if_match)) {
        if (!etag_list_has(preconditions->if_match, etag, ETAG_STRONG))
            return PRECONDITION_IF_MATCH;
    } else if (date_of(preconditions->if_unmodified_since, &date_s) && modified_s > date_s) {
        return PRECONDITION_IF_UNMODIFIED_SINCE;
    }

    if (str_present(preconditions->if_none_match)) {
        if (etag_list_has(preconditions->if_none_match, etag, ETAG_WEAK))
            return PRECONDITION_IF_NONE_MATCH;
    } else if (date_of(preconditions->if_modified_since, &date_s) && modified_s <= date_s &&
               date_s <= whole_seconds(now_us)) {
        return PRECONDITION_IF_MODIFIED_SINCE;
    }
    return PRECONDITION_NONE;
}

bool http_if_range_holds(struct str if_range, struct str etag, int64_t modified_us)
{
    int64_t date_s;

    if (!str_present(if_range))
        return true;
    if (date_of(if_range, &date_s))
        return date_s == whole_seconds(modified_us);
    return etag_matches(str_trim(if_range), etag, ETAG_STRONG);
}
